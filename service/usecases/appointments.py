"""Single hours: book, move, cancel, take up again, mark, tell; and the board that shows them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.domain import access
from service.domain.access import Actor, Role
from service.domain.appointment import Appointment, Initiator, Mark, Place, Status
from service.domain.hours import LocalTime, instant, local_time, span_of
from service.domain.phrase import listing, say
from service.domain.refusals import Conflict, Malformed
from service.domain.standing import Modality
from service.store import absences, appointments, audit, clients, courses, outside
from service.store.appointments import AppointmentRow, ChangeRow
from service.store.base import new_public_id
from service.store.courses import CourseRow, clients_by_course
from service.store.people import Directory, TherapistRow, directory
from service.store.standings import StandingRow
from service.store.transaction import reading, writing
from service.usecases import steps

REASONS = ("illness", "holiday", "work", "family", "travel", "room", "training", "agreed", "other")
"""Reason codes; the words for them stand with the pages."""
UNDO = timedelta(minutes=3)


class TooLate(Conflict):
    """What was done can't simply be taken back any more."""


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where to: what is None stays as it is; by video there is no room."""

    starts: LocalTime | None = None
    minutes: int | None = None
    therapist: str | None = None
    room: str | None = None
    modality: Modality | None = None


@dataclass(frozen=True, kw_only=True)
class Booked:
    """One hour as the board and the lists show it. Times are local, in `zone`."""

    id: str
    version: int
    course: str
    standing: str | None
    slot: LocalTime | None
    starts: LocalTime
    ends: LocalTime
    minutes: int
    zone: str
    starts_at: datetime
    therapist: str
    therapist_name: str
    room: str | None
    room_name: str | None
    modality: Modality
    status: Status
    by: Initiator | None
    clients: tuple[str, ...]
    names: tuple[str, ...]
    """In order of `clients`."""
    initials: str
    began: LocalTime | None
    finished: LocalTime | None
    is_moved: bool
    is_at_risk: bool
    """Booked into a known absence: it can't take place as it stands."""
    is_told: bool
    """False while the client has not been told of its last change or of its cancellation."""


@writing
def book(
    db: Session,
    *,
    course: str,
    place: Place,
    overlap_reason: str | None = None,
    reason: str | None = None,
    by: Actor,
    now: datetime,
) -> Booked:
    """A single hour outside any standing.

    :raises CannotBook: taken. :raises NeedsReason: something speaks against it and no `reason` was given.
    """
    steps.take_turn(db, CourseRow.public_id == course)
    found, people = courses.get(db, course), directory(db)
    steps.may_book(db, found, people, by)
    steps.expect_running(found, place.starts)
    value = Appointment(
        id=new_public_id(),
        standing=None,
        slot=None,
        starts=place.starts,
        minutes=place.minutes,
        zone=people.sites[found.site_id].zone,
        therapist=place.therapist,
        room=place.room,
        modality=place.modality,
    )
    row = appointments.new_row(value, people, course_id=found.id, standing_id=None, now=now)
    row.overlap_reason = overlap_reason
    _weigh(db, row, found, people, reason)
    steps.place(db, [row], people, now=now)
    _record(db, "book", row, by=by, now=now, fields=["starts", "therapist", "room"], reason=reason or overlap_reason)
    steps.course_changed(db, found, therapists=[row.therapist_id], by=by, now=now)
    return _booked(db, [row], people)[0]


@writing
def move(
    db: Session,
    *,
    appointment_id: str,
    to: Destination,
    asked_by: Initiator,
    reason: str,
    is_told: bool = True,
    override: str | None = None,
    if_version: int | None = None,
    by: Actor,
    now: datetime,
) -> Booked:
    """This one hour elsewhere; its standing and every other date stay as they are.

    :raises NotFound: not there, or not theirs. :raises Stale: changed since it was read. :raises CannotMove: not booked
    any more, or nothing would change. :raises CannotBook: taken, with what is free instead. :raises NeedsReason:
    something speaks against it and no `override` was given.
    """
    row, course, people = _find(db, appointment_id, by)
    steps.expect_version(row.version, if_version)
    _check_reason(reason)
    before, old_therapist = _value(db, row, people), row.therapist_id
    moved = before.move_to(
        destination(before, to), by=asked_by, reason=reason, told_at=local_time(now, row.zone) if is_told else None
    )
    steps.expect_running(course, moved.starts)
    appointments.take_over(row, moved, people, now=now)
    _weigh(db, row, course, people, override)
    steps.place(db, [row], people, now=now)
    new = moved.changes[len(before.changes) :]
    appointments.record_changes(db, row, new, made_by=by.name, now=now)
    fields, was = [change.what.value for change in new], {"minutes": before.minutes}
    _record(db, "move", row, by=by, now=now, fields=fields, reason=override or reason, detail=was)
    steps.course_changed(db, course, therapists=[old_therapist, row.therapist_id], by=by, now=now)
    return _booked(db, [row], people)[0]


