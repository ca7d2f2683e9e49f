"""The Teach dialog: from recordings on disk to a recognizer that knows them, cancelled, refused, and gone back from."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox

from app.library.catalogue import Library
from app.library.rows import Filter
from app.recording.writer import RecordingWriter
from app.results import EngineState
from app.settings import RunOptions
from app.teaching_process import Progress, TeachingCancelled, TeachingDone, TeachingFailed
from app.ui.jobs import Jobs
from app.ui.live_run import RunView
from app.ui.teaching.library_summary import previous_model
from app.ui.teaching.report import as_html, examples_html, left_text
from app.ui.teaching.teach_dialog import TeachDialog
from pose.demo.source import DemoSource
from pose.skeleton import MPOSE_13
from pose.types import Pose
from recognizer.clips import Clip
from recognizer.features import RATE_FPS
from recognizer.model_card import find_model
from recognizer.onnx_recognizer import OnnxRecognizer

TIMEOUT_MS = 300_000  # far more than it takes: another process teaches on a machine that may be busy
pytestmark = pytest.mark.timeout(900)
LTR = ' dir="ltr"'

# Names that no shipped recognizer has, for two things that the rendered person does.
TAUGHT = {"hail a taxi": "wave", "deep bob": "squat"}


def segment_of(source, action):
    return next(segment for segment in source.script if segment.action == action)


def poses_of(seed, action, shift_s=0.0, seconds=2.6):
    """True joints of a look's action, as poses at 30 a second."""
    source = DemoSource(seed=seed, paced=False)
    start_s = segment_of(source, action).start_s + shift_s
    times = [n / 30 for n in range(round(seconds * 30))]
    joints = [source.truth(start_s + t).joints_px for t in times]
    return [Pose(xy, np.ones(13, np.float32), MPOSE_13, t) for t, xy in zip(times, joints, strict=True)]


def record(root, name, poses, session="one"):
    writer = RecordingWriter(
        root, source="demo", session=session, layout=MPOSE_13, size=(640, 480), action=name, skeleton_only=True
    )
    for pose in poses:
        writer.add(pose.time_s, None, [pose])
    return writer.finish()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    root = tmp_path_factory.mktemp("recorded") / "library"
    for name, action in TAUGHT.items():
        for take in range(3):
            record(root, name, poses_of(take, action, 0.2 * take), f"session {take % 2}")
    record(root, "nothing", poses_of(0, "idle", seconds=2.0))
    record(root, "too few", poses_of(0, "clap"))
    return root


@pytest.fixture
def library(recorded, tmp_path):
    return Path(shutil.copytree(recorded, tmp_path / "library"))


@pytest.fixture
def dialog(library, qtbot, theme):
    jobs = Jobs()
    made = TeachDialog(library, "act", jobs, theme.colours)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: made.list.topLevelItemCount() > 0, timeout=TIMEOUT_MS)
    yield made
    made.close()
    assert jobs.close(60)


def test_actions_with_their_segments_are_offered_and_too_few_are_not(dialog):
    rows = {dialog.list.action_of(item): (item.text(1), item.isDisabled()) for item in dialog.list.rows()}
    assert rows == {"hail a taxi": ("3", False), "deep bob": ("3", False), "too few": ("1, 2 more needed", True)}
    assert sorted(dialog.list.chosen()) == ["deep bob", "hail a taxi"]


def test_recordings_become_a_recognizer_that_knows_them(dialog, library, qtbot):
    used = []
    dialog.use.connect(used.append)
    dialog.keep.setChecked(False)
    dialog.toggle()
    qtbot.waitUntil(
        lambda: dialog.training.job is None and dialog.train.text() == "Train" and dialog.progress.value() > 0,
        timeout=TIMEOUT_MS,
    )
    qtbot.waitUntil(lambda: dialog.taught.labels() == ["mine@1"], timeout=TIMEOUT_MS)
    for said in ("no example could be held out", "second session", "Trained on these examples", "deep bob (3)"):
        assert said in dialog.report.toPlainText()
    dialog.switch.click()
    assert used == [str(library / "models" / "mine" / "1")]
    recognizer = OnnxRecognizer(library / "models" / "mine" / "1", "cpu")
    for name, action in TAUGHT.items():  # a look that was not recorded
        assert answer(recognizer, poses_of(5, action, 0.4)) == name
    assert "in use" in dialog.taught.topLevelItem(0).text(0)
    assert dialog.back.text() == "Back to act"
    dialog.back.click()
    assert used[-1] == "act"
    assert dialog.back.text() == "Back to mine@1"


