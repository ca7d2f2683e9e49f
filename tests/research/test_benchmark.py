"""Benchmarks: result files, going on after a stop, the page, and the protocol of MPOSE2021 on a made-up archive."""

import argparse
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from research.errors import ResearchError

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from pose.errors import ActionLensError  # noqa: E402
from recognizer.datasets import mpose2021  # noqa: E402
from recognizer.training.models.registry import FUSIONS  # noqa: E402
from research.benchmark import benchmark_command as benchmark  # noqa: E402
from research.benchmark import results, weigh  # noqa: E402
from research.benchmark.combined import base_names, check_known, combination_of, weighted_name  # noqa: E402
from research.benchmark.mpose import load  # noqa: E402
from research.benchmark.results import Result  # noqa: E402
from research.benchmark.table import BENCHMARKS, PART, tables, write_page  # noqa: E402
from research.benchmark.weigh import best_weight, correct_by_weight  # noqa: E402
from research.whole_clip.clip_training import WholeClipJob, probabilities  # noqa: E402
from research.whole_clip.inputs import plain_input  # noqa: E402
from research.whole_clip.presets import PRESETS, preset_of  # noqa: E402
from research.whole_clip.tasks import TASKS, task_of  # noqa: E402


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    """Recipes of one epoch."""
    for name in ("short-clips", "act-paper"):
        monkeypatch.setitem(PRESETS, name, preset_of(name).changed(epochs=1, batch=8))


def run(*arguments):
    parser = argparse.ArgumentParser()
    benchmark.add_arguments(parser)
    benchmark.run(parser.parse_args([str(a) for a in arguments]))


def result(**changes):
    whole = Result(
        **{"command": "python", "task": "penn", "part": "test", "network": "act-micro", "preset": "short-clips"},
        **{"seed": 0, "frames": 30, "learned": 10, "of": 8, "right": 6, "accuracy": 0.75, "balanced_accuracy": 0.7},
        **{
            "recall": {"a": (0.75, 8)},
            "parameters": 1234567,
            "epochs": 1,
            "seconds": 60.0,
            "commit": "c",
            "machine": "m",
        },
    )
    return replace(whole, **changes)


@pytest.fixture
def places(tmp_path):
    return ["--results", tmp_path / "results", "--runs", tmp_path / "runs", "--accelerator", "cpu"]


def test_a_run_leaves_results_that_say_how_they_were_made_and_goes_on(tiny_data, tmp_path, places, capsys):
    command = ["run", "--data", tiny_data, "--tasks", "jhmdb14-1", "--seeds", "0", *places]
    run(*command, "--networks", "act-micro")
    content = json.loads((tmp_path / "results" / "jhmdb14-1.act-micro.short-clips.seed0.json").read_text())
    assert {field: content[field] for field in ("task", "seed", "learned", "of", "epochs", "preset", "part")} == {
        **{"task": "jhmdb14-1", "seed": 0, "learned": 8, "of": 4, "epochs": 1, "preset": "short-clips", "part": "test"}
    }
    assert content["accuracy"] == content["right"] / 4
    assert content["parameters"] > 200_000
    assert content["seconds"] > 0
    assert content["commit"]
    assert content["command"] == (
        "python -m research benchmark run --data DATA"
        " --tasks jhmdb14-1 --networks act-micro --preset short-clips --seeds 0"
    )
    assert str(tmp_path) not in json.dumps(content), "folders are of this machine alone"
    assert sum(count for _, count in content["recall"].values()) == 4
    file = next((tmp_path / "results").iterdir())
    before = file.stat().st_mtime_ns
    capsys.readouterr()
    run(*command, "--networks", "act-micro", "act-small")
    assert "already there" in capsys.readouterr().out
    assert file.stat().st_mtime_ns == before
    assert len(list((tmp_path / "results").iterdir())) == 2


def test_other_numbers_of_frames_have_results_of_their_own(tiny_data, tmp_path, places):
    command = ["run", "--data", tiny_data, "--tasks", "jhmdb14-1", "--networks", "act-micro", "--seeds", "0", *places]
    run(*command)
    run(*command, "--frames", "20")
    found = results.read_all(tmp_path / "results")
    assert {r.frames: r.name for r in found} == {
        30: "jhmdb14-1.act-micro.short-clips.seed0",
        20: "jhmdb14-1.act-micro.short-clips.frames20.seed0",
    }
    assert len(list((tmp_path / "runs").rglob("weights.pt"))) == 2
    assert "| AcT, micro | short-clips, 20 frames |" in tables([result(frames=20)])


