"""What the window asks of its parts."""

from app.results import Result
from app.ui.live_run import RunView
from app.ui.theme import Colours


class Panel:
    """A part of the window. The window calls these on the GUI thread, of every part in turn; a part has those that
    concern it.
    """

    def begin_run(self) -> None:
        """A run begins: forget what the one before has shown."""

    def add_result(self, result: Result) -> None:
        """A result has come; as many a second as the source has frames."""

    def refresh(self) -> None:
        """Show what has been added: ten times a second while results come, not while the window is minimised."""

    def show_run(self, view: RunView) -> None:
        """What is known of the run has changed."""

    def set_mirror(self, mirror: bool) -> None:
        """Mirror the picture; data and text stay as they are."""

    def set_colours(self, colours: Colours) -> None:
        """Apply the colours of another theme."""

    def end(self) -> None:
        """The window closes: stop and free everything."""
