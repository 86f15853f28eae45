"""S5 `churn`: the time of sessions is moved again and again.

Meaning: of the last `churn_n` occurrences (slot until now), M had a change of time that the client was told of, M_c
of them moved last by the clinic, and x is the most changes that one had. `watch`: M >= `churn_any`, or M_c >=
`churn_clinic`, or x >= `churn_any`; `act`: M_c >= `churn_any`. A move that was later restored counts here (the client
lived through it), though not in the index. Only occurrences at hours that are still agreed are looked at, so that a
new standing hour clears it.

What it is not: unreliability of anybody. Shift work, school holidays and agreed flexibility explain it as well.

Evidence: convention. The only study found saw no clear difference for changes of time (Yang & Jin 2020).
"""

from collections.abc import Iterator
from itertools import islice

from service.domain.appointment import Appointment, Attribute, Change, Initiator
from service.domain.course import Course
from service.domain.hours import LocalTime
from service.domain.limits import Limits
from service.domain.signals import wording
from service.domain.signals.signal import CONVENTION, Level, Signal

IDS = ("churn",)
USES = frozenset({"churn_n", "churn_any", "churn_clinic", "preset"})


def check(course: Course, limits: Limits, now: LocalTime) -> Iterator[Signal]:
    if course.is_ended or course.is_ad_hoc:
        return
    window = _window(course, limits.churn_n, now)
    moves = {one.expected: moved for one in window if (moved := _moves(one))}
    if not moves:
        return
    by_clinic = sum(moved[-1].by is Initiator.CLINIC for moved in moves.values())
    most = max(len(moved) for moved in moves.values())
    level = _level(limits, len(moves), by_clinic, most)
    if level is None:
        return
    is_clinic_caused = by_clinic >= limits.churn_clinic
    yield Signal(
        id="churn",
        level=level,
        value={"M": len(moves), "M_c": by_clinic, "x": most, "n": len(window)},
        threshold={"any": limits.churn_any, "clinic": limits.churn_clinic, "n": limits.churn_n},
        evidence=CONVENTION,
        episode="churn",
        text=wording.churn(len(moves), by_clinic, most, len(window)),
        actions=wording.CHURN_ACTIONS_CLINIC if is_clinic_caused else wording.CHURN_ACTIONS_CLIENT,
        clears=wording.CHURN_CLEARS,
        appointments=tuple(moves),
        is_clinic_caused=is_clinic_caused,
    )


def _level(limits: Limits, moved: int, by_clinic: int, most: int) -> Level | None:
    if by_clinic >= limits.churn_any:
        return Level.ACT
    if moved >= limits.churn_any or by_clinic >= limits.churn_clinic or most >= limits.churn_any:
        return Level.WATCH
    return None


def _window(course: Course, n: int, now: LocalTime) -> list[Appointment]:
    occurrences = list(islice((one for one in reversed(course.expected_until(now)) if one.slot is not None), n))[::-1]
    if not any(one.changes for one in occurrences):
        return []
    agreed = {(hour.day.value, hour.at) for hour in course.frame_at(now).hours}
    return [one for one in occurrences if (one.expected.weekday(), one.expected.time()) in agreed]


def _moves(appointment: Appointment) -> list[Change]:
    """The changes of time that the client was told of."""
    return [one for one in appointment.changes if one.what is Attribute.TIME and one.told_at is not None]
