"""The loop that nothing is lost by: every few seconds it finds what is due, whoever forgot it.

Two sweepers take turns by a lease in the database. It works without Redis: what nobody has carried out after two
rounds, because the queue, the workers or the job went away, it carries out itself.
"""

import os
import secrets
import socket
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from threading import Event
from time import monotonic
from typing import TypeVar

import structlog

from service import clock
from service.usecases import client_letters, consistency, courses, notices, outbox, standings
from service.usecases.health import SWEEPER
from workers.house import House
from workers.relay import carry, ring

log = structlog.get_logger("samehour")

Found = TypeVar("Found")

EVERY = timedelta(seconds=15)
HORIZON_EVERY_SECONDS = 600.0


class Sweeper:
    """One of them; `holder` tells it from the others."""

    def __init__(self, house: House, *, every: timedelta = EVERY, holder: str | None = None) -> None:
        self.house = house
        self.every = every
        self.holder = holder or f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
        self.extend_next = 0.0

    def run(self, ending: Event) -> None:
        """Sweep until asked to end; a round that fails is followed by the next one."""
        while not ending.is_set():
            began = monotonic()
            self.sweep(ending)
            ending.wait(max(0.0, self.every.total_seconds() - (monotonic() - began)))
        with self.house.app.app_context():
            self._guarded("leave", lambda: outbox.leave_loop(name=SWEEPER, holder=self.holder))

    def sweep(self, ending: Event | None = None) -> bool:
        """One round; False where another sweeper has the lease, or nobody could be asked."""
        ending = ending or Event()
        with self.house.app.app_context():
            if not self._guarded("lease", self._is_our_turn):
                return False
            self._guarded("settle", lambda: courses.settle(now=clock.now()))
            self._guarded("assess", lambda: consistency.call_due(now=clock.now()))
            self._guarded("digests", lambda: notices.call_digests(now=clock.now()))
            self._guarded("reminders", lambda: client_letters.call_reminders(now=clock.now()))
            self._guarded("unanswered", lambda: notices.pass_on(grace=timedelta(0), now=clock.now()))
            self._guarded("horizon", self._extend)
            self._guarded("holds", lambda: consistency.release_expired(now=clock.now()))
        self._carry(ending)
        return True

    def _is_our_turn(self) -> bool:
        return outbox.lease_loop(name=SWEEPER, holder=self.holder, lasts=2 * self.every, now=clock.now())

    def _extend(self) -> None:
        """Book open-ended standings further ahead: seldom, since weeks are to spare, and a few in a round.

        What a crash has held waits for the end of the round, and is to be out within a minute.
        """
        if monotonic() < self.extend_next:
            return
        self._guarded("forget", lambda: outbox.forget(now=clock.now()))
        horizon, began = self.house.settings.horizon, monotonic()
        for standing in standings.to_extend(horizon=horizon, now=clock.now()):
            self._guarded("extend", partial(standings.extend, standing=standing, horizon=horizon, now=clock.now()))
            if monotonic() - began > self.every.total_seconds() / 3:
                return
        self.extend_next = monotonic() + HORIZON_EVERY_SECONDS

    def _carry(self, ending: Event) -> None:
        due = self._due()
        queue = self.house.queue
        if queue is not None and due:
            self._guarded("ring", partial(ring, queue, due))
            due = self._due(waited=2 * self.every)
        self._carry_ourselves(due, ending)

    def _due(self, waited: timedelta = timedelta(0)) -> list[int]:
        with self.house.app.app_context():
            return self._guarded("due", lambda: outbox.due(waited=waited, now=clock.now())) or []

    def _carry_ourselves(self, messages: list[int], ending: Event) -> None:
        began = monotonic()
        for message in messages:
            if ending.is_set() or monotonic() - began > self.every.total_seconds():
                return
            self._guarded("carry", partial(carry, self.house, message))

    def _guarded(self, task: str, do: Callable[[], Found]) -> Found | None:
        """What it returns; None where it failed, which is logged: the other tasks go on."""
        try:
            return do()
        except Exception as fault:  # noqa: BLE001  a sweeper that ends over one task would lose all the others
            log.warning("a task of the sweep failed", task=task, error=type(fault).__name__, holder=self.holder)
            return None
