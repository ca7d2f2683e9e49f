"""Evaluates pretrained networks and keeps the scores in their run folders; existing scores are read back."""

import json
from dataclasses import asdict, replace
from pathlib import Path

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


def evaluate_protocol(
    folder: Path,
    done: Pretrained,
    clips: MotionClips,
    split: tuple[Rows, Rows],
    hardware: Hardware,
    *,
    task: str | None = None,
    share: float | None = None,
    scratch: bool = False,
    changed: dict[str, int] | None = None,
    linear: LinearSettings | None = None,
) -> tuple[str, Score]:
    """The name and the score of a protocol, kept in NAME.json of the run's folder.

    split: rows to train on and to evaluate on. task: that of the clips, where it is not the run's. share: of the
    labels, for fine-tuning; None is the linear evaluation. scratch: use random weights. changed: fields of the
    fine-tuning recipe. linear: settings of the linear evaluation.
    """
    job, (train_rows, eval_rows) = done.job["job"], split
    linear = replace(linear or LinearSettings(), axes=job["recipe"].get("axes", 1))
    name = (SCRATCH if scratch else "") + (LINEAR if share is None else f"{SEMI}-{100 * share:g}")
    if share is None and linear.corrupted:
        name += f"-{linear.corrupted}-corrupted"
    if task not in (None, job["task"]):
        name = f"{task}-{name}"
    recipe = FINE_TUNING.changed(pace=job["recipe"]["pace"], **(changed or {}))
    described = {
        "pretraining": job,
        "protocol": name,
        "share": 1.0 if share is None else share,
        "clips": [digest_of(clips.arrays(rows)) for rows in split],
    }
    if share is not None:
        described["recipe"] = asdict(recipe)
    elif linear != LinearSettings():
        described["linear"] = asdict(linear)
    file = folder / f"{name}.json"
    content = read_metrics(file, {"described": None})
    if content["described"] == json.loads(json.dumps(described)):
        return name, Score(**content["score"])
    backbone = done.network.backbone
    if scratch:
        torch.manual_seed(job["seed"])
        backbone = GlTransformer(backbone.config)
    if share is None:
        result = linear_evaluation(backbone, clips, train_rows, eval_rows, recipe.pace, job["seed"], linear)
    else:
        rows = labelled_subset(train_rows, clips.labels, share, job["seed"])
        network = fine_tune(backbone, clips, rows, recipe, job["seed"], folder / name, hardware, described)
        result = classify(network, clips, eval_rows, recipe.pace)
    if is_first_process():
        count = round((1.0 if share is None else share) * len(train_rows))
        found = {"described": described, "labelled": count, "score": asdict(result)}
        write_metrics(file, found)
    return name, result
