import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

MAIN = [sys.executable, str(Path(__file__).with_name("main_on_fakes.py"))]
ROOT = Path(__file__).resolve().parents[2]
posix = pytest.mark.skipif(os.name == "nt", reason="signals and pipes as on POSIX")


@pytest.fixture(autouse=True)
def _finds_the_packages(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def headless(scenario, *options, timeout=300):
    return subprocess.run(
        [*MAIN, scenario, "--headless", *map(str, options)], capture_output=True, text=True, timeout=timeout
    )


@contextmanager
def started(scenario, *options, until):
    """A run that has told a certain line on stderr; killed at the end if it still runs."""
    with subprocess.Popen(
        [*MAIN, scenario, "--headless", *map(str, options)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert any(until in line for line in iter(process.stderr.readline, ""))
            yield process
        finally:
            process.kill()


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def assert_no_traceback(done):
    assert "Traceback" not in done.stderr, done.stderr


def test_a_file_is_worked_through_and_its_changes_are_printed():
    done = headless("file")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].split()[2:5] == ["person", "0", "wave"]
    assert "fake 64x48, fake with 2 actions on cpu" in done.stderr
    assert "60 frames, 0 dropped" in done.stderr


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_an_action_of_another_script_is_printed_whatever_the_encoding(encoding, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    done = headless("other script")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].split()[2:5] == ["person", "0", r"\u8df3"]


def test_json_lines_are_utf_8_whatever_the_encoding(monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    command = [*MAIN, "other script", "--headless", "--json", "-"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr
    assert lines(done.stdout)[-1]["action"] == "跳"


def test_nobody_in_view_is_printed_once():
    done = headless("file", "--nobody")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["    0.00 s  nobody in view"]


def test_too_few_poses_for_a_window_are_told_once():
    done = headless("slow")
    assert done.returncode == 0
    assert done.stderr.count("the source gives 1.0 pictures per second; recognition needs at least 2") == 1


def test_that_poses_are_found_in_some_frames_only_is_told():
    done = headless("behind", "--people", "2", "--seconds", "8")
    assert done.returncode == 0
    line = r"^2 people: poses in [0-9.]+ of [0-9.]+ frames a second, this computer's limit$"
    told = re.findall(line, done.stderr, re.MULTILINE)
    assert told
    assert len(told) == len(set(told))


def test_json_lines_on_stdout_and_nothing_else_there():
    done = headless("file", "--json", "-")
    assert done.returncode == 0, done.stderr
    told = lines(done.stdout)
    kinds = [line["type"] for line in told]
    assert set(kinds) == {"prediction", "start", "end"}
    assert kinds[-1] == "end"
    predictions = [line for line in told if line["type"] == "prediction"]
    keys = {"type", "time_s", "frame", "person", "action", "score", "top", "view", "age_ms"}
    assert predictions[-1].keys() == keys
    assert predictions[-1]["view"] == "whole"
    assert predictions[-1]["action"] == "wave"
    assert len(predictions) == (60 - 4) / 2  # a window of 4 poses, then one for every other frame


def test_json_lines_in_a_file(tmp_path):
    done = headless("file", "--json", tmp_path / "out.jsonl")
    assert done.returncode == 0, done.stderr
    assert lines((tmp_path / "out.jsonl").read_text())[-1]["type"] == "end"


def test_nobody_in_json_lines():
    told = lines(headless("file", "--nobody", "--json", "-").stdout)
    assert {(line["person"], line["action"]) for line in told} == {(None, "unknown")}


def test_seconds_end_a_live_run():
    done = headless("camera", "--seconds", "2", "--json", "-")
    assert done.returncode == 0, done.stderr
    assert 0.3 < lines(done.stdout)[-1]["time_s"] < 3


@pytest.mark.parametrize(
    ("scenario", "options", "line"),
    [
        ("missing", [], "no camera 7; plug one in"),
        ("file", ["--json", "/no/such/folder/out.jsonl"], "there is no folder"),
        ("file", ["--save", "/no/such/folder/out.mp4"], "there is no folder"),
        ("file", ["--save", "out.txt"], ".mp4"),
        ("file", ["--events", "wss://127.0.0.1"], "give an address like"),
    ],
)
def test_what_cannot_be_opened_exits_with_2_and_one_line(scenario, options, line, tmp_path):
    done = headless(scenario, *options)
    assert done.returncode == 2
    assert line in done.stderr
    assert len(done.stderr.splitlines()) <= 2  # what is being opened may be told before
    assert done.stdout == ""
    assert_no_traceback(done)


def test_a_mistake_in_the_rules_costs_no_output(tmp_path):
    (tmp_path / "rules.toml").write_text("[[rule]]\nname = 1\n")
    (tmp_path / "out.jsonl").write_text("of last week\n")
    outputs = ["--json", tmp_path / "out.jsonl", "--save", tmp_path / "out.mp4"]
    for rules in ("nope.toml", "rules.toml"):
        done = headless("file", *outputs, "--alerts", tmp_path / rules)
        assert done.returncode == 2
        assert rules in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert sorted(os.listdir(tmp_path)) == ["out.jsonl", "rules.toml"]
        assert (tmp_path / "out.jsonl").read_text() == "of last week\n"


def six_rules(folder, script):
    """All are due at once; each runs this, with its own file as the argument."""
    rules = [
        f'[[rule]]\nname = "rule {number}"\naction = "wave"\nlasts_s = 0.1\nlimit_s = 1000\n'
        f"do = [{{ command = {json.dumps([sys.executable, '-c', script, str(folder / f'{number}.done')])} }}]\n"
        for number in range(6)
    ]
    (folder / "rules.toml").write_text("\n".join(rules))
    return folder / "rules.toml"


def test_a_file_that_is_read_fast_gets_all_its_alerts(tmp_path):
    slow = "import sys, time; time.sleep(0.3); open(sys.argv[1], 'w')"
    done = headless("file", "--alerts", six_rules(tmp_path, slow))
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.glob("*.done")) == [f"{number}.done" for number in range(6)]
    assert "rule" not in done.stderr
    assert "60 frames, 0 dropped" in done.stderr


@posix
def test_ctrl_c_drops_the_alerts_that_wait_and_tells_each(tmp_path):
    stuck = "import sys, time; open(sys.argv[1], 'w'); time.sleep(9)"
    with started("file", "--alerts", six_rules(tmp_path, stuck), until="alerts that still wait") as process:
        while not (tmp_path / "0.done").exists():
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    told = re.findall(r"^rule (\d): (skipped|left unfinished): .*\(alert at \d+\.\d\d s\)$", rest, re.MULTILINE)
    begun = len(list(tmp_path.glob("*.done")))  # one, unless the machine is very slow
    assert told == [(str(n), "skipped") for n in range(begun, 6)] + [(str(begun - 1), "left unfinished")]


def test_a_source_that_hangs_while_opening_exits_with_2_at_all():
    begin = time.monotonic()
    done = headless("given up")
    assert done.returncode == 2
    assert time.monotonic() - begin < 60
    assert "did not open within" in done.stderr


@pytest.mark.parametrize(
    ("scenario", "line"), [("damaged", "damaged at 1.5 s; copy it again"), ("broken", "the graph is broken")]
)
def test_a_failure_in_the_middle_exits_with_1_and_keeps_what_was_found(scenario, line, tmp_path):
    done = headless(scenario, "--json", tmp_path / "out.jsonl")
    assert done.returncode == 1
    assert line in done.stderr
    assert_no_traceback(done)
    told = lines((tmp_path / "out.jsonl").read_text())
    assert len(told) > 5
    assert told[-1]["type"] == "end", "what was running is ended in the lines too"


def test_a_lost_source_is_told_once_and_once_when_it_is_back():
    done = headless("lost", "--seconds", "2")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("the cable is out; plug it in") == 1
    assert done.stderr.count("the source is back") == 1


@posix
def test_a_reader_that_goes_ends_the_run_quietly():
    command = " ".join([*MAIN, "camera", "--headless", "--json", "-"])
    done = subprocess.run(
        ["bash", "-c", f"{command} | head -3; echo ${{PIPESTATUS[0]}}"], capture_output=True, text=True, timeout=300
    )
    assert done.stdout.splitlines()[-1] == "0"
    assert len(done.stdout.splitlines()) == 4
    assert_no_traceback(done)
    assert "gone" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("options", [["--json", "-"], ["--json", "/dev/full"], []])
def test_a_full_disk_exits_with_1_and_one_line(options):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*MAIN, "camera", "--headless", *options], stdout=full, stderr=subprocess.PIPE, text=True, timeout=300
        )
    assert done.returncode == 1
    assert done.stderr.lower().count("no space left") == 1, done.stderr
    assert_no_traceback(done)


@posix
@pytest.mark.parametrize(
    ("scenario", "line", "number"),
    [
        ("camera", "actions on", signal.SIGINT),
        ("camera", "actions on", signal.SIGTERM),
        ("building", "building the pose model", signal.SIGINT),
        ("hanging", "opening the source", signal.SIGTERM),
        ("stuck", "actions on", signal.SIGINT),
    ],
)
def test_ctrl_c_at_any_moment(scenario, line, number, tmp_path):
    out = tmp_path / "out.jsonl"
    with started(scenario, "--json", out, until=line) as process:
        time.sleep(0.5)
        begin = time.monotonic()
        process.send_signal(number)
        rest = process.communicate(timeout=60)[1]
        assert time.monotonic() - begin < 10
        assert process.returncode == 130
        assert "Traceback" not in rest
    if scenario == "camera":
        assert lines(out.read_text())[-1]["type"] == "end", "what was running is ended in the lines too"


def handles_sigterm(process: subprocess.Popen) -> bool:
    """Whether main.py's first lines have run: Python itself never catches SIGTERM. Before them a Ctrl-C meets the
    interpreter's own start, where it may even be lost (a KeyboardInterrupt inside a weakref callback is ignored)."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = int(re.search(r"^SigCgt:\s*([0-9a-f]+)", status, re.MULTILINE)[1], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("delay_s", [0, 0.2, 0.7, *(pytest.param(s, marks=pytest.mark.slow) for s in (0.05, 0.4, 1.0))])
def test_ctrl_c_while_starting(delay_s):
    """As from a terminal: in every process at once, those that are only starting among them."""
    with subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), "--headless", "--camera", "demo"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        while not handles_sigterm(process):
            time.sleep(0.002)
        time.sleep(delay_s)
        os.killpg(process.pid, signal.SIGINT)
        rest = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "Traceback" not in rest


def test_the_video_is_playable_after_ctrl_c(tmp_path):
    av = pytest.importorskip("av")
    out = tmp_path / "out.mp4"
    with started("camera", "--save", out, until="actions on") as process:
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
    with av.open(str(out)) as container:
        assert sum(1 for _ in container.decode(video=0)) > 20


def test_a_saved_video_has_every_frame_with_its_time(tmp_path):
    av = pytest.importorskip("av")
    done = headless("file", "--save", tmp_path / "out.mp4")
    assert done.returncode == 0, done.stderr
    with av.open(str(tmp_path / "out.mp4")) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert len(times) == 60
    assert times[-1] - times[0] == pytest.approx(59 / 20, abs=0.002)
