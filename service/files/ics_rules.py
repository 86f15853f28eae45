"""RRULE: a weekly pattern where it is one, else a short list of dates, else a reason why not.

The arithmetic of a weekly pattern takes no loop, so that a rule of a thousand years costs no more than one of a
month; other rules are expanded by dateutil, within bounds.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import islice, takewhile

from dateutil.rrule import rrulestr
from icalendar.prop import vRecur

from service.domain.hours import WEEK, LocalTime, local_time, monday_of
from service.domain.phrase import Phrase, say
from service.files.book import LAST_YEAR, CannotTake

MOST_DATES = 200
"""Of one rule that is not weekly."""
MOST_ODD_RULES = 1000
"""Of one file: each may take dateutil a few milliseconds."""
MOST_ODD_DATES = 20_000
"""Of all such rules of one file."""
_WEEKLY_PARTS = {"FREQ", "INTERVAL", "BYDAY", "UNTIL", "COUNT", "WKST"}
_ODD_PARTS = _WEEKLY_PARTS | {"BYMONTH", "BYMONTHDAY", "BYSETPOS"}
_WITHIN_A_DAY = ("SECONDLY", "MINUTELY", "HOURLY")
_YEARS_AHEAD = {"DAILY": 5, "WEEKLY": 5, "MONTHLY": 20, "YEARLY": 30}
_BOUND = re.compile(r"(^|;)\s*(UNTIL|COUNT)=[^;]*", re.IGNORECASE)
_SAMPLES = 160
"""Slots at which two zones are compared: three years of a weekly hour."""
_ENDLESS = say("A rule that ends after the year {last} was read as open-ended.", last=str(LAST_YEAR))
_TICK = timedelta(microseconds=1)

Note = Callable[[Phrase], None]


@dataclass(frozen=True, kw_only=True)
class Weekly:
    """Slots at each of `first` and every so many weeks after it, up to and including `last`."""

    first: tuple[LocalTime, ...]
    """In order, all within the first cycle."""
    every_weeks: int
    last: LocalTime | None
    """None while open-ended."""

    @property
    def cycle(self) -> timedelta:
        return WEEK * self.every_weeks

    def has(self, slot: LocalTime) -> bool:
        if self.last is not None and slot > self.last:
            return False
        return any(slot >= first and not (slot - first) % self.cycle for first in self.first)

    def on(self, day: date) -> list[LocalTime]:
        """The slots on that day."""
        slots = (datetime.combine(day, first.time()) for first in self.first)
        return sorted({slot for slot in slots if self.has(slot)})

    def slots(self) -> Iterator[LocalTime]:
        """In order; without end where it is open-ended."""
        at = 0
        while True:
            slot = self.first[at % len(self.first)] + at // len(self.first) * self.cycle
            if self.last is not None and slot > self.last:
                return
            yield slot
            at += 1

    def before(self, at: LocalTime) -> "Weekly | None":
        """The slots before that one; None where there are none."""
        earlier = [first + (at - first - _TICK) // self.cycle * self.cycle for first in self.first if first < at]
        return replace(self, first=self._begun(at), last=max(earlier)) if earlier else None

    def _begun(self, at: LocalTime) -> tuple[LocalTime, ...]:
        return tuple(first for first in self.first if first < at)

    def by_parity(self) -> list["Weekly"]:
        """One pattern for each set of weeks, as a standing counts them from Monday: Sunday and Tuesday every other
        week may lie in alternating ones."""
        monday = monday_of(self.first[0].date())
        groups: dict[int, list[LocalTime]] = {}
        for first in self.first:
            weeks = (monday_of(first.date()) - monday).days // 7
            groups.setdefault(weeks % self.every_weeks, []).append(first)
        return [replace(self, first=tuple(firsts)) for firsts in groups.values()]

    def carried(self, there: Callable[[LocalTime], LocalTime]) -> "Weekly | None":
        """The same pattern on the wall of another zone; None where it is not one hour of the week there."""
        shifts: dict[LocalTime, timedelta] = {}
        for at, slot in enumerate(islice(self.slots(), _SAMPLES * len(self.first))):
            first = self.first[at % len(self.first)]
            if shifts.setdefault(first, there(slot) - slot) != there(slot) - slot:
                return None
        return replace(
            self,
            first=tuple(sorted(there(first) for first in self.first)),
            last=there(self.last) if self.last else None,
        )


@dataclass(frozen=True, kw_only=True)
class Dated:
    """A short list of dates."""

    starts: tuple[LocalTime, ...]

    def has(self, slot: LocalTime) -> bool:
        return slot in self.starts

    def on(self, day: date) -> list[LocalTime]:
        return [slot for slot in self.starts if slot.date() == day]


class Allowance:
    """How many rules that are not weekly one file may still have, and how many dates of them."""

    def __init__(self, *, rules: int = MOST_ODD_RULES, dates: int = MOST_ODD_DATES) -> None:
        self._most_rules = self._rules = rules
        self._most_dates = self._dates = dates

    def take_rule(self) -> None:
        self._rules -= 1
        if self._rules < 0:
            raise CannotTake(
                say("The file has more than {most} rules that are not weekly.", most=self._most_rules), where="RRULE"
            )

    def take_dates(self, dates: int) -> None:
        if dates > self._dates:
            raise CannotTake(
                say("The file has more than {most} dates of rules not weekly here.", most=self._most_dates),
                where="RRULE",
            )
        self._dates -= dates


def pattern(text: str, *, start: LocalTime, zone: str, allowance: Allowance, note: Note) -> Weekly | Dated:
    """What a rule means for an event that starts then.

    :raises CannotTake: it can't be read, never happens, or repeats in a way that is neither weekly nor short.
    """
    rule = read_rule(text)
    until = until_of(rule, zone, note)
    if (weekly := weekly_of(rule, start, until, note)) is not None:
        return weekly
    allowance.take_rule()
    dated = _dated(text, rule, start=start, until=until)
    allowance.take_dates(len(dated.starts))
    return dated


def weekly_of(rule: vRecur, start: LocalTime, until: LocalTime | None, note: Note) -> Weekly | None:
    """The rule as a weekly pattern; None where it is none. :raises CannotTake: it never happens."""
    if (plain := _as_weekly(rule, start)) is None:
        return None
    every_weeks, days = plain
    firsts = _firsts(start, every_weeks, days, _weekday(rule["WKST"][0]) if "WKST" in rule else 0)
    endless = Weekly(first=firsts, every_weeks=every_weeks, last=None)
    last = _last(endless, rule, until)
    if last is None and ("COUNT" in rule or until):
        note(_ENDLESS)
    return replace(endless, last=last)


def read_rule(text: str) -> vRecur:
    """:raises CannotTake: it can't be read."""
    try:
        rule: vRecur = vRecur.from_ical(text.strip())
    except (ValueError, TypeError) as unreadable:
        raise CannotTake(say("Its rule of repetition can't be read."), where="RRULE") from unreadable
    if "FREQ" not in rule:
        raise CannotTake(say("Its rule of repetition names no frequency."), where="RRULE")
    for part in ("INTERVAL", "COUNT"):
        if any(number < 1 for number in rule.get(part, [])):
            raise CannotTake(say("Its rule of repetition has an {part} below 1.", part=part), where="RRULE")
    return rule


