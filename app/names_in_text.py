"""Names that users gave, within sentences on the screen: one in Hebrew or Arabic must not turn the sentence around."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePath

from recognizer.action_names import action_text

_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"
_TURNING = {"R", "AL", "AN", "RLE", "RLO", "RLI"}  # classes of characters that are written from right to left


def isolated(name: str) -> str:
    """The name for a sentence on the screen: one with letters from right to left stands in marks that nobody sees. For
    nothing that is written to a file."""
    if not any(unicodedata.bidirectional(sign) in _TURNING for sign in name):
        return name
    return f"{_FIRST_STRONG_ISOLATE}{name}{_POP_ISOLATE}"


def path_in_text(path: str | PurePath) -> str:
    """A path for the screen: each name in it stands where it is in the path."""
    return re.sub(r"[^/\\]+", lambda name: isolated(name.group()), str(path))


def without_marks(text: str) -> str:
    """A sentence for what lays letters out by itself and would draw the marks."""
    return text.replace(_FIRST_STRONG_ISOLATE, "").replace(_POP_ISOLATE, "")


def with_isolated(text: str, names: Iterable[str]) -> str:
    """A sentence that has come with names in it, as a file has it, for the screen."""
    turning = sorted({name for name in names if isolated(name) != name}, key=len, reverse=True)
    if not turning:
        return text
    return re.sub("|".join(map(re.escape, turning)), lambda found: isolated(found.group()), text)


def action_in_text(action: str) -> str:
    """An action's name in words, for a sentence on the screen."""
    return isolated(action_text(action))
