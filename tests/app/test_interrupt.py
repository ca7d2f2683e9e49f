"""Ctrl-C in the tools: heard even where a library swallows it, and not while one is loaded that it would crash."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.interrupt import STATUS, deferred_interrupts

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")

ROOT = Path(__file__).resolve().parents[2]
_SWALLOWING = """
import os, signal, sys, time
from app.interrupt import raise_and_end
signal.signal(signal.SIGINT, raise_and_end)
try:
    os.kill(os.getpid(), signal.SIGINT)
    print("not raised", flush=True)
except KeyboardInterrupt:
    print("raised", flush=True)
time.sleep(20)
"""


def test_it_ends_the_process_even_where_it_is_swallowed():
    done = subprocess.run([sys.executable, "-c", _SWALLOWING], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (STATUS, "raised\n", "")


_TURNED = """
import os, signal, sys
from app import cli, interrupt
def load(*_):
    signal.signal(signal.SIGINT, interrupt.raise_and_end)
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        raise ImportError("initialization failed")
cli._run = load
sys.argv = ["main.py", "--bench", "demo"]
cli.run()
"""


def test_it_is_no_failure_where_a_library_turns_it_into_one():
    done = subprocess.run([sys.executable, "-c", _TURNED], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (STATUS, "")


def test_it_is_heard_after_what_it_would_crash():
    heard = []
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        with deferred_interrupts():
            os.kill(os.getpid(), signal.SIGINT)
            assert heard == []
        assert heard == [signal.SIGINT]
        with deferred_interrupts():
            pass
        assert heard == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, before)
