"""A person who is always there and moves an arm, for runs that do not test finding poses."""

import queue

import numpy as np

from pose.skeleton import MEDIAPIPE_33
from pose.types import Frame, Pose


class StandingPerson:
    """A PoseWorker (app.live.pose_stage) without MediaPipe."""

    def __init__(self) -> None:
        self._frames: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        rng = np.random.default_rng(0)
        self._xy = rng.uniform(20, 100, (len(MEDIAPIPE_33), 2)).astype(np.float32)

    def ready(self) -> None:
        """It is."""

    def take_processor(self) -> None:
        """It needs none."""

    def submit(self, frame: Frame) -> None:
        """A frame to look at."""
        self._frames.put(frame)

    def result(self) -> tuple[tuple[Pose, ...], float]:
        """The person."""
        frame = self._frames.get()
        xy = self._xy.copy()
        xy[15] += 10 * np.sin(frame.time_s * 6)
        confidence = np.ones(len(MEDIAPIPE_33), np.float32)
        return (Pose(xy, confidence, MEDIAPIPE_33, frame.time_s, 0),), 0.1

    def close(self) -> None:
        """Nothing is held."""
