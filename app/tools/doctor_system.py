"""What the doctor looks at on the machine itself: Python, packages, libraries, Qt, folders."""

import ctypes
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata

from app.installation import install_command
from app.settings import RunOptions


class Status(StrEnum):
    """OK: fine. WARN: something will not work, or not well. FAIL: the application cannot do its work."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. fix: what to do about it, "" where there is nothing to do."""

    name: str
    status: Status
    detail: str
    fix: str = ""


Checker = Callable[[RunOptions], Iterable[Check]]

REINSTALL = install_command()
_PACKAGES = (
    *("mediapipe", "opencv-contrib-python", "numpy", "av", "scipy", "PySide6-Essentials"),
    *("platformdirs", "websockets", "psutil"),
)
_ORT = "onnxruntime" if sys.platform == "darwin" else "onnxruntime-gpu"
_SILENT_MEDIAPIPE = "0.10.33"  # others contact a logging host while they run (docs/adr/0002)

# Packages that bring the same module into the same folder: one overwrites the other, and pip does not say so.
_CLASHES = (
    ("opencv-contrib-python", ("opencv-python", "opencv-python-headless", "opencv-contrib-python-headless")),
    (_ORT, ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino")),
)

# Shared libraries and their Debian packages. Without the first group nothing runs, without the second no X11 window.
_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGLESv2.so.2": "libgles2",
    "libGL.so.1": "libgl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libfontconfig.so.1": "libfontconfig1",
    "libdbus-1.so.3": "libdbus-1-3",
}
_X11_LIBRARIES = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb-xinerama.so.0": "libxcb-xinerama0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
# In a process of its own: without a usable display Qt ends the process that asks.
_SHOW_A_WINDOW = (
    "from PySide6.QtWidgets import QApplication\n"
    "app = QApplication([])\n"
    "size = app.primaryScreen().size()\n"
    "print(f'Qt on {app.platformName()}, {size.width()}x{size.height()}')\n"
)
# PySide6 6.12.0 gives back a reference to None that it does not own at every call without a result. Before Python
# 3.12 made None immortal that ends the process after some hundred thousand calls.
_COUNT_LOST_REFERENCES = (
    "import os, sys\n"
    "from PySide6.QtCore import QTimer, qVersion\n"
    "spare = [None] * 10_000\n"
    "timer, before = QTimer(), sys.getrefcount(None)\n"
    "for _ in range(500): timer.stop()\n"
    "print(qVersion(), before - sys.getrefcount(None), flush=True)\n"
    "os._exit(0)\n"  # with references lost, an orderly end would crash
)
PROBE_TIMEOUT_S = 8.0
_FREE_MB = 200


def check_python(options: RunOptions) -> Iterator[Check]:
    """Version and word size of Python."""
    detail = f"{platform.python_version()} on {platform.platform()}"
    supported = (3, 11) <= sys.version_info < (3, 14) and sys.maxsize > 2**32
    fix = "" if supported else "install a 64-bit Python 3.11, 3.12 or 3.13"
    yield Check("Python", Status.OK if supported else Status.FAIL, detail, fix)


def check_packages(options: RunOptions) -> Iterator[Check]:
    """Versions of what the application needs, and packages that overwrite each other."""
    versions = {name: _version(name) for name in (*_PACKAGES, _ORT)}
    missing = [name for name, version in versions.items() if version is None]
    detail = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    if missing:
        yield Check("packages", Status.FAIL, f"missing: {', '.join(missing)}", REINSTALL)
    else:
        yield Check("packages", Status.OK, detail)
    mediapipe = versions["mediapipe"]
    if mediapipe not in (None, _SILENT_MEDIAPIPE):
        detail = f"{mediapipe} is not the tested {_SILENT_MEDIAPIPE}; later ones contact a host while they run"
        yield Check("mediapipe", Status.WARN, detail, f"pip install mediapipe=={_SILENT_MEDIAPIPE}")
    for wanted, others in _CLASHES:
        beside = [name for name in others if name != wanted and _version(name)]
        if beside:
            names = " ".join((wanted, *beside))
            detail = f"{', '.join(beside)} beside {wanted}: they overwrite each other's files"
            yield Check("packages", Status.FAIL, detail, f"pip uninstall -y {names} && {REINSTALL}")


