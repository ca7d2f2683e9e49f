"""The reader of labelled sequences of poses, and the split of their people."""

import json
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from pose.skeleton import LAYOUTS, MEDIAPIPE_33, OPENPOSE_18
from recognizer.datasets.errors import DataError
from recognizer.datasets.sequences import LabelledSequence, Segment
from recognizer.datasets.webcam_poses import part_of, read

REAL = Path(__file__).resolve().parents[4] / "shared" / "datasets" / "webcam_poses"
COLUMNS = ("name", "source", "person", "layout", "action", "segments", "note")


def write(folder, rows, arrays=None):
    """An index with these rows (dicts of columns), and a file of 40 frames for each unless `arrays` has others."""
    (folder / "sequences").mkdir(parents=True, exist_ok=True)
    lines = ["\t".join(COLUMNS)]
    for row in rows:
        lines.append("\t".join(str(row.get(column, "")) for column in COLUMNS))
        content = (arrays or {}).get(row["name"], {})
        np.savez(folder / "sequences" / f"{row['name']}.npz", **frames(**content))
    (folder / "index.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def frames(layout="mediapipe-33", count=40, joints=33, **changes):
    """Joint v of frame t stands at x = t + v, y = 2 v + 1 pixels."""
    x = np.arange(count)[:, None] + np.arange(joints)
    y = np.broadcast_to(2 * np.arange(joints) + 1, x.shape)
    return {
        "times_s": np.arange(count, dtype=np.float32) / 20,
        "xy8": (8 * np.stack([x, y], axis=-1)).astype(np.int16),
        "conf": np.full((count, joints), 204, np.uint8),
        "size": np.array([640, 480], np.int32),
        "layout": np.array(layout),
        **changes,
    }


def test_units_are_pixels_seconds_and_shares(tmp_path):
    write(tmp_path, [{"name": "a", "source": "o/r", "person": "p1", "action": "walk", "note": "by eye"}])
    (sequence,) = read(tmp_path)
    assert (sequence.name, sequence.source, sequence.person, sequence.note) == ("a", "o/r", "p1", "by eye")
    assert sequence.layout is MEDIAPIPE_33
    assert sequence.size == (640, 480)
    assert sequence.times_s[7] == pytest.approx(0.35)
    np.testing.assert_array_equal(sequence.xy_px[3, 5], [8, 11])
    assert sequence.confidence[3, 5] == pytest.approx(0.8)


def test_an_action_of_the_whole_is_one_segment_from_the_first_time_to_the_last(tmp_path):
    write(tmp_path, [{"name": "a", "action": "walk"}])
    (sequence,) = read(tmp_path)
    assert sequence.segments == (Segment(0.0, pytest.approx(39 / 20), "walk"),)


@pytest.mark.parametrize("quoted", [False, True], ids=["plain", "as a spreadsheet writes it"])
def test_segments_come_in_order_of_time(tmp_path, quoted):
    text = json.dumps([[1.0, 1.5, "other:turn"], [0, 1, "walk"]])
    text = '"' + text.replace('"', '""') + '"' if quoted else text
    write(tmp_path, [{"name": "a", "segments": text}])
    (sequence,) = read(tmp_path)
    assert sequence.segments == (Segment(0, 1, "walk"), Segment(1, 1.5, "other:turn"))


def test_a_sequence_without_labels_is_read_too(tmp_path):
    write(tmp_path, [{"name": "a"}])
    (sequence,) = read(tmp_path)
    assert sequence.segments == ()
    assert sequence.person == "unknown"


def test_a_frame_of_zeros_has_no_pose(tmp_path):
    content = frames()
    content["xy8"][10:12], content["conf"][10:12] = 0, 0
    write(tmp_path, [{"name": "a"}], {"a": content})
    (sequence,) = read(tmp_path)
    assert np.flatnonzero(~sequence.posed).tolist() == [10, 11]


@pytest.mark.parametrize("layout", [*LAYOUTS, "OpenPose_18"])
def test_every_layout_of_the_program_is_read(tmp_path, layout):
    joints = len(LAYOUTS.get(layout, OPENPOSE_18))
    write(tmp_path, [{"name": "a"}], {"a": frames(layout=layout, joints=joints)})
    (sequence,) = read(tmp_path)
    assert len(sequence.layout) == joints
    assert sequence.layout.name == layout.lower().replace("_", "-")


@pytest.mark.parametrize("start_s", [1.7e9, 3 * 3600.0], ids=["since 1970", "after three hours"])
def test_times_keep_their_steps_wherever_they_begin(tmp_path, start_s):
    write(tmp_path, [{"name": "a", "action": "walk"}], {"a": {"times_s": start_s + np.arange(40) / 30}})
    (sequence,) = read(tmp_path)
    np.testing.assert_allclose(np.diff(sequence.times_s), 1 / 30, atol=1e-6)


BAD = {
    "three dimensions": ({"xy8": np.ones((40, 33, 3), np.int16)}, "three dimensions"),
    "joints": ({"xy8": np.ones((40, 17, 2), np.int16)}, "(40, 33, 2)"),
    "layout": ({"layout": np.array("kinect-99")}, "kinect-99"),
    "times": ({"times_s": np.zeros(40, np.float32)}, "increase"),
    "times that are text": ({"times_s": np.array(["0", "1"])}, "`times_s` are not numbers"),
    "no times": ({"times_s": np.zeros(0, np.float32)}, "increase"),
    "confidence": ({"conf": np.full((40, 33), 300, np.int32)}, "0 to 255"),
    "numbers": ({"xy8": np.full((40, 33, 2), np.nan, np.float32)}, "finite"),
    "size": ({"size": np.array([0, 480])}, "width"),
}


@pytest.mark.parametrize(("change", "words"), BAD.values(), ids=BAD.keys())
def test_a_bad_file_is_one_line_and_costs_none_beside_it(tmp_path, change, words):
    write(tmp_path, [{"name": name} for name in "abc"], {"b": change})
    before, problem, after = read(tmp_path)
    assert (before.name, after.name) == ("a", "c")
    assert isinstance(problem, DataError)
    assert str(tmp_path / "sequences" / "b.npz") in str(problem)
    assert words in str(problem)
    assert "\n" not in str(problem)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"no archive at all"])
