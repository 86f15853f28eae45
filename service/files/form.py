"""The shapes of JSON values: one table both reads a file and describes it as a JSON Schema.

Every refusal names the path of the value (`appointments[3].starts`). Keys that are not in the table are refused, so
that a slip of the pen is never silently left out.
"""

import enum
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Generic, TypeVar

from service.domain.hours import LocalTime
from service.domain.phrase import Number, Phrase, listing, say
from service.domain.refusals import Malformed

T = TypeVar("T")
E = TypeVar("E", bound=enum.Enum)

FIRST_YEAR, LAST_YEAR = 1900, 2200
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_CLOCK = re.compile(r"\d\d:\d\d", re.ASCII)
_MOST_CHARACTERS = 500
_A_TIME = say("It is a local time such as 2026-03-10T10:00, without an offset.")
_A_DAY = say("It is a day such as 2026-03-10, without an offset.")
_A_CLOCK = say("It is a time of the day such as 10:00, without an offset.")


class CannotRead(Malformed):
    """The file is not of the form that it must have."""


@dataclass(frozen=True)
class Shape(Generic[T]):
    """How to read a value that stands at a path, and what JSON Schema says of it."""

    read: Callable[[object, str], T]
    schema: Mapping[str, object]


@dataclass(frozen=True)
class Key:
    """One key of a record; without `default` it must be there."""

    name: str
    shape: Shape[Any]
    default: object = ...

    @property
    def is_required(self) -> bool:
        return self.default is ...


def loads(data: bytes | str) -> object:
    """:raises CannotRead: not JSON, not UTF-8, nested too deep, or a key twice in one object."""
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        return json.loads(text, object_pairs_hook=_once, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise CannotRead(say("The file is not UTF-8 text.")) from error
    except (ValueError, RecursionError) as error:
        raise CannotRead(say("The file is not JSON: {error}.", error=str(error))) from error


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise CannotRead(say("The key {key} is there twice in one object.", key=repr(twice)), where=twice)
    return found


def _refuse_constant(name: str) -> object:
    raise CannotRead(say("{name} is not a number that JSON knows.", name=name))


def at(where: str, key: str | int) -> str:
    """The path one step further in."""
    if isinstance(key, int):
        return f"{where}[{key}]"
    return f"{where}.{key}" if where else key


def text(*, longest: int = _MOST_CHARACTERS) -> Shape[str]:
    def read(value: object, where: str) -> str:
        if not isinstance(value, str) or not value or len(value) > longest:
            raise CannotRead(say("It is a text of 1 to {longest} characters.", longest=longest), where=where)
        return value

    return Shape(read, {"type": "string", "minLength": 1, "maxLength": longest})


def whole(low: int, high: int) -> Shape[int]:
    def read(value: object, where: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise CannotRead(say("It is a whole number from {low} to {high}.", low=low, high=high), where=where)
        return value

    return Shape(read, {"type": "integer", "minimum": low, "maximum": high})


def number(low: float, high: float) -> Shape[float]:
    def read(value: object, where: str) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or not low <= value <= high:  # type: ignore[arg-type, operator]
            raise CannotRead(
                say("It is a number from {low} to {high}.", low=Number(low, 6), high=Number(high, 6)), where=where
            )
        return value  # type: ignore[return-value]

    return Shape(read, {"type": "number", "minimum": low, "maximum": high})


def flag() -> Shape[bool]:
    def read(value: object, where: str) -> bool:
        if not isinstance(value, bool):
            raise CannotRead(say("It is true or false."), where=where)
        return value

    return Shape(read, {"type": "boolean"})


def choice(kind: type[E]) -> Shape[E]:
    values = [member.value for member in kind]

    def read(value: object, where: str) -> E:
        if not isinstance(value, str) or value not in values:
            raise CannotRead(say("It is one of {choices}.", choices=listing(values)), where=where)
        return kind(value)

    return Shape(read, {"enum": values})


def moment() -> Shape[LocalTime]:
    def read(value: object, where: str) -> LocalTime:
        return _time_of(value, where, _MOMENT, datetime.fromisoformat, _A_TIME)

    return Shape(read, {"type": "string", "pattern": f"^{_MOMENT.pattern}$"})


def day() -> Shape[date]:
    def read(value: object, where: str) -> date:
        return _time_of(value, where, _DAY, date.fromisoformat, _A_DAY)

    return Shape(read, {"type": "string", "pattern": f"^{_DAY.pattern}$"})


def clock() -> Shape[time]:
    def read(value: object, where: str) -> time:
        return _time_of(value, where, _CLOCK, time.fromisoformat, _A_CLOCK)

    return Shape(read, {"type": "string", "pattern": f"^{_CLOCK.pattern}$"})


def _time_of(value: object, where: str, form: re.Pattern[str], parse: Callable[[str], T], form_is: Phrase) -> T:
    if not isinstance(value, str) or not form.fullmatch(value):
        raise CannotRead(form_is, where=where)
    try:
        found = parse(value)
    except ValueError as error:
        raise CannotRead(say("There is no such time: {value}.", value=value), where=where) from error
    if isinstance(found, date) and not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise CannotRead(
            say("It is a year from {first} to {last}.", first=str(FIRST_YEAR), last=str(LAST_YEAR)), where=where
        )
    return found


def nullable(shape: Shape[T]) -> Shape[T | None]:
    def read(value: object, where: str) -> T | None:
        return None if value is None else shape.read(value, where)

    return Shape(read, {"anyOf": [shape.schema, {"type": "null"}]})


def array(shape: Shape[T], *, fewest: int = 0) -> Shape[tuple[T, ...]]:
    def read(value: object, where: str) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise CannotRead(say("It is a list."), where=where)
        if len(value) < fewest:
            raise CannotRead(say("It has at least {fewest}.", fewest=fewest), where=where)
        return tuple(shape.read(one, at(where, place)) for place, one in enumerate(value))

    limits = {"minItems": fewest} if fewest else {}
    return Shape(read, {"type": "array", "items": shape.schema, **limits})


def by_name(shape: Shape[T], *, names: Sequence[str]) -> Shape[dict[str, T]]:
    """An object whose keys are some of the names, all with values of one shape."""

    def read(value: object, where: str) -> dict[str, T]:
        found = _object(value, where)
        for name in found:
            if name not in names:
                raise CannotRead(say("There is no {name} here.", name=repr(name)), where=at(where, name))
        return {name: shape.read(one, at(where, name)) for name, one in found.items()}

    return Shape(read, {"type": "object", "propertyNames": {"enum": list(names)}, "additionalProperties": shape.schema})


def record(*keys: Key, build: Callable[[dict[str, Any], str], T]) -> Shape[T]:
    """An object with exactly these keys; `build` makes the value, and the refusals it raises get their path."""
    known = {key.name for key in keys}

    def read(value: object, where: str) -> T:
        found = _object(value, where)
        for name in found:
            if name not in known:
                raise CannotRead(say("The key {key} is not known.", key=repr(name)), where=at(where, name))
        values: dict[str, Any] = {}
        for key in keys:
            if key.name in found:
                values[key.name] = key.shape.read(found[key.name], at(where, key.name))
            elif key.is_required:
                raise CannotRead(say("The key {key} is missing.", key=repr(key.name)), where=at(where, key.name))
            else:
                values[key.name] = key.default
        return build(values, where)

    schema: dict[str, object] = {
        "type": "object",
        "additionalProperties": False,
        "required": [key.name for key in keys if key.is_required],
        "properties": {key.name: key.shape.schema for key in keys},
    }
    return Shape(read, schema)


def _object(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise CannotRead(say("It is an object."), where=where or None)
    return value
