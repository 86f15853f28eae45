"""An old book comes in as it was, what clashes stays out by line, and twice is the same as once."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import recurring_ical_events
from icalendar import Calendar
from sqlalchemy import func, select, text

from service.domain.access import OPERATOR, Actor, Role
from service.domain.appointment import Initiator, Place, Status
from service.domain.book import Book
from service.domain.hours import local_time
from service.domain.rebuild import rebuild
from service.domain.refusals import CannotBook, Forbidden, Stale
from service.domain.standing import Modality
from service.feeds.publishing import write
from service.files import csv_book, ics_book
from service.store import imports as store
from service.store.base import db
from service.store.schema import metadata
from service.usecases import (
    absences,
    appointments,
    clients,
    consistency,
    courses,
    doctor,
    feeds,
    imports,
    people,
    standings,
    takeover_plan,
)
from service.usecases.imports import Outcome
from tests.usecases.books import APPLE, GOOGLE, HEADERS, OUTLOOK, TABLE, WORDS
from tests.usecases.conftest import NOW

if TYPE_CHECKING:
    from flask import Flask

ZONE = "Europe/Berlin"
ROW = "2026-03-03,10:00,50,Client One,Therapist A,Room 1,"


@pytest.fixture
def site(app: "Flask") -> Iterator[str]:
    """An empty practice, in the app's context, on both engines."""
    with app.app_context():
        yield people.add_site(name="Quay", zone_name=ZONE, country=None, region=None, by=OPERATOR, now=NOW)


def calendar(data: bytes, **more: Any) -> Book:
    return ics_book.parse(data, default_zone=ZONE, **more)


def table(*rows: str) -> Book:
    head = "date,start,minutes,client,therapist,room,status"
    return rebuild(csv_book.parse("\n".join([head, *rows, ""]).encode(), zone=ZONE))


def weekly(first: date, weeks: int, rest: str = ",10:00,50,Client One,Therapist A,Room 1,held") -> list[str]:
    return [f"{first + timedelta(weeks=week)}{rest}" for week in range(weeks)]


def take(book: Book, site: str, **more: Any) -> Outcome:
    return imports.take(book, site=site, source="book", digest="0" * 64, by=OPERATOR, **{"now": NOW, **more})


def hours(since: date = date(2025, 1, 1), until: date = date(2027, 1, 1), **of: Any) -> list[appointments.Booked]:
    found = appointments.board(since=since, until=until, by=OPERATOR)
    return [one for one in found if all(getattr(one, name) == value for name, value in of.items())]


def rows() -> dict[str, list[Any]]:
    """Everything in the database, table by table."""
    found = {
        name: sorted(map(repr, db.session.execute(select(table)).all())) for name, table in metadata.tables.items()
    }
    db.session.rollback()
    return found


def reasons(outcome: Outcome) -> list[tuple[int, str]]:
    return [(one.line, str(one.reason)) for one in outcome.rejected]


def notes(outcome: Outcome) -> str:
    return " ".join(str(one.what) for one in outcome.noted)


def assert_sound(now: datetime = NOW) -> None:
    assert doctor.examine(by=OPERATOR, now=now).findings == ()


def rejecting(book: Book, site: str, **more: Any) -> list[tuple[int, str]]:
    return reasons(take(book, site, **more))


# --- calendars


def test_a_google_calendar_comes_in_with_its_exceptions(site: str) -> None:
    outcome = take(calendar(GOOGLE), site)
    assert (outcome.therapists, outcome.rooms) == (("Therapist A",), ("Room 1", "Room 2"))
    assert (outcome.clients, outcome.courses, outcome.standings) == (2, 2, 1)
    assert (outcome.singles, outcome.absences, outcome.rejected) == (1, 1, ())
    (course, other) = courses.listed(by=OPERATOR, now=NOW)
    assert (course.names, other.names) == (("Client One",), ("Client Two",))
    (standing,) = standings.of_course(course=course.id, by=OPERATOR)
    assert (standing.since, standing.until, standing.room_name) == (date(2026, 1, 6), None, "Room 1")
    off = [one for one in hours(course=course.id) if one.status is Status.BREAK]
    assert [one.slot for one in off if one.slot] == [
        datetime(2026, 2, 17, 10),
        datetime(2026, 4, 7, 10),
        datetime(2026, 5, 5, 10),
        datetime(2026, 5, 12, 10),
    ]
    (moved,) = [one for one in hours(course=course.id) if one.is_moved]
    assert (moved.slot, moved.starts, moved.room_name) == (
        datetime(2026, 3, 24, 10),
        datetime(2026, 3, 26, 16, 30),
        "Room 2",
    )
    (video,) = hours(course=other.id)
    assert (video.starts, video.modality, video.room) == (datetime(2026, 3, 12, 14), Modality.VIDEO, None)
    assert_sound()


