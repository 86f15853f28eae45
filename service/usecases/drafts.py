"""A proposed arrangement on its way to rows: every slot of it, what stands in its way, and what was chosen for it.

Steps for the use-cases of standings; none opens a transaction.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy.orm import Session

from service.domain.appointment import Appointment, Initiator, Status
from service.domain.hours import Hour, LocalTime, local_time
from service.domain.phrase import Moment, say
from service.domain.recurrence import slots
from service.domain.refusals import Conflict, Malformed
from service.domain.standing import Modality, Standing
from service.store import appointments, bookings, occupancies
from service.store.appointments import AppointmentRow
from service.store.base import new_public_id
from service.store.courses import CourseRow
from service.store.people import Directory
from service.store.standings import StandingRow
from service.usecases import steps

PAUSE = "pause"
"""The reason an hour carries that rests with its course; others, skipped by agreement, don't come back with it."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """An arrangement as somebody wishes it: what a standing will say, by public ids."""

    therapist: str
    hours: tuple[Hour, ...]
    since: date
    until: date | None = None
    every_weeks: int = 1
    minutes: int = 50
    room: str | None = None
    modality: Modality = Modality.IN_PERSON
    sessions_planned: int | None = None


class Do(enum.StrEnum):
    """What to do about one date of a proposal."""

    SKIP = "skip"
    MOVE = "move"
    OTHER_ROOM = "other_room"
    OVERRIDE = "override"
    """Book it although something other than a clash speaks against it; with a reason."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A person's decision about one slot."""

    do: Do
    starts: LocalTime | None = None
    room: str | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        if self.do is Do.MOVE and self.starts is None:
            raise Malformed(say("To move a date, say to when."), where="choices.starts")
        if self.do is Do.OTHER_ROOM and self.room is None:
            raise Malformed(say("For another room, say which."), where="choices.room")
        if self.do is Do.OVERRIDE and not (self.reason or "").strip():
            raise Malformed(say("To book it all the same, say why."), where="choices.reason")


Choices = Mapping[LocalTime, Choice]


class CannotAgreeOn(Conflict):
    """No date is left: every slot is lost or skipped."""


@dataclass(kw_only=True)
class Draft:
    """One slot on its way to a row."""

    slot: LocalTime
    row: AppointmentRow
    doubts: tuple[steps.Doubt, ...]
    choice: Choice | None
    is_lost: bool

    @property
    def needs_reason(self) -> bool:
        return bool(self.doubts) and not self.is_lost and (self.choice is None or self.choice.do is not Do.OVERRIDE)


def standing_of(proposal: Proposal, *, zone: str) -> Standing:
    return Standing(
        id=new_public_id(),
        therapist=proposal.therapist,
        room=proposal.room,
        modality=proposal.modality,
        hours=tuple(sorted(proposal.hours)),
        every_weeks=proposal.every_weeks,
        minutes=proposal.minutes,
        zone=zone,
        since=proposal.since,
        until=proposal.until,
        sessions_planned=proposal.sessions_planned,
    )


def horizon_end(standing: Standing, horizon: timedelta, now: datetime) -> date:
    reach = (local_time(now, standing.zone) + horizon).date()
    # An arrangement that begins beyond the horizon still shows its first weeks.
    reach = max(reach, standing.since + timedelta(weeks=4))
    return min(reach, standing.until) if standing.until else reach


def draft(
    db: Session,
    course: CourseRow,
    standing: Standing,
    people: Directory,
    *,
    since: date | None = None,
    until: date,
    choices: Choices,
    now: datetime,
    is_told: bool,
) -> list[Draft]:
    """Every slot until the day, as the row it would become."""
    first = datetime.combine(since or standing.since, time())
    last = datetime.combine(until, time())
    therapist_id = people.therapist(standing.therapist).id
    known = steps.Known.of(db, therapist_id, since=first - timedelta(days=8), until=last + timedelta(days=8))
    wanted = list(slots(standing, since=first, until=last))
    if unknown := set(choices) - set(wanted):
        raise Malformed(
            say("There is no slot at {odd} in this arrangement.", odd=Moment(min(unknown))), where="choices"
        )
    return [
        _draft_one(
            db, course, standing, people, slot=slot, choice=choices.get(slot), known=known, now=now, is_told=is_told
        )
        for slot in wanted
    ]


