"""Variants that a generator makes of examples: what they are, never judged by, and kept only where they help."""

import json
from dataclasses import replace

import numpy as np
import pytest
from teaching_examples import made_example, made_examples
from toy_generator import write_generator

from pose.skeleton import MEDIAPIPE_33, MPOSE_13, convert
from recognizer.generator import OnnxGenerator
from recognizer.model_card import ModelCard
from recognizer.teaching.check import FalseAlarms, check
from recognizer.teaching.errors import TeachingError
from recognizer.teaching.lesson import NOTHING, prepare, with_extra
from recognizer.teaching.quick import teach
from recognizer.teaching.request import TeachingRequest, read_request, write_request
from recognizer.teaching.run import run_quick
from recognizer.teaching.variants import Variant, VariantSettings, make_variants, try_variants
from recognizer.teaching.versions import taught_model
from recognizer.teaching.windows import WindowAugmentation

FEW = WindowAugmentation(windows=3)


@pytest.fixture(scope="module")
def generator_folder(tmp_path_factory):
    return write_generator(tmp_path_factory.mktemp("generators") / "toy")


@pytest.fixture(scope="module")
def generator(generator_folder):
    return OnnxGenerator(generator_folder)


def torso(example):
    places = [[MPOSE_13.index(f"{side}_{part}") for side in ("left", "right")] for part in ("shoulder", "hip")]
    shoulders, hips = (example.xy_px[:, pair].mean(axis=1) for pair in places)
    return float(np.median(np.linalg.norm(shoulders - hips, axis=-1)))


def length(example, a, b):
    a, b = example.xy_px[:, MPOSE_13.index(a)], example.xy_px[:, MPOSE_13.index(b)]
    return float(np.median(np.linalg.norm(a - b, axis=-1)))


def styled(action, style, number, session):
    """An action that looks as `style` does."""
    return replace(made_example(style, number, session=session, name=f"{session}/{action}-{number}"), action=action)


# Of each action, what it looks like on either day.
STYLES = {"salute": {"Monday": "raise", "Tuesday": "step"}, "curtsy": {"Monday": "bow", "Tuesday": "nothing"}}


def two_days():
    days = ("Monday", "Tuesday")
    return [styled(a, STYLES[a][day], n, day) for a in STYLES for day in days for n in range(3)]


def tried(examples, variants, generator, base, shape):
    lesson = prepare(examples, base, shape, FEW)
    taught = teach(lesson)
    original = check(lesson, taught, shape)
    return taught, original, *try_variants(lesson, taught, original, variants, generator.card, base, shape)


def test_variants_that_help_are_kept_and_the_gain_is_told(generator, base, shape):
    examples = two_days()
    variants = []
    for index, example in enumerate(examples):  # each shows what the other day looks like
        (other,) = {"Monday", "Tuesday"} - {example.session}
        variants.append(
            Variant(styled(example.action, STYLES[example.action][other], 50 + index, example.session), index, {})
        )
    before, original, after, found = tried(examples, variants, generator, base, shape)
    told = found.variants
    assert told.kept
    assert original.checks[0].accuracy < 0.6 < found.checks[0].accuracy
    assert (told.accuracy_without, told.accuracy_with) == (original.checks[0].accuracy, found.checks[0].accuracy)
    assert (told.held_out, told.examples, told.variants) == ("sessions", 12, 12)
    assert found.checks[0].examples == original.checks[0].examples  # a variant is never judged by
    assert [each["of"] for each in told.made] == [example.name for example in examples]
    assert np.abs(after.head.weights - before.head.weights).max() > 0


def test_variants_that_hurt_are_dropped(generator, base, shape):
    examples = made_examples(("raise", "bow"), 6, sessions=("Monday", "Tuesday"))
    wrong = {"raise": "bow", "bow": "raise"}
    variants = [
        Variant(styled(example.action, wrong[example.action], 70 + index * 5 + n, example.session), index, {})
        for index, example in enumerate(examples)
        for n in range(5)
    ]
    before, original, after, found = tried(examples, variants, generator, base, shape)
    assert original.checks[0].accuracy > 0.9
    assert found.variants.accuracy_with < found.variants.accuracy_without
    assert not found.variants.kept
    assert found.variants.made == ()
    assert after is before
    assert found.checks == original.checks


