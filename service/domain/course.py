"""One client's course of therapy: all that the signals may look at.

It comes from the store or from a course file, by the same code. Its views are worked out once, when first asked for,
so that twenty rules may look at one course in less than a millisecond.

Words
-----
*Occurrence*: an appointment that fills a standing's slot. *Session*: an appointment that was held.
*Frame*: the standings in force at the same time. *Transfer*: the frame's usual therapist changed.
*Announced*: the client was told of an absence so many days before the slot.
"""

import enum
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from operator import attrgetter

from service.domain.absences import Absence, AbsenceKind
from service.domain.appointment import Appointment, Status
from service.domain.cadence import cadence
from service.domain.hours import Hour, LocalTime, monday_of
from service.domain.standing import Modality, Standing

_HELD = Status.HELD
_SCHEDULED = Status.SCHEDULED
_STARTS, _SINCE = attrgetter("starts"), attrgetter("since")


class CourseStatus(enum.StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class Ending(enum.StrEnum):
    PLANNED = "planned"
    UNPLANNED = "unplanned"
    TRANSFERRED = "transferred"


@dataclass(frozen=True, kw_only=True)
class Override:
    """A rule's parameter set otherwise, or a rule switched off, for one clinic, therapist or course."""

    value: float | str
    reason: str
    until: date
    """The first day that it no longer holds."""
    author: str = ""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The standings in force together, from a day until the next frame begins."""

    since: date
    standings: tuple[Standing, ...]
    """Empty only in a course that has no standing at all."""
    cadence: timedelta
    """The longest nominal time between two sessions."""

    @property
    def hours(self) -> tuple[Hour, ...]:
        return tuple(hour for standing in self.standings for hour in standing.hours)


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """A standing with another therapist, after the preceding one has ended."""

    since: date
    told_at: LocalTime | None

    def is_announced(self, days: float) -> bool:
        """True where the client was told at least so many days before the first day with the new therapist."""
        return self.told_at is not None and start_of(self.since) - self.told_at >= timedelta(days=days)


@dataclass(frozen=True, kw_only=True)
class Course:
    """Standings in order of `since`, appointments in order of slot; both are put in order where they are not."""

    zone: str
    status: CourseStatus
    standings: tuple[Standing, ...]
    appointments: tuple[Appointment, ...]
    absences: tuple[Absence, ...] = ()
    same_room: bool = False
    overrides: Mapping[str, Override] = field(default_factory=dict)
    """What is agreed otherwise for this course alone."""
    layers: tuple[Mapping[str, Override], ...] = ()
    """What the clinic, and then the therapist, set otherwise for all their courses."""
    default_cadence_days: float = 7
    ending: Ending | None = None

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.appointments, key=lambda appointment: appointment.slot or appointment.starts))
        object.__setattr__(self, "appointments", ordered)
        object.__setattr__(self, "standings", tuple(sorted(self.standings, key=lambda standing: standing.since)))

    @property
    def is_active(self) -> bool:
        return self.status is CourseStatus.ACTIVE

    @property
    def is_ended(self) -> bool:
        return self.status is CourseStatus.ENDED

    @cached_property
    def is_ad_hoc(self) -> bool:
        """True where nothing is agreed to recur: only the gaps and the next appointment can be judged."""
        return not self.standings

    @cached_property
    def kept(self) -> dict[object, object]:
        """What was last worked out for one `now`, so that not every rule does it again; no part of the value."""
        return {}

    # Appointments

    @cached_property
    def expected_times(self) -> tuple[LocalTime, ...]:
        """Slots (starts where there is none), in step with `appointments`."""
        return tuple([appointment.slot or appointment.starts for appointment in self.appointments])

    def expected_until(self, now: LocalTime) -> tuple[Appointment, ...]:
        """Appointments whose slot has come: `slot <= now`."""
        return self.appointments[: bisect_right(self.expected_times, now)]

    def expected_between(self, since: LocalTime, until: LocalTime) -> tuple[Appointment, ...]:
        """Appointments whose slot lies strictly inside."""
        return self.appointments[bisect_right(self.expected_times, since) : bisect_left(self.expected_times, until)]

    @cached_property
    def held(self) -> tuple[Appointment, ...]:
        """Sessions in order of slot."""
        return tuple([appointment for appointment in self.appointments if appointment.status is _HELD])

    @cached_property
    def held_by_start(self) -> tuple[Appointment, ...]:
        """Sessions in the order in which they took place: time between sessions is measured along this."""
        return tuple(sorted(self.held, key=_STARTS))

    @cached_property
    def held_occurrences(self) -> tuple[Appointment, ...]:
        """Sessions that filled a slot, so that they can be compared with what was agreed."""
        standing_of = self._standings_by_id
        return tuple([one for one in self.held if one.slot is not None and one.standing in standing_of])

    @cached_property
    def scheduled_by_start(self) -> tuple[Appointment, ...]:
        """Booked or not yet marked, in order of start."""
        scheduled = [appointment for appointment in self.appointments if appointment.status is _SCHEDULED]
        return tuple(sorted(scheduled, key=_STARTS))

    def resolved(self, now: LocalTime) -> list[tuple[int, Appointment]]:
        """What has been decided, in order of slot, each with its place in `appointments`.

        Held, or not held and the slot has come. What is booked, or not yet marked, is not resolved.
        """
        kept = self.kept.get("resolved")
        if isinstance(kept, tuple) and kept[0] == now:
            return kept[1]  # type: ignore[no-any-return]
        found = [
            (place, one)
            for place, one in enumerate(self.appointments)
            if (status := one.status) is _HELD or (status is not _SCHEDULED and (one.slot or one.starts) <= now)
        ]
        self.kept["resolved"] = (now, found)
        return found

    # Standings

    @cached_property
    def _standings_by_id(self) -> dict[str | None, Standing]:
        return {standing.id: standing for standing in self.standings}

    def standing_of(self, appointment: Appointment) -> Standing | None:
        """What was agreed for it; None for an appointment outside any standing."""
        return self._standings_by_id.get(appointment.standing) if appointment.standing is not None else None

    @cached_property
    def frames(self) -> tuple[Frame, ...]:
        """In order of `since`. A day between two frames belongs to the earlier, one before all to the first."""
        standings = [s for s in self.standings if s.until is None or s.since < s.until]
        if not standings:
            default = timedelta(days=self.default_cadence_days)
            return (Frame(since=date.min, standings=(), cadence=default),)
        if len(standings) == 1:
            return (Frame(since=standings[0].since, standings=(standings[0],), cadence=cadence(standings)),)
        days = sorted({s.since for s in standings} | {s.until for s in standings if s.until is not None})
        in_force = ((day, tuple(s for s in standings if s.is_in_force(day))) for day in days)
        return tuple(
            Frame(since=day, standings=together, cadence=cadence(together)) for day, together in in_force if together
        )

    def frame_at(self, at: LocalTime) -> Frame:
        """The version in force at that time; the nearest earlier one where none is."""
        frames = self.frames
        if len(frames) == 1:
            return frames[0]
        return frames[max(0, bisect_right(self._frame_days, at.date()) - 1)]

    @cached_property
    def _frame_days(self) -> tuple[date, ...]:
        return tuple(frame.since for frame in self.frames)

    @cached_property
    def turning_days(self) -> tuple[date, ...]:
        """The days on which what is agreed changes."""
        return tuple(sorted({s.since for s in self.standings} | {s.until for s in self.standings if s.until}))

    # Usual therapists

    @cached_property
    def transfers(self) -> tuple[Transfer, ...]:
        """Every change of the usual therapist. Parallel standings with two therapists are none."""
        return tuple(_transfers(self.standings)) if len(self.standings) > 1 else ()

    def era_of(self, appointment: Appointment) -> int:
        """How many transfers came before what was agreed for it."""
        if not self.transfers:
            return 0
        standing = self.standing_of(appointment)
        return self.era_at(standing.since if standing else appointment.expected.date())

    def era_at(self, day: date) -> int:
        return bisect_right([transfer.since for transfer in self.transfers], day)

    @cached_property
    def _usual_therapists(self) -> tuple[frozenset[str], ...]:
        """One set for each era."""
        eras: list[set[str]] = [set() for _ in range(len(self.transfers) + 1)]
        for standing in self.standings:
            eras[self.era_at(standing.since)].update(standing.therapists)
        return tuple(frozenset(era) for era in eras)

    def usual_therapists(self, era: int) -> frozenset[str]:
        """Everybody who is agreed as therapist in the time between two transfers; empty where nothing is agreed."""
        return self._usual_therapists[era]

    def is_with_usual_therapist(self, appointment: Appointment) -> bool:
        usual = self._usual_therapists[self.era_of(appointment) if self.transfers else 0]
        return not usual or appointment.therapist in usual

    @cached_property
    def held_with_before(self) -> tuple[int, ...]:
        """In step with `appointments`: sessions held before it with the usual therapist of its own era.

        A long gap does not restart this count (the index asks for it so); covers do not add to it.
        """
        counts = [0] * (len(self.transfers) + 1)
        before = []
        for appointment in self.appointments:
            era = self.era_of(appointment)
            before.append(counts[era])
            if appointment.status is _HELD and appointment.therapist in (
                self._usual_therapists[era] or (appointment.therapist,)
            ):
                counts[era] += 1
        return tuple(before)

    def modality_agreed_for(self, appointment: Appointment, standing: Standing) -> Modality:
        """The standing's modality, or the one whose turn it is in an agreed hybrid pattern."""
        if not standing.hybrid or appointment.slot is None:
            return standing.modality
        return standing.hybrid[place_in_pattern(standing, appointment.slot) % len(standing.hybrid)]

    # Absences

    @cached_property
    def firm_absences(self) -> tuple[Absence, ...]:
        """Approved ones, in order of beginning: what is only asked for alarms nobody."""
        firm = [absence for absence in self.absences if not absence.tentative]
        return tuple(sorted(firm, key=_SINCE))

    def absences_at(self, appointment: Appointment, *, tentative_too: bool = False) -> Iterator[Absence]:
        """The absences because of which a booking can't take place at its present start."""
        absences = self.absences if tentative_too else self.firm_absences
        starts, ends = appointment.starts, appointment.ends
        for absence in absences:
            if absence.covers(starts, ends) and absence.concerns(
                therapist=appointment.therapist, room=appointment.room
            ):
                yield absence

    def is_lost(self, appointment: Appointment, *, tentative_too: bool = False) -> bool:
        """True for a booking that can't take place because somebody or some place is known to be away."""
        if not self.absences:
            return False
        starts, ends = appointment.starts, appointment.ends
        # A look back asks this of every appointment: hence no generator, and no call for what is at another time.
        for absence in self.absences if tentative_too else self.firm_absences:
            if (
                absence.since < ends
                and starts < absence.until
                and absence.concerns(therapist=appointment.therapist, room=appointment.room)
            ):
                return True
        return False

    def absences_over(self, appointment: Appointment) -> Iterator[Absence]:
        """The absences that cover the slot it was to fill, as it was agreed."""
        standing = self.standing_of(appointment)
        therapist = standing.therapist if standing else appointment.therapist
        room = standing.room if standing else appointment.room
        slot = appointment.expected
        ends = slot + timedelta(minutes=appointment.minutes)
        for absence in self.firm_absences:
            if absence.covers(slot, ends) and absence.concerns(therapist=therapist, room=room):
                yield absence

    def is_announced(self, appointment: Appointment, days: float) -> bool:
        """True for an absence that the client knew of at least so many days before the slot.

        They were told of the appointment itself or of an absence that covers its slot; a pause is agreed with them.
        """
        if appointment.status is _HELD:
            return False
        slot = appointment.expected
        if appointment.status is not _SCHEDULED and is_told_before(slot, appointment.told_at, days):
            return True
        if not self.absences:
            return False
        if appointment.status is _SCHEDULED and not self.is_lost(appointment):
            return False
        return any(is_announcing(absence, slot, days) for absence in self.absences_over(appointment))


def is_told_before(slot: LocalTime, told_at: LocalTime | None, days: float) -> bool:
    return told_at is not None and slot - told_at >= timedelta(days=days)


def is_announcing(absence: Absence, slot: LocalTime, days: float) -> bool:
    """True where the client knew of the absence so many days before the slot, or agreed to it as a pause."""
    return absence.kind is AbsenceKind.PAUSE or is_told_before(slot, absence.told_at, days)


def start_of(day: date) -> LocalTime:
    return datetime.combine(day, time())


def place_in_pattern(standing: Standing, slot: LocalTime) -> int:
    """How many slots the standing expected before that one."""
    first_week = monday_of(standing.since)
    weeks = (monday_of(slot.date()) - first_week).days // 7 // standing.every_weeks
    minute = (slot - start_of(monday_of(slot.date()))) // timedelta(minutes=1)
    earlier_this_week = sum(hour.minute_of_week < minute for hour in standing.hours)
    never_expected = sum(hour.on(standing.since).date() < standing.since for hour in standing.hours)
    return weeks * len(standing.hours) + earlier_this_week - never_expected


def _transfers(standings: tuple[Standing, ...]) -> Iterator[Transfer]:
    for standing in standings:
        if standing.until == standing.since:
            continue
        earlier = [s for s in standings if s.since < standing.since and s.until != s.since]
        if not earlier or any(s.until is None or s.until > standing.since for s in earlier):
            continue
        last_day = max(s.until for s in earlier if s.until is not None)
        preceding = {therapist for s in earlier if s.until == last_day for therapist in s.therapists}
        together = [s for s in standings if s.since == standing.since]
        if standing is together[0] and preceding.isdisjoint(t for s in together for t in s.therapists):
            yield Transfer(since=standing.since, told_at=standing.change_told_at)
