"""The process that reads mutated files: with little memory, no writes outside its folder, a verdict on each input."""

import faulthandler
import logging
import os
import resource
import shutil
import sys
import tempfile
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

FINE, TOLD = "fine", "told"
GOOD = (FINE, TOLD)
MOST_BYTES = 1 << 30
_SLACK_BYTES = 2 << 30  # of address space, which a reader may ask for without using it
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_TWO_PATHS = {"os.rename", "os.link", "os.symlink", "shutil.move", "shutil.copyfile"}
_RELATIVE = {"os.rename", "os.link", "os.symlink", "os.mkdir", "os.remove", "os.rmdir", "os.chmod", "os.chown"}
_ONE_PATH = {"os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.chmod", "os.chown", "shutil.rmtree"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """kind: FINE (read), TOLD (refused in one line), or what is wrong: "crash", "untidy", "escape", "memory";
    the parent adds "hang", "died".

    line: what the user would read, or what happened. where: in which line of code, to tell findings apart.
    """

    kind: str
    line: str = ""
    where: str = ""


def main(connection: Connection, jail: Path) -> None:
    """Answer (reader, {name: bytes}) with Verdicts until None comes."""
    sys.dont_write_bytecode = True
    faulthandler.enable()
    logging.getLogger().setLevel(logging.CRITICAL)
    case, temporary = jail / "case", jail / "tmp"
    for folder in (jail / "home", jail / "cwd", temporary):
        folder.mkdir(parents=True, exist_ok=True)
    os.chdir(jail / "cwd")
    tempfile.tempdir = str(temporary)
    from benchmarks.fuzz.readers import all_readers  # after chdir: what a reader stores stays in the jail

    readers = all_readers()
    guard = _Guard(jail)
    sys.addaudithook(guard)
    _limit_memory()
    while (task := connection.recv()) is not None:
        name, files = task
        _recreate(case)
        _recreate(jail / "case-library")
        write_files(case, files)
        connection.send(_run_reader(readers[name].read, case, guard))


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    """Write a case's files into an existing folder."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def _run_reader(read: Any, case: Path, guard: "_Guard") -> Verdict:
    before = _peak_bytes()
    guard.begin()
    try:
        verdict = _call_reader(read, case)
    finally:
        escapes = guard.end()
    if escapes:
        return Verdict("escape", "; ".join(escapes)[:500], escapes[0].partition(" ")[0])
    if (grown := _peak_bytes() - before) > MOST_BYTES:
        return Verdict("memory", f"{grown >> 20} MB", verdict.where)
    return verdict


def _call_reader(read: Any, case: Path) -> Verdict:
    from pose.errors import ActionLensError

    try:
        read(case)
    except ActionLensError as error:
        line = str(error)
        tidy = line.strip() and "\n" not in line and len(line) < 1000
        return Verdict(TOLD if tidy else "untidy", line[:2000], _location(error))
    except BaseException as error:  # noqa: BLE001  whatever escapes a reader is a finding
        said = "".join(traceback.format_exception(error))[-3000:]
        return Verdict("crash", said, f"{type(error).__name__} at {_location(error)}")
    return Verdict(FINE)


def _location(error: BaseException) -> str:
    """The innermost line of our own code."""
    ours = [f for f in traceback.extract_tb(error.__traceback__) if "site-packages" not in f.filename]
    ours = [f for f in ours if "/benchmarks/" not in f.filename and "/lib/python" not in f.filename] or ours
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"


def _recreate(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _peak_bytes() -> int:
    if sys.platform == "linux":  # ru_maxrss there is at least what the parent had when it began this process
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _limit_memory() -> None:
    if sys.platform == "linux":
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + _SLACK_BYTES, used + _SLACK_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_BYTES * 2, MOST_BYTES * 2))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class _Guard:
    """Audit hook that records every file opened for writing, created, moved or removed outside the allowed folders."""

    def __init__(self, jail: Path) -> None:
        self._allowed = tuple(os.path.realpath(jail / name) for name in ("case", "case-library", "tmp"))
        self._watching = False
        self._escapes: list[str] = []

    def begin(self) -> None:
        self._escapes, self._watching = [], True

    def end(self) -> list[str]:
        self._watching = False
        return self._escapes

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._watching:
            return
        if event == "open":
            path, mode, flags = arguments
            writes = bool(flags & _WRITING) if isinstance(flags, int) else bool(set(str(mode)) & set("wax+"))
            paths = (path,) if writes else ()
        elif event in _TWO_PATHS:
            paths = arguments[1:2] if event in ("os.symlink", "shutil.copyfile") else arguments[:2]
        elif event in _ONE_PATH:
            paths = arguments[:1]
        else:
            return
        if event in _RELATIVE and arguments[-1] != -1:  # below a folder that is open, which was looked at then
            return
        for path in paths:
            self._check(event, path)

    def _check(self, event: str, path: Any) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return
        real = os.path.realpath(os.fsdecode(path))
        if real != os.devnull and not any(real == free or real.startswith(f"{free}{os.sep}") for free in self._allowed):
            self._escapes.append(f"{event} {real}")
