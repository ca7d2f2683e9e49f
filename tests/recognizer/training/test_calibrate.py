"""Thresholds chosen on streams, and windows that are replayed as the live program would decide them."""

import numpy as np
import pytest
from streams import sequence_of

from recognizer.training.errors import TrainingError

pytest.importorskip("torch", reason="needs the extra `train`")

from recognizer.clips import Prediction
from recognizer.training.calibrate import (
    BIASES,
    THRESHOLDS,
    Calibration,
    OperatingPoint,
    _true_actions,
    calibrate,
    outcomes,
)
from recognizer.training.everyday import ACTIONS
from recognizer.training.streams.replay import features_of, record, split_by_stream
from recognizer.training.streams.report import as_json
from recognizer.training.streams.run import stream_sequence

A = len(ACTIONS)
OTHER, WALK, WAVE, IDLE = (ACTIONS.index(action) for action in ("other", "walk", "wave", "idle"))
LABELS = ((0, 4, "other:jump"), (4, 9, "walk"), (9, 12, "idle"))


@pytest.fixture(scope="module")
def streams():
    return list(record([sequence_of(12, LABELS), sequence_of(12, LABELS, name="b")]))


def logits_of(stream, *, walk_in_other, noise=0.3, seed=0):
    """Right most of the time; unlisted motion looks like a walk to that degree."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, noise, (len(stream.times_s), A)).astype(np.float32)
    for row, time_s in enumerate(stream.times_s):
        true = OTHER if time_s < 4 else WALK if time_s < 9 else IDLE
        logits[row, true] += 6
        if true == OTHER:
            logits[row, WALK] += walk_in_other
    return logits


class Replayed:
    """A recognizer that gives the same probabilities again, in their order."""

    def __init__(self, card, probabilities):
        self.card, self._rows = card, iter(probabilities)

    def predict(self, clips, *, attention=False):
        return [Prediction(c.person, c.time_s, ACTIONS, next(self._rows)) for c in clips]


def test_a_replayed_stream_is_what_the_live_program_shows(streams):
    from recognizer.training.calibrate import _CalibrationCard

    rules = Calibration(0.5, 1.2, np.full(A, 0.6, np.float32))
    stream = streams[0]
    logits = logits_of(stream, walk_in_other=5, noise=2.0)
    live = stream_sequence(stream.sequence, Replayed(LiveCard(rules), rules.probabilities(logits)))
    (outcome,) = outcomes([stream], [logits], rules)
    fresh = [moment for moment in live.moments if moment.fresh]
    np.testing.assert_allclose([moment.decision.time_s for moment in fresh], stream.times_s)
    assert outcome.due == len(fresh) == len(stream.times_s)
    assert _CalibrationCard(rules).decision.thresholds["walk"] == pytest.approx(0.6)
    from recognizer.training.streams.outcome import evaluate_stream

    shown = evaluate_stream(stream.sequence, live, LiveCard(rules))
    assert shown.windows == outcome.windows
    assert (shown.right, shown.wrong) == (outcome.right, outcome.wrong)
    assert outcome.right == 1, "the walk"


class LiveCard:
    """As live recognition needs it."""

    def __init__(self, rules):
        from recognizer.features import LAYOUT
        from recognizer.training.calibrate import _CalibrationCard

        self.decision, self.actions, self.frames, self.fps = _CalibrationCard(rules).decision, ACTIONS, 30, 20.0
        self.skeleton = LAYOUT


def test_the_upper_bodys_unlisted_motion_weighs_as_little_as_its_budget_allows(streams):
    desk = sequence_of(24, ((0, 12, "other:talk"), (12, 24, "wave")))
    desk.confidence[:, 23:] = 0
    (stream,) = record([desk])
    logits = np.zeros((len(stream.times_s), A), np.float32)
    logits[:, OTHER] = 3
    for weight, lead in ((0.1, 1.0), (0.3, 2.5), (0.5, 3.0), (1.0, 3.5)):
        logits[stream.times_s < 12, WAVE] = lead
        logits[stream.times_s >= 12, WAVE] = 4
        whole = [logits_of(each, walk_in_other=1, noise=0) for each in streams]
        rules, _ = calibrate([(streams, whole), ([stream], [logits])], {"wave": ("arms",)})
        assert rules.upper_weight == weight
        told = as_json(outcomes([stream], [logits], rules))["by_view"]["upper"]
        assert told["unlisted"]["windows"] > 50
        assert told["unlisted"]["shown_listed"] == 0


def test_streams_are_put_together_and_taken_apart_in_order(streams):
    assert features_of(streams).shape == (sum(len(s.times_s) for s in streams), 30, 78)
    for stream, rows in zip(streams, split_by_stream(streams, features_of(streams)), strict=True):
        np.testing.assert_array_equal(rows, stream.features)


def worth_of(point):
    """By hand: what is shown rightly, less what is shown wrongly, a wrong start an hour counting a thousandth."""
    return point.shown_right - point.shown_listed - point.wrong_per_hour / 1000


def test_worth_is_what_is_shown_rightly_less_what_is_shown_wrongly():
    assert OperatingPoint(0.0, 0.5, 0.8, 0.3, 100.0, None).score == pytest.approx(0.4)


def test_a_windows_truth_is_the_label_that_holds_its_middle_and_its_end(streams):
    """A walk from 4 to 9 s is that of windows of 1.45 s that end from 4.8 to 9.0 s."""
    truth = _true_actions(streams[0])
    ends_s = streams[0].times_s
    np.testing.assert_allclose(ends_s[truth == WALK][[0, -1]], [4.8, 9.0])
    assert [int((truth == action).sum()) for action in (WALK, IDLE, OTHER, -1)] == [43, 23, 26, 14]


def test_the_threshold_is_above_what_unlisted_motion_gets_and_below_what_actions_get(streams):
    logits = [logits_of(stream, walk_in_other=6.3, seed=seed) for seed, stream in enumerate(streams)]
    rules, (points,) = calibrate([(streams, logits)], {})
    figures = as_json(outcomes(streams, logits, rules))
    assert figures["unlisted"]["shown_listed"] == 0
    assert figures["windows"]["macro_shown_right"] > 0.8
    lowest = Calibration(max(BIASES), rules.temperature, np.full(A, THRESHOLDS[0], np.float32))
    assert as_json(outcomes(streams, logits, lowest))["unlisted"]["shown_listed"] > 0.5
    best = max(points, key=worth_of)
    assert (best.other_bias, best.threshold) == (rules.other_bias, pytest.approx(rules.thresholds[0]))
    assert set(rules.by_action()) == set(ACTIONS) - {"other"}


def test_the_mean_worth_over_the_sets_counts(streams):
    """A set in which walks look like unlisted motion, and one in which unlisted motion looks like walks."""
    faint, hard = logits_of(streams[0], walk_in_other=0, noise=0), logits_of(streams[1], walk_in_other=6.3, noise=0)
    faint[(streams[0].times_s >= 4) & (streams[0].times_s < 9), OTHER] += 5.5
    one, two = (streams[:1], [faint]), (streams[1:], [hard])

    def chosen(*sets):
        rules, _ = calibrate(sets, {})
        return rules.other_bias, round(float(rules.thresholds[0]), 4)

    assert (chosen(one), chosen(two)) == ((0.0, 0.4), (-1.0, 0.4))
    assert chosen(one, two) == chosen(two, one) == (0.0, 0.6)


def test_overconfident_logits_are_cooled(streams):
    logits = [logits_of(stream, walk_in_other=3, noise=3.0) for stream in streams]
    plain, sharp = (calibrate([(streams, [scale * each for each in logits])], {})[0].temperature for scale in (1, 1.5))
    assert sharp == pytest.approx(1.5 * plain, rel=0.1)


def test_streams_without_a_label_are_one_line(streams):
    unlabelled = list(record([sequence_of(5, ())]))
    with pytest.raises(TrainingError, match="no window of the validation streams has a label"):
        calibrate([(unlabelled, [logits_of(unlabelled[0], walk_in_other=0)])], {})


def test_no_streams_at_all_are_one_line():
    for sets in ([], [([], [])]):
        with pytest.raises(TrainingError, match="no window of the validation streams has a label"):
            calibrate(sets, {})
