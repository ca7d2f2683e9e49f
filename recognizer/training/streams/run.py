"""What the live program shows for a labelled sequence."""

from dataclasses import dataclass

from pose.types import Pose
from recognizer.datasets.sequences import LabelledSequence
from recognizer.decision import ActionEvent, Decision
from recognizer.live import GONE_S, LiveRecognition, Predictor


@dataclass(frozen=True, slots=True)
class Moment:
    """What is on the screen from a frame on. decision: the person's; None where nobody is there or none was made yet.

    fresh: the decision was made on this very frame. likeliest: the action of the highest probability in the clip of
    this frame, before any threshold; None where none was recognized.
    """

    time_s: float
    decision: Decision | None
    fresh: bool
    likeliest: str | None


@dataclass(frozen=True, slots=True)
class StreamResult:
    """A moment for each frame of a sequence, and the starts and ends of actions in order."""

    moments: tuple[Moment, ...]
    events: tuple[ActionEvent, ...]


def stream_sequence(sequence: LabelledSequence, recognizer: Predictor) -> StreamResult:
    """Run the live program on the sequence, at the sequence's own times.

    A frame without a pose keeps what was shown until the person counts as gone; the end of the sequence ends what is
    running.
    """
    live = LiveRecognition(recognizer)
    moments: list[Moment] = []
    events: list[ActionEvent] = []
    decision, seen_s = None, 0.0
    for place, (time_s, posed) in enumerate(zip(sequence.times_s.tolist(), sequence.posed, strict=True)):
        pose = Pose(sequence.xy_px[place], sequence.confidence[place], sequence.layout, time_s)
        persons = live.process(time_s, (pose,) if posed else ())
        events += live.take_events()
        fresh, likeliest = False, None
        for person in persons:
            decision, fresh, seen_s = person.decision, person.fresh, time_s
            if fresh and person.prediction is not None:
                likeliest = person.prediction.actions[int(person.prediction.probabilities.argmax())]
        if time_s - seen_s > GONE_S:
            decision = None
        moments.append(Moment(time_s, decision, fresh, likeliest))
    live.clear()
    return StreamResult(tuple(moments), (*events, *live.take_events()))
