"""Joint layouts: names, bones, left/right pairs and centre, and conversions between layouts."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Layout:
    """The joints of a skeleton, in order.

    joints: joint names, snake case, `left_` and `right_` from the person's own point of view.
    edges: bones as pairs of joint names; in the layouts of graph networks (COCO-17, OpenPose-18 and -25, NTU-25) from
        the outer joint to the inner one.
    centre: name of the joint nearest to the body's centre.
    bone_root: name of the joint that every other hangs on, directly or not (`parents`); the centre where it is empty.
    """

    name: str
    joints: tuple[str, ...]
    edges: tuple[tuple[str, str], ...]
    centre: str
    bone_root: str = ""

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

    @cached_property
    def parents(self) -> NDArray[np.intp]:
        """(V,) the joint that each joint hangs on, on the shortest way to the root of the bones.

        The root hangs on itself, and so do joints that no bone reaches.
        """
        neighbours: dict[int, list[int]] = {joint: [] for joint in range(len(self))}
        for a, b in self.edge_indices:
            neighbours[a].append(b)
            neighbours[b].append(a)
        parents = np.arange(len(self), dtype=np.intp)
        root = self.index(self.bone_root or self.centre)
        reached, todo = {root}, deque([root])
        while todo:
            inner = todo.popleft()
            for joint in sorted(set(neighbours[inner]) - reached):
                parents[joint] = inner
                reached.add(joint)
                todo.append(joint)
        return parents


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
    edges=(
        ("neck", "belly"),
        ("neck", "head"),
        *(edge for s in ("left", "right") for edge in (("neck", f"{s}_shoulder"), ("belly", f"{s}_hip"))),
        *_LIMB_EDGES[2:],
    ),
    centre="belly",
)


def _numbered(joints: tuple[str, ...], pairs: Iterable[tuple[int, int]], first: int = 0) -> tuple[tuple[str, str], ...]:
    return tuple((joints[a - first], joints[b - first]) for a, b in pairs)


_COCO_JOINTS = ("nose", *_sides("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"))

# COCO keypoints (Lin et al., ECCV 2014); bones and centre as in the official code of PYSKL (graph layout `coco`).
COCO_17 = Layout(
    name="coco-17",
    joints=_COCO_JOINTS,
    edges=_numbered(
        _COCO_JOINTS,
        (
            *((15, 13), (13, 11), (16, 14), (14, 12), (11, 5), (12, 6), (9, 7), (7, 5)),
            *((10, 8), (8, 6), (5, 0), (6, 0), (1, 0), (3, 1), (2, 0), (4, 2)),
        ),
    ),
    centre="nose",
)

_OPENPOSE_LIMBS = tuple(f"{side}_{part}" for side in ("right", "left") for part in ("shoulder", "elbow", "wrist"))
_OPENPOSE_LEGS = tuple(f"{side}_{part}" for side in ("right", "left") for part in ("hip", "knee", "ankle"))
_OPENPOSE_FACE = ("right_eye", "left_eye", "right_ear", "left_ear")
_OPENPOSE_18_JOINTS = ("nose", "neck", *_OPENPOSE_LIMBS, *_OPENPOSE_LEGS, *_OPENPOSE_FACE)

# OpenPose's COCO model (Cao et al., CVPR 2017); bones and centre as in the official code of ST-GCN (layout `openpose`).
# Bone vectors begin at the nose in the official code of ST-TR and 2s-AGCN.
OPENPOSE_18 = Layout(
    name="openpose-18",
    joints=_OPENPOSE_18_JOINTS,
    edges=_numbered(
        _OPENPOSE_18_JOINTS,
        (
            *((4, 3), (3, 2), (7, 6), (6, 5), (13, 12), (12, 11), (10, 9), (9, 8), (11, 5)),
            *((8, 2), (5, 1), (2, 1), (0, 1), (15, 0), (14, 0), (17, 15), (16, 14)),
        ),
    ),
    centre="neck",
    bone_root="nose",
)

_OPENPOSE_25_JOINTS = (
    *("nose", "neck", *_OPENPOSE_LIMBS, "hip_centre", *_OPENPOSE_LEGS, *_OPENPOSE_FACE),
    *(f"{side}_{part}" for side in ("left", "right") for part in ("big_toe", "small_toe", "heel")),
)

# OpenPose's BODY_25 model: joints and bones of its documentation of the output format.
OPENPOSE_25 = Layout(
    name="openpose-25",
    joints=_OPENPOSE_25_JOINTS,
    edges=_numbered(
        _OPENPOSE_25_JOINTS,
        (
            *((8, 1), (2, 1), (5, 1), (3, 2), (4, 3), (6, 5), (7, 6), (9, 8), (10, 9), (11, 10), (12, 8), (13, 12)),
            *((14, 13), (0, 1), (15, 0), (17, 15), (16, 0), (18, 16), (19, 14), (20, 19), (21, 14), (22, 11)),
            *((23, 22), (24, 11)),
        ),
    ),
    centre="neck",
)

_NTU_JOINTS = (
    *("hip_centre", "spine", "neck", "head", *_chains("shoulder", "elbow", "wrist", "hand")),
    *(*_chains("hip", "knee", "ankle", "foot"), "shoulder_centre", *_chains("hand_tip", "thumb")),
)

# NTU RGB+D (Shahroudy et al., CVPR 2016): the 25 joints of Kinect SDK 2; bones, by the set's numbers from 1 on, and
# centre (its joint 21) as in the official code of ST-GCN (layout `ntu-rgb+d`).
NTU_25 = Layout(
    name="ntu-25",
    joints=_NTU_JOINTS,
    edges=_numbered(
        _NTU_JOINTS,
        (
            *((1, 2), (2, 21), (3, 21), (4, 3), (5, 21), (6, 5), (7, 6), (8, 7), (9, 21), (10, 9), (11, 10), (12, 11)),
            *((13, 1), (14, 13), (15, 14), (16, 15), (17, 1), (18, 17), (19, 18), (20, 19)),
            *((22, 23), (23, 8), (24, 25), (25, 12)),
        ),
        first=1,
    ),
    centre="shoulder_centre",
)

LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        *(MPOSE_13, MEDIAPIPE_33, PENN_13, KINECT_20, JHMDB_15),
        *(COCO_17, OPENPOSE_18, OPENPOSE_25, NTU_25),
    )
}


@dataclass(frozen=True)
class _Midpoint:
    """A joint made as the middle of others: of those that are seen, or only when all are (`whole`)."""

    joints: tuple[str, ...]
    whole: bool = False


def _side_substitutes() -> dict[str, tuple[_Midpoint, ...]]:
    """Hands, feet and face parts; a part that a layout does not tell apart is where the next bigger part is."""
    made: dict[str, tuple[_Midpoint, ...]] = {}
    for s in ("left", "right"):
        palm = _Midpoint((f"{s}_index", f"{s}_pinky"))
        hand, wrist, ankle = _Midpoint((f"{s}_hand",)), _Midpoint((f"{s}_wrist",)), _Midpoint((f"{s}_ankle",))
        toes, foot = _Midpoint((f"{s}_big_toe", f"{s}_small_toe")), _Midpoint((f"{s}_foot",))
        made[f"{s}_hand"] = (palm, wrist)
        made[f"{s}_hand_tip"] = (_Midpoint((f"{s}_index",)), hand, wrist)
        made[f"{s}_thumb"] = (hand, wrist)
        made[f"{s}_foot"] = (toes, ankle)
        made[f"{s}_big_toe"] = made[f"{s}_small_toe"] = (foot, ankle)
        made[f"{s}_heel"] = (ankle,)
        made[f"{s}_eye"] = made[f"{s}_ear"] = (_Midpoint(("nose",)), _Midpoint(("head",)))
    return made


_SHOULDERS, _HIPS = _Midpoint(_sides("shoulder"), whole=True), _Midpoint(_sides("hip"), whole=True)
_TRUNK = _Midpoint(_sides("shoulder", "hip"), whole=True)

# How a joint that a source layout lacks is made from those it has, in order of preference. The midpoint of the ears
# lies where Kinect and hand annotations put the head's centre; the nose sits in front of it. OpenPose's neck is the
# middle of the shoulders by definition.
_SUBSTITUTES: dict[str, tuple[_Midpoint, ...]] = {
    "head": (_Midpoint(("left_ear", "right_ear")), _Midpoint(("nose",))),
    "nose": (_Midpoint(("head",)),),
    "neck": (_SHOULDERS, _Midpoint(("shoulder_centre",))),
    "shoulder_centre": (_SHOULDERS, _Midpoint(("neck",))),
    "hip_centre": (_HIPS,),
    "spine": (_Midpoint(("belly",)), _TRUNK),
    "belly": (_Midpoint(("spine",)), _TRUNK),
    **_side_substitutes(),
}


def convert(
    xy: NDArray[np.float32], confidence: NDArray[np.float32], source: Layout, target: Layout
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The same skeletons in another layout.

    xy: (..., V, 2) or (..., V, 3); confidence: (..., V), 0 where a joint was not seen. Returns new arrays of the
    target's joints. Joints of equal name are copied with their confidence. Others are made: the head from the seen
    ears, else from the nose; neck, hip centre and spine from shoulders and hips when all of these are seen; parts of
    face, hands and feet from the next bigger part. A joint that nothing seen makes has confidence 0 and is at 0.
    Raises ValueError when the source has no joint that a target joint can be made from.
    """
    copied, made = _plan(source, target)
    out_confidence = confidence[..., copied].astype(np.float32)
    out_xy = np.where(out_confidence[..., None] > 0, xy[..., copied, :], np.float32(0))
    for place, groups in made:
        out_xy[..., place, :], out_confidence[..., place] = 0, 0
        for group, whole in reversed(groups):  # the best group is written last, over the others
            seen = (confidence[..., group] > 0).astype(np.float32)
            count = seen.sum(axis=-1)
            found = count == len(group) if whole else count > 0
            middle = (xy[..., group, :] * seen[..., None]).sum(axis=-2) / np.maximum(count, 1)[..., None]
            sure = confidence[..., group].min(axis=-1) if whole else (confidence[..., group] * seen).max(axis=-1)
            out_xy[..., place, :] = np.where(found[..., None], middle, out_xy[..., place, :])
            out_confidence[..., place] = np.where(found, sure, out_confidence[..., place])
    return out_xy, out_confidence


_Groups = tuple[tuple[list[int], bool], ...]


@cache
def _plan(source: Layout, target: Layout) -> tuple[NDArray[np.intp], tuple[tuple[int, _Groups], ...]]:
    """(V,) the source joint of each target joint, and how those without one (0 there) are made: place and groups."""
    copied = np.zeros(len(target), dtype=np.intp)
    made = []
    for index, joint in enumerate(target.joints):
        if joint in source.joints:
            copied[index] = source.index(joint)
            continue
        groups = tuple(
            ([source.index(name) for name in rule.joints], rule.whole)
            for rule in _SUBSTITUTES.get(joint, ())
            if all(name in source.joints for name in rule.joints)
        )
        if not groups:
            raise ValueError(f"layout {source.name} has nothing to make {joint} of {target.name} from")
        made.append((index, groups))
    return copied, tuple(made)
