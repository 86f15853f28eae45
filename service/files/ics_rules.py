"""RRULE: a weekly pattern where it is one, else a short list of dates, else a reason why not.

The arithmetic of a weekly pattern takes no loop, so that a rule of a thousand years costs no more than one of a
month; other rules are expanded by dateutil, within bounds.
"""

import re
from collections.abc import Callable, Iterator
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

    def __init__(self) -> None:
        self._rules = MOST_ODD_RULES
        self._dates = MOST_ODD_DATES

    def take_rule(self) -> None:
        self._rules -= 1
        if self._rules < 0:
            raise CannotTake(
                say("The file has more than {most} rules that are not weekly.", most=MOST_ODD_RULES), where="RRULE"
            )

    def take_dates(self, dates: int) -> None:
        if dates > self._dates:
            raise CannotTake(
                say("The file has more than {most} dates of rules not weekly here.", most=MOST_ODD_DATES), where="RRULE"
            )
        self._dates -= dates


def pattern(text: str, *, start: LocalTime, zone: str, allowance: Allowance, note: Note) -> Weekly | Dated:
    """What a rule means for an event that starts then.

    :raises CannotTake: it can't be read, never happens, or repeats in a way that is neither weekly nor short.
    """
    rule = _read(text)
    until = _until(rule, zone, note)
    if (plain := _as_weekly(rule, start)) is None:
        allowance.take_rule()
        dated = _dated(text, rule, start=start, until=until)
        allowance.take_dates(len(dated.starts))
        return dated
    every_weeks, days = plain
    firsts = _firsts(start, every_weeks, days, _weekday(rule["WKST"][0]) if "WKST" in rule else 0)
    endless = Weekly(first=firsts, every_weeks=every_weeks, last=None)
    last = _last(endless, rule, until)
    if last is None and ("COUNT" in rule or until):
        note(_ENDLESS)
    return replace(endless, last=last)


def _read(text: str) -> vRecur:
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


def _until(rule: vRecur, zone: str, note: Note) -> LocalTime | None:
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
    if not parts <= _WEEKLY_PARTS or any(day.relative for day in by_day):
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
    if frequency in _WITHIN_A_DAY or any(part in rule for part in ("BYHOUR", "BYMINUTE", "BYSECOND")):
        raise CannotTake(say("It repeats within a day."), where="RRULE")
    if not _is_sure_to_come(rule, frequency):
        raise CannotTake(say("It repeats in a way that is too unusual to work through."), where="RRULE")
    count = int(rule["COUNT"][0]) if "COUNT" in rule else None
    if until is None and count is None:
        raise CannotTake(
            say("It repeats without end, and not weekly: a standing appointment is weekly."), where="RRULE"
        )
    horizon = _years_after(start, _YEARS_AHEAD[frequency])
    starts = _expanded(text, start, min(until or horizon, horizon), min(count or MOST_DATES + 1, MOST_DATES + 1))
    if len(starts) > MOST_DATES:
        raise CannotTake(say("It repeats more than {most} times, and not weekly.", most=MOST_DATES), where="RRULE")
    if (until and until > horizon) or (count and len(starts) < count):
        raise CannotTake(say("It repeats over too many years, and not weekly."), where="RRULE")
    if not starts:
        raise CannotTake(say("Its rule of repetition names no date, so it never takes place."), where="RRULE")
    return Dated(starts=starts)


def _is_sure_to_come(rule: vRecur, frequency: str) -> bool:
    """Whether the rule surely names a date every few years.

    dateutil looks for the next date of one that names none (30 February) until the year 9999, whatever its UNTIL.
    """
    days, month_days = rule.get("BYDAY", []), rule.get("BYMONTHDAY", [])
    by_month, by_position = "BYMONTH" in rule, "BYSETPOS" in rule
    is_every = int(rule.get("INTERVAL", [1])[0]) == 1
    ordinals = [abs(day.relative) for day in days if day.relative]
    if not {part.upper() for part in rule} <= _ODD_PARTS or (days and month_days):
        return False
    if frequency in ("DAILY", "WEEKLY"):
        return not (ordinals or month_days or by_position) and (is_every or not (days or by_month))
    if (by_month and frequency == "MONTHLY" and not is_every) or any(abs(at) != 1 for at in rule.get("BYSETPOS", [])):
        return False
    return all(1 <= abs(day) <= 28 for day in month_days) and all(one <= 4 for one in ordinals)


def _years_after(start: LocalTime, years: int) -> LocalTime:
    return start + timedelta(days=366 * years)


def _expanded(text: str, start: LocalTime, until: LocalTime, most: int) -> tuple[LocalTime, ...]:
    """COUNT goes out: it and UNTIL in one rule are an error."""
    bounded = f"{_BOUND.sub('', text.strip()).strip(';')};UNTIL={until:%Y%m%dT%H%M%S}"
    try:
        rule = rrulestr(bounded, dtstart=start)
        return tuple(islice(takewhile(lambda slot: slot <= until, rule), most))
    except (ValueError, TypeError, OverflowError, IndexError, KeyError) as unreadable:
        raise CannotTake(say("Its rule of repetition can't be read."), where="RRULE") from unreadable
