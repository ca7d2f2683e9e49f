"""Decisions on half a body: what needs the rest is closed, and neither shown nor given away."""

import numpy as np
import pytest
from toy_recognizer import make_card

from recognizer.clips import Prediction
from recognizer.decision import HALF_BODY, LOW_EVIDENCE, UNKNOWN, Decider, DecisionSettings
from recognizer.model_card import DecisionRules
from recognizer.view import WHOLE, BodyView

ACTIONS = ("idle", "walk", "wave", "other")
NEEDS = {"wave": ("arms",), "walk": ("arms", "hips", "legs")}
UPPER = BodyView("upper", frozenset({"arms"}))
TO_THE_HIPS = BodyView("upper", frozenset({"arms", "hips"}))
NOTHING = BodyView(None, frozenset())
SETTINGS = DecisionSettings(lag_share=0)


def decider_of(needs=NEEDS, other=("other",)):
    rules = DecisionRules(1.0, dict.fromkeys(ACTIONS, 0.3), other, needs)
    return Decider(make_card(decision=rules), SETTINGS)


def play(decider, *steps):
    """Decisions at ten a second. steps: (until_s, view, probabilities of the actions that have any)."""
    decisions, tick = [], 0
    for until_s, view, given in steps:
        values = np.array([given.get(action, 0.0) for action in ACTIONS], np.float32)
        assert values.sum() == pytest.approx(1.0)
        while tick / 10 < until_s - 1e-9:
            decisions.append(decider.update(Prediction(0, tick / 10, ACTIONS, values), view))
            tick += 1
    return decisions


def events_of(decisions):
    return [(event.kind, event.action) for decision in decisions for event in decision.events]


WAVES, WALKS = {"wave": 0.9, "other": 0.1}, {"walk": 0.9, "other": 0.1}


def test_without_needs_only_the_whole_body_is_judged():
    decider = decider_of({})
    assert decider.can_judge(WHOLE)
    assert not decider.can_judge(UPPER)
    assert not decider.can_judge(TO_THE_HIPS)
    assert not decider.can_judge(NOTHING)


def test_with_needs_half_a_body_is_judged_where_something_is_open():
    assert decider_of().can_judge(UPPER)
    assert not decider_of().can_judge(NOTHING)
    legs = {action: ("arms", "hips", "legs") for action in ACTIONS}
    assert not decider_of(legs).can_judge(UPPER)


def test_what_needs_the_arms_alone_is_shown():
    last = play(decider_of(), (2, UPPER, WAVES))[-1]
    assert (last.action, last.view, last.reason) == ("wave", "upper", "")
    assert last.score == pytest.approx(0.9, abs=0.01)


def test_what_needs_legs_is_not_and_its_probability_is_that_of_unknown():
    last = play(decider_of(), (2, UPPER, {"walk": 0.6, "wave": 0.3, "other": 0.1}))[-1]
    assert (last.action, last.reason) == (UNKNOWN, LOW_EVIDENCE)
    assert last.score == pytest.approx(0.7, abs=0.01)
    top = dict(last.top)
    assert "walk" not in top
    assert top["wave"] == pytest.approx(0.3, abs=0.01)
    assert top[UNKNOWN] == pytest.approx(0.7, abs=0.01)


def test_what_is_not_shown_has_the_cards_weight_while_the_upper_body_alone_is_in_view():
    rules = DecisionRules(1.0, dict.fromkeys(ACTIONS, 0.5), ("other",), NEEDS, upper_weight=0.5)
    weak = {"wave": 0.4, "walk": 0.3, "other": 0.3}

    def last(view):
        return play(Decider(make_card(decision=rules), SETTINGS), (2, view, weak))[-1]

    assert (last(UPPER).action, last(WHOLE).action) == ("wave", UNKNOWN)
    assert last(UPPER).score == pytest.approx(0.4 / 0.7, abs=0.01)  # all of it adds up to one again
    assert dict(last(UPPER).top)[UNKNOWN] == pytest.approx(0.3 / 0.7, abs=0.01)


