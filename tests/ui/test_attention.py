"""The attention panel: strip, joints by time, matrices, circles; freezing, swaps, and what there is when nothing is."""

import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
import window_fakes as fakes
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip

from app.capture.latest import Latest
from app.live.explainer import Explainer
from app.outputs.heat import heat_rgb, signed_rgb
from app.ui.attention.inspected import InspectedFrame
from app.ui.attention.moments import KEPT_S, Moments, SmallFrame
from app.ui.attention.panel import joint_relevance
from app.ui.attention.strip import HeatStrip
from app.ui.attention.views import views_of
from app.ui.people_painter import relevance_radius
from app.ui.theme import _DARK
from pose.skeleton import MPOSE_13
from recognizer.clips import Clip, Explanation, Prediction
from recognizer.model_card import ModelCard

T, V = 30, 13


def clip(time_s=2.0, person=0):
    rng = np.random.default_rng(0)
    xy = (rng.random((T, V, 2)) * (40, 200) + (300, 100)).astype(np.float32)
    return Clip(xy, np.ones((T, V), np.float32), 20.0, MPOSE_13, time_s, person)


def prediction(of, attention=None):
    probabilities = np.array([0.05, 0.8, 0.05, 0.05, 0.03, 0.02], np.float32)
    return Prediction(of.person, of.time_s, fakes.ACTIONS, probabilities, attention or {})


def act_attention():
    maps = np.random.default_rng(1).random((4, 3, T + 1, T + 1)).astype(np.float32)
    maps /= maps.sum(axis=-1, keepdims=True)
    return {"attention": maps, "position_similarity": np.eye(T + 1, dtype=np.float32)[None]}


def st_tr_attention(frames=(30, 15)):
    rng = np.random.default_rng(2)
    found = {}
    for layer, count in enumerate(frames, 1):
        maps = rng.random((8, count, V, V)).astype(np.float32)
        found[f"spatial_attention_{layer}"] = maps / maps.sum(axis=-1, keepdims=True)
        found[f"temporal_attention_{layer}"] = rng.random((8, V, count, count)).astype(np.float32)
    return found


def explained(of, action="walk", method="occlusion"):
    relevance = np.zeros((T, V), np.float32)
    relevance[:, MPOSE_13.index("left_wrist")] = 1
    relevance[:, MPOSE_13.index("head")] = -0.5
    return Explanation(of, action, method, 0.8, relevance)


def result_with_clips(time_s=2.0, attention=None, persons=((0, "walk"),)):
    """A result whose people have clips and predictions."""
    found = fakes.result(time_s, persons)
    people = []
    for person in found.persons:
        of = clip(time_s, person.pose.person)
        people.append(replace(person, clip=of, prediction=prediction(of, attention or act_attention())))
    return replace(found, persons=tuple(people))


class FakeExplainer:
    """Takes questions; the test gives the answers."""

    made: ClassVar[list] = []

    def __init__(self, model):
        self.model, self.asked, self.failure, self.closed = model, [], None, False
        self.explanations = Latest()
        self.made.append(self)

    def ask(self, clip, action=None, method="occlusion"):
        self.asked.append((clip, action, method))

    def use(self, model):
        self.model = model

    def close(self, timeout_s=2.0):
        self.closed = True


@pytest.fixture
def panel_open(running, qtbot, engines, monkeypatch):
    for module in ("control", "comparison"):
        monkeypatch.setattr(f"app.ui.attention.{module}.Explainer", FakeExplainer)
    FakeExplainer.made.clear()
    running.actions_by_name["attention"].trigger()
    assert running.attention.control is not None
    return running


def give(window, engine, *results):
    for result in results:
        engine.give(result)
        window.live.pull()
    window.attention.control.refresh()


def answer(window, of=None, **how):
    """What the explainer would say."""
    control = window.attention.control
    control._explainer.explanations.put(explained(of or control.moment.clip, **how))
    control.refresh()


def test_nothing_is_loaded_or_asked_before_the_panel_is_opened(running, engines):
    assert running.attention.panel is None
    assert not engines.last.watches


def test_the_window_starts_without_the_library_of_the_matrices():
    code = "import sys, app.ui.main_window; print('pyqtgraph' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    found = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True).stdout
    assert found.strip() == "False"


