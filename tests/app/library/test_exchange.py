"""What goes out comes back: PYSKL pickles, tables, COCO, MP4; and files that mean harm."""

import csv
import errno
import io
import json
import os
import pickle
import re
import stat
import sys
import tarfile
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from library_fakes import add_recording, make_poses

from app.errors import OutputError, RecordingError
from app.library.archives import unpack
from app.library.catalogue import Library
from app.library.errors import LibraryError
from app.library.export_coco import export_coco
from app.library.export_formats import FORMATS, Export
from app.library.export_video import export_video
from app.library.import_any import import_any
from app.library.import_data import free_split
from app.library.pose_recordings import describe, keep, store
from app.library.pyskl_files import export_pyskl, import_pyskl
from app.library.rows import Filter, Model, NewSegment
from app.library.table_files import export_tables, import_tables
from app.recording.folder import recordings_folder
from pose.skeleton import COCO_17, MEDIAPIPE_33
from pose.video_file import VideoFile
from recognizer.datasets import pyskl
from recognizer.datasets.errors import DataError


@pytest.fixture
def other(tmp_path):
    with Library(tmp_path / "other") as opened:
        yield opened


def facts(example):
    """What is known of an example, but for its number and recording, with its poses and times from its first pose
    on."""
    arrays = (example.times_s - example.times_s[0], example.xy_px, example.confidence)
    return (
        example.action,
        example.person,
        example.session,
        example.layout.name,
        *(array.tobytes() for array in arrays),
    )


def rows(library):
    return sorted(
        (c.action, c.who or "", c.session or "", c.note, c.suspect, c.person) for c in library.segments(limit=-1)
    )


def test_pyskl_there_and_back_loses_nothing_of_a_segment(full, other, tmp_path):
    full.label([segment.id for segment in full.segments() if segment.action is None], "spin")
    file = tmp_path / "out.pkl"
    assert export_pyskl(full, full.segments(limit=-1), file) == 3
    report = import_pyskl(other, file)
    assert (len(report.recordings), report.problems) == (3, [])
    assert sorted(map(facts, other.examples())) == sorted(map(facts, full.examples()))
    assert rows(other) == rows(full)
    assert sorted(other.splits()["mine"].values()) == sorted(full.splits()["mine"].values())
    again = tmp_path / "again.pkl"
    export_pyskl(other, other.segments(limit=-1), again)
    with Library(tmp_path / "third") as third:
        import_pyskl(third, again)
        assert sorted(map(facts, third.examples())) == sorted(map(facts, full.examples()))


def test_pyskl_keeps_everybody_in_the_segment(full, other, tmp_path):
    (row,) = full.segments(Filter(action="拍手"))
    export_pyskl(full, [row], tmp_path / "out.pkl")
    (name,) = import_pyskl(other, tmp_path / "out.pkl").recordings
    source, came = full.open_recording(row.recording), other.open_recording(name)
    times_s = source.times_s[source.frame]
    inside = (times_s >= row.start_s) & (times_s <= row.end_s)
    np.testing.assert_array_equal(came.xy_px, source.xy_px[inside])
    np.testing.assert_array_equal(came.person, source.person[inside])
    np.testing.assert_array_equal(came.frame, source.frame[inside] - source.frame[inside][0])
    assert set(came.person) == {0, 1}


def test_the_offline_package_reads_what_is_exported(full, tmp_path):
    row = full.segments(Filter(action="wave"))[0]
    export_pyskl(full, full.segments(limit=-1), tmp_path / "out.pkl")
    read = list(pyskl.read(tmp_path / "out.pkl"))
    (sample,) = [one for one in read if one.action == "wave"]
    (example,) = full.examples(["wave"])
    assert sample.name == row.name
    assert sample.layout == MEDIAPIPE_33
    np.testing.assert_array_equal(sample.joints[sample.seen.any(axis=1)], example.xy_px)
    assert {one.action: one.test for one in read} == {"wave": False, "拍手": True}


def test_tables_there_and_back_lose_nothing(full, other, tmp_path):
    bare = add_recording(full, 9, layout=COCO_17, source='no segment, "quotes"\nand lines', people=(2, 5))
    full.set_key("拍手", "7")
    export_tables(full, full.recordings(limit=-1), tmp_path / "out")
    report = import_tables(other, tmp_path / "out")
    assert report.problems == []
    assert sorted(report.recordings) == sorted(row.id for row in full.recordings())
    assert bare in report.recordings

    def splits(library):
        return library.splits().items()

    def everything(library):
        return (
            [replace(row, skeleton_only=True) for row in library.recordings(limit=-1)],
            [replace(segment, id=0) for segment in library.segments(limit=-1)],
            [sorted((n.name, n.key, n.note) for n in library.names(kind)) for kind in ("action", "person", "session")],
            {
                s: sorted((library.segment(c).start_s, p) for c, p in parts.items())
                for s, parts in library.splits().items()
            },
        )

    assert everything(other) == everything(full)
    for name in report.recordings:
        source, came = full.open_recording(name), other.open_recording(name)
        for array in ("times_s", "frame", "person", "xy_px", "confidence"):
            assert getattr(came, array).tobytes() == getattr(source, array).tobytes()
    report = import_tables(other, tmp_path / "out")  # once more: told, and nothing comes in twice
    assert (report.recordings, len(report.copies), report.problems) == ([], 3, [])
    assert other.count_recordings() == 3
    assert set(other.splits()) == {"mine"}


