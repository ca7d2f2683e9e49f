"""Two networks' probabilities as one weighted mean, its weights chosen on the validation part of the training clips."""

from collections.abc import Sequence

import numpy as np

from research.benchmark.combined import weighted_name
from research.benchmark.run import BenchmarkRunner, train_or_load
from research.whole_clip.clip_training import probabilities
from research.whole_clip.tasks import Rows, Task
from research.whole_clip.transforms import Array

STEPS = 20  # of the first network's weight, from 0 to 1


def choose_weights(bench: BenchmarkRunner, task: Task, networks: tuple[str, str], seeds: Sequence[int]) -> str:
    """A line with the accuracy of each weight over all seeds, and the name of the best mean for `benchmark run`."""
    clips = bench.clips(task)
    labels, right = clips.labels[clips.eval_rows], np.zeros(STEPS + 1, dtype=np.intp)
    for seed in seeds:
        found = []
        for network in networks:
            module, _ = train_or_load(clips, bench.job(task, network, seed), bench.runs, bench.hardware, bench.preset)
            found.append(probabilities(module, clips, clips.eval_rows, bench.preset, bench.frames))
        right += correct_by_weight(found[0], found[1], labels)
    shares = np.arange(STEPS + 1) / STEPS
    lines = [
        f"{task.name}: {networks[0]} {share:.2f}, {networks[1]} {1 - share:.2f}: "
        f"{100 * count / (len(seeds) * len(labels)):.1f}% of {len(labels)} validation clips, {len(seeds)} seeds"
        for share, count in zip(shares, right, strict=True)
    ]
    best = shares[best_weight(right)]
    lines.append(f"{task.name}: best is {weighted_name({networks[0]: best, networks[1]: 1 - best})}")
    return "\n".join(lines) + "\n"


def correct_by_weight(first: Array, second: Array, labels: Rows) -> Rows:
    """(STEPS + 1,) correct clips of the weighted mean of two networks' probabilities (N, A), by weight of the first."""
    shares = np.arange(STEPS + 1)[:, None, None] / STEPS
    right: Rows = ((shares * first + (1 - shares) * second).argmax(axis=2) == labels).sum(axis=1)
    return right


def best_weight(right: Rows) -> int:
    """Index of the weight with the most correct clips; of ties, the one nearest to equal weights."""
    best = np.flatnonzero(right == right.max())
    return int(best[np.argmin(np.abs(best - STEPS / 2))])
