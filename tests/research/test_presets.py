"""Recipes: the papers' numbers, their schedules and optimizers, and what an unknown name says."""

import dataclasses

import numpy as np
import pytest

from research.errors import ResearchError

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from pose.skeleton import MPOSE_13  # noqa: E402
from research.whole_clip.inputs import channel_count, channels_of, frames_of, plain_input, training_input  # noqa: E402
from research.whole_clip.optimizer import optimizer_of, rate_of  # noqa: E402
from research.whole_clip.presets import PRESETS, Augment, preset_of  # noqa: E402


@pytest.fixture
def clips():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, 40, 13, 2)).astype(np.float32)
    return x, rng.random((6, 40, 13)) < 0.9


def test_an_unknown_preset_is_one_line_that_lists_the_known():
    with pytest.raises(ResearchError) as error:
        preset_of("act-papr")
    line = str(error.value)
    assert "\n" not in line
    assert all(name in line for name in ("act-papr", *PRESETS))


def test_a_name_can_change_a_recipe():
    changed = preset_of("short-clips+epochs=300+batch=16+centre=first")
    assert (changed.epochs, changed.batch, changed.centre) == (300, 16, "first")
    assert dataclasses.replace(changed, name="short-clips", epochs=100, batch=64, centre="frame") == preset_of(
        "short-clips"
    )


@pytest.mark.parametrize("change", ["epochs=0", "epochs=", "batch=1.5", "centre=hips", "noise=2", "epochs"])
def test_a_change_that_there_is_not_is_one_line(change):
    with pytest.raises(ResearchError, match=f"'{change}' does not change a recipe"):
        preset_of(f"short-clips+{change}")


def test_a_boxed_clip_fills_its_box_and_all_channels_are_of_it(clips):
    x, seen = clips
    preset = PRESETS["short-clips"].changed(centre="box", channels=("position", "velocity"))
    features = plain_input(3 * x + 5, seen, MPOSE_13, preset, 40, mirrored=False).reshape(6, 40, 13, 4)
    position, velocity = features[..., :2], features[..., 2:]
    for clip, there in zip(position, seen, strict=True):
        assert clip[there].min(axis=0) == pytest.approx([-1, -1])
        assert clip[there].max(axis=0) == pytest.approx([1, 1])
    both = (seen[:, 1:] & seen[:, :-1])[..., None]
    assert velocity[:, 1:] == pytest.approx(np.where(both, np.diff(position, axis=1), 0), abs=1e-6)
    assert features == pytest.approx(
        plain_input(x, seen, MPOSE_13, preset, 40, mirrored=False).reshape(6, 40, 13, 4), abs=1e-4
    )


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_makes_its_input(name, clips):
    preset = preset_of(name)
    assert preset.name == name
    frames = frames_of(preset, 30)
    features = training_input(*clips, MPOSE_13, preset, 30, np.random.default_rng(1))
    assert features.shape == (6, frames, 13 * channel_count(preset.channels, 2))
    plain = plain_input(*clips, MPOSE_13, preset, 30, mirrored=False)
    assert plain.shape == (6, 30, features.shape[2])
    assert features.dtype == plain.dtype == np.float32
    assert np.isfinite(features).all()


def test_act_has_its_published_schedule():
    """AcT-micro on split 1 of MPOSE2021: 25 batches of 512 an epoch, 350 epochs, peak at step 2625, drop at 7000."""
    rate = rate_of(PRESETS["act-paper"].schedule, 25 * 350, 64)
    assert rate(0) == 0
    assert rate(2625) == pytest.approx(0.00244, abs=1e-5)
    assert max(range(0, 8750, 25), key=rate) == 2625
    assert rate(6999) == pytest.approx(64**-0.5 * 6999**-0.5)
    assert rate(7000) == 1e-4


def test_st_gcn_and_st_tr_have_their_published_steps():
    st_gcn = rate_of(PRESETS["st-gcn-paper"].schedule, 80, 64)
    assert [st_gcn(epoch) for epoch in (0, 9, 10, 49, 50, 79)] == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])
    kinetics = rate_of(PRESETS["st-gcn-kinetics"].schedule, 50, 64)
    assert [kinetics(epoch) for epoch in (19, 20, 30, 40)] == pytest.approx([1, 0.1, 0.01, 0.001])
    st_tr = rate_of(PRESETS["st-tr-paper"].schedule, 120, 64)
    assert [st_tr(epoch) for epoch in (59, 60, 90)] == pytest.approx([1, 0.1, 0.01])


def test_the_cosine_warms_up_and_comes_down():
    schedule = dataclasses.replace(PRESETS["short-clips"].schedule, warmup=0.1, last=0.01)
    rate = rate_of(schedule, 1000, 64)
    assert rate(0) == pytest.approx(0.01)
    assert rate(100) == pytest.approx(1, abs=1e-3)
    assert rate(550) == pytest.approx(0.505, abs=1e-2)
    assert rate(1000) == pytest.approx(0.01)


