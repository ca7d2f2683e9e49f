"""Files are written whole or not at all."""

import os
import stat
import sys
import threading
from pathlib import Path

import pytest

from pose.whole_file import atomic_write, write_bytes, write_private_text, write_text


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
        with atomic_write(path) as temporary:
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


def test_two_threads_that_write_one_file_do_not_share_a_temporary_name(tmp_path):
    names, both = set(), threading.Barrier(2)

    def write():
        with atomic_write(tmp_path / "a") as temporary:
            temporary.write_text("whole")
            names.add(temporary)
            both.wait(60)

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(names) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
@pytest.mark.parametrize("write", [write_text, write_private_text])
def test_a_link_stays_and_what_it_leads_to_is_replaced(write, tmp_path):
    (tmp_path / "there").mkdir()
    file = tmp_path / "there" / "settings.json"
    link, link_to_link = tmp_path / "link.json", tmp_path / "again.json"
    link.symlink_to(Path("there", "settings.json"))
    link_to_link.symlink_to("link.json")
    for path, text in ((link, "made"), (link_to_link, "replaced")):
        write(path, text)
        assert path.is_symlink()
        assert file.read_text() == text
    assert list(file.parent.iterdir()) == [file]
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="pipes in folders are of POSIX")
@pytest.mark.parametrize("write", [write_text, write_private_text])
@pytest.mark.parametrize("linked", [False, True])
def test_a_device_or_a_pipe_is_written_to_and_stays(write, linked, tmp_path):
    pipe = path = tmp_path / "pipe"
    os.mkfifo(pipe)
    if linked:
        path = tmp_path / "link"
        path.symlink_to(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write(path, "through")
        assert stat.S_ISFIFO(pipe.stat().st_mode)
        assert path.is_symlink() == linked
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)


def test_an_error_of_the_system_names_the_file_that_was_asked_for(tmp_path):
    for path in (tmp_path / "none" / "a", tmp_path / "folder"):  # cannot be opened, cannot be replaced
        (tmp_path / "folder" / "within").mkdir(parents=True, exist_ok=True)
        with pytest.raises(OSError, match=r"a|folder") as raised:
            write_text(path, "x")
        assert raised.value.filename == str(path)
        assert f".{os.getpid()}." not in str(raised.value)
