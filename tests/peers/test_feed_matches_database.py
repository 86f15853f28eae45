"""Another engine reads the feed over HTTP and sees the hours that the database holds: each one, and no other.

Whatever is done to a course, and in whatever order. And for a program that keeps what it has by number and time of
change, neither ever goes down, and what is said otherwise than before has a higher number.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
import recurring_ical_events
from icalendar import Calendar
from sqlalchemy import literal, select

from service.domain.absences import AbsenceKind
from service.domain.access import OPERATOR
from service.domain.appointment import CANCELLED, Initiator
from service.domain.course import Ending
from service.domain.hours import Hour, LocalTime, Weekday, instant, midnight
from service.domain.refusals import Refusal
from service.store.base import db
from service.store.feeds import FeedRow
from service.usecases import absences, appointments, clients, courses, feeds, standings
from tests.feeds.practice import HORIZON, NAMES, NOW, ZONE, Practice, practice

if TYPE_CHECKING:
    from flask import Flask

Seen = tuple[datetime, datetime, str, str]
"""Beginning and end in UTC, summary, location."""
Subject = tuple[str, str]
"""A kind of calendar, and the public id of whose it is."""
Key = tuple[str, str]
"""UID and RECURRENCE-ID."""
FIRST = NOW.date() - timedelta(weeks=4)
AFTER = NOW.date() + HORIZON - timedelta(weeks=1)


class Subscriber:
    """A calendar program that keeps what it was told, and complains where a number or time goes down."""

    def __init__(self, app: "Flask", secret: str) -> None:
        self.client, self.secret = app.test_client(use_cookies=False), secret
        self.highest: dict[Key, tuple[int, datetime]] = {}
        self.said: dict[Key, str] = {}
        self.calendar = Calendar()

    def fetch(self) -> None:
        answer = self.client.get(f"/feeds/{self.secret}.ics")
        assert answer.status_code == 200, answer.text
        self.calendar = Calendar.from_ical(answer.data)
        said = {_key(event): event for event in self.calendar.events}
        for key, event in said.items():
            self._keep(key, event)
        self._expect_series_to_rise_where_an_hour_went_back(said)
        self.said = {key: _content(event) for key, event in said.items()}

    def hours(self) -> list[Seen]:
        found = recurring_ical_events.of(self.calendar).between(FIRST, AFTER)
        return sorted(
            (
                event.start.astimezone(UTC),
                event.end.astimezone(UTC),
                str(event["SUMMARY"]),
                str(event.get("LOCATION", "")),
            )
            for event in found
            if isinstance(event.start, datetime) and event["STATUS"] != "CANCELLED"
        )

    def whole_days(self) -> list[tuple[str, str, str]]:
        days = [event for event in self.calendar.events if not isinstance(event.start, datetime)]
        return sorted((str(event.start), str(event.end), str(event["SUMMARY"])) for event in days)

    def _keep(self, key: Key, event: Any) -> None:
        new = int(event["SEQUENCE"]), event["LAST-MODIFIED"].dt
        sequence, changed_at = self.highest.get(key, (-1, new[1]))
        assert new[0] >= sequence and new[1] >= changed_at, f"{key} went down"
        if key in self.said and self.said[key] != _content(event):
            assert new[0] > sequence, f"{key} changed, and not its number"
        self.highest[key] = new

    def _expect_series_to_rise_where_an_hour_went_back(self, said: dict[Key, Any]) -> None:
        for uid, slot in self.said.keys() - said.keys():
            if slot and (uid, "") in said:
                assert said[uid, ""]["LAST-MODIFIED"].dt == self.highest[uid, ""][1]
                assert int(said[uid, ""]["SEQUENCE"]) > self.sequences.get(uid, -1)
        self.sequences = {uid: int(event["SEQUENCE"]) for (uid, slot), event in said.items() if not slot}

    sequences: dict[str, int] = {}  # noqa: RUF012  replaced, never changed


def _key(event: Any) -> Key:
    return str(event["UID"]), event["RECURRENCE-ID"].to_ical().decode() if "RECURRENCE-ID" in event else ""


def _content(event: Any) -> str:
    aside = ("DTSTAMP", "LAST-MODIFIED", "SEQUENCE")
    return "\n".join(line for line in event.to_ical().decode().splitlines() if not line.startswith(aside))


def held(subject: Subject) -> list[Seen]:
    """What the database holds, as a person would read it off the board."""
    rows = appointments.board(since=FIRST, until=AFTER, by=OPERATOR)
    return sorted(
        (
            one.starts_at,
            one.starts_at + timedelta(minutes=one.minutes),
            called(one, subject),
            f"{one.room_name}, Quay" if one.room_name else "Video",
        )
        for one in rows
        if one.status not in CANCELLED and belongs(one, subject)
    )


def belongs(one: appointments.Booked, subject: Subject) -> bool:
    kind, whose = subject
    if kind == "client":
        return whose in one.clients
    return kind == "site" or whose == (one.therapist if kind == "therapist" else one.room)


def called(one: appointments.Booked, subject: Subject) -> str:
    if subject[0] == "client":
        return f"Appointment with {one.therapist_name}"
    return one.initials if subject[0] == "therapist" else f"{one.therapist_name}: {one.initials}"


class World:
    """The practice, its clock, and a subscriber for the calendar of each therapist, room, site and client."""

    def __init__(self, app: "Flask", here: Practice, pass_time: Callable[[], datetime]) -> None:
        self.here, self.pass_time = here, pass_time
        feeds.let_clients_have_one(is_on=True, by=OPERATOR, now=NOW)
        subjects = [
            *(("therapist", one) for one in here.therapists),
            *(("room", one) for one in here.rooms),
            ("site", here.site),
            *(("client", one) for one in here.clients),
        ]
        self.subscribers = {
            (kind, whose): Subscriber(
                app,
                here.subscribe(
                    **{"therapist": None, kind: whose}, shows_cancelled=whose in {here.therapists[0], here.site}
                ).secret,
            )
            for kind, whose in subjects
        }
        self.compare()

    def compare(self) -> None:
        for subject, subscriber in self.subscribers.items():
            subscriber.fetch()
            assert subscriber.hours() == held(subject), subject

    def does(self, what: Callable[[datetime], object]) -> None:
        what(self.pass_time())
        self.compare()

    @property
    def of_a(self) -> Subscriber:
        return self.subscribers["therapist", self.here.therapists[0]]


@pytest.fixture
def world(app: "Flask", monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    moments = [NOW]

    def pass_time() -> datetime:
        moments.append(moments[-1] + timedelta(minutes=1))
        return moments[-1]

    monkeypatch.setattr("service.clock.now", lambda: moments[-1])
    with app.app_context():
        yield World(app, practice(), pass_time)


def test_the_feed_follows_the_database_through_the_life_of_a_course(world: World) -> None:
    here = world.here
    a, b = here.therapists
    world.does(lambda now: here.move(0, 2, starts=here.slot(0, 2) + timedelta(hours=4), now=now))
    world.does(lambda now: here.move(0, 3, starts=here.slot(0, 3) + timedelta(days=8), now=now))  # past its neighbour
    world.does(lambda now: here.move(0, 2, starts=here.slot(0, 2), now=now))  # back where it was
    world.does(lambda now: here.cancel(1, 1, now=now))
    world.does(lambda now: here.uncancel(1, 1, now=now))
    world.does(lambda now: here.cancel(0, 3, now=now))  # which stood alone
    world.does(lambda now: here.uncancel(0, 3, now=now))
    world.does(lambda now: here.move(1, 4, therapist=b, room=here.rooms[1], now=now))  # covered
    world.does(lambda now: here.cancel(1, 4, now=now))
    world.does(lambda now: here.uncancel(1, 4, now=now))
    world.does(lambda now: here.move(1, 4, therapist=a, room=here.rooms[0], now=now))
    world.does(lambda now: here.book(2, here.slot(2, 1) + timedelta(days=1, hours=2), now=now))
    world.does(lambda now: pause(here, 2, weeks=3, now=now))
    world.does(lambda now: resume(here, 2, weeks=4, now=now))
    world.does(lambda now: leave(here, weeks=6, now=now))
    world.does(lambda now: split(here, 0, weeks=5, hour=Hour(day=Weekday.WE, at=datetime(1, 1, 1, 9).time()), now=now))
    world.does(lambda now: here.move(1, 9, therapist=b, room=here.rooms[1], now=now))  # covered, and no more
    world.does(lambda now: end(here, 1, weeks=8, now=now))
    world.does(lambda now: end_course(here, 2, weeks=9, now=now))
    assert len(world.of_a.hours()) > 15


def pause(here: Practice, client: int, *, weeks: int, now: datetime) -> None:
    since = (NOW + timedelta(weeks=weeks)).date()
    until = since + timedelta(weeks=2)
    courses.pause(course=here.agreed[client].course, since=since, until=until, keeps_hour=True, by=OPERATOR, now=now)


def resume(here: Practice, client: int, *, weeks: int, now: datetime) -> None:
    on = (NOW + timedelta(weeks=weeks)).date()
    courses.resume(course=here.agreed[client].course, on=on, by=OPERATOR, now=now)


def leave(here: Practice, *, weeks: int, now: datetime) -> None:
    """A week away, and its hours let go."""
    since = midnight((NOW + timedelta(weeks=weeks)).date())
    added = absences.add(
        kind=AbsenceKind.LEAVE,
        since=since,
        until=since + timedelta(days=7),
        therapist=here.therapists[0],
        name="Summer",
        by=OPERATOR,
        now=now,
    )
    absences.release(absence=added, by=OPERATOR, now=now)


def split(here: Practice, client: int, *, weeks: int, hour: Hour, now: datetime, therapist: int = 0) -> None:
    """From that week on at another hour."""
    [current] = [
        one for one in standings.of_course(course=here.agreed[client].course, by=OPERATOR) if one.until is None
    ]
    since = (NOW + timedelta(weeks=weeks)).date()
    room, whose = here.rooms[therapist], here.therapists[therapist]
    standings.change(
        standing=current.id,
        since=since,
        proposal=here.proposal(client, since, hours=(hour,), therapist=whose, room=room),
        asked_by=Initiator.CLIENT,
        reason="work",
        horizon=HORIZON,
        by=OPERATOR,
        now=now,
    )


def end(here: Practice, client: int, *, weeks: int, now: datetime) -> None:
    on = (NOW + timedelta(weeks=weeks)).date()
    standings.end(standing=here.agreed[client].id, on=on, reason="moved away", by=OPERATOR, now=now)


def end_course(here: Practice, client: int, *, weeks: int, now: datetime) -> None:
    on = (NOW + timedelta(weeks=weeks)).date()
    courses.end(course=here.agreed[client].course, on=on, ending=Ending.PLANNED, by=OPERATOR, now=now)


@pytest.mark.parametrize("seed", [1, 2])
def test_no_number_goes_down_whatever_is_done_in_whatever_order(world: World, seed: int) -> None:
    dice, done = Random(seed), 0
    for _ in range(40):
        step = _step(world.here, dice)
        try:
            world.does(step)
            done += 1
        except Refusal:
            continue  # taken, or not possible as things stand: the next one
    assert done >= 12


def _step(here: Practice, dice: Random) -> Callable[[datetime], object]:
    client, weeks = dice.randrange(3), dice.randrange(1, 10)
    near: LocalTime = here.slot(client, weeks) + timedelta(
        days=dice.choice([-8, -7, -1, 0, 0, 1, 7, 8]), hours=dice.choice([-1, 0, 1, 3])
    )
    whose = dice.randrange(2)
    steps: list[Callable[[datetime], object]] = [
        lambda now: here.move(client, weeks, starts=near, now=now),
        lambda now: here.move(client, weeks, starts=here.slot(client, weeks), now=now),
        lambda now: here.move(client, weeks, therapist=here.therapists[whose], room=here.rooms[whose], now=now),
        lambda now: here.move(client, weeks, minutes=dice.choice([30, 50, 80]), now=now),
        lambda now: here.cancel(client, weeks, now=now, by=dice.choice([Initiator.CLIENT, Initiator.CLINIC])),
        lambda now: here.uncancel(client, weeks, now=now),
        lambda now: here.book(client, near, therapist=whose, now=now),
        lambda now: split(
            here, client, weeks=weeks, hour=Hour(day=Weekday.of(near), at=near.time()), now=now, therapist=whose
        ),
    ]
    return dice.choices(steps, weights=[4, 2, 3, 2, 3, 3, 1, 1])[0]


def test_control_a_room_whose_changes_nobody_counts_goes_stale(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.store.calendars._RAISE_ROOM", select(literal(None)))
    with pytest.raises(AssertionError, match="room"):
        world.does(lambda now: world.here.cancel(0, 1, now=now))


def test_leave_is_shown_as_whole_days(world: World) -> None:
    world.does(lambda now: leave(world.here, weeks=6, now=now))
    since = (NOW + timedelta(weeks=6)).date()
    assert world.of_a.whole_days() == [(str(since), str(since + timedelta(days=7)), "Summer")]


def test_leave_beyond_the_horizon_takes_its_hours_out_of_the_open_ended_series(world: World) -> None:
    """Those slots have no rows yet; the extender will make them breaks, and the feed says so already."""
    here, far = world.here, NOW.date() + HORIZON + timedelta(weeks=6)
    world.does(
        lambda now: absences.add(
            kind=AbsenceKind.LEAVE,
            since=midnight(far),
            until=midnight(far) + timedelta(days=7),
            therapist=here.therapists[0],
            by=OPERATOR,
            now=now,
        )
    )
    found = recurring_ical_events.of(world.of_a.calendar)
    week = timedelta(days=7)
    timed = [
        [event for event in found.between(since, since + week) if isinstance(event.start, datetime)]
        for since in (far - week, far, far + week)
    ]
    assert [len(events) for events in timed] == [3, 0, 3]


def test_a_pause_beyond_the_horizon_does_so_too_and_gives_them_back(world: World) -> None:
    def in_that_week() -> int:
        week = timedelta(weeks=1)
        since = NOW.date() + HORIZON + week
        return len(recurring_ical_events.of(world.of_a.calendar).between(since, since + week))

    world.does(lambda now: pause(world.here, 2, weeks=13, now=now))
    assert in_that_week() == 2
    world.does(lambda now: resume(world.here, 2, weeks=13, now=now))
    assert in_that_week() == 3


def test_cancelled_hours_are_marked_where_the_feed_shows_them_and_absent_where_not(world: World) -> None:
    here = world.here
    hidden = Subscriber(world.of_a.client.application, here.subscribe(name="Other phone").secret)  # type: ignore[arg-type]
    world.does(lambda now: here.cancel(1, 2, now=now))
    hidden.fetch()
    starts = instant(here.slot(1, 2), ZONE)
    marked = [event for event in world.of_a.calendar.events if event["STATUS"] == "CANCELLED"]
    assert [(event.start.astimezone(UTC), str(event["SUMMARY"])) for event in marked] == [(starts, "Cancelled: CT")]
    assert marked[0]["TRANSP"] == "TRANSPARENT"
    assert not [event for event in hidden.calendar.events if event["STATUS"] == "CANCELLED"]
    assert starts not in [seen[0] for seen in hidden.hours()]


def test_a_client_who_is_called_otherwise_is_so_in_the_feed(world: World) -> None:
    here = world.here
    world.does(lambda now: clients.change(client=here.clients[0], name="Zed Quux", by=OPERATOR, now=now))
    assert "ZQ" in {seen[2] for seen in world.of_a.hours()}
    assert "Therapist A: ZQ" in {seen[2] for seen in world.subscribers["room", here.rooms[0]].hours()}


def test_by_default_no_client_is_named_in_what_is_stored_either(world: World) -> None:
    """The canary: names that are planted are found in no default feed, whatever happened to the hours."""
    world.does(lambda now: world.here.cancel(0, 1, now=now))
    stored = b"".join(row.body or b"" for row in db.session.query(FeedRow))
    assert b"BEGIN:VEVENT" in stored
    assert not [name for name in NAMES if name.encode() in stored]
