"""Statements as the driver takes them find what SQLAlchemy's own way finds, whatever the lists hold."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import DateTime, bindparam, select, text, type_coerce
from sqlalchemy.exc import DBAPIError

from service.domain.access import OPERATOR
from service.store.audit import AuditRow
from service.store.base import db
from service.store.people import TherapistRow
from service.store.prepared import Prepared
from service.usecases import people

if TYPE_CHECKING:
    from flask import Flask

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
THERAPISTS = 5
SOME = (
    select(TherapistRow.id, TherapistRow.name, TherapistRow.is_active)
    .where(TherapistRow.id.in_(bindparam("ids", expanding=True)), TherapistRow.name != bindparam("name"))
    .order_by(TherapistRow.id)
)


def a_clinic() -> None:
    site = people.add_site(name="Main", zone_name="Europe/Berlin", country=None, region=None, by=OPERATOR, now=NOW)
    for number in range(THERAPISTS):
        people.add_therapist(name=f"Therapist {number}", site=site, by=OPERATOR, now=NOW)


@pytest.mark.parametrize("many", range(1, THERAPISTS + 1))
def test_any_number_of_values(app: "Flask", many: int) -> None:
    with app.app_context():
        a_clinic()
        session, asked = db.session(), {"ids": list(range(1, many + 1)), "name": "Therapist 1"}
        prepared = Prepared(SOME)
        found = prepared.rows(session, **asked)  # type: ignore[arg-type]
        assert found == [tuple(row) for row in session.execute(SOME, asked)]
        assert [row.is_active for row in found] == [True] * len(found), "numbers in SQLite, and True to us"
        assert prepared.rows(session, ids=[many], name="") == [found[-1]] if many != 2 else True
        session.rollback()


def test_times_are_times_on_either_engine(app: "Flask") -> None:
    with app.app_context():
        a_clinic()
        session = db.session()
        query = select(type_coerce(AuditRow.at, DateTime).label("at")).where(AuditRow.id == bindparam("id"))
        assert Prepared(query).rows(session, id=1) == [tuple(session.execute(query, {"id": 1}).one())]
        session.rollback()


def test_it_sees_what_its_transaction_wrote_and_no_other_does(app: "Flask") -> None:
    with app.app_context():
        a_clinic()
        session, prepared = (
            db.session(),
            Prepared(select(TherapistRow.id).where(TherapistRow.name == bindparam("name"))),
        )
        session.execute(text("update therapists set name = 'New' where id = 1"))
        assert [row.id for row in prepared.rows(session, name="New")] == [1]
        session.rollback()
        assert prepared.rows(session, name="New") == []
        session.rollback()


def test_a_fault_is_the_one_that_the_transactions_know(app: "Flask") -> None:
    gone = Prepared(select(TherapistRow.id).where(text("no_such_column = 1")))
    with app.app_context():
        with pytest.raises(DBAPIError) as caught:
            gone.rows(db.session())
        assert "no_such_column" in str(caught.value.orig)
        assert not caught.value.connection_invalidated
        db.session.rollback()
