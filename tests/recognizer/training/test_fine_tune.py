"""Full teaching: AcT learns made-up actions, and becomes a model like any other."""

import argparse
import json

import numpy as np
import pytest
from teaching_clips import made_clip, made_clips

from recognizer.onnx_recognizer import OnnxRecognizer
from recognizer.teaching.check import CLIPS, SESSIONS
from recognizer.teaching.errors import TeachingError
from recognizer.teaching.lesson import NOTHING
from recognizer.teaching.request import FULL, TeachingRequest, write_request
from recognizer.training.fine_tune import FineTuneSettings, WindowDrawer, copy_body, fit_act, whole_clip_probabilities
from recognizer.training.fine_tune_command import add_fine_tune, run_fine_tune, split
from recognizer.training.networks import NetworkSpec

SETTINGS = FineTuneSettings(steps=40, batch=32)


def run(folder, *more):
    parser = argparse.ArgumentParser()
    add_fine_tune(parser)
    run_fine_tune(parser.parse_args([str(folder), *more]))


@pytest.fixture
def quiet(monkeypatch):
    monkeypatch.setattr("recognizer.training.fine_tune_command.lower_priority", lambda: None)
    monkeypatch.setattr("recognizer.training.fine_tune_command.signal.signal", lambda *_: None)
    monkeypatch.setattr("tqdm.tqdm.monitor_interval", 0)  # torch's exporter would leave its thread behind


def test_it_learns_actions_that_differ():
    network = fit_act(made_clips(), SETTINGS)
    others = [made_clip(action, 50 + n) for n in range(3) for action in ("bow", "raise", "step")]
    found = whole_clip_probabilities(network, others)[:, :-1].argmax(axis=1)
    assert (found == [0, 1, 2] * 3).mean() > 0.7


def test_the_body_of_a_trained_network_is_kept_and_its_head_is_new():
    start = NetworkSpec("act-micro", 7, {}).build()
    network = NetworkSpec("act-micro", 4, {}).build()
    head = network.head[1].weight.clone()
    copy_body(start, network)
    assert (network.embed.weight == start.embed.weight).all()
    assert (network.head[1].weight == head).all()
    with pytest.raises(ValueError, match="same size"):
        copy_body(NetworkSpec("act-small", 4, {}).build(), network)


def test_batches_hold_every_action_and_the_background():
    drawer = WindowDrawer([*made_clips(), made_clip(NOTHING, 1, seconds=5)], FineTuneSettings(batch=200))
    features, target = drawer.draw(np.random.default_rng(0))
    assert features.shape == (200, 30, 78)
    counts = np.bincount(target, minlength=4)
    assert (counts > 25).all()


def test_the_last_session_is_held_out_or_a_part_of_the_clips():
    two = made_clips(sessions=("Monday", "Tuesday"))
    kept, held, how = split(two)
    assert how == SESSIONS
    assert {clip.session for clip in held} == {"Tuesday"}
    assert {clip.session for clip in kept} == {"Monday"}
    kept, held, how = split(made_clips())
    assert how == CLIPS
    assert len(held) == 3
    assert {clip.action for clip in kept} == {"bow", "raise", "step"}


def test_from_a_request_to_a_model(tmp_path, quiet, capsys):
    write_request(TeachingRequest(FULL, "gym", tmp_path, tmp_path / "models", made_clips(clips=3)), tmp_path)
    run(tmp_path, "--steps", "3")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert lines[-1]["folder"] == str(tmp_path / "models" / "gym" / "1")
    assert lines[-1]["check"]["checks"][0]["clips"] == 3
    recognizer = OnnxRecognizer(tmp_path / "models" / "gym" / "1", "cpu")
    assert recognizer.actions == ("bow", "raise", "step", "other")
    assert recognizer.self_test().max_error < 1e-3
    assert [source.name for source in recognizer.card.training_data] == ["the user's own clips"]
    recognizer.close()


def test_a_mistake_is_the_last_line(tmp_path, quiet, capsys):
    write_request(TeachingRequest(FULL, "gym", tmp_path, tmp_path / "models", made_clips(clips=2)), tmp_path)
    with pytest.raises(TeachingError):
        run(tmp_path)
    assert "record 1 more" in json.loads(capsys.readouterr().out.splitlines()[-1])["error"]
    assert not (tmp_path / "models").exists()
