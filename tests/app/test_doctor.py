import json
import os
import sys
from pathlib import Path

import pytest

from app.settings import RunOptions
from app.tools import doctor, doctor_system
from app.tools.doctor import examine, run_doctor, table
from app.tools.doctor_system import REINSTALL, Check, Status
from pose.errors import ActionLensError

OPTIONS = RunOptions()


def statuses(checks) -> list[Status]:
    return [check.status for check in checks]


def fine(options: RunOptions):
    yield Check("fine", Status.OK, "all is well")


def warns(options: RunOptions):
    yield Check("warns", Status.WARN, "slow", "hurry up")


def fails(options: RunOptions):
    yield Check("fails", Status.FAIL, "gone", "bring it back")


def breaks(options: RunOptions):
    yield Check("before", Status.OK, "seen")
    raise RuntimeError("two\nlines")


def lacks_a_module(options: RunOptions):
    import a_module_that_is_not_there  # noqa: F401

    yield from ()


def says_what_is_wrong(options: RunOptions):
    raise ActionLensError("no such thing: make one")


def test_a_check_that_breaks_is_a_finding_and_stops_no_other():
    checkers = (("one", breaks), ("two", lacks_a_module), ("three", says_what_is_wrong), ("four", fine))
    found = examine(OPTIONS, checkers)
    assert [(c.name, c.status) for c in found] == [
        ("before", Status.OK),
        ("one", Status.FAIL),
        ("two", Status.FAIL),
        ("three", Status.FAIL),
        ("fine", Status.OK),
    ]
    broken = next(c for c in found if c.name == "one")
    assert "RuntimeError: two" in broken.detail
    assert all("\n" not in c.detail for c in found)
    assert next(c for c in found if c.name == "two").fix == REINSTALL
    assert next(c for c in found if c.name == "three").detail == "no such thing: make one"


def test_the_table_has_each_fix_under_its_finding():
    lines = table([*fine(OPTIONS), *warns(OPTIONS), *fails(OPTIONS)]).splitlines()
    assert [line.split()[0] for line in lines if line] == ["OK", "WARN", "fix:", "FAIL", "fix:", "1"]
    assert lines[2].strip() == "fix: hurry up"
    assert lines[-1] == "1 fine, 1 warnings, 1 failures"


@pytest.mark.parametrize(("checkers", "status"), [((fine, warns), 0), ((fine, fails), 1)])
def test_exit_status_and_json(monkeypatch, capsys, tmp_path: Path, checkers, status: int):
    monkeypatch.setattr(doctor, "CHECKERS", tuple((c.__name__, c) for c in checkers))
    report = tmp_path / "report.json"
    assert run_doctor(RunOptions(json=str(report))) == status
    assert "all is well" in capsys.readouterr().out
    written = json.loads(report.read_text(encoding="utf-8"))
    assert written["ok"] is (status == 0)
    assert written["checks"][0] == {"name": "fine", "status": "OK", "detail": "all is well", "fix": ""}
    assert run_doctor(RunOptions(json="-")) == status
    assert json.loads(capsys.readouterr().out) == written


def test_this_python_is_fine_and_an_old_one_is_not(monkeypatch):
    assert statuses(doctor_system.check_python(OPTIONS)) == [Status.OK]
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    [check] = doctor_system.check_python(OPTIONS)
    assert check.status is Status.FAIL
    assert "3.11" in check.fix


@pytest.fixture
def packages(monkeypatch):
    """Versions that seem to be installed; change them at will."""
    versions = dict.fromkeys((*doctor_system._PACKAGES, doctor_system._ORT), "1.0") | {"mediapipe": "0.10.33"}
    monkeypatch.setattr(doctor_system, "_version", versions.get)
    return versions


def test_packages_that_are_there(packages):
    [check] = doctor_system.check_packages(OPTIONS)
    assert check.status is Status.OK
    assert "mediapipe 0.10.33" in check.detail


def test_a_missing_package(packages):
    del packages["av"]
    [check] = doctor_system.check_packages(OPTIONS)
    assert (check.status, check.detail, check.fix) == (Status.FAIL, "missing: av", REINSTALL)


def test_another_mediapipe(packages):
    packages["mediapipe"] = "1.2.2"
    assert statuses(doctor_system.check_packages(OPTIONS)) == [Status.OK, Status.WARN]


