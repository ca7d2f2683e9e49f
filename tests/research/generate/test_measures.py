"""Measures: a generator that gives held-out clips is perfect, one that repeats training clips is found out."""

import numpy as np
import pytest

from recognizer.training.run_folder import RunError
from research.generate import blends
from research.generate.measures import GeneratorBenchmark


@pytest.fixture(scope="module")
def bench(motions):
    return GeneratorBenchmark.of(motions, "test", steps=60)


def test_real_clips_reach_what_can_be_reached(bench):
    real = bench.measure_real()
    assert (real.of, real.draws) == (40, 3)
    assert real.recognized == 1
    assert real.teaches == 1
    assert real.mmd_seq < 0.2
    assert real.spread == pytest.approx(1, abs=0.2)
    assert real.largest_step is None


def test_a_generator_of_held_out_clips_is_perfect_and_noise_is_not(bench, motions, replaying):
    perfect = bench.measure_generator(replaying(motions.test), draws=1)
    noise = bench.measure_generator(replaying(clips=np.zeros((2, 4, 8, 26)), wobble=1.0), draws=1)
    chosen = motions.standardised[motions.test]
    labels = motions.labels[motions.test]
    elsewhere = bench.measure_generator(
        replaying(clips=np.stack([chosen[labels == a][:4] + 2 for a in (0, 1)])), draws=1
    )
    assert not perfect.mmd_seq > 0.05
    assert perfect.recognized == perfect.teaches == 1
    assert perfect.copies < 0.15
    # Twelve joints of these people are white noise themselves, as wide as the generator's: the kernel sees the wrist.
    assert noise.mmd_seq > 0.1
    assert noise.mmd_avg > 0.1
    assert elsewhere.mmd_seq > 0.5
    assert noise.recognized < 0.8
    assert noise.nearest > 2 * perfect.nearest


def test_a_memoriser_is_found_out(bench, motions, replaying):
    memory = bench.measure_generator(replaying(motions.train), draws=1)
    assert memory.copies == 1
    assert memory.nearest == pytest.approx(0, abs=1e-6)


def test_a_collapsed_generator_is_found_out(bench, motions, replaying):
    row = motions.standardised[[motions.test[motions.labels[motions.test] == action][0] for action in range(2)]]
    single = bench.measure_generator(replaying(clips=row[:, None]), draws=1)
    assert single.spread == pytest.approx(0, abs=1e-6)
    assert single.recognized == 1, "which accuracy alone does not tell"


def test_distances_are_in_torsos(bench, motions, replaying):
    moved = motions.x[motions.train][:1] + np.float32(1)
    mean, spread = motions.scale
    clip = ((moved - mean) / spread).reshape(1, 1, 8, 26)
    found = bench.measure_generator(replaying(clips=np.concatenate([clip, clip])), draws=1)
    assert found.nearest == pytest.approx(1, abs=0.35)


def test_a_generator_of_other_clips_is_refused(bench, motions, replaying):
    other = replaying(motions.test)
    other.config["frames"] = 9
    with pytest.raises(RunError, match="other actions, joints or lengths"):
        bench.measure_generator(other)


class Blending:
    """Joints that are shares of the actions: at the second action, everything has moved by 1; or jumps there."""

    actions, frames = ("raise", "spread"), 8

    def __init__(self, jumps: bool) -> None:
        self.jumps = jumps

    def place(self, action):
        return self.actions.index(action)

    def joints(self, shares, seed):
        if shares.ndim == 2:
            shares = np.repeat(shares[:, None], self.frames, axis=1)
        share = np.round(shares[..., 1]) if self.jumps else shares[..., 1]
        time = np.linspace(0, 1, self.frames)
        return np.broadcast_to((share + time)[..., None, None], (*share.shape, 13, 2)).astype(np.float32)


def test_an_even_blend_and_a_jump():
    even, jump = (blends.smoothness(Blending(jumps), "raise", "spread", 0) for jumps in (False, True))
    assert even.largest_step == pytest.approx(1, abs=1e-4)
    assert jump.largest_step == pytest.approx(10, abs=1e-4)
    assert jump.jerk > 2 * even.jerk


def test_a_blend_begins_and_ends_pure():
    made = blends.mixes(Blending(False), "spread", "raise", 3, 0)
    np.testing.assert_allclose(made[:, 0, 0, 0], [1, 0.5, 0])
    changed = blends.transition(Blending(False), "raise", "spread", 0)
    np.testing.assert_allclose(changed[[0, -1], 0, 0], [0, 2])
    with pytest.raises(ValueError, match="both of its ends"):
        blends.mixes(Blending(False), "raise", "spread", 1, 0)
    with pytest.raises(ValueError, match="cannot change"):
        blends.transition(Blending(False), "raise", "spread", 0, over=0)
