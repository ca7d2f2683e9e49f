"""The estimator of several people: whom it follows, under which identity, and at what cost."""

from pathlib import Path

import numpy as np
import pytest
from world import Somebody, World

from pose.blazepose import estimator as module
from pose.blazepose.estimator import BlazePoseEstimator

RED, GREEN, BLUE = (40, 40, 200), (40, 200, 40), (200, 40, 40)


@pytest.fixture
def world(monkeypatch):
    made = World()
    monkeypatch.setattr(module, "load_networks", made.networks)
    monkeypatch.setattr(module, "Detector", made.detector)
    monkeypatch.setattr(module, "LandmarkNetwork", made.landmarks)
    return made


def who(poses):
    """The identity nearest to each place, by its hips."""
    return {pose.person: round(float(pose.xy_px[[23, 24]].mean(axis=0)[0])) for pose in poses}


def play(estimator, world, frames, move=lambda number: None):
    """The identities of each frame with the x of their hips; checks what a frame costs."""
    found = []
    for number in range(frames):
        move(number)
        poses = estimator.estimate(world.frame())
        assert len(world.looks) <= estimator._people + 1
        found.append(who(poses))
    return found


def test_somebody_alone_is_there_in_the_first_frame(world):
    world.people = [Somebody(300, 240)]
    (pose,) = BlazePoseEstimator(Path("m"), people=3).estimate(world.frame())
    assert pose.person == 0
    np.testing.assert_allclose(pose.xy_px, world.people[0].joints, atol=0.5)
    assert pose.confidence == pytest.approx(0.95**2, abs=1e-3)


def test_a_chair_that_is_nobody_in_the_mirror_image_is_nobody(world):
    world.people = [Somebody(300, 240, detection=0.7, mirror_presence=0.6)]
    assert play(BlazePoseEstimator(Path("m"), people=2), world, 50) == [{}] * 50
    world.people[0].mirror_presence = None
    assert play(BlazePoseEstimator(Path("m"), people=2), world, 10)[-1] == {0: 300}


def test_an_empty_room_is_empty(world):
    assert play(BlazePoseEstimator(Path("m"), people=8), world, 50) == [{}] * 50


def test_three_people_are_followed_with_an_identity_each(world):
    world.people = [Somebody(x, 240) for x in (120, 320, 520)]
    found = play(BlazePoseEstimator(Path("m"), people=3), world, 40)
    assert sorted(found[-1].values()) == [120, 320, 520]
    assert set(found[-1]) == {0, 1, 2}


def test_a_frame_in_which_everybody_is_followed_costs_a_call_each(world):
    world.people = [Somebody(x, 240) for x in (120, 320, 520)]
    estimator = BlazePoseEstimator(Path("m"), people=3)
    play(estimator, world, 40)
    for _ in range(20):
        estimator.estimate(world.frame())
        assert world.looks == ["landmarks"] * 3


def test_no_more_are_followed_than_asked_for(world):
    world.people = [Somebody(x, 240) for x in (100, 250, 400, 550)]
    found = play(BlazePoseEstimator(Path("m"), people=2), world, 40)
    assert max(map(len, found)) == 2


def test_somebody_lost_for_half_a_second_comes_back_as_the_same(world):
    world.people = [Somebody(200, 240, colour=RED), Somebody(450, 240, colour=GREEN)]
    estimator = BlazePoseEstimator(Path("m"), people=2)
    before = play(estimator, world, 30)[-1]
    world.people[0].seen = False
    assert set(play(estimator, world, 12)[-1].values()) == {450}
    world.people[0].seen = True
    assert play(estimator, world, 6)[-1] == before


def test_somebody_else_at_the_place_of_one_who_was_lost_is_new(world):
    world.people = [Somebody(200, 240, colour=RED), Somebody(450, 240, colour=GREEN)]
    estimator = BlazePoseEstimator(Path("m"), people=2)
    before = play(estimator, world, 30)[-1]
    world.people[0].seen = False
    play(estimator, world, 8)
    world.people[0] = Somebody(200, 240, colour=BLUE)
    after = play(estimator, world, 40)[-1]
    by_place = {x: person for person, x in before.items()}
    assert set(after.values()) == {200, 450}
    assert {x: person for person, x in after.items()}[200] not in before
    assert {x: person for person, x in after.items()}[450] == by_place[450]


def test_people_who_cross_keep_their_identities_by_their_colours(world):
    world.people = [Somebody(150, 240, colour=RED), Somebody(490, 240, colour=GREEN)]
    estimator = BlazePoseEstimator(Path("m"), people=2)
    before = {x: person for person, x in play(estimator, world, 30)[-1].items()}

    def cross(number):
        world.people[0].x, world.people[1].x = 150 + 340 * number / 50, 490 - 340 * number / 50

    after = {x: person for person, x in play(estimator, world, 51, cross)[-1].items()}
    settled = {x: person for person, x in play(estimator, world, 40)[-1].items()}
    assert settled[490] == before[150]
    assert settled[150] == before[490]
    assert set(after.values()) <= set(before.values())


def test_two_who_stand_behind_each_other_are_two(world):
    """Each has a detection of their own, though both are near whom is followed first."""
    world.people = [Somebody(300, 240, colour=RED), Somebody(335, 240, colour=GREEN)]
    found = play(BlazePoseEstimator(Path("m"), people=2), world, 12)
    assert sorted(found[-1].values()) == [300, 335]


