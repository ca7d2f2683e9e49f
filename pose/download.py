"""A whole file from a web server, for what cannot be read from its beginning to its end."""

import threading
from http.client import HTTPException
from typing import IO
from urllib.parse import unquote, urlsplit
from urllib.request import (
    HTTPBasicAuthHandler,
    HTTPDigestAuthHandler,
    HTTPPasswordMgrWithDefaultRealm,
    build_opener,
)

_BLOCK = 1 << 16


def fetch(url: str, file: IO[bytes], timeout_s: float, is_closing: threading.Event) -> None:
    """Write what lies at an http or https address into a file, with the address's user name and password.

    timeout_s: longest silence. Ends early once is_closing is set. Raises OSError where it cannot be had whole.
    """
    parts = urlsplit(url)
    passwords = HTTPPasswordMgrWithDefaultRealm()
    plain = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    if parts.username is not None:
        passwords.add_password(None, plain, unquote(parts.username), unquote(parts.password or ""))
    opener = build_opener(HTTPBasicAuthHandler(passwords), HTTPDigestAuthHandler(passwords))
    try:
        with opener.open(plain, timeout=timeout_s) as answer:
            while not is_closing.is_set() and (block := answer.read(_BLOCK)):
                file.write(block)
            missing = getattr(answer, "length", None)
    except HTTPException as error:
        raise OSError(str(error) or type(error).__name__) from None
    if missing and not is_closing.is_set():
        raise OSError(f"{missing} bytes are missing")
