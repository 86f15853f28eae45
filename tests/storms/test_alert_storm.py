"""Alerts by the dozen while workers, sweeper, web and Redis are killed at random: each one is mailed, and once.

The small form runs in every `make test`; `STORM=full` has 5,000 alerts under 90 kills, with the real lease and the real
sweep, for STORM_MINUTES at most. The worker is its own work horse: one process does the work, and is killed in it. The
seed is printed.
"""

import os
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

import pytest
import redis
from rq import Queue
from rq.serializers import JSONSerializer

from service.app import QUEUE
from service.commands import supervisor
from service.commands.embedded import Server
from service.domain.access import OPERATOR
from service.usecases import outbox
from tests.conftest import samehour
from tests.storms.alarmed import HORIZON_WEEKS, Alarmed, alarmed, alerts
from tests.storms.weather import KINDS, Arrivals, Callers, Weather, weather

if TYPE_CHECKING:
    from socket import socket

    from flask import Flask

pytestmark = pytest.mark.storm

IS_FULL = os.environ.get("STORM") == "full"
SEED = int(os.environ.get("STORM_SEED", "20260302"))
ALERTS = int(os.environ.get("STORM_ALERTS", "5000" if IS_FULL else "24"))
BLOWS = 108 if IS_FULL else len(KINDS)
CALM = 300 if IS_FULL else 8
MINUTES = float(os.environ.get("STORM_MINUTES", "15"))
"""After so long no further hour is cancelled."""
BACKLOG = 100 if IS_FULL else 6
LEASE_SECONDS = None if IS_FULL else 5
SWEEP_SECONDS = 15.0 if IS_FULL else 1.0
SETTLED_WITHIN_SECONDS = 300.0
TOLD_EVERY_SECONDS = 60.0


@pytest.fixture
def arrivals() -> Iterator[Arrivals]:
    found = Arrivals()
    yield found
    found.stop()


def stormy(environment: dict[str, str], arrivals: Arrivals, redis_server: Server) -> dict[str, str]:
    """The environment of a clinic whose mails arrive there, at once."""
    return {
        **environment,
        "SAMEHOUR_SMTP_URL": arrivals.url,
        "SAMEHOUR_REDIS_URL": redis_server.url,
        "SAMEHOUR_GRACE_SECONDS": "0",
        # As far as the courses are booked: else the sweeper would book months of all of them in the middle of it.
        "SAMEHOUR_HORIZON_WEEKS": str(HORIZON_WEEKS),
        "SAMEHOUR_LOG_LEVEL": "warning",
    }


@pytest.fixture
def environment(environment: dict[str, str], arrivals: Arrivals, redis_server: Server) -> dict[str, str]:
    return stormy(environment, arrivals, redis_server)


