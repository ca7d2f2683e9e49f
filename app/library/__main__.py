"""Starts the commands of app.library.commands."""

import os
import signal
import sys

if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):  # until a command handles them: nothing is open that could be lost
        signal.signal(number, lambda *_: os._exit(130))

    from app.library.commands import main

    sys.exit(main())
