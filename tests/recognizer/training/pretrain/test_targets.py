"""Targets of MPDP: those of the official code, and what the paper says where it differs."""

from pathlib import Path

import numpy as np
import pytest

from recognizer.training.pretrain.targets import ABSENT, FARTHEST, directions, displacement, magnitudes, mpdp_targets

PARITY = Path(__file__).resolve().parents[5] / "shared" / "parity" / "gltr_mpdp_targets.npz"


@pytest.mark.parametrize("sample", [0, 1])
def test_they_are_those_of_the_official_code(sample):
    """Also at PAD, and of a person who is not there (sample 1)."""
    if not PARITY.is_file():
        pytest.skip("the reference targets are not there")
    with np.load(PARITY) as file:
        x, expected = file[f"data{sample}"], (file[f"dir{sample}"], file[f"mag{sample}"])
    found = mpdp_targets(np.moveaxis(x, 0, 2)[None], people=2)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours[0].reshape(60, 150), theirs)


def test_the_two_readings_of_a_displacement():
    x = np.arange(6.0).reshape(1, 6, 1, 1) ** 2
    code, paper = (displacement(x, 2, reading)[0, :, 0, 0].tolist() for reading in ("code", "paper"))
    assert code == [0, -1, -4, -8, -12, -16]
    assert paper == [0, 0, 4, 8, 12, 16]


def test_directions_number_the_signs():
    ways = np.array([[0, 0, 0], [-1, -1, -1], [2, 3, 4], [1, 0, -1], [1e-12, 0, 0]])
    assert directions(ways).tolist() == [13, 0, 26, 2 + 3, 14]
    assert directions(np.array([[0, 0], [1, -1]])).tolist() == [4, 2]


def test_magnitudes_number_centimetres():
    lengths = np.array([0, 1e-9, 0.0099, 0.0101, 0.125, 0.131, 5])
    ways = np.stack([lengths * 0.6, lengths * 0.8, 0 * lengths], axis=1)
    assert magnitudes(ways).tolist() == [0, 1, 1, 2, 13, FARTHEST, FARTHEST]


def test_only_a_further_person_can_be_absent():
    x = np.random.default_rng(0).normal(size=(2, 4, 6, 3))
    x[0, :, 1::2] = 0  # the second of two
    x[1, :, 0::2] = 0
    direction, magnitude = mpdp_targets(x, people=2, intervals=(1, 2))
    assert direction.shape == magnitude.shape == (2, 4, 2, 6)
    assert (magnitude[0, :, :, 1::2] == ABSENT).all()
    assert (magnitude[0, :, :, 0::2] != ABSENT).all()
    assert (magnitude[1] != ABSENT).all()
