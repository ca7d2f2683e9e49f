"""Streaming recognizers as ONNX graphs with their state going in and coming out."""

from pathlib import Path

import numpy as np
import pytest

from research.errors import ResearchError

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from recognizer.features import CHANNELS, LAYOUT  # noqa: E402
from recognizer.model_card import ModelCard  # noqa: E402
from recognizer.training.fine_tune.start import load_networks  # noqa: E402
from recognizer.training.models.deployed import Deployed  # noqa: E402
from recognizer.training.models.registry import ClipShape, network_of  # noqa: E402
from research.streaming.recognizer import FEATURES, StreamingRecognizer, StreamingSession, to_onnx  # noqa: E402

WEIGHTS = Path(__file__).resolve().parents[3] / "weights"
SHAPE = ClipShape(len(CHANNELS), LAYOUT, 7)


def poses_of(count, seed=0):
    return np.random.default_rng(seed).standard_normal((count, FEATURES)).astype(np.float32)


def recognizer_of(name, poses=1, **changes):
    torch.manual_seed(0)
    networks = [network_of(name).build(SHAPE, {"kernel": 3, **changes}) for _ in range(2)]
    for network in networks:
        for module in network.modules():
            if name == "st-gcn" and isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
                torch.nn.init.kaiming_normal_(module.weight)  # its own beginning is all but 0
            if name == "st-tr" and hasattr(module, "head"):
                module.head.weight.data.mul_(1e-3)  # its own logits begin in the hundreds
    return StreamingRecognizer(Deployed(networks, listed=5, other_bias=0.5), 2, poses)


def in_torch(recognizer, features):
    """Logits (steps, A)."""
    with torch.inference_mode():
        state = recognizer.initial_state(torch.from_numpy(features[None, :1]))
        answers = []
        for place in range(0, len(features), recognizer.poses):
            step = torch.from_numpy(features[None, place : place + recognizer.poses])
            logits, *state = recognizer(step, state)
            answers.append(logits)
    return torch.cat(answers).numpy()


CASES = [
    ("st-gcn", 2, {"widths": (8, 16, 16), "strides": (1, 2, 1)}),
    ("st-tr", 1, {"width": 8, "heads": 2}),
]


@pytest.fixture(scope="module", params=CASES, ids=[case[0] for case in CASES])
def exported(request):
    name, poses, changes = request.param
    recognizer = recognizer_of(name, poses, **changes)
    return recognizer, to_onnx(recognizer)


def test_the_graph_answers_as_torch_step_by_step(exported):
    recognizer, graphs = exported
    features = poses_of(40)
    expected = in_torch(recognizer, features)
    found = StreamingSession(*graphs).push(features)
    assert found.shape == expected.shape == (40 // recognizer.poses, 6)
    assert np.abs(found - expected).max() < 1e-4
    assert expected.std(axis=0).max() > 1e-3


def test_poses_in_pieces_and_after_a_reset_give_the_same_answers(exported):
    _, graphs = exported
    session = StreamingSession(*graphs)
    features = poses_of(20)
    whole = session.push(features)
    goes_on = session.push(features)
    session.reset()
    pieces = [session.push(features[place : place + 4]) for place in range(0, 20, 4)]
    assert np.array_equal(np.concatenate(pieces), whole)
    assert np.abs(goes_on[0] - whole[0]).max() > 1e-4  # without a reset it remembers


def test_two_people_with_sessions_of_their_own_do_not_mix(exported):
    _, graphs = exported
    one, other = StreamingSession(*graphs), StreamingSession(*graphs)
    alone = StreamingSession(*graphs).push(poses_of(8))
    mixed = []
    for place in range(0, 8, 2):
        mixed.append(one.push(poses_of(8)[place : place + 2]))
        other.push(poses_of(8, seed=1)[place : place + 2])
    assert np.array_equal(np.concatenate(mixed), alone)


def test_half_a_step_is_refused(exported):
    recognizer, graphs = exported
    session = StreamingSession(*graphs)
    for count in {0, recognizer.poses + 1} - {2}:
        with pytest.raises(ValueError, match=f"expected a multiple of {recognizer.poses} poses, got {count}"):
            session.push(poses_of(count))


def test_a_mirrored_person_has_the_same_answers():
    recognizer = recognizer_of(CASES[0][0], 1, **CASES[0][2])
    features = torch.from_numpy(poses_of(12)[None])
    mirrored = recognizer.deployed.with_mirror(features)[1:]
    assert not torch.equal(features, mirrored)
    assert np.allclose(in_torch(recognizer, features[0].numpy()), in_torch(recognizer, mirrored[0].numpy()), atol=1e-5)


def test_the_shipped_recognizers_stream():
    for name, reach in (("st-gcn", 105), ("st-tr", 216)):
        networks = load_networks(WEIGHTS / name).networks
        recognizer = StreamingRecognizer(Deployed(networks, len(ModelCard.load(WEIGHTS / name).actions) - 1), pooled=8)
        assert recognizer.reach == reach
        assert np.isfinite(in_torch(recognizer, poses_of(3))).all()


def test_an_act_is_refused():
    network = network_of("act-micro").build(SHAPE)
    with pytest.raises(ResearchError, match="Act has no streaming form"):
        StreamingRecognizer(Deployed([network], listed=5), 1)
