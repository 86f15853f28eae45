"""From a changed fact to a program elsewhere that was told of it: real HTTP, real Redis, and an independent reader of
the signatures (the `standardwebhooks` package's `verify`, and once by hand).
"""

import base64
import hashlib
import hmac
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest
from standardwebhooks import WebhookVerificationError

from service.domain.access import OPERATOR
from service.store.base import db
from service.store.outbox import OutboxRow
from service.usecases import outbox, webhooks
from service.usecases.webhooks import Answer, Parcel
from tests.alarms import AlarmClinic
from tests.servers import Program
from tests.workers.conftest import now
from tests.workers.receiver import Receiver, receiver
from tests.workers.test_programs import until
from tests.workers.test_relay import carry_all
from workers import reaching
from workers.channels import webhook as channel_module
from workers.channels.webhook import LARGEST, WHOLE_SECONDS, channel
from workers.reaching import CONNECT_SECONDS, Guard, retry_after
from workers.relay import carry
from workers.sweeper import Sweeper

if TYPE_CHECKING:
    from workers.house import House

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OWN = Guard.of(own_network=True)


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    return {**environment, "SAMEHOUR_WEBHOOKS_TO_OWN_NETWORK": "yes"}


@pytest.fixture
def listener() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture
def hook(clinic: AlarmClinic, listener: Receiver) -> webhooks.New:
    return webhooks.create(name="Billing", url=listener.url, own_network=True, by=clinic.manager, now=now())


def parcel(url: str, *secrets: str) -> Parcel:
    return Parcel(
        webhook="w", id="m1", event="ping", attempt=1, url=url, secrets=secrets or (SECRET,), body='{"type":"ping"}'
    )


# --- the whole way --------------------------------------------------------------------------------------------------


class TestWithBell:
    """The worker as a program of its own, woken by a real Redis."""

    @pytest.fixture
    def environment(self, environment: dict[str, str], redis_url: str) -> dict[str, str]:
        return {**environment, "SAMEHOUR_REDIS_URL": redis_url}

    def test_a_change_is_told_signed_and_by_ids_alone(
        self,
        clinic: AlarmClinic,
        environment: dict[str, str],
        listener: Receiver,
        hook: webhooks.New,
        start_program: Callable[..., Program],
    ) -> None:
        start_program("workers", "work", env=environment)
        hour = clinic.hour(0).id

        clinic.cancel(0, 1, now=now())

        got = listener.wait_for(3)
        said = [one.verified(hook.secret) for one in got]
        assert said[0]["type"] == "appointment.cancelled"
        assert said[0]["data"] == {"appointment": hour, "course": clinic.course}
        assert abs(datetime.fromisoformat(said[0]["timestamp"]) - now()) < timedelta(minutes=5)
        assert "alert.opened" in {one["type"] for one in said}
        assert len({one.id for one in got}) == len(got)
        for one in got:
            assert one.headers["content-type"] == "application/json"
            assert not {"Client", "Ada", "travel"} & set(one.body.decode().replace('"', " ").split())
        until(lambda: not [one for one in outbox.listed(by=OPERATOR, now=now()) if one.topic == "webhook.send"])
        log = webhooks.deliveries(webhook=hook.id, by=clinic.manager)
        assert {one.message for one in log} >= {one.id for one in got}
        assert all((one.status, one.fault, one.attempt, one.state) == (204, None, 1, "done") for one in log)


def test_a_sweeper_alone_tells_too(clinic: AlarmClinic, house: "House", listener: Receiver, hook: webhooks.New) -> None:
    message = webhooks.test(webhook=hook.id, by=clinic.manager, now=now())
    Sweeper(house).sweep()
    [got] = [one for one in listener.got if one.id == message]
    assert got.verified(hook.secret)["data"] == {"webhook": hook.id}
    # What the sweeper itself did is told too: it booked ahead.
    assert {one.verified(hook.secret)["type"] for one in listener.got} == {"ping", "standing.extended"}


def test_what_failed_is_told_again_under_the_same_id_with_the_same_words(
    clinic: AlarmClinic, house: "House", listener: Receiver, hook: webhooks.New
) -> None:
    listener.answer(500, 302, 204)
    webhooks.test(webhook=hook.id, by=clinic.manager, now=now())
    for _ in range(3):
        carry_all(house)
        _make_due()
    first, second, third = listener.got
    assert first.id == second.id == third.id
    assert first.body == second.body == third.body
    assert [one.verified(hook.secret)["type"] for one in listener.got] == ["ping"] * 3
    newest, *_others = log = webhooks.deliveries(webhook=hook.id, by=clinic.manager)
    assert [(one.attempt, one.status, one.fault) for one in reversed(log)] == [
        (1, 500, "refused"),
        (2, 302, "redirect"),
        (3, 204, None),
    ]
    assert newest.state == "done"


