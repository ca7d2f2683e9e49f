"""Creates the attention panel on first use, so that its libraries are not loaded before."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.results import PersonResult, Result
from app.ui.attention.strip import HeatStrip
from app.ui.live_run import LiveRun
from app.ui.panel import Panel
from app.ui.theme import Colours, Theme
from app.ui.video_view import VideoView

if TYPE_CHECKING:
    from app.ui.attention.control import AttentionControl
    from app.ui.attention.panel import AttentionPanel


class AttentionOpener(QObject, Panel):
    """Stands for the panel, whether it has been created or not. wanted: it is closed, and something of it was asked."""

    wanted = Signal()

    def __init__(self, live: LiveRun, video: VideoView, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._live, self._video, self._theme = live, video, theme
        self._mirror = self._open = False
        self.strip = HeatStrip(theme.colours)
        self.panel: AttentionPanel | None = None
        self.control: AttentionControl | None = None

    def show(self, shown: bool) -> "AttentionPanel | None":
        """Open or close the panel. Returns the panel if it was created just now, to be put into the layout."""
        made = None
        if shown and self.panel is None:
            made = self._make()
        self._open = shown
        if self.control is not None:
            if shown:
                self.control.open()
            else:
                self.control.close()
        return made

    def add(self, result: Result, person: PersonResult | None) -> None:
        """Pass on a new result and the person that the window follows."""
        if self.control is not None:
            self.control.add(result, person)

    def begin_run(self) -> None:
        """Another run begins."""
        if self.control is not None:
            self.control.clear()

    def toggle_hold(self) -> None:
        """Freeze the moment or go back to live; a panel that is closed is opened, and freezes its first moment."""
        closed = not self._open
        self._open_it()
        if closed and self.control is not None:
            self.control.hold_soon()
        elif self.panel is not None:
            self.panel.hold.toggle()

    def toggle_overlay(self) -> None:
        """Show or hide the circles on the picture; a panel that is closed is opened with them."""
        closed = not self._open
        self._open_it()
        if self.panel is not None and not (closed and self.panel.overlay.isChecked()):
            self.panel.overlay.toggle()

    def set_mirror(self, mirror: bool) -> None:
        """Mirror the chosen frame as the picture is."""
        self._mirror = mirror
        if self.panel is not None:
            self.panel.frame.set_mirror(mirror)

    def set_colours(self, colours: Colours) -> None:
        """Apply the colours of another theme."""
        self.strip.set_colours(colours)
        if self.panel is not None:
            self.panel.set_colours(colours)

    def end(self) -> None:
        """Free everything, for the window closes."""
        if self.control is not None:
            self.control.end()

    def _open_it(self) -> None:
        if not self._open:
            self.wanted.emit()

    def _make(self) -> "AttentionPanel":
        from app.ui.attention.control import AttentionControl
        from app.ui.attention.panel import AttentionPanel

        self.panel = AttentionPanel(self._theme.colours)
        self.panel.frame.set_mirror(self._mirror)
        self.control = AttentionControl(self._live, self._video, self.strip, self.panel, self)
        return self.panel
