"""The picture, the skeletons and what stands over them."""

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QFont, QFontMetricsF, QImage, QPainter
from window_fakes import decision, frame, pose, result, unknown

from app.label_places import free_place
from app.palette import person_rgb
from app.results import PersonResult, Result
from app.ui.large_text import _lines, paint_large_text
from app.ui.people_painter import Placement, fitted, paint_people
from app.ui.video_view import VideoView

RED_LEFT = np.zeros((48, 64, 3), np.uint8)
RED_LEFT[:, :32] = (0, 0, 255)  # blue-green-red: red on the left, black on the right
RED_LEFT.flags.writeable = False


@pytest.fixture
def view(qtbot, theme):
    shown = VideoView(theme.colours)
    qtbot.addWidget(shown)
    shown.resize(640, 480)
    shown.show()
    qtbot.waitExposed(shown)
    return shown


def empty(bgr):
    """A result of a picture with nobody."""
    return Result(frame(bgr=bgr), (), (), True, 0.0)


def rgb(widget, x, y):
    colour = widget.grab().toImage().pixelColor(x, y)
    return colour.red(), colour.green(), colour.blue()


def test_the_picture_keeps_its_colours_and_sides(view):
    view.show_result(empty(RED_LEFT))
    assert rgb(view, 100, 240) == (255, 0, 0)
    assert rgb(view, 540, 240) == (0, 0, 0)


def test_mirrored_the_picture_swaps_sides_and_the_frame_stays(view):
    shown = empty(RED_LEFT)
    before = shown.frame.bgr.copy()
    view.set_mirror(True)
    view.show_result(shown)
    assert rgb(view, 100, 240) == (0, 0, 0)
    assert rgb(view, 540, 240) == (255, 0, 0)
    assert np.array_equal(shown.frame.bgr, before)


def test_mirrored_the_joints_follow_the_picture_and_the_data_stay():
    person = pose(x=10.0)
    before = person.xy_px.copy()
    rect = QRectF(0, 0, 640, 480)
    straight, mirrored = (Placement(rect, (640, 480), mirror).map(person.xy_px) for mirror in (False, True))
    assert np.allclose(straight[:, 0] + mirrored[:, 0], 640)
    assert np.allclose(straight[:, 1], mirrored[:, 1])
    assert np.array_equal(person.xy_px, before)


@pytest.mark.parametrize("size", [(64, 48), (48, 64), (1920, 1080), (33, 7)])
def test_the_picture_keeps_its_shape_and_lies_in_the_middle(size):
    room = QRectF(10, 20, 300, 300)
    rect = fitted(size, room)
    assert rect.width() / rect.height() == pytest.approx(size[0] / size[1])
    assert rect.center() == room.center()
    assert room.contains(rect)


def test_a_change_of_size_while_it_runs(view):
    for width, height in ((64, 48), (48, 64), (33, 7), (1, 1)):
        view.show_result(empty(np.full((height, width, 3), 200, np.uint8)))
        assert rgb(view, 320, 240) == (200, 200, 200)


def test_each_result_is_reported_as_painted_once(view, qtbot):
    painted = []
    view.painted.connect(painted.append)
    first, second = result(1.0), result(1.1)
    view.show_result(first)
    qtbot.waitUntil(lambda: painted == [first])
    view.update()
    qtbot.wait(30)
    view.show_result(second)
    qtbot.waitUntil(lambda: painted == [first, second])


def test_a_hidden_view_paints_nothing(view, qtbot):
    painted = []
    view.painted.connect(painted.append)
    view.hide()
    view.show_result(result(1.0))
    qtbot.wait(50)
    assert painted == []


def painted_people(shown, size=(640, 480), scale=1):
    image = QImage(size[0] * scale, size[1] * scale, QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    paint_people(painter, shown, Placement(QRectF(0, 0, image.width(), image.height()), size))
    painter.end()
    return image


def colours_of(image):
    height, width = image.height(), image.width()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(height, width, 4)
    return {tuple(int(v) for v in colour[::-1]) for colour in np.unique(pixels[:, :, :3].reshape(-1, 3), axis=0)}


def test_each_person_has_a_skeleton_in_their_colour():
    shown = painted_people(result(persons=((0, "walk"), (1, "wave"))))
    assert {person_rgb(0), person_rgb(1)} <= colours_of(shown)


def test_joints_that_are_not_seen_are_not_drawn():
    hidden = Result(frame(), (PersonResult(pose(confidence=0.0), decision(), True),), (), False, 0.0)
    assert colours_of(painted_people(hidden)) == {(0, 0, 0)}


def test_less_confidence_gives_a_duller_colour():
    def colours(confidence):
        shown = Result(frame(), (PersonResult(pose(confidence=confidence), None, True),), (), False, 0.0)
        return colours_of(painted_people(shown))

    assert person_rgb(0) in colours(1.0)
    skeleton_only = painted_people(
        Result(frame(), (PersonResult(pose(confidence=0.3), None, True),), (), False, 0.0)
    ).copy(0, 200, 640, 280)  # below the label, whose bar always has the person's colour
    assert person_rgb(0) not in colours_of(skeleton_only)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf, 1e9])
def test_broken_coordinates_do_no_harm(broken):
    person = pose()
    person.xy_px[:5] = broken
    image = painted_people(Result(frame(), (PersonResult(person, decision(), True),), (), False, 0.0))
    assert person_rgb(0) in colours_of(image)


