"""Entries to bytes: the shape itself, what hostile text can't do to it, and what is refused on reading back.

`golden/*.ics` were written by hand from the rules; whoever changes a rule changes them on purpose.
"""

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar, Component, Event

from service.domain.hours import Hour, Weekday
from service.domain.privacy import Privacy, names_a_client, summary_for, summary_of_absence
from service.domain.standing import Modality, Standing
from service.feeds.ics import (
    FeedCalendar,
    FeedEntry,
    FeedEvent,
    FeedHeader,
    FeedLeave,
    FeedOverride,
    FeedStanding,
    join,
    render,
    render_piece,
    uid_of_slot,
)
from service.feeds.plain_text import lines, one_line
from service.feeds.reading_back import CannotPublish, verify

GOLDEN = Path(__file__).parent / "golden"
UID = "0b9f8a52-6c1e-4b3a-9f56-2f6f2c0d8a11"
OTHER_UID = "6f0b7f0e-53f4-4f0e-8f0d-0b1a7a0c9d22"
CHANGED = datetime(2026, 2, 20, 14, 5, 9, tzinfo=UTC)
HEADER = FeedHeader(name="Therapist A", zone="Europe/Dublin", since=date(2026, 1, 5), color="teal")

TUESDAYS = Standing(
    id="s",
    therapist="t",
    room="r",
    modality=Modality.IN_PERSON,
    hours=(Hour(day=Weekday.TU, at=time(10)),),
    every_weeks=1,
    minutes=50,
    zone="Europe/Dublin",
    since=date(2026, 3, 2),
    until=date(2026, 4, 21),
)


def entry(standing: Standing = TUESDAYS, **differently: Any) -> FeedStanding:
    plain = FeedStanding(uid=UID, standing=standing, summary="Busy", changed_at=CHANGED, sequence=3)
    return replace(plain, **differently)


def moved(slot: str, to: str) -> FeedOverride:
    return FeedOverride(slot=local(slot), starts=local(to), minutes=50, summary="Busy", changed_at=CHANGED, sequence=1)


def single(**differently: Any) -> FeedEvent:
    plain = FeedEvent(
        uid=OTHER_UID,
        zone="Europe/Dublin",
        starts=datetime(2026, 3, 5, 16),
        minutes=50,
        summary="Busy",
        changed_at=CHANGED,
        sequence=0,
    )
    return replace(plain, **differently)


def leave(since: str, until: str) -> FeedLeave:
    return FeedLeave(
        uid=OTHER_UID,
        zone="Europe/Dublin",
        since=local(since),
        until=local(until),
        summary="Away",
        changed_at=CHANGED,
        sequence=0,
    )


def local(text: str) -> datetime:
    return datetime.fromisoformat(text)


def text_of(feed_entry: FeedEntry) -> str:
    return render_piece(feed_entry).body.decode()


def events_of(*entries: FeedEntry) -> list[Any]:
    body = render(FeedCalendar(header=HEADER, entries=entries))
    return list(Calendar.from_ical(body).walk("VEVENT"))


def values(text: str, name: str) -> list[str]:
    """Parameters and value of every property of that name, as written."""
    return re.findall(rf"^{name}[;:](.*)\r$", text, flags=re.MULTILINE)


# --- the shape


@pytest.mark.parametrize(
    ("golden", "entries"),
    [
        ("empty.ics", ()),
        (
            "standing.ics",
            (
                entry(
                    location="Room 2",
                    lost=(local("2026-03-10T10:00"),),
                    overrides=(moved("2026-03-17T10:00", "2026-03-19T14:30"),),
                ),
            ),
        ),
        ("single.ics", (single(is_cancelled=True, location="Room 2"), leave("2026-08-03", "2026-08-17"))),
    ],
)
def test_the_feed_is_the_golden_one(golden: str, entries: tuple[FeedEntry, ...]) -> None:
    expected = (GOLDEN / golden).read_bytes().replace(b"\n", b"\r\n")
    assert render(FeedCalendar(header=HEADER, entries=entries)).decode() == expected.decode()


