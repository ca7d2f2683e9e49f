"""Brings videos, folders, data sets and exports into the library, with progress and cancel."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.library.import_any import FORMATS, import_any
from app.library.import_report import ImportOptions, ImportReport
from app.library.labels import MAX_TYPED, refusal_of_action
from app.library.shared_library import shared
from app.names_in_text import path_in_text
from app.plurals import counted
from app.ui.dialogs import file_dialog
from app.ui.disabled_controls import enable
from app.ui.jobs import Jobs
from app.ui.library.transfer_dialog import TransferDialog
from app.ui.picker import Picker
from app.ui.sentences import sentence
from pose.estimators import MAX_PEOPLE


class ImportDialog(TransferDialog):
    """Asks what to import and imports it."""

    needs = "Add files or a folder first"

    def __init__(self, root: Path, jobs: Jobs, imported: Callable[[], object], parent: QWidget | None = None) -> None:
        """imported(): something is in the library now; also once this dialog is closed, and so deleted."""
        super().__init__("Import", root, jobs, parent)
        self._imported = imported
        self.resize(560, 560)
        self._make_parts()
        self._lay_out()
        self._show_running(False)

    def _make_parts(self) -> None:
        self.paths = QListWidget()
        self.paths.setAccessibleName("What is imported")
        self.files, self.folder, self.drop = (
            QPushButton("Add &files…"),
            QPushButton("Add f&older…"),
            QPushButton("Remove from the &list"),
        )
        self.files.clicked.connect(lambda: self._ask(QFileDialog.FileMode.ExistingFiles))
        self.folder.clicked.connect(lambda: self._ask(QFileDialog.FileMode.Directory))
        self.drop.clicked.connect(self._drop)
        self.paths.itemSelectionChanged.connect(lambda: self._show_running(self._cancel is not None))
        self.format = Picker()
        self.format.addItem("Detect automatically", None)
        for name in FORMATS:
            self.format.addItem(name, name)
        self.action, self.who, self.session = (self._field() for _ in range(3))
        self.by_folder = QCheckBox("The name of a video's folder is its action")
        self.by_folder.toggled.connect(lambda on: enable(self.action, "The folder's name is the action" if on else ""))
        self.skeleton_only = QCheckBox("Skeletons only: keep no pixels")
        self.people, self.jobs = _number(1, MAX_PEOPLE, 1), _number(1, 64, os.cpu_count() or 1)
        self.state.setText("Videos, folders of videos, data sets, PYSKL pickles, exported tables, archives of these")
        self.problems = QPlainTextEdit()
        self.problems.setReadOnly(True)
        self.problems.setAccessibleName("What could not be imported")
        self.problems.hide()
        self.begin.clicked.connect(self.start)

    def _lay_out(self) -> None:
        sources = QHBoxLayout()
        for button in (self.files, self.folder, self.drop):
            button.setAutoDefault(False)
            sources.addWidget(button)
        sources.addStretch(1)
        form = QFormLayout()
        rows: tuple[tuple[str, QWidget], ...] = (
            ("&Kind", self.format),
            ("&Action", self.action),
            ("", self.by_folder),
            ("&Who", self.who),
            ("&Session", self.session),
            ("", self.skeleton_only),
            ("&People in a video", self.people),
            ("Videos at a &time", self.jobs),
        )
        for text, part in rows:
            form.addRow(text, part)
        foot = QHBoxLayout()
        foot.addWidget(self.bar, 1)
        foot.addStretch(0)
        foot.addWidget(self.begin)
        foot.addWidget(self.stop)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(8)
        column.addWidget(self.paths, 1)
        column.addLayout(sources)
        column.addLayout(form)
        column.addWidget(self.state)
        column.addWidget(self.problems, 1)
        column.addLayout(foot)

    def add(self, paths: list[str]) -> None:
        """Add paths to the import list."""
        there = self._paths()
        for path in paths:
            if path not in there:
                item = QListWidgetItem(path_in_text(path), self.paths)
                item.setData(Qt.ItemDataRole.UserRole, path)
                item.setToolTip(path_in_text(path))
        self._show_running(self._cancel is not None)

    def _paths(self) -> list[str]:
        return [self.paths.item(row).data(Qt.ItemDataRole.UserRole) for row in range(self.paths.count())]

    def _drop(self) -> None:
        for item in self.paths.selectedItems():
            self.paths.takeItem(self.paths.row(item))
        self._show_running(self._cancel is not None)

    def start(self) -> None:
        """Import all of it on a job's thread."""
        if self._cancel is not None or not self.paths.count():
            return
        action = self._options().action
        if action and (refusal := refusal_of_action(action)):
            self.state.setText(sentence(refusal))
            return
        cancel = self._cancel = threading.Event()
        self._progress = None
        paths = [Path(path) for path in self._paths()]
        options, kind, root = self._options(), self.format.currentData(), self._root

        def work() -> ImportReport:
            with shared(root) as library:  # which stays open until this is done, even if its window is closed
                return import_any(library, paths, options, format=kind, tell=self._set_progress, cancel=cancel)

        self.problems.hide()
        self._show_running(True)
        self._jobs.start("import", work, self._done, self._ended)

    def _options(self) -> ImportOptions:
        by_folder = self.by_folder.isChecked()
        return ImportOptions(
            action="" if by_folder else " ".join(self.action.text().split()),
            action_from_folder=by_folder,
            who=" ".join(self.who.text().split()),
            session=" ".join(self.session.text().split()),
            skeleton_only=self.skeleton_only.isChecked(),
            people=self.people.value(),
            jobs=self.jobs.value(),
        )

    def _show_progress(self) -> None:
        super()._show_progress()
        progress = self._progress
        if progress is None or self._cancel is None or self._cancel.is_set():
            return
        of_all = f" of {progress.total}" if progress.total else ""  # the bar has the parts of those at work
        self.state.setText(f"{int(progress.done)}{of_all} done {path_in_text(progress.name[-60:])}".rstrip())

    def _done(self, report: ImportReport) -> None:
        if report.recordings:
            self._imported()
        if self._closed:
            return
        self._show_running(False)
        words = [f"{counted(len(report.recordings), 'recording')} imported"]
        if report.copies:
            words.append(f"{counted(len(report.copies), 'recording')} skipped: already in the library")
        if report.problems:
            words.append(f"{counted(len(report.problems), 'item')} could not be imported")
        self.state.setText("; ".join([*words, "cancelled"] if report.cancelled else words))
        lines = [*report.problems, *report.copies]
        self.problems.setPlainText("\n".join(sentence(path_in_text(line)) for line in lines))
        self.problems.setVisible(bool(lines))

    def _show_running(self, running: bool) -> None:
        super()._show_running(running)
        for part in (self.paths, self.files, self.folder, self.drop, self.format):
            enable(part, "It is running" if running else "")
        if not running and not self.paths.selectedItems():
            enable(self.drop, "Select something in the list first")

    def _ready(self) -> bool:
        return self.paths.count() > 0

    def _ask(self, mode: QFileDialog.FileMode) -> None:
        dialog = file_dialog(self, "Import", mode)
        dialog.filesSelected.connect(self.add)
        dialog.open()

    def _field(self) -> QLineEdit:
        field = QLineEdit()
        field.setPlaceholderText("optional")
        field.setMaxLength(MAX_TYPED)
        return field


def _number(low: int, high: int, value: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(low, high)
    box.setValue(value)
    return box