def test_every_slot_up_to_the_horizon_has_its_hour_and_the_clock_goes_on_from_there(site: str) -> None:
    take(calendar(GOOGLE), site)
    assert max(one.slot for one in hours() if one.slot) == datetime(2026, 8, 25, 10)
    later = NOW + timedelta(weeks=3)
    (standing,) = standings.to_extend(now=later)
    assert standings.extend(standing=standing, now=later) == 3
    assert_sound(later)


def test_an_exception_beyond_the_horizon_is_kept_for_the_day_on_which_it_comes_near(site: str) -> None:
    far = GOOGLE.replace(b"20260407T100000", b"20261222T100000").replace(b"20260324T", b"20261229T")
    far = far.replace(b"20260326T", b"20261231T")
    take(calendar(far), site)
    assert_sound()
    later = NOW + timedelta(weeks=30)
    standings.extend(standing=standings.to_extend(now=later)[0], now=later)
    found = {one.slot: one for one in hours() if one.slot}
    assert found[datetime(2026, 12, 22, 10)].status is Status.BREAK
    assert found[datetime(2026, 12, 29, 10)].starts == datetime(2026, 12, 31, 16, 30)
    assert_sound(later)


def instances(data: bytes, since: datetime, until: datetime) -> set[tuple[datetime, datetime]]:
    found = recurring_ical_events.of(Calendar.from_ical(data)).between(since, until)
    timed = [one for one in found if isinstance(one["DTSTART"].dt, datetime)]
    return {(one["DTSTART"].dt.astimezone(UTC), one["DTEND"].dt.astimezone(UTC)) for one in timed}


@pytest.mark.parametrize(("data", "therapist"), [(GOOGLE, "A"), (OUTLOOK, "A"), (APPLE, "B")])
def test_the_feed_shows_the_hours_of_the_old_calendar_and_no_other(site: str, data: bytes, therapist: str) -> None:
    plain = (
        data[: data.index(b"BEGIN:VEVENT\nDTSTART;VALUE=DATE")] + b"END:VCALENDAR\n" if b"Vacation" in data else data
    )
    take(calendar(plain, therapist=f"Therapist {therapist}"), site)
    (whose,) = people.therapists(by=OPERATOR)
    user = people.add_user(
        name="Person", email="a@clinic.example", roles=[Role.THERAPIST], therapist=whose.id, by=OPERATOR, now=NOW
    )
    made = feeds.create(name="Phone", therapist=whose.id, owner=user, by=OPERATOR, now=NOW)
    fed = feeds.fetch(secret=made.secret, seen=feeds.Seen(), write=write, now=NOW)
    assert isinstance(fed, feeds.Body)
    until = NOW + timedelta(weeks=60)
    expected = instances(plain, NOW, until)
    assert len(expected) >= 7
    assert instances(fed.content, NOW, until) == expected


def test_an_outlook_series_keeps_its_two_weeks_and_its_end(site: str) -> None:
    take(calendar(OUTLOOK, therapist="Therapist A"), site)
    (course,) = courses.listed(by=OPERATOR, now=NOW)
    (standing,) = standings.of_course(course=course.id, by=OPERATOR)
    assert (standing.every_weeks, standing.until) == (2, date(2026, 6, 25))
    booked = [one.starts.date() for one in hours() if one.status is Status.SCHEDULED]
    expected = [date(2026, 2, 4) + timedelta(weeks=2 * turn) for turn in range(11)]
    assert booked == [day for day in expected if day != date(2026, 4, 1)]
    assert_sound()


# --- tables


def practice_table() -> Book:
    return rebuild(csv_book.parse(TABLE, zone=ZONE, headers=HEADERS, dates="dmy", statuses=WORDS))


