"""The benchmark of streams: every figure counted by hand, bad files, and the command."""

import json

import numpy as np
import pytest
from streams import Scripted, sequence_of
from toy_recognizer import ACTIONS, write_model

pytest.importorskip("torch")

from recognizer.datasets.sequences import Segment
from recognizer.datasets.webcam_poses import PARTS, SEQUENCES, part_of, read
from recognizer.decision import IDLE, ActionEvent, Decision
from recognizer.model_card import DecisionRules
from recognizer.training.command_line import main
from recognizer.training.streams.outcome import evaluate_stream, labels_of
from recognizer.training.streams.report import as_json, as_text
from recognizer.training.streams.run import Moment, StreamResult, stream_sequence

LABELS = ((0, 3, "other:sit_still"), (3, 7, "walk"), (7, 10, "other:jump"))
SAYS = {0: "idle", 3.5: "walk", 7.5: "idle", 8.5: "wave"}


def outcome_of(sequence, says, **changes):
    recognizer = Scripted(says, **{"fps": 20.0, **changes})
    return evaluate_stream(sequence, stream_sequence(sequence, recognizer), recognizer.card)


def metrics(*outcomes):
    return as_json(outcomes, model="toy", people="all")


# A window of 1.45 s is due ten times a second from 1.5 s on. What is said is shown 0.3 s later (0.2 s at the start).


def test_windows_count_when_their_end_and_their_middle_lie_in_a_label():
    report = metrics(outcome_of(sequence_of(10, LABELS), SAYS))
    windows, unlisted = report["windows"], report["unlisted"]
    assert windows["listed"] == 16 + 33  # idle: ends from 1.5 to 3.0 s; walk: from 3.8 (middle 3.075) to 7.0
    assert windows["by_action"].keys() == {"idle", "walk"}
    assert windows["by_action"]["idle"]["listed"] == 16
    assert windows["by_action"]["idle"]["likeliest_right"] == 1.0
    assert windows["by_action"]["idle"]["shown_right"] == pytest.approx(14 / 16)
    assert windows["by_action"]["walk"]["shown_right"] == 1.0
    assert windows["shown_right"] == pytest.approx(47 / 49, abs=1e-4)
    assert windows["shown_wrong"] == 0.0
    assert windows["macro_shown_right"] == pytest.approx((14 / 16 + 1) / 2, abs=1e-4)
    assert unlisted["windows"] == 23  # ends from 7.8 to 10.0 s
    assert unlisted["shown_idle"] == pytest.approx(10 / 23, abs=1e-4)
    assert unlisted["shown_listed"] == pytest.approx(13 / 23, abs=1e-4)
    assert unlisted["by_kind"]["other:jump"]["windows"] == 23
    assert report["due"] == 86
    assert report["half_body"] == 0


def test_a_window_at_the_edge_of_a_label_counts_whatever_is_rounded():
    ends_s = np.array([1.0 - 1e-9, 1.1, 2.0 + 1e-9, 2.1, 3.0])
    segments = [Segment(0.5, 2.0, "walk"), Segment(2.0, 4.0, "wave"), Segment(2.5, 4.0, "clap")]
    assert labels_of(ends_s, segments, 1.0).tolist() == [0, 0, 0, -1, 1]


def test_events_delays_and_segments():
    report = metrics(outcome_of(sequence_of(10, LABELS), SAYS))
    assert report["events"] == {"right": 1, "wrong": 1, "missed": 0, "wrong_per_hour": 360.0}
    assert report["labels"] == 1
    assert report["delay_s"] == {"p50": pytest.approx(0.8), "p90": pytest.approx(0.8)}
    # Ten times a second: idle 17-37 of 0-29, walk 38-77 of 30-69; then idle and wave where nothing listed is.
    assert report["f1"] == {
        "10": pytest.approx(2 / 3, abs=1e-4),
        "25": pytest.approx(2 / 3, abs=1e-4),
        "50": pytest.approx(1 / 3, abs=1e-4),
    }
    assert report["edit"] == pytest.approx(0.5)
    assert report["minutes"] == pytest.approx(10 / 60, abs=0.01)
    assert report["sequences"] == 1


