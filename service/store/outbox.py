"""The outbox: what is to be done because a fact changed, written in the transaction that changed it.

The queue only wakes the workers; this table is what is true. A message is carried out by whoever holds its lease.
"""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Index,
    Integer,
    Select,
    String,
    Text,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.domain.phrase import say
from service.domain.refusals import NotFound
from service.store.base import BigId, Model, PublicId, UtcTime, count, new_public_id
from service.store.transaction import note_message


class OutboxRow(Model):
    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_state_not_before", "state", "not_before"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(PublicId, unique=True, default=new_public_id)
    """Stable over retries: the Message-ID of a mail, the id of a webhook."""
    topic: Mapped[str] = mapped_column(String(40))
    dedup_key: Mapped[str] = mapped_column(String(200), unique=True)
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    """Opaque ids only."""
    state: Mapped[str] = mapped_column(String(12), default="pending")
    """pending, done, superseded, dead, dropped."""
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    not_before: Mapped[datetime] = mapped_column(UtcTime)
    lease_until: Mapped[datetime | None] = mapped_column(UtcTime)
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcTime)

    def is_free(self, now: datetime) -> bool:
        """Nobody carried it out, or is about to."""
        return self.state == "pending" and (self.lease_until is None or self.lease_until <= now)


class HeartbeatRow(Model):
    """When a loop was last alive, and who holds the lease to run it."""

    __tablename__ = "heartbeats"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcTime)
    holder: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[datetime | None] = mapped_column(UtcTime)


def add(
    session: Session,
    topic: str,
    payload: Mapping[str, Any],
    *,
    now: datetime,
    dedup_key: str | None = None,
    not_before: datetime | None = None,
    public_id: str | None = None,
) -> bool:
    """Write a message; False where one with the same key stands already. Without a `public_id` it gets one."""
    key = dedup_key or f"{topic}:{uuid.uuid4()}"
    if dedup_key and session.scalar(select(OutboxRow.id).where(OutboxRow.dedup_key == key)):
        return False
    row = OutboxRow(topic=topic, dedup_key=key, payload=dict(payload), not_before=not_before or now, created_at=now)
    row.public_id = public_id or new_public_id()
    session.add(row)
    session.flush()
    if row.not_before <= now:
        note_message(session, row.id)
    return True


def due(session: Session, *, now: datetime, limit: int) -> list[int]:
    """Ids of messages to be carried out now and held by nobody."""
    query = (
        select(OutboxRow.id)
        .where(OutboxRow.state == "pending", OutboxRow.not_before <= now, is_free(now))
        .order_by(OutboxRow.not_before, OutboxRow.id)
        .limit(limit)
    )
    return list(session.scalars(query))


def known_keys(session: Session, keys: Iterable[str]) -> set[str]:
    """Those of the keys under which a message was written already, whatever became of it."""
    wanted, found = sorted(keys), set[str]()
    for start in range(0, len(wanted), 500):
        query = select(OutboxRow.dedup_key).where(OutboxRow.dedup_key.in_(wanted[start : start + 500]))
        found |= set(session.scalars(query))
    return found


def waiting(session: Session, topic: str, *, about: str, subject: str, free_at: datetime | None = None) -> list[int]:
    """Ids of the messages of that topic not yet carried out whose payload says `about: subject`.

    With `free_at`, without those that somebody is carrying out at that instant.
    """
    session.flush()
    query = _waiting(about) if free_at is None else _waiting(about).where(is_free(free_at))
    return list(session.connection().execute(query, {"topic": topic, "subject": subject}).scalars())


@cache
def _waiting(about: str) -> Select[int]:
    """Built once: each look at a course asks it."""
    return select(OutboxRow.id).where(
        OutboxRow.state == "pending",
        OutboxRow.topic == bindparam("topic"),
        OutboxRow.payload[about].as_string() == bindparam("subject"),
    )


def payloads(session: Session, ids: Iterable[int]) -> list[dict[str, Any]]:
    """What these messages carry."""
    return list(session.scalars(select(OutboxRow.payload).where(OutboxRow.id.in_(sorted(ids)))))


