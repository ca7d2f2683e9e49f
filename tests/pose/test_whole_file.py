"""Files are written whole or not at all."""

from pathlib import Path

import pytest

from pose.whole_file import write_bytes, write_text, written_whole


def test_a_new_file_takes_the_place_of_the_old_one(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "first ж")
    write_bytes(path, b"second")
    assert path.read_bytes() == b"second"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, ValueError])
def test_after_an_error_the_old_one_stays_and_nothing_else(tmp_path, error):
    path = tmp_path / "a.npz"
    path.write_text("old")

    def fail():
        with written_whole(path) as temporary:
            assert temporary.suffix == ".npz"
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", [".", "/"])
def test_a_path_without_a_name_is_an_error_of_the_system(name):
    with pytest.raises(IsADirectoryError, match="Is a directory"):
        write_text(Path(name), "x")


def test_a_folder_that_is_missing_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_text(tmp_path / "none" / "a", "x")
