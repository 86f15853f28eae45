"""Courses invented by number, so that ten thousand of them can be looked at and each can be made again.

`undisturbed(number)` is a course in which nothing happens that was not agreed: every session is held at its hour, by
who was agreed, where and how it was agreed. It may be weekly or rarer, once or twice a week, in person, by video or in
turns, with one therapist or two, with a new agreed version half-way, and it runs over several changes of the clocks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from random import Random

from service.domain.absences import Absence, AbsenceKind
from service.domain.appointment import Appointment, Status
from service.domain.course import Course, CourseStatus, Ending
from service.domain.hours import Hour, LocalTime, Weekday, instant, local_time
from service.domain.recurrence import slots as expected_slots
from service.domain.standing import Modality, Standing
from tests.domain.drawn import appointment, days, hours, standing

ZONES = (
    "Europe/Berlin",
    "Europe/London",
    "Europe/Dublin",
    "America/New_York",
    "America/St_Johns",
    "America/Santiago",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Pacific/Chatham",
)
"""Twelve: clocks that change in spring and autumn, in half hours, at odd offsets, around Ramadan, and not at all."""
AHEAD = timedelta(weeks=30)
"""Booked until then, as the service does."""
GRACE = timedelta(hours=48)
"""So long a session may be unmarked."""


@dataclass(frozen=True, kw_only=True)
class Invented:
    """What was agreed for one course, slot by slot; `as_of` says what is on record at a time."""

    number: int
    zone: str
    kind: str
    standings: tuple[Standing, ...]
    occurrences: tuple[Appointment, ...]
    """As they take place in the end: held, or on an announced break."""
    absences: tuple[Absence, ...] = ()
    same_room: bool = False

    @property
    def first(self) -> LocalTime:
        return self.occurrences[0].starts

    def as_of(self, now: LocalTime, dice: Random) -> Course:
        """The course on record: what is past is marked (the last two days perhaps not yet), the rest is booked."""
        until = now + AHEAD
        return Course(
            zone=self.zone,
            status=CourseStatus.ACTIVE,
            standings=self.standings,
            appointments=tuple(_on_record(one, now, dice) for one in self.occurrences if one.starts < until),
            absences=self.absences,
            same_room=self.same_room,
        )

    def as_ended(self) -> Course:
        """The whole of it, over, with its ending on record."""
        made = (*self.occurrences[:-1], replace(self.occurrences[-1], ending_session=True))
        return Course(
            zone=self.zone,
            status=CourseStatus.ENDED,
            standings=self.standings,
            appointments=made,
            absences=self.absences,
            ending=Ending.PLANNED,
        )

    def moments(self, dice: Random, n: int) -> Iterator[LocalTime]:
        """Local times to look at it: any, and those around a session, where a rule would slip first."""
        weeks = (self.occurrences[-1].starts - AHEAD - self.first) / timedelta(weeks=1)
        for _ in range(n):
            at = instant(self.first, self.zone) + timedelta(weeks=dice.uniform(0, weeks))
            if dice.random() < 0.5:
                near = min(self.occurrences, key=lambda one: abs(instant(one.starts, self.zone) - at))
                at = instant(near.starts, self.zone) + dice.choice(_AROUND)
            yield local_time(max(at, datetime(2000, 1, 1, tzinfo=UTC)), self.zone)


_INSTANT = timedelta(microseconds=1)
_AROUND = (-_INSTANT, timedelta(), _INSTANT, timedelta(minutes=50), hours(24), hours(24 + 50 / 60), GRACE - _INSTANT)


def _on_record(one: Appointment, now: LocalTime, dice: Random) -> Appointment:
    is_to_come = one.starts > now
    if one.status is Status.BREAK:
        # What is lost to an announced break may still stand as booked until its time comes.
        return replace(one, status=Status.SCHEDULED) if is_to_come and one.told_at is None else one
    is_unmarked = not is_to_come and now - one.starts < GRACE and dice.random() < 0.5
    if is_to_come or is_unmarked:
        return replace(one, status=Status.SCHEDULED, began=None, finished=None)
    return one


def undisturbed(number: int) -> Invented:
    """The course of that number; an announced break is part of some."""
    dice = Random(number)
    kind = dice.choice(_KINDS)
    standings = _standings(kind, dice, ZONES[number % len(ZONES)])
    held = dice.randint(10, 60)
    occurrences = _occurrences(standings, held, dice)
    absences: tuple[Absence, ...] = ()
    if kind in {"leave", "pause"}:
        occurrences, absences = _with_break(kind, occurrences, standings[0], dice)
    return Invented(
        number=number,
        zone=standings[0].zone,
        kind=kind,
        standings=standings,
        occurrences=tuple(occurrences),
        absences=absences,
        same_room=dice.random() < 0.3,
    )


_KINDS = (
    "plain",
    "plain",
    "twice",
    "rare",
    "new hour",
    "tapered",
    "video",
    "turns",
    "pair",
    "parallel",
    "planned",
    "leave",
    "pause",
)


def _standings(kind: str, dice: Random, zone: str) -> tuple[Standing, ...]:
    first = date(2024, 1, 1) + timedelta(days=dice.randrange(900))
    at = _any_hour(dice)
    one = standing(hours=(at,), since=first, zone=zone, minutes=50)
    turn = first - timedelta(days=first.weekday()) + timedelta(weeks=dice.randint(4, 12))
    match kind:
        case "twice":
            return (replace(one, hours=(at, _other_hour(at, dice)), every_weeks=dice.choice((1, 1, 2))),)
        case "rare":
            return (replace(one, every_weeks=dice.choice((2, 3, 4, 6))),)
        case "new hour":
            later = Hour(day=at.day, at=time(dice.choice([h for h in range(24) if h != at.at.hour]), 30))
            return replace(one, until=turn), replace(one, id="s2", hours=(later,), since=turn)
        case "tapered":
            return replace(one, until=turn), replace(one, id="s2", every_weeks=2, since=turn)
        case "video":
            return (replace(one, modality=Modality.VIDEO, room=None),)
        case "turns":
            return (replace(one, hybrid=dice.choice((_IN_TURN, _MOSTLY_VIDEO))),)
        case "pair":
            return (replace(one, usual_therapists=("A", "B")),)
        case "parallel":
            other = replace(one, id="s2", hours=(_other_hour(at, dice),), therapist=dice.choice("AB"), room="R2")
            return one, other
        case "planned":
            return (replace(one, sessions_planned=40, ending_told=True),)
    return (one,)


_IN_TURN = (Modality.IN_PERSON, Modality.VIDEO)
_MOSTLY_VIDEO = (Modality.VIDEO, Modality.VIDEO, Modality.IN_PERSON)


def _any_hour(dice: Random) -> Hour:
    """Any of the day's, at night too: that is where the clocks change."""
    return Hour(day=Weekday(dice.randrange(7)), at=time(dice.randrange(24), dice.choice((0, 15, 30, 45))))


