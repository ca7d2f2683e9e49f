"""Where a take moves and where it rests, whatever the camera, its distance and its jitter."""

import numpy as np
import pytest
from teaching_examples import PLACES

from pose.skeleton import MPOSE_13
from recognizer.teaching.movement import Movement, held_postures, is_natural, movement, posture, rests, track_of

STANDING = np.array([PLACES[joint] for joint in MPOSE_13.joints]) / 0.5  # torsos
LEG = [MPOSE_13.index("right_knee"), MPOSE_13.index("right_ankle")]
ARM = [MPOSE_13.index("left_elbow"), MPOSE_13.index("left_wrist")]


def take(moves, seconds=7.0, *, fps=30.0, torso_px=100.0, jitter=0.01, sway=0.03, begins_s=0.0, seed=0, seen=None):
    """moves: (joints, (T,) of times to how far the joints go aside and up, in torsos) on somebody who stands."""
    rng = np.random.default_rng(seed)
    times_s = np.arange(0, seconds, 1 / fps)
    xy = np.repeat(STANDING[None], len(times_s), axis=0)
    xy[:, :, 0] += sway * np.sin(2 * np.pi * times_s / 3)[:, None] * (-STANDING[None, :, 1] / 3)
    for joints, way in moves:
        for joint, share in zip(joints, (0.5, 1.0), strict=True):
            xy[:, joint] += share * np.array([way(time_s) for time_s in times_s])
    xy = 300 + torso_px * (xy + rng.normal(0, jitter, xy.shape))
    confidence = np.full(xy.shape[:2], 0.9, np.float32)
    if seen is not None:
        confidence[:, ~seen] = 0
    return track_of(times_s, xy.astype(np.float32), confidence, MPOSE_13, begins_s)


def kick(begin_s, length_s=1.0):
    """The leg out and back."""

    def way(time_s):
        height = np.sin(np.pi * np.clip((time_s - begin_s) / length_s, 0, 1)) ** 2
        return np.array([1.2, -1.0]) * height

    return LEG, way


def raised(begin_s, end_s=np.inf, slowly_s=0.5, height=1.8):
    """The arm up, and held until it goes down."""

    def way(time_s):
        up, down = np.clip((time_s - begin_s) / slowly_s, 0, 1), np.clip((time_s - end_s) / slowly_s, 0, 1)
        return np.array([0.0, -height]) * (up - down)

    return ARM, way


@pytest.mark.parametrize("torso_px", [25.0, 250.0])
@pytest.mark.parametrize("fps", [12.0, 60.0])
@pytest.mark.parametrize("jitter", [0.0, 0.03])
def test_a_kick_is_found_from_near_and_far_at_any_rate_and_jitter(torso_px, fps, jitter):
    ((start_s, end_s),) = movement(take([kick(3.0)], torso_px=torso_px, fps=fps, jitter=jitter)).parts
    assert start_s == pytest.approx(2.95, abs=0.2)
    assert end_s == pytest.approx(4.05, abs=0.25)


def test_the_movement_may_begin_before_the_key():
    ((start_s, end_s),) = movement(take([kick(2.0)], begins_s=2.6)).parts
    assert start_s < 2.1
    assert 2.9 < end_s < 3.4


def test_somebody_who_was_on_the_move_before_the_key_begins_with_it():
    walking = LEG, lambda t: 0.5 * np.array([np.sin(2 * np.pi * t), np.cos(2 * np.pi * t)]) * (t < 2.6)
    ((start_s, end_s),) = movement(take([walking, kick(2.7)], begins_s=2.5)).parts
    assert start_s == 2.5
    assert end_s == pytest.approx(3.8, abs=0.3)


def test_what_had_ended_before_the_key_is_no_part_of_it():
    ((start_s, _),) = movement(take([kick(0.5, 0.6), kick(4.0)], begins_s=2.5)).parts
    assert start_s == pytest.approx(3.95, abs=0.2)


def test_a_small_movement_is_found_after_a_large_one_before_the_key():
    ((start_s, end_s),) = movement(take([kick(0.4, 0.5), raised(4.0, 4.8, height=0.9)], begins_s=2.0)).parts
    assert start_s == pytest.approx(3.95, abs=0.2)
    assert end_s == pytest.approx(5.35, abs=0.25)


def test_jitter_and_sway_alone_are_no_movement():
    assert movement(take([], jitter=0.03, sway=0.08)) == Movement(())


def test_a_glitch_of_one_frame_is_no_movement():
    times_s = np.arange(0, 4, 1 / 30)
    xy = (300 + 100 * np.repeat(STANDING[None], len(times_s), axis=0)).astype(np.float32)
    xy[60, ARM] += 300
    assert movement(track_of(times_s, xy, np.ones(xy.shape[:2], np.float32), MPOSE_13)) == Movement(())


