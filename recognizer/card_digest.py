"""The digest in a card of all that decides an answer, beside the SHA-256 of the graph.

It finds a threshold, an action or a size that was changed by hand or by a damaged disk. It is no signature: who changes
the card on purpose can write the digest, too. A card without one, as earlier versions wrote it, is taken as it is.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from recognizer.errors import CardError

KEY = "answer_sha256"
NONE = object()


def digest(values: Mapping[str, Any], fields: Sequence[str]) -> str:
    """SHA-256 over some fields of a card, in whatever order and layout they stand in the file."""
    decisive = {field: values.get(field) for field in fields}
    return hashlib.sha256(json.dumps(decisive, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def take(values: Any) -> Any:
    """The digest taken out of a card, so that the other keys are left; NONE where it has none."""
    return values.pop(KEY, NONE) if isinstance(values, dict) else NONE


def check(expected: Any, values: Mapping[str, Any], fields: Sequence[str]) -> None:
    """Raise CardError where a card's digest is not that of its fields."""
    if expected is not NONE and expected != digest(values, fields):
        raise CardError(
            f"{KEY}: what decides the answers ({', '.join(fields)}) was changed after this card was written; put the "
            f"card back as it was, export or teach again, or take {KEY} out to vouch for the change yourself"
        )
