"""Episodes with and without variants: what is tested has none, rows are kept, the table says what was measured."""

import argparse
import json
from types import SimpleNamespace

import numpy as np
import pytest
from teaching_examples import made_examples, write_base
from toy_generator import write_generator

from pose.skeleton import MPOSE_13
from recognizer.generator import OnnxGenerator
from recognizer.onnx_recognizer import OnnxRecognizer
from recognizer.teaching.lesson import prepare
from recognizer.teaching.variants import VariantSettings
from recognizer.teaching.windows import Shape, WindowAugmentation
from recognizer.training.run_folder import RunError
from research.generate import few_shot
from research.generate.few_shot import (
    KNOWN,
    NEW,
    PAGE_MARK,
    Answers,
    VariantComparison,
    evaluate_episode,
    row_of,
    with_variants,
)
from research.teaching.few_shot import Pool, draw

ACTIONS = ("bow", "raise", "step")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return write_base(tmp_path_factory.mktemp("base") / "toy")


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    return OnnxGenerator(write_generator(tmp_path_factory.mktemp("generators") / "toy"))


@pytest.fixture(scope="module")
def pool(base):
    recognizer = OnnxRecognizer(base, "cpu")
    shape = Shape(recognizer.frames, recognizer.fps, MPOSE_13)
    clips = made_examples(ACTIONS, 6, people=("Ada", "Bob"))
    lesson = prepare(clips, recognizer, shape, WindowAugmentation(windows=2))
    recognizer.close()
    person = np.array([clip.person for clip in clips])
    return Pool(lesson, person, person == "Ada", person == "Bob")


def test_only_clips_that_teach_have_variants(pool, generator, base):
    _, augmented = with_variants(pool, generator, base, VariantSettings(each=2))
    before, after = (np.bincount(each.lesson.augmented.owner) for each in (pool, augmented))
    assert (after[pool.trains] > before[pool.trains]).all()
    assert (after[~pool.trains] == before[~pool.trains]).all()
    assert augmented.lesson.original is pool.lesson.original


def test_an_episode_is_judged_without_and_with_them(pool, generator, base):
    shape, augmented = with_variants(pool, generator, base, VariantSettings(each=2))
    found = evaluate_episode(pool, augmented, draw(pool, ACTIONS, 3, np.random.default_rng(0), ways=3), shape)
    assert found.without.likeliest > 0.6
    assert found.with_variants.likeliest > 0.6
    for each in (found.without, found.with_variants):
        assert 0 <= each.shown <= 1
        assert np.isnan(each.alarms)  # all actions are taught
    same = evaluate_episode(pool, pool, draw(pool, ACTIONS, 3, np.random.default_rng(1), ways=2), shape)
    assert (same.with_variants, same.kept) == (same.without, False)
    assert 0 <= same.without.alarms <= 1


def test_a_row_by_hand():
    first = VariantComparison(Answers(0.5, 0.4, 0.1, 0.8), Answers(0.7, 0.7, 0.2, 0.9))
    second = VariantComparison(Answers(0.8, 0.8, 0.1, 0.9), Answers(0.6, 0.5, 0.0, 0.9))
    row = row_of(NEW, ("a", "b"), 3, [first, second])
    assert (first.kept, second.kept) == (True, False)
    assert row["likeliest, without"][0] == pytest.approx(0.65)
    assert row["likeliest, gain"][0] == pytest.approx(0)
    assert row["likeliest, checked"][0] == pytest.approx(0.75)
    assert row["shown, checked gain"][0] == pytest.approx(0.15)
    assert row["alarms, checked gain"][0] == pytest.approx(0.05)
    assert row["kept"] == 0.5


def test_rows_that_are_there_are_kept_and_the_page_has_the_table(pool, generator, base, tmp_path, monkeypatch):
    asked = []

    def pool_of(_dataset, _data, _model, actions):
        asked.append(tuple(actions))
        return pool

    monkeypatch.setattr(few_shot, "pool_of", pool_of)
    monkeypatch.setattr(few_shot, "NEW_ACTIONS", {"utd_mhad": ("bow", "raise")})
    monkeypatch.setattr(few_shot.utd_mhad, "ACTIONS", ("bow", "step"))  # the generator knows raise and step
    monkeypatch.setattr(few_shot, "WAYS", 1)
    drawn = lambda *a: draw(*a, ways=1)  # noqa: E731
    monkeypatch.setattr(few_shot, "draw", drawn)
    monkeypatch.setattr(few_shot, "evaluate_episode", lambda *_: found)
    found = VariantComparison(Answers(0.8, 0.7, 0.1, 0.8), Answers(0.9, 0.7, 0.1, 0.9))
    page = tmp_path / "page.md"
    page.write_text(f"<!-- measured: {PAGE_MARK} -->\n<!-- end -->\n")
    out = tmp_path / "figures" / "out.json"
    given = {"data": tmp_path, "generator": generator.folder, "base": base, "episodes": 2, "seed": 1, "page": page}
    few_shot.run_few_shot(SimpleNamespace(**given, shots=[3], out=out))
    assert asked == [("bow",), ("step",)]
    assert list(json.loads(out.read_text())["rows"]) == [f"{NEW}, 3", f"{KNOWN}, 3"]
    assert f"| {NEW} | 3 | 80.0 ± 0.0 | +10.0 ± 0.0 | +10.0 ± 0.0 | 70.0 ± 0.0 | +0.0 ± 0.0 |" in page.read_text()
    few_shot.run_few_shot(SimpleNamespace(**given, shots=[3], out=out))
    assert len(asked) == 2
    with pytest.raises(RunError, match="of another generator or other settings"):
        few_shot.run_few_shot(SimpleNamespace(**{**given, "seed": 2}, shots=[3], out=out))


def test_its_arguments():
    parser = argparse.ArgumentParser()
    few_shot.add_few_shot(parser)
    options = parser.parse_args(["--data", "d", "--generator", "g", "--out", "o", "--shots", "3", "5"])
    assert (options.shots, options.episodes, options.seed) == ([3, 5], 30, 1)
