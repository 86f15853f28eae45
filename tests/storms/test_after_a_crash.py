"""One crash at a time, of every kind, and all well again before the next: how long until the alert is there?

`STORM=full` has two of each kind with the real lease and the real sweep, and none may take longer than a minute. The
small form has one of them on one engine with a lease and a sweep of seconds, and looks at no clock: it must arrive.
"""

import asyncio
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from time import monotonic, sleep
from typing import TYPE_CHECKING

import pytest
import redis
from aiosmtpd.smtp import SMTP, Envelope, Session
from rq import Queue
from rq.serializers import JSONSerializer

from service.app import QUEUE
from service.commands import supervisor
from service.commands.embedded import Server
from service.store.base import db
from service.store.outbox import HeartbeatRow
from service.usecases.health import SWEEPER
from tests.conftest import ENGINES, samehour
from tests.storms.alarmed import alarmed, alerts
from tests.storms.test_alert_storm import LEASE_SECONDS, SEED, SWEEP_SECONDS, is_settled, lost, pending, stormy, until
from tests.storms.weather import Arrivals, Callers, Weather, weather

if TYPE_CHECKING:
    from socket import socket

    from flask import Flask

pytestmark = pytest.mark.storm

IS_FULL = os.environ.get("STORM") == "full"
BOUND_SECONDS = 60.0
WORKER = "worker 1"
"""The only one, so that nobody is there to take over."""


class HoldingArrivals(Arrivals):
    """Told to hold, it keeps the next sender waiting until it is told to let go, and does not take that mail."""

    def __init__(self) -> None:
        self.is_to_hold = False
        self.asked = Event()
        self.lets_go = Event()
        super().__init__()

    def hold(self) -> None:
        self.asked.clear()
        self.lets_go.clear()
        self.is_to_hold = True

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if not self.is_to_hold:
            return await super().handle_DATA(server, session, envelope)
        self.is_to_hold = False
        self.asked.set()
        while not self.lets_go.is_set():
            await asyncio.sleep(0.02)
        return "451 too late"


@dataclass(kw_only=True)
class Town:
    """An installation, the mails that leave it, and who calls it."""

    app: "Flask"
    sky: Weather
    arrivals: HoldingArrivals
    callers: Callers
    rng: random.Random = field(default_factory=lambda: random.Random(SEED))

    def call(self) -> None:
        """One hour is cancelled, by somebody who tries until it is."""
        self.callers.call(1)

    def call_and_wait(self) -> None:
        self.call()
        until(lambda: not self.callers.are_busy, self.sky)

    def call_and_hold(self) -> None:
        """A worker sends the mail and has no answer yet."""
        self.arrivals.hold()
        self.call()
        until(self.arrivals.asked.is_set, self.sky)

    def is_well(self) -> bool:
        """Nothing is on its way, every process has come up, and the sweeper has taken over from the one before it."""
        if not is_settled(self.app, self.callers)():
            return False
        children = self.sky.supervisor.children
        if any(one.process is None or one.process.poll() is not None for one in children):
            return False
        return all(monotonic() - one.started > 3 for one in children) and self._is_swept()

    def _is_swept(self) -> bool:
        process = next(one.process for one in self.sky.supervisor.children if one.name == "sweeper")
        with self.app.app_context():
            row = db.session.get(HeartbeatRow, SWEEPER)
            db.session.rollback()
            return process is not None and row is not None and f":{process.pid}:" in (row.holder or "")


def worker_as_it_sends(town: Town) -> float:
    town.call_and_hold()
    town.sky.befall("worker", town.rng)
    town.arrivals.lets_go.set()
    return monotonic()


def worker(town: Town) -> float:
    """At some moment of its work, or just after."""
    town.call_and_wait()
    sleep(town.rng.uniform(0, 0.1))
    town.sky.befall("worker", town.rng)
    return monotonic()


def between_commit_and_bell(town: Town) -> float:
    began = monotonic()
    town.sky.befall("between commit and bell", town.rng)
    town.call_and_wait()
    return began


def web(town: Town) -> float:
    """At some moment of the call."""
    before = len(town.callers.called)
    town.call()
    while len(town.callers.called) == before:
        sleep(0.001)
    sleep(town.rng.uniform(0, 0.05))
    town.sky.befall("web", town.rng)
    return monotonic()


def all_jobs_lost(town: Town) -> float:
    with town.sky.stopped(WORKER):
        town.call_and_wait()
        town.sky.befall("all jobs lost", town.rng)
        return monotonic()


def redis_lost(town: Town) -> float:
    """Killed, and back after a while with nothing in it."""
    with town.sky.stopped(WORKER):
        town.call_and_wait()
        began = monotonic()
        town.sky.befall("redis", town.rng)
        return began


def sweeper(town: Town) -> float:
    town.sky.befall("sweeper", town.rng)
    began = monotonic()
    town.call_and_wait()
    return began