def test_a_wrong_action_and_idle_in_the_place_of_another_count_as_shown_wrong():
    report = metrics(outcome_of(sequence_of(6, [(0, 3, "walk"), (3, 6, "wave")]), {0: "idle", 3: "walk"}))
    assert report["windows"]["by_action"]["walk"]["shown_wrong"] == pytest.approx(14 / 16)
    assert report["windows"]["by_action"]["wave"]["shown_wrong"] == 1.0
    assert report["windows"]["likeliest_right"] == pytest.approx(1 / 39, abs=1e-4)  # at 3.0 walk is said already
    assert report["events"]["missed"] == 1  # the wave; the start of walk is dated back into its label
    assert report["events"]["right"] == 1


def test_windows_of_half_a_body_are_neither_right_nor_shown():
    labels = [(0, 6, "walk"), (6, 12, "other:jump")]
    report = metrics(outcome_of(sequence_of(12, labels, hidden=[(2, 9)]), {0: "walk"}))
    # Legs are missing in over half of the poses of clips that end from 2.9 s to 9.6 s, within a pose or two.
    assert report["half_body"] == pytest.approx(68, abs=4)
    assert report["windows"]["likeliest_right"] == pytest.approx(14 / 46, abs=0.06)
    assert report["windows"]["shown_right"] == pytest.approx(12 / 46, abs=0.06)
    assert report["windows"]["shown_wrong"] == 0.0
    assert report["unlisted"]["shown_listed"] == pytest.approx(23 / 53, abs=0.06)


def test_windows_are_told_apart_by_what_is_in_view():
    rules = DecisionRules(1.0, dict.fromkeys(ACTIONS, 0.5), ("other",), {"wave": ("arms",)})
    labels = [(0, 6, "wave"), (6, 12, "walk"), (12, 18, "other:jump")]
    says = {0: "wave", 6: "walk", 12: "wave"}
    report = metrics(outcome_of(sequence_of(18, labels, hidden=[(3, 20)]), says, decision=rules))
    whole, upper = report["by_view"]["whole"], report["by_view"]["upper"]
    assert report["by_view"]["none"]["windows"]["listed"] == 0
    assert report["half_body"] == 0
    assert whole["windows"]["listed"] == pytest.approx(23, abs=2)  # ends from 1.5 to about 3.7 s
    assert whole["windows"]["shown_right"] == pytest.approx(21 / 23, abs=0.02)
    assert whole["unlisted"]["windows"] == 0
    assert upper["windows"]["listed"] == 46 + 53 - whole["windows"]["listed"]
    # The wave is recognised without legs; walking needs them.
    assert report["windows"]["by_action"]["wave"]["shown_right"] == pytest.approx(44 / 46, abs=1e-4)
    assert report["windows"]["by_action"]["walk"]["shown_right"] == 0.0
    assert upper["unlisted"]["windows"] == 53
    assert upper["unlisted"]["shown_listed"] == pytest.approx(1.0)
    assert "upper body in view: of" in as_text(report)


def test_unlabelled_time_is_not_judged():
    report = metrics(outcome_of(sequence_of(10, [(6, 9, "wave")]), {0: "walk", 6: "wave"}))
    assert report["events"] == {"right": 1, "wrong": 0, "missed": 0, "wrong_per_hour": 0.0}
    assert report["unlisted"] == {"windows": 0, "shown_listed": None, "shown_idle": None, "by_kind": {}}
    assert report["labelled_minutes"] == pytest.approx(0.05)
    assert metrics(outcome_of(sequence_of(4, []), {0: "walk"}))["events"]["wrong_per_hour"] is None


def test_an_action_that_the_recognizer_does_not_list_is_unlisted_motion():
    report = metrics(outcome_of(sequence_of(6, [(0, 6, "swing")]), {0: "walk"}))
    assert report["windows"]["listed"] == 0
    assert report["unlisted"]["by_kind"].keys() == {"swing"}
    assert report["edit"] is None


