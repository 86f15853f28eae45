"""Standing appointments: preview and agree one, change it from a date on, end it, and keep its horizon filled."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from service.domain import access
from service.domain.access import CLOCK, Actor, Role
from service.domain.appointment import Initiator, Status
from service.domain.hours import Hour, LocalTime, local_time, monday_of
from service.domain.phrase import YearDay, say
from service.domain.recurrence import slots
from service.domain.refusals import Clash, Conflict, Malformed, Stale
from service.domain.standing import Modality, Standing
from service.store import appointments, audit, bookings, courses, occupancies, standings, timezones
from service.store.appointments import AppointmentRow
from service.store.base import new_public_id
from service.store.clients import ClientRow
from service.store.clients import get as get_client
from service.store.courses import CourseClientRow, CourseRow
from service.store.people import Directory, directory
from service.store.standings import StandingRow
from service.store.transaction import reading, writing
from service.usecases import drafts, steps
from service.usecases.drafts import Choice as Choice
from service.usecases.drafts import Choices as Choices
from service.usecases.drafts import Do as Do
from service.usecases.drafts import Proposal as Proposal

DEFAULT_HORIZON = timedelta(weeks=26)


class CannotChange(Conflict):
    """The standing has ended, or hours from that date on have already taken place."""


class LooksDifferent(Stale):
    """Something came between the preview and the agreement: an hour, an absence, or another wish."""


@dataclass(frozen=True, kw_only=True)
class PreviewedDate:
    """One date of a proposal: when, what is in the way, and what would become of it."""

    slot: LocalTime
    starts: LocalTime
    room: str | None
    clashes: tuple[Clash, ...]
    doubts: tuple[steps.Doubt, ...]
    outcome: str
    """`book`, `skip`, `lost` to an absence unless overridden, `doubt` (needs a reason) or `clash` (needs a choice)."""


@dataclass(frozen=True, kw_only=True)
class Preview:
    """Every date within the horizon; `until` is the first day not looked at."""

    dates: tuple[PreviewedDate, ...]
    until: date
    seen: str
    """A fingerprint of what is in the way of the dates, whatever was chosen for them. Given back when it is agreed, it
    makes sure that nothing came between."""

    @property
    def is_clear(self) -> bool:
        return all(one.outcome not in {"clash", "doubt"} for one in self.dates)

    @property
    def elsewhere(self) -> int:
        """Dates at which the therapist is busy elsewhere."""
        return sum(any(doubt.kind == "elsewhere" for doubt in one.doubts) for one in self.dates)


@dataclass(frozen=True, kw_only=True)
class Agreed:
    """A standing as it now stands."""

    id: str
    version: int
    course: str
    booked: int
    lost: tuple[LocalTime, ...]
    """Slots that exist and won't take place: absences and skipped dates."""


@dataclass(frozen=True, kw_only=True)
class Arrangement:
    """A standing for showing."""

    id: str
    version: int
    course: str
    therapist: str
    therapist_name: str
    room: str | None
    room_name: str | None
    modality: Modality
    hours: tuple[Hour, ...]
    every_weeks: int
    minutes: int
    zone: str
    since: date
    until: date | None
    replaces: str | None


@reading
def preview(
    db: Session,
    *,
    client: str | None = None,
    course: str | None = None,
    proposal: Proposal,
    choices: Choices | None = None,
    replacing: str | None = None,
    horizon: timedelta = DEFAULT_HORIZON,
    by: Actor,
    now: datetime,
) -> Preview:
    """What agreeing would do, date by date; nothing is written.

    :raises CannotAgree: the arrangement makes no sense. :raises NotFound: unknown, or not theirs.
    """
    people = directory(db)
    found = _course_for_preview(db, people, client=client, course=course, proposal=proposal, by=by, now=now)
    standing = drafts.standing_of(proposal, zone=people.sites[found.site_id].zone)
    old = standings.get(db, replacing) if replacing else None
    if old is not None and old.course_id != found.id:
        raise steps.no_such("standing appointment")
    look = _Look(db=db, people=people, course=found, standing=standing, replaced=old, horizon=horizon, now=now)
    clients = _client_ids(db, found, client)
    undecided = look.dates({}, clients)
    return Preview(
        dates=look.dates(choices, clients) if choices else undecided,
        until=look.until,
        seen=_fingerprint(proposal, undecided),
    )


