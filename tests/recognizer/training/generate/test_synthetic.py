"""Made-up clips in the exchange format: read again as they were, marked, and in no test split."""

from dataclasses import replace

import numpy as np
import pytest
from toy_generator import write_generator

from recognizer.datasets import pyskl, restricted_pickle
from recognizer.datasets.errors import DataError
from recognizer.generator import OnnxGenerator
from recognizer.training.errors import TrainingError
from recognizer.training.generate import synthetic


@pytest.fixture
def trained(motions, replaying):
    return replaying(motions.test, wobble=0.1)


def test_clips_are_read_again_as_they_were(trained, tmp_path):
    made = synthetic.recordings_of(trained, "spread", 3, seed=4)
    file = tmp_path / "new" / "spread.pkl"
    synthetic.write(made, synthetic.provenance(trained, 4), file)
    read = list(pyskl.read(file))
    assert [r.name for r in read] == [r.name for r in made]
    for one, other in zip(read, made, strict=True):
        assert (one.action, one.layout, one.dataset, one.test) == ("spread", trained.layout, "synthetic/made-up", False)
        assert one.fps == pytest.approx(7)  # 8 frames in a second
        np.testing.assert_array_equal(one.joints, other.joints)
    assert [path.name for path in file.parent.iterdir()] == ["spread.pkl"]


def test_the_file_says_that_it_is_made_up_and_of_what(trained, tmp_path):
    file = tmp_path / "clips.pkl"
    synthetic.write(synthetic.recordings_of(trained, "raise", 2, 9), synthetic.provenance(trained, 9), file)
    content = restricted_pickle.load(file)
    source = content["actionlens"]["synthetic"]
    assert (source["generator"], source["seed"], source["trained"]) == ("replaying", 9, trained.job)
    assert all(annotation["actionlens"]["synthetic"] is True for annotation in content["annotations"])
    assert content["split"]["test"] == []


def test_joints_are_pixels_of_a_person_who_stands_upright_in_the_picture(trained):
    (clip, *_) = synthetic.recordings_of(trained, "spread", 1, 0)
    head, ankle = clip.layout.index("head"), clip.layout.index("left_ankle")
    assert (clip.joints[:, head, 1] < clip.joints[:, ankle, 1]).all()
    assert clip.size_px == (640, 480)
    assert ((clip.joints > 0) & (clip.joints < 480)).all()


def test_names_of_other_seeds_differ(trained):
    names = [r.name for seed in (0, 1) for r in synthetic.recordings_of(trained, "raise", 2, seed)]
    assert len(set(names)) == 4


def test_made_up_clips_of_a_test_split_are_refused(trained, tmp_path):
    (clip,) = synthetic.recordings_of(trained, "raise", 1, 0)
    with pytest.raises(DataError, match="is synthetic and in a test split"):
        replace(clip, test=True)
    file = tmp_path / "clips.pkl"
    synthetic.write([clip], {}, file)
    content = restricted_pickle.load(file)
    content["split"] = {"train": [], "test": content["split"]["train"]}
    restricted_pickle.save(content, file)
    (problem,) = pyskl.read(file)
    assert "is synthetic and in a test split" in str(problem)


def test_mistakes_are_told_in_one_line(trained, tmp_path):
    with pytest.raises(TrainingError, match="does not know 'fly'; choose one of raise, spread"):
        synthetic.recordings_of(trained, "fly", 1, 0)
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"file"):
        synthetic.write(synthetic.recordings_of(trained, "raise", 1, 0), {}, tmp_path / "file" / "clips.pkl")


def test_exported_generators_make_the_clips_that_the_application_shows(tmp_path):
    generator = OnnxGenerator(write_generator(tmp_path / "toy"))
    made = synthetic.recordings_of_exported(generator, "step", 2, seed=3)
    file = tmp_path / "step.pkl"
    synthetic.write(made, synthetic.provenance_of_exported(generator, 3), file)
    shown = generator.clips("step", 2, seed=3)
    for recording, clip in zip(pyskl.read(file), shown, strict=True):
        np.testing.assert_allclose(recording.joints, clip.joints * 90 + (320, 250), atol=1e-3)
        assert recording.fps == pytest.approx(clip.fps)
        assert (recording.test, recording.dataset) == (False, "synthetic/made-up")
    source = restricted_pickle.load(file)["actionlens"]["synthetic"]
    assert (source["generator"], source["sha256"]) == ("toy", generator.card.sha256)


@pytest.mark.parametrize("trained", [{}, {"generator": "sa-gcn"}])
def test_a_card_that_names_no_data_set_is_one_clear_line(tmp_path, trained):
    generator = OnnxGenerator(write_generator(tmp_path / "toy", trained=trained))
    with pytest.raises(TrainingError, match="toy: the card names no data set; export the generator again"):
        synthetic.recordings_of_exported(generator, "step", 1, seed=0)
