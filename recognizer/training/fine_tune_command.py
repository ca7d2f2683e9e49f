"""The command fine-tune: Full teaching of a request, with the lines and the result of Quick teaching."""

import argparse
import hashlib
import json
import signal
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pose.errors import ActionLensError
from recognizer.decision import UNKNOWN
from recognizer.features import CHANNELS, FEATURES_VERSION, LAYOUT, RATE_FPS
from recognizer.model_card import MODEL_FILE, DecisionRules, ModelCard, Parity, TensorSpec, TrainingSource
from recognizer.onnx_recognizer import OnnxRecognizer
from recognizer.teaching.__main__ import interrupt, lower_priority, say
from recognizer.teaching.check import CLIPS, SESSIONS, Check, HeldOutCheck, counted, session_of
from recognizer.teaching.clips import TeachingClip
from recognizer.teaching.errors import TeachingError
from recognizer.teaching.lesson import NOTHING
from recognizer.teaching.package import CLIPS_FILE, OTHER, card_names, listed, place_version
from recognizer.teaching.request import TeachingRequest, read_request
from recognizer.teaching.run import CHECKING, FITTING, WRITING, card_metrics, check_counts
from recognizer.training.augment import Array
from recognizer.training.batches import FRAMES
from recognizer.training.export import OPSET, OUTPUT_NAME, TRAINING_DATA, with_inside
from recognizer.training.fine_tune import FineTuneSettings, fit_act, whole_clip_probabilities
from recognizer.training.models.deployed import Deployed
from recognizer.training.run_folder import load_run

THRESHOLD = 0.5
_HELD_OUT = 3  # without sessions, every third clip of an action is held out for the check
_LARGEST_ERROR = 1e-3
_CHECKED, _FITTED = 0.48, 0.96  # parts of the work, by time


def add_fine_tune(parser: argparse.ArgumentParser) -> None:
    """Arguments of fine-tune."""
    parser.add_argument("request", type=Path, help="folder with request.json and clips.npz")
    start = "run of `train` whose network goes on learning; left out, the network begins from scratch"
    parser.add_argument("--start", type=Path, metavar="DIR", help=start)
    parser.add_argument("--steps", type=int, default=2000)


def run_fine_tune(options: argparse.Namespace) -> None:
    """Train twice, once without the clips held out for the check; tell of it in JSON lines."""
    lower_priority()
    signal.signal(signal.SIGTERM, interrupt)
    try:
        request = read_request(options.request)
        check_counts(request.clips)
        start = load_run(options.start).network if options.start else None
        folder, found = _teach(request, FineTuneSettings(steps=options.steps, seed=request.seed), start)
        say(folder=str(folder), check=found.to_json())
    except (ActionLensError, ValueError, OSError) as error:
        say(error=" ".join(str(error).split()))
        raise TeachingError("teaching has failed; its last line says why") from error


def _teach(request: TeachingRequest, settings: FineTuneSettings, start: nn.Module | None) -> tuple[Path, Check]:
    actions = tuple(sorted({clip.action for clip in request.clips} - {NOTHING}))
    kept, held, held_out = split(request.clips)

    def train(clips: Sequence[TeachingClip], stage: str, first: float, last: float) -> nn.Module:
        return fit_act(
            clips,
            settings,
            start=start,
            one_sided=request.one_sided,
            progress=lambda part: say(stage=stage, part=round(first + (last - first) * part, 4)),
        )

    figures = _judged(train(kept, CHECKING, 0, _CHECKED), held, actions, held_out)
    network = train(request.clips, FITTING, _CHECKED, _FITTED)
    found = Check((figures,), (), {}, None, _remarks(held_out, start))
    say(stage=WRITING, part=_FITTED)
    sources = () if start is None else TRAINING_DATA

    def fill(folder: Path) -> None:
        _write(folder, network, actions, request, found, sources)

    folder = place_version(request.models, request.name, request.part, fill)
    say(stage=WRITING, part=1.0)
    return folder, found


