"""S16 `ending.unprepared` and `ending.unplanned`: how the course comes to its end.

Unprepared: the course has an end (a number of sessions, or a last day with no standing after it) and the client is not
on record as told. `ending_watch` sessions left or fewer give `watch`, `ending_act` or fewer `act`. Sessions left are
the planned ones less those held; with a last day, the agreed slots until then that are not cancelled.

Unplanned: the course is closed, and its last occurrence was not held or no session is marked as the ending session:
`info`, for the manager's statistics alone. Where people recorded what kind of ending it was, that holds.

What it is not: "unplanned" is a term of statistics, not a judgement; not to come back can mean satisfaction.

Evidence: the code of professional bodies for preparing an ending (BACP 38-39); four sessions is a convention.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from service.domain.appointment import Status
from service.domain.course import Course, Ending, start_of
from service.domain.hours import LocalTime
from service.domain.limits import Limits
from service.domain.recurrence import slots
from service.domain.signals import wording
from service.domain.signals.signal import CODE, CONVENTION, Level, Signal
from service.domain.standing import Standing

IDS = ("ending.unprepared", "ending.unplanned")
USES = frozenset({"ending_watch", "ending_act", "preset"})


def check(course: Course, limits: Limits, now: LocalTime) -> Iterator[Signal]:
    if course.is_ended:
        yield from _unplanned(course, now)
    elif not course.is_ad_hoc:
        yield from _unprepared(course, limits, now)


def turns(course: Course, _limits: Limits, now: LocalTime) -> Iterator[LocalTime]:
    """With a last day, each slot that passes leaves one less."""
    last_day = _last_day(course, now)
    if last_day is None or course.is_ended:
        return
    until = start_of(last_day)
    for standing in course.standings:
        yield from (slot for _, slot in zip(range(2), slots(standing, since=now, until=until), strict=False))


def _unprepared(course: Course, limits: Limits, now: LocalTime) -> Iterator[Signal]:
    latest = course.frame_at(now).standings + tuple(s for s in course.standings if start_of(s.since) > now)
    if any(standing.ending_told for standing in latest):
        return
    left = _sessions_left(course, latest, limits, now)
    if left is None or left > limits.ending_watch:
        return
    yield Signal(
        id="ending.unprepared",
        level=Level.ACT if left <= limits.ending_act else Level.WATCH,
        value={"left": left, "held": len(course.held)},
        threshold={"watch": limits.ending_watch, "act": limits.ending_act},
        evidence=CODE,
        episode="ending.unprepared",
        text=wording.ending_unprepared(left),
        actions=wording.ENDING_ACTIONS,
        clears=wording.ENDING_CLEARS,
        is_clinic_caused=True,
    )


def _sessions_left(course: Course, latest: tuple[Standing, ...], limits: Limits, now: LocalTime) -> int | None:
    """By number or by day, whichever leaves fewer; None where no end is agreed."""
    planned = [s.sessions_planned for s in latest if s.sessions_planned is not None]
    by_number = max(planned) - len(course.held) if planned else None
    last_day = _last_day(course, now)
    by_day = _slots_left(course, last_day, limits, now) if last_day else None
    return min((left for left in (by_number, by_day) if left is not None), default=None)


def _last_day(course: Course, now: LocalTime) -> date | None:
    """The first day without any standing, where all of them end and that is still to come."""
    untils = [standing.until for standing in course.standings]
    if not untils or any(until is None for until in untils):
        return None
    last_day = max(until for until in untils if until is not None)
    return last_day if start_of(last_day) > now else None


def _slots_left(course: Course, last_day: date, limits: Limits, now: LocalTime) -> int:
    gone = {
        (one.standing, one.slot)
        for one in course.appointments
        if one.status is not Status.SCHEDULED or course.is_lost(one)
    }
    left = 0
    for standing in course.standings:
        for slot in slots(standing, since=now + timedelta(microseconds=1), until=start_of(last_day)):
            left += (standing.id, slot) not in gone
            if left > limits.ending_watch:
                return left
    return left


def _unplanned(course: Course, now: LocalTime) -> Iterator[Signal]:
    resolved = course.resolved(now)
    if course.ending in (Ending.PLANNED, Ending.TRANSFERRED) or not resolved:
        return
    last = resolved[-1][1]
    is_prepared = last.is_held and any(one.ending_session for one in course.held)
    if is_prepared and course.ending is not Ending.UNPLANNED:
        return
    yield Signal(
        id="ending.unplanned",
        level=Level.INFO,
        value={"last_held": last.is_held, "ending_session": any(one.ending_session for one in course.held)},
        threshold={},
        evidence=CONVENTION,
        episode="ending.unplanned",
        text=wording.ending_unplanned(),
        clears=wording.UNPLANNED_CLEARS,
        appointments=(last.expected,),
    )
