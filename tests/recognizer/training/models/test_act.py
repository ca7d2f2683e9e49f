"""AcT and ensembles: the published parameter counts, and what the layers do."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from recognizer.training.models.act import SIZES, Act, ActConfig  # noqa: E402
from recognizer.training.models.deployed import Deployed  # noqa: E402
from recognizer.training.models.ensemble import Ensemble  # noqa: E402
from recognizer.training.models.registry import parameter_count  # noqa: E402


@pytest.mark.parametrize(
    ("size", "count"), [("micro", 227_156), ("small", 1_040_404), ("medium", 2_740_052), ("large", 4_902_164)]
)
def test_parameter_counts_are_the_published_ones(size, count):
    assert parameter_count(Act(ActConfig(features=52, outputs=20, **SIZES[size]))) == count


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Act(ActConfig(features=78, outputs=9, width=128, layers=2)).eval()


def attention_by_hand(layer, x):
    """Post-norm encoder layer with the framework's own multi-head attention."""
    theirs = torch.nn.MultiheadAttention(x.shape[2], layer.heads, batch_first=True)
    theirs.in_proj_weight.copy_(torch.cat([layer.query.weight, layer.key.weight, layer.value.weight]))
    theirs.in_proj_bias.copy_(torch.cat([layer.query.bias, layer.key.bias, layer.value.bias]))
    theirs.out_proj.load_state_dict(layer.out.state_dict())
    x = layer.norm1(x + theirs(x, x, x)[0])
    return layer.norm2(x + layer.narrow(torch.nn.functional.gelu(layer.widen(x))))


def encoded_by_hand(network, x):
    for layer in network.encoder:
        x = attention_by_hand(layer, x)
    return x


@pytest.mark.parametrize("heads", [1, 3])
def test_a_layer_is_a_post_norm_encoder_layer(heads):
    torch.manual_seed(0)
    layer = Act(ActConfig(78, 9, width=64 * heads, layers=1)).encoder[0].eval()
    x = torch.randn(3, 7, 64 * heads)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
        expected = attention_by_hand(layer, x)
        found, weights = layer(x)
        torch.testing.assert_close(found, expected)
        assert weights.shape == (3, heads, 7, 7)


def test_the_class_token_goes_first_and_is_what_the_head_reads(network):
    clips = torch.randn(3, 30, 78)
    with torch.no_grad():
        x = torch.cat([network.class_token.expand(3, -1, -1), network.embed(clips)], dim=1) + network.position
        torch.testing.assert_close(network(clips), network.head(encoded_by_hand(network, x)[:, 0]))


def test_the_order_of_the_frames_matters(network):
    clips = torch.randn(2, 30, 78)
    with torch.inference_mode():
        assert (network(clips) - network(clips.flip(1))).abs().max() > 1e-3


def test_with_fewer_frames_each_pose_keeps_the_position_of_its_time(network):
    clips = torch.randn(2, 4, 78)
    with torch.no_grad():
        x = torch.cat([network.class_token.expand(2, -1, -1), network.embed(clips)], dim=1)
        x = x + network.position[:, [0, 1, 11, 20, 30]]  # frames 0, 10, 19 and 29 of 30
        torch.testing.assert_close(network(clips), network.head(encoded_by_hand(network, x)[:, 0]))
        torch.testing.assert_close(network(clips, places=[0, 10, 19, 29]), network(clips))
        assert (network(clips, places=[0, 1, 2, 3]) - network(clips)).abs().max() > 1e-4
        assert network(clips[:, :1]).shape == (2, 9)
        whole = torch.randn(2, 30, 78)
        torch.testing.assert_close(network(whole, places=range(30)), network(whole))


@pytest.mark.parametrize(("frames", "places"), [(31, None), (3, [0, 1]), (2, [0, 30]), (2, [-1, 3])])
def test_frames_that_were_never_trained_are_refused(network, frames, places):
    with pytest.raises(ValueError, match="at most 30 frames, each with a place of 0 to 29"):
        network(torch.zeros(1, frames, 78), places=places)


def test_attention_is_shown_and_changes_nothing(network):
    clips = torch.randn(3, 30, 78)
    with torch.inference_mode():
        found = network.inside(clips)
        torch.testing.assert_close(found.logits, network(clips))
    attention = found.attention["attention"]
    assert attention.shape == (3, 2, 2, 31, 31)
    torch.testing.assert_close(attention.sum(dim=4), torch.ones(attention.shape[:4]))


def test_the_two_gelus_differ_a_little():
    torch.manual_seed(0)
    exact, tanh = (Act(ActConfig(78, 9, layers=2, gelu=gelu)).eval() for gelu in ("exact", "tanh"))
    tanh.load_state_dict(exact.state_dict())
    with torch.inference_mode():
        difference = (exact(torch.ones(1, 30, 78)) - tanh(torch.ones(1, 30, 78))).abs().max()
    assert 0 < difference < 0.05


@pytest.mark.parametrize("wrong", [{"gelu": "sigmoid"}, {"width": 100}])
def test_wrong_configurations_are_refused(wrong):
    with pytest.raises(ValueError, match=r"gelu must be|width must be"):
        ActConfig(78, 9, **wrong)


@pytest.mark.parametrize("members", [1, 3])
def test_an_ensemble_averages_probabilities_or_logits(members):
    torch.manual_seed(0)
    networks = [Act(ActConfig(78, 9, layers=1)).eval() for _ in range(members)]
    clips = torch.randn(4, 30, 78)
    with torch.inference_mode():
        each = torch.stack([network(clips) for network in networks])
        torch.testing.assert_close(Ensemble(networks, "logits")(clips), each.mean(dim=0))
        torch.testing.assert_close(Ensemble(networks)(clips).exp(), each.softmax(dim=2).mean(dim=0))


@pytest.mark.parametrize("arguments", [([], "logits"), ([torch.nn.Identity()], "votes")])
def test_an_ensemble_needs_members_and_a_known_average(arguments):
    with pytest.raises(ValueError, match="expected some networks and one of probabilities, logits"):
        Ensemble(*arguments)


def test_a_deployed_network_gives_probabilities_that_sum_to_one(network):
    with torch.inference_mode():
        logits = Deployed([network, network], listed=4)(torch.randn(5, 30, 78))
    assert logits.shape == (5, 5)
    torch.testing.assert_close(logits.exp().sum(dim=1), torch.ones(5))


def test_a_deployed_network_adds_up_what_is_unlisted(network):
    clips = torch.randn(5, 30, 78)
    with torch.inference_mode():
        single = network(clips).softmax(dim=1)
        logits = Deployed([network], listed=4, mirror=False)(clips)
    torch.testing.assert_close(logits.exp()[:, :4], single[:, :4])
    torch.testing.assert_close(logits.exp()[:, 4], single[:, 4:].sum(dim=1))


def test_a_deployed_network_says_the_same_of_a_mirrored_person(network):
    import numpy as np

    from pose.skeleton import MPOSE_13
    from recognizer.features import clip_features

    xy = np.random.default_rng(0).normal(size=(2, 30, 13, 2)).astype(np.float32)
    seen = np.ones((2, 30, 13), np.float32)
    seen[0, :, 4] = 0
    mirrored = clip_features(xy[:, :, MPOSE_13.mirrored] * np.float32([-1, 1]), seen[:, :, MPOSE_13.mirrored], 15)
    deployed = Deployed([network], listed=4)
    with torch.inference_mode():
        plain, other = deployed(torch.from_numpy(clip_features(xy, seen, 15))), deployed(torch.from_numpy(mirrored))
    torch.testing.assert_close(plain, other, atol=1e-4, rtol=1e-4)
