"""Which parts of the body must be in view for an action, measured: its recall with the others hidden."""

from collections.abc import Callable, Mapping

import numpy as np

from recognizer.training.augment import Array
from recognizer.training.evaluate import windows_of
from recognizer.training.everyday import ACTIONS, IDLE, OTHER, WEBCAM_POSES, Corpus
from recognizer.view import ARMS, HIPS, PARTS

# Joints that are hidden, and what is then still needed, most hidden first.
_HIDDEN: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("hip", "knee", "ankle"), (ARMS,)),
    (("knee", "ankle"), (ARMS, HIPS)),
)
# An action does not need what is hidden if it keeps at least this share of its recall, and at least this recall, unless
# hiding costs it nothing: an action that is hard to recognise anyway does not need the legs for that.
_MIN_KEPT_SHARE, _MIN_RECALL = 0.75, 0.5


def measure_needs(
    corpus: Corpus, part: str, logits_of: Callable[[Array], Array]
) -> tuple[dict[str, tuple[str, ...]], dict[str, list[float]]]:
    """What each action needs, and its recall in single windows: whole, knees and ankles hidden, hips hidden too.

    part: of the research recordings, "validation" for choosing. logits_of: features (W, 30, F) to logits (W, A). Idle
    needs the arms alone: somebody who sits still at a desk is idle. An action of which the part has no recording needs
    everything.
    """
    rows = np.flatnonzero((corpus.part == part) & (corpus.dataset != WEBCAM_POSES))
    recalls = [_recalls(corpus, rows, logits_of, hidden) for hidden in ((), _HIDDEN[1][0], _HIDDEN[0][0])]
    needs: dict[str, tuple[str, ...]] = {}
    for action in ACTIONS:
        if action == OTHER:
            continue
        needs[action] = (ARMS,) if action == IDLE else _needs(*(each.get(action, 0.0) for each in recalls))
    return needs, {action: [round(each[action], 4) for each in recalls] for action in recalls[0]}


def _needs(whole: float, without_legs: float, without_hips: float) -> tuple[str, ...]:
    threshold = max(_MIN_KEPT_SHARE * whole, min(_MIN_RECALL, whole))
    for recall, (_, needed) in zip((without_hips, without_legs), _HIDDEN, strict=True):
        if recall and recall >= threshold:
            return needed
    return PARTS


def _recalls(
    corpus: Corpus, rows: np.ndarray, logits_of: Callable[[Array], Array], hidden: tuple[str, ...]
) -> Mapping[str, float]:
    """By action, the share of its windows in which it is the likeliest."""
    windows = windows_of(corpus, rows, hidden)
    predicted = logits_of(windows.features).argmax(axis=1)
    true = corpus.action[windows.recording]
    return {
        ACTIONS[action]: float((predicted[true == action] == action).mean())
        for action in np.unique(true).tolist()
        if ACTIONS[action] != OTHER
    }
