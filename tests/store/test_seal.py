"""Names and addresses are sealed: in no file of the database, in no log, and openable only where they belong."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from service.domain.access import OPERATOR, Role
from service.store.base import db
from service.store.clients import ClientRow
from service.store.seal import CannotOpen, Seal
from service.usecases import clients, people, standings
from tests.servers import PostgreSQL
from tests.usecases.conftest import NOW, Cast, cast

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["cast"]  # the fixture

CANARIES = ("Wilhelmina Xanadu", "Quokka", "canary.bird@clinic.example", "0304242424")
SEEN = "Therapist Ada"
"""A name that is no secret: found, or the search would prove nothing."""


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    return {**environment, "SAMEHOUR_LOG_LEVEL": "debug"}


def files_of(url: str, request: pytest.FixtureRequest) -> Iterator[bytes]:
    """Every file that the database keeps, its log included."""
    if url.startswith("sqlite"):
        file = Path(url.removeprefix("sqlite:///"))
        yield from (one.read_bytes() for one in file.parent.glob(f"{file.name}*"))
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    with db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("CHECKPOINT"))
    yield from (one.read_bytes() for one in server.data.rglob("*") if one.is_file())


def test_no_name_is_in_any_file_or_log(
    app: "Flask",
    cast: Cast,
    database_url: str,
    request: pytest.FixtureRequest,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    name, family, email, phone = CANARIES
    client = clients.add(name=f"{name} {family}", email=email, phone=phone, by=cast.desk, now=NOW)
    clients.change(client=client, email=email, phone=phone, by=cast.desk, now=NOW)
    standings.agree(client=client, proposal=cast.proposal(), by=cast.desk, now=NOW)
    user = people.add_user(name="Desk", email="d@clinic.example", roles=[Role.FRONT_DESK], by=OPERATOR, now=NOW)
    today = datetime.now(tz=UTC)
    _id, token = people.add_token(user=user, name="t", may_write=True, days=1, by=OPERATOR, now=today)
    web, bearer = app.test_client(), {"Authorization": f"Bearer {token}"}
    assert web.get(f"/api/v1/clients/{client}", headers=bearer).json["name"] == f"{name} {family}"  # type: ignore[index]
    assert web.post("/api/v1/clients", json={"name": name, "nonsense": family}, headers=bearer).status_code == 422
    assert clients.show(client=client, by=cast.desk, now=NOW).name == f"{name} {family}"
    kept = list(files_of(database_url, request))
    assert any(SEEN.encode() in one for one in kept)
    said = caplog.text + "".join(capfd.readouterr())
    for canary in CANARIES:
        assert not any(canary.encode() in one for one in kept), canary
        assert canary not in said


def test_a_sealed_value_opens_only_where_it_belongs(cast: Cast) -> None:
    one, two = db.session.query(ClientRow).order_by(ClientRow.id).limit(2)
    one.name_sealed, two.name_sealed = two.name_sealed, one.name_sealed
    for moved in (one, two):
        with pytest.raises(CannotOpen):
            _ = moved.name
    one.email_sealed = two.name_sealed
    with pytest.raises(CannotOpen):
        _ = one.email
    db.session.rollback()


def test_keys_are_changed_without_losing_what_the_old_one_sealed() -> None:
    old, new = {"k1": b"1" * 32}, {"k1": b"1" * 32, "k2": b"2" * 32}
    sealed = Seal(old).close("Client One", row="r", column="c")
    again = Seal(new).close("Client One", row="r", column="c")
    assert (sealed.split(".")[1], again.split(".")[1]) == ("k1", "k2")
    assert Seal(new).open(sealed, row="r", column="c") == "Client One"
    assert sealed != Seal(old).close("Client One", row="r", column="c"), "equal names do not look alike"
    for odd in (again, sealed[:-4], "v1.k1.", "nonsense", sealed.replace("k1", "k9")):
        with pytest.raises(CannotOpen):
            Seal(old).open(odd, row="r", column="c")
