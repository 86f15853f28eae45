"""Messages on their way: who takes one, how it ended, what waits, and which loops are alive.

A message is taken by a lease, looked at again (does it still hold?), carried out with no transaction open, and marked.
Whoever dies in between loses the lease, and the next one takes over.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from service.domain import access
from service.domain.access import Actor, Role
from service.domain.phrase import say
from service.domain.refusals import Conflict
from service.store import audit, notices, outbox
from service.store.base import count
from service.store.outbox import HeartbeatRow, OutboxRow
from service.store.transaction import note_message, reading, writing
from service.usecases import telling

LEASE = timedelta(seconds=30)
"""Whoever carries a message out must be done by then: with a sweep every 15 s, what a crash held is out in a minute."""
WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""After each attempt that failed; 75 hours in all, as Standard Webhooks has it."""
ATTEMPTS = len(WAITS) + 1
MOST_AT_ONCE = 500
LATE = timedelta(minutes=10)
"""What should have left so long ago is worth a look."""
KEPT = timedelta(days=30)
"""What ended is kept so long: `doctor` looks back a week, people ask what became of a message of last month."""


class CannotRetry(Conflict):
    """It has been carried out, or was called back."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A message that is ours to carry out until the lease ends."""

    message: int
    id: str
    """Stable over attempts: two deliveries with one id are one message."""
    topic: str
    payload: Mapping[str, Any]
    attempt: int
    letter: telling.Letter | None
    """For a notice: what it says, looked up as it leaves."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message as operators see it: ids, never words."""

    id: str
    topic: str
    state: str
    """pending, done, superseded, dead, dropped."""
    attempts: int
    not_before: datetime
    is_taken: bool
    last_error: str | None
    created_at: datetime
    done_at: datetime | None


@writing
def take(db: Session, *, message: int, now: datetime) -> Taken | None:
    """Lease the message, or None: somebody else has it, it is done or not due, or it holds no more."""
    row = outbox.lease(db, message, until=now + LEASE, now=now)
    if row is None:
        return None
    if row.attempts > ATTEMPTS:
        # Each attempt ended with its worker: nobody was left to say so.
        outbox.settle(db, message, row.attempts, state="dead", last_error=row.last_error or "no attempt ended")
        notices.leave_to_digest(db, row.public_id)
        return None
    is_notice = row.topic in telling.NOTICES
    letter = telling.letter(db, row, now) if is_notice else None
    if letter is None and is_notice:
        outbox.settle(db, message, row.attempts, state="superseded", done_at=now)
        return None
    return Taken(
        message=row.id,
        id=row.public_id,
        topic=row.topic,
        payload=dict(row.payload),
        attempt=row.attempts,
        letter=letter,
    )


@writing
def done(db: Session, *, message: int, attempt: int, now: datetime) -> bool:
    """It was carried out; False where a later attempt has taken over, or it is marked already."""
    is_ours = outbox.settle(db, message, attempt, state="done", done_at=now, last_error=None)
    if is_ours:
        notices.mark_told(db, outbox.name_of(db, message), now=now)
    return is_ours


@writing
def failed(
    db: Session, *, message: int, attempt: int, error: str, wait: timedelta | None = None, now: datetime
) -> bool:
    """This attempt failed: wait and try again, or give up after the tenth. True while there is another attempt.

    `wait` is for a channel that knows better how long; else the schedule says it.

    `error` is a kind of fault, never what a server or a person said: it is shown to operators.
    """
    if attempt >= ATTEMPTS:
        if outbox.settle(db, message, attempt, state="dead", last_error=error[:200]):
            notices.leave_to_digest(db, outbox.name_of(db, message))
        return False
    outbox.settle(db, message, attempt, not_before=now + (wait or WAITS[attempt - 1]), last_error=error[:200])
    return True


@reading
def due(db: Session, *, limit: int = 500, waited: timedelta = timedelta(0), now: datetime) -> list[int]:
    """Messages that nobody has and whose time came at least so long ago, the oldest first."""
    found = outbox.due(db, now=now, limit=limit)
    if not waited or not found:
        return found
    query = select(OutboxRow.id).where(OutboxRow.id.in_(found), OutboxRow.not_before <= now - waited)
    late = set(db.scalars(query))
    return [one for one in found if one in late]


@reading
def listed(
    db: Session, *, states: tuple[str, ...] = ("pending", "dead"), limit: int = 200, by: Actor, now: datetime
) -> list[Message]:
    """Messages in these states, the oldest first."""
    access.require(by, Role.ADMIN, Role.MANAGER, to_change=False)
    query = select(OutboxRow).where(OutboxRow.state.in_(states)).order_by(OutboxRow.not_before, OutboxRow.id)
    return [_message(row, now) for row in db.scalars(query.limit(limit))]


