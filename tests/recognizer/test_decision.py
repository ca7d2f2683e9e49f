"""Probabilities to a steady state: no flicker, events in pairs, the same at any rate."""

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from toy_recognizer import make_card

from pose.skeleton import MPOSE_13
from recognizer.clips import Clip, Prediction
from recognizer.decision import (
    HALF_BODY,
    LOW_EVIDENCE,
    UNKNOWN,
    WAITING,
    ActionEvent,
    Decider,
    Decision,
    DecisionSettings,
    body_in_view,
)
from recognizer.model_card import DecisionRules

ACTIONS = ("idle", "walk", "wave", "other")
# The courses here are steps of the probabilities themselves, which no window delays.
SETTINGS = DecisionSettings(lag_share=0)


def make_decider(thresholds: dict[str, float] | None = None, settings: DecisionSettings = SETTINGS) -> Decider:
    rules = DecisionRules(1.0, {**dict.fromkeys(ACTIONS, 0.5), **(thresholds or {})}, ("other",))
    return Decider(make_card(decision=rules), settings)


def prediction(time_s: float, person: int = 0, **probabilities: float) -> Prediction:
    values = np.array([probabilities.get(action, 0.0) for action in ACTIONS], np.float32)
    rest = np.array([action not in probabilities for action in ACTIONS])
    if rest.any():
        values[rest] = max(0.0, 1 - values.sum()) / rest.sum()
    return Prediction(person, time_s, ACTIONS, values / values.sum())


def run(
    decider: Decider,
    course: Callable[[float], dict[str, float]],
    seconds: float,
    rate: float = 15,
    from_s: float = 0.0,
    person: int = 0,
) -> list[Decision]:
    times = from_s + np.arange(round(seconds * rate)) / rate
    return [decider.update(prediction(float(t), person, **course(float(t)))) for t in times]


def states(decisions: Sequence[Decision]) -> list[str]:
    return [action for action, _ in itertools.groupby(decision.action for decision in decisions)]


def events(decisions: Sequence[Decision]) -> list[ActionEvent]:
    return [event for decision in decisions for event in decision.events]


def check_events(found: Sequence[ActionEvent]) -> None:
    """Starts and ends alternate, name the same action, never go back in time, and durations add up."""
    assert len(found) % 2 == 0
    assert all(a.time_s <= b.time_s + 1e-9 for a, b in itertools.pairwise(found))
    for start, end in zip(found[::2], found[1::2], strict=True):
        assert (start.kind, end.kind) == ("start", "end")
        assert start.action == end.action != UNKNOWN
        assert start.duration_s is None
        assert end.duration_s == pytest.approx(end.time_s - start.time_s)
        assert end.duration_s >= 0
        assert 0 <= start.score <= 1
        assert 0 <= end.score <= 1


def step(*changes: tuple[float, dict[str, float]]) -> Callable[[float], dict[str, float]]:
    return lambda t: [course for since_s, course in changes if t >= since_s][-1]


def test_a_step_gives_one_start_and_one_end():
    decider = make_decider()
    course = step((0.0, {"other": 0.9}), (3.0, {"walk": 0.9}), (8.0, {"other": 0.9}))
    decisions = run(decider, course, 12.0)
    assert states(decisions) == [UNKNOWN, "walk", UNKNOWN]
    found = events(decisions)
    check_events(found)
    assert [event.kind for event in found] == ["start", "end"]
    start, end = found
    assert start.time_s == pytest.approx(3.0, abs=0.15)
    assert end.duration_s == pytest.approx(5.0, abs=0.2)
    assert end.score == pytest.approx(0.9, abs=0.05)
    assert decider.finish(12.0) == ()


def test_the_state_says_since_when_and_how_sure():
    decisions = run(make_decider(), step((0.0, {"walk": 0.8}), (5.0, {"wave": 0.9})), 10.0)
    last = decisions[-1]
    assert (last.action, last.reason) == ("wave", "")
    assert last.since_s == next(event.time_s for event in events(decisions) if event.action == "wave")
    assert last.score == pytest.approx(0.9, abs=0.01)
    assert last.top[0] == ("wave", last.score)
    assert [p for _, p in last.top] == sorted((p for _, p in last.top), reverse=True)
    assert sum(p for _, p in last.top) == pytest.approx(1, abs=1e-5)
    assert {name for name, _ in last.top} == {"idle", "walk", "wave", UNKNOWN}


