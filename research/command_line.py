"""python -m research COMMAND: what the papers measure, and what the project measures of itself."""

from collections.abc import Sequence

from recognizer.training.command_line import Commands, run_command
from research import estimator_errors, unseen_kinds
from research.benchmark import benchmark_command as benchmark
from research.explain import deletion_command as explaining
from research.explain import dropped_frames
from research.generate import generator_command as generation
from research.official import import_command as official
from research.pretrain import pretrain_command as pretraining
from research.streaming import command as streaming
from research.teaching import few_shot_command as few_shot
from research.teaching import label_efficiency, taught_alarms
from research.whole_clip import train_clips_command as whole_clip

# What a command does, its arguments, and the command itself.
COMMANDS: Commands = {
    "train-clips": (
        "train a network on the whole clips of a data set's published split",
        whole_clip.add_arguments,
        whole_clip.run,
    ),
    "benchmark": ("train and test on the published splits of data sets", benchmark.add_arguments, benchmark.run),
    "import-official": (
        "make weights/NAME of a checkpoint of the official codes",
        official.add_arguments,
        official.run,
    ),
    "pretrain": (
        "pretrain GL-Transformer on a data set without labels, and say what that is worth with few",
        pretraining.add_arguments,
        pretraining.run,
    ),
    "label-efficiency": (
        "measure what labels are worth: networks pretrained without them, with other labels, and from scratch",
        label_efficiency.add_label_efficiency,
        label_efficiency.run_label_efficiency,
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
    "unseen-kinds": (
        "measure alarms on kinds of motion that a network was not trained on, against the same kinds with training",
        unseen_kinds.add_arguments,
        unseen_kinds.run,
    ),
    "estimator-errors": (
        "measure what the pose estimator does to motion, by joint: noise, joints that are hidden, swapped sides",
        estimator_errors.add_arguments,
        estimator_errors.run,
    ),
    "generator": (
        "measure, draw and time generators of clips, and teach with them",
        generation.add_arguments,
        generation.run,
    ),
    "deletion": (
        "measure how faithful explanations are, by hiding what they name",
        explaining.add_deletion,
        explaining.run_deletion,
    ),
    "streaming": (
        "cost and stream benchmark of recognizers that compute one step for an answer",
        streaming.add_arguments,
        streaming.run,
    ),
    "dropped-frames": (
        "accuracy of AcT against frames that are dropped from the start, from the end, and at random",
        dropped_frames.add_dropped_frames,
        dropped_frames.run_dropped_frames,
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """See recognizer.training.command_line.run_command."""
    return run_command("research", __doc__ or "", COMMANDS, arguments)
