"""Sixteen desks want the same few hours: nobody is booked twice, and without the guards somebody is.

The small form runs in every `make test`; `STORM=full` asks ten times as much. The seed is printed.
"""

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from threading import Barrier, Event, Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING

import httpx
import pytest
from sqlalchemy import text

from service.commands.up import web_command
from service.domain.access import OPERATOR
from service.domain.appointment import Initiator
from service.domain.hours import Hour, Weekday
from service.domain.refusals import Refusal
from service.store.base import db
from service.usecases import appointments, doctor, standings, steps
from service.usecases.appointments import Destination
from tests.servers import Program
from tests.storms.crowd import Prize, Tally, rush, set_up
from tests.usecases.conftest import FIRST, NOW, Cast, cast, tuesday

if TYPE_CHECKING:
    from socket import socket

    from flask import Flask

__all__ = ["cast"]  # the fixture

pytestmark = pytest.mark.storm

IS_FULL = os.environ.get("STORM") == "full"
SEED = int(os.environ.get("STORM_SEED", "20260302"))
CONTENDED = 4000 if IS_FULL else 400
CONTROL = 4000 if IS_FULL else 240
LEAST_WITHOUT = 5 if IS_FULL else 1
NETS = {
    "sqlite": "DROP TRIGGER occupancies_no_overlap_insert; DROP TRIGGER occupancies_no_overlap_update",
    "postgresql": "ALTER TABLE occupancies DROP CONSTRAINT occupancies_no_overlap",
}

Serve = Callable[..., str]


@pytest.fixture
def serve(environment: dict[str, str], door: "socket", tmp_path: Path) -> Iterator[Serve]:
    """`serve(workers=2, guards="look net")` starts gunicorn as `samehour up` does, and returns its address."""
    started: list[Program] = []

    def start(*, workers: int = 1, guards: str = "look net") -> str:
        command = web_command(f"fd://{door.fileno()}")
        command[command.index("--workers") + 1] = str(workers)
        command[-1] = "tests.storms.unguarded:from_env()"
        env = {**environment, "STORM_GUARDS": guards, "SAMEHOUR_LOG_LEVEL": "warning"}
        started.append(Program(command, env=env, log=tmp_path / "web.log", keep_open=(door.fileno(),)))
        url = environment["SAMEHOUR_PUBLIC_URL"]
        _wait_for(url, started[-1])
        return url

    yield start
    for program in started:
        program.kill()


def _wait_for(url: str, program: Program) -> None:
    until = monotonic() + 60
    while monotonic() < until and program.is_running:
        try:
            if httpx.get(f"{url}/healthz", timeout=2, trust_env=False).is_success:
                return
        except httpx.TransportError:
            sleep(0.05)
    raise AssertionError(f"The pages don't answer:\n{program.said}")


@pytest.fixture
def extending(app: "Flask") -> Iterator[None]:
    """Meanwhile the clock pushes every horizon forward, in a process of its own, as the sweeper does."""
    ending = Event()

    def extend() -> None:
        weeks = 0
        with app.app_context():
            while not ending.is_set():
                weeks = weeks % 8 + 1
                later = datetime.now(tz=UTC) + timedelta(weeks=weeks)
                for standing in standings.to_extend(now=later):
                    standings.extend(standing=standing, now=later)
                ending.wait(0.05)

    thread = Thread(target=extend)
    thread.start()
    yield
    ending.set()
    thread.join()


def _storm(app: "Flask", url: str, *, requests: int) -> tuple[Tally, dict[str, int]]:
    prize: Prize = set_up(app, url=url, requests=requests, now=datetime.now(tz=UTC))
    began = monotonic()
    tally = rush(prize, requests=requests, seed=SEED)
    took = monotonic() - began
    with app.app_context():
        report = doctor.examine(by=OPERATOR, now=datetime.now(tz=UTC))
    found = {one.rule: one.count for one in report.findings}
    print(f"seed {SEED}: {requests} requests, {requests / took:.0f}/s, {dict(tally.by_status)}, found {found}")
    print(dict(sorted(tally.answers.items())), file=sys.stderr)
    return tally, found


def _drop_nets(app: "Flask") -> None:
    with app.app_context(), db.engine.connect() as connection:
        for statement in NETS[db.engine.dialect.name].split(";"):
            connection.execute(text(statement))
        connection.commit()


def _doubles(found: dict[str, int]) -> int:
    return found.get("double.appointments", 0)


@pytest.fixture
def workers(app: "Flask") -> int:
    """SQLite is served by one process; on PostgreSQL two take part."""
    return 2 if str(app.config["SQLALCHEMY_DATABASE_URI"]).startswith("postgresql") else 1


def test_nobody_is_booked_twice(app: "Flask", serve: Serve, workers: int, extending: None) -> None:
    tally, found = _storm(app, serve(workers=workers), requests=CONTENDED)
    assert tally.oddities == [], "whoever loses gets 409, and nobody a fault of ours"
    assert found == {}
    assert sum(tally.by_status.values()) == CONTENDED
    assert tally.by_status[409] > CONTENDED / 10, "else there was no contention"
    assert tally.by_status[201] > CONTENDED / 50


def test_without_the_guards_somebody_is(app: "Flask", serve: Serve, workers: int) -> None:
    _drop_nets(app)
    _tally, found = _storm(app, serve(workers=workers, guards=""), requests=CONTROL)
    assert _doubles(found) >= LEAST_WITHOUT


