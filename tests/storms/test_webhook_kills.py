"""Workers killed again and again in the middle of a delivery, and everything in Redis lost in between: each message
still arrives, a second time at most for each kill, and then under the same webhook-id.

The receiver holds a request until it is told to answer, so that "in the middle" is no matter of luck.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
import redis
from rq import Queue
from rq import Worker as AnyWorker
from rq.serializers import JSONSerializer

from service.commands.embedded import Server
from service.usecases import webhooks
from tests.alarms import AlarmClinic, alarm_clinic
from tests.servers import Program
from tests.storms.test_kills import HASTY, flush, now, until, waiting
from tests.workers.receiver import Receiver, receiver

if TYPE_CHECKING:
    from flask import Flask

pytestmark = pytest.mark.storm

Start = Callable[..., Program]
IS_FULL = os.environ.get("STORM") == "full"
KILLS = int(os.environ.get("KILLS", "30" if IS_FULL else "3"))
MESSAGES = int(os.environ.get("MESSAGES", "300" if IS_FULL else "12"))


@pytest.fixture
def environment(environment: dict[str, str], redis_server: Server) -> dict[str, str]:
    return {
        **environment,
        "SAMEHOUR_REDIS_URL": redis_server.url,
        "SAMEHOUR_WEBHOOKS_TO_OWN_NETWORK": "yes",
        "SAMEHOUR_LOG_LEVEL": "error",
    }


@pytest.fixture
def listener() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture
def hook(app: "Flask", listener: Receiver) -> Iterator[tuple[AlarmClinic, webhooks.New]]:
    with app.app_context():
        clinic = alarm_clinic(now=now())
        made = webhooks.create(
            name="Billing", url=listener.url, events=["alert.judged"], own_network=True, by=clinic.manager, now=now()
        )
        yield clinic, made


def send(hook: tuple[AlarmClinic, webhooks.New], number: int) -> list[str]:
    """So many messages; their ids."""
    clinic, made = hook
    return [webhooks.test(webhook=made.id, by=clinic.manager, now=now()) for _ in range(number)]


def unsent() -> list[str]:
    return [one.id for one in waiting() if one.topic == "webhook.send"]


def until_idle(server: Server) -> None:
    """A worker has come up and waits for work."""
    with redis.Redis.from_url(server.url) as connection:
        until(lambda: [one for one in AnyWorker.all(connection) if one.get_state() == "idle"])


def test_none_is_lost_and_each_kill_sends_one_twice_at_most(
    hook: tuple[AlarmClinic, webhooks.New],
    environment: dict[str, str],
    listener: Receiver,
    redis_server: Server,
    start_program: Start,
) -> None:
    start_program(HASTY, "sweep", "--every", "2", env=environment)
    worker = start_program(HASTY, "work", env=environment)
    sent: list[str] = []
    for _kill in range(KILLS):
        # Else the sweeper would carry them itself, and the kill would hit nothing.
        until_idle(redis_server)
        until(lambda: not unsent())
        listener.answers_at_once.clear()
        seen = len(listener.got)
        sent += send(hook, MESSAGES // KILLS)
        listener.wait_for(seen + 1)
        worker.kill()
        flush(redis_server)
        listener.answers_at_once.set()
        worker.start_again()
    until(lambda: not unsent(), within_seconds=120 + MESSAGES)

    times = Counter(one.id for one in listener.got)
    assert set(times) == set(sent)
    assert 0 < sum(times.values()) - len(sent) <= KILLS
    bodies = {(one.id, one.body) for one in listener.got}
    assert len(bodies) == len(sent)
    for one in listener.got:
        assert one.verified(hook[1].secret)["type"] == "ping"
    print(f"\n{len(sent)} messages, {KILLS} kills: 0 lost, {sum(times.values()) - len(sent)} twice")


def test_control_without_a_sweeper_one_is_lost(
    hook: tuple[AlarmClinic, webhooks.New],
    environment: dict[str, str],
    listener: Receiver,
    redis_server: Server,
    start_program: Start,
) -> None:
    worker = start_program(HASTY, "work", env=environment)
    listener.answers_at_once.clear()
    sent = send(hook, 3)
    listener.wait_for(1)
    worker.kill()
    flush(redis_server)
    listener.answers_at_once.set()
    worker.start_again()
    until_idle(redis_server)
    with redis.Redis.from_url(redis_server.url) as connection:
        assert Queue("samehour", connection=connection, serializer=JSONSerializer).count == 0
    assert set(unsent()) == set(sent)
