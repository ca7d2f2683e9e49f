"""`label-efficiency`: accuracy against the share of labels, of networks pretrained without labels, trained on other
actions, and trained from scratch, on the actions of one data set at a time."""

import argparse
import copy
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pose import number_arguments
from recognizer.datasets import jhmdb, penn_action, utd_mhad
from recognizer.teaching.head import Head, HeadSettings, fit_head
from recognizer.training.augment import Array, Augmentation
from recognizer.training.data_argument import add_data
from recognizer.training.dataset_sequences import action_sequences
from recognizer.training.evaluate import windows_of
from recognizer.training.everyday import Corpus, merge, read_all
from recognizer.training.loop import Batch, Hardware, StepData, Training, fit
from recognizer.training.models.gl_features import GlFeatures
from recognizer.training.models.gl_transformer import GlTransformer
from recognizer.training.models.registry import NetworkSpec
from recognizer.training.pretrain.everyday import load_everyday, random_windows
from recognizer.training.pretrain.pretraining import WEIGHTS_FILE
from recognizer.training.run_folder import NETWORK_FILE, load_run
from research.errors import ResearchError
from research.metrics_file import read_metrics, write_metrics
from research.pretrain.motion import Rows
from research.pretrain.tasks import labelled_subset
from research.teaching.few_shot_embedding import STEPS, demand_steps, train_base

SETS = {dataset.name: dataset for dataset in (utd_mhad.DATASET, penn_action.DATASET, jhmdb.DATASET)}
SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
METHODS = {
    "pretrained": "a linear layer on GL-Transformer, pretrained without labels",
    "random": "a linear layer on the same network with random weights",
    "supervised": "a linear layer on the AcT that was trained with labels, on the other sets",
    "fine-tuned": "the whole GL-Transformer from the pretrained weights on",
    "unpretrained": "the same training of the whole from random weights on",
    "scratch": "AcT-micro from scratch",
}
_AT_ONCE = 128
_HERE = Hardware(accelerator="cpu", precision="32-true", logs=False)


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """Training of whole networks: steps of `batch` windows, actions drawn equally often, one-cycle learning rate.
    scratch_rate: of AcT, as in Full teaching; tuned_rate: of GL-Transformer, as in its fine-tuning. strength: of heads,
    as in HeadSettings."""

    steps: int = 300
    batch: int = 64
    scratch_rate: float = 1e-3
    tuned_rate: float = 2e-4
    strength: float = 0.001  # that of Quick teaching


@dataclass(frozen=True, slots=True, eq=False)
class DatasetClips:
    """A data set and its published split (JHMDB: the first). actions: names; labels: (R,) indices into them.
    train_rows, test_rows: rows of the split."""

    corpus: Corpus
    actions: tuple[str, ...]
    labels: NDArray[np.intp]
    train_rows: Rows
    test_rows: Rows


@dataclass(frozen=True, slots=True)
class Point:
    """right of `of` test clips are correct with the labels of `labelled` training clips. fit: the settings of the
    training, and what it started from."""

    set: str
    method: str
    share: float
    seed: int
    labelled: int
    right: int
    of: int
    fit: dict[str, Any]


def load(dataset: str, data: Path) -> DatasetClips:
    """One of SETS below `data`. Raises DataError."""
    corpus = merge(action_sequences(SETS[dataset].read(data / dataset)))
    test = corpus.part == "test"
    return DatasetClips(corpus, corpus.kinds, corpus.kind, np.flatnonzero(~test), np.flatnonzero(test))