def test_opening_asks_for_attention_and_closing_ends_it(panel_open, engines):
    assert engines.last.watches
    give(panel_open, engines.last, result_with_clips())
    (explainer,) = FakeExplainer.made
    assert explainer.asked[-1][0] is panel_open.attention.control.moment.clip
    panel_open.actions_by_name["attention"].trigger()
    assert not engines.last.watches
    assert explainer.closed
    assert not panel_open.attention.strip.isVisible()


def test_keys_of_the_panel_open_it_first(running, engines, monkeypatch):
    for module in ("control", "comparison"):
        monkeypatch.setattr(f"app.ui.attention.{module}.Explainer", FakeExplainer)
    actions = running.actions_by_name
    actions["freeze"].trigger()
    assert actions["attention"].isChecked()
    assert running.attention.panel.isVisible()
    assert not running.attention.panel.hold.isChecked(), "there is no moment yet"
    give(running, engines.last, result_with_clips(2.0), result_with_clips(2.1))
    assert running.attention.panel.hold.isChecked()
    assert running.attention.control.held.clip.time_s == 2.0
    actions["freeze"].trigger()
    assert not running.attention.panel.hold.isChecked()
    give(running, engines.last, result_with_clips(2.2))
    assert not running.attention.panel.hold.isChecked(), "only the first moment"
    actions["attention"].trigger()
    actions["overlay"].trigger()
    assert running.attention.panel.isVisible()
    assert running.attention.panel.overlay.isChecked()
    actions["attention"].trigger()
    actions["overlay"].trigger()
    assert running.attention.panel.overlay.isChecked(), "they were on already"


def test_a_moment_that_comes_late_or_after_closing_is_not_frozen(running, engines, monkeypatch):
    for module in ("control", "comparison"):
        monkeypatch.setattr(f"app.ui.attention.{module}.Explainer", FakeExplainer)
    now_s = [100.0]
    monkeypatch.setattr("app.ui.attention.control.time", SimpleNamespace(monotonic=lambda: now_s[0]))
    actions = running.actions_by_name
    actions["freeze"].trigger()
    now_s[0] += 2.1
    give(running, engines.last, result_with_clips(2.0))
    assert not running.attention.panel.hold.isChecked()
    actions["attention"].trigger()
    actions["freeze"].trigger()
    actions["attention"].trigger()
    actions["attention"].trigger()
    give(running, engines.last, result_with_clips(2.1))
    assert not running.attention.panel.hold.isChecked()


def expert(window):
    window.attention.panel.tabs.setCurrentWidget(window.attention.panel.inside)


def test_the_strip_shows_where_the_class_token_looks(panel_open, engines):
    attention = act_attention()
    expert(panel_open)
    give(panel_open, engines.last, result_with_clips(attention=attention))
    expected = attention["attention"][-1, :, 0, 1:].sum(axis=0)
    np.testing.assert_allclose(panel_open.attention.strip.scores, expected / expected.max(), rtol=1e-5)


def test_joints_by_time_of_the_explanation(panel_open, engines):
    give(panel_open, engines.last, result_with_clips())
    answer(panel_open)
    shown = panel_open.attention.panel.map.values
    assert shown.shape == (V, T)
    assert shown[MPOSE_13.index("left_wrist")].min() == 1
    assert "walk 80%" in panel_open.attention.panel.title.text()


def test_an_answer_about_somebody_else_is_not_shown(panel_open, engines):
    give(panel_open, engines.last, result_with_clips())
    answer(panel_open, of=clip(2.0, person=3))
    assert panel_open.attention.control.explanation is None


def test_frozen_moments_stay_and_live_goes_on(panel_open, engines):
    give(panel_open, engines.last, result_with_clips(2.0))
    panel_open.actions_by_name["freeze"].trigger()
    held = panel_open.attention.control.held
    give(panel_open, engines.last, result_with_clips(2.1), result_with_clips(2.2))
    assert panel_open.attention.control.moment is held
    assert held.clip.time_s == 2.0
    assert panel_open.video.result.frame.time_s == 2.2
    assert panel_open.video.shown.frame.time_s == 2.0, "the big picture stands still, too"
    answer(panel_open)
    panel_open.actions_by_name["overlay"].trigger()
    assert panel_open.video._scores.person == 0, "with the circles of that moment"
    panel_open.actions_by_name["overlay"].trigger()
    assert panel_open.attention.panel.hold.text() == "Back to live"
    panel_open.actions_by_name["freeze"].trigger()
    panel_open.attention.control.refresh()
    assert panel_open.attention.control.moment.clip.time_s == 2.2
    assert panel_open.video.shown.frame.time_s == 2.2


