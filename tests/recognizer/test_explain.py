"""Explanations of planted recognizers, whose reasons are known."""

from dataclasses import replace

import numpy as np
import pytest
from toy_recognizer import make_card

from pose.skeleton import MPOSE_13
from recognizer import explain
from recognizer.clips import Clip, Explanation, Prediction
from recognizer.errors import RecognizerError
from recognizer.model_card import TensorSpec

FRAMES = 30
ARM = [MPOSE_13.index(f"left_{joint}") for joint in ("elbow", "wrist")]
WHEN = slice(10, 20)


def clip(seed: int = 0) -> Clip:
    xy_px = np.random.default_rng(seed).uniform(50, 150, (FRAMES, 13, 2)).astype(np.float32)
    return Clip(xy_px, np.ones((FRAMES, 13), np.float32), 15.0, MPOSE_13, 2.0, 3)


class Planted:
    """ "wave" is as likely as there is of the left arm in the middle third; "walk" falls by it; others do not care."""

    card = make_card()

    def __init__(self, **changes):
        self.card = make_card(**changes)
        self.calls = []

    def predict(self, clips, *, attention=False):
        self.calls.append(len(clips))
        return [self._one(each) for each in clips]

    def _one(self, each):
        there = float((each.confidence[WHEN][:, ARM] > 0).mean())
        logits = np.array([0.0, 1.0 - 2 * there, 4 * there - 1, 0.0])
        powers = np.exp(logits)
        return Prediction(each.person, each.time_s, self.card.actions, (powers / powers.sum()).astype(np.float32))


def test_the_arm_that_carries_the_action_is_the_most_relevant():
    found = explain.explain(Planted(), clip(), None)
    assert (found.action, found.method) == ("wave", "occlusion")
    assert found.relevance.shape == (FRAMES, 13)
    assert found.relevance.dtype == np.float32
    assert np.abs(found.relevance).max() == 1
    of_joint, of_frame = found.relevance.mean(axis=0), found.relevance.mean(axis=1)
    assert set(np.argsort(-of_joint)[:2]) == set(ARM)
    assert of_frame[WHEN].min() > max(of_frame[:9].max(), of_frame[21:].max())


def test_all_actions_at_once_are_as_each_alone_and_signs_say_for_or_against():
    planted = Planted()
    together = explain.explain_actions(planted, clip())
    assert list(together) == list(planted.card.actions)
    assert sum(one.probability for one in together.values()) == pytest.approx(1)
    for action, one in together.items():
        alone = explain.explain(Planted(), clip(), action)
        np.testing.assert_array_equal(alone.relevance, one.relevance)
        assert alone.probability == one.probability
    assert together["walk"].relevance[WHEN][:, ARM].min() < -0.5
    assert sum(planted.calls) < 60
    assert max(planted.calls) <= 32


def test_nothing_is_relevant_to_a_recognizer_that_never_changes_its_mind():
    planted = Planted()
    planted._one = lambda each: Prediction(0, 0.0, planted.card.actions, np.full(4, 0.25, np.float32))
    assert not explain.explain(planted, clip(), "wave").relevance.any()


def test_what_nobody_saw_is_not_relevant():
    half = replace(clip(), confidence=np.where(np.arange(13) < 7, np.float32(1), np.float32(0))[None].repeat(FRAMES, 0))
    assert not explain.explain(Planted(), half, "wave").relevance[:, 7:].any()


def test_the_parts_cover_the_body_and_the_stretches_the_clip():
    masks = explain.masks_of(MPOSE_13, FRAMES, explain.Occlusion((("limbs", 7), ("joints", 0), ("body", 12))))
    by_size = {int(mask.sum()) for mask in masks}
    assert by_size == {2 * 7, FRAMES, 12 * 13}
    whole = [mask for mask in masks if mask.sum() == 12 * 13]
    assert np.any(whole, axis=0).all()
    limbs = np.any([mask for mask in masks if mask.sum() == 14], axis=0)
    assert limbs.all(axis=0).sum() == 8
    assert not limbs[:, MPOSE_13.index("head")].any()


