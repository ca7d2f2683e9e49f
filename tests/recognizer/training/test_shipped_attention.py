"""What the shipped graphs tell of themselves is what the trained networks behind them tell: on the demo's motion, and
where the data sets are at hand on the clips of the validation part that docs/benchmarks-explanations.md names."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from pose.demo.body import Proportions, pose_body  # noqa: E402
from pose.demo.draw import Camera  # noqa: E402
from pose.demo.script import Script  # noqa: E402
from pose.onnx_session import cpu_session  # noqa: E402
from recognizer.features import LAYOUT, RATE_FPS, clip_features  # noqa: E402
from recognizer.training.fine_tune.start import load_networks  # noqa: E402
from recognizer.training.models.deployed import Deployed  # noqa: E402
from research.explain.samples import sample  # noqa: E402

WEIGHTS = Path(__file__).resolve().parents[3] / "weights"
DATA = Path(__file__).resolve().parents[4] / "shared" / "datasets"
SETS = ("penn_action", "utd_mhad")
LISTED, FRAMES = 17, 30
NEAR = 2e-5  # of float32 against float64; 1.2e-5 was seen
# What tells of each network. Of ST-TR's two streams the one that is kept beside the graph is over frames.
TOLD = {
    "act": ["attention", "position_similarity"],
    "st-gcn": ["class_activation", "edge_importance"],
    "st-tr": [f"temporal_attention_{layer}" for layer in range(1, 7)],
}


def of_the_demo() -> np.ndarray:
    """(N, T, F) of one loop of the demo, a clip every 1.5 s, as its camera would see the joints."""
    script, camera = Script(), Camera((640, 480), 3.2, 10.0)
    times = np.arange(0, script.duration_s, 1 / RATE_FPS)
    bodies = [pose_body(script.posture(time_s), Proportions()).joints for time_s in times]
    points = np.array([[joints[name] for name in LAYOUT.joints] for joints in bodies])
    xy_px = camera.project(points).astype(np.float32)
    clips = xy_px[: len(xy_px) // FRAMES * FRAMES].reshape(-1, FRAMES, len(LAYOUT), 2)
    return clip_features(clips, np.ones(clips.shape[:3], np.float32), RATE_FPS)


def of_the_data_sets() -> np.ndarray:
    """(N, T, F) of 100 clips."""
    if not all((DATA / name).is_dir() for name in SETS):
        pytest.skip("the data sets are not here")
    clips = sample(DATA, SETS, "validation", 100, 0).clips
    return clip_features(np.stack([c.xy_px for c in clips]), np.stack([c.confidence for c in clips]), RATE_FPS)


@pytest.fixture(
    scope="module",
    params=[of_the_demo, pytest.param(of_the_data_sets, marks=pytest.mark.slow)],
    ids=["demo", "data sets"],
)
def features(request) -> np.ndarray:
    return request.param()


@pytest.mark.parametrize("name", TOLD)
def test_the_shipped_graph_tells_what_the_trained_network_tells(name, features):
    session = cpu_session((WEIGHTS / name / "model.onnx").read_bytes())
    found = dict(zip(TOLD[name], session.run(TOLD[name], {"features": features}), strict=True))
    network = Deployed(load_networks(WEIGHTS / name).networks, listed=LISTED).eval().double()
    with torch.inference_mode():
        exact = network.inside(torch.from_numpy(features).double())
    for output, values in found.items():
        expected = exact[output].numpy()
        limit = NEAR * max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(values, expected, rtol=0, atol=limit, err_msg=output)
        if "attention" in output:
            np.testing.assert_allclose(values.sum(axis=-1), 1, atol=NEAR)
