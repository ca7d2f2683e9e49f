"""Official checkpoints: the outputs of the official codes, and what is wrong with a checkpoint said in one line."""

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from recognizer.training.models.act import SIZES, Act, ActConfig  # noqa: E402
from recognizer.training.models.st_gcn import StGcn, StGcnConfig, StGcnTwoStream  # noqa: E402
from recognizer.training.models.st_tr import StTr, StTrConfig  # noqa: E402
from research.official.load import load_official  # noqa: E402
from research.official.names import OfficialError, fill, st_gcn_source, st_tr_source  # noqa: E402

PARITY = Path(__file__).resolve().parents[3] / "shared" / "parity"
SYSTEMS = {"stgcn": "st-gcn", "str": "s-tr", "ttr": "t-tr"}
CASES = sorted(
    path.stem
    for pattern in ("stgcn_*.npz", "sttr_*.npz")
    for path in PARITY.glob(pattern)
    if "adjacency" not in path.stem
)


def read_case(name: str):
    """System, config and tensors of a reference case."""
    if not (PARITY / f"{name}.npz").is_file():
        pytest.skip("the reference outputs are not there")
    family, _, rest = name.partition("_")
    system = "st-gcn" if family == "stgcn" else "t-tr" if rest.startswith(("ttr", "block_tsa")) else "s-tr"
    config = json.loads((PARITY / f"{name}.json").read_text())["config"]
    with np.load(PARITY / f"{name}.npz") as file:
        return system, config, dict(file)