def test_tables_and_coco_hold_the_chosen_segments_alone(full, other, tmp_path):
    """And their recordings whole; with a full export comes also what has no segment."""
    (wave,) = full.segments(Filter(action="wave"))
    recordings = [full.recording(wave.recording)]
    for format, target in (("tables", "out"), ("coco", "out.json")):
        FORMATS[format].write(Export(full, tmp_path / target, [wave], recordings))
    assert [clip["action"] for clip in json.loads((tmp_path / "out.json").read_text())["clips"]] == ["wave"]
    import_tables(other, tmp_path / "out")
    assert [segment.action for segment in other.segments()] == ["wave"]
    assert [list(parts.values()) for parts in other.splits().values()] == [["train"]]
    bare = add_recording(full, 9)
    everything = Export(full, tmp_path / "all", full.segments(limit=-1), full.recordings(limit=-1))
    assert FORMATS["tables"].write(everything) == "3 segments of 3 recordings"
    assert bare in (tmp_path / "all" / "recordings.csv").read_text(encoding="utf-8")


def test_splits_that_come_in_replace_none_of_almost_the_same_name(full, tmp_path):
    export_tables(full, full.recordings(), tmp_path / "out")
    with Library(tmp_path / "third") as third:
        (made,) = third.add_segments(add_recording(third, 7), [NewSegment(0, 1)])
        third.set_split("Mine", {made: "validation"})
        third.set_split("Set as published", {made: "validation"})
        import_tables(third, tmp_path / "out")
        assert sorted(third.splits()) == ["Mine", "Set as published", "mine 2"]
        assert third.splits()["Mine"] == {made: "validation"}
        assert free_split(third, "set as published") == "set as published 2"


def test_an_action_that_is_there_keeps_its_key(full, other, tmp_path):
    export_tables(full, full.recordings(), tmp_path / "out")
    other.add_name("action", "wave")
    other.set_key("wave", "5")
    import_tables(other, tmp_path / "out")
    assert {named.name: named.key for named in other.names("action")}["wave"] == "5"


def test_tables_with_keys_of_an_older_version_come_in_without_them(full, other, tmp_path):
    export_tables(full, full.recordings(), tmp_path / "out")
    names = tmp_path / "out" / "names.csv"
    names.write_text(names.read_text(encoding="utf-8").replace("wave,3,", "wave,w,"), encoding="utf-8")
    assert import_tables(other, tmp_path / "out").problems == []
    assert "wave" in [named.name for named in other.names("action")]
    assert [named.key for named in other.names("action") if named.key] == []


@pytest.mark.parametrize(
    ("delimiter", "encoding", "before"),
    [(";", "utf-8-sig", ""), ("\t", "utf-8-sig", ""), ("\t", "utf-16", ""), (";", "utf-8-sig", "sep=;\r\n")],
)
def test_tables_that_a_spreadsheet_saved_again(full, other, tmp_path, delimiter, encoding, before):
    """With other signs between columns, commas before decimals, and empty rows at the end."""
    export_tables(full, full.recordings(limit=-1), tmp_path / "out")
    for path in (tmp_path / "out").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        decimal = re.compile(r"-?\d+\.\d+")
        rows = [[cell.replace(".", ",") if decimal.fullmatch(cell) else cell for cell in row] for row in rows]
        with path.open("w", encoding=encoding, newline="") as file:
            file.write(before)
            csv.writer(file, delimiter=delimiter).writerows([*rows, [""] * len(rows[0])])
    report = import_tables(other, tmp_path / "out")
    assert report.problems == []
    for library in (full, other):
        assert library.recordings(limit=-1)
    assert [replace(segment, id=0) for segment in other.segments(limit=-1)] == [
        replace(segment, id=0) for segment in full.segments(limit=-1)
    ]
    assert [r.duration_s for r in other.recordings(limit=-1)] == [r.duration_s for r in full.recordings(limit=-1)]


def test_a_table_in_an_old_encoding_says_how_to_save_it(full, other, tmp_path):
    full.label([full.segments(limit=-1)[0].id], "прыжок")
    export_tables(full, full.recordings(limit=-1), tmp_path / "out")
    path = tmp_path / "out" / "clips.csv"
    path.write_bytes(path.read_text(encoding="utf-8").encode("cp1251", "replace"))
    with pytest.raises(LibraryError, match=r"clips\.csv is not in UTF-8: save it again as CSV in UTF-8"):
        import_tables(other, tmp_path / "out")
    assert other.count_recordings() == 0