def test_until_is_the_last_start_in_utc() -> None:
    evenings = replace(TUESDAYS, hours=(Hour(day=Weekday.MO, at=time(22)),), zone="America/New_York")
    assert "UNTIL=20260421T020000Z" in text_of(entry(evenings))  # Monday evening there


def test_open_ended_has_no_until() -> None:
    assert "UNTIL" not in text_of(entry(replace(TUESDAYS, until=None)))


def test_the_first_instance_is_one_of_the_rule() -> None:
    """Agreed on a Friday for every other Tuesday: the first is in the next week that has its turn."""
    fortnightly = replace(TUESDAYS, every_weeks=2, since=date(2026, 3, 6), until=None)
    text = text_of(entry(fortnightly))
    assert values(text, "DTSTART") == ["TZID=Europe/Dublin:20260317T100000"]
    assert values(text, "RRULE") == ["FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"]


def test_two_times_of_day_are_two_series() -> None:
    hours = (Hour(day=Weekday.TU, at=time(10)), Hour(day=Weekday.TH, at=time(10)), Hour(day=Weekday.FR, at=time(15)))
    text = text_of(entry(replace(TUESDAYS, hours=hours, until=None)))
    assert values(text, "RRULE") == ["FREQ=WEEKLY;BYDAY=TU,TH", "FREQ=WEEKLY;BYDAY=FR"]
    assert len(set(values(text, "UID"))) == 2


def test_a_lost_slot_is_excluded_in_the_form_of_the_start() -> None:
    text = text_of(entry(lost=(local("2026-03-31T10:00"), local("2026-03-10T10:00"))))
    assert values(text, "EXDATE") == ["TZID=Europe/Dublin:20260310T100000", "TZID=Europe/Dublin:20260331T100000"]


def test_a_slot_is_never_both_lost_and_changed() -> None:
    with pytest.raises(ValueError, match="once"):
        entry(lost=(local("2026-03-10T10:00"),), overrides=(moved("2026-03-10T10:00", "2026-03-11T10:00"),))
    with pytest.raises(ValueError, match="once"):
        entry(overrides=(moved("2026-03-10T10:00", "2026-03-11T10:00"), moved("2026-03-10T10:00", "2026-03-12T10:00")))


def test_a_lost_slot_that_the_pattern_does_not_expect_is_no_exception() -> None:
    assert "EXDATE" not in text_of(entry(lost=(local("2026-03-11T10:00"), local("2026-05-05T10:00"))))


@pytest.mark.parametrize("to", ["2026-03-18T10:00", "2026-03-30T23:00", "2026-03-24T07:00"])
def test_moved_between_its_neighbours_it_stays_in_the_series(to: str) -> None:
    text = text_of(entry(overrides=(moved("2026-03-24T10:00", to),)))
    assert values(text, "RECURRENCE-ID") == ["TZID=Europe/Dublin:20260324T100000"]
    assert values(text, "UID") == [UID, UID]
    assert "EXDATE" not in text


@pytest.mark.parametrize("to", ["2026-03-17T08:00", "2026-03-12T10:00", "2026-03-31T18:00", "2026-05-05T10:00"])
def test_moved_to_a_neighbours_day_or_past_it_it_stands_alone(to: str) -> None:
    text = text_of(entry(overrides=(moved("2026-03-24T10:00", to),)))
    assert "RECURRENCE-ID" not in text
    assert values(text, "EXDATE") == ["TZID=Europe/Dublin:20260324T100000"]
    assert values(text, "UID") == [UID, uid_of_slot(UID, local("2026-03-24T10:00"))]


def test_an_override_of_no_slot_stands_alone() -> None:
    text = text_of(entry(overrides=(moved("2026-03-25T10:00", "2026-03-26T10:00"),)))
    assert "RECURRENCE-ID" not in text and "EXDATE" not in text
    assert "DTSTART;TZID=Europe/Dublin:20260326T100000" in text


