"""The window: puts the parts together and connects them."""

from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QCloseEvent, QDesktopServices, QKeyEvent
from PySide6.QtWidgets import QMainWindow

from app.results import EngineState, Result
from app.settings import RunOptions, UserSettings
from app.ui import choices, dialogs, icons
from app.ui.action_panel import ActionPanel
from app.ui.actions import Actions
from app.ui.alerts.control import AlertControl
from app.ui.attention.lazy_panel import AttentionOpener
from app.ui.banner import Banner
from app.ui.child_windows import ClosingQuestion, close_all_of, stop_questions_of
from app.ui.demo_strip import DemoStrip
from app.ui.event_export import export_events
from app.ui.event_list import EventList
from app.ui.file_drop import FileDrop
from app.ui.history.control import HistoryControl
from app.ui.jobs import Jobs
from app.ui.layout import Body
from app.ui.live_run import LiveRun, MakeEngine, RunView
from app.ui.menus import fill_menus
from app.ui.messages import advice
from app.ui.panel import Panel
from app.ui.pictures import pictures_folder, save_picture
from app.ui.record_places import RecordPlaces
from app.ui.recording.control import RecordControl, Saved
from app.ui.recording.record_bar import RecordChoices
from app.ui.run_choices import FindCameras, RunChoices
from app.ui.screen import fit, restore_window, saved_window
from app.ui.secondary_windows import SecondaryWindows
from app.ui.seek_control import SeekControl
from app.ui.sentences import sentence
from app.ui.status import Status
from app.ui.teaching.lazy_page import TeachOpener
from app.ui.theme import Theme
from app.ui.timeline import Timeline
from app.ui.toast import Toast
from app.ui.toolbar import Toolbar
from app.ui.video_view import VideoView
from app.ui.virtual_camera import VirtualCameraControl

_REFRESH_MS = 100  # the side panel and the timeline; the picture follows every result
_STATUS_MS = 500