def test_tables_keep_what_a_take_was_and_what_made_a_recognizer(full, other, tmp_path):
    made = make_poses(11)
    info = replace(describe(made, "cam"), action="jump", person="Ann", begins_s=1.0)
    take = full.add_recording(store(full.root, full.staging(), info, made))
    (segment,) = full.segments(Filter(recording=take))
    full.label([segment.id], "hop")
    model = Model(
        "mine", "2026-01-01T00:00:00+00:00", "quick", "models/mine/1", ((segment.name, "jump"),), {"note": [1]}
    )
    full.add_model(model)
    before = full.models()
    export_tables(full, full.recordings(limit=-1), tmp_path / "out")
    assert import_tables(other, tmp_path / "out").problems == []
    came = other.open_recording(take).info
    assert (came.action, came.person, came.begins_s) == ("jump", "Ann", 1.0)
    (kept,) = other.segments(Filter(recording=take))
    assert (kept.action, kept.who, kept.start_s) == ("hop", "Ann", segment.start_s)
    found = next(one for one in other.models() if one.name == "mine")
    assert found.segments == ((kept.name, "jump"),)
    assert replace(found, segments=()) == replace(model, segments=())
    assert len(other.models()) == len(before)


def test_tables_with_pictures_give_the_same_videos(library, other, tmp_path):
    (tmp_path / "video.mp4").write_bytes(b"pixels")
    made = make_poses()
    info = describe(made, "cam", skeleton_only=False)
    library.add_recording(store(library.root, library.staging(), info, made, tmp_path / "video.mp4"))
    export_tables(library, library.recordings(), tmp_path / "out", pictures=True)
    (name,) = import_tables(other, tmp_path / "out").recordings
    found = other.open_recording(name)
    assert found.video.read_bytes() == b"pixels"
    assert not found.info.skeleton_only


def test_tables_of_before_come_in(full, other, tmp_path):
    export_tables(full, full.recordings(), tmp_path / "out")
    for name in ("models.csv", "model_clips.csv"):
        (tmp_path / "out" / name).unlink()
    lines = (tmp_path / "out" / "recordings.csv").read_text(encoding="utf-8").splitlines()
    shorter = [line.rsplit(",", 3)[0] for line in lines]
    (tmp_path / "out" / "recordings.csv").write_text("\n".join(shorter), encoding="utf-8")
    report = import_tables(other, tmp_path / "out")
    assert report.problems == []
    assert len(report.recordings) == full.count_recordings()


