"""How the name of an action reads, in everything that is written for people."""


def action_text(action: str) -> str:
    """An action's name for people: `sit_down` reads "sit down"; no line breaks or control characters."""
    text = "".join(c if c.isprintable() else " " for c in action.replace("_", " "))
    return " ".join(text.split())
