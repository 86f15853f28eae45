"""A sentence before it is said: a template in English, and the values that go into it.

The house speaks several languages, and each reader has one. So nothing here is words yet: a `Phrase` travels from the
rule or the refusal to the page, the mail or the JSON, and is said there by the reader's `Speaker`. `str(phrase)` is
plain English. A phrase fits into JSON and comes back equal, for what is kept and shown later.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Protocol

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_A_MONDAY = datetime(2001, 1, 1)


class Speaker(Protocol):
    """One reader's language, and how numbers and times are written there."""

    tag: str
    """As the web names it: `de-AT`."""

    def __hash__(self) -> int: ...

    def translated(self, template: str) -> str: ...

    def translated_plural(self, one: str, many: str, n: int) -> str: ...

    def number(self, value: float, places: int) -> str: ...

    def day(self, of: date) -> str:
        """`17 Aug`"""

    def weekday(self, of: date) -> str:
        """`Mon 17 Aug`"""

    def full_day(self, of: date) -> str:
        """`Monday 17 August 2026`"""

    def year_day(self, of: date) -> str:
        """`17 Aug 2026`"""

    def month(self, of: date) -> str:
        """`Aug`"""

    def clock(self, at: time) -> str:
        """`15:00`"""

    def moment(self, at: datetime) -> str:
        """`Mon 17 Aug 15:00`"""

    def hour_of_week(self, minute: int) -> str:
        """`Tue 15:00`; minutes from Monday 00:00."""

    def span(self, since: date, last: date) -> str:
        """`17–28 Aug`; both days included."""

    def city(self, zone: str) -> str:
        """`Vienna`, for the clocks of `Europe/Vienna`."""

    def listed(self, said: Sequence[str]) -> str:
        """`one, two, three`"""


class Part(ABC):
    """What stands in a phrase, or is one; `str(…)` of it is plain English."""

    __slots__ = ()

    @abstractmethod
    def said(self, speaker: Speaker) -> str:
        """As that speaker writes it."""

    @abstractmethod
    def as_json(self) -> Any:
        """To be kept; `phrase_of` reads it back."""

    def __str__(self) -> str:
        return self.said(PLAIN)


Value = Part | str | int


@dataclass(frozen=True, slots=True)
class Phrase(Part):
    """A template with its values by name. `many` and `n` where the words depend on a count."""

    template: str
    values: tuple[tuple[str, Value], ...] = ()
    many: str | None = None
    n: int = 0

    def said(self, speaker: Speaker) -> str:
        """In the reader's language."""
        template = (
            speaker.translated(self.template)
            if self.many is None
            else speaker.translated_plural(self.template, self.many, self.n)
        )
        return template.format_map({name: _in(template, name, said(value, speaker)) for name, value in self.values})

    def as_json(self) -> Any:
        values = {name: _as_json(value) for name, value in self.values}
        plural = {} if self.many is None else {"many": self.many, "n": self.n}
        return {"say": self.template, **plural, **({"of": values} if values else {})}


def _in(template: str, name: str, text: str) -> str:
    """`6. Dez.` at the end of a sentence ends it, too: with one stop."""
    return text[:-1] if text.endswith(".") and f"{{{name}}}." in template else text


def say(template: str, /, **values: Value) -> Phrase:
    """A phrase. The template is a literal, for whoever gathers what is to be translated."""
    return Phrase(template, tuple(values.items()))


def says(one: str, many: str, /, n: "int | Number", **values: Value) -> Phrase:
    """A phrase whose words depend on the count `n`, which the templates name as `{n}`."""
    whole = n if isinstance(n, int) else 1 if number_in_english(n.value, n.places) == "1" else 2
    return Phrase(one, (("n", n), *values.items()), many=many, n=whole)


def said(value: "Value", speaker: Speaker) -> str:
    """The value as that speaker writes it; words that people typed stay as they are."""
    if isinstance(value, str):
        return value
    return speaker.number(value, 0) if isinstance(value, int) else value.said(speaker)


