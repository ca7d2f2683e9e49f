"""What of a body is in view."""

import numpy as np
import pytest

from pose.skeleton import MEDIAPIPE_33, MPOSE_13
from recognizer.clips import Clip
from recognizer.view import WHOLE, BodyView, seen_parts, view_of


def clip_without(*parts, share=1.0, layout=MPOSE_13):
    """A clip whose first poses, that share of them, lack these joints on both sides."""
    confidence = np.ones((30, len(layout)), np.float32)
    for index, joint in enumerate(layout.joints):
        if joint.partition("_")[2] in parts:
            confidence[: round(30 * share), index] = 0
    return Clip(np.ones((30, len(layout), 2), np.float32), confidence, 20.0, layout, 2.0, 0)


@pytest.mark.parametrize(
    ("missing", "view", "parts"),
    [
        ((), "whole", {"arms", "hips", "legs"}),
        (("ankle",), "whole", {"arms", "hips", "legs"}),
        (("elbow", "wrist"), "whole", {"arms", "hips", "legs"}),  # nothing that the whole body could lack
        (("knee", "ankle"), "upper", {"arms", "hips"}),
        (("hip", "knee", "ankle"), "upper", {"arms"}),
        (("hip", "knee", "ankle", "elbow"), "upper", {"arms"}),
        (("hip", "knee", "ankle", "wrist"), "upper", {"arms"}),
        (("hip",), "upper", {"arms", "legs"}),
        (("hip", "knee", "ankle", "elbow", "wrist"), None, set()),
        (("shoulder",), None, {"hips", "legs"}),
        (("shoulder", "hip", "knee"), None, set()),
    ],
)
def test_what_is_in_view(missing, view, parts):
    assert view_of(clip_without(*missing)) == BodyView(view, frozenset(parts))


def test_half_of_the_poses_are_enough():
    assert view_of(clip_without("hip", "knee", share=0.5)) == WHOLE
    assert view_of(clip_without("hip", "knee", share=0.6)).view == "upper"


def test_one_side_is_enough():
    seen = np.ones((10, len(MEDIAPIPE_33)), bool)
    seen[:, [index for index, joint in enumerate(MEDIAPIPE_33.joints) if joint.startswith("left_")]] = False
    assert seen_parts(seen, MEDIAPIPE_33) == WHOLE
