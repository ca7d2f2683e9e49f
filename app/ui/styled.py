"""Changes the style of a widget while it is shown."""

from PySide6.QtWidgets import QWidget


def style_as(part: QWidget, name: str) -> None:
    """Apply the theme's style for this object name."""
    if part.objectName() != name:
        part.setObjectName(name)
        part.style().unpolish(part)
        part.style().polish(part)
