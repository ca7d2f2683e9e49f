"""Weights of the official SA-GCN code (PingYu-iris/SA-GCN) in the networks of this project.

No command imports them; they are what the networks are compared with. Its three networks are told apart by their names:
the generator (`rnn.*`, `gc1.*`), the discriminator of frames (`linear3.weight` of (1, frames)) and that of clips
(`linear1.weight` of a convolution over time).
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from pose.skeleton import Layout
from recognizer.training.models.sa_gcn import ClipDiscriminator, FrameDiscriminator, Generator, SaGcnConfig
from research.official.names import Source, State, fill, renamed

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
    """The network in eval mode: Generator of the official reading, or OfficialDiscriminator.

    config: of the generator `seq_length`, and `hidden_size`, `n_head`, `seq_connect` where they are not the published
    100, 3 and 5; of the discriminators nothing is needed.
    """
    plain = {name.removeprefix("module."): value for name, value in state.items()}
    if any(name.startswith("rnn.") for name in plain):
        return fill(Generator(_config(plain, config)), plain, _source(_GENERATOR), _UNUSED_GENERATOR)
    width, inner = plain["block1.0.weight"].shape[1], plain["block1.2.weight"].shape[0]
    actions = plain["block2.0.weight"].shape[1] - inner
    network: FrameDiscriminator | ClipDiscriminator
    if len(plain["linear1.weight"].shape) == 2:
        network = FrameDiscriminator(width, actions, plain["linear3.weight"].shape[1])
        return OfficialDiscriminator(fill(network, plain, _source(_FRAMES))).eval()  # type: ignore[arg-type]
    network = ClipDiscriminator(width, actions, plain["linear2.weight"].shape[1])
    return OfficialDiscriminator(fill(network, plain, _source(_CLIPS), _UNUSED_CLIPS)).eval()  # type: ignore[arg-type]


def _config(state: State, config: Mapping[str, Any]) -> SaGcnConfig:
    label, actions = state["w1.weight"].shape[:2]
    mixed, inputs = state["w2.weight"].shape[:2]
    return SaGcnConfig(
        joints=HUMAN36M_15,
        actions=actions,
        frames=config["seq_length"],
        dims=DIMS,
        reading="official",
        mix="clip",
        keep=config.get("seq_connect", 5),
        noise=inputs - label,
        label=label,
        mixed=mixed,
        hidden=config.get("hidden_size", 100),
        heads=config.get("n_head", 3),
    )


def _source(rules: tuple[tuple[str, str], ...]) -> Callable[[str], Source]:
    def source(key: str) -> Source:
        key = renamed(key, rules)
        key = re.sub(r"^correct\.layers\.(\d)", lambda found: f"gc{int(found[1]) + 1}", key)
        return (key,), lambda found: found[0]

    return source
