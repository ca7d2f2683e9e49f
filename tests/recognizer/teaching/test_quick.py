"""Heads, thresholds and the packaged model, on made-up motions."""

import json
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from teaching_examples import made_example, made_examples, write_base

from pose.skeleton import MPOSE_13
from recognizer.errors import CardError
from recognizer.model_card import CARD_FILE, MODEL_FILE, DecisionRules, ModelCard
from recognizer.onnx_recognizer import OnnxRecognizer
from recognizer.teaching import package as packaging
from recognizer.teaching.description import describe
from recognizer.teaching.errors import TeachingError
from recognizer.teaching.head import DISCRIMINANT, KINDS, HeadSettings, fit_head
from recognizer.teaching.lesson import NOTHING, Windows, prepare
from recognizer.teaching.package import Base, Package, card_names, place
from recognizer.teaching.quick import _usual_distance, predict_held_out, teach, usable_background
from recognizer.teaching.versions import plain_name, taught_model, versions
from recognizer.teaching.windows import WindowAugmentation, as_clips, cut, resampled, sliding

CHANGES = WindowAugmentation(windows=3)


@pytest.fixture(scope="module")
def lesson(base, shape):
    return prepare(made_examples(), base, shape, CHANGES)


@pytest.fixture(scope="module")
def taught(lesson):
    return teach(lesson)


def test_what_is_there_twice_is_described_once(lesson, base, shape):
    asked = []

    class Counting:
        def embed(self, examples):
            asked.extend(examples)
            return base.embed(examples)

    again = prepare(made_examples(), Counting(), shape, CHANGES)
    windows = [again.augmented, again.original, again.background]
    unchanged = sum(len(sliding(resampled(example, shape), shape, 0.4)) for example in again.examples)
    assert unchanged / 2 < sum(len(each.owner) for each in windows) - len(asked) <= unchanged
    for number, example in enumerate(again.examples):
        even = resampled(example, shape)
        wanted = describe(as_clips(*cut(even, sliding(even, shape, 0.2)), shape), base)
        np.testing.assert_allclose(again.original.description[again.original.owner == number], wanted, atol=1e-4)
        wanted = describe(as_clips(*cut(even, sliding(even, shape, 0.4)), shape), base)
        found = again.augmented.description[again.augmented.owner == number]
        np.testing.assert_allclose(found[: len(wanted)], wanted, atol=1e-4)
    np.testing.assert_allclose(again.augmented.description, lesson.augmented.description, atol=1e-4)


