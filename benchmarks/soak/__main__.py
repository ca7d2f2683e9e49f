"""python -m benchmarks.soak: accelerated days of one live run, and whether anything grows.

A stream that is cut and comes back, recognizers that are swapped, clients of the event stream that come and go, takes
that are begun and ended: each so many times, in rounds, on one engine with the real decoder, recognizers, event server
and recorder; with --real-poses MediaPipe's process, too. After each round memory, threads, handles, sockets, files and
processes are counted. Exit status: 0 nothing grows, 1 something does, 2 it cannot run.
"""

import argparse
import json
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from app.live.engine import Engine
from benchmarks.command import parser_of, run_command
from benchmarks.soak.feeder import Feeder
from benchmarks.soak.measures import ALLOWED, growth, leaks, measure
from benchmarks.soak.standing import StandingPerson
from benchmarks.soak.work import KINDS, SoakRun
from pose.arguments import output_file
from pose.number_arguments import count
from pose.whole_file import write_text


def soak(
    repeats: int,
    rounds: int,
    *,
    kinds: Sequence[str] = KINDS,
    make_engine: Callable[..., Engine] | None = None,
    after_round: Callable[[int], None] = lambda number: None,
    report: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """What was done, what was counted after each round, and what leaks. Each kind happens `repeats` times in all.

    make_engine: instead of one that needs no MediaPipe. Raises SoakError where something does not happen.
    """
    each, counts = max(1, repeats // rounds), []
    done = dict.fromkeys(kinds, 0)
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="actionlens-soak-") as folder, Feeder() as feeder:
        watched = [Path(folder)]
        with SoakRun(feeder, Path(folder), make_engine or _without_mediapipe) as run:
            for number in range(rounds):
                for kind in kinds:
                    getattr(run, kind)(each)
                    done[kind] += each
                after_round(number)
                counts.append(measure(watched, (feeder.pid,)))
                report(f"round {number + 1} of {rounds}: {counts[-1]}")
            results, connections = run.results, feeder.connections
    return {
        "done": {**done, "results": results, "connections": connections, "seconds": round(time.monotonic() - began_s)},
        "rounds": counts,
        "growth": {name: round(growth([count[name] for count in counts]), 2) for name in ALLOWED},
        "allowed": ALLOWED,
        "leaks": leaks(counts),
    }


def _without_mediapipe(*arguments: Any, **options: Any) -> Engine:
    return Engine(*arguments, open_pose_worker=lambda *_: StandingPerson(), **options)


def main() -> int:
    parser = parser_of("benchmarks.soak", __doc__)
    parser.add_argument("--repeats", type=count, default=1000, help="of each kind (default 1000)")
    parser.add_argument("--rounds", type=count, default=20, help="after which everything is counted (default 20)")
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS, help="to find out which kind leaks")
    parser.add_argument("--real-poses", action="store_true", help="find the poses with MediaPipe, in its process")
    parser.add_argument("--json", type=output_file, metavar="FILE", help="write the figures")
    logging.basicConfig(level=logging.ERROR)
    return run_command(_run, parser.parse_args())


def _run(options: argparse.Namespace) -> int:
    found = soak(
        options.repeats,
        options.rounds,
        kinds=options.only,
        make_engine=Engine if options.real_poses else None,
        report=_print,
    )
    for name, value in found["growth"].items():
        verdict = "LEAKS" if name in found["leaks"] else "flat"
        _print(
            f"{name:10} {found['rounds'][0][name]:8} -> {found['rounds'][-1][name]:8}  trend {value:+.2f}  {verdict}"
        )
    if options.json is not None:
        write_text(options.json, json.dumps(found, indent=1) + "\n")
    return 1 if found["leaks"] else 0


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
