"""Numbers of things in sentences."""


def counted(number: int, what: str, plural: str = "") -> str:
    """ "1 segment", "2 segments"; plural: where it is not made with an s."""
    return f"{number} {what if number == 1 else plural or what + 's'}"
