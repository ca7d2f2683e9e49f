"""The taught recognizers as a list: one of each version, with what runs marked."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem

from app.clock_text import local_clock
from recognizer.teaching.versions import TaughtModel

_LABEL, _MADE, _EXAMPLES, _RIGHT = range(4)


class VersionList(QTreeWidget):
    """picked: another version is looked at; None for none."""

    picked = Signal(object)  # TaughtModel | None

    def __init__(self) -> None:
        super().__init__()
        self._models: list[TaughtModel] = []
        self.setHeaderLabels(["Taught recognizer", "Made", "Examples", "Right"])
        self.setRootIsDecorated(False)
        self.setAccessibleName("Taught recognizers")
        self.header().setStretchLastSection(False)
        self.header().setSectionResizeMode(_LABEL, QHeaderView.ResizeMode.Stretch)
        self.currentItemChanged.connect(lambda *_: self.picked.emit(self.chosen()))

    def chosen(self) -> TaughtModel | None:
        """The one that is chosen."""
        item: QTreeWidgetItem | None = self.currentItem()
        place = self.indexOfTopLevelItem(item) if item is not None else -1
        return self._models[place] if 0 <= place < len(self._models) else None

    def labels(self) -> list[str]:
        """Of all of them."""
        return [model.label for model in self._models]

    def offer(self, models: Sequence[TaughtModel], choose: str | None, running: str) -> None:
        """Show these. choose: the label to choose; None keeps what is chosen. running: as mark."""
        before = self.chosen()
        wanted = choose or (before.label if before is not None else None)
        self.blockSignals(True)
        self.clear()
        self._models = list(models)
        for model in self._models:
            item = QTreeWidgetItem([model.label, local_clock(model.created), str(_examples(model)), _right(model)])
            item.setToolTip(_LABEL, model.problem or f"{model.kind or 'taught'}, on {model.base or 'its own'}")
            self.addTopLevelItem(item)
        for section in (_MADE, _EXAMPLES, _RIGHT):
            self.resizeColumnToContents(section)
        self.mark(running)
        self.blockSignals(False)
        labels = self.labels()
        if labels:
            chosen = self.topLevelItem(labels.index(wanted) if wanted in labels else len(labels) - 1)
            assert chosen is not None
            self.setCurrentItem(chosen)

    def mark(self, running: str) -> None:
        """Say which one runs; running: its folder."""
        for place, model in enumerate(self._models):
            item = self.topLevelItem(place)
            if item is not None:
                item.setText(_LABEL, f"{model.label} · in use" if _same(model.folder, running) else model.label)


def _same(folder: Path, running: str) -> bool:
    return str(folder) == running


def _examples(model: TaughtModel) -> int:
    return sum(map(len, model.actions.values()))


def _right(model: TaughtModel) -> str:
    """The strictest check's accuracy."""
    try:
        return f"{float(model.check['checks'][0]['accuracy']):.0%}"
    except (KeyError, IndexError, TypeError, ValueError):
        return ""
