"""What somebody sees who has just started it: no camera, half a body, and where to find help."""

import re
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QColor, QImage, QTextCursor, QTextDocument
from PySide6.QtWidgets import QFileDialog
from window_fakes import decision, frame, pose, result, unknown

from app.results import EngineState, PersonResult, Result
from app.ui.actions import shortcut_rows
from app.ui.help import doctor
from app.ui.help.about import AboutDialog
from app.ui.help.doctor import DoctorDialog
from app.ui.help.documentation import Documentation, heading_name
from app.ui.messages import advice
from app.ui.shortcuts import ShortcutsDialog
from recognizer.decision import HALF_BODY, LOW_EVIDENCE, UNKNOWN


@pytest.fixture
def without_camera(open_window, engines):
    """The automatic choice has come to the demo."""
    window = open_window(source="auto")
    engines.last.run("demo")
    window.live.update_state()
    return window


def test_without_a_camera_a_strip_says_that_it_is_the_demo(without_camera, engines, qtbot):
    strip = without_camera.demo
    assert strip.isVisible()
    assert strip.message.text() == "No camera found; this is the demo"
    assert [button.text() for button in strip.buttons] == ["Choose camera", "Open video", "Teach"]
    engines.last.state = EngineState.STOPPED
    without_camera.live.update_state()
    assert not strip.isVisible()


def test_its_buttons_do_what_they_say(without_camera, qtbot):
    camera, video, teach = without_camera.demo.buttons
    qtbot.mouseClick(camera, Qt.MouseButton.LeftButton)
    assert without_camera.toolbar.source.view().isVisible()
    without_camera.toolbar.source.hidePopup()
    qtbot.waitUntil(lambda: not without_camera.run_choices.looking_for_cameras)
    qtbot.mouseClick(video, Qt.MouseButton.LeftButton)
    (dialog,) = [d for d in without_camera.findChildren(QFileDialog) if d.isVisible()]
    dialog.close()
    qtbot.mouseClick(teach, Qt.MouseButton.LeftButton)
    assert without_camera.actions_by_name["teach"].isChecked()


@pytest.mark.parametrize(("source", "name"), [("demo", "demo"), ("auto", "camera 0")])
def test_a_demo_that_was_asked_for_and_a_camera_need_no_word(open_window, engines, source, name):
    window = open_window(source=source)
    engines.last.run(name)
    window.live.update_state()
    assert not window.demo.isVisible()


def test_what_limits_the_answer_is_on_the_picture(running, engines, qtbot):
    engines.last.give(unknown(3.0, HALF_BODY))
    qtbot.waitUntil(lambda: running.video._advice == "Step back until your knees show")
    assert running.video.accessibleDescription() == "Step back until your knees show"
    engines.last.give(result(3.1))
    qtbot.waitUntil(lambda: running.video._advice == "")


def test_advice_is_there_only_where_it_helps():
    def of(action, reason="", view="whole"):
        made = decision(0, 1.0, action, 0.5, reason=reason)
        return advice(PersonResult(pose(), type(made)(**{**_fields(made), "view": view}), True))

    assert of(UNKNOWN, LOW_EVIDENCE, "upper") == "Upper body only: arm actions"
    assert of("wave", "", "upper") == ""
    assert of(UNKNOWN, LOW_EVIDENCE) == ""
    assert of(UNKNOWN, HALF_BODY, None) == "Step back until your knees show"
    assert advice(None) == ""


def _fields(made):
    return {name: getattr(made, name) for name in made.__dataclass_fields__}


def test_the_advice_is_painted(running, engines, qtbot):
    given = Result(frame(3.0, bgr=None), (), (), True, 0.0)
    engines.last.give(given)
    qtbot.waitUntil(lambda: running.video.result is given)
    plain = running.video.grab().toImage()
    running.video.set_advice("Step back until your knees show")
    assert running.video.grab().toImage() != plain


def test_the_window_has_an_icon(running):
    assert not running.windowIcon().isNull()
    assert running.windowIcon().pixmap(32, 32).toImage().pixelColor(16, 16).alpha() == 255


