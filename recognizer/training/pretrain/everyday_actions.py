"""Training a pretrained network on everyday actions, and its export as a model for live use and Quick teaching."""

from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from recognizer.model_card import ModelCard
from recognizer.training.batches import BatchMaker, BatchPlan, OutputSpace
from recognizer.training.choice import choose
from recognizer.training.errors import TrainingError
from recognizer.training.everyday import ACTIONS, Corpus, terms
from recognizer.training.everyday_streams import EverydaySets
from recognizer.training.export import export
from recognizer.training.loop import Batch, Hardware
from recognizer.training.models.deployed import Deployed
from recognizer.training.models.gl_features import GlFeatures
from recognizer.training.pretrain.pretraining import Pretrained, RecipeTraining, fit
from recognizer.training.pretrain.recipes import Recipe
from recognizer.training.run_folder import claim_folder, digest_of_columns
from recognizer.training.supervised import STEPS_AN_EPOCH, FitSettings, LabelledBatches, loss_of

FAMILY = "gl-transformer"
NOTES = (
    "Pretrained without labels, then {how} on the labelled windows of the training people. Figures are of skeletons "
    "from Kinect cameras and hand annotation and are optimistic for a webcam. Trained on research data; see the terms "
    "of each set before other use."
)
# Both are ours: on windows drawn as for the other recognizers, a linear layer alone or all of the network.
LINEAR = Recipe(
    name="linear",
    epochs=6,
    batch=128,
    learning_rate=3e-3,
    weight_decay=0.01,
    decay=0.7,
    clip_norm=1.0,
)
WHOLE = Recipe(
    name="whole",
    epochs=20,
    batch=128,
    learning_rate=5e-4,
    weight_decay=0.05,
    decay=0.85,
    warmup=100,
    clip_norm=1.0,
    label_smoothing=0.05,
)
_MERGED_LOSS = FitSettings().merged_loss  # as for the other recognizers


class EverydayTraining(RecipeTraining):
    """Trains the whole network, or its head alone, on everyday actions."""

    network: GlFeatures

    def __init__(self, network: GlFeatures, recipe: Recipe, seed: int, *, whole: bool) -> None:
        super().__init__(network, recipe, STEPS_AN_EPOCH, seed)
        self.whole = whole
        network.backbone.requires_grad_(whole)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The same loss as for the other recognizers."""
        features, target = batch
        if not self.whole:
            self.network.backbone.eval()
        logits = self.network(features).float()
        return {"loss": loss_of(logits, target, self.recipe.label_smoothing, _MERGED_LOSS)}


def train_actions(
    pretrained: Pretrained, corpus: Corpus, folder: Path, hardware: Hardware, seed: int, recipe: Recipe
) -> GlFeatures:
    """The network with a head for the everyday actions, in eval mode; a killed training in `folder` goes on. recipe:
    LINEAR, or WHOLE with its changes. Raises TrainingError, RunError."""
    if reason := hardware.fits(recipe.batch):
        raise TrainingError(reason)
    outputs = OutputSpace(corpus)
    torch.manual_seed(seed)
    network = GlFeatures(pretrained.network.backbone, len(outputs))
    described = {
        "pretraining": pretrained.job,
        "recipe": asdict(recipe),
        "seed": seed,
        "outputs": list(outputs.names),
        "data": digest_of_columns(corpus),
    }
    claim_folder(folder, described)
    training = EverydayTraining(network, recipe, seed, whole=recipe.name == WHOLE.name)
    maker = BatchMaker(corpus, outputs, BatchPlan(), corpus.part == "train")
    fit(training, LabelledBatches(maker, recipe.batch, seed), folder, hardware)
    return network.float().cpu().eval().requires_grad_(False)


def write_model(network: GlFeatures, corpus: Corpus, sets: EverydaySets, folder: Path, how: str) -> ModelCard:
    """model.onnx and card.json with figures of the validation people and of the test split, at thresholds chosen on
    the former. corpus: of the sets. how: the network was trained on the actions, for the notes."""
    chosen = choose(_deployed(network), sets, corpus)
    rules = chosen.rules
    return export(
        _deployed(network, rules.other_bias),
        folder,
        name=folder.resolve().name,
        family=FAMILY,
        decision=rules.decision_rules(),
        metrics=chosen.metrics(_deployed(network), sets, corpus),
        training_data=terms(corpus),
        notes=NOTES.format(how=how),
    )


def _deployed(network: GlFeatures, other_bias: float = 0.0) -> Deployed:
    return Deployed([network], listed=len(ACTIONS) - 1, other_bias=other_bias)
