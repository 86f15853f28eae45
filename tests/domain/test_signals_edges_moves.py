"""S5 to S7: where each begins and ends to the minute, and every number that it shows."""

from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.appointment import Appointment, Initiator, Status
from service.domain.course import Course, CourseStatus
from service.domain.hours import LocalTime
from service.domain.signals import Level, wording
from service.domain.standing import Modality
from tests.domain.drawn import (
    TUESDAY,
    after_last,
    appointment,
    course,
    days,
    hour,
    hours,
    level,
    moved,
    signals,
    slots,
    standing,
)
from tests.domain.edges import MINUTE, booked, ids, only

# --- S5 churn


def test_s5_the_last_move_of_each_tells_whose_they_are() -> None:
    both = [moved(moved(one, hours(1)), hours(1), by=Initiator.CLIENT) for one in slots("HHH")]
    assert only(course(both), "churn").value == {"M": 3, "M_c": 0, "x": 2, "n": 3}
    other = [moved(moved(one, hours(1), by=Initiator.CLIENT), hours(1)) for one in slots("HHH")]
    one = only(course(other), "churn")
    assert (one.value["M_c"], one.level, one.is_clinic_caused) == (3, Level.ACT, True)
    assert one.appointments == tuple(each.expected for each in other)
    assert one.actions == wording.CHURN_ACTIONS_CLINIC


def test_s5_single_hours_in_between_take_no_place_in_the_window() -> None:
    three = [moved(one, hours(1)) for one in slots("HHH")]
    single = [appointment(None, starts=three[-1].expected + days(1) + hours(k)) for k in range(20)]
    assert level(course([*three, *single]), "churn", now=after_last(course(single))) == "act"


@pytest.mark.parametrize("status", [CourseStatus.ENDED])
def test_an_ended_course_is_left_alone_by_the_rules_on_its_sessions(status: CourseStatus) -> None:
    short = [moved(one, hours(1), told=hours(2)) for one in slots("HHH")]
    elsewhere = [replace(one, room="R2", modality=Modality.IN_PERSON, therapist="B") for one in slots("HHHHHH")]
    late = [replace(one, began=one.starts + hours(0.5)) for one in slots("HHHH")]
    cancelled = [*slots("HHH"), appointment(TUESDAY + days(21), "K", told_at=TUESDAY + days(21) - hours(2))]
    for made in (short, elsewhere, late, cancelled):
        running = ids(course(made))
        assert running
        assert ids(course(made, status=status)) == ["ending.unplanned"]


def test_without_a_standing_there_is_nothing_to_compare_with() -> None:
    single = [appointment(None, starts=TUESDAY + days(7) * k) for k in range(6)]
    short = [moved(one, hours(1), told=hours(2)) for one in single]
    late = [replace(one, began=one.starts + hours(0.5), therapist="B", room="R2") for one in single]
    for made in (short, late):
        of = course([*made, *booked(TUESDAY + days(42))], standings=())
        assert ids(of, now=TUESDAY + days(36)) == ["slot.suggest"]


# --- S6 notice


def short_by(*words: str) -> Course:
    """A word per weekly slot: `-` held, `K` cancelled by the clinic two hours before, `c` by the client, `S` ahead."""
    made = []
    for k, word in enumerate(words):
        slot = TUESDAY + days(7) * k
        told = None if word in "-S" else slot - hours(2)
        one = appointment(slot, {"-": "H"}.get(word, word))
        made.append(replace(one, told_at=told))
    return course(made)


@pytest.mark.parametrize(
    ("words", "n", "expected"),
    [
        (["-", "K", "-", "-", "-", "-", "K"], 2, "act"),
        (["K", "-", "-", "-", "-", "-", "K"], 1, "watch"),
        (["K", "-", "-", "K"], 2, "act"),
        (["K", "-", "-", "K", "c", "c"], 2, "act"),
        (["K"], 1, "watch"),
        (["-", "K", "K"], 2, "act"),
        (["-", "-", "K", "S", "S", "S"], 1, "watch"),
    ],
)
def test_s6_of_the_six_that_end_with_the_last(words: list[str], n: int, expected: str) -> None:
    of = short_by(*words)
    last = [one for one in of.appointments if one.status is Status.CLINIC_CANCELLED][-1]
    now = last.expected + hours(1) if "S" not in words else last.expected
    [one] = [one for one in signals(of, "notice.short", now=now) if one.value["by"] == "clinic"]
    assert (one.value["n"], one.level.value, one.appointments) == (n, expected, (last.expected,))


