"""What a streaming network remembers from one step to the next.

N clips and their mirror images, V joints, n frames of a step, C and D channels. Channels come last, so that a layer is
one product of matrices: ONNX Runtime takes longer to lay a single frame out for a convolution than to compute it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from research.errors import ResearchError


class Memory:
    """Rings of the last frames of what each layer takes in, in the order in which the layers ask for them.

    before: the rings after the last step; None at the beginning, where the first frame counts as having been there for
    ever. after: the rings after this step, once all layers have asked. A ring is (N, V, L, C), oldest frame first.
    """

    def __init__(self, before: Sequence[Tensor] | None = None) -> None:
        self._before = None if before is None else iter(before)
        self.after: list[Tensor] = []

    def extended(self, x: Tensor, length: int) -> Tensor:
        """Frames x (N, V, n, C) with the `length` before them: (N, V, length + n, C)."""
        if length == 0:
            return x
        together = torch.cat([self._ring(x, length), x], dim=2)
        self.after.append(together[:, :, x.shape[2] :])
        return together

    def delayed(self, x: Tensor, frames: int) -> Tensor:
        """As many frames as x has, from `frames` earlier."""
        count = x.shape[2]
        if frames < count:
            return self.extended(x, frames)[:, :, :count]
        ring = self._ring(x, frames)
        self.after.append(torch.cat([ring[:, :, count:], x], dim=2))
        return ring[:, :, :count]

    def _ring(self, x: Tensor, length: int) -> Tensor:
        return x[:, :, :1].expand(-1, -1, length, -1) if self._before is None else next(self._before)


@dataclass(frozen=True, slots=True)
class Rate:
    """How frames arrive at a layer.

    frames: in a step. spacing: incoming frames from one of the network's own frames to the next. After a stride s the
    network of clips keeps every s-th frame. Here either a step has s frames or more, and every s-th is kept, or it has
    one, and all are kept with kernels that leave gaps, so that there is an answer at every pose.
    """

    frames: int
    spacing: int = 1

    def kept(self, stride: int) -> int:
        """One frame out of this many is kept. Raises ResearchError where steps and strides do not fit."""
        if self.frames % stride == 0:
            return stride
        if self.frames == 1:
            return 1
        raise ResearchError(f"steps of {self.frames} frames do not fit a stride of {stride}; take steps of one pose")

    def after(self, stride: int) -> "Rate":
        """The rate after a layer of that stride."""
        kept = self.kept(stride)
        return Rate(self.frames // kept, self.spacing * stride // kept)


def check_one_answer(poses: int, strides: Sequence[int]) -> None:
    """Raise ResearchError where a step of so many poses does not have exactly one answer."""
    if poses < 1:
        raise ResearchError(f"a step has one pose or more, not {poses}")
    rate = Rate(poses)
    for stride in strides:
        rate = rate.after(stride)
    if rate.frames > 1:
        raise ResearchError(f"a step of {poses} poses has {rate.frames} answers; take steps of {poses // rate.frames}")
