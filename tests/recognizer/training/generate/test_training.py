"""Training of generators: it learns, goes on after a kill to the same weights, and says when it diverged."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from recognizer.training.errors import TrainingError
from recognizer.training.generate import health
from recognizer.training.generate.generated_clips import make, shares_of
from recognizer.training.generate.generator_training import GeneratorBatches, GeneratorJob, train
from recognizer.training.generate.losses import GanTraining, GeneratorTraining, perturbed
from recognizer.training.generate.recipes import Recipe, build, config_of
from recognizer.training.generate.trained import GENERATOR_FILE, load_trained
from recognizer.training.loop import Hardware
from recognizer.training.run_folder import RunError

HARDWARE = Hardware(accelerator="cpu", logs=False, checkpoint_steps=1)


def job(recipe, network="sa-gcn", **changes):
    return GeneratorJob("made-up", network, recipe, 8, **changes)


def weights(trained):
    return torch.cat([weight.flatten() for weight in trained.network.state_dict().values()])


@pytest.mark.parametrize("network", ["sa-gcn", "sa-gcn-official", "c-skeleton-gan", "frame-vae"])
def test_every_network_trains_and_is_read_again(motions, recipe, tmp_path, network):
    trained = train(motions, job(recipe, network), tmp_path, HARDWARE)
    assert [row["iteration"] for row in trained.history] == [2, 4]
    assert all(math.isfinite(row["mmd_seq"]) for row in trained.history)
    read = load_trained(tmp_path)
    torch.testing.assert_close(weights(read), weights(trained))
    assert (read.actions, read.layout, read.frames) == (motions.actions, motions.layout, 8)
    joints = read.joints(shares_of([0, 1, 1], 2), seed=5)
    assert joints.shape == (3, 8, 13, 2)
    np.testing.assert_array_equal(joints, trained.joints(shares_of([0, 1, 1], 2), seed=5))
    assert not np.allclose(joints[1], joints[2]), "two clips of one action are the same"
    assert not list(tmp_path.glob("*.ckpt"))


@pytest.mark.parametrize(
    ("network", "changes"),
    [
        ("sa-gcn", {"average": 0.9}),
        ("c-skeleton-gan", {"penalty": 1.0, "disturb": 1.0, "mismatch": 0.5, "variety": 2.0}),
        ("frame-vae", {}),
    ],
)
def test_a_killed_training_goes_on_to_the_same_weights(motions, tmp_path, monkeypatch, network, changes):
    recipe = Recipe(iterations=6, evaluate=2, batch=6, sampled=5, **changes)
    whole = train(motions, job(recipe, network), tmp_path / "whole", HARDWARE)
    step = GeneratorTraining.training_step

    def killed(self, batch, batch_idx):
        if self.current_epoch == 2:
            raise KeyboardInterrupt
        step(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(GeneratorTraining, "training_step", killed)
        with pytest.raises(KeyboardInterrupt):
            train(motions, job(recipe, network), tmp_path / "killed", HARDWARE)
    resumed = train(motions, job(recipe, network), tmp_path / "killed", HARDWARE)
    assert torch.equal(weights(resumed), weights(whole))
    for before, after in zip(whole.history, resumed.history, strict=True):
        assert {**before, "seconds": 0} == {**after, "seconds": 0}


def test_a_finished_training_is_left_as_it_is_and_another_one_refused(motions, recipe, tmp_path, monkeypatch):
    first = train(motions, job(recipe, "frame-vae"), tmp_path, HARDWARE)
    monkeypatch.setattr(GeneratorTraining, "training_step", None)
    again = train(motions, job(recipe, "frame-vae"), tmp_path, HARDWARE)
    assert torch.equal(weights(first), weights(again))
    with pytest.raises(RunError, match="holds another training"):
        train(motions, job(recipe, "frame-vae", seed=1), tmp_path, HARDWARE)
    with pytest.raises(RunError, match="holds another training"):  # other clips under the same name
        train(replace(motions, x=motions.x + 1), job(recipe, "frame-vae"), tmp_path, HARDWARE)


def test_the_vae_comes_nearer_to_the_real_clips(motions, tmp_path):
    recipe = Recipe(iterations=300, evaluate=100, batch=20, learning_rate=2e-3)
    trained = train(motions, job(recipe, "frame-vae"), tmp_path, HARDWARE)
    untrained = train(motions, job(Recipe(iterations=1, evaluate=1), "frame-vae"), tmp_path / "new", HARDWARE)
    assert trained.history[-1]["mmd_seq"] < 0.7 * untrained.history[-1]["mmd_seq"]
    clips = make(trained.network, shares_of([0, 1], 2), 0).reshape(2, 8, 13, 2)
    wrist = motions.layout.index("right_wrist")
    moved = clips[:, -1, wrist] - clips[:, 0, wrist]
    assert moved[0, 1] < -1, "raise: the wrist goes up"
    assert moved[1, 0] < -1, "spread: the wrist goes to the side"


def test_the_adversary_teaches_the_generator_where_the_clips_are(motions, tmp_path):
    recipe = Recipe(iterations=30, evaluate=15, batch=10, sampled=5, learning_rate=1e-3)
    trained = train(motions, job(recipe, "c-skeleton-gan"), tmp_path, HARDWARE)
    values = [row["mmd_seq"] for row in trained.history]
    assert trained.iteration == trained.history[int(np.nanargmin(values))]["iteration"]
    untrained = train(motions, job(Recipe(iterations=1, evaluate=1), "c-skeleton-gan"), tmp_path / "new", HARDWARE)
    assert min(values) < untrained.history[-1]["mmd_seq"]


def test_divergence_ends_the_training_with_one_line_and_keeps_the_best(motions, tmp_path):
    recipe = Recipe(iterations=40, evaluate=1, batch=6, sampled=5, learning_rate=10.0)
    with pytest.raises(RunError, match="diverged") as caught:
        train(motions, job(recipe), tmp_path, HARDWARE)
    assert "\n" not in str(caught.value)
    assert "lower --learning-rate" in str(caught.value)
    assert not (tmp_path / GENERATOR_FILE).exists()


@pytest.mark.parametrize(
    ("losses", "farthest", "message"),
    [({"clips": math.nan}, 1.0, "the loss clips is nan"), ({}, 1e5, "deviations"), ({}, math.nan, "deviations")],
)
def test_what_counts_as_divergence(losses, farthest, message):
    with pytest.raises(RunError, match=message):
        health.check_divergence(losses, farthest, 7)


def test_sound_losses_pass():
    health.check_divergence({"clips": 1.2}, 9.0, 7)


def row(iteration, mmd_seq, fake: float | None = 0.4, spread=0.9):
    return {"iteration": iteration, "mmd_seq": mmd_seq, "fake": fake, "spread": spread}


@pytest.mark.parametrize(
    ("history", "found"),
    [
        ([row(1, 0.5), row(2, 0.4)], []),
        ([row(1, 0.5), row(2, 0.4, fake=None)], []),
        ([row(1, 0.5), row(2, 0.4, spread=0.05)], ["collapsed"]),
        ([row(1, 0.5), row(2, 0.4, fake=0.001)], ["the discriminators have won"]),
        ([row(1, 0.3), row(2, 0.6)], ["got worse"]),
    ],
)
def test_what_went_wrong_is_told_afterwards(history, found):
    lines = health.training_problems(history)
    assert len(lines) == len(found)
    assert all(line.startswith(start) for line, start in zip(lines, found, strict=True))


def trained_discriminator(motions, folder, **changes):
    """A discriminator of clips after 24 steps on real ones against clips of nothing, the clips, and their labels."""
    clips = torch.from_numpy(motions.standardised[motions.train])
    label = torch.from_numpy(shares_of(motions.labels[motions.train], 2))
    network = build("c-skeleton-gan", config_of("c-skeleton-gan", motions.layout, 2, 8), 0)
    training = GanTraining(network, Recipe(**changes), motions, 0, folder)
    discriminator = training.clip_discriminator
    optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3)
    for training._in_round in range(24):
        optimizer.zero_grad()
        training._discriminator_loss(discriminator, clips, torch.zeros_like(clips), label, label).backward()
        optimizer.step()
    return discriminator, clips, label


def test_the_penalty_flattens_discriminators_at_real_clips(motions, tmp_path):
    slopes = []
    for penalty in (0.0, 10.0):
        discriminator, clips, label = trained_discriminator(motions, tmp_path, penalty=penalty)
        clips.requires_grad_()
        (slope,) = torch.autograd.grad(discriminator(clips, label).sum(), clips)
        slopes.append(float(slope.square().sum(dim=(1, 2)).mean()))
    assert slopes[1] < 0.5 * slopes[0]


def test_clips_of_an_action_are_too_alike_where_real_ones_lie_farther_apart(motions, tmp_path):
    real = health.distances(motions.standardised[motions.train], motions.labels[motions.train], 2)
    network = build("c-skeleton-gan", config_of("c-skeleton-gan", motions.layout, 2, 8), 0)
    training = GanTraining(network, Recipe(variety=1.0), motions, 0, tmp_path)
    wanted = torch.from_numpy(shares_of([0, 1, 0, 1], 2))
    made = torch.zeros(4, 8, 26)
    assert float(training._similarity_penalty(made, wanted)) == 1
    for share, expected in ((0.5, 0.25), (1.0, 0.0), (2.0, 0.0)):
        made[2:] = share * torch.from_numpy(real)[:, None, None]  # the second half of the same actions as the first
        assert float(training._similarity_penalty(made, wanted)) == pytest.approx(expected, abs=1e-6)


def test_distances_of_real_clips():
    clips = np.array([[[0.0, 0.0]], [[3.0, 4.0]], [[9.0, 9.0]]])
    np.testing.assert_allclose(health.distances(clips, np.array([0, 0, 1]), 2), 5 / np.sqrt(2), rtol=1e-6)


@pytest.mark.parametrize("mismatch", [0.0, 0.5])
def test_a_discriminator_heeds_the_action_where_it_sees_wrong_names(motions, tmp_path, mismatch):
    discriminator, clips, label = trained_discriminator(motions, tmp_path, mismatch=mismatch)
    with torch.no_grad():
        right = discriminator(clips, label) > discriminator(clips, label.flip(1))
    assert (float(right.float().mean()) > 0.95) is (mismatch > 0)


def test_disturbed_clips_are_others_of_the_same_mean_and_pass_the_gradient_on():
    torch.manual_seed(0)
    clips = torch.linspace(-2, 2, 60).reshape(1, 30, 2).repeat(400, 1, 1).requires_grad_()
    assert torch.equal(perturbed(clips, 0.0), clips)
    found = perturbed(clips, 1.0)
    assert found.std(dim=0).min() > 0.2
    torch.testing.assert_close(found.mean(dim=0)[5:25], clips[0, 5:25], atol=0.1, rtol=0)
    found.sum().backward()
    assert clips.grad.abs().sum() > 0


def test_batches_are_a_function_of_their_number_and_pass_over_every_clip(motions):
    batches = GeneratorBatches(motions, Recipe(batch=20), 3)
    drawn = np.concatenate([batches._passes.drawn(iteration) for iteration in range(5)])  # two passes over 50 clips
    assert sorted(drawn[:50].tolist()) == sorted(drawn[50:].tolist()) == list(range(50))
    assert not np.array_equal(drawn[:50], drawn[50:])
    np.testing.assert_array_equal(
        batches._passes.drawn(3), GeneratorBatches(motions, Recipe(batch=20), 3)._passes.drawn(3)
    )
    clips, shares = batches.batch(0, slice(1, None, 2))
    np.testing.assert_array_equal(clips.numpy(), batches.clips[batches._passes.drawn(0)[1::2]])
    assert shares.sum().item() == 10


def test_impossible_recipes_are_refused(motions, recipe, tmp_path):
    with pytest.raises(TrainingError, match="--average 1"):
        Recipe(average=1)
    with pytest.raises(TrainingError, match="--mismatch 1"):
        Recipe(mismatch=1)
    for penalty in (-1, math.nan):
        with pytest.raises(TrainingError, match="--penalty"):
            Recipe(penalty=penalty)
    with pytest.raises(TrainingError, match="no network 'gan'"):
        config_of("gan", motions.layout, 2, 8)
    with pytest.raises(TrainingError, match="shared evenly"):
        train(motions, job(recipe), tmp_path, Hardware(accelerator="cpu", devices="4"))


def test_damaged_runs_are_refused(tmp_path):
    with pytest.raises(RunError, match="train first"):
        load_trained(tmp_path)
    (tmp_path / GENERATOR_FILE).write_bytes(b"no archive")
    with pytest.raises(RunError, match="cannot be read") as caught:
        load_trained(tmp_path)
    assert "\n" not in str(caught.value)
    torch.save({"name": "frame-vae", "config": {}}, tmp_path / GENERATOR_FILE)
    with pytest.raises(RunError, match="cannot be read"):
        load_trained(tmp_path)
