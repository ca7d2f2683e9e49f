"""What must be in view for a taught action: what was in view while it was taught."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from recognizer.teaching.examples import Example
from recognizer.view import ARMS, HIPS, LEGS, PARTS, BodyView, seen_parts
from recognizer.window import MIN_CONFIDENCE

_MAX_LACKING = 0.5  # of an action's examples

Needs = dict[str, tuple[str, ...]]


def needs_of(
    names: Sequence[str],
    actions: Sequence[str],
    examples: Sequence[Example],
    known: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> Needs:
    """decision.needs of a card. names: on the card, one for each action of the examples. known: needs of a base's
    actions that stay beside them.

    An action of whose examples most lack the legs needs the arms, and the hips too unless most examples lack them;
    every other needs the whole body. An action that both know can be judged by what either needs, since the card's says
    what either says. Empty where every action needs the whole body, which is what a card without needs means.
    """
    needs = dict(known)
    for name, action in zip(names, actions, strict=True):
        needed = _needed([_view(example) for example in examples if example.action == action])
        needs[name] = min(known.get(name, PARTS), needed, key=len)
    return needs if any(len(parts) < len(PARTS) for parts in needs.values()) else {}


def _needed(views: Sequence[BodyView]) -> tuple[str, ...]:
    def lack(part: str) -> bool:
        return sum(part not in view.parts for view in views) > _MAX_LACKING * len(views)

    if not lack(LEGS):
        return PARTS
    return (ARMS,) if lack(HIPS) else (ARMS, HIPS)


def _view(example: Example) -> BodyView:
    return seen_parts(example.confidence >= MIN_CONFIDENCE, example.layout)
