"""S11 `time.frame`: sessions begin late, or last clearly shorter or longer than planned.

Meaning: over the last four sessions with actual times on record. A session is off where it began `late_min` minutes
late or more, or lasted `length_low` of the plan or less, or `length_high` or more; it counts once. Two give `watch`;
three that the clinic caused give `act`. Settled by two sessions in a row on time. Without actual times it is silent.

What it is not: a measure of anybody's effort; people forget to clock in, and double sessions are agreed.

Evidence: convention (the frame, boundaries).
"""

from collections.abc import Iterator
from datetime import timedelta

from service.domain.appointment import Appointment, Initiator
from service.domain.course import Course
from service.domain.hours import LocalTime
from service.domain.index import is_off_time
from service.domain.limits import Limits
from service.domain.signals import wording
from service.domain.signals.signal import CONVENTION, Level, Signal

IDS = ("time.frame",)
USES = frozenset({"late_min", "length_low", "length_high", "preset"})
WINDOW = 4
WATCH = 2
ACT_BY_CLINIC = 3
SETTLED = 2


def check(course: Course, limits: Limits, _now: LocalTime) -> Iterator[Signal]:
    if course.is_ended or course.is_ad_hoc:
        return
    recent = [one for one in course.held if one.began is not None][-WINDOW:]
    off = [one for one in recent if is_off_time(one, limits)]
    if len(off) < WATCH:
        return
    by_clinic = sum(one.late_by is Initiator.CLINIC for one in off)
    late = sum(_is_late(one, limits) for one in off)
    yield Signal(
        id="time.frame",
        level=Level.ACT if by_clinic >= ACT_BY_CLINIC else Level.WATCH,
        value={"bad": len(off), "n": len(recent), "late": late, "by_clinic": by_clinic},
        threshold={
            "late_min": limits.late_min,
            "length_low": limits.length_low,
            "length_high": limits.length_high,
            "watch": WATCH,
            "act": ACT_BY_CLINIC,
        },
        evidence=CONVENTION,
        episode="time.frame",
        text=wording.time_frame(len(off), len(recent), late),
        actions=wording.TIME_ACTIONS,
        clears=wording.TIME_CLEARS,
        appointments=tuple(one.expected for one in off),
        is_clinic_caused=by_clinic >= WATCH,
        is_settled=not any(one in off for one in recent[-SETTLED:]),
    )


def _is_late(one: Appointment, limits: Limits) -> bool:
    return one.began is not None and one.began - one.starts >= timedelta(minutes=limits.late_min)