def answer(recognizer, poses):
    """The likeliest action of the last 1.5 s of poses."""
    count = recognizer.frames
    places = np.round(np.arange(count) * 30 / RATE_FPS).astype(int)
    xy = np.stack([poses[place].xy_px for place in places])
    clip = Clip(xy, np.ones((count, 13), np.float32), RATE_FPS, MPOSE_13, 2.0, 0)
    (prediction,) = recognizer.predict([clip])
    return prediction.actions[int(prediction.probabilities.argmax())]


class FakeJob:
    """A teaching that the test ends."""

    def __init__(self, request):
        self.request, self.outcome, self.cancelled = request, None, False
        self.progress = Progress("windows", 0.25, 12.0)

    def cancel(self):
        self.cancelled = True


@pytest.fixture
def job(dialog, monkeypatch, qtbot):
    monkeypatch.setattr("app.ui.teaching.teaching_job.TeachingJob", FakeJob)
    dialog.toggle()
    qtbot.waitUntil(lambda: dialog.training.job is not None, timeout=TIMEOUT_MS)
    return dialog.training.job


def test_progress_is_shown_and_the_button_cancels(dialog, job):
    dialog.training.poll()
    assert dialog.progress.value() == 250
    assert "12 s left" in dialog.state.text()
    assert dialog.train.text() == "Cancel"
    dialog.toggle()
    assert job.cancelled
    job.outcome = TeachingCancelled()
    dialog.training.poll()
    assert "nothing was kept" in dialog.state.text()
    assert dialog.train.text() == "Train"


def test_until_it_can_say_how_far_it_is_the_bar_moves(dialog, job):
    job.progress = Progress("starting", 0.0, None)
    dialog.training.poll()
    assert (dialog.progress.minimum(), dialog.progress.maximum()) == (0, 0)
    assert dialog.state.text() == "Loading what teaching needs"
    job.progress = Progress("windows", 0.25, 12.0)
    dialog.training.poll()
    assert (dialog.progress.maximum(), dialog.progress.value()) == (1000, 250)
    job.outcome = TeachingCancelled()
    dialog.training.poll()
    assert dialog.progress.maximum() == 1000


def test_what_went_wrong_is_one_line(dialog, job):
    job.outcome = TeachingFailed("teaching cannot start (No space left on device); make room and try again")
    dialog.training.poll()
    assert "No space left" in dialog.state.text()
    assert dialog.train.isEnabled()


def test_the_request_has_the_chosen_actions_and_nothing(dialog, job):
    assert {segment.action for segment in job.request.examples} == {*TAUGHT, "nothing"}
    assert job.request.name == "mine"


def test_the_test_part_of_a_split_is_not_learnt_from(dialog, library, monkeypatch, qtbot):
    assert not dialog.test.isEnabled()
    with Library(library) as opened:
        segments = {segment.name: segment.id for segment in opened.segments(limit=-1) if segment.action in TAUGHT}
        opened.set_part("days", [segments[name] for name in sorted(segments)[:2]], "test")
        opened.set_part("days", [segments[name] for name in sorted(segments)[2:]], "train")
        opened.set_part("without", list(segments.values()), "train")
    dialog.read_library()
    qtbot.waitUntil(lambda: dialog.test.count() == 2, timeout=TIMEOUT_MS)
    assert dialog.test.isEnabled()
    assert dialog.test.currentText() == "each person or session in turn, not trained on"
    dialog.test.setCurrentIndex(1)
    dialog.read_library()
    qtbot.waitUntil(lambda: not dialog._reading, timeout=TIMEOUT_MS)
    assert dialog.test.currentText() == "on the test part of days"
    monkeypatch.setattr("app.ui.teaching.teaching_job.TeachingJob", FakeJob)
    dialog.toggle()
    qtbot.waitUntil(lambda: dialog.training.job is not None, timeout=TIMEOUT_MS)
    request = dialog.training.job.request
    assert sorted(request.test) == sorted(segments)[:2]
    assert len(request.learnt) == len(request.examples) - 2


