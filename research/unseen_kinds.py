"""`unseen-kinds`: how often unlisted motion is shown as a listed action, where its kind was trained on and where not.

A kind of motion is unseen only for networks that were trained with `--leave-out` and its name. Each network's rules are
chosen on all validation streams, as for a recognizer that ships; the windows are of the validation people, too.
"""

import argparse
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recognizer.decision import IDLE
from recognizer.model_card import ModelCard
from recognizer.training.calibrate import Needs, calibrate, outcomes
from recognizer.training.data_argument import add_data
from recognizer.training.everyday import ACTIONS, UNLISTED, Corpus
from recognizer.training.everyday_streams import read_sets
from recognizer.training.models.deployed import Deployed
from recognizer.training.run_folder import RunError, load_run
from recognizer.training.streams.sets import StreamSets, stream_logits, stream_sets
from recognizer.training.synthetic.actions import with_generated
from research.metrics_file import write_metrics


@dataclass(frozen=True, slots=True)
class KindAlarms:
    """Windows of a kind of unlisted motion, and how many of them were shown as a listed action, idle aside.

    seen, unseen: the mean number shown over the networks that were trained on the kind, and that were not.
    """

    kind: str
    windows: int
    seen: float
    unseen: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `unseen-kinds`."""
    add_data(parser)
    runs = "runs of one recipe made with --leave-out, each without other kinds"
    parser.add_argument("--run", type=Path, nargs="+", required=True, metavar="DIR", help=runs)
    needs = "the model whose card says which joints an action needs"
    parser.add_argument("--needs", type=Path, default=Path("weights/act"), metavar="DIR", help=needs)
    parser.add_argument("--out", type=Path, default=Path("runs/unseen_kinds.json"), metavar="FILE")


def run(options: argparse.Namespace) -> None:
    """Print a table of kinds and write it as JSON."""
    needs = ModelCard.load(options.needs).decision.needs
    runs = [load_run(folder) for folder in options.run]
    for folder, each in zip(options.run, runs, strict=True):
        check_alone(folder, each.settings)
    sets = read_sets(options.data)
    corpus = sets.corpus()
    trained = {
        corpus.kinds[place] for each in runs for place in corpus.kind[np.isin(corpus.part, each.settings["parts"])]
    }
    left_out = [unseen_by(each.settings, trained, generated_kinds(corpus)) for each in runs]
    if len(runs) < 2 or not all(left_out):
        raise RunError("unseen-kinds compares runs that left out different kinds; train at least two with --leave-out")
    streams = stream_sets(sets, "validation")
    shown = [shown_by_kind(Deployed([each.network], listed=len(ACTIONS) - 1), streams, needs) for each in runs]
    alarms = compare(shown, left_out)
    sys.stdout.write(as_text(alarms))
    rows = [[each.kind, each.windows, each.seen, each.unseen] for each in alarms]
    write_metrics(options.out, {"columns": ["kind", "windows", "seen", "unseen"], "rows": rows})


def check_alone(folder: Path, settings: Mapping[str, Any]) -> None:
    """RunError where a run has had to do with another network, which may have seen what the run itself left out."""
    if settings.get("start") or settings.get("teachers"):
        raise RunError(f"{folder} was trained with --start or --teacher; give runs that were trained without")


def generated_kinds(corpus: Corpus) -> set[str]:
    """The kinds of the recordings that training generates."""
    return {*with_generated(corpus).kinds} - {*corpus.kinds}


def unseen_by(settings: Mapping[str, Any], trained: Collection[str], generated: Collection[str]) -> frozenset[str]:
    """The names of the kinds that a run left out, of those of training, and that no other set showed it.

    The same motion has one name in all sets. A kind that nobody shows in training is unseen by every network.
    """
    shown = {*trained, *(generated if settings.get("generated") else ())} - {*settings["left_out"]}
    return frozenset(map(_name, {*trained} & {*settings["left_out"]})) - frozenset(map(_name, shown))


def _name(kind: str) -> str:
    return kind.rpartition("/")[2]


def shown_by_kind(network: Deployed, streams: StreamSets, needs: Needs) -> dict[str, tuple[int, int]]:
    """Windows, and windows shown as a listed action, of each kind of unlisted motion."""
    logits = stream_logits(network, streams)
    rules, _ = calibrate([(streams[name], logits[name]) for name in streams], needs)
    counts: dict[str, tuple[int, int]] = {}
    for name, of_set in streams.items():
        for outcome in outcomes(of_set, logits[name], rules):
            for window in outcome.windows:
                if window.truth is None:
                    kind = window.label.removeprefix(UNLISTED)
                    windows, shown = counts.get(kind, (0, 0))
                    counts[kind] = windows + 1, shown + (window.shown not in (None, IDLE))
    return counts


def compare(shown: Sequence[Mapping[str, tuple[int, int]]], left_out: Sequence[Collection[str]]) -> list[KindAlarms]:
    """The kinds that some of the networks saw and others did not, those with the most alarms when unseen first."""
    out = []
    for kind in sorted(set().union(*left_out) & set(shown[0])):
        seen = [counts[kind][1] for counts, without in zip(shown, left_out, strict=True) if kind not in without]
        unseen = [counts[kind][1] for counts, without in zip(shown, left_out, strict=True) if kind in without]
        if seen:
            mean_seen, mean_unseen = sum(seen) / len(seen), sum(unseen) / len(unseen)
            out.append(KindAlarms(kind, shown[0][kind][0], mean_seen, mean_unseen))
    return sorted(out, key=lambda each: each.seen - each.unseen)


def as_text(alarms: Sequence[KindAlarms]) -> str:
    """A line for each kind, and one for all of them."""
    total = sum(each.windows for each in alarms)
    every = KindAlarms("all", total, sum(each.seen for each in alarms), sum(each.unseen for each in alarms))
    rows = [
        f"{each.kind:28} {each.windows:7}  {each.seen / each.windows:6.1%}  {each.unseen / each.windows:6.1%}"
        for each in (*alarms, *([every] if alarms else []))
    ]
    return "\n".join([f"{'kind':28} windows    seen  unseen", *rows]) + "\n"
