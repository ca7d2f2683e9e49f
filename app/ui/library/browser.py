"""The left side of the library's window: filters, and the lists of segments, of recordings and of the bin."""

from collections.abc import Iterable, Mapping, Sequence

from PySide6.QtCore import (
    QAbstractTableModel,
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QLabel, QTableView, QTabWidget, QVBoxLayout, QWidget

from app.library.catalogue import Library
from app.library.rows import RecordingRow, SegmentRow
from app.plurals import counted
from app.ui.library.filters import FilterBar
from app.ui.library.recording_model import RecordingModel
from app.ui.library.segment_model import SegmentModel
from app.ui.library.strips import Strips

SEGMENTS, RECORDINGS, BIN = range(3)
_STRIP_PX = 48
_PICTURE_PX = 136
_PAD_PX = 9  # of a cell beside its text
# Sample texts for the minimum width of each column. Spare room goes to the columns that may grow; the last columns are
# hidden first. Long names are elided, numbers and times never are.
_TIME = "0000-00-00 00:00"
_SEGMENT_SAMPLES = (_PICTURE_PX, "jumping jacks ?__", "000.0 s", "Anybody", "some session", _TIME, "camera.mp4")
_SEGMENTS_GROW = {1: 2, 3: 1, 4: 1, 6: 3}
_RECORDING_SAMPLES = (_TIME, "0000.0 s", "000 of 000", "some camera.mp4", "some session", "some note")
_RECORDINGS_GROW = {3: 3, 4: 2, 5: 2}


class Browser(QWidget):
    """chosen: other segments or recordings are chosen. list_changed: another list is shown."""

    chosen = Signal()
    list_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._filtering = False
        self._hidden: tuple[list[int], list[str]] | None = None  # chosen before a filter hid some of it
        self.filters = FilterBar()
        self.strips = Strips((_PICTURE_PX, _STRIP_PX), self)
        self.segments = SegmentModel(self.strips)
        self.recordings, self.deleted = RecordingModel(), RecordingModel()
        self.segment_table = Table(self.segments, "Segments", _SEGMENT_SAMPLES, _SEGMENTS_GROW)
        self.segment_table.setIconSize(QSize(_PICTURE_PX, _STRIP_PX))
        self.segment_table.verticalHeader().setDefaultSectionSize(_STRIP_PX + 6)
        self.recording_table = Table(self.recordings, "Recordings", _RECORDING_SAMPLES, _RECORDINGS_GROW)
        self.bin_table = Table(self.deleted, "Recordings in the bin", _RECORDING_SAMPLES, _RECORDINGS_GROW)
        self.tabs = QTabWidget()
        self.tabs.setAccessibleName("Lists")
        for table, title in (
            (self.segment_table, "Segments"),
            (self.recording_table, "Recordings"),
            (self.bin_table, "Bin"),
        ):
            self.tabs.addTab(table, title)
            table.selectionModel().selectionChanged.connect(self._selection_changed)
        self.tabs.currentChanged.connect(lambda _: self._list_changed())
        self.count = QLabel()
        self.count.setObjectName("muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 6, 0)
        column.addWidget(self.filters)
        column.addWidget(self.tabs, 1)
        column.addWidget(self.count)

    @property
    def table(self) -> "Table":
        """The list that is shown."""
        return (self.segment_table, self.recording_table, self.bin_table)[self.tabs.currentIndex()]

    def refresh(self, library: Library, *, filtered: bool = False) -> None:
        """Read the lists again; what was chosen stays chosen where it is still there.

        filtered: for another filter. What it hides is remembered, and chosen again when a later one shows it.
        """
        self._filtering = filtered
        segments, recordings = self._previous_selection()
        place = self.table.currentIndex().row()
        self.filters.offer(library)
        if self.segments.show(library, self.filters.filter()):
            self.segment_table.choose(self.segments.position_of(segment) for segment in segments)
        for model, table, deleted in (
            (self.recordings, self.recording_table, False),
            (self.deleted, self.bin_table, True),
        ):
            model.show(library, self.filters.filter(deleted=deleted))
            table.choose(model.position_of(recording) for recording in recordings)
        if not self.table.selectionModel().hasSelection():
            self.table.choose([min(max(place, 0), self.table.model().rowCount() - 1)])  # the next one, after a removal
        self._filtering = False
        self._count(library)

    def _previous_selection(self) -> tuple[list[int], list[str]]:
        """What was chosen before the first of the filters that follow each other, or else what is chosen now."""
        if not (self._filtering and self._hidden is not None):
            segments = [self.segments.id_at(place) for place in self.segment_table.chosen_rows()]
            self._hidden = segments, [row.id for row in self.chosen_recordings()]
        chosen = self._hidden
        if not self._filtering:
            self._hidden = None
        return chosen

    def show_list(self, number: int) -> None:
        """Show SEGMENTS, RECORDINGS or BIN."""
        self.tabs.setCurrentIndex(number)
        self.table.setFocus()

    def chosen_segments(self) -> list[SegmentRow]:
        """In the list of segments, from above; none while another list is shown."""
        if self.tabs.currentIndex() != SEGMENTS:
            return []
        rows = [self.segments.row(place) for place in self.segment_table.chosen_rows()]
        return [row for row in rows if row is not None]

    def chosen_recordings(self) -> list[RecordingRow]:
        """In the list of recordings, or of the bin, that is shown."""
        if self.tabs.currentIndex() == SEGMENTS:
            return []
        rows = (self.recordings if self.tabs.currentIndex() == RECORDINGS else self.deleted).rows
        return [rows[place] for place in self.table.chosen_rows()]

    def chosen_names(self) -> list[str]:
        """The chosen recordings, or those that the chosen segments are of."""
        segments = dict.fromkeys(row.recording for row in self.chosen_segments())
        return list(segments) or [row.id for row in self.chosen_recordings()]

    def choose_segment(self, segment: int) -> bool:
        """Choose a segment alone; False where the list does not show it."""
        place = self.segments.position_of(segment)
        if place is not None:
            self.tabs.setCurrentIndex(SEGMENTS)
            self.segment_table.choose([place])
        return place is not None

    def _list_changed(self) -> None:
        if self.table.model().rowCount() and not self.table.chosen_rows():
            self.table.choose([0])
        self.list_changed.emit()

    def _selection_changed(self, *_: QItemSelection) -> None:
        if not self._filtering:
            self._hidden = None  # the user has chosen something else
        self.chosen.emit()

    def _count(self, library: Library) -> None:
        segments, recordings, deleted = self.segments.rowCount(), self.recordings.total, self.deleted.total
        self.count.setText(
            f"{counted(segments, 'segment')} · {counted(recordings, 'recording')} · {deleted} in the bin"
        )
        restricts = self.filters.restricts
        empty = "" if restricts else "No recordings yet: press F8 in the live window, or import videos (Ctrl+I)"
        unlabelled = "No segments yet: choose a recording (Alt+2), then P proposes segments"
        nothing = "Nothing matches: change the search or the filters"
        self.segment_table.hint = nothing if restricts else (unlabelled if recordings else empty)
        self.recording_table.hint = nothing if restricts else empty
        self.bin_table.hint = nothing if restricts else "The bin is empty"


class Table(QTableView):
    """A table with row selection. hint: shown while it is empty.

    samples: for what each column needs room at the least, as text, or pixels of a picture. grow: the share of what is
    left over, by column. A column that does not fit is hidden whole, the last ones first.
    """

    def __init__(
        self, model: QAbstractTableModel, name: str, samples: Sequence[str | int], grow: Mapping[int, int]
    ) -> None:
        super().__init__()
        self.hint = ""
        self._samples, self._grow = tuple(samples), grow
        self.setModel(model)
        self.setAccessibleName(name)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)  # rows say all in their tooltips
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        header.setStretchLastSection(True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt override."""
        super().resizeEvent(event)
        self._fit_columns()

    def changeEvent(self, event: QEvent) -> None:
        """Qt override: larger letters need wider columns."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit_columns()

    def _fit_columns(self) -> None:
        for section, width in enumerate(column_widths(self._minimum_widths(), self._grow, self.viewport().width())):
            self.setColumnHidden(section, not width)
            if width:
                self.setColumnWidth(section, width)

    def _minimum_widths(self) -> list[int]:
        header, model = self.horizontalHeader().fontMetrics(), self.model()
        titles = [
            header.horizontalAdvance(str(model.headerData(section, Qt.Orientation.Horizontal)))
            for section in range(len(self._samples))
        ]
        cells = [
            sample if isinstance(sample, int) else self.fontMetrics().horizontalAdvance(sample)
            for sample in self._samples
        ]
        return [max(title, cell) + _PAD_PX for title, cell in zip(titles, cells, strict=True)]

    def selectAll(self) -> None:
        """Qt override: also the rows that have not been read yet."""
        while self.model().canFetchMore(QModelIndex()):
            self.model().fetchMore(QModelIndex())
        super().selectAll()

    def chosen_rows(self) -> list[int]:
        """The rows that are chosen, from above."""
        return sorted(index.row() for index in self.selectionModel().selectedRows())

    def choose(self, places: Iterable[int | None]) -> None:
        """Choose these rows alone, and show the first; None is left out."""
        wanted = [place for place in places if place is not None and place >= 0]
        selection = QItemSelection()
        last = self.model().columnCount() - 1
        for top, bottom in _runs(wanted):
            selection.select(self.model().index(top, 0), self.model().index(bottom, last))
        self.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        if wanted:
            first = self.model().index(wanted[0], 0)
            self.selectionModel().setCurrentIndex(first, QItemSelectionModel.SelectionFlag.NoUpdate)
            self.scrollTo(first)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt override."""
        super().paintEvent(event)
        if self.model().rowCount() == 0 and self.hint:
            painter = QPainter(self.viewport())
            room = QRect(self.viewport().rect()).adjusted(20, 20, -20, -20)
            painter.setPen(self.palette().placeholderText().color())
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.hint)


def _runs(rows: Iterable[int]) -> list[tuple[int, int]]:
    """The first and last of rows that follow each other: Qt is slow with thousands of single ones."""
    found: list[tuple[int, int]] = []
    for row in sorted(rows):
        if found and row == found[-1][1] + 1:
            found[-1] = found[-1][0], row
        else:
            found.append((row, row))
    return found


def column_widths(minimums: Sequence[int], grow: Mapping[int, int], room: int) -> list[int]:
    """The width of each column, 0 of those that are left out: as many of the first as fit, two at the least."""
    count = max(sum(sum(minimums[: number + 1]) <= room for number in range(len(minimums))), 2)
    shares = [grow.get(section, 0) for section in range(count)]
    spare = max(room - sum(minimums[:count]), 0)
    widths = [width + spare * share // max(sum(shares), 1) for width, share in zip(minimums, shares, strict=False)]
    return widths + [0] * (len(minimums) - count)
