"""What the tables of edges draw with, besides `drawn`."""

from dataclasses import replace
from datetime import date, timedelta

from service.domain.absences import Absence, AbsenceKind
from service.domain.appointment import Appointment
from service.domain.course import Course, Override
from service.domain.hours import LocalTime
from service.domain.signals import Signal
from tests.domain.drawn import (
    TUESDAY,
    appointment,
    at,
    days,
    signals,
    slots,
)

LATER = date(2026, 12, 31)
LAST = at("2026-03-03 10:00")
INSTANT = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
GAPS = ("gap.open", "gap.ahead", "gap.early")


def only(of: Course, its_id: str, now: LocalTime | None = None) -> Signal:
    [found] = signals(of, its_id, now=now)
    return found


def ids(of: Course, now: LocalTime | None = None) -> list[str]:
    return [one.id for one in signals(of, now=now)]


def agreed(**values: float | str) -> dict[str, Override]:
    return {key: Override(value=value, reason="agreed", until=LATER) for key, value in values.items()}


def held(n: int, last: LocalTime = LAST, every: float = 7) -> list[Appointment]:
    return [appointment(last - days(every) * k) for k in range(n)][::-1]


def booked(*starts: LocalTime) -> list[Appointment]:
    return [appointment(None, "S", starts=one) for one in starts]


def leave(since: LocalTime, until: LocalTime, **changes: object) -> Absence:
    plain = {"kind": AbsenceKind.LEAVE, "therapist": "A", "since": since, "until": until}
    return Absence(**{**plain, **changes})  # type: ignore[arg-type]


def in_turn(letters: str, first: LocalTime = TUESDAY, **changes: object) -> list[Appointment]:
    return [replace(one, **changes) for one in slots(letters, first)]  # type: ignore[arg-type]
