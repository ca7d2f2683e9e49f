"""The commands from training to made-up clips, as a user gives them."""

import argparse
import json

import pytest

from pose.errors import ActionLensError
from pose.skeleton import PENN_13
from recognizer.datasets import penn_action, pyskl, restricted_pickle
from recognizer.datasets.dataset import DataSet
from recognizer.training.generate import command, sets
from recognizer.training.generate.sets import MotionSet


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
        ("generator", command.add_arguments, command.run),
        ("generate", command.add_generate, command.generate),
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
    page = tmp_path / "page.md"
    page.write_text("# Page\n<!-- measured: made-up, test -->\n<!-- end -->\n")
    call("generator", "measure", "--data", data, "--runs", run, "--part", "test", "--steps", 20, "--page", page)
    header, real, ours = capsys.readouterr().out.splitlines()
    assert header.split()[:4] == ["of", "draws", "mmd", "avg"]
    assert (real.split()[0], ours.split()[0]) == ("real", "run")
    figures = json.loads((run / "measures-test.json").read_text())["figures"]
    assert figures["of"] == 40
    assert f"{figures['mmd_avg']:.3f}" in ours
    row = next(line for line in page.read_text().splitlines() if line.startswith("| frame-vae, seed 0, iteration "))
    assert f"| {figures['mmd_avg']:.3f} |" in row
    assert "**made-up, test clips**: 40 held-out clips of 2 actions (raise, spread), 8 frames" in page.read_text()
    call("generator", "figures", "--data", data, "--run", run, "--out", tmp_path / "figures")
    assert (tmp_path / "figures" / "actions.png").stat().st_size > 10_000
    assert (tmp_path / "figures" / "blend-raise-spread.png").stat().st_size > 10_000
    call("generator", "export", "--run", run, "--out", tmp_path / "weights")
    card = json.loads((tmp_path / "weights" / "generator.json").read_text())
    assert card["synthetic"] is True
    assert card["training_data"][0]["terms"] == penn_action.DATASET.terms.terms
    assert card["metrics"]["test"]["split"] == "made-up: the official test split"
    assert card["metrics"]["test"]["mmd_avg"] == figures["mmd_avg"]
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
    measures = run / command.MEASURES_FILE.format(part="test")
    measures.write_text(json.dumps({"iteration": 1, "steps": 20, "seed": 0, "figures": {"mmd_avg": 0.1}}))
    call("generator", "export", "--run", run, "--out", tmp_path / "weights")
    assert json.loads((tmp_path / "weights" / "generator.json").read_text())["metrics"] == {}
    measures.write_text("[]")
    with pytest.raises(ActionLensError, match=r"measures-test.json cannot be read .*; remove it, or measure again"):
        call("generator", "export", "--run", run, "--out", tmp_path / "weights")


def test_seeds_of_a_training_are_one_row(data, tmp_path):
    for seed in (0, 1):
        train(data, tmp_path / str(seed), "--seed", seed)
    train(data, tmp_path / "other", "--batch", 10)
    page = tmp_path / "page.md"
    page.write_text("<!-- measured: made-up, validation -->\n<!-- end -->\n")
    runs = [tmp_path / name for name in ("0", "other", "1")]
    call("generator", "measure", "--data", data, "--runs", *runs, "--steps", 20, "--page", page)
    both = [json.loads((tmp_path / name / "measures-validation.json").read_text())["figures"] for name in "01"]
    rows = [line for line in page.read_text().splitlines() if line.startswith("| frame-vae")]
    assert [row.split("|")[1].split(", iteration")[0].strip() for row in rows] == [
        "frame-vae, seeds 0, 1",
        "frame-vae, seed 0",
    ]
    first, second = (one["mmd_avg"] for one in both)
    assert f"| {(first + second) / 2:.3f} ± {abs(first - second) / 2**0.5:.3f} |" in rows[0]
    assert rows[0].split("|")[1].strip().endswith(" of 40")


def test_costs_are_told(capsys):
    call("generator", "cost", "--frames", 4, 8, "--clips", 1, "--repeats", 1)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [
        ["4", "sparse"],
        ["4", "dense"],
        ["8", "sparse"],
        ["8", "dense"],
    ]


@pytest.mark.parametrize(
    ("further", "message"),
    [
        (("--network", "gan"), "no network 'gan'"),
        (("--set", "nowhere"), "no set 'nowhere'"),
        (("--frames", 1), "--frames 1"),
        (("--batch", 0), "--batch 0"),
        (("--actions", "fly"), "no action 'fly'"),
        (("--layout", "octopus"), "no layout 'octopus'"),
    ],
)
def test_mistakes_are_told_in_one_line_and_write_nothing(data, tmp_path, further, message):
    with pytest.raises(ActionLensError, match=message) as caught:
        train(data, tmp_path / "run", *further)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_other_mistakes(data, tmp_path):
    with pytest.raises(ActionLensError, match="train first"):
        call("generate", "--run", tmp_path, "--action", "raise", "--out", tmp_path / "x.pkl")
    with pytest.raises(ActionLensError, match=r"generator.json cannot be read"):
        call("generate", "--generator", tmp_path, "--action", "raise", "--out", tmp_path / "x.pkl")
    with pytest.raises(ActionLensError, match="must be 1 or more"):
        call("generator", "cost", "--frames", 0)
    with pytest.raises(ActionLensError, match="no form 'frame-vae'"):
        call("generator", "cost", "--network", "frame-vae")
    with pytest.raises(ActionLensError, match=r"generator.json cannot be read"):
        call("generator", "few-shot", "--data", data, "--generator", tmp_path, "--out", tmp_path / "figures.json")
