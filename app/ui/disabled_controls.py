"""Controls that cannot be used say why."""

from PySide6.QtWidgets import QWidget

_SAYS = "says"  # property: the tooltip of a control that can be used


def enable(part: QWidget, refusal: str) -> None:
    """Switch it on, with its own tooltip, or off with the reason as its tooltip."""
    if part.property(_SAYS) is None:
        part.setProperty(_SAYS, part.toolTip())
    part.setEnabled(not refusal)
    part.setToolTip(refusal or part.property(_SAYS))