def test_repetitions_with_a_rest_between_are_parts_of_their_own():
    found = movement(take([kick(1.5), kick(4.0)], 7.5))
    assert [round(start_s) for start_s, _ in found.parts] == [1, 4]


def test_repetitions_without_a_rest_are_one_part():
    ((start_s, end_s),) = movement(take([kick(2.0), kick(3.2)], 7.0)).parts
    assert start_s < 2.1
    assert end_s > 4.0


def test_a_step_after_the_action_is_no_part_of_it():
    small = LEG, lambda t: 0.25 * kick(5.0, 0.5)[1](t)
    assert len(movement(take([kick(2.0), small], 7.5)).parts) == 1


def test_the_way_to_the_key_that_ended_the_take_is_left_out():
    ((_, end_s),) = movement(take([kick(2.0), raised(6.5)], 7.0)).parts
    assert end_s < 3.5


def test_the_stillness_before_and_after_is_rest():
    track = take([kick(3.0)])
    before, after = rests(track, movement(track).parts, movement(track).parts)
    assert before[0] < 0.2
    assert before[1] == pytest.approx(2.9, abs=0.2)
    assert after == (pytest.approx(4.1, abs=0.2), pytest.approx(6.96, abs=0.1))


def test_feet_that_land_elsewhere_are_at_rest_all_the_same():
    def step_aside(time_s):
        return np.array([0.4, 0.0]) * np.clip((time_s - 3.5) / 0.4, 0, 1)

    track = take([kick(3.0), (LEG, step_aside)])
    found = movement(track)
    assert not found.held
    assert found.parts[0][1] < 4.6
    assert len(rests(track, found.parts, found.parts)) == 2


def test_a_posture_that_is_held_belongs_to_the_action():
    track = take([raised(2.5)], 6.0)
    found = movement(track)
    ((start_s, end_s),) = found.parts
    assert found.held
    assert (start_s, end_s) == (pytest.approx(2.4, abs=0.2), pytest.approx(5.96, abs=0.1))
    ((rest_start_s, rest_end_s),) = rests(track, found.parts, found.parts)
    assert rest_start_s < 0.2
    assert rest_end_s < 2.6


def test_a_posture_held_in_between_is_no_rest_either():
    track = take([raised(1.5, 4.0)], 7.0)
    ((start_s, end_s),) = movement(track).parts
    assert start_s < 1.6
    assert 4.3 < end_s < 5.0
    before, after = rests(track, movement(track).parts, movement(track).parts)
    assert before[1] < 1.6
    assert after[0] > 4.3


def test_somebody_who_holds_a_posture_from_the_beginning_is_not_cut():
    fidget = ARM, lambda t: np.array([0.25, 0.0]) * np.sin(np.pi * np.clip((t - 3) / 0.8, 0, 1))
    track = take([raised(-1.0), fidget], 7.0)
    assert movement(track) == Movement(())
    assert rests(track, [(2.5, 4.5)], [(2.5, 4.5)]) == []


def test_an_example_that_holds_the_stillness_itself_leaves_none():
    track = take([kick(3.0)], 9.0)
    assert rests(track, [(2.5, 6.5)], [(2.5, 6.5)]) == []
    assert len(held_postures(track, [(2.5, 6.5)])) == 1


def test_other_examples_are_not_looked_at():
    track = take([kick(3.0)])
    assert rests(track, [(2.9, 4.1)], [(2.9, 4.1), (4.1, 7.0)]) == [(0.0, pytest.approx(2.88, abs=0.05))]


def test_at_a_desk_without_hips_and_legs():
    seen = np.array([joint.partition("_")[2] not in ("hip", "knee", "ankle") for joint in MPOSE_13.joints])
    track = take([raised(3.0, 4.2, height=1.2)], seen=seen)
    ((start_s, end_s),) = movement(track).parts
    assert (start_s, end_s) == (pytest.approx(2.9, abs=0.25), pytest.approx(4.8, abs=0.3))
    assert len(rests(track, [(start_s, end_s)], [(start_s, end_s)])) == 2


def test_nobody_is_no_movement():
    track = take([kick(3.0)], seen=np.zeros(13, bool))
    assert movement(track) == Movement(())
    assert rests(track, [(1, 2)], [(1, 2)]) == []


def test_postures_of_rest():
    track = take([], 2.0)
    assert is_natural(posture(track, 0, 40))
    for changed in (raised(-1.0), (LEG, lambda _: np.array([0.3, -0.8]))):
        track = take([changed], 2.0)
        assert not is_natural(posture(track, 0, 40))
