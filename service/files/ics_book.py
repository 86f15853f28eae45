"""An appointment calendar, as Google Calendar, Outlook, Apple and others export it.

A weekly rule becomes a standing with its exceptions; a short rule of another kind becomes single appointments. What
is not clear stays out with its line and reason, and every choice made in reading is noted. The client is what the
event is called, the room its location, the therapist who is named for the whole file, else the event's organiser,
else the calendar's name.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from service.domain.book import Book, BookAbsence, BookEntry, BookSeries
from service.domain.hours import zone as checked_zone
from service.domain.phrase import say
from service.files.book import MOST_ENTRIES, CannotRead, CannotTake, Findings, checked_size
from service.files.ics_events import Change, Event, Reader
from service.files.ics_series import Builder, families
from service.files.ics_text import Component, components
from service.files.ics_times import Times
from service.files.ics_zones import Zones

_Keyed = TypeVar("_Keyed", BookAbsence, BookEntry, BookSeries)
_OTHERS = {
    "VTODO": say("A task is no appointment and was passed over."),
    "VJOURNAL": say("A journal entry is no appointment and was passed over."),
    "VFREEBUSY": say("A list of busy times is no appointment and was passed over."),
}


@dataclass(frozen=True, kw_only=True)
class _Sorted:
    masters: list[Event] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    absences: list[BookAbsence] = field(default_factory=list)


def parse(
    data: bytes,
    *,
    default_zone: str,
    therapist: str | None = None,
    minutes: int | None = None,
    zones: Mapping[str, str] | None = None,
    leave_out: Collection[str] = (),
) -> Book:
    """All that the calendar holds, on the wall of `default_zone`, which is the site's.

    :param therapist: whose calendar it is, where the file does not say it or says it wrongly.
    :param minutes: how long an event without an end lasts; without it, such an event stays out.
    :param zones: IANA names for names of zones that only this file knows.
    :param leave_out: what is called so is no appointment (`Lunch`), in any case of letters.
    :raises CannotRead: not a calendar, damaged, or too large.
    :raises UnknownZone: `default_zone`, or one in `zones`, is none.
    """
    for name in (default_zone, *(zones or {}).values()):
        checked_zone(name)
    findings = Findings()
    calendars = components(checked_size(data), findings)
    reader = Reader(
        times=Times(
            zones=Zones(calendars, site_zone=default_zone, given=zones or {}, findings=findings),
            findings=findings,
            site_zone=default_zone,
        ),
        findings=findings,
        site_zone=default_zone,
        therapist=therapist,
        minutes=minutes,
        left_out=frozenset(name.casefold() for name in leave_out),
    )
    return _built(_read(calendars, reader, findings), default_zone, findings)


def _read(calendars: Collection[Component], reader: Reader, findings: Findings) -> _Sorted:
    found = _Sorted()
    if not any(True for calendar in calendars for _ in calendar.walk("VEVENT")):
        findings.note(1, say("The calendar holds no events."))
    for calendar in calendars:
        events = list(calendar.walk("VEVENT"))
        if len(events) > MOST_ENTRIES:
            raise CannotRead(
                say("The calendar has more than {most} events. Please export a shorter span.", most=MOST_ENTRIES)
            )
        for event in events:
            _sort(event, calendar.text("X-WR-CALNAME"), reader, findings, found)
        for kind, what in _OTHERS.items():
            for other in calendar.walk(kind):
                findings.note(other.line, what)
    return found


def _sort(event: Component, calendar_name: str, reader: Reader, findings: Findings, found: _Sorted) -> None:
    try:
        if not event.is_whole:
            raise CannotTake(say("The file breaks off inside it."), where="END")
        if (absence := reader.absence(event, calendar_name)) is not None:
            found.absences.append(absence)
        elif event.first("RECURRENCE-ID"):
            found.changes.append(reader.change(event, calendar_name))
        else:
            found.masters.append(reader.event(event, calendar_name))
    except CannotTake as refusal:
        findings.reject(event.line, refusal)


def _built(found: _Sorted, site_zone: str, findings: Findings) -> Book:
    builder = Builder(site_zone=site_zone, findings=findings)
    series: list[BookSeries] = []
    singles: list[BookEntry] = []
    for family in families(found.masters, found.changes, findings):
        some_series, some_singles = builder.build(family)
        series += some_series
        singles += some_singles
    return Book(
        series=_once(series, findings),
        singles=_once(singles, findings),
        absences=_once(found.absences, findings),
        rejected=findings.rejected,
        noted=findings.noted,
    )


def _once(parts: Iterable[_Keyed], findings: Findings) -> tuple[_Keyed, ...]:
    """In order of the file; of two with one key, which no second reading could tell apart, the first."""
    kept: dict[str, _Keyed] = {}
    for part in sorted(parts, key=lambda one: one.line):
        if kept.setdefault(part.key, part) is not part:
            findings.note(part.line, say("The same date of the same event was in the file twice and was taken once."))
    return tuple(kept.values())
