"""A calendar of somebody's life, read for nothing but when they are busy.

What is marked as free, cancelled, or takes no time is not busy. Of a title, a place or a person nothing is looked at
and nothing comes out.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from service.domain.hours import Instant, LocalTime, Span, instant, local_time
from service.domain.outside import Reading, merged
from service.domain.phrase import say
from service.files.book import MOST_ENTRIES, CannotRead, CannotTake, Findings, checked_size
from service.files.ics_rules import Allowance
from service.files.ics_text import Component, Line, components
from service.files.ics_times import Times, When, at_site, version_of
from service.files.ics_window import starts_within
from service.files.ics_zones import Zones

MOST_TIMES = 10_000
"""Busy times within the window, before those that touch are made one."""
_MOST_PAIRS = 500_000
"""Masters with one UID, each with all of its changes: those of a real calendar are one and a few."""
_MOST_LASTING = 200
_FIRST_YEAR = 1500
"""Birthdays without a year stand in 1604 or so."""
_LONGEST = timedelta(days=366 * 100)
_DAY = timedelta(days=1)
_Found = TypeVar("_Found")
_REASONS = {"TZID": "zone", "RRULE": "rule", "EXRULE": "rule", "no end": "no_end"}


class CannotReadBusy(CannotRead):
    """Nothing of it is taken. `kind` is a key of service.domain.outside.FAULTS."""

    def __init__(self, kind: str) -> None:
        super().__init__(say("The calendar can't be read."), where=kind)
        self.kind = kind


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """A busy event: when it first is, and for how long."""

    start: When
    length: timedelta
    """Elapsed; of whole days, on the calendar."""

    def span(self, local: LocalTime) -> Span:
        """Of the instance that starts then on the wall of its zone."""
        since = instant(local, self.start.zone)
        if self.start.is_day:
            return Span(since=since, until=instant(local + self.length, self.start.zone))
        return Span(since=since, until=since + self.length)


@dataclass(frozen=True, kw_only=True)
class _Change:
    """What becomes of one instance of a series, or of it and all that follow."""

    slot: When
    and_following: bool
    entry: _Entry | None
    """None where nobody is busy then."""


@dataclass(kw_only=True)
class _Family:
    """The events with one UID."""

    masters: list[Component] = field(default_factory=list)
    changes: list[Component] = field(default_factory=list)


def read(data: bytes, *, zone: str, since: Instant, until: Instant) -> Reading:
    """When the calendar's owner is busy between two instants; `zone` is where floating times and whole days are lived.

    :raises CannotReadBusy: not a whole calendar, or one with too much in it.
    """
    findings = Findings()
    calendars = _calendars(data, findings)
    times = Times(
        zones=Zones(calendars, site_zone=zone, given={}, findings=findings),
        findings=findings,
        site_zone=zone,
        first_year=_FIRST_YEAR,
    )
    reader = _Reader(times=times, findings=findings, since=since, until=until)
    spans = [span for calendar in calendars for span in reader.of_calendar(calendar)]
    reasons = Counter(_REASONS.get(rejected.where, "time") for rejected in findings.rejected)
    return Reading(spans=merged(_clipped(spans, since, until)), left_out=dict(reasons))


def _calendars(data: bytes, findings: Findings) -> list[Component]:
    try:
        found = components(checked_size(data), findings)
    except CannotRead:
        raise CannotReadBusy("damaged" if b"VCALENDAR" in data.upper() else "not_calendar") from None
    if not all(one.is_whole for one in found):
        raise CannotReadBusy("cut_short")
    if sum(1 for one in found for _ in one.walk("VEVENT")) > MOST_ENTRIES:
        raise CannotReadBusy("too_many")
    return found


def _clipped(spans: Collection[Span], since: Instant, until: Instant) -> Iterator[Span]:
    for span in spans:
        if span.since < until and since < span.until:
            yield Span(since=max(span.since, since), until=min(span.until, until))


@dataclass(kw_only=True)
class _Reader:
    """Reads one file."""

    times: Times
    findings: Findings
    since: Instant
    until: Instant
    allowance: Allowance = field(default_factory=lambda: Allowance(dates=100_000))
    left: int = MOST_TIMES

    def of_calendar(self, calendar: Component) -> Iterator[Span]:
        for family in _families(calendar.walk("VEVENT")):
            yield from self._of_family(family)
        for part in calendar.walk("VFREEBUSY"):
            yield from self._of_list(part)

    def _of_family(self, family: _Family) -> Iterator[Span]:
        changes = [found for one in family.changes if (found := self._unless_odd(one, self._change)) is not None]
        masters = _newest(family.masters)
        if len(masters) * len(changes) > _MOST_PAIRS:
            raise CannotReadBusy("too_many")
        for master in masters:
            yield from self._unless_odd(master, lambda event: self._of_master(event, changes)) or ()
        for change in changes:
            if change.entry is not None and not change.and_following:
                yield from self._counted([change.entry.span(change.entry.start.local)])

    def _unless_odd(self, event: Component, read: Callable[[Component], _Found]) -> _Found | None:
        """What could be read; None where it could not, which is noted."""
        try:
            return read(event)
        except CannotTake as refusal:
            self.findings.reject(event.line, refusal)
        except OverflowError:
            self.findings.reject(event.line, CannotTake(say("Its time can't be right."), where="DTSTART"))
        return None

    def _change(self, event: Component) -> _Change:
        line = event.all("RECURRENCE-ID")[0]
        return _Change(
            slot=self.times.at(line),
            and_following=line.params.get("RANGE", "").upper() == "THISANDFUTURE",
            # The instance is not where it was, also where nobody can tell where it is now.
            entry=self._unless_odd(event, self._entry),
        )

    def _entry(self, event: Component) -> _Entry | None:
        """None where nobody is busy."""
        if not _is_busy(event):
            return None
        start = self.times.start(event)
        end = self.times.end(event, start)
        if end is None and not start.is_day:
            raise CannotTake(say("It has no end."), where="no end")
        length = _length(start, end)
        if not timedelta(0) <= length <= _LONGEST:
            raise CannotTake(say("It ends before it begins."), where="DTEND")
        return _Entry(start=start, length=length) if length else None

    # -- one series

    def _of_master(self, event: Component, changes: Collection[_Change]) -> list[Span]:
        entry = self._entry(event)
        if entry is None:
            return []
        gone = [*self.times.excluded(event, entry.start), *(one.slot for one in changes if not one.and_following)]
        starts = _without(gone, self._starts(event, entry), entry)
        lasting = sorted((one for one in changes if one.and_following), key=lambda one: _wall(entry, one.slot))
        if len(starts) > MOST_TIMES or len(lasting) > _MOST_LASTING:
            raise CannotReadBusy("too_many")
        return self._counted([*self._moved(starts, entry, lasting), *starts.values()])

    def _starts(self, event: Component, entry: _Entry) -> dict[LocalTime, Span]:
        """Every instance that may reach into the window, by its start on the wall of the event's zone."""
        zone = entry.start.zone
        since, until = local_time(self.since, zone) - entry.length - _DAY, local_time(self.until, zone) + _DAY

        def ruled(line: Line) -> set[LocalTime]:
            return starts_within(
                line.value, start=entry.start.local, zone=zone, since=since, until=until, allowance=self.allowance
            )

        locals_ = {entry.start.local}.union(*(ruled(line) for line in event.all("RRULE")))
        locals_ = locals_.difference(*(ruled(line) for line in event.all("EXRULE")))
        found = {local: entry.span(local) for local in locals_ if since <= local <= until}
        for extra in self.times.listed(event, "RDATE", lambda line: self.times.further(line, entry.start)):
            local = _wall(entry, extra.start)
            span = entry.span(local)
            if extra.until is not None:
                span = Span(since=span.since, until=max(span.since, instant(extra.until, extra.start.zone)))
            known = found.setdefault(local, span)
            found[local] = max(known, span, key=lambda one: one.until)
        return found

    def _moved(self, starts: dict[LocalTime, Span], entry: _Entry, lasting: list[_Change]) -> Iterator[Span]:
        """What a change of "this and all following" makes of the instances from there on, which it takes away."""
        for change in reversed(lasting):
            slot = _wall(entry, change.slot)
            for local in [one for one in starts if one >= slot]:
                del starts[local]
                if change.entry is not None:
                    shift = at_site(change.entry.start, entry.start.zone) - slot
                    yield _Entry(start=entry.start, length=change.entry.length).span(local + shift)

    def _of_list(self, part: Component) -> list[Span]:
        """The spans of a list of busy times, as free/busy servers give them."""
        busy = [line for line in part.all("FREEBUSY") if line.params.get("FBTYPE", "BUSY").upper() != "FREE"]
        only = Component(name=part.name, line=part.line, lines=busy)
        in_utc = When(local=datetime(2000, 1, 1), zone="UTC")
        found = []
        for extra in self.times.listed(only, "FREEBUSY", lambda line: self.times.further(line, in_utc)):
            since = instant(extra.start.local, extra.start.zone)
            until = since if extra.until is None else instant(extra.until, extra.start.zone)
            found.append(Span(since=since, until=max(since, until)))
        return self._counted(found)

    def _counted(self, spans: list[Span]) -> list[Span]:
        found = [one for one in spans if one.since < self.until and self.since < one.until]
        self.left -= len(found)
        if self.left < 0:
            raise CannotReadBusy("too_many")
        return found


