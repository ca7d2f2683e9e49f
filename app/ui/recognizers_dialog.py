"""All recognizers: used, and those that were taught renamed, deleted, exported and imported."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app import model_files
from app.installation import command
from app.models import SHIPPED, KnownModel, known_models, name_of
from app.plurals import counted
from app.ui.child_windows import ClosingDialog, ask, close_box
from app.ui.dialogs import file_dialog
from app.ui.disabled_controls import enable
from app.ui.jobs import Jobs
from app.ui.live_run import RunView

_NAME, _FROM, _ACTIONS, _MADE = range(4)
_LETTERS, _LINES = 113, 30  # across and down the window
_NONE = "Choose a recognizer in the list"
_ONLY_TAUGHT = "Shipped recognizers cannot be changed"
_HINT = f"The same names work on the command line: {command()} --model NAME"


class RecognizersDialog(ClosingDialog):
    """use: the user wants another one to run. renamed: what runs has another name now.

    library: its folder. running: the recognizer that runs, as on the command line.
    """

    use = Signal(str)
    renamed = Signal(str)

    def __init__(self, library: Path, running: Callable[[], str], jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Recognizers")
        letter = self.fontMetrics()
        self.resize(_LETTERS * letter.averageCharWidth(), _LINES * letter.height())
        self._library, self._running, self._jobs = library, running, jobs
        self._models: list[KnownModel] = []
        self._shown_running = ""  # the one that is marked in the list
        self._busy = False
        self._make_parts()
        self._lay_out()
        self.state.setText(_HINT)
        self.read()

    def _make_parts(self) -> None:
        self.list = QTreeWidget()
        self.list.setHeaderLabels(["Recognizer", "From", "Actions", "Made"])
        self.list.setRootIsDecorated(False)
        self.list.setAllColumnsShowFocus(True)
        self.list.setAccessibleName("Recognizers")
        self.list.header().setStretchLastSection(False)
        self.list.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.list.header().setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        self.list.currentItemChanged.connect(lambda *_: self._choose())
        self.name = QLineEdit()
        self.name.setMaxLength(200)
        self.name.setAccessibleName("New name")
        self.name.returnPressed.connect(self.rename)
        self.name.textChanged.connect(lambda _: self._refresh())
        self.switch, self.change = self._button("&Use it", self._use), self._button("&Rename", self.rename)
        self.delete = self._button("&Delete…", self._ask_to_delete)
        self.export, self.bring = self._button("&Export…", self._ask_where), self._button("&Import…", self._ask_what)
        self.state = QLabel()
        self.state.setWordWrap(True)

    def _button(self, text: str, do: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)
        button.clicked.connect(lambda: do())
        return button

    def _lay_out(self) -> None:
        grid = QGridLayout()
        label = QLabel("&Name")
        label.setBuddy(self.name)
        grid.addWidget(label, 0, 0)
        grid.addWidget(self.name, 0, 1)
        grid.addWidget(self.change, 0, 2)
        buttons = QHBoxLayout()
        for button in (self.switch, self.delete, self.export):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self.bring)
        foot = QHBoxLayout()
        foot.addWidget(self.state, 1)
        foot.addWidget(close_box(self))
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(8)
        column.addWidget(self.list, 1)
        column.addLayout(grid)
        column.addLayout(buttons)
        column.addLayout(foot)

    def changeEvent(self, event: QEvent) -> None:
        """Qt override: looked at again, it shows what was taught meanwhile."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow() and not self._busy:
            self.read()

    def read(self, choose: str = "") -> None:
        """List what there is now; choose: a name, by default the one that was chosen, else the one that runs."""
        running, before = name_of(self._running(), self._library), self.chosen()
        typed = self.name.text() if self.name.isModified() else ""
        wanted = [choose, before.name if before else "", running]
        self._models, self._shown_running = known_models(self._library), running
        self.list.blockSignals(True)
        self.list.clear()
        for model in self._models:
            name = f"{model.name} · in use" if model.name == running else model.name
            count = "" if model.problem else str(model.actions)
            item = QTreeWidgetItem([name, "cannot be used" if model.problem else model.origin, count, model.made])
            item.setToolTip(_NAME, model.problem or str(model.folder))
            self.list.addTopLevelItem(item)
        for column in (_FROM, _ACTIONS, _MADE):
            self.list.resizeColumnToContents(column)
        self.list.blockSignals(False)
        names = [model.name for model in self._models]
        place = next((names.index(name) for name in wanted if name in names), 0)
        chosen = self.list.topLevelItem(place)
        if chosen is not None:
            self.list.setCurrentItem(chosen)
        self._choose()
        now = self.chosen()
        if typed and before is not None and now is not None and now.name == before.name:
            self.name.setText(typed)  # a half-typed name outlives a look at another window
            self.name.setModified(True)

    def show_run(self, _view: RunView | None = None) -> None:
        """Another recognizer may run: it was chosen elsewhere, or the last one that was chosen cannot be used."""
        if not self._busy and not self._is_closed and name_of(self._running(), self._library) != self._shown_running:
            self.read()

    def chosen(self) -> KnownModel | None:
        """The one that is chosen."""
        item: QTreeWidgetItem | None = self.list.currentItem()
        place = self.list.indexOfTopLevelItem(item) if item is not None else -1
        return self._models[place] if 0 <= place < len(self._models) else None

    def rename(self) -> None:
        """All versions of the chosen one, by what is typed."""
        model, new = self.chosen(), self.name.text().strip()
        if model is None or not self.change.isEnabled():
            return
        old, number = model.name.split("@")
        is_running = name_of(self._running(), self._library).partition("@")[0] == old
        version = name_of(self._running(), self._library).partition("@")[2]

        def done() -> None:
            if is_running:
                self.renamed.emit(f"{new}@{version}")
            self.read(f"{new}@{number}")
            self.state.setText(f"{old} is now called {new}")

        self._do(lambda: model_files.rename(self._library, old, new), lambda _: done())

    # What the buttons do.

    def _choose(self) -> None:
        model = self.chosen()
        self.name.setText("" if model is None or model.origin == SHIPPED else model.name.partition("@")[0])
        self._refresh()

    def _refresh(self) -> None:
        model = self.chosen()
        runs = model is not None and model.name == name_of(self._running(), self._library)
        fixed = _NONE if model is None else _ONLY_TAUGHT if model.origin == SHIPPED else ""
        same = model is not None and self.name.text().strip() == model.name.partition("@")[0]
        in_use = "It is already in use" if runs else ""
        enable(self.switch, _NONE if model is None else model.problem or in_use)
        enable(self.name, fixed)
        enable(self.change, fixed or ("Type another name first" if same or not self.name.text().strip() else ""))
        enable(self.delete, fixed or ("It is in use: choose another one first" if runs else ""))
        enable(self.export, fixed or (model.problem if model is not None else ""))

    def _use(self) -> None:
        model = self.chosen()
        if model is not None:
            self.state.setText(_HINT)  # what was said there is of something else
            self.use.emit(model.name)
            self.read()

    def _ask_to_delete(self) -> None:
        model = self.chosen()
        if model is not None:
            more = "This cannot be undone. The recordings it was trained on are kept."
            ask(self, f"Delete {model.name}?", more, "&Delete", lambda: self._delete(model))

    def _delete(self, model: KnownModel) -> None:
        def done() -> None:
            self.read()
            self.state.setText(f"{model.name} is deleted")

        self._do(lambda: model_files.remove(self._library, model.folder), lambda _: done())

    def _ask_where(self) -> None:
        model = self.chosen()
        if model is None:
            return
        dialog = file_dialog(self, f"Export {model.name}", QFileDialog.FileMode.AnyFile)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(model_files.ENDING.removeprefix("."))  # so that it asks before an existing file
        dialog.selectFile(f"{model.name}{model_files.ENDING}")
        dialog.fileSelected.connect(lambda path: self._export(model, Path(path)))
        dialog.open()

    def _export(self, model: KnownModel, target: Path) -> None:
        self._do(
            lambda: model_files.export(model.folder, target),
            lambda path: self.state.setText(f"{model.name} is exported to {path.name}"),
        )

    def _ask_what(self) -> None:
        dialog = file_dialog(self, "Import a recognizer", QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([f"Exported recognizers (*{model_files.ENDING} *.zip)", "All files (*)"])
        dialog.fileSelected.connect(lambda path: self.import_model(Path(path)))
        dialog.open()

    def import_model(self, path: Path) -> None:
        """Import an exported file."""

        def done(folder: Path) -> None:
            name = name_of(str(folder.absolute()), self._library)
            self.read(name)
            model = self.chosen()
            count = counted(model.actions, "action") if model is not None else ""
            self.state.setText(f"{name} with {count} is imported")

        self._do(lambda: model_files.import_model(self._library, path), done)

    def _do(self, work: Callable[[], Path | None], done: Callable[[Path], None]) -> None:
        """On a job's thread, one at a time."""
        if self._busy:
            return
        self._busy = True
        self.state.setText("Working …")

        def end(outcome: Path | None) -> None:
            self._busy = False
            if not self._is_closed:
                done(outcome or Path())
                self.show_run()

        def fail(line: str) -> None:
            self._busy = False
            if not self._is_closed:
                self.state.setText(line)
                self.show_run()

        self._jobs.start("recognizers", work, end, fail)