def _draft_one(
    db: Session,
    course: CourseRow,
    standing: Standing,
    people: Directory,
    *,
    slot: LocalTime,
    choice: Choice | None,
    known: steps.Known,
    now: datetime,
    is_told: bool,
) -> Draft:
    value = Appointment(
        id=new_public_id(),
        standing=standing.id,
        slot=slot,
        starts=choice.starts if choice and choice.starts else slot,
        minutes=standing.minutes,
        zone=standing.zone,
        therapist=standing.therapist,
        room=choice.room if choice and choice.room else standing.room,
        modality=standing.modality,
    )
    row = appointments.new_row(value, people, course_id=course.id, standing_id=None, now=now)
    row.ending_session, row.keeps_hour = False, False
    found = tuple(steps.doubts(db, row, course, people, known=known))
    draft = Draft(slot=slot, row=row, doubts=found, choice=choice, is_lost=False)
    _lose(draft, course, known, now=now if is_told else None)
    return draft


def _lose(draft: Draft, course: CourseRow, known: steps.Known, *, now: datetime | None) -> None:
    """Make it a visible break where it is skipped, or where an absence takes it and nobody chose otherwise."""
    if draft.choice is not None and draft.choice.do is Do.SKIP:
        draft.row.status, draft.row.by, draft.row.reason = Status.BREAK.value, Initiator.MUTUAL.value, "agreed"
    elif (draft.choice is None or draft.choice.do is not Do.OVERRIDE) and (
        absence := steps.lost_to(draft.row, course, known)
    ):
        draft.row.status, draft.row.by = Status.BREAK.value, Initiator.CLINIC.value
        draft.row.reason = "holiday" if absence.kind == "holiday" else "other"
        if absence.kind == "pause":
            draft.row.by, draft.row.reason, draft.row.keeps_hour = Initiator.MUTUAL.value, PAUSE, absence.keeps_hour
    else:
        return
    draft.is_lost, draft.row.told_at = True, now


def row_of(draft: Draft, standing: StandingRow) -> AppointmentRow:
    draft.row.standing_id, draft.row.slot = standing.id, draft.slot
    return draft.row


def write(
    db: Session,
    course: CourseRow,
    row: StandingRow,
    standing: Standing,
    people: Directory,
    *,
    choices: Choices,
    horizon: timedelta,
    is_told: bool,
    now: datetime,
) -> list[AppointmentRow]:
    until = horizon_end(standing, horizon, now)
    with db.no_autoflush:
        drafts = draft(db, course, standing, people, until=until, choices=choices, now=now, is_told=is_told)
    if not drafts:
        raise CannotAgreeOn(say("There is no date in this arrangement: it ends before its first hour."))
    unreasoned = [doubt for draft in drafts if draft.needs_reason for doubt in draft.doubts]
    if unreasoned:
        raise steps.NeedsReason(list(dict.fromkeys(unreasoned)))
    rows = [row_of(draft, row) for draft in drafts]
    steps.place(db, rows, people, now=now)
    row.extended_to = until
    return rows


def give_way(db: Session, rows: Sequence[AppointmentRow]) -> None:
    """Where the hour was taken meanwhile, the slot is cancelled by the clinic, for everyone to see."""
    spans = bookings.wanted(db, rows)
    occupancies.lock(db, (key for span in spans for key in span.keys))
    holding = [span for span in spans if occupancies.is_occupying(span.appointment)]
    for overlap in (*occupancies.overlaps(db, holding), *bookings.among_themselves(holding)):
        taken = overlap.wanted.appointment
        taken.status, taken.by, taken.reason = Status.CLINIC_CANCELLED.value, Initiator.CLINIC.value, "other"
