"""What has happened: a row for each action, the newest at the top."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from app.palette import action_rgb, action_text
from recognizer.decision import ActionEvent

MOST_ROWS = 500
_COLUMNS = ("Time", "Person", "Action", "Count", "Lasted")
_TIME, _PERSON, _ACTION, _COUNT, _LASTED = range(5)
_Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


@dataclass(slots=True)
class EventRow:
    """One action of one person; duration_s is None while it goes on. count: of repetitions; None where none count."""

    start_s: float
    person: int
    action: str
    duration_s: float | None = None
    count: int | None = None

    def texts(self) -> tuple[str, str, str, str, str]:
        """The cells."""
        lasted = "…" if self.duration_s is None else f"{self.duration_s:.1f} s"
        count = str(self.count) if self.count else ""
        return clock_text(self.start_s), str(self.person + 1), action_text(self.action), count, lasted


class EventModel(QAbstractTableModel):
    """The last MOST_ROWS actions. An end completes the row of its start."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: list[EventRow] = []

    def add(self, events: Iterable[ActionEvent]) -> None:
        """Take in starts and ends, in order."""
        for event in events:
            if event.kind == "start":
                self._insert(EventRow(event.time_s, event.person, event.action))
            else:
                self._end(event)

    def clear(self) -> None:
        """Remove everything."""
        self.beginResetModel()
        self.rows.clear()
        self.endResetModel()

    def _insert(self, row: EventRow) -> None:
        if len(self.rows) >= MOST_ROWS:
            last = len(self.rows) - 1
            self.beginRemoveRows(_ROOT, last, last)
            self.rows.pop()
            self.endRemoveRows()
        self.beginInsertRows(_ROOT, 0, 0)
        self.rows.insert(0, row)
        self.endInsertRows()

    def _end(self, event: ActionEvent) -> None:
        for place, row in enumerate(self.rows):
            if row.duration_s is None and (row.person, row.action) == (event.person, event.action):
                row.duration_s = event.duration_s or 0.0
                row.count = event.count
                self.dataChanged.emit(self.index(place, 0), self.index(place, len(_COLUMNS) - 1))
                return
        duration_s = event.duration_s or 0.0
        self._insert(EventRow(event.time_s - duration_s, event.person, event.action, duration_s, event.count))

    def rowCount(self, parent: _Index = _ROOT) -> int:
        """Qt's."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index = _ROOT) -> int:
        """Qt's."""
        return 0 if parent.isValid() else len(_COLUMNS)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt's."""
        row, column = self.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return row.texts()[column]
        if role == Qt.ItemDataRole.ToolTipRole and column == _ACTION:
            return row.texts()[column]
        if role == Qt.ItemDataRole.DecorationRole and column == _ACTION:
            return QColor(*action_rgb(row.action))
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (_TIME, _COUNT, _LASTED):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.TextAlignmentRole and column == _PERSON:
            return Qt.AlignmentFlag.AlignCenter
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt's."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _COLUMNS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = {_ACTION: Qt.AlignmentFlag.AlignLeft, _PERSON: Qt.AlignmentFlag.AlignHCenter}
            return side.get(section, Qt.AlignmentFlag.AlignRight) | Qt.AlignmentFlag.AlignVCenter
        return None


class EventList(QTableView):
    """The events as a table; Ctrl+C copies the selected rows, or all of them, as tab-separated text."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.events = EventModel(self)
        self.setModel(self.events)
        self.setAccessibleName("Events")
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 9)
        self._size_columns()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt's, which would copy one cell."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)

    def _size_columns(self) -> None:
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(_ACTION, QHeaderView.ResizeMode.Stretch)
        for column, widest in ((_TIME, "00:00.0"), (_PERSON, "Person"), (_COUNT, "Count"), (_LASTED, "000.0 s")):
            self.setColumnWidth(column, self.fontMetrics().horizontalAdvance(widest) + 12)

    def copy(self) -> None:
        """Put the selected rows, or all, on the clipboard."""
        chosen = sorted(index.row() for index in self.selectionModel().selectedRows())
        rows = [self.events.rows[number] for number in chosen] or self.events.rows
        lines = ["\t".join(row.texts()) for row in rows]
        QGuiApplication.clipboard().setText("\n".join(["\t".join(_COLUMNS), *lines]))


def clock_text(time_s: float) -> str:
    """ "1:02.5", "1:00:02.5"."""
    minutes, seconds = divmod(max(time_s, 0.0), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{seconds:04.1f}" if hours else f"{minutes}:{seconds:04.1f}"