@pytest.mark.parametrize(("below", "shown"), [(0.0, "walk"), (2.0**-20, UNKNOWN)])
def test_an_action_is_shown_from_its_threshold_on_and_not_below(below, shown):
    decider = make_decider({"walk": 0.75}, DecisionSettings(confirm_s=0))
    values = np.array([0.125 + below, 0.75 - below, 0.125, 0], np.float32)
    assert decider.update(Prediction(0, 0.0, ACTIONS, values)).action == shown


def test_a_change_is_dated_back_by_the_windows_lag():
    """A window of 2 s shows mostly the new action only later; the old action still gets its shortest time."""
    settings = DecisionSettings(lag_share=0.5)
    course = step((0.0, {"walk": 0.9}), (6.0, {"wave": 0.9}), (6.8, {"idle": 0.9}))
    decisions = run(make_decider(settings=settings), course, 12.0)
    starts = [event for event in events(decisions) if event.kind == "start"]
    assert [event.action for event in starts] == ["walk", "wave", "idle"]
    assert starts[1].time_s == pytest.approx(6.0 - 0.5 * 29 / 15, abs=0.15)
    assert starts[2].time_s - starts[1].time_s >= settings.shortest_s - 1e-9
    check_events([*events(decisions), _end_of(decisions[-1])])


def test_without_a_windows_lag_a_change_is_dated_back_by_the_smoothing_alone():
    course = step((0.0, {"walk": 0.95}), (6.0, {"wave": 0.95}))
    decisions = run(make_decider(), course, 9.0)
    start = next(event for event in events(decisions) if event.action == "wave")
    ahead_s = next(d.time_s for d in decisions if dict(d.top)["wave"] > dict(d.top)["walk"] + SETTINGS.lead)
    assert start.time_s == pytest.approx(ahead_s - SETTINGS.smoothing_s)


@pytest.mark.parametrize(("walk", "wave", "shown"), [(0.46, 0.52, "walk"), (0.3, 0.6, "wave")])
def test_another_action_must_lead_the_shown_one_by_a_margin(walk, wave, shown):
    course = step((0.0, {"walk": 0.9}), (3.0, {"walk": walk, "wave": wave}))
    assert run(make_decider(), course, 6.0)[-1].action == shown


@pytest.mark.parametrize(("walk", "other", "shown"), [(0.46, 0.5, "walk"), (0.4, 0.55, UNKNOWN)])
def test_what_is_unlisted_must_lead_the_shown_action_by_a_margin(walk, other, shown):
    course = step((0.0, {"walk": 0.9}), (3.0, {"walk": walk, "other": other}))
    assert run(make_decider(), course, 8.0)[-1].action == shown


def test_an_action_is_shown_for_its_shortest_time_from_when_it_was_shown_not_from_when_it_began():
    settings = DecisionSettings(lag_share=0.5)  # it began well before it was shown
    course = step((0.0, {"walk": 0.9}), (6.0, {"wave": 0.9}), (6.35, {"idle": 0.9}))
    shown_s = [d.time_s for d in run(make_decider(settings=settings), course, 10.0) if d.action == "wave"]
    assert shown_s[-1] - shown_s[0] >= settings.shortest_s - 2 / 15


def test_a_change_is_shown_soon_and_once():
    decisions = run(make_decider(), step((0.0, {"walk": 0.9}), (5.0, {"wave": 0.9})), 10.0)
    assert states(decisions) == [UNKNOWN, "walk", "wave"]
    shown_s = next(decision.time_s for decision in decisions if decision.action == "wave")
    assert shown_s - 5.0 < 0.5
    check_events(events(decisions) + list(make_decider().finish(10.0)) + [_end_of(decisions[-1])])


def _end_of(decision: Decision) -> ActionEvent:
    duration_s = decision.time_s - decision.since_s
    return ActionEvent("end", decision.time_s, decision.person, decision.action, decision.score, duration_s)


def test_a_dip_between_two_actions_is_not_shown_as_unknown():
    course = step((0.0, {"walk": 0.9}), (5.0, {"walk": 0.3, "wave": 0.3, "idle": 0.3}), (5.4, {"wave": 0.9}))
    assert states(run(make_decider(), course, 10.0)) == [UNKNOWN, "walk", "wave"]


