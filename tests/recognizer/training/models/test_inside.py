"""What networks tell of themselves: in PyTorch, in ONNX Runtime, and for several networks as one."""

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from pose.onnx_session import cpu_session  # noqa: E402
from recognizer.features import CHANNELS, LAYOUT, clip_features  # noqa: E402
from recognizer.training.export import with_inside  # noqa: E402
from recognizer.training.models.deployed import Deployed  # noqa: E402
from recognizer.training.models.inside import FromFeatures  # noqa: E402
from recognizer.training.models.registry import NetworkSpec  # noqa: E402
from recognizer.training.models.st_tr import Attention  # noqa: E402

ACT = {"layers": 2, "hidden": 32}
NETWORKS = {
    "act of one head": ("act-micro", ACT),
    "act of one layer": ("act-micro", {**ACT, "layers": 1}),
    "act of two heads": ("act-small", ACT),
    "st-gcn": ("st-gcn", {"widths": (16, 16, 32), "strides": (1, 1, 2)}),
    "dd-net": ("dd-net", {"filters": 8, "hidden": 16}),
    "st-tr": ("st-tr", {"width": 16}),
    "s-tr": ("s-tr", {"width": 16}),
    "t-tr": ("t-tr", {"width": 16}),
}
EXPORTED = [name for name in NETWORKS if name != "st-tr"]  # its two streams, each by itself: exporting takes long
LISTED, OUTPUTS = 17, 20


def built(name: str, seed: int) -> torch.nn.Module:
    """With the statistics of a batch in its norms, as after training."""
    torch.manual_seed(seed)
    spec, changes = NETWORKS[name]
    network = NetworkSpec(spec, OUTPUTS, changes).build()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, Attention):  # untrained it is so sharp that rounding alone moves it
                module.qkv.weight[: 2 * module.heads * module.key] *= 0.3
        network.train()(torch.randn(8, 30, 78))
    return network.eval()


@pytest.fixture(scope="module", params=EXPORTED)
def deployed(request) -> Deployed:
    seeds = (1,) if request.param.endswith("-tr") else (1, 2)
    return Deployed([built(request.param, seed) for seed in seeds], listed=LISTED, other_bias=0.3).eval()


def test_each_number_of_the_features_finds_its_channel_and_joint():
    rng = np.random.default_rng(0)
    xy = rng.normal(size=(2, 30, len(LAYOUT), 2)).astype(np.float32)
    features = torch.from_numpy(clip_features(xy, np.ones((2, 30, len(LAYOUT)), np.float32), 20))
    clips = FromFeatures(torch.nn.Identity(), len(LAYOUT))(features)
    assert clips.shape == (2, len(CHANNELS), 30, len(LAYOUT), 1)
    wrist, vy = LAYOUT.index("left_wrist"), CHANNELS.index("vy")
    torch.testing.assert_close(clips[1, vy, 7, wrist, 0], features[1, 7, wrist * len(CHANNELS) + vy])


@pytest.mark.timeout(600)  # torch's exporter on a busy machine
def test_exported_outputs_are_those_of_pytorch_and_rows_of_attention_sum_to_one(deployed):
    content, embedding, attention = with_inside(deployed, 78)
    session = cpu_session(content)
    assert [value.name for value in session.get_outputs()] == ["logits", embedding.name, *(s.name for s in attention)]
    exact_network = copy.deepcopy(deployed).double()
    for count in (1, 3):
        features = torch.randn(count, 30, 78, generator=torch.Generator().manual_seed(count))
        with torch.inference_mode():
            expected, exact = deployed.inside(features), exact_network.inside(features.double())
            np.testing.assert_allclose(expected["logits"], deployed(features), atol=1e-5)
        found = dict(zip(expected, session.run(None, {"features": features.numpy()}), strict=True))
        for name, values in found.items():
            reference = exact[name].numpy()
            limit = 1e-5 * max(1.0, float(np.abs(reference).max()))
            np.testing.assert_allclose(values, reference, rtol=0, atol=limit, err_msg=name)
        for spec in (embedding, *attention):
            assert found[spec.name].shape == tuple(count if size == "N" else size for size in spec.shape)
            if "attention" in spec.name:
                np.testing.assert_allclose(found[spec.name].sum(axis=-1), 1, atol=1e-5)
                assert found[spec.name].min() >= 0


def test_it_is_of_the_clip_and_not_of_its_mirror_image(deployed):
    features = torch.randn(2, 30, 78)
    alone = Deployed(list(deployed.networks), listed=LISTED, mirror=False).eval()
    with torch.inference_mode():
        both, own = deployed.inside(features), alone.inside(features)
        assert (both["logits"] - own["logits"]).abs().max() > 1e-3
        for name in own.keys() - {"logits"}:
            torch.testing.assert_close(both[name], own[name], atol=1e-5, rtol=1e-4)


def test_the_embedding_is_what_the_heads_read(deployed):
    features = torch.randn(2, 30, 78)
    alone = Deployed(list(deployed.networks), listed=LISTED, mirror=False).eval()
    with torch.inference_mode():
        outputs = alone.inside(features)
        parts = outputs["embedding"].chunk(len(alone.networks), dim=1)
        for network, part in zip(alone.networks, parts, strict=True):
            found = network.inside(features)
            torch.testing.assert_close(found.embedding, part)
            torch.testing.assert_close(found.logits, network(features), atol=1e-4, rtol=1e-4)


