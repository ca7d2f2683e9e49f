"""The command dropped-frames: accuracy of AcT on clips with missing frames (its Fig. 8).

The remaining poses keep their positional embedding, and their features, which are computed on the whole clip.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.metrics import recall_score

from recognizer.features import clip_features
from recognizer.training.everyday import ACTIONS
from recognizer.training.explain import figures
from recognizer.training.models.act import Act
from recognizer.training.run_folder import RunError, load_run
from research.explain.deletion_command import add_sample, line_figure
from research.explain.samples import Sample, sample

DROP_PLACES = ("start", "end", "random")  # where frames are dropped: as printed, or anywhere
DROPPED = (0, 3, 6, 9, 12, 15, 18, 21, 24, 26, 28, 29)
_DRAWS = 5  # of the frames that are dropped at random


def add_dropped_frames(parser: argparse.ArgumentParser) -> None:
    """Arguments of dropped-frames."""
    parser.add_argument("--run", type=Path, nargs="+", required=True, metavar="DIR", help="run folders of AcT networks")
    add_sample(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the figure")


def run_dropped_frames(options: argparse.Namespace) -> None:
    """Accuracy and balanced accuracy against frames that are dropped from the start, from the end, or at random."""
    networks = [load_run(folder).network for folder in options.run]
    if not all(isinstance(network, Act) for network in networks):
        raise RunError("--run must name runs of AcT networks: only they take clips of fewer frames")
    drawn = sample(options.data, tuple(options.sets), options.split, options.clips, options.seed)
    tables = {place: dropped_frames(networks, drawn, options.seed, place) for place in DROP_PLACES}
    options.out.mkdir(parents=True, exist_ok=True)
    title = f"AcT, mean of {len(networks)} networks, {len(drawn.clips)} clips, {options.split} split"
    shown = {
        f"dropped {'at random' if place == 'random' else f'from the {place}'}": (
            list(table),
            [balanced for _, balanced in table.values()],
        )
        for place, table in tables.items()
    }
    figures.save(
        {"dropped_frames": line_figure(shown, title, "frames dropped of 30", "balanced accuracy")}, options.out
    )
    sys.stdout.write(f"{drawn.description}\n")
    for place, table in tables.items():
        sys.stdout.writelines(
            f"{place}: {dropped:2d} dropped: accuracy {accuracy:.3f}, balanced {balanced:.3f}\n"
            for dropped, (accuracy, balanced) in table.items()
        )


def dropped_frames(
    networks: Sequence[Any], drawn: Sample, seed: int, place: str = "random"
) -> dict[int, tuple[float, float]]:
    """Accuracy and balanced accuracy by the number of frames dropped, of DROPPED. place: one of DROP_PLACES; at random,
    frames are drawn anew for every clip of a batch of all clips."""
    clips = drawn.clips
    features = clip_features(
        np.stack([clip.xy_px for clip in clips]), np.stack([clip.confidence for clip in clips]), clips[0].fps
    )
    whole = torch.from_numpy(features)
    rng, found = np.random.default_rng(seed), {}
    for dropped in DROPPED:
        draws = _DRAWS if dropped and place == "random" else 1
        predictions = [
            _predicted_actions(networks, whole, kept_frames(whole.shape[1], dropped, place, rng)) for _ in range(draws)
        ]
        accuracy = np.mean([(predicted == drawn.actions).mean() for predicted in predictions])
        shown = np.unique(drawn.actions)
        balanced = np.mean(
            [recall_score(drawn.actions, predicted, labels=shown, average="macro") for predicted in predictions]
        )
        found[dropped] = float(accuracy), float(balanced)
    return found


def kept_frames(frames: int, dropped: int, place: str, rng: np.random.Generator) -> list[int]:
    """Indices of the frames that remain of `frames`."""
    if place == "start":
        return list(range(dropped, frames))
    if place == "end":
        return list(range(frames - dropped))
    kept: list[int] = np.sort(rng.permutation(frames)[dropped:]).tolist()
    return kept


def _predicted_actions(
    networks: Sequence[Any], whole: torch.Tensor, kept: list[int]
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """(N,) the likeliest action of clips (N, T, F) of which these frames are kept; all unlisted ones count as one."""
    with torch.inference_mode():
        mean = torch.stack([network(whole[:, kept], places=kept).softmax(dim=1) for network in networks]).mean(0)
    listed = len(ACTIONS) - 1
    together = torch.cat([mean[:, :listed], mean[:, listed:].sum(dim=1, keepdim=True)], dim=1)
    return together.argmax(dim=1).numpy()
