"""Every reader of a user's file, on files that are a little wrong; and that the fuzzing would notice."""

import os
import sys
import time

import pytest

from benchmarks.fuzz import child, driver, readers
from benchmarks.fuzz.driver import Findings, Worker, fuzz, refused_valid_files
from benchmarks.fuzz.readers import Reader, all_readers
from pose.errors import ActionLensError
from recognizer.datasets.registry import DATASETS

SLOW = {"utd_mhad", "penn_action"}  # a process for each file
INPUTS = 2


@pytest.mark.timeout(600)
def test_every_reader_takes_a_few_wrong_files(tmp_path):
    worker, findings, known = Worker(), Findings(tmp_path), all_readers()
    try:
        assert refused_valid_files(known, worker) == []
        for number, (name, reader) in enumerate(known.items()):
            wrong = fuzz(name, reader.files(), worker, 1 if name in SLOW else INPUTS, 7000 + number, findings)
            assert wrong == [], f"{name}: {wrong[0].kind} {wrong[0].line}"
    finally:
        worker.close()
    assert set(findings.counts) == set(known)
    assert sum(findings.counts.values()) >= INPUTS * (len(known) - len(SLOW))
    assert sum(findings.refused.values()) > 0


def test_every_data_set_is_fuzzed():
    assert set(DATASETS) <= set(all_readers())


# That it would notice.


def crash(_folder):
    return [][1]


def say_two_lines(_folder):
    raise ActionLensError("one\ntwo")


def refuse(_folder):
    raise ActionLensError("no; give another file")


def write_outside(folder):
    (folder.parent / "cwd" / "escape").write_text("x")


def move_outside(folder):
    (folder / "a").write_text("")
    os.rename(folder / "a", folder.parent / "home" / "a")


def write_inside(folder):
    (folder / "a").write_text("")
    (folder / "a").unlink()


def hang(_folder):
    end_s = time.process_time() + 60
    while time.process_time() < end_s:
        pass


def eat(_folder):
    return bytearray(b"x") * (1200 << 20)


def die(_folder):
    os.kill(os.getpid(), 9)


OF_ONE = {
    "crash": (crash, "crash"),
    "untidy": (say_two_lines, "untidy"),
    "told": (refuse, "told"),
    "writes": (write_outside, "escape"),
    "moves": (move_outside, "escape"),
    "inside": (write_inside, "fine"),
}


@pytest.mark.parametrize("name", OF_ONE)
def test_what_is_wrong_is_called_so(name, tmp_path):
    for folder in ("case", "cwd", "home"):
        (tmp_path / folder).mkdir()
    read, kind = OF_ONE[name]
    guard = child._Guard(tmp_path)
    sys.addaudithook(guard)
    assert child._run_reader(read, tmp_path / "case", guard).kind == kind


def others():
    return {name: Reader(dict, read) for name, read in (("hang", hang), ("die", die), ("eat", eat), ("fine", len))}


def answer_with_others(connection, jail):
    readers.all_readers = lambda: {**others(), "fine": Reader(dict, lambda folder: None)}
    child.main(connection, jail)


@pytest.mark.timeout(300)
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_child_that_hangs_dies_or_eats_is_told(monkeypatch):
    monkeypatch.setattr(driver, "HANG_S", 1.0)
    monkeypatch.setattr(driver, "run_child", answer_with_others)
    worker = Worker()
    try:
        kinds = [worker.ask(name, {}).kind for name in ("fine", "hang", "fine", "die", "fine")]
        monkeypatch.setattr(driver, "HANG_S", 60.0)
        kinds.append(worker.ask("eat", {}).kind)
    finally:
        worker.close()
    assert kinds == ["fine", "hang", "fine", "died", "fine", "memory"]


def test_findings_are_kept_once_and_tried_again(tmp_path):
    findings = Findings(tmp_path)
    verdict = child.Verdict("crash", "Traceback", "IndexError at a.py:1")
    files = {"card.json": b"{", "below/b.bin": b"\x00"}
    assert findings.add("card", files, verdict)
    assert not findings.add("card", {"card.json": b"["}, verdict)
    findings.rounds, findings.counts["card"] = 3, 50
    findings.save()
    again = Findings(tmp_path)
    assert (again.rounds, again.counts["card"]) == (3, 50)
    assert again.saved() == [("card", files)]
    assert not again.add("card", files, verdict)
