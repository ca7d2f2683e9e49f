"""The argument --data of commands: the folder that holds the data sets."""

import argparse
from pathlib import Path

from recognizer.datasets.errors import DataError


def add_data(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """--data."""
    parser.add_argument("--data", type=Path, required=required, metavar="DIR", help="folder that holds the data sets")


def existing_folder(folder: Path) -> Path:
    """The folder of a data set. DataError where there is none."""
    if not folder.is_dir():
        raise DataError(f"no folder {folder}; give the folder that holds the data sets")
    return folder
