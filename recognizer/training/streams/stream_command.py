"""The command stream: labelled sequences through the live window, recognizer and decision, and how well that does.

A folder of sequences in the layout of recognizer.datasets.webcam_poses goes through recognizer.live frame by
frame at the sequences' own times, just as main.py would show it. What counts as right and wrong stands in
streams.outcome, the metrics in streams.report.
"""

import argparse
import json
import sys
from pathlib import Path

from pose.arguments import output_file
from pose.whole_file import write_text
from recognizer.datasets.errors import DataError
from recognizer.datasets.webcam_poses import PARTS, part_of, read
from recognizer.model_card import find_model
from recognizer.onnx_recognizer import OnnxRecognizer
from recognizer.training.dataset_sequences import labelled_sequences
from recognizer.training.streams.outcome import evaluate_stream
from recognizer.training.streams.report import as_json, as_text
from recognizer.training.streams.run import stream_sequence

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
    parser.add_argument("--json", type=output_file, metavar="OUT", help="also write the figures to this file")


def run_stream(options: argparse.Namespace) -> None:
    """Print the report. Of a sequence that cannot be read the log tells."""
    recognizer = OnnxRecognizer(find_model(options.model), "cpu")
    try:
        outcomes = [
            evaluate_stream(sequence, stream_sequence(sequence, recognizer), recognizer.card)
            for sequence in labelled_sequences(read(options.folder))
            if options.people in (ALL_PEOPLE, part_of(sequence))
        ]
    finally:
        recognizer.close()
    if not outcomes:
        remedy = "check the folder" if options.people == ALL_PEOPLE else "choose others with --people"
        raise DataError(f"{options.folder}: no sequence of {options.people} people could be read; {remedy}")
    report = as_json(outcomes, model=recognizer.card.name, people=options.people)
    sys.stdout.write(as_text(report))
    if options.json is not None:
        write_text(options.json, json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
