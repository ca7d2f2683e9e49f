"""Thresholds from which an action is shown, chosen on people whom the network has not seen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose.errors import ActionLensError
from recognizer.training.augment import Array
from recognizer.training.data.everyday import ACTIONS, IDLE, OTHER, Corpus
from recognizer.training.evaluate import Windows, report_alarms, softmax

KEPT = 0.85  # part of the rightly recognised windows that stay shown
ALARMS = 0.09  # of the windows of unlisted validation clips; leaves room below the 10% that we aim at on new people
_BIASES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
_LOWEST, _HIGHEST = 0.30, 0.95  # of a threshold: below, noise is shown; above, a clear action is not


class CalibrationError(ActionLensError):
    """No thresholds can be chosen."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """How logits become shown actions.

    other_bias: is taken from the logit of `other`, which training batches hold far more of than life does.
    temperature: then divides the logits. thresholds: (A,) on the probabilities; that of `other` is not used.
    """

    other_bias: float
    temperature: float
    thresholds: Array

    def probabilities(self, logits: Array) -> Array:
        """Probabilities (W, A) of logits (W, A) without the bias."""
        return softmax(_biased(logits, self.other_bias), self.temperature)

    def by_action(self) -> dict[str, float]:
        """Thresholds by the names of the listed actions."""
        return {action: float(t) for action, t in zip(ACTIONS, self.thresholds, strict=True) if action != OTHER}


def calibrate(corpus: Corpus, windows: Windows, logits: Array, kept: float = KEPT) -> Calibration:
    """Temperature of least cross entropy, the largest bias with few alarms, and thresholds that keep `kept`.

    The bias against `other` finds more of the listed actions and costs false alarms: the largest is taken at which
    they stay under ALARMS. Raises CalibrationError where no window of a listed action is recognised.
    """
    true = corpus.action[windows.recording]
    temperature = _best_temperature(logits, true)
    best = None
    for bias in _BIASES:
        probabilities = softmax(_biased(logits, bias), temperature)
        rules = Calibration(bias, temperature, _best_thresholds(probabilities, true, kept))
        if best is None or report_alarms(corpus, windows, probabilities, rules.thresholds).alarms <= ALARMS:
            best = rules
    assert best is not None
    return best


def _biased(logits: Array, other_bias: float) -> Array:
    out = logits.copy()
    out[:, ACTIONS.index(OTHER)] -= np.float32(other_bias)
    return out


def _best_temperature(logits: Array, true: NDArray[np.intp]) -> float:
    candidates = np.exp(np.linspace(np.log(0.3), np.log(3), 61))
    rows = np.arange(len(true))
    losses = [-np.log(softmax(logits, t)[rows, true] + 1e-9).mean() for t in candidates]
    return float(candidates[int(np.argmin(losses))])


def _best_thresholds(probabilities: Array, true: NDArray[np.intp], kept: float) -> Array:
    """One price for all actions: each action's threshold minimises alarms + price * right windows lost, and the
    price is the one at which `kept` of all right windows remain. Half way to the single threshold, since few
    validation windows stand behind some actions."""
    found, score = probabilities.argmax(axis=1), probabilities.max(axis=1)
    other = ACTIONS.index(OTHER)
    right = (found == true) & (true != other)
    alarm = (true == other) & (found != other)
    if not right.any():
        raise CalibrationError("no validation window is recognised, so no threshold can be chosen; train for longer")
    single = float(np.clip(np.quantile(score[right], 1 - kept), _LOWEST, _HIGHEST))
    grid = np.linspace(_LOWEST, _HIGHEST, 66)
    listed = [a for a in range(len(ACTIONS)) if a != other]
    lost = np.array([[(score[right & (found == a)] < t).sum() for t in grid] for a in listed])
    alarms = np.array([[(score[alarm & (found == a)] >= t).sum() for t in grid] for a in listed])
    low, high = 1e-3, 1e3
    for _ in range(50):
        price = np.sqrt(low * high)
        pick = (alarms + price * lost).argmin(axis=1)
        if lost[np.arange(len(listed)), pick].sum() > (1 - kept) * right.sum():
            low = price
        else:
            high = price
    own = grid[(alarms + high * lost).argmin(axis=1)]
    thresholds = np.ones(len(ACTIONS), dtype=np.float32)
    thresholds[listed] = (own + single) / 2
    idle = ACTIONS.index(IDLE)
    thresholds[idle] = single  # validation clips show no idleness to choose by
    return _shift_to_keep(thresholds, score, found, right, kept)


def _shift_to_keep(
    thresholds: Array, score: Array, found: NDArray[np.intp], right: NDArray[np.bool_], kept: float
) -> Array:
    """The thresholds moved together until `kept` of the right windows remain."""
    slack = score[right] - thresholds[found[right]]
    moved: Array = np.clip(thresholds + np.quantile(slack, 1 - kept), 0.05, 0.99).astype(np.float32)
    return moved
