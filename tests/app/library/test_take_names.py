"""Names of takes: from the catalogue, and from recordings that are not in it yet."""

from dataclasses import replace

import pytest
from library_fakes import add_recording, make_poses

from app.library.catalogue import Library
from app.library.database import FILE
from app.library.pose_recordings import describe, store
from app.library.rows import NewSegment
from app.library.take_names import take_names


def counts(named):
    return {each.name: each.segments for each in named}


def recorded(library, seed, action, person=""):
    """On disk alone, as the recorder leaves it."""
    poses = make_poses(seed)
    return store(library.root, library.staging(), replace(describe(poses, "cam"), action=action, person=person), poses)


@pytest.mark.parametrize("is_open", [True, False])
def test_takes_count_whether_they_are_entered_or_not(tmp_path, is_open):
    library = Library(tmp_path)
    add_recording(library, 1, [NewSegment(0, 1, 0, "wave", "Ada"), NewSegment(1, 2, 0, "wave")])
    recorded(library, 2, "Wave", "Ada")
    recorded(library, 3, "jump")
    recorded(library, 4, "")
    if not is_open:
        library.close()
    actions, people = take_names(tmp_path)
    assert counts(actions) == {"nothing": 0, "wave": 3, "jump": 1}
    assert counts(people) == {"Ada": 2}
    library.close()
    with Library(tmp_path) as other:
        assert not other.read_only, "nothing was locked"


def test_without_a_catalogue_or_with_a_damaged_one_the_recordings_tell(tmp_path):
    assert take_names(tmp_path) == ([], [])
    with Library(tmp_path) as library:
        recorded(library, 2, "jump")
    (tmp_path / FILE).write_bytes(b"no database at all, this is")
    assert counts(take_names(tmp_path)[0]) == {"jump": 1}
