"""The stream benchmark of a streaming recognizer against its network of clips: validation people, the same windows.

A pose's features are those of the newest pose in the clip in which it first appears: centred on its own hips, in
units of the body's size over the 30 poses until then. Nothing later changes them, so a step can be computed once. In
the clips after that the same pose has other features: the size is measured again, and the newest poses are resampled
again when later ones are there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from recognizer.features import CHANNELS, RATE_FPS
from recognizer.live import TICKS_PER_DECISION
from recognizer.model_card import ModelCard
from recognizer.training.augment import Array
from recognizer.training.batches import FRAMES
from recognizer.training.calibrate import Calibration, Needs, calibrate, outcomes
from recognizer.training.everyday import ACTIONS, OTHER
from recognizer.training.fine_tune.start import load_networks
from recognizer.training.models.deployed import Deployed
from recognizer.training.streams.replay import RecordedStream
from recognizer.training.streams.report import as_json
from research.errors import ResearchError
from research.streaming.recognizer import StreamingSession

_TOLERANCE = 1e-3  # of the reference answer in the card, whose bias is not known beforehand
_MAX_DELAY_S = 5.0  # longest delay of the streaming answer that is tried
Sets = Mapping[str, Sequence[RecordedStream]]
Logits = Mapping[str, Sequence[Array]]


def load_deployed(folder: Path) -> tuple[Deployed, ModelCard]:
    """The trained networks behind a model folder with its bias, and its card. Raises ResearchError."""
    card = ModelCard.load(folder)
    if card.parity is None or card.actions != ACTIONS:
        raise ResearchError(f"{folder} is not a model of everyday actions with a reference answer; choose another")
    shape = (1, card.frames, len(card.skeleton) * len(CHANNELS))
    features = np.random.default_rng(card.parity.input_seed).standard_normal(shape).astype(np.float32)
    networks = load_networks(folder).networks
    plain = Deployed(networks, len(ACTIONS) - 1).eval()
    with torch.inference_mode():
        apart = plain(torch.from_numpy(features))[0].numpy() - np.array(card.parity.logits)
    other = ACTIONS.index(OTHER)
    if np.abs(np.delete(apart, other)).max() > _TOLERANCE:
        raise ResearchError(f"{folder}: network.npz holds a part of the networks of model.onnx only; choose another")
    return Deployed(networks, len(ACTIONS) - 1, other_bias=float(apart[other])).eval(), card


def subsample(sets: Sets, share: float, seed: int) -> dict[str, list[RecordedStream]]:
    """A random share of each set's streams."""
    found = {}
    for name, streams in sets.items():
        rng = np.random.default_rng(seed)
        kept = sorted(rng.permutation(len(streams))[: max(1, round(share * len(streams)))].tolist())
        found[name] = [streams[place] for place in kept]
    return found


def newest_poses(stream: RecordedStream) -> Iterator[tuple[bool, Array]]:
    """For each window: whether it shares no pose with the one before, and the features (n, F) of its new poses."""
    ticks = np.round(stream.times_s * RATE_FPS).astype(int)
    for place, features in enumerate(stream.features):
        new = ticks[place] - ticks[place - 1] if place else FRAMES
        yield new >= FRAMES, features[-min(new, FRAMES) :]