def test_variants_that_bring_false_alarms_are_dropped(generator, base, shape, monkeypatch):
    examples = two_days()
    other = {"Monday": "Tuesday", "Tuesday": "Monday"}
    variants = [
        Variant(styled(c.action, STYLES[c.action][other[c.session]], 50 + n, c.session), n, {})
        for n, c in enumerate(examples)
    ]

    def told(quiet, loud):
        """Of what helps, were there so many alarms without and with it."""
        counts = iter([FalseAlarms(60.0, {"salute": quiet}), FalseAlarms(60.0, {"salute": loud})])
        monkeypatch.setattr("recognizer.teaching.check._false_alarms", lambda *_: next(counts))
        return tried(examples, variants, generator, base, shape)[3].variants

    assert told(1, 1).kept
    noisy = told(1, 2)
    assert (noisy.alarms_without, noisy.alarms_with, noisy.kept) == (60.0, 120.0, False)
    assert noisy.accuracy_with > noisy.accuracy_without


def test_a_head_that_judges_an_example_has_not_seen_its_variants(generator, base, shape):
    # Copies of the judged example itself would make it right, were they there while it is judged.
    examples = two_days()
    variants = [Variant(example, index, {}) for index, example in enumerate(examples) for _ in range(3)]
    _, original, _, found = tried(examples, variants, generator, base, shape)
    assert original.checks[0].accuracy < 0.6
    assert found.variants.accuracy_with < 0.6


def test_an_example_with_variants_weighs_as_much_as_one_without(base, shape):
    examples = made_examples(examples=3)
    lesson = prepare(examples, base, shape, FEW)
    richer = with_extra(lesson, [(4, examples[4]), (4, examples[5])], base, shape, FEW)
    assert (richer.original, richer.hop_s.tolist()) == (lesson.original, lesson.hop_s.tolist())
    assert np.bincount(richer.augmented.owner)[4] > 2 * np.bincount(lesson.augmented.owner)[4]
    assert set(richer.augmented.owner) == set(lesson.augmented.owner)
    assert with_extra(lesson, [], base, shape, FEW) is lesson


def test_actions_that_the_generator_knows_are_made_whole(generator):
    example = replace(made_example("raise", 1), action="Raise")
    variants = make_variants([example], generator, MPOSE_13, VariantSettings(each=3))
    assert len(variants) == 3
    for number, variant in enumerate(variants):
        assert variant.example.name == f"{example.name} (variant {number + 1})"
        assert (variant.example.action, variant.example.session) == ("Raise", "Monday")
        assert variant.provenance["made"] == "whole"
        assert variant.provenance["synthetic"] is True
        assert variant.provenance["actions"] == {"raise": 1.0}
        assert variant.example.times_s[-1] == pytest.approx(2.0)
        assert torso(variant.example) == pytest.approx(torso(example), rel=0.05)
        wrist = variant.example.xy_px[:, MPOSE_13.index("left_wrist"), 1]
        assert np.ptp(wrist) > torso(example)  # the toy lifts it by one and a half
        ankles = variant.example.xy_px[:, [MPOSE_13.index(f"{side}_ankle") for side in ("left", "right")], 1].max(
            axis=1
        )
        assert np.ptp(ankles) < 1  # one foot stands
    assert np.abs(variants[0].example.xy_px - variants[1].example.xy_px).max() > 1


def test_what_is_made_whole_has_the_users_proportions(tmp_path):
    example = replace(made_example("raise", 1), action="step")
    generator = OnnxGenerator(write_generator(tmp_path / "even", wobble=0))  # legs of 1.6 torsos, not 1.8
    legs = (("hip", "knee"), ("knee", "ankle"))
    (made, *_) = make_variants([example], generator, MPOSE_13)
    for start, end in (*((f"left_{a}", f"left_{b}") for a, b in legs), ("left_hip", "right_hip")):
        assert length(made.example, start, end) == pytest.approx(length(example, start, end), rel=0.05)
    still = generator.clips("step")[0].joints[0, MPOSE_13.index("left_knee")]
    assert 1.1 < length(made.example, "left_hip", "left_knee") / torso(example) / np.linalg.norm(still - [0.2, 0]) < 1.2


def test_other_examples_are_lent_the_differences_of_the_nearest_action(generator):
    example = replace(made_example("raise", 1), action="salute")
    variants = make_variants([example], generator, MPOSE_13, VariantSettings(each=2, strength=0.5))
    for variant in variants:
        assert variant.provenance["made"] == "difference"
        assert variant.provenance["actions"] == {"raise": 1.0}
        np.testing.assert_array_equal(variant.example.times_s, example.times_s)
        moved = np.linalg.norm(variant.example.xy_px - example.xy_px, axis=-1) / torso(example)
        assert 0.01 < moved.max() < 0.5
    step = replace(made_example("step", 1), action="salute")
    assert make_variants([step], generator, MPOSE_13)[0].provenance["actions"] == {"step": 1.0}
    still = make_variants([example], generator, MPOSE_13, VariantSettings(strength=0))[0].example
    np.testing.assert_allclose(still.xy_px, example.xy_px, atol=1e-3)


