"""Time between sessions, in local wall time, less the slots of announced breaks.

`g` is the time from one session's start to the next one's (or to now), `m_a` the number of standing slots strictly
inside that are announced absences, `C` the cadence of the frame in force at the end: `g_adj = g - C · m_a` and
`ρ = g_adj / C`. Sessions are taken in the order in which they took place: in order of slot, a session moved past the
next one would make an interval negative.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from itertools import pairwise

from service.domain.absences import Absence, AbsenceKind
from service.domain.appointment import Appointment, Status
from service.domain.course import Course, is_announcing
from service.domain.hours import LocalTime
from service.domain.limits import Limits
from service.domain.recurrence import slots
from service.domain.signals.signal import Cause, Level
from service.domain.standing import Standing

INSTANT_LATER = timedelta(microseconds=1)
"""Ratios are compared strictly: what is exactly at a threshold passes it the next microsecond."""


_TAKING_PLACE = frozenset({Status.HELD, Status.SCHEDULED})


@dataclass(frozen=True, kw_only=True)
class Gap:
    """The time between a session and the next, which may be still ahead, or not booked at all."""

    course: Course
    limits: Limits
    first: Appointment
    next: Appointment | None
    """None while nothing follows: the gap is open until now."""
    until: LocalTime
    held_with: int
    """Sessions held with the usual therapist when it ends."""

    @property
    def since(self) -> LocalTime:
        return self.first.starts

    @property
    def length(self) -> timedelta:
        return self.until - self.first.starts

    @cached_property
    def cadence(self) -> timedelta:
        nominal = self.course.frame_at(self.until).cadence
        if "tapering" not in self.limits.presets:
            return nominal
        return max([nominal, *_planned(self.course, self.first, self.next)])

    @cached_property
    def announced(self) -> tuple[LocalTime, ...]:
        """The slots strictly inside that are announced absences: m_a of them."""
        return announced_slots(self.course, self.since, self.until, self.limits.announce_days)

    @property
    def adjusted(self) -> timedelta:
        return self.length - self.cadence * len(self.announced)

    @property
    def ratio(self) -> float:
        return self.adjusted / self.cadence

    @property
    def is_early(self) -> bool:
        return self.held_with < self.limits.early_sessions

    @property
    def steps(self) -> tuple[float, float]:
        """The ratios above which it is `watch` and `act`."""
        return self._steps_of(self.limits)

    def _steps_of(self, limits: Limits) -> tuple[float, float]:
        if self.is_early:
            return limits.gap_early_watch, limits.gap_early_act
        return limits.gap_watch, limits.gap_act

    @cached_property
    def level(self) -> Level | None:
        return self._level_with(self.limits)

    def is_told_alike(self, others: Limits) -> bool:
        """True where it has the same level, and the same slots are announced, if it is held to others."""
        watch, _ = self._steps_of(others)
        if self.level is None and self.length <= self.cadence * watch:
            return True
        if self.announced != announced_slots(self.course, self.since, self.until, others.announce_days):
            return False
        return self.level is self._level_with(others)

    def _level_with(self, limits: Limits) -> Level | None:
        watch, act = self._steps_of(limits)
        if self.length <= self.cadence * watch:
            return None  # announced slots only shorten it, so they need not be looked for
        adjusted = self.adjusted
        if adjusted > self.cadence * act:
            return Level.ACT
        return Level.WATCH if adjusted > self.cadence * watch else None

    @property
    def turns(self) -> Iterator[LocalTime]:
        """When an open gap would pass its steps, if nothing happens until then."""
        for step in self.steps:
            yield self.since + self.cadence * len(self.announced) + self.cadence * step + INSTANT_LATER

    @cached_property
    def causes(self) -> tuple[Cause, ...]:
        return tuple(_causes(self.course, self.since, self.until))


def is_taken_as_held(appointment: Appointment, limits: Limits, now: LocalTime) -> bool:
    """True for a past session that nobody has marked yet, while it is early to ask."""
    return appointment.status is Status.SCHEDULED and appointment.starts <= now < appointment.starts + timedelta(
        hours=limits.mark_grace_h
    )


@dataclass(frozen=True, kw_only=True)
class Spacing:
    """The sessions of a course along time, as of now: behind, open, ahead. Ask for it with `of`."""

    course: Course
    limits: Limits
    now: LocalTime

    @cached_property
    def sessions(self) -> Sequence[Appointment]:
        """Held, or taken as held, by now: in the order in which they took place."""
        held = self.course.held_by_start
        if held and held[-1].starts > self.now:
            held = tuple(one for one in held if one.starts <= self.now)
        past = self.course.scheduled_by_start
        if not past or past[0].starts > self.now:
            return held
        unmarked = [one for one in past if is_taken_as_held(one, self.limits, self.now)]
        return sorted([*held, *unmarked], key=lambda one: one.starts) if unmarked else held

    @property
    def last(self) -> Appointment | None:
        return self.sessions[-1] if self.sessions else None

    @cached_property
    def to_come(self) -> list[Appointment]:
        """Booked after now, whether or not they can take place."""
        return [one for one in self.course.scheduled_by_start if one.starts > self.now]

    @cached_property
    def _counts(self) -> list[int]:
        return held_with_after(self.course, self.limits, self.sessions)

    def closed(self, *, last: int) -> list[Gap]:
        """Past gaps that were over a threshold, oldest first; of the last so many intervals."""
        sessions, limits = self.sessions, self.limits
        skipped = max(0, len(sessions) - 1 - last)
        shortest = self.never_over(limits)
        long_ones = [
            k for k, (a, b) in enumerate(pairwise(sessions[skipped:]), skipped) if b.starts - a.starts > shortest
        ]
        gaps = (self._gap(sessions[k], sessions[k + 1], self._counts[k]) for k in long_ones)
        return [gap for gap in gaps if gap.level]

    @cached_property
    def open(self) -> Gap | None:
        """From the last session until now."""
        last, course = self.last, self.course
        if last is None:
            return None
        is_new = course.transfers and course.era_at(self.now.date()) != course.era_of(last)
        held_with = 0 if is_new else self._counts[-1]
        return Gap(course=course, limits=self.limits, first=last, next=None, until=self.now, held_with=held_with)

    def never_over(self, limits: Limits) -> timedelta:
        """So short a time is over no step of these limits, whichever version is in force."""
        cadence = min(frame.cadence for frame in self.course.frames)
        return cadence * min(limits.gap_watch, limits.gap_early_watch)

    @cached_property
    def ahead(self) -> list[Gap]:
        """From the last session to the next booking that can take place, and so on, within the horizon."""
        return list(self._ahead(self._bookings, longer_than=timedelta(-1)))

    @cached_property
    def long_ahead(self) -> list[Gap]:
        """Those of them that may be over a step."""
        return self.ahead_longer_than(self.never_over(self.limits))

    def ahead_longer_than(self, length: timedelta) -> list[Gap]:
        return list(self._ahead(self._bookings, longer_than=length))

    @cached_property
    def long_ahead_if_approved(self) -> list[Gap]:
        """The same, if every leave that is asked for comes about."""
        bookings = [one for one in self._within if not self.course.is_lost(one, tentative_too=True)]
        return list(self._ahead(bookings, longer_than=self.never_over(self.limits)))

    @property
    def following(self) -> LocalTime | None:
        """The next booking that can take place, within the horizon."""
        return self._bookings[0].starts if self._bookings else None

    @cached_property
    def _bookings(self) -> list[Appointment]:
        return [one for one in self._within if not self.course.is_lost(one)]

    @property
    def _within(self) -> Iterator[Appointment]:
        horizon = self.now + timedelta(days=self.limits.horizon_days)
        return (one for one in self.to_come if one.starts <= horizon)

    def _ahead(self, bookings: Sequence[Appointment], *, longer_than: timedelta) -> Iterator[Gap]:
        count = self._counts[-1] if self.sessions else 1
        for one, other in pairwise([*self.sessions[-1:], *bookings]):
            if other.starts - one.starts > longer_than:
                yield self._gap(one, other, count)
            count = self._after(one, other, count)

    def _gap(self, one: Appointment, other: Appointment, count: int) -> Gap:
        if self._is_transferred(one, other):
            count = 0
        return Gap(course=self.course, limits=self.limits, first=one, next=other, until=other.starts, held_with=count)

    @cached_property
    def _longest_in_episode(self) -> timedelta:
        return timedelta(days=self.limits.episode_gap_days)

    def _after(self, one: Appointment, other: Appointment, count: int) -> int:
        """The count after a booking that is taken as if it will be held, whoever is booked for it."""
        is_new_episode = other.starts - one.starts >= self._longest_in_episode
        return 1 if is_new_episode or self._is_transferred(one, other) else count + 1

    def _is_transferred(self, one: Appointment, other: Appointment) -> bool:
        course = self.course
        return bool(course.transfers) and course.era_of(one) != course.era_of(other)


def of(course: Course, limits: Limits, now: LocalTime) -> Spacing:
    """The spacing as of now; one is kept with the course, since several rules ask for the same."""
    kept = course.kept.get("spacing")
    if isinstance(kept, Spacing) and kept.limits is limits and kept.now == now:
        return kept
    made = Spacing(course=course, limits=limits, now=now)
    course.kept["spacing"] = made
    return made


def held_with_after(course: Course, limits: Limits, sessions: Sequence[Appointment]) -> list[int]:
    """For each session, how many were then held with its usual therapist in its episode, itself included."""
    longest = timedelta(days=limits.episode_gap_days)
    has_transfers = bool(course.transfers)
    counts: list[int] = []
    count, era, before = 0, 0, None
    usual = course.usual_therapists(era)
    for session in sessions:
        starts = session.starts
        if before is not None and starts - before >= longest:
            count = 0
        if has_transfers and (its_era := course.era_of(session)) != era:
            count, era, usual = 0, its_era, course.usual_therapists(its_era)
        if not usual or session.therapist in usual:
            count += 1
        counts.append(count)
        before = starts
    return counts


def held_with_at(course: Course, limits: Limits, appointment: Appointment) -> int:
    """Sessions held before its slot with the usual therapist, in the episode that then runs."""
    earlier = [one for one in course.held_by_start if one.expected < appointment.expected]
    if not earlier or course.era_of(earlier[-1]) != course.era_of(appointment):
        return 0
    return held_with_after(course, limits, earlier)[-1]


def announced_slots(course: Course, since: LocalTime, until: LocalTime, days: float) -> tuple[LocalTime, ...]:
    """Standing slots strictly inside that are announced absences, with or without an appointment."""
    asked = "announced", since, until, days
    kept = course.kept.get(asked)
    if isinstance(kept, tuple):
        return kept
    found = tuple(sorted(_announced_slots(course, since, until, days)))
    course.kept[asked] = found
    return found


def _announced_slots(course: Course, since: LocalTime, until: LocalTime, days: float) -> list[LocalTime]:
    between = course.expected_between(since, until)
    inside = [one for one in between if one.slot is not None]
    found = [one.expected for one in inside if course.is_announced(one, days)]
    # One that nobody was told of announces nothing, wherever its slots are.
    telling = [one for one in course.firm_absences if one.told_at is not None or one.kind is AbsenceKind.PAUSE]
    if telling:
        known = {(one.standing, one.slot) for one in between}
        found += {
            slot
            for slot, standing, absence in _slots_away(course, telling, since, until)
            if is_announcing(absence, slot, days) and (standing.id, slot) not in known
        }
    return found


def slots_to_come(course: Course, limits: Limits, now: LocalTime) -> Iterator[LocalTime]:
    """When a slot without an appointment that an absence covers falls behind us, and so counts into an open gap."""
    within = now + timedelta(days=limits.horizon_days)
    yield within
    for slot, _, _ in _slots_away(course, course.firm_absences, now - INSTANT_LATER, within):
        yield slot + INSTANT_LATER


def _slots_away(
    course: Course, absences: Iterable[Absence], since: LocalTime, until: LocalTime
) -> Iterator[tuple[LocalTime, Standing, Absence]]:
    """Slots of the pattern, strictly inside, that one of the absences covers."""
    for absence in absences:
        if absence.until <= since or absence.since >= until:
            continue
        for standing in course.standings:
            if not absence.concerns(therapist=standing.therapist, room=standing.room):
                continue
            length = timedelta(minutes=standing.minutes)
            earliest = max(since + INSTANT_LATER, absence.since - length + INSTANT_LATER)
            for slot in slots(standing, since=earliest, until=min(until, absence.until)):
                yield slot, standing, absence


def _causes(course: Course, since: LocalTime, until: LocalTime) -> Iterator[Cause]:
    """Why the slots strictly inside are without a session, in order of slot."""
    inside = course.expected_between(since, until)
    known = {(one.standing, one.slot) for one in inside}
    found = [_cause_of(course, one, since, until) for one in inside if one.slot is not None]
    for slot, standing, absence in _slots_away(course, course.firm_absences, since, until):
        if (standing.id, slot) not in known:
            known.add((standing.id, slot))
            found.append(away(slot, absence))
    yield from sorted((cause for cause in found if cause is not None), key=lambda cause: cause.slot)


def _cause_of(course: Course, appointment: Appointment, since: LocalTime, until: LocalTime) -> Cause | None:
    slot = appointment.expected
    if appointment.status in _TAKING_PLACE:
        absence = None if appointment.is_held else next(course.absences_at(appointment), None)
        if absence:
            return away(slot, absence)
        if appointment.starts >= until:
            return Cause(slot=slot, why="moved")
        is_unmarked = appointment.status is Status.SCHEDULED and appointment.starts > since
        return Cause(slot=slot, why="unmarked") if is_unmarked else None
    absence = next(course.absences_over(appointment), None)
    if absence and appointment.status is not Status.CLIENT_CANCELLED:
        told = min(filter(None, (absence.told_at, appointment.told_at)), default=None)
        return away(slot, absence, told)
    return Cause(slot=slot, why=appointment.status.value, told_at=appointment.told_at)


def away(slot: LocalTime, absence: Absence, told_at: LocalTime | None = None) -> Cause:
    return Cause(
        slot=slot,
        why=absence.kind.value,
        since=absence.since,
        until=absence.until,
        told_at=told_at or absence.told_at,
        name=absence.name,
    )


def _planned(course: Course, first: Appointment, following: Appointment | None) -> list[timedelta]:
    """The times between neighbouring slots as planned, from the first session's to the following one's."""
    places = course.appointments
    since = places.index(first)
    until = places.index(following) if following is not None else since + 1
    return [other - one for one, other in pairwise(course.expected_times[since : until + 1])]
