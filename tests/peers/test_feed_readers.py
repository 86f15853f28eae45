"""Other people's calendar engines read our feeds, and see the hours that were meant: each one, and no other.

What is meant is worked out here on the plain calendar, day by day, without the code under test.
"""

import zoneinfo
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
import recurring_ical_events
from icalendar import Calendar

from service.domain.hours import Hour, LocalTime, Weekday, instant
from service.domain.standing import Modality, Standing
from service.feeds.ics import FeedCalendar, FeedHeader, FeedOverride, FeedStanding, join, render, render_piece
from service.feeds.reading_back import verify
from service.feeds.timezone_blocks import onsets

FIRST, AFTER = date(2025, 1, 1), date(2027, 7, 1)
WINDOW = datetime(2025, 1, 3, tzinfo=UTC), datetime(2027, 6, 28, tzinfo=UTC)
"""What is compared: a little less than the engine is asked for, since it cuts at days of each zone's own."""
CHANGED = datetime(2025, 2, 3, 9, 30, tzinfo=UTC)
ZONES = (
    "Europe/Berlin",
    "Europe/London",
    "Europe/Dublin",
    "Africa/Casablanca",
    "Africa/Cairo",
    "America/New_York",
    "America/Vancouver",
    "America/St_Johns",
    "America/Santiago",
    "America/Nuuk",
    "Asia/Jerusalem",
    "Asia/Gaza",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Antarctica/Troll",
    "UTC",
)

Seen = tuple[datetime, datetime, str]
"""Beginning and end in UTC, and the summary."""


@dataclass(frozen=True, kw_only=True)
class Case:
    standings: tuple[FeedStanding, ...]


def agreed(zone: str, *hours: Hour, **differently: Any) -> FeedStanding:
    standing = Standing(
        id="s",
        therapist="t",
        room="r",
        modality=Modality.IN_PERSON,
        hours=hours or (Hour(day=Weekday.TU, at=time(10)),),
        every_weeks=1,
        minutes=50,
        zone=zone,
        since=date(2025, 9, 1),
        until=date(2026, 12, 1),
    )
    return FeedStanding(
        uid=str(UUID(int=Random(zone).getrandbits(128), version=4)),
        standing=replace(standing, **differently),
        summary="Hour",
        changed_at=CHANGED,
        sequence=1,
    )


def days(since: date, until: date) -> Iterator[date]:
    return (since + timedelta(days=number) for number in range((until - since).days))


def slots_by_hand(standing: Standing) -> list[LocalTime]:
    """Every day of the calendar is asked whether it is one."""
    monday = standing.since - timedelta(days=standing.since.weekday())
    return [
        datetime.combine(day, hour.at)
        for day in days(standing.since, standing.until or date(2030, 1, 1))
        for hour in standing.hours
        if hour.day == day.weekday() and (day - monday).days // 7 % standing.every_weeks == 0
    ]


def meant(case: Case) -> list[Seen]:
    """What a person would write into a paper diary."""
    seen = []
    for entry in case.standings:
        zone, changed = entry.standing.zone, {override.slot: override for override in entry.overrides}
        for slot in {*slots_by_hand(entry.standing), *changed} - set(entry.lost):
            other = changed.get(slot)
            starts = instant(other.starts if other else slot, zone)
            minutes = other.minutes if other else entry.standing.minutes
            seen.append((starts, starts + timedelta(minutes=minutes), other.summary if other else entry.summary))
    return sorted(each for each in seen if WINDOW[0] < each[0] < WINDOW[1])


def moved(entry: FeedStanding, slot: LocalTime, to: LocalTime, minutes: int = 50) -> FeedStanding:
    override = FeedOverride(
        slot=slot, starts=to, minutes=minutes, summary=f"Moved {slot:%d %b}", changed_at=CHANGED, sequence=2
    )
    return replace(entry, overrides=(*entry.overrides, override))


def lost(entry: FeedStanding, *slots: LocalTime) -> FeedStanding:
    return replace(entry, lost=(*entry.lost, *slots))


def plain(zone: str) -> Case:
    return Case(standings=(agreed(zone),))


def open_ended(zone: str) -> Case:
    return Case(standings=(agreed(zone, until=None, every_weeks=1),))


def fortnightly_from_midweek(zone: str) -> Case:
    hours = (Hour(day=Weekday.TU, at=time(15)), Hour(day=Weekday.FR, at=time(15)))
    return Case(standings=(agreed(zone, *hours, every_weeks=2, since=date(2025, 9, 4)),))


def every_third_sunday(zone: str) -> Case:
    return Case(standings=(agreed(zone, Hour(day=Weekday.SU, at=time(17, 15)), every_weeks=3, until=None),))


def two_times_a_week(zone: str) -> Case:
    hours = (Hour(day=Weekday.MO, at=time(8)), Hour(day=Weekday.WE, at=time(18, 30)), Hour(day=Weekday.TH, at=time(8)))
    entry = agreed(zone, *hours)
    return Case(standings=(lost(entry, datetime(2025, 9, 1, 8), datetime(2025, 9, 3, 18, 30)),))


