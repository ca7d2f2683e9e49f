"""The check of Full teaching: a network trained without some of the clips answers those; thresholds come of that."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch import nn

from recognizer.decision import UNKNOWN
from recognizer.teaching.check import Check, answer_of, merged, needed_clips, session_of, shown_live, suspects_of
from recognizer.teaching.clips import NOTHING, TeachingClip
from recognizer.teaching.copies import copy_groups
from recognizer.teaching.figures import CLIPS, PEOPLE, SESSIONS, FalseAlarms, counted
from recognizer.teaching.quick import UNJUDGED, QuickSettings, thresholds_of
from recognizer.training.augment import Array
from recognizer.training.fine_tune import HOP_S, SHAPE, window_probabilities

_HELD_OUT = 3  # without people or sessions, every third clip of an action is held out
_LEAST_S = 3.0  # of footage of nothing, for a third of it to be worth holding out


def split(clips: Sequence[TeachingClip]) -> tuple[list[TeachingClip], list[TeachingClip], str]:
    """Clips to train on, clips to check with, and what is held out: the last person where there are several, the last
    session where there are several, or a part of each action's clips where the rest would miss an action.

    Footage of nothing is always on both sides where there are three clips of it, or one that can be cut.
    """
    actions = [clip for clip in clips if clip.action != NOTHING]
    together = copy_groups(actions)
    held_out, held = CLIPS, list[TeachingClip]()
    for what, named in ((PEOPLE, [clip.person for clip in actions]), (SESSIONS, [session_of(c) for c in actions])):
        groups = merged(named, together)
        rest = [clip for clip, group in zip(actions, groups, strict=True) if group != groups[-1]]
        if {clip.action for clip in rest} == {clip.action for clip in actions}:
            held_out = what
            held = [clip for clip, group in zip(actions, groups, strict=True) if group == groups[-1]]
            break
    if held_out == CLIPS:
        number, moments = Counter[str](), set[int]()
        for place, clip in enumerate(actions):
            number[clip.action] += int(together[place] == place)
            if together[place] == place and number[clip.action] % _HELD_OUT == 0:
                moments.add(place)
        held = [clip for clip, moment in zip(actions, together.tolist(), strict=True) if moment in moments]
    nothing, of_nothing = _nothing([clip for clip in clips if clip.action == NOTHING and clip.around is None])
    chosen, held_names = {id(clip) for clip in held}, {clip.name for clip in held}
    still = [clip for clip in clips if clip.around is not None and clip.around not in held_names]
    kept = [clip for clip in actions if id(clip) not in chosen]
    return [*kept, *nothing, *still], [*held, *of_nothing], held_out


def _nothing(clips: Sequence[TeachingClip]) -> tuple[list[TeachingClip], list[TeachingClip]]:
    """Footage of nothing to train on and to check with: every third clip, or the last third of the longest."""
    if len(clips) >= _HELD_OUT:
        held = list(clips[_HELD_OUT - 1 :: _HELD_OUT])
        return [clip for clip in clips if not any(clip is each for each in held)], held
    if not clips:
        return [], []
    longest = max(clips, key=lambda clip: float(clip.times_s[-1] - clip.times_s[0]))
    first_s, last_s = float(longest.times_s[0]), float(longest.times_s[-1])
    if last_s - first_s < _LEAST_S:
        return list(clips), []
    early = longest.times_s < last_s - (last_s - first_s) / _HELD_OUT
    others = [clip for clip in clips if clip is not longest]
    return [*others, _part(longest, early)], [_part(longest, ~early)]


def _part(clip: TeachingClip, chosen: np.ndarray) -> TeachingClip:
    return replace(clip, times_s=clip.times_s[chosen], xy_px=clip.xy_px[chosen], confidence=clip.confidence[chosen])


def judge(
    network: nn.Module,
    clips: Sequence[TeachingClip],
    held: Sequence[TeachingClip],
    held_out: str,
    one_sided: Sequence[str] = (),
) -> tuple[Check, Array]:
    """What a network that never saw the held clips says of them, and (A,) thresholds from it. clips: all there are."""
    actions = tuple(sorted({clip.action for clip in clips} - {NOTHING}))
    windows = [window_probabilities(network, clip, mirror=not one_sided) for clip in held]
    thresholds = _thresholds(windows, held, actions)
    answers = {place: answer_of(rows) for place, rows in enumerate(windows)}
    pairs = []
    for place, answer in answers.items():
        best = int(answer[:-1].argmax())
        shown = answer[best] >= thresholds[best] and answer[best] > answer[-1]
        pairs.append((held[place].action, actions[best] if shown else UNKNOWN))
    groups = 1 if held_out != CLIPS else sum(clip.action != NOTHING for clip in held)
    figures = counted(pairs, actions, held_out, groups, 0, names=[clip.name for clip in held])
    needed = needed_clips(clips, figures)
    alarms = _false_alarms(windows, held, actions, thresholds)
    return Check((figures,), suspects_of(held, actions, answers), needed, alarms), thresholds


def _thresholds(windows: Sequence[Array], held: Sequence[TeachingClip], actions: Sequence[str]) -> Array:
    """As Quick chooses them; 0.5 where no footage of nothing tells what must not pass."""
    target = [actions.index(clip.action) if clip.action != NOTHING else len(actions) for clip in held]
    if len(actions) not in target:
        return np.full(len(actions), UNJUDGED, np.float32)
    of_window = np.repeat(np.array(target, np.intp), [len(rows) for rows in windows])
    return thresholds_of(np.concatenate(windows), of_window, QuickSettings())


def _false_alarms(
    windows: Sequence[Array], held: Sequence[TeachingClip], actions: Sequence[str], thresholds: Array
) -> FalseAlarms | None:
    shown: Counter[str] = Counter()
    seconds = 0.0
    for clip, rows in zip(held, windows, strict=True):
        if clip.action == NOTHING:
            shown.update(shown_live(actions, thresholds, SHAPE, rows, HOP_S))
            seconds += float(clip.times_s[-1] - clip.times_s[0])
    return FalseAlarms(round(seconds, 1), dict(shown.most_common())) if seconds else None


def remarks(check: Check, *, from_scratch: bool, start: str = "") -> tuple[str, ...]:
    """What the figures do not say. start: a sentence on the network that it goes on from."""
    found = []
    (figures,) = check.checks
    if figures.held_out == CLIPS:
        found.append("All clips are of one session: the figures are optimistic. Record on another day as well.")
    else:
        found.append("Only the last of them was held out; with a few clips each the figures are rough.")
    if check.alarms is None:
        found.append("There is too little footage of nothing: false alarms were not measured, thresholds are 0.5.")
    if from_scratch:
        found.append("The network began from scratch: with few clips of an action Quick does better.")
    if start:
        found.append(start)
    return tuple(found)
