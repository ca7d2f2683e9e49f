"""The style of a part that changes while it is shown."""

from PySide6.QtWidgets import QWidget


def style_as(part: QWidget, name: str) -> None:
    """Let it look as the theme has parts of that name."""
    if part.objectName() != name:
        part.setObjectName(name)
        part.style().unpolish(part)
        part.style().polish(part)
