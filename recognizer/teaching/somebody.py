"""Footage of nothing with nobody visible for long: the parts with a person are used, the rest is left out and told."""

from dataclasses import dataclass, replace

import numpy as np

from recognizer.teaching.check import Check
from recognizer.teaching.clips import TeachingClip
from recognizer.teaching.errors import TeachingError
from recognizer.teaching.lesson import NOTHING, body_seen, checked
from recognizer.teaching.request import TeachingRequest
from recognizer.teaching.windows import Shape
from recognizer.window import MAX_POSE_GAP_S

_MOST_NAMES = 5


@dataclass(frozen=True, slots=True)
class Emptied:
    """clips: names of those of which only a part was used, `used_s` of their `all_s` together. unused: those among them
    of which nothing was."""

    clips: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    used_s: float = 0.0
    all_s: float = 0.0

    def told(self, found: Check) -> Check:
        """The check with what was left out."""
        if not self.clips:
            return found
        names = ", ".join(self.clips[:_MOST_NAMES]) + (" and others" if len(self.clips) > _MOST_NAMES else "")
        clips = f"{len(self.clips)} clips" if len(self.clips) > 1 else "1 clip"
        line = (
            f"Nobody is visible for half of {clips} of {NOTHING} ({names}): only the parts with a person were used, "
            f"{self.used_s:.0f} of {self.all_s:.0f} s."
        )
        return replace(found, left_out=self.unused, remarks=(*found.remarks, line))


def with_somebody(request: TeachingRequest, shape: Shape) -> tuple[TeachingRequest, Emptied]:
    """The request whose footage of nothing shows somebody, as live recognition would see it: without a gap, and for a
    window at least. What is longer is cut at its gaps; later parts of a clip have names of their own.

    Raises TeachingError where a clip of an action shows nobody in half of its time: it may be another than it seems.
    """
    clips, test, emptied = list[TeachingClip](), list[str](), list[tuple[TeachingClip, list[TeachingClip]]]()
    for clip in request.clips:
        parts = [clip]
        if not _is_whole(clip, shape):
            parts = _stretches(clip, shape)
            emptied.append((clip, parts))
        clips += parts
        if clip.name in request.test:
            test += [part.name for part in parts]
    found = Emptied(
        tuple(clip.name for clip, _ in emptied),
        tuple(clip.name for clip, parts in emptied if not parts),
        sum(_seconds(part) for _, parts in emptied for part in parts),
        sum(_seconds(clip) for clip, _ in emptied),
    )
    return replace(request, clips=clips, test=tuple(test)), found


def _is_whole(clip: TeachingClip, shape: Shape) -> bool:
    try:
        checked(clip, shape)
    except TeachingError:
        if clip.action != NOTHING:
            raise
        return False
    return True


def _stretches(clip: TeachingClip, shape: Shape) -> list[TeachingClip]:
    """Spans that show a body without a gap, at least a window long."""
    confidence = np.where(np.isfinite(clip.xy_px).all(axis=-1), clip.confidence, 0)
    places = np.flatnonzero(body_seen(confidence, clip.layout))
    if not len(places):
        return []
    found: list[TeachingClip] = []
    for run in np.split(places, np.flatnonzero(np.diff(clip.times_s[places]) > MAX_POSE_GAP_S) + 1):
        chosen = slice(run[0], run[-1] + 1)
        if clip.times_s[run[-1]] - clip.times_s[run[0]] >= shape.span_s:
            name = clip.name if not found else f"{clip.name} (part {len(found) + 1})"
            part = replace(
                clip,
                name=name,
                times_s=clip.times_s[chosen],
                xy_px=clip.xy_px[chosen],
                confidence=clip.confidence[chosen],
            )
            if _is_whole(part, shape):
                found.append(part)
    return found


def _seconds(clip: TeachingClip) -> float:
    return float(clip.times_s[-1] - clip.times_s[0]) if len(clip.times_s) else 0.0
