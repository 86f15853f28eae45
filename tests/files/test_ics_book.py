"""Calendars as programs and people really write them, each hard feature in a small file of our own."""

import random
from datetime import UTC, date, datetime, time, timedelta

import icalendar
import pytest
import recurring_ical_events
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.book import Book, BookSeries
from service.domain.hours import Hour, UnknownZone, Weekday, instant
from service.domain.standing import Modality
from service.files.book import CannotRead
from service.files.ics_book import parse
from tests.files.damage import damaged

BERLIN = "Europe/Berlin"
UNTIL_2031 = datetime(2031, 1, 1)


def calendar(*parts: str, end: str = "\r\n") -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", *parts, "END:VCALENDAR", ""]
    return "\n".join(lines).replace("\n", end).encode()


def event(*lines: str, uid: str = "one", name: str = "Client One") -> str:
    """An hour on Tuesday 6 January 2026 at 10:00 in Berlin, with what the lines add or say otherwise."""
    stated = {line.partition(":")[0].partition(";")[0] for line in lines}
    plain = [
        f"UID:{uid}",
        f"SUMMARY:{name}",
        "DTSTART;TZID=Europe/Berlin:20260106T100000",
        "DTEND;TZID=Europe/Berlin:20260106T105000",
    ]
    if "DURATION" in stated:
        stated.add("DTEND")
    kept = [line for line in plain if line.partition(":")[0].partition(";")[0] not in stated]
    return "\n".join(["BEGIN:VEVENT", *kept, *filter(None, lines), "END:VEVENT"])


def read(*parts: str, zone: str = BERLIN, therapist: str | None = "Therapist A", **more: object) -> Book:
    return parse(calendar(*parts), default_zone=zone, therapist=therapist, **more)  # type: ignore[arg-type]


def one_series(book: Book) -> BookSeries:
    (series,) = book.series
    return series


def reasons(book: Book) -> list[str]:
    return [str(rejected.reason) for rejected in book.rejected]


def notes(book: Book) -> str:
    return " ".join(str(noted.what) for noted in book.noted)


# -- what a plain event says


def test_a_single_event_is_a_single_appointment() -> None:
    book = read(event("LOCATION:Room 1"))
    (single,) = book.singles
    assert (single.client, single.therapist, single.room) == ("Client One", "Therapist A", "Room 1")
    assert (single.starts, single.minutes, single.zone) == (datetime(2026, 1, 6, 10), 50, BERLIN)
    assert (book.series, book.rejected, book.noted, single.line) == ((), (), (), 4)


def test_the_organiser_then_the_calendar_says_whose_it_is() -> None:
    organised = event("ORGANIZER;CN=Therapist B:mailto:b@clinic.example", uid="two")
    book = read("X-WR-CALNAME:Therapist C", event(), organised, therapist=None)
    assert {single.therapist for single in book.singles} == {"Therapist B", "Therapist C"}
    assert "organiser" in notes(book)
    assert reasons(read(event(), therapist=None)) == [
        "It does not say whose appointment it is. Name the therapist and try again."
    ]


