"""The last take played again in two seconds, to be kept, done again or thrown away."""

from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.ui.library.player import Player
from app.ui.notifier import Notifier
from app.ui.teaching.deck import Replay
from app.ui.theme import Colours

_PLAYED_S = 2.0
_SLOWEST = 0.25
_HEIGHT_PX = 150


class Review(QWidget):
    """kept, redo, thrown_away: what the user wants with the take that is shown."""

    def __init__(self, colours: Colours) -> None:
        super().__init__()
        self.kept: Notifier[[]] = Notifier()
        self.redo: Notifier[[Replay]] = Notifier()
        self.thrown_away: Notifier[[Replay]] = Notifier()
        self.replay: Replay | None = None
        self.player = Player(colours)
        self.player.bar.hide()
        self.player.where.hide()
        self.player.picture.setMinimumSize(120, _HEIGHT_PX)
        self.player.setFixedHeight(_HEIGHT_PX)
        self.says = QLabel()
        self.says.setObjectName("muted")
        self.says.setWordWrap(True)
        self.keep = self._button("&Keep", "Keep this take", lambda: self.kept.tell())
        self.again = self._button("Red&o", "Throw this take away and record another", self._redo)
        self.discard = self._button("Throw &away", "Put this take into the bin", self._throw_away)
        buttons = QVBoxLayout()
        buttons.setSpacing(6)
        buttons.addWidget(self.says)
        buttons.addStretch(1)
        for button in (self.keep, self.again, self.discard):
            buttons.addWidget(button)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.player, 1)
        row.addLayout(buttons)
        self.hide()

    def show_take(self, replay: Replay, says: str) -> None:
        """Play a take over and over; says: which one it is."""
        self.replay = replay
        self.says.setText(says)
        if replay.stretch is None:
            self.player.show_stretch(None, 0, 0.0, 0.0)
        else:
            start_s, end_s = min(c.start_s for c in replay.clips), max(c.end_s for c in replay.clips)
            self.player.pause()
            self.player.show_stretch(replay.stretch, replay.clips[0].person, start_s, end_s)
            self.player.speed = max((end_s - start_s) / _PLAYED_S, _SLOWEST)
            self.player.toggle()
        self.show()

    def clear(self) -> None:
        """Show nothing."""
        self.replay = None
        self.player.show_stretch(None, 0, 0.0, 0.0)
        self.hide()

    def set_colours(self, colours: Colours) -> None:
        """Another theme."""
        self.player.set_colours(colours)

    def _redo(self) -> None:
        if self.replay is not None:
            self.redo.tell(self.replay)

    def _throw_away(self) -> None:
        if self.replay is not None:
            self.thrown_away.tell(self.replay)

    def _button(self, text: str, tip: str, slot: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.clicked.connect(lambda: slot())
        return button
