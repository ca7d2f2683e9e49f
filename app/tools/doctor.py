"""`python main.py --doctor`: is everything there that the application needs, and how to fix what is not."""

import logging
import os
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from statistics import median

from app.installation import install_command
from app.settings import RunOptions
from app.tools import doctor_system
from app.tools.doctor_system import REINSTALL, Check, Checker, Status
from pose.address import redacted
from pose.arguments import error_line
from pose.errors import ActionLensError
from pose.estimators import EstimatorSpec

log = logging.getLogger(__name__)

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
        from app.outputs.json_lines import write_json

        write_json(options.json, {"ok": not failed, "checks": [asdict(check) for check in checks]})
    return 1 if failed else 0


def examine(options: RunOptions, checkers: Iterable[tuple[str, Checker]] | None = None) -> list[Check]:
    """Run every check; one that breaks is a finding of its own and stops no other."""
    found: list[Check] = []
    for name, checker in CHECKERS if checkers is None else checkers:
        try:
            found.extend(checker(options))
        except ActionLensError as error:
            found.append(Check(name, Status.FAIL, error_line(error)))
        except ImportError as error:
            found.append(Check(name, Status.FAIL, f"cannot be loaded: {_line(error)}", REINSTALL))
        except Exception as error:
            log.exception("checking %s failed", name)
            found.append(Check(name, Status.FAIL, redacted(f"the check broke: {type(error).__name__}: {_line(error)}")))
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


def check_cameras(options: RunOptions) -> Iterator[Check]:
    """Cameras that the system offers."""
    from pose.camera import list_cameras

    cameras = list_cameras()
    if cameras:
        yield Check("cameras", Status.OK, "; ".join(str(camera) for camera in cameras))
    else:
        yield Check("cameras", Status.WARN, "none found", "plug one in, or use --camera demo, a file or a URL")


def check_pose_model(options: RunOptions) -> Iterator[Check]:
    """Is the estimator's model here, whole, and is it fast enough?"""
    from pose import model_asset
    from pose.estimators import ESTIMATORS, MEDIAPIPE_BUNDLE, find_model

    row = ESTIMATORS[options.estimator(Path()).kind]
    if row.model != MEDIAPIPE_BUNDLE:
        found = find_model(row.name, options.pose_model)
        yield Check("pose model", Status.OK, str(found) if row.model else f"{row.text} needs none")
        yield from _time_pose(options.estimator(found), "")
        return
    chosen = options.pose_model or Path(os.environ.get(model_asset.ENVIRONMENT_VARIABLE) or model_asset.cached_path())
    if not chosen.exists() and chosen == model_asset.cached_path():
        fix = "python -m pose.model_asset (downloads 36 MB once, also done at the first start)"
        yield Check("pose model", Status.WARN, f"not built yet: {chosen}", fix)
        return
    model_asset.check_bundle(chosen)
    yield Check("pose model", Status.OK, str(chosen))
    yield from _time_pose(options.estimator(chosen), f"delete {chosen} so that it is built again")


def _time_pose(spec: EstimatorSpec, fix: str) -> Iterator[Check]:
    """fix: where it finds nobody."""
    from pose.demo import DemoSource
    from pose.estimators import open_estimator

    source = DemoSource(paced=False)
    estimator = open_estimator(spec)
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
    yield _judge_poses(median(times_ms), found, len(times_ms), fix)


def _judge_poses(typical_ms: float, found: int, of: int, blind_fix: str) -> Check:
    """typical_ms: of a frame. found: frames with a person of those looked at. blind_fix: where these are few."""
    from recognizer.window import MAX_POSE_GAP_S

    rate = 1000 / typical_ms
    detail = f"{typical_ms:.1f} ms a frame ({rate:.{0 if rate > 10 else 1}f} per second), person found in {found}/{of}"
    if found < of // 2:
        return Check("poses", Status.FAIL, detail, blind_fix)
    if typical_ms > MAX_POSE_GAP_S * 1000:
        least = f"recognition needs at least {1 / MAX_POSE_GAP_S:.0f} per second"
        fix = f"{least}: close other programs, or use a faster machine"
        return Check("poses", Status.FAIL, detail, fix)
    if typical_ms > 33:
        return Check(
            "poses", Status.WARN, detail, "slower than a camera: close other programs, or expect dropped frames"
        )
    return Check("poses", Status.OK, detail)


def check_recognizers(options: RunOptions) -> Iterator[Check]:
    """Every recognizer: what its session really runs on, whether it answers as it was trained to, and how fast."""
    from app import models
    from recognizer.model_card import shipped_models

    folders = set(shipped_models().values())
    try:
        folders.add(models.find(options.model))
    except ActionLensError as error:
        fix = "" if folders else "restore weights/ from the repository"
        yield Check(f"recognizer {redacted(options.model)}", Status.FAIL, str(error), fix)
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
    from app import models
    from recognizer.onnx_recognizer import OnnxRecognizer

    name = f"recognizer {models.taught_name(folder) or folder.name}"
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
        fix = f"{install_command('cuda')}, then --provider cuda; act itself is as fast on the CPU"
        yield Check("GPU", Status.WARN, f"{gpu} is not used: {why}", fix)


def _nvidia_gpu() -> str:
    """Name and driver of the first NVIDIA GPU, or ""."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    query = [program, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=doctor_system.PROBE_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.splitlines()[0].strip() if answer.returncode == 0 and answer.stdout.strip() else ""


CHECKERS: tuple[tuple[str, Checker], ...] = (
    ("Python", doctor_system.check_python),
    ("packages", doctor_system.check_packages),
    ("system libraries", doctor_system.check_system_libraries),
    ("Qt", doctor_system.check_qt),
    ("display", doctor_system.check_display),
    ("cameras", check_cameras),
    ("pose model", check_pose_model),
    ("recognizers", check_recognizers),
    ("folders", doctor_system.check_folders),
    ("hardware", doctor_system.check_hardware),
    ("training", doctor_system.check_training),
)


def _line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
