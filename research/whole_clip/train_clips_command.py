"""The command `train-clips`: one network, one task, one recipe."""

import argparse
import sys
from pathlib import Path

from pose.number_arguments import count, seed
from recognizer.datasets.clip_files import KINDS
from recognizer.training.data_argument import add_data
from recognizer.training.hardware import add_hardware, hardware_of
from recognizer.training.loop import is_first_process
from recognizer.training.models.registry import SETTINGS, WHOLE_CLIP, network_of
from research.benchmark.results import metrics
from research.whole_clip.clip_training import FRAMES, WholeClipJob, probabilities, train
from research.whole_clip.presets import PRESETS, preset_of
from research.whole_clip.presets import SETTINGS as PRESET_SETTINGS
from research.whole_clip.tasks import PARTS, TASKS, task_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command `train-clips`."""
    add_data(parser, required=False)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the run: weights, logs")
    parser.add_argument("--task", required=True, help=f"{', '.join(TASKS)}, or the path of {KINDS}")
    parser.add_argument("--network", default="act-micro", help=f"{', '.join(WHOLE_CLIP)}; {SETTINGS}")
    parser.add_argument("--preset", default="short-clips", help=f"{', '.join(PRESETS)}; {PRESET_SETTINGS}")
    parser.add_argument("--seed", type=seed, default=0)
    parser.add_argument("--frames", type=count, default=FRAMES, help=f"of a clip (default {FRAMES})")
    parser.add_argument("--part", choices=PARTS, default="test", help="what the metrics are of")
    parser.add_argument("--epochs", type=count, help="the same as +epochs=N")
    parser.add_argument("--batch", type=count, help="over all processes, the same as +batch=N")
    add_hardware(parser)


def run(options: argparse.Namespace) -> None:
    """Train, or load the weights of a finished training, and print the accuracy."""
    changed = [f"+{name}={value}" for name in ("epochs", "batch") if (value := getattr(options, name)) is not None]
    preset = preset_of(options.preset + "".join(changed))
    network_of(options.network, WHOLE_CLIP)
    task = task_of(options.task)
    clips = task.load(options.data, options.part)
    job = WholeClipJob(task.name, options.network, preset.name, options.seed, options.frames, options.part)
    network, _ = train(clips, job, options.out, hardware_of(options), preset)
    if not is_first_process():
        return
    found = metrics(
        probabilities(network, clips, clips.eval_rows, preset, job.frames), clips.labels[clips.eval_rows], clips.actions
    )
    sys.stdout.write(
        f"{options.out}: {100 * found['accuracy']:.1f}% of {found['of']} clips right, "
        f"{100 * found['balanced_accuracy']:.1f}% balanced\n"
    )