@writing
def agree(
    db: Session,
    *,
    client: str | None = None,
    course: str | None = None,
    proposal: Proposal,
    choices: Choices | None = None,
    seen: str | None = None,
    is_told: bool = True,
    horizon: timedelta = DEFAULT_HORIZON,
    by: Actor,
    now: datetime,
) -> Agreed:
    """Agree a standing appointment: every date as chosen, or nothing at all.

    With `client`, their active course with this therapist is taken, or one is opened. Dates that an absence takes and
    that nobody chose otherwise become visible breaks. `seen` is that of the preview the choices were made by.

    :raises LooksDifferent: something came between. :raises CannotBook: a date without a choice is taken; `clashes`
    lists all. :raises NeedsReason: a date lies outside working hours or where the clocks change, and was not
    overridden. :raises CannotAgree: it makes no sense.
    """
    people = directory(db)
    found = _course_to_book(db, people, client=client, course=course, proposal=proposal, by=by, now=now)
    standing = drafts.standing_of(proposal, zone=people.sites[found.site_id].zone)
    look = _Look(db=db, people=people, course=found, standing=standing, replaced=None, horizon=horizon, now=now)
    _expect_seen(look, proposal, seen)
    row = standings.add(
        db, standing, course_id=found.id, people=people, replaces_id=None, told_at=now if is_told else None, now=now
    )
    rows = drafts.write(
        db, found, row, standing, people, choices=choices or {}, horizon=horizon, is_told=is_told, now=now
    )
    found.therapist_id = row.therapist_id
    audit.record(
        db, "agree", by=by, now=now, kind="standing", subject=row.public_id, detail={"course": found.public_id}
    )
    steps.course_changed(db, found, therapists=_held_by(rows, row), by=by, now=now)
    return _agreed(row, found, rows)


@writing
def change(
    db: Session,
    *,
    standing: str,
    since: date,
    proposal: Proposal,
    choices: Choices | None = None,
    seen: str | None = None,
    asked_by: Initiator,
    reason: str,
    is_told: bool = True,
    if_version: int | None = None,
    horizon: timedelta = DEFAULT_HORIZON,
    by: Actor,
    now: datetime,
) -> Agreed:
    """A lasting change: this version ends before `since`, and a new one that replaces it begins there.

    "This and following" takes the date of the chosen slot, "all" the date of the next slot to come. What was before
    stays as it was. Hours already cancelled keep their place in the new version where it has the same week.

    :raises CannotChange: an hour from that date on has taken place, or the standing had ended.
    :raises LooksDifferent: something came between since the preview that `seen` is of. :raises CannotBook: taken.
    """
    old, course, people = _find(db, standing, by)
    steps.expect_version(old.version, if_version)
    _may_change_from(db, old, since, now)
    wish = drafts.standing_of(proposal, zone=people.sites[course.site_id].zone)
    look = _Look(db=db, people=people, course=course, standing=wish, replaced=old, horizon=horizon, now=now)
    _expect_seen(look, proposal, seen)
    covering = _covering(db, old, since)
    cancelled = _void_from(db, old, since, now=now)
    old.until, old.version, old.changed_at = since, old.version + 1, now
    asked = replace(proposal, since=max(proposal.since, since), until=_until_successor(db, old, proposal.until))
    value = drafts.standing_of(asked, zone=old.zone)
    row = standings.add(
        db, value, course_id=course.id, people=people, replaces_id=old.id, told_at=now if is_told else None, now=now
    )
    reach = datetime.combine(drafts.horizon_end(value, horizon, now), time())
    carried = {slot: choice for slot, choice in _carried_over(cancelled, value).items() if slot < reach}
    chosen = {**carried, **(choices or {})}
    rows = drafts.write(db, course, row, value, people, choices=chosen, horizon=horizon, is_told=is_told, now=now)
    course.therapist_id = row.therapist_id
    detail = {"replaces": old.public_id, "asked_by": asked_by.value, "reason": reason}
    audit.record(db, "change", by=by, now=now, kind="standing", subject=row.public_id, detail=detail)
    audit.record(db, "end", by=by, now=now, kind="standing", subject=old.public_id, fields=["until"], detail=detail)
    steps.course_changed(db, course, therapists=[old.therapist_id, *covering, *_held_by(rows, row)], by=by, now=now)
    return _agreed(row, course, rows)