@pytest.mark.parametrize("beside", ["opencv-python", "opencv-python-headless", "onnxruntime-directml"])
def test_packages_that_overwrite_each_other(packages, beside: str):
    packages[beside] = "1.0"
    _, clash = doctor_system.check_packages(OPTIONS)
    assert clash.status is Status.FAIL
    assert f"pip uninstall -y {'onnxruntime' if 'onnx' in beside else 'opencv-contrib'}" in clash.fix
    assert beside in clash.fix


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux lacks system libraries")
def test_missing_system_libraries_come_with_the_line_to_type(monkeypatch):
    monkeypatch.setattr(doctor_system, "_LIBRARIES", {"libc.so.6": "libc6", "libnot-there.so.1": "libnot-there1"})
    monkeypatch.setattr(doctor_system, "_X11_LIBRARIES", {"libxcb-not-there.so.0": "libxcb-not-there0"})
    [check] = doctor_system.check_system_libraries(OPTIONS)
    assert check.status is Status.FAIL
    assert check.fix.startswith("sudo apt-get install")
    assert check.fix.endswith("libnot-there1 libxcb-not-there0")
    assert "libc.so.6" not in check.detail
    monkeypatch.setattr(doctor_system, "_LIBRARIES", {"libc.so.6": "libc6"})
    [check] = doctor_system.check_system_libraries(OPTIONS)
    assert check.status is Status.WARN


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a display")
def test_no_display(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    [check] = doctor_system.check_display(OPTIONS)
    assert check.status is Status.WARN
    assert "--headless" in check.fix


def test_a_display_is_really_tried(monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    [check] = doctor_system.check_display(OPTIONS)
    assert check.status is Status.OK
    assert "offscreen" in check.detail
    monkeypatch.setenv("QT_QPA_PLATFORM", "no-such-platform")  # Qt ends the process that asks for it
    [check] = doctor_system.check_display(OPTIONS)
    assert check.status is Status.WARN


def test_a_qt_that_breaks_python(monkeypatch):
    [check] = doctor_system.check_qt(OPTIONS)
    broken = doctor_system._version("PySide6-Essentials") == "6.12.0" and sys.version_info < (3, 12)
    assert check.status is (Status.FAIL if broken else Status.OK)
    monkeypatch.setattr(doctor_system, "_COUNT_LOST_REFERENCES", "print('6.12.0', 500)")
    [check] = doctor_system.check_qt(OPTIONS)
    assert check.status is Status.FAIL
    assert "6.11" in check.fix
    monkeypatch.setattr(doctor_system, "_COUNT_LOST_REFERENCES", "raise ImportError('libEGL.so.1 is missing')")
    [check] = doctor_system.check_qt(OPTIONS)
    assert "libEGL.so.1 is missing" in check.detail


def test_a_pose_model_that_is_not_built_yet(monkeypatch, tmp_path: Path):
    monkeypatch.delenv("ACTIONLENS_POSE_MODEL", raising=False)
    monkeypatch.setattr("pose.model_asset.cached_path", lambda: tmp_path / "pose.task")
    [check] = doctor.check_pose_model(OPTIONS)
    assert check.status is Status.WARN
    assert "pose.model_asset" in check.fix


@pytest.mark.parametrize("there", [True, False])
def test_a_pose_model_that_is_none(tmp_path: Path, there: bool):
    path = tmp_path / "pose.task"
    if there:
        path.write_bytes(b"no model")
    checkers = (("pose model", doctor.check_pose_model),)
    [check] = examine(RunOptions(pose_model=path), checkers)
    assert check.status is Status.FAIL
    assert str(path) in check.detail


def test_no_recognizer_at_all(monkeypatch, tmp_path: Path):
    monkeypatch.setattr("recognizer.model_card.weights_folders", lambda: (tmp_path,))
    check, gpu = doctor.check_recognizers(OPTIONS)
    assert (check.name, check.status, gpu.name) == ("recognizer act", Status.FAIL, "GPU")
    assert "weights" in check.fix


def test_a_damaged_recognizer_fails_and_the_rest_goes_on(monkeypatch, tmp_path: Path):
    (tmp_path / "act").mkdir()
    (tmp_path / "act" / "card.json").write_text("{")
    monkeypatch.setattr("recognizer.model_card.weights_folders", lambda: (tmp_path,))
    found = examine(RunOptions(model="act"), (("recognizers", doctor.check_recognizers),))
    assert [check.name for check in found] == ["recognizer act", "GPU"]
    assert found[0].status is Status.FAIL
    assert "card.json" in found[0].detail


@pytest.mark.skipif(sys.platform == "win32", reason="makes an executable of a shell script")
def test_a_gpu_that_is_not_used_says_why(monkeypatch, tmp_path: Path):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA Something, 580.1'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    [idle] = doctor._check_gpu(["cpu"], "cuda does not work: libcudart is missing")
    assert idle.status is Status.WARN
    assert "NVIDIA Something" in idle.detail
    assert "libcudart is missing" in idle.detail
    assert "cuda" in idle.fix
    [used] = doctor._check_gpu(["cpu", "cuda"], "")
    assert used.status is Status.OK
    program.write_text("#!/bin/sh\necho 'NVIDIA-SMI has failed'\nexit 9\n")
    [none] = doctor._check_gpu(["cpu"], "")
    assert none.detail.startswith("no NVIDIA GPU")


def test_folders_that_cannot_be_written_or_are_full(monkeypatch, tmp_path: Path):
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *a, **k: tmp_path / "new" / "folder")
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("platformdirs.user_config_path", lambda *a, **k: tmp_path / "file")
    monkeypatch.setattr("platformdirs.user_data_path", lambda *a, **k: tmp_path / "file" / "recordings")
    found = {check.name: check for check in doctor_system.check_folders(OPTIONS)}
    assert found["cache folder"].status is Status.OK
    assert found["settings folder"].status is Status.WARN
    assert found["recordings folder"].status is Status.WARN
    assert not (tmp_path / "new").exists()
    monkeypatch.setattr(doctor_system, "_FREE_MB", 10**9)
    assert all(check.fix for check in doctor_system.check_folders(OPTIONS))


@pytest.mark.parametrize(
    ("typical_ms", "found", "status", "words"),
    [
        (12.0, 20, Status.OK, ""),
        (114.0, 20, Status.WARN, "slower than a camera"),
        (640.0, 20, Status.FAIL, "recognition needs at least 2 per second"),
        (12.0, 3, Status.FAIL, "built again"),
    ],
)
def test_the_rate_of_poses_is_judged(typical_ms, found, status, words):
    check = doctor._judge_poses(typical_ms, found, 20, "delete pose.task so that it is built again")
    assert check.status is status
    assert words in (check.fix or "")
    assert ("1.6 per second" in check.detail) == (typical_ms == 640)
