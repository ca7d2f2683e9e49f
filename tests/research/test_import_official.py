"""import-official on the command line: what it writes, that live recognition refuses it, and what it refuses itself."""

import argparse
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")
import onnxruntime as ort  # noqa: E402

from pose.errors import ActionLensError  # noqa: E402
from recognizer.errors import CardError  # noqa: E402
from recognizer.features import FEATURES_VERSION, LAYOUT  # noqa: E402
from recognizer.model_card import ModelCard  # noqa: E402
from recognizer.training.models.act import Act, ActConfig  # noqa: E402
from recognizer.training.models.st_tr import StTr, StTrConfig  # noqa: E402
from research.official.import_command import MPOSE_ACTIONS, add_arguments, run  # noqa: E402
from research.official.load import load_official  # noqa: E402
from research.official.names import st_tr_source  # noqa: E402

T_TR = {
    **{"num_class": 4, "channel": 2, "num_point": 18, "num_person": 1, "agcn": False, "concat_original": True},
    **{"graph": "st_gcn.graph.Kinetics", "graph_args": {"labeling_mode": "spatial"}, "use_data_bn": True},
}


def run_command(*arguments) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    run(parser.parse_args([str(argument) for argument in arguments]))


@pytest.fixture(scope="module")
def t_tr_state():
    torch.manual_seed(0)
    config = StTrConfig(2, 4, "openpose-18", kind="t-tr", importance=False)
    network, source = StTr(config), st_tr_source(config, 3)
    state = {}
    for key, value in network.state_dict().items():
        names, join = source(key)
        if len(names) == 1:
            state[names[0]] = value
        else:  # the convolutions of the graph's three subsets
            parts = value if join is torch.stack else value.chunk(3, dim=1)
            state |= {name: part.clone() for name, part in zip(names, parts, strict=True)}
    return state


@pytest.fixture
def files(tmp_path, t_tr_state):
    """A checkpoint beside an optimizer, as training codes save it, and its config within the file of a training run."""
    torch.save({"epoch": 3, "state_dict": t_tr_state, "optimizer": {}}, tmp_path / "model.pt")
    (tmp_path / "config.json").write_text(json.dumps({"batch": 3, "model_args": T_TR}))
    return tmp_path


def import_t_tr(files, *more):
    out = files / "weights" / "official"
    arguments = (files / "model.pt", "--system", "t-tr", "--config", files / "config.json", "--weights", out)
    run_command(*arguments, "--frames", 12, *more)
    return out


def test_a_checkpoint_becomes_a_folder_with_the_same_logits_that_live_recognition_refuses(files, t_tr_state, capsys):
    (files / "actions.txt").write_text("walk\nsit\n\nwave\nrun\n")
    out = import_t_tr(files, "--actions", files / "actions.txt")
    assert capsys.readouterr().out == f"{out}\n"
    assert sorted(path.name for path in out.iterdir()) == ["card.json", "model.onnx"]
    assert [path.name for path in out.parent.iterdir()] == ["official"]
    card = json.loads((out / "card.json").read_text())
    assert card["actions"] == ["walk", "sit", "wave", "run"]
    assert (card["layout"], card["frames"], card["features"]) == ("openpose-18", 12, "official-t-tr")
    assert "(N, 2, 12, 18, 1)" in card["notes"]

    session = ort.InferenceSession((out / "model.onnx").read_bytes())
    network = load_official("t-tr", t_tr_state, T_TR)
    for count in (1, 3):
        clips = torch.randn(count, 2, 12, 18, 1)
        with torch.inference_mode():
            expected = network(clips).numpy()
        np.testing.assert_allclose(session.run(["logits"], {"clips": clips.numpy()})[0], expected, rtol=1e-4, atol=1e-4)
    reference = (
        np.random.default_rng(card["parity"]["input_seed"]).standard_normal((1, 2, 12, 18, 1)).astype(np.float32)
    )
    found = session.run(None, {"clips": reference})[0][0]
    np.testing.assert_allclose(found, card["parity"]["logits"], rtol=1e-4, atol=1e-4)

    with pytest.raises(CardError, match=r"features: expected version .*, got .official-t-tr") as caught:
        ModelCard.load(out)  # as live recognition does
    assert "\n" not in str(caught.value)
    content = json.dumps({**card, "features": FEATURES_VERSION}).encode()
    with pytest.raises(CardError, match="layout: expected mpose-13, of which the features are made"):
        ModelCard.parse(content, where="card")
    assert card.pop("answer_sha256")  # as the card was written
    content = json.dumps({**card, "features": FEATURES_VERSION, "layout": LAYOUT.name}).encode()
    assert ModelCard.parse(content, where="card").name == "official"  # nothing else is wrong with the card


