"""Made-up clips that move."""

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `train`")


sys.path.insert(0, str(Path(__file__).parent))  # where the fake is

from moving_people import recording

from research.pretrain.motion import motion_clips


@pytest.fixture(scope="session")
def recordings():
    rng = np.random.default_rng(0)
    return [recording(n, int(rng.integers(5, 15)), "ab"[n % 2], n >= 24) for n in range(36)]


@pytest.fixture(scope="session")
def clips(recordings):
    return motion_clips(recordings)
