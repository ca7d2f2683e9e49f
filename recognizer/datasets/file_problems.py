"""Reading other people's files: whatever is wrong with one becomes one line that names it."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.io.matlab import MatReadError

from pose.folders import is_leftover
from recognizer.datasets.errors import DataError, EmptyFileError
from recognizer.plain_arrays import UNREADABLE, refuse_traps

# What SciPy and NumPy raise on files that are cut off, of another kind, or made to do harm.
DAMAGED = (*UNREADABLE, MatReadError)

Item = TypeVar("Item")
Result = TypeVar("Result")


def damaged(file: Path, reason: str) -> DataError:
    """The error for a file that cannot be used; `reason` ends in no full stop."""
    return DataError(f"{file}: {' '.join(reason.split())[:200]}; get this file again, or move it out of the folder")


def empty(file: Path, reason: str) -> EmptyFileError:
    """The error for a whole file that shows nobody, or too little; `reason` ends in no full stop."""
    return EmptyFileError(f"{file}: {reason}, left out")


def files_of(folder: Path, pattern: str, dataset: str) -> list[Path]:
    """The files of a data set, sorted; DataError when there are none."""
    files = sorted(file for file in folder.glob(pattern) if not is_leftover(file.relative_to(folder)))
    if not files:
        raise DataError(f"no {dataset} files ({pattern}) in {folder}; give the folder that holds the data sets")
    return files


def read_each(items: Iterable[Item], read: Callable[[Item], Result]) -> Iterator[Result | DataError]:
    """What each file or clip gives; an error in place of one that cannot be used."""
    for item in items:
        found: Result | DataError
        try:
            found = read(item)
        except DataError as problem:
            found = problem
        yield found


def load_npz(file: Path, *fields: str) -> list[NDArray[Any]]:
    """The named arrays of an .npz file; DataError when it cannot be read, lacks one or holds objects."""
    try:
        with np.load(file, allow_pickle=False) as content:
            if not isinstance(content, np.lib.npyio.NpzFile):
                raise damaged(file, "not an .npz file")
            refuse_traps(file)
            return [_field(content, field, file) for field in fields]
    except DAMAGED as error:
        raise damaged(file, f"not a whole .npz file of plain arrays ({type(error).__name__})") from error


def load_npy(file: Path) -> NDArray[Any]:
    """The array of an .npy file; DataError when it cannot be read or holds objects."""
    try:
        content = np.load(file, allow_pickle=False)
    except DAMAGED as error:
        raise damaged(file, f"not a whole .npy file of plain numbers ({type(error).__name__})") from error
    if not isinstance(content, np.ndarray):
        content.close()
        raise damaged(file, "not an .npy file")
    return content


def load_json(file: Path) -> Any:
    """The content of a JSON file; DataError when it cannot be read."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise damaged(file, f"not a whole JSON file ({type(error).__name__})") from error


def load_text(file: Path, delimiter: str | None = None) -> NDArray[np.float32]:
    """(rows, columns) of a text file of numbers; DataError when it cannot be read or a row is longer than another.

    Where commas are expected and semicolons are there, as spreadsheets of many countries write them, commas are those
    of decimals.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
        if not text.strip():
            return np.empty((0, 0), dtype=np.float32)
        if delimiter == "," and ";" in text:
            text, delimiter = text.replace(",", "."), ";"
        return np.loadtxt(text.splitlines(), dtype=np.float32, ndmin=2, delimiter=delimiter)
    except (OSError, ValueError, OverflowError) as error:
        raise damaged(file, f"not a table of numbers ({type(error).__name__})") from error


def numbers(values: Any, file: Path, what: str) -> NDArray[np.float32]:
    """Any nesting of numbers as float32; DataError when it is ragged, complex or no numbers at all."""
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "fiub":
            raise damaged(file, f"{what} are not numbers")
        with np.errstate(over="ignore"):  # beyond float32 is infinite, and found by the test for finite numbers
            return array.astype(np.float32)
    except (ValueError, TypeError, OverflowError, MemoryError) as error:
        raise damaged(file, f"{what} are not an array of numbers") from error


def numbers_in_name(file: Path, pattern: str) -> tuple[int, ...]:
    """The numbers that the pattern's groups find in a file's whole name; DataError for a name that is none of it."""
    found = re.fullmatch(pattern, file.name)
    if found is None:
        raise DataError(f"{file}: not a name of this data set; move the file out of the folder")
    return tuple(int(number) for number in found.groups())


def _field(content: Any, field: str, file: Path) -> NDArray[Any]:
    if field not in content:
        raise damaged(file, f"has no field `{field}`")
    value = content[field]
    if not isinstance(value, np.ndarray):
        raise damaged(file, f"its field `{field}` is not an array")
    return value