def windows_of(example, shape):
    even = resampled(example, shape)
    return as_clips(*cut(even, sliding(even, shape, 0.3)), shape)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_head_tells_clusters_apart(kind):
    rng = np.random.default_rng(0)
    centres = rng.normal(0, 2, (4, 8))
    target = np.repeat(np.arange(4), 30)
    x = (centres[target] + rng.normal(0, 0.4, (120, 8))).astype(np.float32)
    settings = HeadSettings(kind, 0.5 if kind == DISCRIMINANT else 1.0)
    head = fit_head(x, target, 3, settings, np.ones(120, np.float32))
    assert (head.probabilities(x).argmax(axis=1) == target).mean() > 0.95
    assert np.allclose(head.probabilities(x).sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("classes", [2, 3, 6])
@pytest.mark.parametrize("strength", [0.001, 0.1])
def test_a_head_is_that_of_scikit_learn(classes, strength):
    from sklearn.linear_model import LogisticRegression  # here, for it takes a second in every process that collects

    rng = np.random.default_rng(classes)
    target = rng.integers(0, classes, 400)
    x = (rng.normal(size=(classes, 50))[target] + rng.normal(0, 2, (400, 50))).astype(np.float32)
    weight = rng.uniform(0.2, 3, 400).astype(np.float32)
    head = fit_head(x, target, classes - 1, HeadSettings(strength=strength), weight)
    totals = np.bincount(target, weight)
    weight = weight * (np.append(np.ones(classes - 1), 3.0) / totals)[target]
    weight *= 400 / weight.sum()
    centre = np.average(x, axis=0, weights=weight)
    spread = np.sqrt(np.average((x - centre) ** 2, axis=0, weights=weight))
    model = LogisticRegression(C=strength, max_iter=10_000, tol=1e-7)
    model.fit((x - centre) / spread, target, sample_weight=weight)
    wanted = model.predict_proba((x - centre) / spread)
    np.testing.assert_allclose(head.probabilities(x), wanted, atol=0.003)


def test_a_head_of_two_outputs_keeps_their_order():
    x = np.array([[0.0], [0.1], [1.0], [1.1]], np.float32)
    for target in ([0, 0, 1, 1], [1, 1, 0, 0]):
        head = fit_head(x, np.array(target), 1, HeadSettings(strength=10.0), np.ones(4, np.float32))
        assert (head.logits(x).argmax(axis=1) == target).all()


def test_other_takes_of_the_actions_are_recognised(taught, base, shape):
    for action in ("bow", "raise", "step"):
        windows = windows_of(made_example(action, 50), shape)
        found = taught.head.probabilities(describe(windows, base)).mean(axis=0)
        assert taught.actions[found[:-1].argmax()] == action


def test_held_out_windows_are_judged_once_and_thresholds_are_within_bounds(lesson, taught):
    from recognizer.teaching.quick import QuickSettings

    judged = predict_held_out(lesson, QuickSettings())
    own = judged.example[judged.example >= 0]
    assert np.array_equal(np.bincount(own), np.bincount(lesson.original.owner))
    assert ((taught.thresholds >= 0.3) & (taught.thresholds <= 0.95)).all()


def test_background_that_is_the_taught_action_is_left_out(lesson, base, shape):
    """A stretch of background that repeats a taught example must not teach that it is nothing."""
    own = lesson.original.owner == 0
    copied = lesson.original.description[own]
    background = Windows(
        np.concatenate([lesson.background.description, copied]),
        np.concatenate([lesson.background.owner, np.full(own.sum(), len(lesson.background_actions))]),
    )
    more = replace(lesson, background=background, background_actions=(*lesson.background_actions, "copied"))
    used = usable_background(more, np.ones(len(lesson.examples), bool))
    assert not used[-1]
    assert used[:-1].any()


@pytest.mark.parametrize("actions", [3, 1])
def test_many_windows_need_little_memory_and_keep_the_same_background(lesson, actions):
    chosen = lesson.target < actions
    own, owner = lesson.original.description, lesson.original.owner
    times = 6000 // chosen[owner].sum() + 1
    many = replace(lesson, original=Windows(np.tile(own, (times, 1)), np.tile(owner, times)))
    tracemalloc.start()
    try:
        used = usable_background(many, chosen)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100e6
    assert used.tolist() == usable_background(lesson, chosen).tolist()


def test_few_windows_of_an_action_are_compared_with_many_of_another():
    target = np.repeat([0, 1], [5000, 1])
    apart = np.stack([np.where(target == 0, 0, 10), np.zeros(len(target))], axis=1).astype(np.float32)
    assert _usual_distance(np.full((4, 2), 99, np.float32), apart, target) == 10


@pytest.mark.parametrize("keep_base", [False, True])
def test_the_packaged_model_says_what_head_and_embedding_say(
    taught, lesson, base, base_folder, shape, tmp_path, keep_base
):
    package = Package("gym", Base.load(base_folder), taught, lesson.examples, keep_base, {}, {"seed": 0})
    folder = place(package, tmp_path / "models", ".part-1")
    recognizer = OnnxRecognizer(folder, "cpu")
    windows = windows_of(made_example("raise", 7), shape)
    found = np.stack([each.probabilities for each in recognizer.predict(windows)])
    head = taught.head.probabilities(describe(windows, base))
    assert recognizer.actions[:3] == taught.actions
    if keep_base:
        own = np.stack([each.probabilities for each in base.predict(windows)])
        assert recognizer.actions == (*taught.actions, "idle", "walk", "wave", "other")
        expected = np.concatenate([head[:, :3], head[:, 3:] * own], axis=1)
    else:
        assert recognizer.actions == (*taught.actions, "other")
        expected = head
    assert np.abs(found - expected).max() < 1e-5
    assert recognizer.self_test().max_error < 1e-4
    assert recognizer.embed(windows).shape == (len(windows), 16)
    recognizer.close()
    assert folder == tmp_path / "models" / "gym" / "1"
    assert {entry.name for entry in folder.iterdir()} == {MODEL_FILE, CARD_FILE, "clips.json"}


def test_an_action_that_the_base_knows_has_both_probabilities(base, base_folder, shape, tmp_path):
    examples = [*made_examples(("raise",), 3), *(made_example("step", n, name=f"w/{n}") for n in range(3))]
    examples = [c if c.action != "step" else renamed(c, "wave") for c in examples]
    found = teach(prepare(examples, base, shape, CHANGES))
    folder = place(Package("both", Base.load(base_folder), found, examples, True, {}, {}), tmp_path, ".part-1")
    recognizer = OnnxRecognizer(folder, "cpu")
    assert recognizer.actions == ("raise", "wave", "idle", "walk", "other")
    windows = windows_of(examples[-1], shape)
    head, own = found.head.probabilities(describe(windows, base)), base.predict(windows)
    wave = head[:, 1] + head[:, 2] * np.array([each.probabilities[2] for each in own])
    assert np.allclose([each.probabilities[1] for each in recognizer.predict(windows)], wave, atol=1e-5)
    recognizer.close()


@pytest.mark.parametrize("keep_base", [False, True])
def test_actions_that_stay_keep_the_bases_rules(taught, lesson, base_folder, tmp_path, keep_base):
    base = Base.load(base_folder)
    own = {"idle": 0.2, "walk": 0.3, "wave": 0.4, "other": 0.9}
    rules = DecisionRules(2.0, own, ("other",), {"wave": ("arms",)}, upper_weight=0.3)
    base = Base(replace(base.card, decision=rules), base.content)
    package = Package("gym", base, taught, lesson.examples, keep_base, {}, {})
    found = ModelCard.load(place(package, tmp_path, ".part-1")).decision
    learnt = {name: round(float(value), 4) for name, value in zip(taught.actions, taught.thresholds, strict=True)}
    kept = {"idle": 0.2, "walk": 0.3, "wave": 0.4} if keep_base else {}
    assert found.thresholds == {**learnt, **kept, "other": 1.0}
    assert found.upper_weight == 1.0, "taught thresholds are chosen without it"
    assert (found.needs.get("wave"), found.other) == (("arms",) if keep_base else None, ("other",))
    assert found.temperature == 1.0, "the graph has divided by the base's"


def renamed(example, action):
    return replace(example, action=action)


def test_every_version_stays_and_tells_its_examples(taught, lesson, base_folder, tmp_path):
    package = Package("gym", Base.load(base_folder), taught, lesson.examples, False, {}, {})
    for number in (1, 2):
        assert place(package, tmp_path, ".part-1").name == str(number)
    assert versions(tmp_path, "gym") == [1, 2]
    assert versions(tmp_path, "swim") == []
    listed = json.loads((tmp_path / "gym" / "1" / "clips.json").read_text(encoding="utf-8"))
    assert [each["name"] for each in listed["clips"]] == [example.name for example in lesson.examples]
    assert listed["base"]["name"] == "toy"
    model = taught_model(tmp_path / "gym" / "2")
    assert (model.label, model.base, model.problem) == ("gym@2", "toy", "")
    assert {name for names in model.actions.values() for name in names} == {example.name for example in lesson.examples}
    (tmp_path / "gym" / "2" / "clips.json").write_text('{"clips": [1, {"action": []}], "base": 3, "check": "no"}')
    model = taught_model(tmp_path / "gym" / "2")
    assert (model.actions, model.check, model.base) == ({}, {}, "")
    (tmp_path / "gym" / "2" / "model.onnx").write_bytes(b"another")
    assert "not the model of its card" in taught_model(tmp_path / "gym" / "2").problem


def test_a_failure_while_writing_leaves_nothing(taught, lesson, base_folder, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ModelCard, "save", full)
    package = Package("gym", Base.load(base_folder), taught, lesson.examples, False, {}, {})
    with pytest.raises(OSError, match="No space"):
        place(package, tmp_path, ".part-1")
    assert list((tmp_path / "gym").iterdir()) == []


def test_a_graph_that_differs_from_its_head_is_refused(taught, lesson, base_folder, tmp_path, monkeypatch):
    right = packaging.expected_logits
    monkeypatch.setattr(packaging, "expected_logits", lambda *a, **k: right(*a, **k) + 0.1)
    package = Package("gym", Base.load(base_folder), taught, lesson.examples, False, {}, {})
    with pytest.raises(TeachingError, match="differs from its head"):
        place(package, tmp_path, ".part-1")
    assert list((tmp_path / "gym").iterdir()) == []


def test_a_base_without_embedding_is_refused(tmp_path):
    from toy_recognizer import write_model

    with pytest.raises(TeachingError, match="has no embedding"):
        Base.load(write_model(tmp_path / "plain"))
    with pytest.raises(CardError):
        Base.load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("actions", "names"),
    [
        (("wave",), ("wave",)),
        (("跳舞", "ça va", "ça va"), ("跳舞", "ça va", "ça va 2")),
        (("a\nb", "a b"), ("a b", "a b 2")),
        (("\u200d",), ("action",)),
        (("other", "Unknown"), ("other 2", "Unknown 2")),
        (("../../etc",), ("../../etc",)),
    ],
)
def test_any_name_becomes_one_that_a_card_takes(actions, names):
    assert card_names(actions) == names