def test_a_long_dip_is():
    course = step((0.0, {"walk": 0.9}), (5.0, {"other": 0.9}), (8.0, {"wave": 0.9}))
    decisions = run(make_decider(), course, 12.0)
    assert states(decisions) == [UNKNOWN, "walk", UNKNOWN, "wave"]
    assert [event.kind for event in events(decisions)] == ["start", "end", "start"]


@pytest.mark.parametrize("period_s", [0.07, 0.14])
def test_alternating_predictions_do_not_flicker(period_s):
    def course(t: float) -> dict[str, float]:
        return {"walk": 0.8} if int(t / period_s) % 2 else {"wave": 0.8}

    decisions = run(make_decider(), course, 20.0)
    assert len(states(decisions)) <= 2


@pytest.mark.parametrize("seed", range(5))
def test_noise_around_a_threshold_does_not_flicker(seed):
    rng = np.random.default_rng(seed)
    decisions = run(make_decider(), lambda t: {"walk": float(np.clip(rng.normal(0.5, 0.15), 0, 1))}, 30.0)
    assert len(states(decisions)) <= 2


@pytest.mark.parametrize("seed", range(20))
def test_any_course_gives_events_in_pairs(seed):
    """Random courses with jumps, holes, lost bodies and departures: events always pair up and stay in order."""
    rng = np.random.default_rng(seed)
    decider = make_decider({"walk": 0.3, "wave": 0.8})
    found: list[ActionEvent] = []
    time_s, mean = 0.0, rng.dirichlet(np.ones(4))
    for _ in range(600):
        time_s += float(rng.choice([0.02, 0.07, 0.1, 1.5], p=[0.3, 0.5, 0.18, 0.02]))
        if rng.random() < 0.05:
            mean = rng.dirichlet(np.full(4, 0.3))
        chance = rng.random()
        if chance < 0.03:
            found += decider.absent(0, time_s, HALF_BODY).events
        elif chance < 0.035:
            found += decider.gone(0, time_s)
        else:
            probabilities = rng.dirichlet(mean * 30 + 0.01).astype(np.float32)
            found += decider.update(Prediction(0, time_s, ACTIONS, probabilities)).events
    found += decider.finish(time_s)
    assert len(found) > 4
    check_events(found)
    assert all(event.time_s <= time_s for event in found)


@pytest.mark.parametrize("rate", [7.5, 10, 30, 60])
def test_the_rate_of_predictions_does_not_matter(rate):
    def course(t: float) -> dict[str, float]:
        ramp = float(np.clip((t - 4) / 1.0, 0, 1)) - float(np.clip((t - 9) / 1.0, 0, 1))
        return {"walk": 0.9 * (1 - ramp), "wave": 0.9 * ramp}

    reference = run(make_decider(), course, 14.0, 15)
    decisions = run(make_decider(), course, 14.0, rate)
    assert states(decisions) == states(reference) == [UNKNOWN, "walk", "wave", "walk"]
    for found, expected in zip(events(decisions), events(reference), strict=True):
        assert (found.kind, found.action) == (expected.kind, expected.action)
        assert found.time_s == pytest.approx(expected.time_s, abs=0.2)


def test_a_weak_action_needs_its_own_threshold():
    course = step((0.0, {"walk": 0.6}))
    assert states(run(make_decider({"walk": 0.7}), course, 5.0)) == [UNKNOWN]
    assert states(run(make_decider({"walk": 0.5}), course, 5.0)) == [UNKNOWN, "walk"]


def test_a_shown_action_is_kept_below_its_threshold_but_not_far_below():
    def final(p: float) -> str:
        return run(make_decider(), step((0.0, {"walk": 0.9}), (4.0, {"walk": p, "other": 0.2})), 9.0)[-1].action

    assert final(0.5 * SETTINGS.leave_share + 0.1) == "walk"
    assert final(0.5 * SETTINGS.leave_share - 0.1) == UNKNOWN


def test_what_is_unlisted_is_unknown():
    decision = run(make_decider(), step((0.0, {"other": 0.55, "walk": 0.45})), 4.0)[-1]
    assert (decision.action, decision.reason, decision.events) == (UNKNOWN, LOW_EVIDENCE, ())
    assert decision.score == pytest.approx(0.55, abs=0.01)
    assert decision.top[0][0] == UNKNOWN


def test_idle_is_an_action():
    decisions = run(make_decider(), step((0.0, {"idle": 0.9})), 4.0)
    assert decisions[-1].action == "idle"
    assert [event.action for event in events(decisions)] == ["idle"]


