"""Archives of videos or data sets: unpacked into a folder, after every name in them has been checked."""

import lzma
import os
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO

from app.library.errors import LibraryError
from pose.folders import is_leftover

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
MAX_BYTES = 200 << 30
MAX_MEMBERS = 2_000_000
_MAX_RATIO = 200  # times the archive's own size; skeletons as text compress to a tenth
_ALWAYS_BYTES = 1 << 30
_SAYS_UTF8 = 0x800
_ON_WINDOWS = os.name == "nt"
BROKEN = (  # what the libraries raise for damaged archives
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error),
    *(OSError, EOFError, ValueError, NotImplementedError, RuntimeError, IndexError, KeyError),
)


def is_archive(path: Path) -> bool:
    """True for a file with an archive's extension."""
    return path.name.lower().endswith(SUFFIXES) and path.is_file()


def unpack(archive: Path, folder: Path) -> None:
    """Unpack into an empty folder. Raises LibraryError, and leaves nothing, where a name leads out of it, a member is
    a link or a device, or the archive is damaged or unpacks to far more than its size."""
    try:
        limit = min(MAX_BYTES, max(_ALWAYS_BYTES, _MAX_RATIO * archive.stat().st_size))
        with _members(archive) as members:
            written = count = 0
            for name, size, stream in members:
                if is_leftover(PurePosixPath(name)):
                    continue
                target = folder.joinpath(*_checked(name, archive))
                written, count = written + size, count + 1
                if written > limit or count > MAX_MEMBERS:
                    raise LibraryError(f"{archive} unpacks to far more than its size: not imported")
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("xb") as out:
                    _copy(stream, out, size)
    except LibraryError:
        _clear(folder)
        raise
    except BROKEN as error:
        _clear(folder)
        raise LibraryError(f"{archive} is not imported: {_why(error)}") from error


def _why(error: Exception) -> str:
    """What is wrong with an archive, and what can be done: what the libraries say of a damaged one helps nobody."""
    by_hand = "unpack it yourself and import the folder"
    if isinstance(error, FileExistsError | IsADirectoryError | NotADirectoryError):
        return f"two things in it have the same name; {by_hand}"
    if isinstance(error, OSError) and error.strerror:
        return f"it cannot be unpacked ({error.strerror}); check its permissions and the room on the disk"
    if isinstance(error, RuntimeError):  # also NotImplementedError
        return f"it is encrypted, or packed in a way that is not known here; {by_hand}"
    return "it is damaged or not complete; get it again"


@contextmanager
def _members(archive: Path) -> "Iterator[Iterator[tuple[str, int, IO[bytes]]]]":
    if zipfile.is_zipfile(archive) and archive.suffix.lower() == ".zip":
        with zipfile.ZipFile(archive) as packed:
            yield _of_zip(packed, archive)
    else:
        with tarfile.open(archive) as packed_tar:
            yield _of_tar(packed_tar, archive)


def _of_zip(packed: zipfile.ZipFile, archive: Path) -> "Iterator[tuple[str, int, IO[bytes]]]":
    for info in packed.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise LibraryError(f"{archive} holds {info.filename[:80]!r}, which is a link or a device: not imported")
        name = _name_of(info)
        _checked(name.rstrip("/"), archive)
        if not info.is_dir():
            with packed.open(info) as stream:
                yield name, info.file_size, stream


def _name_of(info: zipfile.ZipInfo) -> str:
    """macOS writes UTF-8 and does not say so, and PowerShell writes backslashes between folders."""
    name = info.filename
    if not info.flag_bits & _SAYS_UTF8:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _of_tar(packed: tarfile.TarFile, archive: Path) -> "Iterator[tuple[str, int, IO[bytes]]]":
    for info in packed:
        if not (info.isreg() or info.isdir()):
            raise LibraryError(f"{archive} holds {info.name[:80]!r}, which is a link or a device: not imported")
        stream = packed.extractfile(info)
        if stream is not None:
            with stream:
                yield info.name, info.size, stream


def _checked(name: str, archive: Path) -> tuple[str, ...]:
    """The parts of a member's path. LibraryError for one that is absolute or climbs, or that is no name of a file."""
    path = PurePosixPath(name)
    parts = tuple(part for part in path.parts if part != ".")
    text = name.encode("utf-8", "replace").decode()  # a name in an old encoding is not printable, and harmless
    if path.is_absolute() or ".." in parts or "\\" in name:
        why = "which points outside its folder"
    elif not text.isprintable():
        why = "a name with characters that cannot be printed"
    elif _ON_WINDOWS and ":" in name:  # a drive, or a stream of a file
        why = "a name with a colon, which Windows does not allow"
    else:
        return parts
    raise LibraryError(f"{archive} holds {name[:80]!r}, {why}: not imported")


def _copy(stream: IO[bytes], out: IO[bytes], size: int) -> None:
    """Exactly the declared size: what an archive declares may be false."""
    left = size
    while left and (block := stream.read(min(left, 1 << 20))):
        out.write(block)
        left -= len(block)
    if left or stream.read(1):
        raise ValueError("a member is not as long as declared")


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
