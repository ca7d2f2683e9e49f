"""Training on whole clips: it learns, resumes exactly, is the same on two processes, and refuses what does not fit."""

import argparse
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from research.errors import ResearchError

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from pose.errors import ActionLensError  # noqa: E402
from pose.skeleton import KINECT_20, MPOSE_13  # noqa: E402
from recognizer.datasets.dataset import Split  # noqa: E402
from recognizer.datasets.errors import DataError  # noqa: E402
from recognizer.datasets.sequences import ActionSequence  # noqa: E402
from recognizer.training.loop import Hardware  # noqa: E402
from recognizer.training.models.registry import WHOLE_CLIP, ClipShape, NetworkError, network_of  # noqa: E402
from recognizer.training.run_folder import JOB_FILE, RunError  # noqa: E402
from research.whole_clip import batches as clip_batches  # noqa: E402
from research.whole_clip import train_clips_command as train_clips  # noqa: E402
from research.whole_clip.clip_training import (  # noqa: E402
    WEIGHTS_FILE,
    WholeClipJob,
    build_network,
    probabilities,
    train,
)
from research.whole_clip.inputs import plain_input  # noqa: E402
from research.whole_clip.presets import preset_of  # noqa: E402
from research.whole_clip.tasks import Task, TaskClips, task_of  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
QUIET = Hardware(accelerator="cpu", precision="32-true", logs=False, checkpoint_steps=2)
PRESET = preset_of("short-clips").changed(epochs=4, batch=8)


def made_up(count=24, actions=2, layout=MPOSE_13, dims=2):
    """Clips whose left wrist goes up in action 1 and down in action 0."""
    rng = np.random.default_rng(0)
    person = np.zeros((len(layout), dims), np.float32)
    person[:, 1] = [
        {"head": -1.5, "shoulder": -1, "elbow": -0.6, "wrist": -0.3, "hip": 0, "knee": 0.7}.get(
            joint.split("_")[-1], 1.4
        )
        for joint in layout.joints
    ]
    person[:, 0] = [{"left": 0.3, "right": -0.3}.get(joint.split("_")[0], 0.0) for joint in layout.joints]
    x = person + rng.normal(0, 0.02, (count, 64, len(layout), dims)).astype(np.float32)
    labels = np.arange(count) % actions
    wrists = [layout.index("left_wrist"), layout.index("right_wrist")]
    x[:, :, wrists, 1] += ((labels * 2 - 1)[:, None] * np.linspace(0, -1, 64))[..., None]
    half = count // 2
    return TaskClips(
        x.astype(np.float32)[None],
        np.ones((1, count, 64, len(layout)), np.float32),
        labels,
        tuple(f"action{a}" for a in range(actions)),
        layout,
        np.arange(half),
        np.arange(half, count),
    )


@pytest.fixture(scope="module")
def clips():
    return made_up()


def job(network="act-micro", preset="short-clips", seed=0):
    return WholeClipJob("made-up", network, preset, seed)


def same(a, b):
    for name, value in a.state_dict().items():
        torch.testing.assert_close(b.state_dict()[name], value, rtol=0, atol=0, msg=name)


def test_it_learns_what_the_clips_show(clips, tmp_path):
    preset = PRESET.changed(epochs=60, average=0.9)
    network, seconds = train(clips, job(), tmp_path, QUIET, preset)
    found = probabilities(network, clips, clips.eval_rows, preset, 30)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    assert (found.argmax(axis=1) == clips.labels[clips.eval_rows]).mean() > 0.9
    assert seconds > 0


@pytest.mark.parametrize("name", ["act-paper", "st-gcn-kinetics", "st-tr-paper"])
def test_recipes_of_papers_train_their_networks(clips, tmp_path, name):
    network = {"act-paper": "act-micro", "st-gcn-kinetics": "st-gcn-short", "st-tr-paper": "t-tr-narrow"}[name]
    preset = preset_of(name).changed(epochs=2, batch=8)
    trained, _ = train(clips, job(network, name), tmp_path, QUIET, preset)
    before = build_network(clips, network_of(network), preset, 30, 0)
    moved = max((a - b).abs().max() for a, b in zip(trained.parameters(), before.parameters(), strict=True))
    assert moved > 1e-4
    assert sorted(file.name for file in tmp_path.iterdir()) == [JOB_FILE, WEIGHTS_FILE]


