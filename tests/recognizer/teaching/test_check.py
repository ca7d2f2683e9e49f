"""What a check finds, and what it says that it cannot know."""

from dataclasses import replace

import numpy as np
import pytest
from teaching_clips import made_clip, made_clips

from recognizer.teaching.check import check
from recognizer.teaching.figures import CLIPS, PEOPLE, SESSIONS, ActionFigures, FalseAlarms, HeldOutCheck, wilson
from recognizer.teaching.lesson import NOTHING, prepare
from recognizer.teaching.quick import folds, teach
from recognizer.teaching.request import TeachingRequest
from recognizer.teaching.run import run_quick
from recognizer.teaching.windows import Changes

CHANGES = Changes(windows=3)


def checked(clips, base, shape):
    lesson = prepare(clips, base, shape, CHANGES)
    return check(lesson, teach(lesson), shape)


@pytest.fixture(scope="module")
def whole(base, shape):
    clips = made_clips(clips=6, people=("Ada", "Bob"), sessions=("Monday", "Monday", "Tuesday", "Tuesday"))
    wrong = replace(made_clip("bow", 77), name="wrong/1", action="step")
    nothing = [made_clip(NOTHING, n, seconds=8, name=f"rest/{n}") for n in range(2)]
    return checked([*clips, wrong, *nothing], base, shape)


def test_people_and_sessions_are_held_out_in_turn(whole):
    people, sessions = whole.checks
    assert (people.held_out, people.groups) == (PEOPLE, 2)
    assert (sessions.held_out, sessions.groups) == (SESSIONS, 2)
    assert people.clips == 19
    assert people.actions["raise"].clips == 6
    assert people.accuracy > 0.7


def test_a_wrong_label_is_suspected_and_nothing_else(whole):
    (suspect,) = whole.suspects
    assert (suspect.clip, suspect.action, suspect.looks_like) == ("wrong/1", "step", "bow")


def test_standing_still_raises_no_alarm_and_its_length_is_told(whole):
    assert whole.alarms is not None
    assert whole.alarms.seconds == pytest.approx(16, abs=0.2)
    assert whole.alarms.an_hour == 0


def test_an_action_taught_as_nothing_is_counted_as_a_false_alarm(base, shape):
    clips = made_clips(clips=4)
    footage = replace(made_clip("raise", 5, seconds=12, name="rest/1"), action=NOTHING)
    alarms = checked([*clips, footage], base, shape).alarms
    assert alarms.shown.get("raise", 0) >= 1
    assert alarms.an_hour == pytest.approx(sum(alarms.shown.values()) / alarms.seconds * 3600)


def test_of_one_session_there_is_never_a_percentage(base, shape):
    found = checked(made_clips(clips=4), base, shape)
    (only,) = found.checks
    assert only.held_out == CLIPS
    assert only.verdict == "not checked: all clips are from one session; record in a second session"
    (values,) = found.to_json()["checks"]
    assert (values["accuracy"], values["interval"], values["verdict"]) == (None, None, only.verdict)
    assert all(figures["recall"] is None for figures in values["actions"].values())
    assert any("one session" in remark for remark in found.remarks)
    assert any("one person" in remark for remark in found.remarks)
    assert any("no footage of nothing" in remark for remark in found.remarks)


def test_a_clip_without_session_is_of_its_recording(base, shape):
    clips = [replace(clip, session=None, person=None) for clip in made_clips(clips=4)]
    clips = [replace(clip, name=f"take{n % 2}/{n}") for n, clip in enumerate(clips)]
    (only,) = checked(clips, base, shape).checks
    assert (only.held_out, only.groups) == (SESSIONS, 2)


def test_an_action_of_one_session_only_is_not_judged(base, shape):
    clips = [*made_clips(("raise", "step"), 4, sessions=("Monday", "Tuesday")), *made_clips(("bow",), 3)]
    found = checked(clips, base, shape)
    assert found.checks[0].not_judged == 3
    assert found.checks[0].actions["bow"].recall is None
    assert any("could not be checked" in remark for remark in found.remarks)


def test_what_cannot_be_told_apart_needs_more_clips(base, shape):
    same = [replace(made_clip("raise", n, name=f"a/{n}"), action="hail" if n % 2 else "raise") for n in range(12)]
    found = checked([*same, *made_clips(("bow",), 6)], base, shape)
    assert {"hail", "raise"} <= set(found.needed)
    assert all(1 <= count <= 20 for count in found.needed.values())
    assert found.checks[0].confusions
    assert "bow" not in found.needed


def test_few_clips_are_too_few_whatever_their_recall(base, shape):
    assert checked(made_clips(clips=3), base, shape).needed == {"bow": 2, "raise": 2, "step": 2}


