"""Times of recordings and recognizers as people read them."""

from datetime import UTC, datetime


def local_clock(iso: str) -> str:
    """A time in ISO 8601 on this computer's clock: "2026-03-01 18:05". One without a zone is in UTC, as all that we
    write; what is no time stays as it is."""
    try:
        time = datetime.fromisoformat(iso)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):  # the last two: a year that a clock cannot have
        return iso[:16].replace("T", " ")
