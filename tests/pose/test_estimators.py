"""Estimators behind one spec: what may be chosen, and one of another layout all the way through."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.settings import RunOptions
from pose import estimators
from pose.errors import PoseModelError
from pose.estimators import AUTO, BLAZEPOSE, ESTIMATORS, MEDIAPIPE, EstimatorKind, EstimatorSpec, choose, open_estimator
from pose.process import PoseProcess
from pose.skeleton import COCO_17, LAYOUTS
from pose.types import Frame, Pose


class CocoEstimator:
    """An estimator of 17 joints: somebody who stands at the left of the picture, for what uses estimators."""

    def __init__(self, model: Path, *, people: int = 1, quality: str = "full") -> None:
        self._people = people

    def estimate(self, frame: Frame) -> tuple[Pose, ...]:
        xy = np.stack((np.full(17, 20.0), np.linspace(10, 60, 17)), axis=1).astype(np.float32)
        return tuple(
            Pose(xy + np.float32(30 * n), np.ones(17, np.float32), COCO_17, frame.time_s, n)
            for n in range(self._people)
        )

    def close(self) -> None:
        pass


@pytest.fixture
def coco(monkeypatch):
    row = EstimatorKind("coco", "COCO", f"{__name__}:CocoEstimator", "coco-17", 2)
    monkeypatch.setitem(ESTIMATORS, "coco", row)
    monkeypatch.setattr(estimators, "import_module", lambda name: __import__("sys").modules[__name__])
    return row


def test_one_person_is_mediapipes_and_several_are_blazeposes():
    assert choose(AUTO, 1) == MEDIAPIPE
    assert [choose(AUTO, people) for people in range(2, 9)] == [BLAZEPOSE] * 7
    assert choose(AUTO, 1, "lite") == BLAZEPOSE  # the only one that has it
    assert choose(MEDIAPIPE, 4) == MEDIAPIPE


@pytest.mark.parametrize(
    ("pose", "provider", "meant"),
    [(BLAZEPOSE, "cuda", "cuda"), (BLAZEPOSE, "auto", "cpu"), (BLAZEPOSE, "cpu", "cpu"), (MEDIAPIPE, "cuda", "cpu")],
)
def test_a_provider_that_is_named_is_the_pose_networks_too(pose, provider, meant):
    spec = RunOptions(pose=pose, provider=provider).estimator(Path("bundle.task"))
    assert spec.provider == meant


def test_an_estimator_is_told_its_provider_where_it_has_any(coco, monkeypatch):
    told = []

    class OnAny(CocoEstimator):
        def __init__(self, model, *, provider, **more):
            super().__init__(model, **more)
            told.append(provider)

    monkeypatch.setattr(f"{__name__}.CocoEstimator", OnAny)
    open_estimator(EstimatorSpec("coco", Path(), provider="cuda"), replace(coco, has_providers=True))
    assert told == ["cuda"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((AUTO, 9), "9 people cannot be followed; give 1 to 8"),
        ((AUTO, 0), "0 people cannot be followed; give 1 to 8"),
        ((MEDIAPIPE, 5), "follows 1 to 4 people; use --pose blazepose"),
        (("openpose", 1), "choose one of auto, mediapipe, blazepose"),
        ((MEDIAPIPE, 1, "heavy"), "no quality 'heavy'"),
        ((BLAZEPOSE, 1, "huge"), "no quality 'huge'"),
    ],
)
def test_what_cannot_be_is_one_line(arguments, says):
    with pytest.raises(PoseModelError) as error:
        choose(*arguments)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_every_row_names_a_layout_and_a_class():
    for kind in ESTIMATORS.values():
        assert kind.layout in LAYOUTS
        module, _, name = kind.where.partition(":")
        assert hasattr(__import__(module, fromlist=[name]), name)


def test_a_row_and_a_class_are_an_estimator(coco):
    spec = EstimatorSpec("coco", Path("m"), people=2)
    assert spec.layout is COCO_17
    found = open_estimator(spec).estimate(Frame(np.zeros((64, 64, 3), np.uint8), 0.5, 0.0, 0))
    assert [(pose.person, pose.layout) for pose in found] == [(0, COCO_17), (1, COCO_17)]


def test_the_layout_comes_back_from_the_process(coco, monkeypatch):
    """What a process answers carries the layout by name, whatever estimator it has."""
    from pose import process

    frame = Frame(np.zeros((64, 64, 3), np.uint8), 0.5, 0.0, 7)
    poses = CocoEstimator(Path("m")).estimate(frame)
    done = process._Done([(p.person, p.layout.name, p.xy_px, p.confidence) for p in poses], 1.0)
    worker = object.__new__(PoseProcess)
    worker._times_s, worker._taken = [0.5, 0.0], 0
    monkeypatch.setattr(worker, "_receive", lambda: done, raising=False)
    (pose,), took_ms = worker.result()
    assert (pose.layout, pose.time_s, took_ms) == (COCO_17, 0.5, 1.0)
