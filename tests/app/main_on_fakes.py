"""The real command line on a fake source, estimator and recognizer: python main_on_fakes.py SCENARIO [options]."""

import sys
import threading
from dataclasses import dataclass

from engine_fakes import FakeEstimator, FakeRecognizer, FakeSource, InPlace, StuckSource

from app.capture import reader
from app.cli import run
from app.live import run_inputs
from pose.errors import PoseModelError, SourceError, SourceLost


def file(**kwargs):
    return FakeSource(live=False, frames=60, fps=20, **kwargs)


OPENINGS = iter([lambda: FakeSource(at={30: SourceLost("the cable is out; plug it in")}), FakeSource])
SOURCES = {
    "file": file,
    "other script": file,
    "camera": FakeSource,
    "slow": lambda: FakeSource(live=False, frames=30, fps=1),
    "behind": lambda: FakeSource(fps=25),
    "missing": lambda: _raise(SourceError("no camera 7; plug one in")),
    "hanging": lambda: threading.Event().wait(),
    "given up": lambda: threading.Event().wait(),
    "stuck": lambda: StuckSource(stuck_at=20),
    "damaged": lambda: FakeSource(live=False, fps=20, at={30: SourceError("damaged at 1.5 s; copy it again")}),
    "lost": lambda: next(OPENINGS)(),
}


@dataclass(frozen=True, slots=True)
class Impatient(reader.Timing):
    open_s: float = 1.0


def _raise(error):
    raise error


def build(progress, cancel):
    progress("building the pose model")
    cancel.wait()
    raise PoseModelError("cancelled")


def main():
    scenario = sys.argv.pop(1)
    people = (lambda frame: ()) if "--nobody" in sys.argv else (lambda frame: (0,))
    sys.argv = [argument for argument in sys.argv if argument != "--nobody"]
    if scenario == "given up":
        reader.Timing = Impatient
    run_inputs.open_source = lambda options: SOURCES.get(scenario, FakeSource)()
    named = {"action": "跳", "actions": ("idle", "跳")} if scenario == "other script" else {}
    run_inputs.open_recognizer = lambda model, provider: FakeRecognizer(**named)
    run_inputs.open_pose_worker = lambda options, progress, cancel: (
        build(progress, cancel)
        if scenario == "building"
        else InPlace(
            FakeEstimator(
                people=people,
                work_s=0.1 if scenario == "behind" else 0.0,
                fail_at=100 if scenario == "broken" else None,
            )
        )
    )
    run()


if __name__ == "__main__":
    main()
