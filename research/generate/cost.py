"""Time and memory of SA-GCN's generator, sparse and dense, for clips of several lengths."""

import statistics
import time
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from recognizer.training.models.sa_gcn import Correction, Form, SaGcnConfig


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a training step through the five graph convolutions: processor seconds (on a GPU: seconds), the median of the
    repeats, and bytes that the step keeps for its gradients, weights left out (exact: each tensor counted once)."""

    seconds: float
    kept_bytes: int


def measure(config: SaGcnConfig, frames: int, form: Form, clips: int, repeats: int, device: str = "cpu") -> Cost:
    """Of `clips` random clips."""
    torch.manual_seed(0)
    config = replace(config, frames=frames, form=form)
    network = Correction(config).to(device)
    poses = torch.randn(clips, frames, config.width, device=device, requires_grad=True)
    future = torch.ones(frames, frames, dtype=torch.bool, device=device).triu(1)
    scores = torch.randn(clips, frames, frames, device=device).masked_fill(future, float("-inf")).softmax(dim=-1)
    kept = _kept_bytes(network, poses, scores)
    spent = []
    for _ in range(repeats + 1):
        started = _now(device)
        network(poses, scores).sum().backward()
        spent.append(_now(device) - started)
    return Cost(statistics.median(spent[1:]), kept)


def _kept_bytes(network: nn.Module, poses: Tensor, scores: Tensor) -> int:
    weights = {weight.untyped_storage().data_ptr() for weight in network.state_dict().values()}
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = network(poses, scores)
    del result
    return sum(kept.values())


def _now(device: str) -> float:
    if device == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()
