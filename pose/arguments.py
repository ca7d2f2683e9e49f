"""What all command lines of this program share: paths are of this machine, a mistake is one line, no complaint repeats
a secret, and every name can be printed."""

import argparse
import io
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

from pose.address import is_local, local_path, redacted
from pose.errors import ActionLensError, SourceError


class Parser(argparse.ArgumentParser):
    """Refuses an address for an argument of type Path. Its complaints are one line each and repeat no password or token
    of an address that was given in a wrong place. From the reading of arguments on, stdout takes every text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.register("type", Path, _local_path)

    def parse_args(self, args: Iterable[str] | None = None, namespace: Any = None) -> Any:
        """argparse's."""
        if isinstance(sys.stdout, io.TextIOWrapper):
            # A user's own name must not end a run whose stdout is not UTF-8, as in a redirection on Windows.
            sys.stdout.reconfigure(errors="backslashreplace")
        return super().parse_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{redacted(message)}; `{self.prog} --help` lists the options\n")


def output_file(text: str) -> Path:
    """A file to be written, for arguments: refused before long work where it cannot be."""
    path = _local_path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is a folder; give the name of a file in it")
    if not path.resolve().parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {path.parent}; make it first")
    return path


def error_line(error: ActionLensError) -> str:
    """What the user reads of an error. Those of sources name an address as it may be shown; no other line has one."""
    return str(error) if isinstance(error, SourceError) else redacted(str(error))


def exit_status(command: Callable[[], int | None]) -> int:
    """Run a command: its own status (None is 0), 2 for a mistake that one line on stderr explains, 130 after Ctrl-C."""
    try:
        return command() or 0
    except ActionLensError as error:
        sys.stderr.write(f"{error_line(error)}\n")
        return 2
    except OSError as error:  # of whatever is written: a folder of somebody else's, or a full disk
        file = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"{file}{error.strerror or error}; give files and folders that can be read and written\n")
        return 2
    except KeyboardInterrupt:
        return 130


def _local_path(text: str) -> Path:
    if not is_local(text):
        raise argparse.ArgumentTypeError("this is an address; give a file or folder of this machine")
    return local_path(text)
