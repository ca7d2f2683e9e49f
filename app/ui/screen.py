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


def saved_window(window: QWidget) -> str:
    """A window's position and size as text for the settings."""
    return window.saveGeometry().toBase64().toStdString()


def restore_window(window: QWidget, saved: str) -> None:
    """Restore a saved position and size, limited to the current screen; invalid text changes nothing."""
    if saved and window.restoreGeometry(QByteArray.fromBase64(saved.encode())):
        fit(window)
