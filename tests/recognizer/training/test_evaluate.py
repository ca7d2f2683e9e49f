"""How figures are counted, and how thresholds are chosen."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `train`")

from recognizer.datasets import florence_3d
from recognizer.training.evaluate import (
    Windows,
    clip_probabilities,
    front_view,
    report_alarms,
    report_clips,
    windows_of,
)
from recognizer.training.everyday import ACTIONS, merge, read_all
from recognizer.training.report import split_of
from recognizer.training.streams.replay import record
from recognizer.training.streams.sets import split_of_streams
from recognizer.training.streams.stream_set_command import make

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
    assert (report.alarms, report.alarms_without_idle, report.kept, report.windows) == (0.5, 0.25, 0.5, 4)


WALK, RUN, PUNCH = (ACTIONS.index(action) for action in ("walk", "run", "punch"))
CLIPS = SimpleNamespace(action=np.array([WALK] * 3 + [PUNCH] + [OTHER] * 4), dataset=np.array(["set"] * 8))
ALL = Windows(np.zeros((8, 1, 1), np.float32), np.arange(8))


def test_balanced_accuracy_is_the_mean_of_the_recalls_and_unlisted_clips_have_a_figure_of_their_own():
    report = report_clips(CLIPS, ALL, one_hot([WALK, WALK, RUN, PUNCH, WALK, OTHER, OTHER, OTHER]))
    assert report.accuracy == 0.75  # three of four
    assert report.balanced == pytest.approx((2 / 3 + 1) / 2)
    assert report.recall == {"walk": (pytest.approx(2 / 3), 3), "punch": (1.0, 1)}
    assert report.unlisted_called_listed == 0.25


def test_every_action_has_its_own_threshold_for_alarms():
    thresholds = np.full(A, 0.3, np.float32)
    thresholds[WALK] = 0.95
    probabilities = np.float32(0.9) * one_hot([WALK, WALK, WALK, PUNCH, WALK, PUNCH, OTHER, ACTIONS.index("idle")])
    report = report_alarms(CLIPS, ALL, probabilities, thresholds)
    assert (report.alarms, report.alarms_without_idle, report.kept) == (0.5, 0.25, 0.25)


def test_what_is_nearer_to_the_camera_is_larger_where_there_is_depth():
    """Two torsos before the hips, of seven to the camera: 7/5 of the size."""
    joints = np.array([[[[1.0, 0.5, 0.0], [1.0, 0.5, -2.0]]]] * 2, np.float32)
    flat, deep = front_view(joints, np.array([False, True]))[:, 0]
    np.testing.assert_allclose(flat, [[1, 0.5], [1, 0.5]])
    np.testing.assert_allclose(deep, [[1, 0.5], [1.4, 0.7]], rtol=1e-6)


def test_cards_state_the_sets_that_a_figure_is_really_of(corpus):
    windows = windows_of(corpus, np.flatnonzero(corpus.part == "test"))
    required = split_of("test", corpus, windows)
    assert required.startswith("UTD-MHAD's even subjects, ")
    florence = np.where(corpus.dataset == "nw_ucla", florence_3d.NAME, corpus.dataset)
    named = split_of("test", replace(corpus, dataset=florence), windows)
    assert "the test clips of Florence 3D Actions" in named
    assert "NW-UCLA" in required
    assert "NW-UCLA" not in named


def test_cards_state_the_sets_that_streams_are_joined_of(tiny_data):
    recordings = [each for each in read_all(tiny_data) if each.dataset == "utd_mhad"]
    streams = list(record(make(recordings, 0)))
    assert split_of_streams("research", "test", streams) == "recordings of the test people of UTD-MHAD, joined (seed 0)"
