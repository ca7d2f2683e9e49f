"""The commands from training to made-up clips, as a user gives them."""

import argparse
import json

import pytest

from pose.errors import ActionLensError
from pose.skeleton import PENN_13
from recognizer.datasets import penn_action, pyskl, restricted_pickle
from recognizer.datasets.dataset import DataSet
from recognizer.training.generate import generate_command, sets
from recognizer.training.generate.sets import MotionSet
from recognizer.training.generate.trained import load_trained


@pytest.fixture
def data(tmp_path, recordings, monkeypatch):
    """A folder of all data sets with one that is made up."""
    (tmp_path / "data" / "made_up").mkdir(parents=True)
    dataset = DataSet("made_up", lambda folder: iter(recordings), PENN_13, penn_action.DATASET.terms)
    made_up = MotionSet("made-up", dataset, ("raise", "spread"))
    monkeypatch.setitem(sets.SETS, "made-up", made_up)
    return tmp_path / "data"


def call(*words):
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    for name, add, run in (
        ("generator", generate_command.add_arguments, generate_command.run),
        ("generate", generate_command.add_generate, generate_command.generate),
    ):
        sub = commands.add_parser(name)
        add(sub)
        sub.set_defaults(run_command=run)
    options = parser.parse_args([str(word) for word in words])
    options.run_command(options)


def train(data, out, *further):
    call(
        *("generator", "train", "--data", data, "--set", "made-up", "--network", "frame-vae", "--frames", 8),
        *("--out", out, "--accelerator", "cpu", "--iterations", 40, "--evaluate", 20, *further),
    )


def test_from_training_to_made_up_clips(data, tmp_path, capsys):
    run = tmp_path / "run"
    train(data, run)
    assert "kept iteration" in capsys.readouterr().out
    measures = {"iteration": load_trained(run).iteration, "steps": 20, "seed": 0, "metrics": {"mmd_avg": 0.125}}
    (run / "measures-test.json").write_text(json.dumps(measures))
    call("generator", "export", "--run", run, "--out", tmp_path / "weights")
    card = json.loads((tmp_path / "weights" / "generator.json").read_text())
    assert card["synthetic"] is True
    assert card["training_data"][0]["terms"] == penn_action.DATASET.terms.terms
    assert card["metrics"]["test"]["split"] == "made-up: the official test split"
    assert card["metrics"]["test"]["mmd_avg"] == 0.125
    assert list(card["metrics"]) == ["test"]
    call("generate", "--run", run, "--action", "raise", "--count", 4, "--out", tmp_path / "raise.pkl")
    assert [r.action for r in pyskl.read(tmp_path / "raise.pkl")] == ["raise"] * 4
    exported = ("--generator", tmp_path / "weights", "--action", "raise", "--count", 3, "--seed", 5)
    call("generate", *exported, "--out", tmp_path / "exported.pkl")
    assert [r.name for r in pyskl.read(tmp_path / "exported.pkl")] == [f"raise_s5_n000{n}" for n in range(3)]
    source = restricted_pickle.load(tmp_path / "exported.pkl")["actionlens"]["synthetic"]
    assert (source["sha256"], source["trained"], source["seed"]) == (card["sha256"], card["trained"], 5)


def test_figures_of_other_weights_do_not_come_into_the_card(data, tmp_path):
    run = tmp_path / "run"
    train(data, run)
    measures = run / generate_command.MEASURES_FILE.format(part="test")
    measures.write_text(json.dumps({"iteration": 1, "steps": 20, "seed": 0, "metrics": {"mmd_avg": 0.1}}))
    call("generator", "export", "--run", run, "--out", tmp_path / "weights")
    assert json.loads((tmp_path / "weights" / "generator.json").read_text())["metrics"] == {}
    measures.write_text("[]")
    with pytest.raises(ActionLensError, match=r"measures-test.json cannot be read .*; remove it, or measure again"):
        call("generator", "export", "--run", run, "--out", tmp_path / "weights")


@pytest.mark.parametrize(
    ("further", "message"),
    [
        (("--network", "gan"), "no network 'gan'"),
        (("--set", "nowhere"), "no set 'nowhere'"),
        (("--frames", 1), "--frames 1"),
        (("--actions", "fly"), "no action 'fly'"),
        (("--layout", "octopus"), "no layout 'octopus'"),
    ],
)
def test_mistakes_are_told_in_one_line_and_write_nothing(data, tmp_path, further, message):
    with pytest.raises(ActionLensError, match=message) as caught:
        train(data, tmp_path / "run", *further)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("further", [("--batch", 0), ("--learning-rate", "nan"), ("--frames", "few")])
def test_numbers_that_cannot_be_are_told_before_anything_is_read(tmp_path, further, capsys):
    with pytest.raises(SystemExit) as ended:
        train(tmp_path / "nothing", tmp_path / "run", *further)
    assert ended.value.code == 2
    assert f"argument {further[0]}: " in capsys.readouterr().err


def test_other_mistakes(data, tmp_path):
    with pytest.raises(ActionLensError, match="train first"):
        call("generate", "--run", tmp_path, "--action", "raise", "--out", tmp_path / "x.pkl")
    with pytest.raises(ActionLensError, match=r"generator.json cannot be read"):
        call("generate", "--generator", tmp_path, "--action", "raise", "--out", tmp_path / "x.pkl")
