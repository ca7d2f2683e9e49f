"""Crossings and groups of people whose poses are known, composed of single people.

Cut-outs of single people (the demo's, and of real videos with MediaPipe's poses of one person as truth) pass before
and behind each other. Settings of pose/blazepose may be chosen on the people of `tune`, never on those of `test`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pose.demo import DemoSource
from pose.estimators import MEDIAPIPE, EstimatorSpec, open_estimator
from pose.skeleton import MPOSE_13, convert
from pose.video_file import VideoFile

SIZE = (640, 480)
FPS = 25.0
_REACH = 0.06  # of the body's height: half the thickness of a cut-out limb
_HIDDEN = 0.75  # part of a person's cut-out that others may cover before nobody need find it

_TRUNK = [MPOSE_13.index(f"{side}_{part}") for side in ("left", "right") for part in ("shoulder", "hip")]

# People by part: seeds of the demo's look and videos; one person is in each.
DEMO = {"tune": (1, 2, 3, 4), "test": (11, 12, 13, 14)}
VIDEOS = {"tune": ("a7_s5_t2_color.avi", "ta_chi.mp4"), "test": ("a7_s6_t1_color.avi", "clean_and_jerk.mp4")}


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """One person in one frame. bgr: (H, W, 3). mask: (H, W) bool. joints: (13, 2) px of the cut-out."""

    bgr: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    joints: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A composed clip. truth: for each frame the joints (13, 2) of people who can be seen, by number."""

    name: str
    frames: list[NDArray[np.uint8]]
    truth: list[dict[int, NDArray[np.float32]]]


