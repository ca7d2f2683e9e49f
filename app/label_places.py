"""Where the labels of several people stand: each near its head, inside the picture, and off the others."""

from collections.abc import Sequence
from itertools import product

Box = tuple[float, float, float, float]  # left, top, width, height

_GAP = 2.0


def free_place(box: Box, taken: Sequence[Box], picture: Box) -> Box:
    """The place nearest to the box, beside, above or below the boxes that are taken, and inside the picture; the box
    itself where the picture is too full for any."""
    left, top, width, height = box
    lefts = [left] + [x for other in taken for x in (other[0] - width - _GAP, other[0] + other[2] + _GAP)]
    tops = [top] + [y for other in taken for y in (other[1] - height - _GAP, other[1] + other[3] + _GAP)]
    places = ((x, y, width, height) for x, y in product(lefts, tops))
    free = [place for place in places if _is_in(place, picture) and not any(_overlap(place, other) for other in taken)]
    return min(free, key=lambda place: (place[0] - left) ** 2 + (place[1] - top) ** 2, default=box)


def _is_in(box: Box, picture: Box) -> bool:
    return (
        box[0] >= picture[0]
        and box[1] >= picture[1]
        and box[0] + box[2] <= picture[0] + picture[2]
        and box[1] + box[3] <= picture[1] + picture[3]
    )


def _overlap(one: Box, other: Box) -> bool:
    return (
        one[0] < other[0] + other[2]
        and other[0] < one[0] + one[2]
        and one[1] < other[1] + other[3]
        and other[1] < one[1] + one[3]
    )
