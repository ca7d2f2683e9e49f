"""Footage of nothing in which nobody is seen is left out and told; it ends no teaching."""

import json
from dataclasses import replace

import numpy as np
import pytest
from teaching_examples import RATE, made_example, made_examples

from recognizer.teaching.check import Check
from recognizer.teaching.errors import TeachingError
from recognizer.teaching.lesson import NOTHING
from recognizer.teaching.request import QUICK, TeachingRequest
from recognizer.teaching.run import run_quick
from recognizer.teaching.visible import NotVisible, visible_parts


def seen_only(example, *spans_s, gone=False):
    """Somebody is in view in those spans; outside there are joints of no confidence, or no poses at all (gone)."""
    seen = np.any([(example.times_s >= first) & (example.times_s < last) for first, last in spans_s], axis=0)
    if gone:
        kept = seen | (np.arange(len(seen)) == 0)
        return replace(
            example, times_s=example.times_s[kept], xy_px=example.xy_px[kept], confidence=example.confidence[kept]
        )
    return replace(example, confidence=np.where(seen[:, None], example.confidence, 0).astype(np.float32))


def nothing(number=0, seconds=20.0):
    return made_example(NOTHING, number, seconds=seconds)


def asked(folder, models, examples, **more):
    return TeachingRequest(QUICK, "gym", folder, models, examples, **more)


@pytest.fixture
def request_of(base_folder, tmp_path):
    return lambda examples, **more: asked(base_folder, tmp_path / "models", examples, **more)


@pytest.mark.parametrize("gone", [False, True])
def test_the_parts_that_show_somebody_are_used(request_of, shape, gone):
    example = seen_only(nothing(), (2.0, 6.0), (12.0, 12.5), (15.0, 18.0), gone=gone)
    examples = made_examples()
    found, hidden = visible_parts(request_of([*examples, example], test=(example.name,)), shape)
    assert found.examples[:-2] == examples
    first, second = found.examples[-2:]
    assert (first.name, second.name) == (example.name, f"{example.name} (part 2)")
    assert found.test == (first.name, second.name)
    for part, (start_s, end_s) in ((first, (2.0, 6.0)), (second, (15.0, 18.0))):
        assert part.times_s[0] == pytest.approx(start_s, abs=1.5 / RATE)
        assert part.times_s[-1] == pytest.approx(end_s, abs=1.5 / RATE)
    assert hidden.used_s == pytest.approx(7, abs=0.2)
    assert (hidden.examples, hidden.unused) == ((example.name,), ())


def test_what_shows_somebody_in_half_of_its_time_is_used_whole(request_of, shape):
    examples = [*made_examples(), seen_only(nothing(), (0.0, 11.0))]
    found, hidden = visible_parts(request_of(examples), shape)
    assert found.examples == examples
    assert hidden.examples == ()


def test_it_is_left_out_told_and_the_teaching_goes_on(request_of):
    empty, good = seen_only(nothing(), (0.0, 0.5)), nothing(1)
    outcome = run_quick(request_of([*made_examples(), empty, good]))
    assert outcome.check.left_out == (empty.name,)
    assert (
        "In one recording of “nothing” nobody was in view most of the time; it was left out." in outcome.check.remarks
    )
    assert outcome.check.alarms.seconds == pytest.approx(20, abs=0.2)
    made_of = json.loads((outcome.folder / "clips.json").read_text(encoding="utf-8"))["clips"]
    assert {example["name"] for example in made_of if example["action"] == NOTHING} == {good.name}


@pytest.mark.parametrize(
    ("hidden", "told"),
    [
        (NotVisible(("a",), (), 6.6, 20.0), "In one recording of “nothing” {}; only the rest was used (7 of 20 s)."),
        (NotVisible(("a", "b"), ("a",), 0.4, 40.0), "In 2 recordings of “nothing” {}; only the rest was used."),
        (NotVisible(("a", "b"), ("a", "b"), 0.0, 40.0), "In 2 recordings of “nothing” {}; they were left out."),
    ],
)
def test_what_is_left_out_is_told_without_names_of_files(hidden, told):
    (line,) = hidden.added_to(Check((), (), {}, None)).remarks
    assert line == told.format("nobody was in view most of the time")


def test_one_in_the_test_part_is_not_judged(request_of):
    empty = seen_only(nothing(), (0.0, 0.5))
    examples = made_examples(examples=4)
    test = (empty.name, *(example.name for example in examples if example.name.endswith("-3")))
    outcome = run_quick(request_of([*examples, empty], test=test))
    assert outcome.check.checks[0].examples == 3
    assert outcome.check.left_out == (empty.name,)


def test_it_ends_only_where_nothing_is_left(request_of):
    with pytest.raises(TeachingError, match="only 'raise' is taught"):
        run_quick(request_of([*made_examples(("raise",)), seen_only(nothing(), (0.0, 0.5))]))


def test_an_example_of_an_action_that_shows_nobody_is_named(request_of):
    examples = made_examples()
    with pytest.raises(TeachingError, match=f"example {examples[2].name} shows nobody"):
        run_quick(request_of([*examples[:2], seen_only(examples[2], (0.0, 0.3)), *examples[3:]]))
