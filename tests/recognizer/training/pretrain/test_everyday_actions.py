"""From a pretraining to a model folder that live recognition and Quick teaching read."""

import argparse
from dataclasses import replace

import numpy as np
import pytest

from recognizer.training.errors import TrainingError

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from pose.errors import ActionLensError  # noqa: E402
from recognizer.clips import Clip  # noqa: E402
from recognizer.features import FEATURES_VERSION  # noqa: E402
from recognizer.model_card import ModelCard  # noqa: E402
from recognizer.onnx_recognizer import OnnxRecognizer  # noqa: E402
from recognizer.teaching.package import Base  # noqa: E402
from recognizer.training import report  # noqa: E402
from recognizer.training.everyday import ACTIONS  # noqa: E402
from recognizer.training.loop import Hardware  # noqa: E402
from recognizer.training.models.gl_features import GlFeatures, motion_of  # noqa: E402
from recognizer.training.models.gl_transformer import GlConfig, GlPretraining, GlTransformer  # noqa: E402
from recognizer.training.pretrain import everyday_actions, pretrain_command  # noqa: E402
from recognizer.training.pretrain.everyday import SHAPE, read  # noqa: E402
from recognizer.training.pretrain.pretraining import Pretrained  # noqa: E402
from recognizer.training.pretrain.recipes import SIZES  # noqa: E402
from recognizer.training.run_folder import RunError  # noqa: E402

pytestmark = pytest.mark.timeout(600)  # an export on a busy machine
HARDWARE = Hardware("cpu", precision="32-true")


@pytest.fixture(autouse=True)
def _tiny(monkeypatch):
    monkeypatch.setitem(SIZES, "tiny", {"width": 4, "depth": 2, "heads": 2})


def pretrained():
    torch.manual_seed(0)
    backbone = GlTransformer(GlConfig(**SHAPE, width=4, depth=2, heads=2, dropout=0.0, position_start="sines"))
    return Pretrained(GlPretraining(backbone, 3).eval(), {"job": {"task": "everyday"}}, 0.0)


def call(*arguments):
    parser = argparse.ArgumentParser()
    pretrain_command.add_arguments(parser)
    pretrain_command.run(parser.parse_args([str(argument) for argument in arguments]))


@pytest.fixture(scope="module")
def model(tiny_data, tmp_path_factory):
    """The folder of a model made by the commands alone."""
    folder = tmp_path_factory.mktemp("gl")
    quiet = ("--accelerator", "cpu", "--precision", "32-true")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SIZES, "tiny", {"width": 4, "depth": 2, "heads": 2})
        patch.setattr(everyday_actions, "STEPS_AN_EPOCH", 3)
        patch.setattr(everyday_actions.LabelledBatches, "steps_per_epoch", 3)
        # The figures are of what is right, and after three steps nothing is.
        patch.setattr(
            report, "metrics", lambda part, *_: {f"{part}_clips": {"split": "-", "accuracy": 0.5, "clips": 2}}
        )
        run = ("run", "--task", "everyday", "--data", tiny_data, "--out", folder / "run", "--size", "tiny")
        call(*run, "--epochs", 1, "--batch", 8, *quiet)
        export = ("export", "--data", tiny_data, "--run", folder / "run", "--weights", folder / "gl-transformer")
        call(*export, "--epochs", 1, "--batch", 16, *quiet)
    return folder / "gl-transformer"


def test_the_card_tells_what_it_is(model):
    card = ModelCard.load(model)
    assert (card.model, card.features, card.actions) == ("gl-transformer", FEATURES_VERSION, ACTIONS)
    assert card.embedding.shape == ("N", 14 * 4)
    assert [spec.name for spec in card.attention] == ["spatial_attention_1", "spatial_attention_2"]
    assert "validation_clips" in card.metrics


def test_live_recognition_repeats_the_network(model):
    recognizer = OnnxRecognizer(model, "cpu")
    assert recognizer.self_test().max_error < 1e-4
    rng = np.random.default_rng(0)
    xy = (rng.normal(0, 30, (1, 13, 2)) + np.cumsum(rng.normal(0, 2, (30, 13, 2)), axis=0)).astype(np.float32)
    seen = np.ones((30, 13), np.float32)
    seen[5:9, 3] = 0
    clip = Clip(xy, seen, recognizer.fps, recognizer.card.skeleton, 0.0, 0)
    prediction = recognizer.predict([clip], attention=True)[0]
    assert prediction.attention["spatial_attention_2"].shape == (2, 30, 13, 13)
    assert recognizer.embed([clip]).shape == (1, 56)
    recognizer.close()


def test_quick_teaching_takes_it_as_a_base(model):
    assert Base.load(model).card.embedding.shape == ("N", 56)


def test_a_linear_layer_leaves_the_network_as_it_was(tiny_data, tmp_path, monkeypatch):
    monkeypatch.setattr(everyday_actions.LabelledBatches, "steps_per_epoch", 2)
    start, corpus = pretrained(), read(tiny_data)
    before = {name: values.clone() for name, values in start.network.backbone.state_dict().items()}
    linear = everyday_actions.LINEAR.changed(epochs=1, batch=8)
    with pytest.raises(TrainingError, match="cannot be shared evenly by 3 processes"):
        everyday_actions.train_actions(start, corpus, tmp_path / "linear", replace(HARDWARE, devices="3"), 0, linear)
    network = everyday_actions.train_actions(start, corpus, tmp_path / "linear", HARDWARE, 0, linear)
    assert all(torch.equal(values, before[name]) for name, values in network.backbone.state_dict().items())
    moved = replace(corpus, joints=corpus.joints + 1)
    with pytest.raises(RunError, match="another training"):
        everyday_actions.train_actions(pretrained(), moved, tmp_path / "linear", HARDWARE, 0, linear)
    whole = everyday_actions.WHOLE.changed(epochs=1, batch=8, warmup=0)
    network = everyday_actions.train_actions(pretrained(), corpus, tmp_path / "whole", HARDWARE, 0, whole)
    assert not all(torch.equal(values, before[name]) for name, values in network.backbone.state_dict().items())


def test_attention_of_a_row_and_the_way_add_up_to_one():
    network = GlFeatures(pretrained().network.backbone, 3).eval()
    features = torch.randn(2, 30, 78)
    inside = network.inside(features)
    torch.testing.assert_close(inside.logits, network(features))
    maps = network.backbone.with_attention(motion_of(features))[1]
    found = inside.attention["spatial_attention_1"]
    torch.testing.assert_close(found.sum(dim=4) + maps[0].transpose(1, 2)[..., :13, 13], torch.ones(2, 2, 30, 13))


def test_export_wants_an_everyday_run(tmp_path):
    with pytest.raises(ActionLensError, match="pretrain first"):
        call("export", "--data", tmp_path, "--run", tmp_path, "--weights", tmp_path / "model")
