"""Files of metrics that measurements write as they go, and go on from."""

import json
from pathlib import Path
from typing import Any

from pose.whole_file import write_text
from research.errors import ResearchError


def read_metrics(file: Path, otherwise: Any) -> Any:
    """The content, or `otherwise` where there is no such file. ResearchError where it is damaged."""
    if not file.is_file():
        return otherwise
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResearchError(f"{file} is not a complete file of metrics ({type(error).__name__}); remove it") from error


def write_metrics(file: Path, metrics: Any) -> None:
    """Write them, whole or not at all, and the folder where there is none. OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, json.dumps(metrics, indent=1) + "\n")