def test_tables_are_not_written_over_anything(full, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")
    with pytest.raises(OutputError, match="not empty"):
        export_tables(full, full.recordings(), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("format", ["tables", "video"])
def test_a_file_in_the_place_of_a_folder_is_called_a_file(format, full, tmp_path):
    (tmp_path / "file").write_text("keep")
    with pytest.raises(OutputError, match="file is a file; give the name of a new folder"):
        FORMATS[format].write(Export(full, tmp_path / "file", full.segments(), full.recordings()))
    assert (tmp_path / "file").read_text() == "keep"


def damage(library, recording):
    (recordings_folder(library.root) / recording / "joints.npz").write_bytes(b"x")


@pytest.mark.parametrize("format", FORMATS)
def test_a_recording_that_cannot_be_read_is_left_out_and_named(format, library, tmp_path):
    ids = [add_recording(library, seed, [NewSegment(0, 0.2, 0, "wave")], frames=12, size=(64, 48)) for seed in range(3)]
    damage(library, ids[1])
    target = tmp_path / f"out{FORMATS[format].ending}"
    export = Export(library, target, library.segments(), library.recordings())
    told = {"pyskl": "2 segments", "tables": "2 segments of 2 recordings", "video": "2 videos", "coco": "22 poses"}
    assert FORMATS[format].write(export) == told[format]
    (line,) = export.problems
    assert line.startswith(f"{ids[1]} is left out: ")
    assert "\n" not in line
    kept = {ids[0], ids[2]}
    if format == "video":
        assert {file.stem for file in target.iterdir()} == kept
    elif format == "coco":
        content = json.loads(target.read_text(encoding="utf-8"))
        assert {clip["recording"] for clip in content["clips"]} == kept
        images = {image["id"]: image["recording"] for image in content["images"]}
        assert sorted(images) == list(range(1, 25))
        assert {images[note["image_id"]] for note in content["annotations"]} == kept
    else:
        with Library(tmp_path / "again") as again:
            report = import_any(again, [target])
            assert (len(report.recordings), report.problems) == (2, [])
            assert [segment.action for segment in again.segments()] == ["wave"] * 2


@pytest.mark.parametrize("format", FORMATS)
def test_where_no_recording_can_be_read_nothing_is_written(format, library, tmp_path):
    damage(library, add_recording(library, segments=[NewSegment(0, 0.2, 0, "wave")]))
    target = tmp_path / f"out{FORMATS[format].ending}"
    with pytest.raises(RecordingError, match=r"is left out: .*is damaged"):
        FORMATS[format].write(Export(library, target, library.segments(), library.recordings()))
    assert not target.exists() or list(target.iterdir()) == []


def test_where_there_is_nothing_to_export_the_line_says_why(library, tmp_path):
    def told():
        with pytest.raises(LibraryError) as raised:
            FORMATS["tables"].write(Export(library, tmp_path / "out", [], []))
        return str(raised.value)

    assert told() == "the library is empty; record or import something first"
    recording = add_recording(library)
    assert told() == "nothing in the library matches; check the names of actions, people and sessions"
    library.delete_recordings([recording])
    assert told() == "all recordings are in the bin; restore some, or select them there"


def test_coco_has_every_pose_and_fits_itself(full, tmp_path):
    add_recording(full, 9, [NewSegment(0, 1, 0, "wave")], layout=COCO_17)
    file = tmp_path / "out.json"
    poses = export_coco(full, full.recordings(limit=-1), file)
    content = json.loads(file.read_text(encoding="utf-8"))
    images = {image["id"]: image for image in content["images"]}
    categories = {category["id"]: category for category in content["categories"]}
    assert len(images) == len(content["images"]) == sum(row.frames for row in full.recordings())
    assert len(content["annotations"]) == poses
    assert len({note["id"] for note in content["annotations"]}) == poses
    assert sorted(category["layout"] for category in categories.values()) == ["coco-17", "mediapipe-33"]
    assert len(content["clips"]) == 4
    for row in full.recordings():
        source = full.open_recording(row.id)
        notes = [note for note in content["annotations"] if images[note["image_id"]]["recording"] == row.id]
        assert [note["track_id"] for note in notes] == source.person.tolist()
        assert [images[note["image_id"]]["time_s"] for note in notes] == source.times_s[source.frame].tolist()
        keypoints = np.array([note["keypoints"] for note in notes]).reshape(len(notes), -1, 3)
        assert keypoints.shape[1] == len(categories[notes[0]["category_id"]]["keypoints"])
        np.testing.assert_allclose(keypoints[..., :2], source.xy_px, atol=1e-3)
        np.testing.assert_array_equal(keypoints[..., 2] == 2, source.confidence >= 0.5)


def test_coco_has_the_box_and_the_number_of_the_joints_that_were_seen(library, tmp_path):
    poses = make_poses(frames=3)
    poses.confidence[:] = 0
    poses.confidence[:, [0, 5, 9]] = 0.9, 0.9, 0.3
    poses.xy_px[:, 0], poses.xy_px[:, 5], poses.xy_px[:, 9] = (10, 20), (40, 100), (30, 50)
    keep(library, describe(poses, "cam"), poses)
    export_coco(library, library.recordings(), tmp_path / "out.json")
    note, *_ = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["annotations"]
    assert note["bbox"] == [10, 20, 30, 80]  # left, top, width, height
    assert (note["num_keypoints"], note["area"], note["score"]) == (3, 2400, 0.7)


def test_an_annotated_video_of_skeletons_alone(library, tmp_path):
    recording = add_recording(library, frames=12, size=(320, 240), segments=[NewSegment(0, 0.3, 0, "wave")])
    assert export_video(library, library.recording(recording), tmp_path / "out.mp4") == 12
    video = VideoFile(tmp_path / "out.mp4")
    frames = []
    while (frame := video.read()) is not None:
        frames.append(frame)
    video.close()
    times_s = library.open_recording(recording).times_s
    assert len(frames) == 12
    np.testing.assert_allclose([frame.time_s - frames[0].time_s for frame in frames], times_s, atol=1e-3)
    assert frames[0].bgr.std() > 5  # something is drawn


def frames_of(file):
    video, count = VideoFile(file), 0
    while video.read() is not None:
        count += 1
    video.close()
    return count


def test_a_cancelled_video_is_not_written_and_the_one_before_stays(library, tmp_path):
    for seed in range(2):
        add_recording(library, seed, frames=40, size=(64, 48))
    first, second = library.recordings()
    (tmp_path / "out").mkdir()
    export_video(library, first, tmp_path / "out" / f"{first.id}.mp4")
    cancel = threading.Event()

    def tell(progress):
        if progress.done > 0.5:  # within the first
            cancel.set()

    export = Export(library, tmp_path / "out", [], [first, second], tell=tell, cancel=cancel)
    assert FORMATS["video"].write(export) == "0 videos"
    assert [file.name for file in (tmp_path / "out").iterdir()] == [f"{first.id}.mp4"]
    assert frames_of(tmp_path / "out" / f"{first.id}.mp4") == 40


def test_a_video_that_fails_leaves_the_one_before_and_no_part(library, tmp_path, monkeypatch):
    row = library.recording(add_recording(library, frames=40, size=(64, 48)))
    export_video(library, row, tmp_path / "out.mp4")

    def full_disk(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("app.outputs.video_writer._Encoder.encode", full_disk)
    with pytest.raises(OutputError, match=r"cannot write .*out\.mp4 \(No space left on device\); make room"):
        export_video(library, row, tmp_path / "out.mp4")
    assert list(tmp_path.rglob("*.mp4")) == [tmp_path / "out.mp4"]
    assert frames_of(tmp_path / "out.mp4") == 40


def test_a_recording_in_the_bin_is_exported_with_its_labels(library, other, tmp_path, monkeypatch):
    from app.library import export_video as module

    recording = add_recording(library, frames=12, size=(320, 240), segments=[NewSegment(0, 0.3, 0, "wave")])
    library.delete_recordings([recording])
    rows, told = library.recordings(Filter(deleted=True)), []
    assert export_tables(library, rows, tmp_path / "tables") == 1
    import_tables(other, tmp_path / "tables")
    assert [segment.action for segment in other.segments()] == ["wave"]
    export_coco(library, rows, tmp_path / "out.json")
    assert [clip["action"] for clip in json.loads((tmp_path / "out.json").read_text())["clips"]] == ["wave"]
    real = module.drawn
    monkeypatch.setattr(module, "drawn", lambda *given: told.append(given[3]) or real(*given))
    export_video(library, rows[0], tmp_path / "out.mp4")
    assert [segment.action for segment in told[0]] == ["wave"]


def test_nothing_labelled_is_no_pickle(library, tmp_path):
    add_recording(library, segments=[NewSegment(0, 1)])
    with pytest.raises(OutputError, match="label some first"):
        export_pyskl(library, library.segments(), tmp_path / "out.pkl")
    assert not (tmp_path / "out.pkl").exists()


@pytest.mark.parametrize("export", [export_pyskl, export_tables, export_coco])
def test_a_place_that_cannot_be_written_is_one_line(export, full, tmp_path):
    (tmp_path / "file").write_text("")
    target = tmp_path / "file" / "out.pkl"
    things = full.segments() if export is export_pyskl else full.recordings()
    with pytest.raises(OutputError) as raised:
        export(full, things, target)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("target", [".", "/", "x" * 300])
@pytest.mark.parametrize("format", ["pyskl", "tables", "coco"])
def test_a_target_that_can_be_no_file_is_one_line(format, target, full, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    full.label([segment.id for segment in full.segments()], "wave")
    with pytest.raises(OutputError, match=r"give the name|too long") as raised:
        FORMATS[format].write(Export(full, Path(target), full.segments(), full.recordings()))
    assert "\n" not in str(raised.value)
    assert [path.name for path in tmp_path.iterdir()] == ["library"]


# Files of others.


def pyskl_of_others(**more):
    keypoint = np.random.default_rng(0).uniform(0, 300, (2, 20, 17, 2)).astype(np.float32)
    return {
        "split": {"xsub_train": ["a"], "xsub_val": ["b"], "xview_train": ["b"], "xview_val": ["a"]},
        "annotations": [
            {
                **{"frame_dir": name, "label": label, "total_frames": 20, "img_shape": (480, 640)},
                **{"keypoint": keypoint, "keypoint_score": np.full((2, 20, 17), 0.7, np.float32), **more},
            }
            for name, label in (("a", 0), ("b", 3))
        ],
    }


def test_a_pickle_of_others_comes_in_with_all_its_splits(library, tmp_path):
    content = pyskl_of_others()
    (tmp_path / "ntu.pkl").write_bytes(pickle.dumps(content))
    report = import_any(library, [tmp_path / "ntu.pkl"])
    assert len(report.recordings) == 2
    segments = {segment.action: segment.id for segment in library.segments()}
    assert set(segments) == {"action_0", "action_3"}
    a, b = segments["action_0"], segments["action_3"]
    assert library.splits() == {"xsub": {a: "train", b: "validation"}, "xview": {a: "validation", b: "train"}}
    came = library.open_recording(report.recordings[0])
    assert came.info.size == (640, 480)
    assert came.layout == COCO_17
    np.testing.assert_array_equal(came.xy_px[came.person == 1], content["annotations"][0]["keypoint"][1])
    np.testing.assert_allclose(np.diff(came.times_s), 1 / 30)


@pytest.mark.parametrize(
    "ours",
    [
        {"times_s": np.zeros(20), "present": np.ones((2, 20), bool), "persons": [0, 1]},
        {"times_s": np.arange(20.0), "present": np.ones((2, 19), bool), "persons": [0, 1]},
        {"times_s": np.arange(20.0), "present": np.ones((2, 20), bool), "persons": [1, 1]},
        {"times_s": "now", "present": None, "persons": None},
        {"times_s": np.arange(20.0), "present": {}, "persons": [0, 1]},
        {"times_s": [0.0], "present": np.ones((2, 20), bool), "persons": [0, float("inf")]},
        {"times_s": np.arange(20.0)},
    ],
)
def test_our_own_part_of_a_pickle_is_not_believed(ours, library, tmp_path):
    names = {"who": None, "session": None, "note": "", "suspect": False, "source": ""}
    content = pyskl_of_others(actionlens={**names, **ours})
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(content))
    report = import_pyskl(library, tmp_path / "x.pkl")
    assert len(report.problems) == 2
    for name, line in zip("ab", report.problems, strict=True):
        assert line.startswith(f"{tmp_path / 'x.pkl'}: {name}: what ActionLens wrote there is damaged")
        assert "\n" not in line
    assert library.count_recordings() == 0


@pytest.mark.parametrize("bad", [0, 1, 2], ids=["first", "middle", "last"])
@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ({"total_frames": 99}, "b{bad}: 20 frames, total_frames says 99"),
        ({"frame_dir": None}, "annotation {bad} has no name"),
        ({"keypoint": None}, "b{bad}: no array `keypoint`"),
        ({"actionlens": {"times_s": "now"}}, "b{bad}: what ActionLens wrote there is damaged"),
    ],
)
def test_one_bad_annotation_is_a_line_and_the_others_come_in(damage, says, bad, library, tmp_path):
    whole = pyskl_of_others()["annotations"][0]
    notes = [{**whole, "frame_dir": f"b{number}", "keypoint": whole["keypoint"] + number} for number in range(3)]
    notes[bad] |= damage
    content = {"split": {"train": ["b0", "b1", "b2"], "test": []}, "annotations": notes}
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(content))
    report = import_pyskl(library, tmp_path / "x.pkl")
    (line,) = report.problems
    assert line.startswith(f"{tmp_path / 'x.pkl'}: {says.format(bad=bad)}")
    assert len(report.recordings) == 2


