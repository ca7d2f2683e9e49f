"""What the commands of benchmarks share: a mistake is one line, and exit status 2."""

import argparse
import sys
from collections.abc import Callable

from pose.arguments import Parser, error_line
from pose.errors import ActionLensError


class BenchmarkError(ActionLensError):
    """What cannot be measured, and how to mend it."""


def parser_of(module: str, description: str | None) -> Parser:
    """For `python -m benchmarks.MODULE`."""
    return Parser(
        prog=f"python -m {module}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def run_command(measure: Callable[[argparse.Namespace], int | None], options: argparse.Namespace) -> int:
    """Exit status: that of `measure` (None is 0), 2 for a mistake that one line on stderr explains, 130 after
    Ctrl-C."""
    try:
        return measure(options) or 0
    except ActionLensError as error:
        sys.stderr.write(f"{error_line(error)}\n")
        return 2
    except OSError as error:
        file = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"{file}{error.strerror or error}; give files and folders that can be read and written\n")
        return 2
    except KeyboardInterrupt:
        return 130
