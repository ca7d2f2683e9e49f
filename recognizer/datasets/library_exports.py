"""What the app's library exports beside PYSKL pickles: a folder of tables, or JSON in COCO's style."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pose.skeleton import LAYOUTS, Layout
from recognizer.datasets.csv_tables import number_of, read_table
from recognizer.datasets.dataset import ReadResult
from recognizer.datasets.errors import DataError, EmptyFileError
from recognizer.datasets.file_problems import damaged, load_json
from recognizer.datasets.pyskl import PART_WORDS
from recognizer.datasets.recorded import KINDS, LabelledSegment, Poses, cut, load_joints, sequence_of
from recognizer.plain_arrays import UNREADABLE

RECORDINGS, SEGMENTS, SPLITS, JOINTS = "recordings.csv", "clips.csv", "splits.csv", "joints"


class LibraryExport(NamedTuple):
    """The labelled segments, or the reason in the place of one, and the part of each segment in each split, by
    names."""

    found: list[ReadResult]
    splits: dict[str, dict[str, str]]


def is_tables(folder: Path) -> bool:
    """True for a folder that the library may have exported as tables."""
    return (folder / RECORDINGS).is_file() and (folder / JOINTS).is_dir()


def read_tables(folder: Path) -> LibraryExport:
    """Every labelled segment of such a folder. DataError where a table cannot be read."""
    rows = [row for row in read_table(folder / SEGMENTS, _SEGMENT_FIELDS) if row["action"]]
    of_recording: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        of_recording[row["recording"]].append(row)
    people = sorted({row["who"] for row in rows} - {""})
    found: list[ReadResult] = []
    for recording in read_table(folder / RECORDINGS, _RECORDING_FIELDS):
        segments = of_recording.get(recording["recording"], [])
        try:
            labelled = [_segment_of_row(row) for row in segments]
            poses = _poses_of_tables(folder, recording) if segments else None
        except UNREADABLE as error:
            why = " ".join(str(error).split())[:120]
            found.append(DataError(f"{folder}: recording {recording['recording'][:40]!r}: {why}; export it again"))
            continue
        if poses is not None:
            found += _sequences(poses, labelled, people)
    names = {row["clip"]: _name_of_row(row) for row in rows}
    splits: dict[str, dict[str, str]] = defaultdict(dict)
    for row in read_table(folder / SPLITS, ("split", "clip", "part")):
        if row["clip"] in names:
            splits[row["split"]][names[row["clip"]]] = _part(row, folder / SPLITS)
    return LibraryExport(found, dict(splits))


def read_coco(file: Path) -> LibraryExport:
    """Every labelled segment of such a file, which tells of no split. DataError where it is none of the library's."""
    content = load_json(file)
    if not isinstance(content, dict) or not isinstance(content.get("clips"), list):
        raise DataError(
            f"{file}: has no list `clips` of labels, which the library's own exports have; give one of them"
        )
    try:
        recordings = dict(_poses_of_coco(content))
        of_recording: dict[str, list[LabelledSegment]] = defaultdict(list)
        for index, segment in enumerate(content["clips"]):
            if segment["action"]:
                start_s, end_s = float(segment["start_s"]), float(segment["end_s"])
                action, who = _text_of(segment["action"]), _text_of(segment["person"])
                name = f"{segment['recording']}/{index}"
                labelled = LabelledSegment(name, int(segment["track_id"]), start_s, end_s, action, who)
                of_recording[segment["recording"]].append(labelled)
        people = sorted({segment.who for segments in of_recording.values() for segment in segments} - {""})
        found = [
            one for name, segments in of_recording.items() for one in _sequences(recordings[name], segments, people)
        ]
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise damaged(file, f"not as the library writes it ({type(error).__name__}: {error})") from error
    return LibraryExport(found, {})


_RECORDING_FIELDS = ("recording", "width", "height", "layout")
_SEGMENT_FIELDS = ("clip", "recording", "person", "start_s", "end_s", "action", "who")


