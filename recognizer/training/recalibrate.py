"""The command recalibrate: new thresholds, and what each action needs in view, for a model that is
exported."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from pose.onnx_session import cpu_session
from recognizer.model_card import INPUT_NAME, MODEL_FILE, ModelCard
from recognizer.training.choice import choose
from recognizer.training.everyday import ACTIONS
from recognizer.training.everyday_streams import read_corpus
from recognizer.training.export import decision_rules
from recognizer.training.run_folder import RunError


class _Graph(nn.Module):
    """An exported graph: features (N, T, F) to logits (N, A)."""

    def __init__(self, content: bytes, logits: str) -> None:
        super().__init__()
        self._session, self._logits = cpu_session(content), logits

    def forward(self, features: Tensor) -> Tensor:
        (logits,) = self._session.run([self._logits], {INPUT_NAME: features.numpy()})
        return torch.from_numpy(logits)


def add_recalibrate(parser: argparse.ArgumentParser) -> None:
    """Arguments of recalibrate."""
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder that holds the data sets")
    what = "model folder whose card is written again; of networks that have not learnt from the validation people"
    parser.add_argument("--weights", type=Path, required=True, metavar="DIR", help=what)


def run_recalibrate(options: argparse.Namespace) -> None:
    """Write the card with rules chosen on the validation streams, and with the figures of both. The graph stays."""
    card = ModelCard.load(options.weights)
    if card.actions != ACTIONS:
        raise RunError(f"{options.weights} does not know the everyday actions, so their streams cannot judge it")
    corpus = read_corpus(options.data)
    graph = _Graph((options.weights / MODEL_FILE).read_bytes(), card.logits.name)
    chosen = choose(graph, options.data, corpus, biases=(0.0,))  # a bias would be part of the graph
    rules = chosen.rules
    decision = decision_rules(rules.temperature, rules.by_action(), rules.needs, rules.upper_weight)
    changed = replace(card, decision=decision, metrics=chosen.metrics(graph, options.data, corpus))
    changed.save(options.weights)
    sys.stdout.write(f"{options.weights}\n")
