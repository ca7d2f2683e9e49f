"""Stillness that must not become a negative: a posture that is held as an action, in any of the takes."""

from collections.abc import Sequence

from recognizer.teaching.examples import NOTHING, Example
from recognizer.teaching.movement import Floats, alike, held_postures, posture, track_of


def without_held(examples: Sequence[Example]) -> list[Example]:
    """The examples without those stillnesses that show a posture in which an example of some action stands still,
    too."""
    still = [example for example in examples if example.around is not None]
    held = [each for example in examples if example.action != NOTHING for each in _held(example)] if still else []
    wrong = (
        {example.name for example in still if any(alike(_posture(example), each) for each in held)} if held else set()
    )
    return [example for example in examples if example.around is None or example.name not in wrong]


def _held(example: Example) -> list[Floats]:
    track = track_of(example.times_s, example.xy_px, example.confidence, example.layout)
    whole = (float(example.times_s[0]), float(example.times_s[-1]))
    return held_postures(track, [whole])


def _posture(example: Example) -> Floats:
    track = track_of(example.times_s, example.xy_px, example.confidence, example.layout)
    return posture(track, 0, len(track.times_s) - 1)
