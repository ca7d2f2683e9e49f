"""Exports segments and recordings to the formats of other programs."""

import threading
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.errors import OutputError
from app.library.catalogue import Library
from app.library.errors import LibraryError
from app.library.export_formats import FORMATS, Export, ExportFormat
from app.library.rows import Filter, RecordingRow, SegmentRow
from app.library.shared_library import shared
from app.names_in_text import path_in_text
from app.plurals import counted
from app.recording.folder import is_id
from app.ui.child_windows import ask
from app.ui.dialogs import file_dialog
from app.ui.disabled_controls import enable
from app.ui.jobs import Jobs
from app.ui.library.transfer_dialog import TransferDialog
from app.ui.picker import Picker
from app.ui.sentences import sentence

_CHOSEN, _SHOWN, _ALL = range(3)
_WIDTH = 520
_PROBLEMS = 3  # that are told in full
_Rows = Sequence[SegmentRow] | Sequence[RecordingRow]


class ExportDialog(TransferDialog):
    """Asks for a format, what and where to."""

    needs = "Choose a destination first"

    def __init__(self, root: Path, jobs: Jobs, shown: Filter, chosen: _Rows, parent: QWidget | None = None) -> None:
        """shown: what the list is restricted to. chosen: in it."""
        super().__init__("Export", root, jobs, parent)
        self._shown = shown
        self._chosen: tuple[SegmentRow | RecordingRow, ...] = tuple(chosen)
        self.format, self.what = Picker(), Picker()
        for each in FORMATS.values():
            self.format.addItem(f"{each.name}: {each.description}", each.name)
        self.what.addItem(f"the selection ({len(self._chosen)})", _CHOSEN)
        self.what.addItem("everything in the list", _SHOWN)
        self.what.addItem("everything", _ALL)
        self.what.setCurrentIndex(_SHOWN)
        self.pictures = QCheckBox("Include the videos")
        self.target = QLineEdit()
        self.browse = QPushButton("&Browse…")
        self._lay_out()
        self._connect()
        self._fit_format()
        self._show_running(False)
        self.resize(_WIDTH, self.sizeHint().height())  # wider where large letters need it

    def _lay_out(self) -> None:
        place = QHBoxLayout()
        place.addWidget(self.target, 1)
        place.addWidget(self.browse)
        form = QFormLayout()
        form.addRow("&Format", self.format)
        form.addRow("&What", self.what)
        form.addRow("", self.pictures)
        label = QLabel("&Destination")  # "To" would be cut: with the line under its T its letters take more room
        label.setBuddy(self.target)
        form.addRow(label, place)
        foot = QHBoxLayout()
        foot.addWidget(self.bar, 1)
        foot.addStretch(0)
        foot.addWidget(self.begin)
        foot.addWidget(self.stop)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        column.addLayout(form)
        column.addWidget(self.state)
        column.addLayout(foot)
        self.browse.setAutoDefault(False)

    def _connect(self) -> None:
        self.format.currentIndexChanged.connect(lambda _: self._fit_format())
        self.browse.clicked.connect(self._ask)
        self.target.textChanged.connect(lambda _: self._show_running(self._cancel is not None))
        self.begin.clicked.connect(self.start)

    def start(self) -> None:
        """Write, after a question where something is in its place."""
        if self._cancel is not None or not self.target.text().strip():
            return
        try:
            target = self._path()
        except OutputError as error:
            self.state.setText(sentence(str(error)))
            return
        if replaced := _replaced(target, self._format()):
            ask(
                self,
                f"Replace {path_in_text(replaced)}?",
                "What is in it now is lost.",
                "&Replace",
                lambda: self._write(target),
            )
        else:
            self._write(target)

    def _write(self, target: Path) -> None:
        """On a job's thread."""
        cancel = self._cancel = threading.Event()
        self._progress = None
        kind, pictures = self._format(), self.pictures.isChecked()
        root, what = self._root, self.what.currentData()

        def work() -> str:
            with shared(root) as library:
                segments, recordings = self._rows(library, what)
                export = Export(library, target, segments, recordings, pictures, self._set_progress, cancel)
                return _told(kind.write(export), target, export.problems)

        self._show_running(True)
        self.state.setText("Writing …")
        self._jobs.start("export", work, self._ended, self._ended)

    def _format(self) -> ExportFormat:
        return FORMATS[self.format.currentData()]

    def _path(self) -> Path:
        """What was typed, with the format's ending. Raises OutputError where it can be no file or folder."""
        typed, ending = self.target.text().strip(), self._format().ending
        try:
            path = Path(typed).expanduser()
        except RuntimeError as error:  # ~ somebody whom this system does not know
            raise OutputError(f"{typed}: there is no such user; type a name without ~") from error
        if path.suffix or not ending:
            return path
        if path.name in ("", ".."):
            raise OutputError(f"{typed} is a folder; type the name of a file in it")
        return path.with_name(path.name + ending)

    def _rows(self, library: Library, what: int) -> tuple[list[SegmentRow], list[RecordingRow]]:
        """On the job's thread: the segments, and the recordings that they are of, or the other way round."""
        if what == _CHOSEN:
            return self._selection(library)
        chosen = self._shown if what == _SHOWN else Filter()
        return library.segments(chosen, limit=-1), library.recordings(chosen, limit=-1)

    def _selection(self, library: Library) -> tuple[list[SegmentRow], list[RecordingRow]]:
        """The selection as it is now: since this dialog was opened it may have been labelled or removed."""
        if not self._chosen:
            raise LibraryError("nothing was selected; select something in the list and export again")
        segments = library.segments_of([row.id for row in self._chosen if isinstance(row, SegmentRow)])
        names = [row.id for row in self._chosen if isinstance(row, RecordingRow)]
        names += dict.fromkeys(segment.recording for segment in segments)
        recordings = [row for name in names if (row := library.recording(name)) is not None]
        if not recordings:
            raise LibraryError("the selection has been removed; select something else in the list and export again")
        if not segments:
            segments = [segment for row in recordings for segment in library.segments_in(row.id)]
        return segments, recordings

    def _fit_format(self) -> None:
        enable(self.pictures, "" if self.format.currentData() == "tables" else "Only tables can include the videos")
        is_folder = not self._format().ending
        self.target.setPlaceholderText("a new folder" if is_folder else "a file")

    def _ready(self) -> bool:
        return bool(self.target.text().strip())

    def _ask(self) -> None:
        dialog = file_dialog(self, "Export to", QFileDialog.FileMode.AnyFile)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)  # start() asks, with the whole name
        dialog.fileSelected.connect(self.target.setText)
        dialog.open()


def _told(written: str, target: Path, problems: Sequence[str]) -> str:
    """What an export has written, and what it has left out."""
    lines = [f"{written} written to {path_in_text(target)}", *map(path_in_text, problems[:_PROBLEMS])]
    more = len(problems) - _PROBLEMS
    return "\n".join([*lines, f"… and {counted(more, 'more recording')} left out"] if more > 0 else lines)


def _replaced(target: Path, kind: ExportFormat) -> str:
    """What an export would write over, for a question; "" where that is nothing."""
    try:
        if kind.ending:
            return str(target) if target.is_file() else ""
        videos = sum(is_id(file.stem) for file in target.glob("*.mp4")) if kind.name == "video" else 0
    except OSError:  # which writing meets, and tells
        return ""
    return f"videos of the same recordings in {target}" if videos else ""