def split(clips: Sequence[TeachingClip]) -> tuple[list[TeachingClip], list[TeachingClip], str]:
    """Clips to train on, clips to check with, and what is held out: the last session, or a part of each action's clips
    where the rest would miss an action or there is one session only."""
    last = session_of(clips[-1])
    kept = [clip for clip in clips if session_of(clip) != last]
    if {clip.action for clip in kept} == {clip.action for clip in clips}:
        return kept, [clip for clip in clips if session_of(clip) == last], SESSIONS
    number = dict.fromkeys((clip.action for clip in clips), 0)
    kept, held = [], list[TeachingClip]()
    for clip in clips:
        number[clip.action] += 1
        (held if number[clip.action] % _HELD_OUT == 0 else kept).append(clip)
    return kept, held, CLIPS


def _judged(network: nn.Module, held: Sequence[TeachingClip], actions: Sequence[str], held_out: str) -> HeldOutCheck:
    pairs = []
    for clip, row in zip(held, whole_clip_probabilities(network, held), strict=True):
        best = int(row[:-1].argmax())
        pairs.append((clip.action, actions[best] if row[best] >= THRESHOLD else UNKNOWN))
    groups = 1 if held_out == SESSIONS else sum(clip.action != NOTHING for clip in held)
    return counted(pairs, actions, held_out, groups, 0)


def _remarks(held_out: str, start: nn.Module | None) -> tuple[str, ...]:
    remarks = []
    if held_out == CLIPS:
        remarks.append("All clips are of one session: the figures are optimistic. Record on another day as well.")
    if start is None:
        remarks.append("The network began from scratch: with few clips of an action Quick does better.")
    return tuple(remarks)


def _write(
    folder: Path,
    network: nn.Module,
    actions: tuple[str, ...],
    request: TeachingRequest,
    found: Check,
    sources: tuple[TrainingSource, ...],
) -> None:
    """model.onnx, card.json and clips.json. Raises TeachingError where the graph says something else."""
    features = len(CHANNELS) * len(LAYOUT)
    deployed = Deployed([network], listed=len(actions), mirror=not request.one_sided).eval()
    content, embedding, attention = with_inside(deployed, features)
    (folder / MODEL_FILE).write_bytes(content)
    reference: Array = np.random.default_rng(0).standard_normal((1, FRAMES, features)).astype(np.float32)
    with torch.inference_mode():
        logits = deployed(torch.from_numpy(reference))[0].tolist()
    names = (*card_names(actions), OTHER)
    source = TrainingSource("the user's own clips", f"{len(request.clips)} clips, listed in {CLIPS_FILE}", "the user's")
    ModelCard(
        name=request.name,
        model="act",
        actions=names,
        layout=LAYOUT.name,
        frames=FRAMES,
        fps=RATE_FPS,
        features=FEATURES_VERSION,
        logits=TensorSpec(OUTPUT_NAME, ("N", len(names))),
        training_data=(*sources, source),
        metrics=card_metrics(found),
        decision=DecisionRules(1.0, {**dict.fromkeys(names, THRESHOLD), OTHER: 1.0}, (OTHER,)),
        sha256=hashlib.sha256(content).hexdigest(),
        opset=OPSET,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        attention=attention,
        embedding=embedding,
        parity=Parity(0, tuple(logits)),
        notes="Trained in full on the user's own clips.",
    ).save(folder)
    provenance = {"check": found.to_json(), "seed": request.seed, "clips": listed(request.clips)}
    (folder / CLIPS_FILE).write_text(json.dumps(provenance, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    recognizer = OnnxRecognizer(folder, "cpu")
    error = recognizer.self_test().max_error
    recognizer.close()
    if error is None or error > _LARGEST_ERROR:
        raise TeachingError(f"the exported model differs from its network by {error}; teach again")
