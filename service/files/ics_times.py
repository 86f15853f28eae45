"""When something is: the times of one file with their zones, and what an event says of its own.

What an event is about is no business of this module: an appointment and a stranger's busy hour are read alike.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import TypeVar

from icalendar.prop import vDate, vDatetime, vDuration

from service.domain.hours import LocalTime, instant, local_time
from service.domain.phrase import say
from service.files.book import FIRST_YEAR, CannotTake, Findings, checked_start
from service.files.ics_text import Component, Line
from service.files.ics_zones import Zones

_Read = TypeVar("_Read")
_UTC = frozenset(
    prefix + name for name in ("UTC", "UCT", "GMT", "GMT0", "Greenwich", "Universal", "Zulu") for prefix in ("", "Etc/")
)
"""What UTC is called, too."""


@dataclass(frozen=True, kw_only=True)
class When:
    """A time on the wall of a zone; with `is_day`, midnight stands for the whole day."""

    local: LocalTime
    zone: str
    is_day: bool = False
    is_floating: bool = False
    """The file names no zone, so `zone` is what it was read in."""


@dataclass(frozen=True, kw_only=True)
class Extra:
    """An RDATE."""

    start: When
    until: LocalTime | None
    """On the wall of the start's zone. None: as long as the event."""


@dataclass(frozen=True, kw_only=True)
class Times:
    """Reads the times of one file."""

    zones: Zones
    findings: Findings
    site_zone: str
    first_year: int = FIRST_YEAR

    def start(self, event: Component) -> When:
        """:raises CannotTake: it has none that can be read."""
        line = event.first("DTSTART")
        if line is None:
            raise CannotTake(say("It has no start."), where="DTSTART")
        return self.at(line)

    def end(self, event: Component, start: When) -> LocalTime | None:
        """On the wall of the start's zone; None where the event says neither its end nor its length.

        :raises CannotTake: it can't be read.
        """
        if line := event.first("DTEND"):
            end = self.at(line, otherwise=start.zone)
            if end.is_day != start.is_day or (start.is_floating and not end.is_floating):
                raise CannotTake(say("Its start and its end are not of the same kind."), where="DTEND")
            return at_site(end, start.zone)
        if line := event.first("DURATION"):
            return _plus(start, line)
        return None

    def further(self, line: Line, start: When) -> Extra:
        """:raises CannotTake: it can't be read."""
        begins, _, ends = line.value.partition("/")
        when = self.at(replace(line, value=begins), otherwise=start.zone)
        if not ends:
            return Extra(start=when, until=None)
        if ends.lstrip("+-").upper().startswith("P"):
            return Extra(start=when, until=_plus(when, replace(line, value=ends)))
        until = at_site(self.at(replace(line, value=ends), otherwise=when.zone), when.zone)
        return Extra(start=when, until=until)

    def listed(self, event: Component, name: str, read: Callable[[Line], _Read]) -> Iterator[_Read]:
        """Each date of a list that can be read; the others are rejected one by one, and the series stays."""
        for line in event.all(name):
            for value in filter(None, line.value.split(",")):
                try:
                    yield read(replace(line, value=value))
                except CannotTake as refusal:
                    self.findings.reject(
                        line.number, CannotTake(say("One date of a list: {why}", why=refusal.message), where=name)
                    )

    def excluded(self, event: Component, start: When) -> tuple[When, ...]:
        """Its EXDATEs."""
        return tuple(self.listed(event, "EXDATE", lambda line: self.at(line, otherwise=start.zone)))

    def at(self, line: Line, otherwise: str | None = None) -> When:
        """The time a line names; `otherwise` is the zone it is read in where it names none.

        :raises CannotTake: it can't be read, or its zone is not known.
        """
        value, tzid = _value_and_zone(line)
        local, is_utc, is_day = _parsed(value, line.name)
        checked_start(local, where=line.name, first_year=self.first_year)
        if is_day:
            return When(local=local, zone=otherwise or self.site_zone, is_day=True)
        if tzid:
            zone = self.zones.named(tzid, line.number, local)
            if is_utc and zone not in _UTC:
                raise CannotTake(say("It gives a time in UTC and names another time zone."), where=line.name)
            return When(local=local, zone=zone)
        if is_utc:
            return When(local=local, zone="UTC")
        if otherwise is None:
            self.findings.note(
                line.number, say("A time without a time zone was read in the site's, {zone}.", zone=self.site_zone)
            )
        return When(local=local, zone=otherwise or self.site_zone, is_floating=True)


def at_site(when: When, zone: str) -> LocalTime:
    """The same moment on the wall of another zone; a whole day stays the day it is."""
    if when.zone == zone or when.is_day:
        return when.local
    return local_time(instant(when.local, when.zone), zone)


def version_of(event: Component) -> tuple[int, str]:
    """SEQUENCE and time of the last change: of two with one UID, the greater is the newer."""
    sequence = event.text("SEQUENCE")
    number = int(sequence) if sequence.isascii() and sequence.isdigit() and len(sequence) < 10 else 0
    return number, (event.text("LAST-MODIFIED") or event.text("DTSTAMP"))[:20]


def _value_and_zone(line: Line) -> tuple[str, str]:
    """A date holds no colon, so what stands before the last one is the rest of an unquoted zone: `(UTC+01:00) Rome`."""
    rest, colon, value = line.value.strip().rpartition(":")
    tzid = line.params.get("TZID", "")
    return value.upper(), (f"{tzid}:{rest}" if colon else tzid).strip()


def _parsed(value: str, name: str) -> tuple[LocalTime, bool, bool]:
    """Local time, whether it is in UTC, whether it is a whole day."""
    try:
        if len(value) == 8:
            return datetime.combine(vDate.from_ical(value), time()), False, True
        moment = vDatetime.from_ical(value)
    except (ValueError, TypeError, OverflowError) as unreadable:
        raise CannotTake(say("Its {name} is no date and time that can be read.", name=name), where=name) from unreadable
    return moment.replace(tzinfo=None), moment.tzinfo is not None, False


def _plus(start: When, line: Line) -> LocalTime:
    try:
        length: timedelta = vDuration.from_ical(line.value.strip().upper())
        return start.local + length if start.is_day else _after(start, length)
    except (ValueError, TypeError, OverflowError) as unreadable:
        raise CannotTake(say("Its length can't be read."), where="DURATION") from unreadable


def _after(start: When, length: timedelta) -> LocalTime:
    return local_time(instant(start.local, start.zone) + length, start.zone)
