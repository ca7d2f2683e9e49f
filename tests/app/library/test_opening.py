"""Opening a library: rebuilt, repaired, brought up to date, shared; after a kill and with files that mean harm."""

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from library_fakes import add_recording, contents, fill, of, some_segment

from app.library import commands as command
from app.library import schema
from app.library.catalogue import Library
from app.library.database import FILE
from app.library.errors import LibraryError, ReadOnlyError
from app.library.rows import Model, NewSegment

REPOSITORY = Path(__file__).resolve().parents[3]


def test_a_rebuild_finds_everything(full):
    before = contents(full)
    full.close()
    for file in full.root.glob("library.sqlite*"):
        file.unlink()
    with Library(full.root) as again:
        assert contents(again) == before
        assert again.notes == []


@pytest.mark.parametrize("rebuilt", [False, True])
def test_other_keys_of_actions_than_digits_are_those_of_an_older_version_and_left_out(full, rebuilt):
    full.close()
    whole = full.root / "library.json"
    whole.write_text(whole.read_text(encoding="utf-8").replace('"key": "3"', '"key": "w"'), encoding="utf-8")
    if rebuilt:
        (full.root / FILE).unlink()
    else:
        with sqlite3.connect(full.root / FILE) as catalogue:
            catalogue.execute("UPDATE actions SET shortcut = 'w' WHERE shortcut = '3'")
        catalogue.close()
    with Library(full.root) as again:
        assert [named.key for named in again.names("action") if named.key] == []
        again.set_key("wave", "4")
        assert [named.key for named in again.names("action") if named.key] == ["4"]


@pytest.mark.parametrize("damage", ["rubbish", "cut", "middle", "other database", "empty"])
def test_a_damaged_catalogue_is_put_aside_and_made_again(damage, full):
    before = contents(full)
    full.close()
    path = full.root / FILE
    content = path.read_bytes()
    if damage == "rubbish":
        path.write_bytes(b"no database at all " * 300)
    elif damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "middle":
        path.write_bytes(content[:8192] + b"\xff" * 60_000 + content[68_192:])
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE shopping (item TEXT)")
        other.close()
    harmed = path.read_bytes()
    with Library(full.root) as again:
        assert contents(again) == before
        assert len(again.notes) == 1
        assert "is being rebuilt" in again.notes[0]
    assert (full.root / "library.sqlite.damaged-1").read_bytes() == harmed


def test_a_newer_catalogue_is_refused_and_left_alone(full):
    full.close()
    path = full.root / FILE
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
    connection.close()
    before = path.read_bytes()
    for _ in range(2):  # the refusal lets go of the lock
        with pytest.raises(LibraryError, match="newer version of ActionLens") as raised:
            Library(full.root)
        assert "\n" not in str(raised.value)
    assert path.read_bytes() == before


def test_an_older_catalogue_is_brought_up_to_date(full, monkeypatch):
    from app.library import database

    before = contents(full)
    full.close()
    monkeypatch.setattr(database, "MIGRATIONS", (*schema.MIGRATIONS, "ALTER TABLE actions ADD COLUMN colour TEXT"))
    with Library(full.root) as again:
        assert contents(again) == before
        assert again._database.row("SELECT colour FROM actions LIMIT 1")["colour"] is None
    assert sqlite3.connect(full.root / "library.sqlite.v1").execute("SELECT count(*) FROM clips").fetchone() == (4,)
    monkeypatch.setattr(
        database, "MIGRATIONS", (*schema.MIGRATIONS, "ALTER TABLE x ADD COLUMN y", "CREATE TABLE z (a)")
    )
    with Library(full.root) as again:  # a step that is done is not done again
        assert again._database.row("PRAGMA user_version")[0] == 3


