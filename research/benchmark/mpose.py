"""The protocol of MPOSE2021 as AcT's paper and code have it.

3 splits; of each, 10 trainings, each with another tenth of the training clips, stratified, held out by a published
seed, and the weights of its best epoch on them; figures are mean and standard deviation of accuracy and balanced
accuracy on the split's test clips.
"""

import argparse
import shlex
import sys
from pathlib import Path

import numpy as np

from pose.number_arguments import count
from recognizer.datasets import mpose2021
from recognizer.training.hardware import hardware_of
from recognizer.training.loop import is_first_process
from recognizer.training.models.registry import WHOLE_CLIP, network_of
from research.benchmark import results
from research.benchmark.results import Result
from research.benchmark.run import evaluate, train_or_load
from research.whole_clip.clip_training import WholeClipJob
from research.whole_clip.presets import PRESETS, SETTINGS, Preset, preset_of
from research.whole_clip.tasks import TaskClips


def add_mpose_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `benchmark mpose`."""
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="the unpacked archive: DIR/openpose/1/X_train.npy"
    )
    parser.add_argument("--poses", choices=tuple(mpose2021.EXTRACTORS), default="openpose", help="pose extractor")
    parser.add_argument("--networks", nargs="+", default=["act-micro"], metavar="NETWORK", help=", ".join(WHOLE_CLIP))
    parser.add_argument("--preset", default="act-paper", help=f"{', '.join(PRESETS)}; {SETTINGS}")
    parser.add_argument("--splits", type=int, nargs="+", choices=mpose2021.SPLITS, default=list(mpose2021.SPLITS))
    parser.add_argument(
        "--folds", type=count, default=len(mpose2021.FOLD_SEEDS), help="the first so many of the 10 seeds"
    )


def run_mpose(options: argparse.Namespace) -> None:
    """All trainings without a result file, then mean and deviation of each network and split."""
    preset = preset_of(options.preset).changed(centre="first")  # each frame has its origin already
    for network in options.networks:
        network_of(network, WHOLE_CLIP)
    for split in options.splits:
        clips = load(options.data, options.poses, split)
        for network in options.networks:
            found = []
            for seed in mpose2021.FOLD_SEEDS[: options.folds]:
                job = WholeClipJob(f"mpose2021-{options.poses}-{split}", network, preset.name, seed, mpose2021.FRAMES)
                result = _fold(clips, job, options, preset)
                if result is not None:
                    found.append(result)
            if found:
                sys.stdout.write(summary(f"{options.poses} split {split} {network}", found))


def summary(title: str, found: list[Result]) -> str:
    """One line: accuracy and balanced accuracy, mean and standard deviation over the folds."""
    accuracy, balanced = (
        results.mean_and_deviation([100 * getattr(result, what) for result in found], digits=2)
        for what in ("accuracy", "balanced_accuracy")
    )
    return f"{title}: accuracy {accuracy}, balanced {balanced}, {len(found)} folds of {found[0].of} clips\n"


def load(folder: Path, poses: str, split: int) -> TaskClips:
    """A split's clips, positions only: the recipe computes velocities after augmentation, as the data set does."""
    arrays = mpose2021.read(folder, poses, split, velocities=False)
    x = np.concatenate([arrays.x_train, arrays.x_test])
    train_clips = len(arrays.x_train)
    return TaskClips(
        x=x[None],
        score=np.ones((1, *x.shape[:3]), dtype=np.float32),
        labels=np.concatenate([arrays.y_train, arrays.y_test]).astype(np.intp),
        actions=arrays.actions,
        layout=arrays.layout,
        train_rows=np.arange(train_clips),
        eval_rows=np.arange(train_clips, len(x)),
    )


def _fold(clips: TaskClips, job: WholeClipJob, options: argparse.Namespace, preset: Preset) -> Result | None:
    path = options.results / f"{job.name}.json"
    if not path.is_file():
        network, seconds = train_or_load(clips, job, options.runs, hardware_of(options), preset)
        if not is_first_process():
            return None
        results.write(evaluate(clips, job, preset, network, seconds, _command_of(job, options)), options.results)
    return results.read(path)


def _command_of(job: WholeClipJob, options: argparse.Namespace) -> str:
    """The command that reproduces the folds of this split, without folders, which differ between machines."""
    which = ["--poses", options.poses, "--splits", job.task.rpartition("-")[2], "--networks", job.network]
    which += ["--preset", job.preset]
    return f"python -m research benchmark mpose --data MPOSE2021 {shlex.join(which)}"
