"""The documentation in a window of its own: the pages that came with the program, with their links."""

from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QTextBrowser, QVBoxLayout, QWidget

from app.ui.child_windows import ClosingDialog, close_box
from app.ui.disabled_controls import enable

_ROOT = Path(__file__).resolve().parents[3]
_NONE = "# ActionLens\n\nThe documentation is README.md and the folder docs of the source code."


class Documentation(ClosingDialog):
    """Begins with README.md, or with what the installed package carries of it. It does not block the window."""

    def __init__(self, parent: QWidget | None = None, root: Path = _ROOT) -> None:
        super().__init__(parent)
        self.setWindowTitle("Documentation")
        self.resize(900, 700)
        self._root = root
        self.page = QTextBrowser()
        self.page.setAccessibleName("Documentation")
        self.page.setOpenLinks(False)
        self.page.anchorClicked.connect(self._open)
        self.back, self.home = QPushButton("&Back"), QPushButton("&First page")
        self.back.clicked.connect(self.page.backward)
        self.home.clicked.connect(self._go_home)
        self.page.backwardAvailable.connect(self._can_go_back)
        row = QHBoxLayout()
        for button in (self.back, self.home):
            button.setAutoDefault(False)
            row.addWidget(button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.addLayout(row)
        column.addWidget(self.page, 1)
        column.addWidget(close_box(self))
        self._can_go_back(False)
        self._go_home()

    def _go_home(self) -> None:
        first = self._root / "README.md"
        if first.is_file():
            self.page.setSource(QUrl.fromLocalFile(str(first)))
        else:
            self.page.setMarkdown(_of_package() or _NONE)

    def _can_go_back(self, can: bool) -> None:
        enable(self.back, "" if can else "This is the first page")

    def _open(self, link: QUrl) -> None:
        """A page of ours here; everything else as the system does."""
        place = self.page.source().resolved(link)
        if place.isLocalFile() and place.toLocalFile().endswith(".md") and Path(place.toLocalFile()).is_file():
            self.page.setSource(place)
        elif not place.isLocalFile() or Path(place.toLocalFile()).exists():
            QDesktopServices.openUrl(place)


def _of_package() -> str:
    try:
        found = metadata("actionlens").json
    except PackageNotFoundError:
        return ""
    return str(found.get("description", ""))
