"""The recognizers by name: what each is, and what a wrong setting says."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from pose.skeleton import KINECT_20  # noqa: E402
from recognizer.features import CHANNELS, LAYOUT  # noqa: E402
from recognizer.training.command_line import main  # noqa: E402
from recognizer.training.models.registry import (  # noqa: E402
    LIVE,
    WHOLE_CLIP,
    ClipShape,
    NetworkError,
    NetworkSpec,
    network_of,
    parse_changes,
)

FEATURES = len(CHANNELS) * len(LAYOUT)


@pytest.mark.parametrize("name", LIVE)
def test_every_network_takes_the_features_of_live_recognition(name):
    torch.manual_seed(0)
    network = NetworkSpec(name, 5, {"dropout": 0.1}).build().eval()
    features = torch.randn(2, 30, FEATURES)
    with torch.inference_mode():
        logits = network(features)
        alone = network(features[:1])
    assert logits.shape == (2, 5)
    assert logits.isfinite().all()
    torch.testing.assert_close(logits[:1], alone, rtol=1e-3, atol=1e-4)
    assert (logits[0] - logits[1]).abs().max() > 1e-6


def test_families_are_those_of_the_cards():
    families = {"act", "st-gcn", "dd-net", "st-tr", "gl-transformer"}
    assert {NetworkSpec(name, 2, {}).family for name in LIVE} == families


def test_settings_change_the_network():
    small = NetworkSpec("st-gcn", 5, {"widths": [8, 8], "strides": [1, 1], "kernel": 3}).build()
    assert sum(p.numel() for p in small.parameters()) < 10_000


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"kernal": 3}, "st-gcn has no setting 'kernal'; it has .*kernel"),
        ({"outputs": 3}, "has no setting 'outputs'"),
        ({"kernel": 4}, "kernel must be odd, got 4; correct its settings"),
        ({"widths": 3}, "cannot be built"),
        ({"dropout": "abc"}, "dropout is a number, not 'abc'"),
        ({"importance": 1}, "importance is true or false, not 1"),
        ({"kernel": 9.5}, "kernel is a whole number, not 9.5"),
    ],
)
def test_a_wrong_setting_is_one_line(changes, complaint):
    with pytest.raises(NetworkError, match=complaint) as raised:
        NetworkSpec("st-gcn", 5, changes).build()
    assert "\n" not in str(raised.value)


def test_settings_are_json_or_a_word():
    assert parse_changes(["kernel=3", "padding=replicate", "widths=[8,8]", "importance=false"]) == {
        "kernel": 3,
        "padding": "replicate",
        "widths": [8, 8],
        "importance": False,
    }
    with pytest.raises(NetworkError, match="FIELD=VALUE"):
        parse_changes(["kernel"])


def test_a_wrong_setting_leaves_no_run(tiny_data, tmp_path, capsys):
    arguments = ["--data", str(tiny_data), "--network", "st-gcn", "--set", "kernel=4", "--out", str(tmp_path / "run")]
    assert main(["train", *arguments]) == 2
    assert capsys.readouterr().err.strip().endswith("correct its settings")
    assert not (tmp_path / "run").exists()


_VARIANTS = (
    *(name for name in WHOLE_CLIP if name.endswith(("short", "narrow", "micro", "-net"))),
    *(
        f"st-gcn-short+{change}"
        for change in ("convolution=local+strategy=uniform", "normalise=subset", "importance=false")
    ),
    *(
        f"s-tr-narrow+{change}"
        for change in ("bones=true", "all_layers=true+heads=4", "augmented=true", "adaptive=true")
    ),
    *(f"t-tr-narrow+{change}" for change in ("all_layers=true+heads=4", "augmented=true", "relative=true")),
    *(f"s-tr-narrow+{change}" for change in ("relative=true", "skeleton_bias=true")),
)


@pytest.mark.parametrize("name", _VARIANTS)
def test_networks_and_their_variants_learn_in_mixed_precision(name):
    """As trainings run by default where the processor has bfloat16."""
    torch.manual_seed(0)
    network = network_of(name, WHOLE_CLIP).build(ClipShape(9, KINECT_20, 5), {})
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(torch.randn(2, 30, 20 * 9))
    logits.float().square().sum().backward()
    assert logits.shape == (2, 5)
    assert all(torch.isfinite(weight.grad).all() for weight in network.parameters() if weight.grad is not None)
    assert any(weight.grad is not None and weight.grad.any() for weight in network.parameters())
