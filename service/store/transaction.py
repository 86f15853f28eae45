"""One use-case, one transaction.

`@writing` and `@reading` open the transaction a use-case runs in and hand it the session. A use-case that calls
another use-case would commit half of what it does, so that raises. `@glancing` is for the one look-up that is asked
again and again and mostly finds nothing new: a single statement, on a connection that never has a transaction.

Writers on SQLite take turns: in this process by a lock (SQLite's own busy handler is unfair), between processes by
`BEGIN IMMEDIATE`. On PostgreSQL a deadlock or a failed serialisation is tried again, three times at most.
"""

import functools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect, Engine, Select, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from service.domain.refusals import CannotBook, Conflict, Malformed, Unavailable
from service.store.base import db

P = ParamSpec("P")
R = TypeVar("R")

TRIES = 4
_RETRIED = frozenset({"40P01", "40001"})
_WRITE = "samehour_write"

_inside: ContextVar[str | None] = ContextVar("inside", default=None)
_turn = threading.Lock()
_bells: list[Callable[[list[int]], None]] = []
_held = threading.local()
_glances: WeakKeyDictionary[Engine, Engine] = WeakKeyDictionary()


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
                    raise _as_refusal(fault) from fault
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
                raise _as_refusal(fault) from fault
            finally:
                session.rollback()
                db.session.remove()

    return run


class Glance:
    """A connection on which single statements are asked, each for one row, and no transaction is ever begun."""

    def __init__(self, connection: PoolProxiedConnection, dialect: Dialect) -> None:
        self._connection, self._dialect = connection, dialect

    def row(self, statement: "Select[*tuple[Any, ...]]", **parameters: object) -> tuple[Any, ...] | None:
        """The row that it finds, as SQLAlchemy would hand it out; None where there is none."""
        asked = _asked(statement, self._dialect)
        cursor = self._connection.cursor()
        try:
            cursor.execute(asked.sql, asked.arguments(parameters))
            found = cursor.fetchone()
        finally:
            cursor.close()
        return found and asked.read(found)

    def close(self, fault: BaseException | None = None) -> None:
        """Give the connection back; after a fault it is not used again."""
        if fault is not None:
            self._connection.invalidate(fault)
        self._connection.close()


def glancing(use_case: Callable[Concatenate[Glance, P], R]) -> Callable[P, R]:
    """Run one look-up by itself: one statement is consistent without a transaction, and so costs no second one.

    :raises Unavailable: the database does not answer.
    """

    @functools.wraps(use_case)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        engine = _glances[db.engine]
        for is_last in (False, True):
            try:
                return use_case(_glance(engine), *args, **kwargs)
            except engine.dialect.loaded_dbapi.Error as fault:
                # A connection that died while it rested is found out here, since nothing asks it beforehand.
                _let_go(engine, fault)
                if is_last:
                    raise Unavailable("The database can't be reached. Please try again.") from fault
        raise AssertionError("unreachable: the last try returns or raises")

    return run


def _glance(engine: Engine) -> Glance:
    """This thread's own, kept open: fetching a connection from the pool takes as long as the look."""
    held = _held.__dict__.setdefault("glances", WeakKeyDictionary())
    if engine not in held:
        try:
            held[engine] = Glance(engine.raw_connection(), engine.dialect)
        except DBAPIError as fault:
            raise _as_refusal(fault) from fault
    found: Glance = held[engine]
    return found


def _let_go(engine: Engine, fault: BaseException | None = None) -> None:
    glance = _held.__dict__.get("glances", {}).pop(engine, None)
    if glance is not None:
        glance.close(fault)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """A statement as the driver takes it, so that asking it again costs what the driver costs."""

    sql: str
    names: tuple[str, ...] | None
    """Of the parameters in their order; None where the driver takes them by name."""
    readers: tuple[tuple[int, Callable[[Any], Any]], ...]
    """Of the columns that the driver hands out otherwise than SQLAlchemy does."""

    def arguments(self, given: Mapping[str, object]) -> Any:
        return given if self.names is None else tuple(given[name] for name in self.names)

    def read(self, found: Sequence[Any]) -> tuple[Any, ...]:
        values = list(found)
        for column, read in self.readers:
            values[column] = read(values[column])
        return tuple(values)


@functools.lru_cache(maxsize=32)
def _asked(statement: "Select[*tuple[Any, ...]]", dialect: Dialect) -> _Asked:
    compiled = statement.compile(dialect=dialect)
    readers = (
        column.type.dialect_impl(dialect).result_processor(dialect, None) for column in statement.selected_columns
    )
    return _Asked(
        sql=str(compiled),
        names=None if compiled.positiontup is None else tuple(compiled.positiontup),
        readers=tuple((column, read) for column, read in enumerate(readers) if read is not None),
    )


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


def _as_refusal(fault: DBAPIError) -> Exception:
    words = str(fault.orig)
    if "NUL (0x00)" in words:
        return Malformed("The text holds a character that can't be kept. Nothing was changed.")
    if "occupancies_no_overlap" in words:
        return CannotBook("That hour has just been taken. Nothing was changed.", clashes=())
    if isinstance(fault, IntegrityError):
        if "unique" in words.lower():
            return Conflict("The same thing was entered at the same moment by somebody else. Nothing was changed.")
        return fault
    if getattr(fault.orig, "sqlstate", None) in _RETRIED:
        return Unavailable("Others are changing the same things right now. Nothing was changed; please try again.")
    if any(
        sign in words for sign in ("database is locked", "lock timeout", "disk is full", "No space left", "disk I/O")
    ):
        return Unavailable("The store can't take this now. Nothing was changed; please try again.")
    if fault.connection_invalidated or "could not connect" in words or "connection failed" in words:
        return Unavailable("The database can't be reached. Nothing was changed; please try again.")
    return fault


def prepare(engine: Engine) -> None:
    """Teach the engine how transactions begin. Call once for each engine, before its first connection."""
    _prepare_glances(engine)
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


def _prepare_glances(engine: Engine) -> None:
    is_sqlite = engine.dialect.name == "sqlite"
    glances = create_engine(
        engine.url,
        hide_parameters=True,
        pool_reset_on_return=None,
        **({} if is_sqlite else {"isolation_level": "AUTOCOMMIT", "pool_size": 2, "max_overflow": 14}),
    )
    _glances[engine] = glances

    @event.listens_for(engine, "engine_disposed")
    def dispose(_engine: Engine) -> None:
        _let_go(glances)
        glances.dispose()

    if is_sqlite:

        @event.listens_for(glances, "connect")
        def open_without_transactions(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
            connection.isolation_level = None
            connection.execute("PRAGMA busy_timeout=5000")
