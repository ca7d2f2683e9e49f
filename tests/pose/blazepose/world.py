"""A world of coloured people instead of pictures and networks, to see what the estimator does with what they find."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np

from pose.blazepose.detector import Detection
from pose.blazepose.landmarks import Landmarks
from pose.skeleton import MEDIAPIPE_33
from pose.types import Frame

# Places of the joints of somebody upright, in heights from the middle of the hips.
_PARTS = {
    **dict.fromkeys(("nose", "eye_inner", "eye", "eye_outer", "ear", "mouth"), (0.02, -0.42)),
    **{
        "shoulder": (0.1, -0.3),
        "elbow": (0.14, -0.15),
        "hip": (0.06, 0.0),
        "knee": (0.06, 0.25),
        "ankle": (0.06, 0.48),
    },
    **dict.fromkeys(("wrist", "pinky", "index", "thumb"), (0.15, 0.0)),
    **dict.fromkeys(("heel", "foot"), (0.07, 0.5)),
}


def upright() -> np.ndarray:
    """(33, 2) joints in heights from the middle of the hips."""
    joints = []
    for name in MEDIAPIPE_33.joints:
        side, _, part = name.partition("_")
        x, y = _PARTS[part or side]
        joints.append((-x if side == "right" else x if side == "left" else 0.0, y))
    return np.array(joints, np.float32)


@dataclass
class Somebody:
    """hips: px. colour: of the trunk. detection, presence: scores. seen: whether the networks find them.

    mirror_presence: presence in the mirror image, None for the same. wins: whether the landmark network takes anybody
    else in its region for them.
    """

    x: float
    y: float
    height: float = 200.0
    colour: tuple[int, int, int] = (200, 40, 40)
    detection: float = 0.9
    presence: float = 0.98
    seen: bool = True
    wins: bool = False
    mirror_presence: float | None = None

    @property
    def hips(self) -> np.ndarray:
        return np.array([self.x, self.y], np.float32)

    @property
    def joints(self) -> np.ndarray:
        return self.hips + self.height * upright()


@dataclass
class World:
    """The last of `people` stand in front. calls: of networks, in the last frame."""

    people: list[Somebody] = field(default_factory=list)
    size: tuple[int, int] = (640, 480)
    fps: float = 25.0
    frames: int = 0
    looks: list = field(default_factory=list)

    def frame(self, time_s: float | None = None) -> Frame:
        width, height = self.size
        bgr = np.zeros((height, width, 3), np.uint8)
        for somebody in self.people:
            if somebody.seen:
                x, y, tall = somebody.x, somebody.y, somebody.height
                rows, columns = slice(max(int(y - 0.35 * tall), 0), max(int(y + 0.05 * tall), 0)), None
                columns = slice(max(int(x - 0.12 * tall), 0), max(int(x + 0.12 * tall), 0))
                bgr[rows, columns] = somebody.colour
        self.frames += 1
        self.looks = []
        return Frame(bgr, self.frames / self.fps if time_s is None else time_s, 0.0, self.frames)

    def detector(self, *_):
        def detect(bgr, region, hidden=()):
            self.looks.append("detector")
            half = region.side_px / 2
            found = []
            for somebody in self.people:
                inside = abs(somebody.x - region.x_px) < half and abs(somebody.y - region.y_px) < half
                covered = any(
                    np.linalg.norm(b[[23, 24]].mean(axis=0) - somebody.hips) < 0.05 * somebody.height for b in hidden
                )
                if somebody.seen and inside and not covered and somebody.detection >= 0.3:
                    hips = somebody.hips
                    up = np.array([0, -0.5 * somebody.height], np.float32)
                    found.append(Detection(hips, hips + 0.6 * up, hips + up, somebody.detection))
            return sorted(found, key=lambda detection: -detection.score)

        return detect

    def landmarks(self, *_):
        def look(bgr, region, hidden=(), *, mirrored=False):
            self.looks.append("landmarks")
            middle = np.array([region.x_px, region.y_px])
            near = [
                (0.0 if s.wins else float(np.linalg.norm(s.hips - middle)), -index, s)
                for index, s in enumerate(self.people)
                if s.seen
                and np.linalg.norm(s.hips - middle) < 0.4 * region.side_px
                and not any(np.linalg.norm(body[[23, 24]].mean(axis=0) - s.hips) < 0.05 * s.height for body in hidden)
            ]
            if near:
                somebody = min(near, key=lambda item: item[:2])[2]
                top = somebody.hips - np.array([0, 0.5 * somebody.height], np.float32)
                xy = np.concatenate((somebody.joints, [somebody.hips, top])).astype(np.float32)
                score = somebody.presence
                if mirrored and somebody.mirror_presence is not None:
                    score = somebody.mirror_presence
            else:
                xy, score = np.tile(middle, (35, 1)).astype(np.float32), 0.0
            sure = np.full(33, 0.95, np.float32)
            return Landmarks(xy, sure, sure, score, region)

        return look

    def networks(self, *_):
        return SimpleNamespace(detector=b"", landmarks=b"")
