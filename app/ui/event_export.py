"""Saves the event list as a table."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from app.outputs.event_table import COLUMNS, cells_of, write_table
from app.ui.dialogs import file_dialog
from app.ui.event_list import EventRow
from app.ui.jobs import Jobs
from app.ui.sentences import sentence
from app.ui.toast import Toast

_WITHOUT_SCORE = COLUMNS[:-1]


def export_events(window: QWidget, rows: Sequence[EventRow], jobs: Jobs, toast: Toast) -> None:
    """Ask for a file and write the actions that have ended into it, the first one first."""
    ended = [
        cells_of(row.start_s, row.duration_s, row.person, row.action, row.count)
        for row in reversed(rows)
        if row.duration_s is not None
    ]
    if not ended:
        toast.show_message("There is nothing to export yet: no action has ended")
        return

    def save(name: str) -> None:
        file = Path(name)
        jobs.start(
            "export-events",
            lambda: write_table(file, _WITHOUT_SCORE, ended),
            lambda _: toast.show_message(f"Saved “{file.name}” in {file.parent.name}"),
            lambda line: toast.show_message(sentence(line)),
        )

    dialog = file_dialog(window, "Export events", QFileDialog.FileMode.AnyFile)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilters(("Tables (*.csv)", "All files (*)"))
    dialog.setDefaultSuffix("csv")
    dialog.selectFile("events.csv")
    dialog.fileSelected.connect(save)
    dialog.open()
