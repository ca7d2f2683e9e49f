"""Training examples: spans of recordings in which one person does one action."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import Layout

NOTHING = "nothing"  # of an example in which no action is done


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A labelled span of a recording.

    name: "recording/segment", unique in a library. action: "nothing" where no action is done. person, session: who did
    it and in which session, as the user named them; None where not given. Without a name on every example all count as
    one person; an example without a session is of the session of its recording.
    times_s: (n,) float64, seconds since the start of the recording, increasing. xy_px: (n, V, 2) float32, pixels of the
    unmirrored picture. confidence: (n, V) float32, 0 where a joint was not seen.
    around: for the stillness before and after an example, whose action is "nothing": the name of that example.
    """

    name: str
    action: str
    person: str | None
    session: str | None
    times_s: NDArray[np.float64]
    xy_px: NDArray[np.float32]
    confidence: NDArray[np.float32]
    layout: Layout
    around: str | None = None
