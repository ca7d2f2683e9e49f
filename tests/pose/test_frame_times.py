"""Times of packets and frames: kept where they are sound, repaired where they are not."""

import numpy as np
import pytest

from pose.frame_times import FrameClock, PacketTimes

TICKS = 1000


def shown(raw, fps=10, longest_s=0.0):
    """What becomes of times in seconds, None where there is none, of packets that are shown as they come."""
    packets = PacketTimes(TICKS // fps, TICKS, longest_s)
    clock = FrameClock(1 / fps)
    ticks = [None if time_s is None else round(time_s * TICKS) for time_s in raw]
    times = []
    for now, following in zip(ticks, [*ticks[1:], None], strict=True):
        pts, _ = packets.at(now, now, following)
        times.append(clock.at(None if pts is None else pts / TICKS))
    return times


@pytest.mark.parametrize(
    ("raw", "times"),
    [
        ([5.0, 5.1, 5.2], [0.0, 0.1, 0.2]),
        ([None, None, None], [0.0, 0.1, 0.2]),
        ([0.0, 0.0, 0.0], [0.0, 0.1, 0.2]),
        ([0.0, None, 0.2], [0.0, 0.1, 0.2]),
        ([3600.0, 3600.1, 0.0, 0.1], [0.0, 0.1, 0.2, 0.3]),  # a second recording joined on
        ([0.0, 0.1, 95000.0, 95000.1], [0.0, 0.1, 0.2, 0.3]),  # the same, as FFmpeg tells it of a transport stream
        ([0.0, 0.1, 4.1], [0.0, 0.1, 4.1]),
        ([0.0, 0.1, 20.1, 20.2], [0.0, 0.1, 20.1, 20.2]),
        ([0.0, 15.0, 30.0, 45.0], [0.0, 15.0, 30.0, 45.0]),
        ([0.0, 0.1, 500.0, 0.3, 0.4], [0.0, 0.1, 0.2, 0.3, 0.4]),  # one that is damaged
        ([60.0, 60.1, 2.0, 60.3, 60.4], [0.0, 0.1, 0.2, 0.3, 0.4]),
    ],
)
def test_times_are_kept_or_repaired(raw, times):
    assert shown(raw) == pytest.approx(times)


def test_a_gap_of_hours_is_believed_where_the_file_is_said_to_be_so_long():
    raw = [0.0, 7200.0, 14400.0]
    assert shown(raw, longest_s=14400.1) == pytest.approx(raw)
    assert shown(raw) == pytest.approx([0.0, 0.1, 0.2])


def test_times_in_the_wrong_order_still_increase_and_do_not_drift():
    times = shown([n / 10 for pair in range(0, 100, 2) for n in (pair + 1, pair)])
    assert (np.diff(times) > 0).all()
    assert times[-1] == pytest.approx(9.9, abs=0.2)


def test_a_joined_part_begins_after_the_last_picture_of_the_one_before():
    """Pictures that are shown later than they are decoded: the second part has no such delay."""
    packets = PacketTimes(100, TICKS)
    first = [packets.at(pts, dts) for pts, dts in ((200, 0), (500, 100), (300, 200), (400, 300))]
    second = [packets.at(n * 100 - 50_000, n * 100 - 50_000) for n in range(3)]
    assert sorted(pts for pts, _ in first) == [200, 300, 400, 500]
    assert [pts for pts, _ in second] == [600, 700, 800]


def test_a_frame_whose_time_steps_back_comes_a_little_later_and_those_after_it_keep_theirs():
    clock = FrameClock(0.04)
    assert [clock.at(stamp_s) for stamp_s in (0.0, 0.04, 0.03, 0.08)] == pytest.approx([0.0, 0.04, 0.044, 0.08])


def test_first_frames_without_a_time_come_before_the_first_that_has_one():
    clock = FrameClock(0.04)
    assert [clock.at(stamp_s) for stamp_s in (None, None, 10.0, 10.04)] == pytest.approx([0.0, 0.04, 0.08, 0.12])


def test_in_the_middle_of_a_file_nothing_is_guessed():
    clock = FrameClock(0.1, origin_s=3.0)
    assert clock.at(None) is None
    assert clock.at(8.0) == pytest.approx(5.0)
    assert clock.at(None) == pytest.approx(5.1)
