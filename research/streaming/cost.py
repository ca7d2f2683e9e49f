"""What an answer costs: a streaming recognizer against its network of clips, both in ONNX Runtime on one thread."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.flop_counter import FlopCounterMode

from pose.onnx_session import cpu_session
from recognizer.model_card import INPUT_NAME
from recognizer.training.batches import FRAMES
from recognizer.training.export import OUTPUT_NAME, to_onnx
from recognizer.training.models.deployed import Deployed
from research.streaming import recognizer as streaming
from research.streaming.recognizer import FEATURES, StreamingRecognizer, StreamingSession

_WARM_UP = 20


@dataclass(frozen=True, slots=True)
class CostRow:
    """An answer of the network of clips and of the streaming one, `poses` further on.

    window_ms, step_ms: medians of processor time. ratio: median of pairs. window_macs, step_macs: multiplications with
    an addition, of products and convolutions. state: numbers that are remembered.
    """

    name: str
    poses: int
    window_ms: float
    step_ms: float
    ratio: float
    window_macs: int
    step_macs: int
    state: int


def measure_cost(name: str, deployed: Deployed, pooled: int, poses: Sequence[int], rounds: int) -> list[CostRow]:
    """A row for each number of poses in a step. Calls take turns, so that a busy machine slows both."""
    window = cpu_session(to_onnx(deployed, FEATURES))
    clips = np.random.default_rng(0).standard_normal((1, FRAMES, FEATURES)).astype(np.float32)
    return [_row(name, deployed, pooled, count, rounds, window, clips) for count in poses]


def _row(
    name: str, deployed: Deployed, pooled: int, poses: int, rounds: int, window: Any, clips: NDArray[np.float32]
) -> CostRow:
    recognizer = StreamingRecognizer(deployed, pooled, poses).eval()
    session = StreamingSession(*streaming.to_onnx(recognizer))
    features = torch.from_numpy(clips[:, :poses])
    with torch.inference_mode():
        state = recognizer.initial_state(features[:, :1])
    feed = {INPUT_NAME: clips}
    pairs = [
        (_ms(lambda: window.run([OUTPUT_NAME], feed)), _ms(lambda: session.push(clips[0, :poses])))
        for _ in range(_WARM_UP + rounds)
    ][_WARM_UP:]
    return CostRow(
        name,
        poses,
        window_ms=statistics.median(whole for whole, _ in pairs),
        step_ms=statistics.median(step for _, step in pairs),
        ratio=statistics.median(whole / step for whole, step in pairs),
        window_macs=_macs(lambda: deployed(torch.from_numpy(clips))),
        step_macs=_macs(lambda: recognizer(features, state)),
        state=sum(ring.numel() for ring in state),
    )


def _ms(call: Callable[[], object]) -> float:
    started_s = time.thread_time()
    call()
    return (time.thread_time() - started_s) * 1000


def _macs(call: Callable[[], object]) -> int:
    with torch.inference_mode(), FlopCounterMode(display=False) as flops:
        call()
    return int(flops.get_total_flops()) // 2


def as_table(rows: Sequence[CostRow]) -> str:
    """In Markdown."""
    lines = [
        "| network | poses a step | window ms | step ms | times less | window MMACs | step MMACs | times less | kept |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {row.name} | {row.poses} | {row.window_ms:.2f} | {row.step_ms:.2f} | {row.ratio:.1f} "
        f"| {row.window_macs / 1e6:.1f} | {row.step_macs / 1e6:.1f} | {row.window_macs / row.step_macs:.1f} "
        f"| {row.state:,} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"
