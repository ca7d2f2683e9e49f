"""The command line: options, exit statuses, logging, and the choice between the window and headless.

Exit status: 0 done, 2 a user's mistake, 1 a failure, 130 Ctrl-C. Nothing heavy is imported before it is needed.
"""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar

from app import interrupt
from app.errors import UsageError
from app.installation import command as typed
from app.installation import version
from app.settings import RunOptions, UserSettings
from pose.address import is_local, redacted
from pose.arguments import Parser, error_line
from pose.camera_request import CameraRequest
from pose.errors import ActionLensError, PoseModelError
from pose.estimators import AUTO, ESTIMATORS, FULL, MAX_PEOPLE, QUALITIES
from pose.number_arguments import positive

T = TypeVar("T")

DONE, FAILED, USER_ERROR = 0, 1, 2

_OURS = ("app", "pose", "recognizer", "__main__")
_PROVIDERS = "auto, cpu, cuda, or another of ONNX Runtime's"


class _Parser(Parser):
    """A mistake becomes an error of one line instead of a usage text and an exit."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{redacted(message)}; `{typed()} --help` lists the options")


def _parser() -> _Parser:
    parser = _Parser(
        prog=typed(),
        allow_abbrev=False,
        description="Watches a camera, says what a person is doing, and shows why. "
        "Options that are not given keep their last value (in the window) or their default (headless).",
        epilog="Exit status: 0 done, 1 a failure, 2 a mistake that the line on stderr explains, 130 Ctrl-C.",
    )
    add = parser.add_argument
    add(
        "--model",
        type=_local,
        metavar="NAME|DIR",
        help="act, st-gcn, st-tr, gl-transformer; a taught one: mine (the newest), mine@1; or a folder with model.onnx "
        "and card.json; --list-models lists all",
    )
    add(
        "--camera",
        metavar="SOURCE",
        help="0, 1, ... a camera; demo; a video file; a folder of pictures, or a pattern as in walk/%%04d.png; a URL; "
        "auto (camera, else demo)",
    )
    add("--people", type=_people, metavar="N", help=f"how many people to follow, 1 to {MAX_PEOPLE}")
    add(
        "--pose",
        choices=(AUTO, *ESTIMATORS),
        help="pose estimator (default: auto, which is mediapipe for one person and blazepose for several)",
    )
    add("--pose-quality", choices=QUALITIES, default=FULL, help="of blazepose's network, where the bundle has it")
    add(
        "--provider",
        metavar="NAME",
        help=f"what the recognizer runs on, and unless auto the pose networks of blazepose: {_PROVIDERS}",
    )
    add("--pose-model", type=Path, metavar="FILE", help="a Pose Landmarker bundle (.task) instead of the built-in one")
    add("--mirror", action=argparse.BooleanOptionalAction, help="mirror the picture on screen; the data do not change")
    add("--camera-size", type=_size, metavar="WxH", help="size to request from the camera, for example 1280x720")
    add("--camera-fps", type=positive, metavar="N", help="frames per second to request from the camera")
    add("--mjpg", action=argparse.BooleanOptionalAction, default=True, help="request compressed frames from the camera")
    add("--seconds", type=positive, metavar="N", help="stop after this many seconds of the source")
    add(
        "--paced",
        action=argparse.BooleanOptionalAction,
        help="play a file at its own speed; otherwise every frame as fast as possible (default: paced in the window)",
    )
    _add_outputs(parser)
    _add_tools(parser)
    return parser


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    out = parser.add_argument_group("output")
    out.add_argument("--headless", action="store_true", help="no window: print what happens, a line for each change")
    out.add_argument(
        "--json", type=_local, metavar="FILE|-", help="write predictions and events as JSON lines; - is stdout"
    )
    out.add_argument("--events", metavar="URL", help="stream the JSON lines, for example at ws://127.0.0.1:8765")
    out.add_argument("--events-csv", type=Path, metavar="OUT", help="write a table of the actions, with their counts")
    out.add_argument(
        "--alerts", type=Path, metavar="FILE", help="rules: what to do when an action lasts or reaches a count"
    )
    out.add_argument("--save", type=Path, metavar="OUT.mp4", help="write what the window shows as a video")
    explain = "circles in the saved video on the joints that matter; with --bench: only the live view, with the panel"
    out.add_argument("--explain", action="store_true", help=explain)
    out.add_argument("--verbose", action="store_true", help="log details to stderr")


def _add_tools(parser: argparse.ArgumentParser) -> None:
    tools = parser.add_argument_group("tools").add_mutually_exclusive_group()
    tools.add_argument("--version", action="version", version=f"ActionLens {version()}")
    tools.add_argument("--list-models", action="store_true", help="list every recognizer and where it comes from")
    tools.add_argument("--doctor", action="store_true", help="check this machine and say how to fix problems")
    tools.add_argument("--bench", metavar="FILE", help="measure the whole pipeline against a bare pose loop")
    beside = "with --bench: only the live view while a recognizer is taught beside it, quick (the default) or full"
    parser.add_argument("--teaching", nargs="?", const="quick", choices=("quick", "full"), help=beside)
    everything = "with --bench: only ratio and ages, without and with history, rules, event stream and table"
    parser.add_argument("--everything", action="store_true", help=everything)


def _local(text: str) -> str:
    if not is_local(text):
        raise argparse.ArgumentTypeError("this is an address; give what is on this machine")
    return text


def _people(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_PEOPLE:
        raise argparse.ArgumentTypeError(f"{text} is not a number of people from 1 to {MAX_PEOPLE}")
    return int(text)


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f"{text} is not a size like 1280x720")
    return int(width), int(height)


@dataclass(frozen=True, slots=True)
class Command:
    """What the command line asks for.

    bench: the source to measure, or None; teaching: what is taught meanwhile; panel: with the attention panel open;
    everything: with all that can be on; list_models: nothing runs, the recognizers are listed.
    """

    options: RunOptions
    headless: bool
    doctor: bool
    bench: str | None
    verbose: bool
    teaching: str | None = None
    panel: bool = False
    list_models: bool = False
    everything: bool = False


def parse(arguments: Sequence[str], settings: UserSettings) -> Command:
    """Read the command line; what is not given in a window run comes from the settings. Raises UsageError."""
    given = _parser().parse_args(arguments)
    if given.explain and given.save is None and given.bench is None:
        raise UsageError("--explain draws into the saved video; give --save OUT.mp4, too")
    _check_bench(given)
    tool = given.doctor or given.list_models or given.bench is not None
    headless = given.headless or not (tool or _has_display())
    if given.headless != headless:
        sys.stderr.write("no display (DISPLAY and WAYLAND_DISPLAY are not set): running without a window\n")
    remembered = UserSettings() if headless or tool else settings
    width, height = given.camera_size or (None, None)
    options = RunOptions(
        model=_name_of(_given_or(given.model, remembered.model)),
        source=remembered.whole_source() if given.camera is None else given.camera,
        people=_given_or(given.people, remembered.people),
        pose=_given_or(given.pose, remembered.pose),
        pose_quality=given.pose_quality,
        provider=_given_or(given.provider, remembered.provider),
        mirror=_given_or(given.mirror, remembered.mirror),
        paced=_given_or(given.paced, not headless),
        seconds=given.seconds,
        pose_model=given.pose_model,
        save=given.save,
        explain=given.explain and given.bench is None,
        json=given.json,
        events=given.events,
        events_csv=given.events_csv,
        alerts=given.alerts,
        camera=CameraRequest(width, height, given.camera_fps, given.mjpg),
    )
    try:
        options.estimator(Path())
    except PoseModelError as error:  # it cannot follow so many, or not in that quality
        raise UsageError(f"{error}; `{typed()} --help` lists the options") from error
    return Command(
        options,
        headless,
        given.doctor,
        given.bench,
        given.verbose,
        given.teaching,
        given.explain,
        given.list_models,
        given.everything,
    )


def _check_bench(given: argparse.Namespace) -> None:
    """Raises UsageError where the options of benchmarks do not go together."""
    asked = {"--explain": given.explain, "--teaching": given.teaching is not None, "--everything": given.everything}
    names = [name for name, is_asked in asked.items() if is_asked]
    if given.bench is None:
        lone = next((name for name in names if name != "--explain"), None)
        if lone is not None:
            raise UsageError(f"{lone} belongs to --bench; give --bench demo or a video, too")
    elif len(names) > 1:
        raise UsageError(f"{names[0]} and {names[1]} are two benchmarks; give one of them")


def _name_of(model: str) -> str:
    from app import models  # not for --help

    return models.name_of(model)


def _given_or(given: T | None, otherwise: T) -> T:
    return otherwise if given is None else given


def _has_display() -> bool:
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return not sys.platform.startswith("linux") or any(os.environ.get(name) for name in names)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; the exit status."""
    try:
        settings = UserSettings.load()
        command = parse(sys.argv[1:] if arguments is None else arguments, settings)
        start_logging(verbose=command.verbose)
        return _run(command, settings)
    except ActionLensError as error:
        sys.stderr.write(f"{error_line(error)}\n")
        return USER_ERROR
    except KeyboardInterrupt:
        return interrupt.STATUS
    except Exception:
        if interrupt.raised.is_set():  # a library that was being loaded made an ImportError of it
            return interrupt.STATUS
        raise


