"""Files as the fuzzing changes them: by their structure where they have one, then by their bytes."""

import io
import json
import pickle
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Kind = str  # a key of _WRITERS


@dataclass(frozen=True, slots=True)
class Content:
    """A file. value: a tree of plain values for "json", "npz" and "pickle", an array for "npy", (name, bytes, mode)
    members for "zip" and "tar", and the text or bytes themselves for "text" and "bytes"."""

    kind: Kind
    value: Any


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an archive. link: the target, where it is a link."""

    name: str
    data: bytes
    link: str | None = None


def to_bytes(content: Content) -> bytes:
    """The file as bytes. Raises the writer's error for values that no such file can hold."""
    return _WRITERS[content.kind](content.value)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode()


def _npz(value: Any) -> bytes:
    with io.BytesIO() as file:
        arrays: dict[str, Any] = {str(name): np.asarray(array) for name, array in value.items()}
        np.savez_compressed(file, **arrays)
        return file.getvalue()


def _npy(value: Any) -> bytes:
    with io.BytesIO() as file:
        np.save(file, np.asarray(value), allow_pickle=True)
        return file.getvalue()


def _zip(members: list[Member]) -> bytes:
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a name that is there twice is what is wanted
            for member in members:
                info = zipfile.ZipInfo(member.name)
                info.compress_type = zipfile.ZIP_DEFLATED
                if member.link is not None:
                    info.external_attr = 0o120777 << 16
                archive.writestr(info, member.data if member.link is None else member.link)
        return file.getvalue()


def _tar(members: list[Member]) -> bytes:
    with io.BytesIO() as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            for member in members:
                info = tarfile.TarInfo(member.name)
                info.size = len(member.data)
                if member.link is not None:
                    info.type, info.linkname, info.size = tarfile.SYMTYPE, member.link, 0
                archive.addfile(info, io.BytesIO(member.data))
        return file.getvalue()


def _text(value: Any) -> bytes:
    return str(value).encode("utf-8", "surrogatepass")


def _mat(value: Any) -> bytes:
    from scipy.io import savemat

    with io.BytesIO() as file:
        savemat(file, value, do_compression=True)
        return file.getvalue()


_WRITERS: dict[Kind, Callable[[Any], bytes]] = {
    "json": _json,
    "npz": _npz,
    "npy": _npy,
    "mat": _mat,
    "pickle": pickle.dumps,
    "zip": _zip,
    "tar": _tar,
    "text": _text,
    "bytes": bytes,
}
