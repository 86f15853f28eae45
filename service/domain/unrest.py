"""Where in a past time a rule could say anything at all, so that a replay looks nowhere else.

Most of a course is calm: sessions at their hour, one after the other. What is found here is always enough and at times
too much: a replay that looks everywhere gives the same, which a property test holds. A rule that is not known here
counts as restless all along.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise

from service.domain.absences import AbsenceKind
from service.domain.appointment import Appointment, Attribute, Status
from service.domain.course import Course
from service.domain.hours import LocalTime
from service.domain.index import is_off_time
from service.domain.limits import Limits
from service.domain.signals import (
    Rule,
    breaks,
    churn,
    ending,
    gap,
    interval,
    mark,
    missed,
    next_none,
    notice,
    setting,
    slot,
    therapist,
    time_frame,
)

Span = tuple[LocalTime, LocalTime]
KnownFrom = Callable[[Appointment], LocalTime]
_MOMENT = timedelta(microseconds=1)
_EVER, _NEVER = datetime(1, 1, 2), datetime(9999, 1, 1)
_WINDOW = 6


@dataclass(frozen=True, kw_only=True)
class Unrest:
    """Of one course, as it turned out in the end, under any of the limits, from `since` to `until`."""

    course: Course
    limits: Sequence[Limits]
    since: LocalTime
    until: LocalTime

    def spans(self, rule: Rule, known_from: KnownFrom) -> Iterator[Span]:
        """Times at which the rule could speak, some of them more than once: both ends included, and the first new
        fact after each."""
        find = _FINDERS.get(rule, Unrest._all)
        for first, last in find(self, known_from):
            if first <= self.until and last >= self.since:
                yield max(first, self.since), min(last, self.until)

    def _all(self, _known_from: KnownFrom) -> Iterator[Span]:
        yield self.since, self.until

    def _none(self, _known_from: KnownFrom) -> Iterator[Span]:
        yield from ()

    # Gaps: between two sessions that were never in doubt, no other can be further apart than they are.

    def is_solid(self, one: Appointment) -> bool:
        """True for a session that was always to be at that time, and took place or is still to."""
        if one.changes or self.course.is_lost(one):
            return False
        return one.status is Status.HELD or (one.status is Status.SCHEDULED and one.starts > self.until)

    @cached_property
    def _solid(self) -> list[LocalTime]:
        return sorted(one.starts for one in self.course.appointments if self.is_solid(one))

    @cached_property
    def _loose(self) -> list[Appointment]:
        return [one for one in self.course.appointments if not self.is_solid(one)]

    @cached_property
    def _widest(self) -> timedelta:
        """So far apart two sessions may be and no rule speaks."""
        least = min(min(one.gap_watch, one.gap_early_watch) for one in self.limits)
        return min(frame.cadence for frame in self.course.frames) * least

    def _gap(self, known_from: KnownFrom) -> Iterator[Span]:
        marks = self._solid
        if not marks:
            yield self.since, self.until
            return
        pairs = [(a, b) for a, b in pairwise(marks) if b - a > self._widest]
        for first, last in [(_EVER, marks[0]), *pairs, (marks[-1], _NEVER)]:
            yield from self._around(first, last, known_from)

    def _around(self, first: LocalTime, last: LocalTime, known_from: KnownFrom) -> Iterator[Span]:
        loose = [one for one in self._loose if any(first <= at <= last for at in _times(one))]
        if not loose and _EVER in (first, last):
            return
        yield first, last - 2 * _MOMENT
        horizon = timedelta(days=max(one.horizon_days for one in self.limits))
        ends = [at for one in loose for at in _times(one) if at < last] + ([last] if last < _NEVER else [])
        for at in ends:
            if self._is_early(at - horizon, first):
                yield at - horizon, at - horizon
        for fact in self._facts(loose, first, last, known_from):
            if self._is_early(fact, first):
                yield fact - _MOMENT, fact

    @staticmethod
    def _is_early(at: LocalTime, first: LocalTime) -> bool:
        return at <= first

    def _facts(
        self, loose: Sequence[Appointment], first: LocalTime, last: LocalTime, known_from: KnownFrom
    ) -> Iterator[LocalTime]:
        for one in loose:
            yield known_from(one)
            yield from (change.told_at for change in one.changes if change.told_at)
            if one.told_at:
                yield one.told_at
        for absence in self.course.absences:
            if absence.since < last and absence.until > first and absence.told_at:
                yield absence.told_at

    # The next appointment: as long as one is to come that was never in doubt, nothing is asked.

    def _next(self, _known_from: KnownFrom) -> Iterator[Span]:
        yield (self._solid[-1] if self._solid else _EVER), _NEVER

    # Windows of the last sessions: a disturbance is seen until so many more were held.

    def _moved(self, known_from: KnownFrom) -> Iterator[Span]:
        most = max(one.churn_n for one in self.limits)
        return self._windows(lambda one: _was_moved(one), known_from, most)

    def _notice(self, known_from: KnownFrom) -> Iterator[Span]:
        return self._windows(lambda one: _was_moved(one) or one.is_cancelled, known_from, _WINDOW)

    def _slot(self, known_from: KnownFrom) -> Iterator[Span]:
        if self._has_turned:
            return self._all(known_from)
        return self._windows(lambda one: one.starts != one.slot, known_from, _WINDOW)

    def _setting(self, known_from: KnownFrom) -> Iterator[Span]:
        return self._windows(self._is_elsewhere, known_from, max(one.setting_n for one in self.limits))

    def _therapist(self, known_from: KnownFrom) -> Iterator[Span]:
        if self._has_turned:
            return self._all(known_from)
        return self._windows(self._is_with_another, known_from, _WINDOW)

    def _time_frame(self, known_from: KnownFrom) -> Iterator[Span]:
        # Only sessions with times on record count, and how many follow until four have them nobody knows.
        if any(is_off_time(one, limits) for one in self.course.appointments for limits in self.limits):
            return self._all(known_from)
        return self._none(known_from)

    def _missed(self, known_from: KnownFrom) -> Iterator[Span]:
        return self._windows(lambda one: one.status not in _IN_ORDER, known_from, _WINDOW)

    def _windows(self, is_one: Callable[[Appointment], bool], known_from: KnownFrom, most: int) -> Iterator[Span]:
        appointments = self.course.appointments
        for place, one in enumerate(appointments):
            if is_one(one):
                told = [change.told_at for change in one.changes if change.told_at]
                held = (other.starts for other in appointments[place + 1 :] if other.is_held)
                last = next((at for n, at in enumerate(held) if n >= most), _NEVER)
                yield min([known_from(one), one.expected, *told]), last

    def _is_elsewhere(self, one: Appointment) -> bool:
        standing = self.course.standing_of(one)
        if standing is None:
            return False
        return one.room != standing.room or one.modality is not self.course.modality_agreed_for(one, standing)

    def _is_with_another(self, one: Appointment) -> bool:
        standing = self.course.standing_of(one)
        return standing is not None and one.therapist not in standing.therapists

    @cached_property
    def _has_turned(self) -> bool:
        return len(self.course.standings) > 1

    # Breaks and ends

    def _breaks(self, _known_from: KnownFrom) -> Iterator[Span]:
        for absence in self.course.firm_absences:
            if absence.kind is not AbsenceKind.PAUSE:
                yield _EVER, absence.until

    def _ending(self, known_from: KnownFrom) -> Iterator[Span]:
        standings = self.course.standings
        if any(one.sessions_planned is not None for one in standings) or all(one.until for one in standings):
            return self._all(known_from)
        return self._none(known_from)

    def _interval(self, known_from: KnownFrom) -> Iterator[Span]:
        is_asked = any("interval.sd" in one.asked_for for one in self.limits)
        return self._all(known_from) if is_asked else self._none(known_from)


_IN_ORDER = frozenset({Status.HELD, Status.SCHEDULED})

_FINDERS: Mapping[Rule, Callable[[Unrest, KnownFrom], Iterator[Span]]] = {
    gap: Unrest._gap,
    next_none: Unrest._next,
    churn: Unrest._moved,
    notice: Unrest._notice,
    slot: Unrest._slot,
    setting: Unrest._setting,
    therapist: Unrest._therapist,
    time_frame: Unrest._time_frame,
    missed: Unrest._missed,
    breaks: Unrest._breaks,
    ending: Unrest._ending,
    interval: Unrest._interval,
    mark: Unrest._none,
}
"""`mark.missing` is never more than `info`."""


def _was_moved(one: Appointment) -> bool:
    return any(change.what is Attribute.TIME for change in one.changes)


def _times(one: Appointment) -> Iterator[LocalTime]:
    """Wherever it was, or was to be."""
    yield one.expected
    yield one.starts
    for change in one.changes:
        if change.what is Attribute.TIME:
            yield from (LocalTime.fromisoformat(at) for at in (change.was, change.now) if at)