def until_of(rule: vRecur, zone: str, note: Note) -> LocalTime | None:
    """The last moment a slot may start, on the wall of the event's zone."""
    until = next(iter(rule.get("UNTIL", [])), None)
    if until is None:
        return None
    if not isinstance(until, datetime):
        if not isinstance(until, date):
            raise CannotTake(say("Its rule of repetition ends at no date."), where="RRULE")
        note(say("A rule that ends on a date was read as including that day."))
        return datetime.combine(until, time.max)
    if until.year > LAST_YEAR:
        note(_ENDLESS)
        return None
    if until.tzinfo is not None:
        return local_time(until, zone)
    if zone != "UTC":
        note(say("A rule that ends at a time without a zone was read in its event's zone."))
    return until


def _as_weekly(rule: vRecur, start: LocalTime) -> tuple[int, list[int]] | None:
    """Every how many weeks, on which weekdays; None where the rule is no such thing."""
    parts = {part.upper() for part in rule if not _repeats_start(rule, part, start)}
    interval = int(rule.get("INTERVAL", [1])[0])
    by_day = rule.get("BYDAY", [])
    if not parts <= _WEEKLY_PARTS or any(_ordinal(day) for day in by_day):
        return None
    days = sorted({_weekday(day) for day in by_day}) or [start.weekday()]
    frequency = rule["FREQ"][0].upper()
    if frequency == "DAILY" and (interval == 1 and by_day):
        return 1, days
    if frequency == "DAILY" and not interval % 7 and not by_day:
        interval //= 7
    elif frequency != "WEEKLY":
        return None
    return (interval, days) if interval <= 52 else None


