"""Cross-validation of a taught recognizer: every clip is predicted by a head that was not trained on it.

A clip's answer is the top taught action over its windows; unknown if it is below its threshold or no taught action is
on top. Held out together are the clips of a session, of a person, or single clips.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizer.clips import Prediction
from recognizer.decision import UNKNOWN, Decider, DecisionSettings
from recognizer.model_card import DecisionRules
from recognizer.teaching.clips import TeachingClip
from recognizer.teaching.copies import joined_groups
from recognizer.teaching.figures import (
    CLIPS,
    FEWEST_OF_ACTION,
    PEOPLE,
    SESSIONS,
    FalseAlarms,
    Finding,
    HeldOutCheck,
    counted,
)
from recognizer.teaching.head import Head
from recognizer.teaching.lesson import NOTHING, Lesson
from recognizer.teaching.quick import QuickSettings, Taught, fit, folds, with_bias
from recognizer.teaching.windows import Array, Shape

GOOD_RECALL = 0.9  # from here on an action needs no more clips
# Errors fall with the number of clips as clips ** -LEARNING_RATE: between 1 and 10 clips in few-shot episodes
# (docs/benchmarks-teaching.md).
LEARNING_RATE = 0.5
_MOST_CLIPS_ASKED = 20
_LEAST_EVIDENCE = 0.05
_MOST_NAMES = 5
_CONTRADICTED, _CONTRADICTING = 0.15, 0.6  # probabilities of its own and of another action of a suspect clip


@dataclass(frozen=True, slots=True)
class Suspect:
    """A clip whose label the held-out prediction contradicts: it gives `looks_like` that probability."""

    clip: str
    action: str
    looks_like: str
    probability: float


@dataclass(frozen=True, slots=True)
class VariantsTried:
    """The benefit of generated variants of the clips (recognizer.teaching.variants).

    generator, sha256, seed: what made them. variants: how many. held_out, clips, accuracy_without, accuracy_with: of
    the strictest check. alarms_without, alarms_with: an hour; None without footage of nothing. kept: the recognizer
    learnt from them. made: where it did, each variant's name, action, clip
    and provenance.
    """

    generator: str
    sha256: str
    seed: int
    variants: int
    held_out: str
    clips: int
    accuracy_without: float
    accuracy_with: float
    alarms_without: float | None
    alarms_with: float | None
    kept: bool
    made: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Check:
    """checks: the strictest first. suspects: labels to look at. needed: clips still to record, by action. alarms: None
    without footage of nothing. remarks: plain sentences on what the figures do not say. variants: None where none were
    asked for. left_out: names of clips of nothing that show nobody. copies: names of clips that show the same moment
    as others, which were held out with those. findings: what is wrong with it, the worst first
    (recognizer.teaching.replay)."""

    checks: tuple[HeldOutCheck, ...]
    suspects: tuple[Suspect, ...]
    needed: dict[str, int]
    alarms: FalseAlarms | None
    remarks: tuple[str, ...] = field(default=())
    variants: VariantsTried | None = None
    left_out: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values, with the parts, intervals and alarms an hour that follow from the counts."""
        return asdict(self) | {
            "checks": [check.to_json() for check in self.checks],
            "alarms": None if self.alarms is None else self.alarms.to_json(),
        }


def check(lesson: Lesson, taught: Taught, shape: Shape, settings: QuickSettings | None = None) -> Check:
    """Check a lesson's clips, each with heads trained on the others, at the thresholds of the taught recognizer."""
    settings = settings or QuickSettings()
    checks = []
    groups: dict[str, list[Any]] = {
        SESSIONS: [session_of(clip) for clip in lesson.clips],
        PEOPLE: [clip.person for clip in lesson.clips],
    }
    for held_out in (PEOPLE, SESSIONS):
        groups[held_out] = merged(groups[held_out], lesson.together)
        if len(set(_of_actions(lesson, groups[held_out]))) > 1:
            answers = _answers(lesson, taught, settings, groups[held_out])
            found = _held_out(lesson, taught, answers, held_out, groups[held_out])
            if found.clips:  # none where every action is of one group alone
                checks.append(found)
    single = _fold_of_clip(lesson)
    by_clip = _answers(lesson, taught, settings, single)
    if not checks:
        checks.append(_held_out(lesson, taught, by_clip, CLIPS, single))
    return Check(
        checks=tuple(checks),
        suspects=suspects_of(lesson.clips, lesson.actions, by_clip),
        needed=needed_clips(lesson.clips, checks[0]),
        alarms=_false_alarms(lesson, taught, shape, settings),
        remarks=_remarks(lesson, checks),
        copies=copies_in(lesson.clips, lesson.together),
    )


