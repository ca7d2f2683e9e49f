"""Motion that a taught recognizer must not fire on, played to it as live, and its errors in plain words."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pose.types import Pose
from recognizer.action_names import action_text
from recognizer.decision import IDLE
from recognizer.live import LiveRecognition, Predictor
from recognizer.teaching.background import STANDING, probe_motions
from recognizer.teaching.check import Check
from recognizer.teaching.examples import NOTHING, Example
from recognizer.teaching.lesson import Lesson
from recognizer.teaching.metrics import FalseAlarms, Finding, HeldOutCheck
from recognizer.teaching.quick import usable_background

_MIN_S = 2.6  # shorter stillness is played back and forth up to this: a window, and a second to decide
_MAX_STILL = 12  # stillnesses that are played, of all takes
_MAX_TAKES = 2  # that are named in a finding

Nearest = Callable[[str, str], tuple[str, ...]]  # action and what it fires on, to names of its worst takes


@dataclass(frozen=True, slots=True, eq=False)
class Footage:
    """What is played. words: as in "also fires on waving". everyday: its name as a motion, "" for a user's footage."""

    words: str
    example: Example
    everyday: str = ""


def with_findings(
    found: Check, recognizer: Predictor, names: Mapping[str, str], footage: Sequence[Footage], nearest: Nearest
) -> Check:
    """The check with the errors found on the footage and in its own metrics. names: actions by their names on the
    card."""
    fires = Counter[tuple[str, str]]()
    for each, shown in zip(footage, fired_in(recognizer, [each.example for each in footage]), strict=True):
        fires.update((action, each.words) for action in {names[action] for action in shown if action in names})
    of = Counter(each.words for each in footage)
    findings = [_fires(action, words, count, of[words], nearest) for (action, words), count in fires.most_common()]
    if found.alarms is not None:
        findings += _alarms(found.alarms, nearest)
    if found.checks:
        findings += _mistakes(found.checks[0])
    return replace(found, findings=tuple(findings))


def fired(recognizer: Predictor, example: Example) -> list[str]:
    """Actions, by their names on the card, that live recognition shows for an example; one per start."""
    return fired_in(recognizer, [example])[0]


def fired_in(recognizer: Predictor, examples: Sequence[Example]) -> list[list[str]]:
    """As fired, of each example. All are played at once, by a person each, so that the recognizer is asked less
    often."""
    if not examples:
        return []
    live = LiveRecognition(recognizer)
    frames: dict[float, list[Pose]] = {}
    for person, example in enumerate(examples):
        for time_s, xy, confidence in zip(
            example.times_s - example.times_s[0], example.xy_px, example.confidence, strict=True
        ):
            pose = Pose(xy, confidence, example.layout, round(float(time_s), 6), person)
            frames.setdefault(pose.time_s, []).append(pose)
    for time_s in sorted(frames):
        live.process(time_s, frames[time_s])
    live.clear()
    found: list[list[str]] = [[] for _ in examples]
    for event in live.take_events():
        if event.kind == "start":
            found[event.person].append(event.action)
    return found


def footage_of(examples: Sequence[Example], same: Sequence[str] = ()) -> list[Footage]:
    """The stillness around every example, and everyday motions, but for those that are a taught action. same: everyday
    names of those. Stillness is tried whatever it is close to: who taught it did not mean to, but under that name."""
    around = [example for example in examples if example.around is not None]
    spread = np.unique(np.linspace(0, len(around) - 1, min(len(around), _MAX_STILL)).round().astype(int))
    still = [Footage(STANDING, longer(around[place])) for place in spread]
    taught = {"_".join(example.action.casefold().split()) for example in examples} | (set(same) - {IDLE})
    return [
        *still,
        *(Footage(each.words, each.example, each.action) for each in probe_motions() if each.action not in taught),
    ]


