"""The program's process: `python main.py`, `python -m app`, and the command `actionlens` of an installed package."""

import os
import signal
from typing import NoReturn

# Before NumPy loads: its products here are tiny, and a second thread that waits for work takes the core from the poses.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def start() -> NoReturn:
    """Do what the command line asks for, and exit."""
    for number in (signal.SIGINT, signal.SIGTERM):  # until a run handles them: nothing is open that could be lost
        signal.signal(number, lambda *_: os._exit(130))

    from app.cli import run

    run()


if __name__ == "__main__":
    start()
