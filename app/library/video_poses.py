"""Poses of video files, found in other processes: on this machine, or on a Ray cluster that sees the same files.

What runs there, `pose_video`, needs nothing but the file and a folder for marks: `cancel` in it ends the work, and a
file for each video tells how far it is.
"""

import atexit
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from app.installation import install_command
from app.library.errors import LibraryError
from pose.ctrl_c import start_tracker, without_ctrl_c
from pose.errors import ActionLensError
from pose.estimators import ESTIMATORS, EstimatorKind, EstimatorSpec, open_estimator
from pose.skeleton import Layout
from pose.types import Pose
from recognizer.datasets.recorded import Poses

BACKENDS = ("local", "ray")
CANCEL = "cancel"
_RAY_BATCH = 4  # videos for each job of Ray between two looks at the results
_LOOK_EVERY = 15  # frames between looks at the marks
_WATCH_S = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class PosedVideo:
    """What became of a video. poses: None where it failed (line says how) or the work was cancelled (line is "")."""

    path: Path
    poses: Poses | None
    line: str = ""


def pose_videos(
    videos: Sequence[Path], spec: EstimatorSpec, marks: Path, *, jobs: int = 2, backend: str = "local"
) -> Iterator[PosedVideo]:
    """The poses of each video as soon as they are there, in any order; one that fails has a line instead.

    spec: of the estimator. marks: an empty folder that all processes see. Once it holds the file `cancel`, what is
    at work ends and nothing more begins. Raises LibraryError where the backend is not there.
    """
    left = dict(enumerate(videos))
    try:
        for number, posed in _parallel(dict(left), spec, marks, jobs, backend):
            del left[number]
            yield posed
    except BrokenProcessPool:  # a video has ended its process: each of the rest gets a pool of its own
        for number, path in left.items():
            yield from _alone(number, path, spec, marks, backend)
    finally:
        if backend == "local":
            _end_processes()


def _alone(number: int, path: Path, spec: EstimatorSpec, marks: Path, backend: str) -> Iterator[PosedVideo]:
    try:
        for _, posed in _parallel({number: path}, spec, marks, 1, backend):
            yield posed
    except BrokenProcessPool:
        yield PosedVideo(path, None, f"{path} ends the process that reads it; convert it or leave it out")


def _end_processes() -> None:
    """joblib would keep them for five minutes, with a pose model in each. It would also keep the names of folders for
    large arrays, which loky calls leaked in the terminal where this process ends at once (app.cli.run)."""
    from joblib.externals.loky import get_reusable_executor

    executor = get_reusable_executor(reuse=True)
    executor.shutdown(wait=True)
    manager = getattr(executor, "_temp_folder_manager", None)
    for forget in list(getattr(manager, "_finalizers", {}).values()):  # private: a later joblib may have others
        atexit.unregister(forget)
        forget()


def pose_video(
    number: int, path: Path, spec: EstimatorSpec, row: EstimatorKind, marks: Path, asking: int
) -> tuple[int, PosedVideo]:
    """One video from its first frame to its last, in this process. row: of the spec. asking: the process that waits."""
    if os.getpid() != asking and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ray's workers were not started without Ctrl-C
        _end_with_parent()
    try:
        return number, _posed(number, path, spec, row, marks)
    except (ActionLensError, OSError, RuntimeError, MemoryError) as error:
        line = " ".join(str(error).split()) or type(error).__name__
        return number, PosedVideo(path, None, line if str(path) in line else f"{path}: {line}")