def test_recurring_rows_become_a_standing_and_the_rest_single_hours(site: str) -> None:
    outcome = take(practice_table(), site)
    assert reasons(outcome) == [
        (10, "Therapist A is already booked on 10 Feb 2026 from 11:00 to 11:50 (line 7)."),
        (12, '"nonsense" is no date written like 31.03.2026.'),
    ]
    five, six = courses.listed(by=OPERATOR, now=NOW)
    (standing,) = standings.of_course(course=five.id, by=OPERATOR)
    assert (standing.since, standing.until) == (date(2026, 1, 6), date(2026, 3, 11))
    found = {one.slot: one for one in hours(course=five.id)}
    assert found[datetime(2026, 1, 20, 11)].status is Status.CLIENT_CANCELLED
    assert found[datetime(2026, 1, 20, 11)].by is Initiator.CLIENT
    assert found[datetime(2026, 2, 3, 11)].starts == datetime(2026, 2, 4, 16)
    assert found[datetime(2026, 2, 3, 11)].status is Status.HELD
    assert found[datetime(2026, 2, 17, 11)].status is Status.BREAK
    assert found[datetime(2026, 3, 10, 11)].status is Status.SCHEDULED
    (single,) = hours(course=six.id)
    assert (single.standing, single.starts) == (None, datetime(2026, 2, 12, 11, 30))
    assert_sound()


def test_a_move_is_on_record_for_every_thing_that_differed_and_asked_by_nobody_knows(site: str) -> None:
    take(practice_table(), site)
    five = courses.listed(by=OPERATOR, now=NOW)[0]
    course = courses.show(course=five.id, by=OPERATOR, now=NOW).course
    (moved,) = [one for one in course.appointments if one.slot and one.slot != one.starts]
    assert [(change.what.value, change.by) for change in moved.changes] == [
        ("time", Initiator.UNKNOWN),
        ("room", Initiator.UNKNOWN),
    ]
    assert moved.changes[0].told_at == datetime(2026, 1, 27, 11)  # a week before: neither short notice nor announced
    assert_sound()


def test_a_lasting_change_is_a_new_version_that_replaces_the_old_one(site: str) -> None:
    rest = ",14:00,50,Client One,Therapist B,Room 1,held"
    take(table(*weekly(date(2025, 6, 3), 12), *weekly(date(2025, 8, 28), 24, rest)), site)
    (course,) = courses.listed(by=OPERATOR, now=NOW)
    old, new = standings.of_course(course=course.id, by=OPERATOR)
    assert (new.replaces, old.until, course.therapist_name) == (old.id, date(2025, 8, 20), "Therapist B")
    value = courses.show(course=course.id, by=OPERATOR, now=NOW).course
    assert value.standings[1].change_told_at == datetime(2025, 7, 31)
    assert_sound()


# --- clashes


def test_what_is_booked_already_comes_first(site: str) -> None:
    take(table(ROW), site)
    outcome = take(table("2026-03-03,10:30,50,Client Two,Therapist B,Room 1,", *weekly(date(2026, 3, 4), 2)), site)
    assert reasons(outcome) == [(2, "Room 1 is already booked on 3 Mar 2026 from 10:00 to 10:50.")]
    assert outcome.singles == 2
    assert clients.find(query="Client Two", by=OPERATOR)[:1] != []
    assert [one.names for one in hours()] == [("Client One",)] * 3
    assert_sound()


def test_a_client_can_not_be_in_two_places(site: str) -> None:
    elsewhere = "2026-03-03,10:30,50,client  one,Therapist B,Room 2,"
    assert rejecting(table(ROW, elsewhere), site) == [
        (3, "The client is already booked on 3 Mar 2026 from 10:00 to 10:50 (line 2).")
    ]


def test_a_cancelled_hour_is_in_nobodys_way(site: str) -> None:
    outcome = take(table(ROW + "client_cancelled", ROW.replace("One", "Two")), site)
    assert (outcome.singles, outcome.rejected) == (2, ())
    assert_sound()


def test_one_taken_date_is_left_out_of_its_series_by_name_and_the_series_stays(site: str) -> None:
    take(table("2026-03-10,10:20,50,Client Nine,Therapist A,Room 9,"), site)
    outcome = take(calendar(GOOGLE), site)
    assert reasons(outcome) == [
        (
            8,
            (
                "Its dates 10 Mar 2026 were left out of the series. "
                "Therapist A is already booked on 10 Mar 2026 from 10:20 to 11:10."
            ),
        )
    ]
    (lost,) = hours(slot=datetime(2026, 3, 10, 10))
    # To come, so somebody has to tell the client: it is no agreed break.
    assert (lost.status, lost.by, lost.is_told) == (Status.CLINIC_CANCELLED, Initiator.CLINIC, False)
    assert outcome.standings == 1
    assert_sound()