@pytest.mark.parametrize(
    ("text", "name"),
    [("My gym", "My-gym"), ("../etc", "etc"), ("跳舞", "taught"), ("é" * 99, "e" * 48), ("", "taught")],
)
def test_any_text_becomes_a_folder_name(text, name):
    assert plain_name(text) == name


def test_examples_that_teach_nothing_are_named(base, shape):
    good = made_examples(examples=3)
    hidden = made_example("raise", 9, name="dark/1")
    hidden.confidence[:] = 0
    short = made_example("raise", 9, seconds=0.1, name="short/1")
    for bad, message in ((hidden, "dark/1 shows nobody"), (short, "short/1 is shorter than")):
        with pytest.raises(TeachingError, match=message):
            prepare([*good, bad], base, shape, CHANGES)
    with pytest.raises(TeachingError, match="no action"):
        prepare([made_example(NOTHING)], base, shape, CHANGES)


def test_one_sided_actions_are_not_mirrored(base, shape):
    examples = made_examples(("raise",), 2)
    both, one = (prepare(examples, base, shape, CHANGES, one_sided=sided) for sided in ((), ("raise",)))
    assert len(both.augmented.owner) == 2 * len(one.augmented.owner)


def test_a_base_in_another_layout_is_fed_in_its_own(base, shape):
    from pose.skeleton import MEDIAPIPE_33, convert

    example = made_example("raise")
    xy = np.zeros((len(example.times_s), 33, 2), np.float32)
    confidence = np.zeros((len(example.times_s), 33), np.float32)
    for place_, joint in enumerate(MPOSE_13.joints):
        target = MEDIAPIPE_33.index("nose" if joint == "head" else joint)
        xy[:, target], confidence[:, target] = example.xy_px[:, place_], 1
    other = replace(example, xy_px=xy, confidence=confidence, layout=MEDIAPIPE_33)
    assert np.allclose(convert(xy, confidence, MEDIAPIPE_33, MPOSE_13)[0], example.xy_px)
    assert np.allclose(resampled(other, shape).xy, resampled(example, shape).xy)


def test_write_base_is_a_whole_model_folder(tmp_path):
    assert Base.load(write_base(tmp_path / "x")).card.embedding is not None