@pytest.mark.parametrize("place", ["https://video.example/abc", "Zoom", "LOCATION is Microsoft Teams meeting"])
def test_a_link_is_no_room(place: str) -> None:
    book = read(event(f"LOCATION:{place}"))
    assert (book.singles[0].room, book.singles[0].modality) == (None, Modality.VIDEO)
    assert "by video" in notes(book)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["SUMMARY:Busy"], "It names no client."),
        (["SUMMARY:"], "It names no client."),
        (["STATUS:CANCELLED"], "It is cancelled, and the file does not say by whom."),
        (["TRANSP:TRANSPARENT"], "It is marked as free time, so it is no appointment."),
        (["DTEND;TZID=Europe/Berlin:20260109T100000"], "It lasts 4,320 minutes; a session lasts 5 to 720 minutes."),
        (["DTEND;TZID=Europe/Berlin:20260106T090000"], "It lasts -60 minutes; a session lasts 5 to 720 minutes."),
        (["DURATION:soon"], "Its length can't be read."),
        (["DTSTART:yesterday"], "Its DTSTART is no date and time that can be read."),
        (["DTSTART;TZID=Europe/Berlin:16010106T100000"], "The year 1601 can't be right."),
        (["DTSTART;TZID=Europe/Berlin:20260106T100000Z"], "It gives a time in UTC and names another time zone."),
        (["DTEND;VALUE=DATE:20260107"], "Its start and its end are not of the same kind."),
        (["DTSTART:20260106T100000"], "Its start and its end are not of the same kind."),
        (["EXRULE:FREQ=WEEKLY"], "It has more than one rule of repetition."),
        (["RRULE:FREQ=FORTNIGHTLY"], "Its rule of repetition can't be read."),
        (["RRULE:FREQ=WEEKLY;INTERVAL=0"], "Its rule of repetition has an INTERVAL below 1."),
        (["RRULE:COUNT=3"], "Its rule of repetition names no frequency."),
        (["RRULE:FREQ=WEEKLY;UNTIL=20251231T000000Z"], "Its rule of repetition ends before it begins,"),
        (["RRULE:FREQ=DAILY"], "It repeats without end, and not weekly: a standing appointment is weekly."),
        (["RRULE:FREQ=HOURLY;COUNT=3"], "It repeats within a day."),
        (["RRULE:FREQ=DAILY;COUNT=2000"], "It repeats more than 200 times, and not weekly."),
        (["RRULE:FREQ=YEARLY;COUNT=100"], "It repeats over too many years, and not weekly."),
        (["RRULE:FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2;COUNT=4"], "It repeats in a way that is too unusual to"),
    ],
)
def test_what_is_not_clear_stays_out_with_its_reason(lines: list[str], reason: str) -> None:
    book = read(event(*lines), event(uid="fine"))
    assert [single.client for single in book.singles] == ["Client One"]
    assert reasons(book)[0].startswith(reason)
    assert book.rejected[0].line == 4


def test_what_is_to_be_left_out_stays_out() -> None:
    book = read(event("SUMMARY:LUNCH"), event(uid="two"), leave_out=["Lunch"])
    assert (len(book.singles), reasons(book)) == (1, ["It is called what was to be left out."])


def test_an_event_without_an_end_needs_a_length() -> None:
    endless = event("DTEND;TZID=Europe/Berlin:20260106T100000")
    assert reasons(read(endless)) == ["It has no end. Say how long a session lasts and try again."]
    book = read(endless, minutes=50)
    assert (book.singles[0].minutes, notes(book)) == (50, "An event without an end was taken as lasting 50 minutes.")


def test_a_duration_is_a_length() -> None:
    assert read(event("DURATION:PT1H30M")).singles[0].minutes == 90


# -- time away


def test_whole_days_are_no_appointment_and_known_leave_is_leave() -> None:
    days = ["DTSTART;VALUE=DATE:20260803", "DTEND;VALUE=DATE:20260817"]
    book = read(event(*days, uid="a"), event(*days, "SUMMARY:Annual leave", uid="b"))
    assert reasons(book) == ["It lasts whole days: if it is leave or a closure, enter it as that."]
    (leave,) = book.absences
    assert (leave.since, leave.until, leave.therapist) == (datetime(2026, 8, 3), datetime(2026, 8, 17), "Therapist A")


def test_outlook_marks_time_away() -> None:
    book = read(event("X-MICROSOFT-CDO-BUSYSTATUS:OOF", "SUMMARY:Dentist"))
    (away,) = book.absences
    assert (away.since, away.until, book.singles) == (datetime(2026, 1, 6, 10), datetime(2026, 1, 6, 10, 50), ())
    assert reasons(read(event("SUMMARY:Leave", "RRULE:FREQ=WEEKLY"))) == [
        "It is time away that repeats: enter it as leave."
    ]


# -- weekly rules


