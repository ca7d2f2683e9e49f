"""Disabled controls tell why in their tooltip."""

from PySide6.QtWidgets import QWidget

_TOOLTIP = "says"  # property: the tooltip of a control that can be used


def enable(part: QWidget, refusal: str) -> None:
    """Enable a control with its own tooltip, or disable it with the reason as its tooltip. refusal: "" enables."""
    if part.property(_TOOLTIP) is None:
        part.setProperty(_TOOLTIP, part.toolTip())
    part.setEnabled(not refusal)
    part.setToolTip(refusal or part.property(_TOOLTIP))