def test_a_fusion_is_the_sum_of_networks_that_are_trained_once(tiny_data, tmp_path, places, monkeypatch):
    monkeypatch.setitem(FUSIONS, "st-tr", ("act-micro", "st-gcn-short"))
    command = ["run", "--data", tiny_data, "--tasks", "jhmdb14-1", "--seeds", "0", *places, "--networks"]
    run(*command, "act-micro")
    times = {file: file.stat().st_mtime_ns for file in (tmp_path / "runs").rglob("weights.pt")}
    run(*command, "st-tr")
    assert len(times) == 1
    assert all(file.stat().st_mtime_ns == time for file, time in times.items())
    assert len(list((tmp_path / "runs").iterdir())) == 2
    found = {r.network: r for r in results.read_all(tmp_path / "results")}
    assert found["st-tr"].parameters > found["act-micro"].parameters + 100_000


def test_an_ensemble_is_the_mean_of_trainings_that_are_made_once(tiny_data, tmp_path, places):
    command = ["run", "--data", tiny_data, "--tasks", "msr-action3d-as1", *places]
    run(*command, "--networks", "act-micro", "--seeds", "2")
    run(*command, "--networks", "act-micro-x2", "--seeds", "1")
    trained_seeds = sorted(file.parent.name.split(".seed")[1] for file in (tmp_path / "runs").rglob("weights.pt"))
    assert trained_seeds == ["2", "3"]
    found = {r.network: r for r in results.read_all(tmp_path / "results")}
    assert found["act-micro-x2"].parameters == 2 * found["act-micro"].parameters
    assert found["act-micro-x2"].seed == 1
    assert "| mean of 2: AcT, micro | short-clips |" in tables(list(found.values()))


def test_networks_are_combined_by_name():
    def jobs(network, seed=1):
        return [(j.network, j.seed) for j in combination_of(WholeClipJob("penn", network, seed=seed)).jobs]

    assert jobs("act-micro+dropout=0.1-x3") == [("act-micro+dropout=0.1", seed) for seed in (3, 4, 5)]
    assert jobs("st-tr-narrow+drop_attention=0.2") == [
        (f"{kind}-narrow+drop_attention=0.2", 1) for kind in ("s-tr", "t-tr")
    ]
    assert jobs("act-micro-x2@0.25,st-gcn-short@0.75") == [("act-micro-x2", 1), ("st-gcn-short", 1)]
    assert base_names("act-micro-x2@0.25,st-tr-narrow@0.75") == {"act-micro", "s-tr-narrow", "t-tr-narrow"}
    assert combination_of(WholeClipJob("penn", "st-gcn-short+importance=false")) is None

    class Sure(torch.nn.Module):
        def __init__(self, share):
            super().__init__()
            self.share = torch.tensor([[share, 1 - share]])

        def forward(self, clips):
            return self.share.log() + 3  # logits need not be normalised

    mean = combination_of(WholeClipJob("", "act-micro@1,st-gcn-short@3")).combine([Sure(0.9), Sure(0.5)])
    torch.testing.assert_close(mean(None).exp(), torch.tensor([[0.6, 0.4]]))
    assert weighted_name({"act-micro": 0.25, "st-gcn-short": 0.75}) == "act-micro@0.25,st-gcn-short@0.75"
    assert weighted_name({"act-micro": 1.0, "st-gcn-short": 0.0}) == "act-micro"
    assert tables([result(network="act-micro@0.25,tcn-short@0.75")]).count("0.25 (AcT, micro) + 0.75 (baseline") == 1
    for wrong in (
        "act-micro-x1",
        "act-micro,st-gcn-short@1",
        "act-micro@0,st-gcn-short@1",
        "gcn-x2",
        "act-micro+a=1-x2",
    ):
        with pytest.raises(ActionLensError):
            check_known(wrong)


def test_weights_are_those_with_the_most_right_validation_clips(tiny_data, tmp_path, places, capsys):
    first = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]], np.float32)
    second = np.array([[0.45, 0.55], [0.1, 0.9], [0.4, 0.6]], np.float32)
    right = correct_by_weight(first, second, np.array([0, 1, 1]))
    assert right[0] == 2  # the second alone
    assert right[20] == 2  # the first alone
    assert right[10] == 3  # the mean of both
    assert best_weight(right) == 10
    assert best_weight(np.array([1, *[0] * 19, 1])) == 0
    command = ["weigh", "--data", tiny_data, "--tasks", "msr-action3d", "--seeds", "0", *places]
    run(*command, "--networks", "act-micro", "st-gcn-short")
    printed = capsys.readouterr().out
    assert printed.count("validation clips, 1 seeds") == 21
    assert "msr-action3d: best is " in printed
    assert not (tmp_path / "results").exists()
    assert all(name.name.endswith(".validation") for name in (tmp_path / "runs").iterdir())


