"""What a streaming recognizer is given of a stream, and how its answers are compared with those of windows."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from research.errors import ResearchError

pytest.importorskip("torch", reason="needs the extra `train`")

from recognizer.training.everyday import ACTIONS
from research.streaming.benchmark import agreement, load_deployed, newest_poses, streaming_logits

WEIGHTS = Path(__file__).resolve().parents[3] / "weights"


def stream_of(ticks):
    """Windows that end at these ticks; each pose's one feature is its tick."""
    features = np.stack([np.arange(tick - 29, tick + 1)[:, None] for tick in ticks])
    return SimpleNamespace(times_s=np.array(ticks) / 20, features=features)


class Session:
    """Remembers what it is given; its answer is the newest pose."""

    def __init__(self, poses=1):
        self.poses, self.told = poses, []

    def reset(self):
        self.told.append("reset")

    def push(self, features):
        self.told += features[:, 0].tolist()
        return features[:: self.poses]


def test_every_pose_is_given_once_and_a_gap_begins_anew():
    ticks = [29, 31, 33, 39, 68, 98]
    found = list(newest_poses(stream_of(ticks)))
    assert [begins for begins, _ in found] == [True, False, False, False, False, True]
    assert [len(poses) for _, poses in found] == [30, 2, 2, 6, 29, 30]
    assert np.concatenate([poses for _, poses in found])[:, 0].tolist() == list(range(99))


def test_there_is_an_answer_for_each_window():
    session = Session()
    (logits,) = streaming_logits([stream_of([29, 31, 100])], session)
    assert logits[:, 0].tolist() == [29, 31, 100]
    assert session.told == ["reset", *range(32), "reset", *range(71, 101)]


def test_steps_that_end_between_decisions_are_refused():
    with pytest.raises(ResearchError, match="an answer is due every 2 poses, so a step cannot have 4"):
        streaming_logits([stream_of([29])], Session(poses=4))


def test_answers_that_are_late_are_found_to_be_late():
    window = [np.eye(5)[np.random.default_rng(seed).integers(5, size=200)] for seed in range(2)]
    late = [np.concatenate([each[:1].repeat(7, axis=0), each[:-7]]) for each in window]
    found = agreement(window, late)
    assert (found.delay_s, found.same_delayed) == (pytest.approx(0.7), 1.0)
    assert found.same < 0.5


def test_the_bias_of_the_shipped_model_is_read_from_its_reference_answer():
    deployed, card = load_deployed(WEIGHTS / "st-gcn")
    assert card.actions == ACTIONS
    assert float(deployed.other_bias[-1]) == pytest.approx(-1.0, abs=1e-3)
    assert not deployed.other_bias[:-1].any()


def test_half_of_a_model_is_refused():
    with pytest.raises(ResearchError, match="holds a part of the networks"):
        load_deployed(WEIGHTS / "st-tr")
