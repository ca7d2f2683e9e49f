"""The panel, the banner, the status line, the choosers and the dialogs, each alone."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QDialogButtonBox
from window_fakes import ACTIONS, decision, frame, pose, result, unknown

from app.errors import OutputError
from app.palette import label_text
from app.results import EngineState, Failure, PersonResult, Result, RunInfo, StatsSnapshot
from app.settings import RunOptions
from app.ui import choices
from app.ui.action_panel import ActionPanel
from app.ui.banner import Banner
from app.ui.chooser import Choice, Chooser
from app.ui.elided_label import ElidedLabel
from app.ui.live_run import RunView
from app.ui.messages import empty_message, notice
from app.ui.picker import Picker
from app.ui.pictures import pictures_folder, save_picture
from app.ui.source_dialog import SourceDialog, is_stream_url
from app.ui.status import Status
from app.ui.theme import THEMES
from pose.source import SourceInfo
from recognizer.decision import UNKNOWN


@pytest.fixture
def panel(qtbot, theme):
    shown = ActionPanel(theme.colours)
    qtbot.addWidget(shown)
    return shown


def test_the_panel_tells_action_score_and_duration(panel):
    shown = PersonResult(pose(0, 4.5), decision(0, 4.5, "sit_down", 0.87, since_s=1.0), True)
    panel.show_result(Result(frame(4.5), (shown,), (), False, 0.0))
    assert panel.action.text() == "sit down"
    assert panel.detail.text() == "87% · for 3.5 s"
    assert panel.bars.top[0] == ("sit_down", 0.87)
    assert len(panel.bars.top) == 5
    assert panel.bars.accessibleDescription().startswith("sit down 87%, ")


def test_the_panel_tells_why_it_is_unknown(panel):
    panel.show_result(unknown(2.0, "half a body in view"))
    assert panel.action.text() == UNKNOWN
    assert panel.detail.text() == "half a body in view · 2.0 s"


def test_the_panel_tells_that_only_the_upper_body_was_judged(panel):
    for made, detail in (
        (decision(0, 4.5, "wave", 0.87, since_s=1.0), "87% · for 3.5 s · upper body only"),
        (
            decision(0, 4.5, UNKNOWN, 0.2, 1.0, "low evidence", (("wave", 0.3), (UNKNOWN, 0.2))),
            "low evidence · 3.5 s · upper body only",
        ),
        (decision(0, 4.5, UNKNOWN, 0.0, since_s=1.0, reason="half a body in view"), "half a body in view · 3.5 s"),
    ):
        shown = PersonResult(pose(0, 4.5), replace(made, view="upper"), True)
        panel.show_result(Result(frame(4.5), (shown,), (), False, 0.0))
        assert panel.detail.text() == detail


def test_the_headline_and_its_figures_say_the_same(panel):
    ending = decision(0, 4.5, "idle", 0.06, 1.0, top=(("throw", 0.45), ("idle", 0.06)))
    none_known = decision(0, 4.5, UNKNOWN, 0.64, 1.0, "low evidence", ((UNKNOWN, 0.64), ("wave", 0.2)))
    for made, words, detail in (
        (ending, "idle, ending", "for 3.5 s"),
        (none_known, "unknown action", "for 3.5 s"),
        (decision(0, 4.5, "sit_down", 0.87, since_s=1.0), "sit down", "87% · for 3.5 s"),
    ):
        shown = PersonResult(pose(0, 4.5), made, True)
        panel.show_result(Result(frame(4.5), (shown,), (), False, 0.0))
        assert (panel.action.text(), panel.detail.text()) == (words, detail)
        assert label_text(shown) == words + (" 87%" if made.action == "sit_down" else "")


def test_the_panel_before_the_first_decision_and_with_nobody(panel):
    panel.show_result(result(decided=False))
    assert panel.action.text() == "watching"
    panel.show_result(result(persons=()))
    assert (panel.action.text(), panel.detail.text()) == ("nobody", "Nobody in view")
    assert panel.bars.top == ()


def test_the_panel_follows_the_chosen_person_and_falls_back_to_the_first(panel, qtbot):
    three = result(persons=((0, "walk"), (1, "wave"), (5, "clap")))
    panel.show_result(three)
    assert panel.action.text() == "walk"
    assert panel.persons.persons == (0, 1, 5)
    button = panel.persons.buttons[2]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert panel.action.text() == "clap"
    panel.show_result(result(persons=((0, "walk"), (1, "wave"))))
    assert panel.action.text() == "walk"
    panel.show_result(three)
    assert panel.action.text() == "clap", "the choice holds when the person is back"


def test_next_person_goes_round(panel):
    panel.show_result(result(persons=((0, "walk"), (2, "wave"))))
    seen = []
    for _ in range(3):
        panel.choose_next()
        seen.append(panel.action.text())
    assert seen == ["wave", "walk", "wave"]


def test_a_name_that_does_not_fit_is_elided_and_whole_in_the_tooltip(qtbot):
    label = ElidedLabel()
    qtbot.addWidget(label)
    label.resize(120, 30)
    name = "手を大きく振りながら歩いてゆっくり座る and then some"
    label.setText(name)
    assert label.elided != name
    assert label.elided.endswith("…")
    assert label.toolTip() == name
    label.setText("walk")
    assert label.toolTip() == ""


@pytest.fixture
def banner(qtbot, theme):
    shown = Banner(theme.colours)
    qtbot.addWidget(shown)
    yield shown
    shown.show_failure(None)


LOST = Failure("source", "camera 0 was unplugged: plug it in again", False, 8.0)


def test_the_banner_tells_what_to_do_and_offers_it(banner):
    banner.show_failure(Failure("source", "there is no camera 0: plug one in"))
    assert not banner.isHidden()
    assert banner.message.text() == "There is no camera 0: plug one in"
    assert not banner.restart_button.isHidden()
    assert not banner.source_button.isHidden()
    assert banner.dismiss_button.isHidden(), "what ended the run cannot be dismissed"


def test_addresses_and_paths_keep_their_letters(banner):
    for line in ("rtsp://127.0.0.1/x refused the connection", "walk.mp4 is empty: choose another video file"):
        banner.show_failure(Failure("source", line))
        assert banner.message.text() == line


def test_the_banner_counts_down_and_starts_anew_with_each_attempt(banner, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("app.ui.banner.time.monotonic", lambda: now[0])
    banner.show_failure(LOST)
    assert banner.countdown.text() == "Trying again in 8 s"
    now[0] = 105.1
    banner._count_down()
    assert banner.countdown.text() == "Trying again in 3 s"
    now[0] = 109.0
    banner._count_down()
    assert banner.countdown.text() == "Trying again now"
    banner.show_failure(Failure(LOST.stage, LOST.message, LOST.fatal, LOST.retry_in_s))
    assert banner.countdown.text() == "Trying again in 8 s"


def test_a_dismissed_failure_stays_away_until_there_is_a_new_one(banner, qtbot):
    banner.show_failure(LOST)
    qtbot.mouseClick(banner.dismiss_button, Qt.MouseButton.LeftButton)
    assert banner.isHidden()
    banner.show_failure(LOST)
    assert banner.isHidden()
    banner.show_failure(Failure("output", "the disk is full: make room", fatal=False))
    assert not banner.isHidden()
    assert banner.restart_button.isHidden(), "a restart does not mend an output"


def test_a_failure_that_is_over_takes_the_banner_away(banner):
    banner.show_failure(LOST)
    banner.show_failure(None)
    assert banner.isHidden()
    assert not banner._ticker.isActive()


@pytest.fixture
def status(qtbot):
    shown = Status()
    qtbot.addWidget(shown)
    return shown


def test_the_status_line_says_that_poses_are_found_in_some_frames_only(status):
    status.show()
    note = "3 people: poses in 12.5 of 25 frames a second, this computer's limit"
    status.show_stats(StatsSnapshot(25.0, 12.5, 41.4, 63.0, 900, 450, 450, note=note))
    assert status.note.text() == note
    assert status.note.isVisible()
    status.show_stats(StatsSnapshot(25.0, 25.0, 41.4, 63.0, 950, 500, 450))
    assert not status.note.isVisible()


def test_the_status_line(status):
    status.show_stats(StatsSnapshot(30.0, 28.6, 41.4, 63.0, 900, 880, 20))
    texts = [label.text() for label in (status.camera, status.pose, status.age, status.dropped)]
    assert texts == ["Camera 30 fps", "Pose 29 fps", "Age 41 / 63 ms", "Dropped 20"]
    status.show_stats(StatsSnapshot(30.0, 1.44, 700, 900, 900, 42, 858))
    assert status.pose.text() == "Pose 1.4 fps"
    status.show_stats(StatsSnapshot(30.0, 0.0, 0.0, 0.0, 9, 0, 0))
    assert (status.camera.text(), status.age.text().count("0")) == ("Camera 30 fps", 0)
    status.show_stats(StatsSnapshot(0.0, 0.0, 0.0, 0.0, 900, 880, 20))
    assert not any(letter.isdigit() for letter in status.camera.text() + status.age.text())
    assert status.dropped.text() == "Dropped 20"
    status.show_info(RunInfo(SourceInfo("camera 0", True, (640, 480)), "act", ACTIONS, "cpu"), RunOptions())
    assert status.source.text() == "camera 0 640 x 480"
    assert status.provider.text() == "CPU"
    assert status.provider.objectName() == ""


def test_a_gpu_that_was_asked_for_and_is_not_used_is_a_warning(status):
    info = RunInfo(None, "act", ACTIONS, "cpu", "the CUDA libraries are missing")
    status.show_info(info, RunOptions(provider="cuda"))
    assert status.provider.objectName() == "warning"
    assert "CUDA was requested" in status.provider.toolTip()
    assert "the CUDA libraries are missing" in status.provider.toolTip()
    status.show_info(info, RunOptions(provider="cpu"))
    assert status.provider.objectName() == ""


@pytest.fixture
def chooser(qtbot):
    shown = Chooser("Source", choices.source_text)
    qtbot.addWidget(shown)
    shown.offer(choices.source_choices([(0, "Webcam"), (2, "")]))
    shown.set_value("0")
    return shown


def row_of(chooser, value):
    return chooser.findData(value)


def test_sources_that_can_be_chosen(chooser):
    assert [c.text for c in chooser.choices] == [
        "Automatic", "Webcam (0)", "Camera 2", "Demo", "Open file…", "Open URL…"
    ]  # fmt: skip
    assert chooser.currentText() == "Webcam (0)"


def test_a_choice_is_told_once_and_a_command_leaves_the_value(chooser):
    chosen = []
    chooser.chosen.connect(chosen.append)
    chooser.activated.emit(row_of(chooser, "demo"))
    chooser.activated.emit(row_of(chooser, "demo"))
    chooser.activated.emit(row_of(chooser, choices.OPEN_FILE))
    assert chosen == ["demo", choices.OPEN_FILE]
    assert chooser.value == "demo"
    assert chooser.currentText() == "Demo"


def test_a_value_that_is_no_choice_is_shown_by_its_last_part(chooser):
    chooser.set_value("/home/someone/Videos/walk.mp4")
    assert chooser.currentText() == "walk.mp4"
    chooser.offer(choices.source_choices([]))
    assert chooser.currentText() == "walk.mp4"
    chooser.set_value("demo")
    assert "walk.mp4" not in [c.text for c in chooser.choices]
    chooser.set_value("7")
    assert chooser.currentText() == "Camera 7"


def test_the_wheel_and_letters_do_not_change_the_source(chooser, qtbot):
    chosen = []
    chooser.chosen.connect(chosen.append)
    chooser.show()
    chooser.setFocus()
    qtbot.keyClick(chooser, Qt.Key.Key_D)
    qtbot.keyClick(chooser, Qt.Key.Key_PageDown)
    assert chosen == []
    assert chooser.value == "0"
    opened = []
    chooser.opening.connect(lambda: opened.append(True))
    qtbot.keyClick(chooser, Qt.Key.Key_Down)
    assert opened == [True]
    assert chooser.value == "0"
    chooser.hidePopup()
    chooser.close()


@pytest.mark.parametrize("entries", [2, 4, 18])
def test_an_open_list_shows_all_of_its_entries(qtbot, theme, entries):
    """Under the program's style, whose padding Qt leaves out of the height of lists that look like menus."""
    for made in (Chooser("Recognizer", str), Picker()):
        qtbot.addWidget(made)
        if isinstance(made, Chooser):
            made.offer([Choice(f"{number}", f"{number}") for number in range(entries)])
        else:
            made.addItems([f"{number}" for number in range(entries)])
        made.show()
        made.showPopup()
        view = made.view()
        QApplication.processEvents()
        assert view.verticalScrollBar().maximum() == 0
        assert view.visualRect(made.model().index(entries - 1, 0)).bottom() < view.viewport().height()
        assert view.height() == view.window().height()  # no arrows above and below it
        made.hidePopup()


