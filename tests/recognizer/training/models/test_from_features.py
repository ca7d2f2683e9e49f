"""Features as clips of graph networks."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from recognizer.features import CHANNELS, LAYOUT, clip_features  # noqa: E402
from recognizer.training.models.from_features import FromFeatures  # noqa: E402
from recognizer.training.models.st_tr import StTr, StTrConfig  # noqa: E402


def test_each_number_of_the_features_finds_its_channel_and_joint():
    rng = np.random.default_rng(0)
    xy = rng.normal(size=(2, 30, len(LAYOUT), 2)).astype(np.float32)
    features = torch.from_numpy(clip_features(xy, np.ones((2, 30, len(LAYOUT)), np.float32), 20))
    clips = FromFeatures(torch.nn.Identity(), len(LAYOUT))(features)
    assert clips.shape == (2, len(CHANNELS), 30, len(LAYOUT), 1)
    wrist, vy = LAYOUT.index("left_wrist"), CHANNELS.index("vy")
    torch.testing.assert_close(clips[1, vy, 7, wrist, 0], features[1, 7, wrist * len(CHANNELS) + vy])


def test_people_follow_each_other_in_the_features():
    clips = torch.arange(2 * 3 * 4 * 5 * 2.0).view(2, 3, 4, 5, 2)  # (N, C, T, V, M)
    features = clips.permute(0, 2, 4, 3, 1).reshape(2, 4, -1)
    torch.testing.assert_close(FromFeatures(torch.nn.Identity(), joints=5, people=2)(features), clips)


def test_attention_of_the_network_inside():
    network = FromFeatures(StTr(StTrConfig(6, 5, width=16, heads=4)), 13).eval()
    features = torch.randn(2, 30, 78)
    with torch.inference_mode():
        logits, maps = network.with_attention(features)
        torch.testing.assert_close(network(features), logits)
    assert len(maps) == 6