def test_of_many_segments_the_first_are_named_and_the_rest_counted():
    said = examples_html({"nothing": tuple(f"r/{n}" for n in range(151)), "wave": ("r/x",)})
    assert "(151): r/0, r/1" in said
    assert "r/11 and 139 more" in said
    assert "r/12" not in said
    assert "<b>wave</b> (1): r/x<" in said


def test_closing_cancels(dialog, job):
    dialog.close()
    assert dialog.isVisible()
    assert not job.cancelled
    (question,) = dialog.findChildren(QMessageBox)
    next(button for button in question.buttons() if button.text() == "&Stop").click()
    assert job.cancelled
    assert not dialog.isVisible()


def stand_in(library, label, base="act", actions=("wave",), check=None):
    """A version whose card and model are those of AcT. check: left out, one that cannot be read."""
    folder = library / "models" / label
    shutil.copytree(find_model("act"), folder, ignore=shutil.ignore_patterns("*.npz"))
    segments = [{"name": f"r/{n}", "action": action} for n, action in enumerate(actions)]
    values = {"kind": "quick", "base": {"name": base}, "clips": segments, "check": check or {"checks": "nonsense"}}
    (folder / "clips.json").write_text(json.dumps(values))
    return folder


def test_a_model_is_noted_with_its_segments(dialog, job, library, qtbot):
    stand_in(library, "mine/1")
    job.outcome = TeachingDone(library / "models" / "mine" / "1", {"checks": []})
    dialog.training.poll()
    qtbot.waitUntil(lambda: dialog.taught.labels() == ["mine@1"], timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: not dialog._jobs._jobs, timeout=TIMEOUT_MS)
    with Library(library) as opened:
        (model,) = opened.models()
    assert model.name == "mine@1"
    assert len(model.segments) == 7
    assert "cannot be read" in dialog.report.toPlainText()  # its file's check is nonsense
    assert "wave (1): r/0" in dialog.report.toPlainText()


def test_the_worst_takes_are_played_and_mended_from_the_report(dialog, job, library, qtbot):
    again = []
    dialog.again.connect(again.append)
    with Library(library) as opened:
        first, second, _ = (row.name for row in opened.segments(Filter(action="deep bob")))
    text = "deep bob is also triggered by standing still, 2 of 6 times: trim its takes or record more"
    check = {"checks": [], "findings": [{"text": text, "action": "deep bob", "takes": [first, second]}]}
    stand_in(library, "mine/1", check=check)
    job.outcome = TeachingDone(library / "models" / "mine" / "1", check)
    dialog.training.poll()
    review = dialog.worst.review
    qtbot.waitUntil(lambda: len(dialog.worst.rows.buttons) == 2, timeout=TIMEOUT_MS)
    worst = dialog.worst.rows.buttons
    assert "Deep bob is also triggered by standing still, 2 of 6 times" in dialog.report.toPlainText()
    worst[0].click()
    qtbot.waitUntil(review.isVisible, timeout=TIMEOUT_MS)
    assert review.replay.segments[0].name == first
    assert review.player._timer.isActive()
    review.keep.click()
    assert not review.isVisible()
    worst[0].click()
    qtbot.waitUntil(review.isVisible, timeout=TIMEOUT_MS)
    review.discard.click()
    qtbot.waitUntil(lambda: segments_of(dialog)["deep bob"] == "2, 1 more needed", timeout=TIMEOUT_MS)
    worst[0].click()
    qtbot.waitUntil(lambda: "no longer in the library" in dialog.state.text(), timeout=TIMEOUT_MS)
    worst[1].click()
    qtbot.waitUntil(review.isVisible, timeout=TIMEOUT_MS)
    review.again.click()
    assert again == ["deep bob"]
    assert review.isVisible(), "nobody records another one"
    dialog.again.connect(review.show_taking)  # as the window does when the page begins to record
    review.again.click()
    assert not review.isVisible()
    qtbot.waitUntil(lambda: segments_of(dialog)["deep bob"] == "1, 2 more needed", timeout=TIMEOUT_MS)


def segments_of(dialog):
    """What stands beside each action in the list."""
    return {item.text(0): item.text(1) for item in dialog.list.rows()}