def test_a_frozen_moment_takes_only_answers_about_itself(panel_open, engines):
    give(panel_open, engines.last, result_with_clips(2.0))
    panel_open.actions_by_name["freeze"].trigger()
    answer(panel_open, of=clip(1.9))
    assert panel_open.attention.control.explanation is None
    answer(panel_open)
    assert panel_open.attention.control.explanation is not None


def test_dragging_in_the_strip_shows_that_frame(panel_open, engines, qtbot):
    give(panel_open, engines.last, *(result_with_clips(round(1 + i / 30, 4)) for i in range(31)))
    strip = panel_open.attention.strip
    QTest.mousePress(strip, Qt.MouseButton.LeftButton, pos=_middle(strip, 5))
    assert strip.pick == 5
    QTest.mouseMove(strip, _middle(strip, 9))
    qtbot.waitUntil(lambda: strip.pick == 9)
    frame = panel_open.attention.panel.frame
    of = panel_open.attention.control.moment.clip
    assert frame._place == 9
    assert frame._frame.time_s == pytest.approx(of.time_s - (T - 1 - 9) / of.fps, abs=1 / 30)
    QTest.keyClick(strip, Qt.Key.Key_Left)
    assert strip.pick == 8
    QTest.keyClick(strip, Qt.Key.Key_Escape)
    assert strip.pick is None


def _middle(strip, place):
    return strip.cell(place).center().toPoint() if place is not None else QPoint()


def test_a_picked_frame_has_the_relevance_of_its_own_time(panel_open, engines):
    give(panel_open, engines.last, result_with_clips(2.0))
    found = explained(panel_open.attention.control.moment.clip)
    found.relevance[:] = 0
    found.relevance[T - 1, 5] = 1
    panel_open.attention.control._explainer.explanations.put(found)
    panel_open.attention.control.refresh()
    give(panel_open, engines.last, result_with_clips(2.5))  # ten frames on; the answer is still of the former clip
    strip, frame = panel_open.attention.strip, panel_open.attention.panel.frame
    strip.set_pick(T - 1)
    assert frame._joints.argmax() == 5
    assert frame._joints[5] == 1
    assert frame._clip.time_s == 2.0
    strip.set_pick(T - 2)
    assert frame._joints.max() == 0
    strip.set_pick(None)
    assert frame._clip.time_s == 2.0  # the end of what is explained
    panel_open.attention.panel.tabs.setCurrentWidget(panel_open.attention.panel.inside)
    panel_open.attention.control.refresh()
    assert frame._clip.time_s == 2.5  # the end of what the matrix is of


def test_frames_are_scored_by_relevance_where_no_class_token_looks(panel_open, engines):
    give(panel_open, engines.last, result_with_clips(2.0, st_tr_attention()))
    strip = panel_open.attention.strip
    assert np.isnan(strip.scores).all()
    answer(panel_open)
    assert (strip.scores == 1).all()
    give(panel_open, engines.last, result_with_clips(2.5, st_tr_attention()))
    assert (strip.scores == 1).all(), "of the clip that is explained, until a newer one is"


def test_moments_joints_and_frame_are_of_one_decision_however_late_the_answer_is(panel_open, engines):
    control, strip, panel = panel_open.attention.control, panel_open.attention.strip, panel_open.attention.panel
    give(panel_open, engines.last, result_with_clips(2.0))
    first = control.moment.clip
    assert strip._clip is panel.frame._clip is first, "until something is explained, what is now"
    give(panel_open, engines.last, result_with_clips(2.4), result_with_clips(2.8))
    control._explainer.explanations.put(explained(first))  # a busy machine answers after 0.8 s
    give(panel_open, engines.last, result_with_clips(3.1))
    assert strip._clip is panel.frame._clip is control.explanation.clip is first
    assert panel.map.values.shape == (V, T)
    np.testing.assert_allclose(strip.scores, 1)
    assert (strip._when(0), strip._when(0.5)) == ("1.10 s ago", "1.60 s ago"), "of the clip that is shown"
    assert panel.title.text() == "walk 80%, 1.10 s ago"
    strip.set_pick(7)
    assert panel.map._mark.value() == 7.5
    assert (panel.frame._clip, panel.frame._place) == (first, 7)
    newest = control.moment.clip
    answer(panel_open)
    assert strip._clip is panel.frame._clip is control.explanation.clip is newest
    assert strip._when(0) == "now"


