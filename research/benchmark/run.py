"""Trains networks on the benchmarks, evaluates them and writes a result file for each."""

import os
import platform
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn

from recognizer.training.loop import Hardware, is_first_process
from recognizer.training.models.registry import parameter_count
from research.benchmark import results
from research.benchmark.combined import combination_of
from research.benchmark.results import Result
from research.errors import ResearchError
from research.whole_clip.clip_training import WholeClipJob, probabilities, train
from research.whole_clip.presets import Preset
from research.whole_clip.tasks import Task, TaskClips


@dataclass(slots=True)
class BenchmarkRunner:
    """Trains networks by one recipe and writes their results."""

    data: Path | None
    preset: Preset
    frames: int
    part: str
    runs: Path
    results: Path
    hardware: Hardware
    _clips: dict[str, TaskClips] = field(default_factory=dict)

    def clips(self, task: Task) -> TaskClips:
        """The clips of a task, read once."""
        if task.name not in self._clips:
            self._clips[task.name] = task.load(self.data, self.part)
        return self._clips[task.name]

    def job(self, task: Task, network: str, seed: int) -> WholeClipJob:
        """A training by this recipe."""
        return WholeClipJob(task.name, network, self.preset.name, seed, self.frames, self.part)

    def measure(self, task: Task, network: str, seed: int) -> None:
        """Write one result, unless its file exists."""
        job = self.job(task, network, seed)
        path = self.results / f"{job.name}.json"
        if path.is_file():
            if results.read(path).clips != task.digest:
                raise ResearchError(f"{path} is of other clips of that name; give another --results, or remove it")
            sys.stdout.write(f"{path}: already there\n")
            return
        clips = self.clips(task)
        module, seconds = train_or_load(clips, job, self.runs, self.hardware, self.preset)
        if not is_first_process():
            return
        result = evaluate(clips, job, self.preset, module, seconds, command_of(job))
        results.write(result, self.results)
        sys.stdout.write(f"{path}: {100 * result.accuracy:.1f}% of {result.of}, {result.seconds:.0f} s\n")
        sys.stdout.flush()


def train_or_load(
    clips: TaskClips, job: WholeClipJob, runs: Path, hardware: Hardware, preset: Preset
) -> tuple[nn.Module, float]:
    """The network of a job and the seconds of its training, loaded from its folder below `runs` where it is finished.

    A combination is built of networks that are jobs of their own.
    """
    if combination := combination_of(job):
        parts = [train_or_load(clips, part, runs, hardware, preset) for part in combination.jobs]
        return combination.combine([network for network, _ in parts]).eval(), sum(seconds for _, seconds in parts)
    return train(clips, job, runs / job.name, hardware, preset)


def command_of(job: WholeClipJob) -> str:
    """The command that reproduces this result, without folders, which differ between machines."""
    usual = WholeClipJob("", "")
    which = ["--tasks", job.task, "--networks", job.network, "--preset", job.preset, "--seeds", str(job.seed)]
    which += ["--frames", str(job.frames)] if job.frames != usual.frames else []
    which += ["--part", job.part] if job.part != usual.part else []
    return f"python -m research benchmark run --data DATA {shlex.join(which)}"


def evaluate(
    clips: TaskClips, job: WholeClipJob, preset: Preset, network: nn.Module, seconds: float, command: str
) -> Result:
    """The result of a trained network on the evaluation clips. command: reproduces it."""
    found = probabilities(network, clips, clips.eval_rows, preset, job.frames)
    return Result(
        command=command,
        task=job.task,
        part=job.part,
        network=job.network,
        preset=preset.name,
        seed=job.seed,
        frames=job.frames,
        learned=len(clips.train_rows),
        **results.metrics(found, clips.labels[clips.eval_rows], clips.actions),
        parameters=parameter_count(network),
        epochs=preset.epochs,
        seconds=round(seconds, 3),
        commit=results.commit(),
        clips=clips.digest,
        machine=f"{platform.machine()}, {os.cpu_count()} processors, {_device()}, torch {torch.__version__}",
    )


def _device() -> str:
    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no GPU"
