"""Secrets in the system's keyring: Secret Service or KWallet, macOS's Keychain, Windows's Credential Locker.

Where there is none, as on a server, nothing is kept and the user is asked again. The keyring library is imported at the
first use.
"""

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

log = logging.getLogger(__name__)

_SERVICE = "actionlens"
_LEAST_PRIORITY = 1.0  # those below write passwords into files that anybody can read


def read(name: str) -> str | None:
    """What was kept under a name; None where nothing was or there is no keyring."""
    keyring = _keyring()
    if keyring is None:
        return None
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(_SERVICE, name)
    except (KeyringError, RuntimeError, OSError) as error:
        log.info("the keyring cannot be read (%s)", type(error).__name__)
        return None


def write(name: str, secret: str) -> None:
    """Keep a secret, where there is a keyring."""
    keyring = _keyring()
    if keyring is None or read(name) == secret:
        return
    from keyring.errors import KeyringError

    try:
        keyring.set_password(_SERVICE, name, secret)
    except (KeyringError, RuntimeError, OSError) as error:
        log.warning("the keyring keeps no password (%s): it will be asked for again", type(error).__name__)


def _keyring() -> "KeyringBackend | None":
    try:
        import keyring

        found = keyring.get_keyring()
        return found if found.priority >= _LEAST_PRIORITY else None
    except (ImportError, RuntimeError, OSError) as error:  # a system without a bus, for one
        log.info("there is no keyring (%s)", type(error).__name__)
        return None
