"""Rank hours for one session that can't stay where it is: in the same points as the index, lower is better.

`score = slot + therapist + notice + setting` (exactly the deductions that this choice would cause) `+ gap + close`
(what it does to the neighbours) `- 5` where it is an hour that the client prefers. `skip` is ranked with the others.
The client chooses; to be offered a choice is what helps (Oldham et al. 2012).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from service.domain.appointment import Appointment, Attribute, Change, Initiator, Place, Status
from service.domain.course import Course
from service.domain.hours import LocalTime
from service.domain.index import (
    Component,
    deduction_of_missed,
    deductions_of_held,
    index_of,
    occurrences_resolved,
)
from service.domain.limits import Limits
from service.domain.phrase import say
from service.domain.refusals import NotFound
from service.domain.signals import spacing

GAP_FROM = 1.25
GAP_POINTS = 40
EARLY_FACTOR = 1.5
CLOSE_BELOW = 0.3
CLOSE_POINTS = 10
PREFERRED_POINTS = -5
SKIP_AGREED_POINTS = 20
_NEIGHBOURS = frozenset({Status.HELD, Status.SCHEDULED})


class CannotRank(NotFound):
    """No appointment of the course fills that slot."""


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """One choice with its sum spelled out."""

    place: Place | None
    """None: the session is skipped."""
    parts: Mapping[str, float]
    """Slot, therapist, notice, setting, gap, close, preference; for a skip also missed."""
    projected_index: Decimal | None
    """One decimal; None while it is building."""

    @property
    def starts(self) -> LocalTime | None:
        return self.place.starts if self.place else None

    @property
    def score(self) -> float:
        return sum(self.parts.values())


def rank(
    course: Course,
    *,
    slot: LocalTime,
    candidates: Sequence[Place],
    told_at: LocalTime,
    now: LocalTime,
    preferred: Iterable[LocalTime] = (),
    limits: Limits,
) -> list[Ranked]:
    """All candidates and the skip, best first. Whether they are free is for the caller to know.

    :raises CannotRank: the course has no appointment with that slot.
    """
    limits = limits.for_course(course, on=now.date())
    desk = _Desk.of(course, slot=slot, told_at=told_at, now=now, limits=limits)
    wished = frozenset(preferred)
    choices = [desk.place_at(place, is_preferred=place.starts in wished) for place in candidates]
    choices.append(desk.skip())
    return sorted(choices, key=lambda choice: _order(choice, slot))


def _order(choice: Ranked, slot: LocalTime) -> tuple[float, bool, timedelta, LocalTime]:
    """Ties: nearer to the slot, then earlier; then the order they came in. A skip comes after its equals."""
    starts = choice.starts or slot
    return round(choice.score, 9), choice.place is None, abs(starts - slot), starts


@dataclass(frozen=True, kw_only=True)
class _Desk:
    """What all choices for one session share."""

    course: Course
    at: int
    """Its place in the course's appointments."""
    told_at: LocalTime
    limits: Limits
    resolved: list[tuple[int, Appointment]]
    """Without the session itself."""
    before: LocalTime | None
    after: LocalTime | None
    cadence: timedelta
    is_early: bool

    @classmethod
    def of(cls, course: Course, *, slot: LocalTime, told_at: LocalTime, now: LocalTime, limits: Limits) -> "_Desk":
        at = _find(course, slot)
        others = [(place, one) for place, one in enumerate(course.appointments) if one.status in _NEIGHBOURS]
        return cls(
            course=course,
            at=at,
            told_at=told_at,
            limits=limits,
            resolved=[pair for pair in occurrences_resolved(course, now) if pair[0] != at],
            before=next((one.starts for place, one in reversed(others) if place < at), None),
            after=next((one.starts for place, one in others if place > at), None),
            cadence=course.frame_at(slot).cadence,
            is_early=spacing.held_with_at(course, limits, course.appointments[at]) < limits.early_sessions,
        )

    @property
    def session(self) -> Appointment:
        return self.course.appointments[self.at]

    def place_at(self, place: Place, *, is_preferred: bool) -> Ranked:
        moved = _moved(self.session, place, self.told_at)
        lost = {one.component: one.points for one in deductions_of_held(self.course, self.at, moved, self.limits)}
        neighbours = [*self._pair(self.before, place.starts), *self._pair(place.starts, self.after)]
        parts = {
            "slot": lost.get(Component.SLOT, 0),
            "therapist": lost.get(Component.THERAPIST, 0),
            "notice": lost.get(Component.NOTICE, 0),
            "setting": lost.get(Component.SETTING, 0),
            "gap": sum(self._gap(g) for g in neighbours),
            "close": sum(CLOSE_POINTS for g in neighbours if g < self.cadence * CLOSE_BELOW),
            "preference": PREFERRED_POINTS if is_preferred else 0,
        }
        return Ranked(place=place, parts=parts, projected_index=self._index_with(moved))

    def skip(self) -> Ranked:
        skipped = replace(
            self.session, status=Status.CLINIC_CANCELLED, by=self.session.by or Initiator.CLINIC, told_at=self.told_at
        )
        earlier = [one for place, one in self.resolved if place < self.at]
        was_held = not earlier or earlier[-1].is_held
        missed = deduction_of_missed(self.course, self.at, skipped, self.limits, was_previous_held=was_held).points
        if self.limits.when_away == "skip":
            missed = min(missed, SKIP_AGREED_POINTS)
        parts = {
            "missed": missed,
            "slot": 0,
            "therapist": 0,
            "notice": 0,
            "setting": 0,
            "gap": sum(self._gap(g) for g in self._pair(self.before, self.after)),
            "close": 0,
            "preference": 0,
        }
        return Ranked(place=None, parts=parts, projected_index=self._index_with(skipped))

    def _pair(self, since: LocalTime | None, until: LocalTime | None) -> list[timedelta]:
        """The time between two neighbours; none where one of them is missing."""
        return [] if since is None or until is None else [until - since]

    def _gap(self, g: timedelta) -> float:
        points = min(GAP_POINTS, GAP_POINTS * max(0.0, g / self.cadence - GAP_FROM))
        return points * EARLY_FACTOR if self.is_early else points

    def _index_with(self, session: Appointment) -> Decimal | None:
        """The index with the session resolved like that, whatever time it is."""
        resolved = sorted([*self.resolved, (self.at, session)], key=lambda pair: pair[0])
        return index_of(self.course, resolved, limits=self.limits).value


def _find(course: Course, slot: LocalTime) -> int:
    found = [place for place, one in enumerate(course.appointments) if one.slot == slot]
    if not found:
        raise CannotRank(say("No appointment of this course fills that slot."), where="slot")
    booked = [place for place in found if course.appointments[place].status is Status.SCHEDULED]
    return (booked or found)[0]


def _moved(session: Appointment, place: Place, told_at: LocalTime) -> Appointment:
    """The session as if it were held there, with a change on record for each thing that differs from now."""
    differs = (
        (Attribute.TIME, session.starts != place.starts),
        (Attribute.THERAPIST, session.therapist != place.therapist),
        (Attribute.ROOM, session.room != place.room),
        (Attribute.MODALITY, session.modality is not place.modality),
    )
    changes = tuple(
        Change(what=what, was=None, now=None, told_at=told_at, by=Initiator.CLINIC)
        for what, is_other in differs
        if is_other
    )
    return replace(
        session,
        starts=place.starts,
        minutes=place.minutes,
        therapist=place.therapist,
        room=place.room,
        modality=place.modality,
        status=Status.HELD,
        began=None,
        finished=None,
        changes=session.changes + changes,
    )
