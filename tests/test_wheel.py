"""The wheel of the tree: it holds the models, and what is installed of it runs from any folder without the checkout."""

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
OFFLINE = ("--no-deps", "--no-index", "--disable-pip-version-check", "--quiet")
pytestmark = pytest.mark.timeout(1800)
LARGEST_MB = 40  # docs/installing.md states the size


def pip(*arguments):
    subprocess.run([sys.executable, "-m", "pip", *map(str, arguments)], check=True, timeout=600)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", ROOT, "--no-build-isolation", "--wheel-dir", folder, *OFFLINE)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """installed(PROGRAM, ...) runs what the wheel brings, from an empty folder; the process that is done."""
    folder, elsewhere = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("elsewhere")
    pip("install", wheel, "--no-compile", "--target", folder, *OFFLINE)

    def run(*command):
        return subprocess.run(
            command,
            cwd=elsewhere,
            env={**os.environ, "PYTHONPATH": str(folder)},
            capture_output=True,
            text=True,
            timeout=900,
        )

    run.folder = folder
    return run


def test_it_holds_the_packages_the_models_and_the_licence_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    metadata = f"actionlens-{VERSION}.dist-info"
    assert {name.partition("/")[0] for name in names} == {"app", "pose", "recognizer", metadata}
    assert f"{metadata}/licenses/LICENSE" in names
    tracked = [path for path in (ROOT / "weights").rglob("*") if path.is_file()]
    for path in tracked:
        assert f"recognizer/weights/{path.relative_to(ROOT / 'weights').as_posix()}" in names
    assert {path.parent.name for path in tracked} >= {"act", "st-gcn", "st-tr", "gl-transformer", "sa-gcn"}
    for package in ("app", "pose", "recognizer"):
        for path in (ROOT / package).rglob("*.py"):
            assert path.relative_to(ROOT).as_posix() in names
    assert wheel.stat().st_size < LARGEST_MB * 1e6


def test_the_command_and_the_module_say_the_version(installed):
    for command in ((str(installed.folder / "bin" / "actionlens"),), (sys.executable, "-m", "app")):
        done = installed(*command, "--version")
        assert (done.returncode, done.stdout) == (0, f"ActionLens {VERSION}\n"), done.stderr


def test_mistakes_name_the_command_that_was_installed(installed):
    done = installed(sys.executable, "-m", "app", "--zonk")
    said = "unrecognized arguments: --zonk; `actionlens --help` lists the options\n"
    assert (done.returncode, done.stderr) == (2, said)


def test_the_shipped_recognizers_and_the_generator_are_found_in_it(installed):
    listed = installed(sys.executable, "-m", "app", "--list-models")
    rows = [line.split() for line in listed.stdout.splitlines()[1:]]
    weights = installed.folder / "recognizer" / "weights"
    assert [(row[0], row[1], row[3]) for row in rows] == [
        (name, "shipped", str(weights / name)) for name in ("act", "gl-transformer", "st-gcn", "st-tr")
    ]
    found = installed(sys.executable, "-c", "from recognizer.generator import shipped_generator as f; print(f())")
    assert found.stdout == f"{weights / 'sa-gcn'}\n"


PATIENT = """
from dataclasses import dataclass

import app.capture.reader

@dataclass(frozen=True, slots=True)
class Patient(app.capture.reader.Timing):  # the machine may be busy
    open_s: float = 300.0

app.capture.reader.Timing = Patient

from app.__main__ import start

start()
"""
DEMO = """
import sys
from pathlib import Path

from app.outputs.video_writer import VideoWriter
from pose.demo import DemoSource

demo, writer = DemoSource(paced=False), VideoWriter(Path(sys.argv[1]))
for _ in range(50):
    frame = demo.read()
    writer.write(frame.bgr, frame.time_s)
writer.close()
"""


def test_it_recognises_somebody_in_a_video_of_the_demo(installed, cache_home, tmp_path):
    if not list((cache_home / "actionlens").glob("*.task")):
        pytest.skip("the pose model is not there")
    video = tmp_path / "demo.mp4"  # of a file no frame is dropped, however busy the machine is
    assert installed(sys.executable, "-c", DEMO, str(video)).returncode == 0
    done = installed(sys.executable, "-c", PATIENT, "--headless", "--camera", str(video), "--json", "-")
    assert done.returncode == 0, done.stderr
    predictions = [line for line in map(json.loads, done.stdout.splitlines()) if line["type"] == "prediction"]
    assert any(line["person"] == 0 and line["top"] for line in predictions)
