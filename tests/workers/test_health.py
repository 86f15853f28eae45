"""How the house stands, as machines ask: alive, ready, degraded; and numbers that name nobody."""

import re
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from service.store.base import db
from service.usecases.health import SWEEPER
from tests.alarms import AlarmClinic
from tests.workers.conftest import now
from workers.sweeper import Sweeper

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from service.commands.embedded import Server
    from workers.house import House


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether an answer is right does not depend on how busy this machine is."""
    from service.api import health

    monkeypatch.setattr(health, "WITHIN_SECONDS", 30)
    monkeypatch.setattr(health, "REDIS_WITHIN_SECONDS", 10)


def run(statement: str) -> None:
    with db.engine.begin() as connection:
        connection.execute(text(statement))


def test_alive_touches_nothing(app: "Flask", client: "FlaskClient") -> None:
    with app.app_context():
        run("DROP TABLE heartbeats")

    assert client.get("/healthz").json == {"status": "ok"}


def test_ready_once_a_sweeper_was_heard_of(app: "Flask", client: "FlaskClient", house: "House") -> None:
    before = client.get("/readyz")
    assert (before.status_code, before.json["status"]) == (200, "degraded")
    assert before.json["checks"]["sweeper"] == "failed"

    Sweeper(house).sweep()

    after = client.get("/readyz")
    assert (after.status_code, after.json["status"]) == (200, "ok")
    assert after.json["checks"] == {
        "database": "ok",
        "schema": "ok",
        "nets": "ok",
        "sweeper": "ok",
        "redis": "not used",
    }


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("UPDATE alembic_version SET version_num = 'older'", "schema"),
        ("DELETE FROM alembic_version", "schema"),
        ("DROP TABLE alembic_version", "schema"),
    ],
)
def test_another_schema_is_not_ready(app: "Flask", client: "FlaskClient", fault: str, check: str) -> None:
    with app.app_context():
        run(fault)

    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (503, "unready")
    assert answer.json["checks"][check] == "failed"


def test_without_its_nets_it_is_not_ready(app: "Flask", client: "FlaskClient") -> None:
    with app.app_context():
        if db.engine.dialect.name == "postgresql":
            run("ALTER TABLE occupancies DROP CONSTRAINT occupancies_no_overlap")
        else:
            run("DROP TRIGGER occupancies_no_overlap_insert")

    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["checks"]["nets"]) == (503, "failed")


def test_a_sweeper_silent_for_two_minutes_is_gone(app: "Flask", client: "FlaskClient", house: "House") -> None:
    Sweeper(house).sweep()
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(
            text("UPDATE heartbeats SET at = :old WHERE name = :name"),
            {"old": now().replace(year=2020, tzinfo=None), "name": SWEEPER},
        )

    assert client.get("/readyz").json["status"] == "degraded"


def test_a_redis_that_is_away_degrades_and_does_not_stop(
    environment: dict[str, str], redis_server: "Server", house: "House"
) -> None:
    from service.app import create_app
    from service.config import Settings

    Sweeper(house).sweep()
    app = create_app(Settings.from_env({**environment, "SAMEHOUR_REDIS_URL": redis_server.url}))
    with app.test_client() as asked:
        assert asked.get("/readyz").json["status"] == "ok"
        redis_server.kill()
        away = asked.get("/readyz")
        redis_server.start_again()
    with app.app_context():
        db.engine.dispose()
    assert (away.status_code, away.json["status"], away.json["checks"]["redis"]) == (200, "degraded", "failed")


def test_a_database_that_is_away_is_an_answer(environment: dict[str, str]) -> None:
    from service.app import create_app
    from service.config import Settings

    app = create_app(
        Settings.from_env({**environment, "SAMEHOUR_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"})
    )
    with app.test_client() as asked:
        answer = asked.get("/readyz")
        assert (answer.status_code, answer.json["checks"]["database"]) == (503, "failed")
        assert asked.get("/healthz").status_code == 200
        assert "samehour_database_up 0.0" in asked.get("/metrics").text


def test_the_numbers_say_what_waits_and_name_nobody(clinic: AlarmClinic, client: "FlaskClient", house: "House") -> None:
    clinic.cancel(0, 1, now=now())
    sweeper = Sweeper(house)
    waiting = client.get("/metrics").text
    sweeper.sweep()
    sweeper.sweep()

    said = client.get("/metrics").text

    assert 'samehour_messages{state="pending"} 2.0' in waiting
    assert 'samehour_messages{state="pending"} 0.0' in said
    assert 'samehour_open_alerts{level="act"} 1.0' in said
    for name in ("Client", "Therapist", clinic.course, "@"):
        assert name not in said
    # Labels come from closed sets: nothing that looks like an id is ever one.
    assert not re.search(r'="[0-9a-f]{8}-', said)
