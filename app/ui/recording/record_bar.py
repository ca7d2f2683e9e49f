"""The bar over the picture's timeline: what is recorded, how, and how far it is."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QCompleter,
    QDoubleSpinBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.library.labels import MAX_TYPED, refusal_of_action, refusal_of_person
from app.library.rows import Named
from app.names_in_text import action_in_text
from app.plurals import counted
from app.recording.recorder import RecorderState, RecorderView, TakeSettings
from app.ui.disabled_controls import enable
from app.ui.elided_label import ElidedLabel
from app.ui.flow import FlowLayout
from app.ui.sentences import sentence
from app.ui.typed_action import existing_action

_BUSY_TOOLTIP = "Takes are being recorded: Stop ends them"
_NAME_IT = "Type the action's name, for example wave; F8 again records without one"
_WIDE_PX = 960  # from here on everything but the names fits into one row, with room for what is said
_NARROW_PX = 600  # below, the buttons stand under the names, and what is said has a row of its own
_BUSY = (RecorderState.COUNTDOWN, RecorderState.RECORDING, RecorderState.SAVING)


@dataclass(frozen=True, slots=True)
class RecordChoices:
    """What the bar remembers between runs. action: the last one that was recorded."""

    person: str = ""
    action: str = ""
    takes: int = 3
    countdown_s: float = 3.0
    longest_s: float = 8.0
    when_still: bool = True
    skeleton_only: bool = False


class RecordBar(QFrame):
    """pressed: start or stop recording. cancelled: discard the take. changed: the settings for takes have changed."""

    pressed = Signal()
    cancelled = Signal()
    changed = Signal()

    def __init__(self, choices: RecordChoices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._refusal = ""
        self._last = choices.action
        self._known: tuple[str, ...] = ()  # actions
        self._name_asked = False  # whether the name was asked for since the last take
        self._prompt_text = ""  # what the user has to do before recording
        self.action = self._text_field("Action to record", "action, for example wave")
        self.person = self._text_field("Who does it", "who (optional)")
        self.person.setText(choices.person)
        self.takes = self._integer_field("Takes in a row", choices.takes, 1, 99)
        self.countdown = self._seconds_field("Countdown", choices.countdown_s, 0, 30)
        self.longest = self._seconds_field("Longest take", choices.longest_s, 1, 600)
        self.when_still = self._check_box(
            "End when still", "End a take when the person stands still", choices.when_still
        )
        tip = "Save joints only: no pixels reach the disk"
        self.skeleton_only = self._check_box("Skeleton only", tip, choices.skeleton_only)
        self.button = QPushButton("Record")
        self.button.setObjectName("primary")
        self.button.setMinimumWidth(110)
        self.button.clicked.connect(self.pressed)
        self.cancel = QPushButton("Throw away")
        self.cancel.clicked.connect(self.cancelled)
        self.state = ElidedLabel()
        self._first = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._second = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._last_row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._lay_out()
        self.show_view(RecorderView(RecorderState.READY))

    def _lay_out(self) -> None:
        names, buttons, numbers, checks = QHBoxLayout(), QHBoxLayout(), FlowLayout(), FlowLayout()
        for row in (names, buttons, self._first, self._second, self._last_row):
            row.setSpacing(8)
        for part, stretch in ((self.action, 3), (self.person, 2)):
            names.addWidget(part, stretch)
        buttons.addWidget(self.button, 1)
        buttons.addWidget(self.cancel)
        self._first.addLayout(names, 1)
        self._first.addLayout(buttons)
        boxes: tuple[tuple[str, QWidget], ...] = (
            ("Takes", self.takes),
            ("Countdown", self.countdown),
            ("At most", self.longest),
        )
        for name, box in boxes:
            numbers.addWidget(_labelled(name, box))
        checks.addWidget(self.when_still)
        checks.addWidget(self.skeleton_only)
        self._last_row.addLayout(checks)
        self._last_row.addWidget(self.state, 1)
        self._second.addLayout(numbers)
        self._second.addLayout(self._last_row, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(6)
        column.addLayout(self._first)
        column.addLayout(self._second)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt override: in a narrow window there are more rows."""
        super().resizeEvent(event)
        for row, least in ((self._first, _NARROW_PX), (self._second, _WIDE_PX), (self._last_row, _NARROW_PX)):
            narrow = self.width() < least
            row.setDirection(QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight)

    def settings(self, session: str) -> TakeSettings:
        """How the next takes are made."""
        return TakeSettings(
            session=session,
            person=_one_line(self.person),
            action=self.known_action(_one_line(self.action)),
            countdown_s=self.countdown.value(),
            longest_s=self.longest.value(),
            when_still=self.when_still.isChecked(),
            takes=self.takes.value(),
            skeleton_only=self.skeleton_only.isChecked(),
        )

    def choices(self) -> RecordChoices:
        """The choices to remember for the next start."""
        return RecordChoices(
            "" if refusal_of_person(self.person.text()) else _one_line(self.person),
            self._last,
            self.takes.value(),
            self.countdown.value(),
            self.longest.value(),
            self.when_still.isChecked(),
            self.skeleton_only.isChecked(),
        )

    def choose(self, person: str, *, skeleton_only: bool) -> None:
        """Who it is and whether pixels are kept, as chosen elsewhere."""
        self.person.setText(person)
        self.skeleton_only.setChecked(skeleton_only)

    def offer(self, actions: Sequence[Named], people: Sequence[Named]) -> None:
        """Names that are known, to complete what is typed, with how many takes there are of each."""
        self._known = tuple(named.name for named in actions)
        for field, names in ((self.action, actions), (self.person, people)):
            field.setCompleter(_completer(names, field))

    def known_action(self, typed: str) -> str:
        """The action of the library that is meant by what was typed; without one, what was typed."""
        return existing_action(typed, self._known)

    def ready(self) -> bool:
        """Whether takes may begin. If not, the bar says what is missing: an action without a name is asked for once,
        with the last one offered."""
        name = _one_line(self.action)
        if refusal := refusal_of_person(self.person.text()):
            self._prompt(refusal, self.person)
        elif name:
            self._prompt(refusal_of_action(name), self.action)
        elif not self._name_asked:
            self._name_asked = True
            self.action.setText(self._last)
            last = action_in_text(self._last)
            offered = f"F8 records “{last}”; type another name for another action" if last else _NAME_IT
            self._prompt(offered, self.action)
            self.action.selectAll()
            return False
        else:
            self._prompt_text = ""
        if not self._prompt_text:
            self._name_asked, self._last = False, name or self._last
        return not self._prompt_text

    def _prompt(self, line: str, field: QLineEdit) -> None:
        self._prompt_text = line
        if line:
            field.setFocus()
            self.state.setText(line)

    def show_view(self, view: RecorderView) -> None:
        """Show the recorder's state."""
        busy = view.state in _BUSY
        self.button.setText("Stop" if busy else "Record")
        saving = "The take is being saved" if view.state is RecorderState.SAVING else ""
        enable(self.button, self._refusal or saving)
        self.cancel.setVisible(view.state in (RecorderState.COUNTDOWN, RecorderState.RECORDING))
        for part in (self.action, self.person, self.takes, self.countdown, self.longest):
            enable(part, _BUSY_TOOLTIP if busy else "")
        for check in (self.when_still, self.skeleton_only):
            enable(check, _BUSY_TOOLTIP if busy else "")
        if busy:
            self._prompt_text = ""
        self.state.setText(sentence(self._refusal) or self._prompt_text or _state_text(view))

    def refuse(self, reason: str) -> None:
        """Nothing can be recorded, for this reason; "" when it can."""
        self._refusal = reason
        self.show_view(RecorderView(RecorderState.READY))

    def _text_field(self, name: str, hint: str) -> QLineEdit:
        field = QLineEdit()
        field.setPlaceholderText(hint)
        field.setMaxLength(MAX_TYPED)
        field.setAccessibleName(name)
        field.editingFinished.connect(self.changed)
        field.textEdited.connect(lambda _: self._prompt("", field))
        field.returnPressed.connect(lambda: self.button.setFocus())
        return field

    def _integer_field(self, name: str, value: int, low: int, high: int) -> QSpinBox:
        box = QSpinBox()
        box.setRange(low, high)
        box.setValue(value)
        box.setAccessibleName(name)
        box.setToolTip(name)
        box.valueChanged.connect(self.changed)
        return box

    def _seconds_field(self, name: str, value: float, low: float, high: float) -> QDoubleSpinBox:
        box = QDoubleSpinBox()
        box.setRange(low, high)
        box.setDecimals(0)
        box.setSuffix(" s")
        box.setValue(value)
        box.setAccessibleName(name)
        box.setToolTip(name)
        box.valueChanged.connect(self.changed)
        return box

    def _check_box(self, text: str, tip: str, on: bool) -> QCheckBox:
        check = QCheckBox(text)
        check.setToolTip(tip)
        check.setChecked(on)
        check.toggled.connect(self.changed)
        return check


