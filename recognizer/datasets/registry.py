"""All data sets by name. A new one is a file with its DATASET, and a line here."""

from collections.abc import Collection
from pathlib import Path

from pose.folders import is_leftover
from recognizer.datasets import (
    florence_3d,
    jhmdb,
    kinetics_skeleton,
    mpose2021,
    msr_action3d,
    ntu,
    nw_ucla,
    penn_action,
    utd_mhad,
    utd_openpose,
    webcam_poses,
)
from recognizer.datasets.dataset import DataSet
from recognizer.datasets.errors import DataError
from recognizer.model_card import TrainingSource

# In the order in which training reads them and cards name them; the seeds of trainings depend on it.
DATASETS: dict[str, DataSet] = {
    dataset.name: dataset
    for dataset in (
        penn_action.DATASET,
        utd_mhad.DATASET,
        nw_ucla.DATASET,
        msr_action3d.DATASET,
        jhmdb.DATASET,
        webcam_poses.DATASET,
        utd_openpose.DATASET,
        ntu.DATASET,
        kinetics_skeleton.DATASET,
        mpose2021.DATASET,
        florence_3d.DATASET,
    )
}


def dataset_of(name: str) -> DataSet:
    """The data set of that name; DataError lists those that there are."""
    if name not in DATASETS:
        raise DataError(f"there is no data set called {name}; choose one of {', '.join(sorted(DATASETS))}")
    return DATASETS[name]


def dataset_in(folder: Path) -> DataSet | None:
    """Which data set lies in a folder, by the names of its files; None where it is none that is known by them."""
    for dataset in DATASETS.values():
        files = folder.glob(dataset.files) if dataset.files else ()
        if any(not is_leftover(file.relative_to(folder)) for file in files):
            return dataset
    return None


def terms_of(names: Collection[str]) -> tuple[TrainingSource, ...]:
    """The terms of the data sets among these names, in the registry's order."""
    return tuple(dataset.terms for dataset in DATASETS.values() if dataset.name in names)
