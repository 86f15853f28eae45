"""What people type into forms, read as values. Each function names the field that is not as it should be."""

import enum
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import TypeVar

from flask import request

from service.domain.hours import LocalTime
from service.domain.refusals import Malformed

E = TypeVar("E", bound=enum.Enum)


class CannotRead(Malformed):
    """A field is empty or holds something else than it asks for."""

    title = "Something is missing or not readable"


def text(field: str, label: str, *, given: Mapping[str, str] | None = None) -> str:
    """What stands in the field, without space around it. :raises CannotRead: nothing does."""
    found = maybe(field, given=given)
    if found is None:
        raise CannotRead(f"{label} is missing.", where=field)
    return found


def maybe(field: str, *, given: Mapping[str, str] | None = None) -> str | None:
    """What stands in the field, or None where it is empty or not there."""
    return ((request.form if given is None else given).get(field) or "").strip() or None


def choice(kind: type[E], field: str, label: str) -> E:
    """One of the enum's values. :raises CannotRead: none of them."""
    try:
        return kind(text(field, label))
    except ValueError:
        raise CannotRead(f"{label}: please choose one that is offered.", where=field) from None


def day(field: str, label: str) -> date:
    """:raises CannotRead: not a date."""
    return _day(text(field, label), field, label)


def maybe_day(field: str, label: str) -> date | None:
    """:raises CannotRead: something stands there, and it is no date."""
    found = maybe(field)
    return _day(found, field, label) if found else None


def clock(field: str, label: str) -> time:
    """A time of day. :raises CannotRead: not one."""
    found = text(field, label)
    try:
        return time.fromisoformat(found).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        raise CannotRead(f"{label} is not a time of day, as in 09:30.", where=field) from None


def local(field: str, label: str) -> LocalTime:
    """A local date and time. :raises CannotRead: not one, or one with an offset."""
    found = text(field, label)
    try:
        value = datetime.fromisoformat(found)
    except ValueError:
        raise CannotRead(f"{label} is not a date and time.", where=field) from None
    if value.tzinfo is not None:
        raise CannotRead(f"{label} is a time on the clinic's clock, without an offset.", where=field)
    return value.replace(second=0, microsecond=0)


def number(field: str, label: str, *, least: int, most: int) -> int:
    """A whole number in the range, both ends included. :raises CannotRead: not one."""
    found = text(field, label)
    if not found.isascii() or not found.isdigit() or not least <= int(found[:9]) <= most:
        raise CannotRead(f"{label} is a whole number from {least} to {most}.", where=field)
    return int(found)


def maybe_number(field: str, label: str, *, least: int, most: int) -> int | None:
    """:raises CannotRead: something stands there, and it is no such number."""
    return number(field, label, least=least, most=most) if maybe(field) else None


def ticked(field: str) -> bool:
    """True where the box is ticked."""
    return bool(request.form.get(field))


def day_asked(field: str, default: date) -> date:
    """A date in the address; the default where there is none that can be read."""
    try:
        return date.fromisoformat(request.args.get(field, ""))
    except ValueError:
        return default


def _day(found: str, field: str, label: str) -> date:
    try:
        return date.fromisoformat(found)
    except ValueError:
        raise CannotRead(f"{label} is not a date.", where=field) from None