def _labelled(name: str, box: QWidget) -> QWidget:
    label, both = QLabel(name), QWidget()
    label.setObjectName("muted")
    row = QHBoxLayout(both)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(8)
    row.addWidget(label)
    row.addWidget(box)
    return both


def _one_line(field: QLineEdit) -> str:
    return " ".join(field.text().split())


def _completer(names: Sequence[Named], field: QLineEdit) -> QCompleter:
    """Completes names; the list says how many takes there are of each."""
    completer = QCompleter(field)  # which deletes the one before
    model = QStandardItemModel(len(names), 1, completer)
    for row, named in enumerate(names):
        item = QStandardItem(f"{action_in_text(named.name)}, {counted(named.segments, 'take')}")
        item.setData(named.name, Qt.ItemDataRole.UserRole)
        model.setItem(row, item)
    completer.setModel(model)
    completer.setCompletionRole(Qt.ItemDataRole.UserRole)
    completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
    return completer


def _state_text(view: RecorderView) -> str:
    take = f"take {view.takes + 1} of {view.of}" if view.of > 1 else "take"
    if view.state is RecorderState.COUNTDOWN:
        return f"{take} in {view.seconds_left} s"
    if view.state is RecorderState.RECORDING:
        return f"{take}: {view.recorded_s:.1f} s"
    if view.state is RecorderState.SAVING:
        return "saving …"
    lost = f" · {counted(view.dropped, 'frame')} skipped: the disk is too slow" if view.dropped else ""
    return (view.message or "Ready; the last 3 s before the key press are kept") + lost
