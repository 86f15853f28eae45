"""Weekday, wall time, zone: what "Tuesday at ten" means, and when that is.

Definitions
-----------
*Local time*: a naive `datetime`, the time on the clinic's wall. It is the truth; people agree on it.
*Instant*: an aware `datetime` in UTC. It is derived from a local time and an IANA zone, with one release of the
time-zone data, and may be derived anew when a country changes its law.
*Gap*: local times that a change of the clocks skips. A session at such a time starts that much later.
*Fold*: local times that occur twice. The first is meant.
*Steady span*: local times through which the clocks keep one distance to UTC.

All spans are half-open: `since` belongs to it, `until` does not.
"""

import enum
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib.metadata import version
from importlib.resources import files
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from service.domain.phrase import say
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


class CannotMeetThen(Malformed):
    """Not a time of day that a clinic's clock shows."""


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
    """On the wall: whole minutes, no zone of its own."""

    def __post_init__(self) -> None:
        if self.at.second or self.at.microsecond or self.at.tzinfo is not None:
            raise CannotMeetThen(say("An hour begins at a whole minute of the site's own clock."), where="at")

    @property
    def minute_of_week(self) -> int:
        """Minutes since Monday 00:00, 0 to 10079."""
        return (self.day * 24 + self.at.hour) * 60 + self.at.minute

    @property
    def from_monday(self) -> timedelta:
        """The time since Monday 00:00 on the wall."""
        return timedelta(minutes=self.minute_of_week)

    def on(self, day_of_that_week: date) -> LocalTime:
        """The local time of this hour in the week (Monday to Sunday) that holds the given day."""
        return midnight(monday_of(day_of_that_week)) + self.from_monday


@dataclass(frozen=True, kw_only=True)
class Span:
    """A half-open span of instants."""

    since: Instant
    until: Instant

    def overlaps(self, other: "Span") -> bool:
        return self.since < other.until and other.since < self.until


class Steady(NamedTuple):
    """Local times, half-open, and what to take off them to arrive at UTC."""

    since: LocalTime
    until: LocalTime
    offset: timedelta


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def midnight(day: date) -> LocalTime:
    """The local time at which that day begins on the calendar."""
    return datetime.combine(day, time())


@cache
def zone(name: str) -> ZoneInfo:
    """The zone of that name, from the shipped data alone: the machine's own copy may be of another release.

    :raises UnknownZone: no such zone.
    """
    if name not in zone_names():
        raise UnknownZone(say("There is no time zone named {name}.", name=repr(name)), where="zone")
    resource = files("tzdata.zoneinfo").joinpath(*name.split("/"))
    with resource.open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


def release_name(version_of_package: str) -> str:
    """What the world calls that release of the data: `2026.6` of the package is 2026f."""
    year, _, number = version_of_package.partition(".")
    digits = number.partition(".")[0]
    return f"{year}{chr(ord('a') + int(digits) - 1)}" if digits.isdigit() and 0 < int(digits) <= 26 else year


