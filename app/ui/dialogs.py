"""Questions to the user. None of them blocks: the answer comes to a function."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from app.ui.child_windows import share_quit_action
from app.ui.source_dialog import SourceDialog

_VIDEOS = ("Videos (*.mp4 *.m4v *.mov *.avi *.mkv *.webm *.mpg *.mpeg *.wmv)", "All files (*)")


def ask_video_file(parent: QWidget, answer: Callable[[str], None]) -> None:
    """A video file."""
    dialog = file_dialog(parent, "Open a video file", QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilters(_VIDEOS)
    dialog.fileSelected.connect(answer)
    dialog.open()


def ask_folder(parent: QWidget, title: str, answer: Callable[[str], None]) -> None:
    """A folder."""
    dialog = file_dialog(parent, title, QFileDialog.FileMode.Directory)
    dialog.fileSelected.connect(answer)
    dialog.open()


def ask_url(parent: QWidget, current: str, answer: Callable[[str], None]) -> None:
    """The address of a stream; current: the one in use, or anything else."""
    dialog = SourceDialog(parent, current if "://" in current else "")
    dialog.chosen.connect(answer)
    dialog.open()


def file_dialog(parent: QWidget, title: str, mode: QFileDialog.FileMode) -> QFileDialog:
    """A dialog of the system or of Qt, which has still to be opened."""
    dialog = QFileDialog(parent, title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setFileMode(mode)
    share_quit_action(dialog)
    return dialog
