"""`python main.py --doctor`: is everything there that the application needs, and what mends what is not."""

import ctypes
import importlib.util
import logging
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from statistics import median

from app.settings import RunOptions
from pose.errors import ActionLensError

log = logging.getLogger(__name__)


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

REINSTALL = "pip install -e ."
_PACKAGES = (
    *("mediapipe", "opencv-contrib-python", "numpy", "av", "scipy", "PySide6-Essentials", "pyqtgraph"),
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
    "import sys\n"
    "from PySide6.QtCore import QTimer, qVersion\n"
    "timer, before = QTimer(), sys.getrefcount(None)\n"
    "for _ in range(500): timer.stop()\n"
    "print(qVersion(), before - sys.getrefcount(None))\n"
)
_PROBE_TIMEOUT_S = 8.0
_FREE_MB = 200
_WRAP = 90
_POSE_FRAMES = 20
_MAX_LOGIT_ERROR = 1e-3


def run_doctor(options: RunOptions) -> int:
    """Print the table (with --json also, or with --json - only, as JSON); 0 when nothing fails, else 1."""
    checks = examine(options)
    failed = any(check.status is Status.FAIL for check in checks)
    if options.json != "-":
        sys.stdout.write(table(checks))
    if options.json is not None:
        from app.json_lines import write_json

        write_json(options.json, {"ok": not failed, "checks": [asdict(check) for check in checks]})
    return 1 if failed else 0


def examine(options: RunOptions, checkers: Iterable[tuple[str, Checker]] | None = None) -> list[Check]:
    """Run every check; one that breaks is a finding of its own and stops no other."""
    found: list[Check] = []
    for name, checker in CHECKERS if checkers is None else checkers:
        try:
            found.extend(checker(options))
        except ActionLensError as error:
            found.append(Check(name, Status.FAIL, str(error)))
        except ImportError as error:
            found.append(Check(name, Status.FAIL, f"cannot be loaded: {_line(error)}", REINSTALL))
        except Exception as error:
            log.exception("checking %s failed", name)
            found.append(Check(name, Status.FAIL, f"the check broke: {type(error).__name__}: {_line(error)}"))
    return found


def table(checks: Iterable[Check]) -> str:
    """The findings for people, with the fix under each that needs one."""
    rows = list(checks)
    width = max((len(check.name) for check in rows), default=0)
    lines = []
    for check in rows:
        first, *more = textwrap.wrap(check.detail, _WRAP, break_long_words=False, break_on_hyphens=False) or [""]
        lines.append(f"{check.status:<5} {check.name:<{width}}  {first}")
        more += [f"fix: {check.fix}"] if check.fix else []  # never wrapped: it is there to be copied
        lines += [f"{'':<5} {'':<{width}}  {line}" for line in more]
    counts = {status: sum(check.status is status for check in rows) for status in Status}
    lines.append(f"\n{counts[Status.OK]} fine, {counts[Status.WARN]} warnings, {counts[Status.FAIL]} failures")
    return "\n".join(lines) + "\n"


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
        return subprocess.run(command, capture_output=True, text=True, timeout=_PROBE_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"no answer within {_PROBE_TIMEOUT_S:.0f} s")


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


def check_cameras(options: RunOptions) -> Iterator[Check]:
    """Cameras that the system offers."""
    from pose.camera import list_cameras

    cameras = list_cameras()
    if cameras:
        yield Check("cameras", Status.OK, "; ".join(str(camera) for camera in cameras))
    else:
        yield Check("cameras", Status.WARN, "none found", "plug one in, or use --camera demo, a file or a URL")


def check_pose_model(options: RunOptions) -> Iterator[Check]:
    """Is the pose model here, whole, and fast enough?"""
    from pose import model_asset

    chosen = options.pose_model or Path(os.environ.get(model_asset.ENVIRONMENT_VARIABLE) or model_asset.cached_path())
    if not chosen.exists() and chosen == model_asset.cached_path():
        fix = "python -m pose.model_asset (downloads 36 MB once, also done at the first start)"
        yield Check("pose model", Status.WARN, f"not built yet: {chosen}", fix)
        return
    model_asset.check_bundle(chosen)
    yield Check("pose model", Status.OK, str(chosen))
    yield from _time_pose(chosen)


def _time_pose(model: Path) -> Iterator[Check]:
    from pose.demo import DemoSource
    from pose.estimator import MediaPipeEstimator

    source = DemoSource(paced=False)
    estimator = MediaPipeEstimator(model)
    times_ms, found = [], 0
    try:
        for _ in range(_POSE_FRAMES):
            frame = source.read()
            if frame is None:
                break
            began_s = time.perf_counter()
            found += bool(estimator.estimate(frame))
            times_ms.append((time.perf_counter() - began_s) * 1000)
    finally:
        estimator.close()
        source.close()
    typical_ms = median(times_ms)
    detail = f"{typical_ms:.1f} ms a frame ({1000 / typical_ms:.0f} a second), person found in {found}/{len(times_ms)}"
    if found < len(times_ms) // 2:
        yield Check("poses", Status.FAIL, detail, f"delete {model} so that it is built again")
    elif typical_ms > 33:
        yield Check(
            "poses", Status.WARN, detail, "slower than a camera: close other programs, or expect dropped frames"
        )
    else:
        yield Check("poses", Status.OK, detail)


