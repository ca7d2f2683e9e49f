"""python -m app.ui.library.bench: how fast the library's window opens and scrolls over many segments.

Without --root it fills a library in a temporary folder with synthetic recordings of the demo's person.
"""

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from app.library.catalogue import Library
from app.library.database import FILE
from app.library.edit_operations import PARTS
from app.library.errors import LibraryError
from app.library.pose_recordings import describe, keep
from app.library.rows import NewSegment
from app.ui.library.library_window import LibraryWindow
from app.ui.theme import Theme
from pose.arguments import Parser
from pose.demo.source import DemoSource
from pose.number_arguments import count
from pose.skeleton import MPOSE_13
from recognizer.datasets.recorded import Poses

_OF_RECORDING, _SEGMENT_S, _RATE = 20, 2.0, 15
_ACTIONS, _PEOPLE, _SESSIONS = 25, 12, 30
_STEPS = 200  # of the wheel, from the top to the end
_TIMEOUT_S = 60.0


def fill(library: Library, segments: int) -> None:
    """Recordings of twenty labelled segments each, with people, sessions and a split."""
    source, seconds = DemoSource(seed=0, paced=False), _OF_RECORDING * _SEGMENT_S
    times_s = np.arange(round(seconds * _RATE)) / _RATE
    xy = np.stack([source.truth(float(time_s)).joints_px for time_s in times_s]).astype(np.float32)
    frame = np.arange(len(times_s))
    poses = Poses(times_s, frame, np.zeros_like(frame), xy, np.ones(xy.shape[:2], np.float32), MPOSE_13, (640, 480))
    for number in range(-(-segments // _OF_RECORDING)):
        info = describe(poses, f"camera {number % 3}", session=f"session {number % _SESSIONS}")
        made = [
            NewSegment(
                n * _SEGMENT_S, min((n + 1) * _SEGMENT_S, info.duration_s), 0, f"action {(n + number) % _ACTIONS}"
            )
            for n in range(min(_OF_RECORDING, segments - number * _OF_RECORDING))
        ]
        keep(library, info, poses, made)
    ids = library.segment_ids()
    library.set_who(ids[: len(ids) // 2], "Ada")
    library.set_split("by chance", {segment: PARTS[segment % 3] for segment in ids})


def measure(root: Path) -> dict[str, float]:
    """Milliseconds until the list of segments is painted, and of steps while it is scrolled to its end and back.

    cpu: of the processor's time, of all threads for the opening, of the window's for a step; on a machine with other
    work the rest is waiting.
    """
    application = QApplication.instance() or QApplication(["actionlens-bench"])
    assert isinstance(application, QApplication)
    theme = Theme(application, "light")
    started_s, cpu_s = time.perf_counter(), time.process_time()
    window = LibraryWindow(root, theme)
    window.show()
    while not window.browser.segments.rowCount():
        if time.perf_counter() - started_s > _TIMEOUT_S:
            raise LibraryError(window.refusal.text() or f"the library in {root} holds no segments; give another --root")
        application.processEvents()
    application.processEvents()
    window.browser.segment_table.viewport().repaint()
    opened_ms, opened_cpu_ms = 1000 * (time.perf_counter() - started_s), 1000 * (time.process_time() - cpu_s)
    steps = scroll(window, application)
    segments = window.browser.segments.rowCount()
    window.close()
    QCoreApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete.value)
    figures: dict[str, float] = {"clips": segments, "opened_ms": opened_ms, "opened_cpu_ms": opened_cpu_ms}
    for name, values in zip(("scroll", "scroll_cpu"), np.array(steps).T, strict=True):
        for quantile in (50, 95, 100):
            figures[f"{name}_p{quantile}_ms"] = float(np.percentile(values, quantile))
    return figures


def scroll(window: LibraryWindow, application: QApplication) -> list[tuple[float, float]]:
    """Milliseconds of each step, and those of the processor, pictures of segments coming in meanwhile."""
    table = window.browser.segment_table
    bar = table.verticalScrollBar()
    found = []
    for step in [*range(_STEPS + 1), *range(_STEPS, -1, -1)]:
        started_s, cpu_s = time.perf_counter(), time.thread_time()
        bar.setValue(bar.maximum() * step // _STEPS)
        table.viewport().repaint()
        application.processEvents()
        found.append((1000 * (time.perf_counter() - started_s), 1000 * (time.thread_time() - cpu_s)))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write a line for each figure."""
    parser = Parser(prog="python -m app.ui.library.bench", description=__doc__)
    parser.add_argument("--root", type=Path, help="a library that there is")
    parser.add_argument(
        "--clips",
        dest="segments",
        type=count,
        default=10_000,
        help="segments of the library that is made (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    if options.root is not None and not (options.root / FILE).is_file():
        sys.stderr.write(f"there is no library in {options.root}; check --root\n")
        return 2
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory(prefix="actionlens-bench-") as folder:
        root = options.root or Path(folder)
        if options.root is None:
            with Library(root) as library:
                fill(library, options.segments)
        try:
            figures = measure(root)
        except LibraryError as error:
            sys.stderr.write(f"{error}\n")
            return 2
    for name, value in figures.items():
        sys.stdout.write(f"{name.replace('_', ' ')}: {round(value, 1):g}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
