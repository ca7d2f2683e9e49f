"""The windows that open beside the main one; each is imported when it is first asked for."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.ui.jobs import Jobs
from app.ui.live_run import RunView
from app.ui.shortcuts import ShortcutsDialog
from app.ui.theme import Theme

Window = TypeVar("Window", bound=QWidget)


class SecondaryWindows(QObject):
    """root: folder of the library, asked for when a window opens. use_model: the user wants the model in a folder.

    recorded: told when there are new recordings. run_changed: told of the run as it is now. taking: told of the action
    whose takes are being recorded, "" for none. again: another take of an action is to be recorded.
    """

    recorded = Signal()
    run_changed = Signal(object)  # RunView
    taking = Signal(str)
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

        there = self._only(
            LibraryWindow, lambda: LibraryWindow(self._root(), self._theme, self._window, model, self.recorded)
        )
        if recording:
            there.show_recording(recording)
        _bring_up(there)

    def teach(self, run: RunView, taking: str = "") -> None:
        """Make a recognizer of what was recorded, on the one that runs. taking: the action whose takes are being
        recorded now."""
        from app.ui.teaching.teach_dialog import TeachDialog  # it loads SQLite

        def make() -> TeachDialog:
            dialog = TeachDialog(self._root(), run.options.model, self._jobs, self._theme.colours, self._window)
            dialog.use.connect(self._use_model)
            dialog.again.connect(self.again)
            review = dialog.worst.review
            review.show_taking(taking)
            review.show_run(run)
            self.taking.connect(review.show_taking)
            self.run_changed.connect(review.show_run)
            self.run_changed.connect(dialog.show_run)
            return dialog

        _bring_up(self._only(TeachDialog, make))

    def show_recognizers(self, running: Callable[[], str]) -> None:
        """Everything that can be chosen, and what can be done with those that were taught."""
        from app.ui.recognizers_dialog import RecognizersDialog

        def make() -> RecognizersDialog:
            dialog = RecognizersDialog(self._root(), running, self._jobs, self._window)
            dialog.use.connect(self._use_model)
            dialog.renamed.connect(self._use_model)
            self.run_changed.connect(dialog.show_run)
            return dialog

        _bring_up(self._only(RecognizersDialog, make))

    def show_generated(self) -> None:
        """Synthetic clips from a generator."""
        from app.ui.generation.generated_window import GeneratedWindow

        _bring_up(self._only(GeneratedWindow, lambda: GeneratedWindow(self._root(), self._jobs, self._window)))

    def show_shortcuts(self) -> None:
        """All keys."""
        _bring_up(self._only(ShortcutsDialog, lambda: ShortcutsDialog(self._window)))

    def show_documentation(self) -> None:
        """How everything is used."""
        from app.ui.help.documentation import Documentation

        _bring_up(self._only(Documentation, lambda: Documentation(self._window)))

    def show_doctor(self) -> None:
        """What is right and wrong with this machine."""
        from app.ui.help.doctor import DoctorDialog

        _bring_up(self._only(DoctorDialog, lambda: DoctorDialog(self._window)))

    def show_about(self) -> None:
        """What this program is."""
        from app.ui.help.about import AboutDialog

        _bring_up(self._only(AboutDialog, lambda: AboutDialog(self._window)))

    def _only(self, kind: type[Window], make: Callable[[], Window]) -> Window:
        """The visible window of this class, else a new one: a closed one may be about to be deleted."""
        return next((window for window in self._window.findChildren(kind) if window.isVisible()), None) or make()


def _bring_up(window: QWidget) -> None:
    window.show()
    window.raise_()
    window.activateWindow()