def cut_out(bgr: NDArray[np.uint8], joints: NDArray[np.float32], height_px: float) -> Cutout:
    """The person around those joints, scaled to a height."""
    size = float(np.ptp(joints[:, 1])) or 1.0
    reach = _REACH * size
    mask = np.zeros(bgr.shape[:2], np.uint8)
    for a, b in MPOSE_13.edge_indices:
        start, end = ([int(v) for v in joints[place]] for place in (a, b))
        cv2.line(mask, start, end, 1, max(round(2 * reach), 1))
    trunk = [
        MPOSE_13.index(f"{s}_{p}")
        for s, p in (("left", "shoulder"), ("right", "shoulder"), ("right", "hip"), ("left", "hip"))
    ]
    cv2.fillConvexPoly(mask, np.rint(joints[trunk]).astype(np.int32), 1)
    cv2.circle(mask, tuple(int(v) for v in joints[0]), max(round(1.9 * reach), 1), 1, -1)
    for side in ("left", "right"):
        for part, share in (("wrist", 1.3), ("ankle", 1.4)):
            cv2.circle(
                mask,
                tuple(int(v) for v in joints[MPOSE_13.index(f"{side}_{part}")]),
                max(round(share * reach), 1),
                1,
                -1,
            )
    scale = height_px / size
    across, down = max(round(bgr.shape[1] * scale), 2), max(round(bgr.shape[0] * scale), 2)
    small = cv2.resize(bgr, (across, down), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    shape = cv2.resize(mask, (across, down), interpolation=cv2.INTER_NEAREST) > 0
    return Cutout(np.asarray(small, np.uint8), shape, (joints * scale).astype(np.float32))


def demo_person(seed: int, frames: int, height_px: float, skip: int = 0) -> list[Cutout]:
    """The demo's person of a look."""
    source = DemoSource(seed=seed, fps=FPS, paced=False)
    found = []
    for number in range(skip + frames):
        frame = source.read()
        assert frame is not None
        if number >= skip:
            found.append(cut_out(frame.bgr, source.truth(frame.time_s).joints_px, height_px))
    return found


def video_person(path: Path, model: Path, frames: int, height_px: float) -> list[Cutout]:
    """The person of a video, forwards and backwards until there are enough; poses by MediaPipe for one person."""
    source, estimator = VideoFile(path), open_estimator(EstimatorSpec(MEDIAPIPE, model))
    found: list[Cutout] = []
    while len(found) < frames and (frame := source.read()) is not None:
        for pose in estimator.estimate(frame):
            joints, _ = convert(pose.xy_px, np.ones(len(pose.layout), np.float32), pose.layout, MPOSE_13)
            found.append(cut_out(frame.bgr, joints, height_px))
    source.close()
    estimator.close()
    there_and_back = found + found[-2:0:-1]
    return [there_and_back[n % len(there_and_back)] for n in range(frames)]


def compose(name: str, people: Sequence[list[Cutout]], heights: Sequence[float], seed: int) -> Scene:
    """People walking to and fro before a background, the larger before the smaller."""
    rng = np.random.default_rng(seed)
    width, height = SIZE
    small = rng.integers(90, 190, (6, 8, 3)).astype(np.uint8)
    background = cv2.resize(small, SIZE, interpolation=cv2.INTER_CUBIC)
    phases, periods = rng.uniform(0, 2 * np.pi, len(people)), rng.uniform(4.0, 7.0, len(people))
    order = np.argsort(heights)
    frames, truth = [], []
    for number in range(len(people[0])):
        canvas, owner = background.copy(), np.full((height, width), -1)
        placed: dict[int, tuple[NDArray[np.float32], int]] = {}
        for person in order:
            cutout = people[person][number]
            share = 0.5 + 0.36 * np.sin(2 * np.pi * number / FPS / periods[person] + phases[person])
            hips = cutout.joints[[MPOSE_13.index(f"{s}_hip") for s in ("left", "right")]].mean(axis=0)
            bottom = cutout.joints[:, 1].max()
            offset = np.rint([share * width - hips[0], 0.5 * height + 0.5 * heights[person] - bottom]).astype(int)
            visible = _paste(canvas, owner, cutout, offset, int(person))
            placed[int(person)] = (cutout.joints + offset.astype(np.float32), visible)
        frames.append(np.asarray(canvas, np.uint8))
        seen = {p: int((owner == p).sum()) for p in placed}
        truth.append({p: joints for p, (joints, area) in placed.items() if area and seen[p] >= (1 - _HIDDEN) * area})
    return Scene(name, frames, truth)


def _paste(canvas: Any, owner: Any, cutout: Cutout, offset: NDArray[Any], person: int) -> int:
    """Put a cut-out on the canvas; the number of its pixels that are in the picture."""
    rows, columns = np.nonzero(cutout.mask)
    y, x = rows + offset[1], columns + offset[0]
    inside = (y >= 0) & (y < canvas.shape[0]) & (x >= 0) & (x < canvas.shape[1])
    canvas[y[inside], x[inside]] = cutout.bgr[rows[inside], columns[inside]]
    owner[y[inside], x[inside]] = person
    return len(rows)


def scenes(part: str, videos: Path | None, model: Path, frames: int) -> Iterator[Scene]:
    """Crossings of two and three of the demo's people, and of real ones beside them."""
    a, b, c, d = DEMO[part]
    for number, seeds in enumerate(((a, b), (c, d), (a, c, d), (b, c, a))):
        heights = [260.0 + 35 * place for place in range(len(seeds))]
        people = [demo_person(s, frames, h, skip=40 * (s % 10)) for s, h in zip(seeds, heights, strict=True)]
        yield compose(f"demo {seeds}", people, heights, number + (100 if part == "test" else 0))
    if videos is None:
        return
    for number, names in enumerate((VIDEOS[part], (*VIDEOS[part], ""))):
        heights = [250.0 + 40 * place for place in range(len(names))]
        people = [
            video_person(videos / n, model, frames, h) if n else demo_person(d, frames, h)
            for n, h in zip(names, heights, strict=True)
        ]
        yield compose(f"cut-outs of {len(names)}", people, heights, number + (200 if part == "test" else 50))


def trunk(joints: NDArray[np.float32]) -> NDArray[np.float32]:
    """The middle of shoulders and hips of joints of MPOSE_13."""
    middle: NDArray[np.float32] = joints[_TRUNK].mean(axis=0)
    return middle