@cache
def _end_with_parent() -> None:
    """End this process, once in its life asked for, when the one that started it is gone: a program that was killed
    leaves no worker behind that holds a pose model in memory. Windows keeps a parent's number, and joblib's own limit
    of five idle minutes is what holds there."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH_S)
        os._exit(1)

    threading.Thread(target=watch, name="end with the parent", daemon=True).start()


def shares(marks: Path, videos: int) -> float:
    """How much of all videos at work is done, in videos."""
    done = 0.0
    for number in range(videos):
        with suppress(OSError, ValueError):
            done += float((marks / str(number)).read_text())
    return done


def poses_of(frames: Sequence[tuple[float, Sequence[Pose]]], size: tuple[int, int], layout: Layout) -> Poses:
    """Poses by frame as arrays, with times from 0. Joints that are nowhere get confidence 0.

    layout: of the estimator, for frames in which nobody is.
    """
    rows = [(index, pose) for index, (_, poses) in enumerate(frames) for pose in poses]
    layout = rows[0][1].layout if rows else layout
    shape = (len(rows), len(layout))
    xy = np.stack([pose.xy_px for _, pose in rows]) if rows else np.zeros((*shape, 2), np.float32)
    confidence = np.stack([pose.confidence for _, pose in rows]) if rows else np.zeros(shape, np.float32)
    finite = np.isfinite(xy).all(axis=-1) & np.isfinite(confidence)
    times_s = np.array([time_s for time_s, _ in frames], np.float64)
    return Poses(
        times_s - times_s[0],
        np.array([index for index, _ in rows], np.int64),
        np.array([pose.person for _, pose in rows], np.int64),
        np.where(finite[..., None], xy, 0).astype(np.float32),
        np.where(finite, confidence, 0).astype(np.float32),
        layout,
        size,
    )


def _posed(number: int, path: Path, spec: EstimatorSpec, row: EstimatorKind, marks: Path) -> PosedVideo:
    if (marks / CANCEL).exists():  # before its model, which takes seconds to load
        return PosedVideo(path, None)
    from pose.video_file import VideoFile

    video = VideoFile(path)
    try:
        estimator = open_estimator(spec, row)
        try:
            frames: list[tuple[float, tuple[Pose, ...]]] = []
            size = (0, 0)
            while (frame := video.read()) is not None:
                if len(frames) % _LOOK_EVERY == 0:
                    if (marks / CANCEL).exists():
                        return PosedVideo(path, None)
                    _mark(marks / str(number), len(frames), video.info.frames)
                frames.append((frame.time_s, estimator.estimate(frame)))
                size = frame.size
        finally:
            estimator.close()
        return PosedVideo(path, poses_of(frames, size, row.poses_layout))
    finally:
        video.close()
        with suppress(OSError):
            (marks / str(number)).unlink()


def _mark(path: Path, frames: int, total: int | None) -> None:
    with suppress(OSError):  # only what the user sees of the progress
        path.write_text(f"{min(frames / total, 1.0) if total else 0.0:.4f}")


def _parallel(
    videos: dict[int, Path], spec: EstimatorSpec, marks: Path, jobs: int, backend: str
) -> Iterator[tuple[int, PosedVideo]]:
    from joblib import Parallel, delayed, parallel_config

    def tasks() -> Iterator[Any]:
        for number, path in videos.items():
            if (marks / CANCEL).exists():
                return
            yield delayed(pose_video)(number, path.absolute(), spec, ESTIMATORS[spec.kind], marks, os.getpid())

    # One job is two workers of which one has work: joblib would do a single job in this process.
    options: dict[str, Any] = {"n_jobs": max(jobs, 2), "pre_dispatch": 1 if jobs == 1 else jobs, "batch_size": 1}
    waiting = tasks()
    with parallel_config(_backend(backend)):
        if backend == "local":
            start_tracker()
            with (
                without_ctrl_c()
            ):  # the asking process decides; the workers that its threads start later get no Ctrl-C either
                results = Parallel(return_as="generator_unordered", **options)(waiting)
            yield from results
            return
        while batch := list(islice(waiting, _RAY_BATCH * jobs)):  # Ray gives results all at once
            yield from Parallel(**options)(batch)


def _backend(name: str) -> str:
    if name == "local":
        return "loky"
    if name != "ray":
        raise LibraryError(f"no backend is called {name}; choose one of {', '.join(BACKENDS)}")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing leaves the machine
    try:
        from ray.util.joblib import register_ray  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError:
        raise LibraryError(f"Ray is not installed; `{install_command('cluster')}` installs it") from None
    register_ray()  # type: ignore[no-untyped-call, unused-ignore]
    return "ray"