@reading
def stuck(db: Session, *, limit: int = 200, by: Actor, now: datetime) -> list[Message]:
    """What was given up, then what was tried in vain or should have left a while ago; each the oldest first."""
    access.require(by, Role.ADMIN, Role.MANAGER, to_change=False)
    is_late = or_(OutboxRow.attempts > 1, OutboxRow.last_error.is_not(None), OutboxRow.not_before <= now - LATE)
    query = select(OutboxRow).where(or_(OutboxRow.state == "dead", and_(OutboxRow.state == "pending", is_late)))
    query = query.order_by(OutboxRow.state, OutboxRow.created_at, OutboxRow.id)
    return [_message(row, now) for row in db.scalars(query.limit(limit))]


@writing
def retry(db: Session, *, message: str, by: Actor, now: datetime) -> None:
    """Try it now, with ten attempts before it.

    :raises NotFound: no such message. :raises CannotRetry: see there.
    """
    access.require(by, Role.ADMIN, Role.MANAGER)
    row = outbox.get(db, message)
    again = update(OutboxRow).where(
        OutboxRow.id == row.id, OutboxRow.state.in_(("pending", "dead")), outbox.is_free(now)
    )
    if not count(db.execute(again.values(state="pending", attempts=0, not_before=now, lease_until=None))):
        raise CannotRetry(say("It was carried out or called back, or is being carried out right now."))
    note_message(db, row.id)
    audit.record(db, "retry", by=by, now=now, kind="message", subject=message)


@writing
def retry_dead(db: Session, *, by: Actor, now: datetime) -> int:
    """Try what was given up, up to 500 at once; how many. The next sweep brings them to the workers."""
    access.require(by, Role.ADMIN, Role.MANAGER)
    dead = select(OutboxRow.public_id).where(OutboxRow.state == "dead").order_by(OutboxRow.id)
    names = list(db.scalars(dead.limit(MOST_AT_ONCE).with_for_update()))
    again = update(OutboxRow).where(OutboxRow.state == "dead", OutboxRow.public_id.in_(names))
    db.execute(again.values(state="pending", attempts=0, not_before=now, lease_until=None))
    for name in names:
        audit.record(db, "retry", by=by, now=now, kind="message", subject=name)
    return len(names)


@writing
def drop(db: Session, *, message: str, by: Actor, now: datetime) -> None:
    """Never carry it out. :raises NotFound: no such message. :raises CannotRetry: see there."""
    access.require(by, Role.ADMIN)
    row = outbox.get(db, message)
    ended = update(OutboxRow).where(
        OutboxRow.id == row.id, OutboxRow.state.in_(("pending", "dead")), outbox.is_free(now)
    )
    if not count(db.execute(ended.values(state="dropped", done_at=now, lease_until=None))):
        raise CannotRetry(say("It was carried out or called back, or is being carried out right now."))
    notices.leave_to_digest(db, message)
    audit.record(db, "drop", by=by, now=now, kind="message", subject=message)


@writing
def forget(db: Session, *, limit: int = 2000, now: datetime) -> int:
    """Delete messages that ended long ago, at most so many at once; how many they were."""
    return outbox.forget(db, ended_before=now - KEPT, limit=limit)


@writing
def lease_loop(db: Session, *, name: str, holder: str, lasts: timedelta, now: datetime) -> bool:
    """True where `holder` may run the loop of that name for so long; it also says that the loop is alive."""
    mine = (
        update(HeartbeatRow)
        .where(
            HeartbeatRow.name == name,
            or_(HeartbeatRow.holder == holder, HeartbeatRow.lease_until.is_(None), HeartbeatRow.lease_until <= now),
        )
        .values(holder=holder, at=now, lease_until=now + lasts)
    )
    if count(db.execute(mine)):
        return True
    if db.get(HeartbeatRow, name) is not None:
        return False
    db.add(HeartbeatRow(name=name, holder=holder, at=now, lease_until=now + lasts))
    return True


@writing
def leave_loop(db: Session, *, name: str, holder: str) -> None:
    """Give the lease back, so that another may go on at once."""
    db.execute(
        update(HeartbeatRow)
        .where(HeartbeatRow.name == name, HeartbeatRow.holder == holder)
        .values(holder=None, lease_until=None)
    )


@writing
def heartbeat(db: Session, *, name: str, now: datetime) -> None:
    """The loop of that name is alive."""
    if not count(db.execute(update(HeartbeatRow).where(HeartbeatRow.name == name).values(at=now))):
        db.add(HeartbeatRow(name=name, at=now))


# --- steps ----------------------------------------------------------------------------------------------------------


def _message(row: OutboxRow, now: datetime) -> Message:
    return Message(
        id=row.public_id,
        topic=row.topic,
        state=row.state,
        attempts=row.attempts,
        not_before=row.not_before,
        is_taken=row.lease_until is not None and row.lease_until > now,
        last_error=row.last_error,
        created_at=row.created_at,
        done_at=row.done_at,
    )