@writing
def end(
    db: Session, *, standing: str, on: date, reason: str, if_version: int | None = None, by: Actor, now: datetime
) -> None:
    """The standing holds no more from that day on; its later hours are free.

    :raises CannotChange: an hour from that day on has taken place, or it had ended before.
    """
    row, course, _people = _find(db, standing, by)
    steps.expect_version(row.version, if_version)
    _may_change_from(db, row, on, now)
    covering = _covering(db, row, on)
    end_row(db, row, on, now=now)
    audit.record(
        db, "end", by=by, now=now, kind="standing", subject=row.public_id, fields=["until"], detail={"reason": reason}
    )
    steps.course_changed(db, course, therapists=[row.therapist_id, *covering], by=by, now=now)


@reading
def show(db: Session, *, standing: str, by: Actor) -> Arrangement:
    """:raises NotFound: not there, or not theirs."""
    row, people = standings.get(db, standing), directory(db)
    course = db.get_one(CourseRow, row.course_id)
    steps.may_see(db, course, people, by)
    public_ids = {one.id: one.public_id for one in standings.of_course(db, course.id)}
    return arrangement(row, course, people, public_ids)


@reading
def of_course(db: Session, *, course: str, by: Actor) -> list[Arrangement]:
    """Every version, the oldest first. :raises NotFound: not there, or not theirs."""
    found, people = courses.get(db, course), directory(db)
    steps.may_see(db, found, people, by)
    rows = standings.of_course(db, found.id)
    public_ids = {row.id: row.public_id for row in rows}
    return [arrangement(row, found, people, public_ids) for row in rows]


@reading
def to_extend(db: Session, *, horizon: timedelta = DEFAULT_HORIZON, now: datetime) -> list[str]:
    """Public ids of the standings whose horizon must be pushed forward.

    None between an update of the time-zone data and `samehour timezones apply`: hours that still stand an hour off
    would seem to be in the way, and what is in the way is written down as cancelled.
    """
    if not timezones.is_settled(db):
        return []
    goal = (now + horizon).date()
    query = select(StandingRow.public_id).where(
        StandingRow.extended_to < goal, or_(StandingRow.until.is_(None), StandingRow.extended_to < StandingRow.until)
    )
    return list(db.scalars(query.order_by(StandingRow.extended_to, StandingRow.id)))


@writing
def extend(
    db: Session, *, standing: str, horizon: timedelta = DEFAULT_HORIZON, by: Actor = CLOCK, now: datetime
) -> int:
    """Book the standing's slots up to the horizon; how many rows are new. Doing it twice, or at once, adds nothing.

    A slot that an absence takes becomes a visible break; one that somebody else has taken becomes a visible
    cancellation by the clinic. Neither is left out.
    """
    access.require(by, Role.MANAGER)
    # Extenders and editors of one course take turns, or both would write the same slots.
    steps.take_turn(db, CourseRow.id.in_(select(StandingRow.course_id).where(StandingRow.public_id == standing)))
    row, people = standings.get(db, standing), directory(db)
    course = db.get_one(CourseRow, row.course_id)
    value = standings.as_value(row, people)
    until = drafts.horizon_end(value, horizon, now)
    if until <= row.extended_to:
        return 0
    known = {one.slot for one in appointments.of_standing(db, row.id)}
    new = drafts.draft(
        db, course, value, people, since=row.extended_to, until=until, choices={}, now=now, is_told=False
    )
    rows = [drafts.row_of(draft, row) for draft in new if draft.slot not in known]
    drafts.give_way(db, rows)
    bookings.place(db, rows, people)
    row.extended_to = until
    if rows:
        audit.record(
            db, "extend", by=by, now=now, kind="standing", subject=row.public_id, detail={"until": until.isoformat()}
        )
        steps.course_changed(db, course, therapists=[row.therapist_id], by=by, now=now)
    return len(rows)


