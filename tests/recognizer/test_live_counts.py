"""Counts in what live recognition tells: repetitions as they come, a count in the end of their action."""

import numpy as np
import pytest
from moving_figure import figure, poses, squat, there_and_back
from toy_recognizer import make_card

from recognizer.clips import Prediction
from recognizer.live import LiveRecognition
from recognizer.model_card import DecisionRules

ACTIONS = ("idle", "squat", "other")


class SaysSquat:
    """Takes every clip for a squat until a time, then for idle."""

    def __init__(self, until_s):
        rules = DecisionRules(1.0, dict.fromkeys(ACTIONS, 0.5), ("other",))
        self.card, self._until_s = make_card(actions=ACTIONS, decision=rules), until_s

    def predict(self, clips, *, attention=False):
        for clip in clips:
            p = [0.02, 0.96, 0.02] if clip.time_s < self._until_s else [0.96, 0.02, 0.02]
            yield Prediction(clip.person, clip.time_s, ACTIONS, np.array(p, np.float32))


@pytest.fixture
def told():
    """Everything that is told of seven squats of a second and a half, and standing still."""

    def moving(time_s):
        return squat(there_and_back(time_s, 1.2, 0.3)) if time_s < 10.5 else figure()

    live = LiveRecognition(SaysSquat(11.2))
    events, repetitions, shown = [], [], []
    for pose in poses(moving, 15.0):
        persons = live.process(pose.time_s, (pose,))
        events += live.take_events()
        repetitions += live.take_repetitions()
        shown.append((persons[0].decision, persons[0].count, persons[0].per_minute))
    live.clear()
    return [*events, *live.take_events()], [*repetitions, *live.take_repetitions()], shown


def test_repetitions_come_with_their_number_and_the_end_has_all(told):
    events, repetitions, _ = told
    assert [(r.action, r.count) for r in repetitions] == [("squat", n) for n in range(1, 8)]
    ends = {event.action: event.count for event in events if event.kind == "end"}
    assert ends == {"squat": 7, "idle": None}
    assert all(event.count is None for event in events if event.kind == "start")


def test_each_of_several_people_has_a_count_of_their_own():
    def slowly(time_s):
        return squat(there_and_back(time_s, 2.2, 0.4)) if time_s < 10.4 else figure()

    def quickly(time_s):
        return squat(there_and_back(time_s, 1.2, 0.3)) if time_s < 10.5 else figure()

    live = LiveRecognition(SaysSquat(11.2))
    repetitions, beside = [], {}
    for slow, quick in zip(poses(slowly, 15.0), poses(quickly, 15.0, person=1), strict=True):
        for shown in live.process(slow.time_s, (quick, slow)):
            if shown.count is not None:
                beside[shown.pose.person] = max(shown.count, beside.get(shown.pose.person, 0))
        repetitions += live.take_repetitions()
    counts = {person: [r.count for r in repetitions if r.person == person] for person in (0, 1)}
    assert counts == {0: [1, 2, 3, 4], 1: [1, 2, 3, 4, 5, 6, 7]}
    assert beside == {0: 4, 1: 7}
    ends = {
        event.person: event.count for event in live.take_events() if event.kind == "end" and event.action == "squat"
    }
    assert ends == {0: 4, 1: 7}


def test_the_number_stands_beside_the_action_while_it_is_shown(told):
    _, _, shown = told
    counts = [count for decision, count, _ in shown if decision is not None and decision.action == "squat"]
    assert counts == sorted(counts)
    assert counts[-1] == 7
    tempo = [tempo for decision, count, tempo in shown if decision is not None and count == 7]
    assert tempo[0] == pytest.approx(40, rel=0.1)
    assert all(count == 0 for decision, count, _ in shown if decision is not None and decision.action == "idle")


@pytest.mark.parametrize(("away_s", "number", "first"), [(1.2, 0, 4), (4.5, 0, 4), (5.5, 0, 1), (1.2, 1, 1)])
def test_who_is_back_soon_with_the_same_number_is_counted_on(away_s, number, first):
    """Four squats before, of which the last is not seen to its end, and two after."""
    live, repetitions = LiveRecognition(SaysSquat(60.0)), []
    back_s = 5.0 + away_s
    gone = [(5.0 + n / 10, ()) for n in range(round(10 * away_s))]
    again = poses(lambda t: squat(there_and_back(t - back_s, 1.2, 0.3)), back_s + 3.4, from_s=back_s, person=number)
    before = poses(lambda t: squat(there_and_back(t, 1.2, 0.3)), 5.0)
    for time_s, seen in [*((p.time_s, (p,)) for p in before), *gone, *((p.time_s, (p,)) for p in again)]:
        live.process(time_s, seen)
        repetitions += live.take_repetitions()
    live.clear()
    repetitions += live.take_repetitions()
    assert [r.count for r in repetitions] == [1, 2, 3, first, first + 1]
    assert [event.count for event in live.take_events() if event.kind == "end"] == [3, 2]


class Unsure(SaysSquat):
    """Shows squats all the time, but says how likely one is: sure(time_s)."""

    def __init__(self, sure):
        super().__init__(0.0)
        self._sure = sure

    def predict(self, clips, *, attention=False):
        for clip in clips:
            p = self._sure(clip.time_s)
            yield Prediction(clip.person, clip.time_s, ACTIONS, np.array([(1 - p) / 2, p, (1 - p) / 2], np.float32))


def counted_with(sure, seconds=15.0):
    """Each repetition with the time at which it was told, of a squat every second and a half."""
    live = LiveRecognition(Unsure(sure))
    told = []
    for pose in poses(lambda time_s: squat(there_and_back(time_s, 1.2, 0.3)), seconds):
        live.process(pose.time_s, (pose,))
        told += [(r, pose.time_s) for r in live.take_repetitions()]
    live.clear()
    return told + [(r, seconds) for r in live.take_repetitions()]


def test_what_is_hardly_more_likely_than_not_is_shown_and_not_counted():
    assert counted_with(lambda time_s: 0.55) == []


def test_only_what_was_done_while_the_action_was_likely_counts():
    # A window ends where it is told of: its middle is 0.7 s before. So doubt from 6.7 to 9.7 is about 6.0 to 9.0.
    found = counted_with(lambda time_s: 0.52 if 6.7 <= time_s <= 9.7 else 0.9)
    assert [r.count for r, _ in found] == list(range(1, len(found) + 1)), "numbered without a gap"
    starts_s = [r.time_s - r.duration_s for r, _ in found]
    assert not [start_s for start_s in starts_s if 5.9 < start_s < 7.9]
    assert len(found) == 8, "ten squats, but for two"


def test_a_repetition_waits_until_its_last_windows_have_come():
    # Likely only from 2.0 s on: the first squat, from 0 to 1.2 s, is judged by the windows that end until 2 s.
    found = counted_with(lambda time_s: 0.52 if time_s < 1.75 else 0.95, seconds=6.0)
    first, told_s = found[0]
    assert first.count == 1
    assert first.time_s < 1.5
    assert first.time_s + 0.2 < told_s < first.time_s + 1.1
