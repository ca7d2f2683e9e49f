"""python -m app.ui.library.bench: how fast the library's window opens and scrolls over many clips.

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
from app.library.edit_operations import PARTS
from app.library.pose_recordings import describe, store
from app.library.rows import NewClip, Tracks
from app.ui.library.library_window import LibraryWindow
from app.ui.theme import Theme
from pose.arguments import Parser
from pose.demo.source import DemoSource
from pose.skeleton import MPOSE_13

_OF_RECORDING, _CLIP_S, _RATE = 20, 2.0, 15
_ACTIONS, _PEOPLE, _SESSIONS = 25, 12, 30
_STEPS = 200  # of the wheel, from the top to the end
_PATIENCE_S = 60.0


def fill(library: Library, clips: int) -> None:
    """Recordings of twenty labelled clips each, with people, sessions and a split."""
    source, seconds = DemoSource(seed=0, paced=False), _OF_RECORDING * _CLIP_S
    times_s = np.arange(round(seconds * _RATE)) / _RATE
    xy = np.stack([source.truth(float(time_s)).joints_px for time_s in times_s]).astype(np.float32)
    frame = np.arange(len(times_s))
    tracks = Tracks(times_s, frame, np.zeros_like(frame), xy, np.ones(xy.shape[:2], np.float32), MPOSE_13, (640, 480))
    for number in range(-(-clips // _OF_RECORDING)):
        info = describe(tracks, f"camera {number % 3}", session=f"session {number % _SESSIONS}")
        folder = store(library.root, library.staging(), info, tracks)
        made = [
            NewClip(n * _CLIP_S, min((n + 1) * _CLIP_S, info.duration_s), 0, f"action {(n + number) % _ACTIONS}")
            for n in range(min(_OF_RECORDING, clips - number * _OF_RECORDING))
        ]
        library.add_recording(folder, made)
    ids = library.clip_ids()
    library.set_who(ids[: len(ids) // 2], "Ada")
    library.set_split("by chance", {clip: PARTS[clip % 3] for clip in ids})


def measure(root: Path) -> dict[str, float]:
    """Milliseconds until the list of clips is painted, and of steps while it is scrolled to its end and back.

    cpu: of the processor's time, of all threads for the opening, of the window's for a step; on a machine with other
    work the rest is waiting.
    """
    application = QApplication.instance() or QApplication(["actionlens-bench"])
    assert isinstance(application, QApplication)
    theme = Theme(application, "light")
    started_s, cpu_s = time.perf_counter(), time.process_time()
    window = LibraryWindow(root, theme)
    window.show()
    while not window.browser.clips.rowCount():
        if time.perf_counter() - started_s > _PATIENCE_S:
            raise SystemExit(f"{root} holds no clips, or does not open: {window.refusal.text()}")
        application.processEvents()
    application.processEvents()
    window.browser.clip_table.viewport().repaint()
    opened_ms, opened_cpu_ms = 1000 * (time.perf_counter() - started_s), 1000 * (time.process_time() - cpu_s)
    steps = scroll(window, application)
    clips = window.browser.clips.rowCount()
    window.close()
    QCoreApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete.value)
    figures: dict[str, float] = {"clips": clips, "opened_ms": opened_ms, "opened_cpu_ms": opened_cpu_ms}
    for name, values in zip(("scroll", "scroll_cpu"), np.array(steps).T, strict=True):
        for quantile in (50, 95, 100):
            figures[f"{name}_p{quantile}_ms"] = float(np.percentile(values, quantile))
    return figures


def scroll(window: LibraryWindow, application: QApplication) -> list[tuple[float, float]]:
    """Milliseconds of each step, and those of the processor, pictures of clips coming in meanwhile."""
    table = window.browser.clip_table
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
    parser.add_argument("--clips", type=int, default=10_000, help="of the library that is made (default: %(default)s)")
    options = parser.parse_args(arguments)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory(prefix="actionlens-bench-") as folder:
        root = options.root or Path(folder)
        if options.root is None:
            with Library(root) as library:
                fill(library, options.clips)
        for name, value in measure(root).items():
            sys.stdout.write(f"{name.replace('_', ' ')}: {round(value, 1):g}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
