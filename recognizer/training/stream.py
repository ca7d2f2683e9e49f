"""The command stream: labelled sequences through the live window, recognizer and decision, and how right that is.

A folder of sequences in the layout of recognizer.datasets.webcam_poses goes through recognizer.live frame by
frame at the sequences' own times, just as main.py would show it. What counts as right and wrong stands in
recognizer.training.stream_outcome, the figures in recognizer.training.stream_report.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from pose.whole_file import write_text
from recognizer.datasets.errors import DataError
from recognizer.datasets.sequences import LabelledSequence
from recognizer.datasets.webcam_poses import PARTS, part_of, read
from recognizer.model_card import find_model
from recognizer.onnx_recognizer import OnnxRecognizer
from recognizer.training.stream_outcome import Outcome, judge
from recognizer.training.stream_report import as_json, as_text
from recognizer.training.stream_run import stream_sequence

ALL_PEOPLE = "all"


def add_stream(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="index.tsv and sequences/NAME.npz")
    parser.add_argument("--model", required=True, metavar="NAME|DIR", help="a name under weights/, or a folder")
    parser.add_argument(
        "--people",
        choices=(*PARTS, ALL_PEOPLE),
        default=ALL_PEOPLE,
        help="whose sequences, by the split of webcam_poses (default all)",
    )
    parser.add_argument("--json", type=Path, metavar="OUT", help="also write the figures to this file")


def run_stream(options: argparse.Namespace) -> int:
    """Print the report. 1 where a sequence could not be read, after all others were streamed; otherwise 0."""
    recognizer = OnnxRecognizer(find_model(options.model), "cpu")
    try:
        problems: list[DataError] = []
        outcomes = list(_outcomes(read(options.folder), options.people, recognizer, problems))
    finally:
        recognizer.close()
    if not outcomes:
        raise DataError(
            f"{options.folder}: no sequence of {options.people} people could be read"
            + (f" ({len(problems)} are damaged)" if problems else "; choose others with --people")
        )
    report = as_json(outcomes, model=recognizer.card.name, people=options.people)
    if options.json is not None:
        _write(options.json, json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    sys.stdout.write(as_text(report))
    return 1 if problems else 0


def _outcomes(
    found: Iterable[LabelledSequence | DataError], people: str, recognizer: OnnxRecognizer, problems: list[DataError]
) -> Iterator[Outcome]:
    """The outcome of each sequence of these people; what cannot be read is told, and kept in `problems`."""
    for sequence in found:
        if isinstance(sequence, DataError):
            sys.stderr.write(f"{sequence}\n")
            problems.append(sequence)
        elif people in (ALL_PEOPLE, part_of(sequence)):
            yield judge(sequence, stream_sequence(sequence, recognizer), recognizer.card)


def _write(path: Path, text: str) -> None:
    try:
        write_text(path, text)
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error.strerror}); give a file in a folder of yours") from error
