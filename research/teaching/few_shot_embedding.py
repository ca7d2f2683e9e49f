"""The recognizer that few-shot episodes build on: trained without the data set whose actions the episodes teach it."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from recognizer.datasets import penn_action, utd_mhad, webcam_poses
from recognizer.datasets.sequences import LabelledSequence
from recognizer.features import CHANNELS, LAYOUT
from recognizer.training.batches import OutputSpace
from recognizer.training.dataset_sequences import labelled_sequences
from recognizer.training.everyday import ACTIONS, WEBCAM_POSES, Corpus, terms
from recognizer.training.everyday_streams import with_sequences
from recognizer.training.export import decision_rules, export
from recognizer.training.models.deployed import Deployed
from recognizer.training.run_folder import NETWORK_FILE, RunError, load_run, save_run
from recognizer.training.supervised import FitSettings, fit, spec_of

STEPS = 3000

# What people before webcams do that is one of the new actions of a set (few_shot.NEW_ACTIONS), under their labels.
SHOWN_BY_PEOPLE = {
    utd_mhad.NAME: ("other:bicep_curl", "other:lunge", "other:side_lunge"),
    penn_action.NAME: (
        *("push_up", "other:incline_push_up", "other:pike_push_up", "other:wall_push_up", "other:chest_press"),
        *("sit_up", "other:crunch", "other:crunch_with_clap_under_leg", "other:v_sit_crunch", "other:reverse_crunch"),
        *("jumping_jacks", "other:starfish_jump", "other:weightlifting_snatch", "other:play_guitar"),
    ),
}

_COLUMNS = ("fps", "depth", "action", "dataset", "part", "name", "lead", "onset", "offset", "person")


def without(corpus: Corpus, dataset: str) -> Corpus:
    """The corpus with no recording of a data set. Raises RunError where nothing is left to learn from."""
    kept = corpus.dataset != dataset
    if not kept.any():
        raise RunError(f"nothing is left without {dataset}; give the folder that holds all data sets")
    kinds = tuple(corpus.kinds[kind] for kind in np.unique(corpus.kind[kept]))
    frames = np.repeat(kept, corpus.length)
    length = corpus.length[kept]
    return replace(
        corpus,
        joints=corpus.joints[frames],
        seen=corpus.seen[frames],
        first=np.cumsum(length) - length,
        length=length,
        kind=np.array([kinds.index(corpus.kinds[kind]) for kind in corpus.kind[kept]], dtype=np.intp),
        kinds=kinds,
        previous=np.full(len(length), -1, dtype=np.intp),  # research recordings stand alone
        **{name: getattr(corpus, name)[kept] for name in _COLUMNS},
    )


def people_without(folder: Path, dataset: str) -> list[LabelledSequence]:
    """The sequences of webcam_poses below a folder of data sets, without the stretches that show a new action of
    `dataset`; those that cannot be read are told in the log and left out."""
    named = SHOWN_BY_PEOPLE.get(dataset, ())
    return [
        replace(each, segments=tuple(segment for segment in each.segments if segment.label not in named))
        for each in labelled_sequences(webcam_poses.read(folder / WEBCAM_POSES))
    ]


def base_folder(runs: Path, dataset: str) -> Path:
    """Where `few-shot` keeps the embedding that never saw a data set."""
    return runs / f"{dataset}-people"


def demand_steps(folder: Path, steps: int) -> None:
    """RunError where the embedding in a folder was trained for another number of steps."""
    trained = load_run(folder).settings["steps"]
    if trained != steps:
        raise RunError(f"{folder} was trained for {trained} steps, not {steps}; give another folder, or remove it")


def train_base(
    corpus: Corpus,
    dataset: str,
    folder: Path,
    *,
    people: Sequence[LabelledSequence] = (),
    seed: int = 0,
    steps: int = STEPS,
) -> Path:
    """A model folder under `folder` whose network never saw `dataset`; a killed training goes on, a done one is kept.

    It learns from the training and validation people of the other sets, as the shipped recognizer does. people:
    sequences of people before webcams, from whom the shipped one learnt as well (people_without).
    """
    rest = with_sequences(without(corpus, dataset), people)
    # Generated recordings show lunges, push-ups and curls, which are new actions of the sets.
    settings = FitSettings(seed=seed, steps=steps, parts=("train", "validation"), generated=False)
    outputs = OutputSpace(rest).names
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / NETWORK_FILE).is_file():
        save_run(folder, fit(rest, settings, folder), spec_of(settings, len(outputs)), asdict(settings), outputs)
    demand_steps(folder, steps)
    run = load_run(folder)
    if run.outputs != outputs:
        raise RunError(f"{folder} was trained on other data sets; give another --runs folder")
    model = folder / "model"
    export(
        Deployed([run.network], listed=len(ACTIONS) - 1),
        len(CHANNELS) * len(LAYOUT),
        model,
        name=f"without-{dataset}",
        family="act",
        decision=decision_rules(1.0, dict.fromkeys(ACTIONS, 0.5)),
        metrics={},
        training_data=terms(rest),
        notes=f"Trained without {dataset}, for few-shot episodes on it; {steps} steps, seed {seed}.",
    )
    return model