def test_s6_looks_at_two_still_to_come_as_one_with_the_past() -> None:
    of = short_by("-", "K", "-", "-", "-", "-", "K")
    assert level(of, "notice.short", now=TUESDAY + days(42) - hours(1)) == "act"
    of = short_by("K", "-", "-", "-", "-", "-", "K")
    assert level(of, "notice.short", now=TUESDAY + days(42) - hours(1)) == "watch"


def test_s6_the_latest_of_each_side_is_told() -> None:
    of = short_by("-", "c", "c")
    one = only(of, "notice.short")
    assert one.appointments == (TUESDAY + days(14),)
    assert (
        str(one.text) == "The session of Tue 18 Nov 10:00 was cancelled at the client's request with 2 hours' notice."
    )


def test_s6_numbers_are_hours_with_two_decimals() -> None:
    one = appointment(TUESDAY, "K", told_at=TUESDAY - hours(22) - timedelta(minutes=20))
    assert only(course([one]), "notice.short").value["notice_h"] == 22.33
    at_once = appointment(TUESDAY, "c", told_at=TUESDAY)
    assert str(only(course([at_once]), "notice.short").text).endswith("with 0 hours' notice.")


def test_s6_exactly_24_hours_by_the_client_and_48_by_the_clinic_are_enough() -> None:
    for letter, enough in (("c", 24), ("K", 48)):
        for lead, n in ((hours(enough), 0), (hours(enough) - MINUTE, 1)):
            of = course([appointment(TUESDAY, letter, told_at=TUESDAY - lead)])
            assert len(signals(of, "notice.short")) == n


def test_s6_told_when_the_last_session_began_it_is_live() -> None:
    of = course([appointment(TUESDAY), appointment(TUESDAY + days(1), "K", told_at=TUESDAY)])
    assert level(of, "notice.short") == "watch"
    before = course([appointment(TUESDAY), appointment(TUESDAY + days(1), "K", told_at=TUESDAY - MINUTE)])
    assert level(before, "notice.short") == "none"


# --- S7 time of the week


def around(*minutes: int, first: LocalTime = TUESDAY, standing: str = "s1") -> list[Appointment]:
    """Weekly sessions so many minutes off the agreed hour."""
    made = [appointment(first + days(7) * k, standing=standing) for k in range(len(minutes))]
    return [replace(one, starts=one.expected + timedelta(minutes=m)) for one, m in zip(made, minutes, strict=True)]


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        ((45, 45, 45, 45, 45, 45), []),
        ((46, 46, 46, 46, 46, 46), ["slot.drift"]),
        ((46, 46, 46, 46), ["slot.drift"]),
        ((46, 46, 46), []),
        ((0, 0, 300, 300, 300, 300), ["slot.drift"]),
        ((0, 0, 0, 300, 300, 300), ["slot.irregular"]),
        ((0, 0, 0, 0, 300, 600), []),
        ((0, 100, 200, 300), ["slot.irregular"]),
        ((0, 0, 100, 200), ["slot.irregular"]),
        ((0, 0, 0, 100), []),
        ((45, 45, 45, 45, 300, 600), []),
        ((0, 0, 61, 122, 183), ["slot.irregular"]),
        ((0, 0, 0, 300, 400, 500, 600), ["slot.irregular"]),
        ((40, 40, 40, 40, -60, 100), []),
        ((0, 0, 0, 100, 200), []),
        ((45, 45, 45, 46), []),
        ((45, -45, 45, -45, 300, 600), []),
        ((44, 46, -16, 104, 300, 600), []),
    ],
)
def test_s7_edges(minutes: tuple[int, ...], expected: list[str]) -> None:
    of = course(around(*minutes))
    assert [one.id for one in signals(of, "slot.drift", "slot.irregular")] == expected


