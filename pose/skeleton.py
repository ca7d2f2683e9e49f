"""Joint layouts: names, bones, left/right pairs and centre, and conversions between layouts."""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Layout:
    """The joints of a skeleton, in order.

    joints: joint names, snake case, `left_` and `right_` from the person's own point of view.
    edges: bones as pairs of joint names.
    centre: name of the joint nearest to the body's centre.
    """

    name: str
    joints: tuple[str, ...]
    edges: tuple[tuple[str, str], ...]
    centre: str

    def __len__(self) -> int:
        return len(self.joints)

    def index(self, joint: str) -> int:
        """Position of a joint; ValueError if the layout has none of that name."""
        return self.joints.index(joint)

    @cached_property
    def edge_indices(self) -> tuple[tuple[int, int], ...]:
        """Bones as pairs of positions."""
        return tuple((self.index(a), self.index(b)) for a, b in self.edges)

    @cached_property
    def mirrored(self) -> NDArray[np.intp]:
        """(V,) position of each joint's left/right counterpart (itself on the midline)."""
        swap = {"left": "right", "right": "left"}

        def counterpart(joint: str) -> str:
            side, _, rest = joint.partition("_")
            return f"{swap[side]}_{rest}" if side in swap else joint

        return np.array([self.index(counterpart(joint)) for joint in self.joints], dtype=np.intp)


def _sides(*parts: str) -> tuple[str, ...]:
    return tuple(f"{side}_{part}" for part in parts for side in ("left", "right"))


_LIMB_EDGES = (
    ("left_shoulder", "right_shoulder"),
    ("left_hip", "right_hip"),
    *(
        (f"{side}_{a}", f"{side}_{b}")
        for side in ("left", "right")
        for a, b in (
            ("shoulder", "hip"),
            ("shoulder", "elbow"),
            ("elbow", "wrist"),
            ("hip", "knee"),
            ("knee", "ankle"),
        )
    ),
)

# The 13 joints of MPOSE2021 in the order of its PoseNet variant (mpose package): head, then left/right pairs.
MPOSE_13 = Layout(
    name="mpose-13",
    joints=("head", *_sides("shoulder", "elbow", "wrist", "hip", "knee", "ankle")),
    edges=(("head", "left_shoulder"), ("head", "right_shoulder"), *_LIMB_EDGES),
    centre="head",
)

# MediaPipe Pose Landmarker, 33 landmarks in its documented order.
MEDIAPIPE_33 = Layout(
    name="mediapipe-33",
    joints=(
        "nose",
        "left_eye_inner",
        "left_eye",
        "left_eye_outer",
        "right_eye_inner",
        "right_eye",
        "right_eye_outer",
        *_sides("ear"),
        "left_mouth",
        "right_mouth",
        *_sides("shoulder", "elbow", "wrist", "pinky", "index", "thumb", "hip", "knee", "ankle", "heel", "foot"),
    ),
    edges=(
        ("nose", "left_eye_inner"),
        ("left_eye_inner", "left_eye"),
        ("left_eye", "left_eye_outer"),
        ("left_eye_outer", "left_ear"),
        ("nose", "right_eye_inner"),
        ("right_eye_inner", "right_eye"),
        ("right_eye", "right_eye_outer"),
        ("right_eye_outer", "right_ear"),
        ("left_mouth", "right_mouth"),
        *_LIMB_EDGES,
        *((f"{s}_wrist", f"{s}_{tip}") for s in ("left", "right") for tip in ("pinky", "index", "thumb")),
        *((f"{s}_pinky", f"{s}_index") for s in ("left", "right")),
        *((f"{s}_ankle", f"{s}_heel") for s in ("left", "right")),
        *((f"{s}_heel", f"{s}_foot") for s in ("left", "right")),
        *((f"{s}_ankle", f"{s}_foot") for s in ("left", "right")),
    ),
    centre="nose",
)

# Penn Action (Zhang et al., ICCV 2013): the order of its label files. Names are the person's own sides; the files name
# them from the viewer's side, which the reader puts right.
PENN_13 = Layout(
    name="penn-13",
    joints=("head", *_sides("shoulder", "elbow", "wrist", "hip", "knee", "ankle")),
    edges=MPOSE_13.edges,
    centre="head",
)


