"""Other people's calendar engines. Each reads feeds and lists what a person would see in the calendar program.

- `recurring`: recurring-ical-events, in Python; knows the zones by name.
- `ical_js`: ical.js, the engine of Thunderbird; knows only the zones that the feed describes. One Node process reads
  any number of feeds.
- `libical`: the C library of Evolution and others; takes the zones that the feed describes.

What an engine needs is put there by `make test`. Where a machine can't have it, the tests fail, and say how to get it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import TZPATH, ZoneInfo, reset_tzpath

Listed = tuple[str, str, str]
"""Beginning, end, summary of what is shown. An instant as `2026-03-24T10:00:00Z`, a whole day as `2026-03-24`."""
Listing = list[Listed]

UTC_FORM = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, kw_only=True)
class Window:
    """Half-open, in UTC: what begins in it is listed."""

    since: datetime
    until: datetime

    def holds(self, listed: Listed) -> bool:
        begins = listed[0] if "T" in listed[0] else f"{listed[0]}T00:00:00Z"
        return f"{self.since:{UTC_FORM}}" <= begins < f"{self.until:{UTC_FORM}}"

    def of(self, listing: Listing) -> Listing:
        return sorted(filter(self.holds, listing))


Engine = Callable[[Mapping[str, bytes], Window], dict[str, Listing]]
"""Feeds by any name, and what each shows, in order."""


def engines() -> dict[str, Engine]:
    """All three, by name. :raises CannotRunHere: one is not on this machine."""
    from tests.feeds.engines import ical_js, libical, recurring

    libical.library()
    return {"recurring-ical-events": recurring.listed, "ical.js": ical_js.listed, "libical": libical.listed}


@contextmanager
def shipped_zones() -> Iterator[None]:
    """Zones that an engine looks up by name come from the tzdata that we ship: the machine's own may differ."""
    before = TZPATH
    reset_tzpath(to=())
    ZoneInfo.clear_cache()
    try:
        yield
    finally:
        reset_tzpath(to=before)
        ZoneInfo.clear_cache()
