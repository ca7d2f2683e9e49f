"""What is chosen on the validation people before export: thresholds, and the body parts that each action needs."""

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

    points: all operating points tried, by set of streams. recall_hidden: by action, see measure_needs. network: the one
    that was used, without a bias. streams, logits: of the validation people, by set.
    """

    rules: Calibration
    points: Mapping[str, Sequence[OperatingPoint]]
    recall_hidden: Mapping[str, list[float]]
    network: nn.Module
    streams: Mapping[str, list[RecordedStream]]
    logits: Mapping[str, list[Array]]

    def metrics(self, shipped: nn.Module, sets: EverydaySets, corpus: Corpus) -> dict[str, Any]:
        """The metrics of a card: of `network` on the validation people, of the shipped one on the test people. No bias
        is applied."""
        validation, test = (research_windows(corpus, part) for part in ("validation", "test"))
        validation_logits = logits_of(self.network, validation.features)
        test_streams = stream_sets(sets, "test")
        return {
            **stream_metrics("validation", self.streams, self.logits, self.rules),
            **stream_metrics("test", test_streams, stream_logits(shipped, test_streams), self.rules),
            **report.metrics("validation", corpus, validation, validation_logits, self.rules),
            **report.metrics("test", corpus, test, logits_of(shipped, test.features), self.rules),
            "test_clips_legs_hidden": self._legs_hidden(shipped, corpus),
            "recall_with_hidden_joints": {
                "split": report.split_of("validation", corpus, validation),
                "how": "share of single windows: whole; knees and ankles hidden; hips hidden too",
                **self.recall_hidden,
            },
        }

    def _legs_hidden(self, shipped: nn.Module, corpus: Corpus) -> dict[str, Any]:
        """Clips of arm actions with hips, knees and ankles out of the picture, as in live recognition: actions
        that need the rest of the body are ruled out and count as unlisted, with the weight that the rules give it."""
        arm_actions = [ACTIONS.index(action) for action in _ARM_ACTIONS]
        chosen = (corpus.part == "test") & np.isin(corpus.dataset, _ARM_SETS) & np.isin(corpus.action, arm_actions)
        windows = windows_of(corpus, np.flatnonzero(chosen), ("hip", "knee", "ankle"))
        probabilities = self.rules.probabilities(logits_of(shipped, windows.features))
        hidden_actions = [place for place, action in enumerate(ACTIONS[:-1]) if self.rules.needs.get(action) != (ARMS,)]
        probabilities[:, -1] += probabilities[:, hidden_actions].sum(axis=1)
        probabilities[:, hidden_actions] = 0
        probabilities[:, -1] *= self.rules.upper_weight
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        clip_report = report_clips(corpus, windows, probabilities)
        return {
            "split": "UTD-MHAD and MSR even subjects: wave, clap, throw, punch; hips, knees and ankles hidden",
            "how": "as test_clips; actions that need what is hidden count as other",
            "accuracy": round(clip_report.accuracy, 4),
            "clips": clip_report.clips,
            "recall": {name: [round(value, 4), n] for name, (value, n) in clip_report.recall.items()},
        }


def choose(network: nn.Module, sets: EverydaySets, corpus: Corpus, biases: Sequence[float] = BIASES) -> Choice:
    """Thresholds and needs, by a network that has not seen the validation people. corpus: of the sets. biases: that
    are tried."""
    streams = stream_sets(sets, "validation")
    logits = stream_logits(network, streams)
    needs, recall = measure_needs(corpus, "validation", lambda features: logits_of(network, features))
    rules, points = calibrate([(streams[name], logits[name]) for name in streams], needs, biases)
    return Choice(rules, dict(zip(streams, points, strict=True)), recall, network, streams, logits)


def research_windows(corpus: Corpus, part: str) -> Windows:
    """Windows of the research recordings; webcam_poses is evaluated as streams."""
    return windows_of(corpus, np.flatnonzero((corpus.part == part) & (corpus.dataset != WEBCAM_POSES)))
