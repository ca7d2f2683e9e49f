"""Teaching examples to windows."""

import numpy as np
import pytest
from teaching_examples import made_example

from pose.skeleton import MPOSE_13
from pose.types import Pose
from recognizer.features import clip_features
from recognizer.teaching.windows import (
    ResampledExample,
    Shape,
    WindowAugmentation,
    augmented_positions,
    cut,
    jittered,
    mirrored,
    resampled,
    sliding,
)
from recognizer.window import PoseWindow

SHAPE = Shape(30, 20.0, MPOSE_13)


def test_windows_are_those_that_live_recognition_makes():
    example = made_example("raise", seconds=3.0)
    window = PoseWindow(SHAPE.frames, SHAPE.fps, MPOSE_13)
    poses = zip(example.times_s, example.xy_px, example.confidence, strict=True)
    live = [due for t, xy, seen in poses for due in window.push(Pose(xy, seen, MPOSE_13, float(t)))]
    even = resampled(example, SHAPE)
    starts = np.array([each.time_s - SHAPE.span_s for each in live])
    xy, confidence = cut(even, starts[:, None] + np.arange(SHAPE.frames) / SHAPE.fps)
    torso = 50.0
    # live windows end at the newest pose, whose smoothing knows no future
    assert np.abs(xy - np.stack([each.xy_px for each in live]))[:, :-2].max() < 0.05 * torso
    assert (confidence > 0).all()


def test_a_short_example_is_stretched_to_one_window():
    even = resampled(made_example("step", seconds=0.8), SHAPE)
    positions = sliding(even, SHAPE, 0.2)
    assert positions.shape == (1, 30)
    assert positions[0, 0] == 0
    assert positions[0, -1] == pytest.approx(even.duration_s)


def test_sliding_windows_reach_the_end_of_the_example():
    even = resampled(made_example("step", seconds=2.53), SHAPE)
    positions = sliding(even, SHAPE, 0.4)
    assert positions[-1, -1] == pytest.approx(even.duration_s)
    assert np.allclose(np.diff(positions[:-1, 0]), 0.4)


def test_shaken_windows_differ_in_start_and_speed_and_grow_with_the_example():
    rng = np.random.default_rng(0)
    short, long = (resampled(made_example("bow", seconds=s), SHAPE) for s in (1.4, 6.4))
    a, b = (augmented_positions(each, SHAPE, WindowAugmentation(), rng, 10) for each in (short, long))
    assert len(a) == 10
    assert 38 <= len(b) <= 45
    spans = b[:, -1] - b[:, 0]
    assert spans.min() < 0.95 * SHAPE.span_s < 1.05 * SHAPE.span_s < spans.max()
    assert len(np.unique(b[:, 0])) == len(b)


def test_a_joint_that_is_missing_stays_missing():
    example = made_example("raise")
    example.confidence[:, MPOSE_13.index("left_ankle")] = 0
    xy, confidence = cut(resampled(example, SHAPE), sliding(resampled(example, SHAPE), SHAPE, 0.3))
    place = MPOSE_13.index("left_ankle")
    assert not confidence[:, :, place].any()
    assert not xy[:, :, place].any()
    again, _ = jittered(xy, confidence, MPOSE_13, WindowAugmentation(), np.random.default_rng(0))
    assert not again[:, :, place].any()
    assert (np.abs(again - xy)[:, :, 0] > 0).all()


def test_the_mirror_exchanges_sides_and_twice_is_once():
    even = resampled(made_example("raise"), SHAPE)
    window = cut(even, sliding(even, SHAPE, 0.5))
    once = mirrored(*window, MPOSE_13)
    left, right = MPOSE_13.index("left_wrist"), MPOSE_13.index("right_wrist")
    assert np.allclose(once[0][:, :, left, 0], -window[0][:, :, right, 0])
    assert np.allclose(mirrored(*once, MPOSE_13)[0], window[0])


def test_noise_is_in_units_of_the_body():
    example = ResampledExample(*cut_whole(made_example("bow")), 1 / 40)
    far = ResampledExample(example.xy / 4, example.confidence, 1 / 40)
    found = []
    for each in (example, far):
        window = cut(each, sliding(each, SHAPE, 0.5))
        found.append(
            clip_features(*jittered(*window, MPOSE_13, WindowAugmentation(), np.random.default_rng(1)), SHAPE.fps)
        )
    assert np.allclose(found[0], found[1], atol=2e-3)


def cut_whole(example):
    even = resampled(example, SHAPE)
    return even.xy, even.confidence
