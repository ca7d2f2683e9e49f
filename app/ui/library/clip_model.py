"""The clips of a library as a table that reads a page when it is scrolled to."""

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor

from app.library.catalogue import Library
from app.library.types import ClipRow, Filter
from app.palette import action_rgb, action_text

_COLUMNS = ("Action", "Who", "Sitting", "Length", "Recorded", "Source")
_PAGE = 200
_Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


class ClipModel(QAbstractTableModel):
    """Newest first, as the library gives them. 10,000 clips cost a count and the pages that were looked at."""

    def __init__(self) -> None:
        super().__init__()
        self._library: Library | None = None
        self._chosen = Filter()
        self.total = 0
        self.rows: list[ClipRow] = []

    def show(self, library: Library | None, chosen: Filter) -> None:
        """The clips that a filter leaves, from the first page on."""
        self.beginResetModel()
        self._library, self._chosen, self.rows = library, chosen, []
        self.total = library.count_clips(chosen) if library is not None else 0
        if library is not None:
            self.rows = library.clips(chosen, 0, _PAGE)
        self.endResetModel()

    def canFetchMore(self, parent: _Index = _ROOT) -> bool:
        """Qt's."""
        return not parent.isValid() and len(self.rows) < self.total

    def fetchMore(self, parent: _Index = _ROOT) -> None:
        """Qt's: the next page."""
        if self._library is None:
            return
        page = self._library.clips(self._chosen, len(self.rows), _PAGE)
        if not page:
            self.total = len(self.rows)
            return
        self.beginInsertRows(QModelIndex(), len(self.rows), len(self.rows) + len(page) - 1)
        self.rows += page
        self.endInsertRows()

    def rowCount(self, parent: _Index = _ROOT) -> int:
        """Qt's."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index = _ROOT) -> int:
        """Qt's."""
        return 0 if parent.isValid() else len(_COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt's."""
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return _COLUMNS[section]
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt's."""
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return _texts(row)[index.column()]
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0 and row.action is not None:
            return QColor(*action_rgb(row.action))
        if role == Qt.ItemDataRole.ToolTipRole:
            suspect = "; its label may be wrong" if row.suspect else ""
            return f"{row.recording}, {row.start_s:.1f} to {row.end_s:.1f} s{suspect}"
        return None


def _texts(row: ClipRow) -> tuple[str, ...]:
    action = "unlabelled" if row.action is None else action_text(row.action)
    mark = " ?" if row.suspect else ""
    recorded = row.created.replace("T", " ")[:16]
    length = f"{row.end_s - row.start_s:.1f} s"
    return f"{action}{mark}", row.who or "", row.session or "", length, recorded, row.source
