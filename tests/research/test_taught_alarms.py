"""False alarms that are stated against those that come: whose takes, whose footage, and how they are counted."""

import numpy as np
import pytest
from teaching_examples import made_example, write_base

from recognizer.datasets.sequences import LabelledSequence, Segment
from recognizer.teaching.examples import NOTHING
from research.teaching.taught_alarms import TAKES, Episode, draw_takes, run_episode, summary, takes

ACTIONS = ("bow", "raise", "step")


def sequence(name, person, action, number, seconds=2.5):
    clip = made_example(action, number, seconds=seconds)
    labels = () if action == NOTHING else (Segment(0.2, seconds - 0.1, action),)
    return LabelledSequence(
        name=name,
        source="made up",
        person=person,
        times_s=clip.times_s,
        xy_px=clip.xy_px,
        confidence=clip.confidence,
        layout=clip.layout,
        size=(640, 480),
        segments=labels,
        note="",
        estimator="",
        terms="",
    )


@pytest.fixture(scope="module")
def clips():
    return takes(
        sequence(f"{action}-{number}", f"p{number % 3}", action, number) for action in ACTIONS for number in range(7)
    )


def test_takes_are_the_labelled_stretches_that_could_be_recorded(clips):
    assert {clip.action for clip in clips} == set(ACTIONS)
    assert all(clip.times_s[0] >= 0.2 and clip.times_s[-1] <= 2.4 for clip in clips)
    assert takes([sequence("long", "p", "bow", 1, seconds=9), sequence("rest", "p", "idle", 1)]) == []


def test_takes_come_of_as_many_people_as_there_are(clips):
    chosen = draw_takes(clips, np.random.default_rng(0))
    for action in ACTIONS:
        own = [clip for clip in chosen if clip.action == action]
        assert len(own) == TAKES
        assert {clip.person for clip in own[:3]} == {"p0", "p1", "p2"}
        assert len({clip.name for clip in own}) == TAKES


def test_the_halves_of_the_people_change_places(clips, tmp_path):
    base = write_base(tmp_path / "toy")
    people = [sequence(f"n{number}", f"q{number}", NOTHING, number, seconds=3 + number) for number in range(4)]
    people.append(sequence("does it", "q5", "bow", 2, seconds=30))  # left out: a taught action is in it
    first, second = (run_episode(clips, people, base, np.random.default_rng(1), number) for number in (0, 1))
    assert first.actions == ACTIONS
    assert first.stated_s + first.then_s == pytest.approx(sum(3 + number for number in range(4)), abs=0.5)
    assert (first.stated_s, first.then_s) == pytest.approx((second.then_s, second.stated_s), abs=0.3)
    assert first.low <= 3600 * first.stated / first.stated_s <= first.high


def test_alarms_an_hour_are_of_all_episodes_together():
    one = Episode(ACTIONS, stated=1, stated_s=600.0, low=0.2, high=33.4, then=4, then_s=900.0)
    other = Episode(ACTIONS, stated=2, stated_s=1200.0, low=0.7, high=21.7, then=8, then_s=900.0)
    found = summary([one, other])
    assert (found["stated_an_hour"], found["then_an_hour"], found["ratio"]) == (6.0, 24.0, 4.0)
    assert found["within_the_interval"] == 1  # 16 an hour of the first; 32 of the other are more than 21.7
    assert summary([Episode(ACTIONS, 0, 60.0, 0.0, 221.3, 0, 60.0)])["ratio"] is None