def test_the_strip_shows_which_moments_mattered_and_the_network_s_own_under_expert(panel_open, engines):
    give(panel_open, engines.last, result_with_clips())
    answer(panel_open)
    strip, tabs = panel_open.attention.strip, panel_open.attention.panel.tabs
    assert [tabs.tabText(place) for place in range(2)] == ["Which joints mattered", "Expert"]
    assert strip._title == "Which moments mattered for walk"
    assert (strip.scores == 1).all()
    expert(panel_open)
    assert strip._title.startswith("Where the class token attends")
    assert strip.scores.min() < 1


def test_colours_and_skeletons_of_the_strip_are_where_they_belong(qtbot):
    strip = HeatStrip(_DARK)
    qtbot.addWidget(strip)
    strip.resize(630, strip.height())
    scores = np.linspace(0, 1, T)
    of = clip()
    of.confidence[0] = 0  # nobody in the first
    strip.show_clip(of, scores, "title")
    strip.show()
    picture = strip.grab().toImage()
    ratio = picture.devicePixelRatio()
    for place in range(T):
        corner = strip.cell(place).topLeft() * ratio
        colour = picture.pixelColor(round(corner.x() + 2 * ratio), round(corner.y() + ratio))
        expected = heat_rgb(scores)[place].astype(int)
        assert np.abs(np.array(colour.getRgb()[:3]) - expected).max() <= 2, place
    assert _foreground(picture, strip.cell(0), ratio) == 0
    assert _foreground(picture, strip.cell(T - 1), ratio) > _foreground(picture, strip.cell(0), ratio) + 20


def _foreground(picture, cell, ratio):
    """Pixels inside a cell that are not of its background."""
    back = picture.pixelColor(round((cell.left() + 2) * ratio), round((cell.top() + 1) * ratio))
    xs = range(round((cell.left() + 2) * ratio), round((cell.right() - 2) * ratio))
    ys = range(round((cell.top() + 2) * ratio), round((cell.bottom() - 2) * ratio))
    return sum(picture.pixelColor(x, y) != back for x in xs for y in ys)


def test_a_picked_frame_is_followed_into_the_network(panel_open, engines):
    give(panel_open, engines.last, result_with_clips(attention=st_tr_attention()))
    panel = panel_open.attention.panel
    panel.tabs.setCurrentWidget(panel.inside)
    panel_open.attention.control.refresh()
    panel_open.attention.strip.set_pick(11)
    assert panel.inside.pickers[2].currentIndex() == 11


def test_bones_are_as_wide_as_their_links_weigh(panel_open, engines):
    importance = np.zeros((10, 3, V, V), np.float32)
    light, heavy = MPOSE_13.edge_indices[:2]
    importance[:, 1, light[0], light[1]] = 0.5
    importance[:, 1, heavy[0], heavy[1]] = 1.5
    importance[:, 0] = np.eye(V) * 9  # a joint's weight of itself is of no bone
    give(panel_open, engines.last, result_with_clips(attention={"edge_importance": importance}))
    links = panel_open.attention.panel.frame._links
    assert links[heavy] == links[heavy[::-1]] == 1
    assert links[light] == 0


def test_pickers_stay_while_nobody_is_there(panel_open, engines):
    give(panel_open, engines.last, result_with_clips())
    panel = panel_open.attention.panel
    panel.tabs.setCurrentWidget(panel.inside)
    panel_open.attention.control.refresh()
    panel.inside.pickers[0].set_value("Layer 2")
    give(panel_open, engines.last, fakes.result(2.1, persons=()))
    assert not panel.inside.matrix.values.size
    assert not panel.inside.note.isVisible()
    give(panel_open, engines.last, result_with_clips(2.2))
    assert panel.inside.pickers[0].value == "Layer 2"
    assert panel.inside.matrix.values.shape == (T + 1, T + 1)


