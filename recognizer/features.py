"""Clips to model input: the only copy of the feature code, used live and in training."""

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import MPOSE_13

FEATURES_VERSION = "mpose13-xyvb-2"
LAYOUT = MPOSE_13
RATE_FPS = 20.0  # velocities are displacements in 1/20 s, whatever the rate of the clip
CHANNELS = ("x", "y", "vx", "vy", "bx", "by")

_L_SHOULDER, _R_SHOULDER = LAYOUT.index("left_shoulder"), LAYOUT.index("right_shoulder")
_L_HIP, _R_HIP = LAYOUT.index("left_hip"), LAYOUT.index("right_hip")
# A standing adult's torso is about 1.25 shoulder widths or 0.55 of a leg, seen from the front.
_SHOULDERS_TO_TORSO = 1.25
_LEG_TO_TORSO = 0.55
# Nothing a body does is further than this from its hips; a joint that a detector put elsewhere must not drown the rest.
_LIMIT = 6.0
# The joint that each joint's bone comes from; -1 is the middle of the shoulders, -2 the middle of the hips.
_PARENT = {
    **{"head": -1, "left_shoulder": -2, "right_shoulder": -2, "left_hip": _R_HIP, "right_hip": _L_HIP},
    **{
        f"{side}_{a}": LAYOUT.index(f"{side}_{b}")
        for side in ("left", "right")
        for a, b in (("elbow", "shoulder"), ("wrist", "elbow"), ("knee", "hip"), ("ankle", "knee"))
    },
}
_PARENTS = np.array([_PARENT[joint] for joint in LAYOUT.joints])


def clip_features(xy_px: NDArray[np.float32], confidence: NDArray[np.float32], fps: float) -> NDArray[np.float32]:
    """Features of clips of the MPOSE-13 layout, joint by joint: (..., T, V * 6).

    xy_px: (..., T, V, 2), any square unit, x right, y down. confidence: (..., T, V), 0 where a joint is missing.
    fps: rate of the T poses.

    For each joint: x, y from that frame's mid-hip; velocity vx, vy from un-centred coordinates in 1/20 s, 0 in the
    first frame; both in units of the window's scale, max(median torso, 1.25 shoulder widths, 0.55 of each leg).
    Then the unit direction bx, by of the bone that leads to the joint, which does not depend on the body's
    proportions. All are within -6..6, and 0 where the joint is missing (a velocity also where it was missing before).
    """
    xy = np.asarray(xy_px, dtype=np.float32)
    seen = np.asarray(confidence) > 0
    xy = np.where(seen[..., None], xy, np.float32(0))
    shoulders, have_shoulders = _middle(xy, seen, _L_SHOULDER, _R_SHOULDER)
    hips, have_hips = _middle(xy, seen, _L_HIP, _R_HIP)
    scale = _scale(xy, seen, shoulders, have_shoulders, hips, have_hips)
    hips, have_hips = _with_guessed_hips(shoulders, have_shoulders, hips, have_hips, scale)

    placed = seen & have_hips[..., None]
    position = np.where(placed[..., None], xy - hips[..., None, :], 0) / scale[..., None, None, None]
    velocity = np.zeros_like(xy)
    both = seen[..., 1:, :] & seen[..., :-1, :]
    velocity[..., 1:, :, :] = np.where(both[..., None], np.diff(xy, axis=-3), 0)
    velocity *= np.float32(fps / RATE_FPS) / scale[..., None, None, None]
    bones = _bone_directions(xy, seen, shoulders, have_shoulders, hips, have_hips)
    features = np.concatenate([position, velocity, bones], axis=-1)
    features = np.clip(features, -_LIMIT, _LIMIT)
    flat: NDArray[np.float32] = features.reshape(*features.shape[:-2], -1).astype(np.float32)
    return flat


def _middle(
    xy: NDArray[np.float32], seen: NDArray[np.bool_], left: int, right: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Middle (..., T, 2) of two joints, the one that is seen where the other is not, and where either is."""
    count = seen[..., left].astype(np.float32) + seen[..., right]
    total = xy[..., left, :] + xy[..., right, :]  # missing joints are at 0
    middle = total / np.maximum(count, np.float32(1))[..., None]
    return middle.astype(np.float32), count > 0


def _scale(
    xy: NDArray[np.float32],
    seen: NDArray[np.bool_],
    shoulders: NDArray[np.float32],
    have_shoulders: NDArray[np.bool_],
    hips: NDArray[np.float32],
    have_hips: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """The body's size in each window (...,), 1 where nothing of it can be measured."""

    def bone(a: int, b: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        return np.linalg.norm(xy[..., a, :] - xy[..., b, :], axis=-1), seen[..., a] & seen[..., b]

    torso = _median(np.linalg.norm(shoulders - hips, axis=-1), have_shoulders & have_hips)
    candidates = [torso, _SHOULDERS_TO_TORSO * _median(*bone(_L_SHOULDER, _R_SHOULDER))]
    for side in ("left", "right"):
        hip, knee, ankle = (LAYOUT.index(f"{side}_{part}") for part in ("hip", "knee", "ankle"))
        (thigh, have_thigh), (shin, have_shin) = bone(hip, knee), bone(knee, ankle)
        candidates.append(_LEG_TO_TORSO * _median(thigh + shin, have_thigh & have_shin))
    scale = np.max(candidates, axis=0)
    return np.where(scale > 1e-6, scale, np.float32(1))


def _median(values: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Lower median over the last axis of the valid values, 0 where there is none."""
    ordered = np.sort(np.where(valid, values, np.inf), axis=-1)
    count = valid.sum(axis=-1)
    middle = np.take_along_axis(ordered, np.maximum((count - 1) // 2, 0)[..., None], axis=-1)[..., 0]
    return np.where(count > 0, middle, 0).astype(np.float32)


def _with_guessed_hips(
    shoulders: NDArray[np.float32],
    have_shoulders: NDArray[np.bool_],
    hips: NDArray[np.float32],
    have_hips: NDArray[np.bool_],
    scale: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Mid-hips, put under the shoulders where no hip is seen: at the window's mean offset, else one scale below."""
    both = (have_shoulders & have_hips)[..., None]
    count = both.sum(axis=-2)
    mean = np.where(both, hips - shoulders, 0).sum(axis=-2) / np.maximum(count, 1)
    below = np.stack([np.zeros_like(scale), scale], axis=-1)
    offset = np.where(count > 0, mean, below)
    guessed = np.where(have_hips[..., None], hips, shoulders + offset[..., None, :])
    return guessed.astype(np.float32), have_hips | have_shoulders


def _bone_directions(
    xy: NDArray[np.float32],
    seen: NDArray[np.bool_],
    shoulders: NDArray[np.float32],
    have_shoulders: NDArray[np.bool_],
    hips: NDArray[np.float32],
    have_hips: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """Unit vectors (..., T, V, 2) from each joint's parent to the joint."""
    joints = np.concatenate([xy, hips[..., None, :], shoulders[..., None, :]], axis=-2)
    have = np.concatenate([seen, have_hips[..., None], have_shoulders[..., None]], axis=-1)
    bone = xy - joints[..., _PARENTS, :]
    length = np.linalg.norm(bone, axis=-1)
    valid = seen & have[..., _PARENTS] & (length > 1e-6)
    return np.where(valid[..., None], bone / np.where(valid, length, 1)[..., None], 0)