def check_system_libraries(options: RunOptions) -> Iterator[Check]:
    """Shared libraries that pip does not bring; only Linux lacks any."""
    if not sys.platform.startswith("linux"):
        return
    missing, missing_x11 = _missing(_LIBRARIES), _missing(_X11_LIBRARIES)
    fix = f"sudo apt-get install -y --no-install-recommends {' '.join((*missing.values(), *missing_x11.values()))}"
    if missing:
        yield Check("system libraries", Status.FAIL, f"missing: {', '.join((*missing, *missing_x11))}", fix)
    elif missing_x11:
        yield Check("system libraries", Status.WARN, f"missing for a window on X11: {', '.join(missing_x11)}", fix)
    else:
        yield Check("system libraries", Status.OK, "all that MediaPipe, OpenCV and Qt need")


def check_qt(options: RunOptions) -> Iterator[Check]:
    """Does the window's library load, and does it keep Python's own objects alive?"""
    probe = _probe(_COUNT_LOST_REFERENCES)
    if probe.returncode:
        yield Check("Qt", Status.FAIL, f"cannot be loaded: {_last_line(probe)}", REINSTALL)
        return
    version, lost = probe.stdout.split()
    if int(lost) > 100:
        detail = f"PySide6 {_version('PySide6-Essentials')} breaks Python {platform.python_version()}: it will crash"
        yield Check("Qt", Status.FAIL, detail, 'pip install "PySide6-Essentials~=6.11.3", or use Python 3.12 or later')
    else:
        yield Check("Qt", Status.OK, version)


def _probe(code: str) -> "subprocess.CompletedProcess[str]":
    """Run code in a Python of its own, which may crash or hang."""
    command = [sys.executable, "-c", code]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=PROBE_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"no answer within {PROBE_TIMEOUT_S:.0f} s")


def _last_line(probe: "subprocess.CompletedProcess[str]") -> str:
    said = [line.strip() for line in probe.stderr.splitlines() if line.strip()]
    return said[-1] if said else f"it ended with {probe.returncode}"


def check_display(options: RunOptions) -> Iterator[Check]:
    """Does Qt find a screen?"""
    if sys.platform.startswith("linux") and not any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    ):
        fix = "use --headless, or start from a desktop session (over ssh: ssh -X)"
        yield Check("display", Status.WARN, "none: DISPLAY and WAYLAND_DISPLAY are not set", fix)
        return
    probe = _probe(_SHOW_A_WINDOW)
    if probe.returncode:
        detail = f"Qt cannot open a window: {(probe.stderr.strip() or _last_line(probe)).splitlines()[0].strip()}"
        yield Check("display", Status.WARN, detail, "use --headless")
    else:
        yield Check("display", Status.OK, probe.stdout.strip())


def check_folders(options: RunOptions) -> Iterator[Check]:
    """Where the application keeps things: writable, and with room left?"""
    from platformdirs import user_cache_path, user_config_path, user_data_path, user_log_path

    kept = {"cache": user_cache_path, "settings": user_config_path, "log": user_log_path, "recordings": user_data_path}
    for name, find in kept.items():
        folder = find("actionlens", appauthor=False)
        parent = next(path for path in (folder, *folder.parents) if path.exists())
        try:
            with tempfile.TemporaryFile(dir=parent):
                pass
        except OSError as error:
            detail = f"{folder} cannot be written: {error.strerror or error}"
            yield Check(f"{name} folder", Status.WARN, detail, f"give yourself the right to write to {parent}")
            continue
        free_mb = shutil.disk_usage(parent).free // 1_000_000
        status = Status.OK if free_mb >= _FREE_MB else Status.WARN
        fix = "" if status is Status.OK else "make room on this disk"
        yield Check(f"{name} folder", status, f"{folder}, {free_mb} MB free", fix)


def check_hardware(options: RunOptions) -> Iterator[Check]:
    """Processor and memory, for information only."""
    import psutil

    memory = psutil.virtual_memory()
    detail = f"{os.cpu_count()} CPU cores, {memory.total / 1e9:.1f} GB memory, {memory.available / 1e9:.1f} GB free"
    yield Check("hardware", Status.OK, detail)


def check_training(options: RunOptions) -> Iterator[Check]:
    """Whether torch is installed; it is not needed live."""
    there = importlib.util.find_spec("torch") is not None
    detail = f"torch {_version('torch')}" if there else f"not installed; only for training: {install_command('train')}"
    yield Check("training", Status.OK, detail)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _missing(libraries: dict[str, str]) -> dict[str, str]:
    missing = {}
    for library, package in libraries.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing[library] = package
    return missing
