"""Targets of MPDP: those of the official code, and what the paper says where it differs."""

from pathlib import Path

import numpy as np
import pytest

from recognizer.training.pretrain.targets import (
    ABSENT,
    FARTHEST,
    directions,
    displacement,
    magnitudes,
    mpdp_targets,
    steps_of,
)

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


def test_steps_leave_a_twentieth_of_the_moves_of_each_interval_to_the_last_class():
    rng = np.random.default_rng(0)
    clips = [np.cumsum(rng.normal(0, scale, (40, 6, 3)), axis=0) for scale in (0.02, 0.05)]
    steps = steps_of(clips, (1, 10))
    assert steps[1] > 2 * steps[0]  # a random walk is sqrt(10) times as far
    for place, interval in enumerate((1, 10)):
        far = [magnitudes(displacement(clip[None], interval), steps[place]) for clip in clips]
        moved = np.concatenate([classes[classes > 0] for classes in far])
        assert abs((moved == FARTHEST).mean() - 0.05) < 0.005
        lengths = np.concatenate([np.linalg.norm(displacement(c[None], interval), axis=-1).ravel() for c in clips])
        assert steps[place] * 13 == pytest.approx(np.quantile(lengths[lengths > 0], 0.95))


def test_each_interval_has_its_own_step():
    x = np.zeros((1, 12, 1, 2))
    x[0, :, 0, 0] = 0.035 * np.arange(12)  # 3.5 cm a frame, 35 cm in ten
    _, plain = mpdp_targets(x, 1, (1, 10))
    _, scaled = mpdp_targets(x, 1, (1, 10), steps_m=(0.02, 0.1))
    assert plain[0, -1, :, 0].tolist() == [4, FARTHEST]
    assert scaled[0, -1, :, 0].tolist() == [2, 4]
    assert steps_of([np.zeros((5, 2, 3))], (1,)) == (0.01,)  # nothing moves
