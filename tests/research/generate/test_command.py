"""The command `generator` of research, on generators that are trained as a user trains them."""

import argparse
import json

import numpy as np
import pytest

from pose.errors import ActionLensError
from pose.skeleton import PENN_13
from recognizer.datasets import penn_action
from recognizer.datasets.dataset import DataSet
from recognizer.training.generate import generate_command, sets
from recognizer.training.generate.sets import MotionSet
from research.generate import generator_command as measuring
from research.generate import mixtures, recognition, trajectories
from research.generate.source import Source


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
    metrics = json.loads((run / "measures-test.json").read_text())["metrics"]
    assert metrics["of"] == 40
    assert f"{metrics['mmd_avg']:.3f}" in ours
    row = next(line for line in page.read_text().splitlines() if line.startswith("| frame-vae, seed 0, iteration "))
    assert f"| {metrics['mmd_avg']:.3f} |" in row
    assert "**made-up, test clips**: 40 held-out clips of 2 actions (raise, spread), 8 frames" in page.read_text()
    call("figures", "--data", data, "--run", run, "--out", tmp_path / "figures")
    assert (tmp_path / "figures" / "actions.png").stat().st_size > 10_000
    assert (tmp_path / "figures" / "blend-raise-spread.png").stat().st_size > 10_000
    generate_command.run(options_of(generate_command, "export", "--run", run, "--out", tmp_path / "weights"))
    card = json.loads((tmp_path / "weights" / "generator.json").read_text())
    assert card["metrics"]["test"]["mmd_avg"] == metrics["mmd_avg"]


def test_seeds_of_a_training_are_one_row(data, tmp_path):
    for seed in (0, 1):
        train(data, tmp_path / str(seed), "--seed", seed)
    train(data, tmp_path / "other", "--batch", 10)
    page = tmp_path / "page.md"
    page.write_text("<!-- measured: made-up, validation -->\n<!-- end -->\n")
    runs = [tmp_path / name for name in ("0", "other", "1")]
    call("measure", "--data", data, "--runs", *runs, "--steps", 20, "--page", page)
    both = [json.loads((tmp_path / name / "measures-validation.json").read_text())["metrics"] for name in "01"]
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
    with pytest.raises(ActionLensError, match="no form 'frame-vae'"):
        call("cost", "--network", "frame-vae")
    with pytest.raises(ActionLensError, match=r"generator.json cannot be read"):
        call("few-shot", "--data", data, "--generator", tmp_path, "--out", tmp_path / "figures.json")


def rows_of(file):
    return [line.split(",") for line in file.read_text().splitlines()[1:]]


def test_mixed_labels_are_named_as_the_action_that_they_are_most_of(motions):
    def joints(label, seed):
        """The mean training clips of the two actions, mixed like the label, with noise of the seed."""
        ends = np.stack([motions.x[motions.train][motions.labels[motions.train] == end].mean(axis=0) for end in (0, 1)])
        noise = np.random.default_rng(seed).normal(0, 0.02, (len(label), *ends.shape[1:]))
        return np.tensordot(label, ends, axes=1) + noise

    place = motions.actions.index
    source = Source(motions.actions, motions.layout, 8, "made-up", place, joints)
    learnt = motions.standardised[motions.train], motions.labels[motions.train]
    recognizer = recognition.train_recognizer(*learnt, 2, 60, 0)
    found = mixtures.mixtures(source, motions, recognizer, ("spread", "raise"), 5, 0)
    assert [m.share for m in found] == pytest.approx(np.linspace(0, 1, 11))
    assert (found[0].first, found[0].second) == (1, 0)
    assert (found[-1].first, found[-1].second) == (0, 1)
    assert all(m.first + m.second + m.other == pytest.approx(1) for m in found)
    likely = [m.second_probability for m in found]
    assert (np.diff(likely) > -0.02).all()
    assert likely[0] < 0.2 < 0.8 < likely[-1]
    text = mixtures.as_csv(found, ("spread", "raise"), 5)
    assert text.splitlines()[0] == "share of raise,clips,spread,raise,other,p(spread),p(raise)"
    assert text.splitlines()[1].startswith("0.00,5,1.000,0.000,0.000,")


def test_mixtures_and_trajectories_are_drawn_and_written_of_a_run_and_of_an_export(data, tmp_path):
    run, weights = tmp_path / "run", tmp_path / "weights"
    train(data, run)
    generate_command.run(options_of(generate_command, "export", "--run", run, "--out", weights))
    for name, of in (("run", run), ("generator", weights)):
        out = tmp_path / name / "figures"
        call("mixtures", "--data", data, f"--{name}", of, "--out", out, "--clips", 4, "--steps", 20)
        call("trajectories", f"--{name}", of, "--out", out, "--clips", 6)
        assert len(rows_of(out / "mixtures-raise-spread.csv")) == 11
        assert (out / "mixtures-raise-spread.png").stat().st_size > 10_000
        rows = rows_of(out / "trajectories.csv")
        assert len(rows) == 2 * 6 * 8
        assert {row[0] for row in rows} == {"raise", "spread"}
        assert np.isfinite([[float(value) for value in row[1:]] for row in rows]).all()
        assert (out / "trajectories.png").stat().st_size > 10_000
    with pytest.raises(ActionLensError, match="too few for t-SNE"):
        call("trajectories", "--run", run, "--out", out, "--clips", 1)
    with pytest.raises(ActionLensError, match="does not know 'fly'"):
        call("mixtures", "--data", data, "--run", run, "--out", out, "--pair", "raise", "fly")


def test_trajectories_keep_alike_frames_together():
    rng = np.random.default_rng(0)
    far = np.stack([np.zeros((13, 2)), np.full((13, 2), 5.0)])

    def joints(label, seed):
        return far[label.argmax(axis=1)][:, None] + rng.normal(0, 0.1, (len(label), 10, 13, 2))

    source = Source(("low", "high"), PENN_13, 10, "", ("low", "high").index, joints)
    plane = trajectories.trajectories(source, ("low", "high"), 8, 0)
    assert plane.shape == (2, 8, 10, 2)
    low, high = (ways.reshape(-1, 2) for ways in plane)
    gap = np.linalg.norm(low.mean(axis=0) - high.mean(axis=0))
    assert gap > 2 * max(low.std(axis=0).max(), high.std(axis=0).max())
    text = trajectories.as_csv(plane, ("low", "high")).splitlines()
    assert text[1] == f"low,0,0,{plane[0, 0, 0, 0]:.3f},{plane[0, 0, 0, 1]:.3f}"
    assert len(text) == 1 + 160


def test_ten_actions_of_ntu_are_a_set():
    from recognizer.datasets import ntu

    ten = sets.set_of("ntu")
    assert len(set(ten.actions)) == 10
    assert set(ten.actions) <= set(ntu.ACTIONS[:49])  # of one person, in both NTU sets
    assert ten.held_out in ntu.TRAIN_SUBJECTS
