"""Where the keyboard is can be seen on everything that Tab comes to, in both themes."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QStandardItemModel
from PySide6.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QFrame,
    QLabel,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QPushButton,
    QSlider,
    QSpinBox,
    QTabBar,
    QTableView,
    QTextBrowser,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.ui.attention.strip import HeatStrip
from app.ui.picker import Picker
from app.ui.seek_bar import SeekTrack
from app.ui.theme import DARK, LIGHT

_CONTRAST = 3.0  # of what changes, as WCAG 2.2 asks of a focus indicator (2.4.13)


def push(name=""):
    made = QPushButton("Go")
    made.setObjectName(name)
    return made


def switched(kind, on):
    made = kind()
    made.setText("On")
    made.setCheckable(True)
    made.setChecked(on)
    return made


def readable():
    made = QLabel("What can be copied")
    made.setObjectName("selectable")
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByKeyboard)
    return made


def names():
    made = QListWidget()
    made.addItems(["one", "two"])
    return made


def rows():
    made = QTreeWidget()
    made.addTopLevelItems([QTreeWidgetItem(["one"]), QTreeWidgetItem(["two"])])
    return made


def table():
    made = QTableView()
    made.setModel(QStandardItemModel(3, 2, made))
    return made


def picker():
    made = Picker()
    made.addItems(["one", "two"])
    return made


def in_a_message():
    made = QFrame()
    made.setObjectName("toast")
    QVBoxLayout(made).addWidget(QPushButton("Do it"))
    made.setFocusProxy(made.findChild(QPushButton))
    return made


def tabs():
    made = QTabBar()
    made.addTab("One")
    made.addTab("Two")
    return made


KINDS = {
    "button": push,
    "main button": lambda: push("primary"),
    "tool": QToolButton,
    "tool that is on": lambda: switched(QToolButton, True),
    "box": lambda: switched(QCheckBox, False),
    "box that is on": lambda: switched(QCheckBox, True),
    "picker": picker,
    "line": QLineEdit,
    "number": QSpinBox,
    "number with decimals": QDoubleSpinBox,
    "text": QPlainTextEdit,
    "page": QTextBrowser,
    "list": names,
    "tree": rows,
    "table": table,
    "tabs": tabs,
    "button in a message": in_a_message,
    "slider": lambda: QSlider(Qt.Orientation.Horizontal),
    "text that can be copied": readable,
}


PAINTED = {"seek bar": SeekTrack, "strip of frames": HeatStrip}  # by themselves, in colours that they are given


@pytest.fixture(params=[DARK, LIGHT])
def each_theme(request, theme):
    before = theme.choice
    theme.choose(request.param)
    yield theme
    theme.choose(before)


@pytest.mark.parametrize("kind", [*KINDS, *PAINTED])
def test_the_keyboard_s_place_is_seen(qtbot, each_theme, kind):
    window = QWidget()
    qtbot.addWidget(window)
    column, elsewhere = QVBoxLayout(window), QPushButton("Elsewhere")
    made = PAINTED[kind](each_theme.colours) if kind in PAINTED else KINDS[kind]()
    made.setFixedHeight(max(made.sizeHint().height(), 30))
    for part in (elsewhere, made):
        column.addWidget(part)
    window.resize(200, 160)
    window.show()
    qtbot.waitUntil(window.isActiveWindow)
    elsewhere.setFocus()
    before, size = luminance(made), made.sizeHint()
    made.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil((made.focusProxy() or made).hasFocus)
    after = luminance(made)
    contrast = (np.maximum(before, after) + 0.05) / (np.minimum(before, after) + 0.05)
    marked = made.focusProxy() or made
    around = 2 * made.tabRect(0).width() if isinstance(made, QTabBar) else 2 * (marked.width() + marked.height())
    assert (contrast >= _CONTRAST).sum() >= 0.8 * around
    assert made.sizeHint() == size  # nothing moves
    window.close()


def luminance(widget):
    """(height, width) of its pixels, 0..1, as WCAG defines it."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    share = pixels[:, : image.width(), 2::-1] / 255.0
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear @ (0.2126, 0.7152, 0.0722)