def everything(town: Town) -> float:
    """As when the power fails in the middle of a mail."""
    town.call_and_hold()
    began = monotonic()
    for kind in ("worker", "sweeper", "web", "redis"):
        town.sky.befall(kind, town.rng)
    town.arrivals.lets_go.set()
    return began


CRASHES: tuple[Callable[[Town], float], ...] = (
    worker_as_it_sends,
    worker,
    between_commit_and_bell,
    web,
    all_jobs_lost,
    redis_lost,
    sweeper,
    everything,
)
"""Each makes a call and a crash, and returns when it crashed."""
SOME = CRASHES * 2 if IS_FULL else (everything,)
LOSING = (between_commit_and_bell, all_jobs_lost, worker_as_it_sends) if IS_FULL else (all_jobs_lost,)
on_engines = pytest.mark.parametrize("database_url", ENGINES if IS_FULL else ("sqlite",), indirect=True)


@pytest.fixture
def arrivals() -> Iterator[HoldingArrivals]:
    found = HoldingArrivals()
    yield found
    found.lets_go.set()
    found.stop()


@pytest.fixture
def environment(environment: dict[str, str], arrivals: HoldingArrivals, redis_server: Server) -> dict[str, str]:
    lease = {"STORM_LEASE": str(LEASE_SECONDS)} if LEASE_SECONDS else {}
    return {**stormy(environment, arrivals, redis_server), **lease}


@pytest.fixture
def callers(app: "Flask", environment: dict[str, str], arrivals: HoldingArrivals) -> Callers:
    clinic = alarmed(app, 1 + max(len(SOME), len(LOSING)), now=datetime.now(UTC))
    return Callers(environment["SAMEHOUR_PUBLIC_URL"], clinic, arrivals, backlog=1000)


@pytest.fixture
def up_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each crash is the first of its process, however soon after the last one: no wait grows."""
    monkeypatch.setattr(supervisor, "HEALTHY_AFTER_SECONDS", 0.0)


@on_engines
def test_after_each_crash_it_arrives_within_a_minute(
    app: "Flask",
    callers: Callers,
    environment: dict[str, str],
    arrivals: HoldingArrivals,
    redis_server: Server,
    door: "socket",
    tmp_path: Path,
    up_for_long: None,
) -> None:
    took: dict[str, list[float]] = {}
    with weather(environment, redis_server, tmp_path, door, workers=1, sweeps_every=SWEEP_SECONDS) as sky:
        town = Town(app=app, sky=sky, arrivals=arrivals, callers=callers)
        town.call()
        for crash in SOME:
            until(town.is_well, sky)
            crashed_at = crash(town)
            course = list(callers.called)[-1]
            until(lambda course=course: mailed_at(app, arrivals, course) is not None, sky)  # type: ignore[misc]
            took.setdefault(crash.__name__, []).append((mailed_at(app, arrivals, course) or 0) - crashed_at)
        until(town.is_well, sky)

        twice = sum(arrivals.messages.values()) - len(arrivals.messages)
        print(f"\nseed {SEED}: {len(SOME)} crashes, {sky.kills} kills")
        print("seconds from each to the mail; below 0 it had left before:")
        for kind, seconds in took.items():
            print(f"  {kind.replace('_', ' ')}: {', '.join(f'{one:.1f}' for one in sorted(seconds))}")
        print(f"longest {max(max(seconds) for seconds in took.values()):.1f} s, {twice} twice; said: {sky.told}")
        assert callers.oddities == []
        assert lost(app, callers, arrivals) == set()
        assert twice <= sky.kills
        if IS_FULL:
            assert max(max(seconds) for seconds in took.values()) <= BOUND_SECONDS
    assert "as it must be" in samehour("doctor", data_dir=tmp_path, **environment)


@on_engines
def test_control_without_a_sweeper_none_arrives(
    app: "Flask",
    callers: Callers,
    environment: dict[str, str],
    arrivals: HoldingArrivals,
    redis_server: Server,
    door: "socket",
    tmp_path: Path,
    up_for_long: None,
) -> None:
    with weather(environment, redis_server, tmp_path, door, workers=1, sweeps_every=None) as sky:
        town = Town(app=app, sky=sky, arrivals=arrivals, callers=callers)
        town.call()
        until(lambda: arrivals.at, sky)
        for crash in LOSING:
            crash(town)
            until(lambda: not callers.are_busy, sky)
        with redis.Redis.from_url(redis_server.url) as connection:
            queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer)
            until(lambda: not queue.count and not any(one.is_taken for one in pending(app)), sky)
        ends = monotonic() + (BOUND_SECONDS if IS_FULL else 0)
        until(lambda: monotonic() >= ends, sky)
        missing = lost(app, callers, arrivals)
        print(f"\n{len(missing)} of {len(LOSING)} not there without a sweeper")
        assert len(missing) == len(LOSING)


def mailed_at(app: "Flask", arrivals: Arrivals, course: str) -> float | None:
    return min((arrivals.at[one] for one in alerts(app).get(course, ()) if one in arrivals.at), default=None)
