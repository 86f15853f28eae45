"""A clinic many times over: what the use-cases wrote once, written again in plain SQL with ids of its own.

Thousands of courses would take the use-cases many minutes. `samehour doctor` finds nothing to say about the copies.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import JSON, Column, Table, func, insert, select, text
from sqlalchemy.orm import Session

from service.store.base import new_public_id
from service.store.occupancies import Kind
from service.store.schema import metadata
from service.store.seal import seal

Row = Mapping[str, Any]
PUBLIC_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SHARED = "sites"
"""Whose rows all copies point at."""
HELD = {Kind.THERAPIST: "therapists", Kind.CLIENT: "clients"}
NAMES = {("therapists", "name"), ("users", "name"), ("users", "email")}
"""No two may be the same."""
AT_ONCE = 50


def copy_all(db: Session, times: int) -> None:
    """Everything that is in the database but its sites, so many times more. No room and no webhook may be in it."""
    whole = _Whole(db)
    for first in range(1, times + 1, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, times + 1))
        fresh = {number: {old: new_public_id() for old in whole.public} for number in numbers}
        for table, rows in whole.rows.items():
            made = [whole.copied(table, row, number, fresh[number]) for number in numbers for row in rows]
            db.execute(insert(table), made)
    _count_on(db, whole.rows)
    db.commit()


class _Whole:
    """What there is to copy."""

    def __init__(self, db: Session) -> None:
        shared = {one.public_id for one in db.execute(select(metadata.tables[SHARED].c.public_id))}
        self.rows: dict[Table, list[Row]] = {}
        for table in metadata.sorted_tables:
            found: list[Row] = [dict(row) for row in db.execute(select(table)).mappings()]
            own = [row for row in found if row.get("subject") not in shared and _is_somebodys(table, row)]
            if own:
                self.rows[table] = own
        words = [value for rows in self.rows.values() for row in rows for value in row.values()]
        self.public = {found for one in words if isinstance(one, str) for found in PUBLIC_ID.findall(one)} - shared
        self.steps = {
            table.name: max(row["id"] for row in rows) for table, rows in self.rows.items() if "id" in rows[0]
        }

    def copied(self, table: Table, row: Row, number: int, fresh: Mapping[str, str]) -> dict[str, Any]:
        made = {column.name: self.value(column, row, number, fresh) for column in table.columns}
        if table.name == "clients":
            made["reference"] = f"C{made['id']:05d}"
            name = seal().open(row["name_sealed"], row=row["public_id"], column="clients:name")
            made["name_sealed"] = seal().close(f"{name} {number}", row=made["public_id"], column="clients:name")
        return made

    def value(self, column: Column[Any], row: Row, number: int, fresh: Mapping[str, str]) -> Any:
        was, target = row[column.name], _target(column, row)
        if was is None:
            return None
        if target is not None:
            return was + number * self.steps.get(target, 0)
        if (column.table.name, column.name) in NAMES:
            return f"{number}-{was}"
        if isinstance(column.type, JSON):
            return json.loads(_renamed(json.dumps(was), fresh))
        return _renamed(was, fresh) if isinstance(was, str) else was


def _is_somebodys(table: Table, row: Row) -> bool:
    """And not the clinic's as a whole."""
    if table.name == SHARED:
        return False
    return bool(table.foreign_keys) or any(isinstance(one, str) and PUBLIC_ID.search(one) for one in row.values())


def _target(column: Column[Any], row: Row) -> str | None:
    """The table that the column's number stands for."""
    if column.name == "id":
        return str(column.table.name)
    if column.table.name == "occupancies" and column.name == "who":
        return HELD[Kind(row["kind"])]
    return next((key.column.table.name for key in column.foreign_keys), None)


def _renamed(words: str, fresh: Mapping[str, str]) -> str:
    return PUBLIC_ID.sub(lambda found: fresh.get(found[0], found[0]), words)


def _count_on(db: Session, tables: Iterable[Table]) -> None:
    """PostgreSQL numbers what comes next by a counter that has not seen the copies, and plans by what it counted."""
    if db.get_bind().dialect.name != "postgresql":
        return
    for table in tables:
        if "id" in table.columns:
            highest = db.scalar(select(func.max(table.c.id)))
            db.execute(select(func.setval(func.pg_get_serial_sequence(table.name, "id"), highest)))
    db.execute(text("ANALYZE"))
