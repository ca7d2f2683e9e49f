"""What Quick teaching computes from the examples, once: features of their windows, original and augmented.

W windows, D numbers of a description. Fitting and checking read nothing else, so a check of many folds takes moments.
"""

import hashlib
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import Layout
from recognizer.teaching.background import everyday_motion
from recognizer.teaching.copies import joined_groups, near_copies
from recognizer.teaching.description import Embedder, describe
from recognizer.teaching.errors import TeachingError
from recognizer.teaching.examples import NOTHING as NOTHING
from recognizer.teaching.examples import Example
from recognizer.teaching.windows import (
    Array,
    ResampledExample,
    Shape,
    WindowAugmentation,
    as_clips,
    augmented_positions,
    cut,
    jittered,
    joined,
    mirrored,
    resampled,
    sliding,
)

MIN_EXAMPLES = 3  # of an action

_HOP_S = 0.2  # between windows that are judged
_MAX_WINDOWS = 4000  # judged of the footage of nothing: beyond, they are further apart
_BATCH = 64
_SHORTEST_S = 0.2
_BODY = ("shoulder", "hip")

Progress = Callable[[float], None]  # part of the work that is done, 0..1


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """description: (W, D). owner: (W,) index of the example that each was cut from; windows of an example are in
    order of time."""

    description: Array
    owner: NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """actions: the taught ones, in order of their names. examples: all, "nothing" among them. target: (C,) index of
    each example's action, len(actions) for nothing. augmented: windows to train on; original: windows to
    test on, hop_s[example] apart. background: windows of everyday motions, whose owner is an index into
    background_actions. together: (C,) groups that are held out together, by the index of their first example: an
    example, the stillness around it, and all that show the same moment. host: (C,) index of the example that a
    stillness is around; every other example's own index."""

    actions: tuple[str, ...]
    examples: tuple[Example, ...]
    target: NDArray[np.intp]
    augmented: Windows
    original: Windows
    hop_s: NDArray[np.float64]
    background: Windows
    background_actions: tuple[str, ...] = field(default=())
    together: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))
    host: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))

    @property
    def still(self) -> NDArray[np.bool_]:
        """(C,) which examples are the stillness around another."""
        return np.array([example.around is not None for example in self.examples], np.bool_)


def prepare(
    examples: Sequence[Example],
    embedder: Embedder,
    shape: Shape,
    changes: WindowAugmentation,
    *,
    one_sided: Collection[str] = (),
    seed: int = 0,
    progress: Progress = lambda part: None,
) -> Lesson:
    """Compute the features of the examples' windows. one_sided: actions whose mirror image means something else.

    Raises TeachingError where there is no action, or where an example shows too little of a body.
    """
    actions = tuple(sorted({example.action for example in examples} - {NOTHING}))
    if not actions:
        raise TeachingError("there is no action to teach; label segments with the name of an action")
    cutter = _Cutter(shape, changes, np.random.default_rng(seed), embedder, progress)
    even = [checked(example, shape) for example in examples]
    background = everyday_motion(shape)
    nothing_s = sum(each.duration_s for example, each in zip(examples, even, strict=True) if example.action == NOTHING)
    nothing_hop_s = max(_HOP_S, nothing_s / _MAX_WINDOWS)
    hop_s = np.array([nothing_hop_s if example.action == NOTHING else _HOP_S for example in examples])
    lots = [
        cutter.augmented(each, mirror=example.action not in one_sided)
        for example, each in zip(examples, even, strict=True)
    ]
    original = [cutter.original(each, hop) for each, hop in zip(even, hop_s, strict=True)]
    around = [cutter.augmented(stretch.example, mirror=True, windows=_FEW) for stretch in background]
    first, second, third = cutter.describe(lots, original, around)
    hosts = _hosts(examples)
    return Lesson(
        actions=actions,
        examples=tuple(examples),
        target=np.array([actions.index(c.action) if c.action != NOTHING else len(actions) for c in examples], np.intp),
        augmented=first,
        original=second,
        hop_s=hop_s,
        background=third,
        background_actions=tuple(stretch.action for stretch in background),
        together=_together(examples, hosts),
        host=hosts,
    )


def _hosts(examples: Sequence[Example]) -> NDArray[np.intp]:
    places = {example.name: index for index, example in enumerate(examples)}
    return np.array(
        [places.get(example.around or example.name, index) for index, example in enumerate(examples)], np.intp
    )


def _together(examples: Sequence[Example], hosts: NDArray[np.intp]) -> NDArray[np.intp]:
    own = [index for index, example in enumerate(examples) if example.around is None]
    copies = [(own[a], own[b]) for a, b in near_copies([examples[index] for index in own])]
    return joined_groups(len(examples), [*enumerate(hosts.tolist()), *copies])


