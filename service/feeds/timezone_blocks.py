"""VTIMEZONE: when a zone's clocks change, in the one form that every calendar program reads alike.

Each change of the clocks is an *onset*: the local time, as the clocks showed it before, from which another offset
holds. Onsets that recur by the zone's rule of today are one yearly RRULE of BYMONTH and a single BYDAY (`2SU`, `-1SU`);
all others stand alone. A list of RDATEs would be shorter, and puts Thunderbird and Radicale an hour off.

The rule is the zone's POSIX TZ footer (RFC 9636 §3.3) in the tzdata wheel, and single onsets come from `domain/hours`,
so that a feed says what our own arithmetic says. A rule that needs more than one BYDAY (in Santiago "the Sunday after
the first Saturday", in Gaza Ramadan) is written out, one onset a year, through `LAST_YEAR`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

from service.domain.hours import Instant, LocalTime, Steady, Weekday, steady_spans, zone

Observance = TimezoneStandard | TimezoneDaylight

LAST_YEAR = 2037
"""Onsets without a yearly rule are written out through this year; by then the law and the data have changed."""

_MONTH_RULE = r",M(\d+)\.(\d)\.(\d)(?:/([-+\d:]+))?"
_NAME = r"(?:<[^>]+>|[A-Za-z]+)"
_FOOTER = re.compile(rf"{_NAME}([-+\d:]+){_NAME}([-+\d:]+)?{_MONTH_RULE}{_MONTH_RULE}")
_SUNDAY_FIRST = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")
_MORE_THAN_ONE_SEASON = timedelta(days=330)


@dataclass(frozen=True, kw_only=True)
class Onset:
    """One change of the clocks."""

    at: Instant
    before: timedelta
    """The offset from UTC until then."""
    after: timedelta

    @property
    def local(self) -> LocalTime:
        """What the clocks showed at that instant, before they were changed."""
        return (self.at + self.before).replace(tzinfo=None)

    @property
    def is_forward(self) -> bool:
        return self.after > self.before


@dataclass(frozen=True, kw_only=True)
class YearlyRule:
    """The nth (5: the last) such weekday of a month, at a local time by the offset until then."""

    month: int
    nth: int
    weekday: Weekday
    at: timedelta
    before: timedelta
    after: timedelta

    def onset(self, year: int) -> Onset:
        local = datetime.combine(self._day(year), datetime.min.time()) + self.at
        return Onset(at=(local - self.before).replace(tzinfo=UTC), before=self.before, after=self.after)

    @property
    def has_one_byday(self) -> bool:
        """False where the time of day lies outside the day that the rule names."""
        return timedelta(0) <= self.at < timedelta(days=1)

    @property
    def byday(self) -> str:
        return f"{-1 if self.nth == 5 else self.nth}{self.weekday.name}"

    def _day(self, year: int) -> date:
        if self.nth == 5:
            next_month = date(year + self.month // 12, self.month % 12 + 1, 1)
            last = next_month - timedelta(days=1)
            return last - timedelta(days=(last.weekday() - self.weekday) % 7)
        first = date(year, self.month, 1)
        return first + timedelta(days=(self.weekday - first.weekday()) % 7, weeks=self.nth - 1)


@lru_cache(maxsize=1024)
def block(zone_name: str, since_year: int) -> bytes:
    """The zone's VTIMEZONE, for events from the first day of that year on.

    :raises UnknownZone: no such zone.
    """
    timezone = Timezone()
    timezone.add("TZID", zone_name)
    for part in _parts(zone_name, since_year - 1):
        timezone.add_component(part)
    body: bytes = timezone.to_ical()
    return body


@lru_cache(maxsize=1024)
def onsets(zone_name: str, since_year: int) -> tuple[Onset, ...]:
    """Every change of the clocks from the first day of that year through `LAST_YEAR`, in order."""
    spans = [span for year in range(since_year, LAST_YEAR + 1) for span in steady_spans(zone_name, year)]
    return tuple(_onset_between(one, next_) for one, next_ in pairwise(spans) if one.offset != next_.offset)


@cache
def rules(zone_name: str) -> tuple[YearlyRule, ...]:
    """The two yearly rules of the zone's footer, or none where its clocks no longer change."""
    return tuple(_rules(_footer(zone_name)))


def _onset_between(one: Steady, next_: Steady) -> Onset:
    # A skipped time belongs to the span before, a repeated one too: so the border is the later reading of the two.
    at = (one.until - max(one.offset, next_.offset)).replace(tzinfo=UTC)
    return Onset(at=at, before=one.offset, after=next_.offset)


