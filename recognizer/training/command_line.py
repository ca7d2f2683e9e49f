"""python -m recognizer.training COMMAND: train, evaluate and export recognizers."""

import argparse
import logging
import signal
import sys
import warnings
from collections.abc import Callable, Sequence

import torch

from pose.arguments import Parser, line_of
from pose.errors import ActionLensError
from recognizer.training import everyday_commands as everyday
from recognizer.training import (
    fine_tune_command,
    import_official,
    recalibrate,
    repetitions,
    speed,
    stream,
    stream_set,
)
from recognizer.training.benchmark import command as benchmark
from recognizer.training.benchmark import few_shot_command as few_shot
from recognizer.training.benchmark import label_efficiency, taught_alarms
from recognizer.training.explain import command as explaining
from recognizer.training.generate import command as generation
from recognizer.training.pretrain import command as pretraining
from recognizer.training.reading import LeftOut
from recognizer.training.whole_clip import command as whole_clip

Run = Callable[[argparse.Namespace], int | None]  # the exit status; None for 0
AddArguments = Callable[[argparse.ArgumentParser], None]

# What a command does, its arguments, and the command itself.
COMMANDS: dict[str, tuple[str, AddArguments, Run]] = {
    "train": ("train a network on everyday actions", everyday.add_train, everyday.train),
    "evaluate": ("tell accuracy and false alarms of trained networks", everyday.add_evaluate, everyday.evaluate),
    "export": ("write trained networks as model.onnx and card.json", everyday.add_export, everyday.export_weights),
    "recalibrate": (
        "choose the thresholds of an exported model anew, on streams of the validation people",
        recalibrate.add_recalibrate,
        recalibrate.run_recalibrate,
    ),
    "stream": (
        "tell how right a recognizer is on labelled sequences, streamed as the live program would",
        stream.add_stream,
        stream.run_stream,
    ),
    "stream-set": (
        "make labelled sequences for `stream` of the research data",
        stream_set.add_stream_set,
        stream_set.run_stream_set,
    ),
    "repetitions": (
        "tell how right counts of repetitions are on clips that were counted by eye",
        repetitions.add_arguments,
        repetitions.run,
    ),
    "import-official": (
        "make weights/NAME of a checkpoint of the official codes",
        import_official.add_arguments,
        import_official.run,
    ),
    "train-clips": (
        "train a network on the whole clips of a data set's published split",
        whole_clip.add_arguments,
        whole_clip.run,
    ),
    "fine-tune": (
        "train on a user's own clips, as the window asks for it",
        fine_tune_command.add_fine_tune,
        fine_tune_command.run_fine_tune,
    ),
    "few-shot": (
        "measure Quick teaching with few clips of actions that the embedding never saw",
        few_shot.add_few_shot_arguments,
        few_shot.run_few_shot,
    ),
    "taught-alarms": (
        "measure the false alarms that a teaching states against those on footage that it never had",
        taught_alarms.add_taught_alarms,
        taught_alarms.run_taught_alarms,
    ),
    "pretrain": (
        "pretrain GL-Transformer without labels, and say what that is worth with few",
        pretraining.add_arguments,
        pretraining.run,
    ),
    "label-efficiency": (
        "measure what labels are worth: networks pretrained without them, with other labels, and from scratch",
        label_efficiency.add_label_efficiency,
        label_efficiency.run_label_efficiency,
    ),
    "generator": (
        "train, measure, draw, export and time generators of clips (SA-GCN, its ablations and baselines)",
        generation.add_arguments,
        generation.run,
    ),
    "generate": ("write made-up clips of an action, marked as such", generation.add_generate, generation.generate),
    "explain": (
        "show why a model says what it says of a clip, as figures and numbers",
        explaining.add_explain,
        explaining.run_explain,
    ),
    "deletion": (
        "measure how faithful explanations are, by hiding what they name",
        explaining.add_deletion,
        explaining.run_deletion,
    ),
    "dropped-frames": (
        "accuracy of AcT against frames that are left out",
        explaining.add_dropped_frames,
        explaining.run_dropped_frames,
    ),
    "speed": ("time recognizers in ONNX Runtime and in PyTorch", speed.add_arguments, speed.run),
    "benchmark": ("train and test on the published splits of data sets", benchmark.add_arguments, benchmark.run),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 2 a mistake of the user's, told in one line, 130 interrupted.

    1: done, except for inputs that could not be read, each told in one line.
    """
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning|copyreg|torch")  # of libraries about each other
    torch.set_num_threads(options.threads)
    try:
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)  # from here on files have to be put right
        with LeftOut() as left_out:
            status: int | None = options.run_command(options)
    except ActionLensError as error:
        sys.stderr.write(f"{line_of(error)}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return status or (1 if left_out.damaged else 0)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m recognizer.training", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (what, add_arguments, run) in COMMANDS.items():
        command = commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
        command.add_argument("--threads", type=int, default=1, help="processor threads (default 1)")
        command.set_defaults(run_command=run)
        add_arguments(command)
    return parser


if __name__ == "__main__":
    sys.exit(main())
