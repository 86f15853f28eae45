"""What values look like in JSON. Whatever passes here fits the columns and the calendar; the rest is answered 422."""

import unicodedata
from datetime import UTC, date, datetime, time
from typing import Any, TypeVar

from marshmallow import ValidationError, fields, validate

from service.domain.hours import Instant, LocalTime, Weekday
from service.language.reader import tell

YEARS = range(1900, 2201)
"""Outside of it nobody has an appointment, and the arithmetic of zones runs out of calendar."""
MANY = 500
"""The most entries that a list in a request may have."""
When = TypeVar("When", date, datetime)
OnTheMinute = TypeVar("OnTheMinute", time, datetime)
_CONTROL = frozenset({"Cc", "Cs"})


class Text(fields.String):
    """A line or a few lines of text: bounded, without control characters other than line breaks and tabs.

    A zero byte would break PostgreSQL, half a surrogate pair every encoder.
    """

    def __init__(self, *, longest: int, shortest: int = 0, **more: Any) -> None:
        super().__init__(validate=validate.Length(min=shortest or None, max=longest), **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **more)
        if any(unicodedata.category(letter) in _CONTROL and letter not in "\n\r\t" for letter in text):
            raise ValidationError("It holds characters that can't be shown.")
        return text


class Words(fields.String):
    """A sentence for a person, in the language of whoever asks."""

    def _serialize(self, value: Any, *_where: Any, **_more: Any) -> str | None:
        return None if value is None else tell(value)


class Id(fields.UUID):
    """A public id; random, so that nobody can count or guess."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> str:  # type: ignore[override]
        return str(super()._deserialize(value, attr, data, **more))


class Day(fields.Date):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> date:
        return _sane(super()._deserialize(value, attr, data, **more))


class Local(fields.NaiveDateTime):
    """A local time, the time on the wall: no offset, whole minutes (`exact=True`: seconds too)."""

    def __init__(self, *, exact: bool = False, **more: Any) -> None:
        super().__init__(**more)
        self.exact = exact

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> LocalTime:
        local = _sane(super()._deserialize(value, attr, data, **more))
        if not self.exact:
            _whole_minutes(local)
        return local

    def _serialize(self, value: LocalTime | None, *_where: Any, **_more: Any) -> str | None:
        if value is None:
            return None
        return value.isoformat(timespec="seconds" if value.second else "minutes")


class At(fields.AwareDateTime):
    """An instant, with its offset; given back in UTC."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Instant:
        return _sane(super()._deserialize(value, attr, data, **more)).astimezone(UTC)

    def _serialize(self, value: Instant | None, *_where: Any, **_more: Any) -> str | None:
        return None if value is None else value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


class Clock(fields.Time):
    """A time of day on the wall, whole minutes."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> time:
        found: time = super()._deserialize(value, attr, data, **more)
        if found.tzinfo is not None:
            raise ValidationError("A time of day has no offset: it is the time on the clinic's wall.")
        return _whole_minutes(found)

    def _serialize(self, value: time | None, *_where: Any, **_more: Any) -> str | None:
        return None if value is None else value.isoformat(timespec="minutes")


def one_of(choices: Any, **more: Any) -> fields.Enum[Any]:
    """One of the values of an enumeration, as a person writes it (`front_desk`); weekdays as iCalendar does (`TU`)."""
    return fields.Enum(choices, by_value=choices is not Weekday and fields.String, **more)


def many(item: Any, *, most: int = MANY, fewest: int = 0, **more: Any) -> fields.List[Any]:
    return fields.List(item, validate=validate.Length(min=fewest or None, max=most), **more)


def count(lowest: int, highest: int, **more: Any) -> fields.Integer:
    return fields.Integer(strict=True, validate=validate.Range(min=lowest, max=highest), **more)


def _sane(value: When) -> When:
    if value.year not in YEARS:
        raise ValidationError(f"Its year lies between {YEARS[0]} and {YEARS[-1]}.")
    return value


def _whole_minutes(value: OnTheMinute) -> OnTheMinute:
    if value.second or value.microsecond:
        raise ValidationError("It is a whole minute.")
    return value