@pytest.mark.parametrize(
    ("rule", "every_weeks", "until"),
    [
        ("FREQ=WEEKLY", 1, None),
        ("FREQ=WEEKLY;BYDAY=TU", 1, None),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;WKST=SU", 2, None),
        ("FREQ=WEEKLY;COUNT=4", 1, date(2026, 1, 28)),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=3", 2, date(2026, 2, 4)),
        ("FREQ=WEEKLY;UNTIL=20260127T090000Z", 1, date(2026, 1, 28)),  # the last start itself
        ("FREQ=WEEKLY;UNTIL=20260127T085959Z", 1, date(2026, 1, 21)),
        ("FREQ=WEEKLY;UNTIL=20260201T225959Z", 1, date(2026, 1, 28)),
        ("FREQ=WEEKLY;UNTIL=20260127", 1, date(2026, 1, 28)),
        ("FREQ=WEEKLY;UNTIL=20260127T100000", 1, date(2026, 1, 28)),
        ("FREQ=WEEKLY;UNTIL=99991231T000000Z", 1, None),
        ("FREQ=WEEKLY;COUNT=2000000000", 1, None),
        ("FREQ=DAILY;INTERVAL=14", 2, None),
        ("FREQ=WEEKLY;BYHOUR=10;BYMINUTE=0", 1, None),
        ("FREQ=WEEKLY;COUNT=4;", 1, date(2026, 1, 28)),
        ("freq=weekly;count=4", 1, date(2026, 1, 28)),
    ],
)
def test_a_weekly_rule_is_a_standing(rule: str, every_weeks: int, until: date | None) -> None:
    standing = one_series(read(event(f"RRULE:{rule}"))).standing
    assert standing.hours == (Hour(day=Weekday.TU, at=time(10)),)
    assert (standing.every_weeks, standing.since, standing.until) == (every_weeks, date(2026, 1, 6), until)


def test_until_of_the_wrong_type_is_noted() -> None:
    assert "including that day" in notes(read(event("RRULE:FREQ=WEEKLY;UNTIL=20260127")))
    assert "without a zone" in notes(read(event("RRULE:FREQ=WEEKLY;UNTIL=20260127T100000")))
    assert "open-ended" in notes(read(event("RRULE:FREQ=WEEKLY;COUNT=2000000000")))


def test_several_days_are_one_standing() -> None:
    standing = one_series(read(event("RRULE:FREQ=WEEKLY;BYDAY=FR,TU;COUNT=5"))).standing
    assert [hour.day for hour in standing.hours] == [Weekday.TU, Weekday.FR]
    assert standing.until == date(2026, 1, 21)


def test_weeks_that_begin_on_sunday_may_need_two_standings() -> None:
    rule = "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,TU;WKST=SU;COUNT=6"
    start = ["DTSTART;TZID=Europe/Berlin:20260104T100000", "DTEND;TZID=Europe/Berlin:20260104T105000"]
    book = read(event(*start, rule))
    assert len(book.series) == 2
    slots = sorted(slot for series in book.series for slot in series.expected(until=UNTIL_2031))
    assert [slot.day for slot in slots] == [4, 6, 18, 20, 1, 3]


def test_a_start_that_its_rule_does_not_name_is_a_single_appointment() -> None:
    book = read(event("RRULE:FREQ=WEEKLY;BYDAY=TH"))
    assert one_series(book).standing.since == date(2026, 1, 8)
    assert [single.starts for single in book.singles] == [datetime(2026, 1, 6, 10)]
    assert "does not fit its rule" in notes(book)


def test_other_short_rules_are_single_appointments() -> None:
    book = read(event("RRULE:FREQ=MONTHLY;BYDAY=1TU;COUNT=3", "EXDATE;TZID=Europe/Berlin:20260203T100000"))
    assert [single.starts for single in book.singles] == [datetime(2026, 1, 6, 10), datetime(2026, 3, 3, 10)]
    assert len({single.key for single in book.singles}) == 2


# -- exceptions


