"""Pretraining on everything that there is, in the layout and at the rate of live recognition."""

import argparse
import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from pose.errors import ActionLensError  # noqa: E402
from pose.skeleton import MPOSE_13  # noqa: E402
from recognizer.features import clip_features  # noqa: E402
from recognizer.training.augment import Augmentation  # noqa: E402
from recognizer.training.dataset_sequences import SkippedFiles  # noqa: E402
from recognizer.training.everyday import WEBCAM_POSES  # noqa: E402
from recognizer.training.loop import Hardware  # noqa: E402
from recognizer.training.models.gl_features import motion_of  # noqa: E402
from recognizer.training.pretrain import everyday, own_recordings, pretrain_command  # noqa: E402
from recognizer.training.pretrain.everyday import TOKENS  # noqa: E402
from recognizer.training.pretrain.pretraining import load_pretrained  # noqa: E402
from recognizer.training.pretrain.recipes import SIZES, SMALL_SET  # noqa: E402

HIPS = [MPOSE_13.index("left_hip"), MPOSE_13.index("right_hip")]
RECIPE = SMALL_SET.changed(epochs=2, batch=4, warmup=1)


@pytest.fixture(autouse=True)
def _tiny(monkeypatch):
    monkeypatch.setitem(SIZES, "tiny", {"width": 4, "depth": 2, "heads": 2})


def standing(frames=30):
    """(T, 13, 2) pixels of a person, a torso 100 high."""
    place = {"head": (0, -140), "shoulder": (30, -100), "elbow": (40, -50), "wrist": (45, 0), "hip": (20, 0)}
    place |= {"knee": (20, 80), "ankle": (20, 160)}
    xy = []
    for joint in MPOSE_13.joints:
        side, _, part = joint.rpartition("_")
        x, y = place[part]
        xy.append((-x if side == "left" else x, y))
    return np.repeat(np.array(xy, np.float32)[None], frames, axis=0)


def features_of(xy, confidence=None):
    seen = np.ones(xy.shape[:2], np.float32) if confidence is None else confidence
    return torch.from_numpy(clip_features(xy[None], seen[None], 20.0))


def test_the_way_of_the_body_is_told_from_its_motion():
    xy = standing()
    xy[:, MPOSE_13.index("right_wrist"), 1] -= 3 * np.arange(30)  # an arm goes up
    way = np.stack([2.0 * np.arange(30), np.zeros(30)], axis=1)
    clip = motion_of(features_of(xy + way[:, None].astype(np.float32)))[0].numpy()
    scale = 0.5 / 99.0  # pixels to metres; the legs are the longest measure of the body, 0.55 * 160 < the torso
    unit = np.linalg.norm(clip[0, MPOSE_13.index("left_shoulder")]) / np.linalg.norm([30, 100])
    assert unit == pytest.approx(scale, rel=0.02)
    np.testing.assert_allclose(clip[:, -1], way * unit, atol=1e-4)
    wrist = clip[:, MPOSE_13.index("right_wrist")]
    np.testing.assert_allclose(
        wrist - wrist[0], np.stack([np.zeros(30), -3.0 * np.arange(30)], axis=1) * unit, atol=1e-4
    )
    np.testing.assert_allclose(clip[:, HIPS].mean(axis=1), 0, atol=1e-5)


def test_the_way_survives_joints_that_come_and_go():
    xy, seen = standing(), np.ones((30, 13), np.float32)
    xy[..., 0] += 2.0 * np.arange(30)[:, None]
    seen[10:20, MPOSE_13.index("left_wrist")] = 0
    seen[5:, MPOSE_13.index("head")] = 0
    clip = motion_of(features_of(xy, seen))[0]
    whole = motion_of(features_of(xy))[0]
    torch.testing.assert_close(clip[:, -1], whole[:, -1], atol=1e-4, rtol=0)
    assert not clip[10:20, MPOSE_13.index("left_wrist")].any()


