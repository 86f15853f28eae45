"""Who asks too often is told to wait; and nobody has to wait for what somebody else did."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
import redis

from service.domain.access import OPERATOR
from service.feeds import patience
from service.usecases import feeds
from tests.feeds.practice import NOW, Practice, practice

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse

FEW = 3
Ask = Callable[..., "TestResponse"]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Budgets that a test can use up."""
    for name in ("PER_ADDRESS", "PER_STRANGER"):
        usual = getattr(patience, name)
        monkeypatch.setattr(patience, name, type(usual)(FEW, usual.multiples, namespace=usual.namespace))


@pytest.fixture
def clinic(app: "Flask", monkeypatch: pytest.MonkeyPatch) -> Iterator[Practice]:
    monkeypatch.setattr("service.clock.now", lambda: NOW)
    with app.app_context():
        yield practice()


@pytest.fixture
def ask(app: "Flask") -> Ask:
    client = app.test_client(use_cookies=False)

    def get(secret: str, came_from: str = "203.0.113.7", **headers: str) -> "TestResponse":
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.get(f"/feeds/{secret}.ics", headers=named, environ_base={"REMOTE_ADDR": came_from})

    return get


def statuses(ask: Ask, secret: str, times: int, **more: str) -> list[int]:
    return [ask(secret, **more).status_code for _ in range(times)]


def test_one_address_is_answered_in_full_so_often_and_then_asked_to_wait(clinic: Practice, ask: Ask, few: None) -> None:
    secret, other = clinic.subscribe().secret, clinic.subscribe().secret
    assert statuses(ask, secret, FEW) == [200] * FEW
    refused = ask(secret)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 600
    assert refused.content_type == "text/plain; charset=utf-8"
    assert "BEGIN" not in refused.text and secret not in refused.text
    assert ask(secret, came_from="198.51.100.9").status_code == 429, "it is the address that is counted"
    assert ask(other).status_code == 200, "and each by itself"


def test_control_as_delivered_a_practice_full_of_phones_does_not_wait(clinic: Practice, ask: Ask) -> None:
    assert statuses(ask, clinic.subscribe().secret, FEW + 20) == [200] * (FEW + 20)


def test_what_did_not_change_is_not_counted(clinic: Practice, ask: Ask, few: None) -> None:
    secret = clinic.subscribe().secret
    known = ask(secret).headers["ETag"]
    assert statuses(ask, secret, 5 * FEW, If_None_Match=known) == [304] * 5 * FEW
    assert statuses(ask, secret, FEW - 1) == [200] * (FEW - 1)
    assert ask(secret).status_code == 429
    assert ask(secret, If_None_Match=known).status_code == 304, "who has it all need not wait"


def test_guesses_are_counted_by_where_they_come_from_and_lock_nobody_out(clinic: Practice, ask: Ask, few: None) -> None:
    secret = clinic.subscribe().secret
    assert [ask(f"guess-{n}").status_code for n in range(FEW + 2)] == [404] * FEW + [429] * 2
    assert int(ask("one more").headers["Retry-After"]) >= 1
    assert ask(secret).status_code == 200, "from the same place: perhaps the practice's own network"
    assert ask("from elsewhere", came_from="198.51.100.9").status_code == 404


def test_control_guesses_go_on_where_they_are_not_counted(
    clinic: Practice, ask: Ask, few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience.Patience, "with_stranger", lambda *_: None)
    assert [ask(f"guess-{n}").status_code for n in range(FEW + 5)] == [404] * (FEW + 5)


def test_one_machine_with_many_addresses_is_one(clinic: Practice, ask: Ask, few: None) -> None:
    found = [ask("guess", came_from=f"2001:db8:1:2::{n:x}").status_code for n in range(FEW + 1)]
    assert found == [404] * FEW + [429]
    assert ask("guess", came_from="2001:db8:1:3::1").status_code == 404


def test_who_revoked_a_calendar_is_never_asked_to_wait_so_that_programs_stop(
    clinic: Practice, ask: Ask, few: None
) -> None:
    made = clinic.subscribe()
    feeds.revoke(feed=made.id, by=OPERATOR, now=NOW)
    assert statuses(ask, made.secret, 3 * FEW) == [410] * 3 * FEW


# --- where it is counted


def spend(counter: patience.Patience, times: int) -> int:
    """How often it was too much."""
    refused = 0
    for _ in range(times):
        try:
            counter.with_address("secret")
        except patience.TooOften:
            refused += 1
    return refused


def test_two_processes_count_together_by_redis(redis_url: str, few: None) -> None:
    one, other = patience.Patience(redis_url), patience.Patience(redis_url)
    assert spend(one, FEW) == 0
    assert spend(other, 2) == 2
    keys = redis.Redis.from_url(redis_url).keys("*")
    assert keys and not [key for key in keys if b"secret" in key]


def test_control_in_memory_each_process_counts_for_itself(few: None) -> None:
    assert spend(patience.Patience(None), FEW) == spend(patience.Patience(None), FEW) == 0


def test_without_redis_it_is_counted_in_memory_and_nobody_waits_for_redis(few: None) -> None:
    gone = patience.Patience("redis://127.0.0.1:1/0")
    assert spend(gone, FEW + 2) == 2


def test_redis_is_asked_again_once_it_has_rested(redis_url: str, few: None, monkeypatch: pytest.MonkeyPatch) -> None:
    counter = patience.Patience(redis_url)
    with monkeypatch.context() as away:
        away.setattr(counter._shared.storage, "incr", _unreachable)  # type: ignore[union-attr]
        assert spend(counter, FEW) == 0
    assert not redis.Redis.from_url(redis_url).keys("*"), "it rests"
    monkeypatch.setattr(patience, "REST", 0)
    counter._rests_until = 0
    spend(counter, 1)
    assert redis.Redis.from_url(redis_url).keys("*")


def _unreachable(*_args: object, **_more: object) -> int:
    raise redis.ConnectionError("gone")
