"""Exported generators: what they make, and one clear line for each that cannot be used."""

import json
import shutil

import numpy as np
import pytest
from toy_generator import FRAMES, NOISE, card_of, graph, joints_of, write_generator

from recognizer.errors import CardError
from recognizer.generator import (
    CARD_FILE,
    MODEL_FILE,
    GeneratorCard,
    GeneratorError,
    OnnxGenerator,
    generator_folders,
    shipped_generator,
    with_digest,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_generator(tmp_path_factory.mktemp("made") / "toy")


@pytest.fixture(scope="module")
def generator(folder):
    return OnnxGenerator(folder)


def test_it_makes_what_the_graph_says(generator):
    noise = np.random.default_rng(1).standard_normal((40, FRAMES, NOISE)).astype(np.float32)  # more than one batch
    label = np.random.default_rng(2).dirichlet((1, 1), (40, FRAMES)).astype(np.float32)
    np.testing.assert_allclose(generator.joints(noise, label), joints_of(noise, label), atol=1e-5)
    with pytest.raises(ValueError, match=r"label: expected shape \(40, 12, 2\), got \(40, 12, 1\)"):
        generator.joints(noise, label[..., :1])


def test_a_clip_depends_on_its_seed_and_number_alone(generator):
    three, five = generator.clips("raise", 3, seed=7), generator.clips("raise", 5, seed=7)
    for a, b in zip(three, five, strict=False):
        np.testing.assert_allclose(a.joints, b.joints, atol=1e-6)
    assert np.abs(three[0].joints - three[1].joints).max() > 0.01
    assert np.abs(three[0].joints - generator.clips("raise", seed=8)[0].joints).max() > 0.01


def test_every_clip_says_that_it_is_made_up_and_of_what(generator):
    clip = generator.clips("step", 2, seed=3)[1]
    assert clip.provenance == {
        "synthetic": True,
        "generator": "toy",
        "sha256": generator.card.sha256,
        "actions": {"step": 1.0},
        "seed": 3,
        "number": 1,
    }
    assert (clip.duration_s, clip.fps) == (1.0, FRAMES - 1)


def test_a_blend_goes_from_one_action_to_the_other(generator):
    ends = generator.clips("raise", seed=2)[0], generator.clips("step", seed=2)[0]
    for share in (0, 0.25, 1):
        made = generator.blend("raise", "step", share, seed=2)
        expected = (1 - share) * ends[0].joints + share * ends[1].joints  # the toy's labels count linearly
        np.testing.assert_allclose(made.joints, expected, atol=1e-5)
        assert made.duration_s == pytest.approx(2 - share)
    assert made.provenance["actions"] == {"step": 1.0}
    assert generator.blend("raise", "raise", 0.5, seed=2).provenance["actions"] == {"raise": 1.0}


@pytest.mark.parametrize(
    ("ask", "line"),
    [
        (lambda it: it.clips("fly"), "the generator does not know 'fly'; choose one of raise, step"),
        (lambda it: it.clips("raise", 0), "0 clips cannot be made at once; request 1 to 1000"),
        (lambda it: it.blend("raise", "step", 1.5), "a share of 1.5 is not valid; give a number from 0 to 1"),
    ],
)
def test_what_it_cannot_make_is_said_in_one_line(generator, ask, line):
    with pytest.raises(GeneratorError) as error:
        ask(generator)
    assert str(error.value) == line


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"synthetic": False}, "synthetic: expected true, got false; generated clips are always marked as synthetic"),
        ({"layout": "martian"}, "layout: expected one of "),
        ({"units": "feet"}, "units: expected "),
        ({"seconds": [1.0]}, "seconds: expected 2 numbers, got 1"),
        ({"actions": ["raise", "raise"]}, "actions: expected names that differ"),
        ({"frames": 13}, "inputs, outputs: expected "),
        ({"sha256": "0" * 64}, "is not the generator of its card"),
        ({"training_data": [{"name": "made-up", "source": "numpy"}]}, "training_data[0].terms"),
        ({"metrics": {"test": {"mmd_seq": 0.1}}}, "metrics.test.split"),
        ({"more": 1}, "unknown key more"),
        ({"parity": {"input_seed": 6, "last_frame": [0.0] * 26}}, "differs from the trained network by"),
    ],
)
def test_a_wrong_card_is_one_clear_line(tmp_path, changes, says):
    with pytest.raises((CardError, GeneratorError)) as error:
        OnnxGenerator(write_generator(tmp_path / "toy", **changes))
    assert says in str(error.value)
    assert str(tmp_path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_card_of_another_graph_is_refused(tmp_path):
    card = card_of(graph())
    card |= {"noise": NOISE + 1, "inputs": {**card["inputs"], "noise": ["N", FRAMES, NOISE + 1]}}
    with pytest.raises(CardError, match=r"noise: expected float32 \['N', 12, 5\], got tensor\(float\) \['N', 12, 4\]"):
        OnnxGenerator(write_generator(tmp_path / "toy", **card))


@pytest.mark.parametrize("missing", [MODEL_FILE, CARD_FILE])
def test_half_a_folder_is_one_clear_line(folder, tmp_path, missing):
    there = tmp_path / "toy"
    shutil.copytree(folder, there)
    (there / missing).unlink()
    with pytest.raises(CardError, match=f"{missing} cannot be read .*; a generator's folder has {MODEL_FILE} and "):
        OnnxGenerator(there)


def test_damaged_files_are_one_clear_line(tmp_path):
    there = write_generator(tmp_path / "toy", sha256="d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35")
    (there / MODEL_FILE).write_bytes(b"2")
    with pytest.raises(CardError, match=r"is damaged .*; export the generator again"):
        OnnxGenerator(there)
    (there / CARD_FILE).write_text("{" + json.dumps("a"))
    with pytest.raises(CardError, match=f"{CARD_FILE} is not valid JSON"):
        OnnxGenerator(there)


def test_the_shipped_generator_makes_clips_of_its_actions_and_names_its_data():
    generator = OnnxGenerator(shipped_generator())
    assert all(source.terms for source in generator.card.training_data)
    assert generator.card.metrics["test"]["recognized"] > 0.5
    tops = {}
    for action in generator.card.actions:
        joints = np.stack([clip.joints for clip in generator.clips(action, 8)])
        assert np.isfinite(joints).all()
        assert np.ptp(joints, axis=1).max() > 0.3  # torsos: it moves
        tops[action] = joints[:, :, generator.card.layout.index("head"), 1].mean()
    assert tops["pullup"] < -1 < tops["pushup"]  # y down: upright, and lying


def test_generators_of_ones_own_are_found(tmp_path):
    write_generator(tmp_path / "second")
    write_generator(tmp_path / "first")
    (tmp_path / "empty").mkdir()
    assert [folder.name for folder in generator_folders(tmp_path)][-2:] == ["first", "second"]
    assert generator_folders(tmp_path / "nowhere") == generator_folders()


def test_a_card_whose_clips_were_changed_is_refused(tmp_path):
    folder = write_generator(tmp_path / "toy")
    GeneratorCard.load(folder)  # one of an earlier version, without a digest
    card = with_digest(json.loads((folder / CARD_FILE).read_text()))
    (folder / CARD_FILE).write_text(json.dumps(card))
    GeneratorCard.load(folder)
    card["seconds"][0] += 1
    (folder / CARD_FILE).write_text(json.dumps(card))
    with pytest.raises(CardError, match="answer_sha256: what decides the answers"):
        GeneratorCard.load(folder)
