"""The command `pretrain`: pretrain GL-Transformer on all skeletons that there are, and export what it learnt."""

import argparse
import sys
from pathlib import Path
from typing import Any, get_args

from pose.number_arguments import count, positive, seed
from recognizer.training.data_argument import add_data
from recognizer.training.errors import TrainingError
from recognizer.training.everyday_commands import add_clips
from recognizer.training.everyday_streams import read_sets
from recognizer.training.hardware import add_hardware, hardware_of
from recognizer.training.loop import is_first_process
from recognizer.training.models.gl_transformer import Positions
from recognizer.training.models.registry import parameter_count
from recognizer.training.pretrain import everyday, everyday_actions
from recognizer.training.pretrain.pretraining import Pretrained
from recognizer.training.pretrain.recipes import RECIPES, SIZES, Recipe, recipe_of
from recognizer.training.pretrain.targets import Reading

_KINDS = "run|export"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command `pretrain`."""
    kinds = parser.add_subparsers(required=True, dest="pretrain", metavar=_KINDS)
    _add_run(kinds.add_parser("run", help="pretrain; a killed run goes on, a finished one is left as it is"))
    out = kinds.add_parser("export", help=f"model.onnx and card.json of a run of --task {everyday.NAME}")
    add_data(out)
    add_clips(out)
    out.add_argument("--run", type=Path, required=True, metavar="DIR", help="of a finished pretraining")
    out.add_argument("--weights", type=Path, required=True, metavar="DIR", help="folder to write, as weights/NAME")
    learn = "the everyday actions: a linear layer on the network as it is, or all of it"
    out.add_argument("--learn", choices=("linear", "whole"), default="linear", help=learn)
    out.add_argument("--epochs", type=count, help="of 100 batches, instead of the recipe's")
    out.add_argument("--batch", type=count, help="instead of the recipe's")
    out.add_argument("--seed", type=seed, default=0)
    add_hardware(out)


def _add_run(run: argparse.ArgumentParser) -> None:
    add_data(run)
    add_clips(run)
    run.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the run: weights, logs")
    run.add_argument("--task", default=everyday.NAME, help=f"{everyday.NAME}: {everyday.TITLE}")
    library = "a library whose recordings are learnt from too, labelled or not"
    run.add_argument("--recordings", type=Path, metavar="LIBRARY", help=library)
    left = "data sets to leave out"
    run.add_argument("--leave-out", nargs="+", default=[], metavar="SET", help=left)
    run.add_argument("--seed", type=seed, default=0)
    add_recipe(run)
    add_hardware(run)


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """The recipe and what of it is changed."""
    parser.add_argument("--size", default="shallow", help=f"of the network: {', '.join(SIZES)}")
    parser.add_argument("--recipe", default="small-set", help=", ".join(RECIPES))
    for name, kind in (
        ("epochs", count),
        ("batch", count),
        ("learning-rate", positive),
        ("decay", float),
        ("dropout", float),
    ):
        parser.add_argument(f"--{name}", type=kind, help="instead of the recipe's")
    parser.add_argument("--intervals", type=count, nargs="+", metavar="N", help="of displacements (published: 1 5 10)")
    parser.add_argument("--reading", choices=get_args(Reading), help="of the targets and the loss")
    parser.add_argument("--positions", choices=get_args(Positions), help="kind of positions (published: tight)")
    for name, what in (
        ("magnitude", "do not predict how far"),
        ("global-translation", "leave the way of the body out"),
    ):
        parser.add_argument(f"--no-{name}", action="store_true", help=what)


def run(options: argparse.Namespace) -> None:
    """Pretrain, or export what was pretrained."""
    if options.pretrain == "run":
        _run(options)
    else:
        _export(options)


def recipe_from(options: argparse.Namespace) -> Recipe:
    """The recipe of the parsed arguments of add_recipe. Raises TrainingError."""
    names = ("epochs", "batch", "learning_rate", "decay", "dropout", "reading", "positions")
    changed: dict[str, Any] = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    if options.intervals:
        changed["intervals"] = tuple(options.intervals)
    changed |= {name: False for name in ("magnitude", "global_translation") if getattr(options, f"no_{name}")}
    return recipe_of(options.recipe).changed(**changed)


def _run(options: argparse.Namespace) -> None:
    if options.task != everyday.NAME:
        raise TrainingError(f"--task {options.task} is not {everyday.NAME}; use python -m research pretrain run for it")
    recipe = recipe_from(options)
    left_out = tuple(options.leave_out)
    corpus = everyday.read(options.data, options.recordings, left_out, options.clips)
    done = everyday.pretrain_everyday(
        corpus, recipe, options.size, options.seed, left_out, options.out, hardware_of(options)
    )
    own = f", {done.job['own']} of them tracks of the library" if options.recordings else ""
    say(options.out, f"{done.job['recordings']} recordings{own}", done)


def say(folder: Path, what: str, done: Pretrained) -> None:
    """Print one line about a finished pretraining. what: it was trained on."""
    if is_first_process():
        parameters = parameter_count(done.network.backbone)
        sys.stdout.write(f"{folder}: {what}, {parameters:,} parameters, {done.seconds:.0f} s of training\n")


def _export(options: argparse.Namespace) -> None:
    done = everyday.load_everyday(options.run)
    changed = {key: getattr(options, key) for key in ("epochs", "batch") if getattr(options, key) is not None}
    recipe = {"linear": everyday_actions.LINEAR, "whole": everyday_actions.WHOLE}[options.learn].changed(**changed)
    sets = read_sets(options.data, options.clips)
    corpus = sets.corpus()
    folder = options.run / f"everyday-{options.learn}-seed{options.seed}"
    network = everyday_actions.train_actions(done, corpus, folder, hardware_of(options), options.seed, recipe)
    how = "learnt with a linear layer" if options.learn == "linear" else "fine-tuned as a whole"
    if is_first_process():
        card = everyday_actions.write_model(network, corpus, sets, options.weights, how)
        found = card.metrics["validation_clips"]
        sys.stdout.write(f"{options.weights}: {100 * found['accuracy']:.1f}% of {found['clips']} validation clips\n")
