import io
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from app import models
from app.cli import main, parse
from app.errors import UsageError
from app.outputs.json_lines import write_json
from app.settings import RunOptions, UserSettings
from pose.camera_request import CameraRequest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def display(monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture
def no_display(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)


def printed_in_latin(monkeypatch, run):
    """What stdout gets where a system's encoding is Western European."""
    raw = io.BytesIO()
    with (
        monkeypatch.context() as patch
    ):  # in the test itself: between fixtures and test, pytest puts its own stdout back
        patch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="cp1252", write_through=True))
        run()
        return raw.getvalue().decode("cp1252")


def test_recognizers_with_names_of_another_script_are_listed(monkeypatch):
    monkeypatch.setattr(models, "table", lambda: "跳 mine\n")
    assert printed_in_latin(monkeypatch, lambda: main(["--list-models"])).splitlines() == [r"\u8df3 mine"]


def test_a_report_on_stdout_is_json_whatever_the_encoding(monkeypatch):
    report = {"name": "跳 😀 é"}
    assert json.loads(printed_in_latin(monkeypatch, lambda: write_json("-", report))) == report


def test_every_option_arrives(display):
    typed = (
        "--model st-gcn --camera rtsp://host/x --people 2 --provider cuda --pose-model a.task --mirror "
        "--camera-size 1280x720 --camera-fps 60 --no-mjpg --seconds 2.5 --paced --headless --json - "
        "--events ws://127.0.0.1:1 --save out.mp4 --verbose"
    )
    command = parse(typed.split(), UserSettings())
    assert command.options == RunOptions(
        model="st-gcn",
        source="rtsp://host/x",
        people=2,
        provider="cuda",
        paced=True,
        mirror=True,
        seconds=2.5,
        pose_model=Path("a.task"),
        save=Path("out.mp4"),
        json="-",
        events="ws://127.0.0.1:1",
        camera=CameraRequest(1280, 720, 60.0, mjpg=False),
    )
    assert command.headless
    assert command.verbose


def test_the_defaults(display):
    options = parse([], UserSettings()).options
    assert (options.source, options.model, options.people, options.paced) == ("auto", "act", 1, True)
    assert not parse(["--headless"], UserSettings()).options.paced


def test_the_window_remembers_and_headless_does_not(display):
    remembered = UserSettings(source="demo", people=2, mirror=True)
    assert parse([], remembered).options.source == "demo"
    assert parse([], remembered).options.mirror
    assert parse(["--camera", "1", "--no-mirror"], remembered).options.source == "1"
    assert not parse(["--camera", "1", "--no-mirror"], remembered).options.mirror
    assert parse(["--headless"], remembered).options.source == "auto"
    assert parse(["--headless"], remembered).options.people == 1


def test_without_a_display_it_says_so_and_runs_headless(no_display, capsys):
    command = parse([], UserSettings())
    assert command.headless
    assert not command.options.paced
    assert capsys.readouterr().err.count("\n") == 1
    assert not parse(["--doctor"], UserSettings()).headless
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--people", "9"],
        ["--people", "0"],
        ["--people", "two"],
        ["--pose", "mediapipe", "--people", "5"],
        ["--pose", "mediapipe", "--pose-quality", "lite"],
        ["--people", "one"],
        ["--seconds", "0"],
        ["--seconds", "nan"],
        ["--seconds", "inf"],
        ["--camera-size", "1280"],
        ["--camera-size", "0x7"],
        ["--nonsense"],
        ["stray"],
        ["--mod", "act"],
        ["--json"],
        ["--doctor", "--bench", "x"],
    ],
)
def test_a_mistake_is_one_line_that_says_how_to_go_on(arguments, display, capsys):
    with pytest.raises(UsageError):
        parse(arguments, UserSettings())
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "--help" in told.err


def test_help_needs_nothing_heavy():
    code = (
        "import sys; from app.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = {'numpy', 'cv2', 'mediapipe', 'onnxruntime', 'PySide6', 'av', 'scipy', 'torch'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    for option in ("--model", "--camera", "--headless", "--json", "--events", "--save", "--doctor", "--bench"):
        assert option in done.stdout


def test_tracebacks_go_to_the_log_file_and_not_to_the_console(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    from app.cli import start_logging

    start_logging(verbose=False)
    logging.getLogger("app").warning("look here")
    try:
        raise RuntimeError("deep inside")
    except RuntimeError:
        logging.getLogger("app").exception("it failed")
    assert capsys.readouterr().err == "warning: look here\n"
    if sys.platform.startswith("linux"):
        (log_file,) = tmp_path.rglob("*.log")
        assert "RuntimeError: deep inside" in log_file.read_text()


def test_explaining_needs_a_video_to_draw_into():
    assert parse(["--headless", "--explain", "--save", "out.mp4"], UserSettings()).options.explain
    assert not parse(["--headless", "--save", "out.mp4"], UserSettings()).options.explain
    with pytest.raises(UsageError, match="give --save"):
        parse(["--headless", "--explain"], UserSettings())


def test_the_log_leaves_out_what_libraries_say_of_themselves(tmp_path, monkeypatch):
    from app.cli import start_logging

    monkeypatch.setattr("platformdirs.user_log_path", lambda *_, **__: tmp_path)
    start_logging(verbose=False)
    logging.getLogger("matplotlib.font_manager").info("generated new fontManager")
    logging.getLogger("app.live.engine").info("the source did not close in time")
    logging.getLogger("some.library").warning("the disk is full")
    (log_file,) = tmp_path.rglob("*.log")
    said = log_file.read_text()
    assert "fontManager" not in said
    assert "did not close in time" in said
    assert "the disk is full" in said


def test_benchmarks_are_one_at_a_time_and_belong_to_bench():
    assert parse(["--bench", "demo", "--everything"], UserSettings()).everything
    assert not parse(["--bench", "demo"], UserSettings()).everything
    with pytest.raises(UsageError, match="--everything belongs to --bench"):
        parse(["--everything"], UserSettings())
    with pytest.raises(UsageError, match="--teaching belongs to --bench"):
        parse(["--teaching"], UserSettings())
    with pytest.raises(UsageError, match="--teaching and --everything are two benchmarks"):
        parse(["--bench", "demo", "--teaching", "--everything"], UserSettings())
    with pytest.raises(UsageError, match="--explain and --teaching are two benchmarks"):
        parse(["--bench", "demo", "--teaching", "--explain"], UserSettings())
