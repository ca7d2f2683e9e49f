"""Predictions and events as JSON, one object a line, to a file or to standard output."""

import json
import math
import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from app.errors import OutputError
from app.results import PersonResult, Result
from pose.whole_file import write_text
from recognizer.decision import UNKNOWN, ActionEvent
from recognizer.repetition_counter import Repetition


def prediction_line(result: Result, person: PersonResult) -> str:
    """One person's decision at a frame. Times in seconds of the source's clock, scores 0..1, age in milliseconds.

    view: "whole" or "upper", what of the body was judged; null where too little of it was in view, or nobody.
    """
    decision = person.decision
    return _line(
        {
            "type": "prediction",
            "time_s": _number(result.frame.time_s, 3),
            "frame": result.frame.index,
            "person": person.pose.person,
            "action": decision.action if decision else UNKNOWN,
            "score": _number(decision.score if decision else 0.0, 4),
            "top": [[action, _number(p, 4)] for action, p in decision.top] if decision else [],
            "view": decision.view if decision else None,
            "age_ms": _number(result.age_ms, 1),
        }
    )


def nobody_line(result: Result) -> str:
    """A frame in which nobody was in view."""
    return _line(
        {
            "type": "prediction",
            "time_s": _number(result.frame.time_s, 3),
            "frame": result.frame.index,
            "person": None,
            "action": UNKNOWN,
            "score": 0.0,
            "top": [],
            "view": None,
            "age_ms": _number(result.age_ms, 1),
        }
    )


def event_line(event: ActionEvent) -> str:
    """The start or the end of an action; duration_s and count are null at a start.

    count: repetitions since the start; null for what is not counted, as a walk.
    """
    return _line(
        {
            "type": event.kind,
            "time_s": _number(event.time_s, 3),
            "person": event.person,
            "action": event.action,
            "score": _number(event.score, 4),
            "duration_s": None if event.duration_s is None else _number(event.duration_s, 3),
            "count": event.count,
        }
    )


def repetition_line(repetition: Repetition) -> str:
    """A repetition is complete. count: of this action, with those shortly before; per_minute: the tempo."""
    return _line(
        {
            "type": "rep",
            "time_s": _number(repetition.time_s, 3),
            "person": repetition.person,
            "action": repetition.action,
            "count": repetition.count,
            "duration_s": _number(repetition.duration_s, 3),
            "per_minute": _number(repetition.per_minute, 1),
        }
    )


def result_lines(result: Result) -> list[str]:
    """All lines that are due at a result: decisions made on its frame, nobody in view, repetitions, starts and ends."""
    lines = [prediction_line(result, person) for person in result.persons if person.fresh]
    if result.nobody:
        lines.append(nobody_line(result))
    lines += [repetition_line(repetition) for repetition in result.repetitions]
    return lines + [event_line(event) for event in result.events]


def _line(values: dict[str, Any]) -> str:
    text = json.dumps(values, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "replace").decode("utf-8")  # a name may hold a lone surrogate, which is not UTF-8


def _number(value: float, digits: int) -> float | None:
    """Rounded, null where it is no number: JSON knows neither NaN nor infinity."""
    value = float(value)
    return round(value, digits) if math.isfinite(value) else None


class JsonLinesWriter:
    """Writes each line at once, as UTF-8, so that another program can follow along. target None: standard output.

    A file is written in place, because a temporary one could not be followed; a file of that name that already holds
    something is first renamed to NAME.bak, so that the lines of the run before are kept; those of the run before that
    are not. Raises OutputError where the file cannot be opened.
    """

    def __init__(self, target: Path | None = None) -> None:
        self._name = "standard output" if target is None else str(target)
        self._failed = False
        self._closed = False
        self._regular = False
        self._fd = _stdout_fd() if target is None else self._open(target)
        self._owned = target is not None

    def _open(self, target: Path) -> int:
        try:
            if target.is_file() and target.stat().st_size:
                os.replace(target, target.with_name(target.name + ".bak"))
            fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o644)
        except FileNotFoundError:
            raise OutputError(f"cannot write {target}: there is no folder {target.parent}; make it first") from None
        except IsADirectoryError:
            raise OutputError(f"cannot write {target}: it is a folder; give the name of a file in it") from None
        except OSError as error:
            raise OutputError(f"cannot write {target}: {error.strerror or error}; choose another place") from None
        self._regular = stat.S_ISREG(os.fstat(fd).st_mode)
        return fd

    def write(self, lines: Iterable[str]) -> None:
        """Write lines. After a failure (full disk, reader gone) raises OutputError once, then does nothing.

        A file then ends with its last whole line.
        """
        data = "".join(line + "\n" for line in lines).encode("utf-8", "replace")
        if not data or self._failed or self._closed:
            return
        written = 0
        try:
            while written < len(data):
                written += os.write(self._fd, data[written:])
        except OSError as error:
            self._failed = True
            self._drop_half_a_line(data[:written])
            if isinstance(error, BrokenPipeError):
                self._silence_stdout()
                raise OutputError(f"{self._name}: the reader has gone, so no more lines are written") from None
            reason = error.strerror or error
            raise OutputError(f"cannot continue writing {self._name}: {reason}; make room and start again") from None

    def close(self) -> None:
        """Close the file; standard output stays open. Any number of times."""
        if self._owned and not self._closed:
            os.close(self._fd)
        self._closed = True

    def _drop_half_a_line(self, written: bytes) -> None:
        half = len(written) - (written.rfind(b"\n") + 1)
        if self._regular and half:
            os.ftruncate(self._fd, os.lseek(self._fd, 0, os.SEEK_CUR) - half)

    def _silence_stdout(self) -> None:
        """Python flushes standard output at exit and would complain about the closed pipe then."""
        if not self._owned:
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, self._fd)
            os.close(devnull)


def _stdout_fd() -> int:
    sys.stdout.flush()
    return sys.stdout.fileno()


def check_json_target(target: str | None) -> None:
    """Before a long measurement: OutputError where write_json could not write there."""
    if target is None or target == "-":
        return
    path = Path(target)
    if path.is_dir():
        raise OutputError(f"cannot write {target}: it is a folder; give the name of a file in it")
    if not path.resolve().parent.is_dir():
        raise OutputError(f"cannot write {target}: there is no folder {path.parent}; make it first")


def write_json(target: str, values: dict[str, Any]) -> None:
    """A report as one indented JSON object to a file, through a temporary one, or to standard output ("-").

    Raises OutputError where the file cannot be written.
    """
    to_stdout = target == "-"  # whose encoding may lack what a name has
    text = json.dumps(values, indent=2, ensure_ascii=to_stdout, allow_nan=False) + "\n"
    if to_stdout:
        sys.stdout.write(text)
        return
    try:
        write_text(Path(target), text)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}; choose another place") from None
