"""Fill an empty database with an invented clinic: a year of it at once, under the same guards as any booking."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from service.domain import access
from service.domain.absences import Absence
from service.domain.access import Actor, Role
from service.domain.appointment import Appointment
from service.domain.course import CourseStatus, Ending
from service.domain.hours import Instant, LocalTime, Weekday, instant
from service.domain.phrase import say
from service.domain.refusals import Conflict
from service.domain.standing import Standing
from service.store import appointments, bookings, clients, overrides, standings
from service.store.absences import AbsenceRow, AnnouncementRow
from service.store.appointments import AppointmentRow
from service.store.audit import AuditRow
from service.store.base import new_public_id
from service.store.courses import CourseClientRow, CourseRow
from service.store.outbox import OutboxRow
from service.store.people import (
    Directory,
    RoomRow,
    SiteRow,
    TherapistRow,
    UserRoleRow,
    UserRow,
    WorkingHoursRow,
    directory,
    forget_directory,
)
from service.store.transaction import reading, writing
from service.usecases import steps

AT_ONCE = 40
"""Courses placed together: enough to ask the database seldom, few enough for its longest comparison."""
KEPT = timedelta(days=8)
"""How far back messages are written; older ones would have been cleared away."""


class CannotFill(Conflict):
    """There is something in the database already; it is left alone."""


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A therapist of the invented clinic. `hours` are (weekday, first hour, last hour)."""

    id: str
    name: str
    hours: tuple[tuple[Weekday, LocalTime, LocalTime], ...]


@dataclass(frozen=True, kw_only=True)
class Member:
    """A user; `therapist` is the public id of the therapist that they are."""

    name: str
    email: str
    roles: tuple[Role, ...]
    therapist: str | None = None


