"""Tables as they are exported and typed, read by what was said of them and by nothing else."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.appointment import Status
from service.domain.book import Book
from service.domain.hours import UnknownZone
from service.domain.rebuild import rebuild
from service.domain.standing import Modality
from service.files.book import CannotRead
from service.files.csv_book import parse

HEADER = "date,start,minutes,client,therapist,room,status"
ROW = "2026-01-06,10:00,50,Client One,Therapist A,Room 1,held"


def table(*rows: str, header: str = HEADER) -> bytes:
    return "\r\n".join([header, *rows, ""]).encode()


def read(*rows: str, header: str = HEADER, **more: object) -> Book:
    return parse(table(*rows, header=header), zone="Europe/Berlin", **more)  # type: ignore[arg-type]


def only_reason(book: Book) -> str:
    (rejected,) = book.rejected
    return str(rejected.reason)


def test_a_row_is_an_appointment() -> None:
    book = read(ROW)
    (single,) = book.singles
    assert (single.client, single.therapist, single.room) == ("Client One", "Therapist A", "Room 1")
    assert (single.starts, single.minutes, single.zone) == (datetime(2026, 1, 6, 10), 50, "Europe/Berlin")
    assert (single.status, single.slot, single.line) == (Status.HELD, None, 2)
    assert (book.rejected, book.noted) == ((), ())


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("first", ["", "sep={}\r\n"])
def test_the_delimiter_is_the_one_that_makes_the_columns_appear(delimiter: str, first: str) -> None:
    text = (HEADER + "\r\n" + ROW).replace(",", delimiter)
    book = parse((first.format(delimiter) + text).encode(), zone="Europe/Berlin")
    assert book.singles[0].client == "Client One"


def test_a_quoted_comma_is_part_of_its_cell() -> None:
    book = read('2026-01-06;10:00;50;"One, Client";Therapist A;Room 1;held', header=HEADER.replace(",", ";"))
    assert book.singles[0].client == "One, Client"


def test_columns_are_found_by_the_names_given_in_any_case_and_order() -> None:
    book = read(
        "Room 1,  Client   One ,10:00,06.01.2026,10:50",
        header="Where,PATIENT  name,From,Day,To",
        headers={"client": "Patient name", "start": "from", "date": "day", "end": "to", "room": "where"},
        therapist="Therapist A",
        dates="dmy",
    )
    (single,) = book.singles
    assert (single.client, single.minutes, single.room) == ("Client One", 50, "Room 1")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks(encoding: str) -> None:
    data = table(ROW.replace("One", "Zoë")).decode().encode(encoding)
    assert parse(data, zone="Europe/Berlin").singles[0].client == "Client Zoë"


def test_windows_1252_is_read_and_noted() -> None:
    book = parse(table(ROW.replace("One", "Zoë")).decode().encode("cp1252"), zone="Europe/Berlin")
    assert book.singles[0].client == "Client Zoë"
    assert [str(noted.what) for noted in book.noted] == ["The file is not UTF-8; it was read as Windows-1252."]


@pytest.mark.parametrize(
    ("dates", "cell"),
    [
        ("iso", "2026-03-04"),
        ("iso", "2026-3-4"),
        ("iso", "2026-03-04 00:00:00"),
        ("dmy", "04.03.2026"),
        ("dmy", "4/3/26"),
        ("dmy", "4-3-2026"),
        ("mdy", "3/4/2026"),
        ("mdy", "03/04/26"),
    ],
)
def test_dates_are_read_as_said(dates: str, cell: str) -> None:
    assert read(ROW.replace("2026-01-06", cell), dates=dates).singles[0].starts == datetime(2026, 3, 4, 10)


@pytest.mark.parametrize(
    ("dates", "cell"), [("iso", "04.03.2026"), ("dmy", "2026-03-04"), ("dmy", "3/31/2026"), ("mdy", "31/3/2026")]
)
def test_dates_of_another_form_are_rejected_not_guessed(dates: str, cell: str) -> None:
    assert "is no date written like" in only_reason(read(ROW.replace("2026-01-06", cell), dates=dates))


@pytest.mark.parametrize(
    ("cell", "hour", "minute"),
    [("9:30", 9, 30), ("09:30:00", 9, 30), ("9.30", 9, 30), ("9h30", 9, 30), ("9:30 PM", 21, 30), ("12:05 a.m.", 0, 5)],
)
def test_times_of_day(cell: str, hour: int, minute: int) -> None:
    assert read(ROW.replace("10:00", cell)).singles[0].starts == datetime(2026, 1, 6, hour, minute)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("", Status.SCHEDULED),
        ("Booked", Status.SCHEDULED),
        ("ATTENDED", Status.HELD),
        ("client_cancelled", Status.CLIENT_CANCELLED),
        ("Canceled by client", Status.CLIENT_CANCELLED),
        ("clinic-cancelled", Status.CLINIC_CANCELLED),
        ("No-show", Status.NO_SHOW),
        ("late_not_seen", Status.LATE_NOT_SEEN),
        ("break", Status.BREAK),
    ],
)
def test_words_for_a_status(word: str, status: Status) -> None:
    assert read(ROW.replace("held", word)).singles[0].status is status


def test_words_of_ones_own() -> None:
    words = {"Cancelled": "clinic_cancelled", "x": "held"}
    book = read(ROW.replace("held", "cancelled"), ROW.replace("held", "X").replace("10:00", "11:00"), statuses=words)
    assert [single.status for single in book.singles] == [Status.CLINIC_CANCELLED, Status.HELD]


@pytest.mark.parametrize(
    ("row", "where", "reason"),
    [
        (ROW.replace("held", "cancelled"), "status", '"cancelled" does not say by whom. Say what it means.'),
        (ROW.replace("held", "perhaps"), "status", '"perhaps" is no status that is known. Say what it means.'),
        (ROW.replace("10:00", "25:00"), "start", '"25:00" is no time of day like 09:30.'),
        (ROW.replace("10:00", "13:00 pm"), "start", '"13:00 pm" is no time of day like 09:30.'),
        (ROW.replace("10:00", ""), "start", "An empty cell is no time of day like 09:30."),
        (ROW.replace("2026-01-06", "2026-02-30"), "date", '"2026-02-30" is no date written like 2026-03-31.'),
        (ROW.replace("2026", "1900"), "date", "The year 1900 can't be right."),
        (ROW.replace(",50,", ",fifty,"), "minutes", '"fifty" is no number of minutes.'),
        (ROW.replace(",50,", ",,"), "minutes", "It does not say how long it lasts."),
        (ROW.replace(",50,", ",900,"), "minutes", "It lasts 900 minutes; a session lasts 5 to 720 minutes."),
        (ROW.replace("Client One", " "), "client", "It names no client."),
        (ROW.replace("Therapist A", ""), "therapist", "It names no therapist."),
        (ROW.replace("Client One", "x" * 201), "client", "The client is longer than 200 characters."),
        ("2026-01-06", "client", "It names no client."),
    ],
)
def test_each_rejected_row_has_its_line_and_reason(row: str, where: str, reason: str) -> None:
    book = read(ROW.replace("10:00", "08:00"), "", row)
    assert (len(book.singles), only_reason(book)) == (1, reason)
    assert (book.rejected[0].line, book.rejected[0].where) == (4, where)


def test_lines_are_counted_through_cells_of_several_lines() -> None:
    long = '2026-01-06,09:00,50,Client One,Therapist A,"Room\r\n1",held'
    book = read(long, "oops")
    assert (book.singles[0].room, book.rejected[0].line) == ("Room 1", 4)


def test_defaults_for_the_whole_file() -> None:
    book = read("2026-01-06,10:00,Client One", header="date,start,client", therapist="Therapist A", minutes=50)
    assert (book.singles[0].therapist, book.singles[0].minutes, book.singles[0].room) == ("Therapist A", 50, None)


def test_a_link_is_no_room() -> None:
    book = read(ROW.replace("Room 1", "Zoom"))
    assert (book.singles[0].room, book.singles[0].modality) == (None, Modality.VIDEO)
    assert "by video" in str(book.noted[0].what)


# -- identity


def test_the_same_hour_twice_is_rejected_but_may_be_given_again_after_a_cancellation() -> None:
    cancelled = ROW.replace("held", "client cancelled")
    book = read(cancelled, ROW, ROW, cancelled)
    assert [single.status for single in book.singles] == [Status.CLIENT_CANCELLED, Status.HELD]
    assert len({single.key for single in book.singles}) == 2
    assert [str(rejected.reason) for rejected in book.rejected] == [
        "It is the same hour as on line 3.",
        "It is the same hour as on line 2.",
    ]


def test_an_hour_is_not_given_again_without_end() -> None:
    book = read(*(ROW.replace("held", "break").replace("Room 1", f"Room {n}") for n in range(22)))
    assert (len(book.singles), len(book.rejected)) == (20, 2)


def test_a_key_lasts_through_what_may_change() -> None:
    later = ROW.replace("held", "").replace("Room 1", "Room 2").replace("Client One", "CLIENT one")
    assert read(ROW).singles[0].key == read(later).singles[0].key
    assert read(ROW).singles[0].key != read(ROW.replace("10:00", "10:15")).singles[0].key


def test_reading_and_rebuilding_twice_is_the_same() -> None:
    rows = [f"2026-01-{day:02},10:00,50,Client One,Therapist A,Room 1," for day in (6, 13, 20, 27)]
    assert rebuild(read(*rows)) == rebuild(read(*rows))
    assert len(rebuild(read(*rows)).series) == 1


# -- what is no table


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "The file is empty."),
        (b"\xef\xbb\xbf\r\n", "The table has no column"),
        (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", 'The table has no column "client", "date", "start", "therapist"'),
        (b"date,start,client\r\n", 'The table has no column "therapist", "minutes". Its columns are: date, start, cli'),
        (table('"' + "x" * 200_000), "Line 2 is not a row of a table. Is there a quotation mark too many"),
    ],
)
def test_what_is_no_table_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(CannotRead, match=reason):
        parse(data, zone="Europe/Berlin")


def test_what_is_said_wrongly_of_a_table_is_refused() -> None:
    with pytest.raises(CannotRead, match="There is no field 'patient'"):
        read(ROW, headers={"patient": "Name"})
    with pytest.raises(CannotRead, match="There is no status 'gone'"):
        read(ROW, statuses={"x": "gone"})
    with pytest.raises(UnknownZone):
        parse(table(ROW), zone="Europe/Nowhere")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 300), st.binary(max_size=4)), max_size=6))
def test_no_damage_gives_a_traceback(damage: list[tuple[int, bytes]]) -> None:
    data = table(ROW, ROW.replace("10:00", "11:00"), ROW.replace("01-06", "01-07"))
    for at, bytes_ in damage:
        data = data[:at] + bytes_ + data[at + 1 :]
    try:
        book = parse(data, zone="Europe/Berlin")
    except CannotRead as refusal:
        assert refusal.message
    else:
        assert len({single.key for single in book.singles}) == len(book.singles)
