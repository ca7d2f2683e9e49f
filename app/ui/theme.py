"""Colours, palette and style sheet of the window, dark and light."""

from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QPalette, QPixmapCache
from PySide6.QtWidgets import QApplication

SYSTEM, LIGHT, DARK = "system", "light", "dark"
THEMES = (SYSTEM, LIGHT, DARK)
_PIXMAPS_KB = 2048  # Qt fills 10 MB with drawn table cells that are never shown again


@dataclass(frozen=True, slots=True)
class Colours:
    """Colours of one theme as #rrggbb. Text on window and card has a contrast of 4.5 or more."""

    dark: bool
    window: str
    card: str
    field: str
    border: str
    text: str
    muted: str
    accent: str
    on_accent: str
    hover: str
    track: str
    error: str
    error_card: str
    warning: str
    warning_card: str


_DARK = Colours(
    dark=True,
    window="#15171c",
    card="#1d2027",
    field="#262a33",
    border="#343944",
    text="#eceef2",
    muted="#a0a7b4",
    accent="#56b4e9",
    on_accent="#0b1620",
    hover="#2f3540",
    track="#2b303a",
    error="#ff8d85",
    error_card="#3a2023",
    warning="#f2bd4b",
    warning_card="#382d18",
)
_LIGHT = Colours(
    dark=False,
    window="#f3f4f7",
    card="#ffffff",
    field="#ffffff",
    border="#d5d9e1",
    text="#191c22",
    muted="#5b6270",
    accent="#0b6bb0",
    on_accent="#ffffff",
    hover="#e6eaf1",
    track="#e6e9ef",
    error="#b3261e",
    error_card="#fde9e7",
    warning="#855500",
    warning_card="#fdf2d8",
)


class Theme(QObject):
    """The theme in use. changed: a new theme has been applied."""

    changed = Signal()

    def __init__(self, application: QApplication, choice: str = SYSTEM) -> None:
        super().__init__(application)
        self._application = application
        self.choice = SYSTEM
        self.colours = _DARK
        application.setStyle("Fusion")
        QPixmapCache.setCacheLimit(_PIXMAPS_KB)
        application.styleHints().colorSchemeChanged.connect(self._system_changed)
        self.choose(choice)

    def choose(self, choice: str) -> None:
        """Switch to a theme of THEMES; anything else means the system's."""
        self.choice = choice if choice in THEMES else SYSTEM
        schemes = {LIGHT: Qt.ColorScheme.Light, DARK: Qt.ColorScheme.Dark, SYSTEM: Qt.ColorScheme.Unknown}
        self._application.styleHints().setColorScheme(schemes[self.choice])
        self._apply()

    def next(self) -> str:
        """Switch to the next theme of THEMES and return its name."""
        self.choose(THEMES[(THEMES.index(self.choice) + 1) % len(THEMES)])
        return self.choice

    def _system_changed(self) -> None:
        if self.choice == SYSTEM:
            self._apply()

    def _apply(self) -> None:
        light = self._application.styleHints().colorScheme() == Qt.ColorScheme.Light
        if self.choice != SYSTEM:
            light = self.choice == LIGHT
        self.colours = _LIGHT if light else _DARK  # a system that does not say gets the one that suits video
        self._application.setPalette(_palette(self.colours))
        self._application.setStyleSheet(_style_sheet(self.colours))
        self.changed.emit()


def _palette(colours: Colours) -> QPalette:
    role = QPalette.ColorRole
    named = {
        role.Window: colours.window,
        role.WindowText: colours.text,
        role.Base: colours.card,
        role.AlternateBase: colours.window,
        role.ToolTipBase: colours.field,
        role.ToolTipText: colours.text,
        role.PlaceholderText: colours.muted,
        role.Text: colours.text,
        role.Button: colours.field,
        role.ButtonText: colours.text,
        role.BrightText: colours.error,
        role.Link: colours.accent,
        role.Highlight: colours.accent,
        role.HighlightedText: colours.on_accent,
        role.Accent: colours.accent,
        role.Mid: colours.border,
        role.Dark: colours.border,
        role.Light: colours.hover,
        role.Midlight: colours.hover,
        role.Shadow: colours.border,
    }
    palette = QPalette()
    for colour_role, colour in named.items():
        palette.setColor(colour_role, QColor(colour))
    for colour_role in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, colour_role, QColor(colours.muted))
    return palette


