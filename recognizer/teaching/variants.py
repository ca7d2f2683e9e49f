"""Generated variants of a user's few examples: used for training only, never for evaluation, and kept only if they
help.

A generator knows only its own actions and generates clips of those. For any other action it supplies within-action
variation: the difference of two generated clips of the nearest action, with the same label and different noise, is
added to the user's poses (as Schwartz et al., Delta-encoder, NeurIPS 2018, do with image features). N examples, T
frames, V joints of the recognizer's layout.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pose.skeleton import Layout, convert
from recognizer.generator import GeneratedClip, GeneratorCard, OnnxGenerator
from recognizer.teaching.check import Check, VariantComparison, check
from recognizer.teaching.description import Embedder
from recognizer.teaching.examples import Example
from recognizer.teaching.lesson import NOTHING, Lesson, Progress, with_extra
from recognizer.teaching.quick import QuickSettings, TaughtHead, teach
from recognizer.teaching.windows import Array, Shape, WindowAugmentation, torso_px

_REFERENCE_CLIPS = 2  # generated clips of each of the generator's actions, to find the nearest
_REFERENCE_SEED = 1 << 20
_LIMBS = (("elbow", "shoulder"), ("wrist", "elbow"), ("knee", "hip"), ("ankle", "knee"))
_FACTORS = (0.5, 2.0)  # bounds of a change of a limb's length


@dataclass(frozen=True, slots=True)
class VariantSettings:
    """each: variants of an example. strength: part of a difference that is added to an example. windows: of a variant
    of the recognizer's own length, beside the unchanged ones (windows.WindowAugmentation has those of examples)."""

    each: int = 4
    strength: float = 0.5
    windows: int = 3


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """example: the training example. of: the index of the user's example that it varies. provenance: how it was
    made."""

    example: Example
    of: int
    provenance: dict[str, Any]


def make_variants(
    examples: Sequence[Example],
    generator: OnnxGenerator,
    layout: Layout,
    settings: VariantSettings | None = None,
    seed: int = 0,
) -> list[Variant]:
    """Of every example of an action in which a body is seen; layout: the recognizer's. Raises GeneratorError."""
    settings = settings or VariantSettings()
    known = {_comparable(action): action for action in generator.card.actions}
    nearest = _NearestAction(generator, layout)
    found = []
    for index, example in enumerate(examples):
        body = _body(example, layout)
        if example.action == NOTHING or body.torso <= 0:
            continue
        action = known.get(_comparable(example.action))
        numbers = range(2 * settings.each * index, 2 * settings.each * (index + 1))
        if action is not None:
            made = generator.mixed({action: 1.0}, numbers[: settings.each], seed)
            variants = [(_placed(example, body, each), {"made": "whole", **each.provenance}) for each in made]
        else:
            pairs = generator.mixed({nearest.action(body): 1.0}, numbers, seed)
            variants = [
                (
                    _deformed(example, body, settings.strength * (_joints(a, layout) - _joints(b, layout))),
                    {"made": "difference", **b.provenance, "numbers": [a.number, b.number]},
                )
                for a, b in zip(pairs[::2], pairs[1::2], strict=True)
            ]
        for number, (variant, provenance) in enumerate(variants, 1):
            named = replace(variant, name=f"{example.name} (variant {number})")
            found.append(Variant(named, index, provenance))
    return found


