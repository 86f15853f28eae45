"""S4 `next.none`: no next appointment.

Meaning: an active course has no session to come that can take place. `watch` from `next_grace_h` after the planned
end of the last session, `act` from one cadence after its start. Where sessions are booked but all of them fall into
known absences, the words are "return date not booked".

Under the preset `as_needed` the interval is the course's default cadence, and it gives `watch` from then on: to come
when needed is what was agreed.

What it is not: a sign that therapy went wrong. Simon 2012: not to return can mean satisfaction; hence a question.
Silent before the first session, in a pause, and after an ending. A session not yet marked counts as held for
`mark_grace_h`.

Evidence: convention.
"""

from collections.abc import Iterator
from datetime import timedelta

from service.domain.appointment import Appointment
from service.domain.course import Course
from service.domain.hours import LocalTime
from service.domain.limits import Limits
from service.domain.signals import spacing, wording
from service.domain.signals.signal import CONVENTION, Cause, Level, Signal, days

IDS = ("next.none",)
USES = frozenset({"next_grace_h", "mark_grace_h", "preset"})


def check(course: Course, limits: Limits, now: LocalTime) -> Iterator[Signal]:
    along = spacing.of(course, limits, now)
    last = along.last if course.is_active else None
    if last is None:
        return
    if any(not course.is_lost(one) for one in along.to_come):
        return
    level = _level(course, limits, last, now)
    if level is None:
        return
    watch_at, act_at = _times(course, limits, last, now)
    why = tuple(_away(course, one) for one in along.to_come)
    yield Signal(
        id="next.none",
        level=level,
        value={
            "last": last.starts.isoformat(timespec="minutes"),
            "days_since": days((now - last.starts).total_seconds()),
            "reason": "return_not_booked" if why else "none_booked",
        },
        threshold={
            "watch": watch_at.isoformat(timespec="minutes"),
            "act": act_at.isoformat(timespec="minutes") if act_at else None,
        },
        evidence=CONVENTION,
        episode=f"next:{last.expected.isoformat(timespec='minutes')}",
        text=wording.next_return(last.starts, why) if why else wording.next_none(last.starts),
        actions=wording.NEXT_ACTIONS,
        clears=wording.NEXT_CLEARS,
        appointments=(last.expected,),
        causes=why,
    )


def turns(course: Course, limits: Limits, now: LocalTime) -> Iterator[LocalTime]:
    """While a session that can take place is to come, nothing: its start is the next turn anyway."""
    along = spacing.of(course, limits, now)
    last = along.last if course.is_active else None
    if last is not None and all(course.is_lost(one) for one in along.to_come):
        yield from filter(None, _times(course, limits, last, now))


def _level(course: Course, limits: Limits, last: Appointment, now: LocalTime) -> Level | None:
    watch_at, act_at = _times(course, limits, last, now)
    if act_at is not None and now >= act_at:
        return Level.ACT
    return Level.WATCH if now >= watch_at else None


def _times(course: Course, limits: Limits, last: Appointment, now: LocalTime) -> tuple[LocalTime, LocalTime | None]:
    if "as_needed" in limits.presets:
        return last.starts + timedelta(days=course.default_cadence_days), None
    return last.ends + timedelta(hours=limits.next_grace_h), last.starts + course.frame_at(now).cadence


def _away(course: Course, one: Appointment) -> Cause:
    return spacing.away(one.expected, next(course.absences_at(one)))
