"""One file for each hard shape, as it must be to the letter, and beside it what three engines show of it.

`golden/SHAPE.ics` is the feed; `golden/SHAPE.txt` lists the hours of 2026 in local time, as a person would write them
down. Whoever changes how feeds are written changes these files on purpose; the failing test names what differs.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from difflib import unified_diff
from itertools import zip_longest
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from service.domain.feed import FeedCalendar, FeedEntry, FeedEvent, FeedHeader, FeedLeave, FeedOverride, FeedStanding
from service.domain.hours import Hour, LocalTime, Weekday, zone
from service.domain.standing import Modality, Standing
from service.feeds.ics import render
from service.feeds.reading_back import verify
from tests.feeds.engines import UTC_FORM, Listing, Window, engines, shipped_zones

GOLDEN = Path(__file__).parent / "golden"
CHANGED = datetime(2026, 2, 20, 14, 5, 9, tzinfo=UTC)
YEAR = Window(since=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2027, 1, 1, tzinfo=UTC))
DUBLIN, NEW_YORK, LORD_HOWE = "Europe/Dublin", "America/New_York", "Australia/Lord_Howe"
TEN = Hour(day=Weekday.TU, at=time(10))


def uid(number: int) -> str:
    return str(UUID(int=number, version=4))


def agreed(*hours: Hour, number: int = 1, zone_name: str = DUBLIN, **differently: Any) -> FeedStanding:
    """Tuesdays at ten from 3 March until 14 April, the clocks changing on the 29th; or as said."""
    usual: dict[str, Any] = {"every_weeks": 1, "minutes": 50, "since": date(2026, 3, 2), "until": date(2026, 4, 15)}
    standing = Standing(
        id="s",
        therapist="t",
        room="r",
        modality=Modality.IN_PERSON,
        hours=hours or (TEN,),
        zone=zone_name,
        **{**usual, **differently},
    )
    return FeedStanding(
        uid=uid(number), standing=standing, summary="CO", location="Room 1, Quay", changed_at=CHANGED, sequence=3
    )


def lost(entry: FeedStanding, *slots: str) -> FeedStanding:
    return replace(entry, lost=(*entry.lost, *map(datetime.fromisoformat, slots)))


def moved(entry: FeedStanding, slot: str, to: str, **otherwise: Any) -> FeedStanding:
    override = FeedOverride(
        slot=datetime.fromisoformat(slot),
        starts=datetime.fromisoformat(to),
        **{
            "minutes": 50,
            "summary": "CO",
            "location": "Room 1, Quay",
            "changed_at": CHANGED,
            "sequence": 3,
            **otherwise,
        },
    )
    return replace(entry, overrides=(*entry.overrides, override))


def single(starts: str, *, number: int, zone_name: str = DUBLIN, **differently: Any) -> FeedEvent:
    usual: dict[str, Any] = {"minutes": 50, "summary": "CT", "changed_at": CHANGED, "sequence": 1}
    at = datetime.fromisoformat(starts)
    return FeedEvent(uid=uid(number), zone=zone_name, starts=at, **{**usual, **differently})


def away(since: str, until: str, *, number: int, summary: str) -> FeedLeave:
    return FeedLeave(
        uid=uid(number),
        zone=DUBLIN,
        since=datetime.fromisoformat(since),
        until=datetime.fromisoformat(until),
        summary=summary,
        changed_at=CHANGED,
        sequence=0,
    )


SUNDAY_NIGHT = Hour(day=Weekday.SU, at=time(1, 30))
SHAPES: dict[str, tuple[FeedEntry, ...]] = {
    "first-and-last-cancelled": (lost(agreed(), "2026-03-03T10:00", "2026-04-14T10:00"),),
    "moved-across-the-change": (
        moved(
            moved(agreed(), "2026-03-24T10:00", "2026-03-30T08:00"),
            "2026-03-31T10:00",
            "2026-04-01T10:00",
            minutes=80,
            location="Video",
        ),
    ),
    "moved-past-a-neighbour": (
        moved(
            moved(agreed(), "2026-03-10T10:00", "2026-03-19T15:00"),
            "2026-03-31T10:00",
            "2026-04-07T12:00",
        ),
    ),
    "fortnightly-on-two-days": (
        agreed(TEN, Hour(day=Weekday.FR, at=time(10)), every_weeks=2, since=date(2026, 3, 5), until=date(2026, 5, 2)),
    ),
    "two-times-of-day": (agreed(TEN, Hour(day=Weekday.TH, at=time(10)), Hour(day=Weekday.FR, at=time(15, 30))),),
    "split": (
        agreed(until=date(2026, 3, 25)),
        agreed(Hour(day=Weekday.TH, at=time(9)), number=2, since=date(2026, 3, 25), until=date(2026, 4, 24)),
    ),
    "late-evenings-in-new-york": (
        agreed(Hour(day=Weekday.MO, at=time(22, 30)), zone_name=NEW_YORK, minutes=120, until=date(2026, 3, 24)),
    ),
    "a-night-that-the-clocks-skip": (agreed(SUNDAY_NIGHT),),
    "a-night-that-they-show-twice": (agreed(SUNDAY_NIGHT, since=date(2026, 10, 12), until=date(2026, 11, 9)),),
    "half-an-hour-in-lord-howe": (
        lost(agreed(zone_name=LORD_HOWE, since=date(2026, 3, 24)), "2026-03-31T10:00"),
        single("2026-10-04T02:15", number=5, zone_name=LORD_HOWE),
    ),
    "single-hours-and-leave": (
        single("2026-03-05T16:00", number=5, location="Room 2, Quay"),
        single("2026-03-29T00:45", number=6, minutes=90),
        single("2026-03-06T16:00", number=7, is_cancelled=True),
        away("2026-04-06", "2026-04-11", number=8, summary="By the sea"),
        away("2026-03-28T12:00", "2026-03-30T09:00", number=9, summary="Training"),
    ),
}


def zone_of(shape: str) -> str:
    first = SHAPES[shape][0]
    return first.standing.zone if isinstance(first, FeedStanding) else first.zone


def written(shape: str) -> bytes:
    header = FeedHeader(name="Therapist A", zone=zone_of(shape), since=date(2026, 1, 5), color="teal")
    return render(FeedCalendar(header=header, entries=SHAPES[shape]))


def difference(is_: bytes, golden: bytes) -> str:
    """The first line that is another, with the component it stands in and its UID; empty where there is none."""
    place: list[str] = []
    name = ""
    for mine, theirs in zip_longest(is_.decode().splitlines(), golden.decode().splitlines()):
        if mine != theirs:
            where = " of ".join(reversed(place))
            return f"In the {where}{name}: “{mine or 'nothing'}”, and golden is “{theirs or 'nothing'}”."
        if mine.startswith("BEGIN:"):
            place.append(mine.removeprefix("BEGIN:"))
        elif mine.startswith("END:"):
            place.pop()
            name = ""
        elif mine.startswith("UID:"):
            name = f" {mine.removeprefix('UID:')}"
    return ""


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_is_the_golden_one(shape: str) -> None:
    is_, golden = written(shape), (GOLDEN / f"{shape}.ics").read_bytes().replace(b"\n", b"\r\n")
    found = difference(is_, golden)
    lines = unified_diff(
        golden.decode().splitlines(), is_.decode().splitlines(), f"golden/{shape}.ics", "is", lineterm=""
    )
    assert not found, "\n".join([found, *lines])
    verify(is_, events=is_.count(b"BEGIN:VEVENT"))


def test_the_golden_files_are_all_of_a_shape() -> None:
    of_older_tests = {"empty", "single", "standing"}
    assert {file.stem for file in GOLDEN.glob("*.ics")} == SHAPES.keys() | of_older_tests
    assert {file.stem for file in GOLDEN.glob("*.txt")} == SHAPES.keys()


# --- what is shown


def as_people_write(listing: Listing, zone_name: str) -> Iterator[str]:
    """`Tue 24 Mar 10:00-10:50 +0000 CO`; a leave by its first and its last day."""
    for begins, ends, summary in listing:
        if "T" not in begins:
            first, last = date.fromisoformat(begins), date.fromisoformat(ends) - timedelta(days=1)
            yield f"{first:%a %d %b} until {last:%a %d %b} {summary}\n"
            continue
        since, until = (_local(moment, zone_name) for moment in (begins, ends))
        yield f"{since:%a %d %b %H:%M}-{until:%H:%M} {since:%z} {summary}\n"


def _local(moment: str, zone_name: str) -> LocalTime:
    return datetime.strptime(moment, UTC_FORM).replace(tzinfo=UTC).astimezone(zone(zone_name))


@pytest.mark.parametrize("shape", SHAPES)
def test_three_engines_show_what_is_written_beside_it(shape: str) -> None:
    body, expected = written(shape), (GOLDEN / f"{shape}.txt").read_text()
    with shipped_zones():
        for engine, listed in engines().items():
            shown = "".join(as_people_write(listed({"": body}, YEAR)[""], zone_of(shape)))
            assert shown == expected, engine


# --- the difference is named


@pytest.mark.parametrize(
    ("was", "becomes", "named"),
    [
        (
            b"DTSTART;TZID=Europe/Dublin:20260303",
            b"DTSTART;TZID=Europe/Dublin:20260310",
            "In the VEVENT of VCALENDAR: “DTSTART",
        ),
        (
            b"SEQUENCE:3",
            b"SEQUENCE:4",
            f"In the VEVENT of VCALENDAR {uid(1)}: “SEQUENCE:4”, and golden is “SEQUENCE:3”.",
        ),
        (b"TZOFFSETTO:+0100", b"TZOFFSETTO:+0200", "In the DAYLIGHT of VTIMEZONE of VCALENDAR: “TZOFFSETTO:+0200”"),
        (b"NAME:", b"X-NAME:", "In the VCALENDAR: “X-NAME:Therapist A”"),
    ],
)
def test_a_difference_is_named_by_its_place(was: bytes, becomes: bytes, named: str) -> None:
    golden = written("first-and-last-cancelled")
    assert difference(golden.replace(was, becomes, 1), golden).startswith(named)
    assert difference(golden, golden) == ""
