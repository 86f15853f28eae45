"""The same request sent twice is carried out once: what was answered to an `Idempotency-Key` is kept for a day.

Only what succeeded is kept. A refusal changed nothing, so its key is free again.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from service.domain.access import Actor
from service.domain.phrase import say
from service.domain.refusals import Conflict, Malformed
from service.store.people import IdempotencyRow, UserRow
from service.store.seal import seal
from service.store.transaction import writing

KEPT = timedelta(hours=24)


class CannotReuseKey(Malformed):
    """The key came with another request before."""


class StillRunning(Conflict):
    """The first request with this key has not ended, or was cut off before it could say how it ended."""

    title = say("That request is already under way")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was answered the first time."""

    status: int
    body: str


@writing
def begin(db: Session, *, key: str, request: bytes, by: Actor, now: datetime) -> Answer | None:
    """None: go on, and `finish` or `forget`. Otherwise the answer of the first time, to be given again.

    :raises CannotReuseKey: the key came with another request. :raises StillRunning: see there.
    """
    user_id = _user_id(db, by)
    db.execute(delete(IdempotencyRow).where(IdempotencyRow.created_at <= now - KEPT))
    digest, row = hashlib.sha256(request).hexdigest(), _row(db, user_id, key)
    if row is None:
        db.add(IdempotencyRow(user_id=user_id, key=key, request_digest=digest, created_at=now))
        return None
    if row.request_digest != digest:
        raise CannotReuseKey(
            say("This key came with another request before. Take a new key for each request."), where="Idempotency-Key"
        )
    if row.status is None or row.body is None:
        raise StillRunning(
            say(
                "The first request with this key is under way, or was cut off. Look whether it took effect before you "
                "send it under another key."
            )
        )
    return Answer(status=row.status, body=seal().open(row.body, row=_bound_to(row), column="idempotency_keys:body"))


@writing
def finish(db: Session, *, key: str, status: int, body: str, by: Actor) -> None:
    """Keep what was answered. It may name people, so it is sealed as their own records are."""
    row = _row(db, _user_id(db, by), key)
    if row is not None:
        row.status, row.body = status, seal().close(body, row=_bound_to(row), column="idempotency_keys:body")


@writing
def forget(db: Session, *, key: str, by: Actor) -> None:
    """The request was refused and changed nothing: it may be sent again."""
    row = _row(db, _user_id(db, by), key)
    if row is not None and row.status is None:
        db.delete(row)


def _row(db: Session, user_id: int, key: str) -> IdempotencyRow | None:
    query = select(IdempotencyRow).where(IdempotencyRow.user_id == user_id, IdempotencyRow.key == key)
    return db.scalar(query.with_for_update())


def _user_id(db: Session, by: Actor) -> int:
    return db.scalars(select(UserRow.id).where(UserRow.public_id == by.user)).one()


def _bound_to(row: IdempotencyRow) -> str:
    return f"{row.user_id}:{row.key}"
