"""A library and the guided page in a window that runs on a fake engine."""

import pytest
from teaching_page_fakes import TIMEOUT_MS, FakeJob, Film, put


@pytest.fixture
def library(monkeypatch, tmp_path):
    monkeypatch.setattr("app.ui.recording.control.library_root", lambda: tmp_path / "library")
    return tmp_path / "library"


@pytest.fixture
def open_page(library, running, qtbot):
    def open_it():
        running.actions_by_name["teach"].trigger()
        page = running.teaching.page
        page.recorder.countdown_s = 0.5
        qtbot.waitUntil(lambda: page._takes is not None, timeout=TIMEOUT_MS)
        return page

    return open_it


@pytest.fixture
def page(open_page):
    return open_page()


@pytest.fixture
def film(running, engines):
    return Film(running, engines.last)


@pytest.fixture
def trainable(library, open_page, qtbot, monkeypatch):
    monkeypatch.setattr("app.ui.teaching.teaching_job.TeachingJob", FakeJob)
    FakeJob.made = None
    for action in ("wave", "clap"):
        for take in range(4):
            put(library, action, session=f"session {take % 2}")
    put(library, "few")
    page = open_page()
    qtbot.waitUntil(lambda: page.bar.train.isEnabled(), timeout=TIMEOUT_MS)
    return page