@pytest.fixture
def soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the small form everything falls within seconds, and is not to wait longer each time."""
    if not IS_FULL:
        monkeypatch.setattr(supervisor, "HEALTHY_AFTER_SECONDS", 0.0)


@pytest.fixture
def clinic(app: "Flask", redis_server: Server) -> Alarmed:
    found = alarmed(app, CALM + ALERTS, now=datetime.now(UTC))
    with redis.Redis.from_url(redis_server.url) as connection:
        connection.flushall()
    return found


def until(is_so: Callable[[], object], sky: Weather, within_seconds: float = SETTLED_WITHIN_SECONDS) -> None:
    """Look after the processes until it is so."""
    deadline = monotonic() + within_seconds
    while not is_so():
        assert monotonic() < deadline, "not so in time:\n" + "\n".join(sky.said[-40:])
        sky.look()
        sleep(0.05)


def pending(app: "Flask") -> list[outbox.Message]:
    with app.app_context():
        return outbox.listed(by=OPERATOR, now=datetime.now(UTC))


def is_settled(app: "Flask", callers: Callers) -> Callable[[], bool]:
    return lambda: not callers.are_busy and not pending(app)


def storm(callers: Callers, sky: Weather, number: int, blows: list[str]) -> None:
    """So many calls, and the blows spread among them at random; over the time, where the calls would not be through."""
    rng = random.Random(SEED)
    before = len(callers.called)
    due = sorted(before + at for at in rng.sample(range(1, number), len(blows)))
    each = MINUTES * 60 / (len(blows) + 1)
    began = told_at = monotonic()
    latest = [began + each * place for place in range(1, len(blows) + 1)]
    callers.call(number)
    while callers.are_busy and monotonic() < began + MINUTES * 60:
        sky.look()
        if monotonic() > told_at + TOLD_EVERY_SECONDS:
            told_at = monotonic()
            count = len(callers.called) - before
            print(f"{told_at - began:.0f} s: {count} called, {len(callers.arrivals.at)} mailed, {sky.kills} kills")
        is_due = blows and (len(callers.called) >= due[0] or monotonic() >= latest[0])
        if is_due and not sky.strike.exists():
            del due[0], latest[0]
            sky.befall(blows.pop(0), rng)
        sleep(0.02)
    if callers.are_busy:
        callers.end()


def some_blows() -> list[str]:
    """Each kind as often as the others, in an order of their own."""
    found = [KINDS[number % len(KINDS)] for number in range(BLOWS)]
    random.Random(SEED).shuffle(found)
    return found


Spans = list[tuple[float, float]]


def spans(app: "Flask", callers: Callers, arrivals: Arrivals, courses: list[str]) -> Spans:
    """From the call to the mail, the shortest first; a course with no mail has none."""
    of = alerts(app)
    firsts = ((course, arrivals.at[one]) for course in courses for one in of.get(course, ()) if one in arrivals.at)
    return sorted(((callers.called[course], at) for course, at in firsts), key=lambda it: it[1] - it[0])


def told(words: str, found: Spans, sky: Weather) -> str:
    took = [until - since for since, until in found]
    since, until = found[-1]
    blows = ", ".join(kind for at, kind in sky.blows if since < at < until) or "no blow"
    p50, p99 = took[len(took) // 2], took[int(len(took) * 0.99)]
    return f"{words}: p50 {p50:.2f} s, p99 {p99:.2f} s, longest {took[-1]:.2f} s with {blows} in it"


def lost(app: "Flask", callers: Callers, arrivals: Arrivals) -> set[str]:
    """Courses whose hour was cancelled and of which no mail came."""
    of = alerts(app)
    return {course for course in callers.settled if not any(one in arrivals.at for one in of.get(course, ()))}


def test_no_alert_is_lost_and_none_comes_twice_without_a_kill(
    app: "Flask",
    clinic: Alarmed,
    environment: dict[str, str],
    arrivals: Arrivals,
    redis_server: Server,
    door: "socket",
    tmp_path: Path,
    soon_again: None,
) -> None:
    env = environment | ({"STORM_LEASE": str(LEASE_SECONDS)} if LEASE_SECONDS else {})
    callers = Callers(environment["SAMEHOUR_PUBLIC_URL"], clinic, arrivals, backlog=BACKLOG)
    began = monotonic()
    with weather(env, redis_server, tmp_path, door, sweeps_every=SWEEP_SECONDS) as sky:
        callers.call(1)
        until(is_settled(app, callers), sky)
        callers.backlog = 2
        callers.call(CALM - 1)
        until(is_settled(app, callers), sky)
        calm = list(callers.called)[1:]
        assert not lost(app, callers, arrivals)
        assert set(arrivals.messages.values()) == {1}, "nothing comes twice without a kill"
        in_calm = told("calm", spans(app, callers, arrivals, calm), sky)

        callers.backlog = BACKLOG
        storm(callers, sky, ALERTS, some_blows())
        until(is_settled(app, callers), sky)

        stormy = list(callers.called)[CALM:]
        twice = sum(arrivals.messages.values()) - len(arrivals.messages)
        print(f"\nseed {SEED}: {len(stormy)} of {ALERTS} alerts in {monotonic() - began:.0f} s, {dict(sky.struck)}")
        print(f"{len(lost(app, callers, arrivals))} lost, {len(arrivals.messages)} mails, {twice} twice")
        print(f"said: {sky.told}")
        print(in_calm)
        print(told("storm", spans(app, callers, arrivals, stormy), sky))
        assert callers.oddities == []
        assert lost(app, callers, arrivals) == set()
        assert twice <= sky.kills
        assert {one for one, under in arrivals.under.items() if len(set(under)) > 1} == set(), "under one Message-ID"
    assert "as it must be" in samehour("doctor", data_dir=tmp_path, **environment)


def test_control_without_a_sweeper_some_are_lost(
    app: "Flask",
    clinic: Alarmed,
    environment: dict[str, str],
    arrivals: Arrivals,
    redis_server: Server,
    door: "socket",
    tmp_path: Path,
    soon_again: None,
) -> None:
    """The app falls between commit and bell, and the queue is emptied: nobody else knows of it."""
    callers = Callers(environment["SAMEHOUR_PUBLIC_URL"], clinic, arrivals, backlog=1000)
    blows = ["between commit and bell", "worker", "all jobs lost", "between commit and bell"]
    with weather(environment, redis_server, tmp_path, door, sweeps_every=None) as sky:
        storm(callers, sky, CALM, blows)
        with redis.Redis.from_url(redis_server.url) as connection:
            queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer)
            until(lambda: not queue.count and not any(one.is_taken for one in pending(app)), sky)
        missing = lost(app, callers, arrivals)
        print(f"\nseed {SEED}: {len(missing)} of {len(callers.settled)} lost without a sweeper, {dict(sky.struck)}")
        assert missing