def try_variants(
    lesson: Lesson,
    taught: TaughtHead,
    found: Check,
    variants: Sequence[Variant],
    generator: GeneratorCard,
    embedder: Embedder,
    shape: Shape,
    *,
    settings: VariantSettings | None = None,
    quick: QuickSettings | None = None,
    one_sided: Collection[str] = (),
    seed: int = 0,
    progress: Progress = lambda part: None,
) -> tuple[TaughtHead, Check]:
    """The result with variants if more held-out examples are right and footage of nothing gives no more false alarms;
    otherwise the result without.

    taught, found: without variants. A variant shares its example's fold: a head that predicts the example has seen
    neither. The check says what was tried.
    """
    changes = WindowAugmentation(windows=(settings or VariantSettings()).windows)
    extra = [(variant.of, variant.example) for variant in variants]
    richer = with_extra(lesson, extra, embedder, shape, changes, one_sided=one_sided, seed=seed, progress=progress)
    taught_more = teach(richer, quick)
    found_more = check(richer, taught_more, shape, quick)
    before, after = found.checks[0], found_more.checks[0]
    alarms, alarms_more = (None if each.alarms is None else each.alarms.an_hour for each in (found, found_more))
    kept = after.accuracy > before.accuracy and (alarms is None or alarms_more is None or alarms_more <= alarms)
    tried = VariantComparison(
        generator=generator.name,
        sha256=generator.sha256,
        seed=seed,
        variants=len(variants),
        held_out=before.held_out,
        examples=before.examples,
        accuracy_without=before.accuracy if before.examples else None,
        accuracy_with=after.accuracy if after.examples else None,
        alarms_without=alarms,
        alarms_with=alarms_more,
        kept=kept,
        made=tuple(_listed(lesson, variant) for variant in variants) if kept else (),
    )
    return (taught_more, replace(found_more, variants=tried)) if kept else (taught, replace(found, variants=tried))


def _listed(lesson: Lesson, variant: Variant) -> dict[str, Any]:
    example = variant.example
    return {
        "name": example.name,
        "action": example.action,
        "of": lesson.examples[variant.of].name,
        **variant.provenance,
    }


def _comparable(action: str) -> str:
    """A name as it is compared: "Jumping jacks" is jumping_jacks."""
    return "_".join(action.casefold().replace("_", " ").replace("-", " ").split())


@dataclass(frozen=True, slots=True, eq=False)
class _Body:
    """An example in the recognizer's layout. xy: (n, V, 2) pixels; confidence: (n, V); torso: pixels, 0 where
    unseen."""

    xy: Array
    confidence: Array
    layout: Layout
    torso: float

    @property
    def hips(self) -> Array:
        """(n, 2) the middle of the hips; that of the frames where they are seen, where they are not."""
        pair = [self.layout.index(f"{side}_hip") for side in ("left", "right")]
        middle = self.xy[:, pair].mean(axis=1)
        seen = np.min(self.confidence[:, pair], axis=1) > 0
        hips: Array = np.where(seen[:, None], middle, middle[seen].mean(axis=0)) if seen.any() else middle
        return hips


def _body(example: Example, layout: Layout) -> _Body:
    xy, confidence = convert(example.xy_px, example.confidence, example.layout, layout)
    confidence = np.where(np.isfinite(xy).all(axis=-1), confidence, 0).astype(np.float32)
    xy = np.where(confidence[..., None] > 0, xy, 0).astype(np.float32)
    return _Body(xy, confidence, layout, float(torso_px(xy[None], confidence[None], layout)[0]))


def _joints(made: GeneratedClip, layout: Layout) -> Array:
    """(T, V, 2) of another layout, in its own torsos."""
    xy, confidence = convert(made.joints, np.ones(made.joints.shape[:2], np.float32), made.layout, layout)
    torso = float(torso_px(xy[None], confidence[None], layout)[0])
    joints: Array = xy / max(torso, 1e-3)
    return joints


class _NearestAction:
    """The generator's action that is nearest to an example."""

    def __init__(self, generator: OnnxGenerator, layout: Layout) -> None:
        self._generator, self._layout = generator, layout
        self._known: list[tuple[str, Array]] = []

    def action(self, body: _Body) -> str:
        """By the mean distance of joints over the example's time, to which the generated clips are stretched."""
        generator = self._generator
        if not self._known:
            for action in generator.card.actions:
                made = generator.mixed({action: 1.0}, range(_REFERENCE_CLIPS), _REFERENCE_SEED)
                self._known += [(action, _joints(each, self._layout)) for each in made]
        places = np.linspace(0, len(body.xy) - 1, generator.card.frames).round().astype(np.intp)
        ours = ((body.xy - body.hips[:, None]) / body.torso)[places]
        seen = body.confidence[places] > 0
        return min(self._known, key=lambda each: float(np.linalg.norm(ours - each[1], axis=-1)[seen].mean()))[0]