def first_and_last_cancelled(zone: str) -> Case:
    entry = agreed(zone)
    slots = slots_by_hand(entry.standing)
    return Case(standings=(lost(entry, slots[0], slots[1], slots[-1]),))


def all_cancelled(zone: str) -> Case:
    entry = agreed(zone, until=date(2025, 11, 1))
    return Case(standings=(lost(entry, *slots_by_hand(entry.standing)),))


def all_but_a_moved_one_cancelled(zone: str) -> Case:
    entry = agreed(zone, until=date(2025, 11, 1))
    first, *others = slots_by_hand(entry.standing)
    return Case(standings=(moved(lost(entry, *others), first, first + timedelta(days=1)),))


def moved_across_each_change(zone: str) -> Case:
    """From the week before each change of the clocks into the week after it, and back."""
    entry = agreed(zone, every_weeks=2, until=None)
    for slot in slots_by_hand(replace(entry.standing, until=date(2026, 12, 1)))[::2]:
        entry = moved(entry, slot, slot + timedelta(days=6, hours=1))
    return Case(standings=(entry,))


def moved_to_and_past_a_neighbour(zone: str) -> Case:
    entry = agreed(zone)
    slots = slots_by_hand(entry.standing)
    entry = moved(entry, slots[4], slots[5] + timedelta(hours=2))
    entry = moved(entry, slots[10], slots[12] + timedelta(days=1))
    entry = moved(entry, slots[20], slots[18] - timedelta(days=1))
    return Case(standings=(moved(entry, slots[0], slots[0] - timedelta(days=20)),))


def neighbours_moved_onto_one_day(zone: str) -> Case:
    entry = agreed(zone)
    one, other = slots_by_hand(entry.standing)[6:8]
    return Case(standings=(moved(moved(entry, one, one + timedelta(days=3)), other, one + timedelta(days=3, hours=2)),))


def split(zone: str) -> Case:
    """A lasting change: one version ends, the next begins in the same week."""
    old = agreed(zone, until=date(2026, 3, 11))
    new = agreed(zone, Hour(day=Weekday.TH, at=time(9)), since=date(2026, 3, 11), until=None)
    return Case(
        standings=(old, replace(new, uid="7d8e3b62-3d49-4f0a-9d6c-3a51f0a6c001", summary="Hour, as agreed anew"))
    )


def late_evening(zone: str) -> Case:
    """Until a day in UTC that is not the last day in New York."""
    return Case(standings=(agreed(zone, Hour(day=Weekday.MO, at=time(22, 30)), minutes=120),))


def around_each_change(zone: str) -> Case:
    """A standing on every half-hour in which the clocks of that zone changed in these years, at its weekday."""
    standings = []
    for number, (day, at) in enumerate(sorted(half_hours_around_changes(zone))):
        entry = agreed(zone, Hour(day=day, at=at), until=None)
        uid = str(UUID(int=Random(f"{zone}{number}").getrandbits(128), version=4))
        standings.append(replace(entry, uid=uid, summary=f"{day.name} {at:%H:%M}"))
    return Case(standings=tuple(standings))


def half_hours_around_changes(zone: str) -> set[tuple[Weekday, time]]:
    around = [
        onset.local.replace(minute=0) + timedelta(minutes=minutes)
        for onset in onsets(zone, 2026)
        if onset.local.year == 2026
        for minutes in (-90, -60, -30, 0, 30, 60)
    ]
    return {(Weekday.of(local), local.time()) for local in around}


def begins_and_ends_at_a_change(zone: str) -> Case:
    """The first and the last slot are the ones that programs would read differently."""
    standings = []
    for number, onset in enumerate(onsets(zone, 2025)):
        if onset.local.year > 2026:
            break
        day = onset.local.date()
        hour = Hour(day=Weekday.of(day), at=onset.local.time().replace(minute=15))
        one = agreed(zone, hour, since=day, until=day + timedelta(days=22))
        uid = str(UUID(int=Random(f"ends{zone}{number}").getrandbits(128), version=4))
        other = agreed(zone, hour, since=day - timedelta(days=21), until=day + timedelta(days=1))
        standings += [replace(one, uid=uid, summary="Begins"), replace(other, uid=uid.replace("-4", "-5", 1))]
    return Case(standings=tuple(standings))


def moved_into_a_change(zone: str) -> Case:
    """To the very hour that the clocks skip or show twice, and away from it."""
    entry = agreed(zone, Hour(day=Weekday.WE, at=time(11)), since=date(2025, 2, 1), until=None)
    slots = slots_by_hand(replace(entry.standing, until=date(2027, 1, 1)))
    for onset in onsets(zone, 2025):
        slot = next((each for each in slots if each > onset.local - timedelta(days=3)), None)
        if slot is not None:
            slots.remove(slot)
            entry = moved(entry, slot, onset.local + timedelta(minutes=30), minutes=45)
    return Case(standings=(entry,))


