"""What has happened: a row for each action, the newest at the top."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QEvent, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from app.palette import action_rgb, action_text
from recognizer.decision import ActionEvent

MAX_ROWS = 500
_COLUMNS = ("Time", "Person", "Action", "Count", "Lasted")
_TIME, _PERSON, _ACTION, _COUNT, _LASTED = range(5)
_SAMPLES = ("00:00.0", "", "", "", "00.0 s")  # room for these from the start, so that columns hardly ever move
_MIN_NAME = 6  # letters of an action
_PAD_PX = 12  # of a cell beside its text
_ICON_PX = 20  # the colour of an action and the gap behind it
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


def is_again(new: tuple[float, float], old: tuple[float, float]) -> bool:
    """Whether two stretches of a file, (start, end) in seconds, are mostly the same one: it was played again."""
    shared_s = min(new[1], old[1]) - max(new[0], old[0])
    return shared_s > 0.5 * min(new[1] - new[0], old[1] - old[0])


class EventModel(QAbstractTableModel):
    """The last MAX_ROWS actions. An end completes the row of its start."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: list[EventRow] = []

    def add(self, events: Iterable[ActionEvent], *, in_file: bool = False) -> None:
        """Take in starts and ends, in order. in_file: their times are places of a file, which may be played again: an
        end takes the place of what that person was found to do there before."""
        for event in events:
            if event.kind == "start":
                self._insert(EventRow(event.time_s, event.person, event.action))
            else:
                ended = self._end(event)
                if in_file:
                    self._remove_earlier(ended)

    def clear(self) -> None:
        """Remove everything."""
        self.beginResetModel()
        self.rows.clear()
        self.endResetModel()

    def _insert(self, row: EventRow) -> None:
        if len(self.rows) >= MAX_ROWS:
            last = len(self.rows) - 1
            self.beginRemoveRows(_ROOT, last, last)
            self.rows.pop()
            self.endRemoveRows()
        self.beginInsertRows(_ROOT, 0, 0)
        self.rows.insert(0, row)
        self.endInsertRows()

    def _end(self, event: ActionEvent) -> EventRow:
        for place, row in enumerate(self.rows):
            if row.duration_s is None and (row.person, row.action) == (event.person, event.action):
                row.duration_s = event.duration_s or 0.0
                row.count = event.count
                self.dataChanged.emit(self.index(place, 0), self.index(place, len(_COLUMNS) - 1))
                return row
        duration_s = event.duration_s or 0.0
        row = EventRow(event.time_s - duration_s, event.person, event.action, duration_s, event.count)
        self._insert(row)
        return row

    def _remove_earlier(self, new: EventRow) -> None:
        for place in reversed(range(len(self.rows))):
            old = self.rows[place]
            if old is new or old.person != new.person or old.duration_s is None:
                continue
            if is_again(_span(new), _span(old)):
                self.beginRemoveRows(_ROOT, place, place)
                self.rows.pop(place)
                self.endRemoveRows()

    def rowCount(self, parent: _Index = _ROOT) -> int:
        """Qt override."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index = _ROOT) -> int:
        """Qt override."""
        return 0 if parent.isValid() else len(_COLUMNS)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt override."""
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
        """Qt override."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _COLUMNS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = {_ACTION: Qt.AlignmentFlag.AlignLeft, _PERSON: Qt.AlignmentFlag.AlignHCenter}
            return side.get(section, Qt.AlignmentFlag.AlignRight) | Qt.AlignmentFlag.AlignVCenter
        return None


def _span(row: EventRow) -> tuple[float, float]:
    return row.start_s, row.start_s + (row.duration_s or 0.0)


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
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 9)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self._widest: dict[int, str] = dict(enumerate(_SAMPLES))
        self._single_person = True
        self.events.rowsInserted.connect(lambda _, first, last: self._measure(self.events.rows[first : last + 1]))
        self.events.dataChanged.connect(
            lambda first, last: self._measure(self.events.rows[first.row() : last.row() + 1])
        )
        self._measure(())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt's, which would copy one cell."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt override."""
        super().resizeEvent(event)
        self._size_columns()

    def changeEvent(self, event: QEvent) -> None:
        """Qt override: larger letters need wider columns."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._size_columns()

    def _measure(self, rows: Iterable[EventRow]) -> None:
        """Remember the widest cell of each column, and make room for it."""
        before, alone = dict(self._widest), self._single_person
        for texts in [_COLUMNS, *(row.texts() for row in rows)]:
            for column, text in enumerate(texts):
                self._widest[column] = max(self._widest.get(column, ""), text, key=self._width_of)
        self._single_person = not any(row.person for row in self.events.rows)
        if (self._widest, self._single_person) != (before, alone):
            self._size_columns()

    def _size_columns(self) -> None:
        """Figures whole; the name gets the rest, and is shortened. The number of the one person who has done it all
        gives way to names, and where that is too little, the list scrolls."""
        widths = {column: self._width_of(text) + _PAD_PX for column, text in self._widest.items() if column != _ACTION}
        beside = _PAD_PX + _ICON_PX
        room, least = self.viewport().width(), self.fontMetrics().averageCharWidth() * _MIN_NAME + beside
        longest = max(self._width_of(self._widest[_ACTION]) + beside, least)
        self.setColumnHidden(_PERSON, self._single_person and sum(widths.values()) + longest > room)
        if self.isColumnHidden(_PERSON):
            del widths[_PERSON]
        for column, width in widths.items():
            self.setColumnWidth(column, width)
        self.setColumnWidth(_ACTION, max(room - sum(widths.values()), least))

    def _width_of(self, text: str) -> int:
        return max(
            self.fontMetrics().horizontalAdvance(text), self.horizontalHeader().fontMetrics().horizontalAdvance(text)
        )

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
