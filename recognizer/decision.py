"""Probabilities to a steady state: smoothing, hysteresis, "unknown", and start/end events."""

from dataclasses import dataclass
from typing import Literal

UNKNOWN = "unknown"
IDLE = "idle"


@dataclass(frozen=True, slots=True)
class ActionEvent:
    """An action began or ended.

    kind: "start" or "end". time_s: when it happened (for a start, the estimated onset).
    score: smoothed probability at the start, mean over the action at the end. duration_s: None for a start.
    """

    kind: Literal["start", "end"]
    time_s: float
    person: int
    action: str
    score: float
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The shown state of one person after a window.

    action: an action name or "unknown". score: its smoothed probability (0 for unknown without evidence).
    since_s: time at which this state began. top: the five likeliest actions with smoothed probabilities.
    reason: why unknown, for people ("waiting for a full window", "half a body in view", "low evidence"); "" otherwise.
    """

    person: int
    time_s: float
    action: str
    score: float
    since_s: float
    top: tuple[tuple[str, float], ...] = ()
    reason: str = ""
    events: tuple[ActionEvent, ...] = ()