def merged(groups: Sequence[Any], together: NDArray[np.intp]) -> list[int]:
    """Groups that share a moment are merged: (C,) fold numbers. together: as in a Lesson."""
    number = {group: place for place, group in enumerate(dict.fromkeys(groups))}
    own = np.array([number[group] for group in groups], np.intp)
    pairs = sorted({(int(own[first]), int(mine)) for first, mine in zip(together, own, strict=True)})
    return [int(each) for each in joined_groups(len(number), pairs)[own]]


def copies_in(clips: Sequence[TeachingClip], together: NDArray[np.intp]) -> tuple[str, ...]:
    """Names of clips that show the same moment as one before them."""
    pairs = zip(clips, together, strict=True)
    return tuple(c.name for place, (c, first) in enumerate(pairs) if c.around is None and first != place)


def session_of(clip: TeachingClip) -> str:
    """A clip without a named session belongs to the session of its recording."""
    return clip.session if clip.session is not None else clip.name.rpartition("/")[0]


def _of_actions(lesson: Lesson, groups: Sequence[Any]) -> list[Any]:
    return [group for group, clip in zip(groups, lesson.clips, strict=True) if clip.action != NOTHING]


def _fold_of_clip(lesson: Lesson) -> list[int]:
    place = np.zeros(len(lesson.clips), int)
    for number, (held, _) in enumerate(folds(lesson)):
        place[held] = number
    return [int(each) for each in place]


def _held_out(
    lesson: Lesson, taught: Taught, answers: Mapping[int, Array], held_out: str, groups: Sequence[Any]
) -> HeldOutCheck:
    """Counted answers for every clip from heads trained without its group."""
    actions = lesson.actions
    pairs: list[tuple[str, str]] = []
    names: list[str] = []
    for clip, found in answers.items():
        if lesson.together[clip] != clip:
            continue  # a copy of one that is counted, or its stillness
        best = int(found[:-1].argmax())
        shown = found[best] >= taught.thresholds[best] and found[best] > found[-1]
        pairs.append((lesson.clips[clip].action, actions[best] if shown else UNKNOWN))
        names.append(lesson.clips[clip].name)
    judged = sum(true != NOTHING for true, _ in pairs)
    asked = [clip for place, clip in enumerate(lesson.clips) if lesson.together[place] == place]
    count = len(set(_of_actions(lesson, groups))) if held_out != CLIPS else judged
    not_judged = sum(clip.action != NOTHING for clip in asked) - judged
    return counted(pairs, actions, held_out, count, not_judged, names=names)


def _answers(lesson: Lesson, taught: Taught, settings: QuickSettings, groups: Sequence[Any]) -> dict[int, Array]:
    """(A + 1,) probabilities of each clip that can be checked, by a head trained without its group."""
    number = {group: place for place, group in enumerate(dict.fromkeys(groups))}
    labels = np.array([number[group] for group in groups])
    found: dict[int, Array] = {}
    for label in number.values():
        held = labels == label
        left = np.bincount(lesson.target[~held], minlength=len(lesson.actions))
        judged = [
            clip for clip in np.flatnonzero(held) if lesson.clips[clip].action == NOTHING or left[lesson.target[clip]]
        ]
        if not judged or not left[: len(lesson.actions)].any():
            continue
        head = with_bias(fit(lesson, ~held, settings), taught.other_bias)
        for clip in judged:
            windows = lesson.plain.description[lesson.plain.owner == clip]
            found[int(clip)] = clip_answer(head, windows)
    return found


def clip_answer(head: Head, description: Array) -> Array:
    """As answer_of, of a clip's windows (W, D)."""
    return answer_of(head.probabilities(description))


def answer_of(probabilities: Array) -> Array:
    """(A + 1,) of a whole clip: the mean over its windows (W, A + 1), each weighted by its evidence for any action,
    because clips begin and end at rest."""
    answer: Array = np.average(probabilities, axis=0, weights=1 - probabilities[:, -1] + _LEAST_EVIDENCE)
    return answer


def suspects_of(
    clips: Sequence[TeachingClip], actions: Sequence[str], answers: Mapping[int, Array]
) -> tuple[Suspect, ...]:
    """Clips whose labels are contradicted by their answers (A + 1,); answers by the index of the clip."""
    found = []
    for place, answer in answers.items():
        name, action = clips[place].name, clips[place].action
        best = int(answer[:-1].argmax())
        if action == NOTHING or actions[best] == action:
            continue
        if answer[list(actions).index(action)] < _CONTRADICTED and answer[best] > _CONTRADICTING:
            found.append(Suspect(name, action, actions[best], round(float(answer[best]), 3)))
    return tuple(sorted(found, key=lambda suspect: -suspect.probability))