class Harm:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def test_a_pickle_that_is_a_program_does_not_run(library, tmp_path):
    harmed = tmp_path / "harmed"
    (tmp_path / "x.pkl").write_bytes(pickle.dumps({"split": {}, "annotations": [Harm(harmed)]}))
    with pytest.raises(DataError) as raised:
        import_any(library, [tmp_path / "x.pkl"])
    assert "\n" not in str(raised.value)
    assert not harmed.exists()


def test_a_table_that_names_a_recognizer_many_times_is_one_step(full, other, tmp_path):
    """Each its own step took minutes: all names and the whole library's file were gone through for each."""
    export_tables(full, full.recordings(), tmp_path / "out")
    table = tmp_path / "out" / "models.csv"
    header, row = table.read_text(encoding="utf-8").splitlines(keepends=True)
    table.write_text(header + row * 1500, encoding="utf-8")
    assert import_tables(other, tmp_path / "out").problems == []
    assert [model.name for model in other.models()][:3] == ["first try", "first try 2", "first try 3"]
    assert len(other.models()) == 1000
    other.undo()
    assert other.models() == []


@pytest.mark.parametrize("name", ["../../../etc/passwd", "/etc/passwd", "..", "C:\\x", "20260101-000000-zzzzzz"])
def test_tables_that_name_other_files_are_refused(name, full, other, tmp_path):
    export_tables(full, full.recordings(), tmp_path / "out")
    table = tmp_path / "out" / "recordings.csv"
    row = full.recordings()[0]
    table.write_text(table.read_text(encoding="utf-8").replace(row.id, name), encoding="utf-8")
    before = sorted(path for path in tmp_path.rglob("*") if other.root not in path.parents)
    report = import_tables(other, tmp_path / "out")
    assert len(report.recordings) == 1
    assert len(report.problems) == 1
    assert "\n" not in report.problems[0]
    assert sorted(path for path in tmp_path.rglob("*") if other.root not in path.parents) == before


