"""One use-case, one transaction: alone, tried again where that helps, and leaving no trace where it fails."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from service.domain.refusals import CannotBook, Conflict, Unavailable
from service.store import outbox, transaction
from service.store.base import db
from service.store.outbox import OutboxRow
from service.store.people import SiteRow
from service.store.transaction import TRIES, UseCaseInsideUseCase, reading, writing
from tests.usecases.conftest import NOW

if TYPE_CHECKING:
    from flask import Flask

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def inside(app: "Flask") -> Iterator[None]:
    with app.app_context():
        yield


@writing
def add_site(db: Session, *, name: str, then: Exception | None = None) -> None:
    db.add(SiteRow(name=name, zone="UTC"))
    outbox.add(db, "test", {}, now=NOW)
    db.flush()
    if then is not None:
        raise then


@reading
def names(db: Session) -> list[str]:
    return list(db.scalars(select(SiteRow.name).order_by(SiteRow.name)))


@reading
def add_while_reading(db: Session) -> None:
    db.add(SiteRow(name="nothing", zone="UTC"))
    db.flush()


@writing
def refuse(db: Session, *, state: str, times: int, tried: list[int]) -> str:
    tried.append(1)
    if len(tried) <= times:
        db.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$"))
    return "done"


# --- alone


def test_a_use_case_calls_no_other(app: "Flask") -> None:
    @writing
    def outer(db: Session) -> None:
        add_site(name="inner")

    @reading
    def looking(db: Session) -> None:
        names()

    for act in (outer, looking):
        with pytest.raises(UseCaseInsideUseCase):
            act()
    assert names() == []
    add_site(name="afterwards")
    assert names() == ["afterwards"], "the refusal leaves the way free"


# --- all or nothing


def test_what_fails_leaves_no_trace_and_rings_no_bell(app: "Flask", monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[list[int]] = []
    monkeypatch.setattr(transaction, "_bells", [rung.append])
    with pytest.raises(ZeroDivisionError):
        add_site(name="lost", then=ZeroDivisionError())
    assert (names(), rung) == ([], [])
    add_site(name="kept")
    [messages] = rung
    assert db.session.scalars(select(OutboxRow.id)).all() == messages


def test_reading_keeps_nothing(app: "Flask") -> None:
    add_while_reading()
    assert names() == []


def test_the_same_thing_twice_is_a_conflict(app: "Flask") -> None:
    add_site(name="once")
    with pytest.raises(Conflict):
        add_site(name="once")


# --- tried again


@on_postgresql
@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_a_failed_serialisation_is_tried_again(app: "Flask", state: str) -> None:
    tried: list[int] = []
    assert refuse(state=state, times=TRIES - 1, tried=tried) == "done"
    assert len(tried) == TRIES


@on_postgresql
@pytest.mark.parametrize(("state", "tries", "refusal"), [("40001", TRIES, Unavailable), ("P0001", 1, DBAPIError)])
def test_it_is_not_tried_for_ever(app: "Flask", state: str, tries: int, refusal: type[Exception]) -> None:
    tried: list[int] = []
    with pytest.raises(refusal):
        refuse(state=state, times=99, tried=tried)
    assert len(tried) == tries


@on_postgresql
def test_two_that_wait_for_each_other_both_get_through(app: "Flask") -> None:
    meet, tried = Barrier(2), []

    @writing
    def take(db: Session, *, keys: list[int]) -> None:
        tried.append(keys)
        db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": keys[0]})
        if len(tried) <= 2:
            meet.wait(timeout=20)
        db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": keys[1]})

    def run(keys: list[int]) -> None:
        with app.app_context():
            take(keys=keys)

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(run, keys) for keys in ([1, 2], [2, 1])]:
            done.result()
    assert len(tried) == 3, "one of them was turned back once"


@on_postgresql
def test_whoever_waits_too_long_is_asked_to_try_again(app: "Flask") -> None:
    @writing
    def wait(db: Session) -> None:
        db.execute(text("SET LOCAL lock_timeout = '20ms'"))
        db.execute(text("SELECT pg_advisory_xact_lock(7)"))

    with db.engine.connect() as other:
        other.execute(text("SELECT pg_advisory_lock(7)"))
        with pytest.raises(Unavailable):
            wait()


def test_what_the_net_refuses_is_a_taken_hour(app: "Flask") -> None:
    @writing
    def hold(db: Session) -> None:
        for hold in ("one", "two"):
            db.execute(
                text(
                    "INSERT INTO occupancies (kind, who, starts, ends, hold, exempt) VALUES (1, 1, "
                    "'2026-03-03 09:00:00.000000', '2026-03-03 10:00:00.000000', :hold, false)"
                ),
                {"hold": hold},
            )

    with pytest.raises(CannotBook):
        hold()


# --- SQLite takes turns from the first moment


@on_sqlite
def test_a_writer_holds_the_database_from_its_beginning_and_a_reader_does_not(app: "Flask", database_url: str) -> None:
    other = create_engine(database_url, connect_args={"timeout": 0}, isolation_level="AUTOCOMMIT")

    def begin_beside() -> None:
        with other.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.exec_driver_sql("ROLLBACK")

    @writing
    def write(db: Session) -> int:
        with pytest.raises(OperationalError, match="locked"):
            begin_beside()
        return db.scalar(select(func.count(SiteRow.id))) or 0

    @reading
    def read(db: Session) -> None:
        db.scalar(select(func.count(SiteRow.id)))
        begin_beside()

    write()
    read()
    other.dispose()


@on_sqlite
def test_the_file_is_kept_safe_at_every_commit(app: "Flask") -> None:
    with db.engine.connect() as connection:
        asked = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")]
    assert asked == ["wal", 2], "2 is FULL"
