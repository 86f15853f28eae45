"""libical 3, the C library, called directly: no package for Python or Node has it.

`python -m tests.feeds.engines.libical` is silent where it is there, and ends with 1 where not.
"""

import ctypes
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any

from tests.feeds.engines import UTC_FORM, Listing, Window
from tests.servers import CannotRunHere

NAMES = ("libical.so.3", "libical.3.dylib", "/opt/homebrew/lib/libical.3.dylib", "/usr/local/lib/libical.3.dylib")
_ANY_COMPONENT, _VEVENT, _ANY_PROPERTY = 1, 4, 0
"""Of icalenums.h; the same throughout version 3."""


class CannotRead(Exception):
    """To libical it is no calendar."""


class _Time(ctypes.Structure):
    """`struct icaltimetype` of version 3."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("year", "month", "day", "hour", "minute", "second")),
        ("is_date", ctypes.c_int),
        ("is_daylight", ctypes.c_int),
        ("zone", ctypes.c_void_p),
    )


class _Span(ctypes.Structure):
    """`struct icaltime_span`, in UTC."""

    _fields_ = (("start", ctypes.c_long), ("end", ctypes.c_long), ("is_busy", ctypes.c_int))


_EachTime = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(_Span), ctypes.c_void_p)
_TAKES: dict[str, tuple[Any, list[Any]]] = {
    "icalparser_parse_string": (ctypes.c_void_p, [ctypes.c_char_p]),
    "icalcomponent_free": (None, [ctypes.c_void_p]),
    "icalcomponent_count_errors": (ctypes.c_int, [ctypes.c_void_p]),
    "icalcomponent_isa": (ctypes.c_int, [ctypes.c_void_p]),
    "icalcomponent_kind_to_string": (ctypes.c_char_p, [ctypes.c_int]),
    "icalcomponent_get_first_component": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int]),
    "icalcomponent_get_next_component": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int]),
    "icalcomponent_get_first_property": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int]),
    "icalcomponent_get_next_property": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int]),
    "icalproperty_get_property_name": (ctypes.c_char_p, [ctypes.c_void_p]),
    "icalproperty_get_value_as_string": (ctypes.c_char_p, [ctypes.c_void_p]),
    "icalcomponent_get_uid": (ctypes.c_char_p, [ctypes.c_void_p]),
    "icalcomponent_get_summary": (ctypes.c_char_p, [ctypes.c_void_p]),
    "icalcomponent_get_dtstart": (_Time, [ctypes.c_void_p]),
    "icalcomponent_get_dtend": (_Time, [ctypes.c_void_p]),
    "icalproperty_get_datetime_with_component": (_Time, [ctypes.c_void_p, ctypes.c_void_p]),
    "icaltime_from_string": (_Time, [ctypes.c_char_p]),
    "icaltime_as_timet_with_zone": (ctypes.c_long, [_Time, ctypes.c_void_p]),
    "icalcomponent_foreach_recurrence": (None, [ctypes.c_void_p, _Time, _Time, _EachTime, ctypes.c_void_p]),
    "icalerror_set_errors_are_fatal": (None, [ctypes.c_int]),
}


@cache
def library() -> ctypes.CDLL:
    """:raises CannotRunHere: it is not on this machine."""
    for name in NAMES:
        try:
            found = ctypes.CDLL(name)
        except OSError:
            continue
        for function, (gives, takes) in _TAKES.items():
            getattr(found, function).restype, getattr(found, function).argtypes = gives, takes
        found.icalerror_set_errors_are_fatal(0)
        return found
    raise CannotRunHere("libical 3 is not there; as root `make test` installs Debian's libical3")


def listed(feeds: Mapping[str, bytes], window: Window) -> dict[str, Listing]:
    return {name: _listed(body, window) for name, body in feeds.items()}


def properties(body: bytes) -> list[tuple[str, str, str]]:
    """Every property as component, name and value as it would be written, in order; zones aside.

    What could not be read is there as X-LIC-ERROR; ("", "fault", "") alone, where nothing could.
    """
    try:
        with _parsed(body) as calendar:
            return list(_properties(calendar))
    except CannotRead:
        return [("", "fault", "")]


def _properties(component: int) -> Iterator[tuple[str, str, str]]:
    lib = library()
    kind = lib.icalcomponent_kind_to_string(lib.icalcomponent_isa(component)).decode()
    if kind == "VTIMEZONE":
        return
    for each in _each(component, "property", _ANY_PROPERTY):
        value = lib.icalproperty_get_value_as_string(each) or b""
        yield kind, _name(each).decode(errors="replace"), value.decode(errors="replace")
    for inner in list(_each(component, "component", _ANY_COMPONENT)):
        yield from _properties(inner)


def _listed(body: bytes, window: Window) -> Listing:
    """A series less the slots that an exception of the same UID names, and the exceptions: as Evolution does it."""
    lib = library()
    with _parsed(body) as calendar:
        events = list(_each(calendar, "component", _VEVENT))
        assert lib.icalcomponent_count_errors(calendar) == 0
        instead = {(lib.icalcomponent_get_uid(event), _slot(event)) for event in events if _slot(event) is not None}
        found: Listing = []
        for event in events:
            if _is_cancelled(event):
                continue
            uid, summary = lib.icalcomponent_get_uid(event), (lib.icalcomponent_get_summary(event) or b"").decode()
            is_series = _slot(event) is None
            found += [
                (begins, ends, summary)
                for at, begins, ends in _times(event, window)
                if not (is_series and (uid, at) in instead)
            ]
    return window.of(found)


def _times(event: int, window: Window) -> list[tuple[int, str, str]]:
    """When it takes place: seconds since 1970, beginning and end as written."""
    lib = library()
    begins, ends = lib.icalcomponent_get_dtstart(event), lib.icalcomponent_get_dtend(event)
    if begins.is_date:
        return [(0, _day(begins), _day(ends))]
    found: list[tuple[int, str, str]] = []

    def note(_event: int, span: Any, _data: int) -> None:
        of = span.contents
        found.append((of.start, _instant(of.start), _instant(of.end)))

    from_, to = (lib.icaltime_from_string(f"{at:%Y%m%dT%H%M%SZ}".encode()) for at in (window.since, window.until))
    lib.icalcomponent_foreach_recurrence(event, from_, to, _EachTime(note), None)
    return found


def _slot(event: int) -> int | None:
    """What its RECURRENCE-ID names, in seconds since 1970. The library's own shorthand for it forgets the zone."""
    lib, found = library(), _property(event, b"RECURRENCE-ID")
    if found is None:
        return None
    at = lib.icalproperty_get_datetime_with_component(found, event)
    seconds: int = lib.icaltime_as_timet_with_zone(at, at.zone)
    return seconds


def _is_cancelled(event: int) -> bool:
    found = _property(event, b"STATUS")
    return found is not None and library().icalproperty_get_value_as_string(found) == b"CANCELLED"


def _property(event: int, name: bytes) -> int | None:
    return next((it for it in _each(event, "property", _ANY_PROPERTY) if _name(it) == name), None)


def _name(property_: int) -> bytes:
    name: bytes = library().icalproperty_get_property_name(property_) or b""
    return name


def _day(time: _Time) -> str:
    return f"{time.year:04}-{time.month:02}-{time.day:02}"


def _instant(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):{UTC_FORM}}"


def _each(component: int, what: str, kind: int) -> Iterator[int]:
    lib = library()
    first, following = (getattr(lib, f"icalcomponent_get_{which}_{what}") for which in ("first", "next"))
    found = first(component, kind)
    while found:
        yield found
        found = following(component, kind)


@contextmanager
def _parsed(body: bytes) -> Iterator[int]:
    lib = library()
    calendar = lib.icalparser_parse_string(body)
    if not calendar:
        raise CannotRead
    try:
        yield calendar
    finally:
        lib.icalcomponent_free(calendar)


if __name__ == "__main__":
    try:
        library()
    except CannotRunHere:
        sys.exit(1)