def _make_due() -> None:
    """As if the wait were over."""
    with db.engine.begin() as connection:
        connection.execute(db.update(OutboxRow).where(OutboxRow.state == "pending").values(not_before=now()))


def _let_the_lease_end() -> None:
    with db.engine.begin() as connection:
        connection.execute(db.update(OutboxRow).values(lease_until=now()))


def test_one_that_is_gone_is_asked_once(
    clinic: AlarmClinic, house: "House", listener: Receiver, hook: webhooks.New
) -> None:
    listener.answer(410)
    for _ in range(3):
        webhooks.test(webhook=hook.id, by=clinic.manager, now=now())
    carry_all(house)
    assert len(listener.got) == 1
    assert webhooks.show(webhook=hook.id, by=clinic.manager, now=now()).state == "disabled"
    assert outbox.listed(by=OPERATOR, now=now()) == []


def test_one_that_asks_for_time_gets_it(
    clinic: AlarmClinic, house: "House", listener: Receiver, hook: webhooks.New
) -> None:
    listener.answer(429, headers={"Retry-After": "3600"})
    for _ in range(3):
        webhooks.test(webhook=hook.id, by=clinic.manager, now=now())
    carry_all(house)
    assert len(listener.got) == 1
    waiting = outbox.listed(by=OPERATOR, now=now())
    assert len(waiting) == 3
    for one in waiting:
        assert timedelta(minutes=59) < one.not_before - now() < timedelta(minutes=61)
    assert sorted(one.attempts for one in waiting) == [0, 0, 1]


def test_it_is_given_up_after_ten_attempts_and_can_be_sent_again(
    clinic: AlarmClinic, house: "House", listener: Receiver, hook: webhooks.New
) -> None:
    listener.answer(400)
    message = webhooks.test(webhook=hook.id, by=clinic.manager, now=now())
    for _ in range(12):
        carry_all(house)
        _make_due()
    assert len(listener.got) == 10
    [dead] = outbox.listed(by=OPERATOR, now=now())
    assert (dead.id, dead.state, dead.last_error) == (message, "dead", "refused 400")
    listener.answer(204)
    webhooks.replay(webhook=hook.id, message=message, by=clinic.manager, now=now())
    carry_all(house)
    assert listener.got[-1].id == message
    assert outbox.listed(by=OPERATOR, now=now()) == []


def test_while_both_secrets_are_valid_either_fits(
    clinic: AlarmClinic, house: "House", listener: Receiver, hook: webhooks.New
) -> None:
    second = webhooks.rotate(webhook=hook.id, overlap=timedelta(hours=24), by=clinic.manager, now=now())
    webhooks.test(webhook=hook.id, by=clinic.manager, now=now())
    carry_all(house)
    third = webhooks.rotate(webhook=hook.id, overlap=timedelta(0), by=clinic.manager, now=now())
    webhooks.test(webhook=hook.id, by=clinic.manager, now=now())
    carry_all(house)

    both, new = listener.got
    assert both.headers["webhook-signature"].count("v1,") == 2
    for secret in (hook.secret, second.secret):
        assert both.verified(secret)["type"] == "ping"
    assert new.verified(third.secret)["type"] == "ping"
    for old in (hook.secret, second.secret):
        with pytest.raises(WebhookVerificationError):
            new.verified(old)


class Killed(BaseException):
    """What a kill is to the code that runs: nothing after it is done."""


def test_after_a_death_between_sending_and_marking_it_comes_once_more_under_the_same_id(
    clinic: AlarmClinic, house: "House", listener: Receiver, hook: webhooks.New
) -> None:
    message = webhooks.test(webhook=hook.id, by=clinic.manager, now=now())

    def send_and_die(parcel: Parcel, at: datetime) -> Answer:
        house.post(parcel, at)
        raise Killed

    [waiting] = outbox.due(now=now())
    with pytest.raises(Killed):
        carry(replace(house, post=send_and_die), waiting)
    assert carry(house, waiting) is False
    _let_the_lease_end()
    assert carry(house, waiting) is True
    assert carry(house, waiting) is False

    first, second = listener.got
    assert first.id == second.id == message
    assert first.body == second.body
    assert [one.attempt for one in webhooks.deliveries(webhook=hook.id, by=clinic.manager)] == [2]


