"""The doctor in a window: checks this machine in a process of its own, and shows what it says."""

import sys
from codecs import getincrementaldecoder
from pathlib import Path

from PySide6.QtCore import QProcess
from PySide6.QtGui import QFontDatabase, QGuiApplication, QTextCursor
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from app import installation
from app.ui.child_windows import ClosingDialog, close_box

_CODE = "import sys; from app.cli import main; sys.exit(main(['--doctor']))"
_ROOT = Path(__file__).resolve().parents[3]
_END_MS = 500


class DoctorDialog(ClosingDialog):
    """Does not block the window; the camera that the window uses is seen as busy, which is said."""

    def __init__(self, parent: QWidget | None = None, command: tuple[str, ...] = (sys.executable, "-c", _CODE)) -> None:
        super().__init__(parent)
        self.setWindowTitle("Doctor")
        self.resize(860, 560)
        self.state = QLabel("Checking this machine …")
        self.state.setWordWrap(True)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setAccessibleName("Report of the check")
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.copy = QPushButton("&Copy")
        self.copy.setToolTip("Copy everything, for a bug report")
        self.copy.setAutoDefault(False)
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text.toPlainText()))
        foot = QHBoxLayout()
        foot.addWidget(self.copy)
        foot.addStretch(1)
        foot.addWidget(close_box(self))
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.addWidget(self.state)
        column.addWidget(self.text, 1)
        column.addLayout(foot)
        self._decoder = getincrementaldecoder("utf-8")(errors="replace")
        self._process = QProcess(self)
        self._process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        self._process.setWorkingDirectory(str(_ROOT))
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.finished.connect(self._finished)
        self._process.errorOccurred.connect(self._failed)
        self._process.start(command[0], list(command[1:]))

    def on_close(self) -> None:
        """The check ends with its window."""
        self._process.blockSignals(True)
        self._process.kill()
        self._process.waitForFinished(_END_MS)

    def _read(self) -> None:
        end = QTextCursor(self.text.document())  # the user's own cursor may be anywhere
        end.movePosition(QTextCursor.MoveOperation.End)
        end.insertText(self._decoder.decode(bytes(self._process.readAllStandardOutput().data())))

    def _finished(self, status: int) -> None:
        self._read()
        self.state.setText(
            "No problems found." if status == 0 else "There are problems; the lines below say how to fix them."
        )

    def _failed(self) -> None:
        self.state.setText(
            f"The doctor could not be started ({self._process.errorString()}): {installation.command()} --doctor"
        )
