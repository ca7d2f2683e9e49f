"""A file or a folder of pictures that is dropped onto the window is played."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QMimeData, QObject
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QWidget


class FileDrop(QObject):
    """Lets a widget accept one dropped local file; calls opened(path)."""

    def __init__(self, widget: QWidget, opened: Callable[[str], None]) -> None:
        super().__init__(widget)
        self._opened = opened
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt override."""
        if isinstance(event, QDragEnterEvent):
            if dropped_file(event.mimeData()):
                event.acceptProposedAction()
            return True
        if event.type() == QEvent.Type.Drop and isinstance(event, QDropEvent):
            path = dropped_file(event.mimeData())
            if path:
                event.acceptProposedAction()
                self._opened(path)
            return True
        return super().eventFilter(watched, event)


def dropped_file(data: QMimeData) -> str:
    """The one local file or folder that is dragged; "" where it is several, or something else."""
    urls = data.urls() if data.hasUrls() else []
    return urls[0].toLocalFile() if len(urls) == 1 else ""
