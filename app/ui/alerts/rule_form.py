"""Asks for one rule."""

import shlex
from collections.abc import Collection, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDialogButtonBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from app.alerts.rules import KINDS, NOBODY, Reaction, Rule
from app.names_in_text import isolated
from app.palette import action_text
from app.ui.child_windows import ClosingDialog
from app.ui.disabled_controls import enable
from app.ui.picker import Picker
from app.ui.scrolled_page import ScrolledPage
from recognizer.decision import IDLE, UNKNOWN
from recognizer.repetition_counter import UNCOUNTED

LASTS, TIMES = "lasts (seconds)", "is counted (times)"
# The label of each kind of reaction, and a placeholder for its field.
_KINDS = {
    "sound": ("Play a &sound", "a sound file; a beep if empty"),
    "notify": ("Desktop &notification", "The text to show"),
    "command": ("Run a &program", 'xdg-open "my file.pdf"'),
    "post": ("&HTTP POST", "http://192.168.1.10:8123/api/webhook/alert"),
    "mqtt": ("&MQTT topic", "home/gym/alert"),
    "osc": ("&OSC message", "127.0.0.1:9000/action"),
    "key": ("Press a &key", "space"),
}


class RuleForm(ClosingDialog):
    """made: the rule. rule: the one to change; None for a new one. taken: names of the others."""

    made = Signal(object)  # Rule

    def __init__(self, rule: Rule | None, actions: Sequence[str], taken: Collection[str], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Rule" if rule is None else f"Rule {isolated(rule.name)}")
        self._taken, self._rule = taken, rule
        self._rest: list[Reaction] = []  # a second one of a kind, written by hand
        self._make_parts(actions)
        self._lay_out()
        self._fill(rule)
        self._check()

    def _make_parts(self, actions: Sequence[str]) -> None:
        self.name = QLineEdit()
        self.name.setMaxLength(80)
        self.action = Picker()
        self.action.setAccessibleName("Action")
        for action in dict.fromkeys((*actions, IDLE, UNKNOWN, NOBODY)):
            self.action.addItem(action_text(action), action)
        self.how = Picker()
        self.how.setAccessibleName("Lasts or is counted")
        self.how.addItems([LASTS, TIMES])
        self.many, self.limit = _spin("Seconds or times", 5.0), _spin("Seconds between two alerts", 10.0)
        self.kinds: dict[str, tuple[QCheckBox, QLineEdit]] = {}
        for kind in KINDS:
            text, example = _KINDS[kind]
            box, field = QCheckBox(text), QLineEdit()
            field.setPlaceholderText(example)
            field.setAccessibleName(text.replace("&", ""))
            box.toggled.connect(lambda _: self._check())
            field.textChanged.connect(lambda _: self._check())
            self.kinds[kind] = box, field
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)
        self.hint = QLabel()
        self.hint.setObjectName("muted")
        self.hint.setWordWrap(True)
        self.hint.setTextFormat(Qt.TextFormat.PlainText)
        self.name.textChanged.connect(lambda _: self._check())
        self.how.currentIndexChanged.connect(lambda _: self._check())
        self.many.valueChanged.connect(lambda _: self._check())  # a rule without a name is called after it
        self.action.currentIndexChanged.connect(lambda _: self._check())

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setColumnStretch(1, 1)
        when = QHBoxLayout()
        for part, stretch in ((self.action, 2), (self.how, 2), (self.many, 1)):
            when.addWidget(part, stretch)
        limit = QHBoxLayout()
        limit.addWidget(self.limit)
        limit.addWidget(QLabel("seconds at most"), 1)
        for row, (text, buddy) in enumerate((("Na&me", self.name), ("&When", self.action), ("Once &in", self.limit))):
            label = QLabel(text)
            label.setBuddy(buddy)
            grid.addWidget(label, row, 0)
        grid.addWidget(self.name, 0, 1)
        grid.addLayout(when, 1, 1)
        grid.addLayout(limit, 2, 1)
        for row, (box, field) in enumerate(self.kinds.values(), start=4):
            grid.addWidget(box, row, 0)
            grid.addWidget(field, row, 1)
        page = QWidget()
        page.setLayout(grid)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(10)
        column.addWidget(ScrolledPage(page), 1)
        column.addWidget(self.hint)
        column.addWidget(self.buttons)

    def _fill(self, rule: Rule | None) -> None:
        if rule is None:
            self.kinds["sound"][0].setChecked(True)
            return
        self.name.setText(rule.name)
        if self.action.findData(rule.action) < 0:
            self.action.addItem(action_text(rule.action), rule.action)
        self.action.setCurrentIndex(self.action.findData(rule.action))
        self.how.setCurrentText(LASTS if rule.lasts_s is not None else TIMES)
        self.many.setValue(rule.lasts_s if rule.lasts_s is not None else rule.times or 1)
        self.limit.setValue(rule.limit_s)
        for reaction in rule.reactions:
            box, field = self.kinds[reaction.kind]
            if box.isChecked():
                self._rest.append(reaction)
                continue
            box.setChecked(True)
            field.setText(reaction.value if isinstance(reaction.value, str) else shlex.join(reaction.value))

    def _check(self) -> None:
        for box, field in self.kinds.values():
            enable(field, "" if box.isChecked() else f"Tick “{box.text().replace('&', '')}” to fill this in")
        times = self.how.currentText() == TIMES
        self.many.setDecimals(0 if times else 1)
        self.many.setMinimum(1.0 if times else 0.0)
        refusal = self._refusal()
        self.hint.setText(refusal)
        enable(self.buttons.button(QDialogButtonBox.StandardButton.Save), refusal)

    def _refusal(self) -> str:
        if self._name() in self._taken:
            return f"A rule “{isolated(self._name())}” already exists: choose another name"
        action = self.action.currentData()
        if self.how.currentText() == TIMES and action in UNCOUNTED | {NOBODY}:
            return f"{isolated(action_text(action).capitalize())} is not counted: choose how long it lasts"
        for kind, (box, field) in self.kinds.items():
            if box.isChecked() and kind != "sound" and not field.text().strip():
                return f"{box.text().replace('&', '')}: fill in a value, for example {field.placeholderText()}"
            if kind == "command" and box.isChecked() and not _split(field.text())[0].strip():
                return f"{box.text().replace('&', '')}: the program has no name; for example {field.placeholderText()}"
        if not self._reactions():
            return "Tick at least one thing to do"
        return ""

    def _reactions(self) -> tuple[Reaction, ...]:
        reactions = []
        for kind, (box, field) in self.kinds.items():
            if box.isChecked():
                text = field.text().strip()
                reactions.append(Reaction(kind, _split(text) if kind == "command" else text))
        return (*reactions, *self._rest)

    def _name(self) -> str:
        return self.name.text().strip() or f"{action_text(self.action.currentData())} {self.many.value():g}"

    def _accept(self) -> None:
        if self._refusal():
            self._check()
            return
        times = self.how.currentText() == TIMES
        self.made.emit(
            Rule(
                self._name(),
                self.action.currentData(),
                self._reactions(),
                None if times else self.many.value(),
                round(self.many.value()) if times else None,
                self.limit.value(),
                self._rule.on if self._rule is not None else True,
            )
        )
        self.accept()


def _spin(name: str, value: float) -> QDoubleSpinBox:
    spin = QDoubleSpinBox()
    spin.setRange(0.0, 86400.0)
    spin.setDecimals(1)
    spin.setValue(value)
    spin.setAccessibleName(name)
    return spin


def _split(text: str) -> tuple[str, ...]:
    """A program and its arguments as a shell would part them; as they are where a quote is left open."""
    try:
        return tuple(shlex.split(text)) or (text,)
    except ValueError:
        return tuple(text.split())
