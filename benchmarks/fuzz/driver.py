"""The parent: mutates with hypothesis, asks the child, and keeps what went wrong."""

import json
import multiprocessing
import os
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import psutil
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from benchmarks.fuzz import child
from benchmarks.fuzz.child import GOOD, Verdict
from benchmarks.fuzz.child import main as run_child
from benchmarks.fuzz.content import to_bytes
from benchmarks.fuzz.mutations import mutated
from benchmarks.fuzz.readers import Reader

HANG_S = 5.0  # of the processor; on a busy machine a reader may wait long without being at fault
_TIMEOUT_S = 60.0
_START_TIMEOUT_S = 180.0
_POLL_S = 0.5
_CASES_PER_CHILD = 2000  # so that a leak in a library does not look like one input's


class Worker:
    """A child in a folder of its own, started at the first request, and again after it died or hung."""

    def __init__(self) -> None:
        self._jail = Path(tempfile.mkdtemp(prefix="actionlens-fuzz-"))
        self._process: Any = None
        self._requests = 0

    def ask(self, reader: str, files: dict[str, bytes]) -> Verdict:
        """The verdict on files that a reader reads."""
        if self._process is None or self._requests >= _CASES_PER_CHILD:
            self._start()
        self._requests += 1
        began_s, timeout_s = time.monotonic(), _START_TIMEOUT_S if self._requests == 1 else _TIMEOUT_S
        try:
            self._connection.send((reader, files))
            used_s = self._cpu_s()
            while not self._connection.poll(_POLL_S):
                spent_s = self._cpu_s() - used_s
                if (self._requests > 1 and spent_s > HANG_S) or time.monotonic() - began_s > timeout_s:
                    self._stop()
                    return Verdict("hang", f"{spent_s:.1f} s of the processor, {time.monotonic() - began_s:.1f} s")
            verdict: Verdict = self._connection.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            self._process.join(5)
            code = self._process.exitcode
            self._stop()
            return Verdict("died", f"exit code {code}", str(code))
        return verdict

    def close(self) -> None:
        self._stop()
        shutil.rmtree(self._jail, ignore_errors=True)

    def _start(self) -> None:
        self._stop()
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        names = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")
        home = dict.fromkeys(names, str(self._jail / "home"))
        before = {name: os.environ.get(name) for name in home}
        os.environ.update(home)
        try:
            self._process = context.Process(target=run_child, args=(theirs, self._jail), daemon=False)
            self._process.start()
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
        theirs.close()
        self._requests = 0

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._connection.close()
        self._process = None

    def _cpu_s(self) -> float:
        try:
            times = psutil.Process(self._process.pid).cpu_times()
        except psutil.NoSuchProcess:
            return 0.0
        return float(times.user + times.system)


class Findings:
    """A folder of inputs that went wrong, one of each kind, and the progress of the run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._state = folder / "state.json"
        values = json.loads(self._state.read_text()) if self._state.is_file() else {}
        self.rounds: int = values.get("rounds", 0)
        self.counts: Counter[str] = Counter(values.get("inputs", {}))
        self.refused: Counter[str] = Counter(values.get("refused", {}))
        self.known: list[str] = values.get("known", [])

    def add(self, reader: str, files: dict[str, bytes], verdict: Verdict) -> bool:
        """Save the input unless one like it is there; returns whether it is new."""
        signature = f"{reader}: {verdict.kind} {verdict.where}"
        if signature in self.known:
            return False
        self.known.append(signature)
        place = self.folder / f"{len(self.known):03d}-{reader}-{verdict.kind}"
        (place / "files").mkdir(parents=True)
        child.write_files(place / "files", files)
        (place / "verdict.txt").write_text(f"{signature}\n{verdict.line}\n")
        return True

    def save(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        values = {"rounds": self.rounds, "inputs": self.counts, "refused": self.refused, "known": self.known}
        self._state.write_text(json.dumps(values, indent=1) + "\n")

    def saved(self) -> list[tuple[str, dict[str, bytes]]]:
        """The inputs of earlier findings, with their readers."""
        found = []
        for place in sorted(self.folder.glob("[0-9]*-*")):
            files = {p.relative_to(place / "files").as_posix(): p.read_bytes() for p in (place / "files").rglob("*.*")}
            found.append((place.name.split("-")[1], files))
        return found


def refused_valid_files(readers: dict[str, Reader], worker: Worker) -> list[str]:
    """A line for each reader that refuses its valid files: fuzzing it would find nothing."""
    lines = []
    for name, reader in readers.items():
        verdict = worker.ask(name, {file: to_bytes(content) for file, content in reader.files().items()})
        if verdict.kind != child.FINE:
            lines.append(f"{name}: {verdict.kind} {verdict.line}")
    return lines


def fuzz(reader: str, files: Any, worker: Worker, count: int, number: int, findings: Findings) -> list[Verdict]:
    """Try `count` inputs on a reader; returns those that went wrong in a new way. One number gives the same inputs."""
    new: list[Verdict] = []

    @seed(number)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.randoms(use_true_random=True))
    def run(rng: Random) -> None:
        made = mutated(files, rng)
        verdict = worker.ask(reader, made)
        findings.counts[reader] += 1
        if verdict.kind == child.TOLD:
            findings.refused[reader] += 1
        if verdict.kind not in GOOD and findings.add(reader, made, verdict):
            new.append(verdict)

    run()
    return new
