"""Plausible places for joints that were not seen."""

import numpy as np
from numpy.typing import NDArray

_SHOULDERS = [1, 2]
_SHOULDERS_TO_TORSO = 1.5
# Where each joint is on somebody who stands before the camera: the joint that it hangs on (None: between the
# shoulders), and how far to the right of the picture and down from there, in torsos.
_STANDING: tuple[tuple[int | None, float, float], ...] = (
    *((None, 0.0, -0.4), (None, 0.33, 0.0), (None, -0.33, 0.0), (1, 0.05, 0.5), (2, -0.05, 0.5)),
    *((3, 0.0, 0.45), (4, 0.0, 0.45), (None, 0.2, 1.0), (None, -0.2, 1.0)),
    *((7, 0.0, 0.7), (8, 0.0, 0.7), (9, 0.0, 0.66), (10, 0.0, 0.66)),
)


def filled(joints: NDArray[np.float32], seen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Joints (T, 13, 2 or 3) with those that are not seen where they may be, so that a body's size can be measured.

    A joint that is seen at another time is where it was last (before that, where it is first); one that is never seen
    is put where it would be on somebody who stands. At least one joint has to be seen.
    """
    out = joints.copy()
    frames = np.arange(len(joints))
    ever = np.asarray(seen.any(axis=0))
    for joint in np.flatnonzero(ever).tolist():
        known = np.flatnonzero(seen[:, joint])
        nearest = known[np.clip(np.searchsorted(known, frames, side="right") - 1, 0, None)]
        out[:, joint] = joints[nearest, joint]
    anchor = out[:, _SHOULDERS].mean(axis=1) if ever[_SHOULDERS].all() else out[:, ever].mean(axis=1)
    width = float(np.median(np.linalg.norm(out[:, 1] - out[:, 2], axis=-1))) if ever[_SHOULDERS].all() else 0.0
    extent = float(np.ptp(out[:, ever], axis=(0, 1)).max())
    torso = np.float32(max(_SHOULDERS_TO_TORSO * width, extent / 4, 1e-3))
    for joint, (parent, right, down) in enumerate(_STANDING):
        if not ever[joint]:
            origin = anchor if parent is None else out[:, parent]
            out[:, joint] = origin + torso * np.array([right, down, 0], np.float32)[: joints.shape[-1]]
    return out