def test_whoever_both_networks_see_well_is_named_at_the_next_look(world):
    world.people = [Somebody(150, 240), Somebody(450, 240)]
    found = play(BlazePoseEstimator(Path("m"), people=2), world, 4)
    assert [len(frame) for frame in found] == [1, 1, 2, 2]
    world.people = [Somebody(150, 240), Somebody(450, 240, detection=0.6)]
    found = play(BlazePoseEstimator(Path("m"), people=2), world, 7)
    assert [len(frame) for frame in found] == [1, 1, 1, 1, 1, 2, 2]


def test_one_who_is_taken_for_the_other_is_found_behind(world):
    """Where the network sees the front of two wherever it looks, the other is seen once the front one is covered."""
    world.people = [Somebody(200, 240, colour=RED), Somebody(430, 240, colour=GREEN)]
    estimator = BlazePoseEstimator(Path("m"), people=2)
    by_place = {x: person for person, x in play(estimator, world, 30)[-1].items()}

    def approach(number):
        world.people[0].x, world.people[1].x = 200 + 8 * min(number, 25), 430
        world.people[1].wins = number > 22

    found = play(estimator, world, 40, approach)
    assert found[-1] == {by_place[200]: 400, by_place[430]: 430}


def test_eight_people_in_and_out_within_a_second(world):
    estimator = BlazePoseEstimator(Path("m"), people=8)
    everybody = [Somebody(60 + 74 * n, 240, height=150) for n in range(8)]

    def come_and_go(number):
        world.people = everybody if number % 25 < 12 else []

    found = play(estimator, world, 100, come_and_go)
    assert max(map(len, found)) <= 8
    assert found[24] == {}
    for frame in found:
        assert len(set(frame.values())) == len(frame)  # nobody twice


def test_a_mirror_shows_another_person(world):
    """Nothing in a picture tells a reflection from a person; it has an identity of its own."""
    world.people = [Somebody(200, 240), Somebody(440, 240)]

    def sway(number):
        world.people[0].x, world.people[1].x = 200 + 20 * np.sin(number / 5), 440 - 20 * np.sin(number / 5)

    found = play(BlazePoseEstimator(Path("m"), people=2), world, 60, sway)
    assert all(set(frame) == {0, 1} for frame in found[20:])


def test_a_doubtful_second_skeleton_is_never_named(world):
    """On known people, or seen by one network alone: a poster is followed, a ghost is not."""
    world.people = [Somebody(200, 240), Somebody(450, 240, detection=0.35)]
    assert all(set(frame.values()) <= {200} for frame in play(BlazePoseEstimator(Path("m"), people=2), world, 60))
    world.people = [Somebody(200, 240), Somebody(450, 240, presence=0.7)]
    assert all(set(frame.values()) <= {200} for frame in play(BlazePoseEstimator(Path("m"), people=2), world, 60))


def test_a_picture_on_the_wall_makes_room_for_a_person(world):
    world.people = [Somebody(200, 240), Somebody(350, 240, detection=0.4)]
    estimator = BlazePoseEstimator(Path("m"), people=2)
    play(estimator, world, 8)
    world.people.append(Somebody(500, 240))
    found = play(estimator, world, 40)
    assert sorted(found[-1].values()) == [200, 500]


def test_small_people_are_not_followed(world):
    world.people = [Somebody(300, 240, height=60)]
    assert play(BlazePoseEstimator(Path("m"), people=2), world, 30) == [{}] * 30


@pytest.mark.parametrize("again", ["earlier", "same time", "another size"])
def test_another_run_begins_anew_and_uses_no_identity_twice(world, again):
    world.people = [Somebody(300, 240)]
    estimator = BlazePoseEstimator(Path("m"), people=2)
    assert set(who(estimator.estimate(world.frame(5.0)))) == {0}
    if again == "another size":
        world.size = (320, 240)
        world.people = [Somebody(150, 120, height=150)]
    time_s = {"earlier": 1.0, "same time": 5.0, "another size": 5.04}[again]
    assert set(who(estimator.estimate(world.frame(time_s)))) == {1}


def test_a_hand_over_the_lens_loses_everybody_and_finds_them_again(world):
    world.people = [Somebody(200, 240, colour=RED), Somebody(450, 240, colour=GREEN)]
    estimator = BlazePoseEstimator(Path("m"), people=2)
    before = play(estimator, world, 30)[-1]
    for somebody in world.people:
        somebody.seen = False
    assert play(estimator, world, 10)[-1] == {}
    for somebody in world.people:
        somebody.seen = True
    assert play(estimator, world, 15)[-1] == before


def test_one_to_eight_people(world):
    for people in (0, 9):
        with pytest.raises(ValueError, match="1 to 8"):
            BlazePoseEstimator(Path("m"), people=people)


def test_people_looked_at_at_once_are_found_as_one_after_another(world, monkeypatch):
    """Three who walk past each other, where a cover comes and goes: the same poses on one processor and on four."""

    def walked(processors):
        monkeypatch.setattr(module.os, "cpu_count", lambda: processors)
        world.people = [Somebody(x, 240, colour=colour) for x, colour in ((120, RED), (320, GREEN), (520, BLUE))]
        world.frames = 0
        estimator = BlazePoseEstimator(Path("m"), people=3)
        found = []
        for number in range(40):
            world.people[0].x = 120 + 10 * number
            found.append(estimator.estimate(world.frame()))
        estimator.close()
        return found

    one, four = walked(1), walked(4)
    assert max(len(poses) for poses in one) == 3
    assert [len(poses) for poses in one] == [len(poses) for poses in four]
    for left, right in zip(one, four, strict=True):
        for a, b in zip(left, right, strict=True):
            assert a.person == b.person
            np.testing.assert_array_equal(a.xy_px, b.xy_px)
