"""AcT: the published parameter counts, and what the layers do."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from recognizer.training.models.act import SIZES, Act, ActConfig, parameter_count  # noqa: E402
from recognizer.training.models.deployed import Deployed  # noqa: E402


@pytest.mark.parametrize(
    ("size", "count"), [("micro", 227_156), ("small", 1_040_404), ("medium", 2_740_052), ("large", 4_902_164)]
)
def test_parameter_counts_are_the_published_ones(size, count):
    assert parameter_count(Act(ActConfig(features=52, outputs=20, **SIZES[size]))) == count


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Act(ActConfig(features=78, outputs=9, width=128, layers=2)).eval()


def test_reading_the_class_token_alone_changes_nothing(network):
    clips = torch.randn(3, 30, 78)
    with torch.inference_mode():
        x = torch.cat([network.class_token.expand(3, -1, -1), network.embed(clips)], dim=1) + network.position
        for layer in network.encoder:
            x = layer(x, x)
        torch.testing.assert_close(network(clips), network.head(x[:, 0]))


def test_the_order_of_the_frames_matters(network):
    clips = torch.randn(2, 30, 78)
    with torch.inference_mode():
        assert (network(clips) - network(clips.flip(1))).abs().max() > 1e-3


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
