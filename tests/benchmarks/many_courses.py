"""A clinic of many courses for P4: a hundred appointments each, disturbed as real ones are, written in bulk.

Each is a copy of the course of `p4_assess`, begun on another day, so that gaps, moves, covers, misses, leave behind and
ahead lie elsewhere. No use-case writes them: fifty thousand would take hours.
"""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert

from service.app import create_app, migrate
from service.config import Settings
from service.domain.appointment import Appointment
from service.domain.course import Course
from service.domain.hours import TZDATA_VERSION, LocalTime, instant
from service.store.absences import AbsenceRow, AnnouncementRow
from service.store.appointments import AppointmentRow, ChangeRow
from service.store.base import db, new_public_id
from service.store.courses import CourseRow
from service.store.people import RoomRow, SiteRow, TherapistRow
from service.store.standings import StandingHourRow, StandingRow
from tests.benchmarks.full_time import environment
from tests.benchmarks.p4_assess import HELD, ZONE, disturbed

if TYPE_CHECKING:
    from flask import Flask

COURSES = int(os.environ.get("P4_COURSES", "2000"))
EACH_HAS = 25
"""Courses of one therapist."""
AT_ONCE = 500
NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)


def clinic(place: Path, courses: int = COURSES, database_url: str | None = None) -> "Flask":
    """The app on a new database with so many courses in it, that nobody has looked at yet."""
    app = create_app(Settings.from_env({**environment(place, database_url), "SAMEHOUR_LOG_LEVEL": "warning"}))
    migrate(app)
    with app.app_context(), db.engine.begin() as connection:
        _people(connection, 1 + courses // EACH_HAS)
        numbers = iter(range(1, courses + 1))
        while some := list(islice(numbers, AT_ONCE)):
            _courses(connection, some)
    return app


def _people(connection: Connection, therapists: int) -> None:
    connection.execute(insert(SiteRow), [{"id": 1, "public_id": new_public_id(), "name": "Main", "zone": ZONE}])
    rooms = [{"id": n, "public_id": new_public_id(), "site_id": 1, "name": f"Room {n}"} for n in (1, 2)]
    connection.execute(insert(RoomRow), rooms)
    everybody = range(1, therapists + 2)
    named = [{"id": n, "public_id": new_public_id(), "site_id": 1, "name": f"Therapist {n}"} for n in everybody]
    connection.execute(insert(TherapistRow), named)
    connection.execute(insert(AbsenceRow), [row for n in everybody for row in _leaves(n)])


def _leaves(therapist: int) -> Iterator[dict[str, Any]]:
    """One each half year, twelve days long; the last one lies ahead."""
    last = datetime(2026, 3, 23) + timedelta(days=therapist % 5)
    for number in range(4):
        since = last - timedelta(days=182 * number)
        yield {
            "id": therapist * 10 + number,
            "public_id": new_public_id(),
            "kind": "leave",
            "therapist_id": therapist,
            "since": since,
            "until": since + timedelta(days=12),
            "changed_at": NOW,
        }


def _courses(connection: Connection, numbers: list[int]) -> None:
    tables: dict[Any, list[dict[str, Any]]] = {
        CourseRow: [],
        StandingRow: [],
        StandingHourRow: [],
        AppointmentRow: [],
        ChangeRow: [],
        AnnouncementRow: [],
    }
    for number in numbers:
        for table, row in _rows(number):
            tables[table].append(row)
    for table, rows in tables.items():
        connection.execute(insert(table), rows)


def _rows(number: int) -> Iterator[tuple[Any, dict[str, Any]]]:
    course, shift = disturbed(), timedelta(days=7 * (number % 6) + number % 5)
    therapist = 1 + number // EACH_HAS
    [standing] = course.standings
    shift += datetime.combine(NOW.date(), standing.hours[0].at) - _now_of(course)
    shift = timedelta(days=shift.days)
    yield (
        CourseRow,
        {"id": number, "public_id": new_public_id(), "site_id": 1, "therapist_id": therapist, "opened_at": NOW},
    )
    since = standing.since + shift
    yield (
        StandingRow,
        {
            "id": number,
            "public_id": new_public_id(),
            "course_id": number,
            "therapist_id": therapist,
            "room_id": 1,
            "modality": standing.modality.value,
            "zone": ZONE,
            "every_weeks": 1,
            "minutes": 50,
            "since": since,
            "extended_to": date(2026, 9, 1),
            "changed_at": NOW,
        },
    )
    hour = standing.hours[0]
    yield StandingHourRow, {"standing_id": number, "weekday": since.weekday(), "at": hour.at}
    for place, one in enumerate(course.appointments):
        inner = number * 1000 + place
        yield AppointmentRow, _appointment(one, shift, inner, number, therapist)
        for change in one.changes:
            yield ChangeRow, _change(change, shift, inner)
    if number % 2:
        told = NOW - timedelta(days=20)
        row = {"absence_id": therapist * 10, "course_id": number, "told_at": told, "made_by": "desk"}
        yield AnnouncementRow, row


def _now_of(course: Course) -> LocalTime:
    return course.appointments[HELD - 1].expected


def _appointment(one: Appointment, shift: timedelta, inner: int, course: int, therapist: int) -> dict[str, Any]:
    starts = one.starts + shift
    since = instant(starts, ZONE)
    return {
        "id": inner,
        "public_id": new_public_id(),
        "course_id": course,
        "standing_id": course,
        "slot": one.expected + shift,
        "starts": starts,
        "zone": ZONE,
        "minutes": one.minutes,
        "starts_at": since,
        "ends_at": since + timedelta(minutes=one.minutes),
        "tzdata": TZDATA_VERSION,
        "therapist_id": therapist if one.therapist == "A" else therapist + 1,
        "room_id": 1,
        "modality": one.modality.value,
        "status": one.status.value,
        "began_at": instant(one.began + shift, ZONE) if one.began else None,
        "finished_at": instant(one.finished + shift, ZONE) if one.finished else None,
        "changed_at": NOW,
    }


def _change(one: Any, shift: timedelta, appointment: int) -> dict[str, Any]:
    was, now = (str(datetime.fromisoformat(text) + shift) for text in (one.was, one.now))
    return {
        "appointment_id": appointment,
        "what": one.what.value,
        "was": was,
        "now": now,
        "asked_by": one.by.value,
        "told_at": instant(one.told_at + shift, ZONE),
        "made_by": "desk",
        "made_at": NOW,
    }
