"""The command streaming: what an answer of a streaming recognizer costs, and how it does in the stream benchmark."""

import argparse
import sys
from collections.abc import Sequence

from pose.number_arguments import count, share
from recognizer.features import CHANNELS, LAYOUT
from recognizer.model_card import find_model
from recognizer.training.data_argument import add_data
from recognizer.training.everyday import ACTIONS
from recognizer.training.everyday_streams import read_sets
from recognizer.training.models.deployed import Deployed
from recognizer.training.models.registry import ClipShape, network_of, parse_changes
from recognizer.training.streams.replay import RecordedStream
from recognizer.training.streams.sets import stream_logits, stream_sets
from research.streaming import benchmark, cost
from research.streaming.recognizer import StreamingRecognizer, StreamingSession, to_onnx

_STREAMING = ("st-gcn", "st-gcn-short", "s-tr", "t-tr", "st-tr", "s-tr-narrow", "t-tr-narrow")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    actions = parser.add_subparsers(dest="action", required=True)
    costs = actions.add_parser("cost", help="processor time and multiplications of an answer")
    costs.add_argument("--model", action="append", default=[], metavar="NAME|DIR", help="a model with its network.npz")
    costs.add_argument("--network", action="append", default=[], choices=_STREAMING, help="one with random weights")
    costs.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", dest="changes", help="of --network")
    costs.add_argument("--poses", type=count, nargs="+", default=(1, 2), help="poses in a step (default 1 2)")
    costs.add_argument("--pooled", type=count, default=8, help="frames of the last layer in the mean (default 8)")
    costs.add_argument("--rounds", type=count, default=200, help="pairs of calls (default 200)")
    compared = actions.add_parser("compare", help="validation streams: network of clips against streaming")
    add_data(compared)
    compared.add_argument("--model", default="st-gcn", metavar="NAME|DIR", help="a model with its network.npz")
    compared.add_argument("--pooled", type=count, nargs="+", default=(1, 2, 4, 8), help="frames in the mean")
    compared.add_argument("--share", type=share, default=1.0, help="of the streams, drawn with seed 0 (default all)")


def run(options: argparse.Namespace) -> None:
    """Print the tables."""
    if options.action == "cost":
        run_cost(options)
    else:
        run_compare(options)


def run_cost(options: argparse.Namespace) -> None:
    """The cost of each model and network."""
    cases = [(name, benchmark.load_deployed(find_model(name))[0]) for name in options.model]
    shape = ClipShape(len(CHANNELS), LAYOUT, len(ACTIONS))
    for name in options.network:
        network = network_of(name).build(shape, parse_changes(options.changes)).eval()
        cases.append((name, Deployed([network], len(ACTIONS) - 1).eval()))
    rows = [
        row
        for name, deployed in cases
        for row in cost.measure_cost(name, deployed, options.pooled, options.poses, options.rounds)
    ]
    sys.stdout.write(cost.as_table(rows))


def run_compare(options: argparse.Namespace) -> None:
    """Metrics of the validation people."""
    sets = benchmark.subsample(stream_sets(read_sets(options.data), "validation"), options.share, seed=0)
    compare(sets, options.model, options.pooled)


def compare(sets: dict[str, list[RecordedStream]], model: str, pooled: Sequence[int]) -> None:
    """Print the table as it grows, and how far the answers and the features are apart."""
    deployed, card = benchmark.load_deployed(find_model(model))
    streams = sum(len(each) for each in sets.values())
    sys.stdout.write(f"{card.name}, {streams} streams of the validation people\n")
    for kind, (median, most) in benchmark.feature_changes(sets).items():
        sys.stdout.write(f"{kind} of the newest pose a second later: {median:.4f} apart (p95 {most:.3f})\n")
    windows = stream_logits(deployed, sets)
    rows = [("windows, the card's rules", benchmark.metrics(sets, windows, card, recalibrated=False))]
    rows.append(("windows", benchmark.metrics(sets, windows, card, recalibrated=True)))
    sys.stdout.write(benchmark.as_table(rows))
    for frames in pooled:
        session = StreamingSession(*to_onnx(StreamingRecognizer(deployed, frames, poses=2)))
        logits = {name: benchmark.streaming_logits(streams, session) for name, streams in sets.items()}
        rows = [(f"streaming, mean of {frames}", benchmark.metrics(sets, logits, card, recalibrated=True))]
        sys.stdout.write(benchmark.as_table(rows))
        for name in sets:
            found = benchmark.agreement(windows[name], logits[name])
            sys.stdout.write(
                f"{name}, mean of {frames}: same likeliest action as the window in {found.same:.1%} of windows, in "
                f"{found.same_delayed:.1%} as the window {found.delay_s:.1f} s earlier\n"
            )
        sys.stdout.flush()