def test_dates_left_out_in_every_form() -> None:
    lines = [
        "RRULE:FREQ=WEEKLY;COUNT=8",
        "EXDATE;TZID=Europe/Berlin:20260113T100000,20260120T100000",
        "EXDATE:20260127T090000Z",
        "EXDATE;VALUE=DATE:20260203",
        "EXDATE;TZID=America/New_York:20260210T040000",
        "EXDATE;TZID=Europe/Berlin:20260218T100000",
        "EXDATE:never",
    ]
    book = read(event(*lines))
    assert [slot.date() for slot in one_series(book).lost] == [
        date(2026, 1, 13),
        date(2026, 1, 20),
        date(2026, 1, 27),
        date(2026, 2, 3),
        date(2026, 2, 10),
    ]
    assert "the whole day" in notes(book)
    assert "none of its series" in notes(book)
    assert reasons(book) == ["One date of a list: Its EXDATE is no date and time that can be read."]


def test_further_dates_are_single_appointments() -> None:
    lines = [
        "RRULE:FREQ=WEEKLY;COUNT=3",
        "RDATE;TZID=Europe/Berlin:20260108T160000,20260113T100000",
        "RDATE;VALUE=PERIOD:20260109T090000Z/PT90M",
    ]
    book = read(event(*lines))
    assert [(single.starts, single.minutes) for single in book.singles] == [
        (datetime(2026, 1, 8, 16), 50),
        (datetime(2026, 1, 9, 10), 90),
    ]


def override(slot: str, start: str, *lines: str, uid: str = "one", name: str = "Client One") -> str:
    ends = (datetime.strptime(start, "%Y%m%dT%H%M%S") + timedelta(minutes=50)).strftime("%Y%m%dT%H%M%S")
    return event(
        f"RECURRENCE-ID{slot}",
        f"DTSTART;TZID=Europe/Berlin:{start}",
        f"DTEND;TZID=Europe/Berlin:{ends}",
        *lines,
        uid=uid,
        name=name,
    )


def test_changed_dates_keep_their_slot() -> None:
    book = read(
        override(";TZID=Europe/Berlin:20260113T100000", "20260114T160000"),
        event("RRULE:FREQ=WEEKLY;COUNT=6", "LOCATION:Room 1"),
        override(":20260120T090000Z", "20260120T100000", "LOCATION:Room 2"),
        override(";VALUE=DATE:20260127", "20260127T100000", "STATUS:CANCELLED"),
        override(";TZID=Europe/Berlin:20260203T100000", "20260203T100000", "LOCATION:Room 1"),
    )
    series = one_series(book)
    assert [(one.slot, one.starts, one.room) for one in series.entries] == [
        (datetime(2026, 1, 13, 10), datetime(2026, 1, 14, 16), None),
        (datetime(2026, 1, 20, 10), datetime(2026, 1, 20, 10), "Room 2"),
    ]
    assert series.lost == (datetime(2026, 1, 27, 10),)
    assert (book.singles, book.rejected) == ((), ())


def test_a_changed_date_that_can_not_be_read_does_not_leave_the_old_one_standing() -> None:
    book = read(
        event("RRULE:FREQ=WEEKLY;COUNT=3"),
        event("RECURRENCE-ID;TZID=Europe/Berlin:20260113T100000", "DTSTART:gone"),
    )
    assert one_series(book).lost == (datetime(2026, 1, 13, 10),)
    assert len(book.rejected) == 1


def test_another_clients_name_at_a_date_is_that_clients() -> None:
    book = read(
        event("RRULE:FREQ=WEEKLY;COUNT=4"),
        override(";TZID=Europe/Berlin:20260113T100000", "20260113T100000", name="Client Two"),
        override(";TZID=Europe/Berlin:20260120T100000", "20260120T150000", name="Client One (moved)"),
    )
    series = one_series(book)
    assert [single.client for single in book.singles] == ["Client Two"]
    assert series.lost == (datetime(2026, 1, 13, 10),)
    assert [one.client for one in series.entries] == ["Client One"]


def test_changes_without_a_series_are_single_appointments() -> None:
    orphan = override(";TZID=Europe/Berlin:20260113T100000", "20260114T100000", uid="elsewhere")
    stray = override(";TZID=Europe/Berlin:20260115T100000", "20260115T120000")
    gone = override(";TZID=Europe/Berlin:20260113T100000", "20260114T100000", "STATUS:CANCELLED", uid="nowhere")
    book = read(event("RRULE:FREQ=WEEKLY;COUNT=4"), orphan, stray, gone)
    assert [single.starts for single in book.singles] == [datetime(2026, 1, 14, 10), datetime(2026, 1, 15, 12)]
    assert "a series that is not in the file was taken" in notes(book)
    assert "a date that its series does not have was taken" in notes(book)


