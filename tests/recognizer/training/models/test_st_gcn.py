"""ST-GCN: published sizes, what each variant does, padding on short clips. Official outputs: see test_official."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from recognizer.training.models.registry import parameter_count  # noqa: E402
from recognizer.training.models.st_gcn import StGcn, StGcnConfig, StGcnTwoStream, motion_of  # noqa: E402

SMALL = {"widths": (8, 8, 12), "strides": (1, 1, 2)}


@pytest.mark.parametrize(
    ("joints", "outputs", "more", "count"),
    [
        ("ntu-25", 60, {}, 3_098_832),
        ("openpose-18", 400, {}, 3_177_140),
        ("openpose-18", 20, {}, 3_079_480),
        ("openpose-18", 20, {"importance": False}, 3_069_760),
        ("openpose-18", 20, {"strategy": "distance"}, 2_857_552),
        ("openpose-18", 20, {"strategy": "uniform"}, 2_635_624),
        ("coco-17", 60, {}, 3_088_704),
    ],
)
def test_parameter_counts_are_those_of_the_official_code(joints, outputs, more, count):
    assert parameter_count(StGcn(StGcnConfig(3, outputs, joints, **more))) == count


@pytest.fixture
def network():
    """With weights large enough for logits near 1; those at the start of training are tiny."""
    torch.manual_seed(0)
    network = StGcn(StGcnConfig(3, 5, "mpose-13", **SMALL)).eval()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
                module.weight.mul_(20)
    return network


def test_any_number_of_frames_and_people(network):
    with torch.inference_mode():
        one, two = torch.randn(2, 3, 30, 13, 1), torch.randn(2, 3, 17, 13, 2)
        assert network(one).shape == network(two).shape == (2, 5)
        assert network.features(two).shape == (2, 12, 9, 13, 2)
        torch.testing.assert_close(network(two), network(two.flip(4)))  # nobody is first
        torch.testing.assert_close(network(two), network.head(network.features(two).mean(dim=(2, 3, 4))))
        torch.testing.assert_close(network(one), network(torch.cat([one, one], dim=4)))


def test_the_folded_form_of_evaluation_is_the_plain_one(network):
    x, block = torch.randn(2, 3, 12, 13), network.blocks[0]
    with torch.no_grad():
        block.gather_bias.normal_()
        block.gather_norm.running_mean.normal_()
        block.gather_norm.running_var.uniform_(0.1, 3)
        folded = block(x, network.adjacency)
        block.training = True  # the block alone: its norms go on using the running statistics
        torch.testing.assert_close(block(x, network.adjacency), folded)
        block.gather_bias.zero_()
        assert (block(x, network.adjacency) - folded).abs().max() > 0.01


def reach(network, joint):
    """Which joints' outputs of a block depend on an input joint."""
    x = torch.zeros(1, 3, 1, 13, requires_grad=True)
    y = network.blocks[0](x + torch.randn(1, 3, 1, 13), network.adjacency)
    return [
        bool(torch.autograd.grad(y[..., v].sum(), x, retain_graph=True)[0][..., joint].abs().sum() > 0)
        for v in range(13)
    ]


def test_a_block_looks_one_bone_far(network):
    from pose.skeleton import MPOSE_13

    wrist = MPOSE_13.index("left_wrist")
    near = {wrist, MPOSE_13.index("left_elbow")}
    assert {joint for joint, reached in enumerate(reach(network, wrist)) if reached} <= near


def test_importance_weighs_links_and_makes_none(network):
    clips = torch.randn(1, 3, 8, 13, 1)
    with torch.inference_mode():
        before = network(clips)
        for importance in network.importance:
            importance[network.adjacency == 0] = 100.0
        torch.testing.assert_close(network(clips), before)
        network.importance[0][network.adjacency > 0] = 3.0
        assert (network(clips) - before).abs().max() > 1e-2


@pytest.mark.parametrize("padding", ["zero", "replicate", "valid"])
def test_padding(padding):
    torch.manual_seed(0)
    config = StGcnConfig(3, 5, widths=(8, 8, 8), strides=(1, 1, 1), kernel=5, padding=padding)
    network = StGcn(config).eval()
    still = torch.randn(1, 3, 1, 13, 1).expand(-1, -1, 20, -1, -1)
    with torch.inference_mode():
        features = network.features(still)
    assert features.shape[2] == (8 if padding == "valid" else 20)
    changes = (features - features[:, :, 3:4]).abs().max()
    assert (changes > 1e-3) == (padding == "zero")  # only zeros move a person who stands still


def test_clips_too_short_for_valid_padding_are_refused():
    network = StGcn(StGcnConfig(3, 5, padding="valid", **SMALL))
    with pytest.raises(ValueError, match="clips of 12 frames are too short"):
        network(torch.zeros(1, 3, 12, 13, 1))


@pytest.mark.parametrize("wrong", [{"kernel": 4}, {"padding": "mirror"}, {"widths": (8,)}])
def test_wrong_configurations_are_refused(wrong):
    with pytest.raises(ValueError, match=r"kernel|padding|widths"):
        StGcnConfig(3, 5, **wrong)


def test_two_streams_add_positions_and_accelerations():
    torch.manual_seed(0)
    network = StGcnTwoStream(StGcnConfig(3, 5, **SMALL)).eval()
    steady = torch.arange(10.0).view(1, 1, 10, 1, 1) * torch.randn(1, 3, 1, 13, 1)
    assert motion_of(steady).abs().max() < 1e-4
    curved = steady**2
    torch.testing.assert_close(motion_of(curved)[:, :, 4], curved[:, :, 4] - (curved[:, :, 3] + curved[:, :, 5]) / 2)
    assert motion_of(curved)[:, :, [0, -1]].abs().max() == 0
    with torch.inference_mode():
        both = network(curved)
        torch.testing.assert_close(both, network.position(curved) + network.motion(motion_of(curved)))
