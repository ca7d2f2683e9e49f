"""Counting of what repeats, on a figure whose movements are known; on people in test_counts_of_people."""

import numpy as np
import pytest
from moving_figure import counted, figure, kick, poses, squat, there_and_back

from recognizer.decision import Decision
from recognizer.repetition_counter import SPAN_S, RepetitionCounter


def squats(period_s=1.2, rest_s=0.3):
    return lambda time_s: squat(there_and_back(time_s, period_s, rest_s))


@pytest.mark.parametrize("fps", [10.0, 15.0, 30.0, 60.0])
@pytest.mark.parametrize("period_s", [0.7, 1.5, 4.0])
def test_each_repetition_is_told_once_with_its_number_and_time(fps, period_s):
    until_s = 5 * (period_s + 0.3) + 0.2
    found = counted(RepetitionCounter(0), poses(squats(period_s), until_s, fps=fps), "squat")
    assert [repetition.count for repetition in found] == [1, 2, 3, 4, 5]
    for number, repetition in enumerate(found):
        assert repetition.time_s == pytest.approx(number * (period_s + 0.3) + period_s, abs=0.25 * period_s + 0.35)
        assert repetition.action == "squat"


def test_counts_go_on_beyond_what_is_remembered():
    until_s = 4 * SPAN_S
    found = counted(RepetitionCounter(0), poses(squats(1.0, 0.5), until_s), "squat")
    assert [repetition.count for repetition in found] == list(range(1, len(found) + 1))
    assert len(found) == pytest.approx(until_s / 1.5, abs=1)
    assert found[-1].per_minute == pytest.approx(40, rel=0.05)


def test_half_a_repetition_is_none():
    def half_ones(time_s):
        depth = there_and_back(time_s, 1.5)
        return squat(depth if time_s < 4.5 or time_s > 7.5 else 0.4 * depth)  # the fourth and fifth are half

    found = counted(RepetitionCounter(0), poses(half_ones, 12.1), "squat")
    assert len(found) == 6


def test_a_little_more_than_half_a_repetition_is_one():
    def shallow_ones(time_s):
        return squat(there_and_back(time_s, 1.5) * (1 if time_s < 4.5 or time_s > 7.5 else 0.56))  # fourth and fifth

    assert len(counted(RepetitionCounter(0), poses(shallow_ones, 12.1, noise_px=0.3), "squat")) == 8


def test_the_last_repetition_need_not_come_back_all_the_way():
    def stops_halfway_up(time_s):
        depth = there_and_back(time_s, 1.5)
        return squat(depth if time_s < 6.75 else max(depth, 0.45) if time_s < 7.5 else 0.45)

    counter = RepetitionCounter(0)
    found = counted(counter, poses(stops_halfway_up, 9.0, noise_px=0.3), "squat")
    last, count = counter.finish("squat", 9.0)
    assert len(found) + len(last) == count == 4


def test_a_repetition_that_ends_just_after_the_action_belongs_to_it():
    """The end of an action is an estimate, too: here it is 0.2 s early."""
    counter = RepetitionCounter(0)
    for number, pose in enumerate(poses(squats(1.2, 0.0), 6.02, noise_px=0.2)):
        counter.push(pose)
        if pose.time_s < 5.3 and number % 3 == 0:
            counter.update(Decision(0, pose.time_s, "squat", 0.9, 0.0))
    assert counter.finish("squat", 5.85)[1] == 5


def test_what_was_begun_as_another_action_is_not_counted():
    counter, found = RepetitionCounter(0), []
    for number, pose in enumerate(poses(squats(1.0, 0.0), 9.1, noise_px=0.2)):
        counter.push(pose)
        if number % 3 == 0:
            action, since_s = ("kick", 0.0) if pose.time_s < 5.0 else ("squat", 5.0)
            found += counter.update(Decision(0, pose.time_s, action, 0.9, since_s))
    assert [repetition.count for repetition in found if repetition.action == "squat"] == [1, 2, 3, 4]  # of 5 to 9 s


def test_down_without_up_is_none():
    found = counted(RepetitionCounter(0), poses(lambda t: squat(min(t / 1.5, 1.0)), 5.0), "squat")
    assert found == []


def test_left_and_right_count_alike():
    def alternating(time_s):
        return kick(there_and_back(time_s, 0.9, 0.3), "left" if int(time_s / 1.2) % 2 == 0 else "right")

    found = counted(RepetitionCounter(0), poses(alternating, 7.25), "kick")
    assert len(found) == 6


