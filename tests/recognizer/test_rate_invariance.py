"""The same motion gives the same prediction whatever the camera's rate, through window, features and recognizer."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from toy_recognizer import write_model

from pose.skeleton import MPOSE_13
from pose.types import Pose
from recognizer.clips import Prediction
from recognizer.model_card import CARD_FILE
from recognizer.onnx_recognizer import OnnxRecognizer
from recognizer.window import PoseWindow

RATES = (10, 15, 24, 30, 60)
LIMIT = 0.05
ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "datasets"
V = len(MPOSE_13)
Motion = Callable[[np.ndarray], np.ndarray]  # times (n,) to joints (n, V, 2), pixels
Runs = Sequence[dict[int, Prediction]]  # of one camera each, by tick

# A person who stands, 400 pixels tall, facing the camera: head, then left and right from the shoulders down.
STANDING = np.array(
    [
        [320, 60],
        *[
            [320 + side * x, y]
            for x, y in ((40, 110), (55, 180), (60, 245), (28, 240), (30, 340), (32, 440))
            for side in (1, -1)
        ],
    ],
    np.float64,
)
# Parts that move as one: arms swing most, the trunk least.
LIVELINESS = np.array([0.3, *np.repeat([0.25, 0.7, 1.0, 0.2, 0.6, 0.8], 2)])


# Window and features are the same for both; what is slow is 2000 clips through the networks.
@pytest.fixture(scope="module", params=["toy", pytest.param("act", marks=pytest.mark.slow)])
def recognizer(request, tmp_path_factory) -> OnnxRecognizer:
    if request.param == "toy":
        return OnnxRecognizer(write_model(tmp_path_factory.mktemp("models") / "toy"), "cpu")
    folder = ROOT / "weights" / "act"
    if not (folder / CARD_FILE).is_file():
        pytest.skip("weights/act is not there")
    return OnnxRecognizer(folder, "cpu")


def swinging(seed: int) -> Motion:
    """Sums of sinusoids up to 2.5 Hz on a standing person: as fast as people wave or run, weaker the faster."""
    rng = np.random.default_rng(seed)
    hertz = rng.uniform(0.3, 2.5, 4)
    size_px = rng.uniform(10, 45, 4) / np.maximum(hertz, 1)
    phase = rng.uniform(0, 2 * np.pi, (4, V, 2))
    drift = rng.uniform(-30, 30, 2)

    def joints(times: np.ndarray) -> np.ndarray:
        waves = np.sin(2 * np.pi * hertz[:, None, None] * times[:, None, None, None] + phase)  # (n, 4, V, 2)
        sway = (waves * size_px[:, None, None]).sum(axis=1) * LIVELINESS[:, None]
        return STANDING + sway + drift * times[:, None, None]

    return joints


def recorded(path: Path) -> tuple[Motion, float]:
    """A UTD-MHAD recording (20 Hz) as a smooth motion in pixels, and its length in seconds.

    Above 5 Hz it is the Kinect's jitter and not a person that moves, so that is taken out.
    """
    # Here, for they take most of a second in every process that collects.
    from scipy.interpolate import make_interp_spline
    from scipy.io import loadmat
    from scipy.signal import butter, sosfiltfilt

    metres = loadmat(path)["d_skel"].transpose(2, 0, 1).astype(np.float64)
    # Kinect joints: head 0, left shoulder/elbow/wrist 4-6, right 8-10, left hip/knee/ankle 12-14, right 16-18.
    order = [0, 4, 8, 5, 9, 6, 10, 12, 16, 13, 17, 14, 18]
    xy_px = -220 * metres[:, order, :2] + (320, 240)
    xy_px = sosfiltfilt(butter(3, 5, fs=20, output="sos"), xy_px, axis=0)
    times = np.arange(len(xy_px)) / 20
    return make_interp_spline(times, xy_px, k=3), float(times[-1])


def predict(recognizer: OnnxRecognizer, motion: Motion, times: np.ndarray) -> dict[int, Prediction]:
    """Predictions by their tick."""
    card = recognizer.card
    window = PoseWindow(card.frames, card.fps, card.skeleton)
    clips = []
    for time_s, xy_px in zip(times, motion(times), strict=True):
        clips += window.push(Pose(xy_px.astype(np.float32), np.ones(V, np.float32), MPOSE_13, float(time_s)))
    return {round(p.time_s * card.fps): p for p in recognizer.predict(clips)}


def camera_times(rate: float, seconds: float, rng: np.random.Generator, jitter: float = 0.1) -> np.ndarray:
    """A camera that starts at any moment and whose frames come up to a tenth of an interval early or late."""
    number = np.arange(math.ceil(seconds * rate))
    times = (number + rng.uniform(0, 1) + rng.uniform(-jitter, jitter, len(number))) / rate
    return times[(times >= 0) & (times <= seconds)]


def runs_of(recognizer: OnnxRecognizer, motion: Motion, seconds: float, seed: int) -> Runs:
    """What each camera of RATES predicts of a motion."""
    rng = np.random.default_rng(seed)
    return [predict(recognizer, motion, camera_times(rate, seconds, rng)) for rate in RATES]


def compare(runs: Runs) -> tuple[np.ndarray, np.ndarray]:
    """For every clip that all rates have: the largest difference of a probability, and whether the top one differs.

    A top action that leads by less than LIMIT at the fastest camera is a tie, where either may be first.
    """
    common = sorted(set.intersection(*(set(run) for run in runs)))
    rows = np.array([[run[tick].probabilities for run in runs] for tick in common])  # (clips, rates, A)
    if not common:
        return np.empty(0), np.empty(0, bool)
    first, second = np.sort(rows[:, -1], axis=-1)[:, :-3:-1].T
    tops = rows.argmax(axis=-1)
    return np.ptp(rows, axis=1).max(axis=-1), (tops != tops[:, -1:]).any(axis=-1) & (first - second > LIMIT)


def check(pairs: list[tuple[np.ndarray, np.ndarray]], *, at_least: int, alike: float, swapped: float) -> None:
    """alike: share of the clips within LIMIT; swapped: share of them that may have another top action."""
    difference, swaps = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    assert len(difference) >= at_least
    assert np.mean(difference < LIMIT) >= alike
    assert np.mean(swaps) <= swapped
    assert np.median(difference) < LIMIT / 3


def test_motions_of_sinusoids(recognizer):
    pairs = [compare(runs_of(recognizer, swinging(seed), 4.0, seed)) for seed in range(6)]
    check(pairs, at_least=120, alike=0.98, swapped=0.005)


@pytest.mark.slow  # the same rates and both recognizers, on motions as fast as people's: test_motions_of_sinusoids
def test_real_recordings(recognizer):
    files = sorted((SHARED / "utd_mhad").glob("a*_s[2468]_t1_skeleton.mat"))
    if not files:
        pytest.skip("the recordings are not there")
    runs = [runs_of(recognizer, *recorded(file), seed=index) for index, file in enumerate(files)]
    # From 15 FPS on.
    check([compare(each[1:]) for each in runs], at_least=1000, alike=0.995, swapped=0.001)
    # Of a stroke of a tenth of a second 10 FPS see a pose or two: no curve through them tells how far it went.
    check([compare(each) for each in runs], at_least=1000, alike=0.95, swapped=0.01)