def arrangement(row: StandingRow, course: CourseRow, people: Directory, public_ids: Mapping[int, str]) -> Arrangement:
    value = standings.as_value(row, people)
    return Arrangement(
        id=row.public_id,
        version=row.version,
        course=course.public_id,
        therapist=value.therapist,
        therapist_name=people.therapists[row.therapist_id].name,
        room=value.room,
        room_name=people.rooms[row.room_id].name if row.room_id else None,
        modality=value.modality,
        hours=value.hours,
        every_weeks=row.every_weeks,
        minutes=row.minutes,
        zone=row.zone,
        since=row.since,
        until=row.until,
        replaces=public_ids.get(row.replaces_id) if row.replaces_id else None,
    )


def end_row(db: Session, row: StandingRow, on: date, *, now: datetime) -> None:
    """A step: close the version before that day and free its later hours."""
    _void_from(db, row, on, now=now)
    row.until, row.version, row.changed_at = max(on, row.since), row.version + 1, now


# --- steps ----------------------------------------------------------------------------------------------------------


def _find(db: Session, standing: str, by: Actor) -> tuple[StandingRow, CourseRow, Directory]:
    steps.take_turn(db, CourseRow.id.in_(select(StandingRow.course_id).where(StandingRow.public_id == standing)))
    row, people = standings.get(db, standing), directory(db)
    course = db.get_one(CourseRow, row.course_id)
    steps.may_book(db, course, people, by)
    return row, course, people


def _may_change_from(db: Session, row: StandingRow, since: date, now: datetime) -> None:
    if row.until is not None and row.until <= since:
        raise CannotChange(
            say("This arrangement ends on {until}, before {since}.", until=YearDay(row.until), since=YearDay(since)),
            where="since",
        )
    if since < row.since:
        raise CannotChange(
            say("This arrangement begins on {since}; nothing of it lies before.", since=YearDay(row.since)),
            where="since",
        )
    later = appointments.of_standing(db, row.id, since=datetime.combine(since, time()))
    if since < local_time(now, row.zone).date() or any(_has_been(one, now) for one in later):
        raise CannotChange(say("What has taken place stays as it is: choose a later date."), where="since")


def _until_successor(db: Session, old: StandingRow, until: date | None) -> date | None:
    """A version that was already agreed to follow stays, and the new one ends where it begins."""
    lasting = or_(StandingRow.until.is_(None), StandingRow.until > StandingRow.since)
    follows = db.scalar(select(func.min(StandingRow.since)).where(StandingRow.replaces_id == old.id, lasting))
    return min(until, follows) if until and follows else until or follows


def _has_been(one: AppointmentRow, now: datetime) -> bool:
    """An hour that has begun is not unmade, whether or not anybody has marked it yet."""
    done = {Status.HELD, Status.NO_SHOW, Status.LATE_NOT_SEEN}
    return one.void_at is None and (one.starts_at <= now or one.status in done)


def _void_from(db: Session, row: StandingRow, since: date, *, now: datetime) -> list[AppointmentRow]:
    """Free every hour whose slot lies on or after the day; the cancelled ones among them."""
    later = [
        one
        for one in appointments.of_standing(db, row.id, since=datetime.combine(since, time()))
        if one.void_at is None
    ]
    cancelled = [one for one in later if one.status in {"client_cancelled", "clinic_cancelled", "break"}]
    for one in later:
        one.void_at, one.version, one.changed_at = now, one.version + 1, now
    bookings.let_go(db, later)
    return [one for one in cancelled if one.reason is not None]


