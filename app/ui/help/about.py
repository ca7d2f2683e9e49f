"""Show the versions of this program."""

import platform
from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import Qt, qVersion
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.ui import icons
from app.ui.child_windows import ClosingDialog, close_box

_PARTS = ("mediapipe", "onnxruntime-gpu", "onnxruntime", "opencv-contrib-python", "numpy")


class AboutDialog(ClosingDialog):
    """It does not block the window. The text can be copied, for a report of what went wrong."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About ActionLens")
        picture = QLabel()
        picture.setPixmap(icons.application_icon().pixmap(64, 64))
        self.text = QLabel(about_text())
        self.text.setObjectName("selectable")
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setAccessibleName("About ActionLens")
        by = Qt.TextInteractionFlag
        self.text.setTextInteractionFlags(by.TextSelectableByMouse | by.TextSelectableByKeyboard)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(14)
        column.addWidget(picture, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self.text)
        column.addWidget(close_box(self))


def about_text() -> str:
    """The program and its versions, a line each."""
    lines = [
        f"ActionLens {installed('actionlens') or 'from source'}",
        "Watches a webcam, says what a person is doing and shows why.",
        "Pictures, poses and predictions stay on this machine.",
        "",
        f"Python {platform.python_version()} on {platform.system()} {platform.release()}",
        f"Qt {qVersion()}",
    ]
    return "\n".join([*lines, *(f"{name} {found}" for name in _PARTS if (found := installed(name)))])


def installed(package: str) -> str:
    """The version of an installed package; "" where it is not."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
