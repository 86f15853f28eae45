"""What a program that synchronises goes by: UID, SEQUENCE, DTSTAMP and LAST-MODIFIED, through many changes at random.

An *object* is all events of one UID, a series with its exceptions. An object that says what it said before is the same
bytes; one that says something else has a higher number and a later time; and neither ever goes down, also where the
object was gone meanwhile.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from icalendar import Calendar

from service.domain.access import OPERATOR
from service.domain.appointment import Initiator
from service.domain.feed import uid_of_slot
from service.domain.hours import Hour, LocalTime, Weekday
from service.usecases import appointments
from tests.feeds.hard_clinic import NOW, Case, any_change, clinic, open_ended, subscribed, therapists_of

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

IS_FULL = os.environ.get("STORM") == "full"
SEEDS = range(20) if IS_FULL else range(2)
STEPS = 60 if IS_FULL else 30


@dataclass(frozen=True, kw_only=True)
class Object:
    """All events of one UID."""

    content: str
    """Everything but number and times."""
    written: bytes
    sequence: int
    """The highest of its events'."""
    changed_at: datetime
    exceptions: frozenset[str]
    """RECURRENCE-IDs."""


def objects(body: bytes) -> dict[str, Object]:
    by_uid: dict[str, list[Any]] = {}
    found: list[Any] = Calendar.from_ical(body).walk("VEVENT")
    for event in found:
        assert event["DTSTAMP"].dt == event["LAST-MODIFIED"].dt
        by_uid.setdefault(str(event["UID"]), []).append(event)
    return {uid: _object(events) for uid, events in by_uid.items()}


def _object(events: list[Any]) -> Object:
    written = [event.to_ical() for event in events]
    stamps = (b"DTSTAMP", b"LAST-MODIFIED", b"SEQUENCE")
    said = [line for one in written for line in one.splitlines() if not line.startswith(stamps)]
    return Object(
        content=b"\n".join(said).decode(),
        written=b"".join(written),
        sequence=max(int(event["SEQUENCE"]) for event in events),
        changed_at=max(event["LAST-MODIFIED"].dt for event in events),
        exceptions=frozenset(event["RECURRENCE-ID"].to_ical().decode() for event in events if "RECURRENCE-ID" in event),
    )


class Program:
    """It keeps what it was told, and compares."""

    def __init__(self, client: "FlaskClient", secret: str) -> None:
        self.client, self.secret = client, secret
        self.known: dict[str, Object] = {}
        self.highest: dict[str, tuple[int, datetime]] = {}
        """Also of objects that are gone."""
        self.rose = self.same = 0

    def look(self, now: datetime) -> None:
        answer = self.client.get(f"/feeds/{self.secret}.ics")
        assert answer.status_code == 200, answer.text
        found = objects(answer.data)
        for uid, one in found.items():
            self._compare(uid, one)
            assert one.changed_at <= now.replace(microsecond=0)
            self.highest[uid] = one.sequence, one.changed_at
        self.known = found

    def _compare(self, uid: str, one: Object) -> None:
        before, (sequence, changed_at) = self.known.get(uid), self.highest.get(uid, (-1, NOW - timedelta(days=999)))
        if before is not None and before.content == one.content:
            self.same += 1
            assert one.written == before.written, "it says what it said, and is numbered otherwise"
        elif before is not None:
            self.rose += 1
            assert one.sequence > sequence, "changed, and not its number"
            assert one.changed_at > changed_at, "changed, and not its time"
        assert one.sequence >= sequence and one.changed_at >= changed_at, "it went down"


class World:
    """One course, and a program for each therapist who holds hours of it."""

    def __init__(self, app: "Flask", tell: Callable[[datetime], None], *, seed: int = 0) -> None:
        (self.case,) = clinic("Europe/Berlin", (open_ended,))
        self.case.dice.seed(seed)
        self.case.cover(self.case.slots()[-3])
        self.tell = tell
        clients = (app.test_client(use_cookies=False) for _ in range(2))
        secrets = subscribed(therapists_of([self.case])).values()
        self.own, self.others = (Program(client, secret) for client, secret in zip(clients, secrets, strict=True))
        self.look()

    def look(self) -> None:
        self.tell(self.case.now)
        for program in (self.own, self.others):
            program.look(self.case.now)

    def does(self, change: Callable[[], object]) -> None:
        self.case.now += timedelta(minutes=1)
        change()
        self.look()

    def series(self) -> str:
        """UID of the open-ended one."""
        [uid] = [uid for uid, one in self.own.known.items() if "RRULE" in one.content and "UNTIL" not in one.content]
        return uid


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """SQLite, where a test does not name another."""
    engine = getattr(request, "param", "sqlite")
    url: str = request.getfixturevalue({"sqlite": "sqlite_url", "postgresql": "postgres_url"}[engine])
    return url


Begin = Callable[..., World]