class MainWindow(QMainWindow):
    """Starts the run when it is made and ends it when it is closed.

    find_cameras: as choices.find_cameras; may be slow. mirror_changed: the user mirrored the picture, or back.
    """

    mirror_changed = Signal(bool)

    def __init__(
        self,
        make_engine: MakeEngine,
        options: RunOptions,
        settings: UserSettings,
        theme: Theme,
        find_cameras: FindCameras = choices.find_cameras,
    ) -> None:
        super().__init__()
        self.setWindowTitle("ActionLens")
        self.setWindowIcon(icons.application_icon())
        self.setMinimumHeight(400)  # the width is that of what is in it
        fit(self, QSize(1280, 800))
        self._settings = settings
        self._theme = theme
        self._has_new_results = False  # results have come since the last refresh
        self._closing = ClosingQuestion(
            self, lambda: (self.teaching.stop_question(), *stop_questions_of(self)), self.close_now
        )
        self._events_source = options.source
        self.jobs = Jobs(self)
        self.live = LiveRun(make_engine, options, self.jobs, self)
        self._make_parts(options, find_cameras)
        self._lay_out()
        parts = self.recording, self.teaching, self._body
        self.record_places = RecordPlaces(
            self.actions_by_name, *parts, self.video, self.toast, self._known_actions, self
        )
        self._connect()
        self._restore(options)
        self.setFocus()
        self.live.start()

    def _make_parts(self, options: RunOptions, find_cameras: FindCameras) -> None:
        colours = self._theme.colours
        self.actions_by_name = Actions(self, colours)
        self.toolbar = Toolbar(self.actions_by_name, options)
        self.banner = Banner(colours)
        self.demo = DemoStrip()
        self.video = VideoView(colours)
        self.toast = Toast(self.video, self.video.countdown_rect)
        self.timeline = Timeline(colours)
        self.panel = ActionPanel(colours)
        self.events = EventList()
        self.status = Status()
        self.seeking = SeekControl(self.live, self.events, colours, self)
        self.attention = AttentionOpener(self.live, self.video, self._theme, self)
        record_choices = self._record_choices()
        self.recording = RecordControl(self.live, self.video, self.jobs, record_choices, parent=self)
        self.run_choices = RunChoices(self.live, self.toolbar, self.jobs, find_cameras, self)
        self.beside = SecondaryWindows(lambda: self.recording.root, self._theme, self.jobs, self._use_model, self)
        self.teaching = TeachOpener(self.live, self.video, self._theme, self.jobs, self.recording, self)
        self.alerts = AlertControl(self.live, self._known_actions, options.alerts, self)
        self.history = HistoryControl(self.live, self._settings, self._theme, self)
        action = self.actions_by_name["virtual_camera"]
        self.virtual_camera = VirtualCameraControl(self.live, action, self.toast, self)
        self._panels: tuple[Panel, ...] = (
            *(self.toolbar, self.banner, self.demo, self.video, self.timeline, self.panel, self.status),
            *(self.attention, self.teaching, self.recording, self.alerts, self.history, self.seeking),
            self.virtual_camera,
        )
        self._side_timer = self._timer(_REFRESH_MS, self._refresh)
        self._status_timer = self._timer(_STATUS_MS, self._show_stats)

    def _timer(self, interval_ms: int, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setInterval(interval_ms)
        timer.timeout.connect(slot)
        timer.start()
        return timer

    def _lay_out(self) -> None:
        fill_menus(self.menuBar(), self.actions_by_name)
        self._body = Body(
            menus=self.menuBar(),
            toolbar=self.toolbar,
            banners=(self.banner, self.demo),
            video=self.video,
            record_bar=self.recording.bar,
            strip=self.attention.strip,
            timelines=(self.seeking.bar, self.timeline),
            now=self.panel,
            events=self.events,
            status=self.status,
        )
        self.setCentralWidget(self._body)

    def _connect(self) -> None:
        live, banner = self.live, self.banner
        live.result.connect(self._show_result)
        live.events.connect(self.seeking.list_events)
        live.changed.connect(self._show_run)
        live.changed.connect(self.beside.run_changed)
        live.began.connect(self._begin)
        self.video.painted.connect(live.mark_painted)
        self.video.countdown_changed.connect(self.toast.place)
        self.panel.person_chosen.connect(self._follow)
        self.attention.wanted.connect(self.actions_by_name["attention"].trigger)
        self._body.side_needed.connect(lambda reason: self.actions_by_name.refuse("panel", reason))
        FileDrop(self, self.run_choices.choose_source)
        banner.restart.connect(self.run_choices.restart)
        banner.choose_source.connect(lambda: self.toolbar.open(self.toolbar.source))
        self.demo.choose_camera.connect(lambda: self.toolbar.open(self.toolbar.source))
        self.demo.open_video.connect(self.actions_by_name["open_file"].trigger)
        self.demo.teach.connect(self.actions_by_name["teach"].trigger)
        self.recording.saved.connect(self._announce_take)
        self.recording.taken_back.connect(self.beside.recorded)
        self.recording.message.connect(self.toast.show_message)
        self.recording.saved.connect(self.beside.recorded)
        self.teaching.message.connect(self.toast.show_message)
        self.history.message.connect(self.toast.show_message)
        self.alerts.message.connect(self.toast.show_message)
        self.teaching.recorded.connect(self.beside.recorded)
        self.teaching.use.connect(self._use_model)
        self.teaching.more.connect(lambda: self.beside.teach(live.view, self.teaching.recorded_action))
        self.teaching.taking.connect(self.beside.taking)
        self.beside.again.connect(self.record_places.record_again)
        self._theme.changed.connect(self._apply_theme)
        self._connect_actions()

    def _connect_actions(self) -> None:
        toolbar, run, beside = self.toolbar, self.run_choices, self.beside
        for name, slot in (
            ("start", run.toggle),
            ("pause", self.live.toggle_pause),
            ("restart", run.restart),
            ("source", lambda: toolbar.open(toolbar.source)),
            ("model", lambda: toolbar.open(toolbar.model)),
            ("people", lambda: toolbar.open(toolbar.people)),
            ("pose", lambda: toolbar.open(toolbar.pose)),
            ("provider", lambda: toolbar.open(toolbar.provider)),
            ("demo", lambda: run.choose_source(choices.DEMO)),
            ("open_file", lambda: run.choose_source(choices.OPEN_FILE)),
            ("open_url", lambda: run.choose_source(choices.OPEN_URL)),
            ("export_events", lambda: export_events(self, self.events.events.rows, self.jobs, self.toast)),
            ("alerts", self.alerts.show),
            ("history", self.history.show),
            ("screenshot", self.take_screenshot),
            ("folder", lambda: dialogs.ask_folder(self, "Folder for pictures", self._set_folder)),
            ("virtual_camera", self.virtual_camera.show),
            ("quit", self.close),
            ("mirror", self.set_mirror),
            ("large_text", self.set_large_text),
            ("panel", self._body.show_panel),
            ("record", self.record_places.show_bar),
            ("take", self.record_places.toggle_take),
            ("wrong", self.record_places.correct_last),
            ("library", lambda: beside.open_library(lambda: self.live.options.model)),
            ("teach", self.record_places.show_page),
            ("recognizers", lambda: beside.show_recognizers(lambda: self.live.options.model)),
            ("attention", self.show_attention),
            ("freeze", self.attention.toggle_hold),
            ("overlay", self.attention.toggle_overlay),
            ("full_screen", self.set_full_screen),
            ("theme", self.next_theme),
            ("next_person", self.panel.choose_next),
            ("generated", beside.show_generated),
            ("shortcuts", beside.show_shortcuts),
            ("documentation", beside.show_documentation),
            ("doctor", beside.show_doctor),
            ("about", beside.show_about),
        ):
            self.actions_by_name[name].triggered.connect(slot)

    def _restore(self, options: RunOptions) -> None:
        restore_window(self, self._settings.geometry)
        self.actions_by_name["panel"].setChecked(True)
        self.actions_by_name["mirror"].setChecked(options.mirror)
        self.actions_by_name["large_text"].setChecked(self._settings.large_text)
        for panel in self._panels:
            panel.set_mirror(options.mirror)
        self.video.set_large_text(self._settings.large_text)
        self.actions_by_name["attention"].setChecked(self._settings.attention)
        self.show_attention(self._settings.attention)

    # Results and state of the run.

    def _begin(self) -> None:
        for panel in self._panels:
            panel.begin_run()
        if self.live.options.source != self._events_source:  # here, after the last events of the run before
            self._events_source = self.live.options.source
            self.events.events.clear()

    def _show_result(self, result: Result) -> None:
        for panel in self._panels:
            panel.add_result(result)
        self._has_new_results = True
        self._follow()

    def _follow(self) -> None:
        """Explain the person that the panel shows. Also called on a new choice: a paused picture has no next result."""
        if self.video.result is not None:
            person = self.panel.person_of(self.video.result)
            several = self.live.options.people > 1  # a single person gets a new number after a long loss
            self.live.followed = person.pose.person if several and person is not None else None
            self.video.set_advice(advice(person))
            self.attention.add(self.video.result, person)

    def _refresh(self) -> None:
        if self._has_new_results and not self.isMinimized():
            self._has_new_results = False
            for panel in self._panels:
                panel.refresh()
            self.actions_by_name.show_people(len(self.panel.persons.persons))

    def _show_stats(self) -> None:
        self._closing.recheck()
        if not self.isMinimized():
            self.status.show_stats(self.live.stats())

    def _show_run(self, view: RunView) -> None:
        for panel in self._panels:
            panel.show_run(view)
        self.actions_by_name.set_running(self.live.active, self._theme.colours)
        self.actions_by_name["pause"].setChecked(view.state is EngineState.PAUSED)
        if view.options.seconds and view.state is EngineState.STOPPED and view.info is not None:
            self.close_now()  # --seconds ends the program as it does without a window

    # User commands.

    def take_screenshot(self) -> None:
        """Save what is shown as a PNG, off this thread."""
        image = self.video.screenshot()
        if image is None:
            self.toast.show_message("There is no picture yet")
            return
        folder, now = pictures_folder(self._settings.save_folder), datetime.now()
        self.jobs.start(
            "screenshot",
            lambda: save_picture(image, folder, now),
            self._announce_screenshot,
            lambda line: self.toast.show_message(sentence(line)),
        )

    def set_mirror(self, mirror: bool) -> None:
        """Mirror the picture."""
        for panel in self._panels:
            panel.set_mirror(mirror)
        self.run_choices.set_mirror(mirror)
        self.mirror_changed.emit(mirror)

    def set_large_text(self, large: bool) -> None:
        """Write the action large."""
        self._settings.large_text = large
        self.video.set_large_text(large)

    def show_attention(self, shown: bool) -> None:
        """Show why, beside and under the picture."""
        self._settings.attention = shown
        panel = self.attention.show(shown)
        if panel is not None:
            self._body.set_attention(panel)
        self.panel.set_compact(shown)
        self._body.show_attention(shown)

    def set_full_screen(self, full: bool) -> None:
        """The picture alone on the whole screen, or the window as before."""
        if full == self.isFullScreen():
            return
        if full:
            self._settings.geometry = saved_window(self)
            self.showFullScreen()
        else:
            self.showNormal()
        self.actions_by_name["full_screen"].setChecked(full)
        self._body.set_full_screen(full)
        self.video.set_black(full)

    def next_theme(self) -> None:
        """System, light, dark."""
        self._settings.theme = self._theme.next()
        self.toast.show_message(f"Theme: {self._settings.theme}")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt override: Esc leaves the full screen, then the page that teaches."""
        if event.key() == Qt.Key.Key_Escape and self.isFullScreen():
            self.set_full_screen(False)
        elif event.key() == Qt.Key.Key_Escape and self.actions_by_name["teach"].isChecked():
            self.actions_by_name["teach"].trigger()
        else:
            super().keyPressEvent(event)

    def close_now(self) -> None:
        """Close without a question."""
        self._closing.confirmed = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Qt override: everything ends here, after a question where something is at work."""
        if not self._closing.may_close():
            event.ignore()
            return
        if not self.isFullScreen():
            self._settings.geometry = saved_window(self)
        self._remember()
        close_all_of(self)
        self.hide()
        self._side_timer.stop()
        self._status_timer.stop()
        for panel in self._panels:
            panel.end()
        self.live.close()
        self.jobs.close(timeout_s=0.3)
        self.history.close()  # after every engine, also one that was being stopped
        super().closeEvent(event)

    # Helpers.

    def _known_actions(self) -> tuple[str, ...]:
        info = self.live.view.info
        return info.actions if info else ()

    def _use_model(self, model: str) -> None:
        self.run_choices.use_recognizer(model=model)

    def _set_folder(self, folder: str) -> None:
        self._settings.save_folder = folder

    def _announce_screenshot(self, path: Path) -> None:
        def show() -> None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))

        self.toast.show_message(f"Saved “{path.name}” in {path.parent.name}", Open=show)

    def _announce_take(self, saved: Saved) -> None:
        def show() -> None:
            self.beside.open_library(lambda: self.live.options.model, saved.folder.name)

        self.toast.show_message(saved.text, Undo=lambda: self.recording.take_back(saved), Open=show)

    def _apply_theme(self) -> None:
        colours = self._theme.colours
        self.actions_by_name.set_colours(colours)
        for panel in self._panels:
            panel.set_colours(colours)
        self.actions_by_name.set_running(self.live.active, colours)

    def _record_choices(self) -> RecordChoices:
        return RecordChoices(**{f.name: getattr(self._settings, f"record_{f.name}") for f in fields(RecordChoices)})

    def _remember(self) -> None:
        self.run_choices.remember(self._settings)
        for name, value in asdict(self.recording.bar.choices()).items():
            setattr(self._settings, f"record_{name}", value)
        self._settings.save()
