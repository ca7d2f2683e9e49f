"""Failures at the top of the window: what is wrong, what to do, and buttons for it. Does not block the window."""

import math
import time

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.results import Failure
from app.ui import icons
from app.ui.live_run import RunView
from app.ui.panel import Panel
from app.ui.sentences import sentence
from app.ui.theme import Colours


class Banner(QFrame, Panel):
    """Shows one Failure. Dismissed ones stay away until there is a new one."""

    restart = Signal()
    choose_source = Signal()

    def __init__(self, colours: Colours, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colours = colours
        self._failure: Failure | None = None
        self._dismissed: Failure | None = None
        self._retry_at_s = 0.0
        self._icon = QLabel()
        self.message = QLabel()
        self.message.setObjectName("selectable")
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setWordWrap(True)
        self.message.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.countdown = QLabel()
        self.countdown.setObjectName("muted")
        self.restart_button = self._button("&Restart", "Restart everything (Ctrl+R)")
        self.source_button = self._button("&Choose another source", "Camera, demo, file or URL (Ctrl+1)")
        self.dismiss_button = self._button("&Dismiss", "Hide this message")
        self.restart_button.clicked.connect(self.restart)
        self.source_button.clicked.connect(self.choose_source)
        self.dismiss_button.clicked.connect(self._dismiss)
        self._ticker = QTimer(self)
        self._ticker.setInterval(200)
        self._ticker.timeout.connect(self._count_down)
        self._lay_out()
        self.hide()

    def _button(self, text: str, note: str) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(note)
        return button

    def _lay_out(self) -> None:
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(self.message)
        texts.addWidget(self.countdown)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 10, 12, 10)
        row.setSpacing(10)
        row.addWidget(self._icon)
        row.addLayout(texts, 1)
        for button in (self.restart_button, self.source_button, self.dismiss_button):
            row.addWidget(button)

    @property
    def failure(self) -> Failure | None:
        """What is shown."""
        return self._failure

    def show_run(self, view: RunView) -> None:
        """Show the run's failure, if any."""
        self.show_failure(view.failure)

    def show_failure(self, failure: Failure | None) -> None:
        """Show a failure; None, or one that was dismissed, hides the banner."""
        if failure is None or failure is self._dismissed:
            self._failure = None
            self._ticker.stop()
            self.hide()
            return
        if failure is self._failure:
            return
        same_message = self._failure is not None and self._failure.message == failure.message
        self._failure = failure
        self.message.setText(sentence(failure.message))
        self.source_button.setVisible(failure.stage == "source")
        self.restart_button.setVisible(failure.fatal or failure.retry_in_s is not None)
        self.dismiss_button.setVisible(not failure.fatal)
        self._start_countdown(failure)
        self._apply_style(failure)
        self.show()
        if not same_message:
            self.setAccessibleName(failure.message)
            QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def set_colours(self, colours: Colours) -> None:
        """Apply the colours of another theme."""
        self._colours = colours
        if self._failure is not None:
            self._apply_style(self._failure)

    def _apply_style(self, failure: Failure) -> None:
        colour = self._colours.error if failure.fatal else self._colours.warning
        self.setObjectName("banner-error" if failure.fatal else "banner-warning")
        self.style().polish(self)
        self._icon.setPixmap(icons.pixmap("warning", colour, self.devicePixelRatioF()))

    def _start_countdown(self, failure: Failure) -> None:
        self.countdown.setVisible(failure.retry_in_s is not None)
        if failure.retry_in_s is None:
            self._ticker.stop()
            return
        self._retry_at_s = time.monotonic() + failure.retry_in_s
        self._count_down()
        self._ticker.start()

    def _count_down(self) -> None:
        left_s = math.ceil(self._retry_at_s - time.monotonic())
        self.countdown.setText(f"Trying again in {left_s} s" if left_s > 0 else "Trying again now")

    def _dismiss(self) -> None:
        self._dismissed = self._failure
        self.show_failure(None)
