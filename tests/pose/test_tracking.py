"""Identities of people who move, cross, vanish for a moment and are seen twice."""

from dataclasses import replace

import numpy as np
import pytest

from pose.skeleton import MPOSE_13
from pose.tracker import Tracker, similarity, trunk_gap
from pose.types import Pose

FPS = 30
# A person of one unit's height, feet at the origin, y down: joints in the order of MPOSE_13.
BODY = np.array(
    [
        *[(0, -0.93), (0.12, -0.8), (-0.12, -0.8), (0.17, -0.63), (-0.17, -0.63), (0.18, -0.46), (-0.18, -0.46)],
        *[(0.07, -0.5), (-0.07, -0.5), (0.08, -0.26), (-0.08, -0.26), (0.08, 0), (-0.08, 0)],
    ]
)


def person(x: float, time_s: float, *, height: float = 300, y: float = 400, confidence: float = 1.0) -> Pose:
    """A walking person with swinging limbs; person is -1 so that a forgotten identity shows."""
    body = BODY.copy()
    swing = 0.12 * np.sin(2 * np.pi * time_s)
    body[[5, 10, 12], 0] += swing
    body[[6, 9, 11], 0] -= swing
    xy = (body * height + [x, y]).astype(np.float32)
    return Pose(xy, np.full(13, confidence, np.float32), MPOSE_13, time_s, -1)


def place(pose: Pose) -> float:
    return float(pose.xy_px[7:9, 0].mean())


def run(tracker: Tracker, people_at, seconds: float, *, begin: float = 0.0, seed: int = 0) -> list[dict[int, float]]:
    """Identity to place, for each frame; the order of the poses is shuffled."""
    rng, out = np.random.default_rng(seed), []
    for i in range(round(seconds * FPS)):
        t = begin + i / FPS
        poses = people_at(t)
        found = tracker.update([poses[j] for j in rng.permutation(len(poses))], t)
        assert all(pose.time_s == t for pose in found)
        out.append({pose.person: place(pose) for pose in found})
    return out


def test_somebody_alone_is_named_at_once_and_keeps_the_name():
    frames = run(Tracker(2), lambda t: [person(100 + 150 * t, t)], 3)
    assert all(set(frame) == {0} for frame in frames)


