"""How secondary windows close: through one path, and with a question while they are working."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QShowEvent
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QMainWindow, QMessageBox, QWidget

from app.ui.screen import fit

QUIT = "quit"  # name of the main window's action


class ClosingDialog(QDialog):
    """A dialog that is deleted when it closes. Esc, its button, the window's X and quitting the program all call
    on_close() exactly once."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._is_closed = self._confirmed = False
        self._question: QMessageBox | None = None
        share_quit_action(self)

    def showEvent(self, event: QShowEvent) -> None:
        """Qt override: within the screen."""
        super().showEvent(event)
        fit(self)

    def stop_question(self) -> str:
        """The question to ask before closing stops running work; "" if nothing runs."""
        return ""

    def on_close(self) -> None:
        """Called once on closing: stop what runs and release everything."""

    def close_now(self) -> None:
        """Close without a question."""
        self._confirmed = True
        self.done(QDialog.DialogCode.Rejected)

    def dismiss_question(self) -> None:
        """Close the open question: the work has ended."""
        question, self._question = self._question, None
        if question is not None:
            question.done(QDialog.DialogCode.Rejected)

    def reject(self) -> None:
        """Qt override: Esc, a button, the window's X."""
        asks = "" if self._confirmed else self.stop_question()
        if not asks:
            super().reject()
        elif self._question is None:
            self._question = ask_to_stop(self, asks, self.close_now)
            self._question.finished.connect(lambda _: setattr(self, "_question", None))

    def done(self, result: int) -> None:
        """Qt override: every way to close ends here."""
        if not self._is_closed:
            self._is_closed = True
            self.dismiss_question()
            self.on_close()
        super().done(result)


class ClosingQuestion:
    """Asks once before a window with running work closes. confirmed: close without asking."""

    def __init__(self, window: QWidget, stop_questions: Callable[[], Iterable[str]], close: Callable[[], None]) -> None:
        """stop_questions: for each task that closing would stop, the question to ask; "" where nothing runs.
        close: called when the user chooses to stop."""
        self.confirmed = False
        self._window, self._stop_questions, self._close = window, stop_questions, close
        self._box: QMessageBox | None = None

    def may_close(self) -> bool:
        """Whether the window may close now; if not, the question is shown."""
        question = "" if self.confirmed else self._question()
        if question and self._box is None:
            self._box = ask_to_stop(self._window, question, self._close)
            self._box.finished.connect(lambda _: setattr(self, "_box", None))
        return not question

    def recheck(self) -> None:
        """Close the question if the work has ended meanwhile."""
        if self._box is not None and not self._question():
            self._box.reject()

    def _question(self) -> str:
        return "\n".join(dict.fromkeys(filter(None, self._stop_questions())))


def close_box(dialog: QDialog) -> QDialogButtonBox:
    """A row with a Close button."""
    box = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    box.rejected.connect(dialog.reject)
    box.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
    return box


def ask_to_stop(parent: QWidget, question: str, stop: Callable[[], None]) -> QMessageBox:
    """Ask whether to stop the running work; calls stop() on yes. Returns without waiting for the answer."""
    return ask(parent, question, "", "&Stop", stop, keep="&Continue")


def ask(
    parent: QWidget, text: str, more: str, button: str, do: Callable[[], None], keep: str = "Cancel"
) -> QMessageBox:
    """Ask before something that cannot be undone; calls do() on yes. Returns without waiting for the answer."""
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setText(text)
    box.setInformativeText(more)
    box.addButton(button, QMessageBox.ButtonRole.DestructiveRole).clicked.connect(do)
    stay = box.addButton(keep, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(stay)
    box.setEscapeButton(stay)
    share_quit_action(box)
    box.open()
    return box


def close_all_of(window: QWidget) -> None:
    """Close every dialog and window that belongs to a window, those that were opened last first; nothing is asked."""
    for dialog in reversed(window.findChildren(QDialog)):
        if isinstance(dialog, ClosingDialog):
            dialog.close_now()
        else:
            dialog.done(QDialog.DialogCode.Rejected)
    for other in window.findChildren(QMainWindow):
        other.close()


def first_stop_question(window: QWidget) -> str:
    """The question of the first dialog of a window that is at work; "" where none is."""
    return next(iter(stop_questions_of(window)), "")


def stop_questions_of(window: QWidget) -> list[str]:
    """What every dialog of a window that is at work asks, each question once."""
    asked = (dialog.stop_question() for dialog in window.findChildren(ClosingDialog))
    return list(dict.fromkeys(filter(None, asked)))


def share_quit_action(window: QWidget) -> None:
    """Make the main window's Quit shortcut work in a child window."""
    owner = window.parentWidget()
    while owner is not None:
        action = owner.findChild(QAction, QUIT, Qt.FindChildOption.FindDirectChildrenOnly)
        if action is not None:
            window.addAction(action)
            return
        owner = owner.parentWidget()
