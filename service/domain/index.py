"""The frame-kept index: how much of the agreed arrangement actually happened lately, from 0 to 100.

Every resolved occurrence among the last 12 (and within 182 days of the latest resolved slot) starts with 100 points
and loses named ones. `index = 100 - sum of all deductions / N*` with `N* = max(N, 8)`, so that missing history counts
as kept and one event in a short history can't swing the number. Below three it is "building".

What it is not: validated, a score of a person, the alliance, progress. Every weight is a convention. It never leaves
the clinic. See docs for its properties; they are property-tested.
"""

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property

from service.domain.appointment import Appointment, Attribute, Change, Initiator, Status
from service.domain.course import Course
from service.domain.hours import LocalTime
from service.domain.limits import Limits
from service.domain.standing import Modality, Standing

WINDOW = 12
WINDOW_DAYS = 182
FEWEST = 8
"""N* is never less."""
SHOWN_FROM = 3
NEW_SESSIONS = 4
"""So many sessions a new usual therapist counts as new."""
_HALF_DAY = timedelta(hours=12)
_HELD = Status.HELD
_CLIENT = Initiator.CLIENT
_CLINIC = Initiator.CLINIC
_UNKNOWN = Initiator.UNKNOWN


class Component(enum.StrEnum):
    MISSED = "missed"
    SLOT = "slot"
    THERAPIST = "therapist"
    NOTICE = "notice"
    SETTING = "setting"
    LENGTH = "length"


_MISSED = Component.MISSED
_SLOT = Component.SLOT
_THERAPIST = Component.THERAPIST
_NOTICE = Component.NOTICE
_SETTING = Component.SETTING
_LENGTH = Component.LENGTH

