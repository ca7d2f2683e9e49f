import threading
from dataclasses import replace

import cv2
import numpy as np
import pytest

from app import palette
from app.outputs.heat import heat_rgb
from app.outputs.overlay import draw, relevance_radius_px
from app.results import PersonResult, Result
from pose.skeleton import MEDIAPIPE_33, MPOSE_13, Layout
from pose.types import Frame, Pose
from recognizer.clips import Clip
from recognizer.decision import WAITING, Decision

BACKGROUND = 120
BODY = {  # x and y as shares of the picture's height, from the middle of the hips
    "head": (0, -0.40),
    "shoulder": (0.09, -0.27),
    "elbow": (0.15, -0.13),
    "wrist": (0.18, 0.0),
    "hip": (0.06, 0.0),
    "knee": (0.07, 0.2),
    "ankle": (0.08, 0.38),
}


def standing(width: int, height: int, *, at: float = 0.5, person: int = 0, confidence: float = 1.0) -> Pose:
    xy = []
    for joint in MPOSE_13.joints:
        x, y = BODY[joint.rpartition("_")[2]]
        side = -1 if joint.startswith("left") else 1
        xy.append((at * width + side * x * height, (0.55 + y) * height))
    return Pose(np.array(xy, np.float32), np.full(13, confidence, np.float32), MPOSE_13, 0.0, person)


def decided(action: str, score: float = 0.93, reason: str = "") -> Decision:
    return Decision(person=0, time_s=0.0, action=action, score=score, since_s=0.0, reason=reason)


def result_of(width: int, height: int, *persons: tuple[Pose, Decision | None]) -> Result:
    frame = Frame(np.full((height, width, 3), BACKGROUND, np.uint8), 0.0, 0.0, 0)
    return Result(frame, tuple(PersonResult(pose, decision, True) for pose, decision in persons), (), False, 0.0)


def changed(picture: np.ndarray) -> np.ndarray:
    return (picture != BACKGROUND).any(axis=2)


def label_rows(picture: np.ndarray) -> np.ndarray:
    """Rows with the label's dark plate."""
    plate = np.array(palette.LABEL_BACKGROUND[::-1])
    return np.flatnonzero((picture == plate).all(axis=2).any(axis=1))


def test_the_frame_is_not_changed_and_the_picture_is_a_new_one():
    result = result_of(640, 480, (standing(640, 480), decided("walk")))
    picture = draw(result)
    assert (result.frame.bgr == BACKGROUND).all()
    assert picture.shape == (480, 640, 3)
    assert picture.dtype == np.uint8
    assert not np.shares_memory(picture, result.frame.bgr)
    assert not np.shares_memory(draw(result_of(640, 480)), result.frame.bgr)


def test_nobody_leaves_the_picture_as_it_is():
    assert not changed(draw(result_of(64, 48))).any()