def test_class_activation_is_what_the_logits_are_made_of():
    networks = [built("st-gcn", seed) for seed in (1, 2)]
    features = torch.randn(3, 30, 78)
    with torch.inference_mode():
        own = [network.inside(features) for network in networks]
        for network, found in zip(networks, own, strict=True):
            mean = found.activation.mean(dim=(2, 3)) + network.network.head.bias
            torch.testing.assert_close(mean, network(features), atol=1e-5, rtol=1e-4)
        whole = Deployed(networks, listed=LISTED).eval().inside(features)["class_activation"]
    assert whole.shape == (3, LISTED + 1, 15, 13)
    listed = torch.stack([found.activation[:, :LISTED] for found in own]).mean(dim=0)
    torch.testing.assert_close(whole[:, :LISTED], listed)
    share = [found.logits[:, LISTED:].softmax(dim=1)[..., None, None] for found in own]
    rest = [(s * found.activation[:, LISTED:]).sum(dim=1) for s, found in zip(share, own, strict=True)]
    torch.testing.assert_close(whole[:, LISTED], torch.stack(rest).mean(dim=0), atol=1e-5, rtol=1e-4)


def test_attention_has_the_heads_of_all_networks_one_after_the_other():
    networks = [built("act of two heads", seed) for seed in (1, 2)]
    features = torch.randn(2, 30, 78)
    with torch.inference_mode():
        outputs = Deployed(networks, listed=LISTED).eval().inside(features)
        assert outputs["attention"].shape == (2, 2, 4, 31, 31)
        for place, network in enumerate(networks):
            own = outputs["attention"][:, :, 2 * place : 2 * place + 2]
            torch.testing.assert_close(own, network.inside(features).attention["attention"])
        similarity = outputs["position_similarity"]
    assert similarity.shape == (2, 31, 31)
    torch.testing.assert_close(similarity.diagonal(dim1=1, dim2=2), torch.ones(2, 31))
    a, b = networks[1].position[0, [4, 9]].detach()
    assert float(similarity[1, 4, 9]) == pytest.approx(float(a @ b / a.norm() / b.norm()), abs=1e-5)


def test_a_fusion_has_the_attention_of_each_of_its_networks():
    networks = []
    for kind in ("t-tr", "s-tr"):
        torch.manual_seed(3)
        networks.append(NetworkSpec(kind, OUTPUTS, {"width": 16}).build().eval())
    features = torch.randn(2, 30, 78)
    with torch.inference_mode():
        together = Deployed(networks, listed=LISTED).inside(features)
        alone = [Deployed([network], listed=LISTED).inside(features) for network in networks]
    for own in alone:
        for name in own:
            if "attention" in name:
                torch.testing.assert_close(together[name], own[name])
    assert {name for name in together if "attention" in name} == {n for a in alone for n in a if "attention" in n}
    assert len(alone[0].keys() & alone[1].keys()) < len(alone[0])
    torch.testing.assert_close(together["embedding"], torch.cat([each["embedding"] for each in alone], dim=1))


def test_a_network_without_attention_leaves_that_of_the_others_as_it_is():
    act, dd_net = built("act of one head", 1), built("dd-net", 1)
    features = torch.randn(2, 30, 78)
    with torch.inference_mode():
        alone = Deployed([act], listed=LISTED).eval().inside(features)
        together = Deployed([act, dd_net], listed=LISTED).eval().inside(features)
    assert together.keys() == alone.keys()
    for name in alone.keys() - {"logits", "embedding"}:
        torch.testing.assert_close(together[name], alone[name])
    assert together["embedding"].shape == (2, 64 + 16)
    assert (together["logits"] - alone["logits"]).abs().max() > 1e-3


def test_attention_of_joints_and_frames_by_layer():
    network = built("st-tr", 1)
    features = torch.randn(2, 30, 78)
    with torch.inference_mode():
        found, maps = network.inside(features).attention, []
        for stream in (network.network.spatial, network.network.temporal):
            stream(network.clips(features), maps)
    names = [f"{kind}_attention_{layer}" for kind in ("spatial", "temporal") for layer in range(1, 7)]
    assert list(found) == names
    for name, own in zip(names, maps, strict=True):
        groups = 13 if name.startswith("temporal") else {1: 30, 5: 8, 6: 8}.get(int(name[-1]), 15)
        assert found[name].shape[:3] == (2, 8, groups)
        torch.testing.assert_close(found[name], own)


def test_links_that_are_not_there_have_no_importance():
    network = built("st-gcn", 1).network
    with torch.no_grad():
        network.importance[1][:] = 3.0
    importance = network.fixed()["edge_importance"]
    assert importance.shape == (3, 3, 13, 13)
    assert importance[1].max() == 3
    assert not importance[1][network.adjacency == 0].any()


def test_networks_that_tell_nothing_are_exported_all_the_same():
    class Silent(torch.nn.Module):
        def forward(self, features):
            return features[:, 0, :OUTPUTS]

    content, embedding, attention = with_inside(Deployed([Silent()], listed=LISTED).eval(), 78)
    assert (embedding, attention) == (None, ())
    assert [value.name for value in cpu_session(content).get_outputs()] == ["logits"]
