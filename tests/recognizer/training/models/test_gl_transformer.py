"""GL-Transformer: outputs of the official code, and what padding, people, positions and global translation do to it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

import onnxruntime as ort  # noqa: E402
from official_gl import load_gl_transformer  # noqa: E402

from recognizer.training.models.gl_transformer import (  # noqa: E402
    Attention,
    Block,
    GlClassifier,
    GlConfig,
    GlPretraining,
    GlTransformer,
    Packing,
    sines,
)

PARITY = Path(__file__).resolve().parents[5] / "shared" / "parity"
SMALL = GlConfig(joints=5, global_joint=2, people=2, frames=9, width=8, depth=2, heads=2)


def read_case(name):
    if not (PARITY / f"{name}.npz").is_file():
        pytest.skip("the reference outputs are not there")
    config = json.loads((PARITY / f"{name}.json").read_text())["config"]
    with np.load(PARITY / f"{name}.npz") as file:
        tensors = dict(file)
    return config, {k[2:]: v for k, v in tensors.items() if k.startswith("w/")}, tensors


def network(config=SMALL, seed=0):
    """With random weights everywhere, positions too."""
    torch.manual_seed(seed)
    made = GlTransformer(config).eval()
    with torch.no_grad():
        for weight in made.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    return made


def clips(count=3, frames=9, tokens=10, seed=1):
    return torch.randn(count, frames, tokens, 3, generator=torch.Generator().manual_seed(seed))


REAL = torch.arange(9) < torch.tensor([9, 4, 6])[:, None]


@pytest.mark.parametrize("wrapped", [False, True])
def test_outputs_are_those_of_the_official_code(wrapped):
    config, state, tensors = read_case("gltr_linear_small")
    if wrapped:
        state = {f"module.{name}": value for name, value in state.items()}
    assert (tensors["in/x"] == np.float32(99.9)).any(), "a case without PAD proves little"
    with torch.inference_mode():
        found = load_gl_transformer(state, config)(torch.from_numpy(tensors["in/x"]))
    expected = tensors["out/logits"]
    assert np.abs(found.numpy() - expected).max() < 1e-4 * np.abs(expected).max()


def test_a_block_is_the_official_one_also_at_pad():
    config, state, tensors = read_case("gltr_block")
    with torch.inference_mode():
        block = load_gl_transformer(state, config)
        found = block(torch.from_numpy(tensors["in/x"]), torch.from_numpy(tensors["in/mask"]))
    expected = tensors["out/y"]
    assert np.abs(found.numpy() - expected).max() < 1e-4 * np.abs(expected).max()


def test_the_pretrained_network_alone_as_the_official_code_saves_it():
    config, state, tensors = read_case("gltr_linear_small")
    alone = {n.removeprefix("transformer."): v for n, v in state.items() if n.startswith("transformer.")}
    x = torch.from_numpy(tensors["in/x"])
    with torch.inference_mode():
        backbone = load_gl_transformer(alone, config)
        whole = load_gl_transformer(state, config)
        rows = backbone(x)
        real = (x[:, 0, :, 0] != 99.9).float()
        mean = (rows * real[:, :, None]).sum(dim=1) / real.sum(dim=1, keepdim=True)
        torch.testing.assert_close(whole.network.head(mean), whole(x))
        features, spatial, temporal = whole.with_attention(x)
    torch.testing.assert_close(features, rows)
    assert spatial[0].shape == (2, 30, 4, 50, 50)
    assert temporal[1].shape == (2, 4, 30, 30)


def test_official_clips_with_hardly_a_frame_count_as_their_first():
    config, state, _ = read_case("gltr_linear_small")
    x = torch.full((2, 3, 30, 50), 99.9)
    x[0, :, 0] = x[1, :, :2] = 0.1
    x[1, :, 1:] = 99.9
    with torch.inference_mode():
        logits = load_gl_transformer(state, config)(x)
    assert torch.isfinite(logits).all()


def test_sizes_are_those_of_the_paper():
    """At T = 300, D = 48; the official count has a prediction token (J D numbers) more, which it never uses."""
    published = GlConfig(joints=25, global_joint=20, people=2)
    with torch.device("meta"):
        whole = GlPretraining(GlTransformer(published), intervals=3)

    def count(module):
        return sum(weight.numel() for weight in module.parameters())

    assert count(whole.backbone) + 2400 == 198_885_600
    assert count(whole.directions) == 9_724_050
    assert count(whole.magnitudes) == 5_762_400


def test_what_stands_at_frames_that_are_not_real_changes_nothing():
    net, x = network(), clips()
    torn = torch.where(REAL[:, :, None, None], x, torch.tensor(1e4))
    with torch.inference_mode():
        found = net(x, REAL)
        torch.testing.assert_close(net(torn, REAL), found, rtol=0, atol=0)
        torch.testing.assert_close(net.embedding(torn, REAL), net.embedding(x, REAL), rtol=0, atol=0)
    assert not found[~REAL].any()
    assert found[REAL].abs().min(dim=1).values.max() > 0


def test_a_clip_in_a_batch_is_what_it_is_alone():
    net, x = network(), clips()
    with torch.inference_mode():
        together = net.embedding(x, REAL)
        for row, length in enumerate(REAL.sum(dim=1)):
            torch.testing.assert_close(net.embedding(x[row : row + 1, :length]), together[row : row + 1])


def test_packed_rows_are_the_full_width_with_a_mask():
    net, x = network(), clips()
    full = Packing(3, 9)
    full.keys = REAL[:, None, None]
    with torch.inference_mode():
        rows = full.unpack(net.rows(x, full))
        torch.testing.assert_close(rows[REAL], net(x, REAL)[REAL])


def test_gradients_of_packed_rows_are_those_of_the_full_width():
    x = clips()
    found = []
    for packed in (True, False):
        net = network()
        packing = Packing(3, 9, REAL if packed else None)
        packing.keys = REAL[:, None, None]
        rows = net.rows(x, packing)
        (rows if packed else rows[REAL.flatten()]).square().mean().backward()
        found.append({name: weight.grad for name, weight in net.named_parameters()})
    for name, gradient in found[0].items():
        torch.testing.assert_close(gradient, found[1][name], rtol=1e-3, atol=1e-6, msg=name)


def test_missing_frames_may_be_anywhere():
    net, x = network(), clips(count=1)
    real = torch.tensor([[True, False, True, True, False, True, True, True, True]])
    packing = Packing(1, 9, real)
    values = torch.arange(9.0).view(1, 9, 1)
    torch.testing.assert_close(packing.unpack(packing.pack(values)), values * real[:, :, None])
    torch.testing.assert_close(packing.mean(packing.pack(values)), torch.tensor([[31.0 / 7]]))
    with torch.inference_mode():
        assert not torch.allclose(net.embedding(x, real), net.embedding(x[:, :7]))


def test_attention_maps_are_the_weights():
    net, x = network(), clips()
    with torch.inference_mode():
        features, spatial, temporal = net.with_attention(x, REAL)
        torch.testing.assert_close(features, net(x, REAL), rtol=1e-4, atol=1e-5)
    assert [map_.shape for map_ in spatial] == [(3, 9, 2, 10, 10)] * 2
    assert [map_.shape for map_ in temporal] == [(3, 2, 9, 9)] * 2
    torch.testing.assert_close(spatial[1].sum(dim=4)[REAL], torch.ones(19, 2, 10))
    torch.testing.assert_close(temporal[1].sum(dim=3), torch.ones(3, 2, 9))
    assert not temporal[0][1, :, :, 4:].any()


def test_people_attend_to_each_other_unless_they_shall_not():
    x = clips()
    person = torch.arange(10) % 2
    other = person[:, None] != person
    with torch.inference_mode():
        _, maps, _ = network().with_attention(x)
        assert maps[0][..., other].min() > 0
        apart = network(replace(SMALL, between_people=False))
        _, maps, _ = apart.with_attention(x)
        torch.testing.assert_close(apart.with_attention(x)[0], apart(x), rtol=1e-4, atol=1e-5)
    assert not maps[0][..., other].any()


def test_global_translation_can_be_left_out():
    x = clips()
    moved = x.clone()
    moved[:, :, SMALL.global_tokens] += 1
    assert SMALL.global_tokens == [4, 5]
    with torch.inference_mode():
        blind = network(replace(SMALL, global_translation=False))
        torch.testing.assert_close(blind(moved), blind(x))
        assert not torch.allclose(network()(moved), network()(x))


@pytest.mark.parametrize("positions", ["tight", "trainable", "fixed"])
def test_positions_tell_when_and_where(positions):
    config = replace(SMALL, positions=positions)
    net, x = network(config), clips()
    with torch.inference_mode():
        assert not torch.allclose(net.embedding(x.flip(1)), net.embedding(x), atol=1e-4)
    learned = {name for name, _ in net.named_parameters() if "position" in name}
    names = {"tight": ("joint_frame",), "trainable": ("joint", "frame"), "fixed": ()}[positions]
    assert learned == {f"blocks.{block}.position.{name}" for block in (0, 1) for name in names}


@pytest.mark.parametrize("positions", ["tight", "trainable"])
def test_learned_positions_begin_at_nought_or_as_sines(positions):
    at_nought, as_sines = (
        GlTransformer(replace(SMALL, positions=positions, position_start=start)).blocks[1].position
        for start in ("zeros", "sines")
    )
    assert not any(weight.any() for weight in at_nought.parameters())
    frame = as_sines.joint_frame if positions == "tight" else as_sines.frame
    torch.testing.assert_close(frame.detach().view(9, 80), 0.5 * sines(9, 80))
    assert frame.requires_grad


def test_sines():
    table = sines(4, 6)
    torch.testing.assert_close(table[0], torch.tensor([0.0, 1, 0, 1, 0, 1]))
    torch.testing.assert_close(table[3, :2], torch.tensor([np.sin(3.0), np.cos(3.0)]).float())
    torch.testing.assert_close(table[3, 4], torch.tensor(np.sin(3 / 10000 ** (4 / 6))).float())


def test_branches_are_dropped_for_whole_clips_in_training():
    block = Block(replace(SMALL, dropout=0, attention_dropout=0), drop_path=0.5).train()
    packing = Packing(200, 9)
    torch.manual_seed(0)
    branch = block._stochastic_depth(torch.ones(1800, 4), packing).view(200, 9, 4)
    kept = branch[:, 0, 0] > 0
    torch.testing.assert_close(branch, (2.0 * kept)[:, None, None].expand_as(branch))
    assert 70 < int(kept.sum()) < 130
    assert GlTransformer(replace(SMALL, depth=3)).blocks[2].drop_path == pytest.approx(0.1)
    assert GlTransformer(SMALL).blocks[0].drop_path == 0


def test_dropout_of_weights_is_that_of_training_only():
    attention, x = Attention(8, replace(SMALL, dropout=0, attention_dropout=0.9)), torch.randn(4, 5, 8)
    torch.testing.assert_close(attention.eval()(x, None), attention(x, None))
    assert not torch.allclose(attention.train()(x, None), attention(x, None))


def test_attention_in_bfloat16_is_that_of_float32():
    torch.manual_seed(0)
    attention = Attention(8, SMALL).eval()
    x, mask = torch.randn(3, 6, 8), torch.ones(3, 1, 1, 6, dtype=torch.bool)
    mask[0, ..., 4:] = False
    with torch.inference_mode():
        exact = attention(x, mask)
        with torch.autocast("cpu", torch.bfloat16):
            rough = attention(x, mask)
    assert rough.dtype == torch.bfloat16
    torch.testing.assert_close(rough.float(), exact, atol=0.02, rtol=0.05)
    assert not torch.allclose(attention(x, torch.ones_like(mask))[0], exact[0], atol=0.02)  # the mask matters


def test_embeddings_stay_exact_under_autocast():
    net, x = network(), clips()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        assert net._embedded(x.flatten(0, 1)).dtype == torch.float32


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"positions": "loose"}, "positions"),
        ({"position_start": "ones"}, "position_start"),
        ({"width": 9}, "multiple"),
        ({"global_joint": 5}, "global_joint"),
    ],
)
def test_configurations_that_make_no_network(change, words):
    with pytest.raises(ValueError, match=words):
        replace(SMALL, **change)


def test_too_long_clips_are_refused():
    with pytest.raises(ValueError, match="at most 9 frames, got 10"):
        network()(clips(frames=10))


def test_onnx_runtime_gives_the_same(tmp_path):
    net, x = GlClassifier(network(), 4).eval(), clips()
    batch = torch.export.Dim("batch", min=1, max=64)
    torch.onnx.export(net, (x,), tmp_path / "gl.onnx", dynamo=True, dynamic_shapes=({0: batch},), verbose=False)
    session = ort.InferenceSession(tmp_path / "gl.onnx", providers=["CPUExecutionProvider"])
    other = clips(count=5, seed=3)
    with torch.inference_mode():
        expected = net(other).numpy()
    (found,) = session.run(None, {session.get_inputs()[0].name: other.numpy()})
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
