"""What the page that teaches scrolls to stays in sight while the parts above it grow."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QPushButton
from teaching_page_fakes import TIMEOUT_MS, whole

from app.ui.teaching.card_column import CardColumn


@pytest.fixture
def column(qtbot):
    above, wanted, below = QPushButton("above"), QPushButton("wanted"), QPushButton("below")
    area = CardColumn((above, wanted, below))
    above.setFixedHeight(150)
    below.setFixedHeight(300)
    area.resize(500, 160)
    qtbot.addWidget(area)
    area.show()
    area.activateWindow()
    with qtbot.waitActive(area):
        pass
    wanted.setFocus()
    area.reveal(wanted)
    qtbot.waitUntil(lambda: whole(wanted, area.viewport()), timeout=TIMEOUT_MS)
    return area, above, wanted, below


def grow(area, above, qtbot):
    """The part above grows by as much as is in sight."""
    highest = area.verticalScrollBar().maximum()
    above.setFixedHeight(above.height() + 160)
    qtbot.waitUntil(lambda: area.verticalScrollBar().maximum() == highest + 160, timeout=TIMEOUT_MS)


def test_what_is_revealed_stays_in_sight_however_often_the_column_grows(column, qtbot):
    area, above, wanted, _ = column
    for _ in range(3):
        grow(area, above, qtbot)
        assert whole(wanted, area.viewport())


def test_after_the_user_has_scrolled_it_stays_where_the_user_has_put_it(column, qtbot):
    area, above, wanted, _ = column
    at, up, none = QPointF(20, 20), QPoint(0, 1200), Qt.KeyboardModifier.NoModifier
    for _ in range(5):
        wheel = QWheelEvent(at, at, QPoint(), up, Qt.MouseButton.NoButton, none, Qt.ScrollPhase.NoScrollPhase, False)
        QApplication.sendEvent(area.viewport(), wheel)
    assert area.verticalScrollBar().value() == 0
    grow(area, above, qtbot)
    assert area.verticalScrollBar().value() == 0
    assert not whole(wanted, area.viewport())


def test_it_does_not_pull_away_from_what_has_the_focus_now(column, qtbot):
    area, above, _, below = column
    below.setFocus()
    before = area.verticalScrollBar().value()
    grow(area, above, qtbot)
    assert area.verticalScrollBar().value() == before
