"""The feed's address: what it answers to whom, with which headers, and what it never says or writes anywhere."""

import gzip
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from icalendar import Calendar
from werkzeug.http import http_date, parse_date

from service.domain.access import OPERATOR
from service.domain.privacy import Privacy
from service.usecases import feeds, people
from tests.feeds.practice import NAMES, NOW, Practice, practice

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse

Fetch = Callable[..., "TestResponse"]


class Clock:
    now = NOW

    def passes(self, **time: int) -> datetime:
        self.now += timedelta(**time)
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("service.clock.now", lambda: made.now)
    return made


@pytest.fixture
def clinic(app: "Flask", clock: Clock) -> Practice:
    with app.app_context():
        return practice()


@pytest.fixture
def subscribe(app: "Flask", clinic: Practice) -> Callable[..., feeds.New]:
    """`subscribe()` makes a feed of Therapist A as the page would, unless said otherwise."""

    def make(**given: Any) -> feeds.New:
        with app.app_context():
            return clinic.subscribe(**given)

    return make


@pytest.fixture
def fetch(app: "Flask") -> Fetch:
    client = app.test_client(use_cookies=False)

    def get(secret: str, method: str = "GET", **headers: str) -> "TestResponse":
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = client.open(f"/feeds/{secret}.ics", method=method, headers=named)
        answer.close()  # as a web server does once the answer is out
        return answer

    return get


@pytest.fixture
def cancel(app: "Flask", clinic: Practice, clock: Clock) -> Callable[[int], None]:
    """`cancel(weeks)` cancels Client One's hour, so many weeks from this one."""

    def one(weeks: int) -> None:
        with app.app_context():
            clinic.cancel(0, weeks, now=clock.now)

    return one


def test_a_feed_has_the_headers_that_calendar_programs_and_privacy_need(
    subscribe: Callable[..., feeds.New], fetch: Fetch
) -> None:
    answer = fetch(subscribe().secret)
    assert answer.status_code == 200
    expected = {
        "Content-Type": "text/calendar; charset=utf-8",
        "Content-Disposition": 'inline; filename="samehour.ics"',
        "Cache-Control": "private, no-cache",
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex",
        "Vary": "Accept-Encoding",
        "Last-Modified": http_date(NOW),
    }
    assert {name: answer.headers[name] for name in expected} == expected
    assert answer.headers["ETag"].startswith('"')
    assert "Set-Cookie" not in answer.headers
    assert "Content-Encoding" not in answer.headers
    assert len(Calendar.from_ical(answer.data).events) == 3


def test_where_clients_are_named_nobody_on_the_way_keeps_a_copy(
    subscribe: Callable[..., feeds.New], fetch: Fetch
) -> None:
    answer = fetch(subscribe(privacy=Privacy.NAME).secret)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert b"Client One" in answer.data


def test_by_default_no_client_is_named(subscribe: Callable[..., feeds.New], fetch: Fetch) -> None:
    said = fetch(subscribe(shows_cancelled=True).secret).text
    assert not [name for name in NAMES if name in said]
    assert "SUMMARY:CO" in said


def test_head_is_get_without_the_body(subscribe: Callable[..., feeds.New], fetch: Fetch) -> None:
    secret = subscribe().secret
    whole, head = fetch(secret), fetch(secret, "HEAD")
    assert head.status_code == 200
    assert head.data == b""
    assert head.headers == whole.headers


def test_it_is_zipped_only_when_asked(subscribe: Callable[..., feeds.New], fetch: Fetch) -> None:
    secret = subscribe().secret
    plain, zipped = fetch(secret), fetch(secret, Accept_Encoding="gzip, deflate")
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(zipped.data) == plain.data
    assert zipped.headers["ETag"] != plain.headers["ETag"]
    assert fetch(secret, Accept_Encoding="gzip", If_None_Match=zipped.headers["ETag"]).status_code == 304
    assert "Content-Encoding" not in fetch(secret, Accept_Encoding="gzip;q=0, br").headers


@pytest.mark.parametrize("tag", ["{}", "W/{}", '"other", {}', "*"])
def test_what_the_program_has_already_is_not_sent_again(
    subscribe: Callable[..., feeds.New], fetch: Fetch, tag: str
) -> None:
    secret = subscribe().secret
    known = fetch(secret).headers["ETag"]
    answer = fetch(secret, If_None_Match=tag.format(known))
    assert (answer.status_code, answer.data) == (304, b"")
    assert answer.headers["ETag"] == known
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert fetch(secret, "HEAD", If_None_Match=tag.format(known)).status_code == 304


