"""The library's window: puts its parts together and connects them."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal, SignalInstance
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMainWindow, QSplitter, QVBoxLayout, QWidget

from app.library.catalogue import Library
from app.library.rows import RecordingRow
from app.library.shared_library import borrow, give_back
from app.ui.child_windows import ask_to_stop, close_all_of, first_stop_question, share_quit_action
from app.ui.elided_label import ElidedLabel
from app.ui.jobs import Jobs
from app.ui.library.browser import BIN, RECORDINGS, SEGMENTS, Browser
from app.ui.library.commands import KEY_SUMMARY, Commands, WidgetKeys, legend
from app.ui.library.export_dialog import ExportDialog
from app.ui.library.import_dialog import ImportDialog
from app.ui.library.keys_dialog import KeysDialog
from app.ui.library.label_fields import LabelFields
from app.ui.library.labeller import Labeller
from app.ui.library.names_dialog import NamesDialog
from app.ui.library.player import Player
from app.ui.library.player_content import PlayerContent, describe
from app.ui.library.segment_edits import SegmentEdits
from app.ui.library.splits_dialog import SplitsDialog
from app.ui.screen import fit
from app.ui.sentences import sentence
from app.ui.theme import Theme

_STEP_S = 1 / 30
_NOTES = 3  # that are told in full when the library is opened


class LibraryWindow(QMainWindow):
    """changed: segments have changed. The library is opened on a job's thread and let go with the window.

    model: the recognizer that is asked for labels. recorded: tells that there are new recordings.
    """

    changed = Signal()

    def __init__(
        self,
        root: Path,
        theme: Theme,
        parent: QWidget | None = None,
        model: Callable[[], str] = lambda: "act",
        recorded: SignalInstance | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Library")
        self.setMinimumSize(720, 400)
        share_quit_action(self)
        fit(self, QSize(1240, 780))
        self.library: Library | None = None
        self.root = root
        self._theme, self._jobs = theme, Jobs(self)
        if recorded is not None:
            recorded.connect(self.recordings_changed)
        self._closed = False
        self._borrowed: Library | None = None  # set by the opening job, which may outlast the window
        self._library_lock = threading.Lock()
        self._advice = ""  # in the status line as long as the recording that it is about is chosen
        self._pending_recording: str | None = None  # a recording to be shown when the library is open
        self._make_parts(model)
        self._lay_out()
        self._connect()
        self._refuse("The library is being opened")
        self.show_status("Opening the library …")
        self._jobs.start("library", self._open, self._opened, self._open_failed)

    def _make_parts(self, model: Callable[[], str]) -> None:
        self.commands = Commands(self)
        self.browser = Browser()
        self.player = Player(self._theme.colours)
        self.fields = LabelFields()
        self.content = PlayerContent(self.player, self._jobs, self.show_status)
        self.edits = SegmentEdits(self.browser, self.player, self.content, self.show_status, self._edited, self._jobs)
        self.labeller = Labeller(self._jobs, model, self.browser, self.edits, self.show_status)
        self.refusal = QLabel()
        self.refusal.setWordWrap(True)
        self.state = QLabel()
        self.state.setWordWrap(True)
        self._widget_keys = WidgetKeys(self)

    def _lay_out(self) -> None:
        self._banner = QFrame()
        self._banner.setObjectName("banner-warning")
        self._banner.hide()
        QHBoxLayout(self._banner).addWidget(self.refusal)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.player, 1)
        column.addWidget(self.fields)
        parts = QSplitter()
        parts.setChildrenCollapsible(False)
        parts.addWidget(self.browser)
        parts.addWidget(right)
        parts.setStretchFactor(0, 5)
        parts.setStretchFactor(1, 6)
        parts.setSizes([600, 640])
        keys = QLabel(KEY_SUMMARY)
        keys.setObjectName("muted")
        keys.setWordWrap(True)
        self.legend = ElidedLabel()
        self.legend.setObjectName("muted")
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(14, 8, 14, 10)
        column.setSpacing(6)
        column.addWidget(self._banner)
        column.addWidget(parts, 1)
        column.addWidget(self.state)
        column.addWidget(self.legend)
        column.addWidget(keys)
        self.setCentralWidget(middle)

    def _connect(self) -> None:
        filters, fields, edits = self.browser.filters, self.fields, self.edits
        filters.changed.connect(lambda: self.refresh(filtered=True))
        self.browser.chosen.connect(self._choose)
        self.browser.list_changed.connect(self._choose)
        self.player.bounds_changed.connect(edits.set_bounds)
        fields.action_given.connect(lambda text: self._apply_field(edits.label, text))
        fields.who_given.connect(lambda text: self._apply_field(edits.set_who, text))
        fields.session_given.connect(lambda text: self._apply_field(edits.set_session, text))
        fields.note_given.connect(lambda text: self._apply_field(edits.set_note, text))
        fields.not_stored.connect(lambda: self.show_status("Not stored: Enter stores what is typed"))
        fields.undo.clicked.connect(edits.undo)
        fields.redo.clicked.connect(edits.redo)
        self._theme.changed.connect(self._apply_theme)
        pickers = (filters.action, filters.who, filters.session, filters.split)
        self._widget_keys.watch(filters.unlabelled, filters.suspect, fields.undo, fields.redo, *pickers)
        self._connect_commands()

    def _connect_commands(self) -> None:
        player, edits, fields, browser = self.player, self.edits, self.fields, self.browser
        slots: dict[str, Callable[[], object]] = {
            "import": self.open_import,
            "export": self.open_export,
            "names": self.open_names,
            "splits": self.open_splits,
            "delete_recordings": edits.delete_recordings,
            "restore": edits.restore,
            "empty_bin": lambda: edits.ask_empty_bin(self),
            "close": self.close,
            "undo": edits.undo,
            "redo": edits.redo,
            "nothing": edits.nothing,
            "unlabel": lambda: edits.label(""),
            "suspect": edits.toggle_suspect,
            "next_person": edits.next_person,
            "label": lambda: _focus(fields.action),
            "who": lambda: _focus(fields.who),
            "session": lambda: _focus(fields.session),
            "note": lambda: _focus(fields.note),
            "remove": edits.remove,
            "play": self._when_loaded(player.toggle),
            "slower": lambda: player.change_speed(-1),
            "faster": lambda: player.change_speed(1),
            "back": self._when_loaded(lambda: player.step(-_STEP_S)),
            "forward": self._when_loaded(lambda: player.step(_STEP_S)),
            "in": self._when_loaded(player.set_in),
            "out": self._when_loaded(player.set_out),
            "another": edits.another_segment,
            "propose": self.labeller.propose,
            "recognise": self.labeller.recognise,
            "accept": self.labeller.accept,
            "segments": lambda: browser.show_list(SEGMENTS),
            "recordings": lambda: browser.show_list(RECORDINGS),
            "bin": lambda: browser.show_list(BIN),
            "search": browser.filters.search.setFocus,
            "list": lambda: browser.table.setFocus(),
            "keys": lambda: KeysDialog(self, self.library.names("action") if self.library else ()).show(),
        }
        for name, slot in slots.items():
            self.commands[name].triggered.connect(lambda _=False, slot=slot: slot())
        self.commands.on_digit(edits.label_by_key, edits.assign_key)

    def _when_loaded(self, do: Callable[[], object]) -> Callable[[], object]:
        """Wrap a player command: while nothing is shown, or loading, it gives the reason instead."""

        def attempt() -> None:
            if self.player.loading or self.player.stretch is None:
                self.show_status(self.edits.why_not_shown)
            else:
                do()

        return attempt

    # The library.

    def _open(self) -> Library:
        """On a job's thread."""
        library = borrow(self.root)
        with self._library_lock:
            if self._closed:
                give_back(library)
            else:
                self._borrowed = library
        return library

    def _opened(self, library: Library) -> None:
        if self._closed:
            return
        self.library = self.edits.library = library
        self.browser.strips.open(library.root)
        reason = next(iter(library.notes), "") if library.read_only else ""
        self._refuse(reason)
        self.refresh()
        self.show_status("")
        self.browser.table.setFocus()
        if self._pending_recording is not None:
            self.show_recording(self._pending_recording)
        elif self.browser.segments.rowCount():
            self.browser.segment_table.choose([0])
        if reason:
            self._show_banner(f"Read-only: {reason}")
        elif library.notes:
            self.show_status(
                "; ".join(library.notes[:_NOTES]) + (" … (all: point here)" if library.notes[_NOTES:] else "")
            )
            self.state.setToolTip("\n".join(library.notes))

    def _open_failed(self, line: str) -> None:
        if not self._closed:
            self._refuse(line)
            self._show_banner(line)
            self.show_status("")

    def refresh(self, *, filtered: bool = False) -> None:
        """Read the lists again; what was chosen stays chosen where it is still there. filtered: as Browser.refresh."""
        library = self.library
        if library is None:
            return
        self.browser.refresh(library, filtered=filtered)
        names = [[named.name for named in library.names(kind)] for kind in ("action", "person", "session")]
        self.fields.offer(*names)
        self.legend.setText(legend(library.names("action")))
        self._choose()
        self.fields.show_steps(library)

    def recordings_changed(self) -> None:
        """Something has been recorded: it is entered and listed."""
        library = self.library
        if library is not None and not library.read_only:
            self._jobs.start("library-refresh", library.refresh, lambda _: self._edited(), self.show_status)

    def show_recording(self, recording: str) -> None:
        """Show a recording whole, for segments to be made of it. Before the library is open: when it is."""
        library, self._pending_recording = self.library, recording
        if library is None:
            return
        self._pending_recording = None
        self.browser.show_list(RECORDINGS)
        self.browser.recording_table.choose([self.browser.recordings.position_of(recording)])

    def _choose(self) -> None:
        library, browser = self.library, self.browser
        if library is None:
            return
        segments, recordings = browser.chosen_segments(), browser.chosen_recordings()
        if browser.tabs.currentIndex() == SEGMENTS and segments:
            self.content.show_segment(library, segments[0])
            self.fields.show_segment(segments[0])
        elif recordings:
            self.content.show_recording(library, recordings[0].id)
            self.fields.show_recording(recordings[0])
        else:
            self.content.clear()
            self.fields.clear()
        self._show_advice(recordings if not library.read_only else [])

    def _show_advice(self, recordings: Sequence[RecordingRow]) -> None:
        """What can be done with the chosen recording, as long as it is chosen."""
        before, self._advice = self._advice, ""
        if len(recordings) == 1:
            in_bin = self.browser.tabs.currentIndex() == BIN
            self._advice = "Ctrl+Shift+R restores it from the bin" if in_bin else describe(recordings[0])
        if self._advice or recordings or self.state.text() == before:
            self.show_status(self._advice)

    def _edited(self) -> None:
        self.refresh()
        self.changed.emit()

    def _apply_field(self, edit: Callable[[str], bool], text: str) -> None:
        """What cannot be stored stays in its field, to be corrected; Esc leaves it."""
        if edit(text):
            self.browser.table.setFocus()

    # Dialogs; none of them blocks the window.

    def open_import(self) -> None:
        """Open the import dialog."""
        if self.library is not None:
            dialog = ImportDialog(self.root, self._jobs, self._edited, self)
            dialog.show()

    def open_export(self) -> None:
        """Open the export dialog."""
        if self.library is not None:
            chosen = self.browser.chosen_segments(), self.browser.chosen_recordings()
            filters = self.browser.filters.filter(deleted=self.browser.tabs.currentIndex() == BIN)
            on_segments = self.browser.tabs.currentIndex() == SEGMENTS
            ExportDialog(self.root, self._jobs, filters, chosen[0] if on_segments else chosen[1], self).show()

    def open_names(self) -> None:
        """Open the dialog for actions, people and sessions."""
        if self.library is not None:
            NamesDialog(self.edits, self.changed, self).show()

    def open_splits(self) -> None:
        """Open the dialog for train, validation and test splits."""
        if self.library is not None:
            SplitsDialog(self.edits, self.changed, self).show()

    # Helpers.

    def show_status(self, line: str) -> None:
        """Show a line at the bottom."""
        if not self._closed:
            self.state.setText(sentence(line))
            self.state.setToolTip("")

    def _refuse(self, reason: str) -> None:
        self.commands.refuse_edits(reason)
        self.fields.refuse(reason)
        self.player.bar.setEnabled(not reason)

    def _show_banner(self, line: str) -> None:
        self.refusal.setText(sentence(line))
        self._banner.show()

    def _apply_theme(self) -> None:
        self.player.set_colours(self._theme.colours)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Qt override: the library is let go."""
        if question := first_stop_question(self):
            event.ignore()
            ask_to_stop(self, question, self._stop_and_close)
            return
        close_all_of(self)
        with self._library_lock:
            self._closed = True
        self.player.pause()
        self.browser.strips.close()
        self._jobs.close(timeout_s=0.3)  # the whole program is to end within two seconds
        library, self.library, self.edits.library, self._borrowed = self._borrowed, None, None, None
        if library is not None:
            give_back(library)
        super().closeEvent(event)

    def _stop_and_close(self) -> None:
        close_all_of(self)
        self.close()


def _focus(field: QWidget) -> None:
    field.setFocus(Qt.FocusReason.ShortcutFocusReason)
