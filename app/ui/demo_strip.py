"""Says that what is seen is the demo because there is no camera, with what can be done instead."""

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from app.results import EngineState
from app.ui.choices import AUTO, DEMO
from app.ui.live_run import RunView
from app.ui.panel import Panel

_RUNS = (EngineState.RUNNING, EngineState.PAUSED)


class DemoStrip(QFrame, Panel):
    """Visible while the automatic source fell back to the demo."""

    choose_camera = Signal()
    open_video = Signal()
    teach = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.message = QLabel("No camera found; this is the demo")
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 6, 10, 6)
        row.setSpacing(8)
        row.addWidget(self.message, 1, Qt.AlignmentFlag.AlignVCenter)
        self.buttons = [
            self._button("Choose camera", "Search for cameras again (Ctrl+1)", self.choose_camera),
            self._button("Open video", "Play a video file (Ctrl+O)", self.open_video),
            self._button("Teach", "Teach it your own actions (Ctrl+K)", self.teach),
        ]
        for button in self.buttons:
            row.addWidget(button)
        self.hide()

    def show_run(self, view: RunView) -> None:
        """Show it, or not."""
        source = view.info.source if view.info is not None else None
        stands_in = view.options.source == AUTO and source is not None and source.name == DEMO
        self.setVisible(stands_in and view.state in _RUNS)

    def _button(self, text: str, tip: str, pressed: SignalInstance) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.clicked.connect(pressed)
        return button