def streaming_logits(streams: Sequence[RecordedStream], session: StreamingSession) -> list[Array]:
    """Logits (N, A) at the end of each window of each stream. The session is reset at a window of new poses only."""
    if TICKS_PER_DECISION % session.poses:
        raise ResearchError(f"an answer is due every {TICKS_PER_DECISION} poses, so a step cannot have {session.poses}")
    found = []
    for stream in streams:
        rows = []
        for begins, poses in newest_poses(stream):
            if begins:
                session.reset()
            rows.append(session.push(poses)[-1])
        found.append(np.stack(rows))
    return found


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of streaming answers with those of windows. same: share of the windows with the same likeliest action. delay_s,
    same_delayed: the delay of the streaming answer at which most are the same, and that share."""

    same: float
    delay_s: float
    same_delayed: float


def agreement(window: Sequence[Array], streaming: Sequence[Array]) -> Agreement:
    """Of streams' logits (N, A). Windows count as a tenth of a second apart."""
    shares = []
    for delay in range(round(_MAX_DELAY_S * RATE_FPS / TICKS_PER_DECISION) + 1):
        pairs = [(a[: len(a) - delay], b[delay:]) for a, b in zip(window, streaming, strict=True) if len(a) > delay]
        same = [(a.argmax(axis=1) == b.argmax(axis=1)) for a, b in pairs]
        shares.append(float(np.concatenate(same).mean()))
    best = int(np.argmax(shares))
    return Agreement(shares[0], best * TICKS_PER_DECISION / RATE_FPS, shares[best])


def feature_changes(sets: Sets, later: int = 10) -> dict[str, tuple[float, float]]:
    """How far the newest pose's features are from those of the same pose `later` windows on: median and 95th
    percentile of the largest difference of a pose, by kind of channel."""
    apart = []
    for streams in sets.values():
        for stream in streams:
            ticks = np.round(stream.times_s * RATE_FPS).astype(int)
            for place in range(len(ticks) - later):
                if (gap := ticks[place + later] - ticks[place]) < FRAMES:
                    apart.append(np.abs(stream.features[place, -1] - stream.features[place + later, -1 - gap]))
    by_channel = np.stack(apart).reshape(len(apart), -1, len(CHANNELS)).max(axis=1)
    kinds = {"position": by_channel[:, :2], "velocity": by_channel[:, 2:4], "bone": by_channel[:, 4:]}
    return {name: tuple(np.quantile(v.max(axis=1), (0.5, 0.95)).tolist()) for name, v in kinds.items()}


def metrics(sets: Sets, logits: Logits, card: ModelCard, *, recalibrated: bool) -> dict[str, dict[str, Any]]:
    """The stream benchmark's metrics by set. recalibrated: with the best threshold and temperature on these same
    streams instead of the card's."""
    rules = _rules(card)
    if recalibrated:
        rules, _ = calibrate([(sets[name], logits[name]) for name in sets], _needs(card), biases=(0.0,))
    found = {name: as_json(outcomes(sets[name], logits[name], rules)) for name in sets}
    return {name: of_set | {"threshold": float(rules.thresholds[0])} for name, of_set in found.items()}


def _needs(card: ModelCard) -> Needs:
    return {action: tuple(parts) for action, parts in card.decision.needs.items()}


def _rules(card: ModelCard) -> Calibration:
    thresholds = np.array([card.decision.thresholds.get(action, 1.0) for action in ACTIONS], dtype=np.float32)
    return Calibration(0.0, card.decision.temperature, thresholds, _needs(card), card.decision.upper_weight)


def as_table(rows: Sequence[tuple[str, Mapping[str, Mapping[str, Any]]]]) -> str:
    """In Markdown: a line for each recognizer and set."""
    lines = [
        "| recognizer | set | windows | threshold | shown right | mean over actions | likeliest right "
        "| unlisted shown | wrong starts an hour | labels missed | delay s |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, by_set in rows:
        for of_set, values in by_set.items():
            windows, events, delay = values["windows"], values["events"], values["delay_s"]
            lines.append(
                f"| {name} | {of_set} | {windows['listed']} + {values['unlisted']['windows']} "
                f"| {values['threshold']:.2f} | {_percent(windows['shown_right'])} "
                f"| {_percent(windows['macro_shown_right'])} | {_percent(windows['likeliest_right'])} "
                f"| {_percent(values['unlisted']['shown_listed'])} | {events['wrong_per_hour']} "
                f"| {events['missed']} of {values['labels']} | {delay['p50']} / {delay['p90']} |"
            )
    return "\n".join(lines) + "\n"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
