"""The pose model: found in the user's cache, or built once from MediaPipe's official 0.10.21 wheel.

MediaPipe 0.10.30 and later ship no model files; the 0.10.21 wheel holds the two networks of the Pose Landmarker.
The wheel is fetched with pip, so that a mirror set for pip is used, and is only read as a zip archive.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path

from pose.arguments import Parser
from pose.ctrl_c import without_ctrl_c
from pose.errors import PoseModelError
from pose.tflite_metadata import append_metadata, image_landmark_metadata

ENVIRONMENT_VARIABLE = "ACTIONLENS_POSE_MODEL"
FILE_NAME = "pose_landmarker_full.task"
MODEL_SHA256 = "abc72318a9a2f62087d5111ed61bbcc6a490db259a8da76aed607d16c5689dca"  # of the bundle that this file builds

# Members of a Pose Landmarker bundle: its own name, the path inside the wheel, and the SHA-256 of the latter.
DETECTOR, LANDMARKS = "pose_detector.tflite", "pose_landmarks_detector.tflite"
_WHEEL_MEMBERS = {
    DETECTOR: (
        "mediapipe/modules/pose_detection/pose_detection.tflite",
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    ),
    LANDMARKS: (
        "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    ),
}
# Outputs of the landmark network in its own order.
_LANDMARK_OUTPUTS = ("landmarks", "presence", "segmentation_mask", "heat_map", "world_landmarks")

_WHEEL = "mediapipe==0.10.21"
_WHEEL_MB = 36
_PIP_DOWNLOAD = (
    *("download", "--no-deps", "--only-binary=:all:", "--python-version", "3.11"),
    *("--platform", "manylinux_2_28_x86_64", "--progress-bar", "off", "--no-input", "--retries", "1", _WHEEL),
)
# pip says one of these as soon as a package index has answered.
_PIP_ANSWERED = ("Downloading", "Using cached", "Processing", "File was already downloaded")
_ANSWER_TIMEOUT_S = 11.0
_LOCK_TIMEOUT_S = 600.0
_POLL_S = 0.1
_HOW_TO_FIX = f"connect to the internet once, set a pip mirror, or give --pose-model PATH (or {ENVIRONMENT_VARIABLE})"

Progress = Callable[[str], None]


def find_pose_model(
    path: Path | None = None, *, progress: Progress | None = None, cancel: threading.Event | None = None
) -> Path:
    """A verified pose model bundle: the given one, the one named by the environment, the cached one, or a new build.

    path: a Pose Landmarker `.task` bundle, used as it is. progress: called with one line at each step of a build.
    cancel: stops a build within a moment of being set. Raises PoseModelError.
    """
    say = progress or (lambda line: None)
    if path is None and os.environ.get(ENVIRONMENT_VARIABLE):
        path = Path(os.environ[ENVIRONMENT_VARIABLE])
    if path is not None:
        check_bundle(path)
        return path
    target = cached_path()
    if _is_ours(target):
        return target
    try:
        with _lock(target.with_suffix(".lock"), say, cancel):
            if _is_ours(target):  # another process has built it meanwhile
                return target
            if target.exists():
                say("the cached pose model is damaged and is built again")
            _build(target, say, cancel)
    except OSError as error:
        raise PoseModelError(
            f"the pose model cannot be kept in {target.parent} ({_reason(error)}): {_HOW_TO_FIX}"
        ) from error
    return target


def cached_path() -> Path:
    """Where the built bundle is kept."""
    return user_cache_path("actionlens", appauthor=False) / FILE_NAME


def check_bundle(path: Path) -> None:
    """Raise PoseModelError unless the file is a readable Pose Landmarker bundle."""
    try:
        with zipfile.ZipFile(path) as bundle:
            for member in (DETECTOR, LANDMARKS):
                if bundle.read(member)[4:8] != b"TFL3":
                    raise PoseModelError(
                        f"pose model {path}: {member} in it is not a TFLite model; give another bundle"
                    )
    except OSError as error:
        raise PoseModelError(f"pose model {path} cannot be read ({_reason(error)}); check --pose-model") from error
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError) as error:
        raise PoseModelError(
            f"pose model {path} is not a Pose Landmarker bundle, or is damaged; give another .task file"
        ) from error


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _is_ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == MODEL_SHA256
    except OSError:
        return False


@contextmanager
def _lock(path: Path, say: Progress, cancel: threading.Event | None) -> Iterator[None]:
    """Hold a file locked, waiting for another process; the system lets go of it when a process dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + _LOCK_TIMEOUT_S
    with path.open("a+b") as file:
        if not _try_lock(file.fileno()):
            say("waiting for another process that is building the pose model")
            while not _try_lock(file.fileno()):
                _check_cancelled(cancel)
                if time.monotonic() > deadline:
                    raise PoseModelError(f"another process holds {path}; end it and start again")
                time.sleep(_POLL_S)
        yield  # closing the file lets go of the lock


