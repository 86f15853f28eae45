"""Entries to bytes: iCalendar in the one shape that every calendar program reads alike.

A standing is one recurring event per time of day. Its exceptions are EXDATEs (a slot that does not take place) and
overrides (a slot that takes place otherwise), never both for one slot. Three kinds of hours leave the series, as an
EXDATE and an event of their own, because programs read them differently inside it:

- moved to the day of a neighbouring slot of the series or past it: Outlook can't hold such an exception
  (MS-OXOCAL 2.2.1.44);
- beginning or ending at a wall time that the clocks skip or show twice;
- lasting through a change of the clocks. The last two are written in UTC.

Nothing here reads a clock or a database: the same entries are the same bytes.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, timedelta

from icalendar import Alarm, Calendar, Event

from service.domain.feed import (
    FeedAlarm,
    FeedCalendar,
    FeedEntry,
    FeedEvent,
    FeedHeader,
    FeedLeave,
    FeedOverride,
    FeedPiece,
    FeedStanding,
    uid_of_slot,
)
from service.domain.hours import LocalTime, Span, instant, span_of
from service.domain.privacy import cancelled
from service.feeds.plain_text import lines, one_line
from service.feeds.series import Series, at_changes_of_the_clocks, is_plain, series_of, that_it_can_hold
from service.feeds.timezone_blocks import block

__all__ = [
    "FeedCalendar",
    "FeedEntry",
    "FeedEvent",
    "FeedHeader",
    "FeedLeave",
    "FeedOverride",
    "FeedPiece",
    "FeedStanding",
    "join",
    "render",
    "render_piece",
    "single",
    "uid_of_slot",
]

PRODUCT = "-//samehour//feed//EN"
REFRESH = timedelta(hours=1)
_END = b"END:VCALENDAR\r\n"
_COLOR = re.compile(r"[a-z]+")


def render(calendar: FeedCalendar) -> bytes:
    """The whole calendar, from nothing."""
    return join(calendar.header, [render_piece(entry) for entry in calendar.entries])


def join(header: FeedHeader, pieces: Iterable[FeedPiece]) -> bytes:
    """The whole calendar out of pieces that were rendered before. Their order does not matter."""
    in_order = sorted(pieces, key=lambda piece: (piece.since, piece.body))
    years = {header.zone: header.since.year}
    for piece in in_order:
        years[piece.zone] = min(piece.since.year, years.get(piece.zone, piece.since.year))
    zones = [block(name, year) for name, year in sorted(years.items())]
    return b"".join([_head(header), *zones, *(piece.body for piece in in_order), _END])


def render_piece(entry: FeedEntry) -> FeedPiece:
    """One entry's events. An entry that has none (a standing whose slots are all lost) is an empty piece."""
    events = list(_events(entry))
    body = b"".join(event.to_ical() for event in events)
    return FeedPiece(zone=_zone_of(entry), since=_first_day(entry), events=len(events), body=body)


