"""Both estimators on videos of one person, in one loop: the distance of their poses, lost frames, and time.

python -m benchmarks.people.one_person VIDEO ...
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray

from benchmarks.command import parser_of, run_command
from pose.estimators import BLAZEPOSE, MEDIAPIPE, EstimatorSpec, open_estimator
from pose.model_asset import find_pose_model
from pose.number_arguments import count
from pose.one_euro import body_size_px
from pose.skeleton import MEDIAPIPE_33, MPOSE_13
from pose.types import Pose
from pose.video_file import VideoFile

_ESTIMATORS = (MEDIAPIPE, BLAZEPOSE)
_MAIN = [place for place, joint in enumerate(MEDIAPIPE_33.joints) if joint in ("nose", *MPOSE_13.joints)]
_SURE = 0.5  # least confidence of MediaPipe in a joint that is compared


@dataclass(slots=True)
class Comparison:
    """Of one video. lost, took_ms: by estimator, frames without a pose and the processor time of each frame.

    gaps: of joints that MediaPipe sees, in sizes of its body. confidence_gaps: of all main joints.
    """

    frames: int = 0
    lost: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_ESTIMATORS, 0))
    took_ms: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in _ESTIMATORS})
    gaps: list[float] = field(default_factory=list)
    confidence_gaps: list[float] = field(default_factory=list)

    def add(self, found: dict[str, Sequence[Pose]]) -> None:
        """Count a frame: the poses of each estimator."""
        self.frames += 1
        for kind, poses in found.items():
            self.lost[kind] += not poses
        if all(found.values()):
            theirs, ours = found[MEDIAPIPE][0], found[BLAZEPOSE][0]
            self.gaps += joint_gaps(theirs, ours).tolist()
            self.confidence_gaps += np.abs(theirs.confidence - ours.confidence)[_MAIN].tolist()

    def row(self, name: str) -> str:
        """A row of a Markdown table."""
        gaps = f"{np.median(self.gaps):.3f} / {np.percentile(self.gaps, 95):.3f}" if self.gaps else "-"
        confidence = f"{np.mean(self.confidence_gaps):.3f}" if self.confidence_gaps else "-"
        lost = " / ".join(str(self.lost[kind]) for kind in _ESTIMATORS)
        took = " / ".join(f"{np.median(self.took_ms[kind]):.0f}" for kind in _ESTIMATORS)
        return f"| {name} | {self.frames} | {gaps} | {confidence} | {lost} | {took} |"


def joint_gaps(theirs: Pose, ours: Pose) -> NDArray[np.float64]:
    """Distances of the main joints that the first pose sees, in sizes of its body."""
    seen = [place for place in _MAIN if theirs.confidence[place] >= _SURE]
    size = max(body_size_px(theirs.xy_px, theirs.confidence), 1.0)
    made: NDArray[np.float64] = np.linalg.norm(theirs.xy_px - ours.xy_px, axis=-1)[seen].astype(np.float64) / size
    return made


def compare(path: Path, frames: int) -> Comparison:
    """The first frames of a video through both estimators in turn, each first in every second frame."""
    source, model = VideoFile(path), find_pose_model(None)
    estimators = {kind: open_estimator(EstimatorSpec(kind, model)) for kind in _ESTIMATORS}
    made = Comparison()
    while made.frames < frames and (frame := source.read()) is not None:
        found: dict[str, Sequence[Pose]] = {}
        for kind in _ESTIMATORS if made.frames % 2 else reversed(_ESTIMATORS):
            began_s = process_time()
            found[kind] = estimators[kind].estimate(frame)
            made.took_ms[kind].append(1000 * (process_time() - began_s))
        made.add(found)
    source.close()
    for estimator in estimators.values():
        estimator.close()
    return made


def main() -> int:
    """Print a row for each video."""
    parser = parser_of("benchmarks.people.one_person", __doc__)
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--frames", type=count, default=10**6, help="of a video at most")
    return run_command(_compare_all, parser.parse_args())


def _compare_all(options: argparse.Namespace) -> None:
    for path in options.videos:
        VideoFile(path).close()  # a mistake is told before the first row
    head = ("video", "frames", "joints, median / p95", "confidence", "lost, MediaPipe / ours", "ms")
    sys.stdout.write(f"| {' | '.join(head)} |\n{'|---' * len(head)}|\n")
    for path in options.videos:
        sys.stdout.write(compare(path, options.frames).row(path.name) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
