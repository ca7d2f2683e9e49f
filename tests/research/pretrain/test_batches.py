"""Batches: functions of seed and step, of clips at their own lengths."""

import numpy as np
import pytest

from recognizer.training.errors import TrainingError
from research.errors import ResearchError

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from recognizer.datasets.errors import DataError  # noqa: E402
from recognizer.training.pretrain.recipes import SMALL_SET, recipe_of, size_of  # noqa: E402
from recognizer.training.pretrain.targets import mpdp_targets, steps_of  # noqa: E402
from research.pretrain.batches import MotionBatches, apply_pace, pad_batch, resample, roll_axes  # noqa: E402
from research.pretrain.pretraining import network_config  # noqa: E402
from research.pretrain.tasks import TASKS, labelled_subset, task_of  # noqa: E402

ROWS = np.arange(24)
RECIPE = SMALL_SET.changed(batch=8)


def line(frames):
    return np.linspace(0, 1, frames, dtype=np.float32).reshape(-1, 1, 1) * np.ones((1, 2, 3), np.float32)


def test_paces():
    assert len(apply_pace(line(20), 10, "natural")) == 10
    assert apply_pace(line(20), 10, "natural")[-1, 0, 0] == pytest.approx(9 / 19)  # cut
    assert apply_pace(line(20), 10, "squeezed")[-1, 0, 0] == 1
    assert len(apply_pace(line(5), 10, "squeezed")) == 5
    assert len(apply_pace(line(5), 10, "sampled")) == 10
    assert len(apply_pace(line(20), 50, "natural", 1.1)) == 22
    np.testing.assert_allclose(apply_pace(line(20), 50, "natural", 1.1), line(22), atol=1e-6)
    np.testing.assert_array_equal(apply_pace(line(7), 50, "natural"), line(7))
    np.testing.assert_allclose(resample(line(2), 5), line(5))


def test_side_by_side():
    x, real = pad_batch([line(3), line(5)])
    assert x.shape == (2, 5, 2, 3)
    assert real.sum(axis=1).tolist() == [3, 5]
    assert not x[0, 3:].any()