def decided(time_s, action):
    return Moment(time_s, Decision(0, time_s, action, 0.9, 0.0), True, action)


def events(*spans):
    for action, start_s, end_s in spans:
        yield ActionEvent("start", start_s, 0, action, 0.9)
        yield ActionEvent("end", end_s, 0, action, 0.9, end_s - start_s)


@pytest.mark.parametrize(
    ("span", "right", "wrong"),
    [
        (("walk", 1.0, 2.5), 1, 0),  # reaches into its label
        (("walk", 1.0, 2.0), 0, 1),  # ends where its label begins
        (("walk", 6.5, 9.5), 0, 0),  # more than half in unlabelled time
        (("walk", 6.5, 7.4), 0, 1),  # less than half
        (("walk", 8.2, 12.0), 0, 0),  # starts without a label
        (("walk", 8.0, 8.0), 0, 0),  # no duration, no label
        (("walk", 3.0, 3.0), 1, 0),
        (("walk", 1.0, 1.0), 0, 1),
        ((IDLE, 2.0, 4.0), 0, 0),
    ],
)
def test_when_an_event_is_right_wrong_or_not_judged(span, right, wrong):
    sequence = sequence_of(12, [(0, 2, "wave"), (2, 5, "walk"), (5, 7, "other:x"), (11, 12, "wave")])
    moments = tuple(decided(time_s, "unknown") for time_s in sequence.times_s)
    outcome = evaluate_stream(sequence, StreamResult(moments, tuple(events(span))), Scripted({}).card)
    assert (outcome.right, outcome.wrong) == (right, wrong)


def test_the_delay_is_to_the_first_frame_that_shows_the_action_within_the_label():
    sequence = sequence_of(8, [(0, 2, "walk"), (2, 4, "wave"), (4, 6, "walk"), (6, 8, "wave")])
    shown = [(0, "unknown"), (1.2, "walk"), (4.5, "wave"), (5.25, "walk")]
    moments = [decided(t, [action for since, action in shown if since <= t][-1]) for t in sequence.times_s]
    outcome = evaluate_stream(sequence, StreamResult(tuple(moments), ()), Scripted({}).card)
    assert [label.delay_s for label in outcome.labels] == [
        pytest.approx(1.2),
        None,
        pytest.approx(0.0),  # still on the screen, then again
        None,
    ]
    assert [label.inside for label in outcome.labels] == [False, True, True, True]
    assert metrics(outcome)["delay_inside_s"]["p50"] == pytest.approx(0.0)


def test_what_was_shown_stays_in_a_short_gap_and_goes_with_the_person():
    sequence = sequence_of(8, [(0, 8, "walk")], absent=[(3, 3.2), (4, 8)])
    streamed = stream_sequence(sequence, Scripted({0: "walk"}, fps=20.0))
    shown = {round(m.time_s, 2): m.decision.action if m.decision else None for m in streamed.moments}
    assert shown[1.0] is None
    assert shown[3.1] == "walk"
    assert shown[4.5] == "walk"
    assert shown[5.5] is None
    assert [event.kind for event in streamed.events] == ["start", "end"]


def test_sources_are_told_apart():
    one = outcome_of(sequence_of(6, [(0, 6, "walk")], source="a/b"), {0: "walk"})
    other = outcome_of(sequence_of(6, [(0, 6, "walk")], source="c/d"), {0: "wave"})
    report = metrics(one, other)
    assert report["by_source"]["a/b"]["windows"]["likeliest_right"] == 1.0
    assert report["by_source"]["c/d"]["windows"]["likeliest_right"] == 0.0
    assert report["by_source"]["c/d"]["events"]["missed"] == 1
    assert report["windows"]["likeliest_right"] == 0.5
    assert "c/d" in as_text(report)


# The command.


