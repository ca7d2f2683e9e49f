"""The linear evaluation during pretraining; for the validation split, where the number of epochs may be chosen."""

import copy
from pathlib import Path
from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

from recognizer.training.pretrain.recipes import Recipe
from research.metrics_file import read_metrics, write_metrics
from research.pretrain.motion import MotionClips, Rows
from research.pretrain.protocols import LinearSettings, linear_evaluation

CURVE_FILE = "curve.json"


class Curve(Callback):
    """Every `every` epochs and at the end: the linear evaluation on `eval_rows` with one copy of `train_rows`. Kept in
    curve.json of the folder; a resumed training appends to it."""

    def __init__(
        self, clips: MotionClips, train_rows: Rows, eval_rows: Rows, recipe: Recipe, seed: int, every: int, folder: Path
    ) -> None:
        self.clips, self.train_rows, self.eval_rows, self.recipe, self.seed = clips, train_rows, eval_rows, recipe, seed
        self.every, self.file = every, folder / CURVE_FILE

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Evaluate if it is due."""
        epoch = trainer.current_epoch + 1
        last = epoch == trainer.max_epochs
        if not trainer.is_global_zero or (epoch % self.every and not last):
            return
        network: Any = pl_module.network
        found = linear_evaluation(
            copy.deepcopy(network.backbone).cpu(),
            self.clips,
            self.train_rows,
            self.eval_rows,
            self.recipe.pace,
            self.seed,
            LinearSettings(copies=1, axes=self.recipe.axes),
        )
        loss = float(trainer.callback_metrics["loss"])
        self._add({"epoch": epoch, "right": found.right, "of": found.of, "loss_of_last_batch": round(loss, 3)})

    def _add(self, point: dict[str, float]) -> None:
        points = [old for old in read_metrics(self.file, []) if old["epoch"] < point["epoch"]] + [point]
        write_metrics(self.file, points)
