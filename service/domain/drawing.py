"""Courses drawn with one letter per slot, so that anybody can check what a rule says of them.

The weekly hour is Tuesday at ten with Therapist A in room R1. Now is an hour after the last slot drawn, or after the
one before `|`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from service.domain.absences import Absence, AbsenceKind
from service.domain.appointment import Appointment, Attribute, Change, Initiator, Status
from service.domain.course import Course, CourseStatus
from service.domain.hours import Hour, LocalTime, Weekday
from service.domain.phrase import Phrase, say
from service.domain.standing import Modality, Standing

LETTERS: Mapping[str, Phrase] = {
    "H": say("held"),
    "N": say("did not take place, no message"),
    "L": say("arrived, could not be seen"),
    "c": say("cancelled by the client, told 3 days before"),
    "K": say("cancelled by the clinic, told 3 days before"),
    "k": say("cancelled by the clinic, told 2 hours before"),
    "a": say("a break, told 30 days before"),
    "m": say("held a day later at the client's request"),
    "M": say("held a day later at the clinic's request"),
    "D": say("held on Thursday at 15:00"),
    "C": say("held with another therapist"),
    "V": say("held by video"),
    "R": say("held in another room"),
    "l": say("held, begun 15 minutes late on the clinic's side"),
    "S": say("booked"),
    "w": say("booked, and the therapist is away: not yet told"),
    "W": say("booked, and the therapist is away: told 30 days before"),
    ".": say("nothing booked"),
    "/": say("from here on with another therapist, not told"),
    "|": say("now"),
}
_FIRST = datetime(2025, 11, 4, 10)
_ZONE = "Europe/Berlin"
_HOUR = Hour(day=Weekday.TU, at=time(10))
_MISSED = {
    "N": (Status.NO_SHOW, None),
    "L": (Status.LATE_NOT_SEEN, None),
    "c": (Status.CLIENT_CANCELLED, timedelta(days=3)),
    "K": (Status.CLINIC_CANCELLED, timedelta(days=3)),
    "k": (Status.CLINIC_CANCELLED, timedelta(hours=2)),
    "a": (Status.BREAK, timedelta(days=30)),
}
_MOVED = {"m": Initiator.CLIENT, "M": Initiator.CLINIC}
_AWAY = {"w": None, "W": timedelta(days=30)}


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A course and the time at which it is looked at."""

    course: Course
    now: LocalTime


def draw(
    letters: str,
    *,
    every_weeks: int = 1,
    sessions_planned: int | None = None,
    same_room: bool = False,
    has_ended: bool = False,
    is_ad_hoc: bool = False,
) -> Drawing:
    """The course that the letters say; blanks are for the eye."""
    before, _, after = letters.replace(" ", "").partition("|")
    first_part, slash, second_part = (before + after).partition("/")
    drawn = first_part + second_part
    slots = [_FIRST + timedelta(weeks=every_weeks) * place for place in range(len(drawn))]
    turn = slots[len(first_part)].date() if slash else None
    standings = _standings(turn, every_weeks, sessions_planned)
    pairs = list(zip(slots, drawn, strict=True))
    appointments = [_appointment(slot, letter, turn) for slot, letter in pairs if letter != "."]
    if is_ad_hoc:
        appointments = [replace(one, standing=None, slot=None) for one in appointments]
    course = Course(
        zone=_ZONE,
        status=CourseStatus.ENDED if has_ended else CourseStatus.ACTIVE,
        standings=() if is_ad_hoc else standings,
        appointments=tuple(appointments),
        absences=tuple(_away(slot, letter) for slot, letter in pairs if letter in _AWAY),
        same_room=same_room,
    )
    return Drawing(course=course, now=slots[len(before.replace("/", "")) - 1] + timedelta(hours=1))


def _standings(turn: date | None, every_weeks: int, sessions_planned: int | None) -> tuple[Standing, ...]:
    first = Standing(
        id="s1",
        therapist="A",
        room="R1",
        modality=Modality.IN_PERSON,
        hours=(_HOUR,),
        every_weeks=every_weeks,
        minutes=50,
        zone=_ZONE,
        since=_FIRST.date(),
        until=turn,
        sessions_planned=sessions_planned,
    )
    return (first,) if turn is None else (first, replace(first, id="s2", therapist="B", since=turn, until=None))


def _appointment(slot: LocalTime, letter: str, turn: date | None) -> Appointment:
    is_later = turn is not None and slot.date() >= turn
    kept = Appointment(
        id=slot.isoformat(timespec="minutes"),
        standing="s2" if is_later else "s1",
        slot=slot,
        starts=slot,
        minutes=50,
        zone=_ZONE,
        therapist="B" if is_later else "A",
        room="R1",
        modality=Modality.IN_PERSON,
        status=Status.SCHEDULED if letter == "S" or letter in _AWAY else Status.HELD,
    )
    if letter in _MISSED:
        status, told = _MISSED[letter]
        return replace(kept, status=status, told_at=slot - told if told is not None else None)
    if letter in _MOVED:
        return _moved(kept, _MOVED[letter])
    return replace(kept, **_differences(slot, letter))  # type: ignore[arg-type]


def _differences(slot: LocalTime, letter: str) -> dict[str, object]:
    if letter == "D":
        return {"starts": slot + timedelta(days=2, hours=5)}
    if letter == "C":
        return {"therapist": "C"}
    if letter == "V":
        return {"modality": Modality.VIDEO, "room": None}
    if letter == "R":
        return {"room": "R2"}
    if letter == "l":
        began = slot + timedelta(minutes=15)
        return {"began": began, "finished": began + timedelta(minutes=50), "late_by": Initiator.CLINIC}
    return {}


def _moved(one: Appointment, by: Initiator) -> Appointment:
    starts = one.starts + timedelta(days=1)
    change = Change(
        what=Attribute.TIME,
        was=one.starts.isoformat(timespec="minutes"),
        now=starts.isoformat(timespec="minutes"),
        told_at=one.starts - timedelta(days=5),
        by=by,
    )
    return replace(one, starts=starts, changes=(change,))


def _away(slot: LocalTime, letter: str) -> Absence:
    told = _AWAY[letter]
    day = datetime.combine(slot.date(), time())
    return Absence(
        id=f"leave {day:%Y-%m-%d}",
        kind=AbsenceKind.LEAVE,
        therapist="A",
        since=day,
        until=day + timedelta(days=1),
        told_at=slot - told if told is not None else None,
    )
