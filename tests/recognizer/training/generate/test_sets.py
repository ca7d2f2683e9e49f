"""What generators learn from: splits that share nothing, coordinates standardised by the training clips."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recognizer.datasets.errors import DataError
from recognizer.training.errors import TrainingError
from recognizer.training.generate import sets

DATA = Path(__file__).resolve().parents[5] / "shared" / "datasets"


def test_parts_share_nothing_and_only_the_official_test_clips_are_measured_by(motions, recordings):
    parts = motions.train, motions.validation, motions.test
    assert sorted(np.concatenate(parts).tolist()) == list(range(100))
    assert [recordings[row].test for row in motions.test] == [True] * 40
    assert (len(motions.train), len(motions.validation)) == (50, 10)
    assert motions.evaluation_rows("test") is motions.test
    assert motions.evaluation_rows("validation") is motions.validation


def test_a_held_out_subject_is_in_validation_alone(recordings):
    mixed = [replace(r, subject=n // 2 % 5) for n, r in enumerate(recordings)]
    found = sets.motions(mixed, 8, ("raise", "spread"), held_out=3)
    subjects = np.array([r.subject for r in mixed])
    assert set(subjects[found.validation]) == {3}
    assert 3 not in subjects[found.train]


def test_recordings_that_the_reader_marks_are_in_validation_alone(recordings):
    marked = [replace(r, validation=not r.test and n % 3 == 0) for n, r in enumerate(recordings)]
    found = sets.motions(marked, 8, ("raise", "spread"))
    assert {marked[row].validation for row in found.validation} == {True}
    assert not any(marked[row].validation for row in found.train)
    assert len(found.validation) == sum(each.validation for each in marked)


def test_coordinates_are_standardised_by_the_training_clips(motions):
    seen = motions.standardised[motions.train]
    np.testing.assert_allclose(seen.mean(axis=(0, 1)), 0, atol=1e-4)
    np.testing.assert_allclose(seen.std(axis=(0, 1)), 1, atol=1e-3)
    mean, spread = motions.scale
    back = motions.standardised.reshape(motions.x.shape) * spread + mean
    np.testing.assert_allclose(back, motions.x, atol=1e-4)


def test_an_action_lasts_as_long_as_its_recordings(motions):
    assert motions.seconds == (1.0, 1.0)  # 12 frames at 12 a second


def test_what_is_missing_is_said(recordings, tmp_path):
    with pytest.raises(DataError, match="no validation clips"):
        sets.motions(recordings, 8, ("raise", "spread"), held_out=99)
    with pytest.raises(TrainingError, match="no set 'x'; choose one of penn"):
        sets.set_of("x")
    with pytest.raises(DataError, match="no folder"):
        sets.set_of("penn").load(tmp_path, 8)


@pytest.mark.parametrize(("name", "layout"), [("utd-mhad", None), ("utd-mhad", "mpose-13"), ("jhmdb14", None)])
def test_real_sets_are_flat_whole_and_of_ten_actions(name, layout):
    if not DATA.is_dir():
        pytest.skip("the data sets are not there")
    found = sets.set_of(name).load(DATA, 30, layout=layout)
    assert found.layout.name == (layout or {"utd-mhad": "kinect-20", "jhmdb14": "jhmdb-15"}[name])
    assert found.x.shape[1:] == (30, len(found.layout), 2)
    assert len(found.actions) == 10
    assert np.isfinite(found.standardised).all()
    assert len(np.intersect1d(found.train, found.test)) == 0
    if name == "utd-mhad":
        assert (len(found.train), len(found.validation), len(found.test)) == (119, 40, 160) or len(found.test) > 150


def test_an_action_that_the_set_lacks_is_refused():
    if not DATA.is_dir():
        pytest.skip("the data sets are not there")
    with pytest.raises(TrainingError, match="no action 'fly'; it has arm_curl"):
        sets.set_of("utd-mhad").load(DATA, 30, ("wave", "fly"))
