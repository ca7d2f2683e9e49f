"""What a taught card says its actions need in view."""

from dataclasses import replace

import pytest
from teaching_clips import made_clip, made_clips

from pose.skeleton import MPOSE_13
from recognizer.model_card import DecisionRules, ModelCard
from recognizer.teaching.lesson import prepare
from recognizer.teaching.needs import needs_of
from recognizer.teaching.package import Base, Package, place
from recognizer.teaching.quick import teach
from recognizer.teaching.windows import Changes

LEGS, HIPS = ("knee", "ankle"), ("hip", "knee", "ankle")
ALL = ("arms", "hips", "legs")


def hidden(clip, *parts, share=1.0, confidence=0.0):
    """The clip with these joints hardly seen, or not, in its first poses."""
    found = clip.confidence.copy()
    places = [place for place, joint in enumerate(MPOSE_13.joints) if joint.partition("_")[2] in parts]
    found[: round(share * len(found)), places] = confidence
    return replace(clip, confidence=found)


def needs(*clips, known=None):
    actions = tuple(sorted({clip.action for clip in clips}))
    return needs_of(actions, actions, clips, known or {})


def test_whole_bodies_teach_a_card_without_needs():
    assert needs(*made_clips()) == {}


def test_an_action_taught_without_legs_needs_none():
    desk = [hidden(made_clip("raise", number), *HIPS) for number in range(3)]
    lap = [hidden(made_clip("bow", number), *LEGS) for number in range(3)]
    whole = [made_clip("step", number) for number in range(3)]
    assert needs(*desk, *lap, *whole) == {"raise": ("arms",), "bow": ("arms", "hips"), "step": ALL}


@pytest.mark.parametrize(("without", "expected"), [(1, {}), (2, {}), (3, {"raise": ("arms",)})])
def test_most_clips_decide(without, expected):
    clips = [hidden(made_clip("raise", number), *(HIPS if number < without else ())) for number in range(4)]
    assert needs(*clips) == expected


def test_a_joint_that_is_hardly_seen_is_not_in_view():
    clips = [hidden(made_clip("raise", number), *HIPS, confidence=0.05) for number in range(3)]
    assert needs(*clips) == {"raise": ("arms",)}
    assert needs(*(hidden(made_clip("raise", number), *HIPS, share=0.4) for number in range(3))) == {}


def test_what_the_base_can_judge_by_less_stays_so():
    known = {"raise": ("arms",), "wave": ("arms",), "walk": ALL}
    assert needs(*made_clips(("raise", "step")), known=known) == {**known, "step": ALL}


def test_names_of_the_card_are_those_of_their_clips_in_order():
    clips = [hidden(made_clip("raise", number), *HIPS) for number in range(3)]
    assert needs_of(("other 2", "b"), ("raise", "bow"), [*clips, made_clip("bow")]) == {"other 2": ("arms",), "b": ALL}


@pytest.mark.parametrize("keep_base", [True, False])
def test_the_packaged_card_has_them_and_those_of_the_base_that_stays(base, base_folder, shape, tmp_path, keep_base):
    clips = [hidden(made_clip("raise", number), *HIPS) for number in range(3)] + made_clips(("step",), 3)
    taught = teach(prepare(clips, base, shape, Changes(windows=3)))
    loaded = Base.load(base_folder)
    rules = loaded.card.decision
    rules = DecisionRules(rules.temperature, rules.thresholds, rules.other, {"wave": ("arms",), "other": ALL})
    from_desk = Base(replace(loaded.card, decision=rules), loaded.content)
    card = ModelCard.load(place(Package("gym", from_desk, taught, clips, keep_base, {}, {}), tmp_path, ".part-1"))
    own = {"raise": ("arms",), "step": ALL}
    assert card.decision.needs == ({"wave": ("arms",), "other": ALL, **own} if keep_base else own)