def test_batches_follow_from_seed_and_step(clips):
    def made(seed, step):
        return MotionBatches(clips, ROWS, RECIPE, 12, seed).batch(step)

    for a, b in zip(made(0, 3), made(0, 3), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(made(0, 3)[0], made(1, 3)[0])
    assert not torch.equal(made(0, 3)[0], made(0, 4)[0])


def test_processes_share_a_batch(clips):
    maker = MotionBatches(clips, ROWS, RECIPE, 12, 0)
    whole, *parts = (maker.batch(2, slice(*of)) for of in ((None,), (0, None, 2), (1, None, 2)))
    for rank, (x, real, *targets) in enumerate(parts):
        frames = x.shape[1]
        assert torch.equal(x, whole[0][rank::2, :frames])
        assert torch.equal(real, whole[1][rank::2, :frames])
        assert torch.equal(targets[0][real], whole[2][rank::2, :frames][real])


def test_a_pass_takes_every_clip_once(clips):
    maker = MotionBatches(clips, ROWS, RECIPE, 12, 0)
    assert maker.steps_per_epoch == 3
    for first in (0, 3):
        assert sorted(np.concatenate([maker._passes.drawn(first + step) for step in range(3)])) == ROWS.tolist()
    assert maker._passes.drawn(0).tolist() != maker._passes.drawn(3).tolist()


def test_targets_are_those_of_the_augmented_clips(clips):
    x, real, direction, magnitude = MotionBatches(clips, ROWS, RECIPE, 12, 0).batch(0)
    for ours, expected in zip((direction, magnitude), mpdp_targets(x.numpy(), 1), strict=True):
        np.testing.assert_array_equal(ours.numpy(), expected)
    assert x.shape[1] <= 12
    assert real.any(dim=1).all()


def test_shear_leaves_the_way_of_the_body(clips):
    still = RECIPE.changed(stretch=0.0)
    plain, sheared = (MotionBatches(clips, ROWS, still.changed(shear=shear), 12, 0).batch(0)[0] for shear in (0.0, 0.3))
    way = clips.global_joint
    assert torch.equal(plain[:, :, way], sheared[:, :, way])
    others = np.delete(np.arange(20), way)
    apart = (plain - sheared)[:, :, others].abs().amax(dim=(1, 2, 3))
    assert (apart > 0.01).all()


def test_yaw_turns_all_of_a_clip_about_the_vertical(clips):
    still = RECIPE.changed(stretch=0.0, shear=0.0)
    plain, turned = (MotionBatches(clips, ROWS, still.changed(yaw_deg=yaw), 12, 0).batch(0)[0] for yaw in (0.0, 90.0))
    torch.testing.assert_close(plain[..., 1], turned[..., 1])
    for before, after in zip(plain, turned, strict=True):
        inner = (before[..., [0, 2]] * after[..., [0, 2]]).sum()
        outer = (before[..., 0] * after[..., 2] - before[..., 2] * after[..., 0]).sum()
        angle = torch.atan2(outer, inner)
        turn = torch.tensor([[angle.cos(), angle.sin()], [-angle.sin(), angle.cos()]])
        torch.testing.assert_close(before[..., [0, 2]] @ turn, after[..., [0, 2]], atol=1e-5, rtol=1e-4)
    angles = (plain - turned).abs().amax(dim=(1, 2, 3))
    assert len(angles.unique()) == len(angles), "each clip by its own angle"
    assert torch.equal(plain, MotionBatches(clips, ROWS, still, 12, 0).batch(0)[0])


def test_three_axes_show_each_clip_along_one_of_them_and_mirror_nothing(clips):
    still = RECIPE.changed(stretch=0.0, shear=0.0)
    plain, seen = (MotionBatches(clips, ROWS, still.changed(axes=axes), 12, 0).batch(0)[0] for axes in (1, 3))
    shown = []
    for before, after in zip(plain, seen, strict=True):
        places = [axis for axis in range(3) if torch.equal(torch.roll(before, axis, dims=2), after)]
        shown += places[:1]
    assert len(shown) == len(plain)
    assert set(shown) == {0, 1, 2}
    turn = roll_axes(np.eye(3, dtype=np.float32)[None], 1)[0]
    assert np.linalg.det(turn) == pytest.approx(1), "a rotation"


def test_steps_in_the_scale_of_the_set_are_those_of_the_rows_that_are_learnt_from(clips):
    maker = MotionBatches(clips, ROWS, RECIPE.changed(steps="set", pace="squeezed"), 12, 0)
    assert maker.steps_m == steps_of([apply_pace(clips.x[row], 12, "squeezed") for row in ROWS])
    x, _, direction, magnitude = maker.batch(0)
    for ours, expected in zip((direction, magnitude), mpdp_targets(x.numpy(), 1, steps_m=maker.steps_m), strict=True):
        np.testing.assert_array_equal(ours.numpy(), expected)
    assert not np.array_equal(magnitude.numpy(), mpdp_targets(x.numpy(), 1)[1])
    assert MotionBatches(clips, ROWS, RECIPE, 12, 0).steps_m is None


def test_labels_come_with_supervised_batches(clips):
    maker = MotionBatches(clips, ROWS, RECIPE, 12, 0, supervised=True)
    assert maker.batch(0)[2].tolist() == clips.labels[maker._passes.drawn(0)].tolist()


def test_labels_are_drawn_of_every_action(clips):
    chosen = labelled_subset(ROWS, clips.labels, 0.25, 0)
    assert len(chosen) == 6
    assert sorted(clips.labels[chosen]) == [0, 0, 0, 1, 1, 1]
    assert chosen.tolist() != labelled_subset(ROWS, clips.labels, 0.25, 1).tolist()
    assert len(labelled_subset(ROWS, clips.labels, 0.01, 0)) == 2
    assert labelled_subset(ROWS, clips.labels, 1.0, 0) is ROWS
    rare = np.array([0] * 100 + [1] * 97 + [2] * 3)  # stratified, five of these would have no clip of the rare action
    for seed in range(5):
        drawn = labelled_subset(np.arange(200), rare, 0.025, seed)
        assert len(set(drawn.tolist())) == 5
        assert {*rare[drawn]} == {0, 1, 2}
    with pytest.raises(ResearchError, match="cannot be drawn"):
        labelled_subset(np.arange(3), clips.labels, 0.5, 0)


def test_splits_keep_people_apart(real_data):
    task = task_of("nw-ucla")
    clips = task.load(real_data)
    train_rows, eval_rows = task.split(clips, "test")
    assert (len(train_rows), len(eval_rows)) == (1019, 463)
    assert {clips.names[row][-1] for row in eval_rows} == {"3"}
    train_rows, eval_rows = task.split(clips, "validation")
    assert (len(train_rows), len(eval_rows)) == (829, 190)
    assert not clips.test[train_rows].any()
    assert not clips.test[eval_rows].any()
    assert not set(clips.subjects[train_rows]) & set(clips.subjects[eval_rows])


def test_what_there_is_not_is_said(clips, tmp_path):
    with pytest.raises(ResearchError, match="choose one of nw-ucla"):
        task_of("ucf")
    with pytest.raises(TrainingError, match="choose one of published"):
        recipe_of("best")
    with pytest.raises(TrainingError, match="choose one of published"):
        size_of("huge")
    with pytest.raises(TrainingError, match="epochs and batch must be above 0, got"):
        SMALL_SET.changed(epochs=0)
    with pytest.raises(TrainingError, match="frames above 0"):
        SMALL_SET.changed(intervals=(1, 0))
    with pytest.raises(TrainingError, match="yaw must be from 0 to 180 degrees, got"):
        SMALL_SET.changed(yaw_deg=-1)
    with pytest.raises(TrainingError, match="axes must be 1 or 3, got"):
        SMALL_SET.changed(axes=2)
    with pytest.raises(DataError, match="no folder"):
        TASKS["nw-ucla"].load(tmp_path)
    with pytest.raises(DataError, match="no clips to train or evaluate on"):
        TASKS["nw-ucla"].split(clips, "validation")


def test_the_recipe_reaches_the_network(clips):
    recipe = SMALL_SET.changed(positions="fixed", between_people=False, global_translation=False)
    config = network_config(clips, 12, "small", recipe)
    assert (config.joints, config.global_joint, config.frames, config.width) == (20, 2, 12, 16)
    assert (config.positions, config.between_people, config.global_translation) == ("fixed", False, False)