def test_this_and_all_following_is_a_new_version() -> None:
    book = read(
        event("RRULE:FREQ=WEEKLY;COUNT=6", "EXDATE;TZID=Europe/Berlin:20260203T100000"),
        override(";RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260127T100000", "20260128T110000"),
        override(";TZID=Europe/Berlin:20260210T100000", "20260211T150000"),
    )
    before, after = book.series
    assert before.standing.until == date(2026, 1, 21)
    assert after.standing.replaces == before.key
    assert [str(slot) for slot in after.expected(until=UNTIL_2031)] == [
        "2026-01-28 11:00:00",
        "2026-02-04 11:00:00",
        "2026-02-11 11:00:00",
    ]
    assert after.lost == (datetime(2026, 2, 4, 11),)
    assert [(one.slot, one.starts) for one in after.entries] == [(datetime(2026, 2, 11, 11), datetime(2026, 2, 11, 15))]


def test_this_and_all_following_of_several_days_ends_the_series_and_says_so() -> None:
    book = read(
        event("RRULE:FREQ=WEEKLY;BYDAY=TU,FR;COUNT=8"),
        override(";RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260116T100000", "20260117T100000"),
    )
    assert one_series(book).standing.until == date(2026, 1, 14)
    assert reasons(book) == ["It changes all following dates of a series with several days; the series ends before it."]


# -- identity


def test_the_same_file_twice_has_the_same_keys() -> None:
    parts = [event("RRULE:FREQ=WEEKLY"), event(uid="two"), event("UID:", name="Client Two")]
    first, second = read(*parts), read(*parts)
    assert first == second
    moved = read(event("LOCATION:Room 9", "DTSTART;TZID=Europe/Berlin:20260106T101500", uid="two"))
    assert moved.singles[0].key in {single.key for single in first.singles}


def test_a_newer_version_of_an_event_wins() -> None:
    older = event("SEQUENCE:1", "LOCATION:Room 1")
    newer = event("SEQUENCE:2", "LOCATION:Room 2", "DTSTART;TZID=Europe/Berlin:20260106T101000")
    book = read(newer, older)
    assert [single.room for single in book.singles] == ["Room 2"]
    assert reasons(book) == ["The same event is in the file in another version."]


def test_one_uid_for_different_events_tells_them_apart() -> None:
    other = event(
        "DTSTART;TZID=Europe/Berlin:20260107T100000", "DTEND;TZID=Europe/Berlin:20260107T105000", name="Client Two"
    )
    book = read(event(), other)
    assert [single.client for single in book.singles] == ["Client One", "Client Two"]
    assert len({single.key for single in book.singles}) == 2
    assert "share one UID" in notes(book)


def test_no_key_tells_what_it_was_made_of() -> None:
    book = read(event(uid="client-one@clinic.example"))
    assert len(book.singles[0].key) == 32
    assert int(book.singles[0].key, 16)


# -- zones

OUTLOOK = """BEGIN:VTIMEZONE
TZID:{name}
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE"""


def at_ten(tzid: str) -> str:
    return event(f"DTSTART;TZID={tzid}:20260707T100000", f"DTEND;TZID={tzid}:20260707T105000")


@pytest.mark.parametrize(
    "tzid",
    [
        "Europe/Berlin",
        '"Europe/Berlin"',
        "W. Europe Standard Time",
        "w. europe standard time",
        "/freeassociation.sourceforge.net/Tzfile/Europe/Berlin",
        "/example.org/20070129_1/Europe/Berlin",
        "Europe_Berlin",
        "europe/berlin",
    ],
)
def test_a_known_zone_is_known_in_every_spelling(tzid: str) -> None:
    book = read(at_ten(tzid), zone="America/New_York")
    assert [single.starts for single in book.singles] == [datetime(2026, 7, 7, 4)]


