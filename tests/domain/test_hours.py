"""Wall time is the truth: what the clocks do to it, in every zone that samehour ships."""

import os
import struct
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta, timezone
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.hours import (
    CannotMeetThen,
    Hour,
    Span,
    UnknownZone,
    Weekday,
    instant,
    is_across_change,
    is_in_gap,
    local_time,
    local_times,
    span_of,
    steady_at,
    steady_spans,
    zone,
    zone_names,
)

ZONES = sorted(zone_names())


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


GAPS = [
    ("Europe/Berlin", datetime(2026, 3, 29, 2, 30), utc(2026, 3, 29, 1, 30), datetime(2026, 3, 29, 3, 30)),
    ("America/New_York", datetime(2026, 3, 8, 2, 30), utc(2026, 3, 8, 7, 30), datetime(2026, 3, 8, 3, 30)),
    ("Australia/Lord_Howe", datetime(2026, 10, 4, 2, 15), utc(2026, 10, 3, 15, 45), datetime(2026, 10, 4, 2, 45)),
    ("Europe/Dublin", datetime(2026, 3, 29, 1, 30), utc(2026, 3, 29, 1, 30), datetime(2026, 3, 29, 2, 30)),
    ("Africa/Casablanca", datetime(2026, 3, 22, 2, 30), utc(2026, 3, 22, 2, 30), datetime(2026, 3, 22, 3, 30)),
    ("Pacific/Apia", datetime(2011, 12, 30, 10), utc(2011, 12, 30, 20), datetime(2011, 12, 31, 10)),
]

FOLDS = [
    ("Europe/Berlin", datetime(2026, 10, 25, 2, 30), utc(2026, 10, 25, 0, 30)),
    ("America/New_York", datetime(2026, 11, 1, 1, 30), utc(2026, 11, 1, 5, 30)),
    ("Australia/Lord_Howe", datetime(2026, 4, 5, 1, 45), utc(2026, 4, 4, 14, 45)),
    ("Europe/Dublin", datetime(2026, 10, 25, 1, 30), utc(2026, 10, 25, 0, 30)),
    ("Africa/Casablanca", datetime(2026, 2, 15, 2, 30), utc(2026, 2, 15, 1, 30)),
]


@pytest.mark.parametrize(("name", "local", "at", "shown"), GAPS)
def test_a_time_that_the_clocks_skip_is_as_much_later_and_is_flagged(
    name: str, local: datetime, at: datetime, shown: datetime
) -> None:
    assert instant(local, name) == at
    assert local_time(at, name) == shown
    assert is_in_gap(local, name)
    assert not is_in_gap(shown, name)


@pytest.mark.parametrize(("name", "local", "at"), FOLDS)
def test_a_time_that_occurs_twice_means_the_first(name: str, local: datetime, at: datetime) -> None:
    assert instant(local, name) == at
    assert instant(local.replace(fold=1), name) == at
    assert local_time(at, name) == local
    assert not is_in_gap(local, name)
    fold_lasts = timedelta(minutes=30) if name == "Australia/Lord_Howe" else timedelta(hours=1)
    assert local_time(at + fold_lasts, name) == local


def test_the_edges_of_a_gap() -> None:
    assert not is_in_gap(datetime(2026, 3, 29, 1, 59), "Europe/Berlin")
    assert is_in_gap(datetime(2026, 3, 29, 2, 0), "Europe/Berlin")
    assert is_in_gap(datetime(2026, 3, 29, 2, 59), "Europe/Berlin")
    assert not is_in_gap(datetime(2026, 3, 29, 3, 0), "Europe/Berlin")


def test_lengths_are_elapsed_minutes() -> None:
    night = span_of(datetime(2026, 3, 29, 1, 30), 60, "Europe/Berlin")
    assert night == Span(since=utc(2026, 3, 29, 0, 30), until=utc(2026, 3, 29, 1, 30))
    assert local_time(night.until, "Europe/Berlin") == datetime(2026, 3, 29, 3, 30)


def test_a_session_across_the_change_is_told_apart() -> None:
    assert is_across_change(datetime(2026, 3, 29, 1, 30), 60, "Europe/Berlin")
    assert is_across_change(datetime(2026, 10, 25, 2, 30), 60, "Europe/Berlin")
    assert not is_across_change(datetime(2026, 3, 29, 2, 30), 60, "Europe/Berlin")
    assert not is_across_change(datetime(2026, 3, 29, 10), 60, "Europe/Berlin")


def test_spans_are_half_open() -> None:
    first = span_of(datetime(2026, 3, 2, 10), 50, "Europe/Berlin")
    assert not first.overlaps(span_of(datetime(2026, 3, 2, 10, 50), 50, "Europe/Berlin"))
    assert first.overlaps(span_of(datetime(2026, 3, 2, 10, 49), 50, "Europe/Berlin"))


def test_an_aware_time_is_no_local_time_and_a_naive_one_no_instant() -> None:
    with pytest.raises(TypeError):
        instant(datetime(2026, 3, 2, 10, tzinfo=timezone(timedelta(hours=1))), "Europe/Berlin")
    with pytest.raises(TypeError):
        local_time(datetime(2026, 3, 2, 10), "Europe/Berlin")