def test_a_list_without_choices_is_no_error(qtbot):
    chooser = Chooser("Recognizer", str)
    qtbot.addWidget(chooser)
    chooser.offer([])
    chooser.set_value("act")
    assert chooser.currentText() == "act"
    assert chooser.choices == (Choice("act", "act", kept=True),)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("rtsp://192.168.1.20:554/stream", True),
        ("https://example.org/a.m3u8", True),
        ("HTTP://host", True),
        ("rtmps://host/live", True),
        ("tcp://host:1", False),
        ("srt://host:1", False),
        ("example.org", False),
        ("rtsp://", False),
        ("file:///etc/passwd", False),
        ("http://[broken", False),
        ("", False),
    ],
)
def test_what_looks_like_a_stream(text, good):
    assert is_stream_url(text) is good


def test_the_url_dialog_opens_only_addresses(qtbot):
    dialog = SourceDialog()
    qtbot.addWidget(dialog)
    chosen = []
    dialog.chosen.connect(chosen.append)
    opens = dialog.buttons.button(QDialogButtonBox.StandardButton.Open)
    assert not opens.isEnabled()
    dialog.address.setText("  rtsp://camera/1 ")
    assert opens.isEnabled()
    opens.click()
    assert chosen == ["rtsp://camera/1"]


