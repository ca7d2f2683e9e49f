"""The window of synthetic clips: playing, keys, the newest request, and one line where there is no generator."""

import subprocess
import sys
import threading

import numpy as np
import pytest
from PySide6.QtCore import Qt
from toy_generator import ACTIONS, write_generator

from app.live.generation import GenerationRequest, own_generators, result_at
from app.ui.generation.generated_window import GeneratedWindow
from app.ui.jobs import Jobs
from recognizer.errors import CardError
from recognizer.generator import CARD_FILE, OnnxGenerator

TIMEOUT_MS = 60_000


@pytest.fixture
def root(tmp_path):
    write_generator(own_generators(tmp_path) / "mine")
    return tmp_path


@pytest.fixture
def open_generated(qtbot, qapp):
    opened, jobs = [], Jobs()

    def make(root):
        window = GeneratedWindow(root, jobs)
        window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        qtbot.addWidget(window)
        opened.append(window)
        window.show()
        window.activateWindow()
        with qtbot.waitActive(window):
            pass
        return window

    yield make
    for window in opened:
        window.close()
    assert jobs.close(60)


@pytest.fixture
def generated(open_generated, root, qtbot):
    made = open_generated(root)
    choose(made, "mine")
    qtbot.waitUntil(lambda: made.preview.clip is not None, timeout=TIMEOUT_MS)
    return made


def choose(window, name):
    window.generators.setCurrentIndex(window.generators.findText(name))


def shown(window, qtbot, **wanted):
    """Wait until the clip that is shown is the one."""

    def right():
        clip = window.preview.clip
        return clip is not None and all(getattr(clip, name) == value for name, value in wanted.items())

    qtbot.waitUntil(right, timeout=TIMEOUT_MS)
    return window.preview.clip


def test_it_plays_a_clip_of_the_first_action_and_says_that_it_is_made_up(generated, qtbot):
    clip = shown(generated, qtbot, seed=0, shares={"raise": 1.0})
    assert generated.first.itemText(1) == "step"
    assert (
        "Synthetic, nobody performed this: raise. Generator toy, seed 0; 12 poses in 2.0 s." in generated.caption.text()
    )
    before = generated.preview.time_s
    qtbot.waitUntil(lambda: generated.preview.time_s != before, timeout=TIMEOUT_MS)
    result = result_at(clip, 1.0)
    assert result.persons[0].decision.action == "synthetic: raise"
    assert generated.preview.accessibleDescription() == generated.caption.text()


def test_the_slider_blends_two_actions_of_the_same_noise(generated, qtbot, root):
    generated.share.setValue(5)
    clip = shown(generated, qtbot, shares={"raise": 0.75, "step": 0.25})
    expected = OnnxGenerator(own_generators(root) / "mine").blend("raise", "step", 0.25, seed=0)
    np.testing.assert_allclose(clip.joints, expected.joints, atol=1e-6)
    assert "75% raise + 25% step" in generated.caption.text()


def test_the_newest_request_is_made_and_those_in_between_are_not(generated, qtbot, monkeypatch):
    made = []
    real = generated._maker.make

    def slow(request: GenerationRequest):
        made.append(request.seed)
        return real(request)

    monkeypatch.setattr(generated._maker, "make", slow)
    for seed in range(1, 30):  # no event is handled between them
        generated.seed.setValue(seed)
    shown(generated, qtbot, seed=29)
    assert made == [1, 29]


@pytest.fixture
def two(generated, root):
    """The window shows a clip of "mine", and there is "other" too."""
    folder = write_generator(own_generators(root) / "other")
    generated.generators.addItem("other", folder)
    return generated


def test_a_clip_that_comes_late_of_another_generator_is_not_shown(two, qtbot, monkeypatch):
    go_on, real, clips = threading.Event(), two._maker.make, []
    monkeypatch.setattr(two._maker, "make", lambda request: go_on.wait(60) and (request, real(request)))
    monkeypatch.setattr(two.preview, "show_clip", clips.append)
    monkeypatch.setattr("app.ui.generation.generated_window.provenance_text", lambda clip: "")
    two.seed.setValue(7)
    choose(two, "other")
    assert not two.first.isEnabled()
    go_on.set()
    qtbot.waitUntil(lambda: bool(clips), timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: not two._making, timeout=TIMEOUT_MS)
    assert [request.folder.name for request, _ in clips] == ["other"]


