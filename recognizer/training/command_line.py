"""python -m recognizer.training COMMAND: train, evaluate, export and explain recognizers."""

import argparse
import logging
import signal
import warnings
from collections.abc import Callable, Mapping, Sequence

import torch

from pose.arguments import Parser, exit_status
from pose.number_arguments import count
from recognizer.training import everyday_commands as everyday
from recognizer.training import recalibrate, repetitions
from recognizer.training.dataset_sequences import SkippedFiles
from recognizer.training.explain import explain_command as explaining
from recognizer.training.fine_tune import fine_tune_command
from recognizer.training.generate import generate_command as generation
from recognizer.training.pretrain import pretrain_command as pretraining
from recognizer.training.streams import stream_command, stream_set_command

Run = Callable[[argparse.Namespace], int | None]  # the exit status; None for 0
AddArguments = Callable[[argparse.ArgumentParser], None]
Commands = Mapping[str, tuple[str, AddArguments, Run]]

# What a command does, its arguments, and the command itself.
COMMANDS: Commands = {
    "train": ("train a network on everyday actions", everyday.add_train, everyday.train),
    "evaluate": ("print accuracy and false alarms of trained networks", everyday.add_evaluate, everyday.evaluate),
    "export": ("write trained networks as model.onnx and card.json", everyday.add_export, everyday.export_weights),
    "recalibrate": (
        "choose the thresholds of an exported model again, on streams of the validation people",
        recalibrate.add_recalibrate,
        recalibrate.run_recalibrate,
    ),
    "stream": (
        "measure a recognizer on labelled sequences, streamed as in the live program",
        stream_command.add_stream,
        stream_command.run_stream,
    ),
    "stream-set": (
        "build labelled sequences for `stream` from the research data",
        stream_set_command.add_stream_set,
        stream_set_command.run_stream_set,
    ),
    "repetitions": (
        "measure repetition counts against counts by eye",
        repetitions.add_arguments,
        repetitions.run,
    ),
    "fine-tune": (
        "train on a user's own clips, as the window asks for it",
        fine_tune_command.add_fine_tune,
        fine_tune_command.run_fine_tune,
    ),
    "pretrain": (
        "pretrain GL-Transformer without labels, and export it as a recognizer",
        pretraining.add_arguments,
        pretraining.run,
    ),
    "generator": (
        "train and export generators of clips (SA-GCN, its ablations and baselines)",
        generation.add_arguments,
        generation.run,
    ),
    "generate": ("write synthetic clips of an action, marked as such", generation.add_generate, generation.generate),
    "explain": (
        "explain a model's answer for a clip, in figures and numbers",
        explaining.add_explain,
        explaining.run_explain,
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """See run_command."""
    return run_command("recognizer.training", __doc__ or "", COMMANDS, arguments)


def run_command(package: str, description: str, commands: Commands, arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 success, 2 user error, reported in one line, 130 interrupted.

    1: done, except for inputs that could not be read, each reported in one line. package: behind `python -m`.
    """
    options = _parser(package, description, commands).parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning|copyreg|torch")  # of libraries about each other
    torch.set_num_threads(options.threads)
    return exit_status(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # from here on an interrupt has to clean up files
    with SkippedFiles() as skipped:
        status: int | None = options.run_command(options)
    return status or (1 if skipped.damaged else 0)


def _parser(package: str, description: str, commands: Commands) -> argparse.ArgumentParser:
    parser = Parser(prog=f"python -m {package}", description=description)
    parsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (what, add_arguments, run) in commands.items():
        command = parsers.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
        command.add_argument("--threads", type=count, default=1, help="processor threads (default 1)")
        command.set_defaults(run_command=run)
        add_arguments(command)
    return parser
