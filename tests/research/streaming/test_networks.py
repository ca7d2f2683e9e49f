"""Streaming networks against the networks of clips that they are made of, pose by pose."""

from dataclasses import replace
from pathlib import Path

import pytest

from research.errors import ResearchError

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from recognizer.training.fine_tune.start import load_networks  # noqa: E402
from recognizer.training.models.act import Act, ActConfig  # noqa: E402
from recognizer.training.models.st_gcn import StGcn, StGcnConfig  # noqa: E402
from recognizer.training.models.st_tr import StTr, StTrConfig, TemporalTransformer  # noqa: E402
from research.streaming.memory import Memory  # noqa: E402
from research.streaming.recognizer import streams_of  # noqa: E402
from research.streaming.st_gcn import StreamingStGcn  # noqa: E402
from research.streaming.st_tr import StreamingStTr  # noqa: E402

WEIGHTS = Path(__file__).resolve().parents[3] / "weights"
JOINTS, CHANNELS, POOLED, FACTOR = 13, 6, 3, 4  # FACTOR: of all strides
NARROW = StGcnConfig(CHANNELS, 5, widths=(8, 8, 16, 16), strides=(1, 2, 1, 2), kernel=5)


@pytest.fixture(autouse=True)
def _same_weights():
    """Networks begin with the same weights whatever ran before: on some the rounding errors come close to the limit."""
    torch.manual_seed(0)


def shaken(network, seed=0):
    """The network with norms as after a training, in eval mode, and logits of a size of about 1."""
    torch.manual_seed(seed)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 1.5)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.3)
        if isinstance(network, StGcn) and isinstance(module, torch.nn.Conv2d):  # its own beginning is all but 0
            torch.nn.init.kaiming_normal_(module.weight)
    with torch.inference_mode():
        largest = network.eval()(poses_of(30 if isinstance(network, StGcn) else 12)).abs().max()
    network.head.weight.data.mul_(1 / float(largest))
    return network


def poses_of(count, seed=1):
    return torch.randn(1, CHANNELS, count, JOINTS, 1, generator=torch.Generator().manual_seed(seed))


def streamed(stream, clips, poses):
    """Logits (steps, A) of a stream that begins with the clips' first pose."""
    frames = clips[..., 0].permute(0, 3, 2, 1)
    memory = Memory()
    with torch.inference_mode():
        stream(frames[:, :, :1].expand(-1, -1, poses, -1), memory)
        answers = []
        for place in range(0, frames.shape[2], poses):
            memory = Memory(memory.after)
            answers.append(stream(frames[:, :, place : place + poses], memory))
    return torch.cat(answers)


def held(clips, count):
    """The clips with their first pose held before them."""
    return torch.cat([clips[:, :, :1].expand(-1, -1, count, -1, -1), clips], dim=2)


def without_edges(network, clips, delay):
    """Logits of the last frames of the last layer that padding does not reach on the right, POOLED of them."""
    found = network.inside(clips).activation
    last = (clips.shape[2] - 1 - delay) // FACTOR
    assert FACTOR * last + delay == clips.shape[2] - 1
    return found[:, :, last - POOLED + 1 : last + 1].mean(dim=(2, 3)) + network.head.bias


def check_against_whole(network, stream, poses, delay, count=24):
    """At each step, against the network of clips on all poses until then."""
    clips = poses_of(count)
    answers = streamed(stream, clips, poses)
    before = stream.reach + 2 * delay  # so much that the left edge is out of reach
    whole = held(clips, before)
    for step, answer in enumerate(answers):
        end = before + (step + 1) * poses
        begin = (end - 1 - delay) % FACTOR
        with torch.inference_mode():
            expected = without_edges(network, whole[:, :, begin:end], delay)[0]
        assert float((answer - expected).abs().max()) < 1e-4
    assert float(answers.std(dim=0).max()) > 1e-2  # they are not all the same


@pytest.mark.parametrize("poses", [1, 2, 4])
@pytest.mark.parametrize("changes", [{}, {"importance": False, "kernel": 3}, {"strategy": "uniform"}])
def test_st_gcn_answers_as_its_valid_network_at_every_step(poses, changes):
    config = replace(NARROW, **changes)
    network = shaken(StGcn(config))
    valid = StGcn(replace(config, padding="valid"))
    valid.load_state_dict(network.state_dict())
    valid.eval()
    stream = StreamingStGcn(network, POOLED, poses)
    clips = poses_of(24)
    answers = streamed(stream, clips, poses)
    whole = held(clips, stream.reach)
    for step, answer in enumerate(answers):
        end = stream.reach + (step + 1) * poses
        with torch.inference_mode():
            expected = valid(whole[:, :, end - stream.reach : end])[0]
        assert float((answer - expected).abs().max()) < 1e-4
    assert float(answers.std(dim=0).max()) > 1e-2


def test_a_network_without_padding_that_reaches_over_a_window_answers_as_the_window():
    config = replace(NARROW, widths=(8,) * 6, strides=(1,) * 6, padding="valid")
    network = shaken(StGcn(config))
    stream = StreamingStGcn(network, pooled=6)
    assert stream.reach == 30
    clips = poses_of(45)
    answers = streamed(stream, clips, 1)
    with torch.inference_mode():
        windows = torch.cat([network(clips[:, :, end - 30 : end]) for end in range(30, 46)])
    assert float((answers[29:] - windows).abs().max()) < 1e-4
    assert float(windows.std(dim=0).max()) > 1e-2


@pytest.mark.parametrize("padding", ["zero", "replicate"])
def test_st_gcn_answers_as_its_padded_network_where_no_padding_is_seen(padding):
    network = shaken(StGcn(replace(NARROW, padding=padding)))
    check_against_whole(network, StreamingStGcn(network, POOLED), 1, delay=2 * (1 + 1 + 2 + 2))