def _chains(*parts: str) -> tuple[str, ...]:
    return tuple(f"{side}_{part}" for side in ("left", "right") for part in parts)


# Kinect SDK 1: 20 joints in the SDK's own order.
KINECT_20 = Layout(
    name="kinect-20",
    joints=(
        "hip_centre",
        "spine",
        "shoulder_centre",
        "head",
        *_chains("shoulder", "elbow", "wrist", "hand"),
        *_chains("hip", "knee", "ankle", "foot"),
    ),
    edges=(
        ("hip_centre", "spine"),
        ("spine", "shoulder_centre"),
        ("shoulder_centre", "head"),
        *(
            (root, f"{s}_{a}")
            for s in ("left", "right")
            for root, a in (("shoulder_centre", "shoulder"), ("hip_centre", "hip"))
        ),
        *(
            (f"{s}_{a}", f"{s}_{b}")
            for s in ("left", "right")
            for a, b in (
                ("shoulder", "elbow"),
                ("elbow", "wrist"),
                ("wrist", "hand"),
                ("hip", "knee"),
                ("knee", "ankle"),
                ("ankle", "foot"),
            )
        ),
    ),
    centre="spine",
)

# JHMDB (Jhuang et al., ICCV 2013): 15 joints of its puppet annotation.
JHMDB_15 = Layout(
    name="jhmdb-15",
    joints=(
        "neck",
        "belly",
        "head",
        *(
            f"{side}_{part}"
            for part in ("shoulder", "hip", "elbow", "knee", "wrist", "ankle")
            for side in ("right", "left")
        ),
    ),
    edges=(("neck", "belly"), ("neck", "head"), *_LIMB_EDGES),
    centre="belly",
)

LAYOUTS: dict[str, Layout] = {layout.name: layout for layout in (MPOSE_13, MEDIAPIPE_33, PENN_13, KINECT_20, JHMDB_15)}

# How a joint that a source layout lacks is made from those it has: groups in order of preference. The midpoint of
# the ears lies where Kinect and hand annotations put the head's centre; the nose sits in front of it.
_SUBSTITUTES: dict[str, tuple[tuple[str, ...], ...]] = {"head": (("left_ear", "right_ear"), ("nose",))}


def convert(
    xy: NDArray[np.float32], confidence: NDArray[np.float32], source: Layout, target: Layout
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The same skeletons in another layout.

    xy: (..., V, 2); confidence: (..., V), 0 where a joint was not seen. Returns new arrays of the target's joints.
    Joints of equal name are copied with their confidence; the head comes from the seen ears, else from the nose.
    Raises ValueError when the source has no joint that a target joint can be made from.
    """
    copied, made = _plan(source, target)
    out_confidence = confidence[..., copied].astype(np.float32)
    out_xy = np.where(out_confidence[..., None] > 0, xy[..., copied, :], np.float32(0))
    for place, groups in made:
        out_xy[..., place, :], out_confidence[..., place] = 0, 0
        for group in reversed(groups):  # the best group is written last, over the others
            seen = (confidence[..., group] > 0).astype(np.float32)
            count = seen.sum(axis=-1)
            found = count > 0
            middle = (xy[..., group, :] * seen[..., None]).sum(axis=-2) / np.maximum(count, 1)[..., None]
            out_xy[..., place, :] = np.where(found[..., None], middle, out_xy[..., place, :])
            out_confidence[..., place] = np.where(
                found, (confidence[..., group] * seen).max(axis=-1), out_confidence[..., place]
            )
    return out_xy, out_confidence


_Made = tuple[tuple[int, tuple[list[int], ...]], ...]


@cache
def _plan(source: Layout, target: Layout) -> tuple[NDArray[np.intp], _Made]:
    """(V,) the source joint of each target joint, and how those without one (0 there) are made: place and groups."""
    copied = np.zeros(len(target), dtype=np.intp)
    made = []
    for place, joint in enumerate(target.joints):
        if joint in source.joints:
            copied[place] = source.index(joint)
            continue
        groups = tuple(
            [source.index(name) for name in group]
            for group in _SUBSTITUTES.get(joint, ())
            if all(name in source.joints for name in group)
        )
        if not groups:
            raise ValueError(f"layout {source.name} has nothing to make {joint} of {target.name} from")
        made.append((place, groups))
    return copied, tuple(made)
