"""What the library calls its edits ("label a segment sit down"), as the window says them."""

import re
from collections.abc import Iterator

from app.library.catalogue import Library
from app.library.queries import Kind
from app.names_in_text import isolated, with_isolated
from app.palette import action_text

_PAST = {
    "add": "added",
    "change": "changed",
    "confirm": "confirmed",
    "doubt": "doubted",
    "label": "labelled",
    "merge": "merged",
    "name": "named",
    "remove": "removed",
    "rename": "renamed",
    "restore": "restored",
}
_LABEL = re.compile(r"\blabel (a segment|\d+ segments) (?!as (?:unlabelled|proposed)$)")


def done_text(library: Library, text: str) -> str:
    """ "Labelled a segment: sit down", after it was done."""
    first, _, rest = text.partition(" ")
    if first == "delete":
        return f"Moved {rest} to the bin"
    said = _LABEL.sub(r"label \1: ", text)
    past = re.sub(r"^\w+|(?<=segment and )label|(?<=segments and )label", _past, said)
    return _shown(library, past[:1].upper() + past[1:])


def step_text(library: Library, text: str) -> str:
    """ "label a segment as sit down", behind "Undo:"."""
    return _shown(library, _LABEL.sub(r"label \1 as ", text))


def _past(found: re.Match[str]) -> str:
    return _PAST.get(found.group(), found.group())


def _names(library: Library) -> Iterator[str]:
    kinds: tuple[Kind, ...] = ("action", "person", "session")
    for kind in kinds:
        for named in library.names(kind):
            yield named.name
            yield action_text(named.name)


def _shown(library: Library, text: str) -> str:
    return with_isolated(text, _names(library)) if isolated(text) != text else text
