"""Requests: what is written is read, and nothing hostile gets through."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from teaching_examples import made_example, made_examples

from recognizer.teaching import request as request_files
from recognizer.teaching.errors import TeachingError
from recognizer.teaching.lesson import NOTHING
from recognizer.teaching.request import CLIPS_FILE, QUICK, REQUEST_FILE, TeachingRequest, read_request, write_request
from recognizer.teaching.run import check_counts, run_quick


@pytest.fixture
def written(tmp_path):
    examples = made_examples(("raise", "跳舞 \N{DANCER}"), 3)
    write_request(
        TeachingRequest(QUICK, "gym", Path("base"), Path("models"), examples, ".part-a1", True, ("raise",)), tmp_path
    )
    return tmp_path


def test_what_is_written_is_read(written):
    request = read_request(written)
    assert (request.kind, request.name, request.part, request.keep_base) == (QUICK, "gym", ".part-a1", True)
    assert request.one_sided == ("raise",)
    for found, example in zip(request.examples, made_examples(("raise", "跳舞 \N{DANCER}"), 3), strict=True):
        assert (found.name, found.action, found.person, found.session) == (
            *(example.name, example.action, example.person, example.session),
        )
        assert np.array_equal(found.xy_px, example.xy_px)
        assert np.array_equal(found.times_s, example.times_s)
        assert found.layout == example.layout


def change(folder, **values):
    path = folder / REQUEST_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}), encoding="utf-8")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"version": 2}, "version: expected 1"),
        ({"kind": "slow"}, "kind: expected quick or full"),
        ({"name": "../../evil"}, "name: expected"),
        ({"name": ""}, "name"),
        ({"part": "../x"}, "part: expected"),
        ({"part": ".part-../x"}, "part: expected"),
        ({"keep_base": 1}, "keep_base"),
        ({"seed": -1}, "seed"),
        ({"more": 1}, "unknown key more"),
        ({"clips": [{}]}, "clips\\[0\\].layout is missing"),
        ({"clips": 3}, "clips"),
        ({"one_sided": ["a", "a"]}, "differ"),
    ],
)
def test_each_wrong_field_is_named_in_one_line(written, values, message):
    change(written, **values)
    with pytest.raises(TeachingError, match=message) as caught:
        read_request(written)
    assert "\n" not in str(caught.value)


def example_changed(folder, **values):
    examples = json.loads((folder / REQUEST_FILE).read_text())["clips"]
    change(folder, clips=[{**examples[0], **values}, *examples[1:]])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"poses": 10**9}, "poses"),
        ({"poses": 4}, "expected"),
        ({"layout": "spider-8"}, "layout"),
        ({"action": " "}, "action"),
        ({"action": "x" * 501}, "action"),
        ({"person": 3}, "person"),
    ],
)
def test_each_wrong_field_of_an_example_is_named(written, values, message):
    example_changed(written, **values)
    with pytest.raises(TeachingError, match=message):
        read_request(written)


def test_arrays_that_are_no_numbers_are_refused_and_nothing_is_unpickled(written, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    np.savez(written / CLIPS_FILE, times_s=np.array([Bomb()], object), xy_px=np.zeros(1), confidence=np.zeros(1))
    with pytest.raises(TeachingError, match=CLIPS_FILE):
        read_request(written)
    assert not (tmp_path / "ran").exists()


def test_damaged_and_missing_files_are_named(written):
    whole = (written / CLIPS_FILE).read_bytes()
    for content in (b"", b"PK", whole[: len(whole) // 2], whole[:200] + b"\0" * 50 + whole[250:]):
        (written / CLIPS_FILE).write_bytes(content)
        with pytest.raises(TeachingError, match=CLIPS_FILE):
            read_request(written)
    (written / REQUEST_FILE).write_text("{", encoding="utf-8")
    with pytest.raises(TeachingError, match="Expecting"):
        read_request(written)
    (written / REQUEST_FILE).unlink()
    with pytest.raises(TeachingError, match="cannot be read"):
        read_request(written)


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(written, monkeypatch):
    monkeypatch.setattr(request_files, "_MAX_ARRAY_BYTES", 8 << 20)
    with (
        zipfile.ZipFile(written / CLIPS_FILE, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("times_s.npy", "w", force_zip64=True) as member,
    ):
        for _ in range(9):
            member.write(bytes(1 << 20))
    with pytest.raises(TeachingError, match="unpacks to too much"):
        read_request(written)


def test_joints_that_are_nowhere_count_as_not_seen_and_times_must_grow(written):
    arrays = dict(np.load(written / CLIPS_FILE))
    arrays["xy_px"][:2] = np.inf
    np.savez(written / CLIPS_FILE, **arrays)
    assert np.isnan(read_request(written).examples[0].xy_px[0, 0]).all()
    arrays["times_s"][5] = arrays["times_s"][4]
    np.savez(written / CLIPS_FILE, **arrays)
    with pytest.raises(TeachingError, match="do not increase"):
        read_request(written)
    arrays["times_s"][5] = np.nan
    np.savez(written / CLIPS_FILE, **arrays)
    with pytest.raises(TeachingError, match="not numbers"):
        read_request(written)


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        ([], "no action"),
        (made_examples((NOTHING,), 3), "no action"),
        (made_examples(("raise", "bow"), 2), "'bow' has 2 of at least 3 examples; record 1 more"),
        (made_examples(("raise",), 3), "only 'raise' is taught"),
    ],
)
def test_too_little_to_learn_from_is_told_before_anything_is_computed(examples, message):
    with pytest.raises(TeachingError, match=message):
        check_counts(examples)


def test_one_action_and_nothing_are_enough():
    check_counts(made_examples(("raise", NOTHING), 3))


def test_a_teaching_reports_its_progress_and_ends_with_a_checked_model(base_folder, tmp_path):
    told = []
    request = TeachingRequest(QUICK, "gym", base_folder, tmp_path / "models", made_examples(examples=3))
    outcome = run_quick(request, lambda stage, part: told.append((stage, part)))
    assert outcome.folder == tmp_path / "models" / "gym" / "1"
    parts = [part for _, part in told]
    assert parts == sorted(parts)
    assert parts[-1] == 1
    card = json.loads((outcome.folder / "card.json").read_text(encoding="utf-8"))
    strictest, told = outcome.check.checks[0], card["metrics"]["check_clips"]
    assert (told["accuracy"], told["right"], told["clips"]) == (None, strictest.right, 9)
    assert told["verdict"] == strictest.verdict
    assert told["split"] == "the user's own examples, clips held out in turn (9)"
    assert "one session" in card["metrics"]["check_clips"]["remarks"][0]


def test_the_test_part_is_answered_and_not_learnt_from(base_folder, tmp_path):
    examples = made_examples(examples=4)
    wrong = next(example for example in examples if example.name.endswith("bow-3"))
    there = [replace(example, action="raise") if example is wrong else example for example in examples]
    strange = made_example("wink", name="other/1")
    test = (*(example.name for example in examples if example.name.endswith("-3")), strange.name)
    request = TeachingRequest(QUICK, "gym", base_folder, tmp_path / "models", [*there, strange], test=test)
    write_request(request, tmp_path)
    request = read_request(tmp_path)
    assert len(request.learnt) == 9
    assert tuple(example.name for example in request.tested) == test
    outcome = run_quick(request)
    first, *others = outcome.check.checks
    assert (first.held_out, first.examples, first.not_judged) == ("test", 3, 1)
    assert first.confusions[0][:2] == ("raise", "bow")
    assert sum(each.examples for each in others) == 9
    assert wrong.name in {suspect.example for suspect in outcome.check.suspects}
    made_of = json.loads((outcome.folder / "clips.json").read_text(encoding="utf-8"))["clips"]
    assert {example["name"] for example in made_of} == {example.name for example in request.learnt}
    card = json.loads((outcome.folder / "card.json").read_text(encoding="utf-8"))
    assert "not used for training" in card["metrics"]["check_test"]["split"]


def test_what_a_test_part_leaves_too_little_to_learn_from_is_told(base_folder, tmp_path):
    examples = made_examples(examples=3)
    request = TeachingRequest(QUICK, "gym", base_folder, tmp_path / "models", examples, test=(examples[0].name,))
    with pytest.raises(TeachingError, match="'raise' has 2 of at least 3 examples"):
        run_quick(request)
