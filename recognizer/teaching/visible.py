"""Footage of nothing that shows nobody for long: parts with a person are used, the rest is left out and reported."""

from dataclasses import dataclass, replace

import numpy as np

from recognizer.teaching.check import Check
from recognizer.teaching.errors import TeachingError
from recognizer.teaching.examples import Example
from recognizer.teaching.lesson import NOTHING, body_seen, checked
from recognizer.teaching.request import TeachingRequest
from recognizer.teaching.windows import Shape
from recognizer.window import MAX_POSE_GAP_S


@dataclass(frozen=True, slots=True)
class NotVisible:
    """examples: names of those of which only a part was used, `used_s` of their `all_s` together. unused: those among
    them of which nothing was."""

    examples: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    used_s: float = 0.0
    all_s: float = 0.0

    def added_to(self, found: Check) -> Check:
        """The check with what was left out."""
        if not self.examples:
            return found
        return replace(found, left_out=self.unused, remarks=(*found.remarks, self._sentence()))

    def _sentence(self) -> str:
        one = len(self.examples) == 1
        recordings = "one recording" if one else f"{len(self.examples)} recordings"
        used = f" ({self.used_s:.0f} of {self.all_s:.0f} s)" if round(self.used_s) else ""
        rest = f"only the rest was used{used}"
        if len(self.unused) == len(self.examples):
            rest = f"{'it was' if one else 'they were'} left out"
        return f"In {recordings} of “{NOTHING}” nobody was in view most of the time; {rest}."


def visible_parts(request: TeachingRequest, shape: Shape) -> tuple[TeachingRequest, NotVisible]:
    """The request whose footage of nothing shows somebody, as live recognition would see it: without a gap, and for a
    window at least. What is longer is cut at its gaps; later parts of an example have names of their own.

    Raises TeachingError where an example of an action shows nobody in half of its time: it may be another than it
    seems.
    """
    examples, test, hidden = list[Example](), list[str](), list[tuple[Example, list[Example]]]()
    for example in request.examples:
        parts = [example]
        if not _is_whole(example, shape):
            parts = _stretches(example, shape)
            hidden.append((example, parts))
        examples += parts
        if example.name in request.test:
            test += [part.name for part in parts]
    found = NotVisible(
        tuple(example.name for example, _ in hidden),
        tuple(example.name for example, parts in hidden if not parts),
        sum(_seconds(part) for _, parts in hidden for part in parts),
        sum(_seconds(example) for example, _ in hidden),
    )
    return replace(request, examples=examples, test=tuple(test)), found


def _is_whole(example: Example, shape: Shape) -> bool:
    try:
        checked(example, shape)
    except TeachingError:
        if example.action != NOTHING:
            raise
        return False
    return True


def _stretches(example: Example, shape: Shape) -> list[Example]:
    """Spans that show a body without a gap, at least a window long."""
    confidence = np.where(np.isfinite(example.xy_px).all(axis=-1), example.confidence, 0)
    places = np.flatnonzero(body_seen(confidence, example.layout))
    if not len(places):
        return []
    found: list[Example] = []
    for run in np.split(places, np.flatnonzero(np.diff(example.times_s[places]) > MAX_POSE_GAP_S) + 1):
        chosen = slice(run[0], run[-1] + 1)
        if example.times_s[run[-1]] - example.times_s[run[0]] >= shape.span_s:
            name = example.name if not found else f"{example.name} (part {len(found) + 1})"
            part = replace(
                example,
                name=name,
                times_s=example.times_s[chosen],
                xy_px=example.xy_px[chosen],
                confidence=example.confidence[chosen],
            )
            if _is_whole(part, shape):
                found.append(part)
    return found


def _seconds(example: Example) -> float:
    return float(example.times_s[-1] - example.times_s[0]) if len(example.times_s) else 0.0