def test_one_that_hangs_holds_up_nobody_else(
    clinic: AlarmClinic, house: "House", listener: Receiver, hook: webhooks.New, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "WHOLE_SECONDS", 0.3)
    with _hanging() as address:
        stuck = webhooks.create(name="Stuck", url=address, own_network=True, by=clinic.manager, now=now())
        clinic.cancel(0, 1, now=now())
        for message in outbox.due(now=now()):
            carry(house, message)
    assert len(webhooks.deliveries(webhook=stuck.id, by=clinic.manager)) == 1
    assert len(webhooks.deliveries(webhook=hook.id, by=clinic.manager)) >= 2


# --- the channel ----------------------------------------------------------------------------------------------------


def test_a_signature_is_what_the_standard_says(listener: Receiver) -> None:
    at = datetime(2026, 3, 2, 7, 0, 1, 500_000, tzinfo=UTC)
    assert channel(OWN)(parcel(listener.url), at).status == 204
    [got] = listener.got
    seconds = str(int(at.timestamp()))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = hmac.new(key, f'm1.{seconds}.{{"type":"ping"}}'.encode(), hashlib.sha256).digest()
    assert got.headers["webhook-id"] == "m1"
    assert got.headers["webhook-timestamp"] == seconds
    assert got.headers["webhook-signature"] == "v1," + base64.b64encode(signed).decode()
    assert json.loads(got.body) == {"type": "ping"}


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_status_of_success_is_one(listener: Receiver, status: int) -> None:
    listener.answer(status)
    assert channel(OWN)(parcel(listener.url), now()).fault is None


@pytest.mark.parametrize(
    ("status", "fault"),
    [(300, "redirect"), (304, "redirect"), (400, "refused"), (404, "refused"), (410, "gone"), (500, "refused")],
)
def test_anything_else_is_none(listener: Receiver, status: int, fault: str) -> None:
    listener.answer(status)
    answer = channel(OWN)(parcel(listener.url), now())
    assert (answer.status, answer.fault) == (status, fault)


def test_an_answer_without_end_is_left_and_counts_by_its_status(listener: Receiver) -> None:
    listener.answer(200, body=b"x" * (50 * LARGEST))
    assert channel(OWN)(parcel(listener.url), now()).fault is None


def test_one_that_nobody_answers_at_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert channel(OWN)(parcel(f"http://127.0.0.1:{port}/"), now()).fault == "unreachable"
    assert channel(OWN)(parcel("https://nobody.invalid/"), now()).fault == "unknown_name"


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (b"", "no_answer"),
        (b"HTTP/1.1 200 OK\r\nX-A: ", "no_answer"),
        (b"220 mail.example ESMTP\r\n\r\n", "http"),
        (b"HTTP/1.1 200 OK\r\nX-A: " + b"x" * (2 * LARGEST), "unreachable"),
    ],
)
def test_one_that_dribbles_or_pours_is_left_in_time(monkeypatch: pytest.MonkeyPatch, said: bytes, fault: str) -> None:
    monkeypatch.setattr(channel_module, "WHOLE_SECONDS", 0.5)
    with _hanging(said) as address:
        answer = channel(OWN)(parcel(address), now())
    assert (answer.status, answer.fault) == (None, fault)


def test_the_time_for_all_of_it_is_less_than_the_lease() -> None:
    assert CONNECT_SECONDS < WHOLE_SECONDS < outbox.LEASE.total_seconds()


def test_a_name_service_that_hangs_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    ending = Event()

    def hang(*_: object, **__: object) -> None:
        ending.wait(30)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    monkeypatch.setattr(reaching, "CONNECT_SECONDS", 0.2)
    answer: Answer = channel(OWN)(parcel("https://slow.example/"), now())
    ending.set()
    assert answer.fault == "unknown_name"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("0", None),
        ("Mon, 02 Mar 2026 07:01:00 GMT", 60),
        ("Mon, 02 Mar 2026 06:59:00 GMT", None),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("9" * 400, 10**8),
        ("Mon, 99 Mar 2026 07:01:00 GMT", None),
    ],
)
def test_what_a_receiver_asks_for_is_read_or_left(value: str, seconds: int | None) -> None:
    at = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
    assert retry_after(value, at) == (timedelta(seconds=seconds) if seconds else None)


@contextmanager
def _hanging(said: bytes = b"") -> Iterator[str]:
    """An address at which somebody takes the call, says this, octet by octet at the end, and never finishes."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        calls: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    call, _where = door.accept()
                    calls.append(call)
                    call.sendall(said)
                    if said.endswith(b" "):
                        for _ in range(100):
                            call.sendall(b"x")
                            time.sleep(0.05)
                except OSError:
                    return

        thread = Thread(target=take, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}/"
        for call in calls:
            call.close()
        door.shutdown(socket.SHUT_RDWR)
    thread.join()
