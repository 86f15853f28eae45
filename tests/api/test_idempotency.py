"""A request sent twice under one key is carried out once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from service.api import routes
from service.store.base import db
from service.usecases import idempotency
from tests.api.conftest import NOW, Clinic, Door


def hours_on(desk: Door, clinic: Clinic, days: int) -> int:
    return len(desk.get(f"/appointments?since={clinic.day(days)}&until={clinic.day(days + 1)}").get_json())


def test_the_first_answer_is_given_again(clinic: Clinic, desk: Door) -> None:
    asked = clinic.booking(3, "13:00")
    first = desk.post("/appointments", asked, Idempotency_Key="k-1")
    again = desk.post("/appointments", asked, Idempotency_Key="k-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert (first.get_json(), first.headers["ETag"]) == (again.get_json(), again.headers["ETag"])
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    assert hours_on(desk, clinic, 3) == 1


def test_control_without_a_key_it_is_two_requests(clinic: Clinic, desk: Door) -> None:
    first, second = (desk.post("/clients", {"name": "Client Two"}).get_json() for _ in range(2))
    assert first["id"] != second["id"]


def test_a_key_belongs_to_one_request(clinic: Clinic, desk: Door) -> None:
    desk.post("/clients", {"name": "Client Three"}, Idempotency_Key="k-2")
    for path, body in (("/clients", {"name": "Client Four"}), ("/clients/search", {"query": "Client Three"})):
        other = desk.post(path, body, Idempotency_Key="k-2")
        assert (other.status_code, other.get_json()["where"]) == (422, "Idempotency-Key")


def test_a_key_belongs_to_one_user(clinic: Clinic, desk: Door, admin: Door) -> None:
    body = {"name": "Room 2", "site": clinic.site}
    assert admin.post("/rooms", body, Idempotency_Key="k-3").status_code == 201
    assert desk.post("/clients", {"name": "Client Five"}, Idempotency_Key="k-3").status_code == 201


def test_a_refused_request_frees_its_key(clinic: Clinic, desk: Door) -> None:
    asked = clinic.booking(4, "13:00")
    taken = desk.post("/appointments", asked).get_json()["id"]
    assert desk.post("/appointments", asked, Idempotency_Key="k-4").status_code == 409
    desk.post(f"/appointments/{taken}/cancel", {"asked_by": "client", "reason": "work"})
    assert desk.post("/appointments", asked, Idempotency_Key="k-4").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "ü"])
def test_a_key_that_is_none(clinic: Clinic, desk: Door, key: str) -> None:
    refused = desk.post("/clients", {"name": "Client Six"}, Idempotency_Key=key)
    assert (refused.status_code, refused.get_json()["where"]) == (422, "Idempotency-Key")


def test_while_the_first_is_under_way_the_second_waits(
    clinic: Clinic, desk: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"name": "Client Seven"}
    seen: list[int] = []
    real = routes._carry_out

    def meanwhile(*given: object) -> object:
        with clinic.app.app_context():
            seen.append(desk.post("/clients", asked, Idempotency_Key="k-5").status_code)
        monkeypatch.setattr(routes, "_carry_out", real)
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(routes, "_carry_out", meanwhile)
    assert desk.post("/clients", asked, Idempotency_Key="k-5").status_code == 201
    assert seen == [409]


def test_of_many_at_once_one_is_carried_out(clinic: Clinic, desk: Door) -> None:
    asked = {"name": "Client Eight"}
    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda _n: desk.post("/clients", asked, Idempotency_Key="k-6"), range(8)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.get_json()["id"] for answer in answers if answer.status_code == 201}) == 1


def test_after_a_day_the_key_is_forgotten(clinic: Clinic, desk: Door, later: timedelta) -> None:
    first = desk.post("/clients", {"name": "Client Nine"}, Idempotency_Key="k-7").get_json()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("service.clock.now", lambda: NOW + later)
        again = desk.post("/clients", {"name": "Client Nine"}, Idempotency_Key="k-7").get_json()
    assert (first == again) is (later < idempotency.KEPT)


@pytest.fixture(params=[timedelta(hours=23), timedelta(hours=25)], ids=["within", "after"])
def later(request: pytest.FixtureRequest) -> Iterator[timedelta]:
    yield request.param


def test_what_is_kept_tells_nobody_who_comes_here(clinic: Clinic, desk: Door) -> None:
    answer = desk.post("/appointments", clinic.booking(5, "13:00"), Idempotency_Key="k-8")
    assert "Client One" in answer.get_data(as_text=True)
    with clinic.app.app_context(), db.engine.connect() as connection:
        kept = connection.execute(text("select body from idempotency_keys")).scalars().all()
    assert kept and not any("Client One" in (body or "") for body in kept)


def test_a_secret_is_shown_once_even_so(clinic: Clinic, admin: Door) -> None:
    user = admin.get("/users").get_json()[0]["id"]
    asked = {"user": user, "name": "a program", "days": 1}
    first = admin.post("/tokens", asked, Idempotency_Key="k-9").get_json()
    again = admin.post("/tokens", asked, Idempotency_Key="k-9").get_json()
    assert first["secret"] and again == {"id": first["id"], "secret": None}
