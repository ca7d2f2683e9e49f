"""The menu bar."""

from PySide6.QtWidgets import QMenuBar

from app.ui.actions import Actions

_MENUS = (
    (
        "&File",
        (
            "open_file",
            "open_url",
            "demo",
            "",
            "export_events",
            "screenshot",
            "folder",
            "",
            "virtual_camera",
            "",
            "quit",
        ),
    ),
    ("&Run", ("start", "pause", "restart", "", "source", "model", "people", "pose", "provider", "", "alerts")),
    ("&Teach", ("record", "take", "wrong", "", "library", "teach", "recognizers", "", "generated")),
    (
        "&View",
        (
            "full_screen",
            "mirror",
            "large_text",
            "panel",
            "theme",
            "",
            "attention",
            "freeze",
            "overlay",
            "",
            "next_person",
            "",
            "history",
        ),
    ),
    ("&Help", ("documentation", "shortcuts", "", "doctor", "", "about")),
)


def fill_menus(bar: QMenuBar, actions: Actions) -> None:
    """All actions, by menu."""
    for title, names in _MENUS:
        menu = bar.addMenu(title)
        menu.setToolTipsVisible(True)  # they tell why something is disabled
        for name in names:
            if name:
                menu.addAction(actions[name])
            else:
                menu.addSeparator()
