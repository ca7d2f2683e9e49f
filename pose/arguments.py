"""What all command lines of this program share: paths are of this machine, a mistake is one line, and no complaint
repeats a secret."""

import argparse
from pathlib import Path
from typing import Any, NoReturn

from pose.address import is_local, local_path, redacted
from pose.errors import ActionLensError, SourceError


class Parser(argparse.ArgumentParser):
    """Refuses an address for an argument of type Path. Its complaints are one line each and repeat no password or token
    of an address that was given in a wrong place."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.register("type", Path, _local_path)

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


def _local_path(text: str) -> Path:
    if not is_local(text):
        raise argparse.ArgumentTypeError("this is an address; give a file or folder of this machine")
    return local_path(text)
