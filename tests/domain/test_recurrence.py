"""The slots a standing expects: against examples, against dateutil, and against zoneinfo in every zone."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise

import pytest
from dateutil.rrule import WEEKLY, rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.hours import Hour, Weekday, instant, is_in_gap, local_time, monday_of, zone_names
from service.domain.recurrence import bulk, instants, slots
from service.domain.standing import Modality, Standing

ZONES = sorted(zone_names())
BERLIN = "Europe/Berlin"
TWO_YEARS = timedelta(weeks=104)


def standing(
    *hours: Hour, since: date, until: date | None = None, every_weeks: int = 1, zone: str = BERLIN
) -> Standing:
    return Standing(
        id="standing-1",
        therapist="therapist-a",
        room="room-1",
        modality=Modality.IN_PERSON,
        hours=hours,
        every_weeks=every_weeks,
        minutes=50,
        zone=zone,
        since=since,
        until=until,
    )


def hour(day: Weekday, at: int, minute: int = 0) -> Hour:
    return Hour(day=day, at=time(at, minute))


MO10, TU10, TH16, SU0230 = (
    hour(Weekday.MO, 10),
    hour(Weekday.TU, 10),
    hour(Weekday.TH, 16),
    hour(Weekday.SU, 2, 30),
)


def days(of: Iterator[datetime], many: int = 4) -> list[str]:
    return [f"{slot:%m-%d %H:%M}" for slot in islice(of, many)]


def test_an_open_ended_week_goes_on() -> None:
    assert days(slots(standing(TU10, since=date(2026, 3, 3)))) == [
        "03-03 10:00",
        "03-10 10:00",
        "03-17 10:00",
        "03-24 10:00",
    ]


def test_several_weekdays_come_in_order_of_time() -> None:
    twice_a_week = standing(TH16, TU10, since=date(2026, 3, 4))
    assert days(slots(twice_a_week)) == ["03-05 16:00", "03-10 10:00", "03-12 16:00", "03-17 10:00"]


def test_fortnights_count_from_the_week_that_holds_the_first_day() -> None:
    """From Thursday the 5th, Tuesdays: the week's Tuesday has passed, so the first is two weeks after it."""
    fortnightly = standing(TU10, since=date(2026, 3, 5), every_weeks=2)
    assert days(slots(fortnightly), 3) == ["03-17 10:00", "03-31 10:00", "04-14 10:00"]
    assert days(slots(fortnightly, since=datetime(2026, 3, 18)), 1) == ["03-31 10:00"]


def test_a_fortnight_with_two_hours_keeps_both_in_one_week() -> None:
    both = standing(TU10, TH16, since=date(2026, 3, 4), every_weeks=2)
    assert days(slots(both)) == ["03-05 16:00", "03-17 10:00", "03-19 16:00", "03-31 10:00"]


def test_until_is_the_first_day_that_no_longer_counts() -> None:
    assert days(slots(standing(TU10, since=date(2026, 3, 3), until=date(2026, 3, 17)))) == [
        "03-03 10:00",
        "03-10 10:00",
    ]
    assert days(slots(standing(TU10, since=date(2026, 3, 3), until=date(2026, 3, 18))))[-1] == "03-17 10:00"
    assert not days(slots(standing(TU10, since=date(2026, 3, 3), until=date(2026, 3, 3))))


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (datetime(2026, 3, 10, 10), datetime(2026, 3, 17, 10), ["03-10 10:00"]),
        (datetime(2026, 3, 10, 10, 0, 1), datetime(2026, 3, 17, 10, 0, 1), ["03-17 10:00"]),
        (datetime(2026, 3, 10, 10), datetime(2026, 3, 10, 10), []),
        (datetime(2026, 3, 17, 10), datetime(2026, 3, 10, 10), []),
        (datetime(2020, 1, 1), datetime(2026, 3, 3, 10), []),
        (datetime(2020, 1, 1), datetime(2026, 3, 3, 10, 1), ["03-03 10:00"]),
    ],
)
def test_spans_are_half_open(since: datetime, until: datetime, expected: list[str]) -> None:
    weekly = standing(TU10, since=date(2026, 3, 3))
    assert days(slots(weekly, since=since, until=until)) == expected
    assert days(slot for slot, _ in instants(weekly, since=since, until=until)) == expected
    assert len(bulk([weekly], since=since, until=until)) == len(expected)


def test_the_far_future_is_as_near_as_the_next_week() -> None:
    """One slot in the year 9000 is asked for; walking there week by week would not end within the test."""
    old = [standing(TU10, since=date(1, 1, 1), every_weeks=1)] * 2_000
    assert all(next(slots(each, since=datetime(9000, 1, 1))) == datetime(9000, 1, 7, 10) for each in old)


def test_an_open_end_stops_before_the_calendar_does() -> None:
    yearly = standing(TU10, since=date(2026, 3, 3), every_weeks=52)
    assert list(slots(yearly, since=datetime(9980, 1, 1)))[-1].year == 9989
    assert not list(slots(yearly, since=datetime(9999, 12, 31)))


