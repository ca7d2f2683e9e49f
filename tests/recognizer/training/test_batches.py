"""What training batches are made of."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `train`")

from pose.skeleton import KINECT_20, MPOSE_13
from recognizer.datasets import kinect
from recognizer.training import augment
from recognizer.training.batches import (
    BatchMaker,
    BatchPlan,
    OutputSpace,
    exchange_legs,
    gather,
    newer_weight,
    splice,
)
from recognizer.training.everyday import ACTIONS, merge, read_all


@pytest.fixture(scope="module")
def corpus(tiny_data):
    return merge(read_all(tiny_data))


@pytest.fixture(scope="module")
def maker(corpus):
    return BatchMaker(corpus, OutputSpace(corpus), BatchPlan(), corpus.part == "train")


def some_clips(n=6, seed=0):
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 0.02, (n, 30, 13, 3))
    return (rng.normal(0, 1, (n, 1, 13, 3)) + np.cumsum(steps, axis=1)).astype(np.float32)


def bones(joints):
    return {
        (a, b): np.linalg.norm(joints[..., a, :] - joints[..., b, :], axis=-1)
        for a, b in MPOSE_13.edge_indices
        if "head" not in (MPOSE_13.joints[a], MPOSE_13.joints[b])
    }


def test_a_batch_depends_on_its_generator_alone(maker):
    a, b, c = (maker.batch(np.random.default_rng(seed), 32) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a[0], b[0])
    np.testing.assert_array_equal(a[1], b[1])
    assert np.abs(a[0] - c[0]).max() > 0.1


def test_targets_are_distributions_and_features_finite(maker):
    features, target = maker.batch(np.random.default_rng(0), 64)
    assert features.shape == (64, 30, 78)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    np.testing.assert_allclose(target.sum(axis=1), 1, atol=1e-5)
    assert target[:, ACTIONS.index("idle")].sum() > 3
    assert target[:, len(ACTIONS) - 1 :].sum() > 12  # unlisted and made up


def test_only_chosen_recordings_are_drawn(corpus):
    chosen = corpus.part == "train"
    maker = BatchMaker(corpus, OutputSpace(corpus), BatchPlan(), chosen)
    drawn = np.concatenate([d.sample(np.random.default_rng(0), 2000) for d in (maker._listed, maker._unlisted)])
    assert chosen[drawn].all()
    assert chosen[maker._any].all()
    assert chosen[maker._still_recording].all()
    assert set(corpus.action[drawn]) == set(corpus.action[chosen])


def test_gather_interpolates_and_holds_the_ends(corpus):
    first = corpus.first[3]
    joints, _ = gather(corpus, np.array([3]), np.array([[-5, 0, 1.5, 1e6]]))
    np.testing.assert_array_equal(joints[0, 0], corpus.joints[first])
    np.testing.assert_array_equal(joints[0, 1], corpus.joints[first])
    np.testing.assert_allclose(joints[0, 2], corpus.joints[first + 1 : first + 3].mean(axis=0), rtol=1e-5)
    np.testing.assert_array_equal(joints[0, 3], corpus.joints[first + corpus.length[3] - 1])


def test_a_spliced_clip_ends_with_its_own_motion_and_has_no_jump():
    joints = some_clips(2)
    joints[1] += 50
    seen = np.ones(joints.shape[:3], bool)
    seen[1, :, 0] = False
    out, out_seen = splice(joints, seen, np.array([1, 0]), np.array([0.4, 1.0]))
    np.testing.assert_array_equal(out[1], joints[1])
    np.testing.assert_array_equal(out[0, 20:], joints[0, 20:])
    np.testing.assert_array_equal(out_seen[0, :18], seen[1, 12:])
    np.testing.assert_array_equal(out_seen[0, 18:], seen[0, 18:])
    hips = augment.middle(out, [7, 8])[0]
    assert np.abs(np.diff(hips, axis=0)).max() < 0.3  # no jump from where the other stood
    # Before the join it is the partner's clip, coming to its end.
    np.testing.assert_allclose(np.diff(out[0, :16], axis=0), np.diff(joints[1, 12:28], axis=0), atol=1e-4)


def test_the_newer_motion_counts_for_more_from_a_quarter_of_the_window_on():
    np.testing.assert_allclose(newer_weight(np.float32([0, 0.25, 1])), [0, 0.5, 1], atol=1e-6)
    assert (np.diff(newer_weight(np.linspace(0, 1, 20, dtype=np.float32))) > 0).all()


def test_exchanged_legs_hang_on_the_hips():
    a, b = some_clips(2), some_clips(2, seed=1)
    out = exchange_legs(a, b)
    np.testing.assert_array_equal(out[:, :, 7:], b[:, :, 7:])
    shift = augment.middle(b, [7, 8]) - augment.middle(a, [7, 8])
    np.testing.assert_allclose(out[:, :, 0], a[:, :, 0] + shift, atol=1e-5)


class Everybody:
    """A generator by which everybody lends, each to the next."""

    random = staticmethod(lambda n: np.zeros(n))
    permutation = staticmethod(lambda n: np.roll(np.arange(n), -1))


def test_arm_actions_get_the_legs_of_somebody_upright_and_kicks_get_their_arms(corpus):
    maker = BatchMaker(corpus, OutputSpace(corpus), BatchPlan(lent=0.5), corpus.part == "train")
    recordings = np.arange(len(corpus))
    action = np.resize(["wave", "walk", "kick", "kick", "squat"], len(corpus))
    maker.corpus = replace(corpus, action=np.array([ACTIONS.index(each) for each in action]))
    joints = 0.05 * some_clips(len(recordings))
    joints[..., 1] += np.float32([-1.5, -1, -1, -0.6, -0.6, -0.2, -0.2, 0, 0, 1, 1, 2, 2])
    seen = np.random.default_rng(1).random(joints.shape[:3]) < 0.5
    depth = corpus.depth[recordings]
    out, out_seen = maker._exchange_limbs(Everybody, joints, seen, recordings)
    other = np.roll(np.arange(len(recordings)), -1)
    same = depth == depth[other]
    kicks = same & (action == "kick")
    legs = same & (action == "wave") & np.isin(action[other], ("wave", "walk"))
    assert kicks.any()
    assert legs.any()
    np.testing.assert_array_equal(out[kicks][:, :, 7:], joints[kicks][:, :, 7:])
    np.testing.assert_array_equal(out_seen[kicks][:, :, :7], seen[other[kicks]][:, :, :7])
    np.testing.assert_array_equal(out[legs][:, :, 7:], joints[other[legs]][:, :, 7:])
    np.testing.assert_array_equal(out_seen[legs][:, :, :7], seen[legs][:, :, :7])
    kept = ~kicks & ~legs
    np.testing.assert_array_equal(out[kept], joints[kept])


def test_proportions_change_lengths_but_no_directions():
    joints = some_clips()
    out = augment.change_proportions(joints, np.random.default_rng(0), 1.0)
    elbow, wrist = MPOSE_13.index("left_elbow"), MPOSE_13.index("left_wrist")
    before, after = joints[:, :, wrist] - joints[:, :, elbow], out[:, :, wrist] - out[:, :, elbow]
    factor = np.linalg.norm(after, axis=-1) / np.linalg.norm(before, axis=-1)
    np.testing.assert_allclose(factor, np.repeat(factor[:, :1], 30, axis=1), rtol=1e-3)  # one for the whole clip
    assert np.ptp(factor[:, 0]) > 0.05  # another for each clip
    np.testing.assert_allclose(after, before * factor[..., None], atol=1e-4)
    np.testing.assert_array_equal(joints, some_clips())


def test_unchanged_proportions_leave_the_clip_alone():
    joints = some_clips()
    np.testing.assert_allclose(augment.change_proportions(joints, np.random.default_rng(0), 0.0), joints, atol=1e-5)


def test_turning_keeps_every_length_and_the_sense_of_the_axes():
    joints = some_clips()
    turned = augment.rotate(joints, *(np.full(6, a, np.float32) for a in (0.4, -0.2, 0.1)))
    for pair, length in bones(turned).items():
        np.testing.assert_allclose(length, bones(joints)[pair], rtol=1e-3)
    quarter = augment.rotate(np.float32([[[[0, 0, 1]]]]), np.float32([np.pi / 2]), np.float32([0]), np.float32([0]))
    np.testing.assert_allclose(quarter[0, 0, 0], [1, 0, 0], atol=1e-6)


def test_near_things_look_larger():
    joints = np.zeros((1, 2, 13, 3), np.float32)
    joints[..., 0] = 1
    joints[:, 1, :, 2] = -2
    how = augment.Augmentation(yaw=0, pitch=0, roll=0, distance=(8, 8))
    xy = augment.view(joints, np.array([True]), np.random.default_rng(0), how)
    assert xy[0, 1, 0, 0] > 1.2 * xy[0, 0, 0, 0]


def test_a_mirror_exchanges_sides_and_what_was_seen_of_them():
    xy = np.random.default_rng(1).normal(size=(40, 30, 13, 2)).astype(np.float32)
    seen = np.ones((40, 30, 13), bool)
    left, right = MPOSE_13.index("left_wrist"), MPOSE_13.index("right_wrist")
    seen[:, :, left] = False
    out, out_seen = augment.mirror(xy, seen, np.random.default_rng(0))
    flipped = ~out_seen[:, 0, right]
    assert 5 < flipped.sum() < 35
    np.testing.assert_array_equal(out[flipped][:, :, right], xy[flipped][:, :, left] * np.float32([-1, 1]))
    np.testing.assert_array_equal(out[~flipped], xy[~flipped])


def test_drift_moves_the_body_as_a_whole():
    xy = some_clips()[..., :2]
    out = augment.change_drift(xy, np.random.default_rng(0), np.ones(6))
    np.testing.assert_allclose(out - out[:, :, :1], xy - xy[:, :, :1], atol=1e-5)
    np.testing.assert_array_equal(out[..., 1], xy[..., 1])
    np.testing.assert_array_equal(augment.change_drift(xy, np.random.default_rng(0), np.zeros(6)), xy)


def test_what_is_below_the_edge_of_the_picture_is_not_seen():
    xy = np.zeros((60, 30, 13, 2), np.float32)
    height = np.float32([-0.4, 0, 0, 0.5, 0.5, 0.9, 0.9, 1, 1, 1.7, 1.7, 2.4, 2.4])
    xy[..., 1] = height
    strict, everybody = np.arange(60) < 30, np.ones(60)
    seen = augment.crop(xy, np.ones((60, 30, 13), bool), np.random.default_rng(0), everybody, strict)
    assert seen[:, :, :3].all()  # head and shoulders stay
    assert seen[:30, :, :9].all()  # where legs matter the hips stay, too
    assert 5 < (~seen[30:, 0, 7]).sum() < 25
    for clip in seen[:, 0]:
        assert height[clip].max() < height[~clip].min(initial=np.inf)


def test_kinect_proportions_are_the_reverse_of_the_conversion():
    skeleton = np.random.default_rng(0).normal(size=(2, 30, 20, 3)).astype(np.float32)
    given = kinect.to_mpose(skeleton, 0, 1)
    given[..., 0, :] = skeleton[..., KINECT_20.index("head"), :]
    converted = kinect.to_mpose(skeleton, 0.42, 1.2)

    class Whole:
        random = staticmethod(lambda n: np.zeros(n))
        uniform = staticmethod(lambda low, high, n: np.ones(n))

    back = augment.as_kinect(converted, np.array([True, False]), Whole(), 1.0)
    np.testing.assert_allclose(back[0], given[0], atol=1e-4)
    np.testing.assert_allclose(back[1], converted[1], atol=1e-5)  # flat clips are no Kinect's
