"""What a new release of the time-zone data does to hours that are booked already.

Their local times stay: people agreed on those. The instants follow, and an hour stands earlier or later than before.
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import NamedTuple

from service.domain.hours import Instant, LocalTime, instant

NONE = timedelta(0)


class Booked(NamedTuple):
    """An hour as it was written down with another release of the data. A tuple, since there are many."""

    id: int
    starts: LocalTime
    zone: str
    since: Instant
    """Where that release put it."""
    by: timedelta
    """How much later it is by today's data; negative where it is earlier."""

    @property
    def is_shifted(self) -> bool:
        return self.by != NONE

    def is_to_come(self, now: Instant) -> bool:
        """True unless it has begun by either release: what has been stays as it was."""
        return max(self.since, self.since + self.by) > now


@dataclass(frozen=True, kw_only=True)
class ZoneShift:
    """Hours of one zone that all shift by the same."""

    zone: str
    by: timedelta
    first: LocalTime
    last: LocalTime
    hours: int


class Held(NamedTuple):
    """A span for which a therapist, room or client is held."""

    kind: int
    who: int
    since: Instant
    until: Instant
    appointment: int | None
    """Inner id; None for a tentative hold."""


def booked(id_: int, starts: LocalTime, zone: str, since: Instant) -> Booked:
    """The hour with its shift."""
    return Booked(id_, starts, zone, since, instant(starts, zone) - since)


def summed_up(hours: Iterable[Booked]) -> list[ZoneShift]:
    """The shifts, zone by zone; hours that stay where they are don't count."""
    shifted = sorted((one for one in hours if one.is_shifted), key=lambda one: (one.zone, one.by, one.starts))
    return [
        ZoneShift(zone=zone, by=by, first=some[0].starts, last=some[-1].starts, hours=len(some))
        for (zone, by), found in groupby(shifted, key=lambda one: (one.zone, one.by))
        if (some := list(found))
    ]


def in_safe_order(hours: Iterable[Booked]) -> list[Booked]:
    """Those that shift, so that one by one none comes to a place that another of its zone has still to leave.

    Whatever becomes earlier goes from the front, whatever becomes later from the back.
    """
    shifted = sorted((one for one in hours if one.is_shifted), key=lambda one: (one.since, one.id))
    earlier = [one for one in shifted if one.by < NONE]
    later = [one for one in shifted if one.by > NONE]
    return [*earlier, *reversed(later)]


def clashes(held: Iterable[Held], shifted: Container[int | None]) -> Iterator[tuple[Held, Held]]:
    """Pairs that would hold somebody twice, at least one of the two because its hour is among `shifted`.

    `held` is in order of `kind` and `who`, and says where each would be.
    """
    for _key, of_one in groupby(held, key=lambda one: (one.kind, one.who)):
        open_: list[Held] = []
        for one in sorted(of_one, key=lambda one: (one.since, one.until)):
            open_ = [before for before in open_ if before.until > one.since]
            for before in open_:
                if before.appointment in shifted or one.appointment in shifted:
                    yield before, one
            open_.append(one)
