"""Layout faults of a window: overlaps, cut-off text, missing accessible names, wrong tab order.

Read from the geometry of the widgets and from their text, never from pixels.
"""

from itertools import combinations, pairwise

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenuBar,
    QScrollArea,
    QScrollBar,
    QSplitterHandle,
    QStyle,
    QStyleOptionComboBox,
    QTabBar,
    QToolButton,
    QWidget,
)

from app.ui.elided_label import ElidedLabel
from app.ui.toast import Toast

_SLACK = 1  # rounding
_WHOLE = (QComboBox, QAbstractSpinBox, QHeaderView, QScrollBar, QMenuBar, QTabBar)  # Qt lays out what is in them


def faults(window):
    """A line for everything that is wrong with a visible window, "" for nothing."""
    widgets = list(_shown(window))
    found = [
        line for widget in widgets for line in (_cut_off(widget), _outside(widget, window), _nameless(widget)) if line
    ]
    found += [line for widget in (window, *widgets) for line in _overlaps(widget)]
    return "\n".join([*found, *_tab_faults(window)])


def _shown(widget):
    """Every visible widget in it, but for what Qt itself puts into others."""
    for child in widget.children():
        if isinstance(child, QWidget) and child.isVisible() and not child.isWindow():
            yield child
            if not isinstance(child, _WHOLE):
                yield from _shown(child)


def _cut_off(widget):
    text = _text(widget)
    if not text:
        return ""
    room, needs = _room(widget), _needs(widget)
    if room.width() + _SLACK >= needs.width() and room.height() + _SLACK >= needs.height():
        return ""
    return f"{name_of(widget)}: {text!r} needs {needs.width()}x{needs.height()}, has {room.width()}x{room.height()}"


def _text(widget):
    if isinstance(widget, QComboBox):
        return widget.currentText()
    if isinstance(widget, QLineEdit):
        return widget.placeholderText() or " "
    if isinstance(widget, QAbstractSpinBox):
        return widget.text()
    if isinstance(widget, QTabBar):
        return " | ".join(widget.tabText(place) for place in range(widget.count()))
    if isinstance(widget, QHeaderView):
        return " | ".join(_sections(widget).values())
    if isinstance(widget, QLabel | QAbstractButton):
        return widget.text() or (" " if isinstance(widget, QAbstractButton) else "")
    return ""


def _needs(widget):
    if isinstance(widget, QComboBox):
        metrics = widget.fontMetrics()
        return QSize(metrics.horizontalAdvance(widget.currentText()), metrics.height())
    if isinstance(widget, QLineEdit):
        return QSize(widget.fontMetrics().horizontalAdvance(widget.placeholderText()), widget.fontMetrics().height())
    if isinstance(widget, QHeaderView):
        # The widest lack of room of any section.
        lacks = [
            widget.fontMetrics().horizontalAdvance(t) + 8 - widget.sectionSize(s) for s, t in _sections(widget).items()
        ]
        return widget.size() + QSize(max(0, *lacks) if lacks else 0, 0)
    if isinstance(widget, QTabBar):
        return QSize(
            sum(widget.tabSizeHint(place).width() for place in range(widget.count())), widget.sizeHint().height()
        )
    if isinstance(widget, ElidedLabel):
        return QSize(widget.fontMetrics().horizontalAdvance(widget.text()), widget.fontMetrics().height())
    if isinstance(widget, QLabel) and widget.wordWrap():
        words = max((widget.fontMetrics().horizontalAdvance(word) for word in _plain(widget).split()), default=0)
        return QSize(words, widget.heightForWidth(widget.width()))
    if isinstance(widget, QToolButton) and not widget.text():
        return widget.iconSize()
    if isinstance(widget, QAbstractSpinBox | QAbstractButton):
        return widget.minimumSizeHint() if isinstance(widget, QCheckBox) else _button_needs(widget)
    return widget.sizeHint()


def _button_needs(widget):
    metrics = widget.fontMetrics()
    if isinstance(widget, QToolButton) and widget.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonIconOnly:
        return widget.iconSize()
    text = widget.text().replace("&", "")
    return QSize(metrics.horizontalAdvance(text), metrics.height())


def _room(widget):
    if isinstance(widget, QComboBox):
        option = QStyleOptionComboBox()
        widget.initStyleOption(option)
        part = QStyle.SubControl.SC_ComboBoxEditField
        return widget.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, widget).size()
    if isinstance(widget, QLineEdit):
        return widget.rect().adjusted(6, 2, -6, -2).size()
    if isinstance(widget, QAbstractSpinBox):
        return widget.lineEdit().size() if widget.lineEdit() else widget.size()
    if isinstance(widget, ElidedLabel):
        return widget.contentsRect().size()
    if isinstance(widget, QAbstractButton) and not isinstance(widget, QCheckBox):
        return widget.rect().adjusted(4, 2, -4, -2).size()
    return widget.size()


