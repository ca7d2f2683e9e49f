"""Labelled sequences made of research recordings: one place, no jumps, true labels, the same every time."""

import itertools
import os
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from recognizer.datasets import penn_action, utd_mhad
from recognizer.datasets.errors import DataError
from recognizer.datasets.sequences import Segment
from recognizer.datasets.webcam_poses import read
from recognizer.training.command_line import main
from recognizer.training.everyday import read_all
from recognizer.training.streams.joins import FPS, join, prepare_recording, standing_pose
from recognizer.training.streams.stream_set_command import SIZE, make, write

# (13, 3) metres, facing the camera, the floor at 0: head, shoulders, elbows, wrists, hips, knees, ankles.
STANDING = np.array(
    [
        (0, -1.6, 0),
        *((x, y, 0) for y, wide in ((-1.4, 0.2), (-1.1, 0.25), (-0.85, 0.25)) for x in (wide, -wide)),
        *((x, y, 0) for y in (-0.9, -0.5, 0.0) for x in (0.12, -0.12)),
    ],
    np.float32,
)
LEFT_WRIST, HIPS = 5, slice(7, 9)


def recording(label, *, place=(0.0, 0.0), way=(0.0, 0.0), drop=0.0, rise=0.0, lift=0.5, seconds=3.0, fps=20.0):
    """A second of rest, then a wrist that goes up and down, a walk along `way`, hips that end lower or higher."""
    times_s = np.arange(round(seconds * fps) + 1) / fps
    acts = np.clip((times_s - 1) / (seconds - 1), 0, 1)[:, None]
    joints = np.tile(STANDING, (len(times_s), 1, 1))
    joints[:, :11, 1] += drop * acts + rise * (1 - acts)  # all but the ankles
    joints[:, LEFT_WRIST, 1] -= lift * np.sin(np.pi * acts[:, 0]) ** 2
    joints[..., [0, 2]] += np.array(place) + (acts * np.array(way))[:, None]
    return prepare_recording(joints.astype(np.float32), fps, label)


def joined(*recordings, seed=0):
    return join(recordings, [recording("walk")], standing_pose([recording("idle")]), np.random.default_rng(seed))


def test_the_action_is_labelled_without_the_rest_before_it():
    assert recording("wave").first / FPS == pytest.approx(1.0, abs=0.15)
    assert recording("wave", seconds=5.0).last / FPS == pytest.approx(5.0, abs=0.15)
    assert len(recording("wave").joints) == 91


def test_a_walk_to_an_action_is_not_the_action():
    walked = recording("throw", way=(1.0, 0), lift=0, seconds=2.0)
    stood = recording("throw").joints
    whole = np.concatenate([walked.joints, stood + np.array([1.0, 0, 0])]).astype(np.float32)
    assert prepare_recording(whole, FPS, "throw").first / FPS > 2.0
    assert prepare_recording(whole, FPS, "walk").first / FPS < 1.5


def test_recordings_go_on_where_the_person_is_and_nothing_jumps():
    timeline = joined(
        recording("wave", place=(0.5, 2)), recording("walk", way=(0.6, 0.2)), recording("clap", place=(-1, 3))
    )
    joints = np.concatenate(timeline.parts)
    ((gone, back),) = timeline.absent
    assert back == len(joints)
    speed = np.linalg.norm(np.diff(joints[:gone], axis=0), axis=-1) * FPS
    assert speed.max() < 4.0  # metres a second; a blend of half a metre is the fastest
    labels = [segment.label for segment in timeline.segments]
    assert labels == ["idle", "wave", "idle", "walk", "idle", "clap", "idle", "walk"]
    clap = next(segment for segment in timeline.segments if segment.label == "clap")
    place = joints[round(clap.start_s * FPS), HIPS].mean(axis=0)
    np.testing.assert_allclose(place[[0, 2]], [0.6, 0.2], atol=0.05)


def test_who_sits_down_sits_and_gets_up_and_sits_before_getting_up():
    timeline = joined(
        recording("sit_down", drop=0.4),
        recording("stand_up", rise=0.4),
        recording("wave"),
        recording("stand_up", rise=0.4),
    )
    labels = [segment.label for segment in timeline.segments]
    assert labels == [
        *("idle", "sit_down", "other:sit_still", "stand_up", "idle", "wave", "idle", "walk"),
        *("other:sit_still", "stand_up", "idle", "walk"),
    ]
    joints = np.concatenate(timeline.parts)
    heights = {
        segment.label: -joints[round((segment.start_s + segment.end_s) / 2 * FPS), HIPS, 1].mean()
        for segment in timeline.segments
    }
    assert heights["other:sit_still"] == pytest.approx(0.5, abs=0.03)
    assert heights["idle"] == pytest.approx(0.9, abs=0.03)


def test_who_has_come_too_far_walks_off_to_the_nearer_side_and_is_back_in_the_middle():
    timeline = joined(recording("walk", way=(-1.2, 0)), recording("wave"))
    joints = np.concatenate(timeline.parts)
    (gone, back), _ = timeline.absent
    x = joints[:, HIPS, 0].mean(axis=1)
    assert x[gone - 1] < -2.0
    assert abs(x[back]) < 0.05
    off = next(segment for segment in timeline.segments if segment.end_s == pytest.approx((gone - 1) / FPS))
    assert off.label == "walk"
    # Seen from the camera's side, a body that walks to the left is narrower than one that faces the camera.
    width = np.ptp(joints[gone - 2, [1, 2], 0])
    assert width < 0.1


def test_segments_are_in_order_and_apart():
    timeline = joined(
        recording("wave"), recording("sit_down", drop=0.4), recording("clap", way=(1.5, 0)), recording("walk")
    )
    for one, other in itertools.pairwise(timeline.segments):
        assert one.start_s < one.end_s <= other.start_s


