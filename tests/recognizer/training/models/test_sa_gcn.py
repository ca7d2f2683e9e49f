"""SA-GCN: the official code's outputs; the sparse form against the dense one; links only to where they may go."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

import official_sa_gcn  # noqa: E402

from recognizer.training.models import sa_gcn  # noqa: E402
from recognizer.training.models.sa_gcn import (  # noqa: E402
    ActionGraph,
    ClipDiscriminator,
    FrameDiscriminator,
    Generator,
    SaGcnConfig,
    SelfAttention,
)

PARITY = Path(__file__).resolve().parents[5] / "shared" / "parity"


def read_case(name):
    """Weights, config and all tensors of a reference case."""
    if not (PARITY / f"{name}.npz").is_file():
        pytest.skip("the reference outputs are not there")
    with np.load(PARITY / f"{name}.npz") as file:
        tensors = dict(file)
    config = json.loads((PARITY / f"{name}.json").read_text())["config"]
    return {key[2:]: value for key, value in tensors.items() if key.startswith("w/")}, config, tensors


def relative(found, expected) -> float:
    return float(np.abs(found.numpy() - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize("name", ["sagcn_disc_frame", "sagcn_disc_video"])
def test_discriminators_are_the_official_ones(name):
    state, config, tensors = read_case(name)
    network = official_sa_gcn.load(state, config)
    with torch.inference_mode():
        found = network(torch.from_numpy(tensors["in/x"]), torch.from_numpy(tensors["in/label"]))
    assert not network.training
    assert np.ptp(tensors["out/p"]) > 1e-3
    assert relative(found, tensors["out/p"]) < 1e-4


@pytest.mark.parametrize("form", ["sparse", "dense"])
def test_the_generator_is_the_official_one(form):
    state, config, tensors = read_case("sagcn_generator_T10")
    network = official_sa_gcn.load(state, config)
    network.correct.config = replace(network.correct.config, form=form)
    with torch.inference_mode():
        stages = network.stages(*(torch.from_numpy(tensors[f"in/{part}"]) for part in ("noise", "init_sum", "label")))
        graph = network.correct.graph
        adjacency = graph.dense(graph.links(stages.scores))
    for name, found in (
        ("attn1", stages.latent_scores),
        ("pre_attn2", stages.before),
        ("attn2", stages.scores),
        ("A_norm", adjacency),
        ("y", stages.clips),
    ):
        assert relative(found, tensors[f"out/{name}"]) < 1e-4, name


def test_official_numbers_of_parameters():
    # The official code counts layer norms that it never uses: 2 x (110 + 30).
    official = SaGcnConfig(official_sa_gcn.HUMAN36M_15, reading="official", mix="clip")
    assert count(Generator(official)) + 280 == 5_847_029
    assert count(Generator(replace(official, frames=10))) + 280 == 3_144_029
    assert count(FrameDiscriminator(30, 10)) == 1_239_319
    assert count(ClipDiscriminator(30, 10)) + 510 == 2_199_410  # and a classifier


def count(network):
    return sum(weight.numel() for weight in network.parameters())


@pytest.fixture
def scores():
    """(3, 12, 12) of frames and those before them; rows add up to 1."""
    torch.manual_seed(1)
    future = torch.ones(12, 12, dtype=torch.bool).triu(1)
    return torch.randn(3, 12, 12).mul(2).masked_fill(future, -torch.inf).softmax(dim=-1)


@pytest.mark.parametrize("few", [0, 64], ids=["long", "short"])
@pytest.mark.parametrize("reading", ["paper", "official"])
@pytest.mark.parametrize("joints", ["penn-13", "kinect-20"])
def test_sparse_links_are_the_whole_matrix(monkeypatch, scores, reading, joints, few):
    monkeypatch.setattr(sa_gcn, "_FEW_FRAMES", few)
    graph = ActionGraph(layout(joints), reading, 3)
    x = torch.randn(3, 4, 12, len(graph.bones))
    links = graph.links(scores)
    torch.testing.assert_close(graph(x, links), graph.dense_product(x, graph.dense(links)))


def layout(name):
    return SaGcnConfig(name).layout


def test_links_of_the_paper(scores):
    """Rows add up to 1; a joint hangs on its bones within the frame and on itself in the five best past frames."""
    graph = ActionGraph(layout("penn-13"), "paper", 5)
    matrix = graph.dense(graph.links(scores)).view(3, 12, 13, 12, 13)
    torch.testing.assert_close(matrix.sum(dim=(3, 4)), torch.ones(3, 12, 13))
    for t in range(12):
        assert not matrix[:, t, :, t + 1 :].any(), "a frame is linked to its future"
        for n in range(3):
            past = matrix[n, t, 0, :t, 0].nonzero().flatten().tolist()
            assert sorted(past) == sorted(scores[n, t, :t].topk(min(5, t)).indices.tolist())
    between = matrix[:, 11, :, :11].transpose(1, 2)
    assert not between[..., ~torch.eye(13, dtype=torch.bool)].any(), "another joint of another frame"
    assert matrix[0, 4, 0, 4].nonzero().flatten().tolist() == [0, 1, 2], "the head, and both shoulders"


def test_the_official_choice_counts_the_frame_itself(scores):
    graph = ActionGraph(layout("penn-13"), "official", 3)
    links = graph.links(scores)
    itself = scores.diagonal(dim1=1, dim2=2)
    kept = (scores.topk(3).indices == torch.arange(12)[:, None]).any(dim=-1)
    assert kept.any()
    assert not kept.all()
    torch.testing.assert_close(links.own, torch.where(kept, itself, 0))


def test_attention_does_not_see_the_future():
    attention = SelfAttention(12, 3)
    torch.nn.init.ones_(attention.gain)
    x = torch.randn(1, 6, 12)
    later = x.clone()
    later[:, 4:] += 1
    out, scores = attention(x)
    torch.testing.assert_close(out[:, :4], attention(later)[0][:, :4])
    assert not torch.allclose(out[:, 4:], attention(later)[0][:, 4:])
    torch.testing.assert_close(scores.sum(dim=-1), torch.ones(1, 6))


def test_without_links_between_frames_a_pose_depends_on_its_own_frame_alone():
    torch.manual_seed(0)
    for layers, far in (("frame", False), ("attended", True)):
        correct = Generator(SaGcnConfig(frames=6, layers=layers)).correct
        for weight in correct.parameters():  # it begins as nothing
            torch.nn.init.normal_(weight, std=0.3)
        scores = torch.full((1, 6, 6), 1.0).tril() / torch.arange(1, 7)[:, None]
        poses = torch.randn(1, 6, 26)
        moved = poses.clone()
        moved[:, 0] += 1
        same = torch.allclose(correct(poses, scores)[:, 3], correct(moved, scores)[:, 3])
        assert same is not far, layers


@pytest.mark.parametrize(("residual", "passes"), [("input", True), ("first", False)])
def test_where_the_first_residual_link_begins(residual, passes):
    torch.manual_seed(0)
    correct = Generator(SaGcnConfig(frames=6, residual=residual)).correct
    for weight in correct.layers[0].parameters():  # a first layer that lets nothing through
        torch.nn.init.zeros_(weight)
    scores = torch.full((1, 6, 6), 1.0).tril() / torch.arange(1, 7)[:, None]
    first, second = (correct(torch.randn(1, 6, 26), scores) for _ in range(2))
    assert torch.allclose(first, second) is not passes


@pytest.mark.parametrize("layers", ["attended", "frame", "st-gcn", "cnn"])
def test_a_correction_begins_as_nothing_and_learns(layers):
    torch.manual_seed(0)
    correct = Generator(SaGcnConfig(frames=6, layers=layers)).correct
    scores = torch.full((2, 6, 6), 1.0).tril() / torch.arange(1, 7)[:, None]
    poses = torch.randn(2, 6, 26)
    torch.testing.assert_close(correct(poses, scores), poses, rtol=1e-4, atol=1e-5)
    optimizer = torch.optim.Adam(correct.parameters(), 1e-3)
    for _ in range(3):
        optimizer.zero_grad()
        (correct(poses, scores) - poses.roll(1, dims=1)).square().mean().backward()
        optimizer.step()
    moved = poses.clone()
    moved[:, 1, 0] += 1  # a joint's place, of which its neighbours must hear
    heard = (correct(moved, scores) - correct(poses, scores))[:, 1, 2:].abs().max()
    assert heard > 1e-6


@pytest.mark.parametrize("layers", ["attended", "frame", "st-gcn", "cnn", "none"])
@pytest.mark.parametrize(("joints", "frames"), [("penn-13", 30), ("kinect-20", 8)])
def test_every_form_learns_and_makes_clips_of_any_layout(layers, joints, frames):
    config = SaGcnConfig(joints, 3, frames, layers=layers)
    network = Generator(config)
    label = torch.eye(3)
    clips = network(*network.noise(3), label)
    assert clips.shape == (3, frames, 2 * len(config.layout))
    clips.square().sum().backward()
    still = {name for name, weight in network.named_parameters() if weight.grad is None}
    assert not still - {f"attend_poses.{part}" for part in ("query.weight", "query.bias", "key.weight", "key.bias")}


@pytest.mark.parametrize("layers", ["attended", "frame", "st-gcn", "cnn"])
def test_an_untrained_correction_leaves_the_differences_that_noise_makes(layers):
    torch.manual_seed(0)
    network = Generator(SaGcnConfig(layers=layers))
    with torch.no_grad():
        stages = network.stages(*network.noise(60), torch.eye(10)[:1].expand(60, -1))
    before, after = (float(clips.std(dim=0).mean()) for clips in (stages.before, stages.clips))
    assert 0.4 < after / before < 3


def test_the_label_of_each_frame_counts():
    torch.manual_seed(0)
    network = Generator(SaGcnConfig(actions=2, frames=8))
    noise = network.noise(1)
    first, second = torch.eye(2)[:1], torch.eye(2)[1:]
    torch.testing.assert_close(network(*noise, first), network(*noise, first[:, None].expand(-1, 8, -1)))
    changed = torch.cat([first[:, None].expand(-1, 4, -1), second[:, None].expand(-1, 4, -1)], dim=1)
    found, pure = network(*noise, changed), network(*noise, first)
    torch.testing.assert_close(found[:, :3], pure[:, :3])  # the convolution over time looks one frame ahead
    assert not torch.allclose(found[:, 5:], pure[:, 5:])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reading": "code"}, "unknown reading"),
        ({"layers": "gcn"}, "unknown layers"),
        ({"joints": "octopus"}, "unknown joint layout"),
        ({"keep": 0}, "keep 0"),
        ({"heads": 27}, "27 heads"),
        ({"residual": "second"}, "unknown residual"),
        ({"reading": "official", "residual": "first"}, "of the paper's reading alone"),
    ],
)
def test_impossible_configurations_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        SaGcnConfig(**changes)
