"""ActionLens: watches a camera and says what a person is doing."""

import os
import signal

# Before NumPy loads: its products here are tiny, and a second thread that waits for work takes the core from the poses.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):  # until a run handles them: nothing is open that could be lost
        signal.signal(number, lambda *_: os._exit(130))

    from app.cli import run

    run()
