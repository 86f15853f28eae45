"""A feed is read back before it is stored: one bad line, and Google ignores the whole of it without a word."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from icalendar import Calendar, Component

from service.domain.feed import FeedHeader, FeedPiece
from service.domain.phrase import say
from service.domain.refusals import Unavailable
from service.feeds.ics import join

LONGEST_LINE = 75
"""Octets, without the line end (RFC 5545 §3.1)."""
_KNOWN = frozenset({"VCALENDAR", "VTIMEZONE", "STANDARD", "DAYLIGHT", "VEVENT", "VALARM"})
_OF_AN_ALARM = frozenset({"ACTION", "DESCRIPTION", "TRIGGER"})
_NEEDED = ("UID", "DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "DTSTART", "DTEND")
_NEVER = frozenset({"METHOD", "ORGANIZER", "ATTENDEE", "RDATE", "EXRULE", "DURATION"})


class CannotPublish(Unavailable):
    """The feed as written would not be read as it is meant. The one before it stays in place."""

    title = say("The calendar can't be published at the moment")


def verify(body: bytes, *, events: int) -> None:
    """Read the feed as a calendar program would, and look for everything that one of them is known to trip over.

    :param events: how many VEVENTs went into it.
    :raises CannotPublish: it is not a calendar of that many events, in the one shape that all read alike.
    """
    trouble = next(_trouble(body, events), None)
    if trouble is not None:
        raise CannotPublish(say("The calendar was written wrongly and is not published: {trouble}.", trouble=trouble))


def verify_piece(header: FeedHeader, piece: FeedPiece) -> None:
    """Read one piece back, in a calendar of its own: all that is new where the others were read back before.

    :raises CannotPublish: it would not be read as it is meant.
    """
    verify(join(header, [piece]), events=piece.events)


def _trouble(body: bytes, events: int) -> Iterator[str]:
    yield from _trouble_in_lines(body)
    try:
        calendar = Calendar.from_ical(body)
    except (ValueError, KeyError, IndexError) as refusal:
        yield f"it can't be read back ({type(refusal).__name__})"
        return
    components = calendar.walk()
    found = [component for component in components if component.name == "VEVENT"]
    if len(found) != events:
        yield f"{events} events went in and {len(found)} came out"
    yield from _trouble_in_structure(components)
    yield from _trouble_in_events(found)
    yield from _trouble_in_zones(components)


def _trouble_in_lines(body: bytes) -> Iterator[str]:
    if not (body.startswith(b"BEGIN:VCALENDAR\r\n") and body.endswith(b"\r\nEND:VCALENDAR\r\n")):
        yield "it does not begin and end as a calendar"
    # The lines are never quoted here: they may name a client, and this is read in logs.
    for number, line in enumerate(body.removesuffix(b"\r\n").split(b"\r\n"), start=1):
        if not line or len(line) > LONGEST_LINE:
            yield f"line {number} is {len(line)} octets long"
        if any(octet < 0x20 or octet == 0x7F for octet in line):
            yield f"line {number} holds a control character"
        try:
            line.decode()
        except UnicodeDecodeError:
            yield f"line {number} is folded inside a character"


def _trouble_in_structure(components: list[Component]) -> Iterator[str]:
    for component in components:
        if component.name not in _KNOWN:
            yield "it holds a component of an unknown kind"
        if component.errors:
            yield f"a property of a {component.name} can't be read"
        if not _NEVER.isdisjoint(component.keys()):
            yield f"a {component.name} has a property that programs read differently"
        if component.name == "VALARM" and component.keys() != _OF_AN_ALARM:
            yield "an alarm says more or less than that an hour is coming up"


def _trouble_in_events(events: list[Component]) -> Iterator[str]:
    masters = {str(event["UID"]): event for event in events if "UID" in event and "RECURRENCE-ID" not in event}
    seen = Counter((str(event.get("UID")), _written(event, "RECURRENCE-ID")) for event in events)
    if max(seen.values(), default=0) > 1:
        yield "one event is in it twice"
    for event in events:
        if any(name not in event or isinstance(event[name], list) for name in _NEEDED):
            yield "an event lacks a property, or has it twice"
        elif "RECURRENCE-ID" in event:
            yield from _trouble_in_override(event, masters.get(str(event["UID"])))


def _trouble_in_override(override: Component, master: Component | None) -> Iterator[str]:
    if master is None or "RRULE" not in master:
        yield "an override has no series"
    elif _written(override, "RECURRENCE-ID") in _excluded(master):
        yield "a slot is both excluded and overridden"


def _trouble_in_zones(components: list[Component]) -> Iterator[str]:
    described = Counter(str(component.get("TZID")) for component in components if component.name == "VTIMEZONE")
    if not described or max(described.values()) > 1:
        yield "a zone is described twice, or none at all"
    values = (value for component in components for _, value in component.property_items(recursive=False))
    used = {params["TZID"] for params in (getattr(value, "params", {}) for value in values) if "TZID" in params}
    if not used <= described.keys():
        yield "a zone is used and not described"


def _written(event: Component, name: str) -> str:
    return _as_text(event[name]) if name in event else ""


def _excluded(master: Component) -> set[str]:
    dates = master.get("EXDATE", [])
    return {_as_text(line) for line in (dates if isinstance(dates, list) else [dates])}


def _as_text(value: Any) -> str:
    return str(value.to_ical(), "utf-8")
