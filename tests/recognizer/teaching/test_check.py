"""What a check finds, and what it says that it cannot know."""

from dataclasses import replace

import numpy as np
import pytest
from teaching_examples import made_example, made_examples

from recognizer.teaching.check import check
from recognizer.teaching.figures import EXAMPLES, PEOPLE, SESSIONS, ActionFigures, FalseAlarms, HeldOutCheck, wilson
from recognizer.teaching.lesson import NOTHING, prepare
from recognizer.teaching.quick import folds, teach
from recognizer.teaching.request import TeachingRequest
from recognizer.teaching.run import run_quick
from recognizer.teaching.windows import Changes

CHANGES = Changes(windows=3)


def checked(examples, base, shape):
    lesson = prepare(examples, base, shape, CHANGES)
    return check(lesson, teach(lesson), shape)


@pytest.fixture(scope="module")
def whole(base, shape):
    examples = made_examples(examples=6, people=("Ada", "Bob"), sessions=("Monday", "Monday", "Tuesday", "Tuesday"))
    wrong = replace(made_example("bow", 77), name="wrong/1", action="step")
    nothing = [made_example(NOTHING, n, seconds=8, name=f"rest/{n}") for n in range(2)]
    return checked([*examples, wrong, *nothing], base, shape)


def test_people_and_sessions_are_held_out_in_turn(whole):
    people, sessions = whole.checks
    assert (people.held_out, people.groups) == (PEOPLE, 2)
    assert (sessions.held_out, sessions.groups) == (SESSIONS, 2)
    assert people.examples == 19
    assert people.actions["raise"].examples == 6
    assert people.accuracy > 0.7


def test_a_wrong_label_is_suspected_and_nothing_else(whole):
    (suspect,) = whole.suspects
    assert (suspect.example, suspect.action, suspect.looks_like) == ("wrong/1", "step", "bow")


def test_standing_still_raises_no_alarm_and_its_length_is_told(whole):
    assert whole.alarms is not None
    assert whole.alarms.seconds == pytest.approx(16, abs=0.2)
    assert whole.alarms.an_hour == 0


def test_an_action_taught_as_nothing_is_counted_as_a_false_alarm(base, shape):
    examples = made_examples(examples=4)
    footage = replace(made_example("raise", 5, seconds=12, name="rest/1"), action=NOTHING)
    alarms = checked([*examples, footage], base, shape).alarms
    assert alarms.shown.get("raise", 0) >= 1
    assert alarms.an_hour == pytest.approx(sum(alarms.shown.values()) / alarms.seconds * 3600)


def test_of_one_session_there_is_never_a_percentage(base, shape):
    found = checked(made_examples(examples=4), base, shape)
    (only,) = found.checks
    assert only.held_out == EXAMPLES
    assert only.verdict == "not checked: all examples are from one session; record in a second session"
    (values,) = found.to_json()["checks"]
    assert (values["accuracy"], values["interval"], values["verdict"]) == (None, None, only.verdict)
    assert all(figures["recall"] is None for figures in values["actions"].values())
    assert any("one session" in remark for remark in found.remarks)
    assert any("one person" in remark for remark in found.remarks)
    assert any("no footage of nothing" in remark for remark in found.remarks)


def test_an_example_without_session_is_of_its_recording(base, shape):
    examples = [replace(example, session=None, person=None) for example in made_examples(examples=4)]
    examples = [replace(example, name=f"take{n % 2}/{n}") for n, example in enumerate(examples)]
    (only,) = checked(examples, base, shape).checks
    assert (only.held_out, only.groups) == (SESSIONS, 2)


def test_an_action_of_one_session_only_is_not_judged(base, shape):
    examples = [*made_examples(("raise", "step"), 4, sessions=("Monday", "Tuesday")), *made_examples(("bow",), 3)]
    found = checked(examples, base, shape)
    assert found.checks[0].not_judged == 3
    assert found.checks[0].actions["bow"].recall is None
    assert any("could not be checked" in remark for remark in found.remarks)


def test_what_cannot_be_told_apart_needs_more_examples(base, shape):
    same = [replace(made_example("raise", n, name=f"a/{n}"), action="hail" if n % 2 else "raise") for n in range(12)]
    found = checked([*same, *made_examples(("bow",), 6)], base, shape)
    assert {"hail", "raise"} <= set(found.needed)
    assert all(1 <= count <= 20 for count in found.needed.values())
    assert found.checks[0].confusions
    assert "bow" not in found.needed


def test_few_examples_are_too_few_whatever_their_recall(base, shape):
    assert checked(made_examples(examples=3), base, shape).needed == {"bow": 2, "raise": 2, "step": 2}


def test_figures_follow_from_counts(whole):
    figures = ActionFigures(examples=4, right=3, answered=6)
    assert (figures.recall, figures.precision) == (0.75, 0.5)
    assert ActionFigures(0, 0, 0).recall is None
    values = whole.to_json()
    raised, told = whole.checks[0].actions["raise"], values["checks"][0]["actions"]["raise"]
    assert told["recall"] == raised.recall
    assert told["interval"] == wilson(raised.right, raised.examples)
    assert values["checks"][0]["interval"] == wilson(whole.checks[0].right, whole.checks[0].examples)
    assert values["alarms"]["an_hour"] == 0
    assert values["alarms"]["interval"][1] > 500
    for each in whole.checks:
        shown = sum(count for _, _, count in each.confusions)
        assert shown == each.examples - sum(figures.right for figures in each.actions.values())
        assert np.isclose(each.accuracy, 1 - shown / each.examples)