def test_the_version_before_is_one_click_away(library, qtbot, theme):
    one, two = stand_in(library, "mine/1", "st-gcn"), stand_in(library, "mine/2")
    (library / "models" / "broken" / "1").mkdir(parents=True)
    assert previous_model(library, str(two)) == str(one)
    assert previous_model(library, str(one)) == str(find_model("st-gcn"))
    assert previous_model(library, "act") is None
    jobs = Jobs()
    made = TeachDialog(library, str(two), jobs, theme.colours)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    used = []
    made.use.connect(used.append)
    qtbot.waitUntil(lambda: made.taught.labels() == ["broken@1", "mine@1", "mine@2"], timeout=TIMEOUT_MS)
    assert made.back.text() == "Back to mine@1"
    assert (made.switch.isEnabled(), made.switch.toolTip()) == (False, "It is already in use")
    made.back.click()
    assert used == [str(one)]
    made.taught.setCurrentItem(made.taught.topLevelItem(0))
    assert not made.switch.isEnabled()
    assert "card.json" in made.report.toPlainText()
    made.close()
    assert jobs.close(60)


def test_the_way_back_to_a_shipped_recognizer_is_its_name(library, dialog, qtbot):
    stand_in(library, "mine/1")
    dialog.read_library()
    qtbot.waitUntil(lambda: dialog.taught.labels() == ["mine@1"], timeout=TIMEOUT_MS)
    used = []
    dialog.use.connect(used.append)
    dialog.switch.click()
    assert "in use" in dialog.taught.topLevelItem(0).text(0)
    assert dialog.back.text() == "Back to act"
    dialog.back.click()
    assert used == [str(library / "models" / "mine" / "1"), "act"]


def test_use_it_follows_a_recognizer_that_is_chosen_elsewhere(library, dialog, qtbot):
    folder = stand_in(library, "mine/1")
    dialog.read_library()
    qtbot.waitUntil(lambda: dialog.taught.labels() == ["mine@1"], timeout=TIMEOUT_MS)
    used = []
    dialog.use.connect(used.append)
    dialog.switch.click()
    assert (dialog.switch.isEnabled(), dialog.switch.toolTip()) == (False, "It is already in use")
    dialog.show_run(RunView(RunOptions(model="st-gcn"), EngineState.RUNNING))
    assert dialog.taught.topLevelItem(0).text(0) == "mine@1"
    assert dialog.back.text() == "Back to mine@1"
    dialog.switch.click()
    assert used == [str(folder), str(folder)]
    assert dialog.back.text() == "Back to st-gcn"


def test_the_window_is_larger_where_letters_are(library, theme, letters, qtbot):
    jobs = Jobs()
    made = TeachDialog(library, "act", jobs, theme.colours)
    qtbot.addWidget(made)
    metrics = made.fontMetrics()
    assert (made.width(), made.height()) == (143 * metrics.averageCharWidth(), 48 * metrics.height())
    made.close()
    assert jobs.close(60)


def test_segments_that_are_labelled_meanwhile_are_seen_and_ticks_stay(dialog, library, qtbot):
    next(i for i in dialog.list.rows() if dialog.list.action_of(i) == "deep bob").setCheckState(
        0, Qt.CheckState.Unchecked
    )
    with Library(library) as other:  # another window, or another process
        segments = [row.id for row in other.segments() if row.action == "nothing"]
        other.label(segments, "Grüße 👋")
    qtbot.waitUntil(lambda: "Grüße 👋" in map(dialog.list.action_of, dialog.list.rows()), timeout=TIMEOUT_MS)
    assert dialog.list.chosen() == ["hail a taxi"]


def test_a_library_that_another_window_writes_teaches_all_the_same(dialog, library, qtbot, monkeypatch):
    monkeypatch.setattr("app.ui.teaching.teaching_job.TeachingJob", FakeJob)
    with Library(library) as other:
        assert not other.read_only
        dialog.toggle()
        qtbot.waitUntil(lambda: dialog.training.job is not None, timeout=TIMEOUT_MS)
    assert len(dialog.training.job.request.examples) == 7


