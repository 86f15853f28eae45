"""Small statements as the driver takes them: compiled once for each number of values in their lists.

A look at one course asks ten of them for a few rows each, and SQLAlchemy's own way to the driver then costs more than
the database does. They run on the session's connection, in its transaction.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, Select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

Values = int | str | Sequence[int] | Sequence[str]
Row = Any
"""A plain tuple with the columns' names."""
_Key = tuple[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compiled:
    sql: str
    names: tuple[str, ...] | None
    """Of the parameters in their order; None where the driver takes them by name."""
    expanded: Mapping[str, Sequence[str]]
    """The parameters that stand for each list."""

    def arguments(self, asked: Mapping[str, Values]) -> Any:
        found: dict[str, Any] = {}
        for name, values in asked.items():
            if name in self.expanded:
                found.update(zip(self.expanded[name], values, strict=True))  # type: ignore[arg-type]
            else:
                found[name] = values
        return found if self.names is None else [found[name] for name in self.names]


class Prepared:
    """One statement. Its parameters are whole numbers and words, or lists of them; it has no other values in it."""

    def __init__(self, statement: "Select[*tuple[Any, ...]]") -> None:
        self._statement = statement
        self._compiled: dict[_Key, _Compiled] = {}
        self._readers: dict[str, list[tuple[int, Callable[[Any], Any]]]] = {}
        self._row = _row_of(statement)

    def rows(self, session: Session, **asked: Values) -> list[Row]:
        """What it finds for these values. A list may hold a value twice; it is not empty."""
        connection = session.connection()
        asked = {name: _padded(values) if isinstance(values, list) else values for name, values in asked.items()}
        compiled = self._for(connection.dialect, asked)
        found = _fetched(connection, compiled.sql, compiled.arguments(asked))
        readers = self._readers_for(connection.dialect)
        return [self._row(_read(row, readers)) for row in found] if readers else list(map(self._row, found))

    def _for(self, dialect: Dialect, asked: Mapping[str, Values]) -> _Compiled:
        key = dialect.name, tuple(len(values) if isinstance(values, list) else 0 for values in asked.values())
        return self._compiled.get(key) or self._compiled.setdefault(key, self._made(dialect, asked))

    def _made(self, dialect: Dialect, asked: Mapping[str, Values]) -> _Compiled:
        state = self._statement.compile(dialect=dialect).construct_expanded_state(dict(asked))
        return _Compiled(
            sql=state.statement,
            names=None if state.positiontup is None else tuple(state.positiontup),
            expanded=state.parameter_expansion,
        )

    def _readers_for(self, dialect: Dialect) -> list[tuple[int, Callable[[Any], Any]]]:
        """Of the columns that the driver hands out otherwise than SQLAlchemy does."""
        if dialect.name not in self._readers:
            columns = enumerate(self._statement.selected_columns)
            made = ((place, one.type.dialect_impl(dialect).result_processor(dialect, None)) for place, one in columns)
            self._readers[dialect.name] = [(place, read) for place, read in made if read is not None]
        return self._readers[dialect.name]


def _row_of(statement: "Select[*tuple[Any, ...]]") -> Callable[[Iterable[Any]], Row]:
    named: Any = namedtuple  # noqa: PYI024 - its names are known at run time only
    made: Callable[[Iterable[Any]], Row] = named("Row", [column.name for column in statement.selected_columns])._make
    return made


def _padded(values: list[Any]) -> list[Any]:
    """As long as the next power of two: else each number of courses and therapists would be compiled anew."""
    return values + values[-1:] * ((1 << (len(values) - 1).bit_length()) - len(values))


def _read(row: tuple[Any, ...], readers: Sequence[tuple[int, Callable[[Any], Any]]]) -> list[Any]:
    values = list(row)
    for place, read in readers:
        values[place] = read(values[place])
    return values


def _fetched(connection: Connection, sql: str, arguments: Any) -> Sequence[tuple[Any, ...]]:
    """:raises DBAPIError: as SQLAlchemy would."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(sql, arguments)
        return cursor.fetchall()
    except connection.dialect.loaded_dbapi.Error as fault:
        is_lost = connection.dialect.is_disconnect(fault, connection.connection.dbapi_connection, cursor)
        if is_lost:
            connection.invalidate(fault)
        raise DBAPIError.instance(
            sql,
            None,
            fault,
            connection.dialect.loaded_dbapi.Error,
            hide_parameters=True,
            connection_invalidated=is_lost,
            dialect=connection.dialect,
        ) from fault
    finally:
        cursor.close()