def test_the_best_weight_is_that_of_the_network_that_names_the_clips(monkeypatch):
    chances = {"act-micro": np.array([[0.51, 0.49]]), "st-gcn-short": np.array([[0.0, 1.0]])}
    monkeypatch.setattr(weigh, "train_or_load", lambda clips, job, *_: (job, 0.0))
    monkeypatch.setattr(weigh, "probabilities", lambda module, *_: chances[module])
    clips = SimpleNamespace(labels=np.array([0]), eval_rows=np.array([0]))
    bench = SimpleNamespace(
        clips=lambda task: clips,
        job=lambda task, network, seed: network,
        runs=None,
        hardware=None,
        preset=None,
        frames=30,
    )
    lines = weigh.choose_weights(bench, task_of("penn"), tuple(chances), [0, 1]).splitlines()
    assert lines[-2] == "penn: act-micro 1.00, st-gcn-short 0.00: 100.0% of 1 validation clips, 2 seeds"
    assert lines[-1] == "penn: best is act-micro"
    assert best_weight(np.array([1, *[0] * 8, 1, *[0] * 10, 1])) == 9, "of equally good ones the one nearest to even"


def test_other_tasks_are_learnt_beside_one_that_is_judged_alone(tiny_data, tmp_path, places):
    alone, joint = task_of("msr-action3d").load(tiny_data), task_of("msr-action3d+utd-mhad").load(tiny_data)
    other = task_of("utd-mhad").load(tiny_data)
    assert len(joint.train_rows) == len(alone.train_rows) + len(other.train_rows)
    np.testing.assert_array_equal(joint.eval_rows, alone.eval_rows)
    np.testing.assert_array_equal(joint.x[:, joint.eval_rows], alone.x[:, alone.eval_rows])
    added = joint.train_rows[len(alone.train_rows) :]
    np.testing.assert_array_equal(joint.x[:, added], other.x[:, other.train_rows])
    names = [joint.actions[label] for label in joint.labels[added]]
    assert names == [f"utd-mhad: {other.actions[label]}" for label in other.labels[other.train_rows]]
    assert joint.actions[: -joint.extra_actions] == alone.actions
    chosen, own = (task_of(name).load(tiny_data, "validation") for name in ("msr-action3d+utd-mhad", "msr-action3d"))
    assert len(chosen.train_rows) == len(own.train_rows) + len(other.train_rows), (
        "the other's clips for choosing are learnt, too"
    )

    class Foreign(torch.nn.Module):
        """Sure of an action of the other task."""

        def forward(self, features):
            return torch.nn.functional.one_hot(torch.tensor([len(joint.actions) - 1]), len(joint.actions)) * 9.0

    found = probabilities(Foreign(), joint, joint.eval_rows[:1], preset_of("short-clips"), 30)
    np.testing.assert_allclose(found, np.full((1, len(alone.actions)), 1 / len(alone.actions)), rtol=1e-6)
    with pytest.raises(ActionLensError, match="penn has other joints"):
        task_of("msr-action3d+penn").load(tiny_data)
    with pytest.raises(ActionLensError, match="of jhmdb14, whose test clips would be learnt from"):
        task_of("jhmdb14-1+jhmdb14-2")
    run("run", "--data", tiny_data, "--tasks", "msr-action3d+utd-mhad", "--seeds", "0", *places)
    (measured,) = results.read_all(tmp_path / "results")
    assert measured.of == len(alone.eval_rows)
    assert measured.learned == len(joint.train_rows)
    assert "| AcT, micro | short-clips, with utd-mhad |" in tables([measured])


def test_the_table_has_the_mean_over_splits_and_seeds():
    found = [
        result(task=f"jhmdb14-{split}", seed=seed, accuracy=0.8 + 0.01 * split + 0.02 * seed)
        for split in (1, 2, 3)
        for seed in (0, 1)
    ]
    found += [result(task="jhmdb14-1", seed=2, accuracy=0.1)]  # a seed whose splits are not all there
    found += [result(part="validation", accuracy=0.123)]
    text = tables(found)
    row = next(line for line in text.splitlines() if line.startswith("| AcT, micro"))
    assert "| 83.0 ± 1.4 |" in row  # of (82, 84)
    assert "| 2 | 18/24, 18/24 | 1,234,567 | 1.0 |" in row
    assert "12.3" not in text
    assert text.count("not run yet") == len(BENCHMARKS) - 1