def test_a_slot_in_a_gap_stays_a_slot_and_its_session_begins_later() -> None:
    at_night = standing(SU0230, since=date(2026, 3, 22))
    assert list(islice(instants(at_night), 3)) == [
        (datetime(2026, 3, 22, 2, 30), datetime(2026, 3, 22, 1, 30, tzinfo=UTC)),
        (datetime(2026, 3, 29, 2, 30), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        (datetime(2026, 4, 5, 2, 30), datetime(2026, 4, 5, 0, 30, tzinfo=UTC)),
    ]


def test_a_session_that_a_gap_pushes_past_midnight_may_pass_the_next_slot() -> None:
    """In Nuuk the clocks skip Saturday 23:00 to midnight. Slots keep their order; their instants can't."""
    around_midnight = standing(
        hour(Weekday.SA, 23, 30), hour(Weekday.SU, 0, 10), since=date(2026, 3, 28), zone="America/Nuuk"
    )
    (saturday, late), (sunday, early) = islice(instants(around_midnight), 2)
    assert (saturday, sunday) == (datetime(2026, 3, 28, 23, 30), datetime(2026, 3, 29, 0, 10))
    assert late - early == timedelta(minutes=20)


def test_a_slot_in_a_fold_means_the_first() -> None:
    at_night = standing(SU0230, since=date(2026, 10, 25))
    assert next(instants(at_night))[1] == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_table_of_nothing() -> None:
    never = standing(TU10, since=date(2026, 3, 3), until=date(2026, 3, 3))
    for nobody in ([], [never]):
        table = bulk(nobody, since=datetime(2026, 1, 1), until=datetime(2027, 1, 1))
        assert len(table) == len(table.local) == len(table.utc) == 0


def test_numpy_is_loaded_when_a_table_is_asked_for_and_not_before() -> None:
    program = "import sys, service.domain.recurrence; print('numpy' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False"


some_hours = st.lists(
    st.builds(Hour, day=st.sampled_from(Weekday), at=st.times().map(lambda at: at.replace(second=0, microsecond=0))),
    min_size=1,
    max_size=3,
    unique_by=lambda each: each.day,
)


in_berlin = st.just(BERLIN)


@st.composite
def patterns(draw: st.DrawFn, zones: st.SearchStrategy[str] = in_berlin) -> Standing:
    since = draw(st.dates(date(2025, 12, 1), date(2026, 6, 30)))
    ends_after = draw(st.none() | st.integers(0, 800))
    return standing(
        *draw(some_hours),
        since=since,
        until=None if ends_after is None else since + timedelta(days=ends_after),
        every_weeks=draw(st.sampled_from([1, 1, 2, 3, 4])),
        zone=draw(zones),
    )


local_times = st.datetimes(datetime(2025, 12, 1), datetime(2026, 12, 31))


def slots_by_dateutil(of: Standing, since: datetime, until: datetime) -> list[datetime]:
    """The same by an independent peer: one naive rule per hour of the week, weeks beginning on Monday."""
    found = set()
    for each in of.hours:
        begins = datetime.combine(monday_of(of.since), each.at)
        found |= set(
            rrule(
                WEEKLY, dtstart=begins, interval=of.every_weeks, byweekday=int(each.day), wkst=0, until=until
            ).between(since, until, inc=True)
        )
    in_force = (slot for slot in found if of.is_in_force(slot.date()))
    return sorted(slot for slot in in_force if since <= slot < until)


@settings(max_examples=120, deadline=None)
@given(of=patterns(), since=local_times)
def test_slots_are_what_dateutil_says(of: Standing, since: datetime) -> None:
    until = since + TWO_YEARS
    assert list(slots(of, since=since, until=until)) == slots_by_dateutil(of, since, until)


@settings(max_examples=8, deadline=None)
@given(of=patterns(), since=local_times)
def test_in_every_zone_the_wall_time_is_kept_for_104_weeks(of: Standing, since: datetime) -> None:
    until = since + TWO_YEARS
    expected = list(slots(of, since=since, until=until))
    everywhere = [
        standing(*of.hours, since=of.since, until=of.until, every_weeks=of.every_weeks, zone=z) for z in ZONES
    ]
    rows: list[tuple[int, datetime, datetime]] = []
    for index, here in enumerate(everywhere):
        dated = list(instants(here, since=since, until=until))
        assert [slot for slot, _ in dated] == expected
        for (slot, before), (_, after) in pairwise(dated):
            assert before < after or is_in_gap(slot, here.zone), (here.zone, slot)
        for slot, at in dated:
            assert at == instant(slot, here.zone), (here.zone, slot)
            assert local_time(at, here.zone) == slot or is_in_gap(slot, here.zone), (here.zone, slot)
        rows += [(index, slot, at.replace(tzinfo=None)) for slot, at in dated]
    table = bulk(everywhere, since=since, until=until)
    assert list(zip(table.standing.tolist(), table.local.tolist(), table.utc.tolist(), strict=True)) == rows


@settings(max_examples=60, deadline=None)
@given(many=st.lists(patterns(st.sampled_from(ZONES)), max_size=6), since=local_times, weeks=st.integers(0, 120))
def test_the_table_holds_what_one_by_one_yields(many: list[Standing], since: datetime, weeks: int) -> None:
    until = since + timedelta(weeks=weeks)
    table = bulk(many, since=since, until=until)
    assert list(zip(table.standing.tolist(), table.local.tolist(), table.utc.tolist(), strict=True)) == [
        (index, slot, at.replace(tzinfo=None))
        for index, each in enumerate(many)
        for slot, at in instants(each, since=since, until=until)
    ]
