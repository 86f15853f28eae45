"""The smallest practice that a feed can be about: two therapists, two rooms, and three standing hours of the first."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from service.domain.access import OPERATOR, Role
from service.domain.appointment import Initiator, Place
from service.domain.hours import Hour, LocalTime, Weekday
from service.domain.phrase import say
from service.domain.refusals import NotFound
from service.domain.standing import Modality
from service.usecases import appointments, clients, feeds, people, standings

NOW = datetime(2026, 3, 2, 8, 0, 30, tzinfo=UTC)
"""A Monday; the clocks change on 29 March."""
ZONE = "Europe/Berlin"
NAMES = ("Client One", "Client Two", "Client Three")
HOURS = (
    Hour(day=Weekday.MO, at=time(10)),
    Hour(day=Weekday.TU, at=time(11)),
    Hour(day=Weekday.TH, at=time(15)),
)
HORIZON = timedelta(weeks=12)


@dataclass(frozen=True, kw_only=True)
class Practice:
    """Public ids, in the order in which they were made."""

    site: str
    rooms: tuple[str, str]
    therapists: tuple[str, str]
    user: str
    """Of the first therapist."""
    clients: tuple[str, ...]
    agreed: tuple[standings.Agreed, ...]

    def slot(self, client: int, weeks: int) -> LocalTime:
        return HOURS[client].on(NOW.date() + timedelta(weeks=weeks))

    def hour(self, client: int, weeks: int) -> appointments.Booked:
        """What fills that slot now, wherever it was moved. :raises NotFound: nothing does."""
        slot = self.slot(client, weeks)
        day, month = slot.date(), timedelta(days=31)
        found = appointments.board(since=day - month, until=day + month, by=OPERATOR)
        filling = [one for one in found if one.slot == slot and one.clients == (self.clients[client],)]
        if not filling:
            raise NotFound(say("Nothing fills that slot."))
        return filling[0]

    def cancel(self, client: int, weeks: int, *, now: datetime = NOW, by: Initiator = Initiator.CLIENT) -> None:
        hour = self.hour(client, weeks)
        appointments.cancel(appointment_id=hour.id, asked_by=by, reason="illness", by=OPERATOR, now=now)

    def uncancel(self, client: int, weeks: int, *, now: datetime = NOW) -> None:
        appointments.uncancel(appointment_id=self.hour(client, weeks).id, override="agreed", by=OPERATOR, now=now)

    def move(self, client: int, weeks: int, *, now: datetime = NOW, **to: Any) -> None:
        appointments.move(
            appointment_id=self.hour(client, weeks).id,
            to=appointments.Destination(**to),
            asked_by=Initiator.CLIENT,
            reason="work",
            override="agreed",
            by=OPERATOR,
            now=now,
        )

    def book(self, client: int, starts: LocalTime, *, therapist: int = 0, now: datetime = NOW) -> str:
        place = Place(
            starts=starts,
            minutes=50,
            therapist=self.therapists[therapist],
            room=self.rooms[therapist],
            modality=Modality.IN_PERSON,
        )
        return appointments.book(course=self.agreed[client].course, place=place, by=OPERATOR, now=now).id

    def proposal(self, client: int, since: date, **otherwise: Any) -> standings.Proposal:
        usual: dict[str, Any] = {
            "therapist": self.therapists[0],
            "room": self.rooms[0],
            "hours": (HOURS[client],),
            "since": since,
        }
        return standings.Proposal(**{**usual, **otherwise})

    def subscribe(self, **given: Any) -> feeds.New:
        """A feed of the first therapist, made for their own user, as the page would make it."""
        usual: dict[str, Any] = {"name": "Phone", "therapist": self.therapists[0], "owner": self.user}
        return feeds.create(**{**usual, **given}, by=OPERATOR, now=NOW)


def practice() -> Practice:
    """Fill the empty database. Call it in the app's context."""
    site = people.add_site(name="Quay", zone_name=ZONE, country=None, region=None, by=OPERATOR, now=NOW)
    rooms = [people.add_room(name=f"Room {n}", site=site, by=OPERATOR, now=NOW) for n in (1, 2)]
    therapists = [people.add_therapist(name=f"Therapist {n}", site=site, by=OPERATOR, now=NOW) for n in "AB"]
    user = people.add_user(
        name="Therapist A",
        email="a@clinic.example",
        roles=[Role.THERAPIST],
        therapist=therapists[0],
        by=OPERATOR,
        now=NOW,
    )
    ids = tuple(clients.add(name=name, by=OPERATOR, now=NOW) for name in NAMES)
    agreed = tuple(
        standings.agree(
            client=client,
            proposal=standings.Proposal(
                therapist=therapists[0], room=rooms[0], hours=(hour,), since=NOW.date() - timedelta(weeks=2)
            ),
            horizon=HORIZON,
            by=OPERATOR,
            now=NOW,
        )
        for client, hour in zip(ids, HOURS, strict=True)
    )
    return Practice(
        site=site,
        rooms=(rooms[0], rooms[1]),
        therapists=(therapists[0], therapists[1]),
        user=user,
        clients=ids,
        agreed=agreed,
    )