_MISSED_BY = {
    Status.CLIENT_CANCELLED: _CLIENT,
    Status.NO_SHOW: _CLIENT,
    Status.LATE_NOT_SEEN: _CLIENT,
    Status.CLINIC_CANCELLED: _CLINIC,
    Status.BREAK: _UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Deduction:
    """Points that one occurrence lost in one component, and whose doing it was."""

    slot: LocalTime
    component: Component
    points: int
    by: Initiator


@dataclass(frozen=True, kw_only=True)
class Index:
    """The number, and both ways of taking it apart. Means are exact; round them for people with `rounded`."""

    n: int
    """Resolved occurrences in the window."""
    deductions: tuple[Deduction, ...]
    """In order of slot; what was kept has none."""
    has_times: bool
    """False where no actual time is on record, so that *length* is "not recorded"."""

    @property
    def n_star(self) -> int:
        return max(self.n, FEWEST)

    @property
    def is_building(self) -> bool:
        return self.n < SHOWN_FROM

    @cached_property
    def exact(self) -> Decimal:
        return 100 - Decimal(sum(one.points for one in self.deductions)) / self.n_star

    @property
    def value(self) -> Decimal | None:
        """One decimal, half up; None while it is building."""
        return None if self.is_building else rounded(self.exact, 1)

    @cached_property
    def components(self) -> Mapping[Component, Decimal]:
        return {c: self._mean(one for one in self.deductions if one.component is c) for c in Component}

    @cached_property
    def by_initiator(self) -> Mapping[Initiator, Decimal]:
        return {by: self._mean(one for one in self.deductions if one.by is by) for by in Initiator}

    @cached_property
    def matrix(self) -> Mapping[Component, Mapping[Initiator, Decimal]]:
        """Component × initiator; it sums to 100 less the index."""
        return {
            c: {
                by: self._mean(one for one in self.deductions if one.component is c and one.by is by)
                for by in Initiator
            }
            for c in Component
        }

    def of(self, slot: LocalTime) -> tuple[Deduction, ...]:
        """What the occurrence of that slot lost."""
        return tuple(one for one in self.deductions if one.slot == slot)

    def _mean(self, deductions: Iterable[Deduction]) -> Decimal:
        return Decimal(sum(one.points for one in deductions)) / self.n_star


def rounded(value: Decimal, places: int) -> Decimal:
    """Half up, as people do; Python's own `round` takes halves to the even neighbour."""
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def index(course: Course, *, now: LocalTime, limits: Limits) -> Index:
    """The index of a course, as of now."""
    return index_of(course, occurrences_resolved(course, now), limits=limits)


def occurrences_resolved(course: Course, now: LocalTime) -> list[tuple[int, Appointment]]:
    """What has been decided of what was agreed, with the places in `course.appointments`: ad-hoc ones have no slot."""
    return [(place, one) for place, one in course.resolved(now) if one.slot is not None]


def index_of(course: Course, resolved: Sequence[tuple[int, Appointment]], *, limits: Limits) -> Index:
    """The index over occurrences that are taken as resolved, in order of slot."""
    recent = resolved[-WINDOW:]
    if recent:
        oldest = recent[-1][1].expected - timedelta(days=WINDOW_DAYS)
        recent = [pair for pair in recent if pair[1].expected >= oldest]
    before = resolved[-len(recent) - 1] if len(resolved) > len(recent) else None
    was_held = before is None or before[1].status is _HELD
    deductions: list[Deduction] = []
    for place, one in recent:
        is_held = one.status is _HELD
        if is_held:
            deductions.extend(deductions_of_held(course, place, one, limits))
        else:
            deductions.append(deduction_of_missed(course, place, one, limits, was_previous_held=was_held))
        was_held = is_held
    has_times = any(one.began is not None for _, one in recent)
    return Index(n=len(recent), deductions=tuple(deductions), has_times=has_times)


def deduction_of_missed(
    course: Course, place: int, one: Appointment, limits: Limits, *, was_previous_held: bool
) -> Deduction:
    """An occurrence that did not take place takes this deduction alone."""
    if course.is_announced(one, limits.announce_days):
        points = limits.points_missed_announced
    elif not was_previous_held or course.held_with_before[place] < limits.early_sessions:
        points = limits.points_missed_hard
    else:
        points = limits.points_missed
    return Deduction(one.expected, _MISSED, points, one.by or _MISSED_BY[one.status])


def deductions_of_held(course: Course, place: int, one: Appointment, limits: Limits) -> Iterator[Deduction]:
    """What an occurrence that was held (or would be) loses, component by component."""
    standing = course.standing_of(one)
    if standing is None:
        return
    slot = one.expected
    if one.starts != slot:
        points = _points_of_slot(course, one, limits)
        if points:
            yield Deduction(slot, _SLOT, points, _by_last(one, Attribute.TIME, _UNKNOWN))
    points = _points_of_therapist(course, place, one, standing, limits)
    if points:
        is_cover = one.therapist not in standing.therapists
        by = _by_last(one, Attribute.THERAPIST, _CLINIC) if is_cover else _CLINIC
        yield Deduction(slot, _THERAPIST, points, by)
    setting = _setting(course, one, standing)
    if one.changes:
        short = _short_notice(one, standing, setting, limits)
        if short:
            yield Deduction(slot, _NOTICE, limits.points_notice, short.by)
    if setting:
        points = limits.points_modality if setting is Attribute.MODALITY else limits.points_room
        yield Deduction(slot, _SETTING, points, _by_last(one, setting, _UNKNOWN))
    if one.began is not None and is_off_time(one, limits):
        yield Deduction(slot, _LENGTH, limits.points_length, one.late_by or _UNKNOWN)


def is_off_time(one: Appointment, limits: Limits) -> bool:
    """True where it began `late_min` late or more, or its length was clearly other than planned."""
    if one.began is None:
        return False
    if one.began - one.starts >= timedelta(minutes=limits.late_min):
        return True
    if one.finished is None:
        return False
    minutes = (one.finished - one.began) / timedelta(minutes=1)
    slack = 1e-9  # 0.8 and 1.2 are not exact in binary; both ends count
    return minutes <= limits.length_low * one.minutes + slack or minutes >= limits.length_high * one.minutes - slack


def _points_of_slot(course: Course, one: Appointment, limits: Limits) -> int:
    away = abs(one.starts - one.expected)
    if away <= timedelta(minutes=limits.slot_hit_min):
        return 0
    if away <= _HALF_DAY:
        return limits.points_slot_hours
    is_near = away <= course.frame_at(one.expected).cadence / 2
    return limits.points_slot_days if is_near else limits.points_slot_far


def _points_of_therapist(course: Course, place: int, one: Appointment, standing: Standing, limits: Limits) -> int:
    if one.therapist not in standing.therapists:
        return limits.points_therapist
    era = course.era_of(one)
    if era == 0 or course.held_with_before[place] >= NEW_SESSIONS:
        return 0
    is_announced = course.transfers[era - 1].is_announced(limits.transfer_notice_days)
    return limits.points_therapist_announced if is_announced else limits.points_therapist


def _setting(course: Course, one: Appointment, standing: Standing) -> Attribute | None:
    """What of the setting differs: the modality, else the room (where both are named and nobody is by video)."""
    agreed = course.modality_agreed_for(one, standing)
    if one.modality is not agreed:
        return Attribute.MODALITY
    if one.modality is not Modality.IN_PERSON or one.room is None or standing.room is None:
        return None
    return Attribute.ROOM if one.room != standing.room else None


def _short_notice(one: Appointment, standing: Standing, setting: Attribute | None, limits: Limits) -> Change | None:
    """The last change of the first deviation that is still there and was told too late."""
    latest = min(one.starts, one.expected) - timedelta(hours=limits.late_notice_clinic_h)
    surviving = (
        (Attribute.TIME, abs(one.starts - one.expected) > timedelta(minutes=limits.slot_hit_min)),
        (Attribute.THERAPIST, one.therapist not in standing.therapists),
        (Attribute.MODALITY, setting is Attribute.MODALITY),
        (Attribute.ROOM, setting is Attribute.ROOM),
    )
    for what, is_there in surviving:
        change = last_change(one, what) if is_there else None
        if change is not None and (change.told_at is None or change.told_at > latest):
            return change
    return None


def last_change(one: Appointment, what: Attribute) -> Change | None:
    return next((change for change in reversed(one.changes) if change.what is what), None)


def _by_last(one: Appointment, what: Attribute, otherwise: Initiator) -> Initiator:
    change = last_change(one, what)
    return change.by if change else otherwise
