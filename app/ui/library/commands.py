"""Everything that the library's window can do, with its key: one list for menus, tooltips and the page of keys."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractButton, QComboBox, QMainWindow, QWidget

from app.library.rows import Named
from app.names_in_text import action_in_text

NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class _Command:
    """edits: disabled while the library is open read-only."""

    name: str
    text: str
    keys: str
    description: str
    edits: bool = True


_MENUS: tuple[tuple[str, tuple[_Command | None, ...]], ...] = (
    (
        "&Library",
        (
            _Command("import", "&Import…", "Ctrl+I", "Import videos, folders, data sets and exports"),
            _Command(
                "export", "&Export…", "Ctrl+Shift+E", "Export segments: PYSKL, tables, COCO, annotated videos", False
            ),
            None,
            _Command(
                "names", "&Names…", "F2", "Rename, merge or remove actions, people and sessions; assign keys to actions"
            ),
            _Command("splits", "&Splits…", "F3", "Assign people, sessions or recordings to train, validation and test"),
            _Command("delete_recordings", "Move recordings to the &bin", "Shift+Del", "Move recordings to the bin"),
            _Command(
                "restore", "&Restore from the bin", "Ctrl+Shift+R", "Restore the selected recordings from the bin"
            ),
            _Command("empty_bin", "Empt&y the bin…", "Ctrl+Shift+Del", "Delete everything in the bin from the disk"),
            None,
            _Command("close", "&Close", "Ctrl+W", "Close this window", False),
        ),
    ),
    (
        "&Edit",
        (
            _Command("undo", "&Undo", "Ctrl+Z", "Undo the last step, even one of an earlier day"),
            _Command("redo", "&Redo", "Ctrl+Y", "Redo what was undone"),
            None,
            _Command("nothing", "&Nothing", "N", 'Label "nothing": none of the actions'),
            _Command("unlabel", "No la&bel", "0", "Remove the label"),
            _Command("suspect", "&Suspect", "S", "Mark the label as doubtful, or as right"),
            _Command("next_person", "Next &person", "W", "Assign the segment to the next person in the picture"),
            None,
            _Command("label", "Action…", "L", "Type the action of the selected segments"),
            _Command("who", "Who…", "H", "Type the name of the person"),
            _Command("session", "Session…", "T", "Type the session in which the recordings were made"),
            _Command("note", "Note…", "M", "Type a note on the segment or the recording"),
            None,
            _Command(
                "remove", "&Delete", "Del", "Remove the selected segments, or move the selected recordings to the bin"
            ),
        ),
    ),
    (
        "&Segment",
        (
            _Command("play", "&Play or stop", "Space", "Play in a loop, or pause", False),
            _Command("slower", "Slo&wer", "-", "Play slower", False),
            _Command("faster", "&Faster", "+", "Play faster", False),
            _Command("back", "Step &back", "Left", "One frame back", False),
            _Command("forward", "Step f&orward", "Right", "One frame forward", False),
            None,
            _Command("in", "Begins &here", "I", "Set the start of the segment to this time"),
            _Command("out", "&Ends here", "O", "Set the end of the segment to this time"),
            _Command("another", "&Another segment", "A", "Make a one-second segment from here"),
            None,
            _Command(
                "propose",
                "Pro&pose segments",
                "P",
                "Propose segments, with labels, wherever something moves outside the segments",
            ),
            _Command("recognise", "&Recognise", "R", "Ask the recognizer what the selected segments show"),
            _Command("accept", "A&ccept", "Y", "Accept the proposed labels of what is selected (Ctrl+A selects all)"),
        ),
    ),
    (
        "&View",
        (
            _Command("segments", "Se&gments", "Alt+1", "List segments", False),
            _Command("recordings", "&Recordings", "Alt+2", "List recordings", False),
            _Command("bin", "&Bin", "Alt+3", "List what is in the bin", False),
            _Command("search", "&Search", "/", "Search in notes, names and sources", False),
            _Command("list", "To the &list", "Esc", "Back to the list from a field", False),
        ),
    ),
    ("&Help", (_Command("keys", "&Keys", "F1", "Show the keyboard shortcuts of this window", False),)),
)
_COMMANDS = {command.name: command for _, menu in _MENUS for command in menu if command is not None}
_DIGITS = range(1, 10)
_OTHER_KEYS = (
    ("1 to 9", "Label with the action of that key: the line at the bottom says which"),
    ("Ctrl+1 to 9", "Assign that key to the segment's action"),
    ("Up, Down, Shift, Ctrl+A", "Select segments in the list"),
    ("Ctrl+Q", "Quit the program"),
    ("Tab, Shift+Tab", "Go to the next or previous control"),
)
KEY_SUMMARY = "Space plays · I/O set start and end · 1 to 9 label · N nothing · R recognise · Y accept · F1 all keys"


class Commands:
    """The actions by name. Single keys work wherever no text is being typed."""

    def __init__(self, window: QMainWindow) -> None:
        self._by_name: dict[str, QAction] = {}
        for title, menu in _MENUS:
            entries = window.menuBar().addMenu(title)
            for command in menu:
                if command is None:
                    entries.addSeparator()
                    continue
                action = QAction(command.text, window)
                action.setShortcut(QKeySequence(command.keys))
                action.setToolTip(tooltip_of(command.name))
                window.addAction(action)
                entries.addAction(action)
                self._by_name[command.name] = action
            entries.setToolTipsVisible(True)
        for number in _DIGITS:
            for name, keys in ((f"digit {number}", f"{number}"), (f"keep {number}", f"Ctrl+{number}")):
                self._by_name[name] = QAction(window)
                self._by_name[name].setShortcut(QKeySequence(keys))
                window.addAction(self._by_name[name])

    def __getitem__(self, name: str) -> QAction:
        return self._by_name[name]

    def on_digit(self, label: Callable[[str], object], keep: Callable[[str], object]) -> None:
        """Call label("3") for 3 and keep("3") for Ctrl+3."""
        for number in _DIGITS:
            self[f"digit {number}"].triggered.connect(lambda _=False, key=str(number): label(key))
            self[f"keep {number}"].triggered.connect(lambda _=False, key=str(number): keep(key))

    def refuse_edits(self, reason: str) -> None:
        """Switch off what would change the library, with the reason in its tooltip; "" switches it on."""
        for name, action in self._by_name.items():
            command = _COMMANDS.get(name)
            if command is None or command.edits:
                action.setEnabled(not reason)
                action.setToolTip(reason or (tooltip_of(name) if command else ""))


def key_rows(actions: Sequence[Named] = ()) -> list[tuple[str, str]]:
    """(keys, what they do) of everything; actions: those of the library, for what 1 to 9 label with now."""
    rows = [(command.keys, command.description) for command in _COMMANDS.values()] + list(_OTHER_KEYS)
    return rows + [(key, f"Label “{action_in_text(name)}”") for key, name in sorted(actions_by_key(actions).items())]


def legend(actions: Sequence[Named]) -> str:
    """What the keys of actions label with, in a line."""
    keys = sorted(actions_by_key(actions).items())
    parts = [f"{key} {action_in_text(name)}" for key, name in keys]
    none = "Keys 1 to 9 label with your first nine actions. There is none yet: label a segment with L."
    return " · ".join(["Keys", *parts]) + " · Ctrl+1 to 9 assigns a key" if parts else none


def tooltip_of(name: str) -> str:
    """What a command does, and its key."""
    return f"{_COMMANDS[name].description} ({_COMMANDS[name].keys})"


def actions_by_key(actions: Sequence[Named]) -> dict[str, str]:
    """The action for each key "1" to "9": the assigned one; free keys go to the other actions in order."""
    digits = [str(number) for number in _DIGITS]
    kept = {named.key: named.name for named in actions if named.key in digits}
    spare = [digit for digit in digits if digit not in kept]
    rest = [named.name for named in actions if named.key not in digits and named.name != NOTHING]
    return {**dict(zip(spare, rest, strict=False)), **kept}


class WidgetKeys(QObject):
    """Lets buttons and pickers keep keys that are also shortcuts of the window."""

    def watch(self, *parts: QWidget) -> None:
        """Install the filter on these widgets."""
        for part in parts:
            part.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt override."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and not event.modifiers():
            pressed = isinstance(watched, QAbstractButton) and event.key() == Qt.Key.Key_Space
            picked = isinstance(watched, QComboBox) and (event.key() == Qt.Key.Key_Space or event.text().isalnum())
            if pressed or picked:
                event.accept()
        return False
