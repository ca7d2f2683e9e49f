"""A label whose text wraps within a word, too, where the word is as long as a name may be."""

import re

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

_LONGEST_WORD = 20  # letters that stay together
_MAY_BREAK = "\u200b"  # takes no room


class WrappingLabel(QLabel):
    """Plain text."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)

    def setText(self, text: str) -> None:
        """Show a text."""
        super().setText(breakable(text))
        self.setAccessibleName(text)


def breakable(text: str) -> str:
    """The text with places where its long words may go on in the next line."""
    return re.sub(rf"\S{{{_LONGEST_WORD}}}(?=\S)", lambda found: found.group() + _MAY_BREAK, text)
