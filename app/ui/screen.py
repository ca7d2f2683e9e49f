"""Windows that fit the screen they open on."""

from PySide6.QtCore import QByteArray, QSize
from PySide6.QtWidgets import QWidget

_FRAME = QSize(16, 40)  # what a system's title bar and borders take, which is not known before the window is shown


def fit(window: QWidget, wanted: QSize | None = None) -> None:
    """Give a window the size that is wanted, or its own, as far as the free part of its screen has room for it."""
    free = window.screen().availableGeometry()
    room = (free.size() - _FRAME).expandedTo(window.minimumSize())
    window.resize((wanted or window.size()).boundedTo(room))
    inside = window.frameGeometry()
    if window.isVisible() and not free.contains(inside):
        inside.moveRight(min(inside.right(), free.right()))
        inside.moveBottom(min(inside.bottom(), free.bottom()))
        inside.moveLeft(max(inside.left(), free.left()))
        inside.moveTop(max(inside.top(), free.top()))
        window.move(inside.topLeft())


def saved_place(window: QWidget) -> str:
    """Where a window stands and how large it is, to be kept."""
    return window.saveGeometry().toBase64().toStdString()


def restore_place(window: QWidget, saved: str) -> None:
    """As it was kept, as far as the screen of today has room for it; text that says nothing leaves it where it is."""
    if saved and window.restoreGeometry(QByteArray.fromBase64(saved.encode())):
        fit(window)