def _plain(label):
    return "" if "<" in label.text() else label.text()


def _sections(header):
    model = header.model()
    if model is None or header.orientation() is Qt.Orientation.Vertical:
        return {}
    shown = [s for s in range(header.count()) if not header.isSectionHidden(s)]
    return {s: str(model.headerData(s, header.orientation()) or "") for s in shown}


def _outside(widget, window):
    """Whatever is not in a page that scrolls must lie in its parent."""
    parent = widget.parentWidget()
    if parent is None or widget is window:
        return ""
    scrolls = parent.parentWidget() if parent.objectName() == "qt_scrollarea_viewport" else None
    if isinstance(scrolls, QScrollArea):
        wide = scrolls.viewport().width() >= widget.width() or scrolls.horizontalScrollBar().isVisible()
        return "" if wide else f"{name_of(widget)} is wider than the page that scrolls it"
    if parent.rect().adjusted(-_SLACK, -_SLACK, _SLACK, _SLACK).contains(widget.geometry()) or widget.size().isEmpty():
        return ""
    return f"{name_of(widget)} {_box(widget.geometry())} is outside of {name_of(parent)} {_box(parent.rect())}"


def _overlaps(parent):
    if isinstance(parent, (*_WHOLE, QAbstractScrollArea)):
        return
    children = [c for c in parent.children() if isinstance(c, QWidget) and c.isVisible() and not c.isWindow()]
    children = [c for c in children if not isinstance(c, Toast | QSplitterHandle) and not c.size().isEmpty()]
    for one, other in combinations(children, 2):
        shared = one.geometry().intersected(other.geometry())
        if shared.width() > _SLACK and shared.height() > _SLACK:
            yield f"{name_of(one)} {_box(one.geometry())} overlaps {name_of(other)} {_box(other.geometry())}"


def _nameless(widget):
    if widget.focusPolicy() is Qt.FocusPolicy.NoFocus or _is_part(widget) or _only_scrolls(widget):
        return ""
    interface = QAccessible.queryAccessibleInterface(widget)
    named = interface is not None and interface.text(QAccessible.Text.Name).strip()
    return "" if named else f"{name_of(widget)} has no accessible name"


def _is_part(widget):
    return isinstance(widget, QScrollBar | QHeaderView) or widget.objectName().startswith("qt_")


def _only_scrolls(widget):
    return isinstance(widget, QScrollArea)


def focusable(window):
    """What Tab comes to, in its order."""
    found, at = [], window.nextInFocusChain()
    while at is not window and at is not None:
        reached = at.focusPolicy() & Qt.FocusPolicy.TabFocus and at.isVisible() and at.isEnabled()
        if reached and at.window() is window and not _is_part(at) and not isinstance(at, QScrollArea | QMenuBar):
            found.append(at)
        at = at.nextInFocusChain()
    return found


def _tab_faults(window):
    """From one to the next it goes right or down, or on to a column at the right; never back."""
    order = focusable(window)
    for one, other in pairwise(order):
        if _beyond(one, window) or _beyond(other, window):
            continue  # it is scrolled to when Tab comes to it
        a, b = _in_window(one, window), _in_window(other, window)
        same_row = min(a.bottom(), b.bottom()) - max(a.top(), b.top()) > min(a.height(), b.height()) / 2
        back = b.right() <= a.left() if same_row else b.bottom() <= a.top() and b.left() < a.right()
        if back:
            yield f"Tab goes back from {name_of(one)} {_box(a)} to {name_of(other)} {_box(b)}"


def _in_window(widget, window):
    return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())


def _beyond(widget, window):
    """Whether the page that it is on has to be scrolled to it."""
    place, parent = _in_window(widget, window), widget.parentWidget()
    while parent is not None and parent is not window:
        if parent.objectName() == "qt_scrollarea_viewport" and not _in_window(parent, window).contains(place):
            return True
        parent = parent.parentWidget()
    return False


def name_of(widget):
    """For a message."""
    text = widget.accessibleName() or widget.objectName() or getattr(widget, "text", str)()
    return f"{type(widget).__name__} {str(text)[:30]!r}"


def _box(rect):
    return f"[{rect.x()},{rect.y()} {rect.width()}x{rect.height()}]"