def _try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _check_cancelled(cancel: threading.Event | None) -> None:
    if cancel is not None and cancel.is_set():
        raise PoseModelError("building the pose model was cancelled; it is tried again at the next start")


def _build(target: Path, say: Progress, cancel: threading.Event | None) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="building-", ignore_cleanup_errors=True) as folder:
        wheel = _download(Path(folder), say, cancel)
        say("building the pose model")
        bundle = build_bundle(wheel)
        if hashlib.sha256(bundle).hexdigest() != MODEL_SHA256:
            raise PoseModelError(f"the pose model built from {_WHEEL} is not the expected one: {_HOW_TO_FIX}")
        new = Path(folder) / FILE_NAME
        new.write_bytes(bundle)
        new.replace(target)
    say(f"the pose model is ready: {target}")


def build_bundle(wheel: Path) -> bytes:
    """The bundle made from MediaPipe's 0.10.21 wheel, the same bytes every time. Raises PoseModelError."""
    members = {}
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name, (inside, sha256) in _WHEEL_MEMBERS.items():
                members[name] = archive.read(inside)
                if hashlib.sha256(members[name]).hexdigest() != sha256:
                    raise PoseModelError(f"{inside} in {wheel.name} is not the official file; check your pip mirror")
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise PoseModelError(f"{wheel.name} is damaged or not the official wheel; check your pip mirror") from error
    members[LANDMARKS] = append_metadata(members[LANDMARKS], image_landmark_metadata(_LANDMARK_OUTPUTS))
    return _stored_zip(members)


def _stored_zip(members: dict[str, bytes]) -> bytes:
    """An uncompressed zip (MediaPipe maps the members in place) with fixed dates, so that its hash is fixed too."""
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as bundle:
            for name, data in members.items():
                info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
                info.create_system = 3  # the same on every system
                bundle.writestr(info, data)
        file.seek(0)
        return file.read()


def _download(folder: Path, say: Progress, cancel: threading.Event | None) -> Path:
    """Fetch the wheel into the folder."""
    say(f"downloading the pose model ({_WHEEL_MB} MB), once")
    # pip's own temporary files go into the folder too, where their growth shows the progress.
    environment = {**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder)), "PYTHONUNBUFFERED": "1"}
    log = folder / "pip.log"
    with log.open("wb") as output:
        with without_ctrl_c():  # else it could end, and look as if it had failed, before this process hears of it
            process = subprocess.Popen(
                [*_pip(), *_PIP_DOWNLOAD, "-d", str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
            )
        try:
            _watch(process, folder, log, say, cancel)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    wheels = list(folder.glob("mediapipe-*.whl"))
    if process.returncode or not wheels:
        raise PoseModelError(f"the pose model cannot be downloaded ({_complaint(log)}): {_HOW_TO_FIX}")
    return wheels[0]


def _pip() -> list[str]:
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    pip = shutil.which("pip3") or shutil.which("pip")
    if pip is None:
        raise PoseModelError(
            "the pose model must be downloaded with pip, which is not installed: "
            "run `python -m ensurepip`, or give --pose-model PATH"
        )
    return [pip]


def _watch(
    process: subprocess.Popen[bytes], folder: Path, log: Path, say: Progress, cancel: threading.Event | None
) -> None:
    """Wait for pip, telling how far it is; give up when no package index answers."""
    deadline, answered, told = time.monotonic() + _ANSWER_TIMEOUT_S, False, 0
    while process.poll() is None:
        _check_cancelled(cancel)
        if not answered:
            text = log.read_text(errors="replace")
            answered = any(line.lstrip().startswith(_PIP_ANSWERED) for line in text.splitlines())
            if not answered and time.monotonic() > deadline:
                raise PoseModelError(
                    f"the pose model cannot be downloaded (no package index answers in {_ANSWER_TIMEOUT_S:.0f} s): "
                    f"{_HOW_TO_FIX}"
                )
        megabytes = min(_size(folder) // 1_000_000, _WHEEL_MB)
        if megabytes >= told + 5:
            told = megabytes
            say(f"downloading the pose model: {megabytes} of {_WHEEL_MB} MB")
        time.sleep(_POLL_S)


def _size(folder: Path) -> int:
    """Bytes in a folder whose files may come and go while we look."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(root, name)).st_size
            except FileNotFoundError:
                continue
    return total


def _complaint(log: Path) -> str:
    """What pip says went wrong, in one line."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    if any("connection broken by" in line for line in lines):  # told as a warning; the error blames the package
        return "the package index cannot be reached"
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    reason = (errors or lines or ["pip said nothing"])[0]
    return reason if len(reason) <= 160 else reason[:159] + "…"


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Find or build the model and print its path; 0, 2 with one line on what is wrong, or 130 after Ctrl-C."""
    Parser(
        prog="python -m pose.model_asset", description="Find or build the pose model, and print its path."
    ).parse_args(arguments)
    try:
        path = find_pose_model(progress=_tell)
    except PoseModelError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