# The command.


def folder_of(out):
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def made(tiny_data, tmp_path_factory):
    out = tmp_path_factory.mktemp("set") / "streams"
    assert main(["stream-set", str(out), "--data", str(tiny_data)]) == 0
    return out


def test_the_same_seed_makes_the_same_files_and_another_others(made, tiny_data, tmp_path, capsys):
    assert main(["stream-set", str(tmp_path / "again"), "--data", str(tiny_data)]) == 0
    assert folder_of(tmp_path / "again") == folder_of(made)
    assert main(["stream-set", str(tmp_path / "other"), "--data", str(tiny_data), "--seed", "1"]) == 0
    assert folder_of(tmp_path / "other") != folder_of(made)
    assert "sequences" in capsys.readouterr().out


def test_only_people_of_the_part_are_in_it(made, tiny_data, tmp_path):
    assert main(["stream-set", str(tmp_path / "test"), "--data", str(tiny_data), "--part", "test"]) == 0
    people = {part: {s.person for s in read(folder)} for part, folder in (("v", made), ("t", tmp_path / "test"))}
    assert {"utd_mhad-07", "msr_action3d-09", "nw_ucla-05"} <= people["v"]
    assert "utd_mhad-02" in people["t"]
    others = {person for person in people["t"] if not person.startswith("nw_ucla")}  # split by camera
    assert not people["v"] & others


def test_sequences_are_poses_in_a_picture_with_everyday_labels(made):
    sequences = list(read(made))
    assert not [found for found in sequences if isinstance(found, DataError)]
    utd = next(s for s in sequences if s.source == utd_mhad.NAME)
    labels = {segment.label for segment in utd.segments}
    assert {"idle", "wave", "other:swipe_left"} <= labels
    assert utd.size == SIZE
    seen = utd.confidence > 0
    assert (utd.xy_px[seen] >= 0).all()
    assert (utd.xy_px[seen] < SIZE).all()
    assert not utd.posed[-20:].any()  # gone
    assert utd.posed[:60].all()
    assert 100 < np.ptp(utd.xy_px[10, :, 1]) < 400  # pixels from the head to the feet


def test_a_penn_recording_keeps_its_shape_and_its_held_ends_have_no_label(made):
    penn = next(s for s in read(made) if s.source == penn_action.NAME)
    (segment,) = penn.segments
    assert segment == Segment(pytest.approx(1.7, abs=0.02), pytest.approx(1.7 + 39 / 30, abs=0.04), segment.label)
    assert penn.times_s[-1] == pytest.approx(1.7 + 40 / 30 + 0.8, abs=0.05)
    still = np.ptp(penn.xy_px[:45], axis=0).max()
    assert 0 < still < 8
    height, width = (np.ptp(penn.xy_px[60, :, axis]) for axis in (1, 0))
    assert height / width == pytest.approx(1.55 / 0.5, rel=0.2)  # as kinect_person stands


def test_annotated_recordings_are_told_from_those_of_a_kinect(tiny_data):
    found = {(sequence.source, sequence.estimator) for sequence in make(read_all(tiny_data), 0)}
    annotated = {(name, "annotated") for name in ("penn_action", "jhmdb14")}
    assert found == annotated | {(name, "kinect") for name in ("utd_mhad", "nw_ucla", "msr_action3d")}


def test_every_flat_recording_of_a_person_is_a_sequence(tiny_data):
    recordings = list(penn_action.read(tiny_data / "penn_action"))[:3]
    of_one = [replace(each, subject=4) for each in recordings]
    assert [sequence.name for sequence in make(recordings[:1], 0)] == [f"penn_action-{recordings[0].name}"]
    sequences = list(make(of_one, 0))
    assert [each.name for each in sequences] == ["penn_action-04", "penn_action-04-01", "penn_action-04-02"]
    assert {each.person for each in sequences} == {"penn_action-04"}
    lengths = [len(each.joints) for each in recordings]
    assert [len(each.times_s) for each in sequences] == [length + 51 + 24 for length in lengths]  # and what is held


def test_a_folder_that_is_there_is_left_alone(made, tiny_data, capsys):
    before = folder_of(made)
    assert main(["stream-set", str(made), "--data", str(tiny_data)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert folder_of(made) == before


def test_what_another_process_writes_for_the_same_folder_is_left_alone(made, tmp_path):
    sequences = list(read(made))[:1]
    others = tmp_path / ".streams.part" / "sequences"
    others.mkdir(parents=True)

    def while_another_writes():
        theirs = next(path for path in tmp_path.iterdir() if path != others.parent)
        assert str(os.getpid()) in theirs.name
        yield from sequences

    write(tmp_path / "streams", while_another_writes())
    assert others.is_dir()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".streams.part", "streams"]


def test_a_failure_leaves_no_half_written_folder(made, tmp_path):
    def fails():
        yield from list(read(made))[:1]
        raise DataError("damaged")

    with pytest.raises(DataError, match="damaged"):
        write(tmp_path / "streams", fails())
    assert not list(tmp_path.iterdir())


def test_who_only_stands_up_stands_as_at_the_end():
    rises = recording("stand_up", rise=0.4, lift=0)
    pose = standing_pose([rises])
    np.testing.assert_allclose(pose[:, 1], rises.joints[-1, :, 1], atol=1e-4)


def test_a_set_that_can_be_streamed(made, capsys):
    from recognizer.model_card import weights_folders

    if not (weights_folders()[0] / "act" / "card.json").is_file():
        pytest.skip("weights/act is not there")
    assert main(["stream", str(made), "--model", "act"]) == 0
    assert "windows of listed actions" in capsys.readouterr().out