def test_pictures_are_kept_beside_each_other(tmp_path):
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    now = datetime(2026, 1, 2, 3, 4, 5)
    folder = tmp_path / "new" / "folder"
    first, second = save_picture(image, folder, now), save_picture(image, folder, now)
    assert first.name == "ActionLens 2026-01-02 03-04-05.png"
    assert second.name == "ActionLens 2026-01-02 03-04-05 (2).png"
    assert sorted(folder.iterdir()) == sorted([first, second])
    assert QImage(str(first)).width() == 8


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"no picture can be saved in .*choose another folder"):
        save_picture(QImage(8, 8, QImage.Format.Format_RGB32), tmp_path / "file" / "below", datetime.now())


def test_the_folder_for_pictures():
    assert pictures_folder("/somewhere") == Path("/somewhere")
    assert pictures_folder("").name == "ActionLens"


def view(state, **values):
    return RunView(values.pop("options", RunOptions(source="0")), state, **values)


def test_what_the_empty_view_says():
    assert empty_message(view(EngineState.STARTING, progress="building the pose model: 12 of 36 MB")) == (
        "Starting the camera…", "Building the pose model: 12 of 36 MB"
    )  # fmt: skip
    demo = view(EngineState.STARTING, options=RunOptions(source="demo"))
    assert empty_message(demo)[0] == "Starting the demo…"
    file = view(EngineState.STARTING, options=RunOptions(source="C:\\Videos\\walk.mp4"))
    assert empty_message(file)[0] == "Starting walk.mp4…"
    missing = view(EngineState.FAILED, failure=Failure("source", "there is no camera 0"))
    assert empty_message(missing)[0] == "No camera? Choose Demo"
    assert "Ctrl+D" in empty_message(missing)[1]
    gone = view(EngineState.FAILED, failure=Failure("source", "no such file"), options=RunOptions(source="walk.mp4"))
    assert empty_message(gone)[0] == "Nothing to show"
    assert empty_message(view(EngineState.STOPPED))[0] == "Stopped"


