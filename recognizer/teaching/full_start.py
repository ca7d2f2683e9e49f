"""What Full teaching goes on from, in a sentence, for those who have no torch: read from network.npz beside a model."""

import json
from pathlib import Path

import numpy as np

from recognizer.plain_arrays import UNREADABLE

NETWORKS_FILE = "network.npz"

_STREAMS = {"t-tr": "its temporal stream (T-TR)", "s-tr": "its spatial stream (S-TR)"}


def cannot_start(base: Path) -> str:
    """Why Full teaching cannot go on from a recognizer, and what to do, in one line; "" where it can."""
    if (base / NETWORKS_FILE).is_file():
        return ""
    return f"{base.name} has no network that can go on learning: teach it with Quick, or choose act for Full."


def start_sentence(base: Path) -> str:
    """Which of the networks of a recognizer go on, where that is not all of it; "" else and where it cannot be read."""
    try:
        with np.load(base / NETWORKS_FILE, allow_pickle=False) as arrays:
            about = json.loads(str(arrays["about"]))
        name, count = about["network"], int(about["networks"])
    except UNREADABLE:
        return ""
    if name in _STREAMS:
        return f"Of {base.name} {_STREAMS[name]} alone goes on learning."
    if count > 1:
        return f"Of {base.name}'s {count} averaged networks the first goes on learning."
    return ""
