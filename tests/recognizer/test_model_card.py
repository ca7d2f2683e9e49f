"""Cards are read, checked against their model, and written."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from toy_recognizer import ACTIONS, make_card, write_model

from recognizer import model_card
from recognizer.errors import CardError
from recognizer.model_card import MAX_CARD_BYTES, DecisionRules, ModelCard, Parity, TensorSpec, find_model


def parse(values: Any) -> ModelCard:
    content = values if isinstance(values, bytes) else json.dumps(values).encode()
    return ModelCard.parse(content, where="card.json")


def complaint(values: Any) -> str:
    with pytest.raises(CardError) as caught:
        parse(values)
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) < 500
    return line


def changed(path: str, value: Any) -> dict[str, Any]:
    values = make_card(parity=Parity(1, (0.0,) * len(ACTIONS))).to_json()
    place: Any = values
    *way, last = path.split("/")
    for key in way:
        place = place[int(key)] if isinstance(place, list | tuple) else place[key]
    if isinstance(place, tuple):
        values["actions"] = place = list(place)
    place[int(last) if isinstance(place, list) else last] = value
    del values["answer_sha256"]  # else every change would get the same complaint
    return values


def test_a_saved_card_is_read_back_the_same(tmp_path: Path):
    card = make_card(
        attention=(TensorSpec("attention_0", ("N", 1, 31, 31)), TensorSpec("fixed", (31, 31))),
        embedding=TensorSpec("embedding", ("N", 64)),
        parity=Parity(7, (1.0, 2.0, 3.0, 4.5)),
        notes="a note with ü",
        metrics={"pooled": {"split": "test", "recall": {"walk": 0.5}, "confusion": [[1, 0], [0, 1]]}},
    )
    card.save(tmp_path)
    assert ModelCard.parse((tmp_path / "card.json").read_bytes(), where="") == card
    assert os.listdir(tmp_path) == ["card.json"]


def test_saving_what_could_not_be_read_leaves_the_old_card(tmp_path: Path):
    make_card().save(tmp_path)
    before = (tmp_path / "card.json").read_bytes()
    with pytest.raises(CardError, match="NaN"):
        make_card(metrics={"m": {"split": "test", "accuracy": float("nan")}}).save(tmp_path)
    assert (tmp_path / "card.json").read_bytes() == before
    assert os.listdir(tmp_path) == ["card.json"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("actions", ["rest", *ACTIONS[1:]]),
        ("frames", 31),
        ("fps", 16.0),
        ("outputs/logits/name", "scores"),
        ("decision/temperature", 1.5),
        ("decision/thresholds/walk", 0.4),
        ("decision/other", ["walk"]),
        ("decision/needs", {"wave": ["arms"]}),
        ("sha256", "1" * 64),
    ],
)
def test_a_card_whose_answers_were_changed_is_refused(path: str, value: Any):
    values = changed(path, value)
    if path == "actions":
        values["decision"]["thresholds"] = dict.fromkeys(value, 0.5)
    parse(values)  # as a card of an earlier version, which has no digest
    values["answer_sha256"] = make_card().to_json()["answer_sha256"]
    line = complaint(values)
    assert line.startswith("card.json: answer_sha256: what decides the answers")
    assert "decision" in line


def test_what_decides_nothing_may_be_changed(tmp_path: Path):
    make_card().save(tmp_path)
    text = (tmp_path / "card.json").read_text()
    values = json.loads(text)
    values["notes"], values["name"], values["metrics"] = "seen by me", "toy@2", {}
    shuffled = json.dumps(dict(reversed(values.items())), indent=7)
    assert parse(shuffled.encode()) == make_card(notes="seen by me", name="toy@2", metrics={})


@pytest.mark.parametrize("digest", ["", 5, None, "0" * 64, ["x"]])
def test_a_digest_that_is_none_is_refused(digest: Any):
    values = make_card().to_json() | {"answer_sha256": digest}
    assert "answer_sha256" in complaint(values)


def test_cards_that_are_shipped_have_a_digest():
    shipped = model_card.shipped_models()
    assert set(shipped) >= {"act", "gl-transformer", "st-gcn", "st-tr"}
    for folder in shipped.values():
        assert json.loads((folder / "card.json").read_text())["answer_sha256"]
        ModelCard.load(folder)


def test_one_threshold_holds_for_every_action():
    card = parse(changed("decision/thresholds", 0.7))
    assert card.decision.thresholds == dict.fromkeys(ACTIONS, 0.7)


def test_needs_are_kept_and_a_card_without_them_has_none(tmp_path: Path):
    needs = {"wave": ("arms",), "walk": ("arms", "hips", "legs")}
    rules = DecisionRules(1.0, dict.fromkeys(ACTIONS, 0.5), ("other",), needs)
    make_card(decision=rules).save(tmp_path)
    assert ModelCard.parse((tmp_path / "card.json").read_bytes(), where="").decision.needs == needs
    assert json.loads((tmp_path / "card.json").read_text())["decision"]["needs"]["wave"] == ["arms"]
    assert "needs" not in make_card().to_json()["decision"]
    assert parse(make_card().to_json()).decision.needs == {}


def test_the_upper_bodys_weight_is_kept_and_is_one_where_there_is_none():
    rules = DecisionRules(1.0, dict.fromkeys(ACTIONS, 0.5), ("other",), {"wave": ("arms",)}, upper_weight=0.3)
    assert parse(make_card(decision=rules).to_json()).decision.upper_weight == 0.3
    assert "upper_weight" not in make_card().to_json()["decision"]
    assert parse(make_card().to_json()).decision.upper_weight == 1


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("name", "../toy", "letters, digits"),
        ("name", "", "not empty"),
        ("model", 3, "expected a text, got 3"),
        ("actions", ["walk"], "2 to 1000 names, got 1"),
        ("actions", ["walk", "walk"], "'walk' twice"),
        ("actions", ["walk", 2], "actions[1]: expected a name, got 2"),
        ("actions", ["walk", "ru\nn"], "actions[1]: expected a name"),
        ("actions", "walk", "a list of action names"),
        ("layout", "coco-99", "layout: expected one of mpose-13, "),
        ("layout", "mediapipe-33", "of which the features are made"),
        ("frames", 30.5, "a whole number"),
        ("frames", True, "got true"),
        ("frames", 0, "from 2 to 1000, got 0"),
        ("fps", "15", "expected a number"),
        ("fps", 0, "from 1 to 240, got 0"),
        ("fps", 10**400, "from 1 to 240"),
        ("features", "0000", "live recognition cannot feed this model; train or export one"),
        ("outputs/logits/shape", ["N", 3], "['N', 4] for 4 actions"),
        ("outputs/logits/shape", ["N", -4], "sizes above 0"),
        ("outputs/attention", [{"name": "a"}], "outputs.attention[0].shape is missing"),
        ("outputs/embedding", {"name": "e", "shape": [4, 64]}, "outputs.embedding.shape: expected ['N', D]"),
        ("outputs/embedding", {"name": "e", "shape": ["N", 4, 64]}, "expected ['N', D]"),
        ("outputs/embedding", 3, "outputs.embedding"),
        ("outputs/extra", 1, "unknown key outputs.extra"),
        ("training_data/0/terms", None, "training_data[0].terms"),
        ("metrics/test", {"accuracy": 0.9}, "metrics.test.split is missing"),
        ("metrics/test", 0.9, "metrics.test: expected an object, got 0.9"),
        ("decision/temperature", 0, "from 0.001 to 1000, got 0"),
        ("decision/upper_weight", 0, "from 0.001 to 1"),
        ("decision/thresholds", {"walk": 0.5}, "'idle' is missing"),
        ("decision/thresholds", dict.fromkeys((*ACTIONS, "fly"), 0.5), "'fly' is not one of them"),
        ("decision/thresholds", 1.5, "0 to 1"),
        ("decision/thresholds", dict.fromkeys(ACTIONS, "high"), "thresholds.idle"),
        ("decision/other", ["fly"], "'fly' is not one of the actions"),
        ("decision/needs", ["arms"], "decision.needs: expected an object"),
        ("decision/needs", {"fly": ["arms"]}, "decision.needs: 'fly' is not one of the actions"),
        ("decision/needs", {"wave": "arms"}, 'decision.needs.wave: expected some of arms, hips, legs, got "arms"'),
        ("decision/needs", {"wave": []}, "expected some of arms, hips, legs, got []"),
        ("decision/needs", {"wave": ["arms", "tail"]}, 'expected some of arms, hips, legs, got ["arms", "tail"]'),
        ("decision/needs", {"wave": ["arms", "arms"]}, "'arms' twice"),
        ("decision/needs", {"wave": None}, "expected some of arms, hips, legs, got null"),
        ("decision/other", list(ACTIONS), "got all actions"),
        ("sha256", "ABC", "64 lower-case hexadecimal digits"),
        ("opset", "17", "whole number"),
        ("parity/logits", [1.0], "expected 4 numbers, got 1"),
        ("parity/logits", [1.0, 2.0, 3.0, "x"], "parity.logits"),
        ("parity/input_seed", -1, "from 0"),
        ("colour", "red", "unknown key colour"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(path: str, value: Any, expected: str):
    assert expected in complaint(changed(path, value))


@pytest.mark.parametrize("key", sorted(set(make_card().to_json()) - {"answer_sha256"}))
def test_a_missing_key_is_named(key: str):
    values = make_card().to_json()
    del values[key]
    assert f"{key} is missing" in complaint(values)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b"[1]", "the card: expected an object"),
        (b'{"name": NaN}', "NaN is not a number"),
        (b'{"fps": 1e999}', "too large"),
        (b'{"name": "a", "name": "b"}', "twice"),
        (b"[" * 100_000, "not valid JSON"),
    ],
)
def test_what_is_no_card_is_said_in_one_line(content: bytes, expected: str):
    assert expected in complaint(content)


def test_the_model_must_be_the_one_of_the_card(tmp_path: Path):
    write_model(tmp_path, b"one model")
    assert ModelCard.load(tmp_path).name == "toy"
    (tmp_path / "model.onnx").write_bytes(b"another model")
    with pytest.raises(CardError, match=r"SHA-256 expected [0-9a-f]{64}, got [0-9a-f]{64}"):
        ModelCard.load(tmp_path)


def test_files_that_are_missing_or_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(CardError, match=r"card\.json is missing"):
        ModelCard.load(tmp_path)
    write_model(tmp_path, b"model")
    monkeypatch.setattr(model_card, "MAX_MODEL_BYTES", 4)
    with pytest.raises(CardError, match="at most 4 bytes, got 5"):
        ModelCard.load(tmp_path)
    (tmp_path / "model.onnx").unlink()
    with pytest.raises(CardError, match=r"model\.onnx is missing"):
        ModelCard.load(tmp_path)
    (tmp_path / "card.json").write_bytes(b" " * (MAX_CARD_BYTES + 1))
    with pytest.raises(CardError, match="too large"):
        ModelCard.load(tmp_path)
    (tmp_path / "card.json").unlink()
    (tmp_path / "card.json").mkdir()
    with pytest.raises(CardError, match="is not a file"):
        ModelCard.load(tmp_path)


def test_a_model_is_found_by_name_or_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    weights = tmp_path / "weights"
    for name in ("act", "st-gcn"):
        write_model(weights / name, b"model")
    outside = write_model(tmp_path / "mine", b"model")
    monkeypatch.setattr(model_card, "weights_folders", lambda: (weights, tmp_path / "nowhere"))
    monkeypatch.chdir(tmp_path)
    assert find_model("act") == weights / "act"
    assert find_model(str(outside)) == outside
    assert find_model("./mine") == Path("mine")
    for unknown in ("walker", "weights/../act", "", "a" * 5000, "nul\0byte"):
        with pytest.raises(CardError, match="the models here are: act, st-gcn") as caught:
            find_model(unknown)
        assert "\n" not in str(caught.value)


def test_with_no_model_at_all_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(model_card, "weights_folders", lambda: (tmp_path / "nowhere",))
    with pytest.raises(CardError, match="there is no model under weights/"):
        find_model("act")
