"""Courses drawn with one letter per slot, so that a clinician can check the cases.

H held · N did not take place, no message · L arrived, could not be seen · c cancelled by the client, told 3 days
before · K cancelled by the clinic, told 3 days before · a break, told 30 days before · u break, nobody was told ·
S booked · . nothing there. Spaces are for the eye.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from service.domain.appointment import Appointment, Attribute, Change, Initiator, Status
from service.domain.course import Course, CourseStatus
from service.domain.hours import Hour, LocalTime, Weekday
from service.domain.limits import Limits
from service.domain.signals import Assessment, Signal, assess
from service.domain.standing import Modality, Standing

ZONE = "Europe/Berlin"
TUESDAY = datetime(2025, 11, 4, 10)
"""The first slot where none is named; `at("2026-03-03 10:00")` is one of its slots."""

_STATUS = {
    "H": Status.HELD,
    "N": Status.NO_SHOW,
    "L": Status.LATE_NOT_SEEN,
    "c": Status.CLIENT_CANCELLED,
    "K": Status.CLINIC_CANCELLED,
    "a": Status.BREAK,
    "u": Status.BREAK,
    "S": Status.SCHEDULED,
}
_TOLD_DAYS = {"c": 3, "K": 3, "a": 30}


def at(text: str) -> LocalTime:
    return datetime.fromisoformat(text)


def days(n: float) -> timedelta:
    return timedelta(days=n)


def hours(n: float) -> timedelta:
    return timedelta(hours=n)


def standing(**changes: object) -> Standing:
    since = changes.get("since", date(2025, 11, 4))
    plain: dict[str, object] = {
        "id": "s1",
        "therapist": "A",
        "room": "R1",
        "modality": Modality.IN_PERSON,
        "hours": (Hour(day=Weekday.TU, at=time(10)),),
        "every_weeks": 1,
        "minutes": 50,
        "zone": ZONE,
        "since": since,
        "until": None,
    }
    return Standing(**{**plain, **changes})  # type: ignore[arg-type]


def hour(text: str) -> Hour:
    """`hour("FR 10:00")`"""
    day, clock = text.split()
    return Hour(day=Weekday[day], at=time.fromisoformat(clock))


def appointment(slot: LocalTime | None, letter: str = "H", **changes: object) -> Appointment:
    starts = changes.pop("starts", slot)
    assert isinstance(starts, datetime)
    told = (slot or starts) - days(_TOLD_DAYS[letter]) if letter in _TOLD_DAYS else None
    made = Appointment(
        id=f"{slot or starts}",
        standing="s1" if slot else None,
        slot=slot,
        starts=starts,
        minutes=50,
        zone=ZONE,
        therapist="A",
        room="R1",
        modality=Modality.IN_PERSON,
        status=_STATUS[letter],
        told_at=told,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def slots(letters: str, first: LocalTime = TUESDAY, every: float = 7) -> list[Appointment]:
    drawn = letters.replace(" ", "")
    return [appointment(first + days(every) * k, letter) for k, letter in enumerate(drawn) if letter != "."]


def course(appointments: Sequence[Appointment] | str, **changes: object) -> Course:
    drawn = slots(appointments) if isinstance(appointments, str) else appointments
    plain: dict[str, object] = {
        "zone": ZONE,
        "status": CourseStatus.ACTIVE,
        "standings": (standing(),),
        "appointments": tuple(drawn),
    }
    return Course(**{**plain, **changes})  # type: ignore[arg-type]


def moved(
    one: Appointment,
    by_time: timedelta,
    *,
    told: timedelta = timedelta(days=5),
    by: Initiator = Initiator.CLINIC,
    reason: str | None = None,
) -> Appointment:
    """Moved by so much, told so long before the earlier of both starts."""
    was = one.starts
    now = was + by_time
    change = Change(
        what=Attribute.TIME,
        was=was.isoformat(timespec="minutes"),
        now=now.isoformat(timespec="minutes"),
        told_at=min(was, now) - told,
        by=by,
        reason=reason,
    )
    return replace(one, starts=now, changes=(*one.changes, change))


def with_therapist(one: Appointment, therapist: str, *, told: timedelta | None = None) -> Appointment:
    """Held by somebody else; on record as a change where it says how long before it was told."""
    if told is None:
        return replace(one, therapist=therapist)
    change = Change(
        what=Attribute.THERAPIST,
        was=one.therapist,
        now=therapist,
        told_at=min(one.starts, one.expected) - told,
        by=Initiator.CLINIC,
    )
    return replace(one, therapist=therapist, changes=(*one.changes, change))


def after_last(of: Course, by: timedelta = timedelta(hours=1)) -> LocalTime:
    return max(one.expected for one in of.appointments) + by


def say(of: Course, now: LocalTime | None = None, limits: Limits | None = None) -> Assessment:
    return assess(of, limits=limits or Limits(), now=now or after_last(of))


def signals(of: Course, *ids: str, now: LocalTime | None = None, limits: Limits | None = None) -> list[Signal]:
    return [one for one in say(of, now, limits).signals if not ids or one.id in ids]


def level(of: Course, *ids: str, now: LocalTime | None = None, limits: Limits | None = None) -> str:
    """The highest level of those signals, or `none`; closed gaps are history and do not count."""
    found = [s.level for s in signals(of, *ids, now=now, limits=limits) if s.value.get("state") != "closed"]
    return max(found, key=lambda one: one.rank).value if found else "none"


def changed(
    appointments: Sequence[Appointment], place: int, change: Callable[[Appointment], Appointment]
) -> list[Appointment]:
    """The list with one of them changed."""
    return [change(one) if k == place % len(appointments) else one for k, one in enumerate(appointments)]