def test_a_step_that_fails_leaves_the_older_catalogue(full, monkeypatch):
    from app.library import database

    full.close()
    monkeypatch.setattr(database, "MIGRATIONS", (*schema.MIGRATIONS, "CREATE TABLE half (a); nonsense"))
    with pytest.raises(LibraryError):
        Library(full.root)
    monkeypatch.undo()
    with Library(full.root) as again:
        assert again._database.row("SELECT 1 FROM sqlite_master WHERE name = 'half'") is None


def test_the_second_instance_reads(full):
    with Library(full.root) as second:
        assert second.read_only
        assert len(second.notes) == 1
        assert "read-only" in second.notes[0]
        assert contents(second) == contents(full)
        full.add_name("action", "seen there too")
        assert second.names("action")[-1].name == "seen there too"
        for change in (lambda: second.add_name("action", "x"), second.undo, second.refresh, second.staging):
            with pytest.raises(ReadOnlyError):
                change()
    full.close()
    with Library(full.root) as third:
        assert not third.read_only


@contextlib.contextmanager
def unwritable(folder):
    """As on a medium that cannot be written, also for root, who may do everything."""
    os.chmod(folder, 0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        os.chmod(folder, 0o755)


@pytest.fixture
def for_all():
    """A folder into which any user may look."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
@pytest.mark.parametrize("killed", [False, True])
def test_a_library_that_cannot_be_written_is_read_and_says_why(killed, full, for_all, capsys):
    full.label([some_segment(full)], "spin")
    before = contents(full)
    if not killed:
        full.close()
    root = for_all / "library"
    shutil.copytree(full.root, root)  # while it is open, with what a kill leaves beside the catalogue
    (root / "library.sqlite-shm").unlink(missing_ok=True)
    assert (root / "library.sqlite-wal").exists() == killed
    with unwritable(root):
        with Library(root) as library:
            assert library.read_only
            assert library.notes == [f"{root} cannot be written (Permission denied): the library is open read-only"]
            assert contents(library) == before
            with pytest.raises(ReadOnlyError):
                library.add_name("action", "x")
        assert command.main(["--root", str(root), "check"]) == 0  # its recordings are whole
    assert "cannot be written (Permission denied)" in capsys.readouterr().err


def test_a_read_only_volume_is_read(full, monkeypatch):
    full.close()

    def refuse(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("app.writer_lock.WriterLock.take", refuse)
    with Library(full.root) as library:
        assert library.read_only
        assert "(Read-only file system): the library is open read-only" in library.notes[0]
        assert library.count_recordings() == 2


KILLED = """
import os, signal, sys
sys.path.insert(0, "tests/app/library")
from pathlib import Path
from app.library.catalogue import Library
library = Library(Path(sys.argv[1]))
print("open", library.read_only, flush=True)
sys.stdin.readline()
with library._database.transaction() as connection:
    connection.execute("UPDATE clips SET action = NULL")
    connection.execute("DELETE FROM models")
    connection.execute("PRAGMA cache_spill = ON")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_kill_9_in_a_transaction_changes_nothing_and_frees_the_library(full):
    before = contents(full)
    full.close()
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(full.root)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout.readline() == "open False\n"
    with Library(full.root) as second:
        assert second.read_only
        assert f"process {child.pid}" in second.notes[0]
    child.communicate("go\n", timeout=60)
    assert child.returncode == -9
    assert (full.root / "library.lock").exists()
    with Library(full.root) as again:
        assert not again.read_only
        assert contents(again) == before


def test_a_lock_file_that_names_a_living_process_holds_nobody_up(tmp_path):
    tmp_path.joinpath("library.lock").write_text(json.dumps({"pid": 1, "started": 0.0}))
    with Library(tmp_path) as library:
        assert not library.read_only


def test_a_full_disk_that_keeps_the_owner_s_name_out_of_the_lock_locks_nobody_out(tmp_path, monkeypatch):
    def full(file, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.writer_lock.os.write", full)
    for _ in range(2):
        with Library(tmp_path) as library:
            assert not library.read_only
            with Library(tmp_path) as second:
                assert second.notes == ["the library is open in another process: it is read-only here"]


def test_a_file_system_without_locks_keeps_no_file_open(tmp_path, monkeypatch):
    def refuse(file):
        raise OSError(37, "No locks available")

    closed = []
    monkeypatch.setattr("app.writer_lock._try_lock", refuse)
    monkeypatch.setattr("app.writer_lock.os.close", lambda file, close=os.close: (closed.append(file), close(file)))
    with pytest.raises(LibraryError, match="No locks available"):
        Library(tmp_path)
    assert len(closed) == 1


def test_labels_that_were_not_written_before_a_kill_are_written_at_the_next_opening(full, monkeypatch):
    from app.library import journal

    monkeypatch.setattr(journal, "write_unwritten", lambda connection, root: None)
    full.label([some_segment(full)], "spin")
    monkeypatch.undo()
    full.close()
    Library(full.root).close()
    (full.root / FILE).unlink()
    with Library(full.root) as again:
        assert "spin" in [segment.action for segment in again.segments()]


def test_a_full_disk_under_the_labels_is_made_up_for(full, monkeypatch, caplog):
    from app.library import label_files

    def fail(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(label_files, "_write", fail)
    full.label([some_segment(full)], "spin")
    assert "No space left" in caplog.text
    monkeypatch.undo()
    full.add_name("action", "another")
    full.close()
    (full.root / FILE).unlink()
    with Library(full.root) as again:
        assert "spin" in [segment.action for segment in again.segments()]


def test_labels_that_cannot_be_written_keep_no_others_from_their_files(full, caplog):
    rows = full.recordings()
    for row in rows:  # files cannot be replaced by folders that hold something
        labels = full.root / "recordings" / row.id / "labels.json"
        labels.unlink()
        (labels / "within").mkdir(parents=True)
    full.label([segment.id for row in rows for segment in of(full, row.id)], "spin")
    assert '"spin"' in (full.root / "library.json").read_text(encoding="utf-8")
    (line,) = caplog.messages
    assert "labels.json and 1 more file cannot be written" in line
    assert str(full.root) in line
    last = full.root / "recordings" / rows[-1].id / "labels.json"
    shutil.rmtree(last)
    full.add_name("action", "another")
    assert '"spin"' in last.read_text(encoding="utf-8")


@pytest.mark.parametrize("again", [False, True])
def test_an_edit_whose_labels_must_wait_for_the_catalogue_has_not_failed(again, full, monkeypatch, caplog):
    from app.library import journal

    def fail(connection, root):
        raise sqlite3.OperationalError("database or disk is full")

    if again:
        full.label([some_segment(full)], "spin")
        full.undo()
    monkeypatch.setattr(journal, "write_unwritten", fail)
    if again:
        assert full.redo() == "label a segment spin"
    else:
        full.label([some_segment(full)], "spin")
    assert "disk is full" in caplog.text
    assert full.undo_text() == "label a segment spin"
    monkeypatch.undo()
    full.add_name("action", "another")
    full.close()
    (full.root / FILE).unlink()
    with Library(full.root) as rebuilt:
        assert "spin" in [segment.action for segment in rebuilt.segments()]


def test_recordings_come_and_go_on_disk(full):
    row = full.recordings()[-1]
    folder = full.root / "recordings" / row.id
    before = contents(full)
    full.close()
    away = full.root.parent / row.id
    shutil.move(folder, away)
    with Library(full.root) as again:
        assert again.count_recordings() == 1
        assert again.notes == ["1 recording is no longer on disk: hidden until it comes back"]
    shutil.move(away, folder)
    with Library(full.root) as again:
        assert contents(again) == before


def test_a_rename_while_a_recording_is_away_reaches_its_labels_when_it_is_back(full, tmp_path):
    (segment,) = [row for row in full.segments() if row.action == "wave"]
    folder = full.root / "recordings" / segment.recording
    full.close()
    shutil.move(folder, tmp_path / "away")
    with Library(full.root) as library:
        library.rename("action", "wave", "hello")
    shutil.move(tmp_path / "away", folder)
    with Library(full.root):
        pass
    for file in full.root.glob("library.sqlite*"):
        file.unlink()
    with Library(full.root) as library:
        assert library.segment(segment.id).action == "hello"


def test_recordings_of_another_library_keep_their_labels(full, tmp_path):
    with Library(tmp_path / "other") as other:
        fill(other)
        moved = other.recordings()[-1]
    shutil.copytree(tmp_path / "other" / "recordings" / moved.id, full.root / "recordings" / moved.id)
    assert full.refresh() == 1
    segments = of(full, moved.id)
    assert [segment.action for segment in segments] == ["wave", None]
    assert len({segment.id for segment in full.segments(limit=-1)}) == full.count_segments() == 5


def test_a_rebuild_with_a_recording_of_another_library_keeps_splits_and_models(tmp_path):
    with Library(tmp_path / "one") as one:
        add_recording(one, 2, [NewSegment(0, 0.5, 0, "clap"), NewSegment(0.5, 1, 0, "jump")])
        clap, jump = sorted(one.segments(), key=lambda segment: segment.start_s)
        one.set_split("mine", {clap.id: "train", jump.id: "test"})
        one.add_model(Model("first", "2026-01-02T03:04:05+00:00", "quick", "models/1", ((clap.name, "clap"),)))
    with Library(tmp_path / "other") as other:
        made = add_recording(other, 0, [NewSegment(0, 0.5, 0, "wave")])
    older = tmp_path / "one" / "recordings" / "20200101-000000-abcdef"  # is entered first, and takes the clap's id
    shutil.copytree(tmp_path / "other" / "recordings" / made, older)
    for file in (older / "recording.json", older / "labels.json"):
        file.write_text(file.read_text(encoding="utf-8").replace(made, older.name), encoding="utf-8")
    for file in (tmp_path / "one").glob("library.sqlite*"):
        file.unlink()
    with Library(tmp_path / "one") as again:
        parts = {again.segment(segment).action: part for segment, part in again.splits()["mine"].items()}
        assert parts == {"clap": "train", "jump": "test"}
        ((name, action),) = again.models()[0].segments
        assert (again.segment(int(name.rpartition("/")[2])).action, action) == ("clap", "clap")
        assert again.notes == []


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b'{"version": 1}',
        b'{"version": 1, "session": null, "note": "", "deleted": false, "clips": [{"id": -1}]}',
        b'{"version": 1, "session": 7, "note": "", "deleted": false, "clips": []}',
        b"[" * 100_000,
        b'{"version": 1, "session": null, "note": "", "deleted": false, "clips": [{"id": 1, "person": 0, "start_s": 0,'
        b' "action": null, "who": null, "note": "", "suspect": false, "end_s": 1' + b"0" * 400 + b"}]}",
    ],
)
def test_damaged_labels_are_kept_aside_and_told(content, full):
    row = full.recordings()[-1]
    full.close()
    labels = full.root / "recordings" / row.id / "labels.json"
    labels.write_bytes(content)
    (full.root / FILE).unlink()
    with Library(full.root) as again:
        assert of(again, row.id) == []
        assert again.count_recordings() == 2
        told = [note for note in again.notes if "labels.json" in note]
        assert len(told) == 1
        assert "\n" not in told[0]
    assert labels.with_name("labels.json.damaged-1").read_bytes() == content


def test_hostile_folders_are_told_and_left(full):
    recordings = full.root / "recordings"
    good = full.recordings()[0].id
    shutil.copytree(recordings / good, recordings / "20260101-000000-abcdef")  # holds another id
    (recordings / "20260101-000000-aaaaaa").mkdir()  # holds nothing
    (recordings / "not a recording").mkdir()
    full.notes.clear()
    assert full.refresh() == 0
    assert len(full.notes) == 2
    assert all("\n" not in note for note in full.notes)
