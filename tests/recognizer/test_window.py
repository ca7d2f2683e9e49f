"""Timed poses to clips: ticks, rates, lost joints, gaps, and bounded memory."""

import itertools
import tracemalloc

import numpy as np
import pytest

from pose.skeleton import MEDIAPIPE_33, MPOSE_13, Layout, convert
from pose.types import Pose
from recognizer.clips import Clip
from recognizer.window import MAX_JOINT_GAP_S, MAX_POSE_GAP_S, PoseWindow, resample

FRAMES, FPS = 30, 15.0
SPAN_S = (FRAMES - 1) / FPS
V = len(MPOSE_13)
WRIST = MPOSE_13.index("left_wrist")


def motion(time_s: float, layout: Layout = MPOSE_13) -> np.ndarray:
    """(V, 2) pixels: every joint on its own slow course, at most 1.5 Hz."""
    joints = np.arange(len(layout))
    x = 200 + 10 * joints + 40 * np.sin(2 * np.pi * (0.4 + 0.08 * (joints % 13)) * time_s + joints)
    y = 100 + 20 * joints + 30 * np.cos(2 * np.pi * 0.7 * time_s + 2 * joints)
    return np.stack([x, y], axis=-1).astype(np.float32)


def pose(time_s: float, confidence=1.0, layout: Layout = MPOSE_13, person: int = 0) -> Pose:
    return Pose(
        motion(time_s, layout),
        np.broadcast_to(np.float32(confidence), (len(layout),)).copy(),
        layout,
        time_s,
        person,
    )


def push_all(window: PoseWindow, poses) -> list[Clip]:
    return [clip for each in poses for clip in window.push(each)]


def times(rate: float, from_s: float, to_s: float) -> np.ndarray:
    return np.arange(from_s, to_s, 1 / rate)


def window() -> PoseWindow:
    return PoseWindow(FRAMES, FPS, MPOSE_13)


def tick_times_s(clip: Clip) -> np.ndarray:
    return clip.time_s - (FRAMES - 1 - np.arange(FRAMES)) / FPS


@pytest.mark.parametrize("rate", [15, 24, 30, 60, 120])
def test_clips_come_at_the_cards_rate_from_faster_cameras(rate):
    clips = push_all(window(), [pose(t) for t in times(rate, 10.013, 20.0)])
    ends_s = np.array([clip.time_s for clip in clips])
    np.testing.assert_allclose(np.diff(ends_s), 1 / FPS, atol=1e-9)
    np.testing.assert_allclose(ends_s * FPS, np.round(ends_s * FPS), atol=1e-6)
    assert 10.013 + SPAN_S <= ends_s[0] <= 10.013 + SPAN_S + 2 / FPS
    assert ends_s[-1] > 20.0 - 1 / FPS - 1 / rate - 1e-6


def test_a_slower_camera_gives_a_clip_a_pose():
    poses = [pose(t) for t in times(10, 0.0, 6.0)]
    counts = [len(each) for each in map(window().push, poses)]
    assert set(counts[20:]) == {1}


@pytest.mark.parametrize(("rate", "limit_px"), [(10, 4.5), (15, 2.0), (24, 1.5), (30, 1.5), (60, 1.5)])
def test_joints_are_where_they_were_at_the_ticks(rate, limit_px):
    """A swing of 40 pixels at 1.4 Hz: chords cut (w dt)^2 / 8 of it off the peaks, a triangle (w step)^2 / 12."""
    clips = push_all(window(), [pose(t, person=3) for t in times(rate, 0.0071, 5.0)])
    for clip in clips:
        truth = np.stack([motion(t) for t in tick_times_s(clip)])
        assert np.abs(clip.xy_px - truth).max() < limit_px
        assert clip.confidence.min() == 1
        assert (clip.fps, clip.layout, clip.person) == (FPS, MPOSE_13, 3)
        assert (clip.xy_px.dtype, clip.confidence.dtype) == (np.float32, np.float32)


def test_motion_along_a_line_is_kept_exactly_at_uneven_times():
    """No lag and no smoothing bias, at the newest poses too."""
    rng = np.random.default_rng(1)
    uneven = np.cumsum(rng.uniform(0.5 / 30, 1.5 / 30, 200))
    line = [Pose(np.full((V, 2), 100 * t, np.float32), np.ones(V, np.float32), MPOSE_13, t) for t in uneven]
    clips = push_all(window(), line)
    assert len(clips) > 50
    for clip in clips:
        np.testing.assert_allclose(clip.xy_px[:, 0, 0], 100 * tick_times_s(clip), atol=0.02)


def test_noise_of_a_fast_camera_is_averaged():
    """At 60 FPS a clip has less noise than one pose has; plain interpolation keeps about four fifths of it."""
    rng = np.random.default_rng(2)
    still = [
        Pose(rng.normal(300, 2, (V, 2)).astype(np.float32), np.ones(V, np.float32), MPOSE_13, t)
        for t in times(60, 0.003, 4.0)
    ]
    noise_px = np.std([clip.xy_px for clip in push_all(window(), still)])
    assert 0.6 < noise_px < 1.3


