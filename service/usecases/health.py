"""Is the house standing: the database, its schema and its nets, the loops, and what waits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from service.domain.hours import TZDATA_VERSION, release_name
from service.domain.refusals import Unavailable
from service.domain.signals import Level
from service.store import migrate, outbox, timezones
from service.store.alerts import AlertRow
from service.store.outbox import HeartbeatRow
from service.store.transaction import reading
from service.usecases.timezones import behind

SWEEPER = "sweeper"
LATE = timedelta(minutes=2)
"""A sweeper not heard of for so long is taken to be gone."""


@dataclass(frozen=True, kw_only=True)
class Health:
    """What one look found. Where the database can't be read, nothing else is known."""

    is_database_up: bool
    is_schema_current: bool = False
    are_nets_in_place: bool = False
    sweeper_heard: datetime | None = None
    messages: Mapping[str, int] = field(default_factory=dict)
    """How many are `pending` and `dead`."""
    waiting_since: datetime | None = None
    """Since when the oldest message waits that could have been carried out."""
    open_alerts: Mapping[str, int] = field(default_factory=dict)
    """By level."""
    notes: tuple[str, ...] = ()
    """What whoever runs the clinic is to do, in a sentence each."""

    @property
    def is_ready(self) -> bool:
        """Hours can be booked, and not twice."""
        return self.is_database_up and self.is_schema_current and self.are_nets_in_place

    def is_sweeping(self, now: datetime) -> bool:
        return self.sweeper_heard is not None and now - self.sweeper_heard < LATE


def look(*, now: datetime) -> Health:
    """One look; a database that can't be read is an answer, not a fault."""
    try:
        return _look(now=now)
    except (DBAPIError, Unavailable):
        return Health(is_database_up=False)


def is_sweeping(*, now: datetime) -> bool:
    """False where nobody carries messages: pages then say so."""
    heard = _sweeper_heard()
    return heard is not None and now - heard < LATE


@reading
def _look(db: Session, *, now: datetime) -> Health:
    connection = db.connection()
    is_current = migrate.current(connection) == _head()
    if not is_current:
        return Health(is_database_up=True)
    return Health(
        is_database_up=True,
        is_schema_current=True,
        are_nets_in_place=migrate.nets_stand(connection),
        sweeper_heard=_heard(db),
        messages={"pending": 0, "dead": 0, **outbox.counts(db)},
        waiting_since=outbox.oldest_due(db, now=now),
        open_alerts={Level.WATCH.value: 0, Level.ACT.value: 0, **_open_alerts(db)},
        notes=_notes(db),
    )


@reading
def _sweeper_heard(db: Session) -> datetime | None:
    return _heard(db)


def _heard(db: Session) -> datetime | None:
    return db.scalar(select(HeartbeatRow.at).where(HeartbeatRow.name == SWEEPER))


def _notes(db: Session) -> tuple[str, ...]:
    derived_with = timezones.derived_with(db)
    return () if derived_with == TZDATA_VERSION else (behind(release_name(derived_with)),)


def _open_alerts(db: Session) -> dict[str, int]:
    query = select(AlertRow.level, func.count()).where(AlertRow.state == "open").group_by(AlertRow.level)
    return {row[0]: row[1] for row in db.execute(query)}


@cache
def _head() -> str | None:
    return migrate.head()
