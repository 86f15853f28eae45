"""Leave, closures and public holidays: enter them, see whom they touch, tell the clients, let the hours go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import holidays as public_holidays
from sqlalchemy import Select, or_, select, true
from sqlalchemy.orm import Session

from service.domain import access
from service.domain.absences import AbsenceKind
from service.domain.access import Actor, Role
from service.domain.appointment import Initiator, Status
from service.domain.hours import LocalTime, instant
from service.domain.phrase import say
from service.domain.refusals import Forbidden, Malformed
from service.store import absences, appointments, audit, bookings, clients, courses
from service.store.absences import AbsenceRow, AnnouncementRow
from service.store.appointments import AppointmentRow
from service.store.base import new_public_id
from service.store.courses import CourseRow
from service.store.people import Directory, directory
from service.store.standings import StandingHourRow, StandingRow
from service.store.transaction import reading, writing
from service.usecases import steps


@dataclass(frozen=True, kw_only=True)
class AbsenceView:
    id: str
    kind: AbsenceKind
    since: LocalTime
    until: LocalTime
    therapist: str | None
    therapist_name: str | None
    room: str | None
    room_name: str | None
    site: str | None
    name: str
    tentative: bool


@dataclass(frozen=True, kw_only=True)
class Touched:
    """One course that an absence takes hours from."""

    course: str
    names: tuple[str, ...]
    therapist_name: str
    lost: tuple[LocalTime, ...]
    """Starts of its hours in the span, still booked or let go."""
    still_booked: tuple[str, ...]
    """Public ids of the appointments that somebody has yet to decide about."""
    told_at: datetime | None


@writing
def add(
    db: Session,
    *,
    kind: AbsenceKind,
    since: LocalTime,
    until: LocalTime,
    therapist: str | None = None,
    room: str | None = None,
    site: str | None = None,
    name: str = "",
    tentative: bool = False,
    by: Actor,
    now: datetime,
) -> str:
    """Public id of the new absence. Booked hours in it stay booked, at risk and visible, until somebody decides.

    A therapist enters their own leave; closures are for the desk and managers.

    :raises CannotBeAway: it ends before it begins, or a leave of nobody. :raises Forbidden: somebody else's leave.
    """
    _may_enter(by, kind, therapist)
    if kind is AbsenceKind.PAUSE:
        raise Malformed(say("A pause belongs to a course; pause the course."), where="kind")
    people = directory(db)
    row = AbsenceRow(
        public_id=new_public_id(),
        kind=kind.value,
        therapist_id=people.therapist(therapist).id if therapist else None,
        room_id=people.room_id(room),
        site_id=people.site(site).id if site else None,
        since=since,
        until=until,
        name=name.strip()[:120],
        tentative=tentative,
        changed_at=now,
    )
    absences.as_value(row, people)
    db.add(row)
    db.flush()
    audit.record(db, "add", by=by, now=now, kind="absence", subject=row.public_id, detail={"kind": kind.value})
    _tell_all(db, row, people, by=by, now=now)
    public_id: str = row.public_id
    return public_id


@writing
def withdraw(db: Session, *, absence: str, by: Actor, now: datetime) -> None:
    """It was entered in error, or does not happen. Hours already let go stay so, and can be taken up again."""
    row, people = absences.get(db, absence), directory(db)
    _may_enter(by, AbsenceKind(row.kind), people.therapist_public(row.therapist_id) if row.therapist_id else None)
    if row.kind == AbsenceKind.PAUSE:
        raise Malformed(say("A pause belongs to a course; let the course go on instead."), where="absence")
    row.withdrawn_at, row.changed_at = now, now
    audit.record(db, "withdraw", by=by, now=now, kind="absence", subject=row.public_id)
    _tell_all(db, row, people, by=by, now=now)


@writing
def tell(db: Session, *, absence: str, course: str, told_at: datetime | None = None, by: Actor, now: datetime) -> None:
    """The client of this course has been told of it; `told_at` is an instant, now where it is None.

    :raises Malformed: in the future.
    """
    steps.take_turn(db, CourseRow.public_id == course)
    row, people, whose = absences.get(db, absence), directory(db), courses.get(db, course)
    steps.may_book(db, whose, people, by)
    told = told_at or now
    if told > now:
        raise Malformed(say("Nobody can have been told in the future."), where="told_at")
    known = db.get(AnnouncementRow, (row.id, whose.id))
    if known is None:
        db.add(AnnouncementRow(absence_id=row.id, course_id=whose.id, told_at=told, made_by=by.name))
    for hour in _taken(db, row, course=whose):
        if hour.status == Status.BREAK:
            hour.told_at = hour.told_at or told
    audit.record(db, "tell", by=by, now=now, kind="absence", subject=row.public_id, detail={"course": whose.public_id})
    steps.course_changed(db, whose, therapists=[], by=by, now=now)


@writing
def release(
    db: Session, *, absence: str, appointment_ids: Sequence[str] | None = None, by: Actor, now: datetime
) -> int:
    """Let hours in the span go, all that are still booked or those named; how many. Each becomes a visible break."""
    row, people = absences.get(db, absence), directory(db)
    _may_enter(by, AbsenceKind(row.kind), people.therapist_public(row.therapist_id) if row.therapist_id else None)
    hours = _taken(db, row)
    steps.take_turn(db, CourseRow.id.in_(sorted({hour.course_id for hour in hours})))
    for hour in hours:
        db.expire(hour)  # it may have changed while we waited
    going = [
        hour
        for hour in _taken(db, row)
        if hour.status == Status.SCHEDULED and (appointment_ids is None or hour.public_id in appointment_ids)
    ]
    told = absences.told_courses(db, [row.id])
    for hour in going:
        hour.status, hour.by = Status.BREAK.value, Initiator.CLINIC.value
        hour.reason = "holiday" if row.kind == AbsenceKind.HOLIDAY else "other"
        hour.told_at = told.get((row.id, hour.course_id))
        hour.version, hour.changed_at = hour.version + 1, now
    bookings.let_go(db, going)
    audit.record(db, "release", by=by, now=now, kind="absence", subject=row.public_id, detail={"hours": len(going)})
    for whose in _courses_of(db, going):
        steps.course_changed(db, whose, therapists={hour.therapist_id for hour in going}, by=by, now=now)
    return len(going)


@writing
def add_public_holidays(db: Session, *, site: str, year: int, by: Actor, now: datetime) -> int:
    """Enter the year's public holidays of the site's country and region; how many are new. Twice changes nothing.

    Each is an ordinary absence afterwards: it can be withdrawn where the clinic opens all the same.

    :raises Malformed: the site names no country, or one whose holidays are not known.
    """
    access.require(by, Role.FRONT_DESK, Role.MANAGER, Role.ADMIN)
    at = directory(db).site(site)
    known = set(
        db.scalars(select(AbsenceRow.source).where(AbsenceRow.site_id == at.id, AbsenceRow.source.is_not(None)))
    )
    new = []
    for day, name in sorted(_holidays(at.country, at.region, year).items()):
        source = f"{at.public_id}:{day.isoformat()}"
        if source in known:
            continue
        since = datetime.combine(day, time())
        new.append(
            AbsenceRow(
                public_id=new_public_id(),
                kind=AbsenceKind.HOLIDAY.value,
                site_id=at.id,
                since=since,
                until=since + timedelta(days=1),
                name=name[:120],
                source=source,
                changed_at=now,
            )
        )
    db.add_all(new)
    db.flush()
    for row in new:
        audit.record(db, "add", by=by, now=now, kind="absence", subject=row.public_id, detail={"kind": "holiday"})
        _tell_all(db, row, directory(db), by=by, now=now)
    return len(new)


@reading
def between(db: Session, *, since: LocalTime, until: LocalTime, by: Actor) -> list[AbsenceView]:
    """Leave, closures and holidays that reach into the span, in order; pauses belong to their courses."""
    access.require_any(by)
    people = directory(db)
    return [_view(row, people) for row in absences.touching(db, since, until) if row.kind != AbsenceKind.PAUSE]


@reading
def show(db: Session, *, absence: str, by: Actor) -> AbsenceView:
    """:raises NotFound: not there, withdrawn, or the pause of one course."""
    access.require_any(by)
    row = absences.get(db, absence)
    if row.kind == AbsenceKind.PAUSE:
        raise steps.no_such("absence")
    return _view(row, directory(db))


@reading
def touched(db: Session, *, absence: str, by: Actor) -> list[Touched]:
    """Every course that loses an hour to it, those not yet told first. A therapist sees their own alone."""
    row, people = absences.get(db, absence), directory(db)
    access.require(by, Role.FRONT_DESK, Role.MANAGER, Role.THERAPIST, to_change=False)
    hours = _taken(db, row)
    told, names = absences.told_courses(db, [row.id]), clients.names(db)
    in_course = courses.clients_by_course(db, {hour.course_id for hour in hours})
    found = [
        Touched(
            course=whose.public_id,
            names=tuple(names.get(client, "") for client in in_course.get(whose.id, ())),
            therapist_name=people.therapists[whose.therapist_id].name,
            lost=tuple(hour.starts for hour in hours if hour.course_id == whose.id),
            still_booked=tuple(
                hour.public_id for hour in hours if hour.course_id == whose.id and hour.status == Status.SCHEDULED
            ),
            told_at=told.get((row.id, whose.id)),
        )
        for whose in _courses_of(db, hours)
        if access.may_see_course(by, steps.therapists_of(db, whose, people))
    ]
    return sorted(found, key=lambda one: (one.told_at is not None, one.lost, one.course))


# --- steps ----------------------------------------------------------------------------------------------------------


def _may_enter(by: Actor, kind: AbsenceKind, therapist: str | None) -> None:
    access.require(by, Role.FRONT_DESK, Role.MANAGER, Role.THERAPIST)
    if not by.has(Role.FRONT_DESK, Role.MANAGER) and (kind is not AbsenceKind.LEAVE or therapist != by.therapist):
        raise Forbidden(say("You can enter your own leave; ask the front desk for anything else."))


def _taken(db: Session, row: AbsenceRow, *, course: CourseRow | None = None) -> list[AppointmentRow]:
    """The hours that lie in the absence and depend on it: booked, or let go as a break."""
    margin = timedelta(days=1)
    rows = appointments.between(db, _as_utc(row.since - margin), _as_utc(row.until + margin))
    found_courses = {one.id: one for one in _courses_of(db, rows)}
    return [
        hour
        for hour in rows
        if hour.status in {Status.SCHEDULED, Status.BREAK}
        and (course is None or hour.course_id == course.id)
        and steps.is_touched_by(row, hour, found_courses[hour.course_id])
    ]


def _as_utc(local: LocalTime) -> datetime:
    """Near enough to look for rows by; the exact comparison is in local time."""
    return instant(local, "UTC")


def _courses_of(db: Session, rows: Sequence[AppointmentRow]) -> list[CourseRow]:
    ids = sorted({row.course_id for row in rows})
    return list(db.scalars(select(CourseRow).where(CourseRow.id.in_(ids)).order_by(CourseRow.id)))


def _tell_all(db: Session, row: AbsenceRow, people: Directory, *, by: Actor, now: datetime) -> None:
    """Have every course that depends on it assessed anew, and every calendar that shows it built anew."""
    for whose in _depending(db, row):
        steps.course_changed(db, whose, therapists=(), by=by, now=now)
    if row.therapist_id:
        steps.calendars_changed(db, [row.therapist_id])
        return
    site = row.site_id
    everyone = [one.id for one in people.therapists.values() if site is None or one.site_id == site]
    rooms = [one.id for one in people.rooms.values() if site is None or one.site_id == site]
    steps.calendars_changed(db, everyone, rooms=[row.room_id] if row.room_id else rooms)


def _depending(db: Session, row: AbsenceRow) -> list[CourseRow]:
    """Courses with an hour in the span, or with a standing that may expect one there: a gap is explained by what is
    away at the agreed hour, also where that hour was moved or cancelled before."""
    margin = timedelta(days=1)
    hours = appointments.between(db, _as_utc(row.since - margin), _as_utc(row.until + margin))
    by_hour = {
        one.course_id
        for one in hours
        if (row.therapist_id is None or one.therapist_id == row.therapist_id)
        and (row.room_id is None or one.room_id == row.room_id)
    }
    found = db.scalars(
        select(CourseRow)
        .where(
            or_(CourseRow.id.in_(by_hour), CourseRow.id.in_(_expecting(row))),
            true() if row.site_id is None else CourseRow.site_id == row.site_id,
        )
        .order_by(CourseRow.id)
    )
    return list(found)


def _expecting(row: AbsenceRow) -> Select[int]:
    """Inner ids of courses with a standing that the absence concerns and whose weekday it has."""
    days = min(7, (row.until.date() - row.since.date()).days + 1)
    weekdays = sorted({(row.since.date() + timedelta(days=n)).weekday() for n in range(-1, days)})
    query = (
        select(StandingRow.course_id)
        .join(StandingHourRow, StandingHourRow.standing_id == StandingRow.id)
        .where(
            StandingHourRow.weekday.in_(weekdays),
            StandingRow.since <= row.until.date(),
            or_(StandingRow.until.is_(None), StandingRow.until >= row.since.date()),
        )
    )
    if row.therapist_id is not None:
        return query.where(StandingRow.therapist_id == row.therapist_id)
    return query if row.room_id is None else query.where(StandingRow.room_id == row.room_id)


def _holidays(country: str | None, region: str | None, year: int) -> dict[date, str]:
    if country is None:
        raise Malformed(say("This site names no country, so its public holidays are not known."), where="site.country")
    try:
        found = public_holidays.country_holidays(country, subdiv=region or None, years=year)
    except NotImplementedError:
        where = f"{country} {region}" if region else country
        raise Malformed(
            say("The public holidays of {where} are not known.", where=where), where="site.region"
        ) from None
    return {day: str(name) for day, name in found.items()}


def _view(row: AbsenceRow, people: Directory) -> AbsenceView:
    return AbsenceView(
        id=row.public_id,
        kind=AbsenceKind(row.kind),
        since=row.since,
        until=row.until,
        therapist=people.therapist_public(row.therapist_id) if row.therapist_id else None,
        therapist_name=people.therapists[row.therapist_id].name if row.therapist_id else None,
        room=people.room_public(row.room_id),
        room_name=people.rooms[row.room_id].name if row.room_id else None,
        site=people.sites[row.site_id].public_id if row.site_id else None,
        name=row.name,
        tentative=row.tentative,
    )
