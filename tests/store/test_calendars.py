"""A calendar's number rises where what it shows may have changed, and nowhere else."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from service.domain.absences import AbsenceKind
from service.domain.access import OPERATOR
from service.domain.appointment import Initiator
from service.domain.hours import midnight
from service.domain.refusals import CannotBook
from service.store.base import db
from service.usecases import absences, appointments, clients, standings
from tests.feeds.practice import HORIZON, NOW, Practice, practice

if TYPE_CHECKING:
    from flask import Flask

Raised = dict[str, list[int]]
TABLES = ("therapists", "rooms", "clients")


@pytest.fixture
def here(app: "Flask") -> Iterator[Practice]:
    with app.app_context():
        yield practice()


def versions() -> dict[str, list[int]]:
    with db.engine.connect() as connection:
        return {
            table: list(connection.execute(text(f"select calendar_version from {table} order by id")).scalars())
            for table in TABLES
        }


def raised_by(what: Callable[[], object]) -> dict[str, list[bool]]:
    """Of each therapist, room and client, in order, whether their number is higher afterwards."""
    before = versions()
    what()
    after = versions()
    assert all(new >= old for table in TABLES for old, new in zip(before[table], after[table], strict=True))
    return {table: [new > old for old, new in zip(before[table], after[table], strict=True)] for table in TABLES}


def test_an_hour_raises_its_therapist_its_room_and_its_client(here: Practice) -> None:
    assert raised_by(lambda: here.cancel(0, 1)) == {
        "therapists": [True, False],
        "rooms": [True, False],
        "clients": [True, False, False],
    }


def test_an_hour_that_moves_raises_where_it_was_and_where_it_is(here: Practice) -> None:
    raised = raised_by(lambda: here.move(1, 1, therapist=here.therapists[1], room=here.rooms[1]))
    assert raised == {"therapists": [True, True], "rooms": [True, True], "clients": [False, True, False]}
    single = here.book(2, here.slot(2, 1) + timedelta(hours=3), therapist=1)
    raised = raised_by(
        lambda: appointments.move(
            appointment_id=single,
            to=appointments.Destination(room=here.rooms[0]),
            asked_by=Initiator.CLINIC,
            reason="room",
            override="agreed",
            by=OPERATOR,
            now=NOW,
        )
    )
    assert raised["rooms"] == [True, True]


def test_a_standing_raises_its_room_also_where_no_hour_of_it_is_booked_yet(here: Practice) -> None:
    on = (NOW + HORIZON + timedelta(weeks=8)).date()
    raised = raised_by(lambda: standings.end(standing=here.agreed[0].id, on=on, reason="ends", by=OPERATOR, now=NOW))
    assert raised == {"therapists": [True, False], "rooms": [True, False], "clients": [True, False, False]}


def test_what_failed_raises_nothing(here: Practice) -> None:
    def taken() -> None:
        with pytest.raises(CannotBook):
            here.book(2, here.slot(0, 1))

    assert not any(any(raised) for raised in raised_by(taken).values())


def test_a_room_that_closes_raises_its_own_number_and_no_other_rooms(here: Practice) -> None:
    since = midnight((NOW + timedelta(weeks=2)).date())
    raised = raised_by(
        lambda: absences.add(
            kind=AbsenceKind.CLOSURE,
            since=since,
            until=since + timedelta(days=1),
            room=here.rooms[1],
            by=OPERATOR,
            now=NOW,
        )
    )
    assert raised["rooms"] == [False, True]


def test_a_name_raises_the_rooms_that_show_it(here: Practice) -> None:
    raised = raised_by(lambda: clients.change(client=here.clients[0], name="Client Else", by=OPERATOR, now=NOW))
    assert (raised["therapists"], raised["rooms"]) == ([True, False], [True, False])
    assert raised["clients"][1:] == [False, False]