def test_batches_are_functions_of_seed_and_step(tiny_data):
    corpus = everyday.read(tiny_data)
    rows = everyday.rows_of(corpus)
    assert WEBCAM_POSES in corpus.dataset[rows]
    assert set(corpus.part[rows]) == {"train"}
    assert {"test", "validation"} & set(corpus.part)  # so that the line above says something
    batches = everyday.EverydayBatches(corpus, rows, RECIPE, 3)
    again = everyday.EverydayBatches(corpus, rows, RECIPE, 3)
    clips, real, direction, magnitude = batches.batch(5)
    assert clips.shape == (4, 30, len(TOKENS), 2)
    assert real.all()
    assert direction.shape == magnitude.shape == (4, 30, 3, len(TOKENS))
    assert direction.max() < 9
    assert all(torch.equal(a, b) for a, b in zip(batches.batch(5), again.batch(5), strict=True))
    assert not torch.equal(clips, batches.batch(6)[0])
    assert torch.equal(batches.batch(5, slice(1, None, 2))[0], clips[1::2])


def test_only_what_readers_gave_a_place_is_shown_though_it_is_hidden(tiny_data):
    corpus = everyday.read(tiny_data)
    corpus = replace(corpus, seen=np.zeros_like(corpus.seen))
    shown = {}
    for dataset in ("utd_mhad", WEBCAM_POSES):
        rows = np.resize(np.flatnonzero(corpus.dataset == dataset), 40)
        features = everyday.random_windows(
            corpus, rows, np.random.default_rng(0), Augmentation(lose_joint=0, crop=0), stretch=0.1
        )
        shown[dataset] = motion_of(torch.from_numpy(features)).abs().sum(dim=(1, 2, 3)) > 0
    assert 10 < shown["utd_mhad"].sum() < 30
    assert not shown[WEBCAM_POSES].any()


def write_recording(folder, seconds=4.0, fps=25, layout="mpose-13", people=1):
    folder.mkdir(parents=True)
    frames = round(seconds * fps)
    times_s = np.arange(frames) / fps
    xy = standing(frames)
    xy[:, MPOSE_13.index("left_wrist"), 1] += 20 * np.sin(times_s * 4)
    xy = np.concatenate([xy + 200 * person for person in range(people)]).astype(np.float32)
    np.savez_compressed(
        folder / "joints.npz",
        times_s=times_s,
        frame=np.tile(np.arange(frames), people),
        person=np.repeat(np.arange(people), frames),
        xy_px=xy,
        confidence=np.ones(xy.shape[:2], np.float32),
    )
    (folder / "recording.json").write_text(json.dumps({"layout": layout}))


def test_a_users_recordings_are_tracks(tmp_path):
    write_recording(tmp_path / "recordings" / "20260101-000000-aaaaaa", people=2)
    tracks = own_recordings.read_library(tmp_path)
    assert len(tracks) == 2
    assert all(track.fps == 40 for track in tracks)
    assert all(abs(len(track.joints) / track.fps - 4) < 0.1 for track in tracks)
    moved = np.ptp(tracks[0].joints, axis=0)
    assert moved[MPOSE_13.index("left_wrist"), 1] == pytest.approx(40, abs=1)
    assert moved[MPOSE_13.index("right_wrist")].max() < 0.01


def test_an_absence_cuts_a_track_and_a_hidden_joint_does_not(tmp_path):
    folder = tmp_path / "recordings" / "one"
    write_recording(folder, seconds=6, fps=20)
    with np.load(folder / "joints.npz") as content:
        arrays = dict(content)
    kept = (arrays["frame"] < 50) | (arrays["frame"] >= 80)
    for name in ("frame", "person", "xy_px", "confidence"):
        arrays[name] = arrays[name][kept]
    arrays["confidence"][10:20, MPOSE_13.index("head")] = 0
    arrays["xy_px"][10:20, MPOSE_13.index("head")] = 0
    np.savez_compressed(folder / "joints.npz", **arrays)
    tracks = own_recordings.read_library(tmp_path)
    assert [round(len(track.joints) / track.fps, 1) for track in tracks] == [2.5, 2.0]
    head = tracks[0].joints[:, MPOSE_13.index("head")]
    assert np.ptp(head, axis=0).max() < 0.01  # filled in, not jumping to the corner
    assert not tracks[0].seen[30, MPOSE_13.index("head")]


@pytest.mark.parametrize("damage", ["layout", "archive", "shape", "times"])
def test_damaged_recordings_are_left_out(tmp_path, caplog, damage):
    write_recording(tmp_path / "recordings" / "good")
    bad = tmp_path / "recordings" / "bad"
    write_recording(bad, layout="mpose-13" if damage != "layout" else "cat")
    with np.load(bad / "joints.npz") as content:
        arrays = dict(content)
    if damage == "shape":
        arrays["xy_px"] = arrays["xy_px"][:-1]
    if damage == "times":
        arrays["times_s"] = arrays["times_s"][::-1]
    np.savez_compressed(bad / "joints.npz", **arrays)
    if damage == "archive":
        (bad / "joints.npz").write_bytes(b"no archive")
    with SkippedFiles() as skipped:
        assert len(own_recordings.read_library(tmp_path)) == 1
    assert "skipped" in caplog.text
    assert skipped.damaged == 1  # so that the command's status tells of it


