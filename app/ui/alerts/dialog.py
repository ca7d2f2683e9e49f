"""The list of rules: switched on and off, added, changed, deleted and tried."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.alerts.reactions import describe
from app.alerts.rules import AlertError, Rule
from app.alerts.runner import Outcome
from app.names_in_text import action_in_text, isolated
from app.plurals import counted
from app.ui.alerts.rule_form import RuleForm
from app.ui.child_windows import ClosingDialog, close_box
from app.ui.disabled_controls import enable
from app.ui.sentences import sentence

if TYPE_CHECKING:
    from app.ui.alerts.control import AlertControl

_NAME, _WHEN, _THEN, _LAST = range(4)
_NONE = "Choose a rule in the list"
_HINT = "When an action lasts long enough or reaches a count: a sound, a message, a program."


class AlertsDialog(ClosingDialog):
    """actions: of the recognizer that runs, asked when a rule is made: it may still be loading before."""

    def __init__(self, control: "AlertControl", actions: Callable[[], tuple[str, ...]], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Alerts")
        self.resize(760, 440)
        self._control, self._actions = control, actions
        self._last: dict[str, str] = {}
        self._filling = False
        self._make_parts()
        self._lay_out()
        control.outcome.connect(self._show_outcome)
        self.read()

    def _make_parts(self) -> None:
        self.list = QTreeWidget()
        self.list.setHeaderLabels(["Rule", "When", "Then", "Last"])
        self.list.setRootIsDecorated(False)
        self.list.setAllColumnsShowFocus(True)
        self.list.setAccessibleName("Rules")
        self.list.setStyleSheet("QTreeView::indicator { border: 2px solid palette(text); }")  # also in the chosen row
        header = self.list.header()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        for column, letters in ((_NAME, 25), (_WHEN, 28), (_THEN, 31)):
            header.resizeSection(column, letters * self.list.fontMetrics().averageCharWidth())
        self.list.currentItemChanged.connect(lambda *_: self._refresh())
        self.list.itemChanged.connect(self._switched)
        self.list.itemDoubleClicked.connect(lambda *_: self.edit())
        self.add, self.change = self._button("&Add…", self.new), self._button("&Edit…", self.edit)
        self.delete, self.attempt = self._button("&Delete", self.remove), self._button("&Try it", self.try_it)
        self.state = QLabel(_HINT)
        self.state.setWordWrap(True)
        self.state.setTextFormat(Qt.TextFormat.PlainText)

    def _button(self, text: str, do: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)
        button.clicked.connect(lambda: do())
        return button

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        for button in (self.add, self.change, self.delete):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self.attempt)
        foot = QHBoxLayout()
        foot.addWidget(self.state, 1)
        foot.addWidget(close_box(self))
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(8)
        column.addWidget(self.list, 1)
        column.addLayout(buttons)
        column.addLayout(foot)

    def read(self) -> None:
        """Show the rules that the file has now."""
        self._control.reload()
        self._show_rules()

    def changeEvent(self, event: QEvent) -> None:
        """Qt override: the user may come back from an editor with the file."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow() and self._control.reload():
            self._show_rules()

    def new(self) -> None:
        """Ask for a rule."""
        self.read()
        if not self._control.unread:
            self._ask(None)

    def edit(self) -> None:
        """Change the chosen one."""
        self.read()
        if self._chosen() is not None and not self._control.unread:
            self._ask(self._chosen())

    def remove(self) -> None:
        """Delete the selected rule."""
        rule = self._chosen()
        if rule is not None:
            self._keep(lambda rules: tuple(r for r in rules if r.name != rule.name))

    def try_it(self) -> None:
        """Run the reactions of the selected rule now."""
        rule = self._chosen()
        if rule is not None:
            self.state.setText(f"Trying {isolated(rule.name)}…")
            try:
                self._control.try_rule(rule.name)
            except AlertError as error:
                self.state.setText(sentence(str(error)))
            self._fill()

    def _ask(self, rule: Rule | None) -> None:
        taken = {r.name for r in self._control.alerts.rules if rule is None or r.name != rule.name}
        form = RuleForm(rule, self._actions(), taken, self)
        form.made.connect(lambda made: self._put(rule, made))
        form.open()

    def _put(self, old: Rule | None, made: Rule) -> None:
        def change(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
            if old is None or all(rule.name != old.name for rule in rules):
                return (*rules, made)
            return tuple(made if rule.name == old.name else rule for rule in rules)

        self._keep(change)

    def _keep(self, change: Callable[[tuple[Rule, ...]], tuple[Rule, ...]]) -> None:
        try:
            self._control.change(change)
        except AlertError as error:
            self.state.setText(sentence(str(error)))
        else:
            self.state.setText(_HINT)
        self._fill()

    def _switched(self, item: QTreeWidgetItem, _column: int) -> None:
        if self._filling:
            return
        on = item.checkState(_NAME) is Qt.CheckState.Checked
        name = item.data(_NAME, Qt.ItemDataRole.UserRole)
        self._keep(lambda rules: tuple(replace(r, on=on) if r.name == name else r for r in rules))

    def _show_rules(self) -> None:
        self.state.setText(sentence(self._control.unread) or _HINT)
        self._fill()

    def _fill(self) -> None:
        chosen, self._filling = self._chosen(), True
        self.list.clear()
        for rule in self._control.alerts.rules:
            then = ", ".join(describe(reaction) for reaction in rule.reactions)
            item = QTreeWidgetItem([rule.name, when_text(rule), then, self._last.get(rule.name, "")])
            item.setData(_NAME, Qt.ItemDataRole.UserRole, rule.name)
            item.setCheckState(_NAME, Qt.CheckState.Checked if rule.on else Qt.CheckState.Unchecked)
            for column in range(4):
                item.setToolTip(column, item.text(column))
            self.list.addTopLevelItem(item)
            if chosen is not None and rule.name == chosen.name:
                self.list.setCurrentItem(item)
        self._filling = False
        self._refresh()

    def _show_outcome(self, outcome: Outcome) -> None:
        self._last[outcome.rule] = outcome.failure or "done"
        self.state.setText(f"{isolated(outcome.rule)}: {outcome.failure or 'done'}")
        for row in range(self.list.topLevelItemCount()):
            item = self.list.topLevelItem(row)
            if item is not None and item.data(_NAME, Qt.ItemDataRole.UserRole) == outcome.rule:
                self._filling = True
                item.setText(_LAST, self._last[outcome.rule])
                item.setToolTip(_LAST, self._last[outcome.rule])
                self._filling = False

    def _chosen(self) -> Rule | None:
        item = self.list.currentItem()
        name = item.data(_NAME, Qt.ItemDataRole.UserRole) if item is not None else None
        return next((rule for rule in self._control.alerts.rules if rule.name == name), None)

    def _refresh(self) -> None:
        for button in (self.change, self.delete, self.attempt):
            enable(button, "" if self._chosen() is not None else _NONE)
        enable(self.add, sentence(self._control.unread))


def when_text(rule: Rule) -> str:
    """ "wave lasts 2 s", "push up 10 times"."""
    if rule.lasts_s is not None:
        return f"{action_in_text(rule.action)} lasts {rule.lasts_s:g} s"
    return f"{action_in_text(rule.action)} {counted(rule.times or 0, 'time')}"