def test_a_failure_that_comes_late_of_another_generator_is_not_told(two, qtbot, monkeypatch):
    go_on, real = threading.Event(), two._maker.actions

    def read(folder):
        if folder.name == "mine":
            assert go_on.wait(60)
            raise CardError("its card is damaged")
        return real(folder)

    monkeypatch.setattr(two._maker, "actions", read)
    two._open()
    choose(two, "other")
    qtbot.waitUntil(two.first.isEnabled, timeout=TIMEOUT_MS)
    go_on.set()
    qtbot.waitUntil(lambda: not two._jobs._jobs, timeout=TIMEOUT_MS)
    assert two.first.isEnabled()


def test_keys_are_enough(generated, qtbot):
    qtbot.keyClick(generated, Qt.Key.Key_N, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: generated.seed.value() == 1, timeout=TIMEOUT_MS)
    qtbot.keyClick(generated, Qt.Key.Key_P, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: not generated.preview.playing, timeout=TIMEOUT_MS)
    assert generated.playing.text() == "&Play"
    qtbot.keyClick(generated, Qt.Key.Key_S, Qt.KeyboardModifier.AltModifier)
    assert generated.focusWidget() is generated.share
    qtbot.keyClick(generated.share, Qt.Key.Key_Right)
    assert generated.share.value() == 1
    shown(generated, qtbot, seed=1, shares={"raise": 0.95, "step": 0.05})
    still = generated.preview.time_s
    qtbot.wait(120)
    assert generated.preview.time_s == still


def test_a_clip_begins_again_after_its_end(generated):
    generated.preview.play(False)
    generated.preview.time_s = 1.9
    generated.preview.advance(0.2)
    assert generated.preview.time_s == pytest.approx(2.1)  # the last pose, for a moment
    last, end = result_at(generated.preview.clip, 2.0), result_at(generated.preview.clip, 2.1)
    np.testing.assert_array_equal(last.persons[0].pose.xy_px, end.persons[0].pose.xy_px)
    generated.preview.advance(0.4)
    assert generated.preview.time_s == pytest.approx(0.1)


def test_between_two_poses_joints_lie_between(generated):
    clip = generated.preview.clip
    step_s = clip.duration_s / (len(clip.joints) - 1)
    a, half, b = (result_at(clip, t * step_s).persons[0].pose.xy_px for t in (3, 3.5, 4))
    np.testing.assert_allclose(half, (a + b) / 2, atol=1e-3)
    assert np.abs(a - b).max() > 1


def test_where_there_is_no_generator_one_line_says_where_to_put_one(open_generated, tmp_path, monkeypatch, qtbot):
    monkeypatch.setattr("recognizer.generator.weights_folders", lambda: ())
    window = open_generated(tmp_path)
    line = window.preview._line
    assert line.startswith("There is no generator: put a folder with generator.onnx and generator.json into weights/")
    assert str(own_generators(tmp_path)) in line
    assert not window.another.isEnabled()
    write_generator(own_generators(tmp_path) / "mine")
    window.again.click()
    shown(window, qtbot, seed=0)
    assert window.another.isEnabled()


def test_a_damaged_generator_is_one_line_and_another_can_be_chosen(open_generated, root, monkeypatch, qtbot):
    monkeypatch.setattr("recognizer.generator.weights_folders", lambda: ())
    write_generator(own_generators(root) / "broken", units="feet")
    window = open_generated(root)
    qtbot.waitUntil(lambda: "units: expected" in window.preview._line, timeout=TIMEOUT_MS)
    assert str(own_generators(root) / "broken" / CARD_FILE) in window.preview._line
    assert window.caption.text() == ""
    choose(window, "mine")
    assert shown(window, qtbot, seed=0).generator == "toy"


def test_the_menu_opens_it_once(running, qtbot, monkeypatch, root):
    monkeypatch.setattr("recognizer.generator.weights_folders", lambda: ())
    monkeypatch.setattr(running.beside, "_root", lambda: root)
    for _ in range(2):
        running.actions_by_name["generated"].trigger()
    (window,) = running.findChildren(GeneratedWindow)
    qtbot.waitUntil(lambda: window.preview.clip is not None, timeout=TIMEOUT_MS)
    assert tuple(window.first.itemData(n) for n in range(window.first.count())) == ACTIONS
    window.close()


def test_it_needs_no_torch(root):
    code = (
        "import sys; from pathlib import Path; import app.ui.generation.generated_window;"
        "from app.live.generation import Maker, GenerationRequest, offered;"
        "made = Maker().make(GenerationRequest(offered(Path(sys.argv[1]))[-1], 'raise', 'step', 0.5, 1));"
        "print(made.joints.shape, 'torch' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code, str(root)], capture_output=True, text=True, check=True).stdout
    assert said.split("\n")[0] == "(12, 13, 2) False"
