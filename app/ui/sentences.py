"""Lines that also go to a terminal or a file, as sentences on the screen."""


def sentence(message: str) -> str:
    """The message with a capital first letter, unless it starts with an address or a path."""
    first = message.partition(" ")[0]
    return message[:1].upper() + message[1:] if first.isalpha() else message
