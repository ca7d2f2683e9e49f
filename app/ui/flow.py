"""A layout that wraps its items into rows."""

from collections.abc import Sequence

from PySide6.QtCore import QMargins, QRect, QSize
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget


class FlowLayout(QLayout):
    """fills: the items of a row share its full width; otherwise each has its preferred width."""

    def __init__(self, parent: QWidget | None = None, *, spacing: int = 8, fills: bool = False) -> None:
        super().__init__(parent)
        self.setContentsMargins(QMargins())
        self.setSpacing(spacing)
        self._items: list[QLayoutItem] = []
        self._fills = fills

    def addItem(self, item: QLayoutItem) -> None:
        """Qt override."""
        self._items.append(item)

    def count(self) -> int:
        """Qt override."""
        return len(self._items)

    def itemAt(self, place: int) -> QLayoutItem | None:
        """Qt override."""
        return self._items[place] if 0 <= place < len(self._items) else None

    def takeAt(self, place: int) -> QLayoutItem | None:
        """Qt override."""
        return self._items.pop(place) if 0 <= place < len(self._items) else None

    def hasHeightForWidth(self) -> bool:
        """Qt override."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Qt override."""
        rows = self._rows(width)
        return sum(map(_height, rows)) + self.spacing() * max(len(rows) - 1, 0)

    def sizeHint(self) -> QSize:
        """All in one row."""
        shown = self._shown()
        wide = sum(_preferred_size(item).width() for item in shown) + self.spacing() * max(len(shown) - 1, 0)
        return QSize(wide, _height(shown))

    def minimumSize(self) -> QSize:
        """The widest part alone."""
        shown = self._shown()
        return QSize(max((item.minimumSize().width() for item in shown), default=0), _height(shown))

    def setGeometry(self, rect: QRect) -> None:
        """Qt override."""
        super().setGeometry(rect)
        y = rect.y()
        for row in self._rows(rect.width()):
            self._place(row, QRect(rect.x(), y, rect.width(), _height(row)))
            y += _height(row) + self.spacing()

    def _shown(self) -> list[QLayoutItem]:
        return [item for item in self._items if not item.isEmpty()]

    def _rows(self, width: int) -> list[list[QLayoutItem]]:
        rows: list[list[QLayoutItem]] = []
        left = -1
        for item in self._shown():
            wide = _preferred_size(item).width()
            if not rows or wide > left:
                rows.append([])
                left = width
            rows[-1].append(item)
            left -= wide + self.spacing()
        return rows

    def _place(self, row: Sequence[QLayoutItem], room: QRect) -> None:
        spare = room.width() - sum(_preferred_size(item).width() for item in row) - self.spacing() * (len(row) - 1)
        x = room.x()
        for place, item in enumerate(row):
            more = max(spare, 0) * (place + 1) // len(row) - max(spare, 0) * place // len(row) if self._fills else 0
            wide = min(_preferred_size(item).width() + more, room.width())
            item.setGeometry(QRect(x, room.y(), wide, room.height()))
            x += wide + self.spacing()


def _preferred_size(item: QLayoutItem) -> QSize:
    return item.sizeHint().expandedTo(item.minimumSize())


def _height(row: Sequence[QLayoutItem]) -> int:
    return max((_preferred_size(item).height() for item in row), default=0)