def save(folder, sequences):
    """A folder in the layout of webcam_poses."""
    (folder / SEQUENCES).mkdir(parents=True)
    lines = ["name\tsource\tperson\taction\tsegments"]
    for s in sequences:
        lines.append(f"{s.name}\t{s.source}\t{s.person}\t\t{json.dumps(s.segments)}")
        np.savez(
            folder / SEQUENCES / f"{s.name}.npz",
            times_s=s.times_s.astype(np.float32),
            xy8=np.round(s.xy_px * 8).astype(np.int16),
            conf=np.round(s.confidence * 255).astype(np.uint8),
            size=np.array(s.size, np.int32),
            layout=np.array(s.layout.name),
        )
    (folder / "index.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    sequences = [sequence_of(6, LABELS[:2], name="one"), sequence_of(5, [(0, 5, "other:x")], name="two")]
    save(tmp_path / "streams", sequences)
    return tmp_path / "streams"


@pytest.fixture
def model(tmp_path):
    rules = DecisionRules(1.0, dict.fromkeys(("idle", "walk", "wave", "other"), 0.3), ("other",))
    return str(write_model(tmp_path / "toy", decision=rules))


KEYS = {
    "windows": {"listed", "likeliest_right", "shown_right", "shown_wrong", "macro_shown_right", "by_action"},
    "unlisted": {"windows", "shown_listed", "shown_idle", "by_kind"},
    "events": {"right", "wrong", "missed", "wrong_per_hour"},
    "delay_s": {"p50", "p90"},
    "f1": {"10", "25", "50"},
}


def test_the_command_prints_and_writes_the_same_every_time(folder, model, tmp_path, capsys):
    texts = []
    for out in ("a.json", "b.json"):
        assert main(["stream", str(folder), "--model", model, "--json", str(tmp_path / out)]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    report = json.loads((tmp_path / "a.json").read_text())
    assert {key: set(report[key]) for key in KEYS} == KEYS
    assert {"edit", "minutes", "sequences", "by_source", "half_body", "model", "people"} <= report.keys()
    assert report["sequences"] == 2
    assert report["windows"]["listed"] > 20
    assert report["unlisted"]["by_kind"].keys() == {"other:x"}
    assert not list(tmp_path.glob(".*"))


def test_a_bad_file_costs_a_line_and_the_status_and_no_sequence_beside_it(folder, model, tmp_path, caplog):
    (folder / SEQUENCES / "one.npz").write_bytes(b"cut off")
    assert main(["stream", str(folder), "--model", model, "--json", str(tmp_path / "out.json")]) == 1
    (line,) = caplog.messages
    assert "one.npz" in line
    assert json.loads((tmp_path / "out.json").read_text())["sequences"] == 1


@pytest.mark.parametrize("people", PARTS)
def test_only_the_people_that_are_asked_for_are_streamed(folder, model, people, capsys):
    there = part_of(next(read(folder))) == people
    assert main(["stream", str(folder), "--model", model, "--people", people]) == (0 if there else 2)
    told = capsys.readouterr()
    assert told.err.count("\n") == (0 if there else 1)
    assert ("2 sequences" in told.out) == there


def test_no_such_model_and_no_folder_are_one_line(folder, model, tmp_path, capsys):
    for arguments in (
        [str(folder), "--model", "nobody"],
        [str(tmp_path / "nothing"), "--model", model],
    ):
        assert main(["stream", *arguments]) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.count("\n") == 1


def test_a_place_where_nothing_can_be_written_is_refused_before_streaming(folder, model, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["stream", str(folder), "--model", model, "--json", str(tmp_path / "no" / "out.json")])
    assert ended.value.code == 2
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)


def test_what_is_read_back_streams_as_what_was_saved(folder):
    one, _ = read(folder)
    assert [segment.label for segment in one.segments] == ["other:sit_still", "walk"]
    outcome = outcome_of(one, SAYS)
    assert metrics(outcome)["windows"]["by_action"]["walk"]["shown_right"] == 1.0