@pytest.mark.parametrize("size", [(320, 240), (640, 480), (1920, 1080), (3840, 2160)])
def test_lines_and_text_grow_with_the_picture(size: tuple[int, int]):
    width, height = size
    picture = draw(result_of(width, height, (standing(width, height), decided("sit_down"))))
    middle_of_thigh = round(0.65 * height)
    across = changed(picture)[middle_of_thigh, : width // 2].sum()
    plate_height = np.ptp(label_rows(picture)) + 1
    assert 0.004 <= across / height <= 0.03
    assert 0.04 <= plate_height / height <= 0.09
    assert plate_height >= 15  # readable whatever the size


def test_mirroring_flips_the_skeleton_and_not_the_text():
    result = result_of(640, 480, (standing(640, 480, at=0.3), decided("walk")))
    plain, mirrored = draw(result), draw(result, mirror=True)
    rows = label_rows(plain)
    below = slice(rows.max() + 2, None)
    flipped = changed(plain)[below, ::-1]
    assert (changed(mirrored)[below] ^ flipped).sum() < 0.1 * flipped.sum()

    def text(picture: np.ndarray) -> np.ndarray:
        plate = picture[rows.min() : rows.max() + 1]
        columns = np.flatnonzero((plate == np.array(palette.LABEL_BACKGROUND[::-1])).all(axis=2).any(axis=0))
        return plate[:, columns.min() : columns.max() + 1]

    assert (text(plain) == text(mirrored)).all()


def test_the_picture_is_mirrored_too():
    frame = Frame(np.zeros((48, 64, 3), np.uint8), 0.0, 0.0, 0)
    frame.bgr[:, :10] = 255
    picture = draw(Result(frame, (), (), False, 0.0), mirror=True)
    assert (picture[:, -10:] == 255).all()
    assert (picture[:, :-10] == 0).all()


def test_unseen_joints_are_not_drawn_and_doubtful_ones_are_faded():
    def saturation(confidence: float) -> int:
        picture = draw(result_of(640, 480, (standing(640, 480, confidence=confidence), None)))
        below_label = picture[int(label_rows(picture).max()) + 2 :] if label_rows(picture).size else picture
        return int(cv2.cvtColor(below_label, cv2.COLOR_BGR2HSV)[..., 1].max())

    assert not changed(draw(result_of(640, 480, (standing(640, 480, confidence=0.0), decided("walk"))))).any()
    assert saturation(0.2) < saturation(0.6) < saturation(1.0)


@pytest.mark.parametrize("action", ["挥手", "걷기", "あるく", "Ходить", "marché", "جلوس"])
def test_action_names_of_many_scripts_are_drawn(action: str):
    def text_of(name: str) -> np.ndarray:
        return draw(result_of(640, 480, (standing(640, 480), decided(name))))

    # OpenCV draws a question mark for a sign that it does not have.
    assert (text_of(action) != text_of("?" * len(action))).any()
    assert (text_of("\u0e44\u0e17\u0e22") == text_of("???")).all()  # Thai: it has none, so the comparison can fail


@pytest.mark.parametrize("name", ["\ud800broken", "two\nlines", "", "x" * 500, "\t\x00"])
def test_odd_action_names_do_no_harm(name: str):
    picture = draw(result_of(320, 240, (standing(320, 240), decided(name))))
    assert label_rows(picture).size


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30, -1e9])
def test_broken_coordinates_do_no_harm(bad: float):
    pose = standing(640, 480)
    pose.xy_px[3] = bad
    pose.xy_px[8, 1] = bad
    assert changed(draw(result_of(640, 480, (pose, decided("walk"))))).any()


def test_a_head_above_the_picture_keeps_its_label_inside():
    pose = standing(640, 480)
    pose.xy_px[:, 1] -= 300
    assert label_rows(draw(result_of(640, 480, (pose, decided("walk"))))).size > 15


def test_labels_of_people_side_by_side_do_not_cover_each_other():
    poses = [standing(640, 480, at=0.48 + 0.04 * n, person=n) for n in range(3)]
    picture = draw(result_of(640, 480, *((pose, decided("jumping_jacks")) for pose in poses)))
    for pose in poses:
        bar = np.array(palette.person_rgb(pose.person)[::-1])
        columns = (picture == bar).all(axis=2)
        assert (columns.sum(axis=0) >= 15).any(), "the label's bar in the person's colour is hidden"


def test_any_layout_can_be_drawn():
    tiny = Layout("two", ("a", "b"), (("a", "b"),), "a")
    alone = Layout("one", ("a",), (), "a")
    for layout in (tiny, alone, MEDIAPIPE_33):
        count = len(layout)
        pose = Pose(np.full((count, 2), 30.0, np.float32), np.ones(count, np.float32), layout, 0.0)
        assert changed(draw(result_of(64, 48, (pose, None)))).any()
        assert draw(result_of(2, 2, (pose, None))).shape == (2, 2, 3)


def test_several_threads_may_draw():
    result = result_of(320, 240, (standing(320, 240), decided("挥手 sit_down")))
    expected = draw(result)
    wrong: list[int] = []

    def work() -> None:
        wrong.extend(n for n in range(50) if (draw(result) != expected).any())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_label_text():
    def label(decision: Decision | None) -> str:
        return palette.label_text(PersonResult(standing(64, 48), decision, True))

    assert label(None) == "watching"
    assert label(decided("sit_down", 0.934)) == "sit down 93%"
    assert label(decided("unknown", 0.2)) == "unknown"
    assert label(decided("unknown", 0.0, "half a body in view")) == "unknown: half a body in view"
    assert label(decided("unknown", 0.0, WAITING)) == "unknown: collecting movement"
    assert label(replace(decided("wave", 0.934), view="whole")) == "wave 93%"
    assert label(replace(decided("wave", 0.934), view="upper")) == "wave 93% · upper body only"
    unsure = replace(decided("unknown", 0.2, "low evidence"), view="upper")
    assert label(unsure) == "unknown: low evidence · upper body only"
    refused = replace(decided("unknown", 0.0, "half a body in view"), view="upper")
    assert label(refused) == "unknown: half a body in view"
    assert palette.action_text("two\nlines_of\x00 text") == "two lines of text"