@pytest.fixture
def begin(app: "Flask", monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    def tell(now: datetime) -> None:
        monkeypatch.setattr("service.clock.now", lambda: now)

    with app.app_context():
        yield lambda **more: World(app, tell, **more)


ENGINES = ("sqlite", "postgresql")
DRAWN = [pytest.param(ENGINES[seed % 2], seed, id=f"{ENGINES[seed % 2]}-{seed}") for seed in SEEDS]


@pytest.mark.parametrize(("database_url", "seed"), DRAWN, indirect=["database_url"])
def test_what_is_unchanged_is_the_same_bytes_and_what_changed_rises(begin: Begin, seed: int) -> None:
    world, done = begin(seed=seed), 0
    for _ in range(STEPS):
        world.case.now += timedelta(minutes=1)
        done += any_change(world.case)
        world.look()
    assert done > STEPS / 3
    assert world.own.rose > STEPS / 4 and world.own.same > STEPS


# --- UID


def test_an_hour_keeps_its_uid_through_moves_and_in_another_therapists_feed(begin: Begin) -> None:
    world = begin()
    case, uid = world.case, world.series()
    slot = case.slots()[6]

    world.does(lambda: case.move(slot, slot + timedelta(days=1)))
    assert f"{slot:%Y%m%dT%H%M%S}" in world.own.known[uid].exceptions
    world.does(lambda: case.move(slot, slot + timedelta(days=9)))  # past its neighbour, out of the series
    alone = uid_of_slot(uid, slot)
    assert alone in world.own.known
    world.does(lambda: case.cover(slot))
    assert alone in world.others.known and alone not in world.own.known
    world.does(lambda: case.cover(slot, slot + timedelta(hours=3)))
    assert alone in world.others.known
    world.does(lambda: case.move(slot, slot, therapist=case.therapist))
    assert alone not in world.others.known and world.series() == uid


def test_an_ad_hoc_hour_keeps_its_uid_through_moves_and_in_another_therapists_feed(begin: Begin) -> None:
    world = begin()
    case, before = world.case, set(world.own.known)
    starts = case.slots()[4] + timedelta(hours=5)

    world.does(lambda: case.book(starts))
    [uid] = set(world.own.known) - before
    hour = appointment_at(starts)
    world.does(lambda: move(hour, case, starts=starts + timedelta(days=2)))
    assert uid in world.own.known
    world.does(lambda: move(hour, case, therapist=case.other))
    assert uid in world.others.known and uid not in world.own.known
    sequence = world.others.known[uid].sequence
    world.does(lambda: move(hour, case, therapist=case.therapist, starts=starts))
    assert world.own.known[uid].sequence > sequence


def appointment_at(starts: LocalTime) -> str:
    board = appointments.board(since=starts.date(), until=starts.date() + timedelta(days=1), by=OPERATOR)
    [found] = [one.id for one in board if one.starts == starts]
    return found


def move(appointment: str, case: Case, **to: Any) -> None:
    appointments.move(
        appointment_id=appointment,
        to=appointments.Destination(**to),
        asked_by=Initiator.CLIENT,
        reason="work",
        override="agreed so",
        by=OPERATOR,
        now=case.tick(),
    )


# --- what must rise


@pytest.mark.parametrize("undo", ["moved back", "taken up"])
def test_taking_an_exception_back_raises_the_series_own(begin: Begin, undo: str) -> None:
    """Else ICSx5 on Android keeps the moved hour."""
    world = begin()
    case, slot, uid = world.case, world.case.slots()[6], world.series()
    untouched = world.own.known[uid]
    if undo == "moved back":
        world.does(lambda: case.move(slot, slot + timedelta(days=1)))
        changed = world.own.known[uid]
        world.does(lambda: case.move(slot, slot))
    else:
        world.does(lambda: case.cancel(slot))
        changed = world.own.known[uid]
        world.does(lambda: case.uncancel(slot))
    back = world.own.known[uid]
    assert back.content == untouched.content != changed.content
    assert untouched.sequence < changed.sequence < back.sequence
    assert untouched.changed_at < changed.changed_at < back.changed_at == case.now.replace(microsecond=0)


def test_a_split_ends_one_object_begins_another_and_touches_no_third(begin: Begin) -> None:
    world = begin()
    case, uid = world.case, world.series()
    slots = case.slots()
    world.does(lambda: case.book(slots[3] + timedelta(hours=4)))
    world.does(lambda: case.move(slots[5], slots[5] + timedelta(days=1)))
    before = world.own.known

    world.does(lambda: case.change(slots[12].date(), (Hour(day=Weekday.TH, at=time(9)),)))
    after, new = world.own.known, world.series()
    assert new not in before and after.keys() == before.keys() | {new}
    assert "UNTIL" in after[uid].content and after[uid].sequence > before[uid].sequence
    assert after[uid].exceptions == before[uid].exceptions
    assert all(after[one].written == before[one].written for one in before if one != uid)


def test_an_end_raises_its_object_alone(begin: Begin) -> None:
    world = begin()
    case, uid = world.case, world.series()
    slots = case.slots()
    world.does(lambda: case.book(slots[3] + timedelta(hours=4)))
    before = world.own.known
    world.does(lambda: case.end(slots[10].date()))
    after = world.own.known
    assert after.keys() == before.keys()
    assert [one for one in after if after[one].written != before[one].written] == [uid]
    assert "UNTIL" in after[uid].content


# --- control


def test_control_with_each_standing_numbered_as_a_whole_what_stands_beside_it_would_look_changed(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = begin()
    one, other = world.case.slots()[6:8]
    world.does(lambda: world.case.move(one, one + timedelta(days=9)))
    monkeypatch.setattr("service.feeds.publishing.with_known_numbers", lambda piece, _before: piece)
    with pytest.raises(AssertionError, match="numbered otherwise"):
        world.does(lambda: world.case.cancel(other))
