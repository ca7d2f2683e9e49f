"""What must be in view for a taught action: what was in view while it was taught."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from recognizer.teaching.clips import TeachingClip
from recognizer.view import ARMS, HIPS, LEGS, PARTS, BodyView, seen_parts
from recognizer.window import MIN_CONFIDENCE

_MOST = 0.5  # of an action's clips

Needs = dict[str, tuple[str, ...]]


def needs_of(
    names: Sequence[str],
    actions: Sequence[str],
    clips: Sequence[TeachingClip],
    known: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> Needs:
    """decision.needs of a card. names: on the card, one for each action of the clips. known: needs of a base's actions
    that stay beside them.

    An action of whose clips most lack the legs needs the arms, and the hips too unless most clips lack them; every
    other needs the whole body. An action that both know can be judged by what either needs, since the card's says what
    either says. Empty where every action needs the whole body, which is what a card without needs means.
    """
    needs = dict(known)
    for name, action in zip(names, actions, strict=True):
        needed = _needed([_view(clip) for clip in clips if clip.action == action])
        needs[name] = min(known.get(name, PARTS), needed, key=len)
    return needs if any(len(parts) < len(PARTS) for parts in needs.values()) else {}


def _needed(views: Sequence[BodyView]) -> tuple[str, ...]:
    def lack(part: str) -> bool:
        return sum(part not in view.parts for view in views) > _MOST * len(views)

    if not lack(LEGS):
        return PARTS
    return (ARMS,) if lack(HIPS) else (ARMS, HIPS)


def _view(clip: TeachingClip) -> BodyView:
    return seen_parts(clip.confidence >= MIN_CONFIDENCE, clip.layout)
