"""The slots that a standing expects: lazily one by one, with their instants, or as one table for many standings.

A standing recurs every so many weeks, counted from the week (Monday to Sunday) that holds its first day, at each of
its hours of the week. The slots are local times; the zone plays no part until an instant is asked for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from service.domain.hours import (
    MINUTES_A_WEEK,
    WEEK,
    Instant,
    LocalTime,
    midnight,
    monday_of,
    steady_at,
    steady_spans,
)
from service.domain.standing import Standing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]
    Times = NDArray[np.datetime64]

EPOCH = datetime(1970, 1, 1)
END_OF_TIME = datetime(9990, 1, 1)
"""An open-ended standing ends here, before the arithmetic of dates overflows."""
MINUTES_OF_ALL_TIME = 1 << 34
"""More than the calendar has, so that one number can hold a standing's index and a local time."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SlotTable:
    """Slots of many standings, one a row, as three columns of the same length.

    Rows follow the order of the standings, and within a standing the order of local time.
    """

    standing: "Integers"
    """Index into the standings asked about."""
    local: "Times"
    """`datetime64[m]`, local times."""
    utc: "Times"
    """`datetime64[s]`, instants: numpy knows no zones, so these are UTC by name alone."""

    def __len__(self) -> int:
        return len(self.standing)


def slots(standing: Standing, *, since: LocalTime | None = None, until: LocalTime | None = None) -> Iterator[LocalTime]:
    """Every local time the standing expects, from `since` (included) until `until` (excluded), in order.

    An open-ended standing without `until` goes on until the calendar ends: take what you need. The first slot costs
    the same however far `since` lies ahead.
    """
    first, last = _bounds(standing, since, until)
    if first >= last:
        return
    hours = [hour.from_monday for hour in standing.hours]
    step = WEEK * standing.every_weeks
    monday = _monday_of_turn(standing, first)
    if monday + hours[0] < first:
        yield from (monday + hour for hour in hours if first <= monday + hour < last)
        monday += step
    whole_weeks_until = last - hours[-1]
    while monday < whole_weeks_until:
        for hour in hours:
            yield monday + hour
        monday += step
    yield from (monday + hour for hour in hours if monday + hour < last)


def instants(
    standing: Standing, *, since: LocalTime | None = None, until: LocalTime | None = None
) -> Iterator[tuple[LocalTime, Instant]]:
    """The same slots, each with the instant at which it is; `since` and `until` are local times here too.

    Instants follow one another as the slots do, except where two hours of one standing lie so close around a gap
    that the first, shifted forward, passes the second.
    """
    epoch = EPOCH.replace(tzinfo=UTC)
    steady_until = epoch_on_the_wall = datetime(1, 1, 1)
    for slot in slots(standing, since=since, until=until):
        if slot >= steady_until:
            _, steady_until, offset = steady_at(slot, standing.zone)
            epoch_on_the_wall = EPOCH + offset
        yield slot, epoch + (slot - epoch_on_the_wall)


def bulk(standings: Sequence[Standing], *, since: LocalTime, until: LocalTime) -> SlotTable:
    """The slots of all the standings with their instants, as a table: what `instants` yields, many times as fast.

    numpy is loaded here and not before: a process that never asks pays neither its time nor its memory.
    """
    import numpy as np

    of_standing, first, step, count = _turns(standings, since, until)
    standing = np.repeat(of_standing, count)
    rows_before = np.cumsum(count) - count
    local = np.repeat(step, count)
    local *= np.arange(len(local))  # in place: at a million rows, fresh memory costs more than the arithmetic
    local += np.repeat(first - rows_before * step, count)
    utc = local * 60
    utc -= _offsets([each.zone for each in standings], of_standing, first, step, count)
    if len(of_standing) > len(standings):  # several hours a week: their turns interleave
        order = np.argsort(standing * MINUTES_OF_ALL_TIME + local, kind="stable")
        standing, local, utc = standing[order], local[order], utc[order]
    return SlotTable(standing=standing, local=local.view("datetime64[m]"), utc=utc.view("datetime64[s]"))


