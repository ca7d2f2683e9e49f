"""Lines that also go to a terminal or a file, as sentences on the screen."""


def sentence(message: str) -> str:
    """With a capital, but not in an address or a path, which are not ours to change."""
    first = message.partition(" ")[0]
    return message[:1].upper() + message[1:] if first.isalpha() else message
