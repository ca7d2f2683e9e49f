"""Evaluates pretrained networks and keeps the scores in their run folders; existing scores are read back."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from recognizer.training.loop import Hardware, is_first_process
from recognizer.training.models.gl_transformer import GlTransformer
from recognizer.training.pretrain.pretraining import Pretrained
from recognizer.training.pretrain.recipes import Recipe
from recognizer.training.run_folder import digest_of
from research.metrics_file import read_metrics, write_metrics
from research.pretrain.motion import MotionClips, Rows
from research.pretrain.protocols import LinearSettings, Score, classify, fine_tune, linear_evaluation
from research.pretrain.tasks import labelled_subset

LINEAR, SEMI, SCRATCH = "linear", "semi", "scratch-"

# Ours; how the paper fine-tunes is not published.
FINE_TUNING = Recipe(
    name="fine-tuning",
    epochs=150,
    batch=16,
    learning_rate=2e-4,
    warmup=20,
    clip_norm=1.0,
    label_smoothing=0.1,
)


@dataclass(frozen=True, slots=True)
class EvaluationProtocol:
    """How a pretrained network is evaluated.

    share: of the labels, for fine-tuning; None is the linear evaluation on all of them. scratch: use random weights.
    fine_tuning: its recipe; clips get the pace of the pretraining. linear: settings of the linear evaluation; clips are
    seen along the axes of the pretraining.
    """

    share: float | None = None
    scratch: bool = False
    fine_tuning: Recipe = FINE_TUNING
    linear: LinearSettings = field(default_factory=LinearSettings)

    @property
    def name(self) -> str:
        """As in the names of files and in what is printed."""
        if self.share is not None:
            name = f"{SEMI}-{100 * self.share:g}"
        else:
            name = f"{LINEAR}-{self.linear.corrupted}-corrupted" if self.linear.corrupted else LINEAR
        return f"{SCRATCH if self.scratch else ''}{name}"

    def of_run(self, recipe: Mapping[str, Any]) -> "EvaluationProtocol":
        """The same with the pace and axes of a pretraining recipe."""
        return replace(
            self,
            fine_tuning=self.fine_tuning.changed(pace=recipe["pace"]),
            linear=replace(self.linear, axes=recipe.get("axes", 1)),
        )

    def describe(self) -> dict[str, Any]:
        """The settings that decide the score."""
        if self.share is not None:
            return {"share": self.share, "recipe": asdict(self.fine_tuning)}
        changed = self.linear != LinearSettings()
        return {"share": 1.0} | ({"linear": asdict(self.linear)} if changed else {})


def evaluate_protocol(
    folder: Path,
    done: Pretrained,
    clips: MotionClips,
    split: tuple[Rows, Rows],
    hardware: Hardware,
    protocol: EvaluationProtocol,
    task: str | None = None,
) -> tuple[str, Score]:
    """The name and the score of a protocol, kept in NAME.json of the run's folder.

    split: rows to train on and to evaluate on. task: that of the clips, where it is not the run's.
    """
    job, (train_rows, eval_rows) = done.job["job"], split
    protocol = protocol.of_run(job["recipe"])
    name = protocol.name if task in (None, job["task"]) else f"{task}-{protocol.name}"
    digests = [digest_of(clips.arrays(rows)) for rows in split]
    described = {"pretraining": job, "protocol": name, "clips": digests, **protocol.describe()}
    file = folder / f"{name}.json"
    content = read_metrics(file, {"described": None})
    if content["described"] == json.loads(json.dumps(described)):
        return name, Score(**content["score"])
    backbone = done.network.backbone
    if protocol.scratch:
        torch.manual_seed(job["seed"])
        backbone = GlTransformer(backbone.config)
    if protocol.share is None:
        rows = train_rows
        result = linear_evaluation(backbone, clips, *split, job["recipe"]["pace"], job["seed"], protocol.linear)
    else:
        rows, recipe = labelled_subset(train_rows, clips.labels, protocol.share, job["seed"]), protocol.fine_tuning
        network = fine_tune(backbone, clips, rows, recipe, job["seed"], folder / name, hardware, described)
        result = classify(network, clips, eval_rows, recipe.pace)
    if is_first_process():
        write_metrics(file, {"described": described, "labelled": len(rows), "score": asdict(result)})
    return name, result