@writing
def move_back(db: Session, *, appointment_id: str, by: Actor, now: datetime) -> Booked:
    """Take the last move back, within a few minutes: it is as if it had never been made.

    :raises NotFound: not there, or not theirs. :raises TooLate: it was not moved just now, or something was done to it
    since. :raises CannotBook: somebody else has its old place now. :raises CannotMove: it is not booked any more.
    """
    row, course, people = _find(db, appointment_id, by)
    last = audit.newest(db, "appointment", row.public_id)
    if last is None or last.action != "move" or last.at <= now - UNDO:
        raise TooLate(say("Only a move of the last three minutes can be taken back. Move it again instead."))
    value, moved_to = _value(db, row, people), row.therapist_id
    gone = appointments.forget_changes(db, row, made_at=last.at)
    back = value.moved_back(changes=gone, minutes=(last.detail or {}).get("minutes", value.minutes))
    appointments.take_over(row, back, people, now=now)
    steps.place(db, [row], people, now=now)
    _record(db, "move back", row, by=by, now=now, fields=last.fields)
    steps.course_changed(db, course, therapists=[moved_to, row.therapist_id], by=by, now=now)
    return _booked(db, [row], people)[0]


@writing
def cancel(
    db: Session,
    *,
    appointment_id: str,
    asked_by: Initiator,
    reason: str,
    as_break: bool = False,
    is_told: bool = True,
    if_version: int | None = None,
    by: Actor,
    now: datetime,
) -> Booked:
    """This hour will not take place, and is free for somebody else.

    :raises NotFound: :raises Stale: :raises CannotCancel: not booked any more.
    """
    row, course, people = _find(db, appointment_id, by)
    steps.expect_version(row.version, if_version)
    _check_reason(reason)
    told_at = local_time(now, row.zone) if is_told else None
    gone = _value(db, row, people).cancel(by=asked_by, as_break=as_break, told_at=told_at)
    appointments.take_over(row, gone, people, now=now)
    row.reason = reason
    steps.place(db, [row], people, now=now)
    _record(db, "cancel", row, by=by, now=now, fields=["status"], reason=reason)
    steps.course_changed(db, course, therapists=[row.therapist_id], by=by, now=now)
    return _booked(db, [row], people)[0]


@writing
def uncancel(
    db: Session,
    *,
    appointment_id: str,
    override: str | None = None,
    if_version: int | None = None,
    by: Actor,
    now: datetime,
) -> Booked:
    """Take a cancelled hour up again, at its place.

    :raises CannotUncancel: it was not cancelled. :raises CannotBook: its place is taken; `more.free` says what is free.
    """
    row, course, people = _find(db, appointment_id, by)
    steps.expect_version(row.version, if_version)
    steps.expect_running(course, row.starts)
    again = _value(db, row, people).uncancel()
    appointments.take_over(row, again, people, now=now)
    row.reason, row.keeps_hour = None, False
    _weigh(db, row, course, people, override)
    steps.place(db, [row], people, now=now)
    _record(db, "uncancel", row, by=by, now=now, fields=["status"], reason=override)
    steps.course_changed(db, course, therapists=[row.therapist_id], by=by, now=now)
    return _booked(db, [row], people)[0]


@writing
def mark(
    db: Session,
    *,
    appointment_id: str,
    mark: Mark,
    at: LocalTime | None = None,
    finished: LocalTime | None = None,
    late_by: Initiator | None = None,
    if_version: int | None = None,
    by: Actor,
    now: datetime,
) -> Booked:
    """Note what happened; `at` is local, and means now where it is None. `finished` is when it ended, if known.

    :raises CannotMark: it was cancelled, has not begun, or can't have ended then.
    :raises Malformed: `at` or `finished` lies in the future.
    """
    row, course, people = _find(db, appointment_id, by)
    steps.expect_version(row.version, if_version)
    here = local_time(now, row.zone)
    for name, noted in (("at", at), ("finished", finished)):
        if noted is not None and noted > here:
            raise Malformed(say("What happens is noted once it has happened."), where=name)
    marked = _value(db, row, people).marked(mark, at=at or here, finished=finished, late_by=late_by)
    appointments.take_over(row, marked, people, now=now)
    _record(db, f"mark {mark.value}", row, by=by, now=now, fields=["status"])
    steps.course_changed(db, course, therapists=[row.therapist_id], by=by, now=now)
    return _booked(db, [row], people)[0]