@pytest.mark.parametrize("damage", ["no column", "no numbers", "binary", "joints", "no joints", "huge"])
def test_damaged_tables_are_told_in_one_line(damage, full, other, tmp_path):
    export_tables(full, full.recordings(), tmp_path / "out")
    table = tmp_path / "out" / "recordings.csv"
    joints = tmp_path / "out" / "joints" / f"{full.recordings()[0].id}.npz"
    if damage == "no column":
        table.write_text("a,b\n1,2\n")
    elif damage == "no numbers":
        table.write_text(table.read_text(encoding="utf-8").replace("640", "wide"), encoding="utf-8")
    elif damage == "binary":
        table.write_bytes(b"\xff\xfe\x00" * 100)
    elif damage == "joints":
        joints.write_bytes(joints.read_bytes()[:200])
    elif damage == "no joints":
        joints.unlink()
    else:
        table.write_text("recording\n" + "x" * (2 << 20))
    try:
        problems = import_tables(other, tmp_path / "out").problems
    except LibraryError as error:
        problems = [str(error)]
    assert problems
    assert not any("\n" in problem for problem in problems)
    assert list((recordings_folder(other.root)).glob(".*")) == []


@pytest.mark.parametrize("person", ["1" * 25, "4" + "0" * 19, "-1", "9" * 5000])
def test_a_person_whose_number_cannot_be_costs_one_recording(person, full, other, tmp_path):
    export_tables(full, full.recordings(), tmp_path / "out")
    table = tmp_path / "out" / "clips.csv"
    text = table.read_text(encoding="utf-8")
    assert text.count(",0,0.0,1.0,") == 1
    table.write_text(text.replace(",0,0.0,1.0,", f",{person},0.0,1.0,"), encoding="utf-8")
    report = import_tables(other, tmp_path / "out")
    assert len(report.recordings) == 1
    (line,) = report.problems
    assert "\n" not in line
    assert other.count_recordings() == 1


