"""python -m benchmarks.fuzz: try mutated files on every reader, for as long as you like.

What went wrong is kept below --findings, each kind once; a later run goes on where this one ended, after it has tried
the kept inputs again. Exit status: 0 nothing is wrong, 1 something is.
"""

import argparse
import sys
import time
from pathlib import Path

from benchmarks.command import parser_of, run_command
from benchmarks.fuzz.child import GOOD
from benchmarks.fuzz.driver import Findings, Worker, fuzz, refused_valid_files
from benchmarks.fuzz.readers import all_readers
from pose.number_arguments import positive, seed

_BATCH = 50


def main() -> int:
    parser = parser_of("benchmarks.fuzz", __doc__)
    parser.add_argument("--minutes", type=positive, default=1.0, help="how long (default 1)")
    parser.add_argument("--seed", type=seed, default=0, help="another seed gives other inputs")
    parser.add_argument("--reader", nargs="+", choices=tuple(all_readers()), metavar="NAME", help="only these")
    parser.add_argument(
        "--findings", type=Path, default=Path("runs/fuzz"), metavar="DIR", help="(default: %(default)s)"
    )
    return run_command(_run, parser.parse_args())


def _run(options: argparse.Namespace) -> int:
    readers = {name: reader for name, reader in all_readers().items() if name in (options.reader or all_readers())}
    options.findings.mkdir(parents=True, exist_ok=True)
    findings, worker = Findings(options.findings), Worker()
    try:
        wrong = refused_valid_files(readers, worker)
        for name, files in findings.saved():
            if name in readers and (verdict := worker.ask(name, files)).kind not in GOOD:
                wrong.append(f"still wrong: {name}: {verdict.kind} {verdict.where}")
        for line in wrong:
            sys.stdout.write(f"{line}\n")
        valid = {name: reader.files() for name, reader in readers.items()}
        end_s = time.monotonic() + options.minutes * 60
        while time.monotonic() < end_s:
            for place, name in enumerate(readers):
                number = options.seed * 1_000_003 + findings.rounds * 101 + place
                for verdict in fuzz(name, valid[name], worker, _BATCH, number, findings):
                    wrong.append(f"{name}: {verdict.kind} {verdict.where}")
                    sys.stdout.write(f"{wrong[-1]}\n{verdict.line}\n")
                    sys.stdout.flush()
                if time.monotonic() > end_s:
                    break
            findings.rounds += 1
            findings.save()
    finally:
        worker.close()
        findings.save()
    for name, count in sorted(findings.counts.items()):
        sys.stdout.write(f"{name:18} {count:8} inputs, {findings.refused[name] / count:4.0%} refused in one line\n")
    sys.stdout.write(f"{sum(findings.counts.values())} inputs, {len(wrong)} findings\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
