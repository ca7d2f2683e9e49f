"""Today and this week by action: a plot and a table, with the switch that keeps it, export and delete."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QColor, QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.errors import OutputError
from app.outputs.history import Total, day_start, week_start
from app.palette import action_rgb, action_text
from app.plurals import counted
from app.ui.child_windows import ClosingDialog, ask, close_box
from app.ui.dialogs import file_dialog
from app.ui.disabled_controls import enable
from app.ui.picker import Picker
from app.ui.theme import Colours

if TYPE_CHECKING:
    from app.ui.history.control import HistoryControl

TODAY, WEEK = "Today", "This week"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_REFRESH_MS = 3000
_OFF = "Nothing is kept unless you switch it on. It stays on this machine."


class HistoryPage(ClosingDialog):
    """A page beside the main window. It looks again by itself while it is open, for the run goes on."""

    def __init__(self, control: "HistoryControl", colours: Colours, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("History")
        self.resize(720, 560)
        self._control = control
        self.keep = QCheckBox("&Keep a history of what the camera sees, without pictures")
        self.keep.setChecked(control.kept)
        self.keep.toggled.connect(self._switch)
        self.span = Picker()
        self.span.setAccessibleName("Span")
        self.span.addItems([TODAY, WEEK])
        self.span.currentIndexChanged.connect(lambda _: self.read())
        self.plot = _plot(colours)
        self.table = QTreeWidget()
        self.table.setHeaderLabels(["Action", "Total", "Begun", "Count", "Longest"])
        self.table.setRootIsDecorated(False)
        self.table.setAccessibleName("By action")
        self.table.header().setStretchLastSection(False)
        self.table.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.table.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.export, self.delete = QPushButton("&Export…"), QPushButton("&Delete all…")
        self.state = QLabel()
        self.state.setWordWrap(True)
        self.state.setTextFormat(Qt.TextFormat.PlainText)
        self.export.clicked.connect(lambda: self._ask_where())
        self.delete.clicked.connect(lambda: self._ask_to_delete())
        self._shown: object = None
        self._stale = False  # the next look that works replaces what `state` says
        self._timer = QTimer(self)
        self._timer.setInterval(_REFRESH_MS)
        self._timer.timeout.connect(self._look)
        self._lay_out()

    def showEvent(self, event: QShowEvent) -> None:
        """Qt override."""
        super().showEvent(event)
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Qt override."""
        super().hideEvent(event)
        self._timer.stop()

    def changeEvent(self, event: QEvent) -> None:
        """Qt override: the user comes back to it."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self._look()

    def _lay_out(self) -> None:
        head, foot = QHBoxLayout(), QHBoxLayout()
        head.addWidget(self.keep, 1)
        head.addWidget(self.span)
        for button in (self.export, self.delete):
            button.setAutoDefault(False)
            foot.addWidget(button)
        foot.addWidget(self.state, 1)
        foot.addWidget(close_box(self))
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.plot, 3)
        column.addWidget(self.table, 2)
        column.addLayout(foot)

    def read(self) -> None:
        """Look again, and say no more than how it is."""
        self._stale = True
        self._look()

    def _look(self) -> None:
        """Show what is kept now; what was said about an export stays."""
        now = datetime.now()
        week = self.span.currentText() == WEEK
        since = week_start(now) if week else day_start(now)
        edges = _edges(now, week=week)
        try:
            totals = self._control.history.totals(since, edges[-1])
            parts = self._control.history.parts(edges)
        except OutputError as error:
            self.state.setText(str(error))
            self._stale = True
            return
        if self._stale:
            self._stale = False
            self.state.setText(_OFF if not self._control.kept else "")
        if self._shown != (totals, parts, week):
            self._shown = totals, parts, week
            self._fill(totals)
            self._draw(parts, totals, week=week)
        empty = "" if self._control.history.path.exists() else "There is no history"
        enable(self.export, empty)
        enable(self.delete, empty)

    def _fill(self, totals: list[Total]) -> None:
        above = self.table.verticalScrollBar().value()
        self.table.clear()
        for total in totals:
            cells = (_long(total.seconds), str(total.times), str(total.count or ""), _long(total.longest_s))
            item = QTreeWidgetItem([action_text(total.action), *cells])
            item.setData(0, Qt.ItemDataRole.DecorationRole, QColor(*action_rgb(total.action)))  # as in the plot
            for column in range(1, 5):
                item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.table.addTopLevelItem(item)
        self.table.verticalScrollBar().setValue(above)

    def _draw(self, parts: list[dict[str, float]], totals: list[Total], *, week: bool) -> None:
        """Bars by hour or by day, each action on top of those before."""
        self.plot.clear()
        under = [0.0] * len(parts)
        for total in totals:
            heights = [part.get(total.action, 0.0) / 60 for part in parts]
            bars = pg.BarGraphItem(
                x=list(range(len(parts))),
                y0=list(under),
                height=heights,
                width=0.8,
                brush=action_rgb(total.action),
                pen=None,
            )
            self.plot.addItem(bars)
            under = [low + height for low, height in zip(under, heights, strict=True)]
        names = list(enumerate(_DAYS)) if week else [(hour - 0.5, str(hour)) for hour in range(0, 25, 3)]
        self.plot.getAxis("bottom").setTicks([names])
        self.plot.setXRange(-0.6, len(parts) - 0.4, padding=0)
        self.plot.setYRange(0, max(*under, 1.0), padding=0.05)

    def _switch(self, on: bool) -> None:
        self._control.keep(on)
        self.read()

    def _ask_where(self) -> None:
        dialog = file_dialog(self, "Export history", QFileDialog.FileMode.AnyFile)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters(("Tables (*.csv)", "All files (*)"))
        dialog.setDefaultSuffix("csv")
        dialog.selectFile("history.csv")
        dialog.fileSelected.connect(self._export)
        dialog.open()

    def _export(self, name: str) -> None:
        try:
            rows = self._control.history.export(Path(name))
        except OutputError as error:
            self.state.setText(str(error))
        else:
            self.state.setText(f"Saved {counted(rows, 'action')} in {Path(name).name}")

    def _ask_to_delete(self) -> None:
        ask(self, "Delete the whole history?", "This cannot be undone.", "&Delete", self._delete)

    def _delete(self) -> None:
        try:
            self._control.history.delete()
        except OutputError as error:
            self.state.setText(str(error))
        else:
            self.read()


def _plot(colours: Colours) -> pg.PlotWidget:
    plot = pg.PlotWidget(background=colours.card)
    plot.setAccessibleName("Minutes by action")
    for part in (plot, plot.viewport()):
        part.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the table below says the same
    plot.setMouseEnabled(False, False)
    plot.setMenuEnabled(False)
    plot.hideButtons()
    plot.setLabel("left", "minutes", color=colours.text)
    for side in ("left", "bottom"):
        plot.getAxis(side).setPen(colours.muted)
        plot.getAxis(side).setTextPen(colours.text)
    return plot


def _edges(now: datetime, *, week: bool) -> list[float]:
    """Midnights of this week, or full hours of today."""
    if week:
        return [day_start(now, now.weekday() - day) for day in range(8)]
    start = day_start(now)
    return [*(start + 3600 * hour for hour in range(24)), day_start(now, -1)]


def _long(seconds: float) -> str:
    """ "1 h 05 min", "3 min 20 s", "4.2 s"."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min {rest:02} s"
