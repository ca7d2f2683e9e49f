"""The benchmark of streams says of a sequence what a headless run says of a video of the same poses."""

import json
import time
from pathlib import Path

import numpy as np
import pytest
from engine_fakes import FakeSource
from streams import Scripted, sequence_of
from toy_recognizer import ACTIONS

from app.outputs.json_lines import event_line, prediction_line, result_lines
from app.results import PersonResult, Result
from pose.skeleton import OPENPOSE_18
from pose.types import Frame, Pose
from recognizer.datasets.webcam_poses import read
from recognizer.model_card import DecisionRules, find_model
from recognizer.onnx_recognizer import OnnxRecognizer
from recognizer.training.streams.run import stream_sequence

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "datasets" / "webcam_poses"
# Short ones at several rates: walks, one who sits down, push-ups, a swing, something unlisted, and one at a desk.
NAMES = ("w0002", "w0050", "w0200", "w0300", "w0400", "h0019", "d0001")


class Video(FakeSource):
    """Black frames at the times of a sequence."""

    def __init__(self, sequence):
        super().__init__(live=False, frames=len(sequence.times_s), fps=0)
        self._times_s = sequence.times_s

    def read(self):
        frame = super().read()
        if frame is None:
            return None
        return Frame(frame.bgr, float(self._times_s[frame.index]), frame.captured_s, frame.index)


class Poses:
    """An estimator that finds the poses of the sequence."""

    def __init__(self, sequence):
        self._sequence = sequence

    def estimate(self, frame):
        s, place = self._sequence, frame.index
        return (Pose(s.xy_px[place], s.confidence[place], s.layout, frame.time_s),) if s.posed[place] else ()

    def close(self):
        pass


def lines_of_the_engine(run, sequence, recognizer):
    """What `--headless --json` writes, without the ages."""
    started = run(Video(sequence), estimator=Poses(sequence), recognizer=recognizer, paced=False)
    assert started.engine.wait(60)
    assert started.engine.failure is None
    lines = [json.loads(line) for result in started.results for line in result_lines(result)]
    for line in lines:
        line.pop("age_ms", None)
        if line["type"] == "prediction":  # the benchmark looks at actions, not at repetitions
            line.pop("count", None)
            line.pop("per_minute", None)
    return [line for line in lines if line["person"] is not None and line["type"] != "rep"]


def lines_of_the_stream(sequence, recognizer):
    """The same of what the benchmark computed."""
    streamed = stream_sequence(sequence, recognizer)
    lines = []
    for index, moment in enumerate(streamed.moments):
        if moment.fresh:
            frame = Frame(np.zeros((4, 4, 3), np.uint8), moment.time_s, time.perf_counter(), index)
            pose = Pose(sequence.xy_px[index], sequence.confidence[index], sequence.layout, moment.time_s)
            person = PersonResult(pose, moment.decision, fresh=True)
            line = json.loads(prediction_line(Result(frame, (person,), (), False, frame.captured_s), person))
            del line["age_ms"]
            lines.append(line)
    return lines, [json.loads(event_line(event)) for event in streamed.events]


def compare(run, sequence, recognizer, engines_own=None):
    """The number of predictions and of events, all of them equal. The engine closes its recognizer at the end."""
    live = lines_of_the_engine(run, sequence, engines_own or recognizer)
    predictions, events = lines_of_the_stream(sequence, recognizer)
    assert [line for line in live if line["type"] == "prediction"] == predictions
    assert [line for line in live if line["type"] != "prediction"] == events
    return len(predictions), len(events)


SEQUENCES = {
    "plain": sequence_of(12, []),
    "no legs for a while": sequence_of(12, [], hidden=[(5, 8)]),
    "no pose for a moment and for a while": sequence_of(14, [], absent=[(4, 4.3), (6, 7), (9, 11)]),
    "nobody at all": sequence_of(4, [], absent=[(0, 5)]),
    "a slow camera and another layout": sequence_of(12, [], fps=9.0, layout=OPENPOSE_18),
    "a fast one": sequence_of(8, [], fps=57.0),
}


@pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES.keys())
def test_scripted_predictions(run, sequence):
    recognizer = Scripted({0: "idle", 3: "walk", 5: "wave", 7: "other", 9.5: "walk"}, fps=20.0)
    recognizer.provider, recognizer.provider_note, recognizer.close = "cpu", "", lambda: None
    predictions, events = compare(run, sequence, recognizer)
    if sequence.posed.any():
        assert predictions > 40
        assert events >= 4


def test_half_a_body_that_is_judged(run):
    rules = DecisionRules(1.0, dict.fromkeys(ACTIONS, 0.3), ("other",), {"wave": ("arms",)})
    recognizer = Scripted({0: "walk", 6: "wave", 10: "walk"}, fps=20.0, decision=rules)
    recognizer.provider, recognizer.provider_note, recognizer.close = "cpu", "", lambda: None
    sequence = sequence_of(16, [], hidden=[(4, 13)])
    predictions, events = compare(run, sequence, recognizer)
    assert predictions == 146
    # Walking, legs out of view, waving, then walking of which nothing is said before the legs are back.
    assert events == 6


@pytest.fixture
def act():
    if not (ROOT / "weights" / "act" / "card.json").is_file():
        pytest.skip("weights/act is not there")
    recognizer = OnnxRecognizer(find_model("act"), "cpu")
    yield recognizer
    recognizer.close()


def test_real_poses_through_a_shipped_recognizer(run, act):
    if not REAL.is_dir():
        pytest.skip("the poses of real people are not here")
    told = np.zeros(2, int)
    for sequence in read(REAL):
        if sequence.name in NAMES:
            told += compare(run, sequence, act, lambda: OnnxRecognizer(find_model("act"), "cpu"))
    assert told[0] > 150
    assert told[1] >= 4