def test_joints_that_were_not_seen_stay_unseen(generator):
    whole = made_example("raise", 1)
    legs = [MPOSE_13.index(f"{side}_{part}") for side in ("left", "right") for part in ("knee", "ankle")]
    confidence = whole.confidence.copy()
    confidence[:, legs] = 0
    for action in ("salute", "raise"):
        example = replace(whole, action=action, confidence=confidence)
        for variant in make_variants([example], generator, MPOSE_13):
            assert not variant.example.confidence[:, legs].any()
            assert variant.example.confidence[:, MPOSE_13.index("left_wrist")].all()
            assert np.isfinite(variant.example.xy_px).all()


def test_nothing_and_nobody_have_no_variants(generator):
    nothing = made_example(NOTHING)
    unseen = replace(made_example("raise"), confidence=np.zeros_like(made_example("raise").confidence))
    assert make_variants([nothing, unseen], generator, MPOSE_13) == []


def test_examples_of_another_layout_have_variants_in_the_recognizers(generator):
    example = replace(made_example("raise"), action="salute")
    joints = np.zeros((len(example.times_s), 33, 2), np.float32)
    seen = np.zeros(joints.shape[:2], np.float32)
    for index, joint in enumerate(MPOSE_13.joints):
        there = MEDIAPIPE_33.index("nose" if joint == "head" else joint)
        joints[:, there], seen[:, there] = example.xy_px[:, index], 1
    other = replace(example, xy_px=joints, confidence=seen, layout=MEDIAPIPE_33)
    (first, *_), (same, *_) = (make_variants([each], generator, MPOSE_13) for each in (other, example))
    assert first.example.layout == MPOSE_13
    np.testing.assert_allclose(first.example.xy_px, same.example.xy_px, atol=1e-3)
    assert convert(joints, seen, MEDIAPIPE_33, MPOSE_13)[1].all()


def test_the_version_says_what_was_tried(generator_folder, base_folder, tmp_path):
    examples = made_examples(("raise", "step", "bow"), 3, sessions=("Monday", "Tuesday"))
    request = TeachingRequest("quick", "mine", base_folder, tmp_path / "models", examples, generator=generator_folder)
    stages = []
    outcome = run_quick(request, lambda stage, part: stages.append((part, stage)))
    assert stages == sorted(stages, key=lambda each: each[0])
    assert "trying variants" in {stage for _, stage in stages}
    told = outcome.check.variants
    assert (told.generator, told.variants) == ("toy", 36)
    assert told.kept == (told.accuracy_with > told.accuracy_without)
    assert len(told.made) == (36 if told.kept else 0)
    kept = taught_model(outcome.folder).check["variants"]
    assert kept == json.loads(json.dumps(outcome.check.to_json()["variants"]))


def test_takes_of_one_moment_have_variants_but_no_accuracy(generator_folder, base_folder, tmp_path):
    examples = [replace(made_example(a), name=f"{a}/{n}") for a in ("raise", "bow") for n in range(3)]
    request = TeachingRequest("quick", "mine", base_folder, tmp_path / "models", examples, generator=generator_folder)
    outcome = run_quick(request)
    told = outcome.check.variants
    assert (told.examples, told.accuracy_without, told.accuracy_with, told.kept) == (0, None, None, False)
    assert json.dumps(outcome.check.to_json(), allow_nan=False)
    metrics = ModelCard.load(outcome.folder).metrics["variants"]
    assert (metrics["accuracy_without"], metrics["accuracy_with"]) == (None, None)


def test_the_request_carries_the_generator_and_refuses_it_for_full(tmp_path, base_folder, generator_folder):
    request = TeachingRequest(
        "quick", "mine", base_folder, tmp_path, [made_example("raise")], generator=generator_folder
    )
    write_request(request, tmp_path)
    assert read_request(tmp_path).generator == generator_folder
    write_request(replace(request, generator=None), tmp_path)
    assert read_request(tmp_path).generator is None
    write_request(replace(request, kind="full"), tmp_path)
    with pytest.raises(TeachingError, match="variants are made for quick teaching alone"):
        read_request(tmp_path)
