"""Weights of the official GL-Transformer code (Boeun-Kim/GL-Transformer) in the network of this project.

No command imports them; they are what the networks are compared with. Three kinds of checkpoints are told apart by
their names: the network of the linear evaluation (`transformer.*` and `linear.*`), the pretrained network alone, as the
code saves it (`emb.weight`, `encoder_blocks.0....`), and a block (`positional_emb`, `attention_sp....`). The code is
made for two people and 25 joints of NTU RGB+D, of which joint 20 (from 0) carries the global translation; the config
counts people and joints together as `num_joint`.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from recognizer.training.models.gl_transformer import Block, GlClassifier, GlConfig, GlTransformer, Packing
from research.official.names import Source, State, fill, renamed

PAD = 99.9  # what the official code fills up clips with
PEOPLE = 2
GLOBAL_JOINT = 20
# Created by the official code and never used with its learned positions.
_UNUSED = r"(.*\.)?(pred_token_emb|tm_pos_encoder\.pe|sp_pos_encoder\.pe)"

_NAMES = (
    (r"\bblocks\.", "encoder_blocks."),
    (r"\bposition\.joint_frame$", "positional_emb"),
    (r"\bspatial_norm\.", "norm1_sp."),
    (r"\btemporal_norm\.", "norm1_tm."),
    (r"\bforward_norm\.", "norm2."),
    (r"\bspatial\.", "attention_sp."),
    (r"\btemporal\.", "attention_tm."),
    (r"\bout\.", "proj."),
    (r"\bwiden\.", "feedforward.fc1."),
    (r"\bnarrow\.", "feedforward.fc2."),
    (r"\bembed\.", "emb."),
    (r"\bembed_global\.", "emb_global."),
    (r"\bbackbone\.", "transformer."),
    (r"\bhead\.", "linear."),
)


class OfficialGl(nn.Module):
    """Official clips (N, C, T, J), padded with 99.9, to what the official network says of them.

    A frame is real where coordinate 0 of the first joint of the first person is not PAD; a clip with fewer than two
    real frames counts as its first frame.
    """

    def __init__(self, network: GlClassifier | GlTransformer) -> None:
        super().__init__()
        self.network = network

    def forward(self, clips: Tensor) -> Tensor:
        """Logits (N, A); of the pretrained network alone (N, T, J D), 0 at PAD."""
        x, real = self.unpadded(clips)
        return self.network(x, real)  # type: ignore[no-any-return]

    def with_attention(self, clips: Tensor) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """(N, T, J D) and each block's attention over joints (N, T, H, J, J) and over frames (N, H, T, T)."""
        network = self.network.backbone if isinstance(self.network, GlClassifier) else self.network
        return network.with_attention(*self.unpadded(clips))

    @staticmethod
    def unpadded(clips: Tensor) -> tuple[Tensor, Tensor]:
        """Clips (N, T, J, C) and which of their frames are real (N, T)."""
        real = clips[:, 0, :, 0] != PAD
        first = torch.arange(real.shape[1], device=real.device) == 0
        return clips.permute(0, 2, 3, 1), torch.where(real.sum(dim=1, keepdim=True) < 2, first, real)


class OfficialGlBlock(nn.Module):
    """One block on x (N, T, J, D) and the mask (N, 1, T, T) of frames that may be looked at; PAD frames look too."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(N, T, J, D)."""
        packing = Packing(*x.shape[:2])
        packing.keys = mask
        return packing.unpack(self.block(x.flatten(0, 1), packing))


def load_gl_transformer(state: State, config: Mapping[str, Any]) -> nn.Module:
    """The network in eval mode, of an official checkpoint and its config: OfficialGl, or OfficialGlBlock."""
    plain = {name.removeprefix("module."): value for name, value in state.items()}
    block = any(name.startswith("attention_sp.") for name in plain)
    ours = _config(config, block=block)
    if block:
        network = fill(Block(ours), plain, _source, _UNUSED)
        return OfficialGlBlock(network).eval()  # type: ignore[arg-type]
    backbone = GlTransformer(ours)
    if any(name.startswith("transformer.") for name in plain):
        filled = fill(GlClassifier(backbone, config["num_action_class"]), plain, _source, _UNUSED)
    else:
        filled = fill(backbone, plain, _source, _UNUSED)
    return OfficialGl(filled).eval()  # type: ignore[arg-type]


def _source(key: str) -> Source:
    return (renamed(key, _NAMES),), lambda found: found[0]


def _config(config: Mapping[str, Any], *, block: bool) -> GlConfig:
    people = 1 if block else PEOPLE
    return GlConfig(
        joints=config["num_joint"] // people,
        global_joint=0 if block else GLOBAL_JOINT,
        channels=config.get("input_channel", 3),
        people=people,
        frames=config["num_frame"],
        width=config["dim_emb"],
        depth=1 if block else config["depth"],
        heads=config["num_heads"],
        expand=float(config.get("ff_expand", 1.0)),
        dropout=float(config.get("do_rate", 0.1)),
        attention_dropout=float(config.get("attn_do_rate", 0.1)),
        drop_path=float(config.get("drop_path_rate", 0.1)),
        qkv_bias=bool(config.get("qkv_bias", True)),
    )