def test_help_tells_the_versions(running):
    running.actions_by_name["about"].trigger()
    (dialog,) = running.findChildren(AboutDialog)
    assert dialog.text.text().startswith("ActionLens")
    assert f"Python {sys.version.split()[0]}" in dialog.text.text()
    assert "Qt 6" in dialog.text.text()
    dialog.close()


def test_help_shows_the_documentation_and_follows_its_links(running, tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("# The program\n\n[more](docs/more.md)\n")
    (tmp_path / "docs" / "more.md").write_text("# More of it\n")
    pages = Documentation(running, tmp_path)
    pages.show()
    assert "The program" in pages.page.toPlainText()
    assert not pages.back.isEnabled()
    pages.page.anchorClicked.emit(QUrl("docs/more.md"))
    assert "More of it" in pages.page.toPlainText()
    pages.back.click()
    assert "The program" in pages.page.toPlainText()
    pages.close()
    running.actions_by_name["documentation"].trigger()
    (own,) = [d for d in running.findChildren(Documentation) if d.isVisible()]
    assert "ActionLens" in own.page.toPlainText()
    own.close()


def test_links_to_a_part_of_a_page_lead_to_its_heading(running, qtbot, tmp_path):
    filler = "much text\n\n" * 100
    headings = "What it needs: `Python` & *Qt*", "Same", "Same"
    (tmp_path / "README.md").write_text(filler + "".join(f"# {heading}\n\n{filler}" for heading in headings))
    (tmp_path / "other.md").write_text("# Other\n")
    pages = Documentation(running, tmp_path)
    pages.show()
    bar = pages.page.verticalScrollBar()
    places = []
    for link in ("#what-it-needs-python--qt", "#same", "other.md", "README.md#same-1"):
        pages.page.anchorClicked.emit(QUrl(link))
        places.append(bar.value())
        if not link.startswith("other"):
            top = pages.page.cursorForPosition(QPoint(30, 12)).block().text()
            assert top == ("What it needs: Python & Qt" if "needs" in link else "Same")
    assert 0 == places[2] < places[0] < places[1] < places[3]
    pages.close()


def test_every_link_to_a_part_of_the_documentation_has_its_heading():
    root = Path(__file__).resolve().parents[2]
    missing, names = [], {}
    for page in (root / "README.md", *sorted((root / "docs").glob("**/*.md"))):
        for path, part in re.findall(r"\]\(([^)\s#:]*)#([^)\s]+)\)", page.read_text(encoding="utf-8")):
            target = (page.parent / path).resolve() if path else page
            if target not in names:
                document = QTextDocument()
                document.setMarkdown(target.read_text(encoding="utf-8"))
                blocks = [document.findBlockByNumber(number) for number in range(document.blockCount())]
                names[target] = {heading_name(b.text()) for b in blocks if b.blockFormat().headingLevel()}
            if part not in names[target]:
                missing.append(f"{page.name}: {path}#{part}")
    assert names, "there are such links"
    assert missing == []


@pytest.mark.parametrize("width", [900, 500])
def test_a_page_of_the_documentation_does_not_scroll_sideways(running, qtbot, tmp_path, width):
    """Neither for a picture, nor for code that is wider than the page; also after the window got another size."""
    picture = QImage(1280, 800, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.red)
    assert picture.save(str(tmp_path / "wide.png"))
    (tmp_path / "README.md").write_text(f"# It\n\n![wide](wide.png)\n\n```sh\n{'much code ' * 40}\n```\n")
    pages = Documentation(running, tmp_path)
    pages.show()
    for size in (900, width):
        pages.resize(size, 600)
        qtbot.waitUntil(lambda: pages.page.horizontalScrollBar().maximum() == 0)
        image = pages.page.loadResource(QTextDocument.ResourceType.ImageResource.value, QUrl("wide.png"))
        assert 0.9 * pages.page.viewport().width() <= image.width() <= pages.page.viewport().width()
        assert image.height() == pytest.approx(image.width() * 800 / 1280, abs=1)
    assert image.pixelColor(image.width() // 2, 5) == QColor(255, 0, 0)
    assert pages.page.document().size().width() <= pages.page.viewport().width()
    pages.close()


def test_a_button_of_the_tool_bar_is_called_what_it_does_now(open_window, engines, qtbot):
    """For those who hear it: Start while nothing runs, Stop while something does."""
    window = open_window()
    engines.last.run()
    window.live.update_state()
    button, action = window.toolbar.buttons["start"], window.actions_by_name["start"]
    for text in ("&Stop", "&Start", "&Stop"):
        action.setText(text)
        assert button.accessibleName() == text[1:]
    for name, each in window.toolbar.buttons.items():
        assert each.accessibleName() == window.actions_by_name[name].text().replace("&", "").rstrip("…")


def test_the_list_of_keys_is_in_order_and_in_whole_phrases():
    rows = dict(shortcut_rows())
    keys = [keys for keys in rows if keys in ("Ctrl+1", "Ctrl+2", "Ctrl+3", "Ctrl+4", "Ctrl+5")]
    assert keys == sorted(keys)
    assert rows["Ctrl+Shift+T"] == "Change the theme: system, light or dark"


@pytest.mark.parametrize(("status", "says"), [(0, "No problems found."), (1, "There are problems")])
def test_help_shows_what_the_doctor_says(running, qtbot, status, says):
    code = f"print('cameras: none'); raise SystemExit({status})"
    dialog = DoctorDialog(running, (sys.executable, "-c", code))
    dialog.show()
    qtbot.waitUntil(lambda: dialog.state.text().startswith(says), timeout=60_000)
    assert "cameras: none" in dialog.text.toPlainText()
    dialog.close()


def test_what_the_doctor_says_comes_in_order_wherever_the_user_has_clicked(running, qtbot):
    """And a letter of two bytes that come one by one is whole."""
    code = (
        "import sys, time; out = sys.stdout.buffer; out.write(b'first \\xc3'); out.flush(); time.sleep(0.5);"
        "out.write(b'\\xa9\\nlast'); out.flush()"
    )
    dialog = DoctorDialog(running, (sys.executable, "-c", code))
    dialog.show()
    qtbot.waitUntil(lambda: "first" in dialog.text.toPlainText(), timeout=60_000)
    dialog.text.moveCursor(QTextCursor.MoveOperation.Start)
    dialog.text.selectAll()
    qtbot.waitUntil(lambda: dialog.state.text().startswith("No problems"), timeout=60_000)
    assert dialog.text.toPlainText() == "first \u00e9\nlast"
    dialog.close()


@pytest.mark.parametrize("name", ["shortcuts", "documentation", "about"])
def test_a_window_that_is_open_is_brought_up_and_not_opened_twice(running, name):
    kinds = {"shortcuts": ShortcutsDialog, "documentation": Documentation, "about": AboutDialog}
    for _ in range(2):
        running.actions_by_name[name].trigger()
    (only,) = running.findChildren(kinds[name])
    only.close()


def test_the_doctor_ends_with_its_window(running, qtbot):
    code = "import time; print('cameras: none', flush=True); time.sleep(600)"
    dialog = DoctorDialog(running, (sys.executable, "-c", code))
    dialog.show()
    qtbot.waitUntil(lambda: "cameras: none" in dialog.text.toPlainText(), timeout=60_000)
    process = dialog._process
    assert process.state() == process.ProcessState.Running
    dialog.close()
    assert process.state() == process.ProcessState.NotRunning


@pytest.mark.slow  # its command line: test_doctor; what it says in the window: test_help_shows_what_the_doctor_says
def test_the_doctor_is_the_program_s_own(running, qtbot):
    running.actions_by_name["doctor"].trigger()
    (dialog,) = running.findChildren(DoctorDialog)
    assert "--doctor" in doctor._CODE
    qtbot.waitUntil(lambda: "Python" in dialog.text.toPlainText(), timeout=100_000)
    dialog.close()


def test_a_doctor_that_cannot_be_started_says_so(running, qtbot, tmp_path):
    dialog = DoctorDialog(running, (str(tmp_path / "none"),))
    qtbot.waitUntil(lambda: "could not be started" in dialog.state.text(), timeout=20_000)
    dialog.close()
