"""What ST-GCN is compared with: local convolution and the baseline TCN, on numbers worked out by hand."""

from itertools import pairwise

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from pose.skeleton import MPOSE_13  # noqa: E402
from recognizer.training.models.registry import ClipShape, NetworkError, network_of, parameter_count  # noqa: E402
from recognizer.training.models.st_gcn import StGcn, StGcnConfig  # noqa: E402
from recognizer.training.models.unshared import LocalConvolution, Tcn, TcnConfig  # noqa: E402


def test_local_convolution_has_a_weight_for_each_link():
    """Two joints: 0 gathers from itself, 1 from itself and 0; one channel in and out."""
    linked = torch.tensor([[True, True], [False, True]])
    convolution = LocalConvolution(1, 1, linked)
    weights = {(0, 0): 2.0, (0, 1): 3.0, (1, 1): 5.0}
    with torch.no_grad():
        for place, link in enumerate(zip(convolution.source.tolist(), convolution.target.tolist(), strict=True)):
            convolution.weight[place] = weights[link]
        convolution.bias[:] = torch.tensor([[0.5], [0.25]])
    x = torch.tensor([[[[1.0, 10.0], [4.0, 100.0]]]])  # (N, C, T, V)
    links = torch.tensor([[[1.0, 0.5], [0.0, 2.0]]])
    expected = torch.tensor([[[[2.5, 1.5 + 100 + 0.25], [8.5, 6 + 1000 + 0.25]]]])
    torch.testing.assert_close(convolution(x, links), expected)


def test_local_convolution_with_equal_weights_is_the_shared_one():
    torch.manual_seed(0)
    sizes = {"widths": (8, 12), "strides": (1, 2), "strategy": "uniform"}
    shared = StGcn(StGcnConfig(3, 5, MPOSE_13, **sizes)).eval()
    local = StGcn(StGcnConfig(3, 5, MPOSE_13, **sizes, convolution="local")).eval()
    local.load_state_dict(shared.state_dict(), strict=False)
    with torch.no_grad():
        for one, other in zip(local.blocks, shared.blocks, strict=True):
            other.gather.weight.mul_(20)
            one.local.weight[:] = other.gather.weight[:, :, 0, 0].T
        clips = torch.randn(2, 3, 20, 13, 1)
        torch.testing.assert_close(local(clips), shared(clips))
    assert parameter_count(local.blocks[0].local) == 41 * 3 * 8 + 13 * 8  # 13 joints, 14 bones both ways


def test_baseline_tcn_convolves_all_joints_over_time_alone():
    network = Tcn(TcnConfig(2, 1, MPOSE_13, widths=(1,), strides=(1,), kernel=3)).eval()
    with torch.no_grad():
        network.blocks[0].temporal.weight.zero_()
        network.blocks[0].temporal.bias.zero_()
        network.blocks[0].temporal.weight[0, 2 * 4 + 1] = torch.tensor([1.0, 0.0, 10.0])  # joint 4, y
        network.head.weight[:], network.head.bias[:] = 1, 0
    clips = torch.randn(1, 2, 3, 13, 1)
    clips[0, 1, :, 4, 0] = torch.tensor([1.0, 2.0, 3.0])
    # each frame: the one before, and 10 times the one after; batch norms at their start divide by (1 + 1e-5) ** 0.5
    expected = torch.tensor([[(20 + (1 + 30) + 2) / 3 / (1 + 1e-5)]])
    torch.testing.assert_close(network(clips), expected)


def test_baseline_tcn_has_st_gcns_sizes():
    network = network_of("tcn").build(ClipShape(3, MPOSE_13, 15))
    widths = [39, 64, 64, 64, 64, 128, 128, 128, 256, 256, 256]
    count = sum(9 * a * b + 3 * b for a, b in pairwise(widths))
    count += 2 * 39 + 64 * 128 + 128 * 256 + 3 * (128 + 256) + 256 * 15 + 15
    assert parameter_count(network) == count
    with torch.inference_mode():
        assert network.eval()(torch.randn(2, 30, 39)).shape == (2, 15)


@pytest.mark.parametrize("importance", [True, False])
@pytest.mark.parametrize("strategy", ["uniform", "opposed", "distance", "spatial", "mean-distance"])
def test_a_name_with_settings_builds_each_row_of_the_table(strategy, importance):
    name = f"st-gcn-short+strategy={strategy}+importance={'true' if importance else 'false'}"
    shape = ClipShape(3, MPOSE_13, 15, centre_distances=tuple(float(joint) for joint in range(13)))
    network = network_of(name)
    assert network.name == name
    built = network.build(shape)
    assert built.network.config.strategy == strategy
    assert len(built.network.importance) == (6 if importance else 0)


def test_names_with_settings_that_do_not_fit_are_one_line():
    shape = ClipShape(3, MPOSE_13, 15)
    with pytest.raises(NetworkError, match="st-gcn has no setting 'kernal'"):
        network_of("st-gcn+kernal=3")
    with pytest.raises(NetworkError, match="local convolution has no subsets; give strategy uniform"):
        network_of("st-gcn+convolution=local").build(shape)
    with pytest.raises(NetworkError, match="which training clips give"):
        network_of("st-gcn+strategy=mean-distance").build(shape)
    with pytest.raises(NetworkError, match="no network is called 'st-gnc'"):
        network_of("st-gnc+importance=false")
