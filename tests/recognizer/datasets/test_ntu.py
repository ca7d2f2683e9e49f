"""NTU RGB+D: files written number by number as the set has them."""

import numpy as np
import pytest

from pose.skeleton import NTU_25
from recognizer.datasets import ntu
from recognizer.datasets.errors import DataError, EmptyFileError


def skeleton_file(frames, ids=None):
    """frames: a list of lists of bodies (25, 3). ids: of each body; by default 0, 1, ... in each frame."""
    lines = [str(len(frames))]
    for index, bodies in enumerate(frames):
        lines.append(str(len(bodies)))
        for number, body in zip(ids[index] if ids else range(len(bodies)), bodies, strict=True):
            lines += [f"7205759403793{number:04d} 0 1 1 1 1 0 0.02 -0.3 2", "25"]
            lines += [f"{x} {y} {z} 250.1 200.2 960.3 540.4 0.1 0.2 0.3 0.9 2" for x, y, z in body]
    return "\n".join(lines) + "\n"


def bodies(count, frames=30, seed=0):
    return np.random.default_rng(seed).normal(size=(frames, count, 25, 3)).round(4)


def write(folder, name, frames, ids=None):
    (folder / f"{name}.skeleton").write_text(skeleton_file(frames, ids))


def test_joints_names_and_people(tmp_path):
    content = bodies(2)
    write(tmp_path, "S001C002P003R002A058", content)
    (recording,) = ntu.read(tmp_path)
    assert (recording.name, recording.action, recording.subject) == ("S001C002P003R002A058", "shake_hands", 3)
    assert recording.layout == NTU_25
    assert recording.joints.dtype == np.float32
    np.testing.assert_allclose(recording.joints, content[:, 0] * [-1, -1, 1], rtol=1e-6)  # the picture's axes
    (other,) = recording.others
    np.testing.assert_allclose(other.joints, content[:, 1] * [-1, -1, 1], rtol=1e-6)
    assert recording.seen.all()
    assert other.seen.all()


def test_a_second_person_who_comes_and_goes(tmp_path):
    content = [list(frame) for frame in bodies(2)]
    content[0] = content[0][:1]
    content[-1] = []
    write(tmp_path, "S001C001P001R001A001", content)
    (recording,) = ntu.read(tmp_path)
    assert len(recording.joints) == 30
    assert not recording.others[0].seen[[0, -1]].any()
    assert recording.others[0].seen[1:-1].all()
    assert not recording.seen[-1].any()
    assert not recording.joints[-1].any()


def test_of_three_people_the_first_two_are_kept(tmp_path):
    content = bodies(3)
    write(tmp_path, "S001C001P001R001A001", content)
    (first,) = ntu.read(tmp_path)
    np.testing.assert_allclose(first.joints[..., 2], content[:, 0, :, 2], rtol=1e-6)
    assert len(first.others) == 1


def depths(person):
    """Of the first joint, 0 where the person is not there."""
    return person.joints[:, 0, 2].round(4).tolist()


def test_people_who_change_places_in_the_file_are_followed_by_their_numbers(tmp_path):
    content = bodies(2, frames=6)
    swapped = [frame if n < 3 else frame[::-1] for n, frame in enumerate(content)]
    write(tmp_path, "S001C001P001R001A058", swapped, [(1367, 1368) if n < 3 else (1368, 1367) for n in range(6)])
    (followed,) = ntu.read(tmp_path)
    for body, person in enumerate(followed.people):
        np.testing.assert_allclose(depths(person), content[:, body, 0, 2], atol=1e-4)
    (as_in_file,) = ntu.read(tmp_path, order="file")
    for body, person in enumerate(as_in_file.people):
        expected = [frame[body, 0, 2] for frame in swapped]
        np.testing.assert_allclose(depths(person), expected, atol=1e-4)
    with pytest.raises(DataError, match="ids, file"):
        list(ntu.read(tmp_path, order="size"))


def test_who_stays_keeps_a_place_and_who_is_found_again_takes_the_free_one(tmp_path):
    content = bodies(2, frames=4)
    frames = [content[0], content[1][1:], content[2], content[3][::-1]]  # the first is lost for a frame
    write(tmp_path, "S001C001P001R001A058", frames, [(7, 8), (8,), (9, 8), (8, 9)])
    (recording,) = ntu.read(tmp_path)
    first, second = recording.people
    np.testing.assert_allclose(depths(second), content[:, 1, 0, 2], atol=1e-4)
    np.testing.assert_allclose(depths(first), [content[0, 0, 0, 2], 0, *content[2:, 0, 0, 2]], atol=1e-4)