def test_actions_of_a_session_each_are_judged_example_by_example(base_folder, tmp_path):
    examples = [*(made_example("raise", n, session="Monday") for n in range(3))]
    examples += [made_example("step", n, session="Tuesday") for n in range(3)]
    found = run_quick(TeachingRequest("quick", "mine", base_folder, tmp_path, examples)).check
    assert [(each.held_out, each.examples) for each in found.checks] == [("clips", 6)]
    assert found.checks[0].verdict.startswith("not checked")
    assert found.remarks[0].startswith("Every action is from one session")


def test_intervals_are_wilsons_and_garwoods():
    assert wilson(6, 6) == (pytest.approx(0.6097, abs=1e-3), 1.0)
    assert wilson(81, 263) == (pytest.approx(0.2553, abs=1e-3), pytest.approx(0.3662, abs=1e-3))  # Newcombe (1998)
    assert wilson(0, 0) == (0.0, 1.0)
    low, high = FalseAlarms(3600.0, {"raise": 2}).interval
    assert (low, high) == (pytest.approx(0.242, abs=1e-3), pytest.approx(7.225, abs=1e-3))
    assert FalseAlarms(3600.0, {}).interval == (0.0, pytest.approx(3.689, abs=1e-3))


@pytest.mark.parametrize(
    ("held_out", "examples", "seen", "verdict"),
    [
        (SESSIONS, 12, False, ""),
        (SESSIONS, 6, False, "not checked: 6 examples are too few; record more in a second session"),
        (PEOPLE, 0, False, "not checked: no example could be held out; record in a second session"),
        (EXAMPLES, 90, False, "not checked: all examples are from one session; record in a second session"),
        ("test", 90, True, "not checked: all examples are from one session; record in a second session"),
    ],
)
def test_what_a_figure_is_worth(held_out, examples, seen, verdict):
    figures = {"raise": ActionFigures(examples, examples, examples)}
    found = HeldOutCheck(held_out, 2, 1.0, examples, figures, (), 0, seen)
    assert found.verdict == verdict
    assert (found.to_json()["accuracy"] is None) == bool(verdict)


def test_examples_and_their_copies_are_never_on_both_sides(base, shape):
    """The folder that was imported twice: three examples of each action, and each of them once more."""
    once = [
        replace(made_example(action, n), name=f"{action}{n}/1", session=None, person=None)
        for action in ("raise", "bow")
        for n in range(3)
    ]
    twice = [*once, *(replace(example, name=f"{example.name}-again/1") for example in once)]
    found = checked(twice, base, shape)
    assert found.checks[0].held_out == SESSIONS
    assert found.checks[0].groups == 6
    assert found.checks[0].examples == 6, "a copy counts for nothing of its own"
    assert found.checks[0].verdict.startswith("not checked: 6 examples are too few")
    assert len(found.copies) == 6
    assert any("6 examples show the same moment as another" in remark for remark in found.remarks)
    lesson = prepare(twice, base, shape, CHANGES)
    for held, _ in folds(lesson):
        assert (held[:6] == held[6:]).all()


def test_sittings_that_share_a_moment_are_one(base, shape):
    examples = made_examples(examples=6, sessions=("Monday", "Tuesday", "Wednesday"))
    again = replace(examples[0], name="again/1", session="Tuesday")
    found = checked([*examples, again], base, shape)
    assert (found.checks[0].held_out, found.checks[0].groups) == (SESSIONS, 2)
    assert found.copies == ("again/1",)


def test_a_tested_example_that_was_learnt_from_is_not_judged(base, base_folder, tmp_path):
    examples = made_examples(examples=5)
    test = [replace(made_example(action, 9), name=f"{action}/test") for action in ("raise", "step", "bow")]
    copy = replace(examples[0], name="copy/test")
    names = tuple(example.name for example in (*test, copy))
    found = run_quick(
        TeachingRequest("quick", "mine", base_folder, tmp_path, [*examples, *test, copy], test=names)
    ).check
    assert (found.checks[0].held_out, found.checks[0].examples, found.checks[0].not_judged) == ("test", 3, 1)
    assert found.checks[0].verdict.startswith("not checked: all examples are from one session")
    assert found.copies == ("copy/test",)


def test_stillness_goes_with_its_example_and_is_not_counted(base, shape):
    examples = made_examples(examples=4)
    still = [
        replace(
            made_example(NOTHING, n, seconds=1.5),
            name=f"{example.name} still 1",
            session=example.session,
            around=example.name,
        )
        for n, example in enumerate(examples)
    ]
    lesson = prepare([*examples, *still], base, shape, CHANGES)
    for held, _ in folds(lesson):
        assert (held[: len(examples)] == held[len(examples) :]).all()
    found = check(lesson, teach(lesson), shape)
    assert found.alarms is None
    assert any("no footage of nothing" in remark for remark in found.remarks)
    assert found.checks[0].examples == len(examples)
