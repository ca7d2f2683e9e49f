"""For every test: no screen, no settings, caches or passwords of the user, no thread left behind, the log as it was."""

import gc
import itertools
import logging
import os
import shutil
import signal
import threading
import time

import platformdirs
import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
for threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):  # as the program has it (app.__main__), before NumPy loads:
    os.environ.setdefault(threads, "1")  # every core has a worker, and idle threads that spin took half of the time
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # of a run in the background; what tests start would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"

_REAL_CACHE = platformdirs.user_cache_path("actionlens", appauthor=False)
# Marked `slow`, and run by `make test-all` alone: research and the networks, which share no code with what the program
# runs but for features, window and decision, and those have tests of their own.
_SLOW = (
    "tests/research/",
    "tests/benchmarks/test_recognizers.py",
    *(
        f"tests/recognizer/training/{name}"
        for name in ("generate/", "models/", "pretrain/", "test_explain_command.py", "test_segmentation.py")
    ),
)
_PATIENCE_S = 30.0  # other tests run beside this one

gc.disable()  # until everything is imported: most of that stays, and collecting it again and again takes seconds


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist, for -n logical
def pytest_xdist_auto_num_workers():
    """Two more than there are processors, for tests also wait: for frames, for what must not happen, and for trainings,
    which give way to everything else."""
    return (os.cpu_count() or 1) + 2


def pytest_ignore_collect(collection_path, config):
    """Files that are slow as a whole are not even imported where no slow test is asked for, nor what they import."""
    if config.option.markexpr == "not slow" and collection_path.is_relative_to(config.rootpath):
        place = collection_path.relative_to(config.rootpath).as_posix() + "/" * collection_path.is_dir()
        return True if place.startswith(_SLOW) else None
    return None


@pytest.hookimpl(tryfirst=True)  # before -m looks at the marks
def pytest_collection_modifyitems(config, items):
    """Mark what is slow, and begin with the longest, by what they ask for: at the end nobody waits for the last one."""
    patience = {}
    for item in items:
        file = item.path.relative_to(config.rootpath).as_posix()
        if file.startswith(_SLOW):
            item.add_marker(pytest.mark.slow)
        asked = item.get_closest_marker("timeout")
        patience[item.path] = max(patience.get(item.path, 0), asked.args[0] if asked else 0)
    items.sort(key=lambda item: -patience[item.path])


def pytest_collection_finish():
    """What is imported is not looked at again."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def cache_home(tmp_path_factory):
    """A cache of the tests' own, with copies of the pose model and of matplotlib's list of fonts where they exist."""
    home = tmp_path_factory.mktemp("cache")
    folder = home / "actionlens"
    folder.mkdir()
    for model in _REAL_CACHE.glob("*.task"):
        shutil.copy(model, folder)
    fonts = _REAL_CACHE.with_name("matplotlib")  # which takes seconds to make, and MediaPipe imports matplotlib
    if fonts.is_dir():
        shutil.copytree(fonts, home / "matplotlib")
    return home


@pytest.fixture(scope="session")
def _homes(tmp_path_factory):
    """A folder for each test; nobody makes it before the program does, nor looks which numbers there are."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def _own_folders(_homes, monkeypatch, cache_home):
    home = next(_homes)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache_home))
    for name in ("CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))


@pytest.fixture(autouse=True)
def _the_logs_own_handlers():
    """A command that sets up the log in this process would silence the tests that come after."""
    root = logging.getLogger()
    handlers, level, errors = root.handlers[:], root.level, logging.raiseExceptions
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:], logging.raiseExceptions = handlers, errors
    root.setLevel(level)


@pytest.fixture(autouse=True)
def _no_thread_left():
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + _PATIENCE_S
    while (left := _left(before)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not left, f"the test left threads behind: {', '.join(thread.name for thread in left)}"


def _left(before):
    return [
        thread
        for thread in threading.enumerate()
        if thread not in before
        and thread.is_alive()
        and not isinstance(thread, threading._DummyThread)
        and type(thread).__name__ != "TMonitor"  # of all progress bars: tqdm starts one for the process and keeps it
    ]
