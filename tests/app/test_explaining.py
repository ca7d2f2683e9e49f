import threading

import numpy as np
import pytest
from engine_fakes import FakeRecognizer, until

from app.live.explainer import Explainer
from pose.skeleton import MPOSE_13
from recognizer.clips import Clip
from recognizer.errors import CardError


def clip(time_s: float) -> Clip:
    joints = (4, len(MPOSE_13))
    return Clip(np.ones((*joints, 2), np.float32), np.ones(joints, np.float32), 20.0, MPOSE_13, time_s, 0)


class Held(FakeRecognizer):
    """Waits before its first answer until it is let go."""

    def __init__(self, **values):
        super().__init__(**values)
        self.began, self.let_go = threading.Event(), threading.Event()

    def predict(self, clips, *, attention=False):
        self.began.set()
        assert self.let_go.wait(60)
        return super().predict(clips, attention=attention)


@pytest.fixture
def explainer():
    """Makes explainers of recognizers by model, and closes them."""
    made = []

    def make(**recognizers):
        made.append(Explainer(next(iter(recognizers)), open_recognizer=lambda model, provider: recognizers[model]))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_the_newest_question_is_answered_and_those_in_between_are_not(explainer):
    held = Held()
    asking = explainer(model=held)
    asking.ask(clip(1.0))
    assert held.began.wait(60)
    for time_s in (2.0, 3.0, 4.0):
        asking.ask(clip(time_s), "idle")
    held.let_go.set()
    assert asking.explanations.take(5).clip.time_s == 1.0
    answer = asking.explanations.take(5)
    assert (answer.clip.time_s, answer.action, answer.method) == (4.0, "idle", "occlusion")
    assert answer.relevance.shape == (4, 13)
    assert asking.failure is None


def test_the_likeliest_action_where_none_is_named(explainer):
    asking = explainer(model=FakeRecognizer(action="wave"))
    asking.ask(clip(1.0))
    assert asking.explanations.take(5).action == "wave"


def test_nothing_of_the_model_before_comes_after_a_change(explainer):
    old, new = Held(name="old"), FakeRecognizer(name="new", action="idle")
    asking = explainer(old=old, new=new)
    asking.ask(clip(1.0))
    assert old.began.wait(60)
    asking.ask(clip(2.0))
    asking.use("new")
    old.let_go.set()
    assert asking.explanations.take(0.3) is None
    asking.ask(clip(3.0))
    answer = asking.explanations.take(5)
    assert (answer.clip.time_s, answer.action) == (3.0, "idle")
    assert old.closed


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        ({"action": "dance"}, "fake has no action 'dance'"),
        ({"method": "attention"}, "fake has no explanation 'attention'; choose one of occlusion"),
    ],
)
def test_a_question_without_an_answer_is_told_in_one_line_and_the_next_is_answered(explainer, ask, expected):
    asking = explainer(model=FakeRecognizer())
    asking.ask(clip(1.0), **ask)
    until(lambda: asking.failure)
    assert asking.failure.startswith(expected)
    assert "\n" not in asking.failure
    asking.ask(clip(2.0))
    assert asking.explanations.take(5).clip.time_s == 2.0
    assert asking.failure is None


def test_a_model_that_cannot_be_opened_and_one_that_breaks_are_told(explainer, caplog):
    broken = FakeRecognizer()
    broken.predict = lambda clips, attention=False: 1 / 0
    asking = explainer(broken=broken)
    asking.ask(clip(1.0))
    until(lambda: asking.failure)
    assert asking.failure == "ZeroDivisionError: division by zero"

    def refuse(model, provider):
        raise CardError("no model 'gone'")

    missing = Explainer("gone", open_recognizer=refuse)
    missing.ask(clip(1.0))
    until(lambda: missing.failure)
    assert missing.failure == "no model 'gone'"
    missing.close()


def test_close_ends_the_thread_and_frees_the_model():
    recognizer = FakeRecognizer()
    asking = Explainer("model", open_recognizer=lambda model, provider: recognizer)
    asking.ask(clip(1.0))
    assert asking.explanations.take(5) is not None
    asking.close()
    asking.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "explainer"]
    assert recognizer.closed
    assert asking.explanations.take(5) is None


def test_an_explanation_in_work_is_given_up_between_two_calls(explainer):
    held = Held()
    asking = explainer(model=held)
    asking.ask(clip(1.0))
    assert held.began.wait(60)
    asking.close(0)
    held.let_go.set()
    asking.close(5)
    assert len(held.batches) == 1
    assert held.closed


def test_an_explanation_of_a_model_that_was_left_is_given_up(explainer):
    old, new = Held(name="old"), FakeRecognizer(name="new")
    asking = explainer(old=old, new=new)
    asking.ask(clip(1.0))
    assert old.began.wait(60)
    asking.use("new")
    asking.ask(clip(2.0))
    old.let_go.set()
    assert asking.explanations.take(5).clip.time_s == 2.0
    assert len(old.batches) == 1