def test_a_zone_of_unknown_name_is_found_by_its_rules() -> None:
    tzid = "(UTC+01:00) Amsterdam, Berlin, Bern"
    book = read(OUTLOOK.format(name=tzid), at_ten(f'"{tzid}"'))
    assert [single.starts for single in book.singles] == [datetime(2026, 7, 7, 10)]
    assert "by its rules" in notes(book)
    away = read(OUTLOOK.format(name=tzid), at_ten(tzid), zone="America/New_York")
    assert [single.starts for single in away.singles] == [datetime(2026, 7, 7, 4)]


def test_a_zone_that_nobody_knows_stays_out_until_it_is_named() -> None:
    book = read(at_ten("Practice Time"))
    assert reasons(book) == [
        'The file does not say what its time zone "Practice Time" is. Name the zone and try again.'
    ]
    named = read(at_ten("Practice Time"), zones={"Practice Time": "Europe/London"})
    assert named.singles[0].starts == datetime(2026, 7, 7, 11)


def test_a_zone_that_contradicts_its_name_is_noted_and_the_name_counts() -> None:
    book = read(OUTLOOK.format(name="America/New_York"), at_ten("America/New_York"), zone="America/New_York")
    assert book.singles[0].starts == datetime(2026, 7, 7, 10)
    assert "differ from the official ones" in notes(book)
    assert "differ" not in notes(read(OUTLOOK.format(name=BERLIN), at_ten(BERLIN)))


@pytest.mark.parametrize("offset", ["+5328", "+005328", "+1", "noon"])
def test_old_offsets_with_seconds_do_no_harm(offset: str) -> None:
    old = f"BEGIN:STANDARD\nDTSTART:18930401T000000\nTZOFFSETFROM:{offset}\nTZOFFSETTO:+0100\nEND:STANDARD\n"
    zone = OUTLOOK.format(name=BERLIN).replace("BEGIN:STANDARD\n", old + "BEGIN:STANDARD\n", 1)
    assert read(zone, at_ten(BERLIN)).singles[0].starts == datetime(2026, 7, 7, 10)


def test_floating_times_are_the_sites_and_noted() -> None:
    book = read(event("DTSTART:20260707T100000", "DTEND:20260707T105000"), zone="America/New_York")
    assert book.singles[0].starts == datetime(2026, 7, 7, 10)
    assert notes(book) == "A time without a time zone was read in the site's, America/New_York."


def test_utc_is_carried_to_the_sites_wall() -> None:
    book = read(event("DTSTART:20260707T080000Z", "DTEND:20260707T085000Z"))
    assert (book.singles[0].starts, notes(book)) == (datetime(2026, 7, 7, 10), "")


def test_a_series_in_a_zone_whose_clocks_run_alike_stays_a_series() -> None:
    start = ["DTSTART;TZID=Europe/Paris:20260106T233000", "DTEND;TZID=Europe/Paris:20260107T002000"]
    assert one_series(read(event(*start, "RRULE:FREQ=WEEKLY"))).standing.hours[0].day is Weekday.TU
    start = ["DTSTART;TZID=Europe/London:20260106T233000", "DTEND;TZID=Europe/London:20260107T002000"]
    series = one_series(read(event(*start, "RRULE:FREQ=WEEKLY", "EXDATE;TZID=Europe/London:20260113T233000")))
    assert series.standing.hours == (Hour(day=Weekday.WE, at=time(0, 30)),)
    assert series.lost == (datetime(2026, 1, 14, 0, 30),)


def test_a_series_that_is_no_one_hour_here_becomes_its_dates_or_stays_out() -> None:
    start = ["DTSTART:20260303T090000Z", "DTEND:20260303T095000Z"]
    book = read(event(*start, "RRULE:FREQ=WEEKLY;COUNT=6", "EXDATE:20260310T090000Z"))
    assert [single.starts.hour for single in book.singles] == [10, 10, 10, 11, 11]
    assert "single appointments" in notes(book)
    assert reasons(read(event(*start, "RRULE:FREQ=WEEKLY"))) == [
        "It keeps its hour in UTC, which is not one hour of the week in Europe/Berlin."
    ]


