"""How the windows beside the main one close: in one way, whichever was asked for; while they work, after a question."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QShowEvent
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QMainWindow, QMessageBox, QWidget

from app.ui.screen import fit

QUIT = "quit"  # name of the main window's action


class ClosingDialog(QDialog):
    """A dialog that is deleted when it closes. Esc, its button, the window's X and the end of the program all come to
    leave(), once."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._left = self._sure = False
        self._question: QMessageBox | None = None
        lend_quit(self)

    def showEvent(self, event: QShowEvent) -> None:
        """Qt's: within the screen."""
        super().showEvent(event)
        fit(self)

    def at_work(self) -> str:
        """What would be stopped by closing now, as a question; "" where nothing would."""
        return ""

    def leave(self) -> None:
        """It closes: stop what runs and let go of everything."""

    def close_now(self) -> None:
        """Close without a question."""
        self._sure = True
        self.done(QDialog.DialogCode.Rejected)

    def work_is_over(self) -> None:
        """There is nothing to ask about any more."""
        question, self._question = self._question, None
        if question is not None:
            question.done(QDialog.DialogCode.Rejected)

    def reject(self) -> None:
        """Qt's: Esc, a button, the window's X."""
        asks = "" if self._sure else self.at_work()
        if not asks:
            super().reject()
        elif self._question is None:
            self._question = ask_to_stop(self, asks, self.close_now)
            self._question.finished.connect(lambda _: setattr(self, "_question", None))

    def done(self, result: int) -> None:
        """Qt's: every way to close ends here."""
        if not self._left:
            self._left = True
            self.work_is_over()
            self.leave()
        super().done(result)


class ClosingQuestion:
    """One question before a window is closed in which something is at work. sure: it closes without one."""

    def __init__(self, window: QWidget, at_work: Callable[[], Iterable[str]], close: Callable[[], None]) -> None:
        """at_work: what would be stopped, a question each, "" for nothing. close: called where it is to be stopped."""
        self.sure = False
        self._window, self._at_work, self._close = window, at_work, close
        self._box: QMessageBox | None = None

    def is_allowed(self) -> bool:
        """Whether the window may close now; where not, the question is asked."""
        question = "" if self.sure else self._question()
        if question and self._box is None:
            self._box = ask_to_stop(self._window, question, self._close)
            self._box.finished.connect(lambda _: setattr(self, "_box", None))
        return not question

    def look(self) -> None:
        """What is asked about may be over meanwhile."""
        if self._box is not None and not self._question():
            self._box.reject()

    def _question(self) -> str:
        return "\n".join(dict.fromkeys(filter(None, self._at_work())))


def close_box(dialog: QDialog) -> QDialogButtonBox:
    """A row with a Close button."""
    box = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    box.rejected.connect(dialog.reject)
    box.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
    return box


def ask_to_stop(parent: QWidget, question: str, stop: Callable[[], None]) -> QMessageBox:
    """Ask whether what runs is to be stopped; stop() where it is. It does not wait for the answer."""
    return ask(parent, question, "", "&Stop", stop, keep="&Continue")


def ask(
    parent: QWidget, text: str, more: str, button: str, do: Callable[[], None], keep: str = "Cancel"
) -> QMessageBox:
    """Ask before something that cannot be undone; do() where the button is pressed. It does not wait for the answer."""
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setText(text)
    box.setInformativeText(more)
    box.addButton(button, QMessageBox.ButtonRole.DestructiveRole).clicked.connect(do)
    stay = box.addButton(keep, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(stay)
    box.setEscapeButton(stay)
    lend_quit(box)
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


def working_in(window: QWidget) -> str:
    """The question of the first dialog of a window that is at work; "" where none is."""
    return next(iter(questions_in(window)), "")


def questions_in(window: QWidget) -> list[str]:
    """What every dialog of a window that is at work asks, each question once."""
    asked = (dialog.at_work() for dialog in window.findChildren(ClosingDialog))
    return list(dict.fromkeys(filter(None, asked)))


def lend_quit(window: QWidget) -> None:
    """Let the main window's key for the end of the program work in a window that belongs to it."""
    owner = window.parentWidget()
    while owner is not None:
        action = owner.findChild(QAction, QUIT, Qt.FindChildOption.FindDirectChildrenOnly)
        if action is not None:
            window.addAction(action)
            return
        owner = owner.parentWidget()
