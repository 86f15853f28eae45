"""Where in a past time a rule could say anything at all, so that a replay looks nowhere else.

Most of a course is calm: sessions at their hour, one after the other. What is found here is always enough and at times
too much: a replay that looks everywhere gives the same, which a property test holds. A rule that is not known here
counts as restless all along.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise

from service.domain.absences import Absence, AbsenceKind
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
from service.domain.signals.spacing import announced_slots

Span = tuple[LocalTime, LocalTime]
"""Look at each new fact in it and just before it, and so at the first after it."""
Look = LocalTime | Span
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
    known_from: KnownFrom
    """When a status could be known."""
    entered: Mapping[str, LocalTime] = field(default_factory=dict)
    """When absences were put on record, where that is known."""

    def looks(self, rule: Rule) -> Iterator[Look]:
        """Times at which the rule could speak, and spans of time, some of them more than once."""
        find = _FINDERS.get(rule, Unrest._all)
        for found in find(self):
            if isinstance(found, tuple):
                first, last = found
                if first <= self.until and last >= self.since:
                    yield max(first, self.since), min(last, self.until)
            elif self.since <= found <= self.until:
                yield found

    def _all(self) -> Iterator[Look]:
        yield self.since, self.until

    def _none(self) -> Iterator[Look]:
        yield from ()

    # Gaps: between two sessions that were never in doubt, no other can be further apart than they are.

    def is_solid(self, one: Appointment) -> bool:
        """True for a session that was always to be at that time, and took place or is still to."""
        is_in_order = one.status is Status.HELD or (one.status is Status.SCHEDULED and one.starts > self.until)
        return is_in_order and not one.changes and not self.course.is_lost(one)

    @cached_property
    def _solid_and_loose(self) -> tuple[list[LocalTime], list[Appointment]]:
        solid: list[LocalTime] = []
        loose: list[Appointment] = []
        for one in self.course.appointments:
            if self.is_solid(one):
                solid.append(one.starts)
            else:
                loose.append(one)
        return sorted(solid), loose

    @property
    def _solid(self) -> list[LocalTime]:
        return self._solid_and_loose[0]

    @property
    def _loose(self) -> list[Appointment]:
        return self._solid_and_loose[1]

    @cached_property
    def _cadence(self) -> timedelta:
        return min(frame.cadence for frame in self.course.frames)

    @cached_property
    def _early_widest(self) -> timedelta:
        """So far apart two sessions may be and no rule speaks, even in the early phase."""
        return self._cadence * min(min(one.gap_watch, one.gap_early_watch) for one in self.limits)

    @cached_property
    def _usual_widest(self) -> timedelta:
        return self._cadence * min(one.gap_watch for one in self.limits)

    @cached_property
    def longest_grace(self) -> timedelta:
        """So long a session without its mark may count as held."""
        return timedelta(hours=max(one.mark_grace_h for one in self.limits))

    @cached_property
    def _announce_days(self) -> float:
        return max(one.announce_days for one in self.limits)

    def is_wide(self, known: Course, first: LocalTime, last: LocalTime) -> bool:
        """True where two sessions are too far apart, also without the announced breaks between them."""
        announced = announced_slots(known, first, last, self._announce_days)
        return last - first - self._cadence * len(announced) > self.widest(first)

    @property
    def shortest(self) -> timedelta:
        """No nearer than that, from whichever session on."""
        return min(self._early_widest, self._usual_widest)

    def widest(self, first: LocalTime) -> timedelta:
        """So far apart two sessions from then on may be and no rule speaks."""
        is_past_it = self._established is not None and first >= self._established
        return self._usual_widest if is_past_it else self._early_widest

    @cached_property
    def _established(self) -> LocalTime | None:
        """From when the early phase is over for good, as far as one can tell: None where it may come again."""
        course, enough = self.course, max(one.early_sessions for one in self.limits)
        longest = timedelta(days=min(one.episode_gap_days for one in self.limits))
        held = [one for one in course.held_by_start if course.is_with_usual_therapist(one)]
        if course.transfers or len(held) < enough or any(b.starts - a.starts >= longest for a, b in pairwise(held)):
            return None
        return held[enough - 1].starts if enough else _EVER

    def _gap(self) -> Iterator[Look]:
        marks = self._solid
        if not marks:
            yield self.since, self.until
            return
        pairs = [(a, b) for a, b in pairwise(marks) if b > self.since and b - a > self.widest(a)]
        for first, last in [(_EVER, marks[0]), *pairs, (marks[-1], _NEVER)]:
            yield from self._around(first, last)

    def _around(self, first: LocalTime, last: LocalTime) -> Iterator[Look]:
        """A gap is seen whole once the session before it is held, while it is open until just before it closes, and
        again whenever what is known of it changes."""
        loose = [one for times, one in self._times_of_loose if any(first <= at <= last for at in times)]
        if not loose and _EVER in (first, last):
            return
        if first == _EVER or last == _NEVER:
            yield first, last
        yield max(first, self.since)
        yield last - _MOMENT
        if last > self.until:
            yield self.until
        facts = sorted({*self._facts(loose, first, last)})
        yield from facts
        # Before the first of them all was as it was booked.
        yield from (fact - _MOMENT for fact in facts[self._was_regular(loose, first, last) :])
        for one in loose:
            if one.changes or one.status in _IN_ORDER:
                yield from (at - before for at in times_of(one) for before in (_MOMENT, timedelta()))
            if one.status is Status.SCHEDULED:
                yield from self._asked_for_mark(one)

    @cached_property
    def _times_of_loose(self) -> list[tuple[set[LocalTime], Appointment]]:
        return [(set(times_of(one)), one) for one in self._loose]

    def _asked_for_mark(self, one: Appointment) -> Iterator[LocalTime]:
        """When a session without its mark ceases to count as held."""
        yield from (one.starts + timedelta(hours=limits.mark_grace_h) for limits in self.limits)

    @property
    def asked_for_marks(self) -> list[LocalTime]:
        """Of all sessions, those in the time."""
        unmarked = (one for one in self.course.appointments if one.status is Status.SCHEDULED)
        return [at for one in unmarked for at in self._asked_for_mark(one) if self.since < at <= self.until]

    def _was_regular(self, loose: Sequence[Appointment], first: LocalTime, last: LocalTime) -> bool:
        """True where, before anything was known, no two sessions of it were too far apart."""
        if any(one.slot is None or next(_starts_of(one)) != one.slot for one in loose):
            return False
        if any(one.since < last and one.until > first and one.id not in self.entered for one in self._absences):
            return False
        booked = sorted([first, *(one.expected for one in loose), last])
        return all(b - a <= self.widest(first) for a, b in pairwise(booked))

    @cached_property
    def _absences(self) -> tuple[Absence, ...]:
        return self.course.firm_absences

    def _facts(self, loose: Sequence[Appointment], first: LocalTime, last: LocalTime) -> Iterator[LocalTime]:
        for one in loose:
            yield from self._tellings(one)
        for absence in self._absences:
            if absence.since < last and absence.until > first:
                if absence.told_at:
                    yield absence.told_at
                if absence.id in self.entered:
                    yield min(self.entered[absence.id], absence.told_at or _NEVER)

    def _tellings(self, one: Appointment) -> Iterator[LocalTime]:
        yield self.known_from(one)
        yield from (change.told_at for change in one.changes if change.told_at)
        if one.told_at:
            yield one.told_at

    # The next appointment: as long as one is to come that was never in doubt, nothing is asked.

    def _next(self) -> Iterator[Look]:
        yield (self._solid[-1] if self._solid else _EVER), _NEVER

    # Counts of the last sessions: they rise only with what is counted, once it is known and its hour has come.

    def _moved(self) -> Iterator[Look]:
        return self._all() if self._has_turned else self._counted(_was_moved)

    def _notice(self) -> Iterator[Look]:
        return self._counted(lambda one: _was_moved(one) or one.is_cancelled)

    def _missed(self) -> Iterator[Look]:
        return self._counted(lambda one: one.status not in _IN_ORDER)

    def _time_frame(self) -> Iterator[Look]:
        return self._counted(
            lambda one: one.began is not None and any(is_off_time(one, limits) for limits in self.limits)
        )

    def _counted(self, is_one: Callable[[Appointment], bool]) -> Iterator[Look]:
        for one in self.course.appointments:
            # What was moved past others may break a run, or end it, without being counted itself.
            if one.changes or is_one(one):
                yield max(one.expected, self.since)
                for told in self._tellings(one):
                    yield told
                    yield told - _MOMENT

    # Shares of the last sessions: also others that are held can tip them.

    def _slot(self) -> Iterator[Look]:
        return self._all() if self._has_turned else self._windows(lambda one: one.starts != one.slot, _WINDOW)

    def _setting(self) -> Iterator[Look]:
        return self._windows(self._is_elsewhere, max(one.setting_n for one in self.limits))

    def _therapist(self) -> Iterator[Look]:
        return self._all() if self._has_turned else self._windows(self._is_with_another, _WINDOW)

    def _windows(self, is_one: Callable[[Appointment], bool], most: int) -> Iterator[Look]:
        appointments = self.course.appointments
        for place, one in enumerate(appointments):
            if is_one(one):
                held = (other.starts for other in appointments[place + 1 :] if other.is_held)
                last = next((at for n, at in enumerate(held) if n >= most), _NEVER)
                yield min([one.expected, *self._tellings(one)]), last

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

    def _breaks(self) -> Iterator[Look]:
        """A break that is not told comes nearer until it is, or until it is there."""
        for absence in self.course.firm_absences:
            if absence.kind is AbsenceKind.PAUSE or absence.until < self.since:
                continue
            if absence.told_at:
                yield absence.told_at - _MOMENT
            taken = [
                one
                for first, last, one in self._reaches
                if first < absence.until and absence.since < last and any(_reach(absence, one))
            ]
            if taken:
                yield self.until
            for one in taken:
                yield from (at - _MOMENT for at in (*times_of(one), *self._tellings(one)))

    @cached_property
    def _reaches(self) -> list[tuple[LocalTime, LocalTime, Appointment]]:
        """Each appointment between the first and the last of the times at which it was to be."""
        found = []
        for one in self.course.appointments:
            times = list(times_of(one))
            found.append((min(times), max(times) + timedelta(minutes=one.minutes), one))
        return found

    def _ending(self) -> Iterator[Look]:
        standings = self.course.standings
        if any(one.sessions_planned is not None for one in standings) or all(one.until for one in standings):
            return self._all()
        return self._none()

    def _interval(self) -> Iterator[Look]:
        is_asked = any("interval.sd" in one.asked_for for one in self.limits)
        return self._all() if is_asked else self._none()


_IN_ORDER = frozenset({Status.HELD, Status.SCHEDULED})

_FINDERS: Mapping[Rule, Callable[[Unrest], Iterator[Look]]] = {
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


def times_of(one: Appointment) -> Iterator[LocalTime]:
    """Wherever it was, or was to be."""
    yield one.expected
    yield from _starts_of(one)


def _starts_of(one: Appointment) -> Iterator[LocalTime]:
    """In the order in which it was moved, and where it ended up."""
    for change in one.changes:
        if change.what is Attribute.TIME:
            yield from (LocalTime.fromisoformat(at) for at in (change.was, change.now) if at)
    yield one.starts


def _reach(absence: Absence, one: Appointment) -> Iterator[bool]:
    """Whether it takes the appointment at any of the times at which it was to be."""
    length = timedelta(minutes=one.minutes)
    return (absence.covers(at, at + length) for at in times_of(one))
