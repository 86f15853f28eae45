"""The slots of a standing that one recurring event can say, and those that it can't.

A *series* is a standing at one time of day: an RRULE knows a single one. Its slots are *plain* where every calendar
program reads them alike: beginning and end are wall times that occur once, with the clocks the same at both.

Where the clocks skip a slot, the series ends and another goes on after it: libical, which Evolution reads with, shows a
skipped slot although it is excluded, and the one after it at a wrong time.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import groupby

from service.domain.feed import FeedOverride, FeedStanding, uid_of_slot
from service.domain.hours import WEEK, LocalTime, Weekday, midnight, zone
from service.domain.recurrence import slots
from service.domain.standing import Standing
from service.feeds.timezone_blocks import onsets

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Series:
    """The slots of a standing at one time of day."""

    uid: str
    standing: Standing
    """With the hours of this time of day only."""

    @cached_property
    def first(self) -> LocalTime | None:
        """The first plain slot, from which clients count; None where there is none."""
        return next(filter(self.is_plain, slots(self.standing)), None)

    @cached_property
    def last(self) -> LocalTime | None:
        """The last plain slot; None while open-ended."""
        slot = self.before(midnight(self.standing.until)) if self.standing.until else None
        while slot is not None and not self.is_plain(slot):
            slot = self.before(slot)
        return slot

    @property
    def days(self) -> list[Weekday]:
        return sorted({hour.day for hour in self.standing.hours})

    def expects(self, slot: LocalTime) -> bool:
        return next(slots(self.standing, since=slot, until=slot + _MINUTE), None) == slot

    def reaches(self, slot: LocalTime) -> bool:
        """True for a slot between the first and the last plain one, both included."""
        return self.first is not None and self.first <= slot and (self.last is None or slot <= self.last)

    def before(self, slot: LocalTime) -> LocalTime | None:
        a_turn_earlier = slot - WEEK * (self.standing.every_weeks + 1)
        return max(slots(self.standing, since=a_turn_earlier, until=slot), default=None)

    def after(self, slot: LocalTime) -> LocalTime | None:
        return next(slots(self.standing, since=slot + _MINUTE), None)

    def has_more_than(self, gone: set[LocalTime]) -> bool:
        """True where a slot is left that is not among those gone."""
        return any(slot not in gone for slot in slots(self.standing))

    def is_plain(self, slot: LocalTime) -> bool:
        return is_plain(slot, slot + timedelta(minutes=self.standing.minutes), self.standing.zone)


def series_of(entry: FeedStanding) -> Iterator[Series]:
    """One series per time of day, the earliest first; more than one only where the clocks skip a slot."""
    hours = sorted(entry.standing.hours, key=lambda hour: (hour.at, hour.day))
    for number, (at, of_that_time) in enumerate(groupby(hours, key=lambda hour: hour.at)):
        uid = entry.uid if number == 0 else uid_of_slot(entry.uid, datetime.combine(date.min, at))
        yield from _unbroken(Series(uid=uid, standing=replace(entry.standing, hours=tuple(of_that_time))))


def _unbroken(whole: Series) -> Iterator[Series]:
    """Up to each slot that the clocks skip, that one included, and what comes after the last."""
    rest = whole
    for slot in filter(whole.expects, _skipped(whole.standing)):
        after = rest.after(slot)
        yield replace(rest, standing=replace(rest.standing, until=slot.date() + timedelta(days=1)))
        if after is None:
            return
        # Its first day is a slot's, so that it keeps the turn of the weeks. Twice derived, its UID is no slot's.
        uid = uid_of_slot(uid_of_slot(whole.uid, slot), slot)
        rest = Series(uid=uid, standing=replace(rest.standing, since=after.date()))
    yield rest


def _skipped(standing: Standing) -> Iterator[LocalTime]:
    """The times at that time of day that the clocks skip, whether or not they are slots."""
    at = standing.hours[0].at
    for onset in onsets(standing.zone, standing.since.year):
        if onset.is_forward:
            until = onset.local + (onset.after - onset.before)
            days = sorted({onset.local.date(), until.date()})
            yield from (slot for day in days if onset.local <= (slot := datetime.combine(day, at)) < until)


def that_it_can_hold(series: Series, overrides: Mapping[LocalTime, FeedOverride]) -> dict[LocalTime, FeedOverride]:
    """The overrides, in order of their slots, whose new time lies between the days of the slots before and after."""
    held: dict[LocalTime, FeedOverride] = {}
    for slot, override in sorted(overrides.items()):
        before, after, day = series.before(slot), series.after(slot), override.starts.date()
        day_before = (held[before].starts if before in held else before).date() if before else date.min
        day_after = after.date() if after else date.max
        if day_before < day < day_after and series.is_plain(slot) and _is_plain_session(override, series):
            held[slot] = override
    return held


def at_changes_of_the_clocks(series: Series) -> Iterator[LocalTime]:
    """The slots that are not plain, as far as the changes of the clocks are known."""
    standing = series.standing
    for onset in onsets(standing.zone, standing.since.year):
        # On the day of the change, or on the eve where a session lasts past midnight.
        eve = midnight(onset.local.date()) - timedelta(days=1)
        if Weekday.of(eve) in series.days or Weekday.of(onset.local) in series.days:
            near = slots(standing, since=eve, until=eve + timedelta(days=2))
            yield from (slot for slot in near if not series.is_plain(slot))


def is_plain(starts: LocalTime, ends: LocalTime, zone_name: str) -> bool:
    """True where every program reads both wall times alike.

    Not so for a wall time that occurs twice, even if both lie before the change: Thunderbird takes the second, we the
    first.
    """
    clock = zone(zone_name)
    return len({clock.utcoffset(local.replace(fold=fold)) for local in (starts, ends) for fold in (0, 1)}) == 1


def _is_plain_session(override: FeedOverride, series: Series) -> bool:
    ends = override.starts + timedelta(minutes=override.minutes)
    return is_plain(override.starts, ends, series.standing.zone)
