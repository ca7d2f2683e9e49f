"""python -m recognizer.teaching REQUEST: Quick teaching in a process of its own.

REQUEST is a folder with the files of recognizer.teaching.request. Writes JSON lines: {"stage", "part"} while it works,
at the end {"folder", "check"} or {"error"}. Exit status as everywhere: 0 done, 2 a user error, 130 interrupted. It runs
at a low priority, with one thread.
"""

import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import psutil

from pose.arguments import Parser, error_line
from pose.errors import ActionLensError
from recognizer.teaching.request import read_request
from recognizer.teaching.run import run_quick

_NICE = 10  # of two busy cores it still gets a tenth of one; at 19, or in Linux's idle class, it would never begin


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the teaching that a request describes."""
    parser = Parser(prog="python -m recognizer.teaching", description="Quick teaching of a request.")
    parser.add_argument("request", type=Path, help="folder with request.json and clips.npz")
    folder = parser.parse_args(arguments).request
    lower_priority()
    signal.signal(signal.SIGTERM, interrupt)
    try:
        outcome = run_quick(read_request(folder), lambda stage, part: say(stage=stage, part=round(part, 4)))
        say(folder=str(outcome.folder), check=outcome.check.to_json())
    except ActionLensError as error:
        say(error=error_line(error))
        return 2
    except OSError as error:  # a full disk, no permission
        say(error=unwritten(error))
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def unwritten(error: OSError) -> str:
    """Why there is no model, and how to mend it."""
    return f"the model cannot be written ({error.strerror or error}); make room or choose another folder"


def lower_priority() -> None:
    """Yield to everything else, above all the live view, and still go on where others use the whole processor."""
    process = psutil.Process()
    process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if sys.platform == "win32" else max(process.nice(), _NICE))


def interrupt(_signal: int, _frame: FrameType | None) -> None:
    """End as on Ctrl-C, so that nothing half written is left."""
    raise KeyboardInterrupt


def say(**values: Any) -> None:
    """One line to the parent process."""
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
