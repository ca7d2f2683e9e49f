"""Ctrl-C reaches every process of a terminal. Those that this program starts leave it to the one that started them.

A process that ignores it by itself can do so only once Python has started and its modules are loaded: until then, for
a second and more on a busy machine, Ctrl-C ends it with a traceback. So Ctrl-C must be blocked before it starts.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess


@contextmanager
def without_ctrl_c() -> Iterator[None]:
    """What this thread starts inside gets no Ctrl-C, and neither does what that starts. Any thread may enter.

    This process loses no Ctrl-C: it is held back in this thread alone, as a child inherits it, and one that comes
    meanwhile goes to another thread or waits. (Windows has an attribute of the whole process instead: a Ctrl-C in the
    few milliseconds in which a process is started there has to be pressed again.)
    """
    if sys.platform == "win32":
        import ctypes

        # With no handler named, True ignores Ctrl-C here and in whatever is started, until False.
        set_handler = ctypes.windll.kernel32.SetConsoleCtrlHandler
        set_handler(None, True)
        try:
            yield
        finally:
            set_handler(None, False)
    else:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def start_process(process: BaseProcess) -> None:
    """Start a process of `multiprocessing` that gets no Ctrl-C."""
    start_tracker()
    with without_ctrl_c():
        process.start()


def start_tracker() -> None:
    """Start the process with which `multiprocessing` keeps account; call it before without_ctrl_c is entered to start
    others. It ignores Ctrl-C by itself, but the thread that has started it gets Ctrl-C again (up to Python 3.13)."""
    if sys.platform != "win32":
        from multiprocessing import resource_tracker

        resource_tracker.ensure_running()
