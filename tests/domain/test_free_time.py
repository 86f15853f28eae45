"""Taken and free, minute by minute: what is merged says of each minute what was said of it, and free hours are free."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.free_time import FreeHour, Taken, Why, WorkingAt, free_hours, merged, not_working
from service.domain.hours import Hour, Span, Weekday, instant, span_of
from service.domain.nearby import Working

AT = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
BERLIN = "Europe/Berlin"


def span(since: int, until: int) -> Span:
    return Span(since=AT + HOUR * since, until=AT + HOUR * until)


WINDOW = span(0, 24)
_TAKEN = st.builds(
    lambda since, long, why: Taken(span=span(since, since + long), why=why),
    st.integers(-6, 28),
    st.integers(1, 9),
    st.sampled_from(Why),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_TAKEN, max_size=12))
def test_merged_says_of_each_hour_the_strongest_reason(taken: list[Taken]) -> None:
    found = merged(taken, WINDOW)
    assert all(one.span.until < two.span.since or one.why is not two.why for one, two in pairwise(found))
    assert all(one.span.until <= two.span.since for one, two in pairwise(found))
    for number in range(24):
        here = span(number, number + 1)
        wanted = max((one.why for one in taken if one.span.overlaps(here)), default=None)
        assert [one.why for one in found if one.span.overlaps(here)] == ([] if wanted is None else [wanted])
    assert all(WINDOW.since <= one.span.since < one.span.until <= WINDOW.until for one in found)


def test_nothing_taken_is_nothing_said() -> None:
    assert merged([], WINDOW) == []


def working(day: Weekday, begins: int, ends: int, zone: str = BERLIN) -> WorkingAt:
    return WorkingAt(working=Working(day=day, begins=time(begins), ends=time(ends)), zone=zone)


def test_outside_of_working_hours_is_away_by_each_site_s_own_clock() -> None:
    """Monday nine to noon in Berlin and two to four in New York: 8-11 and 19-21 in UTC."""
    hours = [working(Weekday.MO, 9, 12), working(Weekday.MO, 14, 16, "America/New_York")]
    found = not_working(hours, WINDOW)
    assert [one.span for one in found] == [span(0, 8), span(11, 19), span(21, 24)]
    assert {one.why for one in found} == {Why.AWAY}


def test_where_no_working_hours_are_known_nothing_is_away() -> None:
    assert not_working([], WINDOW) == []


def test_a_window_within_work_has_nothing_outside() -> None:
    assert not_working([working(Weekday.MO, 0, 23)], span(1, 20)) == []


def test_work_keeps_its_wall_time_over_a_change_of_the_clocks() -> None:
    sunday = Span(since=datetime(2026, 3, 28, 23, tzinfo=UTC), until=datetime(2026, 3, 29, 22, tzinfo=UTC))
    found = not_working([working(Weekday.SU, 9, 12)], sunday)
    assert found[0].span.until == datetime(2026, 3, 29, 7, tzinfo=UTC)


def test_a_window_that_begins_on_another_day_there_sees_that_day() -> None:
    """Sunday evening in New York is Monday in UTC."""
    found = not_working([working(Weekday.SU, 20, 23, "America/New_York")], WINDOW)
    assert [one.span for one in found] == [span(0, 1), span(4, 24)]


def free(taken: list[Taken], **given: Any) -> list[FreeHour]:
    """Of Tuesdays from nine to eleven in Berlin, from Monday 2 March 2026 on."""
    usual = {"minutes": 60, "every_weeks": 1, "weeks": 4, "since": date(2026, 3, 2), "not_before": AT - HOUR}
    return free_hours([working(Weekday.TU, 9, 11)], taken, **{**usual, **given})


def tuesday(week: int, at: time, why: Why, minutes: int = 60) -> Taken:
    local = datetime.combine(date(2026, 3, 3) + timedelta(weeks=week), at)
    return Taken(span=span_of(local, minutes, BERLIN), why=why)


def starts(found: list[FreeHour]) -> list[time]:
    return [one.hour.at for one in found]


def test_each_half_hour_of_work_that_nothing_is_booked_on_is_free() -> None:
    assert starts(free([])) == [time(9), time(9, 30), time(10)]
    assert starts(free([], minutes=90)) == [time(9), time(9, 30)]
    assert starts(free([], minutes=121)) == []
    assert {one.dates for one in free([])} == {4}


def test_one_booking_on_one_of_the_dates_takes_the_hour() -> None:
    """Also past the change of the clocks on 29 March: it is Tuesday at nine there, too."""
    assert starts(free([tuesday(3, time(9), Why.BUSY, 30)], weeks=4)) == [time(9, 30), time(10)]
    assert starts(free([tuesday(4, time(9), Why.BUSY, 30)], weeks=5)) == [time(9, 30), time(10)]
    assert starts(free([tuesday(4, time(9), Why.BUSY, 30)], weeks=4)) == [time(9), time(9, 30), time(10)]
    assert starts(free([tuesday(0, time(8), Why.TENTATIVE, 61)])) == [time(9, 30), time(10)]
    assert starts(free([tuesday(0, time(11), Why.BUSY)])) == [time(9), time(9, 30), time(10)]


def test_a_fortnightly_hour_is_free_beside_another_one() -> None:
    booked = [tuesday(1, time(9), Why.BUSY), tuesday(3, time(9), Why.BUSY)]
    assert starts(free(booked, every_weeks=2)) == [time(9), time(9, 30), time(10)]
    assert starts(free(booked)) == [time(10)]


def test_leave_takes_dates_of_an_hour_and_not_the_hour() -> None:
    found = free([tuesday(1, time(0), Why.AWAY, 24 * 60)])
    assert starts(found) == [time(9), time(9, 30), time(10)]
    assert [one.lost for one in found] == [(datetime.combine(date(2026, 3, 10), one.hour.at),) for one in found]


def test_dates_begin_on_the_day_and_not_before_now() -> None:
    wednesday = free([tuesday(0, time(9), Why.BUSY, 120)], since=date(2026, 3, 4))
    assert starts(wednesday) == [time(9), time(9, 30), time(10)]
    later = free([tuesday(0, time(9), Why.BUSY, 120)], not_before=instant(datetime(2026, 3, 3, 10, 1), BERLIN))
    assert [one.dates for one in later] == [3, 3, 3]
    assert free([], weeks=1, not_before=AT + timedelta(days=60)) == []


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(8 * 60, 12 * 60), st.integers(5, 120)), max_size=6))
def test_free_hours_are_those_that_no_booking_overlaps(booked: list[tuple[int, int, int]]) -> None:
    taken = [tuesday(week, time(at // 60, at % 60), Why.BUSY, minutes) for week, at, minutes in booked]
    found = {one.hour for one in free(taken, weeks=6)}
    for at in (time(9), time(9, 30), time(10)):
        hour = Hour(day=Weekday.TU, at=at)
        spans = [tuesday(week, at, Why.BUSY).span for week in range(6)]
        assert (hour in found) is not any(one.span.overlaps(other) for one in taken for other in spans)


@pytest.mark.parametrize("why", list(Why))
def test_a_span_that_only_touches_the_window_is_not_in_it(why: Why) -> None:
    assert merged([Taken(span=span(24, 26), why=why), Taken(span=span(-2, 0), why=why)], WINDOW) == []