def test_a_table_that_was_refused_comes_in_with_its_labels_once_it_is_mended(full, tmp_path):
    first = full.recordings()[-1]
    assert [row.action for row in full.segments_in(first.id)] == ["wave", None]
    export_tables(full, [first], tmp_path / "out")
    table = tmp_path / "out" / "clips.csv"
    good = table.read_text(encoding="utf-8")
    bad = good.replace(",0.0,1.0,", ",1.0,0.0,")
    assert bad != good
    table.write_text(bad, encoding="utf-8")
    root = tmp_path / "other"
    for _ in range(2):  # also after the library is opened again
        with Library(root) as other:
            report = import_tables(other, tmp_path / "out")
            assert (report.recordings, report.copies, other.count_recordings()) == ([], [], 0)
            (line,) = report.problems
            assert "the segment ends before it begins (1.00 to 0.00 s)" in line
            assert list(recordings_folder(root).iterdir()) == []
            assert list(other.staging().iterdir()) == []
    table.write_text(good, encoding="utf-8")
    with Library(root) as other:
        assert other.notes == []
        assert import_tables(other, tmp_path / "out").recordings == [first.id]
        assert [replace(segment, id=0) for segment in other.segments_in(first.id)] == [
            replace(segment, id=0) for segment in full.segments_in(first.id)
        ]


def zipped(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return path


def tarred(path, *members):
    with tarfile.open(path, "w:gz") as packed:
        for info, content in members:
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    return path


def tar_link(name, target, kind):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def zip_link(path):
    with zipfile.ZipFile(path, "w") as packed:
        info = zipfile.ZipInfo("link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        packed.writestr(info, "/etc/passwd")
    return path


def damaged(archive):
    """In the middle of the first member, where Deflate's own marks are."""
    content = archive.read_bytes()
    archive.write_bytes(content[:38] + b"\xff" * 9 + content[47:])
    return archive


def test_names_in_archives_as_other_systems_write_them(tmp_path):
    """UTF-8 that is not called so, as of macOS; backslashes, as of PowerShell; bytes of an old encoding in a TAR."""
    archive, utf8 = zipped(tmp_path / "x.zip", **{"PPPPPPPPPPPP/1.mp4": b"x"}), "прыжок".encode()
    archive.write_bytes(archive.read_bytes().replace(b"P" * len(utf8), utf8))
    assert names_in(archive, tmp_path / "1") == ["прыжок/1.mp4"]
    archive = zipped(tmp_path / "y.zip", **{"wave\\1.mp4": b"x"})
    assert names_in(archive, tmp_path / "2") == ["wave/1.mp4"]
    if sys.platform == "linux":
        old = os.fsdecode("прыжок".encode("cp1251"))
        archive = tarred(tmp_path / "z.tar.gz", (tarfile.TarInfo(f"{old}/1.mp4"), b"x"))
        assert names_in(archive, tmp_path / "3") == [f"{old}/1.mp4"]


def names_in(archive, folder):
    folder.mkdir()
    unpack(archive, folder)
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*.mp4")]


HOSTILE = {
    "climbs": lambda at: zipped(at / "x.zip", **{"a/../../evil.mp4": b"x"}),
    "absolute": lambda at: zipped(at / "x.zip", **{"/evil.mp4": b"x"}),
    "backslash": lambda at: zipped(at / "x.zip", **{"..\\evil.mp4": b"x"}),
    "escape": lambda at: zipped(at / "x.zip", **{"a\x1b[31m.mp4": b"x"}),
    "zip link": lambda at: zip_link(at / "x.zip"),
    "after a good one": lambda at: zipped(at / "x.zip", **{"good.mp4": b"x", "../evil.mp4": b"x"}),
    "tar climbs": lambda at: tarred(at / "x.tar.gz", (tarfile.TarInfo("../evil.mp4"), b"x")),
    "tar link": lambda at: tarred(at / "x.tgz", (tar_link("a", "/etc", tarfile.SYMTYPE), b"")),
    "tar hard link": lambda at: tarred(at / "x.tgz", (tar_link("a", "../b", tarfile.LNKTYPE), b"")),
    "tar device": lambda at: tarred(at / "x.tgz", (tar_link("a", "", tarfile.CHRTYPE), b"")),
    "gone": lambda at: at / "x.zip",
    "no archive": lambda at: (at / "x.zip").write_bytes(b"nothing") and at / "x.zip",
    "damaged bits": lambda at: damaged(zipped(at / "x.zip", **{"good.mp4": b"ABCD" * 500})),
    "twice": lambda at: tarred(at / "x.tgz", (tarfile.TarInfo("a"), b"1"), (tarfile.TarInfo("a"), b"2")),
}


@pytest.mark.parametrize("trick", HOSTILE)
def test_archives_with_tricks_are_refused_whole(trick, tmp_path):
    archive = HOSTILE[trick](tmp_path)
    inside = tmp_path / "deep" / "folder"
    inside.mkdir(parents=True)
    with pytest.raises(LibraryError, match="not imported") as raised:
        unpack(archive, inside)
    assert "\n" not in str(raised.value)
    assert "\x1b" not in str(raised.value)
    assert list(inside.iterdir()) == []
    assert not list(tmp_path.rglob("evil*"))


def encrypted(archive):
    """Only said to be so."""
    content = bytearray(archive.read_bytes())
    for start in (content.index(b"PK\x03\x04") + 6, content.index(b"PK\x01\x02") + 8):
        content[start] |= 1
    archive.write_bytes(content)
    return archive


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda at: (at / "x.zip").write_bytes(b"PK\x03\x04zz"), "it is damaged or not complete; get it again"),
        (lambda at: (at / "x.zip").write_bytes(b"nothing"), "it is damaged or not complete; get it again"),
        (lambda at: damaged(zipped(at / "x.zip", **{"a.mp4": b"ABCD" * 500})), "it is damaged or not complete"),
        (lambda at: encrypted(zipped(at / "x.zip", **{"a.mp4": b"x"})), "it is encrypted, or packed in a way that"),
        (HOSTILE["twice"], "two things in it have the same name; unpack it yourself and import the folder"),
        (lambda at: None, "it cannot be unpacked (No such file or directory); check its permissions and the room"),
    ],
)
def test_what_is_wrong_with_an_archive_is_told_in_plain_words(made, says, tmp_path):
    made(tmp_path)
    archive = next(tmp_path.iterdir(), tmp_path / "x.zip")
    (tmp_path / "in").mkdir()
    with pytest.raises(LibraryError) as raised:
        unpack(archive, tmp_path / "in")
    assert str(raised.value).startswith(f"{archive} is not imported: ")
    assert says in str(raised.value)


