"""Whole recordings as a table that reads a page when it is scrolled to: those of the library, or of its bin."""

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from app.clock_text import local_clock
from app.library.catalogue import Library
from app.library.rows import Filter, RecordingRow
from app.names_in_text import isolated
from app.plurals import counted
from app.ui.choices import last_part

COLUMNS = ("Recorded", "Length", "Segments", "Source", "Session", "Note")
_PAGE = 200
_Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


class RecordingModel(QAbstractTableModel):
    """Newest first."""

    def __init__(self) -> None:
        super().__init__()
        self._library: Library | None = None
        self._chosen = Filter()
        self.total = 0
        self.rows: list[RecordingRow] = []
        self._positions: dict[str, int] = {}
        self._length = _PAGE

    def show(self, library: Library | None, chosen: Filter) -> None:
        """The recordings that a filter leaves, as many as were read before, also under a filter that left more."""
        self._length = max(self._length, len(self.rows))
        self.beginResetModel()
        self._library, self._chosen = library, chosen
        self.total = library.count_recordings(chosen) if library is not None else 0
        self.rows = library.recordings(chosen, 0, self._length) if library is not None else []
        self._positions = {row.id: place for place, row in enumerate(self.rows)}
        self.endResetModel()

    def position_of(self, recording: str) -> int | None:
        """In which row a recording is, among those read."""
        return self._positions.get(recording)

    def canFetchMore(self, parent: _Index = _ROOT) -> bool:
        """Qt override."""
        return not parent.isValid() and len(self.rows) < self.total

    def fetchMore(self, parent: _Index = _ROOT) -> None:
        """Qt override: the next page."""
        page = [] if self._library is None else self._library.recordings(self._chosen, len(self.rows), _PAGE)
        if not page:
            self.total = len(self.rows)
            return
        self.beginInsertRows(QModelIndex(), len(self.rows), len(self.rows) + len(page) - 1)
        self._positions |= {row.id: place for place, row in enumerate(page, len(self.rows))}
        self.rows += page
        self.endInsertRows()

    def rowCount(self, parent: _Index = _ROOT) -> int:
        """Qt override."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index = _ROOT) -> int:
        """Qt override."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt override."""
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return COLUMNS[section]
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt override."""
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return _texts(row)[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            pixels = "joints only" if row.skeleton_only else "with pictures"
            kind = f"{isolated(row.id)}, {counted(row.frames, 'frame')} of {row.size[0]}x{row.size[1]}, {pixels}"
            return "\n".join(part for part in (kind, row.source, row.session, row.note) if part)
        return None


def _texts(row: RecordingRow) -> tuple[str, ...]:
    segments = f"{row.labelled} of {row.segments}" if row.segments else "none"
    length, recorded = f"{row.duration_s:.1f} s", local_clock(row.created)
    return recorded, length, segments, last_part(row.source), row.session or "", row.note
