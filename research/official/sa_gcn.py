"""Weights of the official SA-GCN code (PingYu-iris/SA-GCN) in the networks of this project.

Its three networks are told apart by their names: the generator (`rnn.*`, `gc1.*`), the discriminator of frames
(`linear3.weight` of (1, frames)) and that of clips (`linear1.weight` of a convolution over time).
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from pose.skeleton import Layout
from recognizer.training.models.sa_gcn import ClipDiscriminator, FrameDiscriminator, Generator, SaGcnConfig
from research.official.names import OfficialError, Source, State, fill

_JOINTS = (
    *("right_hip", "right_knee", "right_foot", "left_hip", "left_knee", "left_foot", "spine", "thorax", "head"),
    *("left_shoulder", "left_elbow", "left_wrist", "right_shoulder", "right_elbow", "right_wrist"),
)
_BONES = (
    *((0, 1), (1, 2), (0, 3), (0, 6), (3, 4), (3, 6), (4, 5), (6, 7), (7, 8), (7, 9), (9, 10), (10, 11), (7, 12)),
    *((12, 13), (13, 14)),
)
# The 15 joints that the official code takes of Human3.6M, and its bones: hips and spine make a triangle.
HUMAN36M_15 = Layout("human36m-15", _JOINTS, tuple((_JOINTS[a], _JOINTS[b]) for a, b in _BONES), "spine")
DIMS = 2

_GENERATOR = (
    (r"^embed\.", "w1."),
    (r"^join\.", "w2."),
    (r"^recurrent\.", "rnn."),
    (r"^attend_latent\.", "attn_seq_1."),
    (r"^attend_poses\.", "attn_seq_2."),
    (r"\.query\.", ".w_q."),
    (r"\.key\.", ".w_k."),
    (r"\.value\.", ".w_v."),
    (r"^(attn_seq_\d)\.out\.", r"\1.linear2."),
    (r"\.gain$", ".gamma"),
    (r"^widen_skip\.", "linear1."),
    (r"^widen\.", "block1."),
    (r"^deepen\.", "block2."),
    (r"^to_poses\.", "linear."),
    (r"^correct\.to_third\.", "w_g1."),
    (r"^correct\.to_fifth\.", "w_g2."),
    (r"^correct\.out\.", "w_output."),
    (r"\.gather\.", ".conv."),
    (r"\.mix\.", ".w."),
)
_FRAMES = (
    (r"^skip\.", "linear1."),
    (r"^trunk\.", "block1."),
    (r"^head\.", "block2."),
    (r"^score\.", "linear2."),
    (r"^join\.", "linear3."),
)
_CLIPS = ((r"^trunk\.", "block1."), (r"^head\.", "block2."), (r"^over_time\.", "linear1."), (r"^join\.", "linear2."))
# Created by the official code and never used.
_UNUSED_GENERATOR = r"attn_seq_\d\.layer_norm\.(weight|bias)|A_in|A_seq"
_UNUSED_CLIPS = r"linear3\.(weight|bias)"


class OfficialDiscriminator(nn.Module):
    """Frames (N, S, V D) or clips (N, T, V D) and label (N, A) to the probability (N,) that they are real."""

    def __init__(self, discriminator: FrameDiscriminator | ClipDiscriminator) -> None:
        super().__init__()
        self.discriminator = discriminator

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        return self.discriminator(x, label).flatten().sigmoid()  # type: ignore[no-any-return]


def load(state: State, config: Mapping[str, Any]) -> nn.Module:
    """The network in eval mode: Generator of the official reading, or OfficialDiscriminator. Raises OfficialError.

    config: of the generator `seq_length`, and `hidden_size`, `n_head`, `seq_connect` where they are not the published
    100, 3 and 5; of the discriminators nothing is needed.
    """
    plain = {name.removeprefix("module."): value for name, value in state.items()}
    if any(name.startswith("rnn.") for name in plain):
        return fill(Generator(_config(plain, config)), plain, _source(_GENERATOR), _UNUSED_GENERATOR)
    width, inner = _shape(plain, "block1.0.weight")[1], _shape(plain, "block1.2.weight")[0]
    actions = _shape(plain, "block2.0.weight")[1] - inner
    network: FrameDiscriminator | ClipDiscriminator
    if len(_shape(plain, "linear1.weight")) == 2:
        network = FrameDiscriminator(width, actions, _shape(plain, "linear3.weight")[1])
        return OfficialDiscriminator(fill(network, plain, _source(_FRAMES))).eval()  # type: ignore[arg-type]
    network = ClipDiscriminator(width, actions, _shape(plain, "linear2.weight")[1])
    return OfficialDiscriminator(fill(network, plain, _source(_CLIPS), _UNUSED_CLIPS)).eval()  # type: ignore[arg-type]


def _config(state: State, config: Mapping[str, Any]) -> SaGcnConfig:
    joints = config.get("n_joint", len(HUMAN36M_15))
    if joints != len(HUMAN36M_15) or config.get("d_E", joints * DIMS) != joints * DIMS:
        raise OfficialError(f"the config has n_joint {joints}; the official code is made for {len(HUMAN36M_15)} in 2D")
    label, actions = _shape(state, "w1.weight")[:2]
    mixed, inputs = _shape(state, "w2.weight")[:2]
    return SaGcnConfig(
        joints=HUMAN36M_15,
        actions=actions,
        frames=_count(config, "seq_length", None),
        dims=DIMS,
        reading="official",
        mix="clip",
        keep=_count(config, "seq_connect", 5),
        noise=inputs - label,
        label=label,
        mixed=mixed,
        hidden=_count(config, "hidden_size", 100),
        heads=_count(config, "n_head", 3),
    )


def _source(rules: tuple[tuple[str, str], ...]) -> Callable[[str], Source]:
    def source(key: str) -> Source:
        for pattern, replacement in rules:
            key = re.sub(pattern, replacement, key)
        key = re.sub(r"^correct\.layers\.(\d)", lambda found: f"gc{int(found[1]) + 1}", key)
        return (key,), lambda found: found[0]

    return source


def _shape(state: State, name: str) -> tuple[int, ...]:
    if name not in state or len(getattr(state[name], "shape", ())) < 2:
        raise OfficialError(f"the weight {name} is missing; give a checkpoint of SA-GCN's generator or discriminators")
    return tuple(int(size) for size in state[name].shape)


def _count(config: Mapping[str, Any], key: str, published: int | None) -> int:
    value = config.get(key, published)
    if type(value) is not int or value < 1:
        raise OfficialError(f"the config needs {key!r}, a whole number above 0, got {value!r}")
    return value
