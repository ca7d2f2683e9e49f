"""Generated recordings: they show what they are called, and only training learns from them."""

from dataclasses import fields

import numpy as np
import pytest

from pose.skeleton import MPOSE_13
from recognizer.training.batches import BatchMaker, BatchPlan, OutputSpace
from recognizer.training.everyday import ACTIONS, OTHER
from recognizer.training.everyday_streams import read_corpus
from recognizer.training.synthetic.actions import GENERATED, with_generated

WRISTS, ELBOWS, SHOULDERS, HIPS, ANKLES = (
    [MPOSE_13.index(f"{side}_{part}") for side in ("left", "right")]
    for part in ("wrist", "elbow", "shoulder", "hip", "ankle")
)


@pytest.fixture(scope="module")
def corpora(tiny_data):
    own = read_corpus(tiny_data)
    return own, with_generated(own)


def recordings(corpus, action):
    """Joints (T, 13, 3) of each generated recording of an action, without what leads up to it."""
    rows = np.flatnonzero(corpus.kind == corpus.kinds.index(f"{GENERATED}/{action}"))
    return [corpus.joints[corpus.first[row] : corpus.first[row] + corpus.length[row]] for row in rows]


def share(corpus, action, shows):
    return np.mean([shows(joints) for joints in recordings(corpus, action)])


def test_the_corpus_keeps_what_it_had(corpora):
    own, more = corpora
    n = len(own)
    assert len(more) > n + 1000
    for column in (field.name for field in fields(own) if field.name not in ("joints", "seen", "kinds")):
        np.testing.assert_array_equal(getattr(more, column)[:n], getattr(own, column))
    np.testing.assert_array_equal(more.joints[: len(own.joints)], own.joints)
    assert more.kinds[: len(own.kinds)] == own.kinds


def test_they_train_and_never_judge(corpora):
    _, more = corpora
    assert set(more.part[more.dataset == GENERATED]) == {"train"}


def test_each_has_its_action_and_the_rest_is_unlisted(corpora):
    _, more = corpora
    made = more.dataset == GENERATED
    by_kind = {
        more.kinds[kind].removeprefix(f"{GENERATED}/"): ACTIONS[action]
        for kind, action in zip(more.kind[made], more.action[made], strict=True)
    }
    assert {kind: action for kind, action in by_kind.items() if action != OTHER} == {
        action: action for action in ("kick", "punch", "wave", "push_up", "squat")
    }
    assert {"lunge", "knee_raise", "arm_raise", "compound", "dance", "burpee", "on_back"} <= set(by_kind)


def test_in_a_kick_a_foot_leaves_the_floor_and_in_a_punch_none(corpora):
    def lifted(joints):
        return float((joints[:, ANKLES, 1].max(axis=1) - joints[:, ANKLES, 1].min(axis=1)).max())

    assert share(corpora[1], "kick", lambda joints: lifted(joints) > 0.5) > 0.97
    assert share(corpora[1], "punch", lambda joints: lifted(joints) < 0.5) == 1


def test_in_a_punch_a_hand_travels_quickly(corpora):
    def fastest(joints):  # torsos a second
        way = joints[:, WRISTS] - joints[:, HIPS].mean(axis=1, keepdims=True)
        return float(np.linalg.norm(np.diff(way, axis=0), axis=-1).max()) * 20

    assert share(corpora[1], "punch", lambda joints: fastest(joints) > 2.5) > 0.97


def test_a_wave_goes_to_and_fro_with_a_hand_over_its_elbow(corpora):
    def waves(joints):
        up = joints[:, WRISTS, 1] < joints[:, ELBOWS, 1] - 0.1  # y points down
        side = int(up.mean(axis=0).argmax())
        way = np.diff((joints[:, WRISTS[side]] - joints[:, SHOULDERS[side]])[:, [0, 2]], axis=0)
        turns = (np.sign(way[1:]) != np.sign(way[:-1])).any(axis=1).sum()
        return up[:, side].mean() > 0.3 and turns >= 3

    assert share(corpora[1], "wave", waves) > 0.8


