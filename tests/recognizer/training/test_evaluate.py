"""How figures are counted, and how thresholds are chosen."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `train`")

from recognizer.training.evaluate import (
    Windows,
    clip_probabilities,
    report_alarms,
    report_clips,
    windows_of,
)
from recognizer.training.everyday import ACTIONS, merge, read_all

A, OTHER = len(ACTIONS), len(ACTIONS) - 1


@pytest.fixture(scope="module")
def corpus(tiny_data):
    return merge(read_all(tiny_data))


def one_hot(actions):
    return np.eye(A, dtype=np.float32)[actions]


def test_every_recording_has_windows_and_long_ones_have_several(corpus):
    windows = windows_of(corpus, np.arange(len(corpus)))
    count = np.bincount(windows.recording, minlength=len(corpus))
    seconds = corpus.length / corpus.fps
    assert count.min() == 1
    assert (count[seconds < 1.9] == 1).all()
    assert (count[corpus.dataset == "nw_ucla"] >= 2).all()  # 35 frames at 15 a second
    assert windows.features.shape == (count.sum(), 30, 78)


def test_a_clip_is_the_mean_of_its_windows():
    windows = Windows(np.zeros((3, 30, 78), np.float32), np.array([4, 4, 2]))
    recordings, mean = clip_probabilities(windows, np.stack([one_hot(1), one_hot(3), one_hot(5)]))
    assert list(recordings) == [2, 4]
    np.testing.assert_allclose(mean[0], one_hot(5))
    np.testing.assert_allclose(mean[1], (one_hot(1) + one_hot(3)) / 2)


def test_windows_of_rest_count_little_but_rest_alone_is_idle():
    windows = Windows(np.zeros((4, 30, 78), np.float32), np.array([0, 0, 0, 1]))
    idle = 0
    probabilities = np.stack([one_hot(idle), one_hot(idle), one_hot(3), one_hot(idle)])
    _, mean = clip_probabilities(windows, probabilities)
    assert list(mean.argmax(axis=1)) == [3, idle]
    np.testing.assert_allclose(mean.sum(axis=1), 1, rtol=1e-6)
    _, even = clip_probabilities(windows, probabilities, even=True)
    assert list(even.argmax(axis=1)) == [idle, idle]


def test_accuracy_counts_listed_clips_and_other_is_an_error(corpus):
    clips = np.arange(len(corpus))
    windows = Windows(np.zeros((len(corpus), 30, 78), np.float32), clips)
    probabilities = one_hot(corpus.action)
    assert report_clips(corpus, windows, probabilities).accuracy == 1
    listed = np.flatnonzero(corpus.action != OTHER)
    almost = probabilities.copy()
    almost[listed[0]] = 0.4 * one_hot(corpus.action[listed[0]]) + 0.6 * one_hot(OTHER)
    report = report_clips(corpus, windows, almost)
    assert report.clips == len(listed)
    assert report.accuracy == pytest.approx(1 - 1 / len(listed))
    assert report.accuracy_listed == 1
    assert report.confusion[corpus.action[listed[0]], OTHER] == 1
    assert sum(n for _, n in report.by_dataset.values()) == sum(n for _, n in report.recall.values()) == len(listed)


def test_idle_clips_are_not_wrong_among_the_listed_actions(corpus):
    idle = replace(corpus, action=np.where(corpus.action == ACTIONS.index("squat"), 0, corpus.action))
    assert (idle.action == 0).any()
    windows = Windows(np.zeros((len(idle), 30, 78), np.float32), np.arange(len(idle)))
    assert report_clips(idle, windows, one_hot(idle.action)).accuracy_listed == 1


def test_alarms_are_listed_actions_shown_on_unlisted_clips(corpus):
    unlisted, listed = np.flatnonzero(corpus.action == OTHER)[:4], np.flatnonzero(corpus.action != OTHER)[:2]
    windows = Windows(np.zeros((6, 1, 1), np.float32), np.concatenate([unlisted, listed]))
    sure, unsure = np.float32(0.9), np.float32(0.45)
    walk, rest = one_hot(1), np.full(A, 1 / A, np.float32)
    true = corpus.action[listed]
    probabilities = np.stack(
        [
            *(sure * walk, unsure * walk + 0.1 * rest, sure * one_hot(OTHER), sure * one_hot(0)),
            *(sure * one_hot(true[0]), unsure * one_hot(true[1])),
        ]
    )
    report = report_alarms(corpus, windows, probabilities, np.full(A, 0.6, np.float32))
    assert (report.alarms, report.alarms_but_idle, report.kept, report.windows) == (0.5, 0.25, 0.5, 4)
