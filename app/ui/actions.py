"""Everything that can be done, with its shortcut: one list for menus, tool bar, tooltips and the shortcut page."""

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from app.ui import icons
from app.ui.theme import Colours


@dataclass(frozen=True, slots=True)
class _Command:
    name: str
    text: str
    keys: str
    description: str
    icon: str = ""
    checkable: bool = False


_COMMANDS = (
    _Command("start", "&Start", "F5", "Start or stop", "start"),
    _Command("pause", "&Pause", "Ctrl+P", "Pause or resume", "pause", checkable=True),
    _Command("restart", "&Restart", "Ctrl+R", "Restart everything"),
    _Command("source", "Choose &source", "Ctrl+1", "Choose the source"),
    _Command("model", "Choose &model", "Ctrl+2", "Choose the recognizer"),
    _Command("people", "Choose p&eople", "Ctrl+3", "Choose how many people to follow"),
    _Command("provider", "Choose pro&vider", "Ctrl+4", "Choose the hardware for the recognizer"),
    _Command("pose", "Choose p&oses", "Ctrl+5", "Choose the pose estimator"),
    _Command("demo", "&Demo", "Ctrl+D", "Play the demo"),
    _Command("open_file", "&Open file…", "Ctrl+O", "Open a video file"),
    _Command("open_url", "Open &URL…", "Ctrl+U", "Open a network stream"),
    _Command("export_events", "&Export events…", "Ctrl+Shift+V", "Save the event list as a table (CSV)"),
    _Command("alerts", "&Alerts…", "Ctrl+Shift+A", "Trigger something when an action lasts or reaches a count"),
    _Command("history", "&History…", "Ctrl+Shift+H", "Times and counts of today and this week, if history is on"),
    _Command("screenshot", "Take s&creenshot", "Ctrl+S", "Save the current picture", "screenshot"),
    _Command("folder", "Folder for &pictures…", "Ctrl+Shift+S", "Choose where pictures are saved"),
    _Command("virtual_camera", "&Virtual camera", "Ctrl+Shift+C", "Send the picture to OBS and video calls", "", True),
    _Command("quit", "&Quit", "Ctrl+Q", "Close the window"),
    _Command("mirror", "&Mirror", "Ctrl+M", "Mirror the picture on screen; the data do not change", "mirror", True),
    _Command(
        "large_text", "&Large text", "Ctrl+T", "Show the action in large text over the picture", "large_text", True
    ),
    _Command("panel", "Side &panel", "Ctrl+B", "Show or hide the side panel", "panel", True),
    _Command("attention", "&Why (attention)", "Ctrl+H", "Show why: joints, frames and attention", "attention", True),
    _Command("freeze", "Free&ze moment", "Ctrl+F", "Freeze this moment and its explanation, or go back to live"),
    _Command("overlay", "Relevance on p&icture", "Ctrl+J", "Show the relevance of joints as circles on the picture"),
    _Command("record", "R&ecord", "Ctrl+E", "Show or hide the bar for recording takes", "record", True),
    _Command("take", "Start or stop a ta&ke", "F8", "Start recording takes, or stop the current one"),
    _Command("wrong", "That was &wrong…", "F9", "Save the last seconds as an example of another action"),
    _Command("library", "&Library…", "Ctrl+L", "Browse and label recordings"),
    _Command("teach", "&Teach", "Ctrl+K", "Teach it your own actions, step by step", "teach", True),
    _Command("recognizers", "Recogni&zers…", "Ctrl+Shift+K", "Use, rename, delete, export and import recognizers"),
    _Command("generated", "&Generated actions…", "Ctrl+G", "Play synthetic clips from a generator"),
    _Command("full_screen", "&Full screen", "F11", "Show only the picture; Esc leaves", "full_screen", True),
    _Command("theme", "Next &theme", "Ctrl+Shift+T", "Change the theme: system, light or dark", "theme"),
    _Command("next_person", "&Next person", "Ctrl+N", "Show the next person in the side panel"),
    _Command("documentation", "&Documentation", "Ctrl+F1", "Read the documentation"),
    _Command("doctor", "D&octor…", "Ctrl+Shift+D", "Check this machine and say how to fix problems"),
    _Command("about", "&About ActionLens", "Shift+F1", "Show the versions of this program"),
    _Command("shortcuts", "&Keyboard shortcuts", "F1", "List the keyboard shortcuts", "help"),
)
# Keys that the widgets handle themselves.
_OTHER_KEYS = (
    ("Esc", "Leave full screen or close the teaching page; in the strip of frames: back to the newest"),
    ("Left, Right, Home, End", "In the strip of frames: choose a frame"),
    ("Ctrl+C", "Copy the selected events, or all of them, from the event list"),
    ("Tab, Shift+Tab", "Go to the next or previous control"),
    ("Alt+R, Alt+C, Alt+D", "In a message: Restart, Choose another source, Dismiss"),
)


class Actions:
    """The actions by name; each belongs to the window, so that shortcuts work while menus are hidden."""

    def __init__(self, window: QWidget, colours: Colours) -> None:
        self._by_name: dict[str, QAction] = {}
        for command in _COMMANDS:
            action = QAction(command.text, window)
            action.setObjectName(command.name)
            action.setShortcut(QKeySequence(command.keys))
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            action.setCheckable(command.checkable)
            action.setToolTip(_tooltip(command.description, command.keys))
            window.addAction(action)
            self._by_name[command.name] = action
        self.set_colours(colours)
        self.show_people(0)

    def __getitem__(self, name: str) -> QAction:
        return self._by_name[name]

    def set_colours(self, colours: Colours) -> None:
        """Draw the icons for a theme."""
        for command in _COMMANDS:
            if command.icon:
                checked = colours.on_accent if command.checkable else None
                self._by_name[command.name].setIcon(icons.icon(command.icon, colours.text, checked))
                self._by_name[command.name].setIconVisibleInMenu(False)

    def set_running(self, running: bool, colours: Colours) -> None:
        """Whether `start` starts or stops, and whether there is something to pause."""
        action = self._by_name["start"]
        action.setText("&Stop" if running else "&Start")
        action.setIcon(icons.icon("stop" if running else "start", colours.text))
        action.setToolTip(_tooltip("Stop" if running else "Start", "F5"))
        self.refuse("pause", "" if running else "Nothing is running: F5 starts")
        action.setIconVisibleInMenu(False)

    def refuse(self, name: str, reason: str) -> None:
        """Disable an action, with the reason as its tooltip; reason: "" enables it."""
        self._by_name[name].setEnabled(not reason)
        self._by_name[name].setToolTip(reason or tooltip_of(name))

    def show_people(self, count: int) -> None:
        """How many people there are to choose from."""
        self.refuse("next_person", "" if count > 1 else "There is no second person in view")


def shortcut_rows() -> list[tuple[str, str]]:
    """(keys, what they do) of everything."""
    return [(command.keys, command.description) for command in _COMMANDS] + list(_OTHER_KEYS)


def tooltip_of(name: str) -> str:
    """The tooltip of a command."""
    command = next(command for command in _COMMANDS if command.name == name)
    return _tooltip(command.description, command.keys)


def _tooltip(description: str, keys: str) -> str:
    return f"{description} ({keys})"
