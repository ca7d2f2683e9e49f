"""Errors of a pose estimator by joint, on poses whose errors are known."""

import argparse

import numpy as np
import pytest

from pose.skeleton import MPOSE_13
from recognizer.datasets.errors import DataError
from recognizer.datasets.sequences import LabelledSequence, Segment
from research import estimator_errors
from research.estimator_errors import as_text, measure

FRAMES, FPS = 400, 20.0


def sequence(noise_px: float = 0.0) -> LabelledSequence:
    """Somebody at rest with a torso of 100 px, before a camera of 640 x 480."""
    standing = np.full((13, 2), (320, 200), np.float32)
    for left, right, x, y in ((1, 2, 30, 150), (3, 4, 45, 200), (5, 6, 50, 250), (7, 8, 20, 250), (9, 10, 20, 330)):
        standing[left], standing[right] = (320 + x, y), (320 - x, y)
    standing[11], standing[12] = (345, 400), (295, 400)
    xy = standing + np.random.default_rng(0).normal(0, noise_px, (FRAMES, 13, 2)).astype(np.float32)
    return LabelledSequence(
        name="rest",
        source="made",
        person="p",
        times_s=np.arange(FRAMES) / FPS,
        xy_px=xy.astype(np.float32),
        confidence=np.ones((FRAMES, 13), np.float32),
        layout=MPOSE_13,
        size=(640, 480),
        segments=(Segment(0.0, FRAMES / FPS, "idle"),),
    )


def by_joint(one: LabelledSequence):
    return {errors.joint: errors for errors in measure([one])}


def test_noise_of_somebody_at_rest_is_in_torsos():
    found = by_joint(sequence(noise_px=2.0))
    assert all(errors.jitter == pytest.approx(0.02, rel=0.15) for errors in found.values())
    assert all(errors.jitter == 0 for errors in by_joint(sequence()).values())


def test_a_joint_that_is_hidden_for_a_while():
    one = sequence()
    one.confidence[100:110, 5] = 0
    one.confidence[200:230, 5] = 0
    wrist = by_joint(one)["left_wrist"]
    assert (wrist.hidden, wrist.hidden_s) == (pytest.approx(0.1), pytest.approx(1.0))
    assert by_joint(one)["right_wrist"].hidden == 0


def test_sides_that_change_places_are_swaps_there_and_back():
    one = sequence()
    one.xy_px[150:200, [11, 12]] = one.xy_px[150:200, [12, 11]]
    found = by_joint(one)
    minutes = (FRAMES - 1) / FPS / 60
    assert found["left_ankle"].swaps_a_minute == pytest.approx(2 / minutes)
    assert found["left_knee"].swaps_a_minute == 0


def test_what_lies_outside_the_picture():
    one = sequence()
    one.xy_px[:40, 12, 1] = 481
    assert by_joint(one)["right_ankle"].outside == pytest.approx(0.1)
    assert "right_ankle" in as_text(measure([one]))


def test_no_sequence_of_the_own_estimator_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr(estimator_errors.webcam_poses, "read", lambda folder: iter([sequence()]))
    options = argparse.Namespace(data=tmp_path, out=tmp_path / "errors.json")
    with pytest.raises(DataError, match="shows no training person by this program's own estimator"):
        estimator_errors.run(options)
    assert not options.out.exists()