# --- what goes into phrases -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Number(Part):
    """`28`, `10.6`: half up, without a needless zero."""

    value: float
    places: int = 1

    def said(self, speaker: Speaker) -> str:
        return speaker.number(self.value, self.places)

    def as_json(self) -> Any:
        return {"number": [self.value, self.places]}


@dataclass(frozen=True, slots=True)
class Day(Part):
    """`17 Aug`"""

    of: date

    def said(self, speaker: Speaker) -> str:
        return speaker.day(self.of)

    def as_json(self) -> Any:
        return {"day": self.of.isoformat()}


@dataclass(frozen=True, slots=True)
class DayOfWeek(Part):
    """`Mon 17 Aug`"""

    of: date

    def said(self, speaker: Speaker) -> str:
        return speaker.weekday(self.of)

    def as_json(self) -> Any:
        return {"weekday": self.of.isoformat()}


@dataclass(frozen=True, slots=True)
class FullDay(Part):
    """`Monday 17 August 2026`"""

    of: date

    def said(self, speaker: Speaker) -> str:
        return speaker.full_day(self.of)

    def as_json(self) -> Any:
        return {"full_day": self.of.isoformat()}


@dataclass(frozen=True, slots=True)
class YearDay(Part):
    """`17 Aug 2026`"""

    of: date

    def said(self, speaker: Speaker) -> str:
        return speaker.year_day(self.of)

    def as_json(self) -> Any:
        return {"year_day": self.of.isoformat()}


@dataclass(frozen=True, slots=True)
class Month(Part):
    """`Aug`"""

    of: date

    def said(self, speaker: Speaker) -> str:
        return speaker.month(self.of)

    def as_json(self) -> Any:
        return {"month": self.of.isoformat()}


@dataclass(frozen=True, slots=True)
class Clock(Part):
    """`15:00`"""

    at: time

    def said(self, speaker: Speaker) -> str:
        return speaker.clock(self.at)

    def as_json(self) -> Any:
        return {"clock": self.at.isoformat()}


@dataclass(frozen=True, slots=True)
class Moment(Part):
    """`Mon 17 Aug 15:00`, local."""

    at: datetime

    def said(self, speaker: Speaker) -> str:
        return speaker.moment(self.at)

    def as_json(self) -> Any:
        return {"moment": self.at.isoformat()}


@dataclass(frozen=True, slots=True)
class HourOfWeek(Part):
    """`Tue 15:00`; minutes from Monday 00:00."""

    minute: int

    def said(self, speaker: Speaker) -> str:
        return speaker.hour_of_week(self.minute)

    def as_json(self) -> Any:
        return {"hour_of_week": self.minute}


@dataclass(frozen=True, slots=True)
class Span(Part):
    """`17–28 Aug`: whole days of a half-open span of local time, the last one included."""

    since: datetime
    until: datetime

    def said(self, speaker: Speaker) -> str:
        return speaker.span(self.since.date(), (self.until - timedelta(microseconds=1)).date())

    def as_json(self) -> Any:
        return {"span": [self.since.isoformat(), self.until.isoformat()]}


@dataclass(frozen=True, slots=True)
class City(Part):
    """`Vienna`: whose clocks are meant, by the name of their zone."""

    zone: str

    def said(self, speaker: Speaker) -> str:
        return speaker.city(self.zone)

    def as_json(self) -> Any:
        return {"city": self.zone}


@dataclass(frozen=True, slots=True)
class Listing(Part):
    """`one, two, three`"""

    parts: tuple[Value, ...]

    def said(self, speaker: Speaker) -> str:
        return speaker.listed([said(part, speaker) for part in self.parts])

    def as_json(self) -> Any:
        return {"list": [_as_json(part) for part in self.parts]}


@dataclass(frozen=True, slots=True)
class Sentences(Part):
    """Whole sentences, one after another."""

    parts: tuple[Value, ...]

    def said(self, speaker: Speaker) -> str:
        return " ".join(said(part, speaker) for part in self.parts)

    def as_json(self) -> Any:
        return {"sentences": [_as_json(part) for part in self.parts]}


