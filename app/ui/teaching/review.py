"""The last take played again in two seconds, to be kept, done again or thrown away."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.library.labels import label_key
from app.names_in_text import with_isolated
from app.palette import action_text
from app.ui.disabled_controls import enable
from app.ui.jobs import Jobs
from app.ui.library.player import Player
from app.ui.live_run import RunView
from app.ui.messages import cannot_record
from app.ui.styled import style_as
from app.ui.teaching import take_store
from app.ui.teaching.library_summary import TAKES
from app.ui.teaching.take_store import Replay
from app.ui.theme import Colours
from app.ui.wrapping_label import WrappingLabel

_PLAYED_S = 2.0
_SLOWEST = 0.25
_HEIGHT_PX = 150
_OTHERS_RECORDED = "Takes of another action are being recorded: stop them first"


class Review(QWidget):
    """left: a button was pressed, the take is no longer wanted on the screen. changed: the library has changed, by that
    button. again_wanted: another take of an action is to be recorded. message: a line that must be seen."""

    left = Signal()
    changed = Signal()
    again_wanted = Signal(str)
    message = Signal(str)

    def __init__(self, root: Path, colours: Colours, jobs: Jobs) -> None:
        """root: of the library."""
        super().__init__()
        self.replay: Replay | None = None
        self._wanted = ""  # the segment that was asked for last
        self._taking = ""  # the action whose takes are being recorded
        self._no_picture = ""  # why no take can begin now
        self._root, self._jobs = root, jobs
        self.player = Player(colours)
        self.player.bar.hide()
        self.player.status.hide()
        self.player.picture.setMinimumSize(120, _HEIGHT_PX)
        self.player.setFixedHeight(_HEIGHT_PX)
        self.caption = WrappingLabel()
        self.caption.setObjectName("muted")
        self.keep = self._button("&Keep", "Keep this take: nothing is wrong with it", self._keep)
        self.again = self._button("Red&o", "Throw this take away and record another", self._redo)
        self.discard = self._button("Throw &away", "Move this take to the bin", self._throw_away)
        buttons = QVBoxLayout()
        buttons.setSpacing(6)
        buttons.addWidget(self.caption)
        buttons.addStretch(1)
        for button in (self.keep, self.again, self.discard):
            buttons.addWidget(button)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.player, 1)
        row.addLayout(buttons)
        self.hide()

    def show_take(self, replay: Replay, caption: str) -> None:
        """Play a take in a loop and show what looks wrong with it; caption: which take it is."""
        self.replay = replay
        self._offer_again()
        doubts = with_isolated("; ".join(replay.doubts), {action_text(str(row.action)) for row in replay.segments})
        self.caption.setText(f"{caption}. Check it: {doubts}." if doubts else caption)
        style_as(self.caption, "warning" if doubts else "muted")
        if replay.stretch is None:
            self.player.show_stretch(None, 0, 0.0, 0.0)
        else:
            start_s, end_s = min(c.start_s for c in replay.segments), max(c.end_s for c in replay.segments)
            self.player.pause()
            self.player.show_stretch(replay.stretch, replay.segments[0].person, start_s, end_s)
            self.player.speed = max((end_s - start_s) / _PLAYED_S, _SLOWEST)
            self.player.toggle()
        self.show()

    def show_taking(self, action: str) -> None:
        """Takes of this action are being recorded; "" for none."""
        self._taking = action
        self._offer_again()

    def show_run(self, view: RunView) -> None:
        """Follow whether there are pictures to record."""
        if (reason := cannot_record(view)) != self._no_picture:
            self._no_picture = reason
            self._offer_again()

    def clear(self) -> None:
        """Show nothing."""
        self.replay = None
        self.player.show_stretch(None, 0, 0.0, 0.0)
        self.hide()

    def load_take(self, segment: str, show: Callable[[Replay], None]) -> None:
        """Read a take, by the name of its segment; show: called with it, without segments where it is gone, unless
        another has been asked for meanwhile."""
        recording, _, number = segment.rpartition("/")
        self._wanted = segment
        self._jobs.start(
            "take",
            lambda: take_store.read_take(self._root, recording, int(number)),
            lambda take: show(take) if self._wanted == segment else None,
            self.message.emit,
        )

    def set_colours(self, colours: Colours) -> None:
        """Apply the colours of another theme."""
        self.player.set_colours(colours)

    def _offer_again(self) -> None:
        """Where no take could follow, this one is not thrown away for it."""
        shown = {label_key(str(row.action)) for row in self.replay.segments} if self.replay is not None else set()
        waits = bool(self._taking) and bool(shown) and label_key(self._taking) not in shown
        enable(self.again, _OTHERS_RECORDED if waits else self._no_picture)

    def _keep(self) -> None:
        if (take := self._leave()) is not None:
            self._change(lambda: take_store.keep(self._root, take.segments))

    def _redo(self) -> None:
        if (take := self.replay) is None:
            return
        action = str(take.segments[0].action)
        self.again_wanted.emit(action)
        if label_key(self._taking) == label_key(action):  # else it was refused, and the take is still wanted
            self._leave()
            self._move_to_bin(take)

    def _throw_away(self) -> None:
        if (take := self._leave()) is not None:
            self._move_to_bin(take)

    def _move_to_bin(self, take: Replay) -> None:
        self._change(lambda: take_store.throw_away(self._root, take.recording, take.segments))

    def _leave(self) -> Replay | None:
        """Show nothing; what was shown."""
        take = self.replay
        self.left.emit()
        self.clear()
        return take

    def _change(self, do: Callable[[], None]) -> None:
        self._jobs.start("take", do, lambda _: self.changed.emit(), self.message.emit, TAKES)

    def _button(self, text: str, tip: str, slot: Callable[[], object]) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.clicked.connect(lambda: slot())
        return button