def test_the_shipped_st_gcn_streams_as_its_valid_network():
    (shipped,) = load_networks(WEIGHTS / "st-gcn").networks
    config = replace(shipped.network.config, padding="valid")
    valid = StGcn(config)
    valid.load_state_dict(shipped.network.state_dict())
    valid.eval()
    (stream,) = streams_of(shipped, pooled=8)
    assert stream.reach == 105
    clips = poses_of(40)
    answers = streamed(stream, clips, 1)
    whole = held(clips, stream.reach)
    for step in range(0, 40, 3):
        with torch.inference_mode():
            expected = valid(whole[:, :, step + 1 : step + 1 + stream.reach])[0]
        assert float((answers[step] - expected).abs().max()) < 1e-4


def st_tr(kind, **changes):
    strides = (1, 1, 1, 2, 1, 1, 2, 1, 1)
    config = StTrConfig(CHANNELS, 5, kind=kind, width=8, kernel=3, heads=2, strides=strides, frames=12)
    return shaken(StTr(replace(config, **changes)))


@pytest.mark.parametrize("poses", [1, 2])
@pytest.mark.parametrize("changes", [{}, {"bones": True, "padding": "replicate"}, {"augmented": True, "values": 0.5}])
def test_s_tr_answers_as_its_network_where_no_padding_is_seen(poses, changes):
    network = st_tr("s-tr", **changes)
    delay = 4 + 1 + 2 * 2 + 2 + 4 * 2  # the stem and three units, then unit by unit as far apart as frames are there
    check_against_whole(network, StreamingStTr(network, POOLED, poses), poses, delay)


def looks_back_only(network):
    """Attention over frames of which each frame sees itself and the frames of a clip before it."""
    for unit in network.units:
        if isinstance(unit.temporal, TemporalTransformer):
            attention = unit.temporal.attention
            frames = 6 if unit.temporal.norm.num_features == 16 else 3

            def attend(x, maps, attention=attention, frames=frames):
                q, k, v = (each.permute(0, 1, 4, 3, 2) for each in torch.split(x, attention._sizes, dim=2))
                at = torch.arange(x.shape[3])
                ago = at[:, None] - at[None]
                scores = q * attention.scale @ k.transpose(3, 4)
                if attention.relative is not None:
                    vectors = attention.relative[(-ago).clamp(1 - frames, frames - 1) + frames - 1]
                    scores = scores + torch.einsum("nhvqd,qkd->nhvqk", q * attention.scale, vectors)
                scores = scores.masked_fill((ago < 0) | (ago >= frames), -torch.inf)
                weights = scores.softmax(dim=4)
                if maps is not None:
                    maps.append(weights)
                return (weights @ v).transpose(3, 4)

            attention._attend = attend
    return network


@pytest.mark.parametrize("poses", [1, 2, 4])
@pytest.mark.parametrize("changes", [{}, {"relative": True}])
def test_t_tr_answers_as_its_network_whose_frames_look_back_alone(poses, changes):
    network = st_tr("t-tr", **changes)
    stream = StreamingStTr(network, POOLED, poses)
    delay = 4 + 1 + 2  # the stem and three convolutions, then what a pair of frames begins earlier
    check_against_whole(looks_back_only(network), stream, poses, delay)


def test_one_stream_of_both_attentions_does_the_same():
    network = st_tr("st-tr-1s")
    stream = StreamingStTr(network, POOLED)
    check_against_whole(looks_back_only(network), stream, 1, 4 + 1 + 2)


def test_a_held_pose_has_one_answer_from_the_first_step_on():
    stream = StreamingStGcn(shaken(StGcn(NARROW)), POOLED)
    answers = streamed(stream, poses_of(1).expand(-1, -1, 10, -1, -1), 1)
    assert float((answers - answers[0]).abs().max()) < 1e-5


def test_nothing_older_than_its_reach_changes_an_answer():
    stream = StreamingStGcn(shaken(StGcn(NARROW)), POOLED)
    one, other = poses_of(stream.reach + 3), poses_of(stream.reach + 3)
    other[:, :, :3] *= -100
    apart = (streamed(stream, one, 1) - streamed(stream, other, 1)).abs().amax(dim=1)
    assert float(apart[-2]) > 1e-4
    assert float(apart[-1]) < 1e-5


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"adaptive": True}, "set adaptive=false"),
        ({"all_layers": True}, "set all_layers=false"),
        ({"augmented": True, "values": 0.5}, "set augmented=false"),
    ],
)
def test_layers_that_need_a_whole_clip_are_refused_by_name(changes, said):
    with pytest.raises(ResearchError, match=said):
        StreamingStTr(st_tr("t-tr", **changes), POOLED)


@pytest.mark.parametrize(
    ("poses", "said"),
    [
        (3, "a step of 3 poses has 3 answers; take steps of 1"),
        (6, "steps of 3 frames do not fit a stride of 2; take steps of one pose"),
        (8, "a step of 8 poses has 2 answers; take steps of 4"),
        (0, "a step has one pose or more, not 0"),
    ],
)
def test_a_step_that_does_not_fit_the_strides_is_refused(poses, said):
    strides = (1, 1, 1, 1) if poses == 3 else NARROW.strides
    with pytest.raises(ResearchError, match=said):
        StreamingStGcn(StGcn(replace(NARROW, strides=strides)), POOLED, poses)


def test_other_networks_are_refused():
    with pytest.raises(ResearchError, match="Act has no streaming form; only ST-GCN, S-TR, T-TR and their sum have"):
        streams_of(Act(ActConfig(78, 5, 30)), POOLED)
