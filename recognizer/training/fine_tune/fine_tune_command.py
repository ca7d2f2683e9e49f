"""The command fine-tune: Full teaching of a request, with the lines and the result of Quick teaching."""

import argparse
import json
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from pose.errors import ActionLensError
from pose.number_arguments import count
from recognizer.datasets.registry import terms_of
from recognizer.model_card import DecisionRules, ModelCard, TrainingSource
from recognizer.onnx_recognizer import OnnxRecognizer
from recognizer.teaching.__main__ import interrupt, lower_priority, say, unwritten
from recognizer.teaching.check import Check, example_probabilities
from recognizer.teaching.errors import TeachingError
from recognizer.teaching.examples import Example
from recognizer.teaching.full_start import NETWORKS_FILE, start_sentence
from recognizer.teaching.lesson import NOTHING
from recognizer.teaching.needs import needs_of
from recognizer.teaching.package import OTHER, card_names, listed
from recognizer.teaching.replay import footage_of, with_findings
from recognizer.teaching.request import FULL, TeachingRequest, read_request
from recognizer.teaching.run import CHECKING, FITTING, WRITING, card_metrics, check_counts
from recognizer.teaching.split_check import with_test
from recognizer.teaching.versions import CLIPS_FILE, place_version, try_folder
from recognizer.teaching.visible import NotVisible, visible_parts
from recognizer.training.augment import Array
from recognizer.training.export import export
from recognizer.training.fine_tune.check import evaluate, remarks, split
from recognizer.training.fine_tune.start import load_networks
from recognizer.training.fine_tune.training import SHAPE, FineTuneSettings, fit_network, window_probabilities
from recognizer.training.models.deployed import Deployed
from recognizer.training.models.registry import NetworkSpec
from recognizer.training.run_folder import load_run


class Start(NamedTuple):
    """A trained network to fine-tune: its spec, and the terms of its training data."""

    spec: NetworkSpec
    network: nn.Module
    sources: tuple[TrainingSource, ...]


_MAX_ERROR = 1e-3
_CHECKED, _FITTED = 0.48, 0.96  # parts of the work, by time


def add_fine_tune(parser: argparse.ArgumentParser) -> None:
    """Arguments of fine-tune."""
    parser.add_argument("request", type=Path, help="folder with request.json and clips.npz")
    start = (
        f"run of `train` whose network goes on learning; left out, that of {NETWORKS_FILE} beside the request's base"
    )
    parser.add_argument("--start", type=Path, metavar="DIR", help=start)
    parser.add_argument("--scratch", action="store_true", help="begin with an untrained AcT instead")
    parser.add_argument("--steps", type=count, default=1000)


def run_fine_tune(options: argparse.Namespace) -> None:
    """Train twice, once without the examples held out for the check; report progress as JSON lines."""
    lower_priority()
    signal.signal(signal.SIGTERM, interrupt)
    try:
        request = read_request(options.request)
        check_counts(request.learnt)
        try_folder(request.models, request.name, request.part)  # before the work, which would be lost
        request, hidden = visible_parts(request, SHAPE)
        check_counts(request.learnt)
        start = None if options.scratch else _start(request.base, options.start)
        sentence = "" if options.scratch or options.start else start_sentence(request.base)
        settings = FineTuneSettings(steps=options.steps, seed=request.seed)
        folder, check = _teach(request, settings, start, hidden, sentence)
        say(folder=str(folder), check=check.to_json())
    except (ActionLensError, ValueError, OSError) as error:
        say(error=unwritten(error) if isinstance(error, OSError) else " ".join(str(error).split()))
        raise TeachingError("teaching has failed; its last line says why") from error


def _start(base: Path, run: Path | None) -> Start:
    """The trained network to fine-tune, the first where a model averages several. Raises RunError, CardError."""
    if run is not None:
        trained = load_run(run)
        sets = {name.partition("/")[0] for name in trained.outputs}  # unlisted motion is named DATASET/ACTION
        return Start(trained.spec, trained.network, terms_of(sets))
    kept = load_networks(base)
    return Start(kept.spec, kept.networks[0], ModelCard.load_text(base).training_data)


def _teach(
    request: TeachingRequest, settings: FineTuneSettings, start: Start | None, hidden: NotVisible, sentence: str
) -> tuple[Path, Check]:
    learnt, tested = request.learnt, request.tested
    kept, held, held_out = split(learnt)

    def train(examples: Sequence[Example], stage: str, first: float, last: float) -> nn.Module:
        return fit_network(
            examples,
            settings,
            start=None if start is None else (start.spec, start.network),
            one_sided=request.one_sided,
            progress=lambda part: say(stage=stage, part=round(first + (last - first) * part, 4)),
        )

    without_held = train(kept, CHECKING, 0, _CHECKED)
    check, thresholds = evaluate(without_held, learnt, held, held_out, request.one_sided)
    check = replace(check, remarks=remarks(check, learnt, from_scratch=start is None, start=sentence))
    network = train(learnt, FITTING, _CHECKED, _FITTED)
    if tested:
        windows = [window_probabilities(network, example, mirror=not request.one_sided) for example in tested]
        actions = sorted({example.action for example in learnt} - {NOTHING})
        check = with_test(check, actions, thresholds, learnt, tested, [example_probabilities(rows) for rows in windows])
    check = hidden.added_to(check)
    say(stage=WRITING, part=_FITTED)

    def fill(folder: Path) -> None:
        nonlocal check
        check = _write(folder, network, thresholds, request, check, start)

    folder = place_version(request.models, request.name, request.part, fill)
    say(stage=WRITING, part=1.0)
    return folder, check


def _write(
    folder: Path,
    network: nn.Module,
    thresholds: Array,
    request: TeachingRequest,
    check: Check,
    start: Start | None,
) -> Check:
    """Write model.onnx, card.json and clips.json; the check, with the results of running the exported model. Raises
    TeachingError where the exported model gives other outputs than the network."""
    actions = tuple(sorted({example.action for example in request.learnt} - {NOTHING}))
    names = card_names(actions)
    shown = {name: round(float(value), 4) for name, value in zip(names, thresholds, strict=True)}
    needs = needs_of(names, actions, request.learnt)
    source = TrainingSource(
        "the user's own examples", f"{len(listed(request.learnt))} examples, listed in {CLIPS_FILE}", "the user's"
    )
    export(
        Deployed([network], listed=len(actions), mirror=not request.one_sided),
        folder,
        name=request.name,
        family=start.spec.family if start is not None else "act",
        actions=(*names, OTHER),
        decision=DecisionRules(1.0, {**shown, OTHER: 1.0}, (OTHER,), needs),
        metrics=card_metrics(check, FULL),
        training_data=(*(() if start is None else start.sources), source),
        notes="Trained in full on the user's own examples.",
    )
    recognizer = OnnxRecognizer(folder, "cpu")
    try:
        error = recognizer.self_test().max_error
        if error is None or error > _MAX_ERROR:
            raise TeachingError(f"the exported model differs from its network by {error}; teach again")
        footage, of_card = footage_of(request.learnt), dict(zip(names, actions, strict=True))
        check = with_findings(check, recognizer, of_card, footage, lambda action, on: ())
    finally:
        recognizer.close()
    base = {"name": request.base.name} if start is not None else None
    provenance: dict[str, Any] = {"kind": FULL, "base": base, "check": check.to_json(), "seed": request.seed}
    provenance["clips"] = listed(request.learnt)
    (folder / CLIPS_FILE).write_text(json.dumps(provenance, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return check
