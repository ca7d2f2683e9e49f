"""The command `pretrain`: pretrain GL-Transformer on a data set without labels, evaluate it with few labels, and draw
its attention."""

import argparse
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from pose.number_arguments import count, positive, seed
from recognizer.datasets.clip_files import KINDS
from recognizer.training.data_argument import add_data
from recognizer.training.hardware import add_hardware, hardware_of
from recognizer.training.loop import is_first_process
from recognizer.training.pretrain.pretrain_command import add_recipe, recipe_from, say
from recognizer.training.pretrain.pretraining import PretrainingJob, load_pretrained
from recognizer.training.pretrain.recipes import Facing, Pace, Recipe, Steps, size_of
from research.errors import ResearchError
from research.pretrain import ablations, figures, speed, without_network
from research.pretrain.curve import Curve
from research.pretrain.evaluation import FINE_TUNING, LINEAR, SEMI, EvaluationProtocol, evaluate_protocol
from research.pretrain.motion import MotionClips, Rows
from research.pretrain.pretraining import pretrain
from research.pretrain.protocols import LinearSettings
from research.pretrain.tasks import PARTS, TASKS, Task, task_of

_KINDS = "run|evaluate|ablations|without-network|figures|speed"
_TASK = f"{', '.join(TASKS)}, or the path of {KINDS}"
_TASK_OF_RUN = "nw-ucla-corrected for a run on nw-ucla; the path of the recorded clips for a run on a file of them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command `pretrain`."""
    kinds = parser.add_subparsers(required=True, dest="pretrain", metavar=_KINDS)
    _add_run(kinds.add_parser("run", help="pretrain; a killed run goes on, a finished one is left as it is"))
    evaluate = kinds.add_parser("evaluate", help="linear evaluation and fine-tuning with few labels")
    add_data(evaluate, required=False)
    evaluate.add_argument("--runs", type=Path, nargs="+", required=True, metavar="DIR", help="one for each seed")
    evaluate.add_argument("--task", metavar="TASK", help=_TASK_OF_RUN)
    evaluate.add_argument("--protocols", nargs="+", choices=(LINEAR, SEMI), default=[LINEAR, SEMI])
    evaluate.add_argument("--shares", type=positive, nargs="+", default=[0.05, 0.1], help="of the labels, for semi")
    evaluate.add_argument("--scratch", action="store_true", help="the same with random weights, not pretrained")
    for name in ("epochs", "batch"):
        evaluate.add_argument(f"--{name}", type=count, help="of fine-tuning")
    evaluate.add_argument(
        "--linear-epochs", type=count, default=LinearSettings().epochs, help="of the linear evaluation"
    )
    corrupted = "the linear evaluation with so many joints of each test clip at 0 all the time, drawn for each clip"
    evaluate.add_argument("--corrupted", type=count, nargs="+", default=[], metavar="JOINTS", help=corrupted)
    add_hardware(evaluate)
    table = kinds.add_parser("ablations", help="pretrain without one thing after the other, and write a table")
    add_data(table, required=False)
    table.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the runs")
    table.add_argument("--task", default="nw-ucla", help=_TASK)
    _add_part(table)
    table.add_argument("--seeds", type=seed, nargs="+", default=[0, 1, 2])
    names = ", ".join(repr(name) for name in ablations.ABLATIONS)
    table.add_argument("--only", nargs="+", default=list(ablations.ABLATIONS), metavar="NAME", help=names)
    _add_recipe(table)
    add_hardware(table)
    without = kinds.add_parser("without-network", help="linear evaluation of poses, and of the answers asked for")
    add_data(without, required=False)
    without.add_argument("--task", default="nw-ucla", help=_TASK)
    _add_part(without)
    _add_recipe(without)
    figure = kinds.add_parser("figures", help="attention maps, attended distance, similarity of positions")
    add_data(figure, required=False)
    figure.add_argument("--run", type=Path, required=True, metavar="DIR", help="of a finished pretraining")
    figure.add_argument("--task", metavar="TASK", help=_TASK_OF_RUN)
    figure.add_argument("--out", type=Path, required=True, metavar="DIR")
    fast = kinds.add_parser("speed", help="clips a second, against filling every clip up to the longest")
    add_data(fast, required=False)
    fast.add_argument("--task", default="nw-ucla", help=_TASK)
    fast.add_argument("--steps", type=count, default=5)
    fast.add_argument("--device", default="cpu", help="cpu or cuda")
    _add_recipe(fast)


