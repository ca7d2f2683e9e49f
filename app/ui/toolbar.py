"""The row under the menu: what is watched and how, and the buttons."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from app.settings import RunOptions
from app.ui import icons
from app.ui.actions import Actions, tooltip_of
from app.ui.choices import (
    last_part,
    model_text,
    people_choices,
    pose_choices,
    provider_choices,
    source_choices,
    source_text,
)
from app.ui.chooser import Chooser

_RUN = ("start", "pause", "record", "teach", "screenshot")
_VIEW = ("mirror", "large_text", "panel", "attention", "full_screen", "theme", "shortcuts")


class Toolbar(QFrame):
    """Choosers, each under its name, and tool buttons for the actions."""

    def __init__(self, actions: Actions, options: RunOptions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("toolbar")
        self.source = self._chooser("Source", "source", source_text)
        self.model = self._chooser("Recognizer", "model", model_text)
        self.people = self._chooser("People", "people")
        self.pose = self._chooser("Poses", "pose")
        self.provider = self._chooser("Runs on", "provider")
        self.source.offer(source_choices(None))
        self.people.offer(people_choices())
        self.pose.offer(pose_choices())
        self.provider.offer(provider_choices())
        self.buttons: dict[str, QToolButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 7, 14, 8)
        row.setSpacing(5)
        for name, chooser, stretch in (
            ("Source", self.source, 5),
            ("Recognizer", self.model, 4),
            ("People", self.people, 2),
            ("Poses", self.pose, 3),
            ("Runs on", self.provider, 3),
        ):
            row.addLayout(self._named(name, chooser), stretch)
        row.addSpacing(6)
        self._add_buttons(row, actions, _RUN)
        row.addSpacing(10)
        self._add_buttons(row, actions, _VIEW)
        self.show_options(options)

    def show_options(self, options: RunOptions) -> None:
        """Show what is asked for."""
        self.source.set_value(options.source)
        self.model.set_value(options.model)
        self.people.set_value(str(options.people))
        self.pose.set_value(options.pose)
        self.provider.set_value(options.provider)

    def _chooser(self, name: str, command: str, text_of: Callable[[str], str] = last_part) -> Chooser:
        chooser = Chooser(name, text_of)
        chooser.setToolTip(tooltip_of(command))
        chooser.setMinimumWidth(78)
        return chooser

    def _named(self, name: str, chooser: Chooser) -> QVBoxLayout:
        label = QLabel(name)
        label.setObjectName("muted")
        font = label.font()
        font.setPointSizeF(font.pointSizeF() * 0.88)
        label.setFont(font)
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addWidget(label)
        column.addWidget(chooser)
        return column

    def _add_buttons(self, row: QHBoxLayout, actions: Actions, names: tuple[str, ...]) -> None:
        for name in names:
            button = self._button(actions[name])
            self.buttons[name] = button
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignBottom)

    def _button(self, action: QAction) -> QToolButton:
        button = QToolButton()
        button.setDefaultAction(action)
        button.setIconSize(QSize(icons.SIZE_PX, icons.SIZE_PX))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAccessibleName(action.text().replace("&", "").rstrip("…"))
        return button