def check_recognizers(options: RunOptions) -> Iterator[Check]:
    """Every recognizer: what its session really runs on, whether it answers as it was trained to, and how fast."""
    from recognizer.model_card import CARD_FILE, find_model, weights_folders

    folders = {card.parent for folder in weights_folders() for card in sorted(folder.glob(f"*/{CARD_FILE}"))}
    try:
        folders.add(find_model(options.model))
    except ActionLensError as error:
        fix = "" if folders else "restore weights/ from the repository"
        yield Check(f"recognizer {options.model}", Status.FAIL, str(error), fix)
    providers: list[str] = []
    note = ""
    for folder in sorted(folders):
        check, provider, said = _try_recognizer(folder, options.provider)
        providers.append(provider)
        note = note or said
        yield check
    yield from _check_gpu(providers, note)


def _try_recognizer(folder: Path, provider: str) -> tuple[Check, str, str]:
    """The finding, the provider that ran, and the recognizer's note on it."""
    from recognizer.onnx_recognizer import OnnxRecognizer

    name = f"recognizer {folder.name}"
    try:
        recognizer = OnnxRecognizer(folder, provider)
    except ActionLensError as error:
        return Check(name, Status.FAIL, str(error)), "", ""
    try:
        test = recognizer.self_test()
    except ActionLensError as error:
        return Check(name, Status.FAIL, str(error)), "", ""
    finally:
        recognizer.close()
    detail = f"runs on {recognizer.provider}, {len(recognizer.actions)} actions, {test.median_ms:.2f} ms a window"
    if test.max_error is None:
        check = Check(name, Status.WARN, f"{detail}; its card has no reference answer", "export the model again")
    elif test.max_error > _MAX_LOGIT_ERROR:
        wrong = f"{detail}; its answer is off by {test.max_error:.2g}"
        check = Check(name, Status.FAIL, wrong, "restore the model folder, or use --provider cpu")
    else:
        check = Check(name, Status.OK, f"{detail}, answers as trained (within {test.max_error:.1g})")
    return check, recognizer.provider, recognizer.provider_note


def _check_gpu(providers: list[str], note: str) -> Iterator[Check]:
    """An NVIDIA GPU that stays idle: why, and how to use it."""
    gpu = _nvidia_gpu()
    if not gpu:
        yield Check("GPU", Status.OK, "no NVIDIA GPU; recognizers run on the CPU, which is fast enough")
    elif any(provider in ("cuda", "tensorrt") for provider in providers):
        yield Check("GPU", Status.OK, f"{gpu} is used")
    else:
        why = note or "the CPU was asked for"
        fix = 'pip install -e ".[cuda]", then --provider cuda; act itself is as fast on the CPU'
        yield Check("GPU", Status.WARN, f"{gpu} is not used: {why}", fix)


def _nvidia_gpu() -> str:
    """Name and driver of the first NVIDIA GPU, or ""."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    query = [program, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=_PROBE_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.splitlines()[0].strip() if answer.returncode == 0 and answer.stdout.strip() else ""


def check_folders(options: RunOptions) -> Iterator[Check]:
    """Where the application keeps things: writable, and with room left?"""
    from platformdirs import user_cache_path, user_config_path, user_log_path

    for name, find in (("cache", user_cache_path), ("settings", user_config_path), ("log", user_log_path)):
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
    """Processor and memory, only said."""
    import psutil

    memory = psutil.virtual_memory()
    detail = f"{os.cpu_count()} CPU cores, {memory.total / 1e9:.1f} GB memory, {memory.available / 1e9:.1f} GB free"
    yield Check("hardware", Status.OK, detail)


def check_training(options: RunOptions) -> Iterator[Check]:
    """torch is not needed live; only said."""
    there = importlib.util.find_spec("torch") is not None
    detail = f"torch {_version('torch')}" if there else 'not installed; only for training: pip install -e ".[train]"'
    yield Check("training", Status.OK, detail)


CHECKERS: tuple[tuple[str, Checker], ...] = (
    ("Python", check_python),
    ("packages", check_packages),
    ("system libraries", check_system_libraries),
    ("Qt", check_qt),
    ("display", check_display),
    ("cameras", check_cameras),
    ("pose model", check_pose_model),
    ("recognizers", check_recognizers),
    ("folders", check_folders),
    ("hardware", check_hardware),
    ("training", check_training),
)


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


def _line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
