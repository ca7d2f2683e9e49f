"""A library in a temporary folder, empty or with a bit of everything."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from library_fakes import fill

from app.library.catalogue import Library


@pytest.fixture
def library(tmp_path):
    with Library(tmp_path / "library") as opened:
        yield opened


@pytest.fixture
def full(library):
    return fill(library)
