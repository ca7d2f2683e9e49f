"""The whole way of a stranger through the guided page, with clicks and keys, and what the taught recognizer then does.

Nothing is set but the names: every take is as it is recorded and trimmed by the program.
"""

import resource
import time

import pytest
from actor import Actor
from PySide6.QtCore import Qt

from app.library.catalogue import Library
from app.library.rows import Filter

# In parts and in short: test_taking, test_training_from_page, test_teaching_end_to_end and, for the upper body,
# app/test_default_takes.
pytestmark = [pytest.mark.timeout(2400), pytest.mark.slow]

SPEEDUP = 20.0
FAR_AHEAD = 45  # frames: three seconds, where nobody reacts to what is seen
TAUGHT = {"boot": "kick", "greet": "wave"}
TAKES = 5
OTHERS = [(look, speed) for look in (3, 5, 7, 9, 11) for speed in (0.85, 1.2)]  # that no take had
MOST_INPUTS, LONGEST_S, TRAINING_S = 40, 180.0, 10.0


@pytest.fixture
def actor(request):
    return Actor(SPEEDUP, at_desk=getattr(request, "param", False))


def record_all(user, taught=TAUGHT):
    """Two actions and nothing, from the empty page."""
    page = user.page
    for number, (name, motion) in enumerate(taught.items()):
        if number:
            user.click(page.add)
        user.type(name)
        user.click(page.cards[number].button)
        user.takes(lambda take, motion=motion: user.actor.do(motion, look=0, speed=(1.0, 0.9, 1.1)[take % 3]))
        user.wait(lambda number=number: page.cards[number].count >= TAKES)
    user.click(page.nothing.button)
    user.actor.ahead = FAR_AHEAD
    user.takes(lambda _: user.actor.do_all_except((*taught.values(), "idle")))
    user.actor.rest()
    user.wait(lambda: page.nothing.count == 1)


def train_and_try(window, user, taught=TAUGHT):
    """Seconds by the clock and of the processor, of the process that trains."""
    page = user.page
    user.actor.speedup = 1.0  # as live: training takes only what the picture leaves
    began_s, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    user.click(page.bar.train)
    user.wait(lambda: page.bar.taught is not None)
    took_s, after = time.monotonic() - began_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    user.actor.speedup = SPEEDUP
    user.click(page.bar.try_it)
    user.wait(lambda: set(taught) <= set(window.live.view.info.actions))
    return took_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def recognised(user, starts, taught, others):
    """How often each action is, done by others; and what else began meanwhile."""
    right, wrong = dict.fromkeys(taught, 0), []
    for name, motion in taught.items():
        for look, speed in others:
            user.actor.rest(look)
            user.wait_s(1.5)
            starts.clear()
            user.actor.do(motion, look, speed)
            user.wait(lambda: user.actor.idle_s > 2.0)
            found = set(taught) & set(starts)
            right[name] += name in found
            wrong += [(name, other, look, speed) for other in found - {name}]
    return right, wrong


def starts_of(window):
    """Every start of an action from now on, by name; grows."""
    found = []
    window.live.events.connect(lambda events: found.extend(e.action for e in events if e.kind == "start"))
    return found


def test_a_stranger_teaches_two_actions_and_they_are_recognised_on_other_footage(actor, user, record_property):
    window = user.window
    user.wait(lambda: window.video.result is not None)
    opened_s = actor.time_s
    user.press(Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    page = user.page
    record_all(user)
    recorded_s = actor.time_s - opened_s
    assert [card.count for card in page.cards] == [TAKES, TAKES]

    training_s, processor_s = train_and_try(window, user)
    record_property("inputs", user.inputs)
    record_property("seconds of recording", round(recorded_s, 1))
    record_property("seconds of training", round(training_s, 1))
    record_property("of the processor", round(processor_s, 1))
    assert user.inputs <= MOST_INPUTS
    # On a quiet machine it is 162 s (docs/benchmarks-teaching.md); on a busy one the window is late.
    assert recorded_s <= 1.5 * (LONGEST_S - TRAINING_S)

    starts = starts_of(window)
    right, wrong = recognised(user, starts, TAUGHT, OTHERS)
    starts.clear()
    for look in (5, 9):
        actor.rest(look)
        user.wait_s(15.0)
    standing = list(starts)
    starts.clear()
    actor.do_all_except((*TAUGHT.values(), "idle"), look=7, speed=1.1)
    user.wait_s(60.0)
    everyday = list(starts)
    for what, value in (("right", right), ("wrong", wrong), ("standing", standing), ("everyday", everyday)):
        record_property(what, value)

    assert min(right.values()) >= 0.9 * len(OTHERS), (right, wrong)
    assert not set(TAUGHT) & set(standing)
    assert not set(TAUGHT) & set(everyday)


AT_DESK = {"greet": "wave", "cheer": "clap"}


@pytest.mark.parametrize("actor", [True], indirect=True, ids=["at a desk"])
def test_at_a_desk_the_upper_body_alone_is_recorded_taught_and_recognised(actor, user, own_library, record_property):
    window = user.window
    user.wait(lambda: window.video.result is not None)
    user.press(Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    record_all(user, AT_DESK)
    with Library(own_library) as library:
        segments, recordings = library.segments(Filter(action="greet")), library.recordings()
        assert not any(segment.suspect for segment in library.segments(limit=-1)), "the legs are missing in all of them"
    moved_s = [4.3 / (1.0, 0.9, 1.1)[take % 3] for take in range(TAKES)]  # the arm is lowered after the wave
    for segment in segments:
        (recording,) = [each for each in recordings if each.id == segment.recording]
        assert recording.duration_s - segment.end_s > 0.8, "the stillness that ended the take is no part of the segment"
        assert segment.start_s > 1.5, "nor is that before it"
    assert sorted(segment.end_s - segment.start_s for segment in segments) == pytest.approx(sorted(moved_s), abs=0.6)

    train_and_try(window, user, AT_DESK)
    starts = starts_of(window)
    right, wrong = recognised(user, starts, AT_DESK, OTHERS[:4])
    starts.clear()
    actor.rest(look=9)
    user.wait_s(15.0)
    record_property("right", right)
    record_property("wrong", wrong)
    assert right == dict.fromkeys(AT_DESK, 4)
    assert not wrong
    assert not set(AT_DESK) & set(starts), "nobody moves"
