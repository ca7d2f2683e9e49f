"""What a taught card says its actions need in view."""

from dataclasses import replace

import pytest
from teaching_examples import made_example, made_examples

from pose.skeleton import MPOSE_13
from recognizer.model_card import DecisionRules, ModelCard
from recognizer.teaching.lesson import prepare
from recognizer.teaching.needs import needs_of
from recognizer.teaching.package import Base, Package, place
from recognizer.teaching.quick import teach
from recognizer.teaching.windows import WindowAugmentation

LEGS, HIPS = ("knee", "ankle"), ("hip", "knee", "ankle")
ALL = ("arms", "hips", "legs")


def hidden(example, *parts, share=1.0, confidence=0.0):
    """The example with these joints hardly seen, or not, in its first poses."""
    found = example.confidence.copy()
    places = [index for index, joint in enumerate(MPOSE_13.joints) if joint.partition("_")[2] in parts]
    found[: round(share * len(found)), places] = confidence
    return replace(example, confidence=found)


def needs(*examples, known=None):
    actions = tuple(sorted({example.action for example in examples}))
    return needs_of(actions, actions, examples, known or {})


def test_whole_bodies_teach_a_card_without_needs():
    assert needs(*made_examples()) == {}


def test_an_action_taught_without_legs_needs_none():
    desk = [hidden(made_example("raise", number), *HIPS) for number in range(3)]
    lap = [hidden(made_example("bow", number), *LEGS) for number in range(3)]
    whole = [made_example("step", number) for number in range(3)]
    assert needs(*desk, *lap, *whole) == {"raise": ("arms",), "bow": ("arms", "hips"), "step": ALL}


@pytest.mark.parametrize(("without", "expected"), [(1, {}), (2, {}), (3, {"raise": ("arms",)})])
def test_most_examples_decide(without, expected):
    examples = [hidden(made_example("raise", number), *(HIPS if number < without else ())) for number in range(4)]
    assert needs(*examples) == expected


def test_a_joint_that_is_hardly_seen_is_not_in_view():
    examples = [hidden(made_example("raise", number), *HIPS, confidence=0.05) for number in range(3)]
    assert needs(*examples) == {"raise": ("arms",)}
    assert needs(*(hidden(made_example("raise", number), *HIPS, share=0.4) for number in range(3))) == {}


def test_what_the_base_can_judge_by_less_stays_so():
    known = {"raise": ("arms",), "wave": ("arms",), "walk": ALL}
    assert needs(*made_examples(("raise", "step")), known=known) == {**known, "step": ALL}


def test_names_of_the_card_are_those_of_their_examples_in_order():
    examples = [hidden(made_example("raise", number), *HIPS) for number in range(3)]
    assert needs_of(("other 2", "b"), ("raise", "bow"), [*examples, made_example("bow")]) == {
        "other 2": ("arms",),
        "b": ALL,
    }


@pytest.mark.parametrize("keep_base", [True, False])
def test_the_packaged_card_has_them_and_those_of_the_base_that_stays(base, base_folder, shape, tmp_path, keep_base):
    examples = [hidden(made_example("raise", number), *HIPS) for number in range(3)] + made_examples(("step",), 3)
    taught = teach(prepare(examples, base, shape, WindowAugmentation(windows=3)))
    loaded = Base.load(base_folder)
    rules = loaded.card.decision
    rules = DecisionRules(rules.temperature, rules.thresholds, rules.other, {"wave": ("arms",), "other": ALL})
    from_desk = Base(replace(loaded.card, decision=rules), loaded.content)
    card = ModelCard.load(place(Package("gym", from_desk, taught, examples, keep_base, {}, {}), tmp_path, ".part-1"))
    own = {"raise": ("arms",), "step": ALL}
    assert card.decision.needs == ({"wave": ("arms",), "other": ALL, **own} if keep_base else own)
