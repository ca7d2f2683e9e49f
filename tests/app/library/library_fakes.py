"""What libraries in tests hold: recordings of a made-up person."""

from dataclasses import replace

import numpy as np

from app.library.pose_recordings import describe, store
from app.library.rows import Filter, Model, NewSegment
from pose.skeleton import MEDIAPIPE_33
from recognizer.datasets.recorded import Poses

DELETED = Filter(deleted=True)


def make_poses(seed=0, frames=60, people=(0,), layout=MEDIAPIPE_33, size=(640, 480)):
    """Random joints of people who are all there in every frame but each seventh; times as uneven as a camera's."""
    random = np.random.default_rng(seed)
    times_s = np.cumsum(random.uniform(0.02, 0.05, frames))
    rows = [(index, person) for index in range(frames) for person in people if index % 7 != 6]
    shape = (len(rows), len(layout))
    return Poses(
        times_s - times_s[0],
        np.array([index for index, _ in rows], np.int64),
        np.array([person for _, person in rows], np.int64),
        random.uniform(0, 480, (*shape, 2)).astype(np.float32),
        random.uniform(0, 1, shape).astype(np.float32),
        layout,
        size,
    )


def add_recording(library, seed=0, segments=(), source="cam", session="", **poses):
    """A recording on disk and in the catalogue; its id."""
    made = make_poses(seed, **poses)
    created = f"2026-01-{1 + seed // 24:02d}T{seed % 24:02d}:00:00+00:00"
    info = replace(describe(made, source, session=session), created=created)
    folder = store(library.root, library.staging(), info, made)
    return library.add_recording(folder, segments)


def contents(library):
    """Everything that a user put in, by name, in a form that can be compared between catalogues."""
    segments = [*library.segments(limit=-1), *library.segments(DELETED, limit=-1)]
    return {
        "recordings": [*library.recordings(limit=-1), *library.recordings(DELETED, limit=-1)],
        "clips": segments,
        "actions": library.names("action"),
        "people": library.names("person"),
        "sessions": library.names("session"),
        "splits": library.splits(),
        "models": library.models(),
    }


def fill(library):
    first = add_recording(
        library, 1, [NewSegment(0, 1, 0, "wave", "Ada", "left hand"), NewSegment(1, 2)], session="Monday"
    )
    second = add_recording(library, 2, [NewSegment(0.5, 1.5, 0, "拍手", "Zoë", suspect=True)], people=(0, 1))
    third = add_recording(library, 3, [NewSegment(0, 1, 0, "nothing")])
    library.add_name("action", "never used")
    library.add_name("person", "Nobody yet")
    library.set_key("wave", "3")
    library.set_session([second], "Tuesday")
    library.set_session_note("Tuesday", "in the hall\nwith the tall camera")
    library.set_recording_note(first, "the lamp was off")
    ids = {segment.action: segment.id for segment in library.segments(limit=-1)}
    library.set_split("mine", {ids["wave"]: "train", ids["拍手"]: "test"})
    library.add_model(Model("first try", "2026-01-02T03:04:05+00:00", "quick", "models/1", ((f"{first}/1", "wave"),)))
    library.delete_recordings([third])
    return library


def of(library, recording):
    return library.segments(Filter(recording=recording), limit=-1)


def some_segment(library):
    return library.segments()[0].id
