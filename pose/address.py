"""Addresses of streams, and the secrets in them: what may be shown, what may be written down, what is malformed.

A password or token may stand in the user's part, in the path or behind a question mark, and an address that was typed
wrong may hold one anywhere. What is not known to be harmless is not shown.
"""

import contextlib
import os
import re
from pathlib import Path
from urllib.parse import unquote_to_bytes

from pose.errors import SourceError

STREAMS = ("http", "https", "rtsp", "rtsps", "rtmp", "rtmps", "udp")
HIDDEN = "…"  # stands in the place of a secret; no address has it

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_OTHER_SCHEMES = {"ftp", "ftps", "sftp", "srt", "mms", "mmsh", "rtp", "ws", "wss", "tcp", "smb", "nfs", "onvif", "file"}
_NEARLY = re.compile(
    r"(?:https?|rtsps?|rtmps?|udp|tcp|srt|rtp)\s*[:;]?[/\\]|(?:https?|rtsps?|rtmps?):|//", re.IGNORECASE
)
_FILE = re.compile(r"file://(?![^/]*@)|/(?!/)|~|\.{1,2}[\\/]|[A-Za-z]:[\\/]", re.IGNORECASE)
_USER_AND_PASSWORD = re.compile(r":[^/\\]*@|://|\?.*=")
_USER_AND_ANY_PASSWORD = re.compile(r":.*@|://|\?.*=")
_AT_HOST = re.compile(r"@(?:[\w.-]+:\d{1,5}|\d+\.\d+\.\d+\.\d+)(?:[/?#]|$)")
_MODEL_VERSION = re.compile(r"[A-Za-z0-9][\w.-]{0,63}@\d{1,6}")  # mine@2
_MEDIA = re.compile(r"\.(?:mp4|m4v|mov|avi|mkv|webm|mpe?g|wmv|flv|3gp|m?ts|m2ts|ogv|gif|jpe?g|png)", re.IGNORECASE)
_SECRET_WORD = re.compile(
    r"pass|pwd|psw|token|secret|auth|key|sig|sid|session|user|login|admin|root|cred|ticket|jwt|hash|pin|code|account",
    re.IGNORECASE,
)
_PLAIN_PART = re.compile(r"[\w. +-]{0,48}")
_RANDOM = re.compile(
    r"(?=\D*\d)(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9]{12,}"
    r"|(?=[A-Za-z0-9]*[a-z])(?=[A-Za-z0-9]*[A-Z])(?=[A-Za-z0-9]{8})(?:\d*[A-Za-z]+\d+[A-Za-z]+\d|\d+[A-Za-z]+\d+[A-Za-z])"
)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-", re.IGNORECASE)
_PLAIN_HOST = re.compile(r"(?:[\w.-]*|\[[0-9A-Fa-f:.]*(?:%(?:25)?[a-z][a-z0-9]{0,14})?\])(?::\d{1,5})?")
_PLAIN_QUERY = re.compile(
    r"\?(?:(?:channel|subtype|stream|profile|resolution|fps|width|height|camera|quality|video|audio|codec|unicast|proto)"
    r"=(?:\d{1,4}(?:x\d{1,4})?|[a-z]{1,9}|[A-Z]{1,9}|Profile_?\d{1,3})(?:&|$))+"
)
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NOT_VALID = "this is not a valid URL: write it as in http://HOST:PORT/PATH"
_ENCODE = (
    "this address is not valid: percent-encode the password in it "
    "(/ is %2F, ? is %3F, # is %23, @ is %40, % is %25, a space is %20)"
)


def is_address(text: str) -> bool:
    """Whether a source's name is meant as an address, even one that was typed wrong, and not as a file."""
    if not is_local(text):
        return True
    text = text.strip()
    names_file = _FILE.match(text) is not None or _MEDIA.fullmatch(text, max(text.rfind("."), 0)) is not None
    if names_file or _exists(text):
        return False
    return "@" in text or bool(re.search(r"[\w-]+=", text) and _SECRET_WORD.search(text))


def is_local(text: str) -> bool:
    """Whether a text may be the path of a file or folder: what is there, or what has no mark of an address."""
    text = text.strip()
    is_path = _FILE.match(text) is not None
    if is_path:
        text = re.sub("^file://", "", text, flags=re.IGNORECASE)
    elif _SCHEME.match(text):
        return False
    if _exists(text):
        return True
    if is_path:
        return _USER_AND_PASSWORD.search(text) is None
    return not (_USER_AND_ANY_PASSWORD.search(text) or _NEARLY.match(text) or _AT_HOST.search(text))


def local_path(name: str) -> Path:
    """The path of a file's name or file: URL (RFC 8089), in which every byte may be written as %XX."""
    path = name
    if name.lower().startswith("file:"):
        path = re.sub("^file:(?://(?:localhost(?=/))?)?", "", name, flags=re.IGNORECASE)
        if not _exists(path):
            path = _decoded(path)
    with contextlib.suppress(RuntimeError):  # ~ somebody whom this system does not know
        return Path(path).expanduser()
    return Path(path)


def _decoded(path: str) -> str:
    if os.name == "nt":
        from urllib.request import url2pathname  # loads much that is for networks

        return url2pathname(path)
    return os.fsdecode(unquote_to_bytes(path))