def of_reader(session: Session, topic: str, user: str, *, since: datetime, until: datetime) -> list[OutboxRow]:
    """The messages of that topic to that user that were carried out, or are to be, with their time in the span."""
    query = select(OutboxRow).where(
        OutboxRow.state.in_(("pending", "done")),
        OutboxRow.topic == topic,
        OutboxRow.not_before >= since,
        OutboxRow.not_before < until,
        OutboxRow.payload["user"].as_string() == user,
    )
    return list(session.scalars(query.order_by(OutboxRow.id)))


def last_of_reader(session: Session, topic: str, user: str) -> OutboxRow | None:
    """The newest message of that topic to that user that was not called off."""
    query = select(OutboxRow).where(
        OutboxRow.topic == topic,
        OutboxRow.state.in_(("pending", "done", "dead")),
        OutboxRow.payload["user"].as_string() == user,
    )
    return session.scalar(query.order_by(OutboxRow.id.desc()).limit(1))


def close(session: Session, ids: Iterable[int], state: str, *, now: datetime) -> int:
    """End those of the messages that are still to be carried out as `done` or `superseded`; how many they were."""
    wanted, ended = sorted(ids), 0
    for start in range(0, len(wanted), 500):
        ended += count(
            session.execute(
                update(OutboxRow)
                .where(OutboxRow.id.in_(wanted[start : start + 500]), OutboxRow.state == "pending")
                .values(state=state, lease_until=None, done_at=now)
                .execution_options(synchronize_session=False)
            )
        )
    return ended


def forget(session: Session, *, ended_before: datetime, limit: int) -> int:
    """Delete messages that need nobody any more; how many. Dead ones stay until somebody says what becomes of them."""
    ended = select(OutboxRow.id).where(
        OutboxRow.state.in_(("done", "superseded", "dropped")), OutboxRow.done_at < ended_before
    )
    some = ended.order_by(OutboxRow.id).limit(limit).scalar_subquery()
    gone = delete(OutboxRow).where(OutboxRow.id.in_(some)).execution_options(synchronize_session=False)
    return count(session.execute(gone))


def get(session: Session, public_id: str) -> OutboxRow:
    """:raises NotFound: no such message."""
    row = session.scalar(select(OutboxRow).where(OutboxRow.public_id == public_id))
    if row is None:
        raise NotFound(say("There is no such message."))
    return row


def name_of(session: Session, message: int) -> str:
    """The message's public id."""
    return session.scalars(select(OutboxRow.public_id).where(OutboxRow.id == message)).one()


def counts(session: Session) -> dict[str, int]:
    """How many messages are in each state that needs somebody: `pending` and `dead`."""
    query = select(OutboxRow.state, func.count()).where(OutboxRow.state.in_(("pending", "dead")))
    return {row[0]: row[1] for row in session.execute(query.group_by(OutboxRow.state))}


def oldest_due(session: Session, *, now: datetime) -> datetime | None:
    """Since when the oldest message waits that could have been carried out."""
    query = select(func.min(OutboxRow.not_before)).where(OutboxRow.state == "pending", OutboxRow.not_before <= now)
    return session.scalar(query)


def lease(session: Session, message: int, *, until: datetime, now: datetime) -> OutboxRow | None:
    """Take the message, or None where somebody else has it, it is done, or it is not yet due."""
    taken = count(
        session.execute(
            update(OutboxRow)
            .where(OutboxRow.id == message, OutboxRow.state == "pending", OutboxRow.not_before <= now, is_free(now))
            .values(lease_until=until, attempts=OutboxRow.attempts + 1)
        )
    )
    return session.get(OutboxRow, message, populate_existing=True) if taken else None


def settle(session: Session, message: int, attempt: int, **values: Any) -> bool:
    """Record how an attempt ended; False where a later attempt has taken over."""
    ended = session.execute(
        update(OutboxRow)
        .where(OutboxRow.id == message, OutboxRow.attempts == attempt, OutboxRow.state == "pending")
        .values(lease_until=None, **values)
    )
    return count(ended) > 0


def is_free(now: datetime) -> ColumnElement[bool]:
    """Nobody is carrying it out."""
    return or_(OutboxRow.lease_until.is_(None), OutboxRow.lease_until <= now)