def _parts(zone_name: str, since_year: int) -> Iterator[Observance]:
    all_onsets = onsets(zone_name, since_year)
    recurring = rules(zone_name)
    year_of_rule = _first_year_by_rule(all_onsets, recurring, since_year)
    single = [onset for onset in all_onsets if onset.local.year < year_of_rule]
    first = datetime(since_year, 1, 1)
    if not any(onset.local.year == since_year for onset in all_onsets):
        yield _as_it_was(zone_name, first)
    for number, onset in enumerate(single):
        yield _part(onset, zone_name, is_daylight=_is_one_season(single[number:], all_onsets))
    if year_of_rule <= LAST_YEAR:
        for onset, rule in sorted(
            ((rule.onset(year_of_rule), rule) for rule in recurring), key=lambda pair: pair[0].at
        ):
            part = _part(onset, zone_name, is_daylight=onset.is_forward)
            part.add("RRULE", {"FREQ": "YEARLY", "BYMONTH": rule.month, "BYDAY": rule.byday})
            yield part


def _first_year_by_rule(all_onsets: tuple[Onset, ...], recurring: tuple[YearlyRule, ...], since_year: int) -> int:
    """The year from which the rules alone say when the clocks change; one after the last where they never do."""
    year = LAST_YEAR + 1
    if not recurring or not all(rule.has_one_byday for rule in recurring):
        return year
    while year > since_year:
        by_rule = {rule.onset(year - 1) for rule in recurring}
        if by_rule != {onset for onset in all_onsets if onset.local.year == year - 1}:
            break
        year -= 1
    return year


def _is_one_season(rest: list[Onset], all_onsets: tuple[Onset, ...]) -> bool:
    """True where the clocks go forward and come back within the year: else a country changed its standard time."""
    onset = rest[0]
    later = next((each for each in all_onsets if each.at > onset.at), None)
    return onset.is_forward and later is not None and later.at - onset.at < _MORE_THAN_ONE_SEASON


def _as_it_was(zone_name: str, local: LocalTime) -> Observance:
    """The offset that held before the first onset: without it, programs guess."""
    offset = steady_spans(zone_name, local.year)[0].offset
    return _filled(TimezoneStandard(), local, offset, offset, _name_at(zone_name, (local - offset).replace(tzinfo=UTC)))


def _part(onset: Onset, zone_name: str, *, is_daylight: bool) -> Observance:
    # By the offset alone: in Dublin and Casablanca the law calls winter the exception, and programs that take
    # DAYLIGHT for "one hour more" would go wrong.
    part = TimezoneDaylight() if is_daylight else TimezoneStandard()
    return _filled(part, onset.local, onset.before, onset.after, _name_at(zone_name, onset.at))


def _filled(part: Observance, local: LocalTime, before: timedelta, after: timedelta, name: str) -> Observance:
    part.add("DTSTART", local)
    part.add("TZOFFSETFROM", before)
    part.add("TZOFFSETTO", after)
    part.add("TZNAME", name)
    return part


def _name_at(zone_name: str, at: Instant) -> str:
    return at.astimezone(zone(zone_name)).tzname() or zone_name


def _footer(zone_name: str) -> str:
    zone(zone_name)  # says so where there is no such zone, before a path is made of its name
    data = files("tzdata.zoneinfo").joinpath(*zone_name.split("/")).read_bytes()
    return data.rsplit(b"\n", 2)[1].decode("ascii")


def _rules(footer: str) -> Iterator[YearlyRule]:
    read = _FOOTER.fullmatch(footer)
    if read is None:
        return
    standard = -_length(read[1])
    saving = -_length(read[2]) if read[2] else standard + timedelta(hours=1)
    for first_group, before, after in ((3, standard, saving), (7, saving, standard)):
        month, nth, weekday, at = read.group(*range(first_group, first_group + 4))
        yield YearlyRule(
            month=int(month),
            nth=int(nth),
            weekday=Weekday[_SUNDAY_FIRST[int(weekday)]],
            at=_length(at or "2"),
            before=before,
            after=after,
        )


def _length(text: str) -> timedelta:
    """`hh[:mm[:ss]]` with a sign, as a footer writes both offsets and times of day."""
    hours, minutes, seconds = (*(int(part) for part in text.lstrip("+-").split(":")), 0, 0)[:3]
    length = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return -length if text.startswith("-") else length
