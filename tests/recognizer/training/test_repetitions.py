"""The table of repetitions that were counted by eye."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra `train`")

from recognizer.datasets.errors import DataError
from recognizer.training.repetitions import COLUMNS, HALVES, CountedClip, read_counts

SHIPPED = Path(__file__).resolve().parents[3] / "docs" / "repetitions.csv"


def table(folder: Path, row: str) -> Path:
    file = folder / "counts.csv"
    file.write_text(f"{','.join(COLUMNS)}\n{row}\n", encoding="utf-8")
    return file


def test_a_row_is_a_clip(tmp_path: Path) -> None:
    (clip,) = read_counts(table(tmp_path, "penn_action,0001,p1,squat,,2.5,3,judge"))
    assert clip == CountedClip("penn_action", "0001", "squat", None, 2.5, 3, "judge")


def test_the_shipped_table_is_read() -> None:
    assert {clip.half for clip in read_counts(SHIPPED)} == set(HALVES[:2])


@pytest.mark.parametrize(
    "row",
    ["penn_action,0001", "a,b,p,squat,x,,3,judge", "a,b,p,squat,,,many,judge", "a,b,p,squat,,,3,Judge"],
    ids=["short", "time", "count", "half"],
)
def test_a_row_that_is_none_is_one_line(row: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no table with the columns") as raised:
        read_counts(table(tmp_path, row))
    assert "\n" not in str(raised.value)