def test_an_hour_of_the_week() -> None:
    tuesday_at_ten = Hour(day=Weekday.TU, at=time(10))
    assert tuesday_at_ten.minute_of_week == 34 * 60
    assert tuesday_at_ten.on(date(2026, 3, 8)) == datetime(2026, 3, 3, 10)
    assert Weekday.of(date(2026, 3, 3)) is Weekday.TU


@pytest.mark.parametrize("at", [time(10, 0, 30), time(10, 0, 0, 1), time(10, tzinfo=UTC)])
def test_an_hour_begins_at_a_whole_minute_of_the_wall(at: time) -> None:
    with pytest.raises(CannotMeetThen):
        Hour(day=Weekday.TU, at=at)


@pytest.mark.parametrize("name", ["", "Europe", "europe/berlin", "../tzdata/zones", "/etc/localtime", "CEST"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(UnknownZone):
        zone(name)


def test_every_zone_of_the_shipped_data_can_be_set() -> None:
    assert len(ZONES) > 590
    assert all(zone(name).key == name for name in ZONES)


def test_the_machine_s_own_zones_are_never_read(tmp_path: Path) -> None:
    """A Berlin that is Tokyo lies in the machine's path. The control, Python's own look-up, falls for it."""
    (tmp_path / "Europe").mkdir()
    tokyo = files("tzdata.zoneinfo").joinpath("Asia", "Tokyo").read_bytes()
    (tmp_path / "Europe" / "Berlin").write_bytes(tokyo)
    program = (
        "from datetime import datetime; from zoneinfo import ZoneInfo; from service.domain.hours import instant;"
        "print(instant(datetime(2026, 3, 2, 10), 'Europe/Berlin').hour,"
        "datetime(2026, 3, 2, 10, tzinfo=ZoneInfo('Europe/Berlin')).utctimetuple().tm_hour)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONTZPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.split() == ["9", "1"]


def test_steady_spans_cover_each_year_in_every_zone() -> None:
    for name in ZONES:
        for year in (2026, 2027, 2028):
            spans = steady_spans(name, year)
            assert spans[0].since == datetime(year, 1, 1)
            assert spans[-1].until == datetime(year + 1, 1, 1)
            assert all(before.until == after.since for before, after in pairwise(spans))


def test_steady_spans_say_what_zoneinfo_says_around_every_change() -> None:
    quarter = timedelta(minutes=15)
    around = [quarter * step for step in range(-3 * 96, 3 * 96)]
    for name in ZONES:
        changes = [span.until for year in (2026, 2027) for span in steady_spans(name, year)[:-1]]
        for local in (change + step for change in changes for step in around):
            derived = (local - steady_at(local, name).offset).replace(tzinfo=UTC)
            assert derived == instant(local, name), (name, local)


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(ZONES), local=st.datetimes(datetime(1975, 1, 1), datetime(2090, 1, 1)))
def test_steady_spans_say_what_zoneinfo_says_at_any_time(name: str, local: datetime) -> None:
    span = steady_at(local, name)
    assert span.since <= local < span.until
    assert (local - span.offset).replace(tzinfo=UTC) == instant(local, name)


def test_no_zone_changes_twice_within_six_days() -> None:
    """`steady_spans` looks once a day, so two changes within one would escape it. The data's own lists show none."""
    closest = min(after - before for name in ZONES for before, after in pairwise(_changes_listed(name)))
    assert timedelta(seconds=closest) > timedelta(days=6)


def _changes_listed(name: str) -> list[int]:
    """The times, in seconds since 1970, at which the zone's file itself lists another offset (RFC 8536 §3.2)."""
    data = files("tzdata.zoneinfo").joinpath(*name.split("/")).read_bytes()
    utc_flags, std_flags, leaps, times, types, letters = struct.unpack(">6L", data[20:44])
    second = 44 + times * 5 + types * 6 + letters + leaps * 8 + std_flags + utc_flags
    *_, times, types, letters = struct.unpack(">6L", data[second + 20 : second + 44])
    at = second + 44
    moments = struct.unpack(f">{times}q", data[at : at + times * 8])
    kinds = data[at + times * 8 : at + times * 9]
    offsets = [entry[0] for entry in struct.iter_unpack(">lBB", data[at + times * 9 : at + times * 9 + types * 6])]
    shown = [offsets[0], *(offsets[kind] for kind in kinds)]
    return [moment for moment, (before, after) in zip(moments, pairwise(shown), strict=True) if before != after]


@settings(max_examples=int(os.environ.get("EXAMPLES", "200")), deadline=None)
@given(st.sampled_from(ZONES), st.lists(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)), max_size=20))
def test_many_instants_as_one_by_one(name: str, instants: list[datetime]) -> None:
    many = local_times(name)
    for at in instants:
        assert many(at) == local_time(at.replace(tzinfo=UTC), name)


@pytest.mark.parametrize("name", ["Europe/Berlin", "Africa/Casablanca", "Australia/Lord_Howe", "America/Santiago"])
def test_many_instants_around_each_change_of_a_year(name: str) -> None:
    many = local_times(name)
    hours = (datetime(2026, 1, 1) + timedelta(minutes=30 * n) for n in range(2 * 24 * 366))
    assert all(many(at) == local_time(at.replace(tzinfo=UTC), name) for at in hours)
