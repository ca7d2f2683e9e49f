"""A whole recognizer step by step: mirror image, the networks' mean, the logits of the listed actions; as ONNX, too."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pose.onnx_session import cpu_session
from recognizer.features import CHANNELS, LAYOUT
from recognizer.model_card import INPUT_NAME
from recognizer.training.export import OUTPUT_NAME, traced
from recognizer.training.models.deployed import Deployed
from recognizer.training.models.inside import FromFeatures
from recognizer.training.models.st_gcn import StGcn
from recognizer.training.models.st_tr import StTr, StTrFusion
from recognizer.training.onnx_graph import expand_constants, strip_metadata
from research.errors import ResearchError
from research.streaming.memory import Memory
from research.streaming.st_gcn import StreamingStGcn
from research.streaming.st_tr import StreamingStTr

Array = NDArray[np.float32]
Streams = tuple[StreamingStGcn | StreamingStTr, ...]

FEATURES = len(LAYOUT) * len(CHANNELS)


def streams_of(network: nn.Module, pooled: int, poses: int = 1) -> Streams:
    """The streaming form of a network: one, or of a fusion two, whose logits are added. Raises ResearchError."""
    if isinstance(network, FromFeatures):
        return streams_of(network.network, pooled, poses)
    if isinstance(network, StGcn):
        return (StreamingStGcn(network, pooled, poses),)
    if isinstance(network, StTr):
        return (StreamingStTr(network, pooled, poses),)
    if isinstance(network, StTrFusion):
        return streams_of(network.spatial, pooled, poses) + streams_of(network.temporal, pooled, poses)
    raise ResearchError(f"{type(network).__name__} has no streaming form; only ST-GCN, S-TR, T-TR and their sum have")


class StreamingRecognizer(nn.Module):
    """The next poses' features (1, n, F) and the state to logits (1, A) and the next state.

    pooled: frames of the last layer that are averaged. poses: n. Raises ResearchError.
    """

    def __init__(self, deployed: Deployed, pooled: int, poses: int = 1) -> None:
        super().__init__()
        self.deployed, self.poses = deployed.eval(), poses
        self._streams = [streams_of(network, pooled, poses) for network in deployed.networks]

    @property
    def reach(self) -> int:
        """Poses that an answer depends on."""
        return max(stream.reach for streams in self._streams for stream in streams)

    def forward(self, features: Tensor, state: Sequence[Tensor]) -> tuple[Tensor, ...]:
        memory = Memory(state)
        return (self._logits(features, memory), *memory.after)

    def initial_state(self, features: Tensor) -> tuple[Tensor, ...]:
        """The state in which the first pose, of features (1, 1, F), has been there for ever."""
        memory = Memory()
        self._logits(features.expand(-1, self.poses, -1), memory)
        return tuple(memory.after)

    def _logits(self, features: Tensor, memory: Memory) -> Tensor:
        both = self.deployed.with_mirror(features)
        poses = both.view(len(both), -1, len(LAYOUT), len(CHANNELS)).transpose(1, 2)  # (N, V, n, C)
        each = [torch.stack([stream(poses, memory) for stream in streams]).sum(dim=0) for streams in self._streams]
        return self.deployed.combined(each)


class _InitialState(nn.Module):
    """`initial_state` as a graph of its own."""

    def __init__(self, recognizer: StreamingRecognizer) -> None:
        super().__init__()
        self.recognizer = recognizer

    def forward(self, features: Tensor) -> tuple[Tensor, ...]:
        return self.recognizer.initial_state(features)


def to_onnx(recognizer: StreamingRecognizer) -> tuple[bytes, bytes]:
    """Two graphs. The first takes "features" (1, 1, F) of the first pose and gives "state_0", "state_1", ...; the
    second takes "features" (1, n, F) and the states and gives "logits" (1, A) and the states after them, "next_0",
    "next_1", ..."""
    first, features = torch.randn(1, 1, FEATURES), torch.randn(1, recognizer.poses, FEATURES)
    with torch.inference_mode():
        state = [ring.clone() for ring in recognizer.initial_state(first)]
    names, after = ([f"{kind}_{place}" for place in range(len(state))] for kind in ("state", "next"))
    start = _graph(_InitialState(recognizer), (first,), [INPUT_NAME], names)
    step = _graph(recognizer, (features, state), [INPUT_NAME, *names], [OUTPUT_NAME, *after])
    return start, step


def _graph(network: nn.Module, example: tuple[Any, ...], inputs: list[str], outputs: list[str]) -> bytes:
    model = traced(network, example, inputs, outputs, batched=False)
    content: bytes = strip_metadata(expand_constants(model)).SerializeToString()
    return content


class StreamingSession:
    """The two graphs of to_onnx in ONNX Runtime on one thread, for one person. One thread at a time."""

    def __init__(self, start: bytes, step: bytes) -> None:
        self._start, self._step = cpu_session(start), cpu_session(step)
        inputs = self._step.get_inputs()
        self.poses = int(inputs[0].shape[1])
        self._names = [value.name for value in inputs[1:]]
        self._state: list[Array] | None = None

    def reset(self) -> None:
        """Forget all poses; the next one starts a new stream."""
        self._state = None

    def push(self, features: Array) -> Array:
        """The next poses' features (n, F), a multiple of a step's poses; the logits (n / poses, A) after each step."""
        if not len(features) or len(features) % self.poses:
            raise ValueError(f"expected a multiple of {self.poses} poses, got {len(features)}")
        if self._state is None:
            self._state = self._start.run(None, {INPUT_NAME: features[None, :1]})
        answers = []
        for place in range(0, len(features), self.poses):
            feed = dict(zip(self._names, self._state, strict=True))
            feed[INPUT_NAME] = features[None, place : place + self.poses]
            logits, *self._state = self._step.run(None, feed)
            answers.append(logits)
        return np.concatenate(answers)
