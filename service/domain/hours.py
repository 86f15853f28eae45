"""Weekday, wall time, zone: what "Tuesday at ten" means, and when that is.

Definitions
-----------
*Local time*: a naive `datetime`, the time on the clinic's wall. It is the truth; people agree on it.
*Instant*: an aware `datetime` in UTC. It is derived from a local time and an IANA zone, with one release of the
time-zone data, and may be derived anew when a country changes its law.
*Gap*: local times that a change of the clocks skips. A session at such a time starts that much later.
*Fold*: local times that occur twice. The first is meant.

All spans are half-open: `since` belongs to it, `until` does not.
"""

import enum
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from zoneinfo import ZoneInfo

from service.domain.refusals import Malformed

LocalTime = datetime
"""Naive, by convention and by the checks at every door."""
Instant = datetime
"""Aware, in UTC."""

TZDATA_VERSION = version("tzdata")
"""The release that every instant here is derived with."""

WEEK = timedelta(days=7)
MINUTES_A_WEEK = 7 * 24 * 60


class UnknownZone(Malformed):
    """Not a zone of the IANA database that samehour ships."""


class Weekday(enum.IntEnum):
    """Days as iCalendar abbreviates them; the value is Python's `date.weekday()`."""

    MO = 0
    TU = 1
    WE = 2
    TH = 3
    FR = 4
    SA = 5
    SU = 6

    @classmethod
    def of(cls, day: date) -> "Weekday":
        return cls(day.weekday())


@dataclass(frozen=True, kw_only=True, order=True)
class Hour:
    """An hour of the week, as in "Tuesdays at 10:00"."""

    day: Weekday
    at: time

    @property
    def minute_of_week(self) -> int:
        """Minutes since Monday 00:00, 0 to 10079."""
        return self.day * 24 * 60 + self.at.hour * 60 + self.at.minute

    def on(self, day_of_that_week: date) -> LocalTime:
        """The local time of this hour in the week (Monday to Sunday) that holds the given day."""
        return datetime.combine(monday_of(day_of_that_week) + timedelta(days=self.day), self.at)


@dataclass(frozen=True, kw_only=True)
class Span:
    """A half-open span of instants."""

    since: Instant
    until: Instant

    def overlaps(self, other: "Span") -> bool:
        return self.since < other.until and other.since < self.until


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


@lru_cache(maxsize=None)
def zone(name: str) -> ZoneInfo:
    """The zone of that name, from the shipped data alone: the machine's own copy may be of another release.

    :raises UnknownZone: no such zone.
    """
    if name not in zone_names():
        raise UnknownZone(f"There is no time zone named {name!r}.", where="zone")
    resource = files("tzdata.zoneinfo").joinpath(*name.split("/"))
    with resource.open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Every name one can set, links such as `US/Eastern` included."""
    listing = files("tzdata").joinpath("zones").read_text(encoding="ascii")
    return frozenset(listing.split())


def instant(local: LocalTime, zone_name: str) -> Instant:
    """When that local time is. In a gap: as much later as the clocks skip. In a fold: the first."""
    return local.replace(tzinfo=zone(zone_name), fold=0).astimezone(UTC)


def local_time(at: Instant, zone_name: str) -> LocalTime:
    """What the wall clock shows at that instant."""
    return at.astimezone(zone(zone_name)).replace(tzinfo=None, fold=0)


def is_in_gap(local: LocalTime, zone_name: str) -> bool:
    """True where the clocks skip that local time, so that the session starts at another one."""
    return local_time(instant(local, zone_name), zone_name) != local.replace(fold=0)


def span_of(starts: LocalTime, minutes: int, zone_name: str) -> Span:
    """The span that a session of so many elapsed minutes takes up."""
    since = instant(starts, zone_name)
    return Span(since=since, until=since + timedelta(minutes=minutes))
