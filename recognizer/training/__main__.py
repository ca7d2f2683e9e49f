"""python -m recognizer.training COMMAND: train, evaluate and export recognizers."""

import argparse
import logging
import sys
import warnings
from collections.abc import Callable, Sequence

import torch

from pose.errors import ActionLensError
from recognizer.training import everyday_commands as everyday

Run = Callable[[argparse.Namespace], None]
AddArguments = Callable[[argparse.ArgumentParser], None]

COMMANDS: dict[str, tuple[AddArguments, Run]] = {
    "train": (everyday.add_train, everyday.train),
    "evaluate": (everyday.add_evaluate, everyday.evaluate),
    "export": (everyday.add_export, everyday.export_weights),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 2 a mistake of the user's, told in one line, 130 interrupted."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning|copyreg|torch")  # of libraries about each other
    torch.set_num_threads(options.threads)
    try:
        options.run_command(options)
    except ActionLensError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m recognizer.training", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (add_arguments, run) in COMMANDS.items():
        what = (run.__doc__ or "").strip()
        command = commands.add_parser(
            name, help=what[0].lower() + what[1:].splitlines()[0].rstrip("."), description=what
        )
        command.add_argument("--threads", type=int, default=1, help="processor threads (default 1)")
        command.set_defaults(run_command=run)
        add_arguments(command)
    return parser


if __name__ == "__main__":
    sys.exit(main())
