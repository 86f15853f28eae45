"""The only reader of the system clock: everything else is told what time it is."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, in UTC, to the microsecond."""
    return datetime.now(UTC)
