"""The documentation in a window of its own: the pages that came with the program, with their links."""

import re
from collections import Counter
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import (
    QDesktopServices,
    QImage,
    QResizeEvent,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextOption,
)
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QTextBrowser, QVBoxLayout, QWidget

from app.ui.child_windows import ClosingDialog, close_box
from app.ui.disabled_controls import enable

_ROOT = Path(__file__).resolve().parents[3]
_UNKNOWN = QTextDocument.ResourceType.UnknownResource
_NONE = "# ActionLens\n\nThe documentation is README.md and the folder docs of the source code."


class Page(QTextBrowser):
    """Pictures and code that are wider than the page are fitted to it, so that it does not scroll sideways. Links to a
    part of a page, page.md#part, lead to the heading that GitHub calls so: Qt gives headings no names."""

    def __init__(self) -> None:
        super().__init__()
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self._pictures: dict[QUrl, QImage] = {}
        self._room = 0

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """Qt override."""
        name = QUrl(name)
        if kind != QTextDocument.ResourceType.ImageResource.value:
            return super().loadResource(kind, name)
        place = self.source().resolved(name)
        if name not in self._pictures:
            self._pictures[name] = QImage(place.toLocalFile())
        return self._fitted(self._pictures[name])

    def doSetSource(self, name: QUrl | str, kind: QTextDocument.ResourceType = _UNKNOWN) -> None:
        """Qt override: another page, with pictures of its own."""
        self._pictures.clear()
        super().doSetSource(name, kind)
        self._wrap_code()
        self._name_headings()
        if QUrl(name).hasFragment():
            self.scrollToAnchor(QUrl(name).fragment(QUrl.ComponentFormattingOption.FullyDecoded))

    def show_markdown(self, text: str) -> None:
        """A page that is no file."""
        self.setMarkdown(text)
        self._wrap_code()
        self._name_headings()

    def _wrap_code(self) -> None:
        """Lines of code that are longer than the page go on in the next line."""
        cursor, block = QTextCursor(self.document()), self.document().begin()
        while block.isValid():
            if block.blockFormat().nonBreakableLines():
                wrapped = block.blockFormat()
                wrapped.setNonBreakableLines(False)
                cursor.setPosition(block.position())
                cursor.setBlockFormat(wrapped)
            block = block.next()

    def _name_headings(self) -> None:
        cursor, block, seen = QTextCursor(self.document()), self.document().begin(), Counter[str]()
        while block.isValid():
            if block.blockFormat().headingLevel() and block.text():
                name = heading_name(block.text())
                seen[name] += 1
                named = QTextCharFormat()
                named.setAnchor(True)
                named.setAnchorNames([name if seen[name] == 1 else f"{name}-{seen[name] - 1}"])
                cursor.setPosition(block.position())
                cursor.movePosition(QTextCursor.MoveOperation.NextCharacter, QTextCursor.MoveMode.KeepAnchor)
                cursor.mergeCharFormat(named)
            block = block.next()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt override."""
        super().resizeEvent(event)
        if self._width() != self._room:
            self._room = self._width()
            for name, picture in self._pictures.items():
                self.document().addResource(QTextDocument.ResourceType.ImageResource.value, name, self._fitted(picture))
            self.document().markContentsDirty(0, self.document().characterCount())

    def _width(self) -> int:
        return int(self.viewport().width() - 2 * self.document().documentMargin())

    def _fitted(self, picture: QImage) -> QImage:
        if picture.width() <= self._width():
            return picture
        return picture.scaledToWidth(max(self._width(), 1), Qt.TransformationMode.SmoothTransformation)


class Documentation(ClosingDialog):
    """Begins with README.md, or with what the installed package carries of it. It does not block the window."""

    def __init__(self, parent: QWidget | None = None, root: Path = _ROOT) -> None:
        super().__init__(parent)
        self.setWindowTitle("Documentation")
        self.resize(900, 700)
        self._root = root
        self.page = Page()
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
            self.page.show_markdown(_of_package() or _NONE)

    def _can_go_back(self, can: bool) -> None:
        enable(self.back, "" if can else "This is the first page")

    def _open(self, link: QUrl) -> None:
        """A page of ours here; everything else as the system does."""
        if self.page.source().isEmpty() and link.isRelative() and not link.path():  # in the page that is no file
            self.page.scrollToAnchor(link.fragment(QUrl.ComponentFormattingOption.FullyDecoded))
            return
        place = self.page.source().resolved(link)
        if place.isLocalFile() and place.toLocalFile().endswith(".md") and Path(place.toLocalFile()).is_file():
            self.page.setSource(place)
        elif not place.isLocalFile() or Path(place.toLocalFile()).exists():
            QDesktopServices.openUrl(place)


def heading_name(heading: str) -> str:
    """The name that GitHub gives a heading, for links to it: "What it needs: Python" is #what-it-needs-python."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def _of_package() -> str:
    try:
        found = metadata("actionlens").json
    except PackageNotFoundError:
        return ""
    return str(found.get("description", ""))
