"""Pixels to poses: the PoseEstimator protocol and MediaPipe's Pose Landmarker in VIDEO mode."""

from typing import Protocol

from pose.types import Frame, Pose


class PoseEstimator(Protocol):
    """Finds people in successive frames of one source."""

    def estimate(self, frame: Frame) -> tuple[Pose, ...]:
        """The people in the frame, each with an identity kept over frames; empty where nobody is.

        Frames must come in order of time. Several people: duplicates removed, smoothed, tracked.
        """
        ...

    def close(self) -> None:
        """Free the model. Any number of times."""
        ...
