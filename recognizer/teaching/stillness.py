"""Stillness that must not become a negative: a posture that is held as an action, in any of the takes."""

from collections.abc import Sequence

from recognizer.teaching.clips import NOTHING, TeachingClip
from recognizer.teaching.movement import Floats, alike, held_postures, posture, track_of


def without_held(clips: Sequence[TeachingClip]) -> list[TeachingClip]:
    """The clips without those stillnesses that show a posture in which a clip of some action stands still, too."""
    still = [clip for clip in clips if clip.around is not None]
    held = [each for clip in clips if clip.action != NOTHING for each in _held(clip)] if still else []
    wrong = {clip.name for clip in still if any(alike(_posture(clip), each) for each in held)} if held else set()
    return [clip for clip in clips if clip.around is None or clip.name not in wrong]


def _held(clip: TeachingClip) -> list[Floats]:
    track = track_of(clip.times_s, clip.xy_px, clip.confidence, clip.layout)
    whole = (float(clip.times_s[0]), float(clip.times_s[-1]))
    return held_postures(track, [whole])


def _posture(clip: TeachingClip) -> Floats:
    track = track_of(clip.times_s, clip.xy_px, clip.confidence, clip.layout)
    return posture(track, 0, len(track.times_s) - 1)