def test_a_card_offers_what_its_outputs_allow():
    def offered(*names):
        return explain.available_methods(make_card(attention=tuple(TensorSpec(name, ("N", 3)) for name in names)))

    assert offered() == ("occlusion",)
    assert offered("attention", "position_similarity") == ("occlusion", "attention")
    assert offered("class_activation", "edge_importance") == ("occlusion", "class_activation")
    assert offered("spatial_attention_1", "temporal_attention_1", "class_activation") == (
        "occlusion",
        "class_activation",
        "attention",
    )
    assert set(offered("attention", "class_activation")) <= set(explain.METHODS)


class Telling(Planted):
    """Has attention outputs."""

    def __init__(self, maps):
        super().__init__(attention=tuple(TensorSpec(name, ("N", *values.shape)) for name, values in maps.items()))
        self.maps = maps

    def predict(self, clips, *, attention=False):
        maps = self.maps if attention else {}
        return [replace(prediction, attention=maps) for prediction in super().predict(clips)]


def test_attention_of_frames_is_the_same_for_all_joints_and_actions():
    maps = np.full((2, 1, FRAMES + 1, FRAMES + 1), 1 / 31, np.float32)
    maps[-1, 0, 0, 1:] = np.arange(FRAMES) / 100
    found = explain.explain_actions(Telling({"attention": maps}), clip(), "attention")
    for one in found.values():
        np.testing.assert_allclose(one.relevance, np.repeat(np.arange(FRAMES)[:, None] / 29, 13, axis=1), rtol=1e-5)


def test_attention_of_joints_and_frames_meet():
    spatial = np.zeros((2, 15, 13, 13), np.float32)
    spatial[..., ARM[1]] = 1.0  # all look at the wrist
    temporal = np.zeros((2, 13, 8, 8), np.float32)
    temporal[..., 4] = 1.0  # and at the fifth of eight places
    telling = Telling({"spatial_attention_1": spatial, "temporal_attention_1": temporal})
    found = explain.explain(telling, clip(), "walk", "attention").relevance
    assert np.argwhere(found == 1)[:, 1].tolist() == [ARM[1]] * len(np.argwhere(found == 1))
    assert found[:, ARM[1]].argmax() in (16, 17)
    assert not np.delete(found, ARM[1], axis=1).any()


def test_class_activation_is_of_its_own_action():
    maps = np.zeros((4, 8, 13), np.float32)
    maps[2, 4, ARM[0]], maps[1, 0, 0] = 3.0, -2.0
    telling = Telling({"class_activation": maps})
    wave = explain.explain(telling, clip(), "wave", "class_activation").relevance
    assert np.unravel_index(wave.argmax(), wave.shape)[1] == ARM[0]
    assert explain.explain(telling, clip(), "walk", "class_activation").relevance.min() == -1
    assert not explain.explain(telling, clip(), "idle", "class_activation").relevance.any()


@pytest.mark.parametrize(
    ("action", "method", "expected"),
    [
        ("dance", "occlusion", "toy has no action 'dance'"),
        ("wave", "attention", "toy has no explanation 'attention'; choose one of occlusion"),
        ("wave", "magic", "toy has no explanation 'magic'"),
    ],
)
def test_what_cannot_be_explained_is_said_in_one_line(action, method, expected):
    with pytest.raises(RecognizerError, match=expected):
        explain.explain(Planted(), clip(), action, method)


def test_what_speaks_against_the_action_at_one_moment_takes_nothing_from_what_speaks_for_it_at_another():
    relevance = np.zeros((4, 3), np.float32)
    relevance[0, 0], relevance[1, 0], relevance[0, 1] = 1, -1, 0.5
    found = explain.relevance_of_joints(Explanation(clip(), "wave", "occlusion", 0.5, relevance))
    np.testing.assert_allclose(found, [1, 0.5, 0])
