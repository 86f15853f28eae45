"""Our own feeds, brought in by our own `samehour import` as a dry run: the same hours, in the same standings.

What can't come back is what a calendar can't say: a leave of whole days is refused with a reason, since any event may
last whole days; cancelled hours are told, without by whom. A standing at two times of day comes back as two, one that
the clocks skip at night as one for each year, and an hour that stands alone in the feed as a single one.
"""

import os
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from service.domain.access import OPERATOR
from service.domain.book import Book, BookSeries
from service.domain.hours import Hour, LocalTime, Weekday, instant
from service.domain.recurrence import slots
from service.domain.standing import Modality, Standing
from service.files.ics_book import parse
from service.store.base import db
from service.store.people import TherapistRow
from service.store.standings import StandingHourRow, StandingRow
from service.usecases import imports
from tests.feeds.engines import UTC_FORM, Listed, Listing
from tests.feeds.hard_clinic import (
    HORIZON,
    WINDOW,
    ZONES,
    all_cancelled,
    at_a_time_that_the_clocks_skip,
    at_a_time_that_they_show_twice,
    clinic,
    held,
    subscribed,
    therapists_of,
)
from tests.feeds.test_agreement import differences

if TYPE_CHECKING:
    from flask import Flask

HERE = ZONES if os.environ.get("STORM") == "full" else ["Europe/Dublin"]
BROKEN_UP = tuple(
    shape.__name__ for shape in (at_a_time_that_the_clocks_skip, at_a_time_that_they_show_twice, all_cancelled)
)
UNCLEAR = (
    "It is cancelled, and the file does not say by whom.",
    "It lasts whole days: if it is leave or a closure, enter it as that.",
)

Pattern = tuple[Hour, int, int, date, date | None]
"""Hour of the week, every so many weeks, minutes, the days of its first and its last slot."""


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is read is a feed, and what is compared is a dry run: the database has no say."""
    return sqlite_url


@pytest.mark.parametrize("zone", HERE)
def test_each_feed_comes_back_as_it_was(app: "Flask", monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    with app.app_context():
        cases = clinic(zone)
        everybody = therapists_of(cases)
        now = max(case.now for case in cases)
        monkeypatch.setattr("service.clock.now", lambda: now)
        books = read(app, subscribed(everybody), zone)
        wrong: list[str] = []
        for name, book in books.items():
            hours, patterns = list(only_hours(held(everybody[name]))), patterns_held(everybody[name].id)
            wrong += [f"{name}: {each}" for each in differences(listed(book, zone), hours)]
            if not name.startswith(BROKEN_UP) and patterns_of(book) != patterns:
                wrong.append(f"{name}: {patterns_of(book)}, and not {patterns}")
            outcome = imports.preview(book, site=None, zone=zone, horizon=HORIZON, by=OPERATOR, now=now)
            wrong += [f"{name}: {each}" for each in refused(outcome)]
            assert outcome.standings == len(book.series)
        assert wrong == []


def read(app: "Flask", secrets: Mapping[str, str], zone: str) -> dict[str, Book]:
    program = app.test_client(use_cookies=False)
    return {
        name: parse(program.get(f"/feeds/{secret}.ics").data, default_zone=zone, therapist="Therapist A")
        for name, secret in secrets.items()
    }


def refused(outcome: imports.Outcome) -> Iterator[str]:
    reasons = (str(one.reason) for one in outcome.rejected)
    return (reason for reason in reasons if reason not in UNCLEAR and "; a session lasts" not in reason)


# --- hours


def listed(book: Book, zone: str) -> Listing:
    """Each hour of the book, leave aside."""
    hours = [one for series in book.series for one in _of_series(series)]
    hours += [(one.starts, one.minutes, one.client) for one in book.singles]
    found = [_listed(starts, minutes, client, zone) for starts, minutes, client in hours]
    return WINDOW.of([one for one in found if not is_leave(one)])


def _of_series(series: BookSeries) -> Iterator[tuple[LocalTime, int, str]]:
    said, until = {one.slot: one for one in series.entries}, WINDOW.until.replace(tzinfo=None) + timedelta(days=1)
    for slot in series.expected(until=until):
        if slot in said:
            yield said[slot].starts, said[slot].minutes, series.client
        elif slot not in series.lost:
            yield slot, series.standing.minutes, series.client


def _listed(starts: LocalTime, minutes: int, client: str, zone: str) -> Listed:
    at = instant(starts, zone)
    return f"{at:{UTC_FORM}}", f"{at + timedelta(minutes=minutes):{UTC_FORM}}", client


def only_hours(listing: Listing) -> Iterator[Listed]:
    return (one for one in listing if not is_leave(one))


def is_leave(one: Listed) -> bool:
    """Clients are called by a reference such as C00001."""
    return not (one[2].startswith("C0") and one[2][1:].isdigit())


# --- standings


def patterns_of(book: Book) -> list[Pattern]:
    return sorted((one for series in book.series for one in _patterns(series.standing)), key=lambda it: (it[0], it[3]))


def patterns_held(therapist: str) -> list[Pattern]:
    query = (
        select(*_PATTERN)
        .join(StandingHourRow, StandingHourRow.standing_id == StandingRow.id)
        .join(TherapistRow, TherapistRow.id == StandingRow.therapist_id)
        .where(TherapistRow.public_id == therapist)
    )
    with db.engine.connect() as connection:
        rows = list(connection.execute(query))
    found = (one for row in rows for one in _patterns(_standing(*row)))
    return sorted(found, key=lambda it: (it[0], it[3]))


_PATTERN = (
    StandingHourRow.weekday,
    StandingHourRow.at,
    StandingRow.every_weeks,
    StandingRow.minutes,
    StandingRow.zone,
    StandingRow.since,
    StandingRow.until,
)


def _standing(
    weekday: int, at: time, every_weeks: int, minutes: int, zone: str, since: date, until: date | None
) -> Standing:
    return Standing(
        id="s",
        therapist="t",
        room=None,
        modality=Modality.IN_PERSON,
        hours=(Hour(day=Weekday(weekday), at=at),),
        every_weeks=every_weeks,
        minutes=minutes,
        zone=zone,
        since=since,
        until=until,
    )


def _patterns(standing: Standing) -> Iterator[Pattern]:
    """One for each hour of the week that has a slot."""
    for hour in standing.hours:
        turns = [
            slot
            for slot in slots(standing, until=datetime(2030, 1, 1))
            if (Weekday.of(slot), slot.time()) == (hour.day, hour.at)
        ]
        if turns:
            last = turns[-1].date() if standing.until else None
            yield hour, standing.every_weeks, standing.minutes, turns[0].date(), last


def test_control_one_hour_less_would_be_seen(app: "Flask", monkeypatch: pytest.MonkeyPatch) -> None:
    with app.app_context():
        (case,) = clinic("Europe/Dublin", (at_a_time_that_they_show_twice,))
        monkeypatch.setattr("service.clock.now", lambda: case.now)
        everybody = therapists_of([case])
        (whose,) = everybody.values()
        (book,) = read(app, subscribed(everybody), case.zone).values()
        shorter = listed(book, case.zone)[1:]
        assert len(differences(shorter, held(whose))) == 1