def test_on_the_floor_the_trunk_lies(corpora):
    def lies(joints):
        trunk = joints[:, SHOULDERS].mean(axis=1) - joints[:, HIPS].mean(axis=1)
        return (np.abs(trunk[:, 1]) < 0.75).mean() > 0.9

    assert share(corpora[1], "plank", lies) > 0.9
    assert share(corpora[1], "lunge", lies) == 0


def turns(way):
    """How often a quantity (T,) goes from rising by a fifth of a torso to falling by as much, or back."""
    count, last, up = 0, way[0], None
    for value in way:
        if abs(value - last) > 0.2:
            count += up is not None and up != (value > last)
            up, last = value > last, value
    return count


def test_in_a_push_up_the_shoulders_go_down_and_up_over_the_hands(corpora):
    def bends(joints):
        height = (joints[:, WRISTS, 1] - joints[:, SHOULDERS, 1]).mean(axis=1)
        low = joints[height.argmin()]
        return turns(height) >= 2 and height.max() > 0.8 and np.linalg.norm(low[WRISTS[0]] - low[SHOULDERS[0]]) < 0.8

    assert share(corpora[1], "push_up", bends) > 0.95
    assert share(corpora[1], "plank", bends) < 0.1


def test_in_a_squat_the_hips_go_down_and_up_and_the_feet_stay(corpora):
    def bends(joints):
        height = joints[:, ANKLES, 1].max(axis=1) - joints[:, HIPS, 1].mean(axis=1)
        lifted = np.abs(joints[:, ANKLES[0], 1] - joints[:, ANKLES[1], 1]).max()
        return turns(height) >= 2 and height.min() < 1.5 and lifted < 0.5

    assert share(corpora[1], "squat", bends) > 0.95
    assert share(corpora[1], "knee_raise", bends) < 0.1


def test_a_burpee_goes_from_standing_to_the_floor(corpora):
    def both(joints):
        trunk = joints[:, HIPS, 1].mean(axis=1) - joints[:, SHOULDERS, 1].mean(axis=1)
        return trunk.max() > 0.85 and trunk.min() < 0.55

    assert share(corpora[1], "burpee", both) > 0.95


def test_on_the_back_nobody_sits_up(corpora):
    def rises(joints):
        trunk = joints[:, HIPS, 1].mean(axis=1) - joints[:, SHOULDERS, 1].mean(axis=1)
        return trunk[-1] < 0.95 and trunk.max() - trunk[0] > 0.5

    assert share(corpora[1], "on_back", rises) < 0.03


def test_what_leads_up_to_a_strike_is_kept(corpora):
    _, more = corpora
    made = np.flatnonzero(more.dataset == GENERATED)
    assert (more.lead[made] >= 15).all()
    assert (more.lead[made] <= 33).all()
    gaps = more.first[made][1:] - more.lead[made][1:] - (more.first[made] + more.length[made])[:-1]
    assert not gaps.any()  # one after the other, none overlaps


def test_the_network_has_the_same_outputs_with_them(corpora):
    own, more = corpora
    outputs = OutputSpace(more)
    assert outputs.names == OutputSpace(own).names
    lunges = more.kind == more.kinds.index(f"{GENERATED}/lunge")
    assert {outputs.names[place] for place in outputs.of_recording[lunges]} == {"exercise"}
    kicks = more.kind == more.kinds.index(f"{GENERATED}/kick")
    assert {outputs.names[place] for place in outputs.of_recording[kicks]} == {"kick"}


def test_batches_are_drawn_from_them(corpora):
    _, more = corpora
    maker = BatchMaker(more, OutputSpace(more), BatchPlan(), more.part == "train")
    features, target = maker.batch(np.random.default_rng(0), 64)
    assert np.isfinite(features).all()
    np.testing.assert_allclose(target.sum(axis=1), 1, atol=1e-5)
