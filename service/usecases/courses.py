"""Courses of therapy: open, pause, resume, end; and the course as people look at it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from service.domain import access
from service.domain.access import CLOCK, Actor, Role
from service.domain.appointment import Initiator, Status
from service.domain.course import Course, CourseStatus, Ending
from service.domain.hours import LocalTime, local_time
from service.domain.phrase import say
from service.domain.refusals import Conflict, Malformed
from service.domain.signals import Assessment, Limits, assess
from service.store import (
    absences,
    appointments,
    audit,
    bookings,
    clients,
    course_values,
    courses,
    occupancies,
    standings,
)
from service.store.absences import AbsenceRow, AnnouncementRow
from service.store.appointments import AppointmentRow
from service.store.courses import CourseClientRow, CourseRow
from service.store.people import Directory, directory
from service.store.transaction import reading, writing
from service.usecases import standings as standing_uses
from service.usecases import steps
from service.usecases.drafts import PAUSE


class CannotEnd(Conflict):
    """The course has ended already, or an hour after that day has taken place."""


class CannotPause(Conflict):
    """It rests already in that time, or not at all on the day on which it is to go on."""


@dataclass(frozen=True, kw_only=True)
class CourseView:
    """A course and all that is known of it, for whoever may see it."""

    id: str
    version: int
    clients: tuple[str, ...]
    names: tuple[str, ...]
    therapist: str
    therapist_name: str
    site: str
    site_name: str
    status: CourseStatus
    ending: Ending | None
    course: Course
    """What the signals look at."""
    assessment: Assessment | None
    """What they say; None for whoever books and needs to know no more than that."""


@dataclass(frozen=True, kw_only=True)
class CourseLine:
    """A course in a list."""

    id: str
    names: tuple[str, ...]
    therapist: str
    therapist_name: str
    status: CourseStatus
    next_starts: LocalTime | None


@writing
def open(  # noqa: A001  the word of the trade
    db: Session,
    *,
    clients_in: Sequence[str],
    therapist: str,
    site: str | None = None,
    same_room: bool = False,
    by: Actor,
    now: datetime,
) -> str:
    """Public id of a new course of one client, or of several together.

    :raises Malformed: nobody is in it. :raises NotFound: unknown client, therapist or site.
    """
    access.require(by, Role.FRONT_DESK, Role.MANAGER)
    if not clients_in:
        raise Malformed(say("A course needs at least one client."), where="clients")
    people = directory(db)
    whose = people.therapist(therapist)
    row = CourseRow(
        site_id=people.site(site).id if site else whose.site_id,
        therapist_id=whose.id,
        status=CourseStatus.ACTIVE.value,
        same_room=same_room,
        opened_at=now,
    )
    db.add(row)
    db.flush()
    db.add_all(
        CourseClientRow(course_id=row.id, client_id=clients.get(db, one).id) for one in dict.fromkeys(clients_in)
    )
    audit.record(db, "open", by=by, now=now, kind="course", subject=row.public_id)
    steps.course_changed(db, row, therapists=[], by=by, now=now)
    public_id: str = row.public_id
    return public_id


@writing
def end(
    db: Session, *, course: str, on: date, ending: Ending, if_version: int | None = None, by: Actor, now: datetime
) -> None:
    """The course has no hour from that day on; those booked are freed. Until that day it goes on as it is.

    :raises CannotEnd: see there. :raises Stale: changed since it was read.
    """
    row, people = _find(db, course, by)
    steps.expect_version(row.version, if_version)
    if row.status == CourseStatus.ENDED:
        raise CannotEnd(say("This course has already ended."))
    day = datetime.combine(on, time())
    later = [one for one in appointments.of_course(db, row.id) if one.starts >= day or (one.slot or day) > day]
    if any(one.status in {Status.HELD, Status.NO_SHOW, Status.LATE_NOT_SEEN} for one in later):
        raise CannotEnd(say("An hour on or after that day has taken place: choose a later day."), where="on")
    for standing in standings.of_course(db, row.id):
        if standing.until is None or standing.until > on:
            standing_uses.end_row(db, standing, on, now=now)
    # Ad hoc ones, and those of an earlier slot that were moved behind the end.
    _void(db, [one for one in later if one.void_at is None], now=now)
    row.ending, row.ended_on, row.version = ending.value, on, row.version + 1
    row.status = _status_at(db, row, people, now)
    audit.record(db, "end", by=by, now=now, kind="course", subject=row.public_id, detail={"ending": ending.value})
    steps.course_changed(db, row, therapists={one.therapist_id for one in later} | {row.therapist_id}, by=by, now=now)


@writing
def pause(
    db: Session,
    *,
    course: str,
    since: date,
    until: date,
    keeps_hour: bool,
    is_told: bool = True,
    if_version: int | None = None,
    by: Actor,
    now: datetime,
) -> str:
    """Public id of a rest agreed from one day until another (excluded); the hour stays theirs, or is freed.

    :raises CannotPause: it rests already in that time. :raises CannotBeAway: it ends before it begins.
    :raises CourseHasEnded: before it would begin. :raises Stale: changed since it was read.
    """
    row, people = _find(db, course, by)
    steps.expect_version(row.version, if_version)
    steps.expect_running(row, datetime.combine(since, time()))
    absence = AbsenceRow(
        kind="pause",
        course_id=row.id,
        since=datetime.combine(since, time()),
        until=datetime.combine(until, time()),
        keeps_hour=keeps_hour,
        changed_at=now,
    )
    absences.as_value(absence, people)
    if _rests(db, row, absence.since, absence.until):
        raise CannotPause(say("The course already rests in that time."))
    db.add(absence)
    db.flush()
    if is_told:
        db.add(AnnouncementRow(absence_id=absence.id, course_id=row.id, told_at=now, made_by=by.name))
    resting = _rest(db, row, absence, told_at=now if is_told else None, now=now)
    row.status, row.version = _status_at(db, row, people, now), row.version + 1
    audit.record(
        db, "pause", by=by, now=now, kind="course", subject=row.public_id, detail={"absence": absence.public_id}
    )
    steps.course_changed(db, row, therapists={one.therapist_id for one in resting} | {row.therapist_id}, by=by, now=now)
    public_id: str = absence.public_id
    return public_id


@writing
def resume(db: Session, *, course: str, on: date, if_version: int | None = None, by: Actor, now: datetime) -> int:
    """End the rest on that day; how many of its hours are booked again. Those taken meanwhile stay visibly cancelled.

    On the day on which it was to begin, the rest is called off as a whole; a later one stays.

    :raises CannotPause: it does not rest on that day. :raises Stale: changed since it was read.
    """
    row, people = _find(db, course, by)
    steps.expect_version(row.version, if_version)
    day = datetime.combine(on, time())
    absence = next((one for one in _rests(db, row, day) if one.since <= day), None)
    if absence is None:
        raise CannotPause(say("This course does not rest on that day."), where="on")
    resting = [one for one in _hours_of(db, row, day, absence.until) if one.reason == PAUSE]
    back = _take_up(db, resting, people, now=now)
    absence.withdrawn_at = now if absence.since >= day else None
    absence.until, absence.changed_at = max(day, absence.since + timedelta(days=1)), now
    db.flush()
    row.status, row.version = _status_at(db, row, people, now), row.version + 1
    audit.record(db, "resume", by=by, now=now, kind="course", subject=row.public_id, fields=["until"])
    steps.course_changed(db, row, therapists={one.therapist_id for one in resting} | {row.therapist_id}, by=by, now=now)
    return back


@writing
def settle(db: Session, *, by: Actor = CLOCK, now: datetime) -> int:
    """Let rests begin and end, and courses end, on their day; how many changed. For the clock, often."""
    access.require(by, Role.MANAGER)
    resting = select(AbsenceRow.course_id).where(
        AbsenceRow.kind == "pause", AbsenceRow.until > now.replace(tzinfo=None)
    )
    which = CourseRow.status.in_(["active", "paused"]) & or_(
        CourseRow.status == "paused", CourseRow.ended_on.is_not(None), CourseRow.id.in_(resting)
    )
    steps.take_turn(db, which)
    people, changed = directory(db), 0
    for row in db.scalars(select(CourseRow).where(which).order_by(CourseRow.id)):
        status = _status_at(db, row, people, now)
        if status != row.status:
            row.status, row.version, changed = status, row.version + 1, changed + 1
            audit.record(db, "settle", by=by, now=now, kind="course", subject=row.public_id, fields=["status"])
            steps.course_changed(db, row, therapists=(), by=by, now=now)
    return changed


@writing
def show(db: Session, *, course: str, by: Actor, now: datetime) -> CourseView:
    """The whole course, and a line in the audit that it was looked at. :raises NotFound: not there, or not theirs."""
    row, people = courses.get(db, course), directory(db)
    steps.may_see(db, row, people, by)
    audit.record(db, "view", by=by, now=now, kind="course", subject=row.public_id)
    return view(db, row, people, by=by, now=now)


@reading
def listed(db: Session, *, status: CourseStatus | None = None, by: Actor, now: datetime) -> list[CourseLine]:
    """The courses one may see, by client's name; a therapist's own alone."""
    access.require(by, Role.FRONT_DESK, Role.MANAGER, Role.THERAPIST, to_change=False)
    people = directory(db)
    query = select(CourseRow).order_by(CourseRow.id)
    if status is not None:
        query = query.where(CourseRow.status == status.value)
    if not by.has(Role.FRONT_DESK, Role.MANAGER):
        if by.therapist is None:
            return []
        query = query.where(CourseRow.id.in_(steps.courses_of_therapist(db, people.therapist(by.therapist).id)))
    rows = list(db.scalars(query))
    names, in_course, following = (
        clients.names(db),
        courses.clients_by_course(db, [row.id for row in rows]),
        _next(db, now),
    )
    lines = [
        CourseLine(
            id=row.public_id,
            names=tuple(names.get(client, "") for client in in_course.get(row.id, ())),
            therapist=people.therapist_public(row.therapist_id),
            therapist_name=people.therapists[row.therapist_id].name,
            status=CourseStatus(row.status),
            next_starts=following.get(row.id),
        )
        for row in rows
    ]
    return sorted(lines, key=lambda line: (line.names, line.id))


def view(db: Session, row: CourseRow, people: Directory, *, by: Actor, now: datetime) -> CourseView:
    """A step: the course with what people call those in it, and what the rules say of it to whom that concerns."""
    names, ids = clients.names(db), courses.client_ids(db, row.id)
    found = clients.by_ids(db, ids)
    value = course_values.load(db, row, people)
    told = access.may_see_signals(by, steps.therapists_of(db, row, people))
    return CourseView(
        id=row.public_id,
        version=row.version,
        clients=tuple(found[one].public_id for one in ids),
        names=tuple(names.get(one, "") for one in ids),
        therapist=people.therapist_public(row.therapist_id),
        therapist_name=people.therapists[row.therapist_id].name,
        site=people.sites[row.site_id].public_id,
        site_name=people.sites[row.site_id].name,
        status=CourseStatus(row.status),
        ending=Ending(row.ending) if row.ending else None,
        course=value,
        assessment=assess(value, limits=Limits(), now=local_time(now, value.zone)) if told else None,
    )


# --- steps ----------------------------------------------------------------------------------------------------------


def _find(db: Session, course: str, by: Actor) -> tuple[CourseRow, Directory]:
    steps.take_turn(db, CourseRow.public_id == course)
    row, people = courses.get(db, course), directory(db)
    steps.may_book(db, row, people, by)
    return row, people


def _hours_of(db: Session, row: CourseRow, since: LocalTime, until: LocalTime) -> list[AppointmentRow]:
    return [one for one in appointments.of_course(db, row.id) if since <= one.starts < until]


def _rest(
    db: Session, row: CourseRow, absence: AbsenceRow, *, told_at: datetime | None, now: datetime
) -> list[AppointmentRow]:
    """Turn the booked hours of the span into agreed breaks that keep or free their time."""
    resting = [one for one in _hours_of(db, row, absence.since, absence.until) if one.status == Status.SCHEDULED]
    for one in resting:
        one.status, one.by, one.reason = Status.BREAK.value, Initiator.MUTUAL.value, PAUSE
        one.told_at, one.keeps_hour = told_at, absence.keeps_hour
        one.version, one.changed_at = one.version + 1, now
    bookings.let_go(db, resting)
    return resting


def _take_up(db: Session, rows: Sequence[AppointmentRow], people: Directory, *, now: datetime) -> int:
    spans = bookings.wanted(db, rows)
    occupancies.lock(db, (key for span in spans for key in span.keys))
    taken = {overlap.wanted.appointment.id for overlap in occupancies.overlaps(db, spans)}
    free = [one for one in rows if one.id not in taken and one.starts_at > now]
    for one in free:
        one.status, one.by, one.reason, one.told_at, one.keeps_hour = Status.SCHEDULED.value, None, None, None, False
        one.version, one.changed_at = one.version + 1, now
    bookings.place(db, free, people)
    return len(free)


def _void(db: Session, rows: Sequence[AppointmentRow], *, now: datetime) -> None:
    for one in rows:
        one.void_at, one.version, one.changed_at = now, one.version + 1, now
    bookings.let_go(db, rows)


def _rests(db: Session, row: CourseRow, since: LocalTime, until: LocalTime | None = None) -> list[AbsenceRow]:
    return [one for one in absences.touching(db, since, until) if one.kind == "pause" and one.course_id == row.id]


def _status_at(db: Session, row: CourseRow, people: Directory, now: datetime) -> str:
    local = local_time(now, people.sites[row.site_id].zone)
    if row.ended_on is not None and row.ended_on <= local.date():
        return CourseStatus.ENDED.value
    is_resting = any(one.since <= local for one in _rests(db, row, local))
    return (CourseStatus.PAUSED if is_resting else CourseStatus.ACTIVE).value


def _next(db: Session, now: datetime) -> dict[int, LocalTime]:
    """The local start of each course's next booked hour."""
    query = (
        select(AppointmentRow.course_id, AppointmentRow.starts)
        .where(AppointmentRow.starts_at > now, AppointmentRow.status == "scheduled", AppointmentRow.void_at.is_(None))
        .order_by(AppointmentRow.starts_at.desc())
    )
    return dict(db.execute(query).all())
