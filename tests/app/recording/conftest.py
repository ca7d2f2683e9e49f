"""Results to record."""

import numpy as np
import pytest
from recording_fakes import result


@pytest.fixture
def results():
    """results(start_s, seconds, moving=...): at 30 a second."""

    def make(start_s, seconds, moving=False):
        times = [start_s + n / 30 for n in range(round(seconds * 30))]
        return [result(t, 80 * np.sin(t * 9) if moving else 0.0) for t in times]

    return make
