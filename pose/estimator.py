"""Pixels to poses with MediaPipe's Pose Landmarker in VIDEO mode."""

import gc
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pose.errors import PoseModelError
from pose.estimators import FULL
from pose.in_picture import confidence_inside
from pose.model_asset import check_bundle
from pose.native_log import quiet_stderr
from pose.one_euro import PoseSmoother
from pose.skeleton import MEDIAPIPE_33
from pose.tracker import Tracker
from pose.types import Frame, Pose

MAX_PEOPLE = 4
# For several people. What MediaPipe calls tracking confidence is then the overlap from which two boxes are taken for
# one person: the default 0.5 never finds both of two people who hug. The lower detection threshold (default 0.5)
# finds the second person of a wide view in 0.9 instead of 0.4 of the frames; the tracker keeps false ones out.
_SEVERAL_PEOPLE = {"min_tracking_confidence": 0.8, "min_pose_detection_confidence": 0.3}
_MEDIAPIPE_ERRORS = (RuntimeError, ValueError, OSError)  # what its status codes become


class MediaPipeEstimator:
    """MediaPipe's Pose Landmarker on the caller's thread; poses in MEDIAPIPE_33.

    One person: MediaPipe follows and smooths by itself, the identity is always 0. Several: identities from Tracker,
    smoothing from PoseSmoother. A frame earlier than the last one, or of another size, begins a new run: MediaPipe
    forgets what it followed, and identities are not used again.

    Confidence of a joint is visibility (not hidden) times presence (inside the picture) as MediaPipe gives them,
    falling to 0 outside the picture, where MediaPipe guesses.
    """

    def __init__(self, model: Path, *, people: int = 1, quality: str = FULL) -> None:
        """Load the model. people: 1..4. quality: FULL, what the bundle has. Raises PoseModelError where it cannot."""
        if quality != FULL:
            raise ValueError(f"MediaPipe runs the network that the bundle has, not {quality!r}")
        if not 1 <= people <= MAX_PEOPLE:
            raise ValueError(f"people must be 1 to {MAX_PEOPLE}, not {people}")
        check_bundle(model)
        self._model = model
        self._people = people
        self._tracker = Tracker(people) if people > 1 else None
        self._smooth = PoseSmoother()
        self._rgb: NDArray[np.uint8] | None = None
        self._size = (0, 0)
        self._time_s = -math.inf
        self._timestamp_ms = -1
        self._found_somebody = False
        self._landmarker: Any = self._create()

    def estimate(self, frame: Frame) -> tuple[Pose, ...]:
        """The people in the frame; see PoseEstimator. Raises RuntimeError where MediaPipe fails on it."""
        changed = self._size != (0, 0) and frame.size != self._size
        if self._landmarker is None or changed or frame.time_s < self._time_s:
            self._restart()
        self._size, self._time_s = frame.size, frame.time_s
        try:
            result = self._detect(frame)
        except _MEDIAPIPE_ERRORS as error:
            self._release()  # the graph takes no more frames after an error
            raise RuntimeError(f"MediaPipe failed on frame {frame.index}: {_one_line(error)}") from error
        poses = tuple(_pose(landmarks, frame) for landmarks in result.pose_landmarks)
        if self._tracker is None:
            return poses
        return self._smooth(self._tracker.update(poses, frame.time_s))

    def close(self) -> None:
        """Free the model. Any number of times."""
        self._release()

    def _create(self) -> Any:
        # MediaPipe takes 0.3 s to import: only where it is really used.
        from mediapipe.tasks.python import BaseOptions, vision

        try:
            content = self._model.read_bytes()
            options = vision.PoseLandmarkerOptions(
                base_options=BaseOptions(model_asset_buffer=content),
                running_mode=vision.RunningMode.VIDEO,
                num_poses=self._people,
                **(_SEVERAL_PEOPLE if self._people > 1 else {}),
            )
            with quiet_stderr():
                return vision.PoseLandmarker.create_from_options(options)
        except _MEDIAPIPE_ERRORS as error:
            reason = _one_line(error)
        gc.collect()  # the unfinished landmarker has no other way to end its thread
        raise PoseModelError(f"pose model {self._model} cannot be loaded ({reason}); give another .task file")

    def _restart(self) -> None:
        self._release()
        self._landmarker = self._create()
        self._timestamp_ms = -1
        if self._tracker is not None:
            self._tracker.forget()

    def _release(self) -> None:
        landmarker, self._landmarker = self._landmarker, None
        if landmarker is None:
            return
        try:
            landmarker.close()
        except _MEDIAPIPE_ERRORS:
            # close() of a failed graph tells the failure once more and leaves its thread and handle behind, which
            # its destructor would stumble over.
            landmarker._handle = None
            landmarker._lib.close()

    def _detect(self, frame: Frame) -> Any:
        import mediapipe

        # MediaPipe copies the picture, so the buffer can be used again.
        if self._rgb is None or self._rgb.shape != frame.bgr.shape:
            self._rgb = np.empty_like(frame.bgr)
        cv2.cvtColor(frame.bgr, cv2.COLOR_BGR2RGB, dst=self._rgb)
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=self._rgb)
        self._timestamp_ms = max(self._timestamp_ms + 1, round(frame.time_s * 1000))  # must increase strictly
        if self._found_somebody:
            return self._landmarker.detect_for_video(image, self._timestamp_ms)
        with quiet_stderr():  # the first person found makes MediaPipe write a warning
            result = self._landmarker.detect_for_video(image, self._timestamp_ms)
        self._found_somebody = bool(result.pose_landmarks)
        return result


def _pose(landmarks: list[Any], frame: Frame) -> Pose:
    values = np.array([(mark.x, mark.y, mark.visibility, mark.presence) for mark in landmarks], dtype=np.float32)
    size = np.array(frame.size, dtype=np.float32)
    xy_px = values[:, :2] * size
    return Pose(xy_px, confidence_inside(xy_px, values[:, 2] * values[:, 3], frame.size), MEDIAPIPE_33, frame.time_s)


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else "…" + text[-199:]  # the cause stands last
