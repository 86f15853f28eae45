"""One cast for every test of a use-case: two therapists, three rooms, three clients, and a person for every role.

Ada holds the courses, Ben must never see them, the desk books, the manager decides, the reader may only look.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from service.domain.access import OPERATOR, Actor, Role
from service.domain.appointment import Place
from service.domain.hours import Hour, LocalTime, Weekday
from service.domain.standing import Modality
from service.usecases import appointments, clients, courses, people, standings

if TYPE_CHECKING:
    from flask import Flask

NOW = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
"""A Monday, 8:00 on the clinic's wall; the clocks change on 29 March."""
TUESDAYS = Hour(day=Weekday.TU, at=time(10))
FIRST = date(2026, 3, 3)


def tuesday(weeks: int = 0, at: time = time(10)) -> LocalTime:
    """The slot of that week on Tuesdays at ten, counted from the first."""
    return datetime.combine(FIRST + timedelta(weeks=weeks), at)


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Public ids, and who asks."""

    site: str
    rooms: tuple[str, str, str]
    ada: str
    ben: str
    clients: tuple[str, str, str]
    desk: Actor
    manager: Actor
    as_ada: Actor
    as_ben: Actor
    reader: Actor
    admin: Actor

    def proposal(self, **given: Any) -> standings.Proposal:
        """Ada, Tuesdays at ten in the first room, from the first Tuesday on, unless said otherwise."""
        usual: dict[str, Any] = {"therapist": self.ada, "hours": (TUESDAYS,), "since": FIRST, "room": self.rooms[0]}
        return standings.Proposal(**{**usual, **given})

    def agree(self, client: int = 0, *, now: datetime = NOW, **given: Any) -> standings.Agreed:
        return standings.agree(client=self.clients[client], proposal=self.proposal(**given), by=self.desk, now=now)

    def place(self, starts: LocalTime, **given: Any) -> Place:
        usual: dict[str, Any] = {
            "starts": starts,
            "minutes": 50,
            "therapist": self.ada,
            "room": self.rooms[0],
            "modality": Modality.IN_PERSON,
        }
        return Place(**{**usual, **given})

    def open(self, client: int = 0, *, therapist: str | None = None, now: datetime = NOW) -> str:
        whose = therapist or self.ada
        return courses.open(clients_in=[self.clients[client]], therapist=whose, by=self.desk, now=now)

    def hours(self, since: date = FIRST, weeks: int = 30, *, course: str | None = None) -> list[appointments.Booked]:
        """Everything on the board from the day on, in order of time."""
        found = appointments.board(since=since, until=since + timedelta(weeks=weeks), by=OPERATOR)
        return [one for one in found if course is None or one.course == course]

    def at(self, starts: LocalTime, **also: Any) -> appointments.Booked:
        """The one hour that starts then."""
        found = [one for one in self.hours(starts.date(), 1) if one.starts == starts]
        [one] = [one for one in found if all(getattr(one, name) == value for name, value in also.items())]
        return one


@pytest.fixture
def cast(app: "Flask") -> Iterator[Cast]:
    """The clinic, in the app's context, on both engines."""
    with app.app_context():
        yield _enter()


def _enter() -> Cast:
    site = people.add_site(name="Quay", zone_name="Europe/Berlin", country="DE", region="BE", by=OPERATOR, now=NOW)
    rooms = [people.add_room(name=f"Room {n}", site=site, by=OPERATOR, now=NOW) for n in (1, 2, 3)]
    ada, ben = (_therapist(name, site) for name in ("Therapist Ada", "Therapist Ben"))
    ids = [clients.add(name=f"Client {n}", by=OPERATOR, now=NOW) for n in ("One", "Two", "Three")]
    desk = _person(Role.FRONT_DESK)
    return Cast(
        site=site,
        rooms=(rooms[0], rooms[1], rooms[2]),
        ada=ada,
        ben=ben,
        clients=(ids[0], ids[1], ids[2]),
        desk=desk,
        manager=_person(Role.MANAGER),
        as_ada=replace(_person(Role.THERAPIST), therapist=ada),
        as_ben=replace(_person(Role.THERAPIST), therapist=ben),
        reader=replace(desk, may_write=False),
        admin=_person(Role.ADMIN),
    )


def _therapist(name: str, site: str) -> str:
    hours = [people.WorkingHours(site=site, day=day, begins=time(8), ends=time(19)) for day in list(Weekday)[:5]]
    return people.add_therapist(name=name, site=site, hours=hours, by=OPERATOR, now=NOW)


def _person(role: Role) -> Actor:
    return Actor(name=role.value, roles=frozenset({role}))
