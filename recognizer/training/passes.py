"""Which clips make the batch of a step: cut from an endless series of passes over them, each newly shuffled."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Passes:
    """Full batches of `batch` of the rows. key: with the number of a pass it seeds that pass's order."""

    rows: Rows
    batch: int
    key: Sequence[int]

    @property
    def steps_per_epoch(self) -> int:
        """Batches that a pass over the rows fills."""
        return math.ceil(len(self.rows) / self.batch)

    def drawn(self, step: int) -> Rows:
        """(B,) rows of the batch of a step, counted from 0."""
        places = np.arange(step * self.batch, (step + 1) * self.batch)
        numbers, drawn = places // len(self.rows), np.empty(self.batch, dtype=np.intp)
        for number in np.unique(numbers):
            order = np.random.default_rng([self.key[0], int(number), *self.key[1:]]).permutation(self.rows)
            here = numbers == number
            drawn[here] = order[places[here] % len(self.rows)]
        return drawn
