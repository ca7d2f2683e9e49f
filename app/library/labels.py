"""Names that users give to actions, people, sessions, splits and models: any script, cleaned, never a file name."""

import unicodedata

from app.library.errors import LibraryError

NOTHING = "nothing"  # the action of stretches in which none is done
ACTION_KEYS = tuple("123456789")  # that label with an action; all others do something else in the window
MAX_LABEL = 80
MAX_NOTE = 2000
MAX_TYPED = 1000  # that a field takes: a name that is too long is refused with its length, not cut off in silence
_INVISIBLE = ("C", "Z", "M")


def clean_label(text: str, what: str = "name") -> str:
    """The name as it is kept: NFC, without spaces around it, runs of spaces as one. Raises LibraryError."""
    _refuse_surrogates(text, what)
    label = " ".join(unicodedata.normalize("NFC", text).split())
    if not any(unicodedata.category(sign)[0] not in _INVISIBLE for sign in label):
        raise LibraryError(f"the {what} is empty; type at least one letter")
    if any(unicodedata.category(sign) == "Cc" for sign in label):
        raise LibraryError(f"the {what} contains a control character; type it again")
    if len(label) > MAX_LABEL:
        raise LibraryError(f"the {what} has {len(label)} characters; at most {MAX_LABEL} are allowed, so shorten it")
    return label


def refusal_of_action(text: str) -> str:
    """Why what a user typed cannot be an action's name, one line; "" where it can."""
    if "://" in text:
        return "That is an address, not the name of an action; type a name, for example wave"
    return _refusal(text, "action")


def refusal_of_person(text: str) -> str:
    """Why what a user typed cannot be a person's name, one line; "" where it can, or where none is given."""
    return _refusal(text, "person's name") if text.strip() else ""


def _refusal(text: str, what: str) -> str:
    try:
        clean_label(text, what)
    except LibraryError as error:
        line = str(error)
        return line[:1].upper() + line[1:]  # a sentence of the window
    return ""


def clean_note(text: str) -> str:
    """A remark as it is kept: NFC, line breaks allowed, "" allowed. Raises LibraryError."""
    _refuse_surrogates(text, "note")
    note = unicodedata.normalize("NFC", text).strip()
    if len(note) > MAX_NOTE:
        raise LibraryError(f"the note has {len(note)} characters; at most {MAX_NOTE} are allowed, so shorten it")
    return note


def label_key(text: str) -> str:
    """The same for names that differ in case or composition only: no two of a kind may share it."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _refuse_surrogates(text: str, what: str) -> None:
    if any(unicodedata.category(sign) == "Cs" for sign in text):
        raise LibraryError(f"the {what} contains half a character; type it again")
