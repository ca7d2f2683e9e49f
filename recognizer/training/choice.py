"""What is chosen on the validation people before a network is exported: thresholds, and what each action needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from recognizer.training import report
from recognizer.training.augment import Array
from recognizer.training.calibrate import BIASES, Calibration, OperatingPoint, calibrate
from recognizer.training.evaluate import Windows, logits_of, report_clips, windows_of
from recognizer.training.everyday import ACTIONS, WEBCAM_POSES, Corpus
from recognizer.training.everyday_streams import EverydaySets
from recognizer.training.needs import measure_needs
from recognizer.training.streams.replay import RecordedStream
from recognizer.training.streams.sets import stream_logits, stream_metrics, stream_sets
from recognizer.view import ARMS

_ARM_ACTIONS = ("wave", "clap", "throw", "punch")
_ARM_SETS = ("utd_mhad", "msr_action3d")


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Chosen on the validation people, by a network that has not seen them.

    points: of all that was tried, by set of streams. recall_hidden: by action, as measure_needs has it. network: that
    one, without a bias. streams, logits: of the validation people, by set.
    """

    rules: Calibration
    points: Mapping[str, Sequence[OperatingPoint]]
    recall_hidden: Mapping[str, list[float]]
    network: nn.Module
    streams: Mapping[str, list[RecordedStream]]
    logits: Mapping[str, list[Array]]

    def metrics(self, shipped: nn.Module, sets: EverydaySets, corpus: Corpus) -> dict[str, Any]:
        """Of a card: the choosing network on the validation people, and the shipped one on the test people. The bias is
        in neither."""
        validation, test = (windows_of_research(corpus, part) for part in ("validation", "test"))
        judged = logits_of(self.network, validation.features)
        tested = stream_sets(sets, "test")
        return {
            **stream_metrics("validation", self.streams, self.logits, self.rules),
            **stream_metrics("test", tested, stream_logits(shipped, tested), self.rules),
            **report.metrics("validation", corpus, validation, judged, self.rules),
            **report.metrics("test", corpus, test, logits_of(shipped, test.features), self.rules),
            "test_clips_legs_hidden": self._legs_hidden(shipped, corpus),
            "recall_with_hidden_joints": {
                "split": report.split_of("validation", corpus, validation),
                "how": "share of single windows: whole; knees and ankles hidden; hips hidden too",
                **self.recall_hidden,
            },
        }

    def _legs_hidden(self, shipped: nn.Module, corpus: Corpus) -> dict[str, Any]:
        """Clips of arm actions with hips, knees and ankles out of the picture, as live recognition judges them: what
        needs the rest of the body is closed and counts as unlisted, with the weight that the rules give to that."""
        arm_actions = [ACTIONS.index(action) for action in _ARM_ACTIONS]
        chosen = (corpus.part == "test") & np.isin(corpus.dataset, _ARM_SETS) & np.isin(corpus.action, arm_actions)
        windows = windows_of(corpus, np.flatnonzero(chosen), ("hip", "knee", "ankle"))
        probabilities = self.rules.probabilities(logits_of(shipped, windows.features))
        closed = [place for place, action in enumerate(ACTIONS[:-1]) if self.rules.needs.get(action) != (ARMS,)]
        probabilities[:, -1] += probabilities[:, closed].sum(axis=1)
        probabilities[:, closed] = 0
        probabilities[:, -1] *= self.rules.upper_weight
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        found = report_clips(corpus, windows, probabilities)
        return {
            "split": "UTD-MHAD and MSR even subjects: wave, clap, throw, punch; hips, knees and ankles hidden",
            "how": "as test_clips; actions that need what is hidden count as other",
            "accuracy": round(found.accuracy, 4),
            "clips": found.clips,
            "recall": {name: [round(value, 4), n] for name, (value, n) in found.recall.items()},
        }


def choose(network: nn.Module, sets: EverydaySets, corpus: Corpus, biases: Sequence[float] = BIASES) -> Choice:
    """Thresholds and needs, by a network that has not seen the validation people. corpus: of the sets. biases: that
    are tried."""
    streams = stream_sets(sets, "validation")
    logits = stream_logits(network, streams)
    needs, recall = measure_needs(corpus, "validation", lambda features: logits_of(network, features))
    rules, points = calibrate([(streams[name], logits[name]) for name in streams], needs, biases)
    return Choice(rules, dict(zip(streams, points, strict=True)), recall, network, streams, logits)


def windows_of_research(corpus: Corpus, part: str) -> Windows:
    """Windows of the research recordings; webcam_poses is judged as streams."""
    return windows_of(corpus, np.flatnonzero((corpus.part == part) & (corpus.dataset != WEBCAM_POSES)))
