"""How good generated clips are, against held-out real ones that the training has not seen.

The same metrics of real clips (a sample of the training clips in place of generated ones) show what a perfect generator
would reach. A generator that copies training clips reaches it, too: see the distances to the nearest training clip.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from statistics import mean, stdev
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from recognizer.training.generate import health
from recognizer.training.generate.generated_clips import make, shares_of
from recognizer.training.generate.mmd import discrepancy
from recognizer.training.generate.sets import Motions, Part, Rows
from recognizer.training.generate.trained import Trained
from recognizer.training.models.sa_gcn import ClipDiscriminator
from recognizer.training.run_folder import RunError
from research.generate import blends, recognition

Array = NDArray[np.float32]
_COPIES = 0.05  # of held-out real clips are that near to a training clip
_PAIRS = 10  # of actions, for blends


@dataclass(frozen=True, slots=True)
class Metrics:
    """of: held-out clips, and as many were generated for a draw. draws: of generated clips, averaged.

    mmd_avg, mmd_seq: see mmd.discrepancy. recognized: share of generated clips that a recognizer trained on real ones
    classifies correctly. teaches: share of held-out real clips that one trained on generated ones classifies correctly
    (on as many as there are real training clips). nearest: median distance of a generated clip to the nearest training
    clip of its action, root mean square over coordinates, in torsos. copies: share of them nearer than 95% of held-out
    real clips are. spread: how much clips of an action differ, divided by the same of real ones. largest_step, jerk:
    blends.Smoothness, the mean over pairs of actions; None for real clips.
    """

    of: int
    draws: int
    mmd_avg: float
    mmd_seq: float
    recognized: float
    teaches: float
    nearest: float
    copies: float
    spread: float
    largest_step: float | None = None
    jerk: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class GeneratorBenchmark:
    """What generators of one data set are measured with. held_out: rows. recognizer: trained on the training clips."""

    motions: Motions
    clips: Array
    held_out: Rows
    recognizer: ClipDiscriminator
    steps: int
    seed: int

    @classmethod
    def of(cls, motions: Motions, part: Part, steps: int = 600, seed: int = 0) -> Self:
        """steps: of a recognizer's training."""
        clips, train = motions.standardised, motions.train
        labels, actions = motions.labels[train], len(motions.actions)
        recognizer = recognition.train_recognizer(clips[train], labels, actions, steps, seed)
        return cls(motions, clips, motions.evaluation_rows(part), recognizer, steps, seed)

    def measure_generator(self, trained: Trained, draws: int = 3) -> Metrics:
        """Metrics of a generator and of its blends. RunError where it belongs to other clips."""
        self._demand_same(trained)
        actions = len(self.motions.actions)
        shares = shares_of(self.motions.labels[self.held_out], actions)
        made = [make(trained.network, shares, self.seed + 1 + draw) for draw in range(draws)]
        training_clips = make(trained.network, shares_of(self.motions.labels[self.motions.train], actions), self.seed)
        found = self._metrics(made, training_clips)
        pairs = list(combinations(trained.actions, 2))
        chosen = np.random.default_rng(self.seed).permutation(len(pairs))[:_PAIRS]
        blended = [blends.smoothness(trained, pairs[place][0], pairs[place][1], self.seed) for place in chosen]
        even, jerk = (float(np.mean([getattr(b, name) for b in blended])) for name in ("largest_step", "jerk"))
        return Metrics(**{**asdict(found), "largest_step": even, "jerk": jerk})

    def measure_real(self, draws: int = 3) -> Metrics:
        """Metrics of training clips in place of generated ones, as many of each action as are held out (again from the
        start where there are fewer). `nearest` and `copies` are those of the held-out clips."""
        rng = np.random.default_rng(self.seed)
        labels, train = self.motions.labels, self.motions.train
        made = []
        for _ in range(draws):
            rows = np.empty(len(self.held_out), dtype=np.intp)
            for action in np.unique(labels[self.held_out]):
                wanted = labels[self.held_out] == action
                rows[wanted] = np.resize(rng.permutation(train[labels[train] == action]), int(wanted.sum()))
            made.append(self.clips[rows])
        found = self._metrics(made, self.clips[train])
        near = self._distances(self.clips[self.held_out])
        return Metrics(**{**asdict(found), "nearest": float(np.median(near)), "copies": _COPIES})

    def _metrics(self, made: list[Array], training_clips: Array) -> Metrics:
        """made: draws of clips with the labels of the held-out ones. training_clips: with those of the training
        rows."""
        labels = self.motions.labels[self.held_out]
        real = self.clips[self.held_out]
        apart = [discrepancy(clips, real, labels, labels) for clips in made]
        train_labels = self.motions.labels[self.motions.train]
        student = recognition.train_recognizer(
            training_clips, train_labels, len(self.motions.actions), self.steps, self.seed
        )
        distances = np.concatenate([self._distances(clips) for clips in made])
        limit = np.quantile(self._distances(real), _COPIES)
        return Metrics(
            of=len(labels),
            draws=len(made),
            mmd_avg=float(np.mean([one.avg for one in apart])),
            mmd_seq=float(np.mean([one.seq for one in apart])),
            recognized=float(np.mean([recognition.accuracy(self.recognizer, clips, labels) for clips in made])),
            teaches=recognition.accuracy(student, real, labels),
            nearest=float(np.median(distances)),
            copies=float((distances < limit).mean()),
            spread=float(np.mean([health.spread(clips, labels) for clips in made])) / health.spread(real, labels),
        )

    def _distances(self, clips: Array) -> NDArray[np.float64]:
        """(J,) torsos to the nearest training clip of the action, of clips with the labels of the held-out ones."""
        labels, train = self.motions.labels, self.motions.train
        scale = self.motions.scale[1].ravel()
        found = np.empty(len(clips))
        for action in np.unique(labels[self.held_out]):
            wanted = np.flatnonzero(labels[self.held_out] == action)
            known = (self.clips[train[labels[train] == action]] * scale).reshape(-1, clips[0].size)
            ours = (clips[wanted] * scale).reshape(len(wanted), -1)
            found[wanted] = cdist(ours, known).min(axis=1) / np.sqrt(clips[0].size)
        return found

    def _demand_same(self, trained: Trained) -> None:
        motions = self.motions
        if (trained.actions, trained.layout, trained.frames) != (motions.actions, motions.layout, self.clips.shape[1]):
            raise RunError("the generator was trained on other actions, joints or lengths than these clips have")


_COLUMNS = ("mmd_avg", "mmd_seq", "recognized", "teaches", "nearest", "copies", "spread", "largest_step", "jerk")


def table(
    rows: Sequence[tuple[str, Sequence[Metrics]]], motions: Motions, data: str, part: Part, seed: int, steps: int
) -> str:
    """Markdown of the metrics of one set: what was compared with how many clips, and a row for each generator: the
    mean of its trainings, and their deviation where there are several."""
    some = rows[0][1][0]
    frames = motions.x.shape[1]
    lines = [
        f"**{data}, {part} clips**: {some.of} held-out clips of {len(motions.actions)} actions "
        f"({', '.join(motions.actions)}), {frames} frames; mean over {some.draws} draws of as many generated clips. "
        f"Recognizers: {steps} steps, seed {seed}. Training clips: {len(motions.train)}.",
        "",
        f"| generator | {' | '.join(name.replace('_', ' ') for name in _COLUMNS)} |",
        "|---|" + "--:|" * len(_COLUMNS),
    ]
    for name, metrics in rows:
        cells = [_cell([getattr(one, column) for one in metrics]) for column in _COLUMNS]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    return f"{mean(known):.3f}" + (f" ± {stdev(known):.3f}" if len(known) > 1 else "")
