"""Asks what the last seconds really were."""

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QDialogButtonBox, QLabel, QLineEdit, QListWidget, QVBoxLayout, QWidget

from app.library.labels import MAX_TYPED, refusal_of_action
from app.palette import action_text
from app.ui.child_windows import ClosingDialog
from app.ui.typed_action import existing_action

NOTHING = "nothing"
_NONE = (NOTHING, "other", "unknown")  # what recognizers answer that is no action to teach


class RightActionDialog(ClosingDialog):
    """A name to type or to choose; it does not block the window."""

    def __init__(self, parent: QWidget, actions: Sequence[str], chosen: Callable[[str], None]) -> None:
        super().__init__(parent)
        self.setWindowTitle("That was wrong")
        self._chosen = chosen
        self._names = [NOTHING, *sorted(action for action in actions if action not in _NONE)]
        self.name = QLineEdit()
        self.name.setMaxLength(MAX_TYPED)
        self.name.setPlaceholderText("type a name or choose one below")
        self.name.setAccessibleName("What it really was")
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.list = QListWidget()
        self.list.setAccessibleName("Known actions")
        for name in self._names:
            self.list.addItem(action_text(name))
        self.list.currentRowChanged.connect(lambda row: self.name.setText(self._names[row]))
        self.list.itemActivated.connect(lambda _: self.accept())
        self.name.returnPressed.connect(self.accept)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 14, 18, 14)
        column.setSpacing(8)
        column.addWidget(QLabel("What were the last three seconds really?"))
        column.addWidget(self.name)
        column.addWidget(self.list)
        column.addWidget(self.message)
        column.addWidget(buttons)
        self.name.setFocus()

    def accept(self) -> None:
        """Qt override: keep them, where there is a name."""
        name = " ".join(self.name.text().split())
        refusal = refusal_of_action(name) if name else "Type a name, or choose one from the list"
        self.message.setText(refusal)
        if not refusal:
            self._chosen(existing_action(name, self._names))
            super().accept()


def ask_right_action(parent: QWidget, actions: Sequence[str], chosen: Callable[[str], None]) -> None:
    """Ask, and call chosen(action) where an answer is given."""
    RightActionDialog(parent, actions, chosen).open()