def _carried_over(cancelled: Iterable[AppointmentRow], new: Standing) -> dict[LocalTime, Choice]:
    """The new version's slots in the weeks that were already called off: skipped too, where that is unambiguous."""
    if len(new.hours) != 1:
        return {}
    weeks = {monday_of(one.slot.date()) for one in cancelled if one.slot and one.by != Initiator.CLINIC}
    found = (new.hours[0].on(week) for week in weeks)
    expected = {slot for slot in found if next(slots(new, since=slot, until=slot + timedelta(minutes=1)), None)}
    return {slot: Choice(do=Do.SKIP) for slot in expected}


def _course_to_book(
    db: Session,
    people: Directory,
    *,
    client: str | None,
    course: str | None,
    proposal: Proposal,
    by: Actor,
    now: datetime,
) -> CourseRow:
    if course is not None:
        steps.take_turn(db, CourseRow.public_id == course)
        found = courses.get(db, course)
        steps.may_book(db, found, people, by)
        last_day = max(proposal.since, (proposal.until or date.max) - timedelta(days=1))
        steps.expect_running(found, datetime.combine(last_day, time()))
        return found
    _take_turn_for_client(db, client)
    known = _active_course(db, people, client, by)
    if known is not None:
        return known
    access.require(by, Role.FRONT_DESK, Role.MANAGER, Role.THERAPIST)
    row = _new_course(people, proposal, now=now)
    db.add(row)
    db.flush()
    db.add(CourseClientRow(course_id=row.id, client_id=get_client(db, client or "").id))
    db.flush()
    audit.record(db, "open", by=by, now=now, kind="course", subject=row.public_id)
    return row


def _take_turn_for_client(db: Session, client: str | None) -> None:
    """Else two people who agree a first hour with one client at once open two courses."""
    if db.get_bind().dialect.name == "postgresql":
        db.execute(select(ClientRow.id).where(ClientRow.public_id == client).with_for_update(key_share=True))
    theirs = select(CourseClientRow.course_id).join(ClientRow, ClientRow.id == CourseClientRow.client_id)
    steps.take_turn(db, CourseRow.id.in_(theirs.where(ClientRow.public_id == client)))


def _course_for_preview(
    db: Session,
    people: Directory,
    *,
    client: str | None,
    course: str | None,
    proposal: Proposal,
    by: Actor,
    now: datetime,
) -> CourseRow:
    """The course it would be agreed in; for a new one a row that is never written."""
    if course is not None:
        found = courses.get(db, course)
        steps.may_see(db, found, people, by)
        return found
    known = _active_course(db, people, client, by)
    return known or _new_course(people, proposal, now=now)


def _active_course(db: Session, people: Directory, client: str | None, by: Actor) -> CourseRow | None:
    if client is None:
        raise Malformed(say("Say whose standing it is: a client or a course."), where="client")
    active = [row for row in courses.of_client(db, get_client(db, client).id) if row.status != "ended"]
    if not active:
        if not by.has(Role.FRONT_DESK, Role.MANAGER):
            raise steps.no_such("client")
        return None
    steps.may_book(db, active[-1], people, by)
    return active[-1]


def _new_course(people: Directory, proposal: Proposal, *, now: datetime) -> CourseRow:
    therapist = people.therapist(proposal.therapist)
    site_id = people.room(proposal.room).site_id if proposal.room else therapist.site_id
    return CourseRow(
        public_id=new_public_id(), site_id=site_id, therapist_id=therapist.id, status="active", opened_at=now, version=1
    )


def _client_ids(db: Session, course: CourseRow, client: str | None) -> list[int]:
    if course.id is not None:
        return courses.client_ids(db, course.id)
    return [get_client(db, client or "").id]