def test_a_clip_needs_the_full_span():
    filling = window()
    fills = []
    for t in times(30, 3.0, 3.0 + SPAN_S - 0.02):
        assert filling.push(pose(t)) == ()
        fills.append(filling.fill)
    assert fills[0] == 0
    assert all(a < b for a, b in itertools.pairwise(fills))
    assert 0.95 < fills[-1] < 1
    assert push_all(filling, [pose(t) for t in times(30, 3.0 + SPAN_S, 5.2)])
    assert filling.fill == 1


def test_after_a_hiccup_only_the_newest_clip_is_due():
    running = window()
    push_all(running, [pose(t) for t in times(30, 0.0, 3.0)])
    clips = running.push(pose(3.4))
    assert [clip.time_s for clip in clips] == pytest.approx([3.4])


def test_a_joint_lost_for_a_moment_is_filled_in():
    poses = [pose(t) for t in times(30, 0.0, 4.0)]
    for each in poses:
        if 2.0 < each.time_s < 2.0 + MAX_JOINT_GAP_S - 0.07:
            each.confidence[WRIST] = 0.02
            each.xy_px[WRIST] = (-5000, 7000)  # what MediaPipe guesses must not be used
    clip = push_all(window(), poses)[-1]
    assert clip.confidence.min() > 0.9
    truth = np.stack([motion(t) for t in tick_times_s(clip)])
    assert np.abs(clip.xy_px - truth).max() < 6


def test_a_joint_lost_for_longer_is_missing():
    poses = [pose(t) for t in times(30, 0.0, 4.0)]
    for each in poses:
        if 2.5 < each.time_s < 3.2:
            each.confidence[WRIST] = 0
    clip = push_all(window(), poses)[-1]
    missing = clip.confidence[:, WRIST] == 0
    ticks = tick_times_s(clip)
    assert missing[(ticks > 2.7) & (ticks < 3.0)].all()
    assert not missing[(ticks < 2.5) | (ticks > 3.2)].any()
    assert (clip.xy_px[missing, WRIST] == 0).all()
    others = np.arange(V) != WRIST
    assert (clip.confidence[:, others] == 1).all()


def test_a_joint_just_lost_stays_for_a_moment_where_it_was():
    running = window()
    push_all(running, [pose(t) for t in times(30, 0.0, 3.0)])
    confidence = np.ones(V)
    confidence[WRIST] = 0
    clips = push_all(running, [pose(t, confidence) for t in times(30, 3.0, 3.6)])
    seen = [clip.confidence[-1, WRIST] > 0 for clip in clips]
    assert seen[0]
    assert not seen[-1]
    assert np.abs(clips[0].xy_px[-1, WRIST] - motion(2.97)[WRIST]).max() < 2


def test_a_joint_that_was_never_seen_is_missing():
    confidence = np.ones(V)
    confidence[WRIST] = 0
    clip = push_all(window(), [pose(t, confidence) for t in times(30, 0.0, 3.0)])[-1]
    assert (clip.confidence[:, WRIST] == 0).all()
    assert (clip.xy_px[:, WRIST] == 0).all()


def test_joints_that_are_nowhere_are_missing():
    poses = [pose(t) for t in times(30, 0.0, 3.0)]
    for each in poses:
        each.xy_px[WRIST] = np.nan
    clip = push_all(window(), poses)[-1]
    assert np.isfinite(clip.xy_px).all()
    assert (clip.confidence[:, WRIST] == 0).all()


def test_a_long_gap_without_poses_ends_the_window():
    running = window()
    push_all(running, [pose(t) for t in times(30, 0.0, 3.0)])
    assert running.push(pose(3.0 + MAX_POSE_GAP_S + 0.1)) == ()
    assert running.fill == 0
    clips = push_all(running, [pose(t) for t in times(30, 3.7, 6.5)])
    assert clips[0].time_s >= 3.0 + MAX_POSE_GAP_S + 0.1 + SPAN_S


def test_a_short_gap_without_poses_does_not():
    running = window()
    push_all(running, [pose(t) for t in times(30, 0.0, 3.0)])
    assert len(running.push(pose(3.0 + MAX_POSE_GAP_S - 0.1))) == 1


def test_time_that_goes_back_ends_the_window():
    running = window()
    push_all(running, [pose(t) for t in times(30, 100.0, 103.0)])
    assert running.push(pose(0.0)) == ()
    clips = push_all(running, [pose(t) for t in times(30, 0.033, 3.0)])
    assert clips[0].time_s == pytest.approx(SPAN_S, abs=2 / FPS)


def test_a_repeated_time_is_left_out():
    once, twice = window(), window()
    moments = times(30, 0.0, 3.0)
    first = push_all(once, [pose(t) for t in moments])
    second = push_all(twice, [each for t in moments for each in (pose(t), Pose(motion(0), np.ones(V), MPOSE_13, t))])
    assert len(first) == len(second)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.xy_px, b.xy_px)


