"""The command `pretrain`: pretrain GL-Transformer without labels, say what that is worth with few, and show what it
looks at."""

import argparse
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

from pose.errors import ActionLensError
from recognizer.training.everyday_streams import read_corpus
from recognizer.training.loop import is_first_process
from recognizer.training.models.gl_transformer import Positions
from recognizer.training.pretrain import ablations, everyday, everyday_actions, figures, speed, without_network
from recognizer.training.pretrain.curve import Curve
from recognizer.training.pretrain.fit import Job, Pretrained, load_pretrained, pretrain
from recognizer.training.pretrain.measured import LINEAR, SEMI, measured
from recognizer.training.pretrain.motion import Facing, MotionClips, Rows
from recognizer.training.pretrain.recipes import RECIPES, SIZES, Pace, Recipe, recipe_of, size_of
from recognizer.training.pretrain.targets import Reading
from recognizer.training.pretrain.tasks import PARTS, TASKS, Task, task_of
from recognizer.training.whole_clip.command import add_hardware, hardware_of

_KINDS = "run|evaluate|ablations|without-network|export|figures|speed"


class PretrainError(ActionLensError):
    """An argument that makes no pretraining."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command `pretrain`."""
    kinds = parser.add_subparsers(required=True, dest="pretrain", metavar=_KINDS)
    _add_run(kinds.add_parser("run", help="pretrain; a killed run goes on, a finished one is left as it is"))
    evaluate = kinds.add_parser("evaluate", help="linear evaluation and fine-tuning with few labels")
    _add_data(evaluate)
    evaluate.add_argument("--runs", type=Path, nargs="+", required=True, metavar="DIR", help="one for each seed")
    evaluate.add_argument("--protocols", nargs="+", choices=(LINEAR, SEMI), default=[LINEAR, SEMI])
    evaluate.add_argument("--shares", type=float, nargs="+", default=[0.05, 0.1], help="of the labels, for semi")
    evaluate.add_argument("--scratch", action="store_true", help="the same with random weights, not pretrained")
    for name in ("epochs", "batch"):
        evaluate.add_argument(f"--{name}", type=int, help="of fine-tuning")
    add_hardware(evaluate)
    out = kinds.add_parser("export", help=f"model.onnx and card.json of a run of --task {everyday.NAME}")
    _add_data(out)
    out.add_argument("--run", type=Path, required=True, metavar="DIR", help="of a finished pretraining")
    out.add_argument("--weights", type=Path, required=True, metavar="DIR", help="folder to write, as weights/NAME")
    learn = "the everyday actions: a linear layer on the network as it is, or all of it"
    out.add_argument("--learn", choices=("linear", "whole"), default="linear", help=learn)
    out.add_argument("--epochs", type=int, help="of 100 batches, instead of the recipe's")
    out.add_argument("--batch", type=int, help="instead of the recipe's")
    out.add_argument("--seed", type=int, default=0)
    add_hardware(out)
    table = kinds.add_parser("ablations", help="pretrain without one thing after the other, and write a table")
    _add_data(table)
    table.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the runs")
    table.add_argument("--task", default="nw-ucla", help=", ".join(TASKS))
    _add_part(table)
    table.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    names = ", ".join(repr(name) for name in ablations.ABLATIONS)
    table.add_argument("--only", nargs="+", default=list(ablations.ABLATIONS), metavar="NAME", help=names)
    _add_recipe(table)
    add_hardware(table)
    without = kinds.add_parser("without-network", help="linear evaluation of poses, and of the answers asked for")
    _add_data(without)
    without.add_argument("--task", default="nw-ucla", help=", ".join(TASKS))
    _add_part(without)
    _add_recipe(without)
    figure = kinds.add_parser("figures", help="attention maps, attended distance, similarity of positions")
    _add_data(figure)
    figure.add_argument("--run", type=Path, required=True, metavar="DIR", help="of a finished pretraining")
    figure.add_argument("--out", type=Path, required=True, metavar="DIR")
    fast = kinds.add_parser("speed", help="clips a second, against filling every clip up to the longest")
    _add_data(fast)
    fast.add_argument("--task", default="nw-ucla", help=", ".join(TASKS))
    fast.add_argument("--steps", type=int, default=5)
    fast.add_argument("--device", default="cpu", help="cpu or cuda")
    _add_recipe(fast)


