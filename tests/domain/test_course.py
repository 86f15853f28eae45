"""The views of a course that the rules look at: cadence, frames, transfers, patterns, what is announced."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.absences import Absence, AbsenceKind
from service.domain.cadence import cadence
from service.domain.course import place_in_pattern
from service.domain.hours import Weekday
from service.domain.recurrence import slots as expected_slots
from service.domain.standing import Modality, Standing
from tests.domain.drawn import TUESDAY, appointment, at, course, days, hour, slots, standing


def pattern(hours: str, every_weeks: int = 1, since: date = date(2026, 1, 5), **changes: object) -> Standing:
    return standing(
        hours=tuple(hour(one) for one in hours.split(", ")), every_weeks=every_weeks, since=since, **changes
    )


@pytest.mark.parametrize(
    ("standings", "expected"),
    [
        ([pattern("TU 10:00")], days(7)),
        ([pattern("TU 10:00", 2)], days(14)),
        ([pattern("TU 10:00", 4)], days(28)),
        ([pattern("TU 10:00, FR 10:00")], days(4)),
        ([pattern("TU 10:00"), pattern("FR 10:00")], days(4)),
        ([pattern("TU 10:00, FR 15:00")], timedelta(days=3, hours=19)),
        ([pattern("TU 10:00", 2), pattern("TU 10:00", 2, date(2026, 1, 12))], days(7)),
        ([pattern("TU 10:00", 2), pattern("TH 15:00", 2, date(2026, 1, 12))], timedelta(days=9, hours=5)),
        ([pattern("MO 09:00", 2), pattern("MO 09:00", 3)], days(14)),
        ([pattern("MO 09:00", 49), pattern("TU 09:00", 50), pattern("WE 09:00", 51)], days(49 * 7)),
    ],
)
def test_the_cadence_is_the_longest_nominal_gap(standings: list[Standing], expected: timedelta) -> None:
    assert cadence(standings) == expected


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.integers(0, 6), st.integers(0, 23), st.integers(0, 30)), min_size=1, max_size=3
    )
)
def test_the_cadence_is_the_longest_time_between_neighbouring_slots(drawn: list[tuple[int, int, int, int]]) -> None:
    standings = [
        pattern(f"{Weekday(day).name} {clock:02}:00", every, date(2026, 1, 5) + timedelta(days=start))
        for every, day, clock, start in drawn
    ]
    long_enough = at("2026-03-09 00:00") + days(7 * 12 * 3)
    times = sorted(slot for one in standings for slot in expected_slots(one, until=long_enough))
    settled = [slot for slot in times if slot >= at("2026-03-09 00:00")]
    assert cadence(standings) == max(other - one for one, other in pairwise(settled))


def test_frames_follow_what_is_agreed() -> None:
    weekly = standing(until=date(2026, 2, 3))
    fortnightly = standing(id="s2", every_weeks=2, since=date(2026, 3, 3))
    of = course([], standings=(fortnightly, weekly))
    assert [frame.cadence for frame in of.frames] == [days(7), days(14)]
    assert of.frame_at(at("2025-01-01 10:00")).standings == (weekly,)
    assert of.frame_at(at("2026-02-02 23:59")).standings == (weekly,)
    assert of.frame_at(at("2026-02-20 10:00")).standings == (weekly,)  # nothing holds: the earlier one still judges
    assert of.frame_at(at("2026-03-03 00:00")).standings == (fortnightly,)


def test_a_standing_that_never_held_is_no_frame() -> None:
    of = course([], standings=(standing(since=date(2026, 1, 6), until=date(2026, 1, 6)), standing(id="s2")))
    assert [frame.standings[0].id for frame in of.frames] == ["s2"]


def versions(*parts: tuple[str, str, str | None]) -> list[date]:
    """Transfers of a course of standings `(therapist, since, until)`."""
    made = tuple(
        standing(id=f"s{k}", therapist=who, since=date.fromisoformat(since), until=until and date.fromisoformat(until))
        for k, (who, since, until) in enumerate(parts)
    )
    return [one.since for one in course([], standings=made).transfers]


def test_transfers() -> None:
    march = date(2026, 3, 3)
    assert versions(("A", "2026-01-01", "2026-03-03"), ("B", "2026-03-03", None)) == [march]
    assert versions(("A", "2026-01-01", "2026-02-03"), ("B", "2026-03-03", None)) == [march]
    assert versions(("A", "2026-01-01", "2026-03-03"), ("A", "2026-03-03", None)) == []
    assert versions(("A", "2026-01-01", None), ("B", "2026-03-03", None)) == []
    assert versions(
        ("A", "2026-01-01", "2026-03-03"), ("B", "2026-03-03", "2026-04-07"), ("A", "2026-04-07", None)
    ) == [
        march,
        date(2026, 4, 7),
    ]
    both = [("A", "2026-01-01", "2026-03-03")] * 2 + [("B", "2026-03-03", None)] * 2
    assert versions(*both) == [march]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(list(Weekday)), min_size=1, max_size=3, unique=True),
    st.integers(1, 3),
    st.integers(0, 400),
)
def test_the_place_in_a_pattern_counts_the_slots_before(weekdays: list[Weekday], every: int, start: int) -> None:
    one = pattern(", ".join(f"{day.name} 10:00" for day in weekdays), every, date(2026, 1, 1) + timedelta(days=start))
    found = [place_in_pattern(one, slot) for slot in islice(expected_slots(one), 20)]
    assert found == list(range(20))


def test_a_hybrid_pattern_takes_turns_by_slot() -> None:
    one = standing(hybrid=(Modality.IN_PERSON, Modality.VIDEO))
    of = course("HcHH", standings=(one,))
    turns = [of.modality_agreed_for(each, one).value for each in of.appointments]
    assert turns == ["in_person", "video", "in_person", "video"]


def test_announced_is_told_14_days_before_of_itself_or_of_an_absence_that_covers_the_slot() -> None:
    slot = TUESDAY + days(70)
    leave = Absence(kind=AbsenceKind.LEAVE, therapist="A", since=slot - days(1), until=slot + days(6))
    told = replace(leave, told_at=slot - days(14))
    late = replace(leave, told_at=slot - days(14) + timedelta(minutes=1))
    pause = replace(leave, kind=AbsenceKind.PAUSE, therapist=None)

    def is_announced(letter: str, *absences: Absence, **changes: object) -> bool:
        one = appointment(slot, letter, **changes)
        return course([one], absences=absences).is_announced(one, 14)

    assert is_announced("a")
    assert not is_announced("u")
    assert is_announced("u", told)
    assert not is_announced("u", late)
    assert not is_announced("u", replace(told, tentative=True))
    assert not is_announced("u", replace(told, therapist="B"))
    assert is_announced("u", pause)
    assert is_announced("S", told)
    assert not is_announced("S", told, starts=slot + days(8))  # moved out of it, so it takes place
    assert not is_announced("H", told)
    assert is_announced("c", told_at=slot - days(14))
    assert not is_announced("N", told_at=None)


def test_appointments_are_put_in_order_of_slot() -> None:
    made = slots("HHH")
    assert course(made[::-1]).appointments == tuple(made)