@cache
def law_of(zone_name: str) -> str:
    """16 characters that stay as they are until a release of the data says something else of that zone.

    :raises UnknownZone: no such zone.
    """
    zone(zone_name)  # says so where there is none, before a path is made of its name
    data = files("tzdata.zoneinfo").joinpath(*zone_name.split("/")).read_bytes()
    return hashlib.blake2b(data, digest_size=8).hexdigest()


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Every name one can set, links such as `US/Eastern` included."""
    listing = files("tzdata").joinpath("zones").read_text(encoding="ascii")
    return frozenset(listing.split())


def instant(local: LocalTime, zone_name: str) -> Instant:
    """When that local time is. In a gap: as much later as the clocks skip. In a fold: the first.

    :raises TypeError: it is no local time; an aware one would silently lose its own zone here.
    """
    if local.tzinfo is not None:
        raise TypeError(f"A local time has no zone of its own: {local!r}")
    return local.replace(tzinfo=zone(zone_name), fold=0).astimezone(UTC)


def local_time(at: Instant, zone_name: str) -> LocalTime:
    """What the wall clock shows at that instant.

    :raises TypeError: it is no instant; a naive one would silently be read in the machine's own zone.
    """
    if at.tzinfo is None:
        raise TypeError(f"An instant has a zone: {at!r}")
    return at.astimezone(zone(zone_name)).replace(tzinfo=None, fold=0)


@cache
def local_times(zone_name: str) -> Callable[[datetime], LocalTime]:
    """What `local_time` does, for many instants that are naive and in UTC, as databases keep them."""
    known: dict[int, timedelta | None] = {}
    of_zone = zone(zone_name)

    def local(at: datetime) -> LocalTime:
        block = at.toordinal() // _BLOCK
        try:  # one look-up: between two, another thread may have emptied it
            offset = known[block]
        except KeyError:
            if len(known) >= _MOST_BLOCKS:
                known.clear()
            offset = known[block] = _offset_through(block, of_zone)
        return at + offset if offset is not None else local_time(at.replace(tzinfo=UTC), zone_name)

    return local


_BLOCK = 5
"""Days: no zone ever had two changes so close together."""
_MOST_BLOCKS = 4096
"""Fifty-six years of them are kept for each zone."""


def _offset_through(block: int, of_zone: ZoneInfo) -> timedelta | None:
    """The distance to UTC throughout those days; None where it changes."""
    first = max(block * _BLOCK, 2)  # the day before the first has no date
    since, until = (datetime.fromordinal(day).replace(tzinfo=UTC) for day in (first, (block + 1) * _BLOCK))
    before, after = (at.astimezone(of_zone).utcoffset() for at in (since, until))
    return before if before == after else None


def is_in_gap(local: LocalTime, zone_name: str) -> bool:
    """True where the clocks skip that local time, so that the session starts at another one."""
    return local_time(instant(local, zone_name), zone_name) != local.replace(fold=0)


def span_of(starts: LocalTime, minutes: int, zone_name: str) -> Span:
    """The span that a session of so many elapsed minutes takes up."""
    since = instant(starts, zone_name)
    return Span(since=since, until=since + timedelta(minutes=minutes))


def is_across_change(starts: LocalTime, minutes: int, zone_name: str) -> bool:
    """True where the clocks change within the session, so that it ends at another wall time than its length says."""
    span = span_of(starts, minutes, zone_name)
    begins, ends = local_time(span.since, zone_name), local_time(span.until, zone_name)
    return ends - begins != timedelta(minutes=minutes)


def steady_at(local: LocalTime, zone_name: str) -> Steady:
    """The steady span, within its year, that the local time belongs to. A time in a gap belongs to the one before."""
    for span in steady_spans(zone_name, local.year):
        if local < span.until:
            return span
    raise AssertionError("The spans of a year cover the year.")


@lru_cache(maxsize=4096)
def steady_spans(zone_name: str, year: int) -> tuple[Steady, ...]:
    """The steady spans that a year of the calendar divides into, in order and without a hole.

    Each day's first offset is compared with the next day's. That sees every change: no zone ever had two less than
    six days apart (`tests/domain/test_hours.py` watches over it with each new release of the data).
    """
    ends = [switch for day in _days_of(year) if (switch := _switch_within(day, zone_name)) is not None]
    bounds = [datetime(year, 1, 1), *ends, datetime(year + 1, 1, 1)]
    return tuple(Steady(since, until, _offset(since, zone_name)) for since, until in pairwise(bounds) if since < until)


def _days_of(year: int) -> list[LocalTime]:
    first = datetime(year, 1, 1)
    return [first + timedelta(days=day) for day in range((datetime(year + 1, 1, 1) - first).days)]


def _switch_within(day: LocalTime, zone_name: str) -> LocalTime | None:
    """The first second of local time, after midnight up to the next, with another offset; None where there is none."""
    before = _offset(day, zone_name)
    low, high = 0, 24 * 60 * 60
    if _offset(day + timedelta(seconds=high), zone_name) == before:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(day + timedelta(seconds=middle), zone_name) == before:
            low = middle
        else:
            high = middle
    return day + timedelta(seconds=high)


def _offset(local: LocalTime, zone_name: str) -> timedelta:
    offset = zone(zone_name).utcoffset(local)
    assert offset is not None  # a zone of the database always has one
    return offset
