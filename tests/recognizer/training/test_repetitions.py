"""The table of repetitions that were counted by eye."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra `train`")

from streams import Scripted, sequence_of

from recognizer.datasets.errors import DataError
from recognizer.datasets.webcam_poses import PARTS
from recognizer.training import repetitions
from recognizer.training.repetitions import COLUMNS, HALVES, CountedClip, read_counts

SHIPPED = Path(__file__).resolve().parents[3] / "docs" / "repetitions.csv"


def table(folder: Path, row: str) -> Path:
    file = folder / "counts.csv"
    file.write_text(f"{','.join(COLUMNS)}\n{row}\n", encoding="utf-8")
    return file


def test_a_row_is_a_clip(tmp_path: Path) -> None:
    (clip,) = read_counts(table(tmp_path, "penn_action,0001,p1,squat,,2.5,3,test"))
    assert clip == CountedClip("penn_action", "0001", "squat", None, 2.5, 3, "test")


def test_the_shipped_table_is_read() -> None:
    assert {clip.half for clip in read_counts(SHIPPED)} == set(HALVES[:2])


@pytest.mark.parametrize(
    "row",
    ["penn_action,0001", "a,b,p,squat,x,,3,test", "a,b,p,squat,,,many,test", "a,b,p,squat,,,3,Judge"],
    ids=["short", "time", "count", "half"],
)
def test_a_row_that_is_none_is_one_line(row: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not a table with the columns") as raised:
        read_counts(table(tmp_path, row))
    assert "\n" not in str(raised.value)


def test_a_file_that_is_no_table_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("not a table\n", encoding="utf-8")
    with pytest.raises(DataError, match="is not a table with the columns"):
        read_counts(tmp_path / "note.txt")


def test_a_sequence_in_which_nothing_was_counted_is_not_streamed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    streamed_again: list[str] = []

    def stream(sequence, recognizer):
        streamed_again.append(sequence.name)
        return []

    monkeypatch.setattr(repetitions, "stream_repetitions", stream)
    sequences = [sequence_of(3.0, [(0.0, 3.0, "walk")], name=name) for name in ("known", "new")]
    totals = repetitions._false_counts(sequences, Scripted({0: "walk"}), PARTS, {"known": []})
    assert streamed_again == ["new"]
    assert totals == {"walk": (pytest.approx(0.1), 0)}
