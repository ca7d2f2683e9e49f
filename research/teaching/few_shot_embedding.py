"""The recognizer that few-shot episodes build on: trained without the data set whose actions the episodes teach it."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from recognizer.datasets import penn_action, utd_mhad, webcam_poses
from recognizer.datasets.sequences import ActionSequence, LabelledSequence
from recognizer.model_card import DecisionRules
from recognizer.training.batches import OutputSpace
from recognizer.training.dataset_sequences import labelled_sequences
from recognizer.training.everyday import ACTIONS, OTHER, WEBCAM_POSES, Corpus, merge, terms
from recognizer.training.everyday_streams import with_sequences
from recognizer.training.export import export
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


def corpus_without(sequences: Iterable[ActionSequence], dataset: str) -> Corpus:
    """The sequences of all data sets but one. Raises RunError where nothing is left to learn from."""
    rest = [sequence for sequence in sequences if sequence.dataset != dataset]
    if not rest:
        raise RunError(f"nothing is left without {dataset}; give the folder that holds all data sets")
    return merge(rest)


def people_without(folder: Path, dataset: str) -> list[LabelledSequence]:
    """The sequences of webcam_poses below a folder of data sets, without the stretches that show a new action of
    `dataset`; those that cannot be read are logged and left out."""
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
    sequences: Iterable[ActionSequence],
    dataset: str,
    folder: Path,
    *,
    people: Sequence[LabelledSequence] = (),
    seed: int = 0,
    steps: int = STEPS,
) -> Path:
    """A model folder under `folder` whose network never saw `dataset`; a killed training goes on, a done one is kept.

    It is trained on the training and validation people of the other sets, like the shipped recognizer. people:
    sequences of people before webcams, which the shipped one is trained on as well (people_without).
    """
    rest = with_sequences(corpus_without(sequences, dataset), people)
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
        model,
        name=f"without-{dataset}",
        family="act",
        decision=DecisionRules(1.0, dict.fromkeys(ACTIONS, 0.5), (OTHER,)),
        metrics={},
        training_data=terms(rest),
        notes=f"Trained without {dataset}, for few-shot episodes on it; {steps} steps, seed {seed}.",
    )
    return model