def test_a_library_without_recordings_is_told(tmp_path):
    with pytest.raises(ActionLensError, match="no recordings"):
        own_recordings.read_library(tmp_path)


def call(*arguments):
    parser = argparse.ArgumentParser()
    pretrain_command.add_arguments(parser)
    pretrain_command.run(parser.parse_args([str(argument) for argument in arguments]))


def run(data, out, *more):
    flags = ("--size", "tiny", "--epochs", 2, "--batch", 8, "--accelerator", "cpu", "--precision", "32-true")
    call("run", "--task", "everyday", "--data", data, "--out", out, *flags, *more)


def test_the_command_learns_from_a_library_too(tiny_data, tmp_path, capsys):
    write_recording(tmp_path / "library" / "recordings" / "one")
    run(tiny_data, tmp_path / "run", "--recordings", tmp_path / "library", "--leave-out", "utd_mhad")
    assert "1 of them tracks of the library" in capsys.readouterr().out
    done = load_pretrained(tmp_path / "run")
    assert done.job["own"] == 1
    assert done.job["left_out"] == ["utd_mhad"]
    assert done.network.backbone.config.joints == len(TOKENS)


class _Killed(Exception):
    pass


def test_a_killed_run_goes_on_to_the_same_weights(tiny_data, tmp_path, monkeypatch):
    every_epoch = replace(Hardware("cpu", precision="32-true"), checkpoint_steps=1)
    monkeypatch.setattr(pretrain_command, "hardware_of", lambda options: every_epoch)
    run(tiny_data, tmp_path / "whole")
    batch = everyday.EverydayBatches.batch

    def killed(self, step, mine=slice(None)):
        if step == self.steps_per_epoch:
            raise _Killed
        return batch(self, step, mine)

    monkeypatch.setattr(everyday.EverydayBatches, "batch", killed)
    with pytest.raises(_Killed):
        run(tiny_data, tmp_path / "killed")
    assert (tmp_path / "killed" / "last.ckpt").is_file()
    monkeypatch.setattr(everyday.EverydayBatches, "batch", batch)
    run(tiny_data, tmp_path / "killed")
    whole, resumed = (load_pretrained(tmp_path / name).network.state_dict() for name in ("whole", "killed"))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_a_folder_belongs_to_its_data(tiny_data, tmp_path, monkeypatch):
    run(tiny_data, tmp_path / "run")
    read = everyday.read

    def moved(*arguments):
        corpus = read(*arguments)
        return replace(corpus, joints=corpus.joints + 1)

    monkeypatch.setattr(everyday, "read", moved)
    with pytest.raises(ActionLensError, match="holds another training"):  # as many recordings, but others
        run(tiny_data, tmp_path / "run")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--leave-out", "ucf"), "no data set"),
        (("--dropout", "1"), "dropout must be from 0 to below 1, got 1.0"),
        (("--decay", "nan"), "decay must be above 0 and at most 1, got nan"),
        (("--devices", "some"), "--devices some is neither a number of devices"),
        (("--recordings", "nowhere"), "no recordings"),
    ],
)
def test_mistakes_are_told_in_one_line(tiny_data, tmp_path, arguments, words):
    with pytest.raises(ActionLensError, match=words) as error:
        run(tiny_data, tmp_path, *arguments)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("argument", ["--frames 20", "--pace sampled", "--facing clip", "--no-between-people"])
def test_what_is_of_other_tasks_alone_is_refused(tiny_data, tmp_path, capsys, argument):
    with pytest.raises(SystemExit):
        run(tiny_data, tmp_path, *argument.split())
    assert f"unrecognized arguments: {argument}" in capsys.readouterr().err


def test_another_task_is_sent_to_research(tiny_data, tmp_path):
    with pytest.raises(ActionLensError, match="--task nw-ucla is not everyday; use python -m research pretrain run"):
        call("run", "--task", "nw-ucla", "--data", tiny_data, "--out", tmp_path, "--recordings", tmp_path)
