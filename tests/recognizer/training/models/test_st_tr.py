"""ST-TR: published sizes, what attention looks at, variants. Official outputs: see test_official."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from recognizer.training.models.registry import parameter_count  # noqa: E402
from recognizer.training.models.st_tr import (  # noqa: E402
    KINDS,
    Attention,
    GraphConv,
    JointNorm,
    SpatialTransformer,
    StTr,
    StTrConfig,
    StTrFusion,
    TemporalTransformer,
)


def official(kind, **more):
    return StTrConfig(3, 60, "ntu-25", people=2, kind=kind, frames=300, **more)


@pytest.mark.parametrize(
    ("config", "count"),
    [
        (official("s-tr"), 3_075_338),
        (official("s-tr", concat_input=False), 3_074_228),
        (official("s-tr", relative=True), 3_096_974),
        (official("s-tr", bones=True, width=128), 12_126_348),
        (official("t-tr"), 1_768_870),
        (official("t-tr", relative=True), 1_776_034),
        (official("t-tr", adaptive=True), 2_140_358),
        (official("t-tr", bones=True, width=128), 6_840_914),
        (official("st-tr-1s"), 1_743_178),
        (official("base"), 3_101_030),
        (StTrConfig(3, 20, "openpose-18", people=2), 3_047_880),
        (StTrConfig(3, 20, "openpose-18", people=2, kind="t-tr"), 1_610_468),
    ],
)
def test_parameter_counts_are_those_of_the_official_code_less_its_unused_norm(config, count):
    person_bn = 2 * 4 * config.width
    assert parameter_count(StTr(config)) == count - person_bn


SMALL = {"channels": 3, "outputs": 5, "joints": "mpose-13", "width": 16}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "variant",
    [
        {},
        {"all_layers": True, "window": 7, "relative": True},
        {"augmented": True, "values": 0.5, "more_channels": 4},
        {"adaptive": True, "bones": True},
        {"skeleton_bias": True, "padding": "replicate", "kernel": 3, "strategy": "symmetric"},
        {"concat_input": False, "importance": False, "normalise_input": False, "normalise": False, "skip": False},
    ],
    ids=lambda variant: "-".join(variant) or "published",
)
def test_every_variant_learns_and_shows_its_attention(kind, variant):
    """All parameters get a gradient (several GPUs need it); maps are distributions and change nothing."""
    torch.manual_seed(0)
    network = StTr(StTrConfig(**{**SMALL, "people": 2, "kind": kind, "heads": 4, **variant}))
    clips = torch.randn(2, 3, 30, 13, 2)
    network(clips).square().sum().backward()
    silent = [name for name, parameter in network.named_parameters() if parameter.grad is None]
    assert not silent
    with torch.inference_mode():
        maps = []
        logits = network.eval()(clips, maps)
        torch.testing.assert_close(network(clips), logits)
    over_joints, over_frames = KINDS[kind]
    assert bool(maps) == (over_joints or over_frames or "adaptive" in variant)
    for found in maps:
        across = 1 if found.ndim == 3 else -1  # adaptive graphs sum over their sources
        torch.testing.assert_close(found.sum(dim=across), torch.ones_like(found.sum(dim=across)))


def test_attention_over_joints_sees_one_frame_and_over_frames_one_joint():
    torch.manual_seed(0)
    config = StTrConfig(**SMALL)
    x = torch.randn(1, 16, 10, 13, requires_grad=True)

    def seen(attention, t, v):
        gradient = torch.autograd.grad(attention(x)[0, :, t, v].sum(), x)[0][0].abs().sum(dim=0) > 0
        return gradient.any(dim=1).sum().item(), gradient.any(dim=0).sum().item()  # frames, joints

    assert seen(Attention(16, 8, 16, config, joints=13), 3, 5) == (1, 13)
    assert seen(Attention(16, 8, 16, config, frames=10), 3, 5) == (10, 1)
    assert seen(Attention(16, 8, 16, config, frames=4, window=4), 3, 5) == (4, 1)
    assert seen(Attention(16, 8, 16, config, frames=4, window=4), 9, 5) == (2, 1)  # what is left at the end


def by_hand(attention, x, bias):
    """Attention over the last axis, head by head, with loops."""
    out = torch.zeros(x.shape[0], attention.heads * attention.value, x.shape[2], x.shape[3])
    z = attention.qkv(x)
    keys, values = attention.key, attention.value
    for head in range(attention.heads):
        q = z[:, head * keys :][:, :keys]
        k = z[:, (attention.heads + head) * keys :][:, :keys]
        v = z[:, 2 * attention.heads * keys + head * values :][:, :values]
        for i in range(x.shape[3]):
            scores = torch.stack(
                [
                    (q[..., i] * attention.scale * k[..., j]).sum(dim=1) + bias(q[..., i] * attention.scale, i, j)
                    for j in range(x.shape[3])
                ],
                dim=2,
            ).softmax(dim=2)
            mixed = torch.einsum("ntj,ndtj->ndt", scores, v)
            out[:, head * values : (head + 1) * values, :, i] = mixed
    return attention.out(out)


def test_attention_is_what_it_says_with_more_channels_and_relative_joints():
    """Row i of the table has one vector for each other joint, in order; a joint to itself has its own."""
    torch.manual_seed(0)
    attention = Attention(6, 16, 32, StTrConfig(**SMALL, heads=8, more_channels=4, relative=True), joints=5).eval()
    assert (attention.key, attention.value, attention.qkv.out_channels) == (4, 8, 8 * (2 * 4 + 8))

    def bias(q, i, j):
        vector = attention.relative_self[0] if i == j else attention.relative[4 * i + j - (j > i)]
        return torch.einsum("ndt,d->nt", q, vector)

    x = torch.randn(2, 6, 3, 5)
    with torch.inference_mode():
        torch.testing.assert_close(attention(x), by_hand(attention, x, bias))


def test_attention_is_what_it_says_with_links_of_the_skeleton():
    torch.manual_seed(0)
    skeleton = torch.rand(5, 5)
    attention = Attention(6, 8, 16, StTrConfig(**SMALL, heads=4), joints=5, skeleton=skeleton).eval()
    x = torch.randn(2, 6, 3, 5)
    with torch.inference_mode():
        attention.importance.normal_()
        links = skeleton * attention.importance
        torch.testing.assert_close(attention(x), by_hand(attention, x, lambda q, i, j: links[i, j]))


def test_shorter_clips_use_the_middle_of_the_relative_positions():
    torch.manual_seed(0)
    attention = Attention(6, 8, 16, StTrConfig(**SMALL, heads=4, relative=True), frames=9).eval()

    def bias(q, i, j):
        return torch.einsum("ndt,d->nt", q, attention.relative[j - i + 8])

    x = torch.randn(2, 6, 5, 3)
    with torch.inference_mode():
        expected = by_hand(attention, x.transpose(2, 3), bias).transpose(2, 3)
        torch.testing.assert_close(attention(x), expected)


def test_drop_attention_drops_keys_for_all_queries_and_renormalises():
    torch.manual_seed(0)
    attention = Attention(4, 4, 4, StTrConfig(**SMALL, heads=1), joints=6).train()
    with torch.no_grad():
        attention.qkv.weight.zero_()
        attention.qkv.bias.zero_()
        attention.qkv.weight[8:, :, 0, 0] = torch.eye(4)  # values are the input, all weights alike
        attention.out.weight.copy_(torch.eye(4)[:, :, None, None])
        attention.out.bias.zero_()
        x = torch.zeros(1, 4, 200, 6)
        x[:, 0] = 2.0 ** torch.arange(6)
        y = attention(x)[0, 0]  # (T, V): the mean over the keys kept, the same for each query
    assert (y - y[:, :1]).abs().max() < 1e-4
    kept = [{key for key in range(6) if mask >> key & 1} for mask in range(64)]
    means = torch.tensor([sum(2.0**key for key in keys) / max(len(keys), 1) for keys in kept])
    assert (y[:, :1] - means).abs().min(dim=1).values.max() < 1e-3
    assert len(y[:, 0].unique()) > 20
    assert (y == 0).any(), "where all keys of a frame are gone nothing is attended to"
    assert attention.eval()(x)[0, 0].std() < 1e-5


def test_drop_attention_is_a_softmax_over_the_keys_that_are_left(monkeypatch):
    torch.manual_seed(0)
    attention = Attention(6, 8, 16, StTrConfig(**SMALL, heads=4), joints=13).train()
    scores = (4 * torch.randn(3, 4, 5, 13, 13)).requires_grad_()
    v = torch.randn(3, 4, 5, 4, 13, requires_grad=True)
    drawn = torch.rand(3, 4, 5, 1, 13)
    drawn[0, 0, 0] = 0  # all keys of a head are gone
    monkeypatch.setattr(torch, "rand", lambda *shape, device: drawn)
    left, values = attention._with_keys_dropped(scores, v)
    mixed = values @ left.softmax(dim=4).transpose(3, 4)
    weights = scores.masked_fill(drawn < attention.drop, -torch.inf).softmax(dim=4).nan_to_num(0)
    torch.testing.assert_close(mixed, v @ weights.transpose(3, 4))
    of_scores, of_values = torch.autograd.grad(mixed.square().sum(), (scores, v))
    assert torch.isfinite(of_scores).all()
    assert (of_scores[0, 0, 0] == 0).all()
    assert (of_values[0, 0, 0] == 0).all()


@pytest.mark.parametrize("joints", ["mpose-13", "openpose-18"])
@pytest.mark.parametrize("frames", [7, 8])
def test_stride_in_time_halves_any_number_of_frames(joints, frames):
    """With an odd number of joints the official code pairs frames and fails where one is left over."""
    config = StTrConfig(3, 5, joints, heads=4)
    count = len(config.layout)
    unit = TemporalTransformer(16, 16, config, stride=2, frames=4).eval()
    assert unit.attention.qkv.kernel_size == (2 if count % 2 else 1, 1)
    with torch.inference_mode():
        assert unit(torch.randn(1, 16, frames, count)).shape == (1, 16, 4, count)


def test_joint_norm_trains_as_batch_norm_and_evaluates_as_trained():
    norm, reference = JointNorm(4, 3), torch.nn.BatchNorm1d(12)
    x = torch.randn(5, 4, 7, 3) * 3 + 1
    flat = x.permute(0, 1, 3, 2).reshape(5, 12, 7)
    for training in (True, False):
        norm.train(training), reference.train(training)
        expected = reference(flat).view(5, 4, 3, 7).permute(0, 1, 3, 2)
        torch.testing.assert_close(norm(x), expected)


def test_the_norm_of_the_input_evaluates_as_trained():
    """Each person, joint and channel has statistics of its own."""
    network = StTr(StTrConfig(**SMALL, people=2)).eval()
    norm = network.input_norm
    for values in (norm.running_mean, norm.running_var, norm.weight.data, norm.bias.data):
        values.copy_(torch.rand_like(values) + 0.5)
    clips = torch.randn(2, SMALL["channels"], 9, 13, 2)
    raw = clips.permute(0, 4, 1, 2, 3).flatten(0, 1)  # (N * M, C, T, V)
    flat = clips.permute(0, 4, 3, 1, 2).flatten(1, 3)  # (N, M * V * C, T)
    expected = norm(flat).view(4, 13, SMALL["channels"], 9).permute(0, 2, 3, 1)
    torch.testing.assert_close(network._normalised(clips, raw, norm), expected)


def test_precise_graph_convolution_is_the_same_in_double_precision_and_nearer_to_it_in_single():
    torch.manual_seed(0)
    adjacency = torch.rand(3, 13, 13)
    precise, plain = (GraphConv(64, 32, adjacency, importance=True).eval() for _ in range(2))
    precise.precise = True
    for values in (precise.norm.running_mean, precise.norm.running_var, precise.norm.weight.data):
        values.copy_(torch.rand_like(values) + 0.5)
    plain.load_state_dict(precise.state_dict())
    x = torch.randn(4, 64, 15, 13)
    with torch.inference_mode():
        single, rough = precise(x), plain(x)
        exact = plain.double()(x.double())
        torch.testing.assert_close(precise.double()(x.double()), exact, rtol=1e-12, atol=1e-12)
    assert single.dtype == torch.float32
    assert (single - exact).pow(2).mean() < (rough - exact).pow(2).mean() / 2


def test_graph_convolution_is_made_precise_before_attention_over_frames_alone():
    for kind, places in {"t-tr": range(3, 9), "s-tr": (), "base": (), "st-tr-1s": ()}.items():
        network = StTr(StTrConfig(**SMALL, kind=kind))
        graph = {place: unit.spatial for place, unit in enumerate(network.units) if isinstance(unit.spatial, GraphConv)}
        assert not any(each.precise for each in graph.values())
        network.make_precise()
        assert [place for place, each in graph.items() if each.precise] == list(places)


def test_a_spatial_unit_adds_its_input_only_where_the_width_stays():
    adjacency = torch.ones(3, 13, 13)
    assert SpatialTransformer(32, 32, adjacency, StTrConfig(**SMALL)).skip
    assert not SpatialTransformer(16, 32, adjacency, StTrConfig(**SMALL)).skip


def test_bones_are_vectors_from_the_parents():
    torch.manual_seed(0)
    bones = StTr(StTrConfig(**SMALL, bones=True)).eval()
    plain = StTr(StTrConfig(**{**SMALL, "channels": 6})).eval()
    plain.load_state_dict(bones.state_dict())
    clips = torch.randn(2, 3, 12, 13, 1)
    parents = bones.config.layout.parents
    with torch.inference_mode():
        expected = plain(torch.cat([clips, clips - clips[:, :, :, parents]], dim=1))
        torch.testing.assert_close(bones(clips), expected)


def test_fusion_adds_logits():
    torch.manual_seed(0)
    spatial, temporal = (StTr(StTrConfig(**SMALL, kind=kind)).eval() for kind in ("s-tr", "t-tr"))
    clips = torch.randn(2, 3, 12, 13, 1)
    with torch.inference_mode():
        a, b = spatial(clips), temporal(clips)
        fusion = StTrFusion(spatial, temporal)
        torch.testing.assert_close(fusion(clips), a + b)
        found = fusion.inside(clips)
        torch.testing.assert_close(found.logits, a + b)
        assert len(found.attention) == 12


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kind": "q-tr"}, "kind 'q-tr'"),
        ({"padding": "valid"}, "padding"),
        ({"strides": (1, 2)}, "9 strides"),
        ({"heads": 3}, "3 heads"),
    ],
)
def test_wrong_configurations_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        StTr(StTrConfig(**{**SMALL, **wrong}))
