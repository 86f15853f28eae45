"""A clinic just big enough for an alert: Ada's weekly client came for six weeks, four days ago last.

The next hours are in 3, 10, 17 … days: without the first, 14 days lie between two sessions (watch), without the first
two, 21 (act). Ada, a manager and the desk are users with an address; Ben holds the other course.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from service.domain.access import OPERATOR, Actor, Role
from service.domain.appointment import Initiator, Mark
from service.domain.hours import Hour, Weekday, local_time
from service.domain.standing import Modality
from service.domain.telling import Preferences
from service.usecases import appointments, clients, notices, people, standings

ZONE = "Europe/Berlin"
ADA = "ada@clinic.example"
MANAGER = "manager@clinic.example"
DESK = "desk@clinic.example"


@dataclass(frozen=True, kw_only=True)
class AlarmClinic:
    """Public ids, and who asks."""

    ada: str
    ben: str
    course: str
    other_course: str
    next: date
    """The day of the next hour."""
    as_ada: Actor
    as_ben: Actor
    manager: Actor
    desk: Actor
    reader: Actor

    def hour(self, weeks: int, *, course: str | None = None) -> appointments.Booked:
        """The appointment so many weeks after the next one."""
        day = self.next + timedelta(weeks=weeks)
        found = appointments.board(since=day, until=day + timedelta(days=1), by=OPERATOR)
        return next(one for one in found if one.course == (course or self.course))

    def cancel(self, *weeks: int, now: datetime, course: str | None = None) -> None:
        for week in weeks:
            appointments.cancel(
                appointment_id=self.hour(week, course=course).id,
                asked_by=Initiator.CLIENT,
                reason="travel",
                is_told=False,
                by=OPERATOR,
                now=now,
            )

    def take_up(self, *weeks: int, now: datetime) -> None:
        for week in weeks:
            appointments.uncancel(appointment_id=self.hour(week).id, by=OPERATOR, now=now)


def alarm_clinic(*, now: datetime) -> AlarmClinic:
    """Enter it, in the app's context. `now` is an instant."""
    site = people.add_site(name="Quay", zone_name=ZONE, country="DE", region="BE", by=OPERATOR, now=now)
    ada, ben = (_therapist(name, site, now) for name in ("Therapist Ada", "Therapist Ben"))
    following = local_time(now, ZONE).date() + timedelta(days=3)
    courses = [_course(f"Client {n}", whose, following, now) for n, whose in (("One", ada), ("Two", ben))]
    for one in appointments.board(since=following - timedelta(weeks=6), until=following, by=OPERATOR):
        appointments.mark(appointment_id=one.id, mark=Mark.HELD, by=OPERATOR, now=now)
    return AlarmClinic(
        ada=ada,
        ben=ben,
        course=courses[0],
        other_course=courses[1],
        next=following,
        as_ada=_user(ADA, Role.THERAPIST, now, therapist=ada),
        as_ben=_user("ben@clinic.example", Role.THERAPIST, now, therapist=ben),
        manager=_user(MANAGER, Role.MANAGER, now),
        desk=_user(DESK, Role.FRONT_DESK, now),
        reader=_user("reader@clinic.example", Role.THERAPIST, now, therapist=ada, may_write=False),
    )


def never_quiet(*users: Actor, now: datetime) -> None:
    """For tests that live by the real clock: they are told at any hour, and get no digest in between."""
    for user in users:
        notices.prefer(
            preferences=Preferences(quiet_since=time(), quiet_until=time(), digest_days=()), by=user, now=now
        )


def _therapist(name: str, site: str, now: datetime) -> str:
    return people.add_therapist(name=name, site=site, hours=[], by=OPERATOR, now=now)


def _course(client: str, therapist: str, following: date, now: datetime) -> str:
    proposal = standings.Proposal(
        therapist=therapist,
        room=None,
        modality=Modality.VIDEO,
        hours=(Hour(day=Weekday.of(following), at=time(10)),),
        since=following - timedelta(weeks=6),
    )
    whose = clients.add(name=client, by=OPERATOR, now=now)
    return standings.agree(client=whose, proposal=proposal, horizon=timedelta(weeks=8), by=OPERATOR, now=now).course


def _user(email: str, role: Role, now: datetime, *, therapist: str | None = None, may_write: bool = True) -> Actor:
    name = email.partition("@")[0]
    if may_write:
        user = people.add_user(name=name, email=email, roles=[role], therapist=therapist, by=OPERATOR, now=now)
        return Actor(name=name, roles=frozenset({role}), user=user, therapist=therapist)
    return Actor(name=name, roles=frozenset({role}), therapist=therapist, may_write=False)