def test_balanced_accuracy_stands_beside_accuracy_in_every_table():
    assert "| short-clips | 75.0 | 70.0 | 1 |" in tables([result()])
    folds = [result(task="mpose2021-openpose-1", seed=seed) for seed in (1, 2)]
    assert "| openpose, split 1 | AcT, micro | short-clips | 75.0 ± 0.0 | 70.0 ± 0.0 | 2 |" in tables(folds)


def test_every_published_figure_says_where_it_is_from_and_what_differs():
    published = [figure for table in BENCHMARKS for figure in table.published]
    assert published
    assert all(figure.source and figure.differs for figure in published)
    assert {task for table in BENCHMARKS for task in table.tasks} <= set(TASKS)


def test_a_split_without_published_figures_has_a_table_once_it_is_measured():
    assert "Florence" not in tables([result()])
    (title,) = [line for line in tables([result(task="florence-3d")]).splitlines() if "Florence" in line]
    assert title == f"### {TASKS['florence-3d'].title}"


def test_without_tasks_all_that_lie_in_the_folder_are_run(tmp_path):
    with pytest.raises(ActionLensError, match="no data set with a benchmark"):
        benchmark.tasks_of(None, tmp_path)
    for name in ("jhmdb14", "florence_3d", "webcam_poses"):
        (tmp_path / name).mkdir()
    there = [task.name for task in benchmark.tasks_of(None, tmp_path)]
    assert there == ["jhmdb14-1", "jhmdb14-2", "jhmdb14-3", "florence-3d"]
    assert [task.name for task in benchmark.tasks_of(["penn"], None)] == ["penn"]
    with pytest.raises(ActionLensError, match="neither --tasks nor --data"):
        benchmark.tasks_of(None, None)
    with pytest.raises(ActionLensError, match="no task 'pen'"):
        benchmark.tasks_of(["pen"], tmp_path)


def test_a_network_with_settings_says_them_in_the_table():
    text = tables([result(network="st-gcn-short+strategy=distance+importance=false")])
    assert "| ST-GCN, six blocks of 32 to 128 channels, kernel 5; strategy=distance; importance=false |" in text


def test_the_page_keeps_what_is_written_around_the_figures(tmp_path):
    results.write(result(), tmp_path / "results")
    page = tmp_path / "page.md"
    page.write_text(f"# Title\n\n<!-- measured: {PART} -->\nstale figures\n<!-- end -->\n\nAfter.\n")
    write_page(tmp_path / "results", page)
    text = page.read_text()
    assert text.startswith("# Title\n")
    assert text.endswith("<!-- end -->\n\nAfter.\n")
    assert "stale figures" not in text
    assert "75.0" in text
    write_page(tmp_path / "results", page)
    assert page.read_text() == text
    page.write_text("# Title\n")
    with pytest.raises(ResearchError, match="is not a page with one line"):
        write_page(tmp_path / "results", page)
    assert page.read_text() == "# Title\n"


def test_results_are_read_back_and_damaged_ones_are_one_line(tmp_path):
    path = results.write(result(), tmp_path)
    assert results.read_all(tmp_path) == [result()]
    for damage in ("{", "[]", '{"task": "penn"}'):
        path.write_text(damage)
        with pytest.raises(ResearchError, match="is not a result file") as error:
            results.read_all(tmp_path)
        assert "\n" not in str(error.value)


def test_shipped_results_are_of_known_tasks_networks_and_recipes():
    shipped = results.read_all(results.FOLDER)
    assert len(shipped) == len(list(results.FOLDER.glob("*.json"))) > 100
    for found in shipped:
        assert found.task.startswith("mpose2021-") or task_of(found.task).name == found.task
        check_known(found.network)
        assert preset_of(found.preset).name == found.preset
        assert found.right / found.of == pytest.approx(found.accuracy)


