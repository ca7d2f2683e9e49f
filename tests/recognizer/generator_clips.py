"""Made-up recordings of two actions that differ, and generators that cheat."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")


from pose.skeleton import PENN_13  # noqa: E402
from recognizer.datasets.sequences import ActionSequence  # noqa: E402
from recognizer.training.generate import sets  # noqa: E402
from recognizer.training.generate.recipes import Recipe  # noqa: E402

HEIGHTS = {"head": -1.4, "shoulder": -1.0, "elbow": -0.5, "hip": 0.0, "wrist": -0.1, "knee": 1.0, "ankle": 2.0}
ACTIONS = ("raise", "spread")


def recording(number: int, action: str, test: bool, frames: int = 12) -> ActionSequence:
    """Somebody whose right wrist goes up or sideways, each a little differently, in pixels."""
    rng = np.random.default_rng(number)
    joints = np.zeros((frames, 13, 2))
    for index, joint in enumerate(PENN_13.joints):
        side, _, part = joint.rpartition("_")
        joints[:, index] = {"left": 0.4, "right": -0.4}.get(side, 0.0), HEIGHTS[part]
    axis = ACTIONS.index(action)
    joints[:, PENN_13.index("right_wrist"), 1 - axis] -= np.linspace(0, rng.uniform(1, 2), frames)
    joints += rng.normal(0, 0.03, joints.shape) + rng.normal(0, 0.05, (1, *joints.shape[1:]))
    return ActionSequence(
        dataset="made-up",
        name=f"r{number}",
        action=action,
        joints=(80 * joints + 300).astype(np.float32),
        seen=np.ones(joints.shape[:2], bool),
        layout=PENN_13,
        fps=12.0,
        subject=number % 6,
        test=test,
    )


@pytest.fixture(scope="session")
def recordings():
    return [recording(number, ACTIONS[number % 2], number >= 60) for number in range(100)]


@pytest.fixture(scope="session")
def motions(recordings):
    return sets.motions(recordings, 8, ACTIONS)


@pytest.fixture
def recipe():
    """Of two rounds of two iterations."""
    return Recipe(iterations=4, evaluate=2, batch=6, sampled=5)


class Replaying(torch.nn.Module):
    """Not a generator: gives clips of a list, (A, M, T, F), in turn, with some noise."""

    def __init__(self, clips, wobble: float) -> None:
        super().__init__()
        self.clips = torch.nn.Parameter(torch.as_tensor(clips, dtype=torch.float32))
        self.wobble, self.given = wobble, 0

    def noise(self, clips, generator=None):
        return (torch.randn(clips, *self.clips.shape[2:], generator=generator),)

    def forward(self, noise, label):
        if label.dim() == 3:
            label = label[:, 0]
        rows = (torch.arange(len(noise)) + self.given) % self.clips.shape[1]
        self.given += len(noise)
        return self.clips[label.argmax(dim=-1), rows] + self.wobble * noise


@pytest.fixture
def replaying(motions):
    """A cheat as a trained generator: of rows of the set, or of any clips."""
    from recognizer.training.generate.trained import Trained

    def cheat(rows=None, clips=None, wobble=0.0) -> Trained:
        if rows is not None:
            each = [rows[motions.labels[rows] == action] for action in range(2)]
            fewest = min(map(len, each))
            clips = np.stack([motions.standardised[some[:fewest]] for some in each])
        mean, spread = motions.scale
        return Trained(
            network=Replaying(clips, wobble).eval(),
            name="replaying",
            config={"frames": 8, "noise": 3},
            job={"generator": {"data": "made-up"}},
            actions=ACTIONS,
            layout=PENN_13,
            mean=mean,
            spread=spread,
            seconds=motions.seconds,
            history=(),
            iteration=0,
        )

    return cheat
