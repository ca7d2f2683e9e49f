"""MMD: the official numbers, and what it says of sets that are alike or not."""

from pathlib import Path

import numpy as np
import pytest

from recognizer.training.generate import mmd

REFERENCE = Path(__file__).resolve().parents[5] / "shared" / "parity" / "sagcn_mmd.npz"


@pytest.fixture
def reference():
    if not REFERENCE.is_file():
        pytest.skip("the reference outputs are not there")
    with np.load(REFERENCE) as file:
        return dict(file)


@pytest.mark.parametrize(("mode", "name"), [("seq", "joint"), ("avg", "avg")])
def test_each_class_and_bandwidth_is_as_officially(reference, mode, name):
    labels = reference["label"].argmax(axis=1)
    for action in (0, 1):
        chosen = labels == action
        found = mmd.by_bandwidth(reference["gen"][chosen], reference["real"][chosen], mode)
        np.testing.assert_allclose(found, reference[f"{name}_by_class_bandwidth"][action], rtol=1e-4, atol=1e-12)


def test_the_measure_is_the_official_one(reference):
    labels = reference["label"].argmax(axis=1)
    found = mmd.discrepancy(reference["gen"], reference["real"], labels, labels)
    assert found.seq == pytest.approx(float(reference["mmd_seq"]), rel=1e-4)
    assert found.avg == pytest.approx(float(reference["mmd_avg"]), rel=1e-4)


def test_it_is_what_theory_says_of_two_normal_distributions():
    # E k(x, y) of N(0, I) and N(shift, I) in F dimensions: (s / (s + 4))^(F / 2) exp(-|shift|^2 / (s + 4))
    rng, shift, bandwidths = np.random.default_rng(0), 2.0, np.array(mmd.BANDWIDTHS)
    found = mmd.by_bandwidth(clips(rng, shift, 300), clips(rng, 0, 300), "seq")
    alike = (bandwidths / (bandwidths + 4)) ** (30 / 2)
    expected = np.sqrt(2 * alike * (1 - np.exp(-30 * shift**2 / (bandwidths + 4))))
    np.testing.assert_allclose(found[5:9], expected[5:9], rtol=0.05)
    assert mmd.best(found) == pytest.approx(expected.max(), rel=0.05)


def clips(rng, shift, n=40):
    return rng.normal(shift, 1, (n, 5, 6))


def test_the_farther_apart_the_greater():
    rng = np.random.default_rng(0)
    real, labels = clips(rng, 0), np.arange(40) % 2
    found = [mmd.discrepancy(clips(rng, shift), real, labels, labels) for shift in (0.0, 0.5, 2.0)]
    alike, near, far = (one.seq for one in found)
    assert not alike > near
    assert near < far
    assert found[1].avg < found[2].avg


def test_order_in_time_counts_for_clips_and_not_for_frames():
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.normal(size=(60, 8, 2)), axis=1)
    walk /= walk.std(axis=0)  # frames of all times are alike
    mixed = np.stack([walk[rng.permutation(60), t] for t in range(8)], axis=1)
    other = np.cumsum(rng.normal(size=(60, 8, 2)), axis=1)
    other /= other.std(axis=0)
    labels = np.zeros(60, np.intp)
    kept, shuffled = (mmd.discrepancy(made, other, labels, labels) for made in (walk, mixed))
    assert shuffled.seq > 0.1
    assert not kept.seq > shuffled.seq / 2
    assert not shuffled.avg > 0.1


def test_as_many_as_both_sets_have():
    rng = np.random.default_rng(0)
    made, real = clips(rng, 1, 9), clips(rng, 0, 5)
    zeros = np.zeros(9, np.intp)
    assert mmd.discrepancy(made, real, zeros, zeros[:5]) == mmd.discrepancy(made[:5], real, zeros[:5], zeros[:5])
    with pytest.raises(ValueError, match="no action has two"):
        mmd.discrepancy(made, real[:1], zeros, zeros[:1])
