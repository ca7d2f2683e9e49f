"""Made-up recordings of people who move."""

import numpy as np

from pose.skeleton import KINECT_20
from recognizer.datasets.sequences import ActionSequence


def recording(number, frames, action, test, layout=KINECT_20, dims=3):
    """A person whose right wrist goes up (action a) or sideways (action b), from a random place."""
    rng = np.random.default_rng(number)
    heights = {"head": -0.6, "shoulder": -0.4, "centre": -0.4, "elbow": -0.2, "hip": 0.1, "knee": 0.5, "ankle": 0.9}
    person = np.zeros((len(layout), dims))
    for place, joint in enumerate(layout.joints):
        side, _, part = joint.rpartition("_")
        person[place, :2] = {"left": 0.2, "right": -0.2}.get(side, 0.0), heights.get(part, 0.0)
    if "hip_centre" in layout.joints:
        person[layout.index("hip_centre"), 1] = 0.1
    joints = person + rng.normal(0, 0.003, (frames, len(layout), dims)) + rng.normal(0, 1, dims)
    axis = 1 if action == "a" else 0
    joints[:, layout.index("right_wrist"), axis] -= np.linspace(0, 0.5, frames)
    return ActionSequence(
        dataset="made-up",
        name=f"r{number}",
        action=action,
        joints=joints.astype(np.float32),
        seen=np.ones(joints.shape[:2], bool),
        layout=layout,
        fps=15.0,
        subject=number % 4,
        test=test,
    )
