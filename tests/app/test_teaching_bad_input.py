"""Teaching with what goes wrong on real machines: any name, a full disk, a base that is deleted meanwhile."""

import itertools
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace

import pytest
from teaching_examples import made_examples, write_base

from app.library.labels import MAX_LABEL
from app.teaching_process import TeachingDone, TeachingFailed, TeachingJob
from app.ui.teaching.library_summary import base_model
from recognizer.model_card import find_model
from recognizer.onnx_recognizer import OnnxRecognizer
from recognizer.teaching.request import QUICK, TeachingRequest
from recognizer.teaching.versions import place_version, plain_name, taught_model

TIMEOUT_S = 900.0  # far more than it takes: the process gives way to whatever else runs
pytestmark = pytest.mark.timeout(1800)

# `python -m recognizer.teaching` where no file may grow beyond some bytes, as on a disk that is full.
_SMALL_FILES = (
    "import resource, runpy, signal\n"
    "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    "resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))\n"
    "runpy.run_module('recognizer.teaching', run_name='__main__', alter_sys=True)\n"
)


@pytest.fixture
def base(tmp_path):
    return write_base(tmp_path / "toy")


def request_of(base, models, examples=None, name="gym"):
    return TeachingRequest(QUICK, name, base, models, examples or made_examples(examples=3))


def called(names):
    """Three examples of each action; only three differ in what is done."""
    moves = itertools.cycle(("raise", "step", "bow"))
    of = {name: made_examples((move,), 3) for name, move in zip(names, moves, strict=False)}
    return [
        replace(example, name=f"{index}/{example.name}", action=name)
        for index, name in enumerate(of)
        for example in of[name]
    ]


def left_in(folder):
    return sorted(path.name for path in folder.rglob("*")) if folder.exists() else []


def test_actions_of_any_name_are_taught_and_found_under_it(base, tmp_path):
    names = ("Grüße 👋", "挥手 تلويح", "../kick/left", "a\\b", ".", "x" * MAX_LABEL)
    outcome = TeachingJob(request_of(base, tmp_path / "models", called(names))).wait(TIMEOUT_S)
    assert isinstance(outcome, TeachingDone), outcome
    assert set(taught_model(outcome.folder).actions) == set(names)
    recognizer = OnnxRecognizer(outcome.folder, "cpu")
    assert recognizer.actions == (*sorted(names), "other")
    recognizer.close()
    assert outcome.folder == tmp_path / "models" / "gym" / "1"


@pytest.mark.parametrize("typed", ["挥手", "kick/left", "../../etc", "x" * 200, "con", "   "])
def test_a_recognizer_of_any_name_stays_in_the_folder_of_models(tmp_path, typed):
    name = plain_name(typed)
    folder = place_version(tmp_path / "models", name, ".part", lambda part: (part / "model.onnx").write_bytes(b""))
    assert folder.resolve().parent.parent == tmp_path / "models"
    assert folder.name == "1"
    assert len(name) < 200


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
def test_a_disk_that_fills_while_training_is_one_line_and_nothing_is_left(base, tmp_path):
    command = [sys.executable, "-c", _SMALL_FILES.format(size=2000)]
    outcome = TeachingJob(request_of(base, tmp_path / "models"), command).wait(TIMEOUT_S)
    assert isinstance(outcome, TeachingFailed), outcome
    assert outcome.message == ("the model cannot be written (File too large); make room or choose another folder")
    assert left_in(tmp_path / "models") == []


@pytest.fixture
def small_disk(tmp_path):
    """A disk of one page, which a model does not go into."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    made = mount and subprocess.run([mount, "-t", "tmpfs", "-o", "size=4k", "tmpfs", folder], capture_output=True)
    if not made or made.returncode:
        pytest.skip("no file system may be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.slow  # the same in short: test_a_disk_that_fills_while_training
def test_a_full_file_system_is_one_line_and_the_version_before_stays(base, tmp_path, small_disk):
    models = small_disk / "models"
    outcome = TeachingJob(request_of(base, models)).wait(TIMEOUT_S)
    assert isinstance(outcome, TeachingFailed), outcome
    assert "No space left on device" in outcome.message
    assert "make room" in outcome.message
    assert "\n" not in outcome.message
    assert left_in(models) == []


def test_a_base_that_is_gone_before_it_begins_is_one_line(base, tmp_path):
    request = request_of(base, tmp_path / "models")
    shutil.rmtree(base)
    outcome = TeachingJob(request).wait(TIMEOUT_S)
    assert isinstance(outcome, TeachingFailed), outcome
    assert str(base) in outcome.message
    assert "\n" not in outcome.message
    assert left_in(tmp_path / "models") == []


def test_a_base_that_is_deleted_while_it_trains_is_needed_no_more(base, tmp_path):
    job = TeachingJob(request_of(base, tmp_path / "models"))
    deadline_s = time.monotonic() + TIMEOUT_S
    while job.progress.part == 0 and job.outcome is None and time.monotonic() < deadline_s:
        time.sleep(0.005)
    with suppress(FileNotFoundError):
        shutil.rmtree(base)
    outcome = job.wait(TIMEOUT_S)
    assert isinstance(outcome, TeachingDone), outcome
    OnnxRecognizer(outcome.folder, "cpu").close()


def test_what_runs_and_is_deleted_is_built_on_no_more(tmp_path):
    gone = tmp_path / "models" / "mine" / "3"
    assert base_model(tmp_path, str(gone)) == find_model("act")
    gone.mkdir(parents=True)  # damaged: nothing is in it
    assert base_model(tmp_path, str(gone)) == find_model("act")
