"""Asks for the address of a network stream."""

from urllib.parse import urlsplit

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialogButtonBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.ui.child_windows import ClosingDialog
from app.ui.disabled_controls import enable
from pose.address import STREAMS


class SourceDialog(ClosingDialog):
    """One line for a URL. chosen: an address that can be tried."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None, url: str = "") -> None:
        super().__init__(parent)
        self.setWindowTitle("Open URL")
        self.setMinimumWidth(460)
        heading = QLabel("&Address of a camera or video stream")
        self.address = QLineEdit(url)
        self.address.setPlaceholderText("rtsp://192.168.1.20:554/stream")
        heading.setBuddy(self.address)
        self.hint = QLabel("It begins with http://, https:// or rtsp://.")
        self.hint.setObjectName("muted")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)
        self.address.textChanged.connect(self._check)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(8)
        for widget in (heading, self.address, self.hint):
            column.addWidget(widget)
        column.addSpacing(8)
        column.addWidget(self.buttons)
        self._check()

    def _check(self) -> None:
        ready = is_stream_url(self.address.text().strip())
        enable(self.buttons.button(QDialogButtonBox.StandardButton.Open), "" if ready else self.hint.text())

    def _accept(self) -> None:
        self.chosen.emit(self.address.text().strip())
        self.accept()


def is_stream_url(text: str) -> bool:
    """Whether it looks like the address of a stream."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme.lower() in STREAMS and bool(parts.netloc)
