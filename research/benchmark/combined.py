"""Networks made of several that are trained one by one, by name.

A fusion of FUSIONS adds logits. NAME-xM is the mean of M trainings of NAME (AcT's Tables III and IV). NAME@W,NAME@W,...
is the weighted mean of several networks. NAME may have settings, see registry.network_of.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from torch import nn

from recognizer.training.models.ensemble import Ensemble, LogitSum, WeightedMean
from recognizer.training.models.registry import FUSIONS, WHOLE_CLIP, NetworkError, network_of
from research.whole_clip.clip_training import WholeClipJob


@dataclass(frozen=True, slots=True)
class Combination:
    """jobs: the trainings whose networks are combined. combine: builds one network of these, in that order."""

    jobs: tuple[WholeClipJob, ...]
    combine: Callable[[Sequence[nn.Module]], nn.Module]


def combination_of(job: WholeClipJob) -> Combination | None:
    """What the job's network is made of; None where it is one network. NetworkError.

    The M members of the ensemble of seed s have the seeds s M to s M + M - 1, so ensembles share none.
    """
    if "," in job.network:
        weights = _weights(job.network)
        jobs = tuple(replace(job, network=name) for name in weights)
        return Combination(jobs, lambda networks: WeightedMean(networks, tuple(weights.values())))
    if members := re.fullmatch(r"(.+)-x(\d+)", job.network):
        name, count = members[1], int(members[2])
        if count < 2:
            raise NetworkError(f"{job.network} is not an ensemble; give 2 members or more")
        seeds = range(job.seed * count, (job.seed + 1) * count)
        return Combination(tuple(replace(job, network=name, seed=seed) for seed in seeds), Ensemble)
    base, *settings = job.network.split("+")
    if base in FUSIONS:
        return Combination(tuple(replace(job, network="+".join([part, *settings])) for part in FUSIONS[base]), LogitSum)
    return None


def check_known(network: str) -> None:
    """NetworkError where the name, or one of those that it is made of, is none of a network on whole clips."""
    combination = combination_of(WholeClipJob("", network))
    if combination is None:
        network_of(network, WHOLE_CLIP)
        return
    for job in combination.jobs:
        check_known(job.network)


def base_names(network: str) -> set[str]:
    """The names without settings of all networks that this one is made of."""
    combination = combination_of(WholeClipJob("", network))
    if combination is None:
        return {network.split("+")[0]}
    return set().union(*(base_names(job.network) for job in combination.jobs))


def weighted_name(weights: dict[str, float]) -> str:
    """NAME@W,NAME@W,... of networks and their weights. Weights of 0 are left out; a single network is just its name."""
    kept = {name: weight for name, weight in weights.items() if weight > 0}
    return ",".join(kept) if len(kept) == 1 else ",".join(f"{name}@{weight:.2f}" for name, weight in kept.items())


def _weights(network: str) -> dict[str, float]:
    found = {}
    for part in network.split(","):
        name, _, weight = part.rpartition("@")
        try:
            found[name] = float(weight)
        except ValueError:
            found[name] = math.nan
        if not name or not 0 < found[name] < math.inf:
            # Without the sign: behind one, a line of an error hides what could be an address.
            raise NetworkError(f"{weight!r} is not a weight above 0; name each network with its own, as --help shows")
    return found
