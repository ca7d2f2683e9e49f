"""The row under the menu: what is watched and how, and the buttons."""

from collections.abc import Callable
from itertools import pairwise

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QAction, QResizeEvent, QShowEvent
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
from app.ui.live_run import RunView
from app.ui.panel import Panel

_RUN = ("start", "pause", "record", "teach", "screenshot")
_VIEW = ("mirror", "large_text", "panel", "attention", "full_screen", "theme", "shortcuts")
_MIN_WIDTH, _MAX_WIDTH = 78, 260  # width of a chooser: of its text, within these
_MARGIN, _GAP = 14, 5


class Toolbar(QFrame, Panel):
    """Choosers, each under its name, and tool buttons for the actions.

    Choosers that have no room for what they say go into a panel that the button `more` opens, the last ones first. The
    first one stays, and is shortened.
    """

    def __init__(self, actions: Actions, options: RunOptions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("toolbar")
        self.source = self._chooser("Source", "source", source_text)
        self.model = self._chooser("Recognizer", "model", model_text)
        self.people = self._chooser("People", "people")
        self.pose = self._chooser("Poses", "pose")
        self.provider = self._chooser("Runs on", "provider")
        self._choosers = self.source, self.model, self.people, self.pose, self.provider
        self.source.offer(source_choices(None))
        self.people.offer(people_choices())
        self.pose.offer(pose_choices())
        self.provider.offer(provider_choices())
        self.more = self._more_button()
        self.buttons: dict[str, QToolButton] = {}
        self._named = [_named(chooser) for chooser in self._choosers]
        self._panel = QFrame(self, Qt.WindowType.Popup)
        self._panel.setObjectName("card")
        self._panel.setWindowTitle("More choices")
        self._folded_column = QVBoxLayout(self._panel)
        self._folded_column.setContentsMargins(12, 10, 12, 12)
        self._in_row = -1
        self._row = self._choosers_row()
        row = QHBoxLayout(self)
        row.setContentsMargins(_MARGIN, 7, _MARGIN, 8)
        row.setSpacing(_GAP)
        row.addLayout(self._row, 1)
        row.addWidget(self.more, 0, Qt.AlignmentFlag.AlignBottom)
        row.addSpacing(6)
        self._add_buttons(row, actions, _RUN)
        row.addSpacing(10)
        self._add_buttons(row, actions, _VIEW)
        self.show_options(options)

    def show_run(self, view: RunView) -> None:
        """Show what is asked for."""
        self.show_options(view.options)

    def show_options(self, options: RunOptions) -> None:
        """Show what is asked for."""
        self.source.set_value(options.source)
        self.model.set_value(options.model)
        self.people.set_value(str(options.people))
        self.pose.set_value(options.pose)
        self.provider.set_value(options.provider)
        self._fold()

    def open(self, chooser: Chooser) -> None:
        """Open a chooser, in the row or in the panel."""
        if self.is_folded(chooser) and not self._panel.isVisible():
            self._show_folded()
        chooser.setFocus()
        chooser.showPopup()

    def is_folded(self, chooser: Chooser) -> bool:
        """Whether it is in the panel of the button `more`."""
        return self._choosers.index(chooser) >= self._in_row

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt override."""
        super().resizeEvent(event)
        self._fold()

    def showEvent(self, event: QShowEvent) -> None:
        """Qt override: in its window now, which has an order of its own."""
        super().showEvent(event)
        self._order_tabs()

    def minimumSizeHint(self) -> QSize:
        """Qt override: with everything folded that can be."""
        return QSize(self._width_beside_first() + _MIN_WIDTH, super().minimumSizeHint().height())

    def _fold(self) -> None:
        """Put as many choosers into the row as fit."""
        for chooser, named in zip(self._choosers, self._named, strict=True):
            named.setMinimumWidth(_width(chooser))
        count = len(self._choosers)
        while count > 1 and self._width_of(count) > self.width():
            count -= 1
        if count == 1:  # or it would lie over the button beside it
            self._named[0].setMinimumWidth(
                max(min(_width(self.source), self.width() - self._width_beside_first()), _MIN_WIDTH)
            )
        if count == self._in_row:
            return
        self._in_row = count
        self._panel.hide()
        for place, named in enumerate(self._named):
            if place < count:
                self._row.addWidget(named, _width(self._choosers[place]))
            else:
                self._folded_column.addWidget(named)
            named.show()
        self.more.setVisible(count < len(self._choosers))
        self._order_tabs()

    def _order_tabs(self) -> None:
        for one, other in pairwise((*self._choosers[: self._in_row], self.more, *self.buttons.values())):
            QWidget.setTabOrder(one, other)

    def _width_of(self, count: int) -> int:
        """Of the whole row with so many choosers in it."""
        choosers = [_width(chooser) + _GAP for chooser in self._choosers[:count]]
        more = 0 if count == len(self._choosers) else self.more.sizeHint().width() + _GAP
        buttons = [button.sizeHint().width() + _GAP for button in self.buttons.values()]
        return 2 * _MARGIN + sum(choosers) + more + 16 + sum(buttons)

    def _width_beside_first(self) -> int:
        return self._width_of(1) - _width(self.source)

    def _show_folded(self) -> None:
        self._panel.adjustSize()
        self._panel.setMinimumWidth(220)
        self._panel.move(self.more.mapToGlobal(QPoint(0, self.more.height() + 2)))
        self._panel.show()

    def _chooser(self, name: str, command: str, text_of: Callable[[str], str] = last_part) -> Chooser:
        chooser = Chooser(name, text_of)
        chooser.setToolTip(tooltip_of(command))
        chooser.chosen.connect(lambda _: self._panel.hide())  # a popup would keep the keys
        chooser.activated.connect(lambda _: self._panel.hide())  # also where the choice is the current one
        return chooser

    def _choosers_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(_GAP)
        return row

    def _more_button(self) -> QToolButton:
        button = QToolButton()
        button.setText("More ▾")
        button.setToolTip("People, poses and what the recognizer runs on")
        button.setAccessibleName("More choices")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(self._show_folded)
        button.setMinimumHeight(icons.SIZE_PX + 14)
        return button

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
        action.changed.connect(lambda: _name_after(button, action))
        _name_after(button, action)
        return button


def _name_after(button: QToolButton, action: QAction) -> None:
    """Name the button after its current action, for screen readers."""
    button.setAccessibleName(action.text().replace("&", "").rstrip("…"))


def _named(chooser: Chooser) -> QWidget:
    label = QLabel(chooser.accessibleName())
    label.setObjectName("muted")
    font = label.font()
    font.setPointSizeF(font.pointSizeF() * 0.88)
    label.setFont(font)
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(2)
    column.addWidget(label)
    column.addWidget(chooser)
    return holder


def _width(chooser: Chooser) -> int:
    return min(max(chooser.text_width(), _MIN_WIDTH), _MAX_WIDTH)