def test_figures_follow_from_counts(whole):
    figures = ActionFigures(clips=4, right=3, answered=6)
    assert (figures.recall, figures.precision) == (0.75, 0.5)
    assert ActionFigures(0, 0, 0).recall is None
    values = whole.to_json()
    raised, told = whole.checks[0].actions["raise"], values["checks"][0]["actions"]["raise"]
    assert told["recall"] == raised.recall
    assert told["interval"] == wilson(raised.right, raised.clips)
    assert values["checks"][0]["interval"] == wilson(whole.checks[0].right, whole.checks[0].clips)
    assert values["alarms"]["an_hour"] == 0
    assert values["alarms"]["interval"][1] > 500
    for each in whole.checks:
        shown = sum(count for _, _, count in each.confusions)
        assert shown == each.clips - sum(figures.right for figures in each.actions.values())
        assert np.isclose(each.accuracy, 1 - shown / each.clips)


def test_actions_of_a_session_each_are_judged_clip_by_clip(base_folder, tmp_path):
    clips = [*(made_clip("raise", n, session="Monday") for n in range(3))]
    clips += [made_clip("step", n, session="Tuesday") for n in range(3)]
    found = run_quick(TeachingRequest("quick", "mine", base_folder, tmp_path, clips)).check
    assert [(each.held_out, each.clips) for each in found.checks] == [("clips", 6)]
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
    ("held_out", "clips", "seen", "verdict"),
    [
        (SESSIONS, 12, False, ""),
        (SESSIONS, 6, False, "not checked: 6 clips are too few; record more in a second session"),
        (PEOPLE, 0, False, "not checked: no clip could be held out; record in a second session"),
        (CLIPS, 90, False, "not checked: all clips are from one session; record in a second session"),
        ("test", 90, True, "not checked: all clips are from one session; record in a second session"),
    ],
)
def test_what_a_figure_is_worth(held_out, clips, seen, verdict):
    figures = {"raise": ActionFigures(clips, clips, clips)}
    found = HeldOutCheck(held_out, 2, 1.0, clips, figures, (), 0, seen)
    assert found.verdict == verdict
    assert (found.to_json()["accuracy"] is None) == bool(verdict)


def test_clips_and_their_copies_are_never_on_both_sides(base, shape):
    """The folder that was imported twice: three clips of each action, and each of them once more."""
    once = [
        replace(made_clip(action, n), name=f"{action}{n}/1", session=None, person=None)
        for action in ("raise", "bow")
        for n in range(3)
    ]
    twice = [*once, *(replace(clip, name=f"{clip.name}-again/1") for clip in once)]
    found = checked(twice, base, shape)
    assert found.checks[0].held_out == SESSIONS
    assert found.checks[0].groups == 6
    assert found.checks[0].clips == 6, "a copy counts for nothing of its own"
    assert found.checks[0].verdict.startswith("not checked: 6 clips are too few")
    assert len(found.copies) == 6
    assert any("6 clips show the same moment as another" in remark for remark in found.remarks)
    lesson = prepare(twice, base, shape, CHANGES)
    for held, _ in folds(lesson):
        assert (held[:6] == held[6:]).all()


def test_sittings_that_share_a_moment_are_one(base, shape):
    clips = made_clips(clips=6, sessions=("Monday", "Tuesday", "Wednesday"))
    again = replace(clips[0], name="again/1", session="Tuesday")
    found = checked([*clips, again], base, shape)
    assert (found.checks[0].held_out, found.checks[0].groups) == (SESSIONS, 2)
    assert found.copies == ("again/1",)


def test_a_tested_clip_that_was_learnt_from_is_not_judged(base, base_folder, tmp_path):
    clips = made_clips(clips=5)
    test = [replace(made_clip(action, 9), name=f"{action}/test") for action in ("raise", "step", "bow")]
    copy = replace(clips[0], name="copy/test")
    names = tuple(clip.name for clip in (*test, copy))
    found = run_quick(TeachingRequest("quick", "mine", base_folder, tmp_path, [*clips, *test, copy], test=names)).check
    assert (found.checks[0].held_out, found.checks[0].clips, found.checks[0].not_judged) == ("test", 3, 1)
    assert found.checks[0].verdict.startswith("not checked: all clips are from one session")
    assert found.copies == ("copy/test",)


def test_stillness_goes_with_its_clip_and_is_not_counted(base, shape):
    clips = made_clips(clips=4)
    still = [
        replace(made_clip(NOTHING, n, seconds=1.5), name=f"{clip.name} still 1", session=clip.session, around=clip.name)
        for n, clip in enumerate(clips)
    ]
    lesson = prepare([*clips, *still], base, shape, CHANGES)
    for held, _ in folds(lesson):
        assert (held[: len(clips)] == held[len(clips) :]).all()
    found = check(lesson, teach(lesson), shape)
    assert found.alarms is None
    assert any("no footage of nothing" in remark for remark in found.remarks)
    assert found.checks[0].clips == len(clips)