class Killed(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("name", ["short-clips", "act-paper"])
def test_a_killed_training_resumes_to_the_same_network(clips, tmp_path, monkeypatch, name):
    network = "st-gcn-short" if name == "short-clips" else "act-micro"  # with running means of batch norms, too
    preset = preset_of(name).changed(epochs=4, batch=8)
    whole, _ = train(clips, job(network, name), tmp_path / "whole", QUIET, preset)
    batch = clip_batches.WholeClipBatches.batch

    def killing(self, step, mine=slice(None)):
        if step >= 5:
            raise Killed
        return batch(self, step, mine)

    with monkeypatch.context() as patch:
        patch.setattr(clip_batches.WholeClipBatches, "batch", killing)
        with pytest.raises(Killed):
            train(clips, job(network, name), tmp_path / "killed", QUIET, preset)
    assert (tmp_path / "killed" / "last.ckpt").is_file()
    assert not (tmp_path / "killed" / WEIGHTS_FILE).exists()
    resumed, _ = train(clips, job(network, name), tmp_path / "killed", QUIET, preset)
    same(whole, resumed)


def test_a_finished_training_stays_and_seeds_differ(clips, tmp_path, monkeypatch):
    first, seconds = train(clips, job(), tmp_path / "a", QUIET, PRESET)
    other, _ = train(clips, job(seed=1), tmp_path / "b", QUIET, PRESET)
    monkeypatch.setattr(clip_batches.WholeClipBatches, "batch", None)  # nothing may be trained now
    again, seconds_again = train(clips, job(), tmp_path / "a", QUIET, PRESET)
    same(first, again)
    assert seconds == seconds_again
    assert (first.embed.weight - other.embed.weight).abs().max() > 1e-3


def test_batches_are_full_and_an_epoch_shows_every_clip_once(clips):
    maker = clip_batches.WholeClipBatches(clips, clips.train_rows, PRESET.changed(batch=8), 30, 0)
    drawn = np.concatenate([maker._passes.drawn(step) for step in range(6)])
    assert len(drawn) == 48
    for start in range(0, 48, 12):
        assert sorted(drawn[start : start + 12]) == list(range(12))
    assert (drawn[:12] != drawn[12:24]).any()
    np.testing.assert_array_equal(maker.batch(3)[0], maker.batch(3)[0])
    assert np.abs(maker.batch(3)[0] - maker.batch(4)[0]).max() > 0.01


def test_logs_are_written_as_csv_and_for_tensorboard(clips, tmp_path):
    hardware = Hardware(accelerator="cpu", precision="32-true", checkpoint_steps=2)
    train(clips, job(), tmp_path, hardware, PRESET.changed(epochs=6))
    metrics = next(tmp_path.rglob("metrics.csv")).read_text()
    assert "loss" in metrics.splitlines()[0]
    assert len(metrics.splitlines()) > 1
    assert list(tmp_path.rglob("events.out.tfevents*"))


PROCESSES = """
import sys, json
sys.path.insert(0, {root!r})
sys.path.insert(0, {tests!r})
import torch
torch.set_num_threads(1)
from test_whole_clip import made_up, job, PRESET
from recognizer.training.loop import Hardware, is_first_process
from research.whole_clip.clip_training import train
hardware = Hardware(accelerator="cpu", devices=sys.argv[1], strategy=sys.argv[2], precision="32-true")
preset = PRESET.changed(dropout=0.0, epochs=6, average=0.9)
train(made_up(), job(), __import__("pathlib").Path(sys.argv[3]), hardware, preset)
if is_first_process():
    print("trained")
"""


def test_two_processes_give_the_loss_and_the_answers_of_one(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(PROCESSES.format(root=str(ROOT), tests=str(Path(__file__).parent)))
    for devices, strategy in (("1", "auto"), ("2", "ddp")):
        command = [sys.executable, str(script), devices, strategy, str(tmp_path / devices)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo", "MASTER_ADDR": "127.0.0.1"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, cwd=tmp_path)
        assert done.returncode == 0, done.stderr[-2000:]
        assert done.stdout.count("trained") == 1
    losses = []
    for devices in ("1", "2"):
        rows = next((tmp_path / devices).rglob("metrics.csv")).read_text().splitlines()
        place = rows[0].split(",").index("loss")
        losses.append([float(row.split(",")[place]) for row in rows[1:] if row.split(",")[place]])
    assert losses[0]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)
    # Not weight by weight: the keys' biases have no gradient but rounding, which Adam makes large.
    clips, answers = made_up(), []
    for devices in ("1", "2"):
        preset = PRESET.changed(dropout=0.0, epochs=6, average=0.9)
        network = build_network(clips, network_of("act-micro"), preset, 30, 0)
        network.load_state_dict(torch.load(tmp_path / devices / WEIGHTS_FILE, weights_only=True)["weights"])
        answers.append(probabilities(network.eval(), clips, clips.eval_rows, preset, 30))
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-3)


def test_batches_that_processes_cannot_share_are_refused(clips, tmp_path):
    with pytest.raises(ResearchError, match="9 clips of a batch cannot be shared evenly by 2"):
        train(clips, job(), tmp_path / "run", Hardware(devices="2"), PRESET.changed(batch=9))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", WHOLE_CLIP)
@pytest.mark.parametrize(("layout", "channels"), [(MPOSE_13, 6), (KINECT_20, 9)])
def test_every_network_takes_features(name, layout, channels):
    network = network_of(name).build(ClipShape(channels, layout, 5), {"dropout": 0.1}).eval()
    with torch.inference_mode():
        assert network(torch.randn(2, 30, channels * len(layout))).shape == (2, 5)


@pytest.mark.parametrize(("name", "part"), [("joints", 0), ("motion", 1), ("bones", 2)])
def test_a_stream_sees_its_own_channels_and_no_others(name, part):
    network = network_of(f"st-gcn-short-{name}").build(ClipShape(6, MPOSE_13, 5), {"dropout": 0.0}).eval()
    clip = torch.randn(1, 30, 13, 6)
    own, others = clip.clone(), clip.clone()
    own[..., 2 * part] += 1
    others[..., [c for c in range(6) if c // 2 != part]] += 1
    with torch.inference_mode():
        before, moved, same = (network(x.flatten(2)) for x in (clip, own, others))
    assert not torch.allclose(moved, before, rtol=1e-3, atol=0)
    torch.testing.assert_close(same, before, rtol=0, atol=0)


def test_streams_need_all_kinds_of_channels():
    with pytest.raises(NetworkError, match="short-clips"):
        network_of("st-gcn-short-bones").build(ClipShape(2, MPOSE_13, 5))


def test_a_recipe_that_shortens_clips_does_not_go_with_act(clips, tmp_path):
    with pytest.raises(ResearchError, match="15 of 30 frames, which act-micro cannot"):
        train(clips, job(preset="st-gcn-kinetics"), tmp_path / "run", QUIET)
    with pytest.raises(NetworkError, match="act-micro, act-small"):
        train(clips, job(network="act-tiny"), tmp_path / "run", QUIET)
    assert not (tmp_path / "run").exists()


def test_joints_that_are_not_numbers_are_one_line():
    good = made_up()
    x = good.x.copy()
    x[0, 7, 3, 2, 1] = np.nan
    with pytest.raises(DataError, match="clip 7 has joints that are not numbers"):
        TaskClips(x, good.score, good.labels, good.actions, good.layout, good.train_rows, good.eval_rows)


def test_an_empty_split_is_one_line():
    good = made_up()
    for train_rows, eval_rows, what in (
        (good.train_rows, good.eval_rows[:0], "evaluate on"),
        (good.train_rows[:0], good.eval_rows, "train on"),
    ):
        with pytest.raises(DataError, match=f"no clips to {what}"):
            TaskClips(good.x, good.score, good.labels, good.actions, good.layout, train_rows, eval_rows)


def test_a_lost_loss_is_one_line(clips, tmp_path):
    sgd = preset_of("st-gcn-paper").changed(epochs=40, batch=8, learning_rate=1e30)
    with pytest.raises(RunError, match=r"the loss is (nan|inf) at step \d+; lower"):
        train(clips, job("st-gcn-short"), tmp_path, QUIET, sgd)


def test_a_folder_of_another_network_is_refused_and_left(clips, tmp_path):
    train(clips, job(), tmp_path, QUIET, PRESET)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(RunError, match="another network, data or recipe"):
        train(clips, job("act-small"), tmp_path, QUIET, PRESET)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_training_belongs_to_the_clips_it_learned_from(clips, tmp_path, monkeypatch):
    first, _ = train(clips, job(), tmp_path, QUIET, PRESET)
    repaired = clips.x.copy()
    repaired[:, clips.train_rows[-1]] += 0.01
    with pytest.raises(RunError, match="another network, data or recipe"):
        train(replace(clips, x=repaired), job(), tmp_path, QUIET, PRESET)
    monkeypatch.setattr(clip_batches.WholeClipBatches, "batch", None)  # nothing may be trained now
    judged = clips.x.copy()
    judged[:, clips.eval_rows] += 0.01
    again, _ = train(replace(clips, x=judged), job(), tmp_path, QUIET, PRESET)
    same(first, again)


@pytest.mark.parametrize("file", [WEIGHTS_FILE, "last.ckpt"])
@pytest.mark.parametrize("damage", ["another network", "cut", "not a file of torch"])
def test_a_checkpoint_of_another_network_is_one_line(clips, tmp_path, file, damage):
    train(clips, job(), tmp_path / "mine", QUIET, PRESET)
    train(clips, job("act-small"), tmp_path / "other", QUIET, PRESET)
    content = (tmp_path / "other" / WEIGHTS_FILE).read_bytes()
    if file == "last.ckpt":
        (tmp_path / "mine" / WEIGHTS_FILE).unlink()
        saved = torch.load(tmp_path / "other" / WEIGHTS_FILE, weights_only=True)["weights"]
        checkpoint = {"state_dict": saved, "pytorch-lightning_version": "2.6.0", "seconds": 1.0, "loops": None}
        torch.save({**checkpoint, "callbacks": {}, "optimizer_states": [], "lr_schedulers": []}, tmp_path / "ck")
        content = (tmp_path / "ck").read_bytes()
    content = {"another network": content, "cut": content[:3000], "not a file of torch": b"hello\n"}[damage]
    (tmp_path / "mine" / file).write_bytes(content)
    with pytest.raises(RunError, match="remove") as error:
        train(clips, job(), tmp_path / "mine", QUIET, PRESET)
    assert "\n" not in str(error.value)


def options(*arguments):
    parser = argparse.ArgumentParser()
    train_clips.add_arguments(parser)
    return parser.parse_args(["--accelerator", "cpu", "--epochs", "1", "--batch", "4", *arguments])


def test_the_command_trains_and_tells(tiny_data, tmp_path, capsys):
    arguments = ["--data", str(tiny_data), "--out", str(tmp_path / "run"), "--task", "jhmdb14-1"]
    train_clips.run(options(*arguments))
    first = capsys.readouterr().out
    assert "of 4 clips right" in first
    described = json.loads((tmp_path / "run" / JOB_FILE).read_text())
    assert described["preset"]["epochs"] == 1
    assert described["job"]["preset"] == "short-clips+epochs=1+batch=4", "as benchmarks name it"
    train_clips.run(options(*arguments))
    assert capsys.readouterr().out == first


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--task", "jhmdb14-1", "--preset", "best"], "choose one of act-paper"),
        (["--task", "jhmdb"], "choose one of penn"),
        (["--task", "jhmdb14-1", "--network", "gcn"], "choose one of act-micro"),
        (["--task", "jhmdb14-2"], "give the folder that holds the data sets"),
        (["--task", "penn", "--data", "/nowhere"], "no folder /nowhere"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(tiny_data, tmp_path, arguments, line):
    with pytest.raises(ActionLensError) as error:
        train_clips.run(options("--data", str(tiny_data), "--out", str(tmp_path / "run"), *arguments))
    assert line in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


def test_2d_of_a_3d_set_is_its_own_cameras_view_and_more_to_train_on(tiny_data):
    flat, deep = task_of("nw-ucla-2d").load(tiny_data), task_of("nw-ucla-3d").load(tiny_data)
    assert flat.dims == 2
    assert deep.dims == 3
    assert len(flat.x) > 5
    assert len(deep.x) == 1
    np.testing.assert_array_equal(flat.eval_rows, deep.eval_rows)
    assert (np.abs(flat.x[0] - flat.x[1]).max(axis=(1, 2, 3)) > 0.05).all()


def scored(name, test, score):
    """Twenty frames of somebody who stands; the estimator gives each joint the same score."""
    joints = np.tile(made_up().x[0, 0, 0] * 100 + 200, (20, 1, 1)).astype(np.float32)
    scores = np.full((20, 13), score, np.float32)
    scores[:, 3] = 0
    joints[:, 3] = 0
    return ActionSequence("made", name, "walk", joints, scores > 0, MPOSE_13, 30.0, None, test, score=scores)


def test_the_kinetics_recipe_feeds_the_estimators_score_and_keeps_unsure_joints(tmp_path):
    (tmp_path / "made").mkdir()
    sequences = [scored("a", False, 0.9), scored("b", True, 0.3)]
    clips = Task("made", Split("made", "made up", lambda folder: iter(sequences))).load(tmp_path)
    features = plain_input(clips.x[0], clips.score[0], clips.layout, preset_of("st-gcn-kinetics"), 30, mirrored=False)
    features = features.reshape(2, 30, 13, 3)
    others = [joint for joint in range(13) if joint != 3]
    np.testing.assert_allclose(features[0, :, others, 2], 0.9, rtol=1e-6)
    np.testing.assert_allclose(features[1, :, others, 2], 0.3, rtol=1e-6)
    np.testing.assert_array_equal(features[:, :, 3], 0)
    np.testing.assert_allclose(features[1, ..., :2], features[0, ..., :2], atol=1e-6)
    assert np.abs(features[1, :, others, :2]).max() > 0.5


def test_mean_distances_from_the_middle_are_of_the_clips_to_learn_from():
    x = np.zeros((1, 2, 64, 13, 2), np.float32)
    x[0, 0, :, 0], x[0, 0, :, 1] = (0, 3), (0, 5)  # two joints are seen: their middle is at (0, 4)
    x[0, 1] = 1e3
    score = np.zeros((1, 2, 64, 13), np.float32)
    score[0, :, :, :2] = 1
    rows = np.arange(2)
    clips = TaskClips(x, score, np.zeros(2, np.intp), ("walk",), MPOSE_13, rows[:1], rows[1:])
    np.testing.assert_allclose(clips.centre_distances, [1, 1, *[0] * 11])
    kind = network_of("st-gcn-short+strategy=mean-distance")
    built = build_network(clips, kind, preset_of("short-clips"), 30, 0)
    assert built.network.config.centre_distances == clips.centre_distances


def test_validation_is_a_part_of_the_training_split(tiny_data):
    for name in ("utd-mhad", "msr-action3d", "penn"):
        whole, part = task_of(name).load(tiny_data), task_of(name).load(tiny_data, "validation")
        assert sorted([*part.train_rows, *part.eval_rows]) == sorted(whole.train_rows)
        assert not set(part.eval_rows) & set(whole.eval_rows)
