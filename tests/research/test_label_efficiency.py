"""What labels are worth, on made-up data sets of a few clips."""

import argparse
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from pose.errors import ActionLensError  # noqa: E402
from recognizer.training.models.gl_transformer import GlConfig, GlTransformer  # noqa: E402
from recognizer.training.pretrain.everyday import SHAPE  # noqa: E402
from research.teaching import label_efficiency as efficiency  # noqa: E402


@pytest.fixture(scope="module")
def measurer(tiny_data):
    clips = efficiency.load("penn_action", tiny_data)
    torch.manual_seed(0)
    backbone = GlTransformer(GlConfig(**SHAPE, width=4, depth=1, heads=2))
    return efficiency.Measurer(clips, backbone, None, efficiency.TrainSettings(steps=2, batch=4))


def call(*arguments):
    parser = argparse.ArgumentParser()
    efficiency.add_label_efficiency(parser)
    efficiency.run_label_efficiency(parser.parse_args([str(argument) for argument in arguments]))


def test_test_clips_never_teach(measurer):
    clips = measurer.clips
    assert set(clips.corpus.part[clips.test_rows]) == {"test"}
    assert "test" not in clips.corpus.part[clips.train_rows]


def test_a_head_that_knows_the_answers_names_all(measurer):
    clips = measurer.clips
    owner = measurer._windows.recording
    told = np.eye(len(clips.actions), dtype=np.float32)[clips.labels[owner]]
    told = told + np.random.default_rng(0).normal(0, 0.01, told.shape).astype(np.float32)
    assert measurer._linear(told, clips.train_rows) == len(clips.test_rows)
    wrong = told[:, ::-1].copy()
    wrong[measurer._window_rows(clips.train_rows)] = told[measurer._window_rows(clips.train_rows)]
    assert measurer._linear(wrong, clips.train_rows) < len(clips.test_rows)


@pytest.mark.parametrize("method", ["pretrained", "random", "fine-tuned", "unpretrained", "scratch"])
def test_methods_give_the_same_again(measurer, method):
    rows = measurer.clips.train_rows
    found = measurer.count_correct(method, rows, 1)
    assert 0 <= found <= len(measurer.clips.test_rows)
    assert found == measurer.count_correct(method, rows, 1)


@pytest.mark.parametrize(("method", "pretrained"), [("fine-tuned", True), ("unpretrained", False)])
def test_the_whole_network_starts_where_it_says(measurer, monkeypatch, method, pretrained):
    started = []

    def fit(network, *_):
        started.append(network.backbone.embed.weight.detach().clone())
        return network.eval()

    monkeypatch.setattr(efficiency, "fit_windows", fit)
    measurer.count_correct(method, measurer.clips.train_rows, 1)
    assert torch.equal(started[0], measurer.backbone.embed.weight) == pretrained


def test_what_was_measured_is_kept_and_a_run_goes_on(tiny_data, tmp_path, capsys):
    out = tmp_path / "metrics.json"
    flags = ("--data", tiny_data, "--sets", "penn_action", "--methods", "scratch", "--steps", 1, "--out", out)
    call(*flags, "--shares", 0.5, "--seeds", 0)
    points = json.loads(out.read_text())
    assert [(each["share"], each["seed"], each["method"]) for each in points] == [(0.5, 0, "scratch")]
    points[0]["right"] = points[0]["of"]
    out.write_text(json.dumps(points))
    capsys.readouterr()
    call(*flags, "--shares", 0.5, 1, "--seeds", 0)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| set (test clips) | method | 50% | 100% |"
    assert lines[2].startswith(f"| penn_action ({points[0]['of']}) | scratch | 100.0 |")


def test_trainings_with_other_settings_are_other_rows(tiny_data, tmp_path, capsys):
    out = tmp_path / "metrics.json"
    flags = ("--data", tiny_data, "--sets", "penn_action", "--methods", "scratch", "--out", out)
    for steps in (1, 2):
        call(*flags, "--shares", 0.5, "--seeds", 0, "--steps", steps)
    rows = capsys.readouterr().out.splitlines()[-2:]
    assert [row.split(" | ")[1] for row in rows] == ["scratch, steps=1", "scratch, steps=2"]


def test_a_damaged_file_of_figures_is_one_line_and_stays(tiny_data, tmp_path):
    out = tmp_path / "metrics.json"
    out.write_text("[{")
    with pytest.raises(ActionLensError, match=r"metrics.json is not a complete file of metrics .*; remove it"):
        call("--data", tiny_data, "--sets", "penn_action", "--methods", "scratch", "--out", out, "--shares", 0.5)
    assert out.read_text() == "[{"


def test_a_missing_supervised_embedding_is_trained_without_the_set(tiny_data, tmp_path, capsys):
    out, runs = tmp_path / "metrics.json", tmp_path / "runs"
    flags = ("--data", tiny_data, "--sets", "penn_action", "--methods", "supervised", "--out", out, "--seeds", 0)
    call(*flags, "--supervised", runs, "--supervised-steps", 2, "--shares", 0.5)
    assert "penn_action: training AcT on the other sets" in capsys.readouterr().err
    assert "without-penn_action" in (runs / "penn_action" / "model" / "card.json").read_text()
    call(*flags, "--supervised", runs, "--supervised-steps", 2, "--shares", 0.5, 1)
    assert "training AcT" not in capsys.readouterr().err
    assert [each["share"] for each in json.loads(out.read_text())] == [0.5, 1]
    with pytest.raises(ActionLensError, match="was trained for 2 steps, not 3"):
        call(*flags, "--supervised", runs, "--supervised-steps", 3, "--shares", 0.5)


def test_mistakes_are_told(tiny_data, tmp_path):
    flags = ("--data", tiny_data, "--sets", "penn_action", "--out", tmp_path / "metrics.json", "--steps", 1)
    with pytest.raises(ActionLensError, match="not a share"):
        call(*flags, "--shares", 2)
    with pytest.raises(ActionLensError, match="needs --run"):
        call(*flags, "--methods", "pretrained", "--shares", 1)
