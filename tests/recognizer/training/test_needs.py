"""What an action needs in view, from its recall with joints hidden."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `train`")

from recognizer.features import CHANNELS, LAYOUT
from recognizer.training.evaluate import windows_of
from recognizer.training.everyday import ACTIONS
from recognizer.training.everyday_streams import read_corpus
from recognizer.training.needs import measure_needs

KNEE, HIP = (LAYOUT.index(f"left_{part}") * len(CHANNELS) for part in ("knee", "hip"))


@pytest.fixture(scope="module")
def corpus(tiny_data):
    return read_corpus(tiny_data)


def sees(features, joint):
    """(W,) whether the windows show a joint: a bone's direction is a unit vector where it is seen and 0 where not."""
    bone = features[:, :, joint + CHANNELS.index("bx") : joint + CHANNELS.index("by") + 1]
    return np.abs(bone).max(axis=(1, 2)) > 0


class Reader:
    """Knows the truth of windows while it sees what an action needs: walk the knees, squat the hips, wave nothing; of
    runs it knows one in three, whatever it sees."""

    def __init__(self, corpus):
        rows = np.flatnonzero((corpus.part == "train") & (corpus.dataset != "webcam_poses"))
        self._true = corpus.action[windows_of(corpus, rows).recording]

    def __call__(self, features):
        logits = np.zeros((len(features), len(ACTIONS)), np.float32)
        blind = np.zeros(len(features), bool)
        blind |= (self._true == ACTIONS.index("walk")) & ~sees(features, KNEE)
        blind |= (self._true == ACTIONS.index("squat")) & ~sees(features, HIP)
        runs = np.flatnonzero(self._true == ACTIONS.index("run"))
        blind[np.delete(runs, np.s_[::3])] = True
        logits[np.arange(len(features)), np.where(blind, ACTIONS.index("other"), self._true)] = 1
        return logits


def test_an_action_needs_what_its_recall_falls_without(corpus):
    needs, recall = measure_needs(corpus, "train", Reader(corpus))
    assert needs["walk"] == ("arms", "hips", "legs")
    assert needs["squat"] == ("arms", "hips")
    assert needs["wave"] == ("arms",)
    assert recall["walk"] == [1.0, 0.0, 0.0]
    assert recall["squat"] == [1.0, 1.0, 0.0]
    assert recall["wave"] == [1.0, 1.0, 1.0]


def test_an_action_that_is_hard_to_recognise_anyway_does_not_need_the_legs(corpus):
    needs, recall = measure_needs(corpus, "train", Reader(corpus))
    whole, *hidden = recall["run"]
    assert 0 < whole < 0.5
    assert hidden == [whole, whole]
    assert needs["run"] == ("arms",)


def test_idle_needs_the_arms_and_what_was_not_measured_everything(corpus):
    needs, _ = measure_needs(corpus, "train", Reader(corpus))
    assert needs["idle"] == ("arms",)
    assert needs["pull_up"] == ("arms", "hips", "legs")
    assert set(needs) == set(ACTIONS) - {"other"}