def _other_hour(at: Hour, dice: Random) -> Hour:
    return Hour(day=Weekday((at.day + dice.randint(1, 6)) % 7), at=at.at)


def _occurrences(standings: Sequence[Standing], held: int, dice: Random) -> list[Appointment]:
    """All slots of the standings, held as agreed; enough of them to be booked ahead wherever one looks."""
    has_times = dice.random() < 0.5
    first = min(one.since for one in standings)
    until = datetime.combine(first, time()) + timedelta(weeks=held * max(s.every_weeks for s in standings)) + 2 * AHEAD
    made: list[Appointment] = []
    for one in standings:
        found = islice(expected_slots(one, until=until), 400)
        made += [_as_agreed(slot, one, place, has_times, dice) for place, slot in enumerate(found)]
    return sorted(made, key=lambda each: each.expected)


def _as_agreed(slot: LocalTime, one: Standing, place: int, has_times: bool, dice: Random) -> Appointment:
    modality = one.hybrid[place % len(one.hybrid)] if one.hybrid else one.modality
    began = slot + timedelta(minutes=dice.randint(-3, 9)) if has_times else None
    return appointment(
        slot,
        standing=one.id,
        zone=one.zone,
        therapist=dice.choice(one.therapists),
        room=one.room if modality is Modality.IN_PERSON else None,
        modality=modality,
        began=began,
        finished=began + timedelta(minutes=dice.randint(41, 59)) if began else None,
    )


def _with_break(
    kind: str, occurrences: list[Appointment], its: Standing, dice: Random
) -> tuple[list[Appointment], tuple[Absence, ...]]:
    """Some slots in a row are lost to a leave told in time, or to a pause that was agreed."""
    first = dice.randint(2, 8)
    lost = occurrences[first : first + dice.randint(1, 5)]
    since, until = lost[0].expected - hours(dice.randint(1, 20)), lost[-1].ends + hours(dice.randint(1, 20))
    told = lost[0].expected - days(14) - days(dice.choice((0, 0, 3, 20)))
    away = Absence(
        kind=AbsenceKind.LEAVE if kind == "leave" else AbsenceKind.PAUSE,
        therapist=its.therapist if kind == "leave" else None,
        since=since,
        until=until,
        told_at=told if kind == "leave" else None,
    )
    is_told_of_each = kind == "leave" and dice.random() < 0.5
    breaks = [
        replace(one, status=Status.BREAK, began=None, finished=None, told_at=told if is_told_of_each else None)
        for one in lost
    ]
    return [*occurrences[:first], *breaks, *occurrences[first + len(lost) :]], (away,)