def _add_run(run: argparse.ArgumentParser) -> None:
    add_data(run, required=False)
    run.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the run: weights, logs")
    run.add_argument("--task", default="nw-ucla", help=_TASK)
    _add_part(run)
    run.add_argument("--seed", type=seed, default=0)
    run.add_argument(
        "--evaluate-every",
        type=count,
        metavar="EPOCHS",
        help="with --part validation: linear evaluation, to curve.json",
    )
    _add_recipe(run)
    add_hardware(run)


def _add_part(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--part", choices=PARTS, default="test", help="validation leaves some training subjects out")


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    add_recipe(parser)
    parser.add_argument("--frames", type=count, help="of the longest clip, instead of the task's")
    parser.add_argument("--pace", choices=get_args(Pace), help="natural speed (published), or resampled")
    parser.add_argument("--facing", choices=get_args(Facing), help="turned to the front in each frame (published)")
    parser.add_argument("--no-between-people", action="store_true", help="no attention between people")
    steps = "of the magnitude classes: a centimetre (published), or for each interval in the scale of the set"
    parser.add_argument("--magnitude-steps", choices=get_args(Steps), default="centimetres", help=steps)
    parser.add_argument("--yaw", type=float, default=0.0, metavar="DEG", help="3D clips are turned by up to so much")
    parser.add_argument("--axes", type=int, choices=(1, 3), default=1, help="of the world that 3D clips are seen along")


def _recipe(options: argparse.Namespace) -> Recipe:
    changed: dict[str, Any] = {"steps": options.magnitude_steps, "yaw_deg": options.yaw, "axes": options.axes}
    changed |= {name: getattr(options, name) for name in ("pace", "facing") if getattr(options, name) is not None}
    if options.no_between_people:
        changed["between_people"] = False
    return recipe_from(options).changed(**changed)


def run(options: argparse.Namespace) -> None:
    """Pretrain, evaluate, draw or time."""
    parts: dict[str, Callable[[argparse.Namespace], None]] = {
        "run": _run,
        "evaluate": _evaluate,
        "ablations": _ablations,
        "without-network": _without_network,
        "figures": _figures,
        "speed": _speed,
    }
    parts[options.pretrain](options)


def _load_task(options: argparse.Namespace, recipe: Recipe) -> tuple[Task, MotionClips, int]:
    task = task_of(options.task)
    size_of(options.size)
    frames = task.frames if options.frames is None else options.frames
    if frames < 2:
        raise ResearchError(f"--frames {frames} is too few; give at least 2")
    return task, task.load(options.data, recipe.facing), frames


def _run(options: argparse.Namespace) -> None:
    recipe = _recipe(options)
    task, clips, frames = _load_task(options, recipe)
    rows, eval_rows = task.split(clips, options.part)
    job = PretrainingJob(task.name, options.size, recipe, frames, options.seed, options.part)
    curve = _curve(options, clips, rows, eval_rows, recipe)
    done = pretrain(clips, rows, job, options.out, hardware_of(options), curve)
    say(options.out, f"{len(rows)} clips", done)


def _curve(
    options: argparse.Namespace, clips: MotionClips, train_rows: Rows, eval_rows: Rows, recipe: Recipe
) -> list[Curve]:
    if options.evaluate_every is None:
        return []
    if options.part != "validation":
        raise ResearchError("--evaluate-every goes with --part validation alone")
    return [Curve(clips, train_rows, eval_rows, recipe, options.seed, options.evaluate_every, options.out)]


def _evaluate(options: argparse.Namespace) -> None:
    found: dict[str, list[float]] = {}
    for folder in options.runs:
        done = load_pretrained(folder)
        task = _task_of_run(options, folder, done.job["job"]["task"])
        clips = task.load(options.data, done.job["job"]["recipe"]["facing"])
        split = task.split(clips, done.job["job"]["part"])
        for protocol in _protocols(options, len(clips.joints) - 1):
            name, result = evaluate_protocol(folder, done, clips, split, hardware_of(options), protocol, task.name)
            found.setdefault(name, []).append(100 * result.accuracy)
            if result.best_right is not None:
                best = f"{name}, best epoch on the evaluation clips (as published figures are counted, no result)"
                found.setdefault(best, []).append(100 * result.best_right / result.of)
    if is_first_process():
        for name, values in found.items():
            spread = f" (deviation {statistics.stdev(values):.1f})" if len(values) > 1 else ""
            sys.stdout.write(f"{name}: {statistics.mean(values):.1f}%{spread} over {len(values)} run(s)\n")


def _task_of_run(options: argparse.Namespace, folder: Path, name: str) -> Task:
    if options.task is None:
        return task_of(name)
    task = task_of(options.task)
    if name not in (task.name, task.evaluates_runs_of):
        raise ResearchError(f"{folder} was pretrained on {name}; --task {options.task} is not that")
    return task


def _protocols(options: argparse.Namespace, joints: int) -> list[EvaluationProtocol]:
    """Those that are asked for. joints: that can be corrupted."""
    changed = {key: getattr(options, key) for key in ("epochs", "batch") if getattr(options, key) is not None}
    whole, recipe = LinearSettings(epochs=options.linear_epochs), FINE_TUNING.changed(**changed)
    if too_many := [lost for lost in options.corrupted if lost > joints]:
        raise ResearchError(f"--corrupted {too_many[0]} is not between 1 and {joints}, the joints of a clip")
    corrupted = [replace(whole, corrupted=lost) for lost in options.corrupted]
    return [
        *(EvaluationProtocol(share, options.scratch, recipe, whole) for share in _shares(options)),
        *(EvaluationProtocol(None, options.scratch, recipe, linear) for linear in corrupted),
    ]


def _shares(options: argparse.Namespace) -> list[float | None]:
    """Of the labels; None stands for the linear evaluation."""
    shares = [share for share in options.shares if SEMI in options.protocols]
    for share in shares:
        if share > 1:
            raise ResearchError(f"--shares {share:g} is not a share of the labels; give a number above 0, up to 1")
    return ([None] if LINEAR in options.protocols else []) + shares


def _ablations(options: argparse.Namespace) -> None:
    recipe = _recipe(options)
    task, clips, frames = _load_task(options, recipe)
    split = task.split(clips, options.part)
    jobs = [PretrainingJob(task.name, options.size, recipe, frames, seed, options.part) for seed in options.seeds]
    found = [ablations.measure(clips, split, job, options.only, options.out, hardware_of(options)) for job in jobs]
    if is_first_process():
        sys.stdout.write(ablations.table(found))


def _without_network(options: argparse.Namespace) -> None:
    recipe = _recipe(options)
    task, clips, frames = _load_task(options, recipe)
    found = without_network.measure(clips, *task.split(clips, options.part), frames, recipe)
    for name, result in found.items():
        sys.stdout.write(f"{name}: {100 * result.accuracy:.1f}% of {result.of} clips\n")


def _figures(options: argparse.Namespace) -> None:
    done = load_pretrained(options.run)
    job = done.job["job"]
    task = _task_of_run(options, options.run, job["task"])
    clips = task.load(options.data, job["recipe"]["facing"])
    rows, _ = task.split(clips, job["part"])
    written: Sequence[Path] = figures.draw(done.network.backbone, clips, rows, job["recipe"]["pace"], options.out)
    sys.stdout.write("".join(f"{path}\n" for path in written))


def _speed(options: argparse.Namespace) -> None:
    recipe = _recipe(options)
    task, clips, frames = _load_task(options, recipe)
    rows, _ = task.split(clips, "test")
    found = speed.measure(clips, rows, recipe, frames, options.size, options.steps, options.device)
    sys.stdout.write(
        f"{found.packed:.1f} clips a second on real frames alone, {found.full_width:.1f} filled up to {frames} frames: "
        f"{found.gain:.2f} times as many; {100 * found.real:.0f}% of the frames are real\n"
    )