def test_if_none_match_wins_over_if_modified_since(subscribe: Callable[..., feeds.New], fetch: Fetch) -> None:
    secret = subscribe().secret
    first = fetch(secret)
    later = http_date(NOW + timedelta(days=1))
    assert fetch(secret, If_Modified_Since=first.headers["Last-Modified"]).status_code == 304
    assert fetch(secret, If_None_Match='"other"', If_Modified_Since=later).status_code == 200
    assert fetch(secret, If_Modified_Since=http_date(NOW - timedelta(seconds=1))).status_code == 200
    assert fetch(secret, If_Modified_Since="yesterday, or so").status_code == 200


def test_a_change_within_the_same_second_is_not_taken_for_the_old_state(
    subscribe: Callable[..., feeds.New], fetch: Fetch, cancel: Callable[[int], None]
) -> None:
    secret = subscribe().secret
    first = fetch(secret)
    cancel(2)
    second = fetch(secret, If_None_Match=first.headers["ETag"], If_Modified_Since=first.headers["Last-Modified"])
    assert second.status_code == 200
    assert fetch(secret, If_Modified_Since=first.headers["Last-Modified"]).status_code == 200
    before, after = (parse_date(answer.headers["Last-Modified"]) for answer in (first, second))
    assert before is not None and after is not None and before < after


def test_an_old_hour_that_leaves_the_window_outdates_what_the_program_has(
    app: "Flask", clinic: Practice, subscribe: Callable[..., feeds.New], fetch: Fetch, clock: Clock
) -> None:
    """A single hour is told for 90 days; Apple would keep it for ever if an If-Modified-Since were answered by 304."""
    with app.app_context():
        clinic.book(0, clinic.slot(0, 1) + timedelta(hours=3))
    secret = subscribe().secret
    first = fetch(secret)
    clock.passes(days=110)
    second = fetch(secret, If_Modified_Since=http_date(clock.now - timedelta(days=1)))
    assert (len(Calendar.from_ical(first.data).events), second.status_code) == (4, 200)
    assert len(Calendar.from_ical(second.data).events) == 3


def test_an_unknown_address_is_not_found_and_says_nothing(clinic: Practice, fetch: Fetch) -> None:
    for headers in ({}, {"If_None_Match": "*"}, {"If_Modified_Since": http_date(NOW)}):
        answer = fetch("nobody-ever-had-this", **headers)
        assert answer.status_code == 404
        assert answer.content_type == "text/plain; charset=utf-8"
        assert "BEGIN" not in answer.text


def test_a_revoked_address_is_gone_at_once_also_for_those_who_have_it_all(
    app: "Flask", subscribe: Callable[..., feeds.New], fetch: Fetch
) -> None:
    """410 makes Thunderbird stop asking; 404 or an empty calendar would not."""
    made = subscribe()
    known = fetch(made.secret).headers["ETag"]
    with app.app_context():
        feeds.revoke(feed=made.id, by=OPERATOR, now=NOW)
    assert fetch(made.secret).status_code == 410
    assert fetch(made.secret, If_None_Match=known).status_code == 410
    assert fetch(made.secret, If_None_Match="*").status_code == 410
    assert fetch(made.secret, "HEAD").status_code == 410


def test_after_rotation_the_old_address_is_gone_and_the_new_one_goes_on(
    app: "Flask", subscribe: Callable[..., feeds.New], fetch: Fetch
) -> None:
    old = subscribe()
    before = fetch(old.secret)
    with app.app_context():
        new = feeds.rotate(feed=old.id, by=OPERATOR, now=NOW)
    assert fetch(old.secret, If_None_Match=before.headers["ETag"]).status_code == 410
    assert fetch(new.secret, If_None_Match=before.headers["ETag"]).status_code == 304
    assert fetch(new.secret).data == before.data


def test_the_feeds_of_a_closed_account_are_gone(
    app: "Flask", clinic: Practice, subscribe: Callable[..., feeds.New], fetch: Fetch
) -> None:
    secret = subscribe().secret
    known = fetch(secret).headers["ETag"]
    with app.app_context():
        people.disable_user(user=clinic.user, by=OPERATOR, now=NOW)
    assert fetch(secret, If_None_Match=known).status_code == 410


def test_nothing_else_is_asked_of_the_program(subscribe: Callable[..., feeds.New], fetch: Fetch) -> None:
    secret = subscribe().secret
    for headers in ({"Accept": "text/html"}, {"User_Agent": ""}, {"Cookie": "samehour=nonsense"}):
        answer = fetch(secret, **headers)
        assert answer.status_code == 200
        assert "Location" not in answer.headers
    assert fetch(secret, "POST").status_code == 405