def check(url: str) -> None:
    """Raise SourceError, which repeats nothing of it, where an address cannot be right."""
    url = url.strip()
    if HIDDEN in url:
        raise SourceError("the password of this address is not kept on this system: open the address again with it")
    scheme = _SCHEME.match(url)
    if scheme is None:
        raise SourceError(
            "this address has no scheme: write it as in rtsp://HOST:PORT/PATH or http://NAME:PASSWORD@HOST:PORT/PATH, "
            "and percent-encode the password"
        )
    kind = scheme[1].lower()
    if kind not in STREAMS:
        which = f"{kind}:// is not a kind of stream" if kind in _OTHER_SCHEMES else "this is not a kind of address"
        raise SourceError(f"{which} that can be read: use {', '.join(STREAMS)} or a file")
    user, host, rest = _parts(url)
    name, port = _host_and_port(host)
    typed_wrong = "@" in rest and (not port.isdecimal() if port is not None else False)
    unlikely = "@" in rest and "." not in name and not _is_local(name)
    if typed_wrong or unlikely or _BAD_PERCENT.search(user) or re.search(r"[\s\[\]]", user):
        raise SourceError(_ENCODE)
    if port is not None and not (port.isdecimal() and int(port) <= 65535) and port:
        raise SourceError(f"{_NOT_VALID}; the port is a number, and the password percent-encoded")
    if not _PLAIN_HOST.fullmatch(host) or not (name or kind == "udp"):
        raise SourceError(f"{_NOT_VALID}; percent-encode the password in it")


def public_name(url: str) -> str:
    """An address for names and messages: without user name, password and query, and with no part of the path that may
    be a secret. Whatever is not clear is left out."""
    kind, host, path, _, _ = _shown(url.strip())
    return f"{kind}{host}{path}"


def public_source(source: str) -> str:
    """Any name of a source as it may be shown: an address without its secrets, everything else as it is."""
    return public_name(source) if is_address(source) else source


def without_secrets(source: str) -> str:
    """A source's name as it may be written down: what was left out is marked, so that it is not taken for whole."""
    if not is_address(source) or HIDDEN in source:
        return source
    kind, host, path, has_user, query = _shown(source.strip())
    if query and not _PLAIN_QUERY.fullmatch(query):
        query = f"?{HIDDEN}"
    return f"{kind}{f'{HIDDEN}@' if has_user else ''}{host}{path}{query}"


def redacted(text: str) -> str:
    """A text with every address in it made public; for logs and for messages that repeat what was typed."""
    return _ADDRESS_IN_TEXT.sub(lambda found: _public_part(found[0]), text)


def _public_part(text: str) -> str:
    plain = text.rstrip(";:,.)")
    is_name = _MODEL_VERSION.fullmatch(plain) or (_FILE.match(plain) and not is_address(plain))
    return text if is_name else public_name(text)


_ADDRESS_IN_TEXT = re.compile(
    # A word is looked at from its beginning only: from each letter on, a long one would take time by its cube.
    r"(?<![^\s'\"])[^\s'\"]*[^\s\d'\"]:(?=\S)[^\n]*@[^\s'\"]*"  # a password may hold spaces and quotes
    r"|[A-Za-z][A-Za-z0-9+.-]{0,63}:?//[^\s'\"]+"
    r"|(?<![^\s'\"])[^\s'\"]+@[^\s'\"]+"
    r"|(?<![^\s'\"])[^\s'\"]*(?:pass|pwd|token|secret|auth|key|user)[\w-]*=[^\s'\"]*",
    re.IGNORECASE,
)


def _shown(url: str) -> tuple[str, str, str, bool, str]:
    """Scheme with its slashes, host with port, path, whether a user's part was there, and the query; all but the last
    without secrets."""
    scheme = _SCHEME.match(url)
    if scheme is None or scheme[1].lower() not in {*STREAMS, *_OTHER_SCHEMES}:
        return HIDDEN, "", "", False, ""
    user, host, rest = _parts(url)
    kind = scheme[0]
    name, port = _host_and_port(host)
    unclear = "@" in rest and (user or port is not None or ("." not in name and not _is_local(name)))
    if unclear or not _PLAIN_HOST.fullmatch(host) or HIDDEN in user + rest:
        return kind, HIDDEN, "", False, ""
    path = re.split(r"[?#]", rest, maxsplit=1)[0]
    query = rest[len(path) :]
    return kind, host, _public_path(path, scheme[1].lower()), bool(user), query


def _public_path(path: str, kind: str) -> str:
    parts = path.split("/")
    for index, part in enumerate(parts):
        is_key = kind.startswith("rtmp") and index == len(parts) - 1 and index > 1  # the stream's key comes last
        if is_key or not _PLAIN_PART.fullmatch(part) or any(p.search(part) for p in (_SECRET_WORD, _RANDOM, _UUID)):
            return "/".join([*parts[:index], HIDDEN])
    return path


def _parts(url: str) -> tuple[str, str, str]:
    """User's part with its @ taken off, host with port, and all that follows, of an address with a scheme."""
    after = url.split("://", 1)[1]
    authority = re.split(r"[/?#\\]", after, maxsplit=1)[0]
    user, _, host = authority.rpartition("@")
    return user, host, after[len(authority) :]


def _host_and_port(host: str) -> tuple[str, str | None]:
    if host.startswith("["):
        name, _, port = host.partition("]")
        return name, port[1:] if port.startswith(":") else None
    name, colon, port = host.partition(":")
    return name, port if colon else None


def _is_local(name: str) -> bool:
    return name.lower() == "localhost" or name.startswith("[")


def _exists(text: str) -> bool:
    try:
        return Path(text).exists()
    except (OSError, ValueError):
        return False