def _add_run(run: argparse.ArgumentParser) -> None:
    _add_data(run)
    run.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the run: weights, logs")
    run.add_argument("--task", default="nw-ucla", help=f"{', '.join(TASKS)}, or {everyday.NAME}: {everyday.TITLE}")
    library = f"with --task {everyday.NAME}: a library whose recordings are learnt from too, labelled or not"
    run.add_argument("--recordings", type=Path, metavar="LIBRARY", help=library)
    left = f"with --task {everyday.NAME}: data sets of which nothing is seen"
    run.add_argument("--leave-out", nargs="+", default=[], metavar="SET", help=left)
    _add_part(run)
    run.add_argument("--seed", type=int, default=0)
    run.add_argument(
        "--judge-every", type=int, metavar="EPOCHS", help="with --part validation: linear evaluation, to curve.json"
    )
    _add_recipe(run)
    add_hardware(run)


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder that holds the data sets")


def _add_part(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--part", choices=PARTS, default="test", help="validation leaves some training subjects out")


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--size", default="shallow", help=f"of the network: {', '.join(SIZES)}")
    parser.add_argument("--recipe", default="small-set", help=", ".join(RECIPES))
    parser.add_argument("--frames", type=int, help="of the longest clip, instead of the task's")
    for name, kind in (
        ("epochs", int),
        ("batch", int),
        ("learning-rate", float),
        ("decay", float),
        ("dropout", float),
    ):
        parser.add_argument(f"--{name}", type=kind, help="instead of the recipe's")
    parser.add_argument("--pace", choices=get_args(Pace), help="natural speed (published), or resampled")
    parser.add_argument("--facing", choices=get_args(Facing), help="turned to the front in each frame (published)")
    parser.add_argument("--intervals", type=int, nargs="+", metavar="N", help="of displacements (published: 1 5 10)")
    parser.add_argument("--reading", choices=get_args(Reading), help="of the targets and the loss")
    parser.add_argument("--positions", choices=get_args(Positions), help="kind of positions (published: tight)")
    for name, what in (
        ("magnitude", "do not predict how far"),
        ("global-translation", "leave the way of the body out"),
        ("between-people", "no attention between people"),
    ):
        parser.add_argument(f"--no-{name}", action="store_true", help=what)


def run(options: argparse.Namespace) -> None:
    """Pretrain, evaluate, draw or time."""
    parts: dict[str, Callable[[argparse.Namespace], None]] = {
        "run": _run,
        "evaluate": _evaluate,
        "ablations": _ablations,
        "without-network": _without_network,
        "export": _export,
        "figures": _figures,
        "speed": _speed,
    }
    parts[options.pretrain](options)


def _recipe(options: argparse.Namespace) -> Recipe:
    names = ("epochs", "batch", "learning_rate", "decay", "dropout", "pace", "facing", "reading", "positions")
    changed: dict[str, Any] = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    if options.intervals:
        changed["intervals"] = tuple(options.intervals)
    off = ("magnitude", "global_translation", "between_people")
    changed |= {name: False for name in off if getattr(options, f"no_{name}")}
    return recipe_of(options.recipe).changed(**changed)


def _loaded(options: argparse.Namespace, recipe: Recipe) -> tuple[Task, MotionClips, int]:
    task = task_of(options.task)
    size_of(options.size)
    frames = task.frames if options.frames is None else options.frames
    if frames < 2:
        raise PretrainError(f"--frames {frames} is too few; give at least 2")
    return task, task.load(options.data, recipe.facing), frames


def _run(options: argparse.Namespace) -> None:
    recipe = _recipe(options)
    if options.task == everyday.NAME:
        return _run_everyday(options, recipe)
    if options.recordings or options.leave_out:
        raise PretrainError(f"--recordings and --leave-out go with --task {everyday.NAME} alone")
    task, clips, frames = _loaded(options, recipe)
    rows, judge = task.split(clips, options.part)
    job = Job(task.name, options.size, recipe, frames, options.seed, options.part)
    curve = _curve(options, clips, rows, judge, recipe)
    done = pretrain(clips, rows, job, options.out, hardware_of(options), curve)
    _say(options.out, f"{len(rows)} clips", done)


def _run_everyday(options: argparse.Namespace, recipe: Recipe) -> None:
    if options.frames is not None or options.judge_every is not None or options.part != "test":
        raise PretrainError(f"--frames, --judge-every and --part are not for --task {everyday.NAME}")
    left_out = tuple(options.leave_out)
    corpus = everyday.read(options.data, options.recordings, left_out)
    done = everyday.pretrain_everyday(
        corpus, recipe, options.size, options.seed, left_out, options.out, hardware_of(options)
    )
    own = f", {done.job['own']} of them tracks of the library" if options.recordings else ""
    _say(options.out, f"{done.job['recordings']} recordings{own}", done)


def _say(folder: Path, what: str, done: Pretrained) -> None:
    if is_first_process():
        parameters = sum(weight.numel() for weight in done.network.backbone.parameters())
        sys.stdout.write(f"{folder}: {what}, {parameters:,} parameters, {done.seconds:.0f} s of training\n")


def _curve(options: argparse.Namespace, clips: MotionClips, learn: Rows, judge: Rows, recipe: Recipe) -> list[Curve]:
    if options.judge_every is None:
        return []
    if options.part != "validation" or options.judge_every < 1:
        raise PretrainError("--judge-every takes a number of epochs and goes with --part validation alone")
    return [Curve(clips, learn, judge, recipe.pace, options.seed, options.judge_every, options.out)]


def _evaluate(options: argparse.Namespace) -> None:
    found: dict[str, list[float]] = {}
    changed = {key: getattr(options, key) for key in ("epochs", "batch") if getattr(options, key) is not None}
    for folder in options.runs:
        done = load_pretrained(folder)
        task = task_of(done.job["job"]["task"])
        clips = task.load(options.data, done.job["job"]["recipe"]["facing"])
        split = task.split(clips, done.job["job"]["part"])
        for share in _shares(options):
            hardware, scratch = hardware_of(options), options.scratch
            name, result = measured(folder, done, clips, split, hardware, share=share, scratch=scratch, changed=changed)
            found.setdefault(name, []).append(100 * result.accuracy)
            if result.best_right is not None:
                best = f"{name}, best epoch on the clips it is judged by (as published figures are counted, no result)"
                found.setdefault(best, []).append(100 * result.best_right / result.of)
    if is_first_process():
        for name, values in found.items():
            spread = f" (deviation {statistics.stdev(values):.1f})" if len(values) > 1 else ""
            sys.stdout.write(f"{name}: {statistics.mean(values):.1f}%{spread} over {len(values)} run(s)\n")


def _shares(options: argparse.Namespace) -> list[float | None]:
    """Of the labels; None stands for the linear evaluation."""
    shares = [share for share in options.shares if SEMI in options.protocols]
    for share in shares:
        if not 0 < share <= 1:
            raise PretrainError(f"--shares {share:g} is no share of the labels; give a number above 0, up to 1")
    return ([None] if LINEAR in options.protocols else []) + shares


def _ablations(options: argparse.Namespace) -> None:
    recipe = _recipe(options)
    task, clips, frames = _loaded(options, recipe)
    split = task.split(clips, options.part)
    jobs = [Job(task.name, options.size, recipe, frames, seed, options.part) for seed in options.seeds]
    found = [ablations.measure(clips, split, job, options.only, options.out, hardware_of(options)) for job in jobs]
    if is_first_process():
        sys.stdout.write(ablations.table(found))


def _without_network(options: argparse.Namespace) -> None:
    recipe = _recipe(options)
    task, clips, frames = _loaded(options, recipe)
    found = without_network.measure(clips, *task.split(clips, options.part), frames, recipe)
    for name, result in found.items():
        sys.stdout.write(f"{name}: {100 * result.accuracy:.1f}% of {result.of} clips\n")


def _export(options: argparse.Namespace) -> None:
    done = everyday.load_everyday(options.run)
    changed = {key: getattr(options, key) for key in ("epochs", "batch") if getattr(options, key) is not None}
    recipe = {"linear": everyday_actions.LINEAR, "whole": everyday_actions.WHOLE}[options.learn].changed(**changed)
    corpus = read_corpus(options.data)
    folder = options.run / f"everyday-{options.learn}-seed{options.seed}"
    network = everyday_actions.learnt(done, corpus, folder, hardware_of(options), options.seed, recipe)
    how = "learnt with a linear layer" if options.learn == "linear" else "fine-tuned as a whole"
    if is_first_process():
        card = everyday_actions.write_model(network, corpus, options.data, options.weights, how)
        found = card.metrics["validation_clips"]
        sys.stdout.write(f"{options.weights}: {100 * found['accuracy']:.1f}% of {found['clips']} validation clips\n")


def _figures(options: argparse.Namespace) -> None:
    done = load_pretrained(options.run)
    job = done.job["job"]
    task = task_of(job["task"])
    clips = task.load(options.data, job["recipe"]["facing"])
    rows, _ = task.split(clips, job["part"])
    written: Sequence[Path] = figures.draw(done.network.backbone, clips, rows, job["recipe"]["pace"], options.out)
    sys.stdout.write("".join(f"{path}\n" for path in written))


def _speed(options: argparse.Namespace) -> None:
    recipe = _recipe(options)
    task, clips, frames = _loaded(options, recipe)
    if options.steps < 1:
        raise PretrainError("--steps must be 1 or more")
    rows, _ = task.split(clips, "test")
    found = speed.measure(clips, rows, recipe, frames, options.size, options.steps, options.device)
    sys.stdout.write(
        f"{found.packed:.1f} clips a second on real frames alone, {found.full_width:.1f} filled up to {frames} frames: "
        f"{found.gain:.2f} times as many; {100 * found.real:.0f}% of the frames are real\n"
    )
