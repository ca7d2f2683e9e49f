"""What the user chooses for the run: source, recognizer, people, provider; from the toolbar, the menu or a dialog."""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app import models
from app.settings import UserSettings
from app.ui import choices, dialogs
from app.ui.jobs import Jobs
from app.ui.live_run import LiveRun
from app.ui.toolbar import Toolbar
from pose.address import without_secrets

FindCameras = Callable[[], list[tuple[int, str]]]


class RunChoices(QObject):
    """Passes choices of the toolbar on to the run, and keeps those that are to be remembered.

    find_cameras: as choices.find_cameras; may be slow.
    """

    def __init__(self, live: LiveRun, toolbar: Toolbar, jobs: Jobs, find_cameras: FindCameras, parent: QWidget) -> None:
        super().__init__(parent)
        self._live, self._toolbar, self._jobs, self._window = live, toolbar, jobs, parent
        self._find_cameras = find_cameras
        self._chosen: set[str] = set()  # options changed in this window: those are remembered
        self.looking_for_cameras = False
        toolbar.source.chosen.connect(self.choose_source)
        toolbar.source.opening.connect(self._look_for_cameras)
        toolbar.model.chosen.connect(self.choose_model)
        toolbar.model.opening.connect(self.offer_models)
        toolbar.people.chosen.connect(lambda people: self._change_run(people=int(people)))
        toolbar.pose.chosen.connect(lambda pose: self._change_run(pose=pose))
        toolbar.provider.opening.connect(self._look_for_providers)
        toolbar.provider.chosen.connect(lambda provider: self.use_recognizer(provider=provider))
        self.offer_models()

    def toggle(self) -> None:
        """Start or stop."""
        if self._live.active:
            self._live.stop()
        else:
            self.restart()

    def restart(self) -> None:
        """Open everything again."""
        self._live.start(replace(self._live.options, seconds=None))

    def choose_source(self, source: str) -> None:
        """Run with another source, or ask for a file or a URL."""
        if source == choices.OPEN_FILE:
            dialogs.ask_video_file(self._window, self.choose_source)
        elif source == choices.OPEN_URL:
            current = self._live.options.source
            shown = without_secrets(current)  # the dialog may be seen by others
            dialogs.ask_url(self._window, shown, lambda url: self.choose_source(current if url == shown else url))
        else:
            self._change_run(source=source)

    def choose_model(self, model: str) -> None:
        """Change the recognizer while it runs, or ask for a folder."""
        if model != choices.OPEN_MODEL:
            self.use_recognizer(model=model)
            return
        dialogs.ask_folder(self._window, "Open a recognizer's folder", lambda folder: self.use_recognizer(model=folder))

    def use_recognizer(self, *, model: str | None = None, provider: str | None = None) -> None:
        """Change the model or the provider, without a new start where something runs."""
        self._chosen.add("model" if provider is None else "provider")
        options = self._live.options
        self._live.use_recognizer(models.name_of(model or options.model), provider or options.provider)

    def set_mirror(self, mirror: bool) -> None:
        """Mirror the picture."""
        self._chosen.add("mirror")
        self._live.options = replace(self._live.options, mirror=mirror)

    def offer_models(self) -> None:
        """Look which models there are now."""
        self._toolbar.model.offer(choices.model_choices())

    def remember(self, settings: UserSettings) -> None:
        """Put what was chosen into the settings."""
        for name in self._chosen:
            setattr(settings, name, getattr(self._live.options, name))

    def _change_run(self, **changes: str | int) -> None:
        self._chosen.update(changes)
        self._live.start(replace(self._live.options, seconds=None, **changes))  # type: ignore[arg-type]

    def _look_for_cameras(self) -> None:
        if not self.looking_for_cameras:
            self.looking_for_cameras = True
            self._jobs.start("cameras", self._find_cameras, self._offer_cameras, lambda error: self._offer_cameras([]))

    def _look_for_providers(self) -> None:
        self._jobs.start(
            "providers",
            choices.find_providers,
            lambda found: self._toolbar.provider.offer(choices.provider_choices(found)),
            lambda error: self._toolbar.provider.offer(choices.provider_choices()),
        )

    def _offer_cameras(self, cameras: list[tuple[int, str]]) -> None:
        self.looking_for_cameras = False
        self._toolbar.source.offer(choices.source_choices(cameras))
