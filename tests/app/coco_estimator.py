"""An estimator of 17 joints without a model of its own: it knows what the demo shows at a frame's time."""

import numpy as np

from pose.demo.source import DemoSource
from pose.estimators import EstimatorKind
from pose.skeleton import COCO_17, MPOSE_13
from pose.types import Pose

KIND = EstimatorKind("coco", "COCO", "coco_estimator:CocoEstimator", "coco-17", 1, model="")
NOBODY_S = 1.0  # at first nobody is in the picture
_FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
_PLACES = [MPOSE_13.index("head" if joint in _FACE else joint) for joint in COCO_17.joints]


class CocoEstimator:
    """See pose.estimators.PoseEstimator."""

    def __init__(self, model, *, people=1, quality="full"):
        self._demo = None

    def estimate(self, frame):
        if frame.time_s < NOBODY_S:
            return ()
        if self._demo is None:
            self._demo = DemoSource(size=frame.size, paced=False)
        xy = self._demo.truth(frame.time_s).joints_px[_PLACES]
        return (Pose(xy, np.full(len(COCO_17), 0.9, np.float32), COCO_17, frame.time_s, 0),)

    def close(self):
        pass