def test_what_was_explained_of_another_person_goes(panel_open, engines):
    give(panel_open, engines.last, result_with_clips(2.0, persons=((0, "walk"),)))
    answer(panel_open)
    give(panel_open, engines.last, result_with_clips(2.1, persons=((4, "walk"),)))
    assert panel_open.attention.control.explanation is None
    assert panel_open.attention.control.moment.person == 4


def test_the_panel_is_remembered(panel_open, settings):
    assert settings.attention
    panel_open.actions_by_name["attention"].trigger()
    assert not settings.attention


def test_no_thread_outlives_the_window(running, engines, ui_threads, qtbot):
    running.actions_by_name["attention"].trigger()
    give(running, engines.last, result_with_clips())
    assert "explainer" in ui_threads()
    running.close()
    qtbot.waitUntil(lambda: "explainer" not in ui_threads(), timeout=60_000)  # the window waits for it only so long


def test_another_recognizer_is_asked_the_same_of_the_same_moment(panel_open, engines):
    give(panel_open, engines.last, result_with_clips(2.0))
    panel_open.actions_by_name["freeze"].trigger()
    answer(panel_open)
    compared, control = panel_open.attention.panel.comparison, panel_open.attention.control
    assert not compared.map.isVisible()
    assert len(FakeExplainer.made) == 1  # nothing is asked of another before one is chosen
    choose(compared.model, "st-gcn")
    control.refresh()
    other = FakeExplainer.made[-1]
    assert other.model == "st-gcn"
    assert other.asked == [(control.held.clip, "walk", "occlusion")]
    other.explanations.put(explained(control.held.clip))
    give(panel_open, engines.last, result_with_clips(2.4))  # live goes on
    assert compared.title.text() == "st-gcn: walk 80%, by hiding joints"
    np.testing.assert_array_equal(compared.map.values, panel_open.attention.panel.map.values)
    assert compared.map._bar.levels() == panel_open.attention.panel.map._bar.levels() == (-1, 1)
    assert len(other.asked) == 1
    choose(compared.model, "")
    assert other.closed
    assert not compared.map.isVisible()


def choose(chooser, value):
    """As a user does with the mouse."""
    chooser.setCurrentIndex([choice.value for choice in chooser.choices].index(value))
    chooser.activated.emit(chooser.currentIndex())


def test_what_is_compared_is_of_the_same_person_and_action(panel_open, engines):
    compared = panel_open.attention.panel.comparison
    choose(compared.model, "st-gcn")
    give(panel_open, engines.last, result_with_clips(2.0))
    answer(panel_open)
    other = FakeExplainer.made[-1]
    other.explanations.put(explained(clip(2.0, person=3)))
    panel_open.attention.control.refresh()
    assert compared.found is None
    assert compared.title.text() == "st-gcn: computing …"
    other.explanations.put(explained(clip(2.0), action="wave"))
    panel_open.attention.control.refresh()
    assert compared.found is None
    other.explanations.put(explained(clip(1.5)))
    panel_open.attention.control.refresh()
    assert compared.found is None, "of another moment"
    asked = panel_open.attention.control.explanation
    give(panel_open, engines.last, result_with_clips(2.5))
    answer(panel_open)
    assert panel_open.attention.control.explanation.clip.time_s == 2.5
    other.explanations.put(explained(asked.clip))
    panel_open.attention.control.refresh()
    assert compared.title.text() == "st-gcn: walk 80%, by hiding joints"
    assert panel_open.attention.control.explanation is asked, "both are of one moment, though a newer one is known"
    assert compared.found.clip is asked.clip
    assert panel_open.attention.panel.title.text() == "walk 80%, 0.50 s ago"
    assert other.asked[-1][0].time_s == 2.5, "and the newer one is next"
    other.failure = "st-gcn has no action 'walk'; choose one of its own"
    panel_open.attention.control.refresh()
    assert compared.title.text() == other.failure
    panel_open.actions_by_name["attention"].trigger()
    assert other.closed