def test_trouble_is_told_as_trouble_and_never_as_an_empty_calendar(
    app: "Flask", subscribe: Callable[..., feeds.New], fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = subscribe().secret

    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("a fault that nobody thought of")

    monkeypatch.setattr("service.feeds.publishing.join", broken)
    app.testing = False
    answer = fetch(secret)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "60"
    assert "BEGIN" not in answer.text


def test_a_feed_that_reads_back_wrongly_is_not_published(
    subscribe: Callable[..., feeds.New], fetch: Fetch, cancel: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = subscribe().secret
    before = fetch(secret)
    cancel(2)
    with monkeypatch.context() as patch:
        patch.setattr("service.feeds.reading_back.LONGEST_LINE", 20)
        assert fetch(secret, If_None_Match=before.headers["ETag"]).status_code == 503
    after = fetch(secret)
    assert after.status_code == 200
    assert after.data != before.data


def test_the_address_is_in_no_log(
    app: "Flask", subscribe: Callable[..., feeds.New], fetch: Fetch, capfd: pytest.CaptureFixture[str]
) -> None:
    made = subscribe()
    known = fetch(made.secret).headers["ETag"]
    fetch(made.secret, If_None_Match=known)
    with app.app_context():
        feeds.revoke(feed=made.id, by=OPERATOR, now=NOW)
    fetch(made.secret)
    fetch(made.secret + "/..")
    logged = capfd.readouterr().err
    assert logged.count('"route": "/feeds/<secret>.ics"') == 3
    assert [line for line in logged.splitlines() if '"status": 304' in line]
    assert made.secret not in logged


def test_each_line_of_the_log_names_its_own_request(
    subscribe: Callable[..., feeds.New], fetch: Fetch, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = subscribe().secret
    known = fetch(secret).headers["ETag"]
    for _ in range(3):
        fetch(secret, If_None_Match=known)
    ids = [line.split('"request_id": "')[1][:16] for line in capfd.readouterr().err.splitlines()]
    assert len(set(ids)) == len(ids) == 4


def test_the_fetch_is_noted_with_the_program_and_once_a_minute(
    app: "Flask", subscribe: Callable[..., feeds.New], fetch: Fetch, clock: Clock
) -> None:
    made = subscribe()

    def noted() -> tuple[datetime | None, str | None]:
        with app.app_context():
            [address] = feeds.show(feed=made.id, by=OPERATOR, now=clock.now).addresses
            return address.fetched_at, address.fetched_by

    assert noted() == (None, None)
    known = fetch(made.secret, User_Agent="iOS/17.0 (21A329) dataaccessd/1.0").headers["ETag"]
    assert noted() == (NOW, "Apple Calendar (iPhone or iPad)")
    clock.passes(seconds=59)
    fetch(made.secret, User_Agent="Google-Calendar-Importer", If_None_Match=known)
    assert noted()[0] == NOW
    moment = clock.passes(seconds=2)
    assert fetch(made.secret, User_Agent="Google-Calendar-Importer", If_None_Match=known).status_code == 304
    assert noted() == (moment, "Google Calendar")


def test_an_old_address_goes_on_for_a_while_and_is_gone_then(
    app: "Flask", subscribe: Callable[..., feeds.New], fetch: Fetch, clock: Clock
) -> None:
    old = subscribe()
    known = fetch(old.secret).headers["ETag"]
    with app.app_context():
        new = feeds.rotate(feed=old.id, overlap=timedelta(hours=1), by=OPERATOR, now=clock.now)
    clock.passes(minutes=59)
    assert fetch(old.secret).data == fetch(new.secret).data
    assert fetch(old.secret, If_None_Match=known).status_code == 304
    clock.passes(minutes=1)
    assert [fetch(old.secret, **seen).status_code for seen in ({}, {"If_None_Match": known})] == [410, 410]
    assert fetch(new.secret).status_code == 200


def test_the_calendar_of_a_client_may_be_kept_by_nobody_on_the_way(
    app: "Flask", clinic: Practice, fetch: Fetch
) -> None:
    with app.app_context():
        feeds.let_clients_have_one(is_on=True, by=OPERATOR, now=NOW)
        made = feeds.create(name="Phone", client=clinic.clients[0], by=OPERATOR, now=NOW)
    answer = fetch(made.secret)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert not [name for name in NAMES if name in answer.text]