def _part(row: Mapping[str, str], table: Path) -> str:
    part = PART_WORDS.get(row["part"].strip().lower())
    if part is None:
        allowed = ", ".join(PART_WORDS)
        raise DataError(f"{table}: no part {row['part'][:40]!r}, of clip {row['clip'][:40]}; write one of {allowed}")
    return part


def _name_of_row(row: Mapping[str, str]) -> str:
    return f"{row['recording']}/{row['clip']}"


def _segment_of_row(row: Mapping[str, str]) -> LabelledSegment:
    start_s, end_s = number_of(row["start_s"]), number_of(row["end_s"])
    return LabelledSegment(_name_of_row(row), int(row["person"]), start_s, end_s, row["action"], row["who"])


def _text_of(value: object) -> str:
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{str(value)[:40]} is not a name")
    return value or ""


def _poses_of_tables(folder: Path, row: Mapping[str, str]) -> Poses:
    """Raises one of UNREADABLE."""
    name = row["recording"]
    if not name or Path(name).name != name or "\\" in name:  # it would lead to another folder's file
        raise ValueError("that is not a recording's name")
    if row["layout"] not in LAYOUTS:
        raise ValueError(f"layout {row['layout']!r} is not known")
    arrays, layout = load_joints(folder / JOINTS / f"{name}.npz"), LAYOUTS[row["layout"]]
    times_s, frame, person, xy_px, confidence = (arrays[part] for part in KINDS)
    size_px = int(row["width"]), int(row["height"])
    return _checked(Poses(times_s, frame, person, xy_px, confidence, layout, size_px))


def _poses_of_coco(content: Mapping[str, Any]) -> Iterator[tuple[str, Poses]]:
    """Every recording by name. A joint's confidence is not in the format: it is 1 or 0."""
    layouts = {category["id"]: LAYOUTS[category["layout"]] for category in content["categories"]}
    frames: dict[str, list[dict[str, Any]]] = defaultdict(list)
    place_of: dict[int, tuple[str, int]] = {}
    for image in content["images"]:
        place_of[image["id"]] = image["recording"], len(frames[image["recording"]])
        frames[image["recording"]].append(image)
    poses: dict[str, list[tuple[int, dict[str, Any]]]] = defaultdict(list)
    for annotation in content["annotations"]:
        recording, place = place_of[annotation["image_id"]]
        poses[recording].append((place, annotation))
    for name, images in frames.items():
        mine = sorted(poses[name], key=lambda each: each[0])
        layout: Layout = layouts[mine[0][1]["category_id"] if mine else min(layouts)]
        keypoints = np.array([each["keypoints"] for _, each in mine], np.float32).reshape(len(mine), len(layout), 3)
        yield (
            name,
            _checked(
                Poses(
                    np.array([image["time_s"] for image in images], np.float64),
                    np.array([place for place, _ in mine], np.int64),
                    np.array([each["track_id"] for _, each in mine], np.int64),
                    keypoints[..., :2],
                    (keypoints[..., 2] > 0).astype(np.float32),
                    layout,
                    (int(images[0]["width"]), int(images[0]["height"])),
                    scored=False,
                )
            ),
        )


def _checked(poses: Poses) -> Poses:
    """Raises ValueError where the joints are not the layout's, or times do not grow."""
    if poses.confidence.shape[1] != len(poses.layout):
        raise ValueError(f"{poses.confidence.shape[1]} joints, but {poses.layout.name} has {len(poses.layout)}")
    if not np.isfinite(poses.xy_px).all() or not (np.diff(poses.times_s) > 0).all():
        raise ValueError("joints that are not numbers, or times that do not grow")
    return poses


def _sequences(poses: Poses, segments: list[LabelledSegment], people: list[str]) -> Iterator[ReadResult]:
    for segment in segments:
        found = cut(poses, segment.start_s, segment.end_s, segment.person)
        if found is None:
            yield EmptyFileError(f"{segment.name}: its person is not in it, left out")
        else:
            yield sequence_of(found, poses, segment, people)