def _is_busy(event: Component) -> bool:
    return (
        event.text("STATUS").upper() != "CANCELLED"
        and event.text("TRANSP").upper() != "TRANSPARENT"
        and event.text("X-MICROSOFT-CDO-BUSYSTATUS").upper() != "FREE"
    )


def _length(start: When, end: LocalTime | None) -> timedelta:
    if start.is_day:
        # Some programs write a whole day that ends on the day it begins.
        return (end - start.local if end else _DAY) or _DAY
    return instant(end, start.zone) - instant(start.local, start.zone) if end else timedelta(0)


def _families(events: Iterator[Component]) -> list[_Family]:
    found: dict[object, _Family] = defaultdict(_Family)
    for event in events:
        family = found[event.text("UID") or event.line]
        (family.changes if event.first("RECURRENCE-ID") else family.masters).append(event)
    return list(found.values())


def _newest(masters: Collection[Component]) -> list[Component]:
    """Of several with one UID those of the newest version: two that begin at different times may be two."""
    newest = max((version_of(one)[0] for one in masters), default=0)
    kept: dict[str, Component] = {}
    for one in sorted(masters, key=version_of):
        start = one.first("DTSTART")
        if version_of(one)[0] == newest:
            kept[start.value if start else ""] = one
    return list(kept.values())


def _wall(entry: _Entry, when: When) -> LocalTime:
    return when.local if when.is_floating else at_site(when, entry.start.zone)


def _without(gone: Collection[When], starts: Mapping[LocalTime, Span], entry: _Entry) -> dict[LocalTime, Span]:
    """The instances that none of these times, or days, means."""
    days = {_wall(entry, when).date() for when in gone if when.is_day or entry.start.is_day}
    slots = {_wall(entry, when) for when in gone}
    return {slot: span for slot, span in starts.items() if slot not in slots and slot.date() not in days}
