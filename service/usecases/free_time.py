"""When a therapist is taken and which of their hours could be agreed, for other systems: never with whom."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from service.domain import access, free_time
from service.domain.access import Actor, Role
from service.domain.free_time import FreeHour, Taken, Why, WorkingAt
from service.domain.hours import Span, Weekday, instant, local_time
from service.domain.nearby import Working
from service.domain.phrase import say
from service.domain.refusals import Malformed, NotFound
from service.store import absences, outside
from service.store.occupancies import Kind, OccupancyRow
from service.store.people import Directory, TherapistRow, WorkingHoursRow, directory
from service.store.transaction import reading

LONGEST = timedelta(days=93)
USUAL = timedelta(days=28)
MOST_WEEKS = 26
"""Hours are booked so far ahead; farther, everything would look free."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Busy:
    """What is taken of a therapist's time within the window, in order."""

    therapist: str
    window: Span
    taken: tuple[Taken, ...]


@dataclass(frozen=True, kw_only=True)
class FreeHours:
    """Hours of the week that could be agreed, on the wall of the therapist's site, in order of the week."""

    therapist: str
    zone: str
    minutes: int
    every_weeks: int
    since: date
    weeks: int
    hours: tuple[FreeHour, ...]


@reading
def busy(
    db: Session,
    *,
    therapist: str,
    since: datetime | None = None,
    until: datetime | None = None,
    by: Actor,
    now: datetime,
) -> Busy:
    """From `since` (now) until `until` (four weeks later), both instants; what lies outside working hours is taken.

    :raises NotFound: no such therapist, or somebody else's time for a therapist. :raises Malformed: not in order, or
    longer than LONGEST.
    """
    people = directory(db)
    row = _find(people, therapist, by)
    window = _window(since or now, until)
    taken = [*_booked(db, row, window, now=now), *_away(db, people, row, window)]
    taken += free_time.not_working(_hours(db, people, row), window)
    return Busy(therapist=row.public_id, window=window, taken=tuple(free_time.merged(taken, window)))


@reading
def hours(
    db: Session,
    *,
    therapist: str,
    minutes: int = 50,
    every_weeks: int = 1,
    since: date | None = None,
    weeks: int = 12,
    by: Actor,
    now: datetime,
) -> FreeHours:
    """Which hours of the week are free on each of their dates in so many weeks from that day, today, on.

    :raises NotFound: no such therapist, or somebody else's time for a therapist. :raises Malformed: senseless numbers.
    """
    people = directory(db)
    row = _find(people, therapist, by)
    zone = people.sites[row.site_id].zone
    first = since or local_time(now, zone).date()
    _check(minutes, every_weeks, weeks)
    begins = instant(datetime.combine(first, time()), zone)
    window = Span(since=begins - _DAY, until=begins + timedelta(weeks=weeks + 1) + _DAY)
    away = _away(db, people, row, window)
    found = free_time.free_hours(
        _hours(db, people, row),
        [*_booked(db, row, window, now=now), *(one for one in away if one.why is Why.AWAY)],
        minutes=minutes,
        every_weeks=every_weeks,
        since=first,
        weeks=weeks,
        not_before=now,
    )
    return FreeHours(
        therapist=row.public_id,
        zone=zone,
        minutes=minutes,
        every_weeks=every_weeks,
        since=first,
        weeks=weeks,
        hours=tuple(found),
    )


# --- steps ------------------------------------------------------------------------------------------------------------


def _find(people: Directory, therapist: str, by: Actor) -> TherapistRow:
    access.require(by, Role.FRONT_DESK, Role.MANAGER, Role.THERAPIST, to_change=False)
    if therapist != by.therapist and not by.has(Role.FRONT_DESK, Role.MANAGER):
        raise NotFound(say("There is no such therapist."), where="therapist")
    return people.therapist(therapist)


def _window(since: datetime, until: datetime | None) -> Span:
    window = Span(since=since, until=until or since + USUAL)
    if window.until <= window.since:
        raise Malformed(say("The end must lie after the beginning."), where="until")
    if window.until - window.since > LONGEST:
        raise Malformed(say("Ask for {days} days at most.", days=LONGEST.days), where="until")
    return window


def _check(minutes: int, every_weeks: int, weeks: int) -> None:
    if not 5 <= minutes <= 720:
        raise Malformed(say("A session lasts 5 to 720 minutes."), where="minutes")
    if not 1 <= weeks <= MOST_WEEKS:
        raise Malformed(say("Ask for 1 to {most} weeks.", most=MOST_WEEKS), where="weeks")
    if not 1 <= every_weeks <= weeks:
        raise Malformed(say("Choose a rhythm that has a date within those weeks."), where="every_weeks")


def _booked(db: Session, row: TherapistRow, window: Span, *, now: datetime) -> Iterator[Taken]:
    query = select(OccupancyRow.starts, OccupancyRow.ends, OccupancyRow.hold).where(
        OccupancyRow.kind == int(Kind.THERAPIST),
        OccupancyRow.who == row.id,
        OccupancyRow.starts < window.until,
        OccupancyRow.ends > window.since,
        or_(OccupancyRow.expires.is_(None), OccupancyRow.expires > now),
    )
    for since, until, hold in db.execute(query):
        yield Taken(span=Span(since=since, until=until), why=Why.BUSY if hold is None else Why.TENTATIVE)
    for _whose, since, until in outside.busy(db, since=window.since, until=window.until, therapist_ids=[row.id]):
        yield Taken(span=Span(since=since, until=until), why=Why.BUSY)


def _away(db: Session, people: Directory, row: TherapistRow, window: Span) -> Iterator[Taken]:
    zone = people.sites[row.site_id].zone
    for absence in absences.touching(db, local_time(window.since, zone), local_time(window.until, zone)):
        if absences.concerns(absence, therapist_id=row.id, room_id=None, site_id=row.site_id, course_id=None):
            span = Span(since=instant(absence.since, zone), until=instant(absence.until, zone))
            yield Taken(span=span, why=Why.TENTATIVE if absence.tentative else Why.AWAY)


def _hours(db: Session, people: Directory, row: TherapistRow) -> Sequence[WorkingAt]:
    query = select(WorkingHoursRow).where(WorkingHoursRow.therapist_id == row.id)
    return [
        WorkingAt(
            working=Working(day=Weekday(one.weekday), begins=one.begins, ends=one.ends),
            zone=people.sites[one.site_id].zone,
        )
        for one in db.scalars(query.order_by(WorkingHoursRow.weekday, WorkingHoursRow.begins))
    ]
