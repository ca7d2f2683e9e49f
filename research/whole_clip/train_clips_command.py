"""The command `train-clips`: one network, one task, one recipe."""

import argparse
import sys
from pathlib import Path

from pose.errors import ActionLensError
from recognizer.datasets.clip_files import KINDS
from recognizer.training import number_arguments
from recognizer.training.hardware import add_hardware, hardware_of
from recognizer.training.loop import is_first_process
from recognizer.training.models.registry import SETTINGS, WHOLE_CLIP, network_of
from research.benchmark.results import figures
from research.whole_clip.clip_training import FRAMES, WholeClipJob, probabilities, train
from research.whole_clip.presets import PRESETS, preset_of
from research.whole_clip.tasks import PARTS, TASKS, task_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command `train-clips`."""
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder that holds the data sets")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the run: weights, logs")
    parser.add_argument("--task", required=True, help=f"{', '.join(TASKS)}, or the path of {KINDS}")
    parser.add_argument("--network", default="act-micro", help=f"{', '.join(WHOLE_CLIP)}; {SETTINGS}")
    parser.add_argument("--preset", default="short-clips", help=", ".join(PRESETS))
    parser.add_argument("--seed", type=number_arguments.seed, default=0)
    parser.add_argument("--frames", type=int, default=FRAMES, help=f"of a clip (default {FRAMES})")
    parser.add_argument("--part", choices=PARTS, default="test", help="what the figures are of")
    parser.add_argument("--epochs", type=int, help="instead of the preset's")
    parser.add_argument("--batch", type=int, help="instead of the preset's, over all processes")
    add_hardware(parser)


def run(options: argparse.Namespace) -> None:
    """Train, or take the weights of a finished training, and say how well the network does."""
    preset = preset_of(options.preset)
    changed = {name: getattr(options, name) for name in ("epochs", "batch") if getattr(options, name) is not None}
    for name, value in changed.items():
        if value < 1:
            raise TrainClipsError(f"--{name} {value} is not a positive number")
    preset = preset.changed(**changed)
    network_of(options.network, WHOLE_CLIP)
    task = task_of(options.task)
    clips = task.load(options.data, options.part)
    job = WholeClipJob(task.name, options.network, preset.name, options.seed, options.frames, options.part)
    network, _ = train(clips, job, options.out, hardware_of(options), preset)
    if not is_first_process():
        return
    found = figures(
        probabilities(network, clips, clips.judge, preset, job.frames), clips.labels[clips.judge], clips.actions
    )
    sys.stdout.write(
        f"{options.out}: {100 * found['accuracy']:.1f}% of {found['of']} clips right, "
        f"{100 * found['balanced_accuracy']:.1f}% balanced\n"
    )


class TrainClipsError(ActionLensError):
    """An argument that makes no training."""
