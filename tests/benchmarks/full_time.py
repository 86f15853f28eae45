"""A full-time therapist for the feed's figures: 30 weekly standings, 13 weeks back and 52 ahead, 150 exceptions.

Made through the use-cases, as people would enter it. Two exceptions in three are cancellations, one in three is a move.
"""

import base64
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from service.app import create_app, migrate
from service.config import Settings
from service.domain.access import OPERATOR, Role
from service.domain.appointment import Initiator
from service.domain.hours import Hour, Weekday
from service.usecases import appointments, clients, feeds, people, standings

if TYPE_CHECKING:
    from flask import Flask

STANDINGS, EXCEPTIONS = 30, 150
BACK, AHEAD = timedelta(weeks=13), timedelta(weeks=52)
MONDAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 7, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class FullTime:
    secret: str
    hours: tuple[str, ...]
    """Public ids of hours to come that are as their standing says."""


def environment(place: Path, database_url: str | None = None) -> dict[str, str]:
    """The variables of an installation whose data lies there."""
    return {
        "SAMEHOUR_DATA": str(place),
        "SAMEHOUR_DATABASE_URL": database_url or f"sqlite:///{place / 'samehour.sqlite'}",
        "SAMEHOUR_PUBLIC_URL": "http://127.0.0.1:8000",
        "SAMEHOUR_SECRET_KEY": "a secret for benchmarks alone, of 32 and more",
        "SAMEHOUR_KEYS": "k1:" + base64.b64encode(b"0123456789abcdef" * 2).decode(),
    }


def clinic(place: Path, database_url: str | None = None) -> "tuple[Flask, FullTime]":
    """The app on a new database with this therapist in it."""
    app = create_app(Settings.from_env({**environment(place, database_url), "SAMEHOUR_LOG_LEVEL": "warning"}))
    migrate(app)
    with app.app_context():
        return app, _enter(Random(11))


def _enter(dice: Random) -> FullTime:
    site = people.add_site(name="Main", zone_name="Europe/Dublin", country=None, region=None, by=OPERATOR, now=NOW)
    room = people.add_room(name="Room 2", site=site, by=OPERATOR, now=NOW)
    therapist = people.add_therapist(name="Therapist A", site=site, by=OPERATOR, now=NOW)
    for number in range(STANDINGS):
        _agree(number, therapist, room)
    found = appointments.board(since=MONDAY - BACK, until=MONDAY + AHEAD, by=OPERATOR)
    chosen = dice.sample(found, EXCEPTIONS)
    days: set[date] = set()
    for number, hour in enumerate(chosen):
        if number % 3 == 0 and hour.starts.date() not in days:
            days.add(hour.starts.date())
            _move(hour)
        else:
            _cancel(hour)
    owner = people.add_user(
        name="A", email="a@clinic.example", roles=[Role.THERAPIST], therapist=therapist, by=OPERATOR, now=NOW
    )
    made = feeds.create(name="Phone", therapist=therapist, owner=owner, by=OPERATOR, now=NOW)
    changed = {hour.id for hour in chosen}
    plain = [hour.id for hour in found if hour.id not in changed and hour.starts.date() > MONDAY]
    return FullTime(secret=made.secret, hours=tuple(plain))


def _agree(number: int, therapist: str, room: str) -> None:
    client = clients.add(name=f"Client {number}", by=OPERATOR, now=NOW)
    hour = Hour(day=Weekday(number % 5), at=time(9 + number // 5, 15))
    proposal = standings.Proposal(therapist=therapist, room=room, hours=(hour,), since=MONDAY - BACK)
    standings.agree(client=client, proposal=proposal, horizon=AHEAD, by=OPERATOR, now=NOW)


def _move(hour: appointments.Booked) -> None:
    to = appointments.Destination(starts=datetime.combine(hour.starts.date(), time(17, 30)))
    appointments.move(
        appointment_id=hour.id, to=to, asked_by=Initiator.CLIENT, reason="work", override="agreed", by=OPERATOR, now=NOW
    )


def _cancel(hour: appointments.Booked) -> None:
    appointments.cancel(appointment_id=hour.id, asked_by=Initiator.CLIENT, reason="illness", by=OPERATOR, now=NOW)
