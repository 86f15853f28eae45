"""From an address that a therapist pasted to the times on the board: real HTTP, the real relay, the real sweeper."""

import gzip
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

import pytest
import structlog

from service.domain.hours import local_time
from service.domain.outside import FAULTS
from service.usecases import outbox, outside
from service.usecases.outside import Errand
from tests.alarms import ZONE, AlarmClinic
from tests.files.test_ics_book import calendar
from tests.servers import Program
from tests.workers.calendars import Keeper, keeper
from tests.workers.conftest import now
from tests.workers.test_programs import until
from workers import outside_fetching
from workers.outside_fetching import LARGEST, Failed, Fetched, Same, asker
from workers.reaching import Guard
from workers.relay import carry
from workers.sweeper import Sweeper

if TYPE_CHECKING:
    from workers.house import House

PUBLIC_URL = "https://clinic.example"


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    return {**environment, "SAMEHOUR_CALENDARS_FROM_OWN_NETWORK": "yes"}


@pytest.fixture
def elsewhere() -> Iterator[Keeper]:
    with keeper() as found:
        yield found


def at_ten(days: int = 1, name: str = "Dentist") -> tuple[datetime, bytes]:
    """Ten o'clock in so many days on the clinic's wall, and a calendar in which one is busy then for an hour."""
    start = local_time(now(), ZONE).replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=days)
    event = f"BEGIN:VEVENT\nUID:1\nSUMMARY:{name}\nDTSTART;TZID={ZONE}:{start:%Y%m%dT%H%M%S}\nDURATION:PT1H\nEND:VEVENT"
    return start, calendar(event)


def add(clinic: AlarmClinic, url: str) -> str:
    return outside.create(name="Home", url=url, public_url=PUBLIC_URL, own_network=True, by=clinic.as_ada, now=now())


def view(clinic: AlarmClinic) -> outside.Calendar:
    [one] = outside.listed(by=clinic.as_ada, now=now())
    return one


def starts(clinic: AlarmClinic) -> list[datetime]:
    today = local_time(now(), ZONE)
    found = outside.elsewhere(
        since=today - timedelta(days=3), until=today + timedelta(days=90), zone=ZONE, by=clinic.desk
    )
    return [one.since for one in found]


def carry_calendar(house: "House") -> None:
    """What is due is read, as a worker does."""
    [message] = outbox.due(now=now())
    carry(house, message)


