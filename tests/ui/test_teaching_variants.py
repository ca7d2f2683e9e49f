"""Generated variants in the Teach dialog: asked for, and what came of them in the report and the list of clips."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from teaching_clips import made_clips
from toy_generator import write_generator

from app.generation import own_generators
from app.recording.writer import RecordingWriter
from app.teaching import Progress, TeachingCancelled
from app.ui.jobs import Jobs
from app.ui.teaching.report import as_html, made_of_html
from app.ui.teaching.teach_dialog import TeachDialog
from pose.types import Pose

PATIENCE_MS = 300_000  # far more than it takes: another process teaches on a machine that may be busy
pytestmark = pytest.mark.timeout(900)

TRIED = {
    "generator": "sa-gcn <1>",
    "sha256": "ab" * 32,
    "seed": 0,
    "variants": 40,
    "held_out": "sessions",
    "clips": 34,
    "accuracy_without": 0.88,
    "accuracy_with": 0.91,
    "alarms_without": 3.0,
    "alarms_with": 2.0,
    "kept": True,
    "made": [{"name": "r1/1 (variant 1)", "action": "salute", "of": "r1/1", "synthetic": True}],
}


def test_the_report_tells_the_gain():
    said = as_html({"checks": [], "variants": TRIED})
    assert "<b>31 of 34 instead of 30 of 34</b> held-out clips right; kept" in said
    assert "40 generated variants of the clips, by sa-gcn &lt;1&gt; (synthetic)" in said
    dropped = as_html({"checks": [], "variants": {**TRIED, "accuracy_with": 0.8, "kept": False, "made": []}})
    assert "27 of 34 held-out clips right, 30 of 34 without; <b>not kept</b>" in dropped
    noisy = as_html({"checks": [], "variants": {**TRIED, "alarms_with": 40.0, "kept": False, "made": []}})
    assert "31 of 34 instead of 30 of 34 held-out clips right, but 40.0 false alarms an hour instead of 3.0" in noisy
    assert "<b>not kept</b>" in noisy
    assert "variants" not in as_html({"checks": [], "variants": None})


def test_synthetic_clips_stand_apart_in_the_list_of_clips():
    said = made_of_html({"salute": ("r1/1",)}, {"variants": TRIED})
    assert said.index("Made of these clips") < said.index("And of 1 synthetic clips")
    assert "made up by sa-gcn &lt;1&gt; (abababababab), seed 0; nothing was judged by them" in said
    assert "r1/1 (variant 1)" in said
    plain = "<p><b>Made of these clips</b></p><p><b>salute</b> (1): r1/1</p>"
    assert made_of_html({"salute": ("r1/1",)}, {"variants": {**TRIED, "made": []}}) == plain
    assert made_of_html({"salute": ("r1/1",)}, {}) == plain


@pytest.mark.parametrize("damaged", [{"variants": {"made": [1]}}, {"variants": {"made": [{}]}}, {"variants": "x"}])
def test_a_damaged_list_of_variants_hides_nothing_else(damaged):
    assert "salute" in made_of_html({"salute": ("r1/1",)}, damaged)


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Recordings of two actions of two sittings."""
    monkeypatch.setattr("recognizer.generator.weights_folders", lambda: ())
    root = tmp_path / "library"
    for clip in made_clips(("bow", "step"), 4, sessions=("Monday", "Tuesday")):
        writer = RecordingWriter(
            root,
            source="demo",
            session=clip.session,
            layout=clip.layout,
            size=(640, 480),
            action=clip.action,
            skeleton_only=True,
        )
        for time_s, xy, seen in zip(clip.times_s, clip.xy_px, clip.confidence, strict=True):
            writer.add(float(time_s), None, [Pose(xy, seen, clip.layout, float(time_s))])
        writer.finish()
    return root


@pytest.fixture
def open_dialog(library, qtbot, theme):
    opened, jobs = [], Jobs()

    def make():
        dialog = TeachDialog(library, "act", jobs, theme.colours)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        qtbot.addWidget(dialog)
        dialog.show()
        opened.append(dialog)
        qtbot.waitUntil(lambda: dialog.list.topLevelItemCount() == 2, timeout=PATIENCE_MS)
        return dialog

    yield make
    for dialog in opened:
        dialog.close()
    assert jobs.close(60)


class FakeJob:
    """A teaching that the test ends."""

    def __init__(self, request):
        self.request, self.progress, self.outcome = request, Progress("", 0.0, None), None

    def cancel(self):
        self.outcome = TeachingCancelled()


def asked(dialog, qtbot):
    """The request that the button makes."""
    dialog.toggle()
    qtbot.waitUntil(lambda: dialog.training.job is not None, timeout=PATIENCE_MS)
    job = dialog.training.job
    job.outcome = TeachingCancelled()
    dialog.training.look()
    return job.request


def test_variants_are_asked_for_only_where_the_user_wants_them(open_dialog, library, qtbot, monkeypatch):
    monkeypatch.setattr("app.ui.teaching.training.TeachingJob", FakeJob)
    folder = write_generator(own_generators(library) / "toy")
    dialog = open_dialog()
    assert not dialog.variants.add.isChecked()
    assert asked(dialog, qtbot).generator is None
    dialog.variants.add.setChecked(True)
    assert dialog.variants.generators.isVisible()
    assert asked(dialog, qtbot).generator == folder
    dialog.kind.setCurrentIndex(1)
    assert not dialog.variants.add.isEnabled()
    assert dialog.variants.folder is None
    dialog.kind.setCurrentIndex(0)
    assert asked(dialog, qtbot).generator == folder


def test_without_a_generator_the_choice_says_where_to_put_one(open_dialog, library):
    dialog = open_dialog()
    assert not dialog.variants.add.isEnabled()
    assert str(own_generators(library)) in dialog.variants.add.toolTip()
    write_generator(own_generators(library) / "toy")
    dialog.variants.look_for_generators()
    assert dialog.variants.add.isEnabled()


def test_what_came_of_the_variants_is_told_with_the_version(open_dialog, library, qtbot):
    write_generator(own_generators(library) / "toy")
    dialog = open_dialog()
    dialog.variants.add.setChecked(True)
    dialog.toggle()
    qtbot.waitUntil(lambda: dialog.taught.labels() == ["mine@1"], timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: "generated variants" in dialog.report.toPlainText(), timeout=PATIENCE_MS)
    tried = dialog.taught.chosen().check["variants"]
    assert (tried["generator"], tried["variants"], tried["clips"]) == ("toy", 32, 8)
    assert ("kept." in dialog.report.toPlainText()) == tried["kept"]
    assert ("synthetic clips" in dialog.report.toPlainText()) == tried["kept"]
    assert np.isfinite(tried["accuracy_with"])