def with_extra(
    lesson: Lesson,
    extra: Sequence[tuple[int, Example]],
    embedder: Embedder,
    shape: Shape,
    changes: WindowAugmentation,
    *,
    one_sided: Collection[str] = (),
    seed: int = 0,
    progress: Progress = lambda part: None,
) -> Lesson:
    """The lesson with further examples to fit to, each with the index of the lesson's example that it goes with: it is
    left out with that example, shares its weight, and is never judged by."""
    if not extra:
        return lesson
    cutter = _Cutter(shape, changes, np.random.default_rng(seed), embedder, progress)
    lots = [cutter.augmented(checked(example, shape), mirror=example.action not in one_sided) for _, example in extra]
    (found,) = cutter.describe(lots)
    owner = np.array([place for place, _ in extra], np.intp)[found.owner]
    both = lesson.augmented
    joint = Windows(np.concatenate([both.description, found.description]), np.concatenate([both.owner, owner]))
    return replace(lesson, augmented=joint)


_FEW = 3  # windows of a stretch of background of a window's length
_Lot = tuple[Array, Array]  # xy (W, T, V, 2), confidence (W, T, V)


class _Cutter:
    """Cuts windows and computes their features, with progress."""

    def __init__(
        self,
        shape: Shape,
        changes: WindowAugmentation,
        rng: np.random.Generator,
        embedder: Embedder,
        progress: Progress,
    ) -> None:
        self._shape, self._changes, self._rng = shape, changes, rng
        self._embedder, self._progress = embedder, progress

    def original(self, example: ResampledExample, hop_s: float) -> _Lot:
        return cut(example, sliding(example, self._shape, hop_s))

    def augmented(self, example: ResampledExample, *, mirror: bool, windows: int | None = None) -> _Lot:
        shape, changes, layout = self._shape, self._changes, self._shape.layout
        count = changes.windows if windows is None else windows
        changed = cut(example, augmented_positions(example, shape, changes, self._rng, count))
        # The original windows too: they are what is seen live.
        lots = [cut(example, sliding(example, shape, 2 * _HOP_S)), jittered(*changed, layout, changes, self._rng)]
        both = joined(lots)
        return joined([both, mirrored(*both, layout)]) if mirror and changes.mirror else both

    def describe(self, *groups: Sequence[_Lot]) -> list[Windows]:
        """The windows of each group of lots; the owner of a window is the index of its lot in its group."""
        xy, confidence = joined([lot for group in groups for lot in group])
        described = self._described(xy, confidence)
        found, first = [], 0
        for group in groups:
            counts = [len(lot[0]) for lot in group]
            owner = np.repeat(np.arange(len(group)), counts)
            found.append(Windows(described[first : first + len(owner)], owner))
            first += len(owner)
        return found

    def _described(self, xy: Array, confidence: Array) -> Array:
        """(W, D). Duplicates, such as original windows used for both fitting and checking, are computed once."""
        places: dict[bytes, int] = {}
        same = [places.setdefault(_mark(*pair), len(places)) for pair in zip(xy, confidence, strict=True)]
        firsts = np.unique(same, return_index=True)[1]
        parts = []
        for begin in range(0, len(firsts), _BATCH):
            here = firsts[begin : begin + _BATCH]
            parts.append(describe(as_clips(xy[here], confidence[here], self._shape), self._embedder))
            self._progress((begin + len(here)) / len(firsts))
        return np.concatenate(parts)[same]


def _mark(xy: Array, confidence: Array) -> bytes:
    return hashlib.blake2b(xy.tobytes() + confidence.tobytes(), digest_size=16).digest()


def checked(example: Example, shape: Shape) -> ResampledExample:
    """The example at even times. Raises TeachingError if it cannot be trained on."""
    if len(example.times_s) < 2 or example.times_s[-1] - example.times_s[0] < _SHORTEST_S:
        raise TeachingError(f"example {example.name} is shorter than {_SHORTEST_S:g} s; lengthen it or leave it out")
    if not np.isfinite(example.times_s).all() or not (np.diff(example.times_s) > 0).all():
        raise TeachingError(f"the times of example {example.name} do not increase; record it again or leave it out")
    found = resampled(example, shape)
    if not math.isfinite(float(found.xy.sum())) or not trunk_seen(found.confidence, shape.layout):
        raise TeachingError(f"example {example.name} shows nobody for half of its length; leave it out")
    return found


def trunk_seen(confidence: Array, layout: Layout) -> bool:
    """Whether a shoulder or a hip is seen in half of the poses (n, V)."""
    return float(body_seen(confidence, layout).mean()) >= 0.5


def body_seen(confidence: Array, layout: Layout) -> NDArray[np.bool_]:
    """(n,) whether a shoulder or a hip is seen in each pose (n, V)."""
    places = [index for index, joint in enumerate(layout.joints) if joint.partition("_")[2] in _BODY]
    return np.asarray(np.any(confidence[:, places] > 0, axis=1))