def test_an_open_action_must_beat_everything_that_cannot_be_judged():
    closed = {"wave": 0.45, "walk": 0.35, "other": 0.2}  # over its threshold and the likeliest, but not the likelier
    assert play(decider_of(), (2, UPPER, closed))[-1].action == UNKNOWN
    assert play(decider_of(), (2, WHOLE, closed))[-1].action == "wave"
    assert play(decider_of(), (2, UPPER, {"wave": 0.55, "walk": 0.35, "other": 0.1}))[-1].action == "wave"


def test_the_same_holds_for_a_card_without_other():
    decider = decider_of(other=())
    last = play(decider, (2, UPPER, {"walk": 0.6, "wave": 0.4}))[-1]
    assert last.action == UNKNOWN
    assert dict(last.top)[UNKNOWN] == pytest.approx(0.6, abs=0.01)
    assert UNKNOWN not in dict(play(decider_of(other=()), (2, WHOLE, {"walk": 0.6, "wave": 0.4}))[-1].top)


def test_hips_open_what_needs_them():
    needs = {**NEEDS, "walk": ("arms", "hips")}
    assert play(decider_of(needs), (2, UPPER, WALKS))[-1].action == UNKNOWN
    assert play(decider_of(needs), (2, TO_THE_HIPS, WALKS))[-1].action == "walk"


def test_idle_is_open_unless_the_card_says_otherwise():
    rests = {"idle": 0.9, "other": 0.1}
    assert play(decider_of(), (2, UPPER, rests))[-1].action == "idle"
    closed = {**NEEDS, "idle": ("arms", "hips", "legs")}
    assert play(decider_of(closed), (2, UPPER, rests))[-1].action == UNKNOWN


def test_needs_change_nothing_for_a_whole_body():
    course = ((2, WHOLE, WALKS), (4, WHOLE, WAVES), (6, WHOLE, {"other": 1.0}))
    assert play(decider_of(), *course) == play(decider_of({}), *course)


def test_an_open_action_goes_on_whatever_is_in_view():
    views = (UPPER, WHOLE, TO_THE_HIPS, WHOLE, UPPER)
    decisions = play(decider_of(), *((0.4 + index, view, WAVES) for index, view in enumerate(views)))
    assert events_of(decisions) == [("start", "wave")]
    assert decisions[-1].action == "wave"


def test_a_closed_action_outlasts_a_moment_without_its_legs_and_no_more():
    moment = play(decider_of(), (2, WHOLE, WALKS), (2.3, UPPER, WALKS), (4, WHOLE, WALKS))
    assert events_of(moment) == [("start", "walk")]
    assert moment[-1].action == "walk"
    longer = play(decider_of(), (2, WHOLE, WALKS), (4, UPPER, WALKS))
    assert events_of(longer) == [("start", "walk"), ("end", "walk")]
    shown = [decision.time_s for decision in longer if decision.action == "walk"]
    assert 2.0 + SETTINGS.hold_s - 0.1 <= shown[-1] <= 2.0 + SETTINGS.hold_s + 0.1


def test_a_view_that_comes_and_goes_does_not_flicker():
    steps = [(2, WHOLE, WALKS)]
    for number in range(10):
        steps.append((2.2 + 0.4 * number, UPPER, WALKS))
        steps.append((2.4 + 0.4 * number, WHOLE, WALKS))
    assert events_of(play(decider_of(), *steps)) == [("start", "walk")]


def test_a_closed_action_gives_way_to_an_open_one():
    decisions = play(decider_of(), (2, WHOLE, WALKS), (4, UPPER, WAVES))
    assert events_of(decisions) == [("start", "walk"), ("end", "walk"), ("start", "wave")]


def test_absence_says_what_is_in_view():
    decider = decider_of({})
    assert decider.absent(0, 0.0, HALF_BODY, "upper").view == "upper"
    assert decider.absent(0, 0.1, HALF_BODY).view is None
    assert play(decider_of({}), (1, WHOLE, WALKS))[-1].view == "whole"
