"""The library's window on opening: repairs, other windows and versions, and its benchmark."""

import sqlite3

import pytest
from library_window_fakes import opened
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.library.catalogue import Library
from app.library.database import FILE
from app.ui.library import bench
from app.ui.library.library_window import LibraryWindow
from app.ui.sentences import sentence


@pytest.mark.parametrize("wanted", [False, True])
def test_every_repair_is_told_when_the_library_is_opened(root, theme, qtbot, wanted):
    with Library(root) as library:
        names = [row.id for row in library.recordings()]
    (root / FILE).write_bytes(b"rubbish")
    for name in names:
        (root / "recordings" / name / "labels.json").write_text("{")
    (root / "recordings" / "20260101-000000-abcdef").mkdir()
    made = LibraryWindow(root, theme)
    qtbot.addWidget(made)
    if wanted:
        made.show_recording(names[0])
    qtbot.waitUntil(lambda: made.library is not None and (made.player.stretch is not None) == wanted, timeout=60_000)
    notes = made.library.notes
    assert notes[0].startswith("the catalogue was damaged")
    assert sum("is damaged" in note for note in notes) == 2
    assert len(notes) > 3
    assert made.state.text() == sentence("; ".join(notes[:3])) + " … (all: point here)"
    assert made.state.toolTip().splitlines() == notes
    made.show_status("something else")
    assert made.state.toolTip() == ""
    made.close()


def test_two_windows_of_one_process_write_to_one_library(window, root, theme, qtbot):
    other = opened(root, theme, qtbot)
    assert other.library is window.library
    other.close()
    window.edits.nothing()
    assert window.content.segment.action == "nothing"


def test_a_library_that_is_open_elsewhere_is_read_only_with_a_reason_everywhere(root, theme, qtbot):
    with Library(root) as owner:
        before = [segment.action for segment in owner.segments()]
        other = opened(root, theme, qtbot)
        qtbot.waitUntil(lambda: other.content.segment is not None)
        assert "open in process" in other.refusal.text()
        assert other.refusal.isVisible()
        for name in ("nothing", "remove", "import", "undo", "propose", "digit 1", "empty_bin"):
            assert not other.commands[name].isEnabled(), name
            assert "open in process" in other.commands[name].toolTip()
        assert not other.fields.action.isEnabled()
        assert "open in process" in other.fields.action.toolTip()
        for name in ("play", "export", "keys", "search"):
            assert other.commands[name].isEnabled(), name
        QTest.keyClick(other, Qt.Key.Key_N)
        other.edits.label("x")
        assert "read-only here: close it elsewhere" in other.state.text()
        assert [segment.action for segment in owner.segments()] == before
        other.close()


def test_a_library_of_a_newer_version_is_refused_with_a_line_and_left_alone(root, theme, qtbot):
    with Library(root):
        pass
    with sqlite3.connect(root / FILE) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    content = (root / FILE).read_bytes()
    made = LibraryWindow(root, theme)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: made.refusal.isVisible(), timeout=60_000)
    qtbot.waitUntil(made.isActiveWindow)
    assert "newer version" in made.refusal.text()
    assert "newer version" in made.commands["nothing"].toolTip()
    QTest.keyClick(made, Qt.Key.Key_N)
    for command in ("import", "export", "names", "propose", "empty_bin"):
        made.commands[command].trigger()
    made.close()
    assert (root / FILE).read_bytes() == content


def test_the_benchmark_makes_no_library_where_there_is_none(tmp_path, capsys):
    assert bench.main(["--root", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err == f"there is no library in {tmp_path / 'none'}; check --root\n"
    assert not (tmp_path / "none").exists()


def test_the_benchmark_fills_a_library_opens_and_scrolls_it(qapp, capsys, monkeypatch):
    monkeypatch.setattr(bench, "_STEPS", 10)
    assert bench.main(["--clips", "45"]) == 0
    figures = dict(line.split(": ") for line in capsys.readouterr().out.splitlines())
    assert figures["clips"] == "45"
    assert float(figures["opened ms"]) > 0
    assert float(figures["scroll p100 ms"]) >= float(figures["scroll p50 ms"])
