"""One library for all windows of a process."""

import pytest

from app.library.catalogue import Library
from app.library.errors import LibraryError
from app.library.shared_library import borrow, give_back, shared


def test_windows_of_one_process_share_what_they_may_write(tmp_path):
    first = borrow(tmp_path)
    with shared(tmp_path) as second:
        assert second is first
        assert not second.read_only
    first.add_name("action", "wave")  # still open
    with Library(tmp_path) as outside:
        assert outside.read_only
    give_back(first)
    give_back(first)
    with Library(tmp_path) as outside:
        assert not outside.read_only


def test_a_library_that_cannot_be_opened_is_not_shared(tmp_path):
    (tmp_path / "file").write_text("")
    for _ in range(2):
        with pytest.raises(LibraryError):
            borrow(tmp_path / "file")
    with shared(tmp_path / "there") as library:
        assert not library.read_only