@dataclass(frozen=True, kw_only=True)
class _Look:
    """A wish beside the book as it is now."""

    db: Session
    people: Directory
    course: CourseRow
    standing: Standing
    replaced: StandingRow | None
    horizon: timedelta
    now: datetime

    @property
    def until(self) -> date:
        return drafts.horizon_end(self.standing, self.horizon, self.now)

    def dates(self, choices: Choices, client_ids: Sequence[int]) -> tuple[PreviewedDate, ...]:
        """Every date of it, as decided; nothing is written."""
        with self.db.no_autoflush:
            wanted = drafts.draft(
                self.db,
                self.course,
                self.standing,
                self.people,
                until=self.until,
                choices=choices,
                now=self.now,
                is_told=True,
            )
            clashes = _clashes(
                self.db,
                wanted,
                self.people,
                client_ids=client_ids,
                ignoring=self.replaced,
                since=self.standing.since,
            )
        return tuple(_previewed(draft, clashes.get(draft.slot, ()), self.people) for draft in wanted)


def _expect_seen(look: _Look, proposal: Proposal, seen: str | None) -> None:
    if seen is None:
        return
    if _fingerprint(proposal, look.dates({}, courses.client_ids(look.db, look.course.id))) != seen:
        raise LooksDifferent(say("Something came between since the dates were shown. Nothing was agreed; look again."))


def _fingerprint(proposal: Proposal, dates: Iterable[PreviewedDate]) -> str:
    """The same for the same wish and the same things in its way."""
    told = [
        (
            one.slot,
            one.outcome,
            sorted(map(repr, one.clashes)),
            sorted((doubt.kind, doubt.absence or "") for doubt in one.doubts),
        )
        for one in dates
    ]
    return hashlib.sha256(repr((proposal, told)).encode()).hexdigest()


def _clashes(
    db: Session,
    wanted: Sequence[drafts.Draft],
    people: Directory,
    *,
    client_ids: Sequence[int],
    ignoring: StandingRow | None,
    since: date,
) -> dict[LocalTime, list[Clash]]:
    """What is in the way of each slot, as if the hours of the standing to be replaced were free."""
    spans = [
        occupancies.Wanted(appointment=draft.row, keys=occupancies.keys_of(draft.row, client_ids))
        for draft in wanted
        if not draft.is_lost
    ]
    freed = set()
    if ignoring is not None:
        freed = {one.id for one in appointments.of_standing(db, ignoring.id, since=datetime.combine(since, time()))}
    slot_of = {id(draft.row): draft.slot for draft in wanted}
    found: dict[LocalTime, list[Clash]] = {}
    in_the_way = [one for one in occupancies.overlaps(db, spans) if one.appointment_id not in freed]
    for overlap, clash in zip(in_the_way, bookings.describe(db, in_the_way, people), strict=True):
        found.setdefault(slot_of[id(overlap.wanted.appointment)], []).append(clash)
    return found


def _previewed(draft: drafts.Draft, clashes: Sequence[Clash], people: Directory) -> PreviewedDate:
    if draft.is_lost:
        outcome = "skip" if draft.choice and draft.choice.do is Do.SKIP else "lost"
    else:
        outcome = "clash" if clashes else "doubt" if draft.needs_reason else "book"
    return PreviewedDate(
        slot=draft.slot,
        starts=draft.row.starts,
        room=people.room_public(draft.row.room_id),
        clashes=tuple(clashes),
        doubts=draft.doubts,
        outcome=outcome,
    )


def _covering(db: Session, row: StandingRow, since: date) -> set[int]:
    """Whoever holds an hour of it from that day on, for whomever: their calendars lose it."""
    return {one.therapist_id for one in appointments.of_standing(db, row.id, since=datetime.combine(since, time()))}


def _held_by(rows: Iterable[AppointmentRow], standing: StandingRow) -> set[int]:
    return {row.therapist_id for row in rows} | {standing.therapist_id}


def _agreed(row: StandingRow, course: CourseRow, rows: Sequence[AppointmentRow]) -> Agreed:
    lost = tuple(one.slot for one in rows if one.slot and not occupancies.is_occupying(one))
    return Agreed(
        id=row.public_id, version=row.version, course=course.public_id, booked=len(rows) - len(lost), lost=lost
    )
