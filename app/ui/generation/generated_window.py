"""The window of synthetic clips: choose a generator, an action or a blend of two, and a seed."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.live.generation import GenerationRequest, Maker, none_here, offered, provenance_text
from app.palette import action_text
from app.ui.child_windows import ClosingDialog, close_box
from app.ui.disabled_controls import enable
from app.ui.generation.preview import Preview
from app.ui.jobs import Jobs
from app.ui.picker import Picker
from recognizer.generator import GeneratedClip

_STEPS = 20  # of the slider
_MAX_SEEDS = 99_999


class GeneratedWindow(ClosingDialog):
    """Does not block the main window. Clips are generated on a thread, only the newest request and without a queue."""

    def __init__(self, root: Path, jobs: Jobs, parent: QWidget | None = None) -> None:
        """root: of the library, in which the user's own generators are."""
        super().__init__(parent)
        self.setWindowTitle("Generated actions")
        self.resize(760, 620)
        self._root, self._jobs, self._maker = root, jobs, Maker()
        self._requested: GenerationRequest | None = None  # the newest request that has not been started
        self._making = self._closed = False
        self._make_parts()
        self._lay_out()
        self.look_for_generators()

    def _make_parts(self) -> None:
        self.preview = Preview()
        self.generators, self.first, self.second = Picker(), Picker(), Picker()
        self.generators.currentIndexChanged.connect(lambda _: self._open())
        for picker in (self.first, self.second):
            picker.currentIndexChanged.connect(lambda _: self._request())
        self.share = QSlider(Qt.Orientation.Horizontal)
        self.share.setRange(0, _STEPS)
        self.share.setPageStep(_STEPS // 4)
        self.share.setTickInterval(_STEPS // 4)
        self.share.setTickPosition(QSlider.TickPosition.TicksBelow)
        self.share.valueChanged.connect(lambda _: self._request())
        self.seed = QSpinBox()
        self.seed.setRange(0, _MAX_SEEDS)
        self.seed.setToolTip("The same seed gives the same clip")
        self.seed.valueChanged.connect(lambda _: self._request())
        self.another = QPushButton("&Next clip")
        self.another.setObjectName("primary")
        self.another.setDefault(True)
        self.another.clicked.connect(self.next_seed)
        self.playing = QPushButton("&Pause")
        self.playing.setAutoDefault(False)
        self.playing.clicked.connect(self.toggle)
        self.again = QPushButton("&Refresh")
        self.again.setAutoDefault(False)
        self.again.setToolTip("Search the generator folders again")
        self.again.clicked.connect(self.look_for_generators)
        self.caption = QLabel()
        self.caption.setWordWrap(True)
        self.caption.setObjectName("muted")

    def _lay_out(self) -> None:
        form = QFormLayout()
        for text, first, *others in (
            ("&Generator", self.generators, self.again),
            ("&Action", self.first),
            ("&Blend with", self.second),
            ("&Share of it", self.share),
            ("See&d", self.seed, self.another, self.playing),
        ):
            label = QLabel(text)
            label.setBuddy(first)
            first.setAccessibleName(text.replace("&", ""))
            form.addRow(label, _row(first, *others))
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 14, 18, 14)
        column.setSpacing(10)
        column.addWidget(self.preview, 1)
        column.addWidget(self.caption)
        column.addLayout(form)
        column.addWidget(close_box(self))

    def look_for_generators(self) -> None:
        """List the generators that there are."""
        before = self.generators.currentData()
        folders = offered(self._root)
        self.generators.blockSignals(True)
        self.generators.clear()
        for folder in folders:
            self.generators.addItem(folder.name, folder)
            self.generators.setItemData(self.generators.count() - 1, str(folder), Qt.ItemDataRole.ToolTipRole)
        if before in folders:
            self.generators.setCurrentIndex(folders.index(before))
        self.generators.blockSignals(False)
        self._open()

    def next_seed(self) -> None:
        """Show another clip."""
        self.seed.setValue((self.seed.value() + 1) % (_MAX_SEEDS + 1))

    def toggle(self) -> None:
        """Play or pause."""
        self.preview.play(not self.preview.playing)
        self.playing.setText("&Pause" if self.preview.playing else "&Play")

    def _open(self) -> None:
        """Read the card of the chosen generator."""
        folder = self.generators.currentData()
        self._requested = None
        self._enable(False)
        if folder is None:
            self._show_status(none_here(self._root))
            return
        self._show_status("Loading …")
        self._jobs.start(
            "generator",
            lambda: self._maker.actions(folder),
            lambda actions: self._offer(folder, actions),
            lambda line: self._fail(folder, line),
        )

    def _offer(self, folder: Path, actions: tuple[str, ...]) -> None:
        if self._closed or folder != self.generators.currentData():
            return
        for picker, place in ((self.first, 0), (self.second, min(1, len(actions) - 1))):
            before = picker.currentData()
            picker.blockSignals(True)
            picker.clear()
            for action in actions:
                picker.addItem(action_text(action), action)
            picker.setCurrentIndex(actions.index(before) if before in actions else place)
            picker.blockSignals(False)
        self._enable(True)
        self._request()

    def _request(self) -> None:
        """Generate what the controls ask for, once the running generation has ended."""
        folder, first, second = (each.currentData() for each in (self.generators, self.first, self.second))
        if self._closed or folder is None or first is None or second is None:
            return
        self._requested = GenerationRequest(folder, first, second, self.share.value() / _STEPS, self.seed.value())
        self._make()

    def _make(self) -> None:
        request = self._requested
        if self._making or request is None:
            return
        self._making, self._requested = True, None
        self._jobs.start(
            "clip",
            lambda: self._maker.make(request),
            lambda clip: self._show(request, clip),
            lambda line: self._cannot_make(request, line),
        )

    def _show(self, request: GenerationRequest, clip: GeneratedClip) -> None:
        self._making = False
        if self._closed:
            return
        if self._requested is None and request.folder == self.generators.currentData():
            self.preview.show_clip(clip)
            self.caption.setText(provenance_text(clip))
        self._make()

    def _cannot_make(self, request: GenerationRequest, line: str) -> None:
        self._making = False
        self._fail(request.folder, line)
        self._make()

    def _fail(self, folder: Path, line: str) -> None:
        if not self._closed and self._requested is None and folder == self.generators.currentData():
            self._enable(False)
            self._show_status(line)

    def _show_status(self, line: str) -> None:
        self.preview.show_line(line)
        self.caption.setText("")

    def _enable(self, enabled: bool) -> None:
        for part in (self.first, self.second, self.share, self.seed, self.another, self.playing):
            enable(part, "" if enabled else "No clip: the line above says why")
        enable(self.generators, "" if self.generators.count() else none_here(self._root))

    def on_close(self) -> None:
        """A clip that is still being generated is not shown."""
        self._closed = True
        self.preview.stop()


def _row(first: QWidget, *others: QWidget) -> QWidget:
    """Side by side; the first takes the room that is left."""
    whole = QWidget()
    row = QHBoxLayout(whole)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(first, 1)
    for other in others:
        row.addWidget(other)
    return whole
