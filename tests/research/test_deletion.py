"""How faithful explanations are, and fewer frames, on made-up data with the shipped AcT."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from research.errors import ResearchError

torch = pytest.importorskip("torch", reason="needs the extra `train`")
pytest.importorskip("matplotlib", reason="needs the extra `train`")

from recognizer import explain  # noqa: E402
from recognizer.clips import Clip, Prediction  # noqa: E402
from recognizer.features import CHANNELS, LAYOUT, RATE_FPS, clip_features  # noqa: E402
from recognizer.training.models.registry import NetworkSpec  # noqa: E402
from recognizer.training.run_folder import save_run  # noqa: E402
from research.command_line import main  # noqa: E402
from research.explain import deletion, dropped_frames  # noqa: E402
from research.explain.deletion_command import gradient_times_input  # noqa: E402
from research.explain.samples import Sample, sample  # noqa: E402
from research.page import write_measured  # noqa: E402

ARM = [LAYOUT.index(f"right_{joint}") for joint in ("elbow", "wrist")]


def clip(seed: int = 0) -> Clip:
    rng = np.random.default_rng(seed)
    xy_px = rng.uniform(50, 150, (30, 13, 2)).astype(np.float32)
    return Clip(xy_px, np.ones((30, 13), np.float32), RATE_FPS, LAYOUT, 1.5, 0)


class OneArm:
    """The probability of the first of two actions is the share of the right arm that is seen."""

    def __init__(self):
        from recognizer.model_card import ModelCard

        shipped = ModelCard.load(Path(__file__).resolve().parents[2] / "weights" / "act")
        self.card = replace(shipped, actions=("wave", "other"), attention=())

    def predict(self, clips, *, attention=False):
        seen = [0.02 + 0.96 * float((each.confidence[:, ARM] > 0).mean()) for each in clips]
        return [Prediction(0, 0.0, self.card.actions, np.array([p, 1 - p], np.float32)) for p in seen]


def test_hiding_the_arm_that_carries_the_action_first_shows_under_deletion():
    recognizer, clips = OneArm(), [clip(seed) for seed in range(3)]
    found = [explain.explain(recognizer, each, None).relevance for each in clips]
    by_joint = deletion.curves(recognizer, clips, found, "joints", "hidden")
    assert by_joint.most_relevant_first[deletion.SHARES.index(0.2)] < 0.05  # 3 of 13 joints have the arm among them
    assert by_joint.least_relevant_first[deletion.SHARES.index(0.8)] > 0.9
    rng = np.random.default_rng(0)
    chance = deletion.curves(recognizer, clips, [rng.random((30, 13)) for _ in clips], "cells", "hidden")
    assert abs(chance.area) < 0.1 < 0.5 < by_joint.area
    opposite = deletion.curves(recognizer, clips, [-values for values in found], "joints", "hidden")
    assert opposite.area == pytest.approx(-by_joint.area)


@pytest.mark.parametrize("unit", deletion.UNITS)
def test_shares_are_hidden_in_the_order_of_relevance(unit):
    relevance = np.random.default_rng(1).standard_normal((30, 13)).astype(np.float32)
    found = deletion.masks(relevance, unit, np.random.default_rng(0))
    count = {"cells": 390, "joints": 13, "frames": 30}[unit]
    for share, mask, later in zip(deletion.SHARES, found, [*found[1:], np.ones((30, 13), bool)], strict=True):
        assert mask.sum() == max(1, round(share * count)) * 390 / count
        assert not (mask & ~later).any()
    ranked = {"cells": relevance, "joints": relevance.mean(axis=0), "frames": relevance.mean(axis=1, keepdims=True)}[
        unit
    ]
    assert found[0][np.broadcast_to(ranked == ranked.max(), (30, 13))].all()


def test_what_is_taken_away_is_hidden_or_stands_still():
    mask = np.zeros((30, 13), bool)
    mask[5:9, ARM[0]] = True
    hidden, still = deletion.hide(clip(), mask), deletion.freeze(clip(), mask)
    assert (hidden.confidence[mask] == 0).all()
    assert (hidden.confidence[~mask] == 1).all()
    np.testing.assert_array_equal(still.xy_px[~mask], clip().xy_px[~mask])
    beside = still.xy_px[5:9, ARM[0]] - clip().xy_px[5:9].mean(axis=1)
    np.testing.assert_allclose(beside, np.repeat(beside[:1], 4, axis=0), atol=1e-3)


def test_gradient_times_input_of_a_linear_network_is_what_each_joint_adds():
    torch.manual_seed(0)
    linear = torch.nn.Linear(30 * 78, 2)
    network = torch.nn.Sequential(torch.nn.Flatten(), linear)
    found = gradient_times_input(network, clip(), 1)
    features = clip_features(clip().xy_px, clip().confidence, RATE_FPS)
    weight = (linear.weight[1] - linear.weight[0]).detach().numpy().reshape(30, 13, len(CHANNELS))
    np.testing.assert_allclose(found, (weight * features.reshape(30, 13, -1)).sum(axis=2), atol=1e-5)


def test_a_sample_is_of_its_split_and_the_same_for_the_same_seed(tiny_data):
    drawn = sample(tiny_data, ("penn_action", "utd_mhad"), "test", 50, 3)
    again = sample(tiny_data, ("penn_action", "utd_mhad"), "test", 50, 3)
    assert 0 < len(drawn.clips) < 50
    assert "test split of penn_action and utd_mhad, seed 3" in drawn.description
    for one, two in zip(drawn.clips, again.clips, strict=True):
        np.testing.assert_array_equal(one.xy_px, two.xy_px)
        assert one.xy_px.shape == (30, 13, 2)
        assert one.fps == RATE_FPS


def test_the_table_goes_into_its_page(tiny_data, tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("# A\n<!-- measured: act -->\nold\n<!-- end -->\n<!-- measured: st-gcn -->\nkept\n<!-- end -->\n")
    arguments = ["--data", str(tiny_data), "--sets", "utd_mhad", "--split", "test", "--clips", "2"]
    assert main(["deletion", *arguments, "--page", str(page), "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "old" not in page.read_text()
    assert f"<!-- measured: act -->\n{printed}<!-- end -->" in page.read_text()
    assert "kept" in page.read_text()
    assert [line.split("|")[1].strip() for line in printed.splitlines()[4:]] == ["occlusion", "attention", "random"]
    assert (tmp_path / "deletion_act.png").stat().st_size > 1000
    with pytest.raises(ResearchError, match="measured: other"):
        write_measured(page, "text", "other")


def test_dropped_frames_keep_their_places(tiny_data, tmp_path, capsys):
    spec = NetworkSpec("act-micro", 20, {"layers": 1})
    (tmp_path / "run").mkdir()
    save_run(tmp_path / "run", spec.build(), spec, {}, tuple(str(n) for n in range(20)))
    arguments = ["--data", str(tiny_data), "--sets", "utd_mhad", "--run", str(tmp_path / "run")]
    assert main(["dropped-frames", *arguments, "--split", "test", "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert all(f"{place}: 29 dropped: accuracy " in printed for place in ("start", "end", "random"))
    assert (tmp_path / "out" / "dropped_frames.png").is_file()

    class Sees(torch.nn.Module):
        """Right as long as the very first frame is there."""

        def forward(self, features, places):
            right = torch.tensor([9.0, 0, 0] if 0 in places else [0, 9.0, 0])
            return right.repeat(len(features), 1)

    drawn = Sample(tuple(clip(seed) for seed in range(4)), np.array([0, 0, 0, 1]), "")
    found = {place: dropped_frames.dropped_frames([Sees()], drawn, 0, place) for place in dropped_frames.DROP_PLACES}
    assert [found[place][0] for place in found] == [(0.75, 0.5)] * 3  # all are named 0: a recall of 1 and one of 0
    assert set(found["end"].values()) == {(0.75, 0.5)}
    assert {found["start"][dropped] for dropped in dropped_frames.DROPPED[1:]} == {(0.25, 0.5)}
    assert 0.25 <= found["random"][29][0] < 0.75


def test_frames_are_dropped_where_it_says():
    def kept(place):
        return dropped_frames.kept_frames(5, 2, place, np.random.default_rng(0))

    assert kept("start") == [2, 3, 4]
    assert kept("end") == [0, 1, 2]
    assert kept("random") == sorted(kept("random"))
    assert len(kept("random")) == 3
