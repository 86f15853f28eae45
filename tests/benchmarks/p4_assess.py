"""P4: one course of 100 appointments in the domain, all signals and the index.

The course is disturbed as real ones are: moves by both sides, a cover, misses, leave ahead and behind, times on record,
and eight bookings to come. The floor is a plain loop over the same appointments that finds the longest time between
two sessions and counts the misses, beforehand 0.028 ms on an idle processor: 1.0 ms is 36 times that.
"""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import islice

from service.domain.absences import Absence, AbsenceKind
from service.domain.appointment import Appointment, Attribute, Change, Initiator, Status
from service.domain.course import Course, CourseStatus
from service.domain.hours import Hour, LocalTime, Weekday
from service.domain.limits import Limits
from service.domain.recurrence import slots
from service.domain.signals import assess
from service.domain.standing import Modality, Standing
from tests.benchmarks.measure import Figure, seconds_of, show

APPOINTMENTS, HELD, COURSES = 100, 92, 100
ZONE = "Europe/Berlin"


def run() -> list[Figure]:
    course = disturbed()
    now = course.appointments[HELD - 1].starts + timedelta(days=2)
    limits = Limits()

    def fresh() -> list[Course]:
        """Courses whose views nobody has asked for yet: this is part of the work, but not of what is timed."""
        return [replace(course) for _ in range(COURSES)]

    waiting = [fresh() for _ in range(8)]
    whole, floor = seconds_of(
        lambda: [assess(one, limits=limits, now=now) for one in waiting.pop()],
        lambda: [plain(course.appointments) for _ in range(COURSES)],
    )
    ours, loop = whole / COURSES * 1000, floor / COURSES * 1000
    what = f"one course of {APPOINTMENTS} appointments, all signals, index, due"
    return [
        Figure(id="P4a", what=what, ours=ours, unit="ms", at_most=1.0),
        Figure(id="P4b", what=what, ours=ours, unit="ms", peer=loop, peer_name="plain loop", at_most=36),
    ]


def plain(appointments: tuple[Appointment, ...]) -> tuple[timedelta, int]:
    """The floor: the longest time between two sessions, and how many were missed."""
    longest, misses, last = timedelta(0), 0, None
    for one in sorted(appointments, key=lambda appointment: appointment.starts):
        if one.status is Status.HELD:
            if last is not None:
                longest = max(longest, one.starts - last)
            last = one.starts
        elif one.status is not Status.SCHEDULED:
            misses += 1
    return longest, misses


def disturbed() -> Course:
    standing = Standing(
        id="s1",
        therapist="A",
        room="R1",
        modality=Modality.IN_PERSON,
        hours=(Hour(day=Weekday.TU, at=time(10)),),
        every_weeks=1,
        minutes=50,
        zone=ZONE,
        since=date(2024, 6, 4),
        until=None,
    )
    expected = list(islice(slots(standing), APPOINTMENTS))
    made = [_disturb(k, _kept(slot, Status.HELD if k < HELD else Status.SCHEDULED)) for k, slot in enumerate(expected)]
    absences = tuple(_leave(expected[k] - timedelta(hours=10), told=k % 2 == 0) for k in (20, 45, 70, HELD + 3))
    return Course(
        zone=ZONE, status=CourseStatus.ACTIVE, standings=(standing,), appointments=tuple(made), absences=absences
    )


def _kept(slot: LocalTime, status: Status) -> Appointment:
    return Appointment(
        id=str(slot),
        standing="s1",
        slot=slot,
        starts=slot,
        minutes=50,
        zone=ZONE,
        therapist="A",
        room="R1",
        modality=Modality.IN_PERSON,
        status=status,
        began=slot + timedelta(minutes=2) if status is Status.HELD else None,
        finished=slot + timedelta(minutes=50) if status is Status.HELD else None,
    )


def _disturb(place: int, one: Appointment) -> Appointment:
    if place % 11 == 5:
        return _moved(one, Initiator.CLINIC if place % 2 else Initiator.CLIENT)
    if place % 17 == 8 and one.is_held:
        return replace(one, status=Status.NO_SHOW, began=None, finished=None)
    if place % 23 == 9 and one.is_held:
        return replace(one, therapist="B")
    return one


def _moved(one: Appointment, by: Initiator) -> Appointment:
    starts = one.starts + timedelta(days=1)
    told = one.starts - timedelta(days=3)
    change = Change(what=Attribute.TIME, was=str(one.starts), now=str(starts), told_at=told, by=by)
    return replace(one, starts=starts, changes=(change,))


def _leave(since: datetime, *, told: bool) -> Absence:
    told_at = since - timedelta(days=20) if told else None
    return Absence(
        kind=AbsenceKind.LEAVE, therapist="A", since=since, until=since + timedelta(days=12), told_at=told_at
    )


if __name__ == "__main__":
    show(run())
