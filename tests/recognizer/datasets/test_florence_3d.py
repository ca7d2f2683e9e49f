"""Florence 3D Actions, on a small file in its exact layout: 48 numbers a line, one line a frame."""

import numpy as np
import pytest

from pose.skeleton import JHMDB_15
from recognizer.datasets import florence_3d
from recognizer.datasets.errors import DataError, EmptyFileError
from recognizer.datasets.registry import dataset_in

# The file's own order.
HEAD, NECK, SPINE, LEFT_SHOULDER, LEFT_WRIST, RIGHT_SHOULDER, RIGHT_WRIST = 0, 1, 2, 3, 5, 6, 8
LEFT_HIP, RIGHT_HIP = 9, 12


def person(side=1):
    """(15, 3) metres of somebody who faces the camera, y up; side: which way x runs for the person's left."""
    down = {0: 0.7, 1: 0.5, 2: 0.2}
    place = [(0.0, height, 2.5) for height in down.values()]
    for x in (0.2 * side, -0.2 * side):
        place += [(x, 0.45, 2.5), (1.5 * x, 0.2, 2.5), (1.5 * x, -0.05, 2.4)]
    for x in (0.1 * side, -0.1 * side):
        place += [(x, 0.0, 2.5), (x, -0.4, 2.5), (x, -0.8, 2.5)]
    return np.array(place)


def lines(video, actor, category, frames):
    return [
        f"{video} {actor} {category} " + " ".join(f"{value:.5f}" for value in frame.reshape(-1)) for frame in frames
    ]


def moving(count=5, side=1, scale=1.0):
    frames = np.stack([person(side)] * count)
    frames[:, RIGHT_WRIST, 1] += np.linspace(0, 0.8, count)  # raises the right hand
    return frames * scale


def write(folder, *rows):
    (folder / florence_3d.FILE).write_text("\n".join(line for row in rows for line in row) + "\n")


def test_videos_people_actions_and_the_split(tmp_path):
    write(tmp_path, lines(1, 1, 1, moving()), lines(2, 5, 6, moving(3)), lines(3, 6, 9, moving(4)))
    found = list(florence_3d.read(tmp_path))
    assert [(s.name, s.action, s.subject, s.test, len(s.joints)) for s in found] == [
        ("v001_s01_a1", "wave", 1, False, 5),
        ("v002_s05_a6", "sit_down", 5, False, 3),
        ("v003_s06_a9", "bow", 6, True, 4),
    ]
    assert {s.layout for s in found} == {JHMDB_15}
    assert dataset_in(tmp_path) is florence_3d.DATASET


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("scale", [1.0, 1000.0], ids=["metres", "millimetres"])
def test_joints_have_their_names_and_the_pictures_axes(side, scale, tmp_path):
    frames = moving(side=side, scale=scale)
    write(tmp_path, lines(7, 2, 1, frames))
    (sequence,) = florence_3d.read(tmp_path)
    by_name = {name: sequence.joints[-1, index] for index, name in enumerate(JHMDB_15.joints)}
    expected = moving(side=1)[-1] * [1, -1, 1]  # the left on the picture's right, y down, metres
    for name, index in (
        *(("head", HEAD), ("neck", NECK), ("belly", SPINE), ("left_shoulder", LEFT_SHOULDER)),
        *(("left_wrist", LEFT_WRIST), ("right_wrist", RIGHT_WRIST), ("left_hip", LEFT_HIP), ("right_hip", RIGHT_HIP)),
        ("right_shoulder", RIGHT_SHOULDER),
    ):
        np.testing.assert_allclose(by_name[name], expected[index], atol=1e-4)
    assert by_name["right_wrist"][1] < by_name["right_shoulder"][1]  # raised


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("1 1 1 0.5", "line 2 is not 48 numbers"),
        ("x", "line 2 is not 48 numbers"),
        ("1 2 1 " + " ".join(["0.5"] * 45), "lines 1 to 3: not one video of one person"),
        ("1 1 1 " + " ".join(["nan"] * 45), "lines 1 to 3: joints that are not positions"),
    ],
)
def test_a_video_with_a_damaged_line_is_one_problem(line, says, tmp_path):
    first = lines(1, 1, 1, moving(3))
    first[1] = line
    write(tmp_path, first, lines(2, 1, 4, moving(3)))
    problem, good = florence_3d.read(tmp_path)
    assert says in str(problem)
    assert str(tmp_path / florence_3d.FILE) in str(problem)
    assert good.action == "clap"


def test_categories_beyond_nine_and_videos_of_nobody(tmp_path):
    write(tmp_path, lines(1, 1, 10, moving(3)), lines(2, 1, 1, np.zeros((3, 15, 3))), lines(3, 1, 1, moving(1)))
    unknown, nobody, short = florence_3d.read(tmp_path)
    assert "one of 9 actions" in str(unknown)
    assert (type(nobody), type(short)) == (EmptyFileError, EmptyFileError)
    with pytest.raises(DataError, match="folder that holds the data sets"):
        florence_3d.read(tmp_path / "gone")
