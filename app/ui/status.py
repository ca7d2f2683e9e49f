"""The line at the bottom: rates, ages, drops, what the recognizer runs on, and the source."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from app.installation import command
from app.results import RunInfo, StatsSnapshot
from app.settings import RunOptions
from app.ui.elided_label import ElidedLabel
from app.ui.live_run import RunView
from app.ui.panel import Panel

_CHOOSES_ITSELF = ("auto", "cpu")


class Status(QFrame, Panel):
    """Shows a StatsSnapshot and a RunInfo. Widths are fixed, so that nothing moves while numbers change."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("status")
        self.source = ElidedLabel(mode=Qt.TextElideMode.ElideMiddle)
        self.camera = self._field("Camera 000 fps", "Frames per second from the source")
        self.pose = self._field("Pose 000 fps", "Frames per second through pose estimation")
        self.age = self._field("Age 0000 / 0000 ms", "Latency from capture to display: median and 95th percentile")
        self.dropped = self._field("Dropped 00000", "Frames skipped because this computer had no time for them")
        self.note = ElidedLabel()
        self.provider = QLabel()
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 5, 14, 5)
        row.setSpacing(16)
        row.addWidget(self.source, 1)
        row.addWidget(self.note, 2)
        for label in (self.camera, self.pose, self.age, self.dropped, self.provider):
            row.addWidget(label)
        self.show_stats(None)
        self.show_info(None, RunOptions())

    def _field(self, widest: str, note: str) -> QLabel:
        label = QLabel()
        label.setToolTip(note)
        label.setMinimumWidth(label.fontMetrics().horizontalAdvance(widest) + 4)
        return label

    def show_stats(self, stats: StatsSnapshot | None) -> None:
        """Rates and ages; None while nothing runs. After the end only what was dropped."""
        note = "" if stats is None else stats.note
        self.note.setText(note)
        self.note.setVisible(bool(note))
        if stats is None or not stats.captured:
            self.dropped.setText("Dropped –")  # noqa: RUF001
        else:
            self.dropped.setText(f"Dropped {stats.dropped}")
        if stats is None or not (stats.camera_fps or stats.pose_fps):
            self.camera.setText("Camera –")  # noqa: RUF001
            self.pose.setText("Pose –")  # noqa: RUF001
            self.age.setText("Age –")  # noqa: RUF001
            return
        self.camera.setText(f"Camera {_rate(stats.camera_fps)} fps")
        self.pose.setText(f"Pose {_rate(stats.pose_fps)} fps")
        ages = f"{stats.age_p50_ms:.0f} / {stats.age_p95_ms:.0f} ms" if stats.age_p95_ms else "–"  # noqa: RUF001
        self.age.setText(f"Age {ages}")

    def show_run(self, view: RunView) -> None:
        """The source and the provider."""
        self.show_info(view.info, view.options)

    def show_info(self, info: RunInfo | None, options: RunOptions) -> None:
        """The source and the provider; options: what was asked for."""
        source = info.source if info is not None else None
        size = "" if source is None or source.size is None else " {} x {}".format(*source.size)
        self.source.setText("" if source is None else f"{source.name}{size}")
        running = info.provider if info is not None else ""
        missed = running != "" and options.provider not in _CHOOSES_ITSELF and running != options.provider
        self.provider.setText(f"{'⚠ ' if missed else ''}{running.upper()}" if running else "")
        self.provider.setToolTip(_provider_note(info, options, missed) if info is not None and running else "")
        if self.provider.objectName() != (name := "warning" if missed else ""):
            self.provider.setObjectName(name)
            self.provider.style().polish(self.provider)


def _rate(fps: float) -> str:
    """A decimal where it matters: recognition needs two poses a second."""
    return f"{fps:.1f}" if 0 < fps < 9.95 else f"{fps:.0f}"


def _provider_note(info: RunInfo, options: RunOptions, missed: bool) -> str:
    lines = [f"The recognizer {info.recognizer} runs on {info.provider.upper()}"]
    if missed:
        lines.append(f"{options.provider.upper()} was requested: {command()} --doctor says why it is not used")
    if info.provider_note:
        lines.append(info.provider_note)
    return "\n".join(lines)
