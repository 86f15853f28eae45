"""What a form's fields hold: each reader gives a value or says which field is wrong."""

from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import TypeVar

from flask import request

from service.domain.phrase import say
from service.domain.refusals import Malformed

Choice = TypeVar("Choice", bound=StrEnum)


def text(name: str) -> str:
    """The field as typed, without blanks at its edges; empty where there is none."""
    return request.form.get(name, "").strip()


def is_ticked(name: str) -> bool:
    return request.form.get(name) == "yes"


def day(name: str) -> date:
    """:raises Malformed: not a date of this century or the next."""
    return as_day(text(name), name)


def as_day(value: str, name: str) -> date:
    """What stands in the field of that name, as a date. :raises Malformed: not one of this century or the next."""
    try:
        found = date.fromisoformat(value)
    except ValueError:
        raise Malformed(say("That is not a date."), where=name) from None
    if not 1900 <= found.year <= 2200:
        raise Malformed(say("That date is too far away."), where=name)
    return found


def clock(name: str) -> time:
    """:raises Malformed: not a time of day in hours and minutes."""
    return as_clock(text(name), name)


def as_clock(value: str, name: str) -> time:
    """What stands in the field of that name. :raises Malformed: not a time of day in hours and minutes."""
    try:
        found = time.fromisoformat(value)
    except ValueError:
        raise Malformed(say("“{typed}” is not a time of day.", typed=value[:40]), where=name) from None
    if found.tzinfo is not None:
        raise Malformed(say("A time of day has no offset."), where=name)
    return found.replace(second=0, microsecond=0)


def instant(name: str) -> datetime:
    """:raises Malformed: not a date and time with its offset from UTC."""
    try:
        found = datetime.fromisoformat(text(name))
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Malformed(say("“{typed}” is not a date and time with its offset.", typed=text(name)[:40]), where=name)


def number(name: str) -> int:
    """:raises Malformed: not a whole number of up to six digits."""
    return as_number(text(name), name)


def as_number(value: str, name: str) -> int:
    """What stands in the field of that name. :raises Malformed: not a whole number of up to six digits."""
    if not (value.isascii() and value.isdecimal()) or len(value) > 6:
        raise Malformed(say("That is not a number."), where=name)
    return int(value)


def day_asked(name: str, default: date) -> date:
    """A date in the address; the default where there is none that can be read."""
    try:
        return as_day(request.args.get(name, ""), name)
    except Malformed:
        return default


def version() -> int | None:
    """The version of the record that the form was made from; None where the form does not say."""
    return number("version") if text("version") else None


def one_of(kind: type[Choice], name: str) -> Choice:
    """:raises Malformed: none of the choices."""
    return chosen(kind, text(name), name)


def chosen(kind: type[Choice], value: str, name: str) -> Choice:
    """:raises Malformed: none of the choices."""
    try:
        return kind(value)
    except ValueError:
        raise Malformed(say("“{typed}” is none of the choices.", typed=value[:40]), where=name) from None
