"""Episodes keep teachers and testers apart; DTW is the textbook's."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from teaching_examples import made_examples, write_base

from pose.skeleton import MPOSE_13
from recognizer.datasets.errors import DataError
from recognizer.datasets.sequences import LabelledSequence, Segment
from recognizer.onnx_recognizer import OnnxRecognizer
from recognizer.teaching.errors import TeachingError
from recognizer.teaching.lesson import prepare
from recognizer.teaching.quick import QuickSettings
from recognizer.teaching.windows import Shape, WindowAugmentation
from recognizer.training.everyday import read_all
from recognizer.training.run_folder import RunError
from research.teaching import few_shot_command, few_shot_embedding
from research.teaching.few_shot import (
    ARM_ACTIONS,
    NEW_ACTIONS,
    Pool,
    draw,
    hide_lower_body,
    mean_and_interval,
    part_of_lesson,
    quick_accuracy,
)
from research.teaching.few_shot_command import Warping, _actions
from research.teaching.few_shot_dtw import distances, joints_of
from research.teaching.few_shot_embedding import corpus_without, people_without
from research.teaching.few_shot_unknown import _metrics, measure_open_set

ACTIONS = ("bow", "raise", "step")


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    recognizer = OnnxRecognizer(write_base(tmp_path_factory.mktemp("base") / "toy"), "cpu")
    shape = Shape(recognizer.frames, recognizer.fps, MPOSE_13)
    clips = made_examples(ACTIONS, 8, people=("Ada", "Bob", "Cem", "Dan"))
    lesson = prepare(clips, recognizer, shape, WindowAugmentation(windows=2))
    recognizer.close()
    person = np.array([clip.person for clip in clips])
    return Pool(lesson, person, np.isin(person, ["Ada", "Bob"]), np.isin(person, ["Bob", "Cem", "Dan"]))


@pytest.mark.parametrize("shots", [1, 2, 3])
def test_teachers_are_never_tested_and_few_clips_come_of_one_person(pool, shots):
    for seed in range(10):
        episode = draw(pool, ACTIONS, shots, np.random.default_rng(seed), ways=2)
        assert len(episode.train) == 2 * shots
        for action in episode.actions:
            here = [c for c in episode.train if pool.lesson.examples[c].action == action]
            teachers = {str(pool.person[c]) for c in here}
            tested = {str(pool.person[c]) for c in episode.test if pool.lesson.examples[c].action == action}
            assert len(teachers) == (1 if shots <= 2 else 2)
            assert not teachers & tested
            assert tested


def test_a_part_of_a_lesson_is_that_of_its_clips_alone(pool):
    clips = np.array([17, 3])
    part = part_of_lesson(pool.lesson, clips, ("step", "bow"))
    assert [clip.name for clip in part.examples] == [pool.lesson.examples[c].name for c in clips]
    assert part.target.tolist() == [0, 1]
    own = pool.lesson.original.description[pool.lesson.original.owner == 3]
    assert np.array_equal(part.original.description[part.original.owner == 1], own)


def test_both_methods_learn_made_up_actions(pool):
    episode = draw(pool, ACTIONS, 2, np.random.default_rng(0), ways=3)
    assert Warping(pool)(pool, episode) > 0.6
    assert quick_accuracy(pool, episode, QuickSettings()) > 0.6


def test_unknown_actions_are_counted(pool):
    """Made-up actions are easily told apart: what was never taught is known as such, and seldom shown."""
    before, after = measure_open_set(pool, ("bow", "raise", "step"), 2, QuickSettings(), episodes=3, seed=0)
    for found in (before, after):
        for mean, half in (found.auroc, found.accuracy, found.right, found.alarms):
            assert 0 <= mean <= 1
            assert half >= 0
        assert found.auroc[0] > 0.5
        assert found.right[0] > found.alarms[0]


def test_figures_of_an_open_set_by_hand():
    """Scores are probabilities over their thresholds: from 1 on an action is shown."""
    known = np.array([[3.0, 0.0], [2.0, 0.0], [0.0, 4.0], [0.0, 0.9]])  # all over those never taught but the last
    unknown = np.array([[0.5, 0.0], [1.5, 0.0], [0.2, 0.0], [0.1, 0.0]])
    auroc, accuracy, right, alarms = _metrics(known, unknown, np.array([0, 0, 1, 1]))
    assert (auroc, accuracy, right, alarms) == (15 / 16, 0.75, 0.75, 0.25)
    _, accuracy, right, _ = _metrics(known, unknown, np.array([0, 1, 1, 1]))
    assert (accuracy, right) == (0.5, 0.5), "a wrong action counts for nothing"


def test_at_a_desk_nothing_is_known_of_hips_and_legs():
    clip = made_examples(("raise",), 1)[0]
    desk = hide_lower_body(clip)
    below = [place for place, joint in enumerate(MPOSE_13.joints) if joint.split("_")[-1] in ("hip", "knee", "ankle")]
    assert len(below) == 6
    assert not desk.confidence[:, below].any()
    assert not desk.xy_px[:, below].any()
    above = np.setdiff1d(np.arange(len(MPOSE_13)), below)
    assert np.array_equal(desk.xy_px[:, above], clip.xy_px[:, above])
    assert clip.confidence.all(), "the clip itself is as it was"


def test_episodes_at_a_desk_are_of_arm_actions():
    options = SimpleNamespace(actions="new", desk=True, data=None)
    assert _actions("utd_mhad", options) == [name for name in NEW_ACTIONS["utd_mhad"] if name != "lunge"]
    assert set(_actions("utd_mhad", options)) < set(ARM_ACTIONS)
    with pytest.raises(TeachingError, match="has 0 such actions"):
        _actions("penn_action", options)


def test_people_before_webcams_show_nothing_of_what_is_new(monkeypatch):
    labels = ("wave", "other:bicep_curl", "push_up", "other:lunge")
    segments = tuple(Segment(place, place + 0.5, label) for place, label in enumerate(labels))
    poses = np.zeros((4, 13, 2), np.float32), np.ones((4, 13), np.float32)
    found = LabelledSequence("s0", "here", "anna", np.arange(4.0), *poses, MPOSE_13, (640, 480), segments)
    monkeypatch.setattr(few_shot_embedding.webcam_poses, "read", lambda _: iter([found, DataError("damaged")]))
    (kept,) = people_without(Path("data"), "utd_mhad")
    assert [segment.label for segment in kept.segments] == ["wave", "push_up"]
    (kept,) = people_without(Path("data"), "penn_action")
    assert [segment.label for segment in kept.segments] == ["wave", "other:bicep_curl", "other:lunge"]


def test_time_warping_by_hand():
    a, b = np.array([[0.0], [1.0], [2.0]], np.float32), np.array([[0.0], [2.0]], np.float32)
    # 0-0 (twice 0), then 1-2 diagonally (twice 1), then 2-2: 2 in all, over 5 poses; the way by 1-0 costs 1 + twice 0
    assert distances([a], [b])[0, 0] == pytest.approx(1 / 5)
    assert distances([a], [a])[0, 0] == 0


def test_time_warping_does_not_see_speed_or_batch(pool):
    clips = [joints_of(clip) for clip in pool.lesson.examples[:3]]
    slow = replace(pool.lesson.examples[0], times_s=pool.lesson.examples[0].times_s * 1.5)
    found = distances([joints_of(slow)], clips)
    assert found[0].argmin() == 0
    alone = [distances([joints_of(slow)], [each])[0, 0] for each in clips]
    assert np.allclose(found[0], alone)


def test_the_interval_is_that_of_the_mean():
    mean, half = mean_and_interval([0.0, 1.0] * 50)
    assert mean == 0.5
    assert half == pytest.approx(1.96 * 0.5025 / 10, rel=1e-3)


def test_a_base_never_sees_the_set_that_is_left_out(tiny_data):
    sequences = read_all(tiny_data)
    rest = corpus_without(sequences, "utd_mhad")
    assert set(rest.dataset) == {each.dataset for each in sequences} - {"utd_mhad"}
    assert not any(kind.startswith("utd_mhad/") for kind in rest.kinds)
    with pytest.raises(RunError, match="nothing is left"):
        corpus_without([each for each in sequences if each.dataset == "jhmdb14"], "jhmdb14")


@dataclass
class OpenSet:
    auroc: float = 0.9


def test_metrics_are_kept_row_by_row_and_no_method_replaces_those_of_another(pool, tmp_path, monkeypatch):
    def measured(_pool, _actions, shots, method, *, episodes, seed):
        if shots == 10:
            raise TeachingError("too few clips")
        return [shots / 10, len(calls)]

    def run(**more):
        calls.append(more)
        given = {
            "data": tmp_path,
            "sets": ["utd_mhad"],
            "episodes": 3,
            "scratch_episodes": 0,
            "no_dtw": True,
            "seed": 1,
        }
        given |= {"shots": [1], "model": Path("weights/act"), "actions": "new", "desk": False, "out": file}
        few_shot_command.run_few_shot(SimpleNamespace(**(given | more)))

    calls, file = [], tmp_path / "metrics.json"
    monkeypatch.setattr(few_shot_command, "pool_of", lambda *_, **__: pool)
    monkeypatch.setattr(few_shot_command, "measure", measured)
    monkeypatch.setattr(few_shot_command, "measure_open_set", lambda *_, **__: (OpenSet(), OpenSet()))
    run(no_dtw=False)
    run(shots=[3])
    run()
    with pytest.raises(TeachingError):
        run(shots=[5, 10])
    run(seed=2)
    metrics = json.loads(file.read_text())
    title = "utd_mhad new, weights/act, 3 episodes, seed"
    assert set(metrics) == {f"{title} 1", f"{title} 2"}
    found = metrics[f"{title} 1"]
    assert set(found) == {"actions", "open set", "1 clips", "3 clips", "5 clips"}
    assert found["1 clips"] == {"quick": [0.1, 3], "dtw": [0.1, 1]}
    assert metrics[f"{title} 2"]["1 clips"] == {"quick": [0.1, 5]}
