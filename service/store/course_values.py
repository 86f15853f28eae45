"""A whole course as the domain knows it, out of its rows."""

from collections.abc import Iterable
from datetime import datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.domain.absences import Absence
from service.domain.appointment import Appointment
from service.domain.course import Course, CourseStatus, Ending
from service.domain.hours import LocalTime
from service.domain.standing import Standing
from service.store import absences, appointments, overrides, standings
from service.store.absences import AbsenceRow
from service.store.appointments import AppointmentRow
from service.store.courses import CourseRow
from service.store.people import Directory
from service.store.standings import StandingRow


def load(session: Session, course: CourseRow, people: Directory) -> Course:
    """The course with its versions, appointments, changes and the absences it depends on; all times in its zone."""
    rows = standings.of_course(session, course.id)
    of_clinic, of_therapist, own = overrides.layers(session, course)
    zone = people.sites[course.site_id].zone
    return Course(
        zone=zone,
        status=CourseStatus(course.status),
        standings=_standings(rows, people),
        appointments=_appointments(session, course, rows, people, zone),
        absences=_absences(session, course, rows, people, zone),
        same_room=course.same_room,
        overrides=own,
        layers=tuple(layer for layer in (of_clinic, of_therapist) if layer),
        default_cadence_days=course.default_cadence_days,
        ending=Ending(course.ending) if course.ending else None,
    )


def _standings(rows: Iterable[StandingRow], people: Directory) -> tuple[Standing, ...]:
    rows = list(rows)
    public_ids = {row.id: row.public_id for row in rows}
    values = [standings.as_value(row, people, public_ids=public_ids) for row in rows]
    # A version that ended on the day it began was replaced before it ever held.
    return tuple(value for value in values if value.until is None or value.until > value.since)


def _appointments(
    session: Session, course: CourseRow, versions: Iterable[StandingRow], people: Directory, zone: str
) -> tuple[Appointment, ...]:
    rows = appointments.of_course(session, course.id)
    changes = appointments.changes_of(session, [row.id for row in rows])
    public_ids: dict[int | None, str] = {version.id: version.public_id for version in versions}
    values = [
        appointments.as_value(
            row, people, standing=public_ids.get(row.standing_id), changes=changes.get(row.id, ()), zone=zone
        )
        for row in rows
    ]
    return tuple(sorted(values, key=lambda value: (value.expected, value.id)))


def _absences(
    session: Session, course: CourseRow, versions: Iterable[StandingRow], people: Directory, zone: str
) -> tuple[Absence, ...]:
    first = min((version.since for version in versions), default=None)
    since = datetime.combine(first, time()) if first else datetime(1, 1, 1)
    told = absences.told(session, course.id)
    return tuple(
        absences.as_value(row, people, told_at=told.get(row.id), zone=zone)
        for row in depended_on(session, course, versions, since)
    )


def depended_on(
    session: Session,
    course: CourseRow,
    versions: Iterable[StandingRow],
    since: LocalTime,
    until: LocalTime | None = None,
) -> list[AbsenceRow]:
    """The absences that any of the course's versions depends on, in order."""
    therapists = {version.therapist_id for version in versions} | {course.therapist_id}
    therapists |= set(
        session.scalars(select(AppointmentRow.therapist_id).where(AppointmentRow.course_id == course.id).distinct())
    )
    rooms = {version.room_id for version in versions}
    rooms |= set(
        session.scalars(select(AppointmentRow.room_id).where(AppointmentRow.course_id == course.id).distinct())
    )
    return [
        row
        for row in absences.touching(session, since, until)
        if any(
            absences.concerns(row, therapist_id=therapist, room_id=room, site_id=course.site_id, course_id=course.id)
            for therapist in therapists
            for room in rooms or {None}
        )
    ]
