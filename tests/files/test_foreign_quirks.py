"""What real calendars do wrong, one row each, as both readers take it: the old book that is brought in, and the outside
calendar that is only read for when somebody is busy. What is clear is taken, what is not stays out with its reason."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from service.domain.book import Book
from service.domain.hours import instant
from service.files import ics_book, ics_busy
from tests.files.test_ics_book import BERLIN, OUTLOOK, calendar, notes, reasons

SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
TEN = "DTSTART;TZID=Europe/Berlin:20260106T100000"
WEEKLY = "RRULE:FREQ=WEEKLY;COUNT=4"
EVERY_TUESDAY = ["06 10:00", "13 10:00", "20 10:00", "27 10:00"]
LMT = (
    "BEGIN:VTIMEZONE\nTZID:Europe/Amsterdam\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+001932\n"
    "TZOFFSETTO:+001932\nTZNAME:LMT\nEND:STANDARD\nEND:VTIMEZONE"
)
WRONG = OUTLOOK.format(name="Europe/Berlin").replace("+0100", "+0900").replace("+0200", "+1000")


@dataclass(frozen=True, kw_only=True)
class Quirk:
    lines: tuple[str, ...]
    """Of the event; without a DTSTART, TEN. It lasts an hour unless they say otherwise."""
    before: str = ""
    """What stands before it in the file."""
    after: str = ""
    days: tuple[str, ...] = ("06 10:00",)
    """In January, on Berlin's wall: when it takes place."""
    said: str = ""
    """A part of what the import says of it."""
    left_out: str = ""
    """Why the outside calendar leaves it out, where it does."""


QUIRKS: dict[str, Quirk] = {
    "a Windows zone name": Quirk(
        lines=("DTSTART;TZID=W. Europe Standard Time:20260106T100000",), said="was read as Europe/Berlin"
    ),
    "a quoted zone": Quirk(lines=('DTSTART;TZID="Europe/Berlin":20260106T100000',)),
    "a zone with a vendor's prefix": Quirk(
        lines=("DTSTART;TZID=/freeassociation.sourceforge.net/Europe/Berlin:20260106T100000",),
        said="was read as Europe/Berlin",
    ),
    "a zone in small letters": Quirk(
        lines=("DTSTART;tzid=europe/berlin:20260106T100000",), said="was read as Europe/Berlin"
    ),
    "a zone with a colon in its name": Quirk(
        before=OUTLOOK.format(name="(UTC+01:00) Berlin, Rome"),
        lines=("DTSTART;TZID=(UTC+01:00) Berlin, Rome:20260106T100000",),
        said="by its rules",
    ),
    "a floating time": Quirk(lines=("DTSTART:20260106T100000",), said="without a time zone was read in the site's"),
    "a zone without its VTIMEZONE": Quirk(lines=("DTSTART;TZID=Europe/Paris:20260106T100000",)),
    "a zone that contradicts its name": Quirk(before=WRONG, lines=(TEN,), said="differ from the official ones"),
    "a zone that nobody knows": Quirk(
        lines=("DTSTART;TZID=Own:20260106T100000",), days=(), said="does not say what its time zone", left_out="zone"
    ),
    "a zone of 1970 with seconds": Quirk(
        before=LMT, lines=("DTSTART;TZID=Europe/Amsterdam:20260106T100000",), said="differ from the official ones"
    ),
    "UTC said twice": Quirk(lines=("DTSTART;TZID=GMT:20260106T090000Z",)),
    "a date left out in another zone": Quirk(
        lines=(WEEKLY, "EXDATE;TZID=America/New_York:20260113T040000"), days=("06 10:00", "20 10:00", "27 10:00")
    ),
    "a date left out as a day": Quirk(
        lines=(WEEKLY, "EXDATE;VALUE=DATE:20260113"), days=("06 10:00", "20 10:00", "27 10:00"), said="as the whole day"
    ),
    "a date left out in UTC": Quirk(
        lines=(WEEKLY, "EXDATE:20260113T090000Z,20260120T090000Z"), days=("06 10:00", "27 10:00")
    ),
    "a date left out that is none": Quirk(
        lines=(WEEKLY, "EXDATE:20260114T090000Z"), days=tuple(EVERY_TUESDAY), said="is none of its series"
    ),
    "a change without its series": Quirk(
        lines=("RECURRENCE-ID;TZID=Europe/Berlin:20260105T100000",), said="of a series that is not in the file"
    ),
    "an end of the wrong type": Quirk(
        lines=("RRULE:FREQ=WEEKLY;UNTIL=20260127",), days=tuple(EVERY_TUESDAY), said="as including that day"
    ),
    "an end without a zone": Quirk(
        lines=("RRULE:FREQ=WEEKLY;UNTIL=20260127T100000",), days=tuple(EVERY_TUESDAY), said="in its event's zone"
    ),
    "one UID twice, the older first": Quirk(
        lines=("SEQUENCE:1", "DTSTART;TZID=Europe/Berlin:20260108T100000"),
        after=f"BEGIN:VEVENT\nUID:one\nSUMMARY:Client One\nSEQUENCE:2\n{TEN}\nDURATION:PT1H\nEND:VEVENT",
        said="in another version",
    ),
    "no end": Quirk(lines=("DURATION:PT0S",), days=(), said="It has no end."),
    "no end at all": Quirk(lines=("-DURATION",), days=(), said="It has no end.", left_out="no_end"),
    "an end before the start": Quirk(
        lines=("DTEND;TZID=Europe/Berlin:20260106T090000",), days=(), said="It lasts -60 minutes", left_out="time"
    ),
    "a start with seconds": Quirk(
        lines=("DTSTART;TZID=Europe/Berlin:20260106T100030", "DURATION:PT1H"), said="Seconds were dropped"
    ),
    "a line that is none": Quirk(lines=("DTSTAMP",), after="nonsense", said="not iCalendar"),
    "something else in the file": Quirk(
        lines=(), after="BEGIN:VTODO\nUID:t\nEND:VTODO", said="A task is no appointment"
    ),
}


