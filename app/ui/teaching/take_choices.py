"""What every take of the page that teaches is recorded with: who it is of, and whether pixels are kept."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QWidget

from app.library.labels import MAX_TYPED, refusal_of_person
from app.ui.disabled_controls import enable

_BUSY_TOOLTIP = "Takes are being recorded: Stop ends them"


class TakeChoices(QWidget):
    """changed: by the user. The record bar has the same choices, and what is chosen in one stands in the other."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.who = QLineEdit()
        self.who.setPlaceholderText("who (optional)")
        self.who.setAccessibleName("Who does it")
        self.who.setToolTip("The name of the person in the takes: Train then checks each person in turn")
        self.who.setMaxLength(MAX_TYPED)
        self.who.textEdited.connect(lambda _: self.changed.emit())
        self.skeleton_only = QCheckBox("Skeleton only")
        self.skeleton_only.setToolTip("Save joints only: no pixels reach the disk")
        self.skeleton_only.clicked.connect(lambda _: self.changed.emit())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.who, 1)
        row.addWidget(self.skeleton_only)

    def show_choices(self, person: str, skeleton_only: bool) -> None:
        """What was chosen before, or elsewhere."""
        self.who.setText(person)
        self.skeleton_only.setChecked(skeleton_only)

    def refusal(self) -> str:
        """Why nothing can be recorded with this; "" where it can."""
        return refusal_of_person(self.who.text())

    def set_busy(self, busy: bool) -> None:
        """Takes are being recorded with it."""
        for part in (self.who, self.skeleton_only):
            enable(part, _BUSY_TOOLTIP if busy else "")
