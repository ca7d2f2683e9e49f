"""Secrets in the system's keyring: Secret Service or KWallet, macOS's Keychain, Windows's Credential Locker.

Where there is none, as on a server, nothing is kept and the user is asked again; likewise where it stays locked
or does not answer. The keyring library is imported at the first use.
"""

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

log = logging.getLogger(__name__)

LONGEST_S = 60.0  # in which somebody may unlock it
_SERVICE = "actionlens"
_MIN_PRIORITY = 1.0  # those below write passwords into files that anybody can read
_silent = threading.Event()  # it did not answer: not asked again by this process


def read(name: str) -> str | None:
    """What was kept under a name; None where nothing was or there is no keyring."""
    done, kept = _ask(lambda keyring: keyring.get_password(_SERVICE, name))
    return kept if done else None


def write(name: str, secret: str) -> None:
    """Keep a secret, where there is a keyring."""

    def keep(keyring: "KeyringBackend") -> None:
        if keyring.get_password(_SERVICE, name) != secret:
            keyring.set_password(_SERVICE, name, secret)

    done, _ = _ask(keep)
    if not done:
        log.warning("the keyring keeps no password: it will be asked for again")


def _ask(call: Callable[["KeyringBackend"], str | None]) -> tuple[bool, str | None]:
    """Whether the keyring did as it was asked, and its answer. Where there is none, nothing was to be done.

    Its service is another process, which may be stopped or wait for a user who has gone: a thread of its own asks it.
    """
    outcome: list[tuple[bool, str | None]] = []
    if _silent.is_set():
        return False, None
    asking = threading.Thread(target=lambda: outcome.append(_answer(call)), name="keyring", daemon=True)
    asking.start()
    asking.join(LONGEST_S)
    if not outcome:
        _silent.set()
        log.info("the keyring does not answer")
    return outcome[0] if outcome else (False, None)


def _answer(call: Callable[["KeyringBackend"], str | None]) -> tuple[bool, str | None]:
    try:
        import keyring

        found = keyring.get_keyring()
        return True, call(found) if found.priority >= _MIN_PRIORITY else None
    except Exception as error:  # top of the thread: each backend has errors of its own, and some are not the library's
        log.info("the keyring cannot be used (%s)", type(error).__name__, exc_info=True)
        return False, None
