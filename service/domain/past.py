"""A course as it was known at any time before.

Before a session began it was booked; before a cancellation or a move was told or recorded there was none; a pause or an
end had not come yet. A look back asks for this many times of each course, so what stays is worked out once.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property

from service.domain.absences import Absence, AbsenceKind
from service.domain.appointment import Appointment, Attribute, Status
from service.domain.course import Course, CourseStatus, start_of
from service.domain.hours import LocalTime
from service.domain.standing import Standing
from service.domain.unrest import times_of

BEHIND = 12
"""So many sessions before the time are enough for every rule to know where a course stands, unless more are agreed."""
EVER, NEVER = datetime(1, 1, 2), datetime(9999, 1, 1)
_new = object.__new__


@dataclass(frozen=True, kw_only=True)
class Records:
    """When facts were put on record that the course itself does not date; local times of its zone."""

    cancelled: Mapping[str, LocalTime] = field(default_factory=dict)
    """By appointment."""
    entered: Mapping[str, LocalTime] = field(default_factory=dict)
    """By absence."""
    ended_on: date | None = None
    """Of an ended course, the first day without an hour."""


NOTHING = Records()


def cut(course: Course, since: LocalTime, until: LocalTime, *, behind: int = BEHIND) -> Course:
    """The course with no more behind and ahead than the rules can see."""
    first = 0
    # An end by number counts every session there ever was.
    if not any(standing.sessions_planned for standing in course.standings):
        first = _far_enough(_places_held(course), bisect_left(course.expected_times, since), behind)
    last = _next_sure(course, bisect_right(course.expected_times, until))
    appointments = course.appointments[first:last]
    earliest = min((one.starts for one in appointments), default=since)
    within = [one for one in course.absences if earliest < one.until and one.since < until]
    weekdays = _weekdays(course.standings, appointments)
    return replace(
        course, appointments=appointments, absences=tuple(one for one in within if _could_take(one, weekdays))
    )


def _places_held(course: Course) -> list[int]:
    return [place for place, one in enumerate(course.appointments) if one.status is Status.HELD]


def _far_enough(places_held: Sequence[int], place: int, behind: int) -> int:
    """So far before that place that enough that were held lie between, and so enough occurrences."""
    held = bisect_left(places_held, place)
    return places_held[held - behind] if held >= behind else 0


def _next_sure(course: Course, place: int) -> int:
    """The place after the next that was never in doubt: without it, nothing would seem to be booked any more."""
    appointments = course.appointments
    for at in range(place, len(appointments)):
        one = appointments[at]
        if one.status in _TO_TAKE_PLACE and not one.changes and not course.is_lost(one):
            return at + 1
    return len(appointments)


def _could_take(absence: Absence, weekdays: set[int]) -> bool:
    """False for a public holiday on a day on which the client never comes, and its like."""
    days = (absence.until - absence.since) // timedelta(days=1) + 2
    if days > 7 or absence.kind is AbsenceKind.PAUSE:
        return True
    first = absence.since.weekday() - 1
    return any((first + n) % 7 in weekdays for n in range(days + 1))


def _weekdays(standings: Iterable[Standing], appointments: Iterable[Appointment]) -> set[int]:
    """On which the client ever comes, or was to come."""
    agreed = {hour.day.value for standing in standings for hour in standing.hours}
    elsewhere = (one for one in appointments if one.changes or one.slot is None)
    return agreed | {at.weekday() for one in elsewhere for at in times_of(one)}


class Past:
    """The course as it was known at any time."""

    def __init__(self, course: Course, records: Records, *, horizon: timedelta | None, behind: int = BEHIND) -> None:
        self.course, self._records, self._behind = course, records, behind
        self._ahead = horizon
        self._sees_all = horizon is None or any(one.sessions_planned or one.until for one in course.standings)
        self._places_held = _places_held(course)
        self._pauses = [one for one in course.absences if one.kind is AbsenceKind.PAUSE]
        self._firm = [(self.entered_at(one), one) for one in course.firm_absences]
        self._entries = [_Entry(one, self) for one in course.appointments]
        # What fills no slot stands where it starts, which a move may have changed.
        self._is_in_order = not any(one.slot is None and one.changes for one in course.appointments)
        told = (one.told_at for one in course.absences if one.told_at is not None)
        self._news = sorted({*told, *(self.entered_at(one) for one in course.absences)})
        self._stages: dict[int, Mapping[str, object]] = {}

    @cached_property
    def facts_of_sessions(self) -> set[LocalTime]:
        """When something about an appointment became known or took place, or what was agreed changed."""
        found: set[LocalTime] = set()
        for entry, one in zip(self._entries, self.course.appointments, strict=True):
            found.update((one.expected, one.starts, entry.first, entry.last))
            if one.changes or one.told_at:
                found.update(self._told(one))
        for standing in self.course.standings:
            found.update(start_of(day) for day in (standing.since, standing.until) if day)
        return found

    @property
    def facts_of_absences(self) -> Iterator[LocalTime]:
        for absence in self.course.absences:
            yield from (at for at in (absence.told_at, self._records.entered.get(absence.id)) if at)
            yield from (absence.since, absence.until)

    def _told(self, one: Appointment) -> Iterator[LocalTime]:
        if one.told_at:
            yield one.told_at
        for change in one.changes:
            if change.told_at:
                yield change.told_at
            if change.what is Attribute.TIME and change.was:
                yield LocalTime.fromisoformat(change.was)

    def known_from(self, one: Appointment) -> LocalTime:
        """When its status could be known: a cancellation as soon as it was told or recorded, a mark at its start."""
        if not one.is_cancelled:
            return one.starts
        found = [at for at in (one.told_at, self._records.cancelled.get(one.id)) if at]
        return min([*found, one.starts])

    def lost_from(self, one: Appointment) -> LocalTime:
        """From when it was known that it can't take place; `NEVER` where that never was."""
        found, starts, ends = NEVER, one.starts, one.ends
        for entered, absence in self._firm:
            if (
                absence.since < ends
                and starts < absence.until
                and entered < found
                and absence.concerns(therapist=one.therapist, room=one.room)
            ):
                found = entered
        return found

    def sight(self, now: LocalTime) -> slice:
        """The places of the appointments that the rules could look at then."""
        if self._sees_all or self._ahead is None:
            return slice(0, len(self._entries))
        times = self.course.expected_times
        first = _far_enough(self._places_held, bisect_left(times, now), self._behind)
        return slice(first, _next_sure(self.course, bisect_right(times, now + self._ahead)))

    def entries(self, sight: slice, now: LocalTime) -> list["State"]:
        """These appointments, as they were known then."""
        return [entry.final if entry.last <= now else entry.state(now, self) for entry in self._entries[sight]]

    def known(self, sight: slice, entries: Sequence["State"], now: LocalTime) -> Course:
        """The course as it was known then."""
        appointments = tuple([one for one, _ in entries])
        if not self._is_in_order:
            known = replace(self.course, appointments=appointments)
            expected_times = known.expected_times
            appointments = known.appointments
        else:
            expected_times = self.course.expected_times[sight]
        known = _new(Course)
        # All but two fields are as at other looks: to make a course anew takes longer than to ask most rules.
        known.__dict__.update(self._stage(now))
        known.__dict__.update(status=self._status(now), appointments=appointments, expected_times=expected_times)
        return known

    def _stage(self, now: LocalTime) -> Mapping[str, object]:
        """A course with the absences that were known then, and what can be seen without its appointments."""
        passed = bisect_right(self._news, now)
        if passed not in self._stages:
            made = replace(self.course, appointments=(), absences=self._absences(now))
            views = {name: getattr(self.course, name) for name in _OF_STANDINGS}
            self._stages[passed] = {**vars(made), **views, "firm_absences": made.firm_absences}
        return self._stages[passed]

    def before(self, one: Appointment, now: LocalTime) -> Appointment:
        """As it was known then: changes told later had not been made, and it was booked until its status was known."""
        hidden = [change for change in one.changes if change.told_at is not None and change.told_at > now]
        changes: dict[str, object] = {}
        if hidden:
            changes = dict(change.undone for change in reversed(hidden))
            changes["changes"] = tuple(change for change in one.changes if change not in hidden)
        if one.status is not Status.SCHEDULED and self.known_from(one) > now:
            changes.update(status=Status.SCHEDULED, by=None, told_at=None, began=None, finished=None, late_by=None)
        elif one.told_at is not None and one.told_at > now:
            changes["told_at"] = None
        known = _new(Appointment)
        known.__dict__.update(one.__dict__, **changes)
        return known

    def _absences(self, now: LocalTime) -> tuple[Absence, ...]:
        return tuple(self._absence(one, now) for one in self.course.absences if self._is_entered(one, now))

    def _is_entered(self, one: Absence, now: LocalTime) -> bool:
        return self.entered_at(one) <= now

    def entered_at(self, one: Absence) -> LocalTime:
        """When it was put on record, or told; `EVER` where nothing says."""
        entered = self._records.entered.get(one.id)
        return EVER if entered is None else min(entered, one.told_at or entered)

    @staticmethod
    def _absence(one: Absence, now: LocalTime) -> Absence:
        return replace(one, told_at=None) if one.told_at is not None and one.told_at > now else one

    def _status(self, now: LocalTime) -> CourseStatus:
        course, ended_on = self.course, self._records.ended_on
        if course.is_ended and (ended_on is None or start_of(ended_on) <= now):
            return CourseStatus.ENDED
        is_resting = any(one.since <= now < one.until for one in self._pauses)
        return CourseStatus.PAUSED if is_resting else CourseStatus.ACTIVE