class Measurer:
    """Measures methods on one data set; windows are embedded once."""

    def __init__(
        self, clips: DatasetClips, backbone: GlTransformer | None, supervised: nn.Module | None, how: TrainSettings
    ) -> None:
        self.clips, self.backbone, self.supervised, self.how = clips, backbone, supervised, how
        self._windows = windows_of(clips.corpus, np.arange(len(clips.corpus)))
        self._embedded: dict[str, Array] = {}

    def count_correct(self, method: str, rows: Rows, seed: int) -> int:
        """How many test clips a method classifies correctly with the labels of these rows."""
        if method in ("pretrained", "random", "supervised"):
            return self._linear(self._embedding(method, seed), rows)
        torch.manual_seed(seed)
        outputs = len(self.clips.actions)
        if method == "scratch":
            network, rate = NetworkSpec("act-micro", outputs, {"dropout": 0.1}).build(), self.how.scratch_rate
        else:
            start = GlTransformer(self._gl().config) if method == "unpretrained" else copy.deepcopy(self._gl())
            network, rate = GlFeatures(start, outputs), self.how.tuned_rate
        trained = fit_windows(network, self.clips, rows, self.how, rate, seed)
        here = self._window_rows(self.clips.test_rows)
        logits = _in_batches(trained, self._windows.features[here])
        return self._count(np.exp(logits - logits.max(axis=1, keepdims=True)), here)

    def _linear(self, embedding: Array, rows: Rows) -> int:
        """Correct test clips of a linear head on embeddings (W, D); every labelled clip has equal weight."""
        here, owner = self._window_rows(rows), self._windows.recording
        weight = (1 / np.bincount(owner)[owner[here]]).astype(np.float32)
        settings = HeadSettings(strength=self.how.strength)
        head: Head = fit_head(
            embedding[here], self.clips.labels[owner[here]], len(self.clips.actions), settings, weight
        )
        test_windows = self._window_rows(self.clips.test_rows)
        return self._count(head.probabilities(embedding[test_windows])[:, :-1], test_windows)

    def _count(self, scores: Array, windows: NDArray[np.intp]) -> int:
        """Test clips whose own action has the largest probability, averaged over their windows."""
        probabilities = scores / scores.sum(axis=1, keepdims=True)
        total = np.zeros((len(self.clips.corpus), probabilities.shape[1]))
        np.add.at(total, self._windows.recording[windows], probabilities)
        test_rows = self.clips.test_rows
        return int((total[test_rows].argmax(axis=1) == self.clips.labels[test_rows]).sum())

    def _window_rows(self, rows: Rows) -> NDArray[np.intp]:
        return np.flatnonzero(np.isin(self._windows.recording, rows))

    def _embedding(self, method: str, seed: int) -> Array:
        """(W, D) of all windows."""
        name = method if method != "random" else f"random {seed}"
        if name not in self._embedded:
            self._embedded[name] = _in_batches(self._embedder(method, seed), self._windows.features)
        return self._embedded[name]

    def _embedder(self, method: str, seed: int) -> Callable[[torch.Tensor], torch.Tensor]:
        if method == "supervised":
            act = self.supervised
            assert act is not None
            return lambda features: act.inside(features).embedding  # type: ignore[operator]
        backbone = self._gl()
        if method == "random":
            torch.manual_seed(seed)
            backbone = GlTransformer(backbone.config)
        return GlFeatures(backbone, 1).eval().embedding

    def _gl(self) -> GlTransformer:
        if self.backbone is None:
            raise ResearchError("GL-Transformer needs --run with a pretraining of --task everyday")
        return self.backbone


class _Windows:
    """Random windows of labelled clips, every action equally often. They are not mirrored: some actions differ only in
    their side."""

    def __init__(self, clips: DatasetClips, rows: Rows, how: TrainSettings, seed: int) -> None:
        self.clips, self.how, self.seed, self.steps_per_epoch = clips, how, seed, how.steps
        self._by_action = [rows[clips.labels[rows] == action] for action in np.unique(clips.labels[rows])]

    def batch(self, step: int, mine: slice = slice(None)) -> Batch:
        """Features (B, 30, F) and labels (B,)."""
        rng = np.random.default_rng([self.seed, step])
        actions = rng.integers(0, len(self._by_action), self.how.batch)
        drawn = np.array([rng.choice(self._by_action[each]) for each in actions])
        features = random_windows(self.clips.corpus, drawn, rng, Augmentation(), stretch=0.25, mirror=False)
        return torch.from_numpy(features[mine]), torch.from_numpy(self.clips.labels[drawn[mine]])


class _WindowTraining(Training):
    """Training on the actions of windows with a one-cycle learning rate."""

    def __init__(self, network: nn.Module, learning_rate: float, steps: int, seed: int) -> None:
        super().__init__(network, seed)
        self.learning_rate, self.steps = learning_rate, steps

    def losses(self, batch: Batch) -> dict[str, torch.Tensor]:
        """Cross entropy with label smoothing."""
        features, labels = batch
        return {"loss": nn.functional.cross_entropy(self.network(features), labels, label_smoothing=0.1)}

    def configure_optimizers(self) -> Any:
        rate = self.learning_rate
        optimizer = torch.optim.AdamW(self.network.parameters(), rate, weight_decay=0.05, betas=(0.9, 0.99))
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=self.steps, pct_start=0.1)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def fit_windows(
    network: nn.Module, clips: DatasetClips, rows: Rows, how: TrainSettings, learning_rate: float, seed: int
) -> nn.Module:
    """The network, trained on random windows of the rows, in eval mode."""
    training = _WindowTraining(network, learning_rate, how.steps, seed)
    fit(training, StepData(_Windows(clips, rows, how, seed), how.steps), None, _HERE, clip_norm=1.0)
    return network.eval()


def _in_batches(network: Callable[[torch.Tensor], torch.Tensor], features: Array) -> Array:
    with torch.inference_mode():
        parts = [
            network(torch.from_numpy(features[i : i + _AT_ONCE])).numpy() for i in range(0, len(features), _AT_ONCE)
        ]
    return np.concatenate(parts)