def needed_clips(clips: Sequence[TeachingClip], strictest: HeldOutCheck) -> dict[str, int]:
    """Clips still to record for each action that is poorly recognised or has too few checked clips.

    An error e with n clips becomes e * (n / m) ** LEARNING_RATE with m: m is where it reaches 1 - GOOD_RECALL.
    """
    needed = {}
    for action, figures in strictest.actions.items():
        have = sum(clip.action == action for clip in clips)
        wanted = FEWEST_OF_ACTION
        if figures.recall is not None and figures.clips >= FEWEST_OF_ACTION and figures.recall < GOOD_RECALL:
            error = 1 - figures.recall
            wanted = max(wanted, have + 1, math.ceil(have * (error / (1 - GOOD_RECALL)) ** (1 / LEARNING_RATE)))
        if wanted > have:
            needed[action] = min(wanted - have, _MOST_CLIPS_ASKED)
    return needed


def _false_alarms(lesson: Lesson, taught: Taught, shape: Shape, settings: QuickSettings) -> FalseAlarms | None:
    """What live recognition would have shown on the footage of nothing, with heads that were not trained on it."""
    nothing = np.flatnonzero((lesson.target == len(lesson.actions)) & ~lesson.still)
    if not len(nothing):
        return None
    shown: Counter[str] = Counter()
    seconds = 0.0
    halves = [nothing] if len(nothing) == 1 else [nothing[0::2], nothing[1::2]]
    for held in halves:
        clips = np.ones(len(lesson.clips), bool)
        clips[held] = False
        head = with_bias(fit(lesson, clips, settings), taught.other_bias)
        for clip in held:
            probabilities = head.probabilities(lesson.plain.description[lesson.plain.owner == clip])
            shown.update(shown_live(lesson.actions, taught.thresholds, shape, probabilities, float(lesson.hop_s[clip])))
            times_s = lesson.clips[clip].times_s
            seconds += float(times_s[-1] - times_s[0])
    return FalseAlarms(round(seconds, 1), dict(shown.most_common()))


@dataclass(frozen=True, slots=True)
class _Rules:
    """The part of a card that decisions use."""

    actions: tuple[str, ...]
    decision: DecisionRules
    frames: int
    fps: float


def shown_live(taught: Sequence[str], thresholds: Array, shape: Shape, probabilities: Array, hop_s: float) -> list[str]:
    """The actions that would start if windows with these probabilities (W, A + 1) were seen live in sequence."""
    actions = (*(f"{place}" for place in range(len(taught))), "rest")
    limits = dict(zip(actions, [*map(float, thresholds), 1.0], strict=True))
    rules = _Rules(actions, DecisionRules(1.0, limits, ("rest",)), shape.frames, shape.fps)
    # Windows may be further apart than live ones: without evidence for so long a person would be given up.
    decider = Decider(rules, DecisionSettings(hold_s=max(DecisionSettings().hold_s, 2.5 * hop_s)))
    found = []
    for number, row in enumerate(probabilities):
        decision = decider.update(Prediction(0, number * hop_s, actions, row))
        found += [taught[int(event.action)] for event in decision.events if event.kind == "start"]
    return found


def copies_sentence(copies: Sequence[str]) -> str:
    """How a check treated near-copies."""
    names = ", ".join(copies[:_MOST_NAMES]) + (" and others" if len(copies) > _MOST_NAMES else "")
    one = len(copies) == 1
    return (
        f"{len(copies)} {'clip shows' if one else 'clips show'} the same moment as another ({names}): "
        f"{'it was' if one else 'they were'} checked only by recognizers that had not seen that moment."
    )


def _remarks(lesson: Lesson, checks: Sequence[HeldOutCheck]) -> tuple[str, ...]:
    remarks = []
    if all(each.held_out == CLIPS for each in checks):
        one = len({session_of(clip) for clip in lesson.clips if clip.action != NOTHING}) == 1
        remarks.append(
            f"{'All clips are' if one else 'Every action is'} from one session, where all clips look similar. Record "
            "on another day, in other clothes and light, and check again."
        )
    if all(each.held_out != PEOPLE for each in checks):
        remarks.append("All clips are of one person: how well it works for other people is not known.")
    if checks[0].not_judged:
        remarks.append(f"{checks[0].not_judged} clips could not be checked: no other group has clips of their action.")
    if copies := copies_in(lesson.clips, lesson.together):
        remarks.append(copies_sentence(copies))
    if not any(clip.action == NOTHING and clip.around is None for clip in lesson.clips):
        remarks.append(
            "There is no footage of nothing: false alarms were not measured, and thresholds come from everyday "
            "motions of the demo's rendered person. Record a few minutes of other activity and label it as nothing."
        )
    return tuple(remarks)
