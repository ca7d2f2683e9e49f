"""Creates the teaching page on first use, so that its libraries are not loaded before."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.ui.jobs import Jobs
from app.ui.live_run import LiveRun
from app.ui.panel import Panel
from app.ui.recording.control import RecordControl
from app.ui.theme import Colours, Theme
from app.ui.video_view import VideoView

if TYPE_CHECKING:
    from app.ui.teaching.teach_page import TeachPage


class TeachOpener(QObject, Panel):
    """Stands for the page, whether it has been created or not.

    message: a line that must be seen. recorded: there is a new recording. taking: takes of this action are being
    recorded, "" for none. use: switch to the recognizer of this folder or name. more: open the dialog with every
    choice.
    """

    message = Signal(str)
    recorded = Signal()
    taking = Signal(str)
    use = Signal(str)
    more = Signal()

    def __init__(
        self,
        live: LiveRun,
        video: VideoView,
        theme: Theme,
        jobs: Jobs,
        recording: RecordControl,
        parent: QObject | None = None,
    ) -> None:
        """recording: knows the library and what the user has chosen of recording."""
        super().__init__(parent)
        self._live, self._video, self._theme, self._jobs, self._recording = live, video, theme, jobs, recording
        self.page: TeachPage | None = None

    def show(self, shown: bool) -> "TeachPage | None":
        """Open or close the page. Returns the page if it was created just now, to be put into the layout."""
        made = None
        if shown and self.page is None:
            made = self.page = self._make()
        if self.page is not None:
            if shown:
                bar = self._recording.bar
                self.page.choices.show_choices(bar.person.text(), bar.skeleton_only.isChecked())
                self.page.open()
            else:
                self.page.on_hide()
        return made

    def toggle_take(self) -> None:
        """Start recording takes of the next action, or stop."""
        if self.page is not None:
            self.page.toggle_take()

    def record_again(self, action: str) -> None:
        """One take more of an action."""
        if self.page is not None:
            self.page.record_again(action)

    @property
    def recorded_action(self) -> str:
        """The action whose takes are being recorded; "" for none."""
        series = self.page.recorder.series if self.page is not None else None
        return series.action if series is not None else ""

    def stop_question(self) -> str:
        """The question to ask before quitting stops a training; "" if none runs."""
        return self.page.bar.training.stop_question() if self.page is not None else ""

    def begin_run(self) -> None:
        """Another run begins."""
        if self.page is not None:
            self.page.recorder.source_changed()

    def set_colours(self, colours: Colours) -> None:
        """Apply the colours of another theme."""
        if self.page is not None:
            self.page.review.set_colours(colours)

    def end(self) -> None:
        """The window closes: what is being recorded is kept, a training is cancelled."""
        if self.page is not None:
            self.page.end()

    def _make(self) -> "TeachPage":
        from app.ui.teaching.takes import TakeRecorder
        from app.ui.teaching.teach_page import TeachPage  # it loads SQLite

        recording = self._recording
        recorder = TakeRecorder(recording.root, self._live, self._video, self._jobs, recording.bar.choices, self)
        page = TeachPage(recording.root, self._live, recorder, self._theme.colours, self._jobs)
        chosen = page.choices
        chosen.changed.connect(
            lambda: recording.bar.choose(chosen.who.text(), skeleton_only=chosen.skeleton_only.isChecked())
        )
        page.message.connect(self.message)
        page.recorded.connect(self.recorded)
        page.taking.connect(self.taking)
        page.use.connect(self.use)
        page.more.connect(self.more)
        return page
