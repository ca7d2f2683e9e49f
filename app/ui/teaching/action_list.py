"""The actions of a library as a list: which are to be taught, and of which left and right differ."""

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem

from app.names_in_text import action_in_text
from app.palette import action_text
from recognizer.teaching.lesson import MIN_EXAMPLES, NOTHING

_ACTION, _EXAMPLES, _SIDES = range(3)
_CHECKED, _UNCHECKED = Qt.CheckState.Checked, Qt.CheckState.Unchecked


class ActionList(QTreeWidget):
    """Actions with enough examples are ticked until the user unticks them."""

    def __init__(self) -> None:
        super().__init__()
        self.setHeaderLabels(["Action", "Examples", "Left and right differ"])
        self.setRootIsDecorated(False)
        self.header().setStretchLastSection(False)
        self.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.header().setSectionResizeMode(_ACTION, QHeaderView.ResizeMode.Stretch)
        self.setAccessibleName("Actions to teach")

    def offer(self, counts: Mapping[str, int]) -> None:
        """Show these, with their ticks as before. counts: of examples by action."""
        ticks = {
            self.action_of(item): (item.checkState(_ACTION), item.checkState(_SIDES), item.isDisabled())
            for item in self.rows()
        }
        self.clear()
        for action, count in sorted(counts.items()):
            if action == NOTHING:
                continue
            ticked = _CHECKED if count >= MIN_EXAMPLES else _UNCHECKED
            chosen, sides, was_few = ticks.get(action, (ticked, _UNCHECKED, False))
            item = _row(action, count)
            item.setCheckState(_ACTION, ticked if was_few or item.isDisabled() else chosen)
            item.setCheckState(_SIDES, sides)
            self.addTopLevelItem(item)
        for section in (_EXAMPLES, _SIDES):
            self.resizeColumnToContents(section)

    def rows(self) -> list[QTreeWidgetItem]:
        """The rows, one for each action."""
        found = [self.topLevelItem(row) for row in range(self.topLevelItemCount())]
        return [item for item in found if item is not None]

    def action_of(self, item: QTreeWidgetItem) -> str:
        """The action of a row, as the library has it."""
        return str(item.data(_ACTION, Qt.ItemDataRole.UserRole))

    def chosen(self) -> list[str]:
        """The actions that are ticked."""
        return [self.action_of(item) for item in self.rows() if item.checkState(_ACTION) == _CHECKED]

    def one_sided(self) -> tuple[str, ...]:
        """The actions of which left and right differ."""
        return tuple(self.action_of(item) for item in self.rows() if item.checkState(_SIDES) == _CHECKED)


def _row(action: str, count: int) -> QTreeWidgetItem:
    """A row without ticks, disabled where there are too few examples."""
    enough = count >= MIN_EXAMPLES
    examples = str(count) if enough else f"{count}, {MIN_EXAMPLES - count} more needed"
    item = QTreeWidgetItem([action_text(action), examples, ""])
    item.setData(_ACTION, Qt.ItemDataRole.UserRole, action)
    needed = f"{action_in_text(action)}: at least {MIN_EXAMPLES} examples are needed"
    for column in (_ACTION, _EXAMPLES, _SIDES):
        item.setToolTip(column, action_text(action) if enough else needed)
    item.setDisabled(not enough)
    return item
