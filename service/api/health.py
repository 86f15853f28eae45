"""For machines that look after machines: alive, ready, and the numbers. None of it says anything about a person."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from datetime import datetime
from typing import Any

import redis
import structlog
from flask import Flask, Response, g, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest

from service.config import Settings
from service.domain.access import PUBLIC, allows
from service.usecases import health
from service.usecases.health import Health

log = structlog.get_logger("samehour")

WITHIN_SECONDS = 0.4
"""Of the half second in which each answers."""
REDIS_WITHIN_SECONDS = 0.2

_messages = Gauge("samehour_messages", "Messages not carried out.", ["state"])
_waiting = Gauge("samehour_oldest_message_seconds", "How long the oldest message that is due has waited.")
_sweeper = Gauge("samehour_sweeper_seconds", "Since the sweeper was last heard of; -1 where it never was.")
_alerts = Gauge("samehour_open_alerts", "Alerts that nobody has answered.", ["level"])
_database = Gauge("samehour_database_up", "1 where the database answers in time.")


def open_doors(app: Flask, settings: Settings) -> None:
    """Register /healthz, /readyz and /metrics."""
    look = _Look(app)
    hears = _redis(settings.redis_url)

    @app.get("/healthz")
    @allows(PUBLIC)
    def healthz() -> Response:
        """This process answers; it touches nothing else, so that a database that is away restarts nobody."""
        return jsonify(status="ok")

    @app.get("/readyz")
    @allows(PUBLIC)
    def readyz() -> Response:
        """503 where hours can't be booked. Without Redis or sweeper they can, and messages wait: `degraded`, 200; so
        where the hours to come are derived with another release of the time-zone data, which `notes` then says.
        """
        found = look.now(g.now)
        answer = jsonify(_ready(found, is_redis_up=hears(), now=g.now))
        answer.status_code = 200 if found.is_ready else 503
        return answer

    @app.get("/metrics")
    @allows(PUBLIC)
    def metrics() -> Response:
        _measure(look.now(g.now), g.now)
        return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _ready(found: Health, *, is_redis_up: bool | None, now: datetime) -> dict[str, Any]:
    checks = {
        "database": found.is_database_up,
        "schema": found.is_schema_current,
        "nets": found.are_nets_in_place,
        "sweeper": found.is_sweeping(now),
        "redis": is_redis_up,
    }
    is_whole = found.is_sweeping(now) and is_redis_up is not False and not found.notes
    status = "unready" if not found.is_ready else "ok" if is_whole else "degraded"
    answer: dict[str, Any] = {"status": status, "checks": {name: _word(is_good) for name, is_good in checks.items()}}
    return answer | ({"notes": list(found.notes)} if found.notes else {})


def _word(is_good: bool | None) -> str:
    return "not used" if is_good is None else "ok" if is_good else "failed"


def _measure(found: Health, now: datetime) -> None:
    _database.set(found.is_database_up)
    for state, number in found.messages.items():
        _messages.labels(state).set(number)
    for level, number in found.open_alerts.items():
        _alerts.labels(level).set(number)
    _waiting.set((now - found.waiting_since).total_seconds() if found.waiting_since else 0)
    _sweeper.set((now - found.sweeper_heard).total_seconds() if found.sweeper_heard else -1)


class _Look:
    """A look at the database that does not wait for it: one that hangs is an answer too."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.aside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="health")
        self.asked: Future[Health] | None = None
        self.said: frozenset[str] = frozenset()

    def now(self, now: datetime) -> Health:
        # While one look hangs no other is begun, or every probe would hold one more connection.
        if self.asked is None or self.asked.done():
            self.asked = self.aside.submit(self._look, now)
        try:
            return self.asked.result(timeout=WITHIN_SECONDS)
        except TooLate:
            return Health(is_database_up=False)

    def _look(self, now: datetime) -> Health:
        with self.app.app_context():
            found = health.look(now=now)
        for note in frozenset(found.notes) - self.said:
            log.warning(note)
        self.said |= frozenset(found.notes)
        return found


def _redis(url: str | None) -> Callable[[], bool | None]:
    """A function that says whether Redis answers; None where there is none to ask."""
    if url is None:
        return lambda: None
    within = REDIS_WITHIN_SECONDS
    connection = redis.Redis.from_url(url, socket_connect_timeout=within, socket_timeout=within, retry=None)

    def hears() -> bool:
        try:
            return bool(connection.ping())
        except redis.RedisError:
            return False

    return hears