class SlowRecognizer:
    """0.1 s for each clip: an explanation takes 5 s and more."""

    provider, provider_note = "cpu", ""

    def __init__(self):
        self.card = ModelCard.load(Path(__file__).resolve().parents[2] / "weights" / "act")
        self.asked, self.began = 0, threading.Event()

    def predict(self, clips, *, attention=False):
        self.began.set()
        self.asked += len(clips)
        time.sleep(0.1 * len(clips))
        chances = np.full(len(self.card.actions), 1 / len(self.card.actions), np.float32)
        return [Prediction(each.person, each.time_s, self.card.actions, chances) for each in clips]

    def close(self):
        pass


def test_a_slow_recognizer_does_not_hold_up_the_window_when_it_closes(running, engines, ui_threads, monkeypatch):
    slow = SlowRecognizer()
    monkeypatch.setattr(
        "app.ui.attention.control.Explainer",
        lambda model: Explainer(model, open_recognizer=lambda model, provider: slow),
    )
    running.actions_by_name["attention"].trigger()
    give(running, engines.last, result_with_clips())
    assert slow.began.wait(60)
    running.close()
    assert not running.isVisible()
    assert "explainer" not in ui_threads()
    assert slow.asked <= 16  # the call that was in work, and perhaps one more, 0.8 s each


def test_circles_have_the_radii_of_the_column_sums(panel_open, engines):
    attention = st_tr_attention()
    give(panel_open, engines.last, result_with_clips(attention=attention))
    panel = panel_open.attention.panel
    panel.tabs.setCurrentWidget(panel.inside)
    panel.overlay.setChecked(True)
    panel_open.attention.control.refresh()
    panel.inside.pickers[0].setCurrentIndex(0)
    panel.inside.pickers[1].setCurrentIndex(2)
    panel.inside.pickers[2].setCurrentIndex(7)
    panel_open.attention.control.refresh()
    sums = attention["spatial_attention_1"][2, 7].sum(axis=0)
    drawn = panel_open.video._scores
    np.testing.assert_allclose(drawn.scores, sums / sums.max(), rtol=1e-5)
    radii = [relevance_radius(float(score), 1.0) for score in drawn.scores]
    areas = [(radius - relevance_radius(0.0, 1.0)) ** 2 for radius in radii]
    np.testing.assert_allclose(np.array(areas) / max(areas), sums / sums.max(), rtol=1e-4)


def test_circles_lie_on_the_joints_and_follow_the_mirror(panel_open, engines):
    give(panel_open, engines.last, result_with_clips())
    answer(panel_open)
    panel_open.actions_by_name["overlay"].trigger()
    scores = panel_open.video._scores
    assert scores.person == 0
    assert scores.scores[MPOSE_13.index("left_wrist")] == 1
    assert scores.scores[MPOSE_13.index("head")] == 0  # what speaks against has no circle of its own
    plain = panel_open.video.screenshot()
    panel_open.set_mirror(True)
    mirrored = panel_open.video.screenshot()
    x, y = (round(float(c)) for c in _left_wrist(panel_open))
    yellow = tuple(int(c) for c in heat_rgb(np.ones(1))[0])
    assert _near(plain.pixelColor(x + 6, y), yellow)
    assert _near(mirrored.pixelColor(plain.width() - 1 - x - 6, y), yellow)
    panel_open.actions_by_name["overlay"].trigger()
    assert panel_open.video._scores is None


