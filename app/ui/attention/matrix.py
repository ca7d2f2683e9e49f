"""A matrix as a picture with axes, a colour bar and tooltips (pyqtgraph)."""

import os

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QHelpEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QVBoxLayout, QWidget

os.environ.setdefault("PYQTGRAPH_QT_LIB", "PySide6")
import pyqtgraph as pg

from app.outputs.heat import heat_rgb, signed_rgb
from app.ui.theme import Colours

_STEPS = 256
_BOTTOM_NAMES = 4  # names below; beside there are as many as have room


class MatrixView(QWidget):
    """Shows a matrix with rows from the top."""

    def __init__(self, colours: Colours, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self._signed = False
        self._names: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
        self._values: NDArray[np.float32] = np.zeros((0, 0), np.float32)
        self._plot = pg.PlotWidget()
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # there is nothing to do in it
        self._plot.viewport().setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plot.setMenuEnabled(False)
        self._plot.hideButtons()
        self._plot.setMouseEnabled(False, False)
        self._image = pg.ImageItem(axisOrder="row-major")
        self._plot.addItem(self._image)
        self._mark = pg.InfiniteLine(angle=90, pen=pg.mkPen("#ffffff", width=2))  # what is 0 is dark in both themes
        self._mark.setVisible(False)
        self._plot.addItem(self._mark)
        self._bar = pg.ColorBarItem(values=(0, 1), colorMap=_colour_map(False), interactive=False, width=12)
        self._bar.setImageItem(self._image, insert_in=self._plot.getPlotItem())
        self._plot.getPlotItem().invertY(True)
        self._plot.scene().sigMouseMoved.connect(self._hover)
        self._plot.viewport().installEventFilter(self)
        self._plot.getPlotItem().layout.setContentsMargins(2, 8, 2, 2)  # room for half a line of text
        self._plot.getAxis("bottom").setStyle(hideOverlappingLabels=False)
        self._plot.setVisible(False)
        self.setMinimumHeight(170)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._plot)
        self.set_colours(colours)

    def sizeHint(self) -> QSize:
        """Qt override: the same with and without a matrix, so that nothing around it moves."""
        return QSize(320, 170)

    @property
    def values(self) -> NDArray[np.float32]:
        """What is shown."""
        return self._values

    def show_matrix(
        self,
        values: NDArray[np.floating] | None,
        rows: tuple[str, ...] = (),
        columns: tuple[str, ...] = (),
        axes: tuple[str, str] = ("", ""),
        *,
        signed: bool = False,
    ) -> None:
        """A matrix (rows, columns) with names of its rows and columns and of the two axes; None shows nothing.

        signed: colours go from the largest magnitude below 0 to that above, else from 0 to the largest value.
        """
        if values is None:
            self._values = np.zeros((0, 0), np.float32)
            self._plot.setVisible(False)
            return
        values = np.asarray(values, np.float32)
        resized = values.shape != self._values.shape
        self._values = values
        top = max(float((np.abs(values) if signed else values).max(initial=0)), 1e-6)
        levels = -top if signed else 0.0, top
        self._image.setImage(values, autoLevels=False, levels=levels)
        self._plot.setVisible(True)
        if signed != self._signed:
            self._signed = signed
            self._bar.setColorMap(_colour_map(signed))
        if levels != self._bar.levels():
            self._bar.setLevels(levels)
        if resized:
            self._plot.setRange(QRectF(0, 0, values.shape[1], values.shape[0]), padding=0)
        if (rows, columns) != self._names or resized:
            self._names = rows, columns
            self._name("left", rows)
            self._name("bottom", columns)
        self._plot.getAxis("left").setToolTip(axes[0])
        self._plot.getAxis("bottom").setToolTip(axes[1])

    def mark_column(self, place: int | None) -> None:
        """A line through a column; None for none."""
        self._mark.setVisible(place is not None)
        if place is not None:
            self._mark.setValue(place + 0.5)

    def set_colours(self, colours: Colours) -> None:
        """Apply the colours of another theme."""
        self._plot.setBackground(colours.card)
        for axis in (*(self._plot.getAxis(side) for side in ("left", "bottom")), self._bar.axis):
            axis.setPen(colours.border)
            axis.setTextPen(colours.muted)

    def _name(self, side: str, names: tuple[str, ...]) -> None:
        room = self._plot.height() / self.fontMetrics().height() - 1 if side == "left" else _BOTTOM_NAMES
        every = -(-len(names) // max(int(room), 1))
        shown = [(place + 0.5, _short(name)) for place, name in enumerate(names) if place % every == 0]
        self._plot.getAxis(side).setTicks([shown])

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt override: as many names as have room."""
        super().resizeEvent(event)
        self._name("left", self._names[0])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt override: keep a cell's tooltip while the mouse rests; the view itself would show an empty one."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            return self._show_tooltip(self._plot.mapToScene(event.pos()))
        return super().eventFilter(watched, event)

    def _hover(self, at: QPointF) -> None:
        if not self._show_tooltip(at):
            QToolTip.hideText()

    def _show_tooltip(self, at: QPointF) -> bool:
        """A tooltip with names and value of the cell at a place of the scene; False where there is none."""
        inside = self._image.mapFromScene(at)
        row, column = int(np.floor(inside.y())), int(np.floor(inside.x()))
        height, width = self._values.shape
        if not (0 <= row < height and 0 <= column < width):
            return False
        rows, columns = self._names
        where = f"{rows[row]} · {columns[column]}: {self._values[row, column]:.3f}"
        place = self._plot.mapToGlobal(self._plot.mapFromScene(at))
        QToolTip.showText(place, where, self._plot)
        return True


def _colour_map(signed: bool) -> pg.ColorMap:
    places = np.linspace(0, 1, _STEPS)
    return pg.ColorMap(places, signed_rgb(2 * places - 1) if signed else heat_rgb(places))


def _short(name: str) -> str:
    """Fits beside an axis: "l wrist" for "left wrist", "0.50" for a time."""
    return name.replace("left ", "l ").replace("right ", "r ").replace(" s ago", " s").replace("class token", "class")