def test_labels_of_people_side_by_side_do_not_cover_each_other(monkeypatch):
    import app.ui.people_painter as people_painter

    boxes = []
    real = people_painter._free_place

    def remember(box, bounds, taken):
        boxes.append(real(box, bounds, taken))
        return boxes[-1]

    monkeypatch.setattr(people_painter, "_free_place", remember)
    people = tuple(PersonResult(pose(n, x=300 + 8 * n), decision(n, action="jumping_jacks"), True) for n in range(4))
    painted_people(Result(frame(), people, (), False, 0.0))
    assert len(boxes) == 4
    assert not any(a.intersects(b) for n, a in enumerate(boxes) for b in boxes[:n])
    assert all(QRectF(0, 0, 640, 480).contains(box) for box in boxes)


def texts_painted(monkeypatch, shown):
    """What the labels say, however they are elided."""
    import app.ui.people_painter as people_painter

    said = []
    real = people_painter.label_text
    monkeypatch.setattr(people_painter, "label_text", lambda *a, **b: said.append(real(*a, **b)) or said[-1])
    painted_people(shown)
    return said


def test_labels_say_action_and_score_or_why_not(monkeypatch):
    assert texts_painted(monkeypatch, result(persons=((0, "sit_down"),))) == ["sit down 92%"]
    assert texts_painted(monkeypatch, unknown()) == ["unknown: half a body in view"]


def test_of_several_people_each_label_has_the_number(monkeypatch):
    """As in the panel, the events and the timeline: colours alone do not tell everybody who is who."""
    both = result(persons=((0, "sit_down"), (1, "walk")))
    assert texts_painted(monkeypatch, both) == ["1 · sit down 92%", "2 · walk 92%"]
    early = Result(frame(), tuple(PersonResult(pose(n), None, True) for n in range(2)), (), False, 0.0)
    assert texts_painted(monkeypatch, early) == ["1 · watching", "2 · watching"]


def test_a_label_stays_as_near_to_its_head_as_others_let_it():
    picture = (0, 0, 640, 480)
    assert free_place((100, 100, 200, 30), [], picture) == (100, 100, 200, 30)
    left, top, *_ = free_place((150, 100, 200, 30), [(100, 100, 200, 30)], picture)
    assert (left, abs(top - 100)) == (150, 32)  # above or below: less far than beside
    assert free_place((280, 0, 200, 30), [(100, 0, 200, 30)], picture)[:2] == (302, 0)
    assert free_place((0, 0, 640, 480), [(0, 0, 640, 480)], picture) == (0, 0, 640, 480)


HEBREW = "\u05e9\u05dc\u05d5\u05dd"


def test_a_name_from_right_to_left_leaves_the_label_in_its_order(monkeypatch):
    (said,) = texts_painted(monkeypatch, result(persons=((0, HEBREW),)))
    assert said == f"\u2068{HEBREW}\u2069 92%"


def test_marks_around_a_name_are_not_seen_and_take_no_room(qapp):
    """Neither as boxes, nor as gaps."""
    font = QFont()
    font.setPixelSize(20)
    metrics = QFontMetricsF(font)
    for name in (HEBREW, "walk"):
        assert metrics.horizontalAdvance(f"\u2068{name}\u2069") == pytest.approx(metrics.horizontalAdvance(name), abs=1)
    plain, marked = (painted_people(result(persons=((0, name),))) for name in ("walk", "walk\u2068\u2069"))
    assert plain == marked


def test_a_screenshot_has_the_picture_s_own_size_and_the_skeleton(view):
    view.show_result(result(size=(320, 240), persons=((0, "walk"),)))
    image = view.screenshot()
    assert (image.width(), image.height()) == (320, 240)
    assert person_rgb(0) in colours_of(image)


def test_no_screenshot_without_a_picture(view):
    view.set_message("Starting the camera…", "")
    assert view.screenshot() is None
    assert view.accessibleDescription() == "Starting the camera…"


@pytest.mark.parametrize("text", ["unknown", "1 · jumping jacks", "stand up 12"])
def test_large_text_that_can_be_smaller_is_never_shortened(qapp, text):
    for width in range(300, 1300, 10):
        rect = QRectF(0, 0, width, width * 0.75)
        for wrap in (True, False):
            lines, _ = _lines(text, QFont(), 150.0, rect, wrap=wrap)
            assert " ".join(lines) == text, width


@pytest.mark.parametrize("action", ["walk", "jumping_jacks", "supercalifragilisticexpialidocious_exercise"])
@pytest.mark.parametrize("persons", [1, 2])
def test_large_text_is_an_eighth_of_the_window(qapp, action, persons):
    """Measured from the top of the tallest letter to the bottom of the lowest, for names that can fit."""
    width, height, window_height = 860, 600, 800
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    painter.setFont(QFont())
    shown = result(persons=tuple((n, action) for n in range(persons)))
    paint_large_text(painter, shown, QRectF(0, 0, width, height), window_height)
    painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(height, width, 4)
    white = (pixels[:, :, :3] == 255).all(axis=2)
    rows = np.flatnonzero(white.any(axis=1))
    assert rows.size, "nothing was written"
    assert white[:, 0].sum() == white[:, -1].sum() == 0, "the text is cut off"
    if action == "walk":
        assert (rows[-1] - rows[0] + 1) / persons >= window_height / 8 * 0.9
    if action == "jumping_jacks" and persons == 1:
        assert rows[-1] - rows[0] >= window_height / 8 * 2, "two lines"
