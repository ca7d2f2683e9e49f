"""Connects the bar for files with what is played."""

from dataclasses import replace

from PySide6.QtCore import QModelIndex, QObject, QTimer
from PySide6.QtWidgets import QWidget

from app.capture.playback import PlayedVideo
from app.results import EngineState
from app.ui.disabled_controls import enable
from app.ui.event_list import EventList
from app.ui.live_run import LiveRun, RunView
from app.ui.panel import Panel
from app.ui.seek_bar import RecognizedSpan, SeekBar
from app.ui.theme import Colours
from recognizer.decision import ActionEvent

_POLL_MS = 100


class SeekControl(QObject, Panel):
    """Shows the bar while a file is played, and moves in it; a click on an event goes to its start."""

    def __init__(self, live: LiveRun, events: EventList, colours: Colours, parent: QWidget) -> None:
        super().__init__(parent)
        self.bar = SeekBar(colours)
        self.bar.setVisible(False)
        self._live, self._events, self._source = live, events, ""
        self._playback: PlayedVideo | None = None
        self._wanted_s: float | None = None  # where to begin once the file is open again
        live.events.connect(self._show)
        self.bar.track.seek_requested.connect(self.go_to)
        self.bar.stepped.connect(self._step)
        self.bar.looped.connect(lambda loop: self._playback.set_loop(loop) if self._playback else None)
        self.bar.speed_chosen.connect(lambda speed: self._playback.set_speed(speed) if self._playback else None)
        events.clicked.connect(self._go_to_event)
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self.poll)
        self._timer.start()

    def poll(self) -> None:
        """What is played, and where it is."""
        played = self._live.playback
        if played is not None and played is not self._playback:
            self._begin(played)
        if self._live.options.source != self._source:
            self._playback = None
            self.bar.setVisible(False)
        elif self._playback is not None:
            place = self._playback.position
            self.bar.show_position(place.at_s, place.length_s)

    def go_to(self, time_s: float) -> None:
        """A place of the file; where it has ended it is opened again."""
        if self._playback is None:
            return
        if self._live.active and self._live.playback is self._playback:
            self._playback.seek(time_s)
        else:
            self._wanted_s = time_s
            self._live.start()

    def list_events(self, events: tuple[ActionEvent, ...]) -> None:
        """Add events to the list."""
        self._events.events.add(self.in_file_time(events), in_file=self.in_file)

    @property
    def in_file(self) -> bool:
        """Whether the events that come now are those of a file."""
        asked, played = self._live.options.source, self._live.playback or self._playback
        return played is not None and asked == (self._source or asked)

    def in_file_time(self, events: tuple[ActionEvent, ...]) -> tuple[ActionEvent, ...]:
        """Events with the time of the file, where one is played; the run's own clock goes on at a jump."""
        played = self._live.playback or self._playback
        if played is None or not self.in_file:
            return events
        return tuple(replace(event, time_s=played.file_s(event.time_s)) for event in events)

    def show_run(self, view: RunView) -> None:
        """Single frames can be shown while it is paused."""
        ended = view.state in (EngineState.STOPPED, EngineState.FAILED)
        refusal = "The file is not playing: F5 plays it again" if ended else "Pause first (Ctrl+P)"
        for button in (self.bar.back, self.bar.forward):
            enable(button, "" if view.state is EngineState.PAUSED else refusal)

    def set_colours(self, colours: Colours) -> None:
        """Apply the colours of another theme."""
        self.bar.set_colours(colours)

    def end(self) -> None:
        """The window closes."""
        self._timer.stop()

    def _begin(self, played: PlayedVideo) -> None:
        if self._live.options.source != self._source:
            self.bar.track.clear()
            self._source = self._live.options.source
            self._wanted_s = None  # in the file before, which could not be opened again
        self._playback = played
        played.set_loop(self.bar.loop.isChecked())
        played.set_speed(self.bar.speed.currentData())
        if self._wanted_s is not None:
            played.seek(self._wanted_s)
            self._wanted_s = None
        self.bar.setVisible(True)

    def _show(self, events: tuple[ActionEvent, ...]) -> None:
        if self._playback is not None:
            self.bar.show_spans([span_of(event, self._playback) for event in events if event.kind == "end"])

    def _step(self, pictures: int) -> None:
        if self._playback is not None:
            self._playback.step(pictures)

    def _go_to_event(self, index: QModelIndex) -> None:
        if self._playback is not None and index.row() < len(self._events.events.rows):
            self.go_to(self._events.events.rows[index.row()].start_s)


def span_of(event: ActionEvent, played: PlayedVideo) -> RecognizedSpan:
    """The action of an end, in seconds of the file."""
    end_s = played.file_s(event.time_s)
    return RecognizedSpan(event.person, event.action, max(0.0, end_s - (event.duration_s or 0.0)), end_s)