def test_full_says_what_to_install(dialog, monkeypatch):
    monkeypatch.setattr("app.teaching_process.importlib.util.find_spec", lambda name: None)
    dialog.kind.setCurrentIndex(1)
    assert 'pip install -e ".[train]"' in dialog.hint.text()
    assert not dialog.train.isEnabled()
    dialog.kind.setCurrentIndex(0)
    assert dialog.train.isEnabled()
    assert "Builds on act" in dialog.hint.text()


def test_full_says_which_part_of_a_recognizer_goes_on_learning(dialog, monkeypatch):
    monkeypatch.setattr("app.ui.teaching.teach_dialog.command_of", lambda kind: [])
    dialog.kind.setCurrentIndex(1)
    assert "Full fine-tunes only the first of act's 3 averaged networks." in dialog.hint.text()
    dialog.kind.setCurrentIndex(0)
    assert "goes on" not in dialog.hint.text()


def test_full_says_which_recognizers_it_cannot_go_on_from(dialog, monkeypatch, tmp_path):
    monkeypatch.setattr("app.ui.teaching.teach_dialog.command_of", lambda kind: [])
    monkeypatch.setattr(dialog, "_base", tmp_path / "frozen")
    dialog.kind.setCurrentIndex(1)
    assert dialog.hint.text().startswith("frozen has no trainable network: use Quick")
    assert not dialog.train.isEnabled()
    dialog.kind.setCurrentIndex(0)
    assert dialog.train.isEnabled()


@pytest.mark.parametrize(("typed", "kept"), [("Übung 2", "kept as Ubung-2"), ("日本", "kept as taught"), ("gym", "")])
def test_any_name_may_be_typed(dialog, typed, kept):
    dialog.name.setText(typed)
    assert dialog.kept_as.text() == kept


def test_what_is_left_is_told_in_seconds_or_minutes():
    assert [left_text(value) for value in (None, 12.2, 600.0)] == ["", ", about 12 s left", ", about 10 min left"]


def test_an_empty_library_says_what_to_do(tmp_path, qtbot, theme):
    jobs = Jobs()
    made = TeachDialog(tmp_path, "act", jobs, theme.colours)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    qtbot.waitUntil(lambda: "record some takes" in made.state.text(), timeout=TIMEOUT_MS)
    assert not made.train.isEnabled()
    made.close()
    jobs.close(5)


def test_the_report_names_figures_and_escapes_names():
    text = as_html(
        {
            "checks": [
                {
                    "held_out": "people",
                    "accuracy": 0.75,
                    "clips": 8,
                    "actions": {"<b>x": {"recall": None, "precision": 0.5, "clips": 0}},
                    "confusions": [("a", "unknown", 2)],
                }
            ],
            "alarms": {"seconds": 120.0, "an_hour": 30.0},
            "needed": {"wave": 8, "clap": 0},
            "suspects": [{"clip": "r/1", "action": "a", "looks_like": "b", "probability": 0.9}],
            "remarks": ["Only one session."],
        }
    )
    for said in ("75%", "of 8 examples", "&lt;b&gt;x", "30.0", "8 more of wave", "r/1", "Only one session."):
        assert said in text
    assert "clap" not in text
    assert "<b>x" not in text


def test_a_figure_has_its_interval_and_one_that_says_nothing_is_none():
    check = {"held_out": "sessions", "clips": 20, "right": 18, "actions": {}, "confusions": []}
    alarms = {"seconds": 120.0, "an_hour": 30.0, "interval": [0.7, 167.1]}
    text = as_html({"checks": [check | {"accuracy": 0.9, "interval": [0.7, 0.97]}], "alarms": alarms})
    assert "<b>90%</b> (70% to 97%) of 20 examples correct" in text
    assert "30.0</b> false alarms per hour (1 to 167)" in text
    text = as_html({"checks": [check | {"accuracy": None, "verdict": "not checked: record in a second session"}]})
    assert "Not checked: record in a second session. Within the same sessions, 18 of 20 examples were correct." in text
    assert "%" not in text
    none = {"accuracy": None, "clips": 0, "right": 0, "verdict": "not checked: no example could be held out"}
    assert "<p>Not checked: no example could be held out.</p>" in as_html({"checks": [check | none]}).replace(LTR, "")
    few = {"accuracy": None, "clips": 5, "right": 4, "verdict": "too few separate takes (5) for a percentage"}
    assert "for a percentage. 4 of 5 examples were correct." in as_html({"checks": [check | few]})
