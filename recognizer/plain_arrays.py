"""What can be wrong with an .npz or .npy file that somebody gives: errors of its reading, and sizes that are a trap."""

import lzma
import struct
import tokenize
import zipfile
import zlib
from pathlib import Path

# What NumPy and the libraries below it raise for files that are cut off, of another kind, or made to do harm.
UNREADABLE = (
    *(OSError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, MemoryError),
    *(NotImplementedError, RuntimeError, SyntaxError, tokenize.TokenError, struct.error),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)
_ALWAYS_BYTES = 256 << 20
_MAX_RATIO = 100  # numbers that were measured shrink to a half


def refuse_traps(path: Path, most_bytes: int | None = None) -> None:
    """Look at what an .npz would unpack to. Raises ValueError where it is far more than its size or more than
    most_bytes, and one of UNREADABLE."""
    with zipfile.ZipFile(path) as packed:
        unpacked = sum(member.file_size for member in packed.infolist())
    trap = unpacked > _ALWAYS_BYTES and unpacked > _MAX_RATIO * path.stat().st_size
    if trap or (most_bytes is not None and unpacked > most_bytes):
        raise ValueError("it unpacks to too much")