def test_waiting_is_unknown_with_its_reason():
    decision = make_decider().absent(3, 1.0, WAITING)
    assert (decision.person, decision.action, decision.score, decision.reason) == (3, UNKNOWN, 0.0, WAITING)
    assert (decision.top, decision.events) == ((), ())


def test_a_body_lost_for_a_moment_changes_nothing():
    decider = make_decider()
    run(decider, step((0.0, {"walk": 0.9})), 4.0)
    held = decider.absent(0, 4.2, HALF_BODY)
    assert (held.action, held.reason, held.events) == ("walk", "", ())
    assert decider.update(prediction(4.3, walk=0.9)).action == "walk"


def test_a_body_lost_for_longer_ends_the_action_when_it_was_last_seen():
    decider = make_decider()
    decisions = run(decider, step((0.0, {"walk": 0.9})), 4.0)
    lost = decider.absent(0, 4.0 + SETTINGS.hold_s + 0.1, HALF_BODY)
    assert (lost.action, lost.reason, lost.score) == (UNKNOWN, HALF_BODY, 0.0)
    check_events(events(decisions) + list(lost.events))
    assert lost.events[0].time_s == pytest.approx(decisions[-1].time_s)
    assert decider.absent(0, 5.0, HALF_BODY).events == ()


def test_a_hole_in_the_predictions_ends_the_action():
    decider = make_decider()
    first = run(decider, step((0.0, {"walk": 0.9})), 4.0)
    second = run(decider, step((0.0, {"walk": 0.9})), 4.0, from_s=10.0)
    found = events(first) + events(second) + list(decider.finish(14.0))
    check_events(found)
    assert [event.kind for event in found] == ["start", "end", "start", "end"]
    assert found[1].time_s < 4.1
    assert found[2].time_s >= 10 - SETTINGS.smoothing_s - 1e-6


@pytest.mark.parametrize(("more_s", "ended"), [(-0.1, []), (0.1, ["end"])])
def test_the_next_prediction_ends_what_was_held_for_too_long(more_s, ended):
    decider = make_decider()
    last = run(decider, step((0.0, {"walk": 0.9})), 4.0)[-1]
    found = decider.update(prediction(last.time_s + SETTINGS.hold_s + more_s, walk=0.9)).events
    assert [event.kind for event in found] == ended


def test_who_leaves_during_an_action_ends_it():
    decider = make_decider()
    decisions = run(decider, step((0.0, {"walk": 0.9})), 4.0)
    ends = decider.gone(0, 5.0)
    check_events(events(decisions) + list(ends))
    assert decider.gone(0, 5.0) == ()
    assert decider.gone(7, 5.0) == ()


def test_persons_do_not_touch_each_other():
    together, alone = make_decider(), make_decider()
    expected = run(alone, step((0.0, {"walk": 0.9}), (4.0, {"wave": 0.9})), 8.0, person=0)
    found = []
    for k in range(120):
        t = k / 15
        found.append(together.update(prediction(t, 0, **({"walk": 0.9} if t < 4 else {"wave": 0.9}))))
        together.update(prediction(t, 1, idle=0.9))
    assert found == expected
    ends = together.finish(8.0)
    assert [(event.person, event.action) for event in ends] == [(0, "wave"), (1, "idle")]


def make_clip(missing: Sequence[str] = (), share: float = 1.0) -> Clip:
    confidence = np.ones((30, len(MPOSE_13)), np.float32)
    for joint in missing:
        confidence[: round(30 * share), MPOSE_13.index(joint)] = 0
    return Clip(np.ones((30, len(MPOSE_13), 2), np.float32), confidence, 15.0, MPOSE_13, 2.0, 0)


LEGS = ("left_knee", "right_knee", "left_ankle", "right_ankle")


def test_a_whole_body_and_one_seen_from_the_side_are_in_view():
    assert body_in_view(make_clip())
    assert body_in_view(make_clip([joint for joint in MPOSE_13.joints if joint.startswith("left_")]))
    assert body_in_view(make_clip(LEGS, share=0.3))
    assert body_in_view(make_clip(("head", "left_wrist", "right_wrist", "left_ankle", "right_ankle")))


@pytest.mark.parametrize(
    "missing", [LEGS, ("left_hip", "right_hip"), ("left_shoulder", "right_shoulder"), MPOSE_13.joints]
)
def test_half_a_body_is_not(missing):
    assert not body_in_view(make_clip(missing))
    assert not body_in_view(make_clip(missing, share=0.6))
