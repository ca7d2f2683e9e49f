"""Skeletons in empty rooms: the demo's rooms and plain patterns with noise and changes of light, frame after frame.

python -m benchmarks.people.empty --frames 1500
"""

import argparse
import sys
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.people.scenes import FPS, SIZE
from pose.demo.draw import Camera
from pose.demo.look import draw_look
from pose.demo.room import draw_room
from pose.demo.script import CHAIR
from pose.estimators import BLAZEPOSE, ESTIMATORS, EstimatorSpec, open_estimator
from pose.model_asset import find_pose_model
from pose.types import Frame

_A_ROOM = 100  # frames
_NOISE = 5.0  # deviation of a pixel, of 255
_LAMP = (0.55, 1.25)  # brightness between which the light changes


def rooms(frames: int, seed: int = 0) -> Iterator[NDArray[np.uint8]]:
    """Pictures without anybody, a new room every 100 frames: rooms with furniture, and blurred patterns in turn."""
    rng = np.random.default_rng(seed)
    room = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    for number in range(frames):
        if number % _A_ROOM == 0:
            made = number // _A_ROOM
            room = _furnished(seed + made) if made % 2 == 0 else _pattern(rng)
        low, high = _LAMP
        light = low + (high - low) * (0.5 + 0.5 * np.sin(number / 9)) * rng.uniform(0.95, 1.0)
        yield np.clip(room * light + rng.normal(0, _NOISE, room.shape), 0, 255).astype(np.uint8)


def _furnished(seed: int) -> NDArray[np.uint8]:
    look = draw_look(seed)
    return draw_room(look, Camera(SIZE, look.camera_m, look.camera_yaw).project, SIZE, CHAIR)


def _pattern(rng: np.random.Generator) -> NDArray[np.uint8]:
    cells = int(rng.integers(4, 24))
    coarse = rng.integers(30, 220, (cells, cells + 2, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC), np.uint8)


def main() -> None:
    """Print the frames in which somebody was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=1500)
    parser.add_argument("--people", type=int, default=3)
    parser.add_argument("--pose", choices=tuple(ESTIMATORS), default=BLAZEPOSE)
    options = parser.parse_args()
    estimator = open_estimator(EstimatorSpec(options.pose, find_pose_model(None), options.people))
    wrong = []
    for number, bgr in enumerate(rooms(options.frames)):
        if estimator.estimate(Frame(bgr, number / FPS, 0.0, number)):
            wrong.append(number)
    estimator.close()
    sys.stdout.write(f"{options.pose}: somebody in {len(wrong)} of {options.frames} frames {wrong[:20]}\n")


if __name__ == "__main__":
    main()
