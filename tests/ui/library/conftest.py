"""A library of two recordings and its window."""

import pytest
from library_window_fakes import AlwaysWave, record
from PySide6.QtCore import Qt

from app.ui.library.library_window import LibraryWindow


@pytest.fixture
def root(tmp_path):
    record(tmp_path, "wave")
    record(tmp_path, "clap", axis=1)  # another motion: the same one would be taken for a copy
    return tmp_path


@pytest.fixture
def window(root, theme, qtbot):
    made = LibraryWindow(root, theme)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: made.player.stretch is not None, timeout=60_000)
    qtbot.waitUntil(made.isActiveWindow)  # before it is, its keys do nothing
    yield made
    made.close()


@pytest.fixture
def waver(monkeypatch):
    asked = []
    made = AlwaysWave()
    monkeypatch.setattr("app.ui.library.labeller.open_recognizer", lambda *names: asked.append(names) or made)
    yield asked
    assert made.closed or not asked