@writing
def tell(db: Session, *, appointment_id: str, told_at: datetime | None = None, by: Actor, now: datetime) -> Booked:
    """The client has been told of what changed; `told_at` is an instant, now where it is None.

    :raises Malformed: in the future.
    """
    row, course, people = _find(db, appointment_id, by)
    told = told_at or now
    if told > now:
        raise Malformed(say("Nobody can have been told in the future."), where="told_at")
    for change in appointments.changes_of(db, [row.id]).get(row.id, ()):
        change.told_at = change.told_at or told
    if row.status in {"client_cancelled", "clinic_cancelled", "break"}:
        row.told_at = row.told_at or told
    row.version += 1
    _record(db, "tell", row, by=by, now=now, fields=["told_at"])
    steps.course_changed(db, course, therapists=[row.therapist_id], by=by, now=now)
    return _booked(db, [row], people)[0]


# --- looking --------------------------------------------------------------------------------------------------------


@reading
def show(db: Session, *, appointment_id: str, by: Actor) -> Booked:
    """:raises NotFound: not there, or not theirs."""
    row, _course, people = _find(db, appointment_id, by, to_change=False)
    return _booked(db, [row], people)[0]


@reading
def board(
    db: Session,
    *,
    since: date,
    until: date,
    therapists: Sequence[str] | None = None,
    site: str | None = None,
    by: Actor,
) -> list[Booked]:
    """Every hour of the days, for the therapists named or all; a therapist who is nothing else sees their own."""
    access.require_any(by)
    people = directory(db)
    chosen = _chosen(people, therapists, site, by)
    if not chosen:
        return []
    first, last = _instants(people, chosen, since, until)
    rows = appointments.between(db, first, last, therapist_ids=[row.id for row in chosen])
    return _booked(db, [row for row in rows if since <= row.starts.date() < until], people)


@reading
def board_version(db: Session, *, by: Actor) -> str:
    """Changes whenever anything on anybody's board does: cheap to ask for every few seconds."""
    access.require_any(by)
    total, newest = db.execute(select(func.sum(TherapistRow.calendar_version), func.max(TherapistRow.id))).one()
    return f"{total or 0}-{newest or 0}-{outside.state(db)}"


@reading
def unmarked(db: Session, *, by: Actor, now: datetime) -> list[Booked]:
    """Hours of the last two weeks that are over and carry no mark, oldest first."""
    access.require_any(by)
    people = directory(db)
    ids = [row.id for row in _chosen(people, None, None, by)]
    rows = appointments.between(db, now - timedelta(days=14), now, therapist_ids=ids)
    return _booked(db, [row for row in rows if row.status == "scheduled" and row.ends_at <= now], people)


def destination(before: Appointment, to: Destination) -> Place:
    """The whole place that a partial destination means for this appointment."""
    modality = to.modality or before.modality
    room = None if modality is Modality.VIDEO else (to.room or before.room)
    return Place(
        starts=to.starts or before.starts,
        minutes=to.minutes or before.minutes,
        therapist=to.therapist or before.therapist,
        room=room,
        modality=modality,
    )


# --- steps ----------------------------------------------------------------------------------------------------------


def _find(
    db: Session, appointment_id: str, by: Actor, *, to_change: bool = True
) -> tuple[AppointmentRow, CourseRow, Directory]:
    if to_change:
        its_course = select(AppointmentRow.course_id).where(AppointmentRow.public_id == appointment_id)
        steps.take_turn(db, CourseRow.id.in_(its_course))
    row, people = appointments.get(db, appointment_id), directory(db)
    course = db.get_one(CourseRow, row.course_id)
    (steps.may_book if to_change else steps.may_see)(db, course, people, by)
    return row, course, people


def _value(db: Session, row: AppointmentRow, people: Directory) -> Appointment:
    standing = db.get_one(StandingRow, row.standing_id).public_id if row.standing_id else None
    changes = appointments.changes_of(db, [row.id]).get(row.id, ())
    return appointments.as_value(row, people, standing=standing, changes=changes)


def _weigh(db: Session, row: AppointmentRow, course: CourseRow, people: Directory, reason: str | None) -> None:
    with db.no_autoflush:
        found = steps.doubts(db, row, course, people)
    if found and not (reason or "").strip():
        raise steps.NeedsReason(found)


