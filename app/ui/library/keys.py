"""The keys of the library's window."""

from collections.abc import Sequence

from app.library.types import Named

NOTHING = "nothing"
KEYS = (
    "Space play · +/- faster/slower · ←/→ step · I/O clip begins/ends · 1 to 9 label · "
    "Ctrl+1 to 9 keep that key for the clip's action · N nothing · S suspect · "
    "A another clip here · P propose clips · Del remove · Ctrl+Z/Ctrl+Y undo/redo · / search"
)


def actions_by_key(actions: Sequence[Named]) -> dict[str, str]:
    """The action that "1" to "9" label with: the one it was kept for; keys that are left go to the rest in order."""
    kept = {named.key: named.name for named in actions if named.key}
    spare = [str(number) for number in range(1, 10) if str(number) not in kept]
    rest = [named.name for named in actions if not named.key and named.name != NOTHING]
    return {**dict(zip(spare, rest, strict=False)), **kept}