def test_a_skipped_wall_time_is_an_event_of_its_own_in_utc_between_two_series() -> None:
    """Excluded in one series, libical would show it all the same, and the next one an hour late."""
    nights = replace(TUESDAYS, hours=(Hour(day=Weekday.SU, at=time(1, 30)),))
    text = text_of(entry(nights))
    assert "EXDATE" not in text
    assert values(text, "RRULE") == [
        "FREQ=WEEKLY;UNTIL=20260322T013000Z;BYDAY=SU",
        "FREQ=WEEKLY;UNTIL=20260419T003000Z;BYDAY=SU",
    ]
    assert "DTSTART:20260329T013000Z\r\nDTEND:20260329T022000Z\r\n" in text
    assert len(set(values(text, "UID"))) == 3


def test_a_fortnightly_night_keeps_its_turn_after_the_clocks_skipped_one() -> None:
    nights = replace(TUESDAYS, hours=(Hour(day=Weekday.SU, at=time(1, 30)),), every_weeks=2, since=date(2026, 3, 9))
    starts = values(text_of(entry(nights)), "DTSTART")
    assert [start for start in starts if start.startswith("TZID")] == [
        "TZID=Europe/Dublin:20260315T013000",
        "TZID=Europe/Dublin:20260412T013000",
    ]


def test_an_hour_across_the_change_keeps_its_length() -> None:
    nights = replace(TUESDAYS, hours=(Hour(day=Weekday.SU, at=time(0, 30)),), since=date(2026, 10, 19), until=None)
    text = text_of(entry(replace(nights, minutes=120)))
    assert "DTSTART:20261024T233000Z\r\nDTEND:20261025T013000Z\r\n" in text


def test_whole_days_away_are_dates_and_parts_of_days_are_times() -> None:
    assert "DTSTART;VALUE=DATE:20260803\r\nDTEND;VALUE=DATE:20260804\r\n" in text_of(leave("2026-08-03", "2026-08-04"))
    part = text_of(leave("2026-08-03T12:00", "2026-08-05"))
    assert values(part, "DTSTART") == ["TZID=Europe/Dublin:20260803T120000"]
    assert values(part, "DTEND") == ["TZID=Europe/Dublin:20260805T000000"]
    across_the_change = text_of(leave("2026-03-27T12:00", "2026-03-30T09:00"))
    assert values(across_the_change, "DTEND") == ["20260330T080000Z"]


def test_all_slots_lost_is_no_event() -> None:
    days = [TUESDAYS.since + timedelta(days=1, weeks=week) for week in range(7)]
    piece = render_piece(entry(lost=tuple(datetime.combine(day, time(10)) for day in days)))
    assert (piece.events, piece.body) == (0, b"")


def test_a_standing_that_ends_before_it_takes_place_is_no_event() -> None:
    assert render_piece(entry(replace(TUESDAYS, since=date(2026, 3, 4), until=date(2026, 3, 9)))).events == 0


# --- change detection


def test_the_same_facts_are_the_same_bytes_in_whatever_order() -> None:
    one, other = render_piece(entry()), render_piece(single())
    assert join(HEADER, [one, other]) == join(HEADER, [other, one])


def test_stamps_are_the_change_and_never_now() -> None:
    for event in events_of(entry(overrides=(moved("2026-03-24T10:00", "2026-03-25T10:00"),)), single()):
        assert event["DTSTAMP"].dt == event["LAST-MODIFIED"].dt == CHANGED


def test_an_override_is_never_older_than_its_series() -> None:
    later = CHANGED + timedelta(days=2)
    events = events_of(entry(changed_at=later, sequence=9, overrides=(moved("2026-03-24T10:00", "2026-03-25T10:00"),)))
    assert [event["SEQUENCE"] for event in events] == [9, 9]
    assert {event["LAST-MODIFIED"].dt for event in events} == {later}


