"""The one look-up that is asked again and again and mostly finds nothing new.

`@glancing` hands a use-case a single statement's worth of the database: on a connection that each thread keeps open and
that never has a transaction. One statement is consistent without one.
"""

import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect, Engine, Select, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from service.domain.phrase import say
from service.domain.refusals import Unavailable
from service.store.base import db
from service.store.transaction import as_refusal

P = ParamSpec("P")
R = TypeVar("R")

_held = threading.local()
_glances: WeakKeyDictionary[Engine, Engine] = WeakKeyDictionary()


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
                    raise Unavailable(say("The database can't be reached. Please try again.")) from fault
        raise AssertionError("unreachable: the last try returns or raises")

    return run


def _glance(engine: Engine) -> Glance:
    """This thread's own, kept open: fetching a connection from the pool takes as long as the look."""
    held = _held.__dict__.setdefault("glances", WeakKeyDictionary())
    if engine not in held:
        try:
            held[engine] = Glance(engine.raw_connection(), engine.dialect)
        except DBAPIError as fault:
            raise as_refusal(fault) from fault
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


def prepare(engine: Engine) -> None:
    """Give the engine its glances. Call once for each engine, before the first."""
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
