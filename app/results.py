"""Values that the engine gives to the window and to the outputs."""

from dataclasses import dataclass, field
from enum import Enum

from pose.source import SourceInfo
from pose.types import Frame
from recognizer.decision import ActionEvent
from recognizer.live import PersonResult as PersonResult
from recognizer.repetition_counter import Repetition


class EngineState(Enum):
    """The state of a run. STOPPED is final; FAILED can only be left by a new start."""

    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    RETRYING = "retrying"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that the user must know. stage: "source", "pose", "recognizer", "output" or "internal".

    message: one line, what is wrong and how to fix it. fatal: the run cannot go on by itself.
    retry_in_s: seconds until the engine tries again by itself; None where it does not.
    """

    stage: str
    message: str
    fatal: bool = True
    retry_in_s: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """Everything that was found in one frame. The picture travels with it, so skeleton and picture agree.

    decided_s: time.perf_counter() when the result was ready; age_ms = (decided_s - frame.captured_s) * 1000.
    events: starts and ends of all persons at this frame, also of persons who have left the view.
    nobody: True on a frame where a "nobody in view" line is due (no person; at the prediction rate).
    repetitions: completed by now and not told before.
    """

    frame: Frame
    persons: tuple[PersonResult, ...]
    events: tuple[ActionEvent, ...]
    nobody: bool
    decided_s: float
    repetitions: tuple[Repetition, ...] = ()

    @property
    def age_ms(self) -> float:
        """Milliseconds from capture to decision."""
        return (self.decided_s - self.frame.captured_s) * 1000.0


@dataclass(frozen=True, slots=True)
class StatsSnapshot:
    """Counters and rates over the last few seconds.

    stage_ms: median milliseconds of each stage ("pose", in its own process, then "window", "recognize", "decide"...).
    note: one line for the user, that poses are found in some of the frames only; "" where there is nothing to say.
    """

    camera_fps: float = 0.0
    pose_fps: float = 0.0
    age_p50_ms: float = 0.0
    age_p95_ms: float = 0.0
    captured: int = 0
    processed: int = 0
    dropped: int = 0
    stage_ms: dict[str, float] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What is running, for the status bar and the head of headless output. source is None until it is open.

    provider: what the recognizer really runs on. provider_note: why it is not what was hoped for; "" otherwise.
    """

    source: SourceInfo | None
    recognizer: str
    actions: tuple[str, ...]
    provider: str
    provider_note: str = ""