State = tuple[Appointment, LocalTime]
"""An appointment as it was known, and from when it was known to be lost to an absence."""


class _Entry:
    """One appointment with what was known of it, and from when: each worked out once."""

    __slots__ = ("_one", "_states", "_times", "final", "first", "last")

    def __init__(self, one: Appointment, past: Past) -> None:
        known = [past.known_from(one)] if one.status is not Status.SCHEDULED else []
        if one.changes:
            known += [change.told_at for change in one.changes if change.told_at]
        if one.told_at:
            known.append(one.told_at)
        self._one = one
        self.final = _with_loss(one, past)
        """As we know it now."""
        self._times = sorted(known) if len(known) > 1 else known
        self._states: dict[int, State] = {}
        self.first, self.last = (self._times[0], self._times[-1]) if known else (EVER, EVER)
        """Until when it was as first booked, and from when it is as we know it now."""

    def state(self, now: LocalTime, past: Past) -> State:
        """As it was known then."""
        passed = bisect_right(self._times, now)
        if passed == len(self._times):
            return self.final
        if passed not in self._states:
            self._states[passed] = _with_loss(past.before(self._one, now), past)
        return self._states[passed]


def _with_loss(one: Appointment, past: Past) -> State:
    return one, past.lost_from(one) if one.status is Status.SCHEDULED else NEVER


_TO_TAKE_PLACE = frozenset({Status.SCHEDULED, Status.HELD})
_OF_STANDINGS = ("frames", "_frame_days", "transfers", "_usual_therapists", "_standings_by_id", "turning_days")