def test_the_zone_is_described_from_before_the_oldest_event() -> None:
    since_2024 = entry(replace(TUESDAYS, since=date(2024, 2, 1)))
    body = render(FeedCalendar(header=HEADER, entries=(since_2024, single(zone="Asia/Kolkata"))))
    assert values(body.decode(), "TZID") == ["Asia/Kolkata", "Europe/Dublin"]
    assert b"DTSTART:20230326T010000\r\n" in body


# --- hostile text

NASTY = [
    "\r\nEND:VEVENT\r\nBEGIN:VALARM",
    "a\nATTENDEE:mailto:x@example.org",
    "x\x0bDTSTART:20200101",
    "\u2028UID:1",
    "\x85BEGIN:VEVENT",
    "\\n\\;\\,",
    '";X=1:',
    "\x00\x1f\x7f\x9f",
    "\ud800",
    "\ufeff",
    "{}" * 60,
    "日本語" * 40,
    "👩‍👩‍👧" * 20,
    " " * 80 + "\\",
]
HOSTILE = st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=40)), max_size=4).map("".join)


def bare(text: str) -> FeedCalendar:
    """A calendar in which all that a person can type is that text."""
    override = replace(moved("2026-03-24T10:00", "2026-03-25T10:00"), summary=text, location=text, description=text)
    entries = (
        entry(summary=text, location=text, description=text, overrides=(override,)),
        single(summary=text, location=text, description=text, is_cancelled=True),
    )
    return FeedCalendar(header=replace(HEADER, name=text, color=text), entries=entries)


def skeleton(calendar: Component) -> Counter[tuple[str | None, str]]:
    texts = {"SUMMARY", "LOCATION", "DESCRIPTION", "COLOR", "NAME", "X-WR-CALNAME"}
    return Counter((component.name, name) for component in calendar.walk() for name in component if name not in texts)


@settings(max_examples=150, deadline=None)
@given(text=HOSTILE)
def test_no_text_breaks_out_of_its_property(text: str) -> None:
    body = render(bare(text))
    verify(body, events=3)
    calendar = Calendar.from_ical(body)
    assert skeleton(calendar) == skeleton(Calendar.from_ical(render(bare("Busy"))))
    for event in calendar.walk("VEVENT"):
        called = f"Cancelled: {text}" if event["STATUS"] == "CANCELLED" else text
        assert str(event.get("SUMMARY", "")) == one_line(called)
        assert str(event.get("DESCRIPTION", "")) == lines(text)


@pytest.mark.parametrize("text", NASTY)
def test_each_known_trick_reads_back_as_text(text: str) -> None:
    verify(render(bare(text)), events=3)


def test_control_unguarded_text_does_break_the_feed() -> None:
    """What icalendar does with a vertical tab by itself, and what reading back says to it."""
    event = Event()
    event.add("SUMMARY", "one\x0btwo")
    assert b"\x0b" in event.to_ical()
    body = render(bare("Busy")).replace(b"SUMMARY:Busy", b"SUMMARY:one\x0btwo", 1)
    with pytest.raises(CannotPublish, match="control character"):
        verify(body, events=3)


def test_lines_are_folded_between_characters() -> None:
    text = "x" + "é👩日" * 50
    for line in render(bare(text)).split(b"\r\n"):
        assert len(line) <= 75
        line.decode()


def test_plain_text_is_left_as_it_is() -> None:
    assert one_line("Zoë O'Brien, room 2; ground floor") == "Zoë O'Brien, room 2; ground floor"
    assert one_line("  a\tb \r\n c\\d  ") == "a b c/d"
    assert lines(" a \n\n b\x0cc ") == "a\n\nb\nc"


# --- reading back

GOOD = render(FeedCalendar(header=HEADER, entries=(entry(lost=(local("2026-03-10T10:00"),)), single())))


