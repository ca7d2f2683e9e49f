"""Values that the library takes and gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class NewSegment:
    """A stretch to be kept. Times in seconds since the start of the recording, person: the identity in it."""

    start_s: float
    end_s: float
    person: int = 0
    action: str | None = None
    who: str | None = None
    note: str = ""
    suspect: bool = False


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """A segment as lists show it. person: the identity in the recording; who: the person's name.

    created: when the recording was made, ISO 8601, UTC. suspect: its label may be wrong.
    """

    id: int
    recording: str
    person: int
    start_s: float
    end_s: float
    action: str | None
    who: str | None
    session: str | None
    note: str
    suspect: bool
    created: str
    source: str

    @property
    def name(self) -> str:
        """ "recording/segment", unique in the library."""
        return f"{self.recording}/{self.id}"


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """A recording as lists show it. size: width and height in pixels. segments, labelled: how many it has."""

    id: str
    created: str
    source: str
    duration_s: float
    frames: int
    size: tuple[int, int]
    layout: str
    skeleton_only: bool
    session: str | None
    note: str
    segments: int
    labelled: int


@dataclass(frozen=True, slots=True)
class Filter:
    """What lists are restricted to; None and False do not restrict.

    text: anywhere in notes, names, sources. deleted: what was put into the bin, instead of what was not; None for both.
    split: segments of that split, of all its parts or of one.
    """

    action: str | None = None
    who: str | None = None
    session: str | None = None
    recording: str | None = None
    unlabelled: bool = False
    suspect: bool = False
    text: str = ""
    deleted: bool | None = False
    split: str | None = None
    part: str | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """An action, a person or a session, and how many segments it has. key: "1" to "9", which labels with the action.
    id: stays the same when it is renamed; None for a name that only recordings outside the catalogue have."""

    name: str
    segments: int
    key: str = ""
    note: str = ""
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """A taught recognizer. segments: name and action of each segment that made it, as they were then.

    kind: "quick" or "full". folder: where model.onnx and card.json are, relative to the library or absolute.
    details: what the check before it was offered has found; JSON values.
    """

    name: str
    created: str
    kind: str
    folder: str
    segments: tuple[tuple[str, str], ...]
    details: Mapping[str, Any] = field(default_factory=dict)