def add_label_efficiency(parser: argparse.ArgumentParser) -> None:
    """Arguments of `label-efficiency`."""
    add_data(parser)
    parser.add_argument("--run", type=Path, metavar="DIR", help="a finished `pretrain run --task everyday`")
    runs = "an AcT for each set, trained on the others alone; made where there is none"
    parser.add_argument("--supervised", type=Path, default=Path("runs/label_efficiency"), metavar="DIR", help=runs)
    parser.add_argument(
        "--supervised-steps", type=number_arguments.count, default=STEPS, help="of the training of such an AcT"
    )
    parser.add_argument("--sets", nargs="+", choices=tuple(SETS), default=list(SETS), metavar="SET")
    methods = "; ".join(f"{name}: {what}" for name, what in METHODS.items())
    parser.add_argument("--methods", nargs="+", choices=tuple(METHODS), default=list(METHODS), help=methods)
    parser.add_argument(
        "--shares", type=number_arguments.positive, nargs="+", default=list(SHARES), help="of the labels"
    )
    parser.add_argument("--seeds", type=number_arguments.seed, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--steps", type=number_arguments.count, default=TrainSettings().steps, help="of the training of whole networks"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/label_efficiency.json"), metavar="FILE")


def run_label_efficiency(options: argparse.Namespace) -> None:
    """Measure what is not in the file of metrics yet, then write all as a table."""
    how = TrainSettings(steps=options.steps)
    for share in options.shares:
        if share > 1:
            raise ResearchError(f"--shares {share:g} is not a share of the labels; give a number above 0, up to 1")
    backbone = load_everyday(options.run).network.backbone if options.run else None
    for dataset in options.sets:
        clips = load(dataset, options.data)
        act = _supervised(options, dataset) if "supervised" in options.methods else None
        measurer = Measurer(clips, backbone, act, how)
        for method in options.methods:
            for share in options.shares:
                seed_independent = share == 1 and method in ("pretrained", "supervised")
                for seed in options.seeds[:1] if seed_independent else options.seeds:
                    _point(measurer, dataset, method, share, seed, options)
    sys.stdout.write(table(_points(options.out)))


def _supervised(options: argparse.Namespace, dataset: str) -> nn.Module:
    """The AcT that never saw the set, trained if it does not exist."""
    folder: Path = options.supervised / dataset
    if (folder / NETWORK_FILE).is_file():
        demand_steps(folder, options.supervised_steps)
    else:
        sys.stderr.write(f"{dataset}: training AcT on the other sets, into {folder}\n")
        train_base(read_all(options.data), dataset, folder, steps=options.supervised_steps)
    return load_run(folder).network


def _point(measurer: Measurer, dataset: str, method: str, share: float, seed: int, options: argparse.Namespace) -> None:
    points, clips, how = _points(options.out), measurer.clips, asdict(measurer.how) | _start(method, options)
    key = (dataset, method, share, seed, how)
    if any((each.set, each.method, each.share, each.seed, each.fit) == key for each in points):
        return
    rows = labelled_subset(clips.train_rows, clips.labels, share, seed)
    right = measurer.count_correct(method, rows, seed)
    point = Point(dataset, method, share, seed, len(rows), right, len(clips.test_rows), how)
    write_metrics(options.out, [asdict(each) for each in [*points, point]])
    sys.stderr.write(f"{dataset} {method} {share:.0%} of seed {seed}: {right} of {point.of}\n")


def _start(method: str, options: argparse.Namespace) -> dict[str, Any]:
    """What a method's network starts from, beside its seed."""
    if method == "supervised":
        return {"embedding_steps": options.supervised_steps}
    if method in ("pretrained", "fine-tuned") and options.run is not None:
        return {"pretraining": sha256((options.run / WEIGHTS_FILE).read_bytes()).hexdigest()[:12]}
    return {}


def _points(file: Path) -> list[Point]:
    try:
        return [Point(**each) for each in read_metrics(file, [])]
    except TypeError as error:
        raise ResearchError(f"{file} holds no metrics of label-efficiency; give another --out") from error


def table(points: Sequence[Point]) -> str:
    """Rows of sets and methods, columns of shares: the mean accuracy in %, and its deviation over seeds. A method that
    was measured with several settings has a row for each."""
    shares = sorted({each.share for each in points})
    lines = ["| set (test clips) | method |" + "".join(f" {100 * share:g}% |" for share in shares)]
    lines.append("|---|---|" + "---|" * len(shares))
    for name, of in sorted({(each.set, each.of) for each in points}):
        for method in METHODS:
            mine = [each for each in points if each.set == name and each.method == method]
            settings = list({json.dumps(each.fit): each.fit for each in mine}.values())
            for how in settings:
                cells = [_cell([each for each in mine if each.share == share and each.fit == how]) for share in shares]
                lines.append(f"| {name} ({of}) | {method}{_differing_settings(how, settings)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _differing_settings(how: dict[str, Any], others: Sequence[dict[str, Any]]) -> str:
    """The settings in which one training differs from others, for the name of its row."""
    return "".join(f", {key}={how[key]}" for key in how if any(other.get(key) != how[key] for other in others))


def _cell(points: Sequence[Point]) -> str:
    if not points:
        return ""
    values: Any = np.array([100 * each.right / each.of for each in points])
    return f"{values.mean():.1f} ± {values.std(ddof=1):.1f}" if len(values) > 1 else f"{values[0]:.1f}"