def sentences(parts: Iterable[Value]) -> Sentences:
    """Each different sentence once, in order."""
    return Sentences(tuple(dict.fromkeys(parts)))


def listing(parts: Iterable[Value]) -> Listing:
    """Each different part once, in order."""
    return Listing(tuple(dict.fromkeys(parts)))


# --- to keep them ---------------------------------------------------------------------------------------------------


def phrase_of(kept: Any) -> Phrase:
    """The phrase out of its JSON. :raises KeyError, ValueError: it is none."""
    values = tuple((name, _value_of(value)) for name, value in kept.get("of", {}).items())
    return Phrase(kept["say"], values, many=kept.get("many"), n=kept.get("n", 0))


def _as_json(value: Value) -> Any:
    return value if isinstance(value, str | int) else value.as_json()


def _value_of(kept: Any) -> Value:
    if isinstance(kept, str | int):
        return kept
    if "say" in kept:
        return phrase_of(kept)
    ((kind, value),) = kept.items()
    return _PARTS[kind](value)


_PARTS: Mapping[str, Callable[[Any], Value]] = {
    "number": lambda kept: Number(*kept),
    "day": lambda kept: Day(date.fromisoformat(kept)),
    "weekday": lambda kept: DayOfWeek(date.fromisoformat(kept)),
    "full_day": lambda kept: FullDay(date.fromisoformat(kept)),
    "year_day": lambda kept: YearDay(date.fromisoformat(kept)),
    "month": lambda kept: Month(date.fromisoformat(kept)),
    "clock": lambda kept: Clock(time.fromisoformat(kept)),
    "moment": lambda kept: Moment(datetime.fromisoformat(kept)),
    "hour_of_week": HourOfWeek,
    "city": City,
    "span": lambda kept: Span(*map(datetime.fromisoformat, kept)),
    "list": lambda kept: Listing(tuple(map(_value_of, kept))),
    "sentences": lambda kept: Sentences(tuple(map(_value_of, kept))),
}


# --- plain English --------------------------------------------------------------------------------------------------


def number_in_english(value: float, places: int) -> str:
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return f"{rounded:,f}".rstrip("0").rstrip(".") if places else f"{rounded:,f}"


class PlainEnglish:
    """The language the templates are written in, and what files and programs get."""

    tag = "en-GB"

    def translated(self, template: str) -> str:
        return template

    def translated_plural(self, one: str, many: str, n: int) -> str:
        return one if n == 1 else many

    def number(self, value: float, places: int) -> str:
        return number_in_english(value, places)

    def day(self, of: date) -> str:
        return f"{of.day} {_MONTHS[of.month - 1]}"

    def weekday(self, of: date) -> str:
        return f"{_DAYS[of.weekday()]} {self.day(of)}"

    def full_day(self, of: date) -> str:
        return f"{of:%A} {of.day} {of:%B %Y}"

    def year_day(self, of: date) -> str:
        return f"{self.day(of)} {of.year}"

    def month(self, of: date) -> str:
        return _MONTHS[of.month - 1]

    def clock(self, at: time) -> str:
        return f"{at:%H:%M}"

    def moment(self, at: datetime) -> str:
        return f"{self.weekday(at)} {at:%H:%M}"

    def hour_of_week(self, minute: int) -> str:
        at = _A_MONDAY + timedelta(minutes=minute)
        return f"{_DAYS[at.weekday()]} {at:%H:%M}"

    def span(self, since: date, last: date) -> str:
        if since == last:
            return self.day(since)
        if (since.year, since.month) == (last.year, last.month):
            return f"{since.day}–{self.day(last)}"
        return f"{self.day(since)} – {self.day(last)}"

    def city(self, zone: str) -> str:
        return zone.rpartition("/")[2].replace("_", " ")

    def listed(self, said: Sequence[str]) -> str:
        return ", ".join(said)


PLAIN: Speaker = PlainEnglish()