def run() -> NoReturn:
    """The process: main() and its exit, which no stuck driver thread can hold up."""
    status = main()
    try:
        sys.stdout.flush()
    except OSError as error:  # the reader of our output has gone (`| head -3`), or the disk is full
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more at its exit
        status = status if isinstance(error, BrokenPipeError) else status or FAILED
    sys.stderr.flush()
    if any(thread is not threading.main_thread() for thread in threading.enumerate()):
        os._exit(status)
    sys.exit(status)


def _run(command: Command, settings: UserSettings) -> int:
    if command.list_models:
        from app import models

        sys.stdout.write(models.table())
        return DONE
    if command.doctor or command.bench is not None:
        signal.signal(signal.SIGINT, interrupt.raise_and_end)  # they clean up after themselves
    if command.doctor:
        from app.tools.doctor import run_doctor

        return run_doctor(command.options)
    if command.bench is not None:
        return _bench(command.bench, command)
    if command.headless:
        from app.outputs.headless import run_headless

        return run_headless(command.options)
    from app.ui.run import run_window

    return run_window(command.options, settings)


def _bench(source: str, command: Command) -> int:
    from app.tools import bench

    if command.teaching is not None:
        return bench.run_teaching_bench(source, command.options, command.teaching)
    if command.panel:
        return bench.run_panel_bench(source, command.options)
    if command.everything:
        return bench.run_everything_bench(source, command.options)
    return bench.run_bench(source, command.options)


