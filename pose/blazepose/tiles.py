"""Where the finder looks, and when: the parts of the picture in turn, so that no frame costs more than one look."""

import math
from collections.abc import Iterator
from itertools import cycle

from pose.blazepose.region import Region

_SMALL = 0.62  # side of the small tiles, in shorter sides of the picture
_STEP = 0.67  # between tiles, in their sides, at most
_AROUND = (1.3, 0.9, 1.8)  # of the region's side
_BEHIND = 1.8  # the same, for a search behind a person
_FRAMES_PER_SEARCH = 2
_FRAMES_PER_QUIET_SEARCH = 4  # once nothing has changed for so many searches:
_QUIET_SEARCHES = 24


def whole(width: int, height: int) -> Region:
    """The square around the picture."""
    return Region(width / 2, height / 2, float(max(width, height)))


def tiles(width: int, height: int, side: float) -> list[Region]:
    """Squares that overlap and cover the picture, by rows."""
    places = [_along(size, side) for size in (height, width)]
    return [Region(x, y, side) for y in places[0] for x in places[1]]


def _along(size: int, side: float) -> list[float]:
    """Middles of tiles on one axis."""
    steps = max(math.ceil((size - side) / (_STEP * side) - 1e-9), 0)
    if not steps:
        return [size / 2]
    return [side / 2 + (size - side) * index / steps for index in range(steps + 1)]


def around(region: Region, number: int) -> Region:
    """A part of the picture around somebody's region, of a size that changes with a number: the detector sees the same
    body well in one and badly in another."""
    return Region(region.x_px, region.y_px, _AROUND[number % len(_AROUND)] * region.side_px)


class SearchPlan:
    """Which part of the picture to search in which frame, for pictures of one size."""

    def __init__(self, width: int, height: int) -> None:
        self.whole = whole(width, height)
        shorter = float(min(width, height))
        big = [tile for tile in tiles(width, height, shorter) if tile != self.whole]
        small = cycle(tiles(width, height, _SMALL * shorter))
        self._order = self._in_turn(big, small)
        self._frames = 0
        self._quiet = 0
        self._behind = 0

    def _in_turn(self, big: list[Region], small: Iterator[Region]) -> Iterator[Region]:
        """The whole picture, then the big tiles with a small one after each, without end."""
        while True:
            yield self.whole
            for tile in big or [self.whole]:
                yield tile
                yield next(small)

    def is_due(self) -> bool:
        """Whether to search in this frame; call it once in each frame with somebody followed and room for more."""
        self._frames += 1
        return self._frames % self._every == 0

    @property
    def _every(self) -> int:
        """Frames per search."""
        return _FRAMES_PER_QUIET_SEARCH if self._quiet >= _QUIET_SEARCHES else _FRAMES_PER_SEARCH

    def next_behind(self, people: list[Region]) -> Region | None:
        """Where to search behind the next person in turn; None where that is not due in this frame."""
        every = 2 * self._every
        if self._frames % every != 1 or not people:
            return None
        self._behind += 1
        region = people[self._behind % len(people)]
        return Region(region.x_px, region.y_px, _BEHIND * region.side_px)

    def next_region(self) -> Region:
        """The next part of the picture to search."""
        self._quiet += 1
        return next(self._order)

    def note_change(self) -> None:
        """Somebody came or left: search more often again."""
        self._quiet = 0