@pytest.mark.parametrize("name", ["C:evil.mp4", "a.mp4:evil", "walk 12:30.mp4"])
def test_a_colon_in_the_name_of_a_member_is_refused_on_windows_alone(name, tmp_path, monkeypatch):
    from app.library import archives

    archive = zipped(tmp_path / "x.zip", **{name: b"x"})
    (tmp_path / "in").mkdir()
    monkeypatch.setattr(archives, "_ON_WINDOWS", True)
    with pytest.raises(LibraryError, match="a name with a colon, which Windows does not allow: not imported"):
        unpack(archive, tmp_path / "in")
    assert list((tmp_path / "in").iterdir()) == []
    if os.name != "nt":
        monkeypatch.setattr(archives, "_ON_WINDOWS", False)
        unpack(archive, tmp_path / "in")
        assert [path.name for path in (tmp_path / "in").iterdir()] == [name]


def test_an_archive_that_unpacks_to_far_more_is_refused(tmp_path, monkeypatch):
    from app.library import archives

    monkeypatch.setattr(archives, "_ALWAYS_BYTES", 1 << 20)
    archive = zipped(tmp_path / "x.zip", **{f"{n}.mp4": bytes(1 << 20) for n in range(4)})
    (tmp_path / "in").mkdir()
    with pytest.raises(LibraryError, match="far more than its size"):
        unpack(archive, tmp_path / "in")
    assert list((tmp_path / "in").iterdir()) == []


def test_what_macos_and_windows_leave_in_archives_is_no_content(full, other, tmp_path):
    export_tables(full, full.recordings(), tmp_path / "out")
    archive = tmp_path / "out.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted((tmp_path / "out").rglob("*")):
            if path.is_file():
                name = path.relative_to(tmp_path).as_posix()
                packed.write(path, name)
                packed.writestr(f"__MACOSX/{name.rpartition('/')[0]}/._{path.name}", b"\0\5\x16\7")
        packed.writestr("out/Thumbs.db", b"x")
        packed.writestr("out/._a.pkl", b"x")
        packed.writestr(".DS_Store", b"x")
    (tmp_path / "in").mkdir()
    unpack(archive, tmp_path / "in")
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["out"]
    report = import_any(other, [archive])
    assert (len(report.recordings), report.problems) == (2, [])


def test_an_archive_of_tables_comes_in(full, other, tmp_path):
    export_tables(full, full.recordings(), tmp_path / "out")
    with tarfile.open(tmp_path / "out.tar.gz", "w:gz") as packed:
        packed.add(tmp_path / "out", "out")
    report = import_any(other, [tmp_path / "out.tar.gz"])
    assert (len(report.recordings), report.problems) == (2, [])
    assert list(other.staging().iterdir()) == []


def test_a_table_that_is_damaged_loses_nothing_of_what_came_in_before(full, other, tmp_path):
    export_tables(full, full.recordings(), tmp_path / "out")
    (tmp_path / "out" / "model_clips.csv").write_text("a,b\n1,2\n")
    splits = tmp_path / "out" / "splits.csv"
    splits.write_text(splits.read_text(encoding="utf-8").replace("mine", "x" * 90), encoding="utf-8")
    report = import_tables(other, tmp_path / "out")
    assert len(report.recordings) == 2
    assert len(report.problems) == 2
    assert not any("\n" in problem for problem in report.problems)


def test_an_import_into_a_library_that_is_open_elsewhere_is_refused(full, tmp_path):
    with Library(full.root) as second, pytest.raises(LibraryError, match="close it elsewhere"):
        import_any(second, [tmp_path])
