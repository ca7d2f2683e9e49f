"""What the commands of benchmarks share: a mistake is one line, and exit status 2."""

import argparse
from collections.abc import Callable

from pose.arguments import Parser, exit_status
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
    """Exit status, as pose.arguments.exit_status."""
    return exit_status(lambda: measure(options))