def test_keras_decay_takes_the_same_part_whatever_the_rate():
    network = torch.nn.Linear(4, 3)
    with torch.no_grad():
        network.weight.fill_(2.0)
        network.bias.fill_(1.0)
    optimizer = optimizer_of(network, PRESETS["act-paper"])
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    network(torch.zeros(1, 4)).sum().backward()
    optimizer.step()
    torch.testing.assert_close(network.weight, torch.full((3, 4), 2.0 * (1 - 1e-4)))
    torch.testing.assert_close(network.bias, torch.full((3,), 1 - 1e-4))


def test_our_recipe_leaves_biases_and_norms_undecayed():
    network = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.LayerNorm(3))
    groups = optimizer_of(network, PRESETS["short-clips"]).param_groups
    decayed = {id(p) for group in groups if group["weight_decay"] for p in group["params"]}
    assert decayed == {id(network[0].weight)}
    sgd = optimizer_of(network, PRESETS["st-gcn-paper"])
    assert isinstance(sgd, torch.optim.SGD)
    assert sgd.defaults["nesterov"]
    assert {group["weight_decay"] for group in sgd.param_groups} == {1e-4}


def test_channels_are_what_they_say(clips):
    x, seen = clips
    names = ("position", "velocity", "direction", "score", "velocity_from_zero")
    preset = preset_of("short-clips").changed(channels=names, centre="first")
    out = channels_of(x, seen, MPOSE_13, preset)
    position, velocity, direction = (out[..., i : i + 2] for i in (0, 2, 4))
    there = seen[..., None]
    np.testing.assert_array_equal(position, np.where(there, x, 0))
    both = seen[:, 1:] & seen[:, :-1]
    np.testing.assert_allclose(velocity[:, 1:], np.where(both[..., None], np.diff(x, axis=1), 0), atol=1e-6)
    np.testing.assert_array_equal(velocity[:, 0], 0)
    wrist, elbow = MPOSE_13.index("left_wrist"), MPOSE_13.index("left_elbow")
    linked = seen[:, :, wrist] & seen[:, :, elbow]
    assert MPOSE_13.parents[wrist] == elbow
    bone = (x[:, :, wrist] - x[:, :, elbow])[linked]
    np.testing.assert_allclose(
        direction[:, :, wrist][linked], bone / np.linalg.norm(bone, axis=-1, keepdims=True), atol=1e-5
    )
    np.testing.assert_array_equal(direction[:, :, wrist][~linked], 0)
    np.testing.assert_array_equal(out[..., 6], seen)
    score = (seen * 0.7).astype(np.float32)
    again = channels_of(x, score, MPOSE_13, preset)
    np.testing.assert_array_equal(again[..., 6], score)
    np.testing.assert_array_equal(np.delete(again, 6, axis=-1), np.delete(out, 6, axis=-1))
    np.testing.assert_allclose(out[:, 0, :, 7:9], x[:, 0], atol=1e-6)


def test_frame_centring_puts_the_hips_at_the_origin_and_holds_them_where_they_are_hidden(clips):
    x, seen = clips
    hips = [MPOSE_13.index("left_hip"), MPOSE_13.index("right_hip")]
    seen = np.ones_like(seen)
    preset = preset_of("short-clips").changed(channels=("position",))
    out = channels_of(x, seen, MPOSE_13, preset)
    np.testing.assert_allclose(out[:, :, hips].mean(axis=2), 0, atol=1e-6)
    seen[:, 5, hips[0]] = False
    held = channels_of(x, seen, MPOSE_13, preset)
    head = MPOSE_13.index("head")
    np.testing.assert_allclose(held[:, 5, head], x[:, 5, head] - x[:, 4][:, hips].mean(axis=1), atol=1e-6)


def test_the_mirrored_input_is_the_input_of_the_mirrored_clip(clips):
    x, seen = clips
    preset = preset_of("short-clips")
    there_and_back = x[:, :, MPOSE_13.mirrored] * np.array([-1, 1], np.float32)
    one = plain_input(x, seen, MPOSE_13, preset, 30, mirrored=True)
    other = plain_input(there_and_back, seen[:, :, MPOSE_13.mirrored], MPOSE_13, preset, 30, mirrored=False)
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_each_part_of_the_augmentation_changes_the_input(clips):
    bare = preset_of("short-clips").changed(augment=Augment())

    def made(augment):
        return training_input(*clips, MPOSE_13, bare.changed(augment=augment), 30, np.random.default_rng(2))

    plain = plain_input(*clips, MPOSE_13, bare, 30, mirrored=False)
    np.testing.assert_array_equal(made(Augment()), plain)
    parts = {
        **{"stretch": (0.5, 0.9), "warp": 0.3, "choose": 0.5, "flip": "swap", "rotate_deg": (0.0, 0.0, 20.0)},
        **{"sample": True, "scale": 0.2, "zoom": 0.5, "move": True, "noise": 0.02, "joint_dropout": 0.3},
        "feature_noise": 0.05,
    }
    assert set(parts) == {field.name for field in dataclasses.fields(Augment)}
    for name, value in parts.items():
        out = made(Augment(**{name: value}))
        assert out.shape != plain.shape or np.abs(out - plain).max() > 1e-3, name