def test_a_series_with_too_many_taken_dates_is_left_out_as_a_whole(site: str) -> None:
    take(calendar(GOOGLE), site)
    double = GOOGLE.replace(b"@google", b"@double").replace(b"Client", b"Other").replace(b"Vacation", b"Busy")
    outcome = take(calendar(double), site)
    assert outcome.appointments == 0
    (whole,) = [one for one in outcome.rejected if one.line == 8]
    assert str(whole.reason).startswith("30 of its 34 dates are taken, so that it was left out as a whole. The first:")
    assert "Other One" not in [one.name for one in clients.find(query="", by=OPERATOR)]
    assert_sound()


def test_of_a_table_each_row_that_clashes_is_named(site: str) -> None:
    take(table(*weekly(date(2026, 1, 6), 8)), site)
    rest = ",10:00,50,Client Two,Therapist A,Room 2,held"
    outcome = take(table(*weekly(date(2026, 1, 6), 12, rest)), site)
    assert [line for line, _reason in reasons(outcome)] == list(range(2, 10))
    assert (outcome.standings, outcome.singles) == (0, 4)
    assert_sound()


def test_two_clients_of_one_name_are_never_guessed(site: str) -> None:
    for _ in range(2):
        clients.add(name="Client One", by=OPERATOR, now=NOW)
    assert rejecting(table(ROW), site) == [
        (2, "Several clients have that name. Tell them apart in the file and here, and try again.")
    ]


@pytest.mark.parametrize("name", ["T" * 121, "Therapist\u200dA"])
def test_a_name_that_can_not_be_written_stays_out(site: str, name: str) -> None:
    outcome = take(table(ROW.replace("Therapist A", name), ROW.replace("10:00", "12:00")), site)
    assert reasons(outcome) == [(2, "The therapist's name has 1 to 120 printable characters.")]
    assert outcome.singles == 1


# --- twice


@pytest.mark.parametrize("book", [calendar(GOOGLE), practice_table(), calendar(APPLE)], ids=["google", "csv", "apple"])
def test_twice_changes_nothing(site: str, book: Book) -> None:
    first = take(book, site)
    before = rows()
    again = take(book, site, now=NOW + timedelta(days=1))
    assert rows() == before
    assert (again.appointments, again.clients, again.courses, again.absences) == (0, 0, 0, 0)
    assert again.unchanged > 0 < first.appointments


def test_what_was_changed_here_since_then_is_left_as_it_is_and_said(site: str) -> None:
    book = table(ROW)
    take(book, site)
    (hour,) = hours()
    appointments.move(
        appointment_id=hour.id,
        to=appointments.Destination(starts=datetime(2026, 3, 3, 15)),
        asked_by=Initiator.CLIENT,
        reason="work",
        by=OPERATOR,
        now=NOW,
    )
    outcome = take(book, site)
    assert "says something else" in notes(outcome)
    assert hours()[0].starts == datetime(2026, 3, 3, 15)


def test_a_longer_table_brings_its_new_rows_alone(site: str) -> None:
    take(table(*weekly(date(2026, 1, 6), 8)), site)
    outcome = take(table(*weekly(date(2026, 1, 6), 10)), site)
    assert (outcome.standings, outcome.singles, outcome.courses) == (0, 2, 0)
    assert [one.standing is None for one in hours()] == [False] * 8 + [True] * 2
    assert_sound()


def test_rows_that_follow_single_ones_do_not_claim_them_for_a_standing(site: str) -> None:
    take(table(*weekly(date(2026, 1, 6), 3)), site)
    outcome = take(table(*weekly(date(2026, 1, 6), 8)), site)
    assert (outcome.standings, outcome.singles) == (0, 5)
    assert "one by one" in notes(outcome)
    assert_sound()


def test_a_client_who_is_known_keeps_their_course(site: str) -> None:
    take(table(ROW), site)
    outcome = take(table("2026-03-05,10:00,50,CLIENT ONE,Therapist B,,"), site)
    assert (outcome.clients, outcome.courses) == (0, 0)
    assert len(courses.listed(by=OPERATOR, now=NOW)) == 1


# --- dry


