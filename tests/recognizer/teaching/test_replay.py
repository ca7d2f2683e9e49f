"""What a taught recognizer is tried on, and what is said of it."""

import json
from dataclasses import replace

import numpy as np
import pytest
from teaching_examples import made_example, made_examples

from recognizer.teaching.background import SITTING, STANDING, everyday_motion, probe_motions
from recognizer.teaching.check import Check
from recognizer.teaching.lesson import NOTHING
from recognizer.teaching.metrics import FalseAlarms, counted
from recognizer.teaching.replay import Footage, fired, fired_in, footage_of, longer, with_findings
from recognizer.teaching.request import TeachingRequest
from recognizer.teaching.run import run_quick
from recognizer.teaching.versions import taught_model


def still_around(examples, seconds=1.2):
    return [
        replace(made_example(NOTHING, n, seconds=seconds), name=f"{c.name} still 1", session=c.session, around=c.name)
        for n, c in enumerate(examples)
    ]


def nobody(action, on):
    return ()


@pytest.fixture(scope="module")
def wrong(base_folder, tmp_path_factory):
    """Somebody who stood still in all takes of one action, as takes were that nobody had trimmed."""
    stands = [replace(made_example(NOTHING, n), action="boot", name=f"boot/{n}") for n in range(4)]
    examples = [*stands, *made_examples(("raise",), 4)]
    return run_quick(TeachingRequest("quick", "mine", base_folder, tmp_path_factory.mktemp("models"), examples))


def test_an_action_that_fires_on_standing_still_is_told_with_its_takes(wrong):
    finding = next(each for each in wrong.check.findings if STANDING in each.text)
    assert finding.text.startswith("boot is also triggered by standing still")
    assert finding.text.endswith(": trim its takes or record more")
    assert finding.action == "boot"
    assert len(finding.takes) == 2
    assert all(take.startswith("boot/") for take in finding.takes)


def test_findings_are_kept_beside_the_model(wrong):
    kept = json.loads((wrong.folder / "clips.json").read_text())["check"]["findings"]
    assert [each["text"] for each in kept] == [each.text for each in wrong.check.findings]
    assert list(taught_model(wrong.folder).check["findings"]) == kept


def test_what_fires_on_nothing_it_must_not_is_told_nothing(base_folder, tmp_path):
    examples = made_examples(examples=5, sessions=("Monday", "Tuesday"))
    found = run_quick(
        TeachingRequest("quick", "mine", base_folder, tmp_path, [*examples, *still_around(examples)])
    ).check
    assert not [each for each in found.findings if STANDING in each.text]


class Always:
    """A recognizer that says one thing of everything."""

    def __init__(self, base, action):
        self.card = base.card
        self._place = base.card.actions.index(action)

    def predict(self, clips, *, attention=False):
        from recognizer.clips import Prediction

        says = np.eye(len(self.card.actions), dtype=np.float32)[self._place]
        return [Prediction(clip.person, clip.time_s, self.card.actions, says) for clip in clips]


def test_footage_is_played_as_live(base):
    action = next(a for a in base.card.actions if a not in base.card.decision.other)
    assert fired(Always(base, action), longer(made_example(NOTHING, 1, seconds=0.8))) == [action]
    found = with_findings(
        Check((), (), {}, None),
        Always(base, action),
        {action: "boot"},
        footage_of(still_around(made_examples())),
        nobody,
    )
    said = "boot is also triggered by standing still, 14 of 14 times: trim its takes or record more"
    assert found.findings[0].text == said
    assert any("boot is also triggered by waving: record more takes" in each.text for each in found.findings)


class ByPlace(Always):
    """A recognizer that says one thing of who is on the left, and another of who is on the right."""

    def __init__(self, base, left, right):
        super().__init__(base, left)
        self._left, self._right = Always(base, left), Always(base, right)

    def predict(self, clips, *, attention=False):
        says = [self._left if clip.xy_px[..., 0].mean() < 1000 else self._right for clip in clips]
        return [found for each, clip in zip(says, clips, strict=True) for found in each.predict([clip])]


def test_many_are_played_at_once_as_one_by_one(base):
    left, right = [a for a in base.card.actions if a not in base.card.decision.other][:2]
    here = [made_example(NOTHING, n, seconds=3.0 + n) for n in range(3)]
    there = [replace(example, xy_px=example.xy_px + np.float32(2000)) for example in here]
    examples = [here[0], there[1], there[2], here[2], here[1]]
    recognizer = ByPlace(base, left, right)
    assert fired_in(recognizer, examples) == [[left], [right], [right], [left], [left]]
    assert fired_in(recognizer, examples) == [fired(recognizer, example) for example in examples]
    assert fired_in(recognizer, []) == []


def test_an_everyday_motion_that_is_taught_is_not_tried():
    examples = [replace(example, action="Jumping jacks") for example in made_examples(("raise",))]
    words = {each.words for each in footage_of(examples, ["wave"])}
    assert {"jumping jacks", "waving"} & words == set()
    assert {"clapping", STANDING, SITTING} <= words


def test_everyday_motions_are_of_other_bodies_than_those_that_are_learnt_from(shape):
    tried = probe_motions()
    assert {each.words for each in tried} >= {STANDING, SITTING, "walking", "sitting down", "picking something up"}
    assert {each.action for each in tried} == {each.action for each in everyday_motion(shape)}
    for each in tried:
        assert each.example.times_s[-1] > 3.5
        assert np.isfinite(each.example.xy_px).all()


def test_a_stillness_is_played_to_and_fro():
    example = made_example("raise", 1, seconds=0.8)
    played = longer(example)
    assert played.times_s[-1] == pytest.approx(2.56, abs=0.05)
    step = np.abs(np.diff(played.xy_px, axis=0)).max()
    assert step <= np.abs(np.diff(example.xy_px, axis=0)).max()


def test_mistakes_and_alarms_are_told_in_plain_words():
    answers = [("greet/1", "greet", "clap"), ("clap/1", "clap", "greet"), ("greet/2", "greet", "greet")]
    answers += [("clap/2", "clap", "clap"), ("clap/3", "clap", "unknown")]
    metrics = counted(answers, ("clap", "greet"), "sessions", 2, 0)
    check = Check((metrics,), (), {}, FalseAlarms(90.0, {"greet": 3}))
    found = with_findings(check, None, {}, (), lambda action, on: (f"{action}/9",)).findings
    assert [each.text for each in found] == [
        "greet is also shown in the footage of nothing, 3 times in 1.5 min: "
        "record more takes, or more footage of nothing",
        "clap and greet are confused in 2 of 5",
        "clap is not recognised in 1 of 3",
    ]
    assert [each.takes for each in found] == [("greet/9",), ("greet/1", "clap/1"), ("clap/3",)]


def test_one_kind_of_footage_once_has_no_count(base):
    action = next(a for a in base.card.actions if a not in base.card.decision.other)
    footage = [Footage("waving", longer(made_example("raise", 1)))]
    found = with_findings(Check((), (), {}, None), Always(base, action), {action: "boot"}, footage, nobody)
    said = "boot is also triggered by waving: record more takes, or label such footage as nothing"
    assert found.findings[0].text == said
