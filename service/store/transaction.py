"""One use-case, one transaction.

`@writing` and `@reading` open the transaction a use-case runs in and hand it the session. A use-case that calls
another use-case would commit half of what it does, so that raises.

Writers on SQLite take turns: in this process by a lock (SQLite's own busy handler is unfair), between processes by
`BEGIN IMMEDIATE`. On PostgreSQL a deadlock or a failed serialisation is tried again, three times at most.
"""

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from service.domain.phrase import say
from service.domain.refusals import CannotBook, Conflict, Malformed, Unavailable
from service.store import calendars
from service.store.base import db

P = ParamSpec("P")
R = TypeVar("R")

TRIES = 4
_RETRIED = frozenset({"40P01", "40001"})
_WRITE = "samehour_write"

_inside: ContextVar[str | None] = ContextVar("inside", default=None)
_turn = threading.Lock()
_bells: list[Callable[[list[int]], None]] = []


class UseCaseInsideUseCase(RuntimeError):
    """A use-case called another one: the inner commit would make the outer one's work half done."""


def after_commit(ring: Callable[[list[int]], None]) -> None:
    """Have `ring` called with the ids of new messages, after the transaction that wrote them is safe on disk.

    It must not raise and must not wait: the message is found by the sweeper anyway.
    """
    _bells[:] = [ring]


def writing(use_case: Callable[Concatenate[Session, P], R]) -> Callable[P, R]:
    """Run the use-case in a transaction that may write; commit, or leave no trace."""

    @functools.wraps(use_case)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with _alone(use_case.__name__):
            for attempt in range(1, TRIES + 1):
                try:
                    result, messages = _write_once(use_case, *args, **kwargs)
                except DBAPIError as fault:
                    if attempt < TRIES and getattr(fault.orig, "sqlstate", None) in _RETRIED:
                        continue
                    raise as_refusal(fault) from fault
                for ring in _bells if messages else ():
                    ring(messages)
                return result
        raise AssertionError("unreachable: the last try returns or raises")

    return run


def reading(use_case: Callable[Concatenate[Session, P], R]) -> Callable[P, R]:
    """Run the use-case in a transaction that only reads; nothing it does is kept."""

    @functools.wraps(use_case)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with _alone(use_case.__name__):
            session = db.session()
            try:
                return use_case(session, *args, **kwargs)
            except DBAPIError as fault:
                raise as_refusal(fault) from fault
            finally:
                session.rollback()
                db.session.remove()

    return run


def note_message(session: Session, message: int) -> None:
    """Remember a new message, so that the bell is rung for it after the commit."""
    session.info.setdefault("messages", []).append(message)


def _write_once(
    use_case: Callable[Concatenate[Session, P], R], *args: P.args, **kwargs: P.kwargs
) -> tuple[R, list[int]]:
    with _turn if db.engine.dialect.name == "sqlite" else nullcontext():
        session = db.session()
        try:
            session.connection(execution_options={_WRITE: True})
            if db.engine.dialect.name == "postgresql":
                session.execute(text("SET LOCAL lock_timeout = '3s'"))
            result = use_case(session, *args, **kwargs)
            messages = list(session.info.get("messages", ()))
            calendars.count(session)
            session.commit()
            return result, messages
        except BaseException:
            session.rollback()
            raise
        finally:
            db.session.remove()


@contextmanager
def _alone(name: str) -> Iterator[None]:
    if outer := _inside.get():
        raise UseCaseInsideUseCase(f"{name} was called inside {outer}")
    token = _inside.set(name)
    try:
        yield
    finally:
        _inside.reset(token)


def as_refusal(fault: DBAPIError) -> Exception:
    """What a fault of the database means to whoever asked; the fault itself where it is our own mistake."""
    words = str(fault.orig)
    if "NUL (0x00)" in words:
        return Malformed(say("The text holds a character that can't be kept. Nothing was changed."))
    if "occupancies_no_overlap" in words:
        return CannotBook(say("That hour has just been taken. Nothing was changed."), clashes=())
    if isinstance(fault, IntegrityError):
        if "unique" in words.lower():
            return Conflict(say("The same thing was entered at the same moment by somebody else. Nothing was changed."))
        return fault
    if getattr(fault.orig, "sqlstate", None) in _RETRIED:
        return Unavailable(say("Others are changing the same things right now. Nothing was changed; please try again."))
    if any(
        sign in words for sign in ("database is locked", "lock timeout", "disk is full", "No space left", "disk I/O")
    ):
        return Unavailable(say("The store can't take this now. Nothing was changed; please try again."))
    if fault.connection_invalidated or "could not connect" in words or "connection failed" in words:
        return Unavailable(say("The database can't be reached. Nothing was changed; please try again."))
    return fault


def prepare(engine: Engine) -> None:
    """Teach the engine how transactions begin. Call once for each engine, before its first connection."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def open_well(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        # Else the driver begins transactions by itself, deferred, and two writers meet half-way.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: object) -> None:
        options = connection.get_execution_options()  # type: ignore[attr-defined]
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(_WRITE) else "BEGIN")  # type: ignore[attr-defined]
