"""What a linear layer gets of poses and of the right answers alone."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `train`")

from recognizer.training.pretrain.recipes import SMALL_SET
from research.pretrain.without_network import answers, measure, poses


def test_poses_are_means_and_deviations():
    x = np.zeros((4, 2, 3), dtype=np.float32)
    x[:, 1, 0] = [0, 1, 0, 1]
    found = poses(x)
    assert found.shape == (12,)
    assert found[3] == 0.5
    assert found[6 + 3] == 0.5
    assert np.count_nonzero(found) == 2


def test_answers_are_the_shares_of_classes():
    """A joint that moves 5.5 cm along x every second frame: one interval, two joints, 27 directions, 16 magnitudes."""
    x = np.zeros((4, 2, 3), dtype=np.float32)
    x[:, 1, 0] = [0, 0.055, 0.055, 0.11]
    found = answers(x, 1, SMALL_SET.changed(intervals=(1,)))
    direction, magnitude = found[: 2 * 27].reshape(2, 27), found[2 * 27 :].reshape(2, 16)
    assert direction[0, 13] == 1  # joint 0 rests
    assert magnitude[0, 0] == 1
    assert direction[1, 12] == 0.5  # x_{t-1} - x_t is below 0: 0 + 3 + 9
    assert direction[1, 13] == 0.5
    assert magnitude[1, 6] == 0.5
    assert np.isclose(found.sum(), 4)


def test_answers_in_other_steps():
    x = np.zeros((4, 2, 3), dtype=np.float32)
    x[:, 1, 0] = [0, 0.055, 0.055, 0.11]
    found = answers(x, 1, SMALL_SET.changed(intervals=(1,)), (0.05,))
    assert found[2 * 27 :].reshape(2, 16)[1, 2] == 0.5  # 5.5 cm are in the second step of 5 cm


def test_wrists_that_rise_or_go_sideways_are_told_apart(clips):
    train_rows, eval_rows = np.flatnonzero(~clips.test), np.flatnonzero(clips.test)
    found = measure(clips, train_rows, eval_rows, 15, SMALL_SET)
    assert {name: score.of for name, score in found.items()} == dict.fromkeys(
        ("poses", "answers", "both"), len(eval_rows)
    )
    assert found["poses"].right >= 11
    assert found["answers"].right >= 8  # directions of the resting joints are noise
    flipped = dataclasses.replace(clips, labels=np.where(clips.test, 1 - clips.labels, clips.labels))
    assert measure(flipped, train_rows, eval_rows, 15, SMALL_SET)["poses"].right == 12 - found["poses"].right