@pytest.mark.parametrize("book", [calendar(GOOGLE), practice_table()], ids=["google", "csv"])
def test_a_dry_run_says_what_a_real_one_does_and_writes_nothing(site: str, book: Book) -> None:
    before = rows()
    said = imports.preview(book, site=site, zone=ZONE, by=OPERATOR, now=NOW)
    assert rows() == before
    done = take(book, site)
    assert {**asdict(said), "is_dry": False} == asdict(done)
    assert imports.preview(book, site=site, zone=ZONE, by=OPERATOR, now=NOW).appointments == 0


def test_without_a_site_a_dry_run_compares_with_nothing(site: str) -> None:
    assert imports.preview(table(ROW), site=None, zone=ZONE, by=OPERATOR, now=NOW).singles == 1


# --- what happened, as far as a book can say it


def test_past_dates_are_unmarked_unless_said_otherwise(site: str) -> None:
    outcome = take(calendar(GOOGLE), site)
    assert outcome.unmarked == 7
    assert {one.status for one in hours(until=NOW.date())} == {Status.SCHEDULED, Status.BREAK}


def test_asked_to_past_dates_are_taken_as_held(site: str) -> None:
    outcome = take(calendar(GOOGLE), site, past="held")
    assert outcome.unmarked == 0
    assert {one.status for one in hours(until=NOW.date())} == {Status.HELD, Status.BREAK}
    assert {one.status for one in hours(since=NOW.date())} == {Status.SCHEDULED, Status.BREAK}


def test_a_mark_on_a_date_to_come_is_no_mark(site: str) -> None:
    outcome = take(table(ROW + "held"), site)
    assert hours()[0].status is Status.SCHEDULED
    assert "taken as booked" in notes(outcome)


def test_former_clients_have_ended_and_wait_for_nothing(site: str) -> None:
    outcome = take(table(*weekly(date(2025, 3, 4), 8)), site)
    assert (outcome.courses, outcome.ended) == (1, 1)
    (course,) = courses.listed(by=OPERATOR, now=NOW)
    assert course.status == "ended"
    assert consistency.assess(course=course.id, now=NOW).opened == ()
    assert_sound()


def test_a_quiet_book_alarms_nobody(site: str) -> None:
    """Its exceptions are neither short notice nor news: nobody knows from the book when the client was told."""
    take(calendar(GOOGLE[: GOOGLE.index(b"BEGIN:VEVENT\nDTSTART;VALUE=DATE")] + b"END:VCALENDAR\n"), site, past="held")
    course = courses.listed(by=OPERATOR, now=NOW)[0]
    consistency.assess(course=course.id, now=NOW)
    found = courses.show(course=course.id, by=OPERATOR, now=NOW).assessment
    assert found is not None
    assert {one.id for one in found.signals if one.level.value != "info"} == set()


def test_leave_of_the_book_and_of_the_clinic_takes_the_hours_of_a_series(site: str) -> None:
    absences.add(
        kind=absences.AbsenceKind.CLOSURE,
        since=datetime(2026, 6, 1),
        until=datetime(2026, 6, 8),
        site=site,
        by=OPERATOR,
        now=NOW,
    )
    take(calendar(GOOGLE), site)
    off = [one for one in hours(status=Status.BREAK) if one.by is Initiator.CLINIC]
    assert [one.starts.date() for one in off] == [date(2026, 5, 5), date(2026, 5, 12), date(2026, 6, 2)]
    assert not any(one.is_told for one in off)


def test_each_course_is_looked_at_and_every_part_is_on_record(site: str) -> None:
    take(practice_table(), site)
    kinds = db.session.execute(text("SELECT subject_kind, count(*) FROM audit GROUP BY subject_kind")).all()
    topics = db.session.execute(text("SELECT topic, count(*) FROM outbox GROUP BY topic")).all()
    kept = db.session.execute(select(store.ImportRow.entries, store.ImportRow.rejected)).all()
    keys = db.session.scalar(select(func.count()).select_from(store.ImportedRow))
    db.session.rollback()
    assert {kind: number for kind, number in kinds if kind != "site"} == {
        "therapist": 1,
        "room": 2,
        "client": 2,
        "course": 2,
        "standing": 1,
        "appointment": 1,
        "import": 1,
    }
    assert (dict(topics), keys) == ({"assess.course": 2}, 10)
    assert [tuple(one) for one in kept] == [(2, 1)]