@pytest.mark.parametrize("guards", ["look", "net"])
def test_each_guard_alone_is_enough(app: "Flask", serve: Serve, workers: int, guards: str) -> None:
    if guards == "look":
        _drop_nets(app)
    tally, found = _storm(app, serve(workers=workers, guards=guards), requests=CONTROL)
    assert tally.oddities == []
    assert found.keys() <= {"nets"}
    assert tally.by_status[409] > CONTROL / 10


# --- sixteen at one standing


def _race(app: "Flask", acts: list[Callable[[], object]]) -> list[str]:
    """All at once; what was refused, by name. Anything but a refusal fails the test."""
    start = Barrier(len(acts))

    def run(act: Callable[[], object]) -> str | None:
        with app.app_context():
            start.wait()
            try:
                act()
            except Refusal as refusal:
                return type(refusal).__name__
        return None

    with ThreadPoolExecutor(len(acts)) as threads:
        return [refused for refused in threads.map(run, acts) if refused]


def _extend(standing: str, weeks: int) -> Callable[[], object]:
    return lambda: standings.extend(standing=standing, now=NOW + timedelta(weeks=weeks))


def _edit(cast: Cast, standing: str, hours: list[appointments.Booked], number: int) -> Callable[[], object]:
    hour = hours[number]
    if number % 4 == 0:
        return lambda: appointments.cancel(
            appointment_id=hour.id, asked_by=Initiator.CLIENT, reason="work", by=cast.desk, now=NOW
        )
    if number % 4 == 1:
        to = Destination(starts=hour.starts + timedelta(hours=3), room=cast.rooms[1])
        return lambda: appointments.move(
            appointment_id=hour.id, to=to, asked_by=Initiator.CLIENT, reason="work", by=cast.desk, now=NOW
        )
    if number % 4 == 2:
        return lambda: appointments.uncancel(appointment_id=hours[24].id, by=cast.desk, now=NOW)
    return lambda: standings.change(
        standing=standing,
        since=tuesday(23).date(),
        proposal=cast.proposal(hours=(Hour(day=Weekday.TH, at=time(10)),)),
        asked_by=Initiator.CLIENT,
        reason="work",
        by=cast.desk,
        now=NOW,
    )


def test_racing_extenders_and_editors_leave_one_row_for_each_slot(app: "Flask", cast: Cast) -> None:
    agreed = cast.agree()
    hours = cast.hours()
    gone = [hours[place] for place in (23, 24, 25)]
    for hour in gone:
        appointments.cancel(appointment_id=hour.id, asked_by=Initiator.CLIENT, reason="work", by=cast.desk, now=NOW)
    editors = [_edit(cast, agreed.id, hours, number) for number in range(8)]
    extenders = [_extend(agreed.id, weeks) for weeks in (1, 2, 3, 4, 4, 4, 4, 4)]
    _race(app, [act for pair in zip(editors, extenders, strict=True) for act in pair])
    for one in standings.to_extend(now=NOW + timedelta(weeks=4)):
        standings.extend(standing=one, now=NOW + timedelta(weeks=4))
    assert doctor.examine(by=OPERATOR, now=NOW).findings == ()
    found = cast.hours(FIRST, 40)
    assert len({(one.standing, one.slot) for one in found}) == len(found) == 30
    still = {one.slot.date(): one.status for one in found if one.slot}
    week = {slot.isocalendar()[:2]: status for slot, status in still.items()}
    for hour in (gone[0], gone[2]):
        assert _cancelled(week[hour.starts.date().isocalendar()[:2]]), "no cancelled slot comes back"


def _cancelled(status: str) -> bool:
    return status in {"client_cancelled", "clinic_cancelled", "break"}


def test_two_changes_of_one_hour_at_once_agree_with_what_is_held(app: "Flask", cast: Cast) -> None:
    cast.agree()
    for week, hour in enumerate(cast.hours(FIRST, 8)):
        _race(app, [*_swaps(cast, hour), _cancel(cast, hour)] if week % 2 else _swaps(cast, hour) * 2)
    assert doctor.examine(by=OPERATOR, now=NOW).findings == ()


def _swaps(cast: Cast, hour: appointments.Booked) -> list[Callable[[], object]]:
    return [
        lambda to=to: appointments.move(  # type: ignore[misc]
            appointment_id=hour.id, to=to, asked_by=Initiator.CLIENT, reason="work", by=cast.desk, now=NOW
        )
        for to in (Destination(room=cast.rooms[1]), Destination(starts=hour.starts + timedelta(hours=2)))
    ]


def _cancel(cast: Cast, hour: appointments.Booked) -> Callable[[], object]:
    return lambda: appointments.cancel(
        appointment_id=hour.id, asked_by=Initiator.CLIENT, reason="work", by=cast.desk, now=NOW
    )


@pytest.fixture
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: changes of one course do not take turns."""
    monkeypatch.setattr(steps, "take_turn", lambda *_: None)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_where_nobody_waits_two_changes_of_one_hour_contradict(app: "Flask", cast: Cast, nobody_waits: None) -> None:
    """On SQLite the transaction itself is the turn, so only PostgreSQL can show it."""
    cast.agree()
    for hour in cast.hours(FIRST, 12):
        _race(app, _swaps(cast, hour) * 3)
    findings = doctor.examine(by=OPERATOR, now=NOW).findings
    assert {one.rule for one in findings} & {"occupancies.missing", "occupancies.stray"}