def test_a_damaged_or_missing_file_is_one_line(tmp_path, content):
    write(tmp_path, [{"name": "a"}, {"name": "b"}, {"name": "c"}])
    (tmp_path / "sequences" / "a.npz").write_bytes(content)
    (tmp_path / "sequences" / "c.npz").unlink()
    damaged, good, missing = read(tmp_path)
    assert good.name == "b"
    assert "a.npz" in str(damaged)
    assert "c.npz is missing" in str(missing)


@pytest.mark.parametrize(
    "segments", ["[[0, 1]]", "[[1, 0, 3]]", '[[0, 1, ""]]', "{}}", '[[0, NaN, "walk"]]', '[["a", 1, "walk"]]', "7"]
)
def test_bad_segments_are_one_line(tmp_path, segments):
    write(tmp_path, [{"name": "a", "segments": segments}, {"name": "b"}])
    problem, good = read(tmp_path)
    assert "a: its segments are not a JSON list of [start_s, end_s, label]" in str(problem)
    assert good.name == "b"


def test_segments_that_overlap_are_one_line(tmp_path):
    write(tmp_path, [{"name": "a", "segments": '[[0, 1, "walk"], [0.5, 2, "run"]]'}])
    (problem,) = read(tmp_path)
    assert "walk and run overlap" in str(problem)


def test_a_name_leads_to_no_other_folder_and_stands_once(tmp_path):
    write(tmp_path, [{"name": "a"}])
    with (tmp_path / "index.tsv").open("a") as index:
        index.write("../a\na\n")
    good, elsewhere, again = read(tmp_path)
    assert good.name == "a"
    assert "line 3" in str(elsewhere)
    assert "line 4 names a again" in str(again)


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00", b"file,label\na,walk\n"])
def test_a_folder_without_a_usable_index_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "index.tsv").write_bytes(content)
    with pytest.raises(DataError, match=r"index\.tsv"):
        list(read(tmp_path))


def sequence_of(person, source="o/r"):
    none = np.zeros((1, 33), np.float32)
    return LabelledSequence("a", source, person, np.zeros(1), none[..., None], none, MEDIAPIPE_33, (4, 3), ())


def test_strangers_are_split_by_their_names_in_about_the_shares():
    parts = Counter(part_of(sequence_of(f"stranger{number}")) for number in range(2000))
    assert parts["train"] / 2000 == pytest.approx(0.65, abs=0.05)
    assert parts["validation"] / 2000 == pytest.approx(0.15, abs=0.04)
    assert parts["test"] / 2000 == pytest.approx(0.20, abs=0.04)
    assert len({part_of(sequence_of("unknown", "one/source")) for _ in range(5)}) == 1


@pytest.fixture(scope="module")
def real():
    if not REAL.is_dir():
        pytest.skip("the poses of real people are not here")
    return list(read(REAL))


def test_the_real_set_is_read_whole(real):
    assert [found for found in real if isinstance(found, DataError)] == []
    assert len(real) == 1274
    assert sum(sequence.times_s[-1] for sequence in real) / 60 == pytest.approx(102, abs=1)


def test_no_person_and_no_performance_is_on_two_sides(real):
    parts = {}
    for sequence in real:
        who = sequence.source if sequence.person == "unknown" else sequence.person
        parts.setdefault(who, set()).add(part_of(sequence))
    assert all(len(found) == 1 for found in parts.values())
    by_name = {sequence.name: sequence for sequence in real}
    same = [s for s in real if s.note.startswith("same performance as ")]
    assert len(same) == 32
    for sequence in same:
        assert part_of(sequence) == part_of(by_name[sequence.note.split()[3].rstrip(",")])


def test_sequences_that_share_poses_are_on_one_side(real):
    """Whatever the index says of them. Half a second of the same numbers is no chance."""
    holders = {}
    for number, sequence in enumerate(real):
        for pose in {pose.tobytes() for pose in sequence.xy_px[sequence.posed]}:
            holders.setdefault(pose, set()).add(number)
    shared = Counter(pair for found in holders.values() for pair in combinations(sorted(found), 2))
    copies = [[real[number] for number in pair] for pair, poses in shared.items() if poses >= 15]
    assert [(one.name, other.name) for one, other in copies] == [
        ("w0308", "w0335"),
        ("w0399", "w0466"),
        ("w0617", "w0620"),
    ]
    assert all(part_of(one) == part_of(other) for one, other in copies)


def test_validation_and_test_hold_what_is_to_be_measured(real):
    seconds = {part: Counter() for part in ("train", "validation", "test")}
    for sequence in real:
        for start_s, end_s, label in sequence.segments:
            seconds[part_of(sequence)][label] += end_s - start_s
    measured = ["push_up", "walk", "idle", "sit_down", "stand_up", "squat", "kick", "run", "swing", "jumping_jacks"]
    for part in seconds.values():
        assert min(part[label] for label in [*measured, "wave", "other:sit_still"]) > 4
    unlisted = [sum(part[label] for label in part if label.startswith("other:")) for part in seconds.values()]
    assert min(unlisted) > 600
