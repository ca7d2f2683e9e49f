"""People found in real clips, where nobody knows the truth: how many a frame, and drawn frames to be looked at.

python -m benchmarks.people.clips VIDEO ... --people 3 --draw FOLDER
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from time import process_time

import cv2
import numpy as np
from numpy.typing import NDArray

from pose.estimators import BLAZEPOSE, ESTIMATORS, EstimatorSpec, open_estimator
from pose.image_folder import ImageFolder
from pose.model_asset import find_pose_model
from pose.skeleton import MEDIAPIPE_33, MPOSE_13
from pose.types import Frame, Pose
from pose.video_file import VideoFile

DRAWN = 10  # frames of a clip
_SEED = 23
_COLOURS = ((60, 220, 60), (60, 60, 240), (240, 140, 40), (40, 220, 240), (220, 60, 220), (240, 240, 60))
_BONES = [(MEDIAPIPE_33.index(a), MEDIAPIPE_33.index(b)) for a, b in MPOSE_13.edges if "head" not in (a, b)]
_SURE = 0.3
_SHEET = (400, 2)  # width of a frame on the sheet, and frames beside each other


def estimate_clip(path: Path, spec: EstimatorSpec, frames: int) -> tuple[list[Frame], list[tuple[Pose, ...]], float]:
    """The first frames of a clip with their poses, and the milliseconds of processor time that one took."""
    source = ImageFolder(path) if path.is_dir() else VideoFile(path)
    estimator = open_estimator(spec)
    seen: list[Frame] = []
    found: list[tuple[Pose, ...]] = []
    took_s = 0.0
    while len(seen) < frames and (frame := source.read()) is not None:
        began_s = process_time()
        found.append(estimator.estimate(frame))
        took_s += process_time() - began_s
        seen.append(frame)
    source.close()
    estimator.close()
    return seen, found, 1000 * took_s / max(len(seen), 1)


def draw(frame: Frame, poses: Sequence[Pose]) -> NDArray[np.uint8]:
    """The frame with its poses: bones whose ends are seen, and each person's number at the nose."""
    picture = frame.bgr.copy()
    for pose in poses:
        colour = _COLOURS[pose.person % len(_COLOURS)]
        points = np.rint(np.clip(pose.xy_px, -1e4, 1e4)).astype(int).tolist()
        for a, b in _BONES:
            sure = min(pose.confidence[a], pose.confidence[b]) >= _SURE
            cv2.line(picture, points[a], points[b], colour, 3 if sure else 1)
        cv2.putText(picture, str(pose.person), points[0], cv2.FONT_HERSHEY_SIMPLEX, 0.9, colour, 2)
    return picture


def sheet(frames: Sequence[Frame], found: Sequence[tuple[Pose, ...]]) -> NDArray[np.uint8]:
    """Drawn frames of a clip beside each other, with their numbers; the same ones each time."""
    width, across = _SHEET
    chosen = np.sort(np.random.default_rng(_SEED).permutation(len(frames))[:DRAWN])
    made = []
    for number in chosen:
        picture = draw(frames[number], found[number])
        small = cv2.resize(picture, (width, round(picture.shape[0] * width / picture.shape[1])))
        cv2.putText(small, str(number), (6, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (255, 255, 255), 2)
        made.append(small)
    made += [np.zeros_like(made[0])] * (-len(made) % across)
    rows = [np.hstack(made[place : place + across]) for place in range(0, len(made), across)]
    return np.asarray(np.vstack(rows), np.uint8)


def main() -> None:
    """Print a line for each clip."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=Path, help="videos, or folders of pictures")
    parser.add_argument("--people", type=int, default=3)
    parser.add_argument("--pose", choices=tuple(ESTIMATORS), default=BLAZEPOSE)
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--draw", type=Path, help="a folder for sheets of drawn frames")
    options = parser.parse_args()
    spec = EstimatorSpec(options.pose, find_pose_model(None), options.people)
    for clip in options.clips:
        frames, found, took_ms = estimate_clip(clip, spec, options.frames)
        if not frames:
            sys.stderr.write(f"{clip.name} has no frames\n")
            continue
        identities = len({pose.person for poses in found for pose in poses})
        mean = float(np.mean([len(poses) for poses in found]))
        line = f"{clip.name}: {len(frames)} frames, {mean:.2f} people a frame, {identities} identities"
        sys.stdout.write(f"{line}, {took_ms:.1f} ms of processor\n")
        if options.draw is not None:
            options.draw.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(options.draw / f"{clip.stem}_{options.pose}.png"), sheet(frames, found))


if __name__ == "__main__":
    main()
