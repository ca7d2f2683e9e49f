"""The live view beside a teaching: the worst second, what is taught, and what ends it."""

from types import SimpleNamespace

import pytest

from app.cli import parse
from app.errors import UsageError
from app.settings import UserSettings
from app.teaching_process import TeachingCancelled, TeachingDone, TeachingFailed
from app.tools import bench_teaching
from app.tools.bench_live import worst_second
from app.tools.bench_teaching import Teaching, made_examples, table


def test_the_worst_whole_second_counts_and_the_start_does_not():
    steady = [10 + n / 30 for n in range(30 * 8)]  # eight seconds, of which three are the start
    gap = [when for when in steady if not 15.2 <= when < 15.5]
    assert worst_second(steady) == 30
    assert worst_second([when for when in steady if when > 11 or when < 10.1]) == 30
    assert worst_second(gap) == 21
    with pytest.raises(UsageError, match="too short"):
        worst_second(steady[:100])


def test_what_is_taught_is_five_actions_of_five_examples_in_two_sittings():
    examples = made_examples()
    assert (
        len(examples),
        len({example.action for example in examples}),
        len({example.session for example in examples}),
    ) == (25, 5, 2)
    assert {example.xy_px.shape for example in examples} == {(75, 13, 2)}


def job_of(outcome):
    """A stand-in for TeachingJob that ends at once."""
    return lambda request: SimpleNamespace(outcome=outcome, cancel=lambda: None, wait=lambda timeout_s: outcome)


def test_it_teaches_until_it_is_left(monkeypatch):
    monkeypatch.setattr(bench_teaching, "made_examples", list)
    monkeypatch.setattr(bench_teaching, "TeachingJob", job_of(TeachingDone(None, {})))
    with Teaching("act", "quick") as teaching:
        while len(teaching.done_s) < 3:
            pass
    monkeypatch.setattr(bench_teaching, "TeachingJob", job_of(TeachingCancelled()))
    with Teaching("act", "quick") as teaching:
        pass
    assert not teaching.done_s


def test_a_teaching_that_fails_is_told(monkeypatch):
    monkeypatch.setattr(bench_teaching, "made_examples", list)
    monkeypatch.setattr(bench_teaching, "TeachingJob", job_of(TeachingFailed("no room on the disk")))
    with pytest.raises(UsageError, match="no room"), Teaching("act", "quick") as teaching:
        teaching._thread.join()


def test_the_table_says_whether_the_goal_was_reached():
    run = {"pipeline_fps": 30.0, "worst_fps": 24, "dropped": 3, "age_p95_ms": 40.0}
    text = table({"kind": "quick", "alone": run | {"worst_fps": 30}, "teaching": run, "taught_s": []})
    assert "MISSED" in text
    assert "none was done" in text


def test_the_flag_belongs_to_the_benchmark():
    assert parse(["--bench", "demo", "--teaching"], UserSettings()).teaching == "quick"
    assert parse(["--bench", "demo", "--teaching", "full"], UserSettings()).teaching == "full"
    assert parse(["--bench", "demo"], UserSettings()).teaching is None
    with pytest.raises(UsageError, match="belongs to --bench"):
        parse(["--teaching"], UserSettings())