def test_an_end_in_another_zone_is_the_same_moment() -> None:
    book = read(event("DTEND;TZID=America/New_York:20260106T045000"))
    assert book.singles[0].minutes == 50


def test_a_zone_that_is_none_is_refused() -> None:
    with pytest.raises(UnknownZone):
        read(event(), zone="Europe/Nowhere")


# -- the text itself


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_marks_and_line_ends(end: str, mark: bytes) -> None:
    book = parse(mark + calendar(event(), end=end), default_zone=BERLIN, therapist="Therapist A")
    assert (len(book.singles), book.singles[0].line) == (1, 4)


def test_utf_16() -> None:
    data = calendar(event(name="Zoë One")).decode().encode("utf-16")
    assert parse(data, default_zone=BERLIN, therapist="Therapist A").singles[0].client == "Zoë One"


def test_a_fold_inside_a_character() -> None:
    whole = calendar(event(name="Zoë One"))
    cut = whole.index("ë".encode()) + 1
    folded = whole[:cut] + b"\r\n " + whole[cut:]
    book = parse(folded, default_zone=BERLIN, therapist="Therapist A")
    assert (book.singles[0].client, book.noted) == ("Zoë One", ())


def test_windows_1252_is_read_and_noted() -> None:
    data = calendar(event(name="Zoë One")).replace("ë".encode(), b"\xeb")
    book = parse(data, default_zone=BERLIN, therapist="Therapist A")
    assert (book.singles[0].client, notes(book)) == ("Zoë One", "A line that is not UTF-8 was read as Windows-1252.")


def test_lines_that_are_no_lines_are_passed_over_and_noted() -> None:
    book = read(event("", "DESCRIPTION:first", "second without a name", 'LOCATION;X="y:Room'))
    assert len(book.singles) == 1
    assert len(book.noted) == 2


def test_control_signs_never_come_through() -> None:
    book = read(event("LOCATION:Room\x1b[31m 1\x00\x07"), event(uid="two", name="Client\\nTwo"))
    assert (book.singles[0].room, book.singles[1].client) == ("Room[31m 1", "Client Two")


def test_bare_events_and_several_calendars() -> None:
    bare = event().replace("\n", "\r\n").encode()
    assert len(parse(bare, default_zone=BERLIN, therapist="Therapist A").singles) == 1
    two = calendar(event()) + calendar(event(uid="two"))
    assert len(parse(two, default_zone=BERLIN, therapist="Therapist A").singles) == 2


def test_other_things_in_a_calendar_are_noted() -> None:
    book = read("BEGIN:VTODO\nUID:x\nSUMMARY:Call\nEND:VTODO")
    assert notes(book) == "The calendar holds no events. A task is no appointment and was passed over."


def test_a_file_that_breaks_off_gives_what_came_before() -> None:
    whole = calendar(event(), event(uid="two"))
    book = parse(whole[: whole.rindex(b"DTEND")], default_zone=BERLIN, therapist="Therapist A")
    assert (len(book.singles), reasons(book)) == (1, ["The file breaks off inside it."])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "The file is empty."),
        (b" \r\n", "The file is empty."),
        (b"Dear clinic,\nplease find enclosed", "This is not a calendar file"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "This is not a calendar file"),
        (b"PK\x03\x04 zip", "This is not a calendar file"),
        (b"BEGIN:VCARD\r\nEND:VCARD\r\n", "This is not a calendar file"),
        (b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n", "Line 3 ends VCALENDAR, but the open part is VEVENT"),
        (b"END:VCALENDAR\n", "Line 1 ends VCALENDAR, but nothing is open"),
        (b"BEGIN:VCALENDAR\n" * 20, "Line 9 opens a part more than 8 deep"),
        (b"BEGIN:VCALENDAR\n" + b"x" * 17_000_000, "The file is larger than 16 MB."),
    ],
)
def test_what_is_no_calendar_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(CannotRead, match=reason.replace("(", r"\(")):
        parse(data, default_zone=BERLIN)


# -- hostile files: each would take minutes without its bound