def test_what_stands_over_a_picture_that_stands_still():
    ended = view(EngineState.STOPPED, info=RunInfo(None, "act", (), "cpu"))
    assert notice(view(EngineState.RUNNING)) == ""
    assert notice(view(EngineState.PAUSED)) == "Paused"
    assert notice(view(EngineState.RETRYING)) == "Waiting for the camera…"
    assert notice(ended) == "The end. F5 plays it again"
    assert notice(view(EngineState.STOPPED)) == "Stopped. F5 starts"


def test_themes_go_round_and_both_read_well(theme):
    before = theme.choice
    seen = {}
    for _ in THEMES:
        name = theme.next()
        seen[name] = theme.colours
    assert set(seen) == set(THEMES)
    assert seen["dark"].dark
    assert not seen["light"].dark
    for colours in (seen["dark"], seen["light"]):
        for back in (colours.window, colours.card):
            for front in (colours.text, colours.muted, colours.warning, colours.error):
                assert contrast(front, back) >= 4.5, (front, back)
        assert contrast(colours.on_accent, colours.accent) >= 4.5
        assert contrast(colours.text, colours.error_card) >= 4.5
        assert contrast(colours.text, colours.warning_card) >= 4.5
    theme.choose(before)


def contrast(one, other):
    """WCAG 2.1, relative luminance and contrast ratio."""

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(
    ("model", "text"),
    [
        ("act", "Standard: fast (act)"),
        ("weights/st-gcn/", "st-gcn"),
        ("/home/a/library/models/mine/2", "mine@2"),
        ("7", "7"),
    ],
)
def test_a_taught_recognizer_is_called_by_its_name_and_number(model, text):
    assert choices.model_text(model) == text
