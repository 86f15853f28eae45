"""Clients: who may see and change them, how they are found, and what looking leaves behind."""

from datetime import timedelta
from typing import Any

import pytest

from service.domain.access import OPERATOR
from service.domain.refusals import Forbidden, Malformed, NotFound
from service.store import audit
from service.store.base import db
from service.usecases import appointments, clients
from tests.usecases.conftest import NOW, Cast, tuesday

LATER = NOW + timedelta(minutes=1)


def test_a_client_is_shown_as_entered_and_the_look_is_on_record(cast: Cast) -> None:
    new = clients.add(
        name="  Client   Vier ",
        email="vier@clinic.example",
        phone="030 1",
        is_safe_to_contact=False,
        by=cast.desk,
        now=NOW,
    )
    shown = clients.show(client=new, by=cast.desk, now=NOW)
    assert (shown.name, shown.email, shown.phone, shown.is_safe_to_contact) == (
        "Client Vier",
        "vier@clinic.example",
        "030 1",
        False,
    )
    assert shown.reference == "C00004"
    assert [line.action for line in audit.of_subject(db.session(), "client", new)] == ["add", "view"]


def test_only_what_is_given_changes_and_the_record_names_fields_not_values(cast: Cast) -> None:
    cast.agree()
    seen = appointments.board_version(by=cast.desk)
    clients.change(client=cast.clients[0], name="Client Uno", email="uno@clinic.example", by=cast.desk, now=LATER)
    clients.change(client=cast.clients[0], email="", by=cast.desk, now=LATER)
    shown = clients.show(client=cast.clients[0], by=cast.desk, now=LATER)
    assert (shown.name, shown.email) == ("Client Uno", None)
    lines = audit.of_subject(db.session(), "client", cast.clients[0])
    assert [line.fields for line in lines if line.action == "change"] == [["email", "name"], ["email"]]
    assert "Uno" not in repr([(line.detail, line.fields) for line in lines])
    assert cast.at(tuesday()).names == ("Client Uno",)
    assert appointments.board_version(by=cast.desk) != seen, "boards that show the name are told"


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "bell\x07", "zero\u200bwidth"])
def test_what_is_no_name(cast: Cast, name: str) -> None:
    with pytest.raises(Malformed):
        clients.add(name=name, by=cast.desk, now=NOW)
    with pytest.raises(Malformed):
        clients.change(client=cast.clients[0], name=name, by=cast.desk, now=NOW)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("client two", ["Client Two"]),
        ("Clinet Two", ["Client Two"]),
        ("c00003", ["Client Three"]),
        ("xyzzy", []),
        ("", ["Client One", "Client Three", "Client Two"]),
    ],
)
def test_finding_forgives_spelling(cast: Cast, query: str, found: list[str]) -> None:
    names = [match.name for match in clients.find(query=query, by=cast.desk)]
    assert names[: len(found)] == found
    assert bool(names) == bool(found)


def test_a_therapist_finds_and_sees_their_own_alone(cast: Cast) -> None:
    agreed = cast.agree()
    assert [(one.name, one.courses) for one in clients.find(query="", by=cast.as_ada)] == [
        ("Client One", (agreed.course,))
    ]
    assert clients.find(query="Client", by=cast.as_ben) == []
    assert clients.show(client=cast.clients[0], by=cast.as_ada, now=NOW).courses == (agreed.course,)
    for client, by in ((0, cast.as_ben), (1, cast.as_ada), (0, cast.admin)):
        with pytest.raises(NotFound):
            clients.show(client=cast.clients[client], by=by, now=NOW)


def test_the_desk_and_managers_enter_clients(cast: Cast) -> None:
    given: dict[str, Any] = {"name": "Client New", "now": NOW}
    for by in (cast.as_ada, cast.admin, cast.reader):
        with pytest.raises(Forbidden):
            clients.add(by=by, **given)
        with pytest.raises(Forbidden):
            clients.change(client=cast.clients[0], by=by, **given)
    with pytest.raises(Forbidden):
        clients.find(query="", by=cast.admin)
    assert clients.add(by=cast.manager, **given)
    with pytest.raises(NotFound):
        clients.show(client="nobody", by=OPERATOR, now=NOW)


def test_a_new_name_is_found_at_once_even_when_it_was_given_earlier(cast: Cast) -> None:
    """Two people change two clients; the one who began earlier commits later."""
    first, second = (clients.add(name=name, by=cast.desk, now=NOW) for name in ("Client Eins", "Client Zwei"))
    clients.change(client=second, name="Later Zwei", by=cast.desk, now=NOW + timedelta(minutes=2))
    assert clients.find(query="Later", by=cast.desk)
    clients.change(client=first, name="Earlier Eins", by=cast.desk, now=NOW + timedelta(minutes=1))
    assert [one.id for one in clients.find(query="Earlier", by=cast.desk)] == [first]