SHAPES: tuple[Callable[[str], Case], ...] = (
    plain,
    open_ended,
    fortnightly_from_midweek,
    every_third_sunday,
    two_times_a_week,
    first_and_last_cancelled,
    all_cancelled,
    all_but_a_moved_one_cancelled,
    moved_across_each_change,
    moved_to_and_past_a_neighbour,
    neighbours_moved_onto_one_day,
    split,
    late_evening,
    around_each_change,
    begins_and_ends_at_a_change,
    moved_into_a_change,
)


@pytest.fixture(autouse=True)
def _the_shipped_zones() -> Iterator[None]:
    """Engines look zones up by name; the machine's own data may be of another release than ours."""
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=())
    zoneinfo.ZoneInfo.clear_cache()
    yield
    zoneinfo.reset_tzpath(to=before)
    zoneinfo.ZoneInfo.clear_cache()


def written(case: Case) -> bytes:
    zone = case.standings[0].standing.zone if case.standings else "UTC"
    header = FeedHeader(name="Therapist A", zone=zone, since=FIRST)
    pieces = [render_piece(entry) for entry in case.standings]
    body = join(header, pieces)
    verify(body, events=sum(piece.events for piece in pieces))
    return body


def read(body: bytes) -> list[Seen]:
    events = recurring_ical_events.of(Calendar.from_ical(body)).between(FIRST, AFTER)
    seen = [(e.start.astimezone(UTC), e.end.astimezone(UTC), str(e["SUMMARY"])) for e in events]
    return sorted(each for each in seen if WINDOW[0] < each[0] < WINDOW[1])


def test_there_are_enough_hard_cases() -> None:
    assert len(ZONES) * len(SHAPES) >= 200


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_an_engine_that_knows_the_zone_sees_what_was_meant(shape: Callable[[str], Case], zone: str) -> None:
    case = shape(zone)
    assert read(written(case)) == meant(case)


@pytest.mark.parametrize("zone", [zone for zone in ZONES if zone != "UTC"])
@pytest.mark.parametrize("shape", [open_ended, moved_across_each_change, around_each_change], ids=lambda s: s.__name__)
def test_an_engine_that_has_only_our_block_sees_what_was_meant(shape: Callable[[str], Case], zone: str) -> None:
    case = shape(zone)
    stranger = written(case).replace(f":{zone}\r\n".encode(), f":Else/{zone}\r\n".encode())
    stranger = stranger.replace(f"TZID={zone}:".encode(), f"TZID=Else/{zone}:".encode())
    assert read(stranger) == meant(case)


def test_hours_keep_their_wall_time_and_zone() -> None:
    case = moved_across_each_change("Europe/Dublin")
    events = recurring_ical_events.of(Calendar.from_ical(written(case))).between(FIRST, AFTER)
    walls = {(event.start.replace(tzinfo=None), str(event.start.tzinfo)) for event in events}
    entry = case.standings[0]
    changed = {override.slot: override.starts for override in entry.overrides}
    expected = (changed.get(slot, slot) for slot in slots_by_hand(entry.standing))
    assert walls == {(local, "Europe/Dublin") for local in expected if FIRST <= local.date() < AFTER}
    assert len(walls) > 40


def test_an_empty_feed_is_read_as_empty() -> None:
    body = render(FeedCalendar(header=FeedHeader(name="Therapist A", zone="Europe/Dublin", since=FIRST)))
    verify(body, events=0)
    assert recurring_ical_events.of(Calendar.from_ical(body)).between(FIRST, AFTER) == []


def test_control_the_comparison_sees_one_wrong_hour() -> None:
    case = moved_across_each_change("Europe/Dublin")
    one_more = lost(case.standings[0], datetime(2025, 9, 16, 10))
    assert read(written(Case(standings=(one_more,)))) != meant(case)


def test_control_a_local_until_would_lose_the_last_evening() -> None:
    """Why UNTIL is an instant: written as the last day's midnight in local time, the last hour is gone."""
    case = late_evening("America/New_York")
    body = written(case)
    until = next(line for line in body.split(b"\r\n") if b"UNTIL=" in line).split(b"UNTIL=")[1].split(b";")[0]
    wrong = body.replace(until, until[:8] + b"T000000Z")
    assert read(body) == meant(case)
    assert read(wrong) == meant(case)[:-1]


def test_control_inside_the_series_hours_at_a_change_are_misread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Why they stand alone in UTC: kept in the series, even an engine that knows the zone gets some of them wrong."""
    monkeypatch.setattr("service.feeds.series.is_plain", lambda *_: True)
    wrong = [zone for zone in ZONES if read(written(around_each_change(zone))) != meant(around_each_change(zone))]
    assert "Europe/Berlin" in wrong and "UTC" not in wrong