def part(tensors, prefix):
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def relative(found, expected) -> float:
    return float(np.abs(found.detach().numpy() - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize("name", CASES or ["none"])
@pytest.mark.parametrize("fixed", ["with", "without"])
def test_outputs_are_those_of_the_official_code(name, fixed):
    """Also attention maps and features, where the reference has them."""
    system, config, tensors = read_case(name)
    state = part(tensors, "w/")
    if fixed == "without":
        state = {key: value for key, value in state.items() if key != "A" and not key.endswith("num_batches_tracked")}
    network = load_official(system, state, config)
    inputs = [torch.from_numpy(value) for _, value in sorted(part(tensors, "in/").items(), reverse=True)]  # x, then A
    outputs, maps = part(tensors, "out/"), []
    with torch.inference_mode():
        found = network(*inputs) if system == "st-gcn" else network(*inputs, maps)
        assert not network.training
        assert relative(found, outputs.get("logits", outputs.get("y"))) < 1e-4
        if "feature" in outputs:
            assert relative(network.features(*inputs), outputs["feature"]) < 1e-4
    expected = [outputs[f"attn{place}"] for place in range(len(part(outputs, "attn")))]
    if expected:
        assert len(maps) == len(expected)
        for found, map_ in zip(map(by_group, maps), expected, strict=True):
            np.testing.assert_allclose(found.numpy(), map_, atol=1e-4)


def by_group(found):
    """A map (N, H, G, L, L) as (N * G, H, L, L), G frames or joints; those of adaptive layers as they are."""
    return found if found.dim() == 3 else found.transpose(1, 2).flatten(0, 1)


def official_state(network, source, subsets=3):
    """The state that the official code would have saved of one of our networks."""
    state = {}
    for key, value in network.state_dict().items():
        names, join = source(key)
        if key.endswith("gather.weight") and len(names) == 1:  # ST-GCN: (D, K C) to (K D, C)
            value = torch.cat(value.chunk(subsets, dim=1))
        elif key.endswith("gather_bias"):
            value = value.flatten()
        if len(names) == 1:
            state[names[0]] = value.numpy()
            continue
        parts = value.chunk(len(names), dim=0 if join in (torch.cat, torch.stack) else 1)
        state |= {name: (p[0] if join is torch.stack else p).numpy() for name, p in zip(names, parts, strict=True)}
    return state


def perturbed(network):
    """Random weights and statistics, so that nothing is what it was made as."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.is_floating_point() and name != "adjacency" and not name.endswith(".adjacency"):
                noise = 0.02 * torch.randn(value.shape, generator=generator)
                value.copy_(value + noise)
    return network.eval()


@pytest.mark.parametrize("layout", ["openpose", "ntu-rgb+d", "coco"])
@pytest.mark.parametrize("strategy", ["uniform", "distance", "spatial"])
def test_st_gcn_of_other_layouts_and_strategies(layout, strategy):
    ours = {"openpose": "openpose-18", "ntu-rgb+d": "ntu-25", "coco": "coco-17"}[layout]
    network = perturbed(StGcn(StGcnConfig(2, 7, ours, strategy=strategy, max_hop=2, importance=False)))
    config = {
        "in_channels": 2,
        "num_class": 7,
        "edge_importance_weighting": False,
        "graph_args": {"layout": layout, "strategy": strategy, "max_hop": 2},
    }
    subsets = {"uniform": 1, "distance": 3, "spatial": 5}[strategy]
    state = official_state(network, st_gcn_source(subsets), subsets)
    del state["A"]
    clips = torch.randn(2, 2, 12, state["data_bn.weight"].size // 2, 2)
    with torch.inference_mode():
        torch.testing.assert_close(load_official("st-gcn", state, config)(clips), network(clips))


def test_st_gcn_in_two_streams():
    config = StGcnConfig(3, 4, "openpose-18")
    network = perturbed(StGcnTwoStream(config))
    state = official_state(network, st_gcn_source(3))
    assert "motion_stream.edge_importance.3" in state
    assert "origin_stream.st_gcn_networks.4.residual.1.running_var" in state
    found = load_official(
        "st-gcn", state, {"in_channels": 3, "num_class": 4, "layout": "openpose", "strategy": "spatial"}
    )
    clips = torch.randn(1, 3, 10, 18, 1)
    with torch.inference_mode():
        torch.testing.assert_close(found(clips), network(clips))


# Settings of the official ST-TR, and ours that make the same network.
VARIANTS = {
    "one stream": ("s-tr", {"attention": True, "tcn_attention": True}, {"kind": "st-tr-1s"}),
    "adaptive": ("t-tr", {"agcn": True}, {"kind": "t-tr", "adaptive": True}),
    "all layers": (
        *("t-tr", {"all_layers": True, "dim_block1": 4}),
        {"kind": "t-tr", "all_layers": True, "window": 4},
    ),
    "spatial in all layers": ("s-tr", {"all_layers": True}, {"kind": "s-tr", "all_layers": True}),
    "augmented": ("s-tr", {"only_attention": False, "dv": 0.5}, {"kind": "s-tr", "augmented": True, "values": 0.5}),
    "augmented in time": (
        *("t-tr", {"only_temporal_attention": False}),
        {"kind": "t-tr", "augmented": True},
    ),
    "more channels": ("s-tr", {"more_channels": True, "n": 4}, {"kind": "s-tr", "more_channels": 4}),
    "more channels in time": ("t-tr", {"more_channels": True, "n": 4}, {"kind": "t-tr", "more_channels": 4}),
    "relative": ("s-tr", {"relative": True}, {"kind": "s-tr", "relative": True}),
    "relative in time": ("t-tr", {"relative": True}, {"kind": "t-tr", "relative": True, "frames": 300}),
    "adjacency": ("s-tr", {"adjacency": True}, {"kind": "s-tr", "skeleton_bias": True}),
    "joints and bones": ("s-tr", {"channel": 6, "double_channel": True}, {"kind": "s-tr", "channels": 6, "width": 128}),
    "no extras": (
        *("t-tr", {"concat_original": False, "mask_learning": False, "use_data_bn": False, "skip_conn": False}),
        {"kind": "t-tr", "concat_input": False, "importance": False, "normalise_input": False, "skip": False},
    ),
    "no normalisation": ("s-tr", {"data_normalization": False}, {"kind": "s-tr", "normalise": False}),
    "four heads": ("s-tr", {"Nh": 4, "dk": 0.5}, {"kind": "s-tr", "heads": 4, "keys": 0.5}),
    "one subset": (
        *("t-tr", {"graph_args": {"labeling_mode": "DAD"}}),
        {"kind": "t-tr", "strategy": "symmetric"},
    ),
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("graph", ["st_gcn.graph.NTU_RGB_D", "st_gcn.graph.Kinetics"])
def test_st_tr_of_other_graphs_and_variants(variant, graph):
    system, settings, fields = VARIANTS[variant]
    joints, layout = (25, "ntu-25") if graph.endswith("NTU_RGB_D") else (18, "openpose-18")
    ours = StTrConfig(**{"channels": 3, "outputs": 5, "joints": layout, "people": 2, **fields})
    network = perturbed(StTr(ours))
    config = {
        **{"channel": 3, "num_class": 5, "num_person": 2, "num_point": joints, "graph": graph, "agcn": False},
        **{
            "mask_learning": True,
            "use_data_bn": True,
            "concat_original": True,
            "graph_args": {"labeling_mode": "spatial"},
        },
        **settings,
    }
    subsets = 1 if variant == "one subset" else 3
    state = official_state(network, st_tr_source(ours, subsets), subsets)
    state |= {"person_bn.weight": np.ones(4 * ours.width), "person_bn.num_batches_tracked": np.array(0)}
    clips = torch.randn(2, ours.channels, 8, joints, 2)
    with torch.inference_mode():
        torch.testing.assert_close(load_official(system, state, config)(clips), network(clips))


# Names and shapes that the official code gives to what the reference cases do not have; 25 joints, 3 channels.
OFFICIAL_SHAPES = {
    "adaptive": {
        "gcn0.PA": (3, 25, 25),
        "gcn0.conv_a.0.weight": (16, 3, 1, 1),
        "gcn0.down.1.running_mean": (64,),
        "backbone.3.gcn1.conv_d.2.bias": (128,),
        "backbone.3.gcn1.down.0.weight": (128, 67, 1, 1),
    },
    "all layers": {
        "backbone.0.gcn1.mask": (3, 25, 25),
        "backbone.0.tcn1.qkv_conv.weight": (96, 64, 1, 1),
        "backbone.3.down1.conv.weight": (64, 67, 1, 1),
        "backbone.4.tcn1.qkv_conv.weight": (192, 128, 1, 2),
        "backbone.9.tcn1.data_bn.weight": (256 * 25,),
    },
    "spatial in all layers": {
        "backbone.0.gcn1.data_bn.weight": (3 * 25,),
        "backbone.0.gcn1.attention_conv.qkv_conv.weight": (96, 3, 1, 1),
        "backbone.0.down1.conv.weight": (64, 3, 1, 1),
    },
    "augmented": {
        "backbone.3.gcn1.g_convolutions.1.weight": (64, 67, 1, 1),
        "backbone.3.gcn1.attention_conv.qkv_conv.weight": (2 * 32 + 64, 67, 1, 1),
        "backbone.3.gcn1.attention_conv.attn_out.weight": (64, 64, 1, 1),
    },
    "augmented in time": {
        "backbone.3.tcn1.tcn_conv.conv.weight": (96, 128, 9, 1),
        "backbone.3.tcn1.tcn_conv.bn.running_var": (96,),
        "backbone.3.tcn1.qkv_conv.weight": (2 * 32 + 32, 128, 1, 2),
        "backbone.3.tcn1.down.conv.weight": (128, 128, 1, 1),
    },
    "more channels": {
        "backbone.3.gcn1.attention_conv.qkv_conv.weight": ((2 * 32 + 128) * 2, 67, 1, 1),
        "backbone.3.gcn1.attention_conv.attn_out.weight": (128, 256, 1, 1),
    },
    "relative": {
        "backbone.3.gcn1.attention_conv.key_rel": (600, 4),
        "backbone.8.gcn1.attention_conv.key_rel_diagonal": (1, 8),
    },
    "relative in time": {"backbone.3.tcn1.key_rel": (299, 4), "backbone.8.tcn1.key_rel": (149, 8)},
    "adjacency": {"backbone.3.gcn1.attention_conv.mask": (25, 25)},
    "joints and bones": {"fcn.weight": (5, 512, 1), "backbone.3.gcn1.data_bn.bias": ((128 + 6) * 25,)},
    "one subset": {"backbone.0.gcn1.conv_list.0.bias": (64,), "gcn0.mask": (1, 25, 25)},
}


@pytest.mark.parametrize("variant", OFFICIAL_SHAPES)
def test_names_and_shapes_of_variants_are_the_official_ones(variant):
    _, _, fields = VARIANTS[variant]
    ours = StTrConfig(**{"channels": 3, "outputs": 5, "joints": "ntu-25", "people": 2, **fields})
    subsets = 1 if variant == "one subset" else 3
    state = official_state(StTr(ours), st_tr_source(ours, subsets), subsets)
    for name, shape in OFFICIAL_SHAPES[variant].items():
        assert state[name].size == np.prod(shape), name
        state[name] = np.zeros(shape)
    fill(StTr(ours), state, st_tr_source(ours, subsets))  # official shapes fit


def keras_state(network):
    """Names as Keras gives them to a model made after another one: its numbers go on."""
    state, dense, norm = {}, 40, 9
    stem = "transformer_encoder_1/transformer_encoder_layer"

    def put(path, kernel, bias, transpose=True):
        kind = ("kernel", "bias") if transpose else ("gamma", "beta")
        state[f"{path}/{kind[0]}:0"] = kernel.detach().numpy().T if transpose else kernel.detach().numpy()
        state[f"{path}/{kind[1]}:0"] = bias.detach().numpy()

    for place, layer in enumerate(network.encoder):
        inside = f"{stem}_{place + 4}"
        for linear in (layer.query, layer.key, layer.value, layer.out):
            put(f"{inside}/multi_head_attention_{place + 4}/dense_{dense}", linear.weight, linear.bias)
            dense += 1
        for linear in (layer.widen, layer.narrow):
            put(f"{inside}/sequential_{place + 4}/dense_{dense}", linear.weight, linear.bias)
            dense += 1
        for layer_norm in (layer.norm1, layer.norm2):
            put(f"{inside}/layer_normalization_{norm}", layer_norm.weight, layer_norm.bias, transpose=False)
            norm += 1
    for linear in (network.embed, *network.head):
        put(f"dense_{dense}", linear.weight, linear.bias)
        dense += 1
    state["patch_class_embedding_1/Variable:0"] = network.class_token.detach().numpy()
    state["patch_class_embedding_1/embedding_1/embeddings:0"] = network.position.detach()[0].numpy()
    return dict(sorted(state.items()))  # the order in a file says nothing


def attribute_state(network):
    names = {
        "query": "mha.wq",
        "key": "mha.wk",
        "value": "mha.wv",
        "out": "mha.dense",
        "widen": "ffn.0",
        "narrow": "ffn.1",
    }
    state = {
        "class_embed": network.class_token.detach(),
        "position_embedding.embeddings": network.position.detach()[0],
    }
    linears = {"dense": network.embed, "head.0": network.head[0], "head.1": network.head[1]}
    for place, layer in enumerate(network.encoder):
        linears |= {f"encoder_layers.{place}.{name}": getattr(layer, ours) for ours, name in names.items()}
        for number in (1, 2):
            norm = getattr(layer, f"norm{number}")
            state[f"encoder_layers.{place}.layernorm{number}.gamma"] = norm.weight.detach()
            state[f"encoder_layers.{place}.layernorm{number}.beta"] = norm.bias.detach()
    for name, linear in linears.items():
        state |= {f"{name}.kernel": linear.weight.detach().T, f"{name}.bias": linear.bias.detach()}
    return state


@pytest.fixture(scope="module")
def act():
    torch.manual_seed(0)
    return perturbed(Act(ActConfig(features=52, outputs=20, **SIZES["small"])))


@pytest.mark.parametrize("names", [keras_state, attribute_state])
@pytest.mark.parametrize(
    "config",
    [
        {},
        {
            "MODEL_SIZE": "small",
            "small": {"N_HEADS": 2},
            "DATASET": "openpose",
            "openpose": {"FRAMES": 30, "CLASSES": 20},
        },
        {"model_size": "small", "keypoints": 13, "channels": 4},
    ],
)
def test_act_from_its_keras_weights(act, names, config):
    clips = torch.randn(2, 30, 52)
    with torch.inference_mode():
        torch.testing.assert_close(load_official("act", names(act), config)(clips), act(clips))


def test_act_with_the_approximate_gelu_differs_a_little(act):
    clips = torch.randn(2, 30, 52)
    with torch.inference_mode():
        difference = load_official("act", keras_state(act), {"gelu": "tanh"})(clips) - act(clips)
    assert 0 < difference.abs().max() < 0.05


@pytest.fixture
def small_st_gcn():
    network = StGcn(StGcnConfig(3, 4, "openpose-18"))
    return official_state(network, st_gcn_source(3)), {
        "in_channels": 3,
        "num_class": 4,
        "layout": "openpose",
        "strategy": "spatial",
    }


def refusal(system, state, config) -> str:
    with pytest.raises(OfficialError) as caught:
        load_official(system, state, config)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_wrong_with_a_checkpoint_is_said_in_one_line(small_st_gcn):
    state, config = small_st_gcn
    name = "st_gcn_networks.3.gcn.conv.weight"
    assert f"{name} is missing" in refusal("st-gcn", {k: v for k, v in state.items() if k != name}, config)
    assert "running_var is missing" in refusal(
        "st-gcn", {k: v for k, v in state.items() if k != "data_bn.running_var"}, config
    )
    assert "extra.weight is not part" in refusal("st-gcn", {**state, "extra.weight": np.ones(3)}, config)
    assert "edge_importance.0 is not part" in refusal("st-gcn", state, {**config, "edge_importance_weighting": False})
    assert "wrong shape: expected (9, 256)" in refusal("st-gcn", state, {**config, "num_class": 9})
    assert "A has the wrong shape" in refusal("st-gcn", {**state, "A": np.ones((2, 18, 18))}, config)
    assert "not finite" in refusal("st-gcn", {**state, "fcn.bias": np.array([0, np.nan, 0, 0])}, config)
    assert "not an array" in refusal("st-gcn", {**state, "fcn.bias": "four"}, config)
    assert "is missing" in refusal("t-tr", state, {"channel": 3, "num_class": 4, "num_point": 18})
    assert "not those of an AcT" in refusal("act", {}, {})


def test_names_of_data_parallel_are_understood(small_st_gcn):
    state, config = small_st_gcn
    load_official("st-gcn", {f"module.{name}": value for name, value in state.items()}, config)


@pytest.mark.parametrize(
    ("system", "config", "message"),
    [
        ("tr-st", {}, "unknown system 'tr-st'"),
        ("st-gcn", {"num_class": 4}, "needs 'in_channels'"),
        ("st-gcn", {"in_channels": 3, "num_class": "four"}, "needs 'num_class', a whole number above 0, got 'four'"),
        ("st-gcn", {"in_channels": 3, "num_class": 4, "layout": "octopus"}, "unknown layout 'octopus'"),
        ("st-gcn", {"in_channels": 3, "num_class": 4, "strategy": "directed"}, "unknown strategy"),
        ("s-tr", {"num_class": 4, "num_point": 18, "graph": "st_gcn.graph.NTU_RGB_D"}, "has 25 joints"),
        ("s-tr", {"num_class": 4, "channel": 3, "num_point": 18, "tcn_attention": True, "attention": False}, "t-tr"),
        (
            "s-tr",
            {"num_class": 4, "num_point": 18, "channel": 3, "Nh": 7, "graph_args": {"labeling_mode": "spatial"}},
            "7 heads",
        ),
        ("s-tr", {"num_class": 4, "num_point": 18, "graph_args": {"labeling_mode": "x"}}, "unknown labeling_mode"),
        ("t-tr", {"num_class": 4, "multiscale": True}, "multiscale"),
        ("act", {"MODEL_SIZE": "huge"}, "unknown MODEL_SIZE"),
        ("st-gcn", [1], "must be an object"),
        ("st-gcn", {"in_channels": 3, "num_class": 4, "graph_args": "spatial"}, "does not make a network"),
        ("t-tr", {"channel": 3, "num_class": 4, "num_point": 18, "graph_args": ["spatial"]}, "does not make a network"),
    ],
)
def test_what_is_wrong_with_a_config_is_said_in_one_line(system, config, message, act):
    assert message in refusal(system, keras_state(act) if system == "act" else {}, config)


def test_an_act_of_another_size_than_its_config_is_refused(act):
    assert "N_HEADS 4, but the weights have 2" in refusal("act", keras_state(act), {"MODEL_SIZE": "large"})
    state = {name: value for name, value in keras_state(act).items() if "dense_41" not in name}
    assert "6 dense layers of each" in refusal("act", state, {})
