"""Hours near a wanted one that are free: what to offer when an hour is taken."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from service.domain.hours import LocalTime, Weekday

STEP = timedelta(minutes=30)


@dataclass(frozen=True, kw_only=True)
class Working:
    """Local times of one weekday, half-open, in which somebody works."""

    day: Weekday
    begins: time
    ends: time


@dataclass(frozen=True, kw_only=True)
class Busy:
    """A span of local time that is taken."""

    since: LocalTime
    until: LocalTime


def nearby(
    wanted: LocalTime,
    minutes: int,
    *,
    working: Iterable[Working],
    busy: Sequence[Busy],
    not_before: LocalTime,
    days: int = 7,
    count: int = 5,
) -> list[LocalTime]:
    """The `count` free starts closest to the wanted one within `days` before and after, in order of time."""
    length = timedelta(minutes=minutes)
    starts = (
        start
        for day in _days_around(wanted, days)
        for hours in working
        if hours.day == Weekday.of(day)
        for start in _starts(datetime.combine(day, hours.begins), datetime.combine(day, hours.ends), length, wanted)
    )
    free = [start for start in starts if start >= not_before and not _is_taken(start, start + length, busy)]
    return sorted(sorted(free, key=lambda start: (abs(start - wanted), start))[:count])


def _days_around(wanted: LocalTime, days: int) -> list[LocalTime]:
    return [wanted + timedelta(days=offset) for offset in range(-days, days + 1)]


def _starts(begins: LocalTime, ends: LocalTime, length: timedelta, wanted: LocalTime) -> Iterable[LocalTime]:
    """Every half hour from the beginning of work, and the wanted clock time itself."""
    exact = datetime.combine(begins.date(), wanted.time())
    start = begins
    while start + length <= ends:
        yield start
        if start < exact < start + STEP and exact + length <= ends:
            yield exact
        start += STEP


def _is_taken(since: LocalTime, until: LocalTime, busy: Sequence[Busy]) -> bool:
    return any(since < one.until and one.since < until for one in busy)
