"""The recordings of somebody who knows the README alone: the record bar, its defaults, six takes, Quick, Use it."""

import pytest
from actor import Actor
from closing_program import found
from PySide6.QtCore import Qt

from app.library.catalogue import Library

# In parts and in short: test_recording, app/test_default_takes and test_teaching_end_to_end.
pytestmark = [pytest.mark.timeout(2400), pytest.mark.slow]

SPEEDUP = 20.0
TAUGHT = {"boot": "kick", "greet": "wave"}
TAKES = 3


@pytest.fixture
def actor():
    return Actor(SPEEDUP)


def record_all(window, user, actor):
    user.press(Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    bar = window.recording.bar
    assert bar.when_still.isChecked()
    bar.takes.setValue(1)
    bar.countdown.setValue(0)
    for name, motion in TAUGHT.items():
        bar.action.setText(name)
        for speed in (1.0, 0.9, 1.1):
            actor.rest()
            user.wait_s(2.0)
            user.take(window.recording, lambda motion=motion, speed=speed: actor.do(motion, speed=speed))


def teach_and_use(window, user):
    """Quick in the dialog with every choice, as it stands there."""
    user.press(Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    user.click(user.page.bar.options)
    dialog = found("TeachDialog")
    user.wait(lambda: sorted(dialog.list.chosen()) == sorted(TAUGHT))
    user.click(dialog.train)
    user.wait(lambda: dialog.taught.labels() == ["mine@1"])
    user.click(dialog.switch)
    user.wait(lambda: set(TAUGHT) <= set(window.live.view.info.actions))
    report = dialog.report.toPlainText()
    dialog.close()
    return report


def test_six_takes_with_the_defaults_teach_what_was_done_in_them(actor, user, own_library, record_property):
    window = user.window
    user.wait(lambda: window.video.result is not None)
    record_all(window, user, actor)
    with Library(own_library) as library:
        assert {row.action for row in library.segments(limit=-1)} == set(TAUGHT)
        assert len(library.segments(limit=-1)) == 2 * TAKES
    report = teach_and_use(window, user)
    assert "Not checked" in report
    assert "100%" not in report

    starts, shown = [], []
    window.live.events.connect(lambda events: starts.extend(e.action for e in events if e.kind == "start"))
    window.live.result.connect(lambda result: shown.extend(p.decision.action for p in result.persons if p.decision))
    actor.rest(look=5)
    user.wait_s(4.0)
    starts.clear()
    shown.clear()
    user.wait_s(25.0)
    record_property("shown while standing", {action: shown.count(action) for action in set(shown)})
    assert not set(TAUGHT) & set(starts), "nothing fires on standing"
    assert shown.count("idle") > 0.9 * len(shown)

    for name, motion in (*TAUGHT.items(), ("clap", "clap")):
        seen = []
        for look, speed in ((3, 1.0), (7, 1.15)):
            actor.rest(look)
            user.wait_s(2.0)
            starts.clear()
            actor.do(motion, look, speed)
            user.wait(lambda: actor.idle_s > 2.0)
            seen.append(list(starts))
        record_property(f"starts in {motion}", seen)
        for each in seen:
            assert name in each, (motion, seen)
            assert not (set(TAUGHT) - {name}) & set(each), (motion, seen)