def test_one_person_with_many_numbers_is_one_person(tmp_path):
    content = bodies(1, frames=6)
    write(tmp_path, "S001C001P001R001A001", content, [(n // 2,) for n in range(6)])
    (recording,) = ntu.read(tmp_path)
    assert recording.others == ()
    np.testing.assert_allclose(depths(recording), content[:, 0, 0, 2], atol=1e-4)


def test_a_number_that_is_there_twice_is_two_people(tmp_path):
    content = bodies(2, frames=3)
    write(tmp_path, "S001C001P001R001A058", content, [(5, 5)] * 3)
    (recording,) = ntu.read(tmp_path)
    for body, person in enumerate(recording.people):
        np.testing.assert_allclose(depths(person), content[:, body, 0, 2], atol=1e-4)


def names_of(folder, **options):
    return {r.name: r.test for r in ntu.read(folder, **options)}


def test_the_official_splits(tmp_path):
    for name in ("S001C001P001R001A001", "S002C002P003R001A060", "S017C003P038R001A010", "S018C001P044R001A061"):
        write(tmp_path, name, bodies(1, frames=3))
    write(tmp_path, "S032C002P103R001A120", bodies(1, frames=3))
    assert names_of(tmp_path) == {
        "S001C001P001R001A001": False,
        "S002C002P003R001A060": True,
        "S017C003P038R001A010": False,
    }
    assert list(names_of(tmp_path, protocol="xview").values()) == [True, False, False]
    assert list(names_of(tmp_path, actions=120).values()) == [False, True, False, True, False]
    assert list(names_of(tmp_path, protocol="xset", actions=120).values()) == [True, False, True, False, False]
    for protocol, actions in (("xset", 60), ("xview", 120), ("xsub", 61)):
        with pytest.raises(DataError, match="choose one of 60: xsub, xview; 120: xsub, xset"):
            list(ntu.read(tmp_path, protocol=protocol, actions=actions))


def test_the_people_who_train_are_those_of_the_papers():
    """Those of Shahroudy et al. 2016, and the further ones of Liu et al. 2019."""
    of_60 = (1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38)
    of_120 = (*(45, 46, 47, 49, 50, 52, 53, 54, 55, 56, 57, 58, 59, 70, 74, 78, 80, 81, 82, 83, 84, 85, 86, 89),)
    assert {*of_60, *of_120, 91, 92, 93, 94, 95, 97, 98, 100, 103} == ntu.TRAIN_SUBJECTS
    assert len(ntu.TRAIN_SUBJECTS) == 53


def test_actions_have_the_numbers_of_the_authors_list():
    numbers = {
        **{5: "drop", 6: "pick_up", 7: "throw", 8: "sit_down", 9: "stand_up", 10: "clap", 23: "wave", 43: "fall_down"},
        **{60: "walk_apart", 61: "put_on_headphone", 80: "squat_down", 99: "run_on_the_spot"},
        120: "finger_guessing_game",
    }
    assert {number: ntu.ACTIONS[number - 1] for number in numbers} == numbers
    assert len(ntu.ACTIONS) == len(set(ntu.ACTIONS)) == 120


def test_files_without_anyone_are_one_line_each(tmp_path):
    write(tmp_path, "S001C001P001R001A001", [])
    write(tmp_path, "S001C001P001R001A002", [[], [], []])
    (tmp_path / "S001C001P001R001A003.skeleton").write_text("")
    found = list(ntu.read(tmp_path))
    assert [type(one) for one in found] == [EmptyFileError] * 3
    assert all(str(one).endswith("nobody in it, left out") for one in found)


def whole():
    return skeleton_file(bodies(1, frames=4))


@pytest.mark.parametrize(
    "content",
    [
        whole()[:-300],
        whole().replace("\n25\n", "\n24\n"),
        "words",
        "1e400",
        "nan",
        "-3",
        "999999999999",
        "4\n1\n",
        "2\n-1\n",
        "3\n99999999\n",
        "\u00e4",
    ],
)
def test_damaged_files_are_one_line(content, tmp_path):
    file = tmp_path / "S001C001P001R001A001.skeleton"
    file.write_text(content, encoding="utf-8")
    (problem,) = ntu.read(tmp_path)
    assert type(problem) is DataError
    assert f"{file.name}: not a whole skeleton file" in str(problem)
    assert "\n" not in str(problem)


def test_joints_that_are_not_numbers_are_missing(tmp_path, caplog):
    content = bodies(1)
    content[3, 0, 7, 1] = np.nan
    write(tmp_path, "S001C001P001R001A001", content)
    (recording,) = ntu.read(tmp_path)
    assert np.isfinite(recording.joints).all()
    assert np.argwhere(~recording.seen).tolist() == [[3, 7]]
    assert "1 joints are not numbers" in caplog.text


def test_wrong_folder_and_wrong_names(tmp_path):
    with pytest.raises(DataError, match="no NTU RGB"):
        list(ntu.read(tmp_path))
    write(tmp_path, "S001C001P001R001A121", bodies(1))
    for actions in (60, 120):
        (problem,) = ntu.read(tmp_path, actions=actions)
        assert "no action 121" in str(problem)
