"""The windows that open beside the main one; each is imported when it is first asked for."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.ui.jobs import Jobs
from app.ui.shortcuts import ShortcutsDialog
from app.ui.theme import Theme


class WindowsBeside(QObject):
    """root: folder of the library, asked for when a window opens. use_model: the user wants the model in a folder.

    recorded: told when there are new recordings. again: another take of an action is to be recorded.
    """

    recorded = Signal()
    again = Signal(str)

    def __init__(
        self, root: Callable[[], Path], theme: Theme, jobs: Jobs, use_model: Callable[[str], None], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._root, self._theme, self._jobs, self._use_model, self._window = root, theme, jobs, use_model, parent

    def open_library(self, model: Callable[[], str], recording: str = "") -> None:
        """Browse and label recordings, with proposals of a model as on the command line; recording: to be
        shown."""
        from app.ui.library.library_window import LibraryWindow  # it loads SQLite and the readers of data sets

        there = self._window.findChild(LibraryWindow)
        if there is None:
            there = LibraryWindow(self._root(), self._theme, self._window, model, self.recorded)
        if recording:
            there.show_recording(recording)
        there.show()
        there.raise_()
        there.activateWindow()

    def teach(self, model: str) -> None:
        """Make a recognizer of what was recorded, on a model as on the command line."""
        from app.ui.teaching.teach_dialog import TeachDialog  # it loads SQLite

        dialog = TeachDialog(self._root(), model, self._jobs, self._theme.colours, self._window)
        dialog.use.connect(self._use_model)
        dialog.again.connect(self.again)
        dialog.show()

    def show_recognizers(self, running: Callable[[], str]) -> None:
        """Everything that can be chosen, and what can be done with those that were taught."""
        from app.ui.recognizers_dialog import RecognizersDialog

        dialog = self._window.findChild(RecognizersDialog)
        if dialog is None:
            dialog = RecognizersDialog(self._root(), running, self._jobs, self._window)
            dialog.use.connect(self._use_model)
            dialog.renamed.connect(self._use_model)
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()

    def show_generated(self) -> None:
        """Synthetic clips from a generator."""
        from app.ui.generation.generated_window import GeneratedWindow

        window = self._window.findChild(GeneratedWindow)
        if window is None:
            window = GeneratedWindow(self._root(), self._jobs, self._window)
        window.show()
        window.raise_()
        window.activateWindow()

    def show_shortcuts(self) -> None:
        """All keys."""
        ShortcutsDialog(self._window).show()

    def show_documentation(self) -> None:
        """How everything is used."""
        from app.ui.help.documentation import Documentation

        Documentation(self._window).show()

    def show_doctor(self) -> None:
        """What is right and wrong with this machine."""
        from app.ui.help.doctor import DoctorDialog

        DoctorDialog(self._window).show()

    def show_about(self) -> None:
        """What this program is."""
        from app.ui.help.about import AboutDialog

        AboutDialog(self._window).show()
