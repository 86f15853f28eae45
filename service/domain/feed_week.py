"""Some days of a feed as a calendar program lays them out: what is looked at before it is shared."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from service.domain.feed import FeedEntry, FeedEvent, FeedLeave, FeedStanding
from service.domain.hours import LocalTime, instant, local_time, midnight
from service.domain.recurrence import slots


@dataclass(frozen=True, kw_only=True, order=True)
class Shown:
    """One entry on one day, in the calendar's zone."""

    starts: LocalTime
    ends: LocalTime
    summary: str
    location: str = ""
    is_cancelled: bool = False
    is_whole_day: bool = False


def shown(entries: Iterable[FeedEntry], *, zone: str, since: date, until: date) -> list[Shown]:
    """All that lies on these days, `until` excluded, in order of time; what lasts several days is on each of them."""
    first, end = midnight(since), midnight(until)
    found = (one for entry in entries for one in _shown(entry, zone, first, end))
    return sorted(one for one in found if one.starts < end and one.ends > first)


def _shown(entry: FeedEntry, zone: str, first: LocalTime, end: LocalTime) -> Iterator[Shown]:
    match entry:
        case FeedStanding():
            yield from _of_standing(entry, zone, first, end)
        case FeedEvent():
            summary = (entry.cancelled_as or entry.summary) if entry.is_cancelled else entry.summary
            starts = _in(zone, entry.zone, entry.starts)
            yield _hour(starts, entry.minutes, summary, entry.location, is_cancelled=entry.is_cancelled)
        case FeedLeave():
            yield from _of_leave(entry, first, end)


def _of_standing(entry: FeedStanding, zone: str, first: LocalTime, end: LocalTime) -> Iterator[Shown]:
    gone = {*entry.lost, *(override.slot for override in entry.overrides)}
    day = timedelta(days=1)  # the calendar's zone may be a day ahead of the standing's
    for slot in slots(entry.standing, since=first - day, until=end + day):
        if slot not in gone:
            yield _hour(_in(zone, entry.standing.zone, slot), entry.standing.minutes, entry.summary, entry.location)
    for override in entry.overrides:
        starts = _in(zone, entry.standing.zone, override.starts)
        yield _hour(starts, override.minutes, override.summary, override.location)


def _of_leave(entry: FeedLeave, first: LocalTime, end: LocalTime) -> Iterator[Shown]:
    day = midnight(max(first, entry.since).date())
    while day < min(end, entry.until):
        starts, ends = max(day, entry.since), min(day + timedelta(days=1), entry.until)
        is_whole_day = ends - starts == timedelta(days=1)
        yield Shown(starts=starts, ends=ends, summary=entry.summary, location=entry.location, is_whole_day=is_whole_day)
        day += timedelta(days=1)


def _hour(starts: LocalTime, minutes: int, summary: str, location: str, *, is_cancelled: bool = False) -> Shown:
    ends = starts + timedelta(minutes=minutes)
    return Shown(starts=starts, ends=ends, summary=summary, location=location, is_cancelled=is_cancelled)


def _in(zone: str, own: str, local: LocalTime) -> LocalTime:
    return local if zone == own else local_time(instant(local, own), zone)
