"""What a user means by the name of an action that is typed: names are shown in words, `sit_down` as "sit down"."""

from collections.abc import Iterable

from app.library.labels import label_key
from app.palette import action_text


def existing_action(typed: str, known: Iterable[str]) -> str:
    """The known action that is shown as what was typed, first of all one that is spelt like it; without one, what was
    typed. Another action of that name could not be told from it."""
    alike = [name for name in known if typed and _shown(name) == _shown(typed)]
    return next((name for name in alike if label_key(name) == label_key(typed)), alike[0] if alike else typed)


def _shown(name: str) -> str:
    return label_key(action_text(name))