def _style_sheet(c: Colours) -> str:
    return f"""
    QMainWindow, QDialog {{ background: {c.window}; }}
    QToolTip {{ background: {c.field}; color: {c.text}; border: 1px solid {c.border}; padding: 4px 6px; }}
    QMenuBar {{ background: {c.window}; color: {c.text}; padding: 2px 6px; }}
    QMenuBar::item {{ padding: 4px 10px; border-radius: 4px; background: transparent; }}
    QMenuBar::item:selected {{ background: {c.hover}; }}
    QMenu {{ background: {c.card}; color: {c.text}; border: 1px solid {c.border}; padding: 4px; }}
    QMenu::item {{ padding: 5px 28px 5px 26px; border-radius: 4px; }}
    QMenu::item:selected {{ background: {c.accent}; color: {c.on_accent}; }}
    QMenu::item:disabled {{ color: {c.muted}; }}
    QMenu::separator {{ height: 1px; background: {c.border}; margin: 4px 8px; }}
    QFrame#card {{ background: {c.card}; border: 1px solid {c.border}; border-radius: 8px; }}
    QLabel#heading {{ color: {c.muted}; font-weight: 600; }}
    QLabel#muted {{ color: {c.muted}; }}
    QLabel#warning {{ color: {c.warning}; font-weight: 600; }}
    QFrame#toolbar, QFrame#status {{ background: {c.card}; }}
    QFrame#toolbar {{ border-bottom: 1px solid {c.border}; }}
    QFrame#status {{ border-top: 1px solid {c.border}; }}
    QToolButton, QPushButton {{
        background: {c.field}; color: {c.text}; border: 1px solid {c.border}; border-radius: 6px; padding: 5px 10px;
    }}
    QToolButton {{ padding: 5px; }}
    QToolButton:hover, QPushButton:hover {{ background: {c.hover}; }}
    QToolButton:pressed, QPushButton:pressed {{ background: {c.border}; }}
    QToolButton:checked {{ background: {c.accent}; color: {c.on_accent}; border-color: {c.accent}; }}
    QToolButton:focus, QPushButton:focus {{ border: 2px solid {c.accent}; padding: 4px 9px; }}
    QToolButton:focus {{ padding: 4px; }}
    QToolButton:checked:focus {{ border: 2px solid {c.accent}; background-clip: content; }}
    QToolButton:disabled, QPushButton:disabled {{ color: {c.muted}; background: {c.window}; }}
    QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
    QPushButton#primary {{ background: {c.accent}; color: {c.on_accent}; border-color: {c.accent}; font-weight: 600; }}
    QPushButton#primary:focus {{ border-color: {c.accent}; background: {c.field}; color: {c.text}; }}
    QPushButton#primary:disabled {{ background: {c.window}; color: {c.muted}; border-color: {c.border}; }}
    QComboBox {{
        background: {c.field}; color: {c.text}; border: 1px solid {c.border}; border-radius: 6px; padding: 4px 8px;
        combobox-popup: 0;  /* a list; as a menu Qt makes it too short for our padding, and scrolls */
    }}
    QComboBox:hover {{ background: {c.hover}; }}
    QComboBox:focus {{ border: 2px solid {c.accent}; padding: 3px 7px; }}
    QComboBox::drop-down {{ border: none; width: 22px; }}
    QComboBox::down-arrow {{ image: none; }}
    QComboBox QAbstractItemView {{
        background: {c.card}; color: {c.text}; border: 1px solid {c.border}; padding: 3px; outline: none;
        selection-background-color: {c.accent}; selection-color: {c.on_accent};
    }}
    QComboBox QAbstractItemView:focus {{ border: 1px solid {c.border}; }}
    QLineEdit {{
        background: {c.field}; color: {c.text}; border: 1px solid {c.border}; border-radius: 6px; padding: 6px 8px;
    }}
    QLineEdit:focus {{ border: 2px solid {c.accent}; padding: 5px 7px; }}
    QTableView, QTreeView, QListView, QPlainTextEdit, QTextEdit {{
        background: {c.card}; color: {c.text}; border: 2px solid {c.border}; border-radius: 4px;
        selection-background-color: {c.accent}; selection-color: {c.on_accent};
    }}
    QTableView {{ border-color: {c.card}; outline: none; }}
    QTableView:focus, QTreeView:focus, QListView:focus, QPlainTextEdit:focus, QTextEdit:focus {{
        border-color: {c.accent};
    }}
    QHeaderView {{ background: {c.card}; }}
    QHeaderView::section {{
        background: {c.card}; color: {c.muted}; border: none; border-bottom: 1px solid {c.border}; padding: 3px 4px;
    }}
    QTreeView::item, QListView::item {{ padding: 4px 2px; }}
    QSpinBox, QDoubleSpinBox {{ min-height: 24px; }}
    QCheckBox::indicator, QTreeView::indicator {{
        width: 14px; height: 14px; border: 1px solid {c.muted}; border-radius: 3px; background: {c.field};
    }}
    QCheckBox::indicator:checked, QTreeView::indicator:checked {{ background: {c.accent}; border-color: {c.accent}; }}
    QCheckBox::indicator:disabled, QTreeView::indicator:disabled {{ border-color: {c.border}; }}
    QCheckBox::indicator:checked:disabled, QTreeView::indicator:checked:disabled {{ background: {c.muted}; }}
    QCheckBox {{ border: 2px solid transparent; border-radius: 4px; padding: 1px 2px; }}
    QCheckBox:focus {{ border-color: {c.accent}; }}
    QLabel#selectable, QSlider {{ border: 2px solid transparent; border-radius: 4px; }}
    QLabel#selectable:focus, QSlider:focus {{ border-color: {c.accent}; }}
    QTabWidget::pane {{ border: none; }}
    QTabBar {{ qproperty-drawBase: 0; }}
    QTabBar::tab {{
        color: {c.muted}; background: transparent; padding: 3px 8px;
        border: 2px solid transparent; border-bottom-color: {c.border};
    }}
    QTabBar::tab:selected {{ color: {c.text}; border-bottom-color: {c.accent}; }}
    QTabBar::tab:focus {{ border: 2px solid {c.accent}; border-radius: 4px; }}
    QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
    QScrollBar::handle:vertical {{ background: {c.border}; border-radius: 4px; min-height: 24px; margin: 1px; }}
    QScrollBar::handle:vertical:hover {{ background: {c.muted}; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; width: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    QFrame#banner-error {{ background: {c.error_card}; border: 1px solid {c.error}; border-radius: 8px; }}
    QFrame#banner-warning {{ background: {c.warning_card}; border: 1px solid {c.warning}; border-radius: 8px; }}
    QFrame#toast {{ background: {c.text}; border-radius: 8px; }}
    QFrame#toast QLabel {{ color: {c.window}; background: transparent; }}
    QFrame#toast QPushButton {{ color: {c.window}; background: transparent; border: 1px solid {c.muted}; }}
    QFrame#toast QPushButton:hover {{ border: 1px solid {c.window}; }}
    QFrame#toast QPushButton:focus {{ border: 2px solid {c.window}; }}
    """