def _check_reason(reason: str) -> None:
    if reason not in REASONS:
        raise Malformed(say("A reason is one of: {reasons}.", reasons=listing(REASONS)), where="reason")


def _record(
    db: Session,
    action: str,
    row: AppointmentRow,
    *,
    by: Actor,
    now: datetime,
    fields: Iterable[str],
    reason: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    audit.record(
        db,
        action,
        by=by,
        now=now,
        kind="appointment",
        subject=row.public_id,
        fields=fields,
        detail={**(detail or {}), **({"reason": reason} if reason else {})} or None,
    )


def _chosen(people: Directory, therapists: Sequence[str] | None, site: str | None, by: Actor) -> list[TherapistRow]:
    rows = list(people.therapists.values()) if therapists is None else [people.therapist(one) for one in therapists]
    if site is not None:
        rows = [row for row in rows if row.site_id == people.site(site).id]
    if not by.has(Role.FRONT_DESK, Role.MANAGER):
        rows = [row for row in rows if row.public_id == by.therapist]
    return rows


def _instants(
    people: Directory, therapists: Iterable[TherapistRow], since: date, until: date
) -> tuple[datetime, datetime]:
    zones = {people.sites[row.site_id].zone for row in therapists}
    first = min(instant(datetime.combine(since, time()), zone) for zone in zones)
    last = max(instant(datetime.combine(until, time()), zone) for zone in zones)
    return first, last


def _booked(db: Session, rows: Sequence[AppointmentRow], people: Directory) -> list[Booked]:
    names = clients.names(db)
    in_course = clients_by_course(db, {row.course_id for row in rows})
    public_clients = {
        row.id: row.public_id for row in clients.by_ids(db, {c for found in in_course.values() for c in found}).values()
    }
    found_courses = {
        row.id: row
        for row in db.scalars(select(CourseRow).where(CourseRow.id.in_(sorted({row.course_id for row in rows}))))
    }
    public_standings = _public_standings(db, rows)
    changes = appointments.changes_of(db, [row.id for row in rows])
    away = _away(db, rows)
    return [
        _one_booked(
            row,
            people,
            course=found_courses[row.course_id],
            standing=public_standings.get(row.standing_id or 0),
            who=[(public_clients[client], names.get(client, "")) for client in in_course.get(row.course_id, [])],
            changes=changes.get(row.id, []),
            away=away,
        )
        for row in rows
    ]


def _one_booked(
    row: AppointmentRow,
    people: Directory,
    *,
    course: CourseRow,
    standing: str | None,
    who: Sequence[tuple[str, str]],
    changes: Sequence[ChangeRow],
    away: steps.Known,
) -> Booked:
    is_cancelled = row.status in {"client_cancelled", "clinic_cancelled", "break"}
    last_told = row.told_at if is_cancelled else (changes[-1].told_at if changes else row.changed_at)
    return Booked(
        id=row.public_id,
        version=row.version,
        course=course.public_id,
        standing=standing,
        slot=row.slot,
        starts=row.starts,
        ends=local_time(span_of(row.starts, row.minutes, row.zone).until, row.zone),
        minutes=row.minutes,
        zone=row.zone,
        starts_at=row.starts_at,
        therapist=people.therapist_public(row.therapist_id),
        therapist_name=people.therapists[row.therapist_id].name,
        room=people.room_public(row.room_id),
        room_name=people.rooms[row.room_id].name if row.room_id else None,
        modality=Modality(row.modality),
        status=Status(row.status),
        by=Initiator(row.by) if row.by else None,
        clients=tuple(client for client, _name in who),
        names=tuple(name for _client, name in who),
        initials=clients.initials_of(name for _client, name in who),
        began=local_time(row.began_at, row.zone) if row.began_at else None,
        finished=local_time(row.finished_at, row.zone) if row.finished_at else None,
        is_moved=row.slot is not None and row.slot != row.starts,
        is_at_risk=row.status == "scheduled" and steps.lost_to(row, course, away) is not None,
        is_told=last_told is not None,
    )


def _public_standings(db: Session, rows: Iterable[AppointmentRow]) -> dict[int, str]:
    ids = sorted({row.standing_id for row in rows if row.standing_id})
    return dict(db.execute(select(StandingRow.id, StandingRow.public_id).where(StandingRow.id.in_(ids))).all())


def _away(db: Session, rows: Sequence[AppointmentRow]) -> steps.Known:
    if not rows:
        return steps.Known(absences=(), working=())
    since, until = min(row.starts for row in rows), max(row.starts for row in rows) + timedelta(days=1)
    return steps.Known(absences=tuple(absences.touching(db, since, until)), working=())
