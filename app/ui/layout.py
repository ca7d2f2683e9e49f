"""Where the parts of the window stand."""

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenuBar, QVBoxLayout, QWidget

from app.ui.scrolled_page import VerticalScrollArea

_USUAL_LETTER = 7  # pixels across; larger ones need a wider side
_SIDE_WIDTH = 330
_WIDE_SIDE = 430  # with matrices in it
_TEACHING_SIDE = 460
_MIN_PICTURE = 440  # across, with the bar for recording; in a narrow window the side gives way
_MIN_PICTURE_TEACHING = 340
_MIN_SIDE = 300
_MIN_WIDTH = 720  # of everything
_MIN_EVENTS = 150
_MARGIN = 12
_GAP = 10


class Body(QWidget):
    """Everything under the menu: the tool bar, the banner, the picture over the timeline, the side, the status line.

    In the full screen the picture is alone, with the banner where there is something to say. Where the window is too
    low for what is open in it, the column of the picture and the side scroll, each by itself. side_needed: why the side
    cannot be hidden, "" where it can.
    """

    side_needed = Signal(str)

    def __init__(
        self,
        *,
        menus: QMenuBar,
        toolbar: QWidget,
        banners: tuple[QWidget, ...],
        video: QWidget,
        record_bar: QWidget,
        strip: QWidget,
        timelines: tuple[QWidget, ...],
        now: QWidget,
        events: QWidget,
        status: QWidget,
    ) -> None:
        """strip: under the picture, while explanations are shown. now, events: the side."""
        super().__init__()
        self._panel, self._full, self._attention_shown, self._teaching_shown = True, False, False, False
        self._strip, self._attention, self._teaching, self._now = strip, QWidget(), QWidget(), now
        self._events = _events_card(events)
        self._side, self._side_layout = _side_column(now, self._events)
        timeline = _column(timelines)
        self._never_cut = (toolbar, *banners)
        self._chrome = (menus, toolbar, timeline, status)
        left = _column((video, record_bar, strip, timeline))
        self._side_scrolls = VerticalScrollArea(self._side)
        middle = QHBoxLayout()
        middle.setSpacing(_MARGIN)
        middle.addWidget(VerticalScrollArea(left), 1)
        middle.addWidget(self._side_scrolls)
        self._inner = QVBoxLayout()
        self._inner.setSpacing(_GAP)
        for banner in banners:
            self._inner.addWidget(banner)
        self._inner.addLayout(middle, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(toolbar)
        column.addLayout(self._inner, 1)
        column.addWidget(status)
        self._update_parts()

    def show_panel(self, shown: bool) -> None:
        """The side panel, outside the full screen."""
        self._panel = shown
        self._update_parts()

    def set_attention(self, panel: QWidget) -> None:
        """What stands in place of the events while explanations are shown."""
        self._attention = panel
        self._side_layout.addWidget(panel, 1)
        self._update_parts()

    def show_attention(self, shown: bool) -> None:
        """The strip under the picture, and the attention panel in place of the events."""
        self._attention_shown = shown
        self._update_parts()

    def set_teaching(self, page: QWidget) -> None:
        """What stands in place of the whole side while actions are taught."""
        self._teaching = page
        self._side_layout.addWidget(page, 1)
        self._update_parts()

    def show_teaching(self, shown: bool) -> None:
        """The page for teaching beside the picture."""
        self._teaching_shown = shown
        self._update_parts()

    def set_full_screen(self, full: bool) -> None:
        """The picture alone, or everything."""
        self._full = full
        self._update_parts()

    def minimumSizeHint(self) -> QSize:
        """Qt override: nothing of the tool bar and of the banners is cut off, in letters of any size."""
        toolbar, *banners = self._never_cut
        shown = (banner.minimumSizeHint().width() + 2 * _MARGIN for banner in banners if not banner.isHidden())
        return QSize(max(_MIN_WIDTH, toolbar.minimumSizeHint().width(), *shown), 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt override."""
        super().resizeEvent(event)
        self._size_side()

    def _size_side(self) -> None:
        letters = max(self.fontMetrics().averageCharWidth() / _USUAL_LETTER, 1.0)
        wanted = round(
            letters * (_TEACHING_SIDE if self._teaching_shown else _WIDE_SIDE if self._attention_shown else _SIDE_WIDTH)
        )
        room = self.width() - 3 * _MARGIN - (_MIN_PICTURE_TEACHING if self._teaching_shown else _MIN_PICTURE)
        self._side_scrolls.setFixedWidth(max(min(wanted, room), _MIN_SIDE))

    def _update_parts(self) -> None:
        margin = 0 if self._full else _MARGIN
        self._inner.setContentsMargins(margin, margin, margin, margin)
        for part in self._chrome:
            part.setVisible(not self._full)
        self._side_scrolls.setVisible((self._panel or self._attention_shown or self._teaching_shown) and not self._full)
        self._size_side()
        self._strip.setVisible(self._attention_shown and not self._full)
        self._now.setVisible(not self._teaching_shown)
        self._events.setVisible(not self._attention_shown and not self._teaching_shown)
        self._attention.setVisible(self._attention_shown and not self._teaching_shown)
        self._teaching.setVisible(self._teaching_shown)
        teaching = "The teaching page is in the side panel: Ctrl+K closes it" if self._teaching_shown else ""
        explaining = "The Why panel is in the side panel: Ctrl+H closes it" if self._attention_shown else ""
        self.side_needed.emit(teaching or explaining)


class _Column(QWidget):
    """Parts below each other. Where one of them wraps, a scroll area asks for the height at its width: it is told the
    least one, or it would scroll, and hide the last parts, while the picture could still give way."""

    def heightForWidth(self, width: int) -> int:
        """Qt override."""
        layout = self.layout()
        return -1 if layout is None else layout.totalMinimumHeightForWidth(width)


def _column(parts: tuple[QWidget, ...]) -> QWidget:
    holder = _Column()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(_GAP)
    for part in parts:
        column.addWidget(part)
    return holder


def _events_card(events: QWidget) -> QWidget:
    card = QFrame()
    card.setObjectName("card")
    heading = QLabel("Events")
    heading.setObjectName("heading")
    inner = QVBoxLayout(card)
    inner.setContentsMargins(12, 12, 8, 8)
    inner.setSpacing(6)
    inner.addWidget(heading)
    inner.addWidget(events)
    card.setMinimumHeight(_MIN_EVENTS)
    return card


def _side_column(panel: QWidget, events: QWidget) -> tuple[QWidget, QVBoxLayout]:
    side = QWidget()
    column = QVBoxLayout(side)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(_GAP)
    column.addWidget(panel)
    column.addWidget(events, 1)
    return side, column
