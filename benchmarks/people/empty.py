"""Skeletons in empty rooms: an hour of them, looked at two and a half times a second.

python -m benchmarks.people.empty --videos ../shared/videos
"""

import argparse
import sys
from pathlib import Path

import cv2

from benchmarks.command import BenchmarkError, parser_of, run_command
from benchmarks.people.clips import draw
from benchmarks.people.rooms import FRAMES_A_ROOM, rooms
from pose.estimators import BLAZEPOSE, ESTIMATORS, EstimatorSpec, choose, open_estimator
from pose.model_asset import find_pose_model
from pose.number_arguments import count
from pose.types import Frame

STEP_S = 0.4  # between frames: 9,000 different ones are an hour
_PROGRESS_EVERY = 300


def main() -> int:
    """Print the frames and rooms in which somebody was found."""
    parser = parser_of("benchmarks.people.empty", __doc__)
    parser.add_argument("--part", choices=("tune", "test"), default="test")
    parser.add_argument("--frames", type=count, default=9000)
    parser.add_argument("--videos", type=Path, help="the folder with the videos named in rooms.py; else all are drawn")
    parser.add_argument("--people", type=count, default=3)
    parser.add_argument("--pose", choices=tuple(ESTIMATORS), default=BLAZEPOSE)
    parser.add_argument("--draw", type=Path, help="a folder for the frames in which somebody was found")
    return run_command(_count_false_people, parser.parse_args())


def _count_false_people(options: argparse.Namespace) -> None:
    if options.videos is not None and not options.videos.is_dir():
        raise BenchmarkError(f"there is no folder {options.videos}; give the one with the videos named in rooms.py")
    choose(options.pose, options.people)
    estimator = open_estimator(EstimatorSpec(options.pose, find_pose_model(None), options.people))
    wrong = []
    for number, bgr in enumerate(rooms(options.part, options.frames, STEP_S, options.videos)):
        frame = Frame(bgr, number * STEP_S, 0.0, number)
        poses = estimator.estimate(frame)
        if poses:
            wrong.append(number)
            if options.draw is not None:
                options.draw.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(options.draw / f"{number}.png"), draw(frame, poses))
        if (number + 1) % _PROGRESS_EVERY == 0:
            sys.stderr.write(f"{number + 1} frames, somebody in {len(wrong)}\n")
    estimator.close()
    in_rooms = sorted({number // FRAMES_A_ROOM for number in wrong})
    line = f"{options.pose}: somebody in {len(wrong)} of {options.frames} frames {wrong[:20]}, rooms {in_rooms}"
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