class _ConsoleFormatter(logging.Formatter):
    """One line a record; what went wrong inside is in the log file."""

    def format(self, record: logging.LogRecord) -> str:
        return redacted(f"{record.levelname.lower()}: {record.getMessage()}")


class _LogFormatter(logging.Formatter):
    """Addresses without their passwords, in tracebacks, too."""

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))


def _is_ours_or_a_warning(record: logging.LogRecord) -> bool:
    """What libraries say of themselves is of no use to anybody here."""
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] in _OURS


def start_logging(*, verbose: bool) -> None:
    """Warnings (with verbose, details) to stderr, and everything from INFO with tracebacks to the user's log folder."""
    from logging.handlers import RotatingFileHandler

    from platformdirs import user_log_path

    console = logging.StreamHandler()
    console.setLevel(logging.INFO if verbose else logging.WARNING)
    console.setFormatter(_LogFormatter("%(asctime)s %(name)s: %(message)s") if verbose else _ConsoleFormatter())
    if not verbose:
        console.addFilter(lambda record: record.exc_info is None)  # its Failure is shown; the traceback is in the file
    handlers: list[logging.Handler] = [console]
    folder = user_log_path("actionlens", appauthor=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        log_file = RotatingFileHandler(
            folder / "actionlens.log", maxBytes=1_000_000, backupCount=2, encoding="utf-8", delay=True
        )
        log_file.addFilter(_is_ours_or_a_warning)
        log_file.setFormatter(_LogFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        handlers.append(log_file)
    except OSError:
        pass  # no place to log to: the console has the warnings
    logging.basicConfig(level=logging.INFO, handlers=handlers, force=True)
    logging.raiseExceptions = False  # a full disk must not print tracebacks of the log itself
