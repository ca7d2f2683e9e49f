"""Tables in CSV files, as this program writes them and as spreadsheets save them again."""

import codecs
import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from recognizer.datasets.errors import DataError

_LONGEST_FIELD = 1 << 20


def read_table(path: Path, fields: Sequence[str], *, optional: Sequence[str] = ()) -> list[dict[str, str]]:
    """The rows that are not empty, each field as text. DataError where the file or one of `fields` is missing."""
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        reader = _rows(_text(path))
        if not set(fields) <= set(reader.fieldnames or ()):
            missing = sorted(set(fields) - set(reader.fieldnames or ()))
            raise DataError(f"{path} has no column {missing[0]}; export it again")
        rows = [{name: row.get(name) or "" for name in (*fields, *optional)} for row in reader]
        return [row for row in rows if any(row.values())]  # a spreadsheet may leave empty ones at the end
    except FileNotFoundError:
        raise DataError(f"{path} is missing; export it again") from None
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"{path} is not a readable table; export it again") from error


def number_of(text: str) -> float:
    """A number, whose decimals may stand behind a comma. Raises ValueError."""
    return float(text.replace(",", ".") if "." not in text else text)


def _text(path: Path) -> str:
    """What stands in a table. Spreadsheets write UTF-8 with a mark at the start, or UTF-16. Raises OSError."""
    content = path.read_bytes()
    encoding = "utf-16" if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise DataError(f"{path} is not in UTF-8: save it again as CSV in UTF-8, or export it again") from None


def _rows(text: str) -> "csv.DictReader[str]":
    """The rows. Spreadsheets write semicolons where numbers have decimal commas, and some say so in a line before."""
    header, _, rest = text.partition("\n")
    told = re.fullmatch(r"\"?sep=(.)\"?\r?", header, re.IGNORECASE)
    delimiter = told[1] if told else max(",;\t", key=header.count)
    return csv.DictReader(io.StringIO(rest if told else text, newline=""), delimiter=delimiter)