def _deformed(example: Example, body: _Body, difference: Array) -> Example:
    """The example with a difference (T, V, 2), in torsos, spread over its time."""
    part = (example.times_s - example.times_s[0]) / (example.times_s[-1] - example.times_s[0]) * (len(difference) - 1)
    before = np.minimum(part.astype(np.intp), len(difference) - 2)
    share = (part - before)[:, None, None]
    added = difference[before] * (1 - share) + difference[before + 1] * share
    xy = np.where(body.confidence[..., None] > 0, body.xy + body.torso * added, 0).astype(np.float32)
    return replace(example, xy_px=xy, confidence=body.confidence, layout=body.layout)


def _placed(example: Example, body: _Body, made: GeneratedClip) -> Example:
    """A generated clip with the user's size and proportions where the user stood; only the joints that the example
    shows."""
    joints = _proportioned(_joints(made, body.layout), body)
    ankles = joints[:, [body.layout.index(f"{side}_ankle") for side in ("left", "right")], 1].max(axis=1)
    # Hips do not move in generated clips: the lower foot stays on the ground instead.
    joints = joints - np.stack([np.zeros_like(ankles), ankles - ankles.max()], axis=-1)[:, None]
    xy = (joints * body.torso + np.median(body.hips, axis=0)).astype(np.float32)
    shown = (body.confidence > 0).mean(axis=0) >= 0.5
    confidence = np.broadcast_to(shown, xy.shape[:2]).astype(np.float32)
    times_s = np.linspace(0, made.duration_s, len(xy))
    return replace(
        example,
        times_s=times_s,
        xy_px=np.where(shown[:, None], xy, 0).astype(np.float32),
        confidence=confidence,
        layout=body.layout,
    )


def _proportioned(joints: Array, body: _Body) -> Array:
    """A generated clip (T, V, 2) in torsos with the user's limb lengths and widths: the generator's skeleton may be
    that of another sensor, with hips elsewhere."""
    layout, seen = body.layout, body.confidence > 0
    ours = body.xy / body.torso
    out = joints.copy()

    def pair(part: str) -> list[int]:
        return [layout.index(f"{side}_{part}") for side in ("left", "right")]

    def factor(ends: list[int], starts: list[int], middle: bool = False) -> float:
        """How much longer it is on the user: medians over the frames that show it."""
        lengths = []
        for xy, shown in ((ours, seen), (joints, np.ones(joints.shape[:2], bool))):
            start = xy[:, starts].mean(axis=1, keepdims=True) if middle else xy[:, starts]
            there = np.asarray(shown[:, [*ends, *starts]]).all(axis=1)
            lengths.append(np.median(np.linalg.norm(xy[:, ends] - start, axis=-1)[there]) if there.any() else 0.0)
        user, own = lengths
        return float(np.clip(user / own, *_FACTORS)) if user > 0 and own > 0 else 1.0

    for end in ("shoulder", "hip"):
        place = pair(end)
        middle = joints[:, place].mean(axis=1, keepdims=True)
        out[:, place] = middle + factor(place, place, middle=True) * (joints[:, place] - middle)
    head, shoulders = [layout.index("head")], pair("shoulder")
    middle = joints[:, shoulders].mean(axis=1, keepdims=True)
    out[:, head] = middle + factor(head, shoulders, middle=True) * (joints[:, head] - middle)
    for end, start in _LIMBS:
        ends, starts = pair(end), pair(start)
        out[:, ends] = out[:, starts] + factor(ends, starts) * (joints[:, ends] - joints[:, starts])
    return out
