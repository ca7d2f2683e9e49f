import numpy as np
import pytest

from recognizer import attention


def rows(rng: np.random.Generator, *shape: int) -> np.ndarray:
    values = rng.random(shape, dtype=np.float32)
    return values / values.sum(axis=-1, keepdims=True)


def test_frame_scores_are_the_last_layers_class_token_over_all_heads():
    maps = rows(np.random.default_rng(0), 3, 2, 6, 6)
    scores = attention.frame_scores(maps)
    by_hand = [maps[2, 0, 0, 1 + t] + maps[2, 1, 0, 1 + t] for t in range(5)]
    np.testing.assert_allclose(scores, np.array(by_hand) / max(by_hand), rtol=1e-6)
    assert scores.max() == 1


def test_relevance_of_a_joint_is_the_sum_of_its_column():
    maps = rows(np.random.default_rng(1), 4, 7, 13, 13)
    found = attention.joint_relevance_over_time(maps)
    np.testing.assert_allclose(found[3], maps[:, 3].mean(axis=0).sum(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 13, rtol=1e-5)


def test_attention_over_frames_belongs_to_one_joint():
    maps = rows(np.random.default_rng(2), 4, 13, 8, 8)
    np.testing.assert_allclose(attention.temporal_map(maps, 5, 1), maps[1, 5])
    np.testing.assert_allclose(attention.temporal_map(maps, 5).sum(axis=1), np.ones(8), rtol=1e-5)
    over = attention.frame_relevance_of_joints(maps)
    assert over.shape == (8, 13)
    np.testing.assert_allclose(over[2, 5], attention.temporal_map(maps, 5)[:, 2].sum(), rtol=1e-5)


@pytest.mark.parametrize("count", [30, 24, 15, 8, 1])
def test_values_inside_the_network_are_spread_over_the_clip(count):
    values = np.stack([np.arange(count), np.ones(count)], axis=1).astype(np.float32)
    spread = attention.at_frames(values, 30)
    assert spread.shape == (30, 2)
    np.testing.assert_array_equal(spread[:, 1], 1)
    assert np.all(np.diff(spread[:, 0]) >= 0)
    assert spread[0, 0] == 0
    assert spread[-1, 0] == count - 1
    # the middle of the clip is the middle inside the network
    assert spread[14:16, 0].mean() == pytest.approx((count - 1) / 2, abs=1e-5)


def test_layers_come_in_the_order_of_their_numbers():
    names = ["spatial_attention_10", "temporal_attention_1", "spatial_attention_2", "attention"]
    assert attention.layers(names, attention.SPATIAL) == ("spatial_attention_2", "spatial_attention_10")
