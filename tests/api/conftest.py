"""A very small clinic behind the JSON door, once for each module and engine; each test takes hours of its own."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from service.app import create_app
from service.config import Settings
from service.domain.access import OPERATOR, Role
from service.domain.hours import Hour, Weekday
from service.store.base import db
from service.usecases import clients, people, standings
from tests.conftest import ENGINES

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse

NOW = datetime(2026, 3, 18, 11, 0, tzinfo=UTC)
"""A Wednesday noon; the clocks change on 29 March."""
TODAY = date(2026, 3, 18)


@dataclass(frozen=True, kw_only=True)
class Door:
    """The API as one user's program asks it."""

    app: "Flask"
    token: str

    def ask(self, method: str, path: str, json: Any = None, **headers: Any) -> "TestResponse":
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {"json": json} if json is not None else {}
        more["Authorization"] = f"Bearer {self.token}"
        return self.app.test_client().open(f"/api/v1{path}", method=method, headers=more, buffered=True, **given)

    def get(self, path: str, **headers: Any) -> "TestResponse":
        return self.ask("GET", path, **headers)

    def post(self, path: str, json: Any = None, **headers: Any) -> "TestResponse":
        return self.ask("POST", path, json, **headers)


@dataclass(frozen=True, kw_only=True)
class Clinic:
    """Public ids; the standing is Therapist A's, Tuesdays at ten, from this week on."""

    app: "Flask"
    site: str
    room: str
    therapist: str
    other: str
    client: str
    course: str
    standing: str
    tokens: dict[Role, str]

    def day(self, days: int) -> str:
        return (TODAY + timedelta(days=days)).isoformat()

    def door(self, role: Role) -> Door:
        return Door(app=self.app, token=self.tokens[role])

    def booking(self, days: int, at: str, **given: Any) -> dict[str, Any]:
        """A single hour of the course, so many days from today."""
        usual = {"course": self.course, "starts": f"{self.day(days)}T{at}", "therapist": self.therapist}
        return {**usual, "room": self.room, "reason": "as agreed", **given}


@pytest.fixture(scope="module")
def clock() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("service.clock.now", lambda: NOW)
        yield


@pytest.fixture(scope="module", params=ENGINES)
def here(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database for the module, with the newest schema."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("migrated_sqlite")
        file = tmp_path_factory.mktemp("api") / "samehour.sqlite"
        shutil.copyfile(template, file)
        yield f"sqlite:///{file}"
        return
    server, template_name = request.getfixturevalue("postgresql"), request.getfixturevalue("migrated_postgresql")
    name = server.create(template=template_name)
    yield server.url(name)
    server.drop(name)


@pytest.fixture(scope="module")
def clinic(here: str, clock: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    app = create_app(
        Settings.from_env(
            {
                "SAMEHOUR_DATA": str(tmp_path_factory.mktemp("data")),
                "SAMEHOUR_DATABASE_URL": here,
                "SAMEHOUR_SECRET_KEY": "a secret for tests alone, of 32 and more",
                "SAMEHOUR_KEYS": "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
                "SAMEHOUR_LOG_LEVEL": "error",
            }
        )
    )
    app.testing = True
    yield _build(app)
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def desk(clinic: Clinic) -> Door:
    return clinic.door(Role.FRONT_DESK)


@pytest.fixture
def admin(clinic: Clinic) -> Door:
    return clinic.door(Role.ADMIN)


def _build(app: "Flask") -> Clinic:
    with app.app_context():
        site = people.add_site(
            name="Harbour", zone_name="Europe/Berlin", country="DE", region="HH", by=OPERATOR, now=NOW
        )
        room = people.add_room(name="Room 1", site=site, by=OPERATOR, now=NOW)
        therapist, other = (
            people.add_therapist(name=name, site=site, by=OPERATOR, now=NOW) for name in ("Therapist A", "Therapist B")
        )
        client = clients.add(name="Client One", by=OPERATOR, now=NOW)
        tuesdays = Hour(day=Weekday.TU, at=time(10))
        proposal = standings.Proposal(therapist=therapist, room=room, hours=(tuesdays,), since=TODAY)
        agreed = standings.agree(client=client, proposal=proposal, by=OPERATOR, now=NOW)
        tokens = {role: _token(role, therapist) for role in Role}
    return Clinic(
        app=app,
        site=site,
        room=room,
        therapist=therapist,
        other=other,
        client=client,
        course=agreed.course,
        standing=agreed.id,
        tokens=tokens,
    )


def _token(role: Role, therapist: str) -> str:
    user = people.add_user(
        name=role.value,
        email=f"{role.value}@clinic.example",
        roles=[role],
        therapist=therapist if role is Role.THERAPIST else None,
        by=OPERATOR,
        now=NOW,
    )
    return people.add_token(user=user, name="tests", may_write=True, days=30, by=OPERATOR, now=NOW)[1]