def test_metrics_of_probabilities():
    chances = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]])
    found = results.metrics(chances, np.array([0, 0, 0, 1]), ("sit", "stand"))
    assert found["accuracy"] == 0.75
    assert found["balanced_accuracy"] == 0.5
    assert (found["right"], found["of"]) == (3, 4)
    assert found["recall"] == {"sit": (1.0, 3), "stand": (0.0, 1)}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--preset", "best"], "choose one of act-paper"),
        (["--tasks", "penn", "olympics"], "choose one of penn"),
        (["--networks", "act-micro", "gcn"], "choose one of act-micro"),
        (["--tasks", "jhmdb14-3"], "give the folder that holds the data sets"),
    ],
)
def test_a_mistake_is_one_line_before_anything_is_trained(tiny_data, tmp_path, places, arguments, line):
    with pytest.raises(ActionLensError) as error:
        run("run", "--data", tiny_data, *places, *arguments)
    assert line in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "runs").exists()
    assert not (tmp_path / "results").exists()


def test_from_the_command_line_a_mistake_is_status_2(tiny_data, tmp_path, capsys):
    from research.command_line import main

    places = ["--results", str(tmp_path / "results"), "--runs", str(tmp_path / "runs")]
    assert main(["benchmark", "run", "--data", str(tiny_data), "--preset", "best", *places]) == 2
    error = capsys.readouterr().err
    assert error.startswith("no preset 'best'; choose one of act-paper, ")
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """MPOSE2021 as published, but with 80 and 20 clips of noise in its first split."""
    folder = tmp_path_factory.mktemp("mpose")
    place = folder / "openpose" / "1"
    place.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for part, count in (("train", 200), ("test", 40)):
        np.save(place / f"X_{part}.npy", rng.uniform(0, 200, (count, 30, 25, 3)))
        np.save(place / f"y_{part}.npy", np.arange(count) % 20)
    return folder


def test_mposes_features_are_those_of_the_data_set(archive):
    """The recipe's own places and velocities are the published 52 features."""
    clips = load(archive, "openpose", 1)
    published = mpose2021.read(archive, "openpose", 1)
    preset = preset_of("act-paper").changed(centre="first")
    features = plain_input(clips.x[0], clips.score[0], clips.layout, preset, 30, mirrored=False)
    assert features.shape == (240, 30, 52)
    np.testing.assert_allclose(features[:200], published.x_train.reshape(200, 30, 52), atol=2e-5)
    np.testing.assert_allclose(features[200:], published.x_test.reshape(40, 30, 52), atol=2e-5)


def test_a_spread_is_the_sample_standard_deviation_and_of_one_value_the_value():
    assert results.mean_and_deviation([82, 84, 89]) == "85.0 ± 3.6"  # of (9 + 1 + 16) / 2
    assert results.mean_and_deviation([82.126], digits=2) == "82.13"


def test_the_protocol_of_mpose_gives_mean_and_deviation_of_its_folds(archive, tmp_path, places, capsys):
    command = ["mpose", "--data", archive, "--splits", "1", "--folds", "2", *places]
    run(*command)
    found = results.read_all(tmp_path / "results")
    assert [r.seed for r in found] == [11331, 12123] or [r.seed for r in found] == [11331, 11435]
    assert {r.seed for r in found} == set(mpose2021.FOLD_SEEDS[:2])
    assert {r.of for r in found} == {40}
    assert {r.command for r in found} == {
        "python -m research benchmark mpose --data MPOSE2021 --poses openpose --splits 1"
        " --networks act-micro --preset act-paper"
    }
    first = capsys.readouterr().out
    balanced = 100 * np.array([r.balanced_accuracy for r in found])
    assert f"balanced {balanced.mean():.2f} ± {balanced.std(ddof=1):.2f}, 2 folds of 40 clips" in first
    run(*command)
    assert capsys.readouterr().out == first
    assert "| openpose, split 1 | AcT, micro | act-paper |" in tables(found)


def test_a_fold_holds_out_a_tenth_of_each_action(archive):
    from recognizer.training.whole_clips import stratified

    clips = load(archive, "openpose", 1)
    _, held_out = stratified(clips.train_rows, clips.labels[clips.train_rows], 0.1, 11331)
    assert len(held_out) == 20
    assert sorted(clips.labels[held_out]) == list(range(20))
    other = stratified(clips.train_rows, clips.labels[clips.train_rows], 0.1, 11435)[1]
    assert set(held_out) != set(other)


def test_a_missing_archive_is_one_line(tmp_path, places):
    with pytest.raises(ActionLensError, match=r"unpack openpose\.zip") as error:
        run("mpose", "--data", tmp_path / "nowhere", *places)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "runs").exists()
