"""python -m research COMMAND: see command_line."""

import os
import signal
import sys

# Before NumPy loads: a window's products are tiny, and threads that wait for each other took a hundred times as long.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

if __name__ == "__main__":
    # Loading torch takes seconds, in which nothing is open that could be lost. A run in the background ignores Ctrl-C.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))

    from research.command_line import main

    sys.exit(main())
