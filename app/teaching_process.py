"""Teaching as the application sees it: a process of low priority that is watched, cancelled, and leaves nothing behind.

No Qt. A job is polled: `progress` while it runs, then `outcome`.
"""

import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from app.errors import UsageError
from app.installation import install_command
from pose.ctrl_c import without_ctrl_c
from recognizer.teaching.request import FULL, TeachingRequest, write_request
from recognizer.teaching.versions import new_part

STARTING = "starting"

_STALE_S = 24 * 3600.0  # a folder that was being written longer ago belongs to a process that died
_QUIET_S = 30.0  # without a word: something holds it up
_HARDLY, _ITS_SHARE = 0.1, 0.5  # of the time of all processors, idle, and of one, its own, where others use them all
_CLEANUP_S = 3.0  # for a cancelled process to clean up after itself
_ROOT = Path(__file__).resolve().parents[1]
# Few threads: the live view has the other core.
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


@dataclass(frozen=True, slots=True)
class Progress:
    """stage: a word for what is being done. part: 0..1 of all. remaining_s: None until something can be said. starves:
    it has not gone on for long, because other programs use the whole processor."""

    stage: str
    part: float
    remaining_s: float | None
    starves: bool = False


@dataclass(frozen=True, slots=True)
class TeachingDone:
    """folder: of the new model. check: as recognizer.teaching.check.Check.to_json gives it."""

    folder: Path
    check: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TeachingFailed:
    """message: one line, what is wrong and how to fix it."""

    message: str


@dataclass(frozen=True, slots=True)
class TeachingCancelled:
    """Nothing of it is left."""


Outcome = TeachingDone | TeachingFailed | TeachingCancelled


