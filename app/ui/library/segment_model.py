"""The segments of a library as a table that reads the pages that are looked at."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QFont, QPixmap

from app.clock_text import local_clock
from app.library.catalogue import Library
from app.library.proposals import Proposal
from app.library.rows import Filter, SegmentRow
from app.names_in_text import action_in_text, isolated
from app.palette import action_rgb, action_text
from app.ui.choices import last_part
from app.ui.library.strips import Strips

COLUMNS = ("Segment", "Action", "Length", "Who", "Session", "Recorded", "Source")
PICTURE, ACTION = 0, 1
_MARK_PX = (6, 22)  # of the action's colour before its name
_PAGE = 100
_Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()
_ROLES = (
    *(Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.DecorationRole, Qt.ItemDataRole.FontRole),
    Qt.ItemDataRole.ToolTipRole,
)


class SegmentModel(QAbstractTableModel):
    """Newest first, as the library gives them. 10,000 segments cost their ids and the pages that were looked at."""

    def __init__(self, strips: Strips) -> None:
        super().__init__()
        self._library: Library | None = None
        self._strips = strips
        self._ids: list[int] = []
        self._positions: dict[int, int] = {}
        self._read: dict[int, SegmentRow] = {}
        self._proposal_of: Callable[[SegmentRow], Proposal | None] = lambda _: None
        self._marks: dict[str, QPixmap] = {}
        strips.ready.connect(self._show_pictures)

    def show(self, library: Library | None, chosen: Filter) -> bool:
        """The segments that a filter leaves; False where they are the same as before, perhaps with other labels."""
        ids = library.segment_ids(chosen) if library is not None else []
        self._library, self._read = library, {}
        if ids == self._ids:
            if ids:
                self.dataChanged.emit(self.index(0, 0), self.index(len(ids) - 1, len(COLUMNS) - 1))
            return False
        self.beginResetModel()
        self._ids, self._positions = ids, {segment: place for place, segment in enumerate(ids)}
        self.endResetModel()
        return True

    def propose(self, proposal_of: Callable[[SegmentRow], Proposal | None]) -> None:
        """Show the labels that are proposed for segments without one."""
        self._proposal_of = proposal_of
        if self._ids:
            self.dataChanged.emit(self.index(0, ACTION), self.index(len(self._ids) - 1, ACTION))

    def position_of(self, segment: int) -> int | None:
        """In which row a segment is."""
        return self._positions.get(segment)

    def id_at(self, place: int) -> int:
        """The id of the segment in a row."""
        return self._ids[place]

    def row(self, place: int) -> SegmentRow | None:
        """The segment in a row, read with its neighbours the first time; None where it has been removed since."""
        segment = self._ids[place]
        if segment not in self._read and self._library is not None:
            first = place // _PAGE * _PAGE
            self._read |= {row.id: row for row in self._library.segments_of(self._ids[first : first + _PAGE])}
        return self._read.get(segment)

    @property
    def rows(self) -> list[SegmentRow]:
        """All of them, read."""
        return [row for place in range(len(self._ids)) if (row := self.row(place)) is not None]

    def rowCount(self, parent: _Index = _ROOT) -> int:
        """Qt override."""
        return 0 if parent.isValid() else len(self._ids)

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
        if role not in _ROLES or (row := self.row(index.row())) is None:
            return None
        column = index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return None if column == PICTURE else self._texts(row)[column - 1]
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tooltip(row)
        if role == Qt.ItemDataRole.DecorationRole and column == PICTURE:
            return self._strips.of(row)
        if column == ACTION and role == Qt.ItemDataRole.DecorationRole:
            return None if row.action is None else self._mark(row.action)
        if column == ACTION and role == Qt.ItemDataRole.FontRole and row.action is None:
            font = QFont()
            font.setItalic(True)
            return font
        return None

    def _mark(self, action: str) -> QPixmap:
        if action not in self._marks:
            mark = self._marks[action] = QPixmap(*_MARK_PX)
            mark.fill(QColor(*action_rgb(action)))
        return self._marks[action]

    def _texts(self, row: SegmentRow) -> tuple[str, ...]:
        length, recorded = f"{row.end_s - row.start_s:.1f} s", local_clock(row.created)
        return self._action(row), length, row.who or "", row.session or "", recorded, last_part(row.source)

    def _action(self, row: SegmentRow) -> str:
        if row.action is not None:
            return f"{action_in_text(row.action)} ?" if row.suspect else action_text(row.action)
        proposal = self._proposal_of(row)
        if proposal is None:
            return "unlabelled"
        return f"{action_in_text(proposal.action)}? {proposal.probability:.0%}"

    def _tooltip(self, row: SegmentRow) -> str:
        parts = [f"{isolated(row.recording)}, {row.start_s:.1f} to {row.end_s:.1f} s", row.source]
        named = [self._action(row), *(isolated(name) for name in (row.who, row.session) if name)]
        parts.append(" · ".join(named))
        if row.suspect:
            parts.append("its label may be wrong")
        if row.action is None and self._proposal_of(row) is not None:
            parts.append("proposed by the recognizer: Y accepts")
        return "\n".join([*parts, row.note] if row.note else parts)

    def _show_pictures(self, segments: list[int]) -> None:
        for segment in segments:
            place = self._positions.get(segment)
            if place is not None:
                self.dataChanged.emit(self.index(place, PICTURE), self.index(place, PICTURE))