def test_an_act_from_arrays_has_the_actions_of_mpose(tmp_path):
    network = Act(ActConfig(features=39, outputs=20, frames=10, layers=1)).eval()
    layer = network.encoder[0]
    state = {"class_embed": network.class_token, "position_embedding.embeddings": network.position[0]}
    for name, ours in {
        **{"dense": network.embed, "head.0": network.head[0], "head.1": network.head[1]},
        **{"encoder_layers.0.mha.wq": layer.query, "encoder_layers.0.mha.wk": layer.key},
        **{"encoder_layers.0.mha.wv": layer.value, "encoder_layers.0.mha.dense": layer.out},
        **{"encoder_layers.0.ffn.0": layer.widen, "encoder_layers.0.ffn.1": layer.narrow},
    }.items():
        state |= {f"{name}.kernel": ours.weight.T, f"{name}.bias": ours.bias}
    for number, norm in ((1, layer.norm1), (2, layer.norm2)):
        prefix = f"encoder_layers.0.layernorm{number}"
        state |= {f"{prefix}.gamma": norm.weight, f"{prefix}.beta": norm.bias}
    np.savez(tmp_path / "act.npz", **{name: value.detach().numpy() for name, value in state.items()})
    (tmp_path / "c.json").write_text("{}")
    arguments = ("--system", "act", "--config", tmp_path / "c.json", "--weights", tmp_path / "act")
    run_command(tmp_path / "act.npz", *arguments)
    card = json.loads((tmp_path / "act" / "card.json").read_text())
    assert tuple(card["actions"]) == MPOSE_ACTIONS
    assert (card["frames"], card["features"]) == (10, "official-act")
    features = np.random.default_rng(0).standard_normal((2, 10, 39)).astype(np.float32)
    (found,) = ort.InferenceSession(tmp_path / "act" / "model.onnx").run(None, {"features": features})
    with torch.inference_mode():
        expected = network(torch.from_numpy(features)).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


class Evil:
    def __reduce__(self):
        return (exec, ("raise SystemExit('run by the checkpoint')",))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda files: (files / "model.pt").write_bytes(b"PK\x03\x04 not a checkpoint"), "not a checkpoint"),
        (lambda files: (files / "model.pt").unlink(), "is missing"),
        (lambda files: torch.save([1, 2], files / "model.pt"), "no dictionary of weights"),
        (lambda files: torch.save({"state_dict": Evil()}, files / "model.pt"), "not a checkpoint"),
        (lambda files: torch.save({"fcn.weight": torch.ones(3)}, files / "model.pt"), "is missing"),
        (lambda files: (files / "config.json").write_text("{"), "not valid JSON"),
        (lambda files: (files / "config.json").write_text("[]"), "JSON object"),
        (lambda files: (files / "config.json").unlink(), "cannot be read"),
        (lambda files: (files / "config.json").write_text(json.dumps({**T_TR, "num_class": 5})), "wrong shape"),
        (lambda files: (files / "weights" / "official").mkdir(parents=True), "is there already"),
        (lambda files: (files / "weights").write_text("a file"), "cannot be written"),
    ],
)
def test_what_cannot_be_imported_is_one_line_and_leaves_nothing(files, damage, message):
    damage(files)
    before = sorted(files.rglob("*"))
    with pytest.raises(ActionLensError, match=message) as caught:
        import_t_tr(files)
    assert "\n" not in str(caught.value)
    assert sorted(files.rglob("*")) == before


def test_frames_that_the_network_cannot_take_are_refused(files):
    torch.save({**torch.load(files / "model.pt")["state_dict"], **relative_tables()}, files / "model.pt")
    (files / "config.json").write_text(json.dumps({**T_TR, "relative": True}))
    with pytest.raises(ActionLensError, match=r"does not take \(N, 2, 400, 18, 1\)"):
        import_t_tr(files, "--frames", 400)


def relative_tables():
    """Positions of 150 and 75 frames, for clips of 300."""
    sizes = {**dict.fromkeys((3, 4, 5), (299, 4)), **dict.fromkeys((6, 7, 8), (149, 8))}
    return {f"backbone.{unit}.tcn1.key_rel": torch.zeros(size) for unit, size in sizes.items()}


@pytest.mark.parametrize(
    ("names", "message"), [("a\nb\n", "expected 4 different names, got 2"), ("a\na\nb\nc\n", "3 different")]
)
def test_names_of_actions_must_fit(files, names, message):
    (files / "actions.txt").write_text(names)
    with pytest.raises(ActionLensError, match=message):
        import_t_tr(files, "--actions", files / "actions.txt")


def test_a_block_is_no_recognizer(tmp_path):
    (tmp_path / "c.json").write_text(
        json.dumps({"in_channels": 6, "out_channels": 8, "mask_learning": False, "num_point": 18})
    )
    state = {
        f"conv_list.{k}.{kind}": np.ones((8, 6, 1, 1) if kind == "weight" else 8)
        for k in range(3)
        for kind in ("weight", "bias")
    }
    state |= {f"bn.{kind}": np.ones(8) for kind in ("weight", "bias", "running_mean", "running_var")}
    np.savez(tmp_path / "block.npz", **state)
    with pytest.raises(ActionLensError, match="that of a block"):
        run_command(
            tmp_path / "block.npz", "--system", "s-tr", "--config", tmp_path / "c.json", "--weights", tmp_path / "w"
        )
