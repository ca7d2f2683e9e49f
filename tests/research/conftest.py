"""Research needs torch, on one thread, and data sets."""

import pytest
from tiny_data_sets import real_data, tiny_data  # noqa: F401


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    """Two threads on networks this small wait for each other more than they work."""
    torch = pytest.importorskip("torch", reason="needs the extra `train`")
    torch.set_num_threads(1)
