"""Whether teaching tries generated variants of the examples, and of which generator."""

from pathlib import Path

from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QWidget

from app.live.generation import none_here, offered
from app.ui.picker import Picker

_TOOLTIP = (
    "Also trains on generated variants of the examples, and keeps them only if more held-out examples are correct. "
    "Takes about twice as long."
)
_NOT_FULL = "Full teaching takes no variants."


class VariantsChoice(QWidget):
    """Off at first. Without a generator it cannot be switched on, and its tooltip says where to put one."""

    def __init__(self, root: Path) -> None:
        """root: of the library, in which the user's own generators are."""
        super().__init__()
        self._root = root
        self._allowed = True
        self.add = QCheckBox("Add generated variants")
        self.generators = Picker()
        self.generators.setAccessibleName("Generator for variants")
        self.add.toggled.connect(lambda _: self._refresh())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.add)
        row.addWidget(self.generators, 1)
        self.look_for_generators()

    @property
    def folder(self) -> Path | None:
        """Of the generator that is to make variants; None for none."""
        chosen: Path | None = self.generators.currentData()
        return chosen if self._allowed and self.add.isChecked() else None

    def look_for_generators(self) -> None:
        """Offer what there is now."""
        before = self.generators.currentData()
        folders = offered(self._root)
        self.generators.clear()
        for folder in folders:
            self.generators.addItem(folder.name, folder)
        if before in folders:
            self.generators.setCurrentIndex(folders.index(before))
        self._refresh()

    def allow(self, quick: bool) -> None:
        """For Quick teaching alone."""
        self._allowed = quick
        self._refresh()

    def _refresh(self) -> None:
        some = self.generators.count() > 0
        self.add.setEnabled(some and self._allowed)
        self.generators.setVisible(self.folder is not None)
        self.add.setToolTip(_TOOLTIP if some and self._allowed else none_here(self._root) if not some else _NOT_FULL)