def _bounds(standing: Standing, since: LocalTime | None, until: LocalTime | None) -> tuple[LocalTime, LocalTime]:
    first_day = midnight(standing.since)
    last_day = midnight(standing.until) if standing.until else END_OF_TIME
    return max(first_day, since or first_day), min(last_day, until or last_day, END_OF_TIME)


def _monday_of_turn(standing: Standing, at: LocalTime) -> LocalTime:
    """Monday 00:00 of the latest week, not after that time's, in which the standing takes its turn."""
    anchor = monday_of(standing.since)
    turns = (at.date() - anchor).days // (7 * standing.every_weeks)
    return midnight(anchor + turns * WEEK * standing.every_weeks)


def _turns(
    standings: Sequence[Standing], since: LocalTime, until: LocalTime
) -> tuple["Integers", "Integers", "Integers", "Integers"]:
    """One entry per standing and hour of the week: the standing, the first slot, the step, how many.

    Slots and steps in minutes of local time since 1970.
    """
    import numpy as np

    latest = END_OF_TIME.date()
    first_day = np.array([each.since.toordinal() for each in standings], dtype=np.int64)
    last_day = np.array([(each.until or latest).toordinal() for each in standings], dtype=np.int64)
    every_weeks = np.array([each.every_weeks for each in standings], dtype=np.int64)
    minute = np.array([hour.minute_of_week for each in standings for hour in each.hours], dtype=np.int64)
    hours = np.array([len(each.hours) for each in standings], dtype=np.int64)
    monday = first_day - (first_day - 1) % 7  # ordinal 1 was a Monday
    opens = np.maximum(_minutes(first_day), _whole_minutes(since))
    closes = np.minimum(_minutes(last_day), _whole_minutes(min(until, END_OF_TIME)))
    index: Integers = np.repeat(np.arange(len(standings)), hours)
    step = every_weeks[index] * MINUTES_A_WEEK
    start = _minutes(monday)[index] + minute
    first = start + _steps_to(opens[index] - start, step) * step
    return index, first, step, _steps_to(closes[index] - first, step)


def _minutes(ordinal: "Integers") -> "Integers":
    return (ordinal - EPOCH.toordinal()) * (24 * 60)


def _steps_to(distance: "Integers", step: "Integers") -> "Integers":
    """How many whole steps reach that far or farther; none where it lies behind."""
    import numpy as np

    steps: Integers = np.maximum(-(-distance // step), 0)
    return steps


def _whole_minutes(local: LocalTime) -> int:
    """Minutes since 1970, rounded up: a slot is at a whole minute, so this bounds it alike."""
    return -((EPOCH - local) // timedelta(minutes=1))


def _offsets(
    zones: Sequence[str], of_standing: "Integers", first: "Integers", step: "Integers", count: "Integers"
) -> "Integers":
    """What to take off each row's local time, in seconds: how many turns fall into each steady span, spread out."""
    import numpy as np

    if not count.any():
        return np.zeros(0, dtype=np.int64)
    years = range(_year(first.min()), _year((first + count * step).max()) + 1)
    spans = {name: [span for year in years for span in steady_spans(name, year)] for name in set(zones)}
    numbers = {name: number for number, name in enumerate(spans)}
    zone = np.array([numbers[name] for name in zones])[of_standing]
    shape = len(zone), max(map(len, spans.values()))
    offset, turns = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    for name, number in numbers.items():
        here, width = np.flatnonzero(zone == number)[:, None], len(spans[name])
        ends = np.array([_whole_minutes(span.until) for span in spans[name]])
        turns_before = np.minimum(_steps_to(ends - first[here], step[here]), count[here])
        turns[here, np.arange(width)] = np.diff(turns_before, prepend=0)
        offset[here, np.arange(width)] = [span.offset // timedelta(seconds=1) for span in spans[name]]
    return np.repeat(offset.ravel(), turns.ravel())


def _year(minutes: "np.int64") -> int:
    return (EPOCH + timedelta(minutes=int(minutes))).year
