"""Hours keep their wall time over a change of the law: in every zone that can be set, for 104 weeks, between two real
releases of the data; and the order in which hours are put elsewhere, and what then clashes.
"""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.hours import TZDATA_VERSION, WEEK, instant, is_in_gap, law_of, local_time, release_name, zone_names
from service.domain.shift import Booked, Held, booked, clashes, in_safe_order, summed_up
from tests.older_law import OLD, OLD_NAME, run_with_old_data

FIRST = datetime(2026, 1, 6, 10)
"""A Tuesday at ten; 104 of them."""
TUESDAYS = [FIRST + WEEK * number for number in range(104)]
MOVED_ZONES = {
    "Africa/Casablanca",
    "Africa/El_Aaiun",
    "America/Edmonton",
    "America/Havana",
    "America/Inuvik",
    "America/Rainy_River",
    "America/Vancouver",
    "America/Winnipeg",
    "America/Yellowknife",
    "Canada/Central",
    "Canada/Mountain",
    "Canada/Pacific",
    "Cuba",
}
"""Of which the later release moves Tuesdays of these two years."""
_OLD_INSTANTS = """
import json
from service.domain.hours import TZDATA_VERSION, instant, zone_names
from tests.domain.test_shift import TUESDAYS
derived = {name: [instant(local, name).isoformat() for local in TUESDAYS] for name in sorted(zone_names())}
print(json.dumps([TZDATA_VERSION, derived]))
"""


@pytest.fixture(scope="module")
def old_instants() -> dict[str, list[datetime]]:
    release, derived = json.loads(run_with_old_data("-c", _OLD_INSTANTS, env={}))
    assert release == OLD
    return {name: [datetime.fromisoformat(at) for at in found] for name, found in derived.items()}


def test_every_zone_keeps_its_wall_time_for_104_weeks(old_instants: dict[str, list[datetime]]) -> None:
    """Control: kept as instants, they would be wrong, in just the zones whose law changed."""
    wrong = set()
    for name, derived in old_instants.items():
        for local, since in zip(TUESDAYS, derived, strict=True):
            hour = booked(1, local, name, since)
            assert since + hour.by == instant(local, name)
            if not is_in_gap(local, name):
                assert local_time(since + hour.by, name) == local
            if local_time(since, name) != local:
                wrong.add(name)
                assert hour.is_shifted
    assert wrong == MOVED_ZONES
    assert len(old_instants) > 590


def test_an_offset_that_was_stored_would_be_wrong_in_27_of_vancouver_s_104_weeks(
    old_instants: dict[str, list[datetime]],
) -> None:
    hours = [booked(n, local, "America/Vancouver", at) for n, (local, at) in _numbered(old_instants)]
    [one] = summed_up(hours)
    assert (one.by, one.first.date(), one.last.date()) == (timedelta(hours=-1), date(2026, 11, 3), date(2027, 12, 28))
    assert one.hours == sum(hour.is_shifted for hour in hours) == 27


def _numbered(old: dict[str, list[datetime]]) -> list[tuple[int, tuple[datetime, datetime]]]:
    return list(enumerate(zip(TUESDAYS, old["America/Vancouver"], strict=True)))


def test_releases_are_called_as_the_world_calls_them() -> None:
    assert release_name(OLD) == OLD_NAME
    assert [release_name(version) for version in ("2026.6", "2024.1", "2024.2.post1", "2027")] == [
        "2026f",
        "2024a",
        "2024b",
        "2027",
    ]
    assert release_name(TZDATA_VERSION) != OLD_NAME


def test_a_zone_s_law_is_told_by_sixteen_letters() -> None:
    assert len({law_of(name) for name in zone_names()}) > 300
    assert len(law_of("Europe/Berlin")) == 16
    assert law_of("US/Pacific") == law_of("America/Los_Angeles")


AT = datetime(2026, 12, 1, tzinfo=UTC)


def _hour(number: int, since: datetime, by: timedelta) -> Booked:
    return Booked(number, FIRST, "Etc/UTC", since, by)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 40), unique=True, min_size=1), st.sampled_from((-2, -1, 1, 2)), st.integers(1, 3))
def test_in_safe_order_no_hour_meets_one_that_is_still_to_leave(starts: list[int], by: int, long: int) -> None:
    """Hours of one therapist that don't overlap, moved one by one: at no moment do two overlap."""
    apart = [AT + timedelta(hours=start * long) for start in starts]
    stands = dict(enumerate(apart))
    hours = [_hour(number, since, timedelta(hours=by)) for number, since in stands.items()]
    for one in in_safe_order(hours):
        stands[one.id] = one.since + one.by
        in_order = sorted(stands.values())
        assert all(later - earlier >= timedelta(hours=long) for earlier, later in pairwise(in_order))
    assert {one.id for one in in_safe_order(hours)} == set(stands)


def test_hours_that_do_not_shift_are_left_out_of_both() -> None:
    same = _hour(1, AT, timedelta(0))
    assert in_safe_order([same]) == [] == summed_up([same])
    assert not same.is_shifted


@pytest.mark.parametrize(
    ("since", "by", "is_to_come"),
    [(1, 0, True), (0, 0, False), (-1, 2, True), (-1, 1, False), (1, -2, True), (-2, 1, False)],
)
def test_an_hour_is_to_come_unless_it_has_begun_by_both_laws(since: int, by: int, is_to_come: bool) -> None:
    hour = _hour(1, AT + timedelta(hours=since), timedelta(hours=by))
    assert hour.is_to_come(AT) is is_to_come


Spans = Sequence[tuple[int, int, int, int]]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(0, 20), st.integers(1, 4)), max_size=12),
    st.sets(st.integers(0, 11)),
)
def test_clashes_are_all_pairs_that_overlap_and_of_which_one_shifts(spans: Spans, shifted: set[int]) -> None:
    held = [
        Held(kind, who, AT + timedelta(hours=since), AT + timedelta(hours=since + long), number)
        for number, (kind, who, since, long) in enumerate(spans)
    ]
    found = list(clashes(sorted(held, key=lambda one: (one.kind, one.who)), shifted))
    pairs = {frozenset({one.appointment, other.appointment}) for one, other in found}
    wanted = {
        frozenset({one.appointment, other.appointment})
        for one in held
        for other in held
        if one.appointment != other.appointment
        if (one.kind, one.who) == (other.kind, other.who)
        if one.since < other.until and other.since < one.until
        if {one.appointment, other.appointment} & shifted
    }
    assert pairs == wanted
    assert len(found) == len(pairs)
