"""The command `generator` of research, on generators that are trained as a user trains them."""

import argparse
import json

import pytest

from pose.errors import ActionLensError
from pose.skeleton import PENN_13
from recognizer.datasets import penn_action
from recognizer.datasets.dataset import DataSet
from recognizer.training.generate import generate_command, sets
from recognizer.training.generate.sets import MotionSet
from research.generate import generator_command as measuring


@pytest.fixture
def data(tmp_path, recordings, monkeypatch):
    """A folder of all data sets with one that is made up."""
    (tmp_path / "data" / "made_up").mkdir(parents=True)
    dataset = DataSet("made_up", lambda folder: iter(recordings), PENN_13, penn_action.DATASET.terms)
    made_up = MotionSet("made-up", dataset, ("raise", "spread"))
    monkeypatch.setitem(sets.SETS, "made-up", made_up)
    return tmp_path / "data"


def options_of(module, *words):
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return parser.parse_args([str(word) for word in words])


def call(*words):
    measuring.run(options_of(measuring, *words))


def train(data, out, *further):
    words = ("train", "--data", data, "--set", "made-up", "--network", "frame-vae", "--frames", 8, "--out", out)
    quick = ("--accelerator", "cpu", "--iterations", 40, "--evaluate", 20)
    generate_command.run(options_of(generate_command, *words, *quick, *further))


def test_figures_of_a_training_go_into_its_folder_the_page_and_the_card(data, tmp_path, capsys):
    run = tmp_path / "run"
    train(data, run)
    capsys.readouterr()
    page = tmp_path / "page.md"
    page.write_text("# Page\n<!-- measured: made-up, test -->\n<!-- end -->\n")
    call("measure", "--data", data, "--runs", run, "--part", "test", "--steps", 20, "--page", page)
    header, real, ours = capsys.readouterr().out.splitlines()
    assert header.split()[:4] == ["of", "draws", "mmd", "avg"]
    assert (real.split()[0], ours.split()[0]) == ("real", "run")
    figures = json.loads((run / "measures-test.json").read_text())["figures"]
    assert figures["of"] == 40
    assert f"{figures['mmd_avg']:.3f}" in ours
    row = next(line for line in page.read_text().splitlines() if line.startswith("| frame-vae, seed 0, iteration "))
    assert f"| {figures['mmd_avg']:.3f} |" in row
    assert "**made-up, test clips**: 40 held-out clips of 2 actions (raise, spread), 8 frames" in page.read_text()
    call("figures", "--data", data, "--run", run, "--out", tmp_path / "figures")
    assert (tmp_path / "figures" / "actions.png").stat().st_size > 10_000
    assert (tmp_path / "figures" / "blend-raise-spread.png").stat().st_size > 10_000
    generate_command.run(options_of(generate_command, "export", "--run", run, "--out", tmp_path / "weights"))
    card = json.loads((tmp_path / "weights" / "generator.json").read_text())
    assert card["metrics"]["test"]["mmd_avg"] == figures["mmd_avg"]


def test_seeds_of_a_training_are_one_row(data, tmp_path):
    for seed in (0, 1):
        train(data, tmp_path / str(seed), "--seed", seed)
    train(data, tmp_path / "other", "--batch", 10)
    page = tmp_path / "page.md"
    page.write_text("<!-- measured: made-up, validation -->\n<!-- end -->\n")
    runs = [tmp_path / name for name in ("0", "other", "1")]
    call("measure", "--data", data, "--runs", *runs, "--steps", 20, "--page", page)
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
    call("cost", "--frames", 4, 8, "--clips", 1, "--repeats", 1)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [
        ["4", "sparse"],
        ["4", "dense"],
        ["8", "sparse"],
        ["8", "dense"],
    ]


def test_mistakes_are_told_in_one_line(data, tmp_path):
    with pytest.raises(ActionLensError, match="must be 1 or more"):
        call("cost", "--frames", 0)
    with pytest.raises(ActionLensError, match="no form 'frame-vae'"):
        call("cost", "--network", "frame-vae")
    with pytest.raises(ActionLensError, match=r"generator.json cannot be read"):
        call("few-shot", "--data", data, "--generator", tmp_path, "--out", tmp_path / "figures.json")