def read_again(house: "House", clinic: AlarmClinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.usecases.outside.SOONEST", timedelta(0))
    outside.read_now(calendar=view(clinic).id, by=clinic.as_ada, now=now())
    carry_calendar(house)


# --- the whole way --------------------------------------------------------------------------------------------------


class TestWithBell:
    """The worker as a program of its own, woken by a real Redis."""

    @pytest.fixture
    def environment(self, environment: dict[str, str], redis_url: str) -> dict[str, str]:
        return {**environment, "SAMEHOUR_REDIS_URL": redis_url}

    def test_it_is_read_in_a_moment(
        self,
        clinic: AlarmClinic,
        environment: dict[str, str],
        elsewhere: Keeper,
        start_program: Callable[..., Program],
    ) -> None:
        worker = start_program("workers", "work", env=environment)
        start, body = at_ten()
        add(clinic, elsewhere.says("/secret-a1b2.ics", body))
        until(lambda: view(clinic).read_at is not None)
        assert starts(clinic) == [start]
        assert "a1b2" not in worker.log.read_text()


def test_a_sweeper_alone_reads_too(clinic: AlarmClinic, house: "House", elsewhere: Keeper) -> None:
    start, body = at_ten()
    add(clinic, elsewhere.says("/home.ics", body))
    Sweeper(house).sweep()
    assert starts(clinic) == [start]
    Sweeper(house).sweep()
    assert len(elsewhere.asked) == 1, "it is not due again for half an hour"


def test_it_is_asked_whether_anything_changed(
    clinic: AlarmClinic, house: "House", elsewhere: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, body = at_ten()
    add(clinic, elsewhere.says("/home.ics", body, ETag='"1"', Last_Modified="Tue, 24 Nov 2026 10:00:00 GMT"))
    carry_calendar(house)
    read_again(house, clinic, monkeypatch)
    first, second = elsewhere.asked
    assert "if-none-match" not in first.headers
    assert second.headers["if-none-match"] == '"1"'
    assert second.headers["if-modified-since"] == "Tue, 24 Nov 2026 10:00:00 GMT"
    assert (starts(clinic), view(clinic).fault) == ([start], None)
    other, changed = at_ten(2)
    elsewhere.says("/home.ics", changed, ETag='"2"')
    read_again(house, clinic, monkeypatch)
    assert starts(clinic) == [other]


def test_trouble_never_empties_it(
    clinic: AlarmClinic, house: "House", elsewhere: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, body = at_ten()
    url = elsewhere.says("/home.ics", body)
    add(clinic, url)
    carry_calendar(house)
    for said, status, fault in (
        (b"<!doctype html><title>Sign in</title>", 200, "not_calendar"),
        (body[:-27], 200, "cut_short"),
        (b"", 200, "not_calendar"),
        (body.replace(b"END:VEVENT", b"END:VTODO"), 200, "damaged"),
        (body, 500, "refused"),
        (b"", 204, "refused"),
        (b"", 304, "http"),
        (body, 401, "not_allowed"),
        (body, 404, "gone"),
        (body, 429, "busy"),
        (b"x" * (LARGEST + 1), 200, "too_large"),
    ):
        elsewhere.says("/home.ics", said, status)
        read_again(house, clinic, monkeypatch)
        assert (starts(clinic), view(clinic).fault) == ([start], fault)
        assert fault in FAULTS
    assert view(clinic).is_troubled
    elsewhere.says("/home.ics", calendar())
    read_again(house, clinic, monkeypatch)
    assert (starts(clinic), view(clinic).fault) == ([], None), "control: a calendar that is empty does empty it"


def test_what_nobody_thought_of_is_said_of_the_calendar_and_does_not_stop_the_queue(
    clinic: AlarmClinic, house: "House", elsewhere: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    _start, body = at_ten(name="Doctor Secret")
    add(clinic, elsewhere.says("/home.ics", body))
    monkeypatch.setattr("service.files.ics_busy.merged", lambda _spans: 1 / 0)
    with structlog.testing.capture_logs() as logs:
        carry_calendar(house)
    assert view(clinic).fault == "damaged"
    assert [(one["event"], one["error"]) for one in logs] == [("a calendar can't be read", "ZeroDivisionError")]
    assert outbox.due(now=now()) == []


def test_a_calendar_of_ours_is_not_followed_wherever_it_leads(
    clinic: AlarmClinic, house: "House", elsewhere: Keeper
) -> None:
    own = f"{house.settings.public_url}/feeds/secret.ics"
    add(clinic, elsewhere.says("/home.ics", b"", 302, Location=own))
    carry_calendar(house)
    assert view(clinic).fault == "own_feed"


# --- one exchange ---------------------------------------------------------------------------------------------------


def errand(url: str, *, etag: str | None = None) -> Errand:
    return Errand(
        calendar="c", message=1, attempt=1, url=url, etag=etag, modified=None, zone=ZONE, since=now(), until=now()
    )


def ask(url: str, *, etag: str | None = None) -> Fetched | Same | Failed:
    return asker(Guard.of(own_network=True, longest=2000), lambda _address: None)(errand(url, etag=etag), now())


def test_packed_calendars_are_unpacked_and_no_more_of_them_than_may_be(elsewhere: Keeper) -> None:
    _start, body = at_ten()
    found = ask(elsewhere.says("/a.ics", gzip.compress(body), Content_Encoding="gzip"))
    assert isinstance(found, Fetched) and found.body == body
    assert elsewhere.asked[0].headers["accept-encoding"] == "gzip"
    bomb = gzip.compress(b"\0" * 200_000_000, 9)
    assert len(bomb) < 200_000
    began = time.monotonic()
    assert ask(elsewhere.says("/bomb.ics", bomb, Content_Encoding="gzip")) == Failed(fault="too_large")
    assert time.monotonic() - began < 10
    assert ask(elsewhere.says("/cut.ics", gzip.compress(body)[:-9], Content_Encoding="gzip")) == Failed(fault="http")
    assert ask(elsewhere.says("/odd.ics", body, Content_Encoding="br")) == Failed(fault="http")
    assert ask(elsewhere.says("/lie.ics", body, Content_Encoding="gzip")) == Failed(fault="http")


def test_whoever_pours_without_end_is_left(elsewhere: Keeper) -> None:
    def pour(door: BaseHTTPRequestHandler) -> None:
        door.send_response(200)
        door.end_headers()
        while True:
            door.wfile.write(b"x" * 65536)

    elsewhere.pages["/endless.ics"] = pour
    assert ask(elsewhere.at("/endless.ics")) == Failed(fault="too_large")


def test_whoever_dribbles_is_left(elsewhere: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    def dribble(door: BaseHTTPRequestHandler) -> None:
        door.send_response(200)
        door.end_headers()
        while True:
            door.wfile.write(b"x")
            time.sleep(0.02)

    monkeypatch.setattr(outside_fetching, "WHOLE_SECONDS", 0.5)
    elsewhere.pages["/slow.ics"] = dribble
    assert ask(elsewhere.at("/slow.ics")) == Failed(fault="no_answer")
    hops = [elsewhere.says(f"/{n}", b"", 302, Location=f"/{n + 1}") for n in range(3)]
    elsewhere.pages["/3"] = dribble
    assert ask(hops[0]) == Failed(fault="no_answer"), "all hops share one time"


def test_a_body_that_is_shorter_than_was_said_is_not_taken(elsewhere: Keeper) -> None:
    _start, body = at_ten()
    assert ask(elsewhere.says("/a.ics", body, Content_Length=str(len(body) + 5))) == Failed(fault="http")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_three_redirects_are_followed_and_no_fourth(elsewhere: Keeper, status: int) -> None:
    _start, body = at_ten()
    elsewhere.says("/3", body)
    for n, where in enumerate(["/1", elsewhere.at("/2"), f"//127.0.0.1:{elsewhere.port}/3"]):
        elsewhere.says(f"/{n}", b"", status, Location=where)
    found = ask(elsewhere.at("/0"), etag='"1"')
    assert isinstance(found, Fetched) and found.body == body
    assert [one.path for one in elsewhere.asked] == ["/0", "/1", "/2", "/3"]
    elsewhere.says("/before", b"", status, Location="/0")
    assert ask(elsewhere.at("/before")) == Failed(fault="redirect")
    assert [one.path for one in elsewhere.asked[4:]] == ["/before", "/0", "/1", "/2"]


def test_a_redirect_in_a_circle_or_to_nowhere_ends(elsewhere: Keeper) -> None:
    assert ask(elsewhere.says("/round", b"", 302, Location="/round")) == Failed(fault="redirect")
    assert ask(elsewhere.says("/nowhere", b"", 302)) == Failed(fault="refused")
    assert ask(elsewhere.says("/odd", b"", 302, Location="http://[::1")) == Failed(fault="address")


def test_how_long_it_asks_to_be_left_alone_is_heard(elsewhere: Keeper) -> None:
    found = ask(elsewhere.says("/a.ics", b"", 503, Retry_After="3600"))
    assert found == Failed(fault="busy", wish=timedelta(hours=1))


def test_nobody_there_is_a_fault_like_any_other() -> None:
    assert ask("http://127.0.0.1:1024/") == Failed(fault="unreachable")
