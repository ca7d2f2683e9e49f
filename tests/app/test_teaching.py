"""Teaching in a process of its own: watched, cancelled, failing, and what it leaves behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from teaching_examples import made_examples, write_base

from app import teaching_process
from app.errors import UsageError
from app.teaching_process import TeachingCancelled, TeachingDone, TeachingFailed, TeachingJob
from app.ui.teaching.report import progress_text
from recognizer.onnx_recognizer import OnnxRecognizer
from recognizer.teaching.request import FULL, QUICK, TeachingRequest

TIMEOUT_S = 300.0


def request_of(tmp_path, base=Path("nowhere"), examples=3):
    return TeachingRequest(QUICK, "gym", base, tmp_path / "models", made_examples(examples=examples))


def script(tmp_path, text):
    """A command that stands for the process that teaches."""
    path = tmp_path / "stand_in.py"
    path.write_text(f"import sys, json, time, pathlib\nsay = lambda **v: print(json.dumps(v), flush=True)\n{text}\n")
    return [sys.executable, str(path)]


def test_from_examples_to_a_model_that_loads_like_any_other(tmp_path):
    job = TeachingJob(request_of(tmp_path, write_base(tmp_path / "toy")))
    outcome = job.wait(TIMEOUT_S)
    assert isinstance(outcome, TeachingDone), outcome
    assert job.progress.part == 1
    assert outcome.check["checks"][0]["clips"] == 9
    recognizer = OnnxRecognizer(outcome.folder, "cpu")
    assert recognizer.actions == ("bow", "raise", "step", "other")
    recognizer.close()
    assert [entry.name for entry in (tmp_path / "models" / "gym").iterdir()] == ["1"]


def test_a_mistake_comes_back_as_its_one_line(tmp_path):
    outcome = TeachingJob(request_of(tmp_path, examples=2)).wait(TIMEOUT_S)
    assert isinstance(outcome, TeachingFailed)
    assert "record 1 more" in outcome.message
    assert not (tmp_path / "models").exists() or not any((tmp_path / "models").iterdir())


def test_progress_and_the_remaining_time_are_told(tmp_path):
    command = script(
        tmp_path,
        "print('not JSON'); print('[1]'); say(stage='preparing', part=0.5)\n"
        "while not (pathlib.Path(sys.argv[-1]).parent / 'never').exists(): time.sleep(0.05)",
    )
    job = TeachingJob(request_of(tmp_path), command)
    deadline = time.monotonic() + TIMEOUT_S
    while job.progress.part == 0 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (job.progress.stage, job.progress.part) == ("preparing", 0.5)
    assert job.progress.remaining_s > 0
    assert job.outcome is None
    job.cancel()
    assert job.wait(TIMEOUT_S) == TeachingCancelled()


@pytest.mark.parametrize(("idle_s", "starves"), [(0.0, True), (1000.0, False)])
def test_what_gets_nothing_of_the_processor_says_so(tmp_path, monkeypatch, idle_s, starves):
    idle = [0.0]
    monkeypatch.setattr(teaching_process, "_idle_s", lambda: idle[0])
    job = TeachingJob(request_of(tmp_path), script(tmp_path, "say(stage='preparing', part=0.1); time.sleep(600)"))
    while job.progress.part == 0:
        time.sleep(0.02)
    assert not job.progress.starves, "it has just told how far it is"
    idle[0] = idle_s
    time.sleep(0.2)
    monkeypatch.setattr(teaching_process, "_QUIET_S", 0.1)
    assert job.progress.starves == starves
    assert ("Other programs use the whole processor" in progress_text(job.progress)) == starves
    job.cancel()
    assert job.wait(TIMEOUT_S) == TeachingCancelled()
    assert not job.progress.starves


@pytest.mark.skipif(os.name == "nt", reason="priorities as on POSIX")
@pytest.mark.parametrize("before", [0, 15])
def test_its_priority_is_low_and_still_lets_it_go_on(before):
    code = (
        f"import os; os.nice({before}); from recognizer.teaching.__main__ import lower_priority; lower_priority()\n"
        "print(os.nice(0), getattr(os, 'sched_getscheduler', lambda _: 0)(0))"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    nice, policy = map(int, child.stdout.split())
    assert nice == min(max(10, os.nice(0) + before), 19)
    assert policy == 0, "not the class that gets only what nobody else wants"


def test_cancelled_while_it_writes_nothing_is_left(tmp_path):
    command = script(
        tmp_path,
        "request = json.loads((pathlib.Path(sys.argv[-1]) / 'request.json').read_text())\n"
        "part = pathlib.Path(request['models']) / request['name'] / request['part']\n"
        "part.mkdir(parents=True); (part / 'model.onnx').write_bytes(b'half')\n"
        "say(stage=sys.argv[-1], part=0.9); time.sleep(600)",
    )
    job = TeachingJob(request_of(tmp_path), command)
    deadline = time.monotonic() + TIMEOUT_S
    while job.progress.part == 0 and time.monotonic() < deadline:
        time.sleep(0.02)
    folder = Path(job.progress.stage)
    assert folder.is_dir()
    job.cancel()
    assert job.wait(TIMEOUT_S) == TeachingCancelled()
    assert not folder.exists()
    assert not (tmp_path / "models" / "gym").exists()


def test_a_process_that_does_not_listen_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(teaching_process, "_CLEANUP_S", 0.2)
    command = script(
        tmp_path,
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); say(stage='deaf', part=0.1); time.sleep(600)",
    )
    job = TeachingJob(request_of(tmp_path), command)
    while job.progress.stage != "deaf":
        time.sleep(0.02)
    job.cancel()
    assert job.wait(TIMEOUT_S) == TeachingCancelled()


@pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")
def test_ctrl_c_is_left_to_the_program_which_cancels(tmp_path):
    command = script(tmp_path, "say(stage='at work', part=0.1); time.sleep(0.3); say(folder='here', check={})")
    job = TeachingJob(request_of(tmp_path), command)
    while job.progress.stage != "at work":
        time.sleep(0.02)
    job._process.send_signal(signal.SIGINT)
    assert job.wait(TIMEOUT_S) == TeachingDone(Path("here"), {})


def test_a_process_that_dies_is_told_with_its_last_words(tmp_path):
    outcome = TeachingJob(request_of(tmp_path), script(tmp_path, "sys.exit('out of luck')")).wait(TIMEOUT_S)
    assert isinstance(outcome, TeachingFailed)
    assert "out of luck" in outcome.message
    assert "\n" not in outcome.message


def test_last_words_in_another_encoding_are_read_all_the_same(tmp_path):
    dies = "sys.stderr.buffer.write(b'out of luck in a caf\\xe9'); sys.exit(1)"
    outcome = TeachingJob(request_of(tmp_path), script(tmp_path, dies)).wait(TIMEOUT_S)
    assert isinstance(outcome, TeachingFailed)
    assert "out of luck in a caf\ufffd" in outcome.message


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # it is in the log, as it should
def test_whatever_goes_wrong_the_job_has_an_outcome(tmp_path, monkeypatch):
    def broken(*_):
        raise ValueError("nobody thought of this")

    monkeypatch.setattr(teaching_process, "write_request", broken)
    outcome = TeachingJob(request_of(tmp_path), script(tmp_path, "")).wait(TIMEOUT_S)
    assert isinstance(outcome, TeachingFailed)


def test_a_disk_that_takes_no_request_is_told(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(teaching_process, "write_request", full)
    outcome = TeachingJob(request_of(tmp_path), script(tmp_path, "")).wait(TIMEOUT_S)
    assert isinstance(outcome, TeachingFailed)
    assert "No space left on device" in outcome.message


def test_old_leftovers_are_swept_and_versions_stay(tmp_path):
    home = tmp_path / "models" / "gym"
    for name in ("1", ".part-old", ".part-new"):
        (home / name).mkdir(parents=True)
    os.utime(home / ".part-old", (0, 0))
    TeachingJob(request_of(tmp_path), script(tmp_path, "sys.exit(1)")).wait(TIMEOUT_S)
    assert sorted(entry.name for entry in home.iterdir()) == [".part-new", "1"]


def test_full_without_its_libraries_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(teaching_process.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r'pip install -e ".\[train\]"'):
        teaching_process.command_of(FULL)
    assert teaching_process.command_of(QUICK)[-1] == "recognizer.teaching"
