"""Pages that scroll vertically when there is too little room."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget


class VerticalScrollArea(QScrollArea):
    """A page of a window, which has a width of its own."""

    def __init__(self, page: QWidget) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its controls are reached one by one, and come into sight then
        self.viewport().setAutoFillBackground(False)
        self.setWidget(page)
        page.setAutoFillBackground(False)


class ScrolledPage(VerticalScrollArea):
    """A page of a dialog: asks it for the whole width of the page, whatever the font, and for its whole height if there
    is room."""

    def __init__(self, page: QWidget) -> None:
        super().__init__(page)
        self._page = page

    def minimumSizeHint(self) -> QSize:
        """Qt override."""
        least = super().minimumSizeHint()
        return QSize(max(self._page.minimumSizeHint().width() + self._bar(), least.width()), least.height())

    def sizeHint(self) -> QSize:
        """Qt override."""
        return self._page.sizeHint() + QSize(self._bar(), 0)

    def _bar(self) -> int:
        return self.verticalScrollBar().sizeHint().width()
