"""Ctrl-C while other processes start: they never hear of it, and the one that starts them does."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pose.ctrl_c import start_process, without_ctrl_c

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")

ROOT = Path(__file__).resolve().parents[2]
SLEEP_S = 0.2
TIMEOUT_S = 10.0


def started_and_interrupted():
    """Interrupted long before Python runs in it."""
    process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(SLEEP_S,))
    start_process(process)
    os.kill(process.pid, signal.SIGINT)
    process.join()
    return process.exitcode


@pytest.fixture
def heard():
    numbers = []
    before = signal.signal(signal.SIGINT, lambda number, frame: numbers.append(number))
    yield numbers
    signal.signal(signal.SIGINT, before)


def waited_for(numbers):
    """What was heard. Where another thread takes the signal, this one hears of it a moment later."""
    deadline = time.monotonic() + TIMEOUT_S
    while not numbers and time.monotonic() < deadline:
        time.sleep(0.01)
    return numbers


def test_a_process_does_not_hear_of_it_while_it_starts():
    assert started_and_interrupted() == 0


def test_nor_one_that_another_thread_starts():
    status = []
    thread = threading.Thread(target=lambda: status.append(started_and_interrupted()))
    thread.start()
    thread.join()
    assert status == [0]


def test_nor_the_first_one_which_starts_the_account_of_multiprocessing_too():
    program = "import sys; from tests.pose.test_ctrl_c import *; sys.exit(started_and_interrupted())"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")


def test_nor_a_program():
    with without_ctrl_c():
        process = subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({SLEEP_S})"])
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0


def test_this_process_hears_of_it_at_the_latest_afterwards(heard):
    with without_ctrl_c():
        os.kill(os.getpid(), signal.SIGINT)
    assert waited_for(heard) == [signal.SIGINT]


def test_it_is_heard_again_after_a_start_that_failed(heard):
    with pytest.raises(FileNotFoundError), without_ctrl_c():
        subprocess.Popen(["/no/such/program"])
    os.kill(os.getpid(), signal.SIGINT)
    assert waited_for(heard) == [signal.SIGINT]
