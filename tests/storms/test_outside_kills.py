"""Workers killed in the middle of reading a calendar, and everything in Redis lost: it is read all the same, and what
is kept of it is whole and there once.

The keeper holds a request until it is told to answer, so that "in the middle" is no matter of luck.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from threading import Event
from typing import TYPE_CHECKING

import pytest

from service.commands.embedded import Server
from service.domain.access import OPERATOR
from service.domain.hours import local_time
from service.usecases import doctor, outside
from tests.alarms import ZONE, AlarmClinic, alarm_clinic
from tests.files.test_ics_book import calendar
from tests.servers import Program
from tests.storms.test_kills import HASTY, flush, now, until
from tests.storms.test_webhook_kills import until_idle
from tests.workers.calendars import Keeper, keeper

if TYPE_CHECKING:
    from flask import Flask

pytestmark = pytest.mark.storm

KILLS = int(os.environ.get("KILLS", "10" if os.environ.get("STORM") == "full" else "2"))
CALENDARS = 3
SINCE, UNTIL = datetime(2000, 1, 1), datetime(2200, 1, 1)


class SlowKeeper:
    """Says a calendar at every path, once it may."""

    def __init__(self, inner: Keeper) -> None:
        self.inner, self.may_answer = inner, Event()
        for path in range(CALENDARS):
            inner.pages[f"/{path}"] = self._answer

    def _answer(self, door: BaseHTTPRequestHandler) -> None:
        self.may_answer.wait(60)
        start = local_time(now(), ZONE) + timedelta(days=2)
        event = f"BEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:{start:%Y%m%d}\nRRULE:FREQ=WEEKLY;COUNT=5\nEND:VEVENT"
        body = calendar(event)
        door.send_response(200)
        door.send_header("Content-Length", str(len(body)))
        door.end_headers()
        door.wfile.write(body)


@pytest.fixture
def environment(environment: dict[str, str], redis_server: Server) -> dict[str, str]:
    return {
        **environment,
        "SAMEHOUR_REDIS_URL": redis_server.url,
        "SAMEHOUR_CALENDARS_FROM_OWN_NETWORK": "yes",
        "SAMEHOUR_LOG_LEVEL": "error",
    }


@pytest.fixture
def elsewhere() -> Iterator[SlowKeeper]:
    with keeper() as found:
        yield SlowKeeper(found)


@pytest.fixture
def clinic(app: "Flask") -> Iterator[AlarmClinic]:
    with app.app_context():
        yield alarm_clinic(now=now())


def add(clinic: AlarmClinic, elsewhere: SlowKeeper, number: int) -> None:
    outside.create(
        name=f"Calendar {number}",
        url=elsewhere.inner.at(f"/{number}"),
        public_url="https://clinic.example",
        own_network=True,
        by=clinic.as_ada,
        now=now(),
    )


def are_read(clinic: AlarmClinic) -> bool:
    return all(one.read_at and one.busy == 5 for one in outside.listed(by=clinic.as_ada, now=now()))


def test_each_is_read_whole(
    clinic: AlarmClinic,
    environment: dict[str, str],
    elsewhere: SlowKeeper,
    redis_server: Server,
    start_program: Callable[..., Program],
) -> None:
    start_program(HASTY, "sweep", "--every", "2", env=environment)
    worker = start_program(HASTY, "work", env=environment)
    until_idle(redis_server)
    for number in range(CALENDARS):
        add(clinic, elsewhere, number)
    for kill in range(KILLS):
        until(lambda seen=kill: len(elsewhere.inner.asked) > seen)  # type: ignore[misc]
        worker.kill()
        flush(redis_server)
        worker.start_again()
    elsewhere.may_answer.set()
    until(lambda: are_read(clinic), within_seconds=120)
    times = Counter(one.path for one in elsewhere.inner.asked)
    assert len(times) == CALENDARS
    assert len(outside.elsewhere(since=SINCE, until=UNTIL, zone=ZONE, by=clinic.desk)) == 5 * CALENDARS
    assert doctor.examine(by=OPERATOR, now=now()).is_sound
    print(f"\n{CALENDARS} calendars, {KILLS} kills: all read, {sum(times.values()) - CALENDARS} asked for again")


def test_control_without_a_sweeper_one_is_not_read(
    clinic: AlarmClinic,
    environment: dict[str, str],
    elsewhere: SlowKeeper,
    redis_server: Server,
    start_program: Callable[..., Program],
) -> None:
    worker = start_program(HASTY, "work", env=environment)
    until_idle(redis_server)
    add(clinic, elsewhere, 0)
    until(lambda: bool(elsewhere.inner.asked))
    worker.kill()
    flush(redis_server)
    elsewhere.may_answer.set()
    worker.start_again()
    until_idle(redis_server)
    assert not are_read(clinic)
