"""What is fuzzed: each reader of the product that takes a user's file, with the valid files that are changed for it."""

import functools
import hashlib
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app import model_files, models
from app.library.archives import unpack
from app.library.catalogue import Library
from app.library.import_any import import_any
from app.outputs.events import EventServer
from app.settings import UserSettings
from benchmarks.fuzz import made
from pose.source import open_source
from recognizer.generator import GeneratorCard
from recognizer.model_card import ModelCard
from recognizer.onnx_recognizer import OnnxRecognizer
from recognizer.teaching.request import read_request
from recognizer.teaching.versions import taught_model

_FRAMES = 20


@dataclass(frozen=True, slots=True)
class Reader:
    """files: valid ones. read: reads those of a folder; may write into it and below it alone."""

    files: Callable[[], made.Files]
    read: Callable[[Path], object]


def _card(folder: Path) -> None:
    ModelCard.load_text(folder)
    taught_model(folder)


def _model(folder: Path) -> None:
    """Sets the card's hashes to those of the files, so that reading gets past the check of hashes."""
    try:
        card = json.loads((folder / "card.json").read_bytes())
        card["sha256"] = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
        card.pop("answer_sha256", None)
        (folder / "card.json").write_text(json.dumps(card))
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        pass
    OnnxRecognizer(folder, "cpu").close()


def _model_archive(folder: Path) -> None:
    brought = model_files.import_model(folder / "library", folder / "toy.zip")
    assert brought.is_relative_to(models.models_folder(folder / "library"))


def _library(folder: Path) -> None:
    with Library(folder) as library:
        for row in library.recordings(limit=-1):
            library.open_recording(row.id)
        segments = library.segments(limit=-1)
        library.examples()
        if segments and not library.read_only:
            library.label([segments[0].id], "jump")
            library.undo()


def _imported(folder: Path, *, format: str | None, path: str = ".") -> None:
    with Library(folder.parent / f"{folder.name}-library") as library:
        report = import_any(library, [folder / path], format=format)
        assert all("\n" not in line for line in report.problems), report.problems
        for identity in report.recordings:
            library.open_recording(identity)


def _archive(folder: Path, *, kind: str) -> None:
    target = folder / "unpacked"
    target.mkdir()
    unpack(folder / f"made.{kind}", target)


def _video(folder: Path) -> None:
    source = open_source(str(next(iter(folder.iterdir()), folder / "gone.mp4")))
    try:
        for _ in range(_FRAMES):
            if source.read() is None:
                break
    finally:
        source.close()


class _Handshake:
    """One server for all inputs; after each it must still answer a valid handshake."""

    def __init__(self) -> None:
        self._server: EventServer | None = None

    def __call__(self, folder: Path) -> None:
        if self._server is None:
            self._server = EventServer("ws://127.0.0.1:0")
            self._server.hello("toy", ("wave",))
        request = b"".join(file.read_bytes() for file in sorted(folder.iterdir(), reverse=True))
        self._send(request)
        valid = made.handshake()["request"].value.encode()
        answer = self._send(valid)
        if b"101" not in answer.split(b"\r\n")[0]:
            raise AssertionError(f"the server no longer answers: {answer[:80]!r}")

    def _send(self, text: bytes) -> bytes:
        assert self._server is not None
        port = int(self._server.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=4) as connection:
            try:
                connection.sendall(text)
                connection.settimeout(0.05 if b"HTTP/1.1" not in text else 2.0)
                return connection.recv(4096)
            except OSError:
                return b""


def all_readers() -> dict[str, Reader]:
    """By name."""
    as_data_set = functools.partial(functools.partial, _imported)
    found = {
        "card": Reader(made.model, _card),
        "model": Reader(made.model, _model),
        "model_archive": Reader(made.model_archive, _model_archive),
        "generator_card": Reader(made.generator, GeneratorCard.load),
        "settings": Reader(made.settings, lambda folder: UserSettings.load(folder / "settings.json")),
        "teaching_request": Reader(made.request, read_request),
        "library": Reader(made.library, _library),
        "catalogue": Reader(made.catalogue, _library),
        "tables": Reader(made.tables, as_data_set(format="tables")),
        "pyskl": Reader(made.pyskl, as_data_set(format="pyskl", path="made.pkl")),
        "handshake": Reader(made.handshake, _Handshake()),
    }
    sets = {
        "ntu_rgbd": made.ntu,
        "kinetics_skeleton": made.kinetics,
        "mpose2021": made.mpose,
        "jhmdb14": made.jhmdb,
        "utd_openpose_csv": made.utd_csv,
        "nw_ucla": made.nw_ucla,
        "msr_action3d": made.msr,
        "utd_mhad": made.utd_mat,
        "penn_action": made.penn_mat,
        "florence_3d": made.florence,
        "webcam_poses": made.webcam_poses,
    }
    found |= {name: Reader(files, as_data_set(format=name)) for name, files in sets.items()}
    for kind in ("zip", "tar"):
        found[kind] = Reader(functools.partial(made.archive, kind), functools.partial(_archive, kind=kind))
    for ending in ("mp4", "avi", "mkv", "ts", "gif"):
        found[ending] = Reader(functools.partial(made.video, ending), _video)
    return found
