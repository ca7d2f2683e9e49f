"""The alert rules of the window: loaded at the start, checked during every run, saved when they change."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from app.alerts.rules import AlertError, Alerts, Rule, alerts_path, load, save
from app.alerts.runner import AlertRunner, Outcome
from app.names_in_text import isolated
from app.ui.live_run import LiveRun
from app.ui.panel import Panel
from app.ui.sentences import sentence

_POLL_MS = 200


class AlertControl(QObject, Panel):
    """message: a line for the user. outcome: the Outcome of an alert. All on the window's thread.

    Nothing runs until there are rules or one is tried. file: replaces the user's own rules file. It may be written by
    hand while the window is open: it is read again before anything is made of the rules.
    """

    message = Signal(str)
    outcome = Signal(object)  # Outcome

    def __init__(
        self, live: LiveRun, actions: Callable[[], tuple[str, ...]], file: Path | None, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._live, self._actions, self._window = live, actions, parent
        self._file, self._must_exist = file or alerts_path(), file is not None
        self._runner: AlertRunner | None = None
        self._outcomes: deque[Outcome] = deque(maxlen=100)
        self._failing: dict[str, str] = {}
        self.alerts = Alerts(file=self._file)
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._poll)
        self._unread = ""
        self._read()
        if self._unread:
            QTimer.singleShot(0, self, lambda: self.message.emit(sentence(self._unread)))

    def show(self) -> None:
        """The dialog with the rules."""
        from app.ui.alerts.dialog import AlertsDialog

        dialog = self._window.findChild(AlertsDialog)
        if dialog is None:
            dialog = AlertsDialog(self, self._actions, self._window)
        dialog.read()
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()

    @property
    def unread(self) -> str:
        """Why the file could not be read, "" if it could. An unreadable file is never overwritten."""
        return self._unread

    def reload(self) -> bool:
        """Read the file again if it has changed since, and say whether it had; `unread` says why it cannot be read."""
        changed = _state(self._file) != self._seen
        if changed:
            self._read()
        return changed

    def change(self, change: Callable[[tuple[Rule, ...]], tuple[Rule, ...]]) -> None:
        """Apply and save what change() makes of the rules that the file has now. Raises AlertError as use() does."""
        self.reload()
        self.use(replace(self.alerts, rules=change(self.alerts.rules)))

    def use(self, alerts: Alerts) -> None:
        """Apply and save new rules. Raises AlertError if they cannot be saved; the old rules stay in force."""
        if self._unread:
            raise AlertError(self._unread)
        save(alerts, self._file)
        self._seen = _state(self._file)
        self.alerts = replace(alerts, file=self._file)
        self._watch()

    def try_rule(self, name: str) -> None:
        """Run the reactions of a rule now. Raises AlertError if the file cannot be read or has no such rule."""
        self.reload()
        if self._unread:
            raise AlertError(self._unread)
        rule = next((rule for rule in self.alerts.rules if rule.name == name), None)
        if rule is None:
            raise AlertError(f"{self._file} no longer has a rule {name!r}; choose another one")
        self._running().try_rule(rule)

    def begin_run(self) -> None:
        """Another run begins."""
        if self._runner is not None:
            self._runner.begin_run()

    def end(self) -> None:
        """End everything."""
        self._timer.stop()
        if self._runner is not None:
            self._live.remove_tap(self._runner)
            self._runner.close()
            self._runner = None

    def _read(self) -> None:
        self._seen, self._unread = _state(self._file), ""
        try:
            there = self._seen is not None or self._must_exist
            self.alerts = load(self._file) if there else Alerts(file=self._file)
        except AlertError as error:
            self._unread = str(error)
            return
        if self._runner is not None or self.alerts.rules or self.alerts.broker is not None:
            self._watch()

    def _watch(self) -> None:
        if self._runner is None:
            self._running()
        else:
            self._runner.use(self.alerts)

    def _running(self) -> AlertRunner:
        if self._runner is None:
            self._runner = AlertRunner(self.alerts, self._outcomes.append)
            self._live.add_tap(self._runner)
            self._timer.start()
        return self._runner

    def _poll(self) -> None:
        while self._outcomes:
            outcome = self._outcomes.popleft()
            self.outcome.emit(outcome)
            if outcome.failure and self._failing.get(outcome.rule) != outcome.failure:
                self.message.emit(f"{isolated(outcome.rule)}: {outcome.failure}")
            self._failing[outcome.rule] = outcome.failure


def _state(file: Path) -> tuple[int, int] | None:
    """Differs after the file was written; None while there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