# --- others at work


def fifteen_clients() -> Book:
    return table(*(f"2026-03-{3 + n:02},10:00,50,Client {n},Therapist A,Room 1," for n in range(15)))


def booking_in_between(site: str) -> Callable[[int, int], None]:
    """Somebody at the desk takes the tenth hour of the book as soon as its first part is in."""
    client = clients.add(name="Client at the desk", by=OPERATOR, now=NOW)
    done: list[int] = []

    def book(through: int, _total: int) -> None:
        if done:
            return
        done.append(through)
        whose = people.therapists(by=OPERATOR)[0].id
        course = courses.open(clients_in=[client], therapist=whose, by=OPERATOR, now=NOW)
        place = Place(
            starts=datetime(2026, 3, 12, 10, 30), minutes=50, therapist=whose, room=None, modality=Modality.VIDEO
        )
        appointments.book(course=course, place=place, by=OPERATOR, now=NOW)

    return book


@pytest.mark.parametrize("guard", ["looks again", "the net alone"])
def test_whoever_books_in_between_keeps_the_hour(site: str, monkeypatch: pytest.MonkeyPatch, guard: str) -> None:
    monkeypatch.setattr(imports, "AT_ONCE", 4)
    if guard == "the net alone":
        monkeypatch.setattr(store, "_look_again", lambda *_arguments: None)
    outcome = take(fifteen_clients(), site, progress=booking_in_between(site))
    assert reasons(outcome) == [(11, "Therapist A is already booked on 12 Mar 2026 from 10:30 to 11:20.")]
    assert (outcome.singles, outcome.clients) == (14, 14)
    assert_sound()


def test_control_without_guard_and_net_the_hour_is_booked_twice(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "AT_ONCE", 4)
    monkeypatch.setattr(store, "_look_again", lambda *_arguments: None)
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("ALTER TABLE occupancies DROP CONSTRAINT occupancies_no_overlap"))
    else:
        db.session.execute(text("DROP TRIGGER occupancies_no_overlap_insert"))
    db.session.commit()
    assert take(fifteen_clients(), site, progress=booking_in_between(site)).rejected == ()
    found = {one.rule for one in doctor.examine(by=OPERATOR, now=NOW).findings}
    assert {"double.occupancies", "double.appointments"} <= found


class _PulledPlugError(Exception):
    pass


def test_broken_off_in_the_middle_it_goes_on_where_it_stopped(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "AT_ONCE", 4)

    def pull(through: int, _total: int) -> None:
        if through >= 8:
            raise _PulledPlugError

    with pytest.raises(_PulledPlugError):
        take(fifteen_clients(), site, progress=pull)
    assert len(hours()) == 8
    assert_sound()
    outcome = take(fifteen_clients(), site)
    assert (outcome.singles, outcome.unchanged, outcome.rejected) == (7, 8, ())
    assert_sound()


def test_others_who_are_always_faster_are_told_apart_from_a_clash(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def always(*_arguments: object) -> None:
        raise CannotBook("Just taken.", clashes=())

    monkeypatch.setattr(store, "_look_again", always)
    with pytest.raises(Stale):
        take(table(ROW), site)
    assert hours() == []


def test_a_book_on_another_wall_or_too_large_is_refused_whole(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = ics_book.parse(GOOGLE, default_zone="America/New_York")
    with pytest.raises(imports.CannotTakeOver, match="The book is in America/New_York, and the site in Europe/Berlin"):
        take(elsewhere, site)
    monkeypatch.setattr(takeover_plan, "MOST_HOURS", 20)
    with pytest.raises(imports.CannotTakeOver, match="export a shorter span"):
        take(calendar(GOOGLE), site)
    assert hours() == []


def test_a_therapist_brings_no_book_in(site: str) -> None:
    therapist = Actor(name="somebody", roles=frozenset({Role.THERAPIST}))
    with pytest.raises(Forbidden):
        imports.take(table(ROW), site=site, source="book", digest="", by=therapist, now=NOW)


def test_a_start_is_on_the_wall_of_the_site_through_the_change_of_the_clocks(site: str) -> None:
    take(calendar(GOOGLE), site)
    starts = [(one.starts.time(), local_time(one.starts_at, ZONE)) for one in hours(is_moved=False) if one.slot]
    assert {at for at, _ in starts} == {time(10)}
    assert all(local.time() == at for at, local in starts)
