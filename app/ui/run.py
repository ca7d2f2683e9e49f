"""Runs the window until it is closed."""

import sys

from PySide6.QtCore import QCoreApplication, QEvent, QTimer
from PySide6.QtWidgets import QApplication

from app.errors import OutputError
from app.interrupt import STATUS as INTERRUPTED
from app.interrupt import Interrupt
from app.live.engine import Engine
from app.outputs.run_outputs import Outputs
from app.settings import RunOptions, UserSettings
from app.ui.garbage import EventLoopCollector
from app.ui.live_run import MakeEngine
from app.ui.main_window import MainWindow
from app.ui.theme import Theme
from pose.arguments import error_line

DONE, FAILED = 0, 1
_SIGNAL_MS = 100  # Python's signal handlers run between Qt's events


def run_window(options: RunOptions, settings: UserSettings, make_engine: MakeEngine = Engine) -> int:
    """Show the window; the exit status. Raises OutputError, with nothing started, when an output cannot be opened."""
    with Interrupt() as interrupt:
        outputs = Outputs(options)

        def make(options: RunOptions) -> Engine:
            engine = make_engine(options)
            outputs.attach(engine)
            return engine

        application = _application()
        with EventLoopCollector():
            window = MainWindow(make, options, settings, Theme(application, settings.theme))
            window.mirror_changed.connect(lambda mirror: setattr(outputs, "mirror", mirror))
            window.live.changed.connect(lambda view: setattr(outputs, "model", view.options.model))
            timer = QTimer()
            timer.timeout.connect(lambda: window.close_now() if interrupt.requested.is_set() else None)
            if interrupt.requested.is_set():  # while everything was loaded
                window.close_now()
                _destroy(window)
            else:
                show_until_closed(application, window, timer, _SIGNAL_MS)
        status = _close(outputs)
    return INTERRUPTED if interrupt.requested.is_set() else status


def show_until_closed(application: QApplication, window: MainWindow, timer: QTimer, interval_ms: int) -> None:
    """Run the application, and the timer with it, until its last window is closed; then destroy the window."""
    timer.start(interval_ms)
    window.show()
    application.exec()
    timer.stop()
    _destroy(window)


def _destroy(window: MainWindow) -> None:
    window.deleteLater()
    QCoreApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete.value)


def _application() -> QApplication:
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        application = QApplication(sys.argv[:1])
    application.setApplicationName("ActionLens")
    application.setDesktopFileName("actionlens")
    return application


def _close(outputs: Outputs) -> int:
    try:
        outputs.close()
    except OutputError as error:
        sys.stderr.write(f"{error_line(error)}\n")
        return FAILED
    return DONE
