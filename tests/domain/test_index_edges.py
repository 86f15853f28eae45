"""Where each deduction of the index begins, and what the plain numbers beside it count."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from service.domain.appointment import Appointment, Attribute, Change, Initiator
from service.domain.cadence import MOST_SLOTS, cadence
from service.domain.course import Course
from service.domain.hours import LocalTime
from service.domain.index import Component, Deduction, index
from service.domain.limits import Limits
from service.domain.metrics import Metrics, coc, interval_sd, metrics, mmci, secon, upc
from service.domain.standing import Modality
from tests.domain.drawn import TUESDAY, appointment, course, days, hour, hours, moved, slots, standing

MINUTE = timedelta(minutes=1)


def lost(one: Appointment, *more: Appointment, **changes: object) -> list[tuple[str, int, str]]:
    """What the last of ten kept sessions loses when it is this one."""
    of = course([*slots("HHHHHHHHH"), one, *more], **changes)
    return [_words(each) for each in index(of, now=TUESDAY + days(400), limits=Limits()).of(one.expected)]


def _words(one: Deduction) -> tuple[str, int, str]:
    return one.component.value, one.points, one.by.value


TENTH = appointment(TUESDAY + days(63))


def with_change(one: Appointment, what: Attribute, notice: timedelta | None, **changes: object) -> Appointment:
    told = None if notice is None else min(one.starts, one.expected) - notice
    change = Change(what=what, was=None, now=None, told_at=told, by=Initiator.CLIENT)
    return replace(one, changes=(*one.changes, change), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("away", "points"),
    [
        (timedelta(minutes=45), []),
        (timedelta(minutes=46), [("slot", 10, "client")]),
        (hours(12), [("slot", 10, "client")]),
        (hours(12) + MINUTE, [("slot", 25, "client")]),
        (days(3.5), [("slot", 25, "client")]),
        (days(3.5) + MINUTE, [("slot", 35, "client")]),
        (-hours(12), [("slot", 10, "client")]),
    ],
)
def test_how_far_from_the_slot(away: timedelta, points: list[tuple[str, int, str]]) -> None:
    assert lost(moved(TENTH, away, by=Initiator.CLIENT)) == points


@pytest.mark.parametrize(
    ("late", "lasted", "points"),
    [(9, 50, 0), (10, 50, 3), (0, 40, 3), (0, 41, 0), (0, 59, 0), (0, 60, 3), (10, None, 3), (9, None, 0)],
)
def test_how_late_and_how_long(late: int, lasted: int | None, points: int) -> None:
    began = TENTH.starts + timedelta(minutes=late)
    finished = None if lasted is None else began + timedelta(minutes=lasted)
    found = lost(replace(TENTH, began=began, finished=finished, late_by=Initiator.CLIENT))
    assert found == ([("length", points, "client")] if points else [])


@pytest.mark.parametrize(("notice", "is_short"), [(hours(48), False), (hours(48) - MINUTE, True), (None, True)])
def test_notice_of_each_kind_of_deviation(notice: timedelta | None, is_short: bool) -> None:
    short = [("notice", 10, "client")] if is_short else []
    far = replace(TENTH, starts=TENTH.starts + hours(3))
    assert lost(with_change(far, Attribute.TIME, notice)) == [("slot", 10, "client"), *short]
    cover = with_change(TENTH, Attribute.THERAPIST, notice, therapist="B")
    assert lost(cover) == [("therapist", 20, "client"), *short]
    by_video = with_change(TENTH, Attribute.MODALITY, notice, modality=Modality.VIDEO, room=None)
    assert lost(by_video) == [*short, ("setting", 7, "client")]
    elsewhere = with_change(TENTH, Attribute.ROOM, notice, room="R2")
    assert lost(elsewhere) == [*short, ("setting", 3, "client")]


def test_what_was_put_back_or_is_within_45_minutes_needed_no_notice() -> None:
    for what in Attribute:
        assert lost(with_change(TENTH, what, hours(1))) == []
    near = replace(TENTH, starts=TENTH.starts + timedelta(minutes=45))
    assert lost(with_change(near, Attribute.TIME, hours(1))) == []
    both = with_change(with_change(TENTH, Attribute.ROOM, hours(1)), Attribute.MODALITY, hours(100))
    assert lost(replace(both, modality=Modality.VIDEO, room=None)) == [("setting", 7, "client")]


def test_a_room_that_is_not_named_is_no_other_room() -> None:
    assert lost(replace(TENTH, room=None)) == []
    assert lost(TENTH, standings=(standing(room=None),)) == []
    by_video = standing(modality=Modality.VIDEO, room=None)
    assert lost(replace(TENTH, modality=Modality.VIDEO, room=None), standings=(by_video,)) == []


def test_a_new_therapist_costs_less_where_that_change_was_announced() -> None:
    second, third = TUESDAY + days(21), TUESDAY + days(42)
    versions = (
        standing(until=second.date()),
        standing(id="s2", therapist="B", since=second.date(), until=third.date(), change_told_at=TUESDAY - days(30)),
        standing(id="s3", therapist="C", since=third.date()),
    )
    made = [
        *slots("HHH"),
        *(appointment(second + days(7) * k, standing="s2", therapist="B") for k in range(3)),
        *(appointment(third + days(7) * k, standing="s3", therapist="C") for k in range(5)),
    ]
    found = index(course(made, standings=versions), now=TUESDAY + days(200), limits=Limits())
    assert [(one.points, one.by.value) for one in found.deductions] == [
        *[(10, "clinic")] * 3,
        *[(20, "clinic")] * 4,
    ]
    by_client = with_change(made[3], Attribute.THERAPIST, days(9))
    again = index(
        course([*made[:3], by_client, *made[4:]], standings=versions), now=TUESDAY + days(200), limits=Limits()
    )
    assert again.deductions[0].by is Initiator.CLINIC


@pytest.mark.parametrize(("gap", "n"), [(182, 2), (183, 1)])
def test_182_days_before_the_latest_still_count(gap: int, n: int) -> None:
    of = course([appointment(TUESDAY), appointment(TUESDAY + days(gap))])
    assert index(of, now=TUESDAY + days(gap + 1), limits=Limits()).n == n


def test_the_thirteenth_last_is_out_of_the_window_but_says_whether_a_miss_followed_a_miss() -> None:
    following = index(course("HHHHHHHcc HHHHHHHHHHH"), now=TUESDAY + days(400), limits=Limits())
    assert [one.points for one in following.deductions if one.component is Component.MISSED] == [100]
    after_kept = index(course("HHHHHHHHc HHHHHHHHHHH"), now=TUESDAY + days(400), limits=Limits())
    assert [one.points for one in after_kept.deductions] == [80]


# --- the plain numbers


def numbers(of: Course, now: LocalTime) -> Metrics:
    return metrics(of, now=now, announce_days=14)


def test_a_year_to_the_minute() -> None:
    of = course(slots("HHHHH"))
    assert numbers(of, TUESDAY + days(365)).held == 5
    assert numbers(of, TUESDAY + days(365) + MINUTE).held == 4


def test_held_due_and_announced() -> None:
    found = numbers(course("HHHHa cKuHSS"), TUESDAY + days(100))
    assert (found.held, found.due, found.announced) == (5, 9, 1)
    assert found.longest_gap_days == 35.0


def by(letters: str, *standings: object) -> Course:
    made = [replace(one, therapist=who) for one, who in zip(slots("H" * len(letters)), letters, strict=True)]
    return course(made, standings=standings) if standings else course(made)


def test_in_co_therapy_all_who_are_agreed_count_as_one() -> None:
    now = TUESDAY + days(100)
    assert numbers(by("ABABAB", standing(usual_therapists=("A", "B"))), now).secon == 1.0
    assert numbers(by("ABABAC", standing(usual_therapists=("A", "B"))), now).upc == pytest.approx(5 / 6)
    assert numbers(by("AAAA", standing(usual_therapists=("A",))), now).upc == 1.0
    assert numbers(by("ABAB"), now).secon == 0.0


@pytest.mark.parametrize("measure", [upc, coc, secon, mmci])
def test_four_sessions_are_enough_and_three_are_not(measure: Callable[[str], float | None]) -> None:
    assert measure("AAA") is None
    assert measure("AAAA") == pytest.approx(1.0)


def test_the_last_five_intervals_count() -> None:
    assert interval_sd([7, 7, 7, 7]) is None
    assert interval_sd([1, 7, 7, 7, 7, 7]) == 0.0
    assert interval_sd([7, 14, 7, 14, 7]) == pytest.approx(3.834, abs=1e-3)


# --- cadence


def every(hours_: str, weeks: int, since: date = date(2026, 1, 5)) -> object:
    return standing(hours=tuple(hour(one) for one in hours_.split(", ")), every_weeks=weeks, since=since)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([("MO 09:00, TU 09:00", 3)], days(20)),
        ([("MO 09:00", 2), ("TH 09:00", 2)], days(11)),
        ([("MO 09:00", 3), ("MO 09:00", 2)], days(14)),
        ([("MO 09:00, MO 15:00", 1)], days(7) - hours(6)),
        ([("MO 09:00", 4), ("TU 09:00", 6)], days(28)),
    ],
)
def test_the_longest_time_between_two_slots(parts: Sequence[tuple[str, int]], expected: timedelta) -> None:
    assert cadence([every(*part) for part in parts]) == expected  # type: ignore[misc]


def test_where_the_cycle_would_run_for_centuries_it_stops_looking() -> None:
    assert MOST_SLOTS == 20_000
    together = [every("MO 09:00", n) for n in (47, 49, 51, 52)]
    assert days(7 * 20) < cadence(together) <= days(7 * 47)  # type: ignore[arg-type]