def file_of(quirk: Quirk, end: str = "\r\n") -> bytes:
    stated = {line.partition(":")[0].partition(";")[0].lstrip("-") for line in quirk.lines}
    plain = [TEN] if "DTSTART" not in stated else []
    plain += ["DURATION:PT1H"] if not stated & {"DURATION", "DTEND"} else []
    lines = [line for line in (*plain, *quirk.lines) if not line.startswith("-")]
    event = "\n".join(["BEGIN:VEVENT", "UID:one", "SUMMARY:Client One", *lines, "END:VEVENT"])
    return calendar(*filter(None, (quirk.before, event, quirk.after)), end=end)


def as_book(data: bytes) -> Book:
    return ics_book.parse(data, default_zone=BERLIN, therapist="Therapist A")


def days_of(book: Book) -> list[str]:
    found = [one.starts for one in book.singles]
    for series in book.series:
        told = {one.slot: one.starts for one in series.entries}
        kept = [slot for slot in series.expected(until=datetime(2026, 2, 1)) if slot not in series.lost]
        found += [told.get(slot, slot) for slot in kept]
    return sorted(f"{at:%d %H:%M}" for at in found)


@pytest.mark.parametrize("name", QUIRKS)
def test_the_import_takes_what_is_clear_and_says_what_was_done(name: str) -> None:
    quirk = QUIRKS[name]
    book = as_book(file_of(quirk))
    assert days_of(book) == list(quirk.days)
    assert quirk.said in " ".join([notes(book), *reasons(book)])
    if not quirk.said:
        assert (book.rejected, book.noted) == ((), ())


@pytest.mark.parametrize("name", QUIRKS)
def test_the_outside_calendar_is_busy_at_the_same_times(name: str) -> None:
    quirk = QUIRKS[name]
    found = ics_busy.read(file_of(quirk), zone=BERLIN, since=SINCE, until=UNTIL)
    starts = [instant(datetime.strptime(f"2026-01-{day}", "%Y-%m-%d %H:%M"), BERLIN) for day in quirk.days]
    assert [one.since.replace(second=0) for one in found.spans] == starts
    assert found.left_out == ({quirk.left_out: 1} if quirk.left_out else {})


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_marks_line_ends_and_a_fold_inside_a_character(mark: bytes, end: str) -> None:
    whole = file_of(Quirk(lines=()), end=end).replace(b"Client One", "Client Ö".encode())
    cut = whole.index("Ö".encode()) + 1
    folded = mark + whole[:cut] + end.encode() + b" " + whole[cut:]
    book = as_book(folded)
    assert ([one.client for one in book.singles], days_of(book)) == (["Client Ö"], ["06 10:00"])
    assert len(ics_busy.read(folded, zone=BERLIN, since=SINCE, until=UNTIL).spans) == 1