def _repeats_start(rule: vRecur, part: str, start: LocalTime) -> bool:
    """Some programs spell out the time that DTSTART has anyway."""
    same = {"BYHOUR": start.hour, "BYMINUTE": start.minute, "BYSECOND": start.second}
    return part.upper() in same and rule[part] == [same[part.upper()]]


def _weekday(day: str) -> int:
    return ("MO", "TU", "WE", "TH", "FR", "SA", "SU").index(str(day)[-2:].upper())


def _firsts(start: LocalTime, every_weeks: int, days: list[int], week_start: int) -> tuple[LocalTime, ...]:
    week = start - timedelta(days=(start.weekday() - week_start) % 7)
    in_first_week = (week + timedelta(days=(day - week_start) % 7) for day in days)
    return tuple(sorted(slot if slot >= start else slot + WEEK * every_weeks for slot in in_first_week))


def _last(endless: Weekly, rule: vRecur, until: LocalTime | None) -> LocalTime | None:
    try:
        last = _last_by_count(endless, int(rule["COUNT"][0])) if "COUNT" in rule else _last_by(endless, until)
    except OverflowError:
        last = None
    return None if last is not None and last.year > LAST_YEAR else last


def _last_by_count(endless: Weekly, count: int) -> LocalTime:
    cycles, at = divmod(count - 1, len(endless.first))
    return endless.first[at] + cycles * endless.cycle