def test_rules_that_match_nothing_are_bounded() -> None:
    rules = ["FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=9", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;UNTIL=99990101T000000Z"]
    book = read(*(event(f"RRULE:{rules[n % 2]}", uid=str(n)) for n in range(40)))
    assert (len(book.rejected), book.singles) == (40, ())


def test_only_so_many_odd_rules() -> None:
    book = read(*(event("RRULE:FREQ=MONTHLY;COUNT=2", uid=str(n)) for n in range(1002)))
    assert len(book.singles) == 2000
    assert reasons(book) == ["The file has more than 1,000 rules that are not weekly."] * 2


def test_only_so_many_dates_of_odd_rules() -> None:
    book = read(*(event("RRULE:FREQ=DAILY;COUNT=200", uid=str(n)) for n in range(101)))
    assert len(book.singles) == 20_000
    assert reasons(book) == ["The file has more than 20,000 dates of rules not weekly here."]


def test_zones_that_would_take_long_are_not_worked_through() -> None:
    endless = OUTLOOK.format(name="Own").replace("FREQ=YEARLY", "FREQ=SECONDLY")
    never = OUTLOOK.format(name="Own").replace("BYDAY=-1SU;BYMONTH=10", "BYMONTH=2;BYMONTHDAY=30")
    for zone in (endless, never):
        assert len(read(zone, at_ten("Own")).rejected) == 1


def test_a_line_folded_a_hundred_thousand_times() -> None:
    assert len(read(event("LOCATION:R" + "\n x" * 100_000)).rejected) == 1


# -- against another engine


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 3),
    st.sets(st.sampled_from(["MO", "TU", "WE", "FR", "SU"]), max_size=3),
    st.sampled_from(["", ";COUNT=9", ";UNTIL=20260401T080000Z"]),
    st.sampled_from(["", ";WKST=SU"]),
    st.integers(0, 10**6),
)
def test_dates_are_those_of_recurring_ical_events(
    interval: int, days: set[str], end: str, wkst: str, seed: int
) -> None:
    chance = random.Random(seed)
    rule = f"FREQ=WEEKLY;INTERVAL={interval}{wkst}{end};BYDAY={','.join(sorted(days | {'TU'}))}"
    skipped = chance.sample([6, 13, 20, 27], 2)
    data = calendar(
        event(f"RRULE:{rule}", *(f"EXDATE;TZID=Europe/Berlin:202601{day:02}T100000" for day in skipped)),
        override(";TZID=Europe/Berlin:20260203T100000", f"2026020{chance.randrange(3, 6)}T170000")
        if interval == 1
        else "",
    )
    since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)
    peers = recurring_ical_events.of(icalendar.Calendar.from_ical(data)).between(since, until)
    expected = sorted(one["DTSTART"].dt.astimezone(UTC) for one in peers)
    book = parse(data, default_zone=BERLIN, therapist="Therapist A")
    ours = [instant(single.starts, BERLIN) for single in book.singles]
    for series in book.series:
        told = {one.slot: one.starts for one in series.entries}
        kept = [slot for slot in series.expected(until=datetime(2026, 5, 1)) if slot not in series.lost]
        ours += [instant(told.get(slot, slot), BERLIN) for slot in kept]
    assert sorted(at for at in ours if at < until) == expected


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_damage_gives_a_traceback(data: st.DataObject) -> None:
    """Lines dropped, doubled, swapped and overwritten: it is read, or refused."""
    whole = calendar(
        OUTLOOK.format(name="Own"),
        event("RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=9", "EXDATE;VALUE=DATE:20260120", "RDATE:20260108T100000Z"),
        override(";RANGE=THISANDFUTURE;TZID=Own:20260203T100000", "20260204T170000"),
        event("DURATION:PT1H", "SEQUENCE:4", "ORGANIZER;CN=Therapist B:mailto:b@clinic.example", uid="two"),
    )
    try:
        book = parse(damaged(whole, data), default_zone=BERLIN)
    except CannotRead as refusal:
        assert refusal.message
    else:
        keys = [one.key for one in (*book.series, *book.singles)]
        assert len(keys) == len(set(keys))