@pytest.mark.parametrize("mirror", [False, True])
def test_the_chosen_frame_is_shown_around_the_body_with_circles_on_the_joints(qtbot, mirror):
    wrist = MPOSE_13.index("left_wrist")
    xy_px = np.tile(np.linspace((160, 200), (220, 380), 13, dtype=np.float32), (30, 1, 1))  # in a frame of 640 x 480
    picture = np.zeros((240, 320, 3), np.uint8)
    x, y = (xy_px[0, wrist] / 2).astype(int)
    picture[y - 30 : y + 31, x - 30 : x + 31, 2] = 255  # a red square around the wrist
    frame = InspectedFrame(_DARK)
    qtbot.addWidget(frame)
    frame.resize(400, 200)
    frame.set_mirror(mirror)
    clip = Clip(xy_px, np.ones((30, 13), np.float32), 20.0, MPOSE_13, 2.0, 0)
    frame.show_frame(SmallFrame(2.0, picture, 0.5), clip, 29, np.eye(13, dtype=np.float32)[wrist])
    image = frame.grab().toImage()
    colours = np.array([[image.pixelColor(c, r).getRgb()[:3] for c in range(400)] for r in range(200)], int)
    red = np.argwhere((colours[..., 0] > 200) & (colours[..., 1:] < 40).all(axis=-1))
    circle = np.argwhere((colours[..., 0] > 200) & (colours[..., 1] > 180) & (colours[..., 2] < 100))
    low, high = red.min(axis=0), red.max(axis=0)
    np.testing.assert_allclose(circle.mean(axis=0), (low + high) / 2, atol=2.5)
    assert high[1] - low[1] > 1.4 * 61  # 61 pixels of the small picture, of which a part is shown


def test_circles_of_a_movement_long_past_are_not_drawn_on_the_picture(panel_open, engines):
    give(panel_open, engines.last, result_with_clips(2.0))
    answer(panel_open)
    panel_open.actions_by_name["overlay"].trigger()
    give(panel_open, engines.last, result_with_clips(3.0))
    assert panel_open.video._scores is not None
    give(panel_open, engines.last, result_with_clips(4.0))
    assert panel_open.video._scores is None
    assert "2.00 s ago" in panel_open.attention.panel.title.text()


def _left_wrist(window):
    pose = window.video.result.persons[0].pose
    return pose.xy_px[pose.layout.index("left_wrist")]


def _near(colour, rgb):
    return max(abs(a - b) for a, b in zip((colour.red(), colour.green(), colour.blue()), rgb, strict=True)) < 70


def test_nobody_and_a_window_that_is_not_full_are_said(panel_open, engines):
    give(panel_open, engines.last, fakes.result(1.0, persons=()))
    assert panel_open.attention.panel.title.text() == "Nobody in view"
    undecided = [fakes.result(round(1.1 + i / 10, 1), decided=False) for i in range(8)]
    give(panel_open, engines.last, *undecided)
    assert panel_open.attention.panel.title.text() == "Collecting movement: 0.7 of 1.4 s"
    assert not len(panel_open.attention.strip.scores)
    give(panel_open, engines.last, fakes.unknown(2.0, "half a body in view"))
    assert panel_open.attention.panel.title.text() == "Nothing to explain: half a body in view"


def test_it_follows_the_person_that_the_side_panel_shows(panel_open, engines):
    give(panel_open, engines.last, result_with_clips(2.0, persons=((0, "walk"), (1, "wave"))))
    assert panel_open.attention.control.moment.person == 0
    panel_open._refresh()
    panel_open.actions_by_name["next_person"].trigger()
    assert panel_open.attention.control.moment.person == 1  # a paused picture has no next result
    give(panel_open, engines.last, result_with_clips(2.1, persons=((0, "walk"), (1, "wave"))))
    assert panel_open.attention.control.moment.person == 1


def test_another_recognizer_brings_its_own_pickers(panel_open, engines):
    give(panel_open, engines.last, result_with_clips())
    panel = panel_open.attention.panel
    panel.tabs.setCurrentWidget(panel.inside)
    panel_open.attention.control.refresh()
    titles = [panel.inside.kind.itemText(i) for i in range(panel.inside.kind.count())]
    assert titles == ["Attention", "Similarity of positions"]
    assert panel.inside.pickers[0].currentText() == "Layer 4"  # the last layer first
    give(panel_open, engines.last, result_with_clips(2.1, st_tr_attention()))
    titles = [panel.inside.kind.itemText(i) for i in range(panel.inside.kind.count())]
    assert titles == ["Attention between joints", "Attended joints over time", "Attention between frames"]
    give(panel_open, engines.last, result_with_clips(2.2, {"unheard of": np.zeros(3)}))
    assert panel.inside.note.isVisible()


def test_a_recognizer_that_is_gone_is_said_and_does_not_end_the_window(panel_open, engines):
    give(panel_open, engines.last, result_with_clips())
    panel_open.live.options = replace(panel_open.live.options, model="/nowhere/at/all")
    give(panel_open, engines.last, result_with_clips(2.1))
    assert "no model" in panel_open.attention.panel.title.text()


