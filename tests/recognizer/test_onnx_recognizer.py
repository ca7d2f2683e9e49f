"""Clips to predictions in ONNX Runtime: numbers, providers, and folders that do not fit."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from toy_recognizer import (
    ACTIONS,
    FPS,
    FRAMES,
    feature_count,
    make_graph,
    reference_parity,
    toy_logits,
    write_model,
)

from pose import onnx_session
from pose.errors import ModelFileError
from pose.graph_outputs import has_external_data
from pose.onnx_session import available_providers
from pose.skeleton import MEDIAPIPE_33, MPOSE_13
from recognizer import onnx_recognizer
from recognizer.clips import Clip
from recognizer.errors import CardError, RecognizerError
from recognizer.features import clip_features
from recognizer.model_card import DecisionRules, Parity, TensorSpec
from recognizer.onnx_recognizer import OnnxRecognizer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_model(tmp_path / "toy", parity=reference_parity())


def make_clip(seed: int = 0, person: int = 0, fps: float = FPS, layout=MPOSE_13) -> Clip:
    rng = np.random.default_rng(seed)
    xy_px = rng.uniform(100, 400, (FRAMES, len(layout), 2)).astype(np.float32)
    return Clip(xy_px, np.ones((FRAMES, len(layout)), np.float32), fps, layout, 2.5, person)


def test_predictions_are_those_of_the_network(folder: Path):
    recognizer = OnnxRecognizer(folder, "cpu")
    clips = [make_clip(seed, person=seed + 4) for seed in range(3)]
    predictions = recognizer.predict(clips)
    features = np.stack([clip_features(clip.xy_px, clip.confidence, clip.fps) for clip in clips])
    powers = np.exp(toy_logits(features))
    expected = powers / powers.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose([p.probabilities for p in predictions], expected, atol=1e-5)
    assert [p.person for p in predictions] == [4, 5, 6]
    assert all(p.actions == ACTIONS and p.time_s == 2.5 and p.probabilities.dtype == np.float32 for p in predictions)
    assert recognizer.predict([]) == []


def test_people_together_are_as_each_alone(folder: Path):
    recognizer = OnnxRecognizer(folder, "cpu")
    clips = [make_clip(seed) for seed in range(4)]
    together = [p.probabilities for p in recognizer.predict(clips)]
    alone = [recognizer.predict([clip])[0].probabilities for clip in clips]
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_temperature_flattens_the_probabilities(tmp_path: Path):
    content = make_graph()
    thresholds = dict.fromkeys(ACTIONS, 0.5)
    sharp = OnnxRecognizer(write_model(tmp_path / "a", content), "cpu").predict([make_clip()])[0]
    rules = DecisionRules(4.0, thresholds)
    flat = OnnxRecognizer(write_model(tmp_path / "b", content, decision=rules), "cpu").predict([make_clip()])[0]
    np.testing.assert_allclose(np.diff(np.log(sharp.probabilities)), 4 * np.diff(np.log(flat.probabilities)), rtol=1e-3)


def test_a_clip_of_another_kind_is_refused(folder: Path):
    recognizer = OnnxRecognizer(folder, "cpu")
    with pytest.raises(ValueError, match="mediapipe-33"):
        recognizer.predict([make_clip(layout=MEDIAPIPE_33)])
    with pytest.raises(ValueError, match="30"):
        recognizer.predict([make_clip(fps=30.0)])


def test_self_test_compares_with_the_cards_reference(folder: Path, tmp_path: Path):
    result = OnnxRecognizer(folder, "cpu").self_test()
    assert result.max_error is not None
    assert result.max_error < 1e-4
    assert result.median_ms > 0
    wrong = Parity(3, tuple(value + 0.5 for value in reference_parity().logits))
    assert OnnxRecognizer(write_model(tmp_path / "w", parity=wrong), "cpu").self_test().max_error == pytest.approx(
        0.5, abs=1e-3
    )
    assert OnnxRecognizer(write_model(tmp_path / "n"), "cpu").self_test().max_error is None


def test_closed_means_closed(folder: Path):
    recognizer = OnnxRecognizer(folder, "cpu")
    recognizer.close()
    recognizer.close()
    with pytest.raises(RuntimeError, match="closed"):
        recognizer.predict([make_clip()])


@pytest.mark.parametrize(
    ("content", "changes", "expected"),
    [
        (lambda: b"", {}, "not a model that ONNX Runtime can load"),
        (lambda: b"not a model", {}, "not a model that ONNX Runtime can load"),
        (lambda: make_graph()[:-500], {}, "not a model that ONNX Runtime can load"),
        (lambda: make_graph(input_name="image"), {}, "the one input 'features', got ['image']"),
        (lambda: make_graph(features=feature_count() + 1), {}, "features: expected shape ['N', 30,"),
        (lambda: make_graph(batch=1), {}, "features: expected shape ['N', 30,"),
        (lambda: make_graph(actions=5), {}, "logits: expected shape ['N', 4], got ['N', 5]"),
        (make_graph, {"frames": 20}, "features: expected shape ['N', 20,"),
    ],
)
def test_a_model_that_is_not_its_cards_is_refused(tmp_path: Path, content: Any, changes: Any, expected: str, capfd):
    folder = write_model(tmp_path / "toy", content(), **changes)
    with pytest.raises(CardError) as caught:
        OnnxRecognizer(folder, "cpu")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_an_output_that_the_card_names_must_be_there(tmp_path: Path):
    folder = write_model(tmp_path / "toy", attention=(TensorSpec("attention_0", ("N", 1, 31, 31)),))
    with pytest.raises(CardError, match=r"expected an output 'attention_0', got \['logits'\]"):
        OnnxRecognizer(folder, "cpu")


def telling(model: Any) -> None:
    """Further outputs: the hidden layer, its square in a branch of its own, and something that never changes."""
    helper, floats = ort_onnx().helper, ort_onnx().TensorProto.FLOAT
    graph = model.graph
    graph.node.append(helper.make_node("Mul", ["hidden", "hidden"], ["squares"]))
    graph.initializer.append(ort_onnx().numpy_helper.from_array(np.eye(3, dtype=np.float32), "fixed"))
    for name, shape in (("hidden", ["N", 16]), ("squares", ["N", 16]), ("fixed", [3, 3])):
        graph.output.append(helper.make_tensor_value_info(name, floats, shape))


def ort_onnx() -> Any:
    return pytest.importorskip("onnx", reason="needs the extra `train`")


TELLING = {
    "attention": (TensorSpec("squares", ("N", 16)), TensorSpec("fixed", (3, 3))),
    "embedding": TensorSpec("hidden", ("N", 16)),
}


def test_attention_and_embedding_come_where_they_are_asked_for(tmp_path: Path):
    recognizer = OnnxRecognizer(write_model(tmp_path / "toy", make_graph(edit=telling), **TELLING), "cpu")
    clips = [make_clip(seed) for seed in range(3)]
    plain, telling_too = recognizer.predict(clips), recognizer.predict(clips, attention=True)
    hidden = recognizer.embed(clips)
    assert (hidden.shape, hidden.dtype) == ((3, 16), np.float32)
    for index, (without, with_attention) in enumerate(zip(plain, telling_too, strict=True)):
        np.testing.assert_array_equal(without.probabilities, with_attention.probabilities)
        assert without.attention == {}
        assert list(with_attention.attention) == ["squares", "fixed"]
        np.testing.assert_allclose(with_attention.attention["squares"], hidden[index] ** 2, rtol=1e-6)
        np.testing.assert_array_equal(with_attention.attention["fixed"], np.eye(3))
    assert recognizer.embed([]).shape == (0, 16)
    recognizer.close()
    with pytest.raises(RuntimeError, match="closed"):
        recognizer.predict(clips, attention=True)


def test_nothing_of_it_is_computed_otherwise(tmp_path: Path, monkeypatch):
    opened = []
    real = onnx_session.create_session
    for module in (onnx_session, onnx_recognizer):
        monkeypatch.setattr(
            module, "create_session", lambda content, *rest: opened.append(content) or real(content, *rest)
        )
    recognizer = OnnxRecognizer(write_model(tmp_path / "toy", make_graph(edit=telling), **TELLING), "cpu")
    recognizer.predict([make_clip()])
    assert [ort_onnx().load_from_string(content).graph.output[0].name for content in opened] == ["logits"]
    assert "Mul" not in {node.op_type for node in ort_onnx().load_from_string(opened[0]).graph.node}
    recognizer.predict([make_clip()], attention=True)
    recognizer.embed([make_clip()])
    recognizer.embed([make_clip()])
    assert len(opened) == 3
    assert [value.name for value in ort_onnx().load_from_string(opened[2]).graph.output] == ["hidden"]


def test_a_model_without_them_says_so_or_gives_none(folder: Path):
    recognizer = OnnxRecognizer(folder, "cpu")
    assert recognizer.predict([make_clip()], attention=True)[0].attention == {}
    with pytest.raises(RecognizerError, match="gives no embedding; export the model again"):
        recognizer.embed([make_clip()])


def test_an_output_of_another_shape_than_in_the_card_is_refused(tmp_path: Path):
    wrong = {**TELLING, "embedding": TensorSpec("hidden", ("N", 17))}
    recognizer = OnnxRecognizer(write_model(tmp_path / "toy", make_graph(edit=telling), **wrong), "cpu")
    with pytest.raises(CardError, match=r"hidden: expected shape \['N', 17\], got \['N', 16\]"):
        recognizer.embed([make_clip()])


def test_logits_that_are_not_numbers_are_an_error(tmp_path: Path):
    def break_weights(model: Any) -> None:
        weights = model.graph.initializer[1]
        weights.raw_data = np.full(16 * len(ACTIONS), np.nan, np.float32).tobytes()

    with pytest.raises(RecognizerError, match="not finite"):
        OnnxRecognizer(write_model(tmp_path / "toy", make_graph(edit=break_weights)), "cpu")


def test_weights_outside_the_model_file_are_not_read(tmp_path: Path):
    onnx = pytest.importorskip("onnx")
    (tmp_path / "secret").write_bytes(bytes(16 * len(ACTIONS) * 4))

    def point_outside(model: Any) -> None:
        weights = model.graph.initializer[1]
        onnx.external_data_helper.set_external_data(weights, location="../secret")
        weights.ClearField("raw_data")

    content = make_graph(edit=point_outside)
    with pytest.raises(CardError, match="keeps weights in another file"):
        OnnxRecognizer(write_model(tmp_path / "toy", content), "cpu")


def test_an_unknown_provider_is_answered_with_the_list(folder: Path):
    with pytest.raises(RecognizerError, match="unknown provider 'gpu'; choose one of auto, cpu"):
        OnnxRecognizer(folder, "gpu")


def test_a_provider_that_is_not_built_in_is_named(folder: Path):
    missing = next(name for name in ("coreml", "directml") if name not in available_providers())
    with pytest.raises(RecognizerError, match=f"{missing} is not part of the installed ONNX Runtime; available"):
        OnnxRecognizer(folder, missing)


def needs_no_cuda() -> None:
    if "cuda" not in available_providers() or not onnx_session._missing_driver():
        pytest.skip("this machine has CUDA, or an ONNX Runtime without it")


def test_auto_falls_back_to_the_cpu_and_says_why(folder: Path, capfd):
    needs_no_cuda()
    recognizer = OnnxRecognizer(folder)
    assert recognizer.provider == "cpu"
    assert "no NVIDIA driver" in recognizer.provider_note
    assert capfd.readouterr() == ("", "")


def test_cuda_that_was_asked_for_is_never_replaced(folder: Path):
    needs_no_cuda()
    with pytest.raises(RecognizerError, match=r"cuda does not work: no NVIDIA driver"):
        OnnxRecognizer(folder, "cuda")


@pytest.mark.parametrize("provider", ["cuda", "tensorrt"])
def test_a_session_that_fell_back_is_found_out(folder: Path, provider: str, monkeypatch, capfd):
    """A driver, but no CUDA libraries: ONNX Runtime says nothing and gives a session on the CPU."""
    needs_no_cuda()
    if provider not in available_providers():
        pytest.skip("an ONNX Runtime without it")
    monkeypatch.setattr(onnx_session, "_missing_driver", lambda: "")
    with pytest.raises(
        RecognizerError, match=rf'{provider} does not work: .*pip install "actionlens\[cuda\]"'
    ) as caught:
        OnnxRecognizer(folder, provider)
    assert "\n" not in str(caught.value)
    recognizer = OnnxRecognizer(folder)
    assert recognizer.provider == "cpu"
    assert "actionlens[cuda]" in recognizer.provider_note
    assert capfd.readouterr().out == ""


def test_a_session_none_of_whose_nodes_run_there_is_found_out(folder: Path, monkeypatch):
    """The session lists the provider, but all nodes were placed on the CPU."""

    class Pretending:
        def __init__(self, session: Any) -> None:
            self._session = session

        def get_providers(self) -> list[str]:
            return ["CUDAExecutionProvider", "CPUExecutionProvider"]

        def __getattr__(self, name: str) -> Any:
            return getattr(self._session, name)

    real = ort.InferenceSession
    monkeypatch.setattr(onnx_session, "available_providers", lambda: ("cpu", "cuda"))
    monkeypatch.setattr(onnx_session, "_missing_driver", lambda: "")
    monkeypatch.setattr(onnx_session, "_load_cuda_libraries", lambda: "")
    monkeypatch.setattr(ort, "InferenceSession", lambda content, options, providers: Pretending(real(content, options)))
    with pytest.raises(RecognizerError, match="cuda can run no part of"):
        OnnxRecognizer(folder, "cuda")
    recognizer = OnnxRecognizer(folder)
    assert (recognizer.provider, recognizer.provider_note != "") == ("cpu", True)


def test_model_and_card_are_hashed_from_the_bytes_that_are_run(folder: Path):
    recognizer = OnnxRecognizer(folder, "cpu")
    assert recognizer.card.sha256 == hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    assert (recognizer.name, recognizer.actions, recognizer.frames, recognizer.fps) == ("toy", ACTIONS, FRAMES, FPS)


# Models made of parts.


def to_parts(folder: Path, where: str) -> None:
    """Put the weights of a model folder into another file, and its new SHA-256 into the card."""
    onnx = pytest.importorskip("onnx", reason="needs the extra `train`")
    path = folder / "model.onnx"
    model = onnx.load(path)
    if where == "attribute":
        tensor = model.graph.initializer[0]
        constant = onnx.helper.make_node("Constant", [], [tensor.name], value=tensor)
        del model.graph.initializer[0]
        model.graph.node.insert(0, constant)
    onnx.save_model(
        model,
        path,
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
        convert_attribute=where == "attribute",
    )
    assert (folder / "weights.bin").stat().st_size > 1000
    card = json.loads((folder / "card.json").read_text())
    card["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    del card["answer_sha256"]
    (folder / "card.json").write_text(json.dumps(card))


@pytest.mark.parametrize("where", ["initializer", "attribute"])
def test_weights_in_another_file_are_refused(folder: Path, where: str, monkeypatch):
    to_parts(folder, where)
    monkeypatch.chdir(folder)  # where ONNX Runtime would find them
    with pytest.raises(CardError, match="keeps weights in another file") as error:
        OnnxRecognizer(folder, "cpu")
    assert "\n" not in str(error.value)
    assert str(folder / "model.onnx") in str(error.value)


def test_a_generator_in_parts_is_refused(tmp_path: Path, monkeypatch):
    content = make_graph()
    onnx = pytest.importorskip("onnx", reason="needs the extra `train`")
    monkeypatch.chdir(tmp_path)
    onnx.save_model(
        onnx.load_from_string(content), "g.onnx", save_as_external_data=True, location="w.bin", size_threshold=0
    )
    with pytest.raises(ModelFileError, match="keeps weights in another file"):
        onnx_session.cpu_session((tmp_path / "g.onnx").read_bytes())
    assert onnx_session.cpu_session(content) is not None


def test_the_shipped_models_are_whole():
    for path in (Path(__file__).resolve().parents[2] / "weights").glob("*/*.onnx"):
        assert not has_external_data(path.read_bytes())
