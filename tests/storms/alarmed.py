"""A clinic of many courses where one phone call opens an alert: a weekly hour that falls out leaves 14 days between.

Each therapist holds eight courses on one day and is mailed of all that is worth a look, at any hour.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from service.domain.access import OPERATOR, Actor, Role
from service.domain.hours import Hour, Weekday, local_time
from service.domain.signals.signal import Level
from service.domain.standing import Modality
from service.domain.telling import MOST_PUSHES, Preferences
from service.store.alerts import AlertRow
from service.store.appointments import AppointmentRow
from service.store.base import db
from service.store.courses import CourseRow
from service.usecases import clients, consistency, notices, people, standings
from tests.storms import copied

if TYPE_CHECKING:
    from flask import Flask

ZONE = "Europe/Berlin"
EACH_HOLDS = 8
HORIZON_WEEKS = 4
TOLD_AT_ONCE = Preferences(
    push_from=Level.WATCH, pushes_a_day=MOST_PUSHES, quiet_since=time(), quiet_until=time(), digest_days=()
)


@dataclass(frozen=True, kw_only=True)
class Alarmed:
    """A desk's token, and by course the hour to cancel; public ids."""

    token: str
    hours: dict[str, str]


def alarmed(app: "Flask", courses: int, *, now: datetime) -> Alarmed:
    """So many courses or a few more; every one is looked at, and nothing is worth telling."""
    with app.app_context():
        site = people.add_site(name="Quay", zone_name=ZONE, country="DE", region="BE", by=OPERATOR, now=now)
        therapist = _therapist(site, now)
        for place in range(EACH_HOLDS):
            _course(therapist, place, now)
        copied.copy_all(db.session(), -(-courses // EACH_HOLDS) - 1)
        desk = people.add_user(name="Desk", email="desk@clinic.example", roles=[Role.FRONT_DESK], by=OPERATOR, now=now)
        _id, token = people.add_token(user=desk, name="storm", may_write=True, days=30, by=OPERATOR, now=now)
        assert alerts(app) == {}, "nothing is worth telling yet"
        return Alarmed(token=token, hours=_second_hours())


def alerts(app: "Flask") -> dict[str, set[str]]:
    """By course, the alerts of it that somebody is to be told of; public ids."""
    found: dict[str, set[str]] = {}
    with app.app_context():
        query = select(CourseRow.public_id, AlertRow.public_id).join(AlertRow, AlertRow.course_id == CourseRow.id)
        for course, alert in db.session.execute(query).all():
            found.setdefault(course, set()).add(alert)
        db.session.rollback()
    return found


def _therapist(site: str, now: datetime) -> str:
    name = "Therapist"
    therapist = people.add_therapist(name=name, site=site, hours=[], by=OPERATOR, now=now)
    user = people.add_user(
        name=name,
        email="therapist@clinic.example",
        roles=[Role.THERAPIST],
        therapist=therapist,
        by=OPERATOR,
        now=now,
    )
    whose = Actor(name=name, roles=frozenset({Role.THERAPIST}), user=user, therapist=therapist)
    notices.prefer(preferences=TOLD_AT_ONCE, by=whose, now=now)
    return therapist


def _course(therapist: str, place: int, now: datetime) -> None:
    following = local_time(now, ZONE).date() + timedelta(days=3)
    proposal = standings.Proposal(
        therapist=therapist,
        room=None,
        modality=Modality.VIDEO,
        hours=(Hour(day=Weekday.of(following), at=time(8 + place)),),
        since=following,
    )
    whose = clients.add(name=f"Client {place}", by=OPERATOR, now=now)
    agreed = standings.agree(
        client=whose, proposal=proposal, horizon=timedelta(weeks=HORIZON_WEEKS), by=OPERATOR, now=now
    )
    consistency.assess(course=agreed.course, now=now)


def _second_hours() -> dict[str, str]:
    query = (
        select(CourseRow.public_id, AppointmentRow.public_id)
        .join(AppointmentRow, AppointmentRow.course_id == CourseRow.id)
        .order_by(AppointmentRow.course_id, AppointmentRow.starts)
    )
    found: dict[str, list[str]] = {}
    for course, hour in db.session.execute(query).all():
        found.setdefault(course, []).append(hour)
    db.session.rollback()
    return {course: hours[1] for course, hours in found.items()}
