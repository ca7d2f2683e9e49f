"""The command recalibrate: new thresholds, and what each action needs in view, for a model that is
exported."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from pose.onnx_session import cpu_session
from recognizer.model_card import INPUT_NAME, MODEL_FILE, ModelCard
from recognizer.teaching.full_start import NETWORKS_FILE
from recognizer.training.choice import choose
from recognizer.training.data_argument import add_data
from recognizer.training.everyday import ACTIONS
from recognizer.training.everyday_streams import read_sets
from recognizer.training.fine_tune.start import load_networks
from recognizer.training.run_folder import RunError

_BIAS = "other_bias"  # of Deployed, whose name the exporter keeps


class ExportedGraph(nn.Module):
    """An exported graph: features (N, T, F) to logits (N, A), as they are without the graph's bias.

    bias: what the graph subtracts from the logit of `other`, the last one. content: of the file. logits: name of that
    output.
    """

    def __init__(self, content: bytes, logits: str) -> None:
        super().__init__()
        self._session, self._logits = cpu_session(content), logits
        constants = {each.name.split(".")[-1]: each for each in onnx.load_from_string(content).graph.initializer}
        self.bias = float(onnx.numpy_helper.to_array(constants[_BIAS])[-1]) if _BIAS in constants else 0.0

    def forward(self, features: Tensor) -> Tensor:
        (logits,) = self._session.run([self._logits], {INPUT_NAME: features.numpy()})
        logits[:, -1] += self.bias
        return torch.from_numpy(logits)


def add_recalibrate(parser: argparse.ArgumentParser) -> None:
    """Arguments of recalibrate."""
    add_data(parser)
    what = "model folder whose card is written again; of networks that have not learnt from the validation people"
    parser.add_argument("--weights", type=Path, required=True, metavar="DIR", help=what)


def run_recalibrate(options: argparse.Namespace) -> None:
    """Rewrite the card with rules chosen on the validation streams, and new metrics. The graph is not changed.

    Raises RunError for a model that was trained on the validation people, as far as its network.npz says.
    """
    card = ModelCard.load(options.weights)
    if card.actions != ACTIONS:
        raise RunError(f"{options.weights} does not know the everyday actions, so their streams cannot evaluate it")
    if (options.weights / NETWORKS_FILE).is_file() and "validation" in (load_networks(options.weights).parts or ()):
        raise RunError(
            f"{options.weights} was trained on the validation people, who choose its thresholds; give one that was not"
        )
    sets = read_sets(options.data)
    corpus = sets.corpus()
    graph = ExportedGraph((options.weights / MODEL_FILE).read_bytes(), card.logits.name)
    chosen = choose(graph, sets, corpus, biases=(graph.bias,))  # which is part of the graph
    decision = chosen.rules.decision_rules()
    changed = replace(card, decision=decision, metrics=chosen.metrics(graph, sets, corpus))
    changed.save(options.weights)
    sys.stdout.write(f"{options.weights}\n")
