"""What the live window gives to the recognizer is what the same recording gives when it is cut and read at once."""

from pathlib import Path

import numpy as np
import pytest

from pose.skeleton import MPOSE_13
from pose.types import Pose
from recognizer.features import clip_features
from recognizer.window import MAX_JOINT_GAP_S, MIN_CONFIDENCE, PoseWindow, resample

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "datasets"
FRAMES, FPS = 30, 20.0


def synthetic() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times (n,), joints (n, 13, 2) and confidence (n, 13) of a jittery 27 FPS camera that loses joints at times."""
    rng = np.random.default_rng(3)
    times_s = np.cumsum(rng.uniform(0.03, 0.045, 150))
    phase, speed = rng.uniform(0, 6, (13, 2)), rng.uniform(0.5, 3, (13, 2))
    xy = 300 + 80 * np.sin(times_s[:, None, None] * speed + phase) + np.linspace(0, 200, 13)[None, :, None]
    confidence = np.where(rng.random((150, 13)) < 0.05, 0.0, 0.9)
    confidence[60:80, 5] = 0.0  # longer than a gap that is filled
    return times_s, xy.astype(np.float32), confidence.astype(np.float32)


def recorded() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A real recording of UTD-MHAD seen from its camera."""
    if not (SHARED / "utd_mhad").is_dir():
        pytest.skip("the recordings are not there")
    from scipy.io import loadmat

    joints = loadmat(SHARED / "utd_mhad" / "a23_s2_t1_skeleton.mat")["d_skel"].transpose(2, 0, 1)  # (T, 20, xyz)
    order = [0, 4, 8, 5, 9, 6, 10, 12, 16, 13, 17, 14, 18]  # MPOSE-13 in Kinect's order of this set
    x, y, z = np.moveaxis(joints[:, order], -1, 0)
    xy = 500 * np.stack([-x / z, -y / z], axis=-1) + 320
    return np.arange(len(xy)) / 20.0, xy.astype(np.float32), np.ones(xy.shape[:2], np.float32)


@pytest.mark.parametrize("recording", [synthetic, recorded])
def test_live_features_equal_those_of_the_same_recording_read_at_once(recording):
    times_s, xy, confidence = recording()
    window, compared = PoseWindow(FRAMES, FPS, MPOSE_13), 0
    for newest in range(len(times_s)):
        for clip in window.push(Pose(xy[newest], confidence[newest], MPOSE_13, float(times_s[newest]))):
            seen = slice(0, newest + 1)  # what a camera had shown by then
            ticks_s = clip.time_s - np.arange(FRAMES)[::-1] / FPS
            whole_xy, whole_confidence = resample(
                times_s[seen],
                xy[seen].astype(np.float64),
                confidence[seen].astype(np.float64),
                ticks_s,
                1 / FPS,
                min_confidence=MIN_CONFIDENCE,
                max_gap_s=MAX_JOINT_GAP_S,
            )
            np.testing.assert_allclose(
                clip_features(clip.xy_px, clip.confidence, FPS),
                clip_features(whole_xy.astype(np.float32), whole_confidence.astype(np.float32), FPS),
                atol=2e-4,
            )
            compared += 1
    assert compared > 20
    assert np.ptp(xy) > 50  # a picture that stands still would prove nothing
