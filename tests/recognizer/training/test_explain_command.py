"""The command explain: figures and their numbers, on made-up data with the shipped AcT."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `train`")
pytest.importorskip("matplotlib", reason="needs the extra `train`")

from matplotlib.figure import Figure

from pose.skeleton import MPOSE_13
from recognizer import explain
from recognizer.clips import Clip, Prediction
from recognizer.features import LAYOUT, RATE_FPS
from recognizer.training.command_line import main
from recognizer.training.explain import explain_command, figures


def clip(seed: int = 0) -> Clip:
    rng = np.random.default_rng(seed)
    xy_px = rng.uniform(50, 150, (30, 13, 2)).astype(np.float32)
    return Clip(xy_px, np.ones((30, 13), np.float32), RATE_FPS, LAYOUT, 1.5, 0)


def test_figures_and_numbers_of_a_recording(tiny_data, tmp_path, capsys):
    out = tmp_path / "figures"
    name = "utd_mhad/a1_s1_t1"
    assert main(["explain", name, "--data", str(tiny_data), "--out", str(out), "--action", "wave"]) == 0
    assert capsys.readouterr().out.startswith("act: wave ")
    names = ["attention", "frames", "positions", "relevance_attention", "relevance_occlusion"]
    assert sorted(file.stem for file in out.glob("*.png")) == names
    assert sorted(file.name for file in out.iterdir() if file.suffix != ".png") == ["numbers.npz"]
    with np.load(out / "numbers.npz", allow_pickle=False) as numbers:
        assert numbers["relevance_occlusion"].shape == (30, 13)
        assert np.abs(numbers["relevance_occlusion"]).max() == 1
        np.testing.assert_allclose(numbers["attention"].sum(axis=-1), 1, atol=1e-5)
        assert numbers["probabilities"].sum() == pytest.approx(1, abs=1e-5)
        assert tuple(numbers["joints"]) == MPOSE_13.joints


def test_recognizers_are_compared_on_one_clip_and_one_action(tiny_data, tmp_path, capsys):
    out = tmp_path / "figures"
    models = ["--model", "act", "--model", "st-gcn"]
    assert main(["explain", "utd_mhad/a1_s1_t1", "--data", str(tiny_data), "--out", str(out), *models]) == 0
    told = [line.split()[:2] for line in capsys.readouterr().out.splitlines()]
    assert [name for name, _ in told] == ["act:", "st-gcn:"]
    assert told[0][1] == told[1][1]
    assert sorted(path.name for path in out.iterdir()) == ["act", "compared.png", "st-gcn"]
    with np.load(out / "act" / "numbers.npz") as one, np.load(out / "st-gcn" / "numbers.npz") as other:
        np.testing.assert_array_equal(one["xy_px"], other["xy_px"])
        shown = {"act": one["relevance_occlusion"], "st-gcn": other["relevance_occlusion"]}
    made = figures.compared({n: explain.Explanation(clip(), "wave", "occlusion", 0.5, v) for n, v in shown.items()})
    drawn = [axes.images[0] for axes in made.axes if axes.images][:2]
    assert [image.get_clim() for image in drawn] == [(-1, 1)] * 2
    assert len({image.get_cmap().name for image in drawn}) == 1
    for image, values in zip(drawn, shown.values(), strict=True):
        np.testing.assert_array_equal(image.get_array(), values.T)


def test_figures_of_graph_networks_have_their_maps():
    rng = np.random.default_rng(0)

    def rows(*shape):
        values = rng.random(shape, dtype=np.float32)
        return values / values.sum(axis=-1, keepdims=True)

    maps = {"spatial_attention_1": rows(2, 15, 13, 13), "temporal_attention_1": rows(2, 13, 8, 8)}
    maps["edge_importance"] = rng.standard_normal((3, 3, 13, 13)).astype(np.float32)
    prediction = Prediction(0, 0.0, ("wave",), np.ones(1, np.float32), maps)
    explained = explain.Explanation(clip(), "wave", "occlusion", 0.9, np.ones((30, 13), np.float32))
    made = explain_command.figures_of(clip(), prediction, [explained])
    assert set(made) == {"relevance_occlusion", "joints", "spatial_attention", "temporal_attention", "edge_importance"}
    image = made["spatial_attention"].axes[0].images[0].get_array()
    np.testing.assert_allclose(image, maps["spatial_attention_1"].mean(axis=0)[7])
    circles = made["joints"].axes[0].collections
    sums = maps["spatial_attention_1"].mean(axis=0).sum(axis=1)
    sizes = (circles[0].get_sizes() - 10) / 90  # of the first frame
    np.testing.assert_allclose(sizes / sizes.max(), sums[0] / sums[0].max(), rtol=1e-4)


def test_a_figure_that_cannot_be_written_leaves_the_one_before(tmp_path):
    class Full(Figure):
        def savefig(self, fname, **options):
            Path(fname).write_bytes(b"half")
            raise OSError(28, "No space left on device")

    (tmp_path / "one.png").write_bytes(b"before")
    with pytest.raises(OSError, match="No space"):
        figures.save({"one": Full()}, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"one.png": b"before"}


def test_opacity_of_a_skeleton_is_its_frames_score():
    scores = np.linspace(0.1, 1, 30, dtype=np.float32)
    strip = figures.frame_strip(clip(), scores).axes[1]
    bones = len(MPOSE_13.edges)
    shown = [line.get_alpha() for line in strip.lines[::bones]]
    np.testing.assert_allclose(shown, scores, rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["explain", "nothing.mp4", "--out", "OUT"], "nothing.mp4 is not a file"),
        (["explain", "utd_mhad/a9_s9_t9", "--data", "DATA", "--out", "OUT"], "utd_mhad has no recording 'a9_s9_t9'"),
        (["explain", "utd_mhad/a1_s1_t1", "--data", "DATA", "--out", "OUT", "--action", "dance"], "no action 'dance'"),
        (["explain", "x", "--model", "unheard-of", "--out", "OUT"], "no model 'unheard-of'"),
    ],
)
def test_mistakes_are_told_in_one_line(arguments, expected, tiny_data, tmp_path, capsys):
    places = {"OUT": str(tmp_path / "out"), "DATA": str(tiny_data)}
    assert main([places.get(argument, argument) for argument in arguments]) == 2
    told = capsys.readouterr().err
    assert expected in told
    assert told.count("\n") == 1