def _last_by(endless: Weekly, until: LocalTime | None) -> LocalTime | None:
    if until is None:
        return None
    if until < endless.first[0]:
        raise CannotTake(say("Its rule of repetition ends before it begins, so it never takes place."), where="RRULE")
    return max(first + (until - first) // endless.cycle * endless.cycle for first in endless.first if first <= until)


def _dated(text: str, rule: vRecur, *, start: LocalTime, until: LocalTime | None) -> Dated:
    frequency = rule["FREQ"][0].upper()
    expect_sure(rule, start)
    count = int(rule["COUNT"][0]) if "COUNT" in rule else None
    if until is None and count is None:
        raise CannotTake(
            say("It repeats without end, and not weekly: a standing appointment is weekly."), where="RRULE"
        )
    horizon = _years_after(start, _YEARS_AHEAD[frequency])
    starts = expanded(text, start, min(until or horizon, horizon), min(count or MOST_DATES + 1, MOST_DATES + 1))
    if len(starts) > MOST_DATES:
        raise CannotTake(say("It repeats more than {most} times, and not weekly.", most=MOST_DATES), where="RRULE")
    if (until and until > horizon) or (count and len(starts) < count):
        raise CannotTake(say("It repeats over too many years, and not weekly."), where="RRULE")
    if not starts:
        raise CannotTake(say("Its rule of repetition names no date, so it never takes place."), where="RRULE")
    return Dated(starts=starts)


def expect_sure(rule: vRecur, start: LocalTime) -> None:
    """:raises CannotTake: it repeats within a day, or may never name a date: dateutil looks for the next date of one
    that names none (30 February) until the year 9999, whatever its UNTIL."""
    frequency = rule["FREQ"][0].upper()
    odd = {part.upper() for part in rule if not _repeats_start(rule, part, start)}
    if frequency in _WITHIN_A_DAY or odd & {"BYHOUR", "BYMINUTE", "BYSECOND"}:
        raise CannotTake(say("It repeats within a day."), where="RRULE")
    if not odd <= _ODD_PARTS or not _is_sure_to_come(rule, frequency, start):
        raise CannotTake(say("It repeats in a way that is too unusual to work through."), where="RRULE")


def _is_sure_to_come(rule: vRecur, frequency: str, start: LocalTime) -> bool:
    """Whether the rule surely names a date every few years."""
    days, month_days, months = rule.get("BYDAY", []), rule.get("BYMONTHDAY", []), rule.get("BYMONTH", [])
    is_every = int(rule.get("INTERVAL", [1])[0]) == 1
    if frequency in ("DAILY", "WEEKLY"):
        has_more = month_days or "BYSETPOS" in rule or any(_ordinal(day) for day in days)
        return not has_more and (is_every or not (days or months))
    if (months and frequency == "MONTHLY" and not is_every) or (days and month_days and not is_every):
        return False
    # Every so many months may always be the same ones: only the one that it starts in is sure to be among them.
    met = months or (range(1, 13) if is_every or frequency == "YEARLY" else [start.month])
    if month_days and not any(_has_day(int(month), abs(day), is_every) for month in met for day in month_days):
        return False
    return _are_there(days, months, month_days, frequency, is_every) and _are_sure_positions(rule)


def _has_day(month: int, day: int, is_every: bool) -> bool:
    return 1 <= month <= 12 and 1 <= day <= (29 if month == 2 and is_every else monthrange(2001, month)[1])


def _are_there(
    days: Sequence[str], months: Sequence[int], month_days: Sequence[int], frequency: str, is_every: bool
) -> bool:
    """Whether a month, or a year, surely has a weekday so many times: a fifth Monday in one of many, now and then."""
    ordinals = [one for day in days if (one := _ordinal(day))]
    # Of `TU,4MO` dateutil makes the Tuesdays that are a fourth Monday.
    if not all(1 <= int(month) <= 12 for month in months) or (ordinals and (month_days or len(ordinals) < len(days))):
        return False
    in_month = 5 if is_every and set(months) != {2} else 4
    most = 52 if frequency == "YEARLY" and not months else in_month
    return all(one <= most for one in ordinals)


def _ordinal(day: str) -> int:
    """Of `-2TU` it is 2, of `TU` 0."""
    return int(str(day)[:-2].lstrip("+-") or 0)


def _are_sure_positions(rule: vRecur) -> bool:
    """The first or the last of a set is always there; among plain weekdays so is the fourth."""
    positions = [abs(at) for at in rule.get("BYSETPOS", [])]
    is_plain = "BYMONTHDAY" not in rule and rule.get("BYDAY") and not any(_ordinal(day) for day in rule["BYDAY"])
    return all(1 <= at <= (4 if is_plain else 1) for at in positions)


def _years_after(start: LocalTime, years: int) -> LocalTime:
    return start + timedelta(days=366 * years)


def expanded(text: str, start: LocalTime, until: LocalTime, most: int) -> tuple[LocalTime, ...]:
    """The first so many dates of a rule up to `until`, whatever its own COUNT and UNTIL; both in one are an error.

    :raises CannotTake: it can't be read.
    """
    bounded = f"{_BOUND.sub('', text.strip()).strip(';')};UNTIL={until:%Y%m%dT%H%M%S}"
    try:
        rule = rrulestr(bounded, dtstart=start)
        return tuple(islice(takewhile(lambda slot: slot <= until, rule), most))
    except (ValueError, TypeError, OverflowError, IndexError, KeyError) as unreadable:
        raise CannotTake(say("Its rule of repetition can't be read."), where="RRULE") from unreadable