def longer(example: Example) -> Example:
    """Stillness played back and forth, until live recognition has had time to decide."""
    step_s = float(np.diff(example.times_s).mean())
    count = max(int(_MIN_S / step_s), len(example.times_s))
    place = np.arange(count) % max(2 * (len(example.times_s) - 1), 1)
    place = np.minimum(place, 2 * (len(example.times_s) - 1) - place)
    times_s: NDArray[np.float64] = np.arange(count) * np.float64(step_s)
    return replace(example, times_s=times_s, xy_px=example.xy_px[place], confidence=example.confidence[place])


def same_as_taught(lesson: Lesson) -> list[str]:
    """Everyday names of motions so close to a taught action that they may be the same."""
    used = usable_background(lesson, np.ones(len(lesson.examples), bool))
    return [action for action, usable in zip(lesson.background_actions, used, strict=True) if not usable]


def nearest_takes(lesson: Lesson, footage: Sequence[Footage]) -> Nearest:
    """For an action and what it fires on, the nearest takes."""
    everyday = {each.words: each.everyday for each in footage if each.everyday}

    def find(action: str, on: str) -> tuple[str, ...]:
        if on == STANDING and lesson.still.any():
            wrong = lesson.original.description[lesson.still[lesson.original.owner]]
        elif on == NOTHING:
            nothing = (lesson.target == len(lesson.actions)) & ~lesson.still
            wrong = lesson.original.description[nothing[lesson.original.owner]]
        else:
            stretches = np.array([everyday.get(on) == name for name in lesson.background_actions], bool)
            wrong = lesson.background.description[stretches[lesson.background.owner]]
        own = np.flatnonzero(lesson.target == lesson.actions.index(action))
        if not len(wrong):
            return ()
        spread = np.maximum(lesson.original.description.std(axis=0), 1e-6)
        away = {}
        for example in own:
            windows = lesson.original.description[lesson.original.owner == example]
            apart = np.linalg.norm((windows[:, None] - wrong[None, :: max(len(wrong) // 200, 1)]) / spread, axis=-1)
            away[lesson.examples[example].name] = float(apart.min())
        return tuple(sorted(away, key=lambda name: (away[name], name))[:_MAX_TAKES])

    return find


def _fires(action: str, words: str, count: int, of: int, nearest: Nearest) -> Finding:
    often = f", {count} of {of} times" if of > 1 else ""
    label = "record more takes, or label such footage as nothing"
    fix = "trim its takes or record more" if words == STANDING else label
    return Finding(f"{action_text(action)} is also triggered by {words}{often}: {fix}", action, nearest(action, words))


def _alarms(alarms: FalseAlarms, nearest: Nearest) -> list[Finding]:
    minutes = alarms.seconds / 60
    return [
        Finding(
            f"{action_text(action)} is also shown in the footage of {NOTHING}, {_times(count)} in {minutes:.1f} min: "
            f"record more takes, or more footage of {NOTHING}",
            action,
            nearest(action, NOTHING),
        )
        for action, count in alarms.shown.items()
    ]


def _times(count: int) -> str:
    return "1 time" if count == 1 else f"{count} times"


def _mistakes(strictest: HeldOutCheck) -> list[Finding]:
    """Confusions, both directions together, and actions that were not recognised."""
    confused: dict[tuple[str, str], list[str]] = {}
    action_of = {example: true for example, true, _ in strictest.mistakes}
    for example, true, answer in strictest.mistakes:
        pair = (min(true, answer), max(true, answer)) if answer in strictest.actions else (true, "")
        confused.setdefault(pair, []).append(example)
    found = []
    for (one, other), examples in sorted(confused.items(), key=lambda each: -len(each[1])):
        takes, action = tuple(examples[:_MAX_TAKES]), action_of[examples[0]]
        if other:
            of = strictest.actions[one].examples + strictest.actions[other].examples
            found.append(
                Finding(
                    f"{action_text(one)} and {action_text(other)} are confused in {len(examples)} of {of}",
                    action,
                    takes,
                )
            )
        else:
            of = strictest.actions[one].examples
            found.append(Finding(f"{action_text(one)} is not recognised in {len(examples)} of {of}", action, takes))
    return found