@pytest.mark.parametrize(
    ("fault", "was", "becomes"),
    [
        ("octets long", b"SUMMARY:Busy", b"SUMMARY:" + b"x" * 80),
        ("inside a character", b"SUMMARY:Busy", b"SUMMARY:\xc3\r\n \xa9"),
        ("control character", b"SUMMARY:Busy", b"SUMMARY:Bu\rsy"),
        ("unknown kind", b"END:VEVENT", b"BEGIN:VTODO\r\nEND:VTODO\r\nEND:VEVENT"),
        ("more or less", b"END:VEVENT", b"BEGIN:VALARM\r\nACTION:AUDIO\r\nEND:VALARM\r\nEND:VEVENT"),
        ("programs read differently", b"SUMMARY:Busy", b"ATTENDEE:mailto:x@example.org"),
        ("programs read differently", b"VERSION:2.0", b"VERSION:2.0\r\nMETHOD:PUBLISH"),
        ("can't be read", b"DTSTART;TZID=Europe/Dublin:20260303T100000", b"DTSTART;TZID=Europe/Dublin:2026033T1000"),
        ("lacks a property", b"DTEND;TZID=Europe/Dublin:20260303T105000", b"LOCATION:x"),
        ("twice", OTHER_UID.encode(), UID.encode()),
        ("no series", OTHER_UID.encode(), OTHER_UID.encode() + b"\r\nRECURRENCE-ID:20260301T100000Z"),
        (
            "excluded and overridden",
            OTHER_UID.encode(),
            UID.encode() + b"\r\nRECURRENCE-ID;TZID=Europe/Dublin:20260310T100000",
        ),
        ("not described", b"TZID:Europe/Dublin", b"TZID:Europe/London"),
        ("begin and end", b"BEGIN:VCALENDAR", b"\xef\xbb\xbfBEGIN:VCALENDAR"),
        ("begin and end", b"END:VCALENDAR\r\n", b"END:VCALENDAR"),
    ],
)
def test_what_some_program_would_trip_over_is_refused(fault: str, was: bytes, becomes: bytes) -> None:
    broken = GOOD.replace(was, becomes, 1)
    assert broken != GOOD
    with pytest.raises(CannotPublish, match=fault):
        verify(broken, events=2)


def test_a_missing_event_is_refused_and_a_good_feed_is_not() -> None:
    verify(GOOD, events=2)
    with pytest.raises(CannotPublish, match="3 events went in and 2 came out"):
        verify(GOOD, events=3)


def test_an_empty_body_is_refused() -> None:
    with pytest.raises(CannotPublish):
        verify(b"", events=0)


def test_the_refusal_quotes_nothing() -> None:
    broken = GOOD.replace(b"SUMMARY:Busy", b"SUMMARY:Client One" + b"x" * 80, 1)
    with pytest.raises(CannotPublish) as refusal:
        verify(broken, events=2)
    assert "Client One" not in str(refusal.value)


# --- privacy


@pytest.mark.parametrize(
    ("level", "said"),
    [
        (Privacy.BUSY, "Busy"),
        (Privacy.INITIALS, "C. O."),
        (Privacy.REFERENCE, "R-104"),
        (Privacy.NAME, "Client One"),
    ],
)
def test_an_hour_is_called_what_the_level_allows(level: Privacy, said: str) -> None:
    assert summary_for(level, initials="C. O.", reference="R-104", name="Client One") == said
    assert names_a_client(level) is (said == "Client One")


@pytest.mark.parametrize("level", list(Privacy))
def test_where_a_word_is_missing_less_is_said(level: Privacy) -> None:
    said = summary_for(level, initials="", reference=" ", name="Client One" if level is not Privacy.NAME else "")
    assert said == "Busy"


def test_leave_is_only_away_where_the_feed_says_only_busy() -> None:
    assert summary_of_absence(Privacy.BUSY, name="Conference") == "Away"
    assert summary_of_absence(Privacy.INITIALS, name="Conference") == "Conference"


def test_the_uid_of_a_slot_is_stable_and_says_nothing() -> None:
    slot = local("2026-03-24T10:00")
    assert uid_of_slot(UID, slot) == uid_of_slot(UID, slot) != uid_of_slot(str(uuid4()), slot)
    assert UID not in uid_of_slot(UID, slot)
