"""The real main() on the demo, from rendered frames to JSON lines, against the script's truth.

In make test on a video of it: of a file no frame is dropped, however busy the machine is. make test-all plays it live.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.outputs.video_writer import VideoWriter
from pose.demo import DemoSource
from pose.errors import PoseModelError
from pose.model_asset import find_pose_model

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 21.0
LATEST_S = 1.5  # an action may still be shown so long after it ended
FPS = 15.0  # of the video: to draw the frames and to find the poses takes what a test may take
pytestmark = pytest.mark.timeout(1200)


def as_video(folder: Path) -> list[str]:
    video = folder / "demo.mp4"
    demo, writer = DemoSource(fps=FPS, paced=False), VideoWriter(video)
    for _ in range(round(SECONDS * FPS)):
        frame = demo.read()
        writer.write(frame.bgr, frame.time_s)
    writer.close()
    return ["--camera", str(video)]


def live(_: Path) -> list[str]:
    return ["--camera", "demo", "--seconds", str(SECONDS)]


@pytest.fixture(scope="module", params=[as_video, pytest.param(live, marks=pytest.mark.slow)])
def lines(request, tmp_path_factory) -> list[dict]:
    """What the program writes of the first third of the demo."""
    if not (ROOT / "weights" / "act" / "card.json").is_file():
        pytest.skip("weights/act is not there")
    try:
        find_pose_model()
    except PoseModelError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("run")
    out = folder / "out.jsonl"
    command = [sys.executable, "main.py", "--model", "act", "--headless", "--json", str(out), *request.param(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1100)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def test_the_actions_of_the_script_are_found(lines):
    script = [s for s in DemoSource(paced=False).script if s.end_s < SECONDS - 2 and s.action != "idle"]
    found = [
        segment.action
        for segment in script
        if any(
            line["type"] == "prediction"
            and line["action"] == segment.action
            and segment.start_s < line["time_s"] < segment.end_s + LATEST_S
            for line in lines
        )
    ]
    assert len(script) >= 3
    assert len(found) >= len(script) - 1, f"of {[s.action for s in script]} only {found}"


def test_nothing_is_shown_that_the_script_does_not_have(lines):
    """Of the time in which a listed action is shown, nearly all has that action now or a moment ago."""
    script = DemoSource(paced=False).script
    shown = [line for line in lines if line["type"] == "prediction" and line["action"] != "unknown"]
    right = [
        any(s.action == line["action"] and s.start_s < line["time_s"] < s.end_s + 2.2 for s in script) for line in shown
    ]
    assert len(shown) > 50
    assert sum(right) >= 0.9 * len(right)


def test_every_start_has_its_end_with_a_duration(lines):
    events = [line for line in lines if line["type"] in ("start", "end")]
    assert len(events) >= 6
    for start, end in zip(events[::2], events[1::2], strict=True):
        assert (start["type"], end["type"], start["action"]) == ("start", "end", end["action"])
        assert end["duration_s"] == pytest.approx(end["time_s"] - start["time_s"], abs=0.01)