@dataclass(frozen=True, kw_only=True)
class Guest:
    """A client."""

    name: str
    email: str | None
    phone: str | None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One appointment with what its value does not say."""

    value: Appointment
    reason: str | None = None
    keeps_hour: bool = False


@dataclass(frozen=True, kw_only=True)
class Away:
    """An absence, when it was entered, and which courses were told when (local times)."""

    value: Absence
    entered: LocalTime
    course: str | None = None
    """Whose rest it is."""
    keeps_hour: bool = True
    told: Mapping[str, LocalTime] = field(default_factory=dict)
    source: str | None = None


@dataclass(frozen=True, kw_only=True)
class Deviation:
    """A parameter agreed otherwise for a course."""

    name: str
    value: str
    reason: str
    until: date


@dataclass(frozen=True, kw_only=True)
class History:
    """One course with all that became of it."""

    id: str
    clients: tuple[Guest, ...]
    therapist: str
    opened: LocalTime
    standings: tuple[Standing, ...]
    entries: tuple[Entry, ...]
    status: CourseStatus = CourseStatus.ACTIVE
    ending: Ending | None = None
    ended_on: date | None = None
    same_room: bool = False
    deviations: tuple[Deviation, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Clinic:
    """Everything of an invented clinic, by public ids; `horizon` is the first day that no slot was booked for."""

    site: str
    zone: str
    country: str
    region: str
    rooms: tuple[tuple[str, str], ...]
    therapists: tuple[Worker, ...]
    users: tuple[Member, ...]
    courses: tuple[History, ...]
    absences: tuple[Away, ...]
    horizon: date


@reading
def is_empty(db: Session, *, by: Actor) -> bool:
    """True while nobody and nothing was entered."""
    access.require(by, Role.ADMIN, to_change=False)
    return not any(db.scalar(select(table.id).limit(1)) for table in (SiteRow, UserRow, CourseRow))


@writing
def fill(db: Session, *, clinic: Clinic, by: Actor, now: datetime) -> list[str]:
    """Enter it all, or nothing; public ids of the courses.

    :raises CannotFill: the database is not empty. :raises CannotBook: the invention books somebody twice.
    """
    access.require(by, Role.ADMIN)
    if any(db.scalar(select(table.id).limit(1)) for table in (SiteRow, UserRow, CourseRow)):
        raise CannotFill(say("There is something in this database already. Nothing was changed."))
    log = _Log(by=by, now=now, zone=clinic.zone)
    _people(db, clinic, log)
    people = directory(db)
    courses = _courses(db, clinic, people, log)
    _absences(db, clinic, people, courses, log)
    for start in range(0, len(clinic.courses), AT_ONCE):
        _book(db, clinic.courses[start : start + AT_ONCE], courses, people, log, clinic.horizon)
    log.write(db)
    return [history.id for history in clinic.courses]


class _Log:
    """Lines for the audit and, for what is recent, the messages that went with them."""

    def __init__(self, *, by: Actor, now: datetime, zone: str) -> None:
        self.by, self.now, self.zone = by, now, zone
        self.lines: list[dict[str, object]] = []
        self.asked: dict[tuple[str, datetime], None] = {}

    def at(self, local: LocalTime) -> Instant:
        """Nothing was entered in the future."""
        return min(self.now, instant(local, self.zone))

    def note(
        self,
        action: str,
        kind: str,
        subject: str,
        at: Instant,
        *,
        course: str | None = None,
        fields: Sequence[str] = (),
    ) -> None:
        self.lines.append(
            {
                "at": at,
                "actor": None,
                "actor_name": self.by.name,
                "action": action,
                "subject_kind": kind,
                "subject": subject,
                "fields": sorted(fields),
                "detail": None,
            }
        )
        if course is not None and at > self.now - KEPT:
            self.asked[course, at] = None

    def write(self, db: Session) -> None:
        self.lines.sort(key=lambda line: str(line["at"]))
        db.execute(insert(AuditRow), self.lines)
        messages = [_settled_message(course, at) for course, at in self.asked]
        if messages:
            db.execute(insert(OutboxRow), messages)


def _settled_message(course: str, at: Instant) -> dict[str, object]:
    """What was asked at that time has long been done."""
    return {
        "public_id": new_public_id(),
        "topic": steps.ASSESS,
        "dedup_key": f"{steps.ASSESS}:{new_public_id()}",
        "payload": {"course": course},
        "state": "done",
        "attempts": 1,
        "not_before": at,
        "created_at": at,
        "done_at": at,
    }


# --- people


def _people(db: Session, clinic: Clinic, log: _Log) -> None:
    site = SiteRow(name=clinic.site, zone=clinic.zone, country=clinic.country, region=clinic.region)
    db.add(site)
    db.flush()
    first = min((history.opened for history in clinic.courses), default=None)
    at = log.at(first) if first else log.now
    log.note("add", "site", site.public_id, at)
    db.add_all(RoomRow(public_id=room, name=name, site_id=site.id, is_active=True) for room, name in clinic.rooms)
    whose = {one.id: TherapistRow(public_id=one.id, name=one.name, site_id=site.id) for one in clinic.therapists}
    db.add_all(whose.values())
    db.flush()
    for one in clinic.therapists:
        log.note("add", "therapist", one.id, at)
        db.add_all(
            WorkingHoursRow(
                therapist_id=whose[one.id].id, site_id=site.id, weekday=int(day), begins=since.time(), ends=until.time()
            )
            for day, since, until in one.hours
        )
    for member in clinic.users:
        _user(db, member, whose, at, log)
    forget_directory(db)


def _user(db: Session, member: Member, whose: Mapping[str, TherapistRow], at: Instant, log: _Log) -> None:
    therapist_id = whose[member.therapist].id if member.therapist else None
    row = UserRow(name=member.name, email=member.email, therapist_id=therapist_id, created_at=at)
    db.add(row)
    db.flush()
    db.add_all(UserRoleRow(user_id=row.id, role=role.value) for role in member.roles)
    log.note("add", "user", row.public_id, at)


# --- courses


def _courses(db: Session, clinic: Clinic, people: Directory, log: _Log) -> dict[str, CourseRow]:
    [site] = people.sites
    rows = {history.id: _course(history, site, people, log) for history in clinic.courses}
    db.add_all(rows.values())
    guests = {
        history.id: [_client(guest, log.at(history.opened)) for guest in history.clients] for history in clinic.courses
    }
    db.add_all(row for found in guests.values() for row in found)
    db.flush()
    for history in clinic.courses:
        at = log.at(history.opened)
        log.note("open", "course", history.id, at, course=history.id)
        for client in guests[history.id]:
            client.reference = f"C{client.id:05d}"
            db.add(CourseClientRow(course_id=rows[history.id].id, client_id=client.id))
            log.note("add", "client", client.public_id, at)
        db.add_all(_deviation(one, rows[history.id], at, log.by) for one in history.deviations)
        if history.ended_on is not None:
            over = log.at(datetime.combine(history.ended_on, datetime.min.time()))
            log.note("end", "course", history.id, over, course=history.id)
    db.flush()
    return rows


def _course(history: History, site: int, people: Directory, log: _Log) -> CourseRow:
    return CourseRow(
        public_id=history.id,
        site_id=site,
        therapist_id=people.therapist(history.therapist).id,
        status=history.status.value,
        ending=history.ending.value if history.ending else None,
        ended_on=history.ended_on,
        same_room=history.same_room,
        opened_at=log.at(history.opened),
    )


def _client(guest: Guest, at: Instant) -> clients.ClientRow:
    row = clients.new_row(name=guest.name, now=at)
    row.email, row.phone, row.is_safe_to_contact = guest.email, guest.phone, True
    return row


def _deviation(one: Deviation, course: CourseRow, at: Instant, by: Actor) -> overrides.OverrideRow:
    return overrides.new_row(
        course_id=course.id,
        name=one.name,
        value=one.value,
        reason=one.reason,
        until=one.until,
        made_by=by.name,
        now=at,
    )


# --- absences


def _absences(db: Session, clinic: Clinic, people: Directory, courses: Mapping[str, CourseRow], log: _Log) -> None:
    [site] = people.sites
    for away in clinic.absences:
        value, at = away.value, log.at(away.entered)
        row = AbsenceRow(
            public_id=value.id,
            kind=value.kind.value,
            therapist_id=people.therapist(value.therapist).id if value.therapist else None,
            room_id=people.room_id(value.room),
            site_id=None if value.therapist or away.course else site,
            course_id=courses[away.course].id if away.course else None,
            since=value.since,
            until=value.until,
            name=value.name,
            tentative=value.tentative,
            keeps_hour=away.keeps_hour,
            source=f"{people.sites[site].public_id}:{away.source}" if away.source else None,
            changed_at=at,
        )
        db.add(row)
        db.flush()
        if away.course:
            log.note("pause", "course", away.course, at, course=away.course)
        log.note("add", "absence", value.id, at)
        db.add_all(
            AnnouncementRow(absence_id=row.id, course_id=courses[course].id, told_at=log.at(told), made_by=log.by.name)
            for course, told in away.told.items()
        )


# --- hours


def _book(
    db: Session,
    histories: Iterable[History],
    courses: Mapping[str, CourseRow],
    people: Directory,
    log: _Log,
    horizon: date,
) -> None:
    rows: list[tuple[History, Entry, AppointmentRow]] = []
    for history in histories:
        versions = _standings(db, history, courses[history.id], people, log, horizon)
        whose = courses[history.id]
        rows += [(history, entry, _row(entry, whose, versions, people, log)) for entry in history.entries]
    bookings.place(db, [row for _history, _entry, row in rows], people)
    for history, entry, row in rows:
        _note_hour(db, history, entry, row, log)


def _standings(
    db: Session, history: History, course: CourseRow, people: Directory, log: _Log, horizon: date
) -> dict[str, int]:
    inner: dict[str, int] = {}
    for standing in history.standings:
        told = standing.change_told_at
        row = standings.add(
            db,
            standing,
            course_id=course.id,
            people=people,
            replaces_id=inner.get(standing.replaces or ""),
            told_at=log.at(told) if told else None,
            now=log.at(told or history.opened),
        )
        row.extended_to = min(standing.until or horizon, horizon)
        inner[standing.id] = row.id
        action = "change" if standing.replaces else "agree"
        log.note(action, "standing", standing.id, log.at(told or history.opened), course=history.id)
    return inner


def _row(entry: Entry, course: CourseRow, versions: Mapping[str, int], people: Directory, log: _Log) -> AppointmentRow:
    value = entry.value
    row = appointments.new_row(
        value,
        people,
        course_id=course.id,
        standing_id=versions[value.standing] if value.standing else None,
        now=log.at(_last_touched(value)),
    )
    row.reason, row.keeps_hour, row.ending_session = entry.reason, entry.keeps_hour, value.ending_session
    return row


def _last_touched(value: Appointment) -> LocalTime:
    """When anything about it was last entered: a mark at its end, else the last thing told."""
    if value.is_occupying and value.status != "scheduled":
        return value.ends
    told = [change.told_at for change in value.changes if change.told_at] + [value.told_at or value.expected]
    return max(told)


def _note_hour(db: Session, history: History, entry: Entry, row: AppointmentRow, log: _Log) -> None:
    value = entry.value
    for change in value.changes:
        at = log.at(change.told_at or value.expected - timedelta(days=1))
        appointments.record_changes(db, row, [change], made_by=log.by.name, now=at)
        log.note("move", "appointment", value.id, at, course=history.id, fields=[change.what.value])
    if value.standing is None:
        log.note("book", "appointment", value.id, log.at(value.starts - timedelta(days=3)), course=history.id)
    if value.is_occupying and value.status != "scheduled":
        log.note(f"mark {value.status.value}", "appointment", value.id, log.at(value.ends), course=history.id)
    elif value.is_cancelled and entry.reason not in {"holiday", "leave", "pause"}:
        log.note("cancel", "appointment", value.id, log.at(value.told_at or value.expected), course=history.id)
