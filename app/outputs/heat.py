"""Colours of relevance and attention: one scale for all recognizers and methods, in the window and in saved videos."""

import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]

# Violet to yellow as in the ST-TR paper's Fig. 8; lightness rises evenly, so it reads without colour vision too.
_HEAT = np.array([(68, 1, 84), (70, 50, 126), (54, 92, 141), (39, 127, 142), (53, 183, 121), (253, 231, 37)], float)
# Evidence against, none, evidence for.
_SIGNED = np.array([(49, 104, 205), (70, 84, 120), (52, 54, 62), (150, 112, 40), (253, 212, 37)], float)


def heat_rgb(values: NDArray[np.floating]) -> Rgb:
    """(...,) of 0..1 to (..., 3): violet to yellow. NaN counts as 0."""
    return _between(_HEAT, np.nan_to_num(values))


def signed_rgb(values: NDArray[np.floating]) -> Rgb:
    """(...,) of -1..1 to (..., 3): blue is evidence against, dark is none, yellow is evidence for."""
    return _between(_SIGNED, (np.nan_to_num(values) + 1) / 2)


def _between(stops: NDArray[np.float64], values: NDArray[np.floating]) -> Rgb:
    place = np.clip(values, 0, 1) * (len(stops) - 1)
    below = np.minimum(place.astype(np.intp), len(stops) - 2)
    part = (place - below)[..., None]
    rgb: Rgb = np.round(stops[below] * (1 - part) + stops[below + 1] * part).astype(np.uint8)
    return rgb