def test_matrices_of_every_family():
    of = clip()
    attention = {
        **act_attention(),
        **st_tr_attention(),
        "class_activation": np.random.default_rng(3).random((6, 8, V)).astype(np.float32),
        "edge_importance": np.ones((10, 3, V, V), np.float32),
    }
    for view in views_of(attention, of, fakes.ACTIONS):
        last = [len(picker.choices) - 1 for picker in view.pickers]
        for places in ([0] * len(view.pickers), last):
            assert view.matrix(places).shape == (len(view.rows), len(view.columns)), view.title


def test_class_activation_is_of_the_predicted_action_or_of_any_other(panel_open, engines):
    values = np.arange(6, dtype=np.float32)[:, None, None].repeat(8, 1).repeat(V, 2)
    give(panel_open, engines.last, result_with_clips(attention={"class_activation": values}))
    panel = panel_open.attention.panel
    panel.tabs.setCurrentWidget(panel.inside)
    panel_open.attention.control.refresh()
    (picker,) = panel.inside.pickers
    assert picker.currentText() == "Top action"
    assert (panel.inside.matrix.values == fakes.ACTIONS.index("walk")).all()
    choose(picker, "wave")
    assert (panel.inside.matrix.values == fakes.ACTIONS.index("wave")).all()


def test_tooltips_of_a_matrix_name_joint_and_frame(panel_open, engines, monkeypatch):
    tooltips = []
    monkeypatch.setattr("app.ui.attention.matrix.QToolTip.showText", lambda place, text, *_: tooltips.append(text))
    give(panel_open, engines.last, result_with_clips())
    answer(panel_open)
    view = panel_open.attention.panel.map
    view._hover(view._image.mapToScene(QPointF(T - 1 + 0.5, MPOSE_13.index("left_wrist") + 0.5)))
    assert tooltips == ["left wrist · 0.00 s ago: 1.000"]


def test_the_tooltip_of_a_cell_stays_while_the_mouse_rests(panel_open, engines):
    give(panel_open, engines.last, result_with_clips())
    answer(panel_open)
    view = panel_open.attention.panel.map
    viewport = view._plot.viewport()
    at = view._plot.mapFromScene(view._image.mapToScene(QPointF(T - 1 + 0.5, MPOSE_13.index("left_wrist") + 0.5)))
    view._hover(view._plot.mapToScene(at))
    QApplication.sendEvent(viewport, QHelpEvent(QEvent.Type.ToolTip, at, viewport.mapToGlobal(at)))
    assert QToolTip.text() == "left wrist · 0.00 s ago: 1.000"
    QToolTip.hideText()


def test_relevance_of_joints_is_what_speaks_for_the_action():
    scores = joint_relevance(explained(clip()))
    assert scores[MPOSE_13.index("left_wrist")] == 1
    assert scores.sum() == 1


def test_memory_of_small_pictures_is_bounded_and_forgets_another_source():
    moments = Moments()
    for frame in range(400):
        moments.add(fakes.result(frame / 30), None)
    assert len(moments._frames) <= KEPT_S * 30 + 2
    moments.add(fakes.result(0.0), None)
    assert len(moments._frames) == 1


def test_a_strip_without_a_clip_takes_keys_and_the_mouse(qtbot):
    strip = HeatStrip(_DARK)
    qtbot.addWidget(strip)
    strip.show_clip(None, np.zeros(0), "", "nobody")
    strip.show()
    QTest.keyClick(strip, Qt.Key.Key_Left)
    QTest.mouseClick(strip, Qt.MouseButton.LeftButton)
    assert strip.pick is None


def test_colours_run_from_violet_to_yellow_and_tell_for_from_against():
    low, high = heat_rgb(np.array([0.0, 1.0])).astype(int)
    assert low[2] > low[1]
    assert high[0] > 200
    assert high[2] < 100
    against, nothing, speaks = signed_rgb(np.array([-1.0, 0.0, 1.0])).astype(int)
    assert against[2] > against[0]
    assert speaks[0] > speaks[2]
    assert nothing.max() < 80
    assert (heat_rgb(np.array([np.nan])) == heat_rgb(np.zeros(1))).all()
