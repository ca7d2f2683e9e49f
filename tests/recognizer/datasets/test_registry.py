"""What each DATASET says fits what is said elsewhere."""

from collections import Counter

import pytest

from pose.skeleton import LAYOUTS
from recognizer.datasets import registry
from recognizer.datasets.errors import DataError
from recognizer.datasets.registry import DATASETS
from recognizer.training.everyday import ACTIONS, IDLE, OTHER, REQUIRED


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=DATASETS)
def test_a_set_says_all_that_is_asked_of_it(dataset):
    assert dataset.layout in LAYOUTS.values()
    assert dataset.terms.name
    assert dataset.terms.source
    assert dataset.terms.terms
    assert set(dataset.everyday) <= set(ACTIONS) - {IDLE, OTHER}
    named = [name for names in dataset.everyday.values() for name in names]
    assert len(named) == len(set(named)), "one of its actions means two"
    assert not set(named) & dataset.left_out


def test_sets_are_told_apart():
    patterns = Counter(dataset.files for dataset in DATASETS.values())
    assert max(patterns.values()) == 1
    assert all(patterns)
    splits = [split.name for dataset in DATASETS.values() for split in dataset.splits]
    assert len(splits) == len(set(splits))


def test_what_the_shipped_recognizers_learnt_from_comes_first_and_in_their_order():
    """A draw of a training depends on it."""
    assert tuple(DATASETS)[: len(REQUIRED)] == REQUIRED
    assert all(DATASETS[name].everyday for name in REQUIRED)


def test_an_unknown_name_and_the_terms_of_some():
    with pytest.raises(DataError, match="there is no data set called imagenet; choose one of florence_3d, jhmdb14"):
        registry.dataset_of("imagenet")
    terms = registry.terms_of({"webcam_poses", "penn_action", "of one's own"})
    assert [source.name for source in terms] == ["Penn Action", "Poses of real people before a camera"]
