"""Metrics of a network as text and as the metrics of a card."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from recognizer.training.augment import Array
from recognizer.training.calibrate import Calibration
from recognizer.training.evaluate import Windows, report_alarms, report_clips, softmax
from recognizer.training.everyday import ACTIONS, Corpus, sources_of

# The people of each part, of the data sets that every training uses.
_PEOPLE = {
    "validation": {
        "utd_mhad": "UTD-MHAD 7",
        "msr_action3d": "MSR 9",
        "nw_ucla": "NW-UCLA 5 and 10",
        "penn_action": "a sixth of Penn",
        "jhmdb14": "JHMDB's clips that split 2 tests",
    },
    "test": {
        "utd_mhad": "UTD-MHAD's even subjects",
        "msr_action3d": "MSR's even subjects",
        "nw_ucla": "NW-UCLA's view 3",
        "penn_action": "Penn Action's test split",
        "jhmdb14": "JHMDB's test clips (split 1)",
    },
}
_LEADS = {"validation": "people held out of the training splits: ", "test": ""}
HOW = (
    "a clip's probabilities are the mean of its 1.5 s windows (20 poses per second, one every 1/4 s), each weighted by "
    "the evidence in it for any listed action but idle (accuracy_even: unweighted average); accuracy: the top one of "
    "all actions is correct, idle and other counted as errors; accuracy_listed: among the listed actions"
)


def split_of(part: str, corpus: Corpus, windows: Windows) -> str:
    """The people that the windows of a part show, as cards state it."""
    names = set(corpus.dataset[windows.recording].tolist())
    people = [who for name, who in _PEOPLE[part].items() if name in names]
    others = [f"the {part} clips of {source.name}" for source in sources_of(names - set(_PEOPLE[part]))]
    return _LEADS[part] + ", ".join([*people, *others])


def as_text(title: str, corpus: Corpus, windows: Windows, logits: Array, rules: Calibration) -> str:
    """A report of a few lines."""
    plain = report_clips(corpus, windows, softmax(logits))
    clips = report_clips(corpus, windows, rules.probabilities(logits))
    alarms = report_alarms(corpus, windows, rules.probabilities(logits), rules.thresholds)
    sets = "  ".join(f"{name} {value:.3f} ({n})" for name, (value, n) in clips.by_dataset.items())
    recall = "  ".join(f"{name} {value:.2f}" for name, (value, _) in clips.recall.items())
    return (
        f"{title}: accuracy {clips.accuracy:.4f} of {clips.clips} clips, mean of the actions {clips.balanced:.4f}, "
        f"among the listed actions {clips.accuracy_listed:.4f}, unweighted average {clips.accuracy_even:.4f}\n"
        f"  (bias against other {rules.other_bias:.2f}; without it accuracy {plain.accuracy:.4f})\n"
        f"  {sets}\n  {recall}\n"
        f"  false alarms {alarms.alarms:.3f} of {alarms.windows} windows "
        f"({alarms.alarms_without_idle:.3f} without idle), "
        f"{alarms.kept:.3f} of the correct windows kept\n"
        f"  without thresholds a listed action leads in {clips.unlisted_called_listed:.3f} of unlisted clips\n"
    )


def metrics(split: str, corpus: Corpus, windows: Windows, logits: Array, rules: Calibration) -> dict[str, Any]:
    """Metrics "SPLIT_clips" and "SPLIT_false_alarms" of a card, at thresholds chosen before."""
    probabilities, people = rules.probabilities(logits), split_of(split, corpus, windows)
    clips = report_clips(corpus, windows, probabilities)
    alarms = report_alarms(corpus, windows, probabilities, rules.thresholds)
    return {
        f"{split}_clips": {
            "split": people,
            "how": HOW,
            "accuracy": round(clips.accuracy, 4),
            "accuracy_listed": round(clips.accuracy_listed, 4),
            "accuracy_even": round(clips.accuracy_even, 4),
            "unlisted_called_listed": round(clips.unlisted_called_listed, 4),
            "clips": clips.clips,
            "by_dataset": {name: [round(value, 4), n] for name, (value, n) in clips.by_dataset.items()},
            "recall": {name: [round(value, 4), n] for name, (value, n) in clips.recall.items()},
            "confusion": {"actions": list(ACTIONS), "rows_true_columns_predicted": clips.confusion.tolist()},
        },
        f"{split}_false_alarms": {
            "split": people,
            "how": "single windows, at thresholds chosen on validation streams",
            "right_windows_kept": round(alarms.kept, 4),
            "unlisted_windows_shown_as_listed": round(alarms.alarms, 4),
            "without_those_shown_as_idle": round(alarms.alarms_without_idle, 4),
            "unlisted_windows": alarms.windows,
        },
    }


def metrics_of_runs(
    corpus: Corpus, windows: Windows, logits: Sequence[Array], rules: Calibration, names: Sequence[str]
) -> dict[str, Any]:
    """A metric of several networks on the test split: each alone, and their mean."""
    reports = [report_clips(corpus, windows, rules.probabilities(each)) for each in logits]
    alarms = [report_alarms(corpus, windows, rules.probabilities(each), rules.thresholds) for each in logits]
    values = {
        "accuracy": [r.accuracy for r in reports],
        "accuracy_even": [r.accuracy_even for r in reports],
        "accuracy_listed": [r.accuracy_listed for r in reports],
        "unlisted_windows_shown_as_listed": [a.alarms for a in alarms],
        "right_windows_kept": [a.kept for a in alarms],
    }
    return {
        "split": split_of("test", corpus, windows),
        "networks": list(names),
        **{name: [round(v, 4) for v in each] for name, each in values.items()},
        "mean": {name: round(float(np.mean(each)), 4) for name, each in values.items()},
    }
