"""Footage of nothing in which nobody is seen is left out and told; it ends no teaching."""

import json
from dataclasses import replace

import numpy as np
import pytest
from teaching_clips import RATE, made_clip, made_clips

from recognizer.teaching.errors import TeachingError
from recognizer.teaching.lesson import NOTHING
from recognizer.teaching.request import QUICK, TeachingRequest
from recognizer.teaching.run import run_quick
from recognizer.teaching.somebody import with_somebody


def seen_only(clip, *spans_s, gone=False):
    """Somebody is in view in those spans; outside there are joints of no confidence, or no poses at all (gone)."""
    seen = np.any([(clip.times_s >= first) & (clip.times_s < last) for first, last in spans_s], axis=0)
    if gone:
        kept = seen | (np.arange(len(seen)) == 0)
        return replace(clip, times_s=clip.times_s[kept], xy_px=clip.xy_px[kept], confidence=clip.confidence[kept])
    return replace(clip, confidence=np.where(seen[:, None], clip.confidence, 0).astype(np.float32))


def nothing(number=0, seconds=20.0):
    return made_clip(NOTHING, number, seconds=seconds)


def asked(folder, models, clips, **more):
    return TeachingRequest(QUICK, "gym", folder, models, clips, **more)


@pytest.fixture
def request_of(base_folder, tmp_path):
    return lambda clips, **more: asked(base_folder, tmp_path / "models", clips, **more)


@pytest.mark.parametrize("gone", [False, True])
def test_the_parts_that_show_somebody_are_used(request_of, shape, gone):
    clip = seen_only(nothing(), (2.0, 6.0), (12.0, 12.5), (15.0, 18.0), gone=gone)
    clips = made_clips()
    found, emptied = with_somebody(request_of([*clips, clip], test=(clip.name,)), shape)
    assert found.clips[:-2] == clips
    first, second = found.clips[-2:]
    assert (first.name, second.name) == (clip.name, f"{clip.name} (part 2)")
    assert found.test == (first.name, second.name)
    for part, (start_s, end_s) in ((first, (2.0, 6.0)), (second, (15.0, 18.0))):
        assert part.times_s[0] == pytest.approx(start_s, abs=1.5 / RATE)
        assert part.times_s[-1] == pytest.approx(end_s, abs=1.5 / RATE)
    assert emptied.used_s == pytest.approx(7, abs=0.2)
    assert (emptied.clips, emptied.unused) == ((clip.name,), ())


def test_what_shows_somebody_in_half_of_its_time_is_used_whole(request_of, shape):
    clips = [*made_clips(), seen_only(nothing(), (0.0, 11.0))]
    found, emptied = with_somebody(request_of(clips), shape)
    assert found.clips == clips
    assert emptied.clips == ()


def test_it_is_left_out_told_and_the_teaching_goes_on(request_of):
    empty, good = seen_only(nothing(), (0.0, 0.5)), nothing(1)
    outcome = run_quick(request_of([*made_clips(), empty, good]))
    assert outcome.check.left_out == (empty.name,)
    (line,) = [remark for remark in outcome.check.remarks if empty.name in remark]
    assert "0 of 20 s" in line
    assert outcome.check.alarms.seconds == pytest.approx(20, abs=0.2)
    made_of = json.loads((outcome.folder / "clips.json").read_text(encoding="utf-8"))["clips"]
    assert {clip["name"] for clip in made_of if clip["action"] == NOTHING} == {good.name}


def test_one_in_the_test_part_is_not_judged(request_of):
    empty = seen_only(nothing(), (0.0, 0.5))
    clips = made_clips(clips=4)
    test = (empty.name, *(clip.name for clip in clips if clip.name.endswith("-3")))
    outcome = run_quick(request_of([*clips, empty], test=test))
    assert outcome.check.checks[0].clips == 3
    assert outcome.check.left_out == (empty.name,)


def test_it_ends_only_where_nothing_is_left(request_of):
    with pytest.raises(TeachingError, match="only 'raise' is taught"):
        run_quick(request_of([*made_clips(("raise",)), seen_only(nothing(), (0.0, 0.5))]))


def test_a_clip_of_an_action_that_shows_nobody_is_named(request_of):
    clips = made_clips()
    with pytest.raises(TeachingError, match=f"clip {clips[2].name} shows nobody"):
        run_quick(request_of([*clips[:2], seen_only(clips[2], (0.0, 0.3)), *clips[3:]]))