def test_two_people_keep_their_names_whatever_the_order():
    frames = run(Tracker(2), lambda t: [person(150, t), person(500, t)], 2)
    assert all(set(frame) == {0, 1} for frame in frames[FPS // 2 :])
    sides = [frame[0] < frame[1] for frame in frames[FPS // 2 :]]
    assert all(sides) or not any(sides)


@pytest.mark.parametrize("seed", range(5))
def test_people_who_cross_keep_their_names(seed):
    """They walk past each other at different depths, two body heights a second apart, and are both seen."""

    def crossing(t: float) -> list[Pose]:
        return [person(100 + 200 * t, t, height=300, y=420), person(700 - 200 * t, t, height=240, y=380)]

    frames = run(Tracker(2), crossing, 3, seed=seed)
    names = {name: frames[FPS // 2][name] < 400 for name in (0, 1)}  # who came from the left
    assert {name: frames[-1][name] > 400 for name in (0, 1)} == names


@pytest.mark.parametrize("hidden_s", [0.2, 0.5])
def test_people_who_cross_with_one_hidden_keep_their_names(hidden_s):
    """The farther one is not seen around the meeting."""

    def crossing(t: float) -> list[Pose]:
        near, far = person(100 + 250 * t, t), person(850 - 250 * t, t, height=220, y=370)
        return [near] if abs(t - 1.5) < hidden_s / 2 else [near, far]

    frames = run(Tracker(2), crossing, 3)
    assert set().union(*frames) == {0, 1}
    left = next(name for name in (0, 1) if frames[FPS // 2][name] < 475)
    assert frames[-1][left] > frames[-1][1 - left]


def test_drop_outs_do_not_change_names():
    rng = np.random.default_rng(1)

    def flickering(t: float) -> list[Pose]:
        both = [person(150 + 40 * t, t), person(500, t)]
        return [pose for pose in both if rng.random() > 0.3]

    frames = run(Tracker(2), flickering, 5)
    assert set().union(*frames) == {0, 1}
    later = [frame for frame in frames[FPS:] if len(frame) == 2]
    assert len({frame[0] < frame[1] for frame in later}) == 1


def test_somebody_back_within_a_second_is_the_same_and_later_somebody_new():
    tracker = Tracker(2)
    run(tracker, lambda t: [person(200, t)], 1)
    assert run(tracker, lambda t: [person(200, t)], 0.5, begin=1.8)[0].keys() == {0}
    assert run(tracker, lambda t: [person(200, t)], 0.5, begin=3.6)[0].keys() == {1}


def test_somebody_who_is_not_seen_is_taken_to_move_on_for_a_moment_and_no_longer():
    tracker = Tracker(2)
    run(tracker, lambda t: [person(100 + 300 * t, t)], 1.0)
    assert run(tracker, lambda t: [person(400, t)], 0.3, begin=1.8)[0].keys() == {0}  # where the person was last


def test_names_are_not_used_again_after_forgetting():
    tracker = Tracker(2)
    run(tracker, lambda t: [person(200, t)], 1)
    tracker.forget()
    assert run(tracker, lambda t: [person(200, t)], 1)[0].keys() == {1}


def test_a_flash_beside_a_known_person_gets_no_name():
    def flash(t: float) -> list[Pose]:
        return [person(200, t)] + ([person(500, t)] if 1.0 < t < 1.1 else [])

    assert set().union(*run(Tracker(2), flash, 2)) == {0}


def test_flashes_that_come_again_get_no_name_beside_a_known_person():
    def flashes(t: float) -> list[Pose]:
        return [person(200, t)] + ([person(500, t)] if 1.0 < t < 1.1 or 1.5 < t < 1.6 else [])

    assert set().union(*run(Tracker(2), flashes, 2)) == {0}


@pytest.mark.parametrize(
    ("seen", "names"),
    [
        (range(9, 13), {0}),  # legs
        (range(8, 13), {0}),  # legs and one hip
        ((1, 3, 5), {0}),  # an arm with its shoulder
        (range(7, 13), {0, 1}),  # legs and both hips
        ((1, 2), {0, 1}),  # both shoulders
        ((1, 7), {0, 1}),  # a shoulder and a hip
    ],
)
def test_beside_a_known_person_two_joints_of_the_trunk_make_a_name(seen, names):
    def both(t: float) -> list[Pose]:
        confidence = np.where(np.isin(np.arange(13), seen), 1, 0.1).astype(np.float32)
        return [person(200, t), replace(person(500, t), confidence=confidence)]

    assert set().union(*run(Tracker(2), both, 2)) == names


def test_the_same_person_seen_twice_is_one():
    rng = np.random.default_rng(2)

    def twice(t: float) -> list[Pose]:
        one = person(300, t)
        noise = rng.normal(0, 3, one.xy_px.shape).astype(np.float32)
        return [one, replace(one, xy_px=one.xy_px + noise, confidence=one.confidence * np.float32(0.9))]

    frames = run(Tracker(2), twice, 2)
    assert all(set(frame) == {0} for frame in frames)


def test_of_the_same_person_seen_twice_the_surer_one_is_taken():
    unsure, sure = person(300, 0.0, confidence=0.5), person(302, 0.0)
    for poses in ([unsure, sure], [sure, unsure]):
        (found,) = Tracker(2).update(poses, 0.0)
        np.testing.assert_array_equal(found.xy_px, sure.xy_px)


def test_an_upside_down_second_skeleton_gets_no_name():
    """MediaPipe at times finds a second person on the first one's trunk, head downwards."""

    def inverted(t: float) -> list[Pose]:
        one = person(300, t)
        turned = one.xy_px * [1, -1] + [0, 2 * 205 + 30]  # trunks 0.1 of a body apart
        return [one, replace(one, xy_px=turned.astype(np.float32))]

    assert set().union(*run(Tracker(2), inverted, 2)) == {0}


def test_people_who_come_to_hug_stay_two():
    def hug(t: float) -> list[Pose]:
        apart = max(200 - 150 * t, 45)  # trunks 0.15 of a body apart in the end
        return [person(300, t), person(300 + apart, t)]

    frames = run(Tracker(2), hug, 3)
    assert frames[-1].keys() == {0, 1}
    assert frames[-1][0] < frames[-1][1]


def test_a_person_whose_sides_are_confused_stays_the_same():
    def turning(t: float) -> list[Pose]:
        one = person(0, t)
        broad = (one.xy_px * [8, 1] + [300 + 30 * t, 0]).astype(np.float32)  # so that sides matter
        return [replace(one, xy_px=broad[MPOSE_13.mirrored] if t > 1 else broad)]

    assert similarity(turning(1.0)[0], turning(1.01)[0], 0.25) < 0.3
    assert all(set(frame) == {0} for frame in run(Tracker(2), turning, 2))


def test_longest_known_come_first_and_no_more_than_asked_for():
    def arriving(t: float) -> list[Pose]:
        return [person(100 + 250 * i, t) for i in range(4) if t >= i]

    tracker = Tracker(3)
    run(tracker, arriving, 4.5)
    found = tracker.update([person(100 + 250 * i, 4.5) for i in (3, 1, 0, 2)], 4.5)
    assert [(pose.person, round(place(pose))) for pose in found] == [(0, 100), (1, 350), (2, 600)]


def test_nobody():
    assert Tracker(2).update([], 0.0) == ()


def test_similarity_weighs_by_confidence_and_ignores_unseen_joints():
    a, b = person(100, 0), person(100, 0)
    assert similarity(a, b, 0.06) == pytest.approx(1)
    moved = b.xy_px.copy()
    moved[[5, 6]] += 200  # wrists
    unsure = b.confidence.copy()
    unsure[[5, 6]] = 0
    assert similarity(a, replace(b, xy_px=moved), 0.06) == pytest.approx(11 / 13)
    assert similarity(a, replace(b, xy_px=moved, confidence=unsure), 0.06) == pytest.approx(1)
    assert similarity(a, replace(b, confidence=np.zeros(13, np.float32)), 0.06) == 0


def test_trunk_gap_is_in_body_sizes():
    assert trunk_gap(person(100, 0), person(193, 0)) == pytest.approx(93 / (0.93 * 300), rel=1e-5)
