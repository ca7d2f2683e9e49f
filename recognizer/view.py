"""Which parts of a body a clip shows, and so what can be judged of it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import Layout
from recognizer.clips import Clip

View = Literal["whole", "upper"]

ARMS, HIPS, LEGS = PARTS = ("arms", "hips", "legs")

_SEEN_SHARE = 0.5  # of the poses in which a joint must be seen, on one side at least


@dataclass(frozen=True, slots=True)
class BodyView:
    """What is in view. parts: of PARTS.

    view: "whole" where a shoulder, a hip and a knee are, and then nothing is missing that an action could need; "upper"
    where a shoulder and an elbow or a wrist are; None for less, of which nothing can be said.
    """

    view: View | None
    parts: frozenset[str]


WHOLE = BodyView("whole", frozenset(PARTS))


def view_of(clip: Clip) -> BodyView:
    """What a clip shows: a joint counts where it is seen in at least half of the poses, on either side."""
    return seen_parts(clip.confidence > 0, clip.layout)


def seen_parts(seen: NDArray[np.bool_], layout: Layout) -> BodyView:
    """The same of joints that are seen or not, (T, V)."""

    def shows(*joints: str) -> bool:
        places = [index for index, joint in enumerate(layout.joints) if joint.partition("_")[2] in joints]
        return bool(np.any(seen[:, places], axis=-1).mean() >= _SEEN_SHARE)

    shoulders, hips, legs = shows("shoulder"), shows("hip"), shows("knee")
    if shoulders and hips and legs:
        return WHOLE
    arms = shoulders and shows("elbow", "wrist")
    in_view = zip(PARTS, (arms, hips, legs), strict=True)
    return BodyView("upper" if arms else None, frozenset(part for part, there in in_view if there))
