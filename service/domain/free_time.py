"""When somebody is taken and when they are free, without a word of what for.

All spans are half-open. A span is taken for one reason alone: where several hold, the strongest counts. Hours of the
week are free to be agreed where nothing is booked on any of their dates; absences take single dates of a standing and
no standing.
"""

import enum
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import accumulate, pairwise

from service.domain.hours import WEEK, Hour, Instant, LocalTime, Span, Weekday, instant, local_time, midnight, span_of
from service.domain.nearby import STEP, Working


class Why(enum.IntEnum):
    """Why a span is taken, the strongest last."""

    TENTATIVE = 1
    """Somebody is about to book it, or leave is asked for and not yet approved."""
    AWAY = 2
    """Leave, a closure, a public holiday, or not an hour of work."""
    BUSY = 3


@dataclass(frozen=True, kw_only=True)
class Taken:
    span: Span
    why: Why


@dataclass(frozen=True, kw_only=True)
class WorkingAt:
    """Working hours, and the zone of the site that they are at."""

    working: Working
    zone: str


@dataclass(frozen=True, kw_only=True)
class FreeHour:
    """An hour of the week that could be agreed."""

    hour: Hour
    dates: int
    """How many were looked at, all of them free of bookings."""
    lost: tuple[LocalTime, ...]
    """Those of them that an absence takes: they would be breaks."""


def merged(taken: Iterable[Taken], window: Span) -> list[Taken]:
    """What is taken within the window, in order: spans do not overlap, and those that touch differ in their reason."""
    known = [one for one in taken if one.span.overlaps(window)]
    edges: dict[Instant, list[tuple[Why, int]]] = {window.since: [], window.until: []}
    for one in known:
        edges.setdefault(max(one.span.since, window.since), []).append((one.why, 1))
        edges.setdefault(min(one.span.until, window.until), []).append((one.why, -1))
    found: list[Taken] = []
    open_ = dict.fromkeys(Why, 0)
    for since, until in pairwise(sorted(edges)):
        for why, more in edges[since]:
            open_[why] += more
        strongest = max((why for why, number in open_.items() if number), default=None)
        if strongest is not None:
            _join(found, Taken(span=Span(since=since, until=until), why=strongest))
    return found


def _join(found: list[Taken], one: Taken) -> None:
    if found and found[-1].why is one.why and found[-1].span.until == one.span.since:
        one = Taken(span=Span(since=found.pop().span.since, until=one.span.until), why=one.why)
    found.append(one)


def not_working(hours: Sequence[WorkingAt], window: Span) -> list[Taken]:
    """The parts of the window outside of working hours; none, where no hours are known."""
    if not hours:
        return []
    works = [Taken(span=span, why=Why.AWAY) for span in _worked(hours, window)]
    edges = [window.since]
    for one in merged(works, window):
        edges += [one.span.since, one.span.until]
    edges.append(window.until)
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [Taken(span=Span(since=since, until=until), why=Why.AWAY) for since, until in pairs if since < until]


def _worked(hours: Sequence[WorkingAt], window: Span) -> Iterator[Span]:
    for one in hours:
        first, last = (local_time(at, one.zone).date() for at in (window.since, window.until))
        for day in _days(first, last):
            if one.working.day == Weekday.of(day):
                begins, ends = (datetime.combine(day, at) for at in (one.working.begins, one.working.ends))
                yield Span(since=instant(begins, one.zone), until=instant(ends, one.zone))


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def free_hours(
    hours: Iterable[WorkingAt],
    taken: Iterable[Taken],
    *,
    minutes: int,
    every_weeks: int,
    since: date,
    weeks: int,
    not_before: Instant,
) -> list[FreeHour]:
    """Every hour of the week within working hours, at half hours from their beginning, that nothing is booked on.

    Looked at are its dates within so many weeks from the day `since` on; the first is the first on or after it.
    """
    known = list(taken)
    booked = _Spans(one.span for one in known if one.why is not Why.AWAY)
    away = _Spans(one.span for one in known if one.why is Why.AWAY)
    found = []
    for one in hours:
        for hour in _starts(one.working, minutes):
            dates = [
                start
                for start in _dates(hour, since=since, weeks=weeks, every_weeks=every_weeks)
                if instant(start, one.zone) >= not_before
            ]
            spans = [span_of(start, minutes, one.zone) for start in dates]
            if spans and not any(booked.touch(span) for span in spans):
                lost = tuple(start for start, span in zip(dates, spans, strict=True) if away.touch(span))
                found.append(FreeHour(hour=hour, dates=len(dates), lost=lost))
    return sorted(found, key=lambda one: one.hour)


def _starts(working: Working, minutes: int) -> Iterator[Hour]:
    start, ends = (datetime.combine(date.min, at) for at in (working.begins, working.ends))
    while start + timedelta(minutes=minutes) <= ends:
        yield Hour(day=working.day, at=time(start.hour, start.minute))
        start += STEP


def _dates(hour: Hour, *, since: date, weeks: int, every_weeks: int) -> Iterator[LocalTime]:
    first = hour.on(since)
    if first < midnight(since):
        first += WEEK
    for number in range(0, weeks, every_weeks):
        yield first + number * WEEK


class _Spans:
    """Many spans of which one wants to know whether any overlaps another one."""

    def __init__(self, spans: Iterable[Span]) -> None:
        in_order = sorted(spans, key=lambda span: span.since)
        self.starts = [span.since for span in in_order]
        self.latest = list(accumulate((span.until for span in in_order), max))
        """The latest end of all up to each."""

    def touch(self, other: Span) -> bool:
        before = bisect_left(self.starts, other.until)
        return before > 0 and self.latest[before - 1] > other.since
