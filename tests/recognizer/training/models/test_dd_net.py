"""DD-Net: what it reads of the joints, and its size."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from pose.skeleton import MPOSE_13  # noqa: E402
from recognizer.training.models.dd_net import DdNet, DdNetConfig  # noqa: E402
from recognizer.training.models.registry import ClipShape, NetworkError, network_of, parameter_count  # noqa: E402


def clips_of(position, velocity):
    """(1, 6, T, 13, 1) of places and displacements (T, 13, 2), with directions that nothing should read."""
    channels = torch.cat([position, velocity, torch.randn_like(position)], dim=-1)
    return channels.permute(2, 0, 1)[None, ..., None]


@pytest.fixture
def network():
    torch.manual_seed(0)
    return DdNet(DdNetConfig(6, 5, MPOSE_13)).eval()


def test_it_reads_the_distances_of_all_pairs(network):
    position = torch.randn(2, 13, 2)
    position[1, 4] = 0  # not seen
    found = network.pair_distances(position.permute(2, 0, 1)[None])
    assert found.shape == (1, 78, 2)
    pairs = [tuple(pair) for pair in network.pairs.T.tolist()]
    assert found[0, pairs.index((3, 7)), 0] == pytest.approx(float((position[0, 3] - position[0, 7]).norm()), abs=1e-5)
    gone = [place for place, pair in enumerate(pairs) if 4 in pair]
    assert len(gone) == 12
    assert (found[0, gone, 1] == 0).all()
    assert (found[0, gone, 0] > 0).all()


@pytest.mark.parametrize("frames", [30, 31])
def test_the_fast_motion_is_that_over_two_frames(network, frames):
    velocity, read = torch.randn(frames, 13, 2), []
    network.slow.register_forward_pre_hook(lambda _, given: read.append(given[0]))
    network.fast.register_forward_pre_hook(lambda _, given: read.append(given[0]))
    network(clips_of(torch.randn(frames, 13, 2), velocity))
    slow, fast = (each.reshape(2, 13, -1).permute(2, 1, 0) for each in read)
    torch.testing.assert_close(slow, velocity)
    torch.testing.assert_close(fast, velocity[0 : frames // 2 * 2 : 2] + velocity[1::2])


def test_turning_the_clip_does_not_change_the_distances(network):
    turn = torch.tensor([[0.6, -0.8], [0.8, 0.6]])
    position, still = torch.randn(30, 13, 2), torch.zeros(30, 13, 2)
    with torch.inference_mode():
        torch.testing.assert_close(
            network(clips_of(position @ turn, still)), network(clips_of(position, still)), rtol=1e-4, atol=1e-5
        )


def test_it_has_the_published_size():
    """1.8 million parameters (Yang et al., Table 4)."""
    network = DdNet(DdNetConfig(9, 21, MPOSE_13))
    assert 1.7e6 < parameter_count(network) < 1.9e6


def test_it_needs_velocities():
    with pytest.raises(NetworkError, match="short-clips"):
        network_of("dd-net").build(ClipShape(2, MPOSE_13, 5))