def test_one_arm_is_enough_and_hidden_legs_do_no_harm():
    def wave(time_s):
        xy = figure()
        xy[5] += (70 * there_and_back(time_s, 0.8), -90)
        return xy

    legs = [f"{side}_{part}" for side in ("left", "right") for part in ("hip", "knee", "ankle")]
    found = counted(RepetitionCounter(0), poses(wave, 8.1, hidden=legs), "wave")
    assert len(found) == 10


def test_who_is_seen_from_the_side_is_counted_by_the_side_that_is_seen():
    def wave(time_s):
        xy = figure()
        xy[6] += (-70 * there_and_back(time_s, 0.8), -90)
        return xy

    left = [f"left_{part}" for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")]
    assert len(counted(RepetitionCounter(0), poses(wave, 8.1, hidden=left), "wave")) == 10


def test_standing_still_is_not_counted_whatever_it_is_called():
    found = counted(RepetitionCounter(0), poses(lambda t: figure(), 20.0, noise_px=2.0), "squat")
    assert found == []


@pytest.mark.parametrize("action", ["walk", "run", "idle", "unknown"])
def test_what_does_not_repeat_has_no_count(action):
    counter = RepetitionCounter(0)
    assert counted(counter, poses(squats(), 6.0), action) == []
    assert counter.count(action) == 0


def test_what_was_done_before_the_action_was_known_is_counted_then():
    found = counted(RepetitionCounter(0), poses(squats(1.0, 0.0), 5.1), "squat", known_after_s=2.5)
    assert [repetition.count for repetition in found] == [1, 2, 3, 4, 5]
    assert found[0].time_s < 2.0, "dated when it was done, not when it was told"


def test_a_short_doubt_does_not_begin_the_count_anew():
    counter = RepetitionCounter(0)
    moving = list(poses(squats(1.0, 0.0), 12.1))
    first = counted(counter, (p for p in moving if p.time_s < 4), "squat")
    doubt = counted(counter, (p for p in moving if 4 <= p.time_s < 7), "unknown", known_after_s=4.0)
    after = counted(counter, (p for p in moving if p.time_s >= 7), "squat", since_s=7.0, known_after_s=7.0)
    assert doubt == []
    assert [repetition.count for repetition in first + after] == list(range(1, 13))
    assert counter.finish("squat", 12.1) == ((), len(after))


def test_after_a_break_counting_begins_anew():
    counter = RepetitionCounter(0)
    counted(counter, poses(squats(1.0, 0.0), 4.1), "squat")
    counted(counter, poses(lambda t: figure(), 12.0, from_s=4.1), "idle", known_after_s=4.1)
    again = counted(counter, poses(squats(1.0, 0.0), 15.1, from_s=12.0), "squat", since_s=12.0, known_after_s=12.0)
    assert [repetition.count for repetition in again] == [1, 2, 3]


def test_no_repetition_after_a_short_break_is_taken_for_one_before_it():
    counter = RepetitionCounter(0)
    before = counted(counter, poses(squats(), 18.0), "squat")
    before += counter.finish("squat", 18.0)[0]
    counted(counter, poses(lambda t: figure(), 22.0, from_s=18.0), "unknown", known_after_s=18.0)
    moving = poses(lambda t: squats()(t - 22.0), 37.0, from_s=22.0)
    after = counted(counter, moving, "squat", since_s=22.0, known_after_s=22.5)
    assert [repetition.count for repetition in before + after] == list(range(1, 23))


@pytest.mark.parametrize(("back_s", "counts"), [(4.3, [4, 5]), (7.9, [4, 5]), (8.3, [1, 2])])
def test_somebody_who_was_away_for_a_short_time_is_counted_on(back_s, counts):
    """Though the action is known only a second and a half after they are back."""
    counter = RepetitionCounter(0)
    counted(counter, poses(squats(1.0, 0.0), 3.1), "squat")
    moving = poses(lambda t: squats(1.0, 0.0)(t - back_s), back_s + 2.1, from_s=back_s)
    again = counted(counter, moving, "squat", since_s=back_s + 1.4, known_after_s=back_s + 1.5)
    assert [repetition.count for repetition in again] == counts
    assert counter.count("squat") == counts[-1]


def test_nothing_is_one_movement_across_an_absence():
    counter = RepetitionCounter(0)
    counted(counter, poses(lambda t: squat(min(1.0, t)), 2.0), "squat")  # down
    up = poses(lambda t: squat(max(0.0, 4.5 - t)), 6.0, from_s=3.5)
    assert counted(counter, up, "squat", since_s=4.9, known_after_s=5.0) == []


def test_joints_that_are_no_numbers_do_no_harm():
    moving = list(poses(squats(), 6.1))
    for pose in moving[::7]:
        pose.xy_px[3] = np.nan
    assert len(counted(RepetitionCounter(0), moving, "squat")) == 4
