"""Reading whole courses by plain columns gives what each row says of itself, for one and for many."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from service.commands.demo_clinic import invent
from service.domain.access import OPERATOR
from service.domain.course import Course
from service.store import absences, appointments, course_values, standings
from service.store.absences import AbsenceRow
from service.store.base import db
from service.store.courses import CourseRow
from service.store.people import Directory, directory
from service.usecases import demo

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.orm import Session

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def test_one_by_one_and_many_at_once_are_what_the_rows_say(app: "Flask") -> None:
    clinic = invent(therapists=2, weeks=14, seed=3, horizon=timedelta(weeks=6), now=NOW)
    with app.app_context():
        demo.fill(clinic=clinic, by=OPERATOR, now=NOW)
        session = db.session()
        people, rows = directory(session), session.query(CourseRow).order_by(CourseRow.id.desc()).all()
        many = list(course_values.load_many(session, [row.id for row in rows], people))
        assert [(one.id, one.public_id) for one in many] == [(row.id, row.public_id) for row in rows]
        for row, loaded in zip(rows, many, strict=True):
            assert course_values.load(session, row, people) == loaded.value
            _expect_as_the_rows(session, row, loaded.value, people)
        assert any(one.changes for loaded in many for one in loaded.value.appointments)
        assert any(loaded.value.absences for loaded in many)
        assert any(loaded.value.overrides for loaded in many)
        session.rollback()


def _expect_as_the_rows(session: "Session", row: CourseRow, value: Course, people: Directory) -> None:
    zone = people.sites[row.site_id].zone
    versions = standings.of_course(session, row.id)
    public_ids = {version.id: version.public_id for version in versions}
    held = [standings.as_value(one, people, public_ids=public_ids) for one in versions]
    assert value.standings == tuple(one for one in held if one.until is None or one.until > one.since)
    hours = appointments.of_course(session, row.id)
    changes = appointments.changes_of(session, [one.id for one in hours])
    made = {
        appointments.as_value(
            one, people, standing=public_ids.get(one.standing_id or 0), changes=changes.get(one.id, ()), zone=zone
        )
        for one in hours
    }
    assert set(value.appointments) == made
    told = absences.told(session, row.id)
    known = {one.public_id: one for one in session.query(AbsenceRow)}
    for absence in value.absences:
        its = known[absence.id]
        assert absence == absences.as_value(its, people, told_at=told.get(its.id), zone=zone)
