"""Labelled sequences as rows of the everyday corpus."""

import numpy as np
import pytest
from streams import sequence_of

pytest.importorskip("torch", reason="needs the extra `train`")

from pose.skeleton import MPOSE_13
from recognizer.datasets.errors import DataError
from recognizer.training.batches import BatchMaker, BatchPlan, OutputSpace, gather
from recognizer.training.everyday import ACTIONS, WEBCAM_POSES, merge, read_all
from recognizer.training.everyday_streams import action_and_kind, filled, read_corpus, with_sequences

LABELS = ((0, 2, "idle"), (2, 5, "walk"), (6, 8, "other:jump"), (9, 9.2, "wave"))


@pytest.fixture(scope="module")
def research(tiny_data):
    return merge(read_all(tiny_data))


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("walk", ("walk", "walk")),
        ("other:sit_still", ("idle", "idle")),
        ("other:drink", ("other", "drink")),
        ("handstand", ("other", "handstand")),
    ],
)
def test_labels_are_actions_or_kinds_of_unlisted_motion(label, expected):
    assert action_and_kind(label) == expected


def test_each_labelled_stretch_is_a_row_and_time_without_a_label_is_none(research):
    corpus = with_sequences(research, [sequence_of(10, LABELS, fps=30.0)])
    rows = np.flatnonzero(corpus.dataset == WEBCAM_POSES)
    assert [ACTIONS[a] for a in corpus.action[rows]] == ["idle", "walk", "other"]  # 0.2 s of a wave are too little
    assert [corpus.kinds[k] for k in corpus.kind[rows]] == [f"webcam_poses/{k}" for k in ("idle", "walk", "jump")]
    np.testing.assert_array_equal(corpus.length[rows], [41, 61, 41])
    np.testing.assert_array_equal(corpus.lead[rows], [0, 40, 120])
    np.testing.assert_array_equal(corpus.previous[rows], [-1, rows[0], -1])  # nobody says what came before the jump
    assert set(corpus.fps[rows]) == {20}


def test_what_leads_up_to_a_row_can_be_gathered(research):
    sequence = sequence_of(10, LABELS, fps=20.0, layout=MPOSE_13)
    corpus = with_sequences(research, [sequence])
    walk = np.flatnonzero(corpus.dataset == WEBCAM_POSES)[1]
    joints, _ = gather(corpus, np.array([walk]), np.array([[-10.0, 0.0, 10.0]]))
    # Resampling smooths a little; the pose of half a second before the walk is there all the same.
    for place, frame in enumerate((30, 40, 50)):
        assert np.abs(joints[0, place, :, :2] - sequence.xy_px[frame]).max() < 3


def test_a_gap_without_poses_parts_a_row_and_its_lead(research):
    corpus = with_sequences(research, [sequence_of(10, ((0, 9, "walk"),), absent=((4, 6),))])
    rows = np.flatnonzero(corpus.dataset == WEBCAM_POSES)
    assert list(corpus.lead[rows]) == [0, 0]
    assert all(length <= 81 for length in corpus.length[rows])


def test_people_at_a_desk_get_legs_that_are_not_seen(research):
    corpus = with_sequences(research, [sequence_of(5, ((0, 5, "wave"),), hidden=((0, 6),), layout=MPOSE_13)])
    row = np.flatnonzero(corpus.dataset == WEBCAM_POSES)[0]
    frames = slice(corpus.first[row], corpus.first[row] + corpus.length[row])
    assert not corpus.seen[frames, 9:].any()
    assert np.abs(corpus.joints[frames, 9:, :2]).min() > 0


def test_missing_joints_are_where_they_were_or_where_they_may_be():
    joints = np.zeros((4, 13, 2), np.float32)
    seen = np.zeros((4, 13), bool)
    seen[:, :3] = True
    joints[:, 1], joints[:, 2] = (110, 100), (90, 100)
    joints[:, 0] = (100, 80)
    seen[1, 3], joints[1, 3] = True, (115, 120)
    out = filled(joints, seen)
    np.testing.assert_array_equal(out[:, 3], np.tile([115, 120], (4, 1)))
    np.testing.assert_allclose(out[0, 7], [106, 130], atol=1e-3)  # a torso of 1.5 shoulders down
    assert out[0, 11, 1] > out[0, 9, 1] > out[0, 7, 1]


def test_batches_are_drawn_from_both_kinds_of_data(tiny_data):
    corpus = read_corpus(tiny_data)
    assert {"train", "validation", "test"} == set(corpus.part[corpus.dataset == WEBCAM_POSES])
    maker = BatchMaker(corpus, OutputSpace(corpus), BatchPlan(), corpus.part == "train")
    features, target = maker.batch(np.random.default_rng(0), 64)
    assert np.isfinite(features).all()
    np.testing.assert_allclose(target.sum(axis=1), 1, atol=1e-5)
    drawn = np.concatenate([d.sample(np.random.default_rng(1), 500) for d in (maker._listed, maker._unlisted)])
    assert (corpus.dataset[drawn] == WEBCAM_POSES).any()
    assert (corpus.part[drawn] == "train").all()


def test_windows_end_in_the_action(tiny_data):
    corpus = read_corpus(tiny_data)
    maker = BatchMaker(corpus, OutputSpace(corpus), BatchPlan(), corpus.part == "train")
    rows = np.repeat(np.flatnonzero(corpus.dataset == WEBCAM_POSES), 50)
    positions, share = maker._windows(np.random.default_rng(0), rows)
    assert (positions[:, -1] >= np.minimum(0.3 * corpus.fps[rows], corpus.offset[rows]) - 1e-6).all()
    assert (positions[:, -1] <= corpus.offset[rows] + 0.1 * corpus.fps[rows] + 1e-6).all()
    assert share.min() < 0.4
    assert share.max() == 1


@pytest.mark.parametrize("name", [WEBCAM_POSES, "utd_mhad"])
def test_nothing_is_taken_of_a_set_that_is_left_out(tiny_data, capsys, name):
    whole, rest = read_corpus(tiny_data), read_corpus(tiny_data, leave_out=[name])
    assert set(whole.dataset) - set(rest.dataset) == {name}
    assert len(rest) == (whole.dataset != name).sum()
    assert WEBCAM_POSES not in capsys.readouterr().err
    with pytest.raises(DataError, match="no data set 'mine' to leave out"):
        read_corpus(tiny_data, leave_out=["mine"])


def test_a_folder_without_webcam_poses_is_told(tiny_data, tmp_path, capsys):
    for folder in tiny_data.iterdir():
        if folder.name != WEBCAM_POSES:
            (tmp_path / folder.name).symlink_to(folder)
    corpus = read_corpus(tmp_path)
    assert WEBCAM_POSES not in corpus.dataset
    assert f"{tmp_path} has no {WEBCAM_POSES}" in capsys.readouterr().err


def test_a_run_in_which_no_joint_is_sure_is_no_motion_and_ends_no_training(research):
    sequence = sequence_of(10, ((0, 4, "walk"), (6, 10, "squat")), absent=((4, 6),))
    sequence.confidence[sequence.times_s < 4] = 0.05
    corpus = with_sequences(research, [sequence])
    assert [ACTIONS[a] for a in corpus.action[corpus.dataset == WEBCAM_POSES]] == ["squat"]
