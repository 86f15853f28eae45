"""Three engines list exactly what the database holds: beginning, end and summary of each hour and leave, and no other.

recurring-ical-events, ical.js (Thunderbird's) and libical (Evolution's), each fed through the feed's own address. Every
therapist's, room's and site's feed of the demo clinic, and hard ones: 31 shapes in twelve zones, each read in the feeds
of the therapists, the room, the client and the site. `make test` has each shape in one or two of the zones, half of
them on PostgreSQL; `make calendars` has all 372, on both databases.
"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from service.commands.demo_clinic import invent
from service.domain.access import OPERATOR
from service.usecases import demo, people
from tests.feeds.engines import Engine, Listing, Window, engines, shipped_zones
from tests.feeds.hard_clinic import (
    NOW,
    SHAPES,
    WINDOW,
    ZONES,
    Shape,
    Whose,
    clinic,
    everything_of,
    held,
    subscribed,
    therapists_of,
)

if TYPE_CHECKING:
    from flask import Flask

IS_FULL = os.environ.get("STORM") == "full"
EVERY = 1 if IS_FULL else 7
ENGINES = ("sqlite", "postgresql")


@pytest.fixture(autouse=True)
def _shipped() -> Iterator[None]:
    with shipped_zones():
        yield


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest) -> str:
    """Where `make test` is short, each test takes one of the two databases in turn."""
    url: str = request.getfixturevalue({"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param])
    return url


def in_turn() -> list[object]:
    """Zone and database: every pair in the full form, each zone once in the short one."""
    pairs = [
        (zone, engine)
        for number, zone in enumerate(ZONES)
        for engine in (ENGINES if IS_FULL else [ENGINES[number % 2]])
    ]
    return [pytest.param(zone, engine, id=f"{zone}-{engine}") for zone, engine in pairs]


def shapes_in(zone: str) -> tuple[Shape, ...]:
    return SHAPES[ZONES.index(zone) % EVERY :: EVERY]


def differences(shown: Listing, is_held: Listing) -> list[str]:
    """Said for a person; none where they are the same, each as often."""
    extra, missing = Counter(shown) - Counter(is_held), Counter(is_held) - Counter(shown)
    return [
        *(f"shown and not held: {one}" for one in sorted(extra.elements())),
        *(f"held and not shown: {one}" for one in sorted(missing.elements())),
    ]


def compare(app: "Flask", everybody: Mapping[str, Whose], window: Window) -> int:
    """Ask each engine what everybody's feed shows; how many hours all three list as the database holds them."""
    with app.app_context():
        secrets = subscribed(everybody)
        is_held = {name: held(whose, window) for name, whose in everybody.items()}
    program = app.test_client(use_cookies=False)
    bodies = {name: program.get(f"/feeds/{secret}.ics").data for name, secret in secrets.items()}
    wrong = [
        f"{engine}, {name}: {each}"
        for engine, listed in engines().items()
        for name, shown in listed(bodies, window).items()
        for each in differences(shown, is_held[name])
    ]
    assert not wrong, "\n".join(wrong)
    return sum(map(len, is_held.values()))


@pytest.mark.parametrize(("zone", "database_url"), in_turn(), indirect=["database_url"])
def test_three_engines_list_what_the_database_holds(app: "Flask", monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    with app.app_context():
        cases = clinic(zone, shapes_in(zone))
    now = max(case.now for case in cases)
    monkeypatch.setattr("service.clock.now", lambda: now)
    assert compare(app, everything_of(cases), WINDOW) > 100 * len(cases)


@pytest.mark.parametrize("database_url", ENGINES if IS_FULL else ["sqlite"], indirect=True)
def test_so_they_do_for_everybody_in_the_demo_clinic(app: "Flask", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.clock.now", lambda: NOW)
    with app.app_context():
        weeks = 40 if IS_FULL else 14
        invented = invent(therapists=12, weeks=weeks, seed=1, horizon=timedelta(weeks=26), now=NOW)
        demo.fill(clinic=invented, by=OPERATOR, now=NOW)
        everybody = {one.name: Whose(shows="therapist", id=one.id) for one in people.therapists(by=OPERATOR)}
        everybody |= {f"room {one.name}": Whose(shows="room", id=one.id) for one in people.rooms(by=OPERATOR)}
        everybody |= {one.name: Whose(shows="site", id=one.id) for one in people.sites(by=OPERATOR)}
    window = Window(since=NOW - timedelta(days=88), until=NOW + timedelta(weeks=25))
    assert len(everybody) > 20
    assert compare(app, everybody, window) > 15_000


# --- controls: the comparison sees what it is to see


def listings(engine: Engine, app: "Flask", *, spoil: tuple[bytes, bytes]) -> tuple[Listing, Listing]:
    """What an engine lists of one feed, as it is and with something in it replaced."""
    with app.app_context():
        (case,) = clinic("Europe/Dublin", (SHAPES[0],))
        (secret,) = subscribed(therapists_of([case])).values()
    body = app.test_client().get(f"/feeds/{secret}.ics").data
    spoilt = body.replace(*spoil, 1)
    assert spoilt != body
    found = engine({"good": body, "spoilt": spoilt}, WINDOW)
    return found["good"], found["spoilt"]


@pytest.mark.parametrize("engine", ["recurring-ical-events", "ical.js", "libical"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_control_each_engine_shows_a_single_wrong_hour(
    app: "Flask", monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    monkeypatch.setattr("service.clock.now", lambda: NOW)
    rule = b"RRULE:FREQ=WEEKLY"
    left_out = rule, b"EXDATE;TZID=Europe/Dublin:20260331T100000\r\n" + rule
    good, spoilt = listings(engines()[engine], app, spoil=left_out)
    assert [each.split(",")[0] for each in differences(spoilt, good)] == ["held and not shown: ('2026-03-31T09:00:00Z'"]


@pytest.mark.parametrize("engine", ["ical.js", "libical"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_control_two_engines_know_the_zone_from_the_feed_alone(
    app: "Flask", monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    """Summer time an hour off in the feed's own description is an hour off in what they show."""
    monkeypatch.setattr("service.clock.now", lambda: NOW)
    good, spoilt = listings(engines()[engine], app, spoil=(b"TZOFFSETTO:+0100", b"TZOFFSETTO:+0200"))
    assert len(differences(spoilt, good)) > 40
