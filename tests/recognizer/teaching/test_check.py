"""What a check finds, and what it says that it cannot know."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from teaching_examples import made_example, made_examples

from recognizer.teaching.check import (
    Check,
    _held_out,
    check,
    copies_sentence,
    example_probabilities,
    needed_examples,
    person_sentence,
    session_sentence,
    unnamed_sentence,
)
from recognizer.teaching.lesson import NOTHING, prepare
from recognizer.teaching.metrics import EXAMPLES, PEOPLE, SESSIONS, ActionMetrics, FalseAlarms, HeldOutCheck, wilson
from recognizer.teaching.quick import fit, folds, teach
from recognizer.teaching.request import TeachingRequest
from recognizer.teaching.run import run_quick
from recognizer.teaching.split_check import with_test
from recognizer.teaching.windows import WindowAugmentation

CHANGES = WindowAugmentation(windows=3)


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
    assert only.verdict == "not checked: no session was held out; record every action in a second session"
    (values,) = found.to_json()["checks"]
    assert (values["accuracy"], values["interval"], values["verdict"]) == (None, None, only.verdict)
    assert all(metrics["recall"] is None for metrics in values["actions"].values())
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
    metrics = ActionMetrics(examples=4, right=3, answered=6)
    assert (metrics.recall, metrics.precision) == (0.75, 0.5)
    assert ActionMetrics(0, 0, 0).recall is None
    values = whole.to_json()
    raised, told = whole.checks[0].actions["raise"], values["checks"][0]["actions"]["raise"]
    assert told["recall"] == raised.recall
    assert told["interval"] == wilson(raised.right, raised.examples)
    assert values["checks"][0]["interval"] == wilson(whole.checks[0].right, whole.checks[0].examples)
    assert values["alarms"]["an_hour"] == 0
    assert values["alarms"]["interval"][1] > 500
    for each in whole.checks:
        shown = sum(count for _, _, count in each.confusions)
        assert shown == each.examples - sum(metrics.right for metrics in each.actions.values())
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
        (SESSIONS, 6, False, "too few separate takes (6) for a percentage. Record more on another occasion"),
        (PEOPLE, 0, False, "not checked: no example could be held out; record in a second session"),
        (EXAMPLES, 90, False, "not checked: no session was held out; record every action in a second session"),
        (
            *("test", 90, True),
            "not checked: no person and no session in the test part is new; record it in another session",
        ),
    ],
)
def test_what_a_figure_is_worth(held_out, examples, seen, verdict):
    metrics = {"raise": ActionMetrics(examples, examples, examples)}
    found = HeldOutCheck(held_out, 2, 1.0, examples, metrics, (), 0, seen)
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
    assert found.checks[0].verdict.startswith("too few separate takes (6)")
    assert len(found.copies) == 6
    assert "6 of your takes overlap in time with others, so they were checked together with those." in found.remarks
    assert copies_sentence(found.copies[:1]) == "Two of your takes overlap in time, so they were checked together."
    lesson = prepare(twice, base, shape, CHANGES)
    for held, _ in folds(lesson):
        assert (held[:6] == held[6:]).all()


def test_false_alarms_are_counted_by_heads_that_know_no_copy_of_the_footage(base, shape, monkeypatch):
    footage = [replace(made_example("raise", 20 + n), name=f"{n}/1", action=NOTHING) for n in range(2)]
    both = [each for example in footage for each in (example, replace(example, name=f"{example.name} again"))]
    examples = [*made_examples(examples=3), *both]
    fitted = []
    monkeypatch.setattr(
        "recognizer.teaching.check.fit", lambda lesson, on, *more: fitted.append(on) or fit(lesson, on, *more)
    )
    found = checked(examples, base, shape)
    assert found.alarms.seconds == pytest.approx(sum(each.times_s[-1] - each.times_s[0] for each in footage), abs=0.1)
    halves = {tuple(on[-4:].tolist()) for on in fitted}
    assert halves - {(True,) * 4} == {(False, False, True, True), (True, True, False, False)}


def test_copies_are_no_examples_that_need_not_be_recorded(base, shape):
    once = made_examples(examples=3)
    found = checked([*once, *(replace(example, name=f"{example.name} again") for example in once)], base, shape)
    assert found.needed == checked(once, base, shape).needed != {}


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
    assert found.checks[0].verdict.startswith("not checked: no person and no session in the test part is new")
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


def test_no_example_is_answered_by_a_head_that_was_fitted_to_its_group(base, shape, monkeypatch):
    examples = made_examples(("raise", "bow"), 3, sessions=("Monday", "Tuesday", "Wednesday"))
    nothing = [made_example(NOTHING, n, seconds=4, session=("Monday", "Tuesday")[n], name=f"rest/{n}") for n in (0, 1)]
    lesson = prepare([*examples, *nothing], base, shape, CHANGES)
    taught, left_out = teach(lesson), []

    def watched(lesson, examples, settings):
        left_out.append(np.flatnonzero(~examples).tolist())
        return fit(lesson, examples, settings)

    monkeypatch.setattr("recognizer.teaching.check.fit", watched)
    found = check(lesson, taught, shape)
    assert (found.checks[0].held_out, found.checks[0].groups) == (SESSIONS, 3)
    assert left_out[:3] == [[0, 3, 6], [1, 4, 7], [2, 5]]
    singly = left_out[3:-2]
    assert sorted(place for held in singly for place in held) == list(range(8))
    assert left_out[-2:] == [[6], [7]], "false alarms are counted on footage that the head has not seen"


def test_an_action_is_the_answer_only_where_it_is_likelier_than_none():
    bow = SimpleNamespace(action="bow", name="a/1")
    lesson = SimpleNamespace(actions=("bow", "raise"), examples=(bow,), together=np.array([0]))
    taught = SimpleNamespace(thresholds=np.array([0.3, 0.3]))
    for probabilities, confusions in (((0.4, 0.1, 0.5), (("bow", "unknown", 1),)), ((0.5, 0.1, 0.4), ())):
        answers = {0: np.array(probabilities)}
        assert _held_out(lesson, taught, answers, EXAMPLES, [0]).confusions == confusions


def test_windows_of_rest_weigh_little_in_an_examples_answer():
    windows = np.array([[0.9, 0, 0.1], [0, 0.1, 0.9], [0, 0.1, 0.9]])  # weights .95, .15 and .15
    np.testing.assert_allclose(example_probabilities(windows), [0.684, 0.024, 0.292])


def test_an_error_halves_with_four_times_the_examples():
    """Four of five are right, nine of ten are wanted: 20 examples, 15 more than there are."""
    strictest = HeldOutCheck(SESSIONS, 2, 0.8, 5, {"bow": ActionMetrics(5, 4, 4)}, (), 0)
    assert needed_examples(made_examples(("bow",), 5), strictest) == {"bow": 15}


def named(examples, *names):
    return [replace(example, person=names[n % len(names)]) for n, example in enumerate(examples)]


UNNAMED = "Some takes have no person's name, so it was not checked how well it works for other people."
ONE_PERSON = "All examples are of one person: how well it works for other people is not known."


def test_an_action_of_each_person_is_not_all_of_one_person(base, shape):
    examples = [*made_examples(("raise",), 4), *made_examples(("bow",), 4, people=("Bob",))]
    found = checked(examples, base, shape)
    assert [each.held_out for each in found.checks] == [EXAMPLES]
    assert found.remarks[1].startswith("Every action is of one person alone: how well it works for other people")
    assert found.remarks[1].endswith("Let others record each action, too.")


@pytest.mark.parametrize(
    ("groups", "session", "person"),
    [
        ((("raise", "A"), ("bow", "A")), "All examples are from one", "All examples are of one person:"),
        ((("raise", "A"), ("bow", "B")), "Every action is from one", "Every action is of one person alone:"),
        ((("raise", "A"), ("step", "A"), ("step", "B"), ("bow", "B")), "No session could be", "No person could be"),
    ],
)
def test_why_nobody_and_no_session_was_held_out(groups, session, person):
    examples = [made_example(action, person=group, session=group) for action, group in groups]
    examples.append(made_example(NOTHING, person="C", session="C"))
    assert session_sentence(examples).startswith(session)
    assert person_sentence(examples).startswith(person)


@pytest.mark.parametrize("names", [(None, "Ada"), ("Ada", "Bob", None)])
def test_takes_without_a_name_are_not_a_second_person(names, base, shape):
    found = checked(named(made_examples(examples=6), *names), base, shape)
    assert [each.held_out for each in found.checks] == [EXAMPLES]
    assert UNNAMED in found.remarks
    assert ONE_PERSON not in found.remarks


def test_with_takes_without_a_name_sessions_are_held_out(base, shape):
    found = checked(named(made_examples(examples=6, sessions=("Monday", "Tuesday")), "Ada", None, "Bob"), base, shape)
    assert [(each.held_out, each.groups) for each in found.checks] == [(SESSIONS, 2)]
    assert UNNAMED in found.remarks


@pytest.mark.parametrize(
    ("of_actions", "of_nothing", "told"),
    [
        (("Ada", None), "Ada", UNNAMED),
        (("Ada", "Bob", None), "Ada", UNNAMED),
        (("Ada", ""), "Ada", UNNAMED),
        (("Ada", "Bob"), None, UNNAMED),
        (("Ada", "Bob"), "Ada", ""),
        (("Ada",), None, ""),
        ((None,), None, ""),
    ],
)
def test_names_are_asked_for_only_where_they_are_what_is_missing(of_actions, of_nothing, told):
    examples = named(made_examples(("bow",), 6), *of_actions)
    assert unnamed_sentence([*examples, made_example(NOTHING, person=of_nothing)]) == told


@pytest.mark.parametrize(
    ("learnt", "tested", "seen"),
    [("Ada", "Bob", False), ("Ada", "Ada", True), ("Ada", None, True), (None, "Bob", True), (None, None, True)],
)
def test_only_a_name_that_nobody_learnt_from_may_have_is_a_new_person(learnt, tested, seen):
    examples = named(made_examples(("bow",), 4), "Ada", learnt)
    test = named([made_example("bow", n, name=f"test/{n}") for n in (8, 9)], tested)
    answers = [np.array([0.6, 0.4]), np.array([0.4, 0.6])]
    found = with_test(Check((), (), {}, None), ("bow",), np.array([0.3]), examples, test, answers)
    assert found.checks[0].seen == seen
    assert found.checks[0].right == 1, "where none is likelier the answer is unknown"