class TeachingJob:
    """One teaching in a process of its own, started at once. Its methods return at once, from any thread."""

    def __init__(self, request: TeachingRequest, command: Sequence[str] | None = None) -> None:
        """command: what to start, with the folder of the request as its last argument; left out, what the kind of
        the request needs. Raises UsageError where that is not installed."""
        self._request = replace(request, part=new_part())
        self._command = list(command) if command is not None else command_of(request.kind)
        self._started_s = time.monotonic()
        self._progress = Progress(STARTING, 0.0, None)
        self._told_s, self._idle_then_s, self._used_then_s = self._started_s, _idle_s(), 0.0
        self._outcome: Outcome | None = None
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._run, name="teaching")
        self._thread.start()

    @property
    def progress(self) -> Progress:
        """The current progress."""
        return replace(self._progress, starves=self._starves())

    @property
    def outcome(self) -> Outcome | None:
        """The outcome; None while it runs."""
        return self._outcome

    def cancel(self) -> None:
        """Ask it to end; it leaves nothing behind then. If it is too late, it completes all the same."""
        self._cancelled.set()
        with self._lock:
            if self._process is not None:
                _end(self._process)

    def wait(self, timeout_s: float | None = None) -> Outcome | None:
        """Wait for the outcome, for so long at most."""
        self._thread.join(timeout_s)
        return self._outcome

    def _run(self) -> None:
        outcome: Outcome = TeachingFailed("teaching has stopped; the log says why, and starting it again may help")
        try:
            with tempfile.TemporaryDirectory(prefix="actionlens-teaching-", ignore_cleanup_errors=True) as folder:
                outcome = self._teach(Path(folder))
        except OSError as error:
            reason = error.strerror or error
            outcome = TeachingFailed(f"teaching cannot start ({reason}); make room on the disk and try again")
        finally:  # whoever waits for the outcome would wait for ever
            self._sweep()
            self._outcome = outcome

    def _teach(self, folder: Path) -> Outcome:
        write_request(self._request, folder)
        environment = {**os.environ, **_ENVIRONMENT, "PYTHONPATH": os.pathsep.join((str(_ROOT), *_python_path()))}
        with (folder / "log").open("w+", encoding="utf-8", errors="replace") as log:  # a library may write any bytes
            with self._lock:
                if self._cancelled.is_set():
                    return TeachingCancelled()
                with without_ctrl_c():  # cancel() ends it
                    self._process = subprocess.Popen(
                        [*self._command, str(folder)],
                        stdout=subprocess.PIPE,
                        stderr=log,
                        stdin=subprocess.DEVNULL,
                        env=environment,
                        text=True,
                        encoding="utf-8",
                        errors="replace",
                    )
            outcome = self._follow(self._process)
            status = self._process.wait()
            log.seek(0)
            said = log.read()[-2000:].strip().splitlines()
        if outcome is not None:
            return outcome
        if self._cancelled.is_set():
            return TeachingCancelled()
        reason = said[-1] if said else f"exit status {status}"
        return TeachingFailed(f"teaching has stopped ({reason}); try again, with fewer examples where memory is short")

    def _follow(self, process: "subprocess.Popen[str]") -> Outcome | None:
        """Read its lines to the end; what it said of the outcome."""
        outcome: Outcome | None = None
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                values = _values(line)
                if "error" in values:
                    outcome = TeachingFailed(str(values["error"]))
                elif "folder" in values:
                    outcome = TeachingDone(Path(str(values["folder"])), values.get("check") or {})
                elif isinstance(part := values.get("part"), int | float):
                    self._tell(str(values.get("stage", "")), min(max(float(part), 0.0), 1.0))
        return outcome

    def _tell(self, stage: str, part: float) -> None:
        passed_s = time.monotonic() - self._started_s
        remaining_s = passed_s * (1 - part) / part if part > 0.05 else None
        self._progress = Progress(stage, part, remaining_s)
        self._told_s, self._idle_then_s, self._used_then_s = time.monotonic(), _idle_s(), self._used_s()

    def _starves(self) -> bool:
        quiet_s = time.monotonic() - self._told_s
        if quiet_s < _QUIET_S or self._process is None or self._outcome is not None:
            return False
        full = _idle_s() - self._idle_then_s < _HARDLY * quiet_s * psutil.cpu_count()
        return full and self._used_s() - self._used_then_s < _ITS_SHARE * quiet_s

    def _used_s(self) -> float:
        """Processor seconds that the process has used."""
        process = self._process
        with contextlib.suppress(psutil.Error):
            if process is not None:
                times = psutil.Process(process.pid).cpu_times()
                return float(times.user + times.system)
        return 0.0

    def _sweep(self) -> None:
        """Take away what this job, or one that was killed long ago, was writing; and folders that hold no model."""
        home = self._request.models / self._request.name
        with contextlib.suppress(OSError):
            for entry in home.glob(".part-*"):
                if entry.name == self._request.part or time.time() - entry.stat().st_mtime > _STALE_S:
                    shutil.rmtree(entry, ignore_errors=True)
            home.rmdir()  # fails, as it should, where there is a version


def _idle_s() -> float:
    """Idle seconds of all processors together."""
    times = psutil.cpu_times()
    return float(times.idle + getattr(times, "iowait", 0.0))


def command_of(kind: str) -> list[str]:
    """The command that teaches. Raises UsageError where it is not installed."""
    if kind != FULL:
        return [sys.executable, "-m", "recognizer.teaching"]
    if importlib.util.find_spec("torch") is None or importlib.util.find_spec("lightning") is None:
        raise UsageError(
            f"Full training needs more than is installed; run: {install_command('train')}, or choose Quick"
        )
    return [sys.executable, "-m", "recognizer.training", "fine-tune"]


def _end(process: "subprocess.Popen[str]") -> None:
    """Ask it to end, and kill it if it has not ended after a moment."""
    with contextlib.suppress(OSError):
        process.terminate()

    def kill() -> None:
        with contextlib.suppress(OSError):
            try:
                process.wait(_CLEANUP_S)
            except subprocess.TimeoutExpired:
                process.kill()

    threading.Thread(target=kill, name="end of teaching", daemon=True).start()


def _values(line: str) -> dict[str, Any]:
    """The JSON object of a line; empty where it is none, as a library's own message."""
    try:
        values = json.loads(line)
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def _python_path() -> list[str]:
    return [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
