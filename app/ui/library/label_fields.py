"""The fields under the player: action, person, session and note of what is chosen."""

from collections.abc import Sequence

from PySide6.QtCore import QStringListModel, Qt, Signal, SignalInstance
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QCompleter, QGridLayout, QLineEdit, QPushButton, QWidget

from app.library.catalogue import Library
from app.library.labels import MAX_NOTE, MAX_TYPED
from app.library.rows import RecordingRow, SegmentRow
from app.palette import action_text
from app.ui.library.commands import tooltip_of
from app.ui.library.edit_text import step_text
from app.ui.sentences import sentence


class _Field(QLineEdit):
    """left: for another widget of the window, not for another window or its own completions."""

    left = Signal()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Qt override. editingFinished is no use here: it does not tell that a field is left after Return."""
        super().focusOutEvent(event)
        if event.reason() not in (Qt.FocusReason.PopupFocusReason, Qt.FocusReason.ActiveWindowFocusReason):
            self.left.emit()


class LabelFields(QWidget):
    """Each field tells what was typed, at Enter; runs of spaces are one. Whoever stores it takes the focus away.

    Until then what is typed stays, also while the lists are read again. What is left without Enter is not stored: the
    field shows again what is, and not_stored tells so.
    """

    action_given = Signal(str)
    who_given = Signal(str)
    session_given = Signal(str)
    note_given = Signal(str)
    not_stored = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._item: int | str | None = None  # id of the segment, or name of the recording, that is shown
        self._stored: dict[QLineEdit, str] = {}  # what each field shows of it
        self.action = self._field("Action", "action (L)", "label", self.action_given)
        self.who = self._field("Who", "who (H)", "who", self.who_given)
        self.session = self._field("Session", "session (T)", "session", self.session_given)
        self.note = self._field("Note", "note (M)", "note", self.note_given, MAX_NOTE)
        self.undo = QPushButton("Undo")
        self.redo = QPushButton("Redo")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(6)
        for place, field in enumerate((self.action, self.who, self.session)):
            grid.addWidget(field, 0, place)
        grid.addWidget(self.note, 1, 0, 1, 3)
        grid.addWidget(self.undo, 0, 3)
        grid.addWidget(self.redo, 1, 3)
        for column, stretch in enumerate((3, 2, 2, 0)):
            grid.setColumnStretch(column, stretch)

    def offer(self, actions: Sequence[str], people: Sequence[str], sessions: Sequence[str]) -> None:
        """Names that are known, to complete what is typed."""
        for field, names in ((self.action, actions), (self.who, people), (self.session, sessions)):
            completer = QCompleter(QStringListModel(list(names)), field)
            completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
            field.setCompleter(completer)

    def show_segment(self, row: SegmentRow) -> None:
        """What is known of a segment."""
        self._show(row.id, "" if row.action is None else action_text(row.action), row.who, row.session, row.note)

    def show_recording(self, row: RecordingRow) -> None:
        """What is known of a whole recording."""
        self._show(row.id, "", "", row.session, row.note)

    def clear(self) -> None:
        """Nothing is chosen."""
        self._show(None, "", "", "", "")

    def show_steps(self, library: Library) -> None:
        """What would be undone and redone."""
        for button, template, text in (
            (self.undo, "Undo: {} (Ctrl+Z)", library.undo_text()),
            (self.redo, "Redo: {} (Ctrl+Y)", library.redo_text()),
        ):
            button.setEnabled(text is not None and not library.read_only)
            if library.read_only:
                button.setToolTip(sentence(next(iter(library.notes), "")))
            else:
                none = "There is nothing to undo or redo"
                button.setToolTip(none if text is None else template.format(step_text(library, text)))

    def refuse(self, reason: str) -> None:
        """Nothing can be changed, for this reason; "" when it can."""
        names = ("label", "who", "session", "note")
        for field, name in zip((self.action, self.who, self.session, self.note), names, strict=True):
            field.setEnabled(not reason)
            field.setToolTip(reason or tooltip_of(name))

    def _show(self, item: int | str | None, action: str, who: str | None, session: str | None, note: str) -> None:
        same, self._item = item == self._item, item
        texts = (action, who or "", session or "", " ".join(note.split()))
        for field, text in zip((self.action, self.who, self.session, self.note), texts, strict=True):
            typing = same and field.hasFocus() and field.text() != self._stored[field]
            self._stored[field] = text
            if not typing:
                _set_text(field, text)

    def _give(self, field: QLineEdit, given: SignalInstance) -> None:
        stored = self._stored[field]
        self._stored[field] = field.text()  # so that the field shows what is made of it
        given.emit(" ".join(field.text().split()))
        if field.hasFocus():
            self._stored[field] = stored

    def _leave(self, field: QLineEdit) -> None:
        if field.text() != self._stored[field]:
            _set_text(field, self._stored[field])
            self.not_stored.emit()

    def _field(self, name: str, hint: str, command: str, given: SignalInstance, longest: int = MAX_TYPED) -> QLineEdit:
        field = _Field()
        field.setPlaceholderText(hint)
        field.setAccessibleName(name)
        field.setMaxLength(longest)
        field.setToolTip(tooltip_of(command))
        self._stored[field] = ""
        field.returnPressed.connect(lambda: self._give(field, given))
        field.left.connect(lambda: self._leave(field))
        return field


def _set_text(field: QLineEdit, text: str) -> None:
    field.setText(text)
    field.setCursorPosition(0)  # of a long one the beginning is shown