def test_s7_with_all_its_numbers() -> None:
    one = only(course(around(1620 + 60, 1620, 1620, 1620, 1620, 0)), "slot.drift")
    assert one.value == {
        "n": 6,
        "hits": 1,
        "near": 5,
        "medoid": 2040 + 1620,
        "around": "Wed 13:00",
        "distance": 1620,
        "V": 0.0683,
    }
    assert one.episode == "slot.drift:s1"
    assert one.actions == wording.DRIFT_ACTIONS
    irregular = only(course(around(0, 100, 200, 300)), "slot.irregular")
    assert (irregular.value["V"], irregular.actions) == (0.0024, wording.IRREGULAR_ACTIONS)


def test_s7_only_sessions_of_the_standings_now_valid() -> None:
    turn = (TUESDAY + days(42)).date()
    both = (standing(until=turn), standing(id="s2", since=turn))
    old = around(300, 300, 300, 300, 300, 300)
    new = around(0, 0, 0, 0, first=TUESDAY + days(42), standing="s2")
    assert ids(course([*old, *new], standings=both)) == []
    drifted = around(300, 300, 300, 300, first=TUESDAY + days(42), standing="s2")
    one = only(course([*around(0, 0, 0, 0, 0, 0), *drifted], standings=both), "slot.drift")
    assert (one.value["n"], one.episode) == (4, "slot.drift:s2")
    together = (standing(), standing(id="s2", hours=(hour("TH 10:00"),)))
    mixed = [*around(300, 300, 300, 300, 300), *around(300, first=TUESDAY + days(30), standing="s2")]
    assert only(course(mixed, standings=together), "slot.drift").episode == "slot.drift:s2"


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [
        ((7, 7, 7), True),
        ((7, 7), False),
        ((14, 14, 14), True),
        ((28, 28, 28), True),
        ((21, 21, 21), False),
        ((7, 7, 7, 7, 7), True),
        ((35, 35, 35), False),
    ],
)
def test_a_standing_hour_is_suggested_for_regular_single_ones(intervals: tuple[int, ...], expected: bool) -> None:
    starts = [TUESDAY]
    for one in intervals:
        starts.append(starts[-1] + days(one))
    of = course([appointment(None, starts=one) for one in starts], standings=())
    assert bool(signals(of, "slot.suggest")) is expected


@pytest.mark.parametrize(
    ("hours_off", "expected"),
    [
        ((0, 0, 0, 0, 30, 60), True),
        ((0, 0, 0, 30, 60, 90), False),
    ],
)
def test_a_standing_hour_is_suggested_where_four_are_near(hours_off: tuple[int, ...], expected: bool) -> None:
    single = [appointment(None, starts=TUESDAY + days(7) * k + hours(h)) for k, h in enumerate(hours_off)]
    assert bool(signals(course(single, standings=()), "slot.suggest")) is expected


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [
        # The first, and the last three, are at one hour of the week; the median is what is odd.
        ((6, 5, 3, 7, 7), 6),
        ((6 - 1 / 24, 5, 3 + 1 / 24, 7, 7), None),
        ((8, 9, 11, 7, 7), 8),
        ((8 + 1 / 24, 9, 11 - 1 / 24, 7, 7), None),
        ((13, 8, 7, 14, 14), 13),
        ((13 - 1 / 24, 8, 7 + 1 / 24, 14, 14), None),
        ((15, 16, 18, 14, 14), 15),
        ((15 + 1 / 24, 16, 18 - 1 / 24, 14, 14), None),
        ((27, 8, 7, 28, 28), 27),
        ((27 - 1 / 24, 8, 7 + 1 / 24, 28, 28), None),
        ((29, 30, 32, 28, 28), 29),
        ((29 + 1 / 24, 30, 32 - 1 / 24, 28, 28), None),
    ],
)
def test_a_median_within_a_day_of_a_usual_interval_suggests(intervals: tuple[float, ...], expected: int | None) -> None:
    starts = [TUESDAY]
    for one in intervals:
        starts.append(starts[-1] + timedelta(minutes=round(one * 1440)))
    of = course([appointment(None, starts=one) for one in starts], standings=())
    found = [one.value["median_days"] for one in signals(of, "slot.suggest")]
    assert found == ([] if expected is None else [expected])