def test_other_layouts_are_converted():
    clips = push_all(window(), [pose(t, layout=MEDIAPIPE_33) for t in times(30, 0.0, 3.0)])
    expected, _ = convert(motion(clips[-1].time_s, MEDIAPIPE_33), np.ones(33, np.float32), MEDIAPIPE_33, MPOSE_13)
    np.testing.assert_allclose(clips[-1].xy_px[-1], expected, atol=1)


def test_clips_already_given_do_not_change():
    running = window()
    clips = push_all(running, [pose(t) for t in times(30, 0.0, 3.0)])
    before = clips[-1].xy_px.copy()
    push_all(running, [pose(t) for t in times(30, 3.0, 30.0)])
    np.testing.assert_array_equal(clips[-1].xy_px, before)


@pytest.mark.parametrize("seed", range(4))
def test_a_clip_is_the_same_made_step_by_step_or_at_once(seed):
    """Poses are used again from clip to clip: never before they are final, whatever is lost or late."""
    rng = np.random.default_rng(seed)
    poses = []
    for t in np.cumsum(rng.choice([0.02, 0.04, 0.1, 0.45], 300, p=[0.5, 0.3, 0.18, 0.02])):
        lost = rng.random() < 0.1
        poses.append(pose(float(t), np.where(rng.random(V) < (0.7 if lost else 0.05), 0, 1)))
    running = window()
    compared = 0
    for index, each in enumerate(poses):
        for clip in running.push(each):
            xy, confidence = resample(
                np.array([p.time_s for p in poses[: index + 1]]),
                np.array([p.xy_px for p in poses[: index + 1]], np.float64),
                np.array([p.confidence for p in poses[: index + 1]], np.float64),
                tick_times_s(clip),
                1 / FPS,
            )
            np.testing.assert_allclose(clip.xy_px, xy, atol=1e-2)
            np.testing.assert_allclose(clip.confidence, confidence, atol=1e-5)
            compared += 1
    assert compared > 100


def one_joint(times_s, x, at_s, confidence=1.0):
    """x and confidence of one joint, resampled 20 times a second."""
    xy = np.stack([x, np.zeros_like(x)], axis=-1)[:, None]
    seen = np.broadcast_to(confidence, (len(times_s),))[:, None]
    found, confidence = resample(times_s, xy, seen, at_s, 1 / 20)
    return found[:, 0, 0], confidence[:, 0]


def test_a_gap_too_long_for_a_curve_is_crossed_by_a_chord():
    """Up to 30, nothing for 0.28 s, down: a curve would overshoot."""
    times_s = np.array([0, 0.05, 0.10, 0.15, 0.43, 0.48, 0.53, 0.58])
    x = np.array([0, 10, 20, 30, 30, 20, 10, 0.0])
    found, _ = one_joint(times_s, x, np.arange(3, 9) / 20)
    assert found.max() <= 31


def test_the_curve_is_that_of_the_parabola_through_uneven_samples():
    times_s = np.cumsum(np.tile([0.02, 0.10], 25))
    at_s = np.arange(10, 50) / 20
    found, _ = one_joint(times_s, 1000 * times_s**2, at_s)
    assert np.ptp(found - 1000 * at_s**2) < 0.5


def test_confidence_is_interpolated_between_samples():
    times_s, confidence = np.arange(20) / 10, np.linspace(0.2, 1, 20)
    at_s = np.arange(10, 30) / 20 + 0.02
    _, found = one_joint(times_s, np.zeros(20), at_s, confidence)
    np.testing.assert_allclose(found, np.interp(at_s, times_s, confidence), atol=1e-5)


def test_memory_does_not_grow():
    running = window()

    def held_bytes() -> int:
        return sum(value.nbytes for value in vars(running).values() if isinstance(value, np.ndarray))

    push_all(running, [pose(t) for t in times(1000, 0.0, 3.0)])  # absurdly fast
    before = held_bytes()
    assert len(push_all(running, [pose(t) for t in times(1000, 3.0, 20.0)])) == pytest.approx(17 * FPS, abs=2)
    assert held_bytes() == before


def test_impossible_windows_and_times_are_refused():
    with pytest.raises(ValueError, match="2 frames or more"):
        PoseWindow(1, FPS, MPOSE_13)
    with pytest.raises(ValueError, match="rate above 0"):
        PoseWindow(30, 0.0, MPOSE_13)
    with pytest.raises(ValueError, match="finite"):
        window().push(pose(float("nan")))


def test_a_long_recording_takes_memory_for_its_poses_alone():
    """Of three minutes, a matrix of every tick by every sample would take 400 MB."""
    times_s = np.arange(1800) / 10
    xy = np.random.default_rng(0).normal(size=(1800, 2, 2)).cumsum(axis=0)
    tracemalloc.start()
    try:
        found, _ = resample(times_s, xy, np.ones((1800, 2)), np.arange(3590) / 20, 1 / 20)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 64e6
    apart, _ = resample(times_s[880:920], xy[880:920], np.ones((40, 2)), np.arange(1770, 1830) / 20, 1 / 20)
    np.testing.assert_allclose(found[1770:1830], apart, atol=1e-4)
