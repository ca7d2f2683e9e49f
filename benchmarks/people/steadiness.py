"""Jitter and lag of an estimator of one person, on a frame of a video that stands still, and that is moved.

Still: the frame again and again, with new camera noise each time; jitter is the deviation of joints in body lengths.
Moved: the frame shifted to and fro along a sine; lag is by how many frames the poses follow that sine best.

python -m benchmarks.people.steadiness VIDEO ...
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.command import BenchmarkError, parser_of, run_command
from pose.estimators import BLAZEPOSE, MEDIAPIPE, EstimatorSpec, open_estimator
from pose.model_asset import find_pose_model
from pose.number_arguments import count, seed
from pose.one_euro import body_size_px
from pose.skeleton import MEDIAPIPE_33, MPOSE_13
from pose.types import Frame
from pose.video_file import VideoFile

_FPS = 30.0
_NOISE = 4.0  # deviation of a pixel, of 255
_SETTLED = 30  # frames until the filters have
_PERIOD = 45  # frames
_AMPLITUDE = 0.12  # of the picture's width
_DELAYS = np.arange(-2, 8, 0.05)  # frames that are tried
_SURE = 0.5
_MAIN = [place for place, joint in enumerate(MEDIAPIPE_33.joints) if joint in ("nose", *MPOSE_13.joints)]


def still(bgr: NDArray[np.uint8], frames: int) -> Iterator[NDArray[np.uint8]]:
    """The picture with new noise in every frame."""
    rng = np.random.default_rng(0)
    for _ in range(frames):
        yield np.clip(bgr + rng.normal(0, _NOISE, bgr.shape), 0, 255).astype(np.uint8)


def shifts(frames: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Pixels by which the picture is moved to the right at frames, fractions too."""
    made: NDArray[np.float64] = _AMPLITUDE * width * np.sin(2 * np.pi * frames / _PERIOD)
    return made


def moved(bgr: NDArray[np.uint8], frames: int) -> Iterator[NDArray[np.uint8]]:
    """The picture shifted to and fro, its edges continued."""
    height, width = bgr.shape[:2]
    for shift in shifts(np.arange(frames, dtype=np.float64), width):
        way = np.array([[1, 0, shift], [0, 1, 0]], np.float64)
        made = cv2.warpAffine(bgr, way, (width, height), borderMode=cv2.BORDER_REPLICATE)
        yield np.asarray(made, np.uint8)


def lag_frames(x_px: NDArray[np.float64], first: int, width: int) -> float:
    """By how many frames x_px (T,), from a frame on, follows the picture's shifts: the delay that fits best."""
    numbers = first + np.arange(len(x_px))
    wrong = [float(np.std(x_px - shifts(numbers - delay, width))) for delay in _DELAYS]
    return float(_DELAYS[int(np.argmin(wrong))])


def _joints(pictures: Iterator[NDArray[np.uint8]], kind: str) -> tuple[NDArray[np.float64], float]:
    """(T, V, 2) main joints that are surely seen, after the filters have settled, and the body's size in pixels."""
    estimator = open_estimator(EstimatorSpec(kind, find_pose_model(None)))
    found, sizes, sure = [], [], []
    for number, bgr in enumerate(pictures):
        poses = estimator.estimate(Frame(bgr, number / _FPS, 0.0, number))
        if number >= _SETTLED:
            if not poses:
                raise BenchmarkError(f"{kind} lost the person; take another video")
            found.append(poses[0].xy_px[_MAIN])
            sure.append(poses[0].confidence[_MAIN])
            sizes.append(body_size_px(poses[0].xy_px, poses[0].confidence))
    estimator.close()
    seen = np.mean(sure, axis=0) >= _SURE
    return np.array(found, np.float64)[:, seen], float(np.mean(sizes))


def main() -> int:
    """Print a line for each video and estimator."""
    parser = parser_of("benchmarks.people.steadiness", __doc__)
    parser.add_argument("videos", nargs="+", type=Path, help="of one person who is seen in the frame that is taken")
    parser.add_argument("--frame", type=seed, default=10, help="that is held and moved")
    parser.add_argument("--frames", type=_frames, default=120)
    return run_command(_measure_all, parser.parse_args())


def _frames(text: str) -> int:
    frames = count(text)
    if frames <= _SETTLED:
        raise argparse.ArgumentTypeError(f"the first {_SETTLED} frames do not count; give more than {text}")
    return frames


def _measure_all(options: argparse.Namespace) -> None:
    for path in options.videos:
        VideoFile(path).close()  # a mistake is told before the first line
    for path in options.videos:
        source = VideoFile(path)
        bgr = None
        for _ in range(options.frame + 1):
            if (frame := source.read()) is not None:
                bgr = frame.bgr
        source.close()
        if bgr is None:
            sys.stderr.write(f"{path.name} has no frames\n")
            continue
        for kind in (MEDIAPIPE, BLAZEPOSE):
            joints, size = _joints(still(bgr, options.frames), kind)
            jitter = float(np.median(np.hypot(*joints.std(axis=0).T))) / size
            joints, _ = _joints(moved(bgr, options.frames), kind)
            lag = lag_frames(np.median(joints[..., 0], axis=1), _SETTLED, bgr.shape[1])
            sys.stdout.write(f"{path.name}, {kind}: jitter {jitter:.5f} of the body, lag {lag:.2f} frames\n")


if __name__ == "__main__":
    sys.exit(main())
