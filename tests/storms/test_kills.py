"""Worker and Redis killed in the middle, and everything in Redis lost: the alert still arrives, and once.

The mail server holds a mail until it is told to take it, so that "in the middle" is no matter of luck.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from threading import Event
from time import monotonic, sleep
from typing import TYPE_CHECKING

import pytest
import redis
from aiosmtpd.smtp import SMTP, Envelope, Session
from rq import Queue
from rq import Worker as AnyWorker
from rq.serializers import JSONSerializer

from service.commands.embedded import Server
from service.domain.access import OPERATOR
from service.usecases import consistency, outbox
from tests.alarms import ADA, AlarmClinic, alarm_clinic, never_quiet
from tests.servers import Inbox, Program

if TYPE_CHECKING:
    from flask import Flask

pytestmark = pytest.mark.storm

Start = Callable[..., Program]
HASTY = "tests.storms.hasty"
REAL = "workers"


class HoldingInbox(Inbox):
    """Takes no mail until `takes` is set; `asked` says that one is being held."""

    def __init__(self) -> None:
        self.takes = Event()
        self.asked = Event()
        super().__init__()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.asked.set()
        while not self.takes.is_set():
            await asyncio.sleep(0.02)
        return await super().handle_DATA(server, session, envelope)


@pytest.fixture
def inbox() -> Iterator[HoldingInbox]:
    found = HoldingInbox()
    yield found
    found.takes.set()
    found.stop()


@pytest.fixture
def environment(environment: dict[str, str], inbox: HoldingInbox, redis_server: Server) -> dict[str, str]:
    return {
        **environment,
        "SAMEHOUR_SMTP_URL": inbox.url,
        "SAMEHOUR_REDIS_URL": redis_server.url,
        "SAMEHOUR_GRACE_SECONDS": "0",
    }


@pytest.fixture
def clinic(app: "Flask", redis_server: Server) -> Iterator[AlarmClinic]:
    """Every course is assessed, nothing waits, the queue is empty."""
    with app.app_context():
        found = alarm_clinic(now=now())
        never_quiet(found.as_ada, found.manager, now=now())
        for course in (found.course, found.other_course):
            consistency.assess(course=course, now=now())
        flush(redis_server)
        yield found


def now() -> datetime:
    return datetime.now(UTC)


def flush(server: Server) -> None:
    with redis.Redis.from_url(server.url) as connection:
        connection.flushall()


def until(is_so: Callable[[], object], within_seconds: float = 60.0) -> None:
    """Look again and again until it is so."""
    deadline = monotonic() + within_seconds
    while not is_so():
        assert monotonic() < deadline, f"not so within {within_seconds:g} s"
        sleep(0.05)


def waiting() -> list[outbox.Message]:
    return outbox.listed(by=OPERATOR, now=now())


def the_one_mail(inbox: HoldingInbox) -> None:
    """It comes within a minute, it is marked, and so no other will follow."""
    inbox.wait_for(1, within_seconds=60)
    until(lambda: not waiting())
    assert inbox.recipients == [[ADA]]
    assert "21 days" in inbox.mails[0].as_string()


def held_in_the_middle(
    start: Start, inbox: HoldingInbox, clinic: AlarmClinic, env: dict[str, str], module: str
) -> Program:
    """A worker that has taken the notice and waits for the mail server."""
    worker = start(module, "work", env=env)
    clinic.cancel(0, 1, now=now())
    assert inbox.asked.wait(timeout=60)
    return worker


def test_a_worker_killed_while_it_sends(
    clinic: AlarmClinic, environment: dict[str, str], inbox: HoldingInbox, start_program: Start
) -> None:
    start_program(HASTY, "sweep", "--every", "1", env=environment)
    worker = held_in_the_middle(start_program, inbox, clinic, environment, HASTY)

    worker.kill()
    inbox.takes.set()
    worker.start_again()

    the_one_mail(inbox)


def test_redis_killed_while_a_worker_sends_and_gone_for_good(
    clinic: AlarmClinic,
    environment: dict[str, str],
    inbox: HoldingInbox,
    redis_server: Server,
    start_program: Start,
) -> None:
    """The worker ends with its Redis, and nothing starts either again: the sweeper alone is left."""
    start_program(HASTY, "sweep", "--every", "1", env=environment)
    worker = held_in_the_middle(start_program, inbox, clinic, environment, HASTY)

    redis_server.kill()
    worker.kill()
    inbox.takes.set()

    the_one_mail(inbox)
    redis_server.start_again()


def test_redis_killed_before_it_hears_of_the_change(
    clinic: AlarmClinic,
    environment: dict[str, str],
    inbox: HoldingInbox,
    redis_server: Server,
    start_program: Start,
) -> None:
    """The app killed between commit and bell leaves the same: a message that nobody was woken for."""
    inbox.takes.set()
    redis_server.kill()

    clinic.cancel(0, 1, now=now())
    start_program(HASTY, "sweep", "--every", "1", env=environment)

    the_one_mail(inbox)
    redis_server.start_again()


@pytest.mark.parametrize("is_sweeping", [True, False], ids=["sweeper", "control-without-sweeper"])
def test_all_jobs_lost(
    clinic: AlarmClinic,
    environment: dict[str, str],
    inbox: HoldingInbox,
    redis_server: Server,
    start_program: Start,
    is_sweeping: bool,
) -> None:
    inbox.takes.set()
    clinic.cancel(0, 1, now=now())
    flush(redis_server)

    start_program(HASTY, "work", env=environment)
    if is_sweeping:
        start_program(HASTY, "sweep", "--every", "1", env=environment)
        the_one_mail(inbox)
        return

    # The control: the worker is up, has nothing to do, and the message lies there for ever.
    with redis.Redis.from_url(redis_server.url) as connection:
        until(lambda: [one for one in AnyWorker.all(connection) if one.get_state() == "idle"])
        assert Queue("samehour", connection=connection, serializer=JSONSerializer).count == 0
    assert [one.topic for one in waiting()] == ["assess.course"] * 2
    assert inbox.mails == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_with_the_real_lease_it_arrives_within_a_minute(
    clinic: AlarmClinic, environment: dict[str, str], inbox: HoldingInbox, start_program: Start
) -> None:
    """Worker and sweeper killed in the middle, then started again as any supervisor does."""
    sweeper = start_program(REAL, "sweep", env=environment)
    worker = held_in_the_middle(start_program, inbox, clinic, environment, REAL)

    for program in (worker, sweeper):
        program.kill()
    inbox.takes.set()
    for program in (worker, sweeper):
        program.start_again()

    the_one_mail(inbox)


def test_two_sweepers_one_of_them_stopped_in_the_middle(
    clinic: AlarmClinic, environment: dict[str, str], inbox: HoldingInbox, start_program: Start
) -> None:
    """A process that hangs keeps its lease, and loses it: the other takes over, and one mail arrives."""
    without_redis = {name: value for name, value in environment.items() if name != "SAMEHOUR_REDIS_URL"}
    clinic.cancel(0, 1, now=now())
    first = start_program(HASTY, "sweep", "--every", "1", env=without_redis)
    assert inbox.asked.wait(timeout=60)
    os.killpg(first.process.pid, signal.SIGSTOP)
    inbox.takes.set()

    start_program(HASTY, "sweep", "--every", "1", env=without_redis)

    inbox.wait_for(1)
    until(lambda: not waiting())
    os.killpg(first.process.pid, signal.SIGCONT)
    assert len({mail["Message-ID"] for mail in inbox.mails}) == 1
