"""A small clinic to test on: two therapists, two rooms, six clients with a standing hour each, a user for every role.

Everything goes through the use-cases, as people would enter it. Hours from six weeks ago until last week are held, and
this week's are left as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from service.domain.access import OPERATOR, Role
from service.domain.appointment import Mark
from service.domain.hours import Hour, Weekday, local_time, monday_of
from service.usecases import appointments, clients, drafts, people, standings

if TYPE_CHECKING:
    from flask import Flask

ZONE = "Europe/Berlin"
PASSWORD = "a password for tests"
EMAILS: Mapping[Role, str] = {role: f"{role.value.replace('_', '.')}@clinic.example" for role in Role}
HOURS = (  # of Client One to Six: therapist, weekday, time
    (0, Weekday.MO, time(10)),
    (0, Weekday.TU, time(11)),
    (0, Weekday.TH, time(15)),
    (1, Weekday.MO, time(10)),
    (1, Weekday.WE, time(14)),
    (1, Weekday.FR, time(9)),
)
NAMES = ("Client One", "Client Two", "Client Three", "Client Four", "Client Five", "Client Six")


@dataclass(frozen=True, kw_only=True)
class Clinic:
    """Public ids of everything, in the order in which it was made."""

    site: str
    rooms: tuple[str, ...]
    therapists: tuple[str, ...]
    clients: tuple[str, ...]
    courses: tuple[str, ...]
    standings: tuple[str, ...]
    users: Mapping[Role, str]
    monday: date
    """Of the week in which `now` lies, on the clinic's calendar."""

    def at(self, client: int, *, weeks: int = 0) -> datetime:
        """The local time of the standing hour of that client (0 to 5), so many weeks from this one."""
        _therapist, day, at = HOURS[client]
        return Hour(day=day, at=at).on(self.monday + timedelta(weeks=weeks))

    def hour(self, client: int, *, weeks: int = 0) -> appointments.Booked:
        """The appointment that fills that slot. Call it in the app's context."""
        day = self.at(client, weeks=weeks).date()
        found = appointments.board(since=day - timedelta(days=14), until=day + timedelta(days=14), by=OPERATOR)
        mine = [one for one in found if self.clients[client] in one.clients]
        return next(one for one in mine if one.slot == self.at(client, weeks=weeks))


def small_clinic(app: "Flask", *, now: datetime) -> Clinic:
    """Fill the app's empty database. `now` is an instant."""
    with app.app_context():
        site = people.add_site(name="Harbour", zone_name=ZONE, country="DE", region="HH", by=OPERATOR, now=now)
        rooms = tuple(people.add_room(name=f"Room {n}", site=site, by=OPERATOR, now=now) for n in (1, 2))
        therapists = tuple(_therapist(name, site, now) for name in ("Therapist A", "Therapist B"))
        ids = tuple(clients.add(name=name, by=OPERATOR, now=now) for name in NAMES)
        monday = monday_of(local_time(now, ZONE).date())
        agreed = [_agree(client, n, therapists, rooms, monday, now) for n, client in enumerate(ids)]
        _hold_what_was(monday, now)
        users = {role: _user(role, therapists[0], now) for role in Role}
    return Clinic(
        site=site,
        rooms=rooms,
        therapists=therapists,
        clients=ids,
        courses=tuple(one.course for one in agreed),
        standings=tuple(one.id for one in agreed),
        users=users,
        monday=monday,
    )


def way_in(app: "Flask", role: Role, *, now: datetime) -> str:
    """The secret of a sign-in link for the user of that role; it lets in once, at /sign-in/<secret>."""
    with app.app_context():
        return people.sign_in_link(email=EMAILS[role], by=OPERATOR, now=now)


def _therapist(name: str, site: str, now: datetime) -> str:
    hours = [people.WorkingHours(site=site, day=day, begins=time(8), ends=time(18)) for day in list(Weekday)[:5]]
    return people.add_therapist(name=name, site=site, hours=hours, by=OPERATOR, now=now)


def _agree(
    client: str, n: int, therapists: tuple[str, ...], rooms: tuple[str, ...], monday: date, now: datetime
) -> standings.Agreed:
    whose, day, at = HOURS[n]
    proposal = drafts.Proposal(
        therapist=therapists[whose],
        room=rooms[whose],
        hours=(Hour(day=day, at=at),),
        since=monday - timedelta(weeks=6),
    )
    return standings.agree(client=client, proposal=proposal, by=OPERATOR, now=now)


def _hold_what_was(monday: date, now: datetime) -> None:
    for one in appointments.board(since=monday - timedelta(weeks=6), until=monday, by=OPERATOR):
        appointments.mark(appointment_id=one.id, mark=Mark.HELD, by=OPERATOR, now=now)


def _user(role: Role, therapist: str, now: datetime) -> str:
    return people.add_user(
        name=role.value.replace("_", " ").title(),
        email=EMAILS[role],
        roles=[role],
        therapist=therapist if role is Role.THERAPIST else None,
        password=PASSWORD,
        by=OPERATOR,
        now=now,
    )
