"""Training needs torch; on one thread."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    """Two threads on networks this small wait for each other more than they work."""
    torch = pytest.importorskip("torch", reason="needs the extra `train`")
    torch.set_num_threads(1)
