"""The paper's ablations that data of one person allow: its Tables 1, 2 and A."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from recognizer.training.loop import Hardware
from recognizer.training.pretrain.pretraining import PretrainingJob
from research.errors import ResearchError
from research.pretrain.evaluation import EvaluationProtocol, evaluate_protocol
from research.pretrain.motion import MotionClips, Rows
from research.pretrain.pretraining import pretrain

ABLATIONS: dict[str, dict[str, Any]] = {
    "whole": {},
    "interval-1": {"intervals": (1,)},
    "intervals-1-5": {"intervals": (1, 5)},
    "no-magnitude": {"magnitude": False},
    "no-global-translation": {"global_translation": False},
    "fixed-positions": {"positions": "fixed"},
    "trainable-positions": {"positions": "trainable"},
    "sampled": {"pace": "sampled"},
    "paper-reading": {"reading": "paper"},
}


def measure(
    clips: MotionClips,
    split: tuple[Rows, Rows],
    job: PretrainingJob,
    names: Sequence[str],
    folder: Path,
    hardware: Hardware,
) -> dict[str, float]:
    """Accuracy of the linear evaluation by ablation: each pretrains the job without one thing, in a folder
    NAME.seedN; what is done is left as it is."""
    unknown = [name for name in names if name not in ABLATIONS]
    if unknown:
        raise ResearchError(f"no ablation {unknown[0]!r}; choose among {', '.join(ABLATIONS)}")
    found = {}
    for name in names:
        changed = replace(job, recipe=job.recipe.changed(**ABLATIONS[name]))
        run = folder / f"{name}.seed{job.seed}"
        done = pretrain(clips, split[0], changed, run, hardware)
        found[name] = evaluate_protocol(run, done, clips, split, hardware, EvaluationProtocol())[1].accuracy
    return found


def table(found: Sequence[Mapping[str, float]]) -> str:
    """Rows of ablations: the accuracy in %, mean and deviation over the seeds of `found`."""
    lines = ["| pretrained | linear | seeds |", "|---|---|---|"]
    for name in found[0]:
        values = [100 * each[name] for each in found]
        spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
        lines.append(f"| {name} | {statistics.mean(values):.1f}{spread} | {len(values)} |")
    return "\n".join(lines) + "\n"
