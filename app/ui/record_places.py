"""Switches between the two places that record, the teaching page and the record bar; only one is open."""

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.ui.actions import Actions
from app.ui.layout import Body
from app.ui.recording.control import RecordControl
from app.ui.recording.wrong import ask_right_action
from app.ui.sentences import sentence
from app.ui.teaching.lazy_page import TeachOpener
from app.ui.toast import Toast
from app.ui.video_view import VideoView


class RecordPlaces(QObject):
    """known: the actions of the recognizer that runs."""

    def __init__(
        self,
        actions: Actions,
        recording: RecordControl,
        teaching: TeachOpener,
        body: Body,
        video: VideoView,
        toast: Toast,
        known: Callable[[], tuple[str, ...]],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._actions, self._recording, self._teaching, self._body = actions, recording, teaching, body
        self._video, self._toast, self._known, self._window = video, toast, known, parent

    def show_page(self, shown: bool) -> None:
        """The page that teaches, in place of the side panel and of the record bar."""
        if shown:
            self._close("record")
        page = self._teaching.show(shown)
        if page is not None:
            page.closed.connect(self._actions["teach"].trigger)
            self._body.set_teaching(page)
        self._body.show_teaching(shown)

    def record_again(self, action: str) -> None:
        """One take more of an action, in the page that teaches."""
        if not self._actions["teach"].isChecked():
            self._actions["teach"].trigger()
        self._teaching.record_again(action)
        self._window.activateWindow()

    def show_bar(self, shown: bool) -> None:
        """The bar for recording, in place of the page that teaches."""
        if shown:
            self._close("teach")
        self._recording.show(shown)

    def toggle_take(self) -> None:
        """Start recording takes, or stop the current one; the first time the bar is shown."""
        if self._actions["teach"].isChecked():
            self._teaching.toggle_take()
        elif not self._actions["record"].isChecked():
            self._actions["record"].trigger()
        else:
            self._recording.toggle()

    def correct_last(self) -> None:
        """Keep the last seconds as an example of what they really were."""
        if not self._actions["record"].isChecked():
            self._actions["record"].trigger()
            self._toast.show_message("From now on the last 3 s are kept; press F9 after a wrong answer")
            return
        refusal = self._recording.hold_last()
        if refusal:
            self._toast.show_message(sentence(refusal))
            return
        ask_right_action(self._video, self._known(), self._recording.save_last)

    def _close(self, name: str) -> None:
        if self._actions[name].isChecked():
            self._actions[name].trigger()