def _head(header: FeedHeader) -> bytes:
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", PRODUCT)
    calendar.add("CALSCALE", "GREGORIAN")
    name = one_line(header.name)
    if name:
        calendar.add("NAME", name)
        calendar.add("X-WR-CALNAME", name)
    if _COLOR.fullmatch(header.color):
        calendar.add("COLOR", header.color)
    # With the VALUE and in this form: Home Assistant refuses every other.
    calendar.add("REFRESH-INTERVAL", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("X-PUBLISHED-TTL", "PT1H")
    head: bytes = calendar.to_ical()
    return head.removesuffix(_END)


def _events(entry: FeedEntry) -> Iterator[Event]:
    match entry:
        case FeedStanding():
            yield from _standing(entry)
        case FeedEvent():
            yield _single(entry)
        case FeedLeave():
            yield _leave(entry)


def _zone_of(entry: FeedEntry) -> str:
    return entry.standing.zone if isinstance(entry, FeedStanding) else entry.zone


def _first_day(entry: FeedEntry) -> date:
    match entry:
        case FeedStanding():
            return min([entry.standing.since, *(override.starts.date() for override in entry.overrides)])
        case FeedEvent():
            return entry.starts.date()
        case FeedLeave():
            return entry.since.date()


# --- a standing -------------------------------------------------------------------------------------------------------


def _standing(entry: FeedStanding) -> Iterator[Event]:
    overrides = {override.slot: _not_older_than(entry, override) for override in entry.overrides}
    for series in series_of(entry):
        lost = set(filter(series.expects, entry.lost))
        of_this = {slot: overrides.pop(slot) for slot in list(overrides) if series.expects(slot)}
        yield from _recurring(entry, series, lost, of_this)
    # Left over: slots that the pattern does not expect. A RECURRENCE-ID that names no instance is dropped by three.
    for _, override in sorted(overrides.items()):
        yield _alone(entry, override)


def _not_older_than(entry: FeedStanding, override: FeedOverride) -> FeedOverride:
    # A series and its overrides are one object to a CalDAV server; one older than its series may be ignored. And an
    # hour that stood alone as the pattern had it must not go back to a lower number when it is moved.
    return replace(
        override,
        changed_at=max(override.changed_at, entry.changed_at),
        sequence=max(override.sequence, entry.sequence),
        alarm=entry.alarm,
    )


def _recurring(
    entry: FeedStanding, series: Series, lost: set[LocalTime], overrides: dict[LocalTime, FeedOverride]
) -> Iterator[Event]:
    held = that_it_can_hold(series, overrides)
    alone = {slot: _as_expected(entry, slot) for slot in at_changes_of_the_clocks(series) if slot not in lost}
    alone |= {slot: override for slot, override in overrides.items() if slot not in held}
    gone = lost | alone.keys()
    if series.first is not None and series.has_more_than(gone):
        yield _master(entry, series, series.first, gone)
        for slot, override in held.items():
            yield _override(series, slot, override)
    for _, override in sorted(alone.items()):
        yield _alone(entry, override)


def _master(entry: FeedStanding, series: Series, first: LocalTime, gone: set[LocalTime]) -> Event:
    event = _event(series.uid, entry)
    _add_times(event, first, first + timedelta(minutes=series.standing.minutes), series.standing.zone)
    event.add("RRULE", _rule(series))
    for slot in sorted(slot for slot in gone if series.reaches(slot)):
        _add_time(event, "EXDATE", slot, series.standing.zone)
    return event


def _rule(series: Series) -> dict[str, object]:
    rule: dict[str, object] = {"FREQ": "WEEKLY"}
    if series.last is not None:
        # The last start itself, in UTC. A local time or a date loses the last hour in up to seven programs.
        rule["UNTIL"] = instant(series.last, series.standing.zone)
    if series.standing.every_weeks > 1:
        rule["INTERVAL"] = series.standing.every_weeks
    rule["BYDAY"] = [day.name for day in series.days]
    return rule


def _override(series: Series, slot: LocalTime, override: FeedOverride) -> Event:
    event = _event(series.uid, override)
    _add_time(event, "RECURRENCE-ID", slot, series.standing.zone)
    _add_session(event, override.starts, override.minutes, series.standing.zone)
    return event


def _alone(entry: FeedStanding, override: FeedOverride) -> Event:
    event = _event(uid_of_slot(entry.uid, override.slot), override)
    _add_session(event, override.starts, override.minutes, entry.standing.zone)
    return event


def _as_expected(entry: FeedStanding, slot: LocalTime) -> FeedOverride:
    return FeedOverride(
        slot=slot,
        starts=slot,
        minutes=entry.standing.minutes,
        summary=entry.summary,
        location=entry.location,
        description=entry.description,
        changed_at=entry.changed_at,
        sequence=entry.sequence,
        alarm=entry.alarm,
    )


# --- single events ----------------------------------------------------------------------------------------------------


def single(entry: FeedEvent, summary: str) -> Event:
    """The event of one hour, called as given."""
    status = "CANCELLED" if entry.is_cancelled else "CONFIRMED"
    event = _event(entry.uid, replace(entry, summary=summary), status=status)
    _add_session(event, entry.starts, entry.minutes, entry.zone)
    return event


def _single(entry: FeedEvent) -> Event:
    return single(entry, (entry.cancelled_as or cancelled(entry.summary)) if entry.is_cancelled else entry.summary)


def _leave(entry: FeedLeave) -> Event:
    event = _event(entry.uid, entry)
    if entry.is_whole_days:
        event.add("DTSTART", entry.since.date())
        event.add("DTEND", entry.until.date())
    elif is_plain(entry.since, entry.until, entry.zone):
        _add_times(event, entry.since, entry.until, entry.zone)
    else:
        _add_span(event, Span(since=instant(entry.since, entry.zone), until=instant(entry.until, entry.zone)))
    return event


def _event(uid: str, entry: FeedEntry | FeedOverride, *, status: str = "CONFIRMED") -> Event:
    event = Event()
    event.add("UID", uid)
    event.add("DTSTAMP", entry.changed_at)
    event.add("LAST-MODIFIED", entry.changed_at)
    event.add("SEQUENCE", entry.sequence)
    event.add("STATUS", status)
    event.add("TRANSP", "TRANSPARENT" if status == "CANCELLED" else "OPAQUE")
    texts = {
        "SUMMARY": one_line(entry.summary),
        "LOCATION": one_line(entry.location),
        "DESCRIPTION": lines(entry.description),
    }
    for name, text in texts.items():
        if text:
            event.add(name, text)
    if not isinstance(entry, FeedLeave) and entry.alarm is not None:
        event.add_component(_alarm(entry.alarm))
    return event


def _alarm(alarm: FeedAlarm) -> Alarm:
    component = Alarm()
    component.add("ACTION", "DISPLAY")
    component.add("DESCRIPTION", one_line(alarm.text))
    component.add("TRIGGER", -timedelta(minutes=alarm.minutes))
    return component


# --- times ------------------------------------------------------------------------------------------------------------


def _add_session(event: Event, starts: LocalTime, minutes: int, zone_name: str) -> None:
    ends = starts + timedelta(minutes=minutes)
    if is_plain(starts, ends, zone_name):
        _add_times(event, starts, ends, zone_name)
    else:
        _add_span(event, span_of(starts, minutes, zone_name))


def _add_span(event: Event, span: Span) -> None:
    event.add("DTSTART", span.since)
    event.add("DTEND", span.until)


def _add_times(event: Event, starts: LocalTime, ends: LocalTime, zone_name: str) -> None:
    _add_time(event, "DTSTART", starts, zone_name)
    _add_time(event, "DTEND", ends, zone_name)


def _add_time(event: Event, name: str, local: LocalTime, zone_name: str) -> None:
    if zone_name == "UTC":  # has a form of its own, which icalendar uses for some properties and not for others
        event.add(name, local.replace(tzinfo=UTC))
    else:
        event.add(name, local, parameters={"TZID": zone_name})