def test_colours_are_stable_and_distinct():
    everyday = ("walk", "run", "sit_down", "wave", "punch", "squat", "jumping_jacks", "swing", "idle", "unknown")
    colours = [palette.action_rgb(action) for action in everyday]
    assert len(set(colours)) == len(everyday)
    pinned = {"walk": (81, 174, 214), "挥手": (226, 163, 131), "hop": (214, 81, 123), "idle": (150, 158, 168)}
    assert {action: palette.action_rgb(action) for action in pinned} == pinned, "the same in every run"
    for colour in (*colours, *palette.PERSONS, palette.action_rgb("\ud800")):
        assert all(isinstance(part, int) and 0 <= part <= 255 for part in colour)
    assert palette.confidence_rgb(1.0, 1) == palette.person_rgb(1)
    assert palette.confidence_rgb(0.0, 1) == palette.FADED
    assert palette.text_rgb((250, 250, 200)) == (0, 0, 0)
    assert palette.text_rgb((20, 20, 90)) == (255, 255, 255)


def test_circles_sit_on_the_joints_and_grow_with_their_relevance():
    body = standing(640, 480)
    clip = Clip(np.zeros((30, 13, 2), np.float32), np.ones((30, 13), np.float32), 20.0, MPOSE_13, 0.0, 0)
    person = PersonResult(body, decided("wave"), True, clip)
    result = Result(Frame(np.full((480, 640, 3), BACKGROUND, np.uint8), 0.0, 0.0, 0), (person,), (), False, 0.0)
    relevance = np.zeros(13, np.float32)
    wrist, elbow, knee = (MPOSE_13.index(f"left_{joint}") for joint in ("wrist", "elbow", "knee"))
    relevance[[wrist, elbow]] = 1.0, 0.25
    radii = relevance_radius_px(relevance, 1.0)
    assert radii[wrist] > radii[elbow] > radii[knee] > 0
    for mirror in (False, True):
        plain, picture = draw(result, mirror=mirror), draw(result, mirror=mirror, relevance={0: relevance})
        x, y = body.xy_px[wrist].astype(int)
        x = 639 - x if mirror else x
        assert picture[y, x].tolist() == heat_rgb(np.ones(1))[0, ::-1].tolist()  # as in the window
        row = (picture[y] != plain[y]).any(axis=1)
        width = row[x - 25 : x + 26].sum()
        assert width == pytest.approx(2 * radii[wrist], abs=5)
    other = draw(result, relevance={1: relevance})
    np.testing.assert_array_equal(other, draw(result))


def test_nobody_without_a_clip_gets_circles():
    result = result_of(640, 480, (standing(640, 480), decided("walk")))
    np.testing.assert_array_equal(draw(result, relevance={0: np.ones(13, np.float32)}), draw(result))


def test_of_several_people_each_label_has_the_number():
    alone = PersonResult(standing(64, 48), decided("walk", 0.8), True)
    assert palette.label_text(alone) == "walk 80%"
    assert palette.label_text(alone, numbered=True) == "1 · walk 80%"
    assert palette.label_text(PersonResult(standing(64, 48), None, True), numbered=True) == "1 · watching"


def test_a_video_s_labels_have_no_marks_around_names(monkeypatch):
    """OpenCV would draw them as question marks, and they are for the screen only."""
    name, drawn = "\u05e9\u05dc\u05d5\u05dd", []
    monkeypatch.setattr("app.outputs.overlay._draw_label", lambda _, label, *__: drawn.append(label))
    draw(result_of(64, 48, *[(standing(64, 48), decided(name, 0.9))] * 2))
    assert drawn == [f"1 · {name} 90%"] * 2
