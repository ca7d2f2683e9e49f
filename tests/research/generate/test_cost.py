"""What the links cost: with the frames in the sparse form, with their square in the dense one."""

import pytest

from recognizer.training.models.sa_gcn import SaGcnConfig
from research.generate import cost


def kept(frames, form, **changes):
    return cost.measure(SaGcnConfig(mix="none", **changes), frames, form, 1, 1).kept_bytes


def test_memory_grows_with_the_frames_and_not_with_their_square():
    assert kept(280, "sparse") / kept(70, "sparse") == pytest.approx(4, rel=0.1)
    assert kept(80, "dense") / kept(20, "dense") > 8


def test_memory_grows_with_the_kept_frames():
    few, more, most = (kept(70, "sparse", keep=keep) for keep in (2, 4, 8))
    assert more - few > 0
    assert (most - more) / (more - few) == pytest.approx(2, rel=0.1)
