"""Which network Full teaching fine-tunes, as a sentence and without torch: read from network.npz beside a model."""

import json
from pathlib import Path

import numpy as np

from recognizer.plain_arrays import UNREADABLE

NETWORKS_FILE = "network.npz"

_STREAMS = {"t-tr": "temporal stream (T-TR)", "s-tr": "spatial stream (S-TR)"}


def cannot_start(base: Path) -> str:
    """Why Full teaching cannot fine-tune a recognizer, and what to do, in one line; "" where it can."""
    if (base / NETWORKS_FILE).is_file():
        return ""
    return f"{base.name} has no trainable network: use Quick, or choose act for Full."


def start_sentence(base: Path) -> str:
    """Which of a recognizer's networks is fine-tuned, if not all of it; "" otherwise, and where it cannot be read."""
    try:
        with np.load(base / NETWORKS_FILE, allow_pickle=False) as arrays:
            about = json.loads(str(arrays["about"]))
        name, count = about["network"], int(about.get("averaged", about["networks"]))
    except UNREADABLE:
        return ""
    if name in _STREAMS:
        return f"Full fine-tunes only the {_STREAMS[name]} of {base.name}."
    if count > 1:
        return f"Full fine-tunes only the first of {base.name}'s {count} averaged networks."
    return ""
