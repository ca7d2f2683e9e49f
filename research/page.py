"""Measured parts of Markdown pages, between two comments that name them."""

from pathlib import Path

from pose.whole_file import write_text
from research.errors import ResearchError


def write_measured(path: Path, text: str, name: str) -> None:
    """Replace what stands between the comments `measured: NAME` and `end`. Raises ResearchError, OSError."""
    begin, end = f"<!-- measured: {name} -->", "<!-- end -->"
    try:
        before, rest = path.read_text(encoding="utf-8").split(begin)
        _, after = rest.split(end, 1)
    except (OSError, ValueError) as error:
        raise ResearchError(
            f"{path} is not a page with one line {begin} and one {end} after it; give one that has them"
        ) from error
    write_text(path, f"{before}{begin}\n{text}{end}{after}")
