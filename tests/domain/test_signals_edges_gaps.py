"""S1 to S3 and when a course is due again: where each begins and ends to the minute, and every number it shows."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest

from service.domain.appointment import Status
from service.domain.course import Course, CourseStatus
from service.domain.hours import LocalTime
from service.domain.limits import Limits
from service.domain.signals import Level, spacing, wording
from tests.domain.drawn import (
    appointment,
    at,
    course,
    days,
    hour,
    hours,
    level,
    say,
    signals,
    standing,
)
from tests.domain.edges import GAPS, INSTANT, LAST, MINUTE, agreed, booked, held, ids, leave, only

# --- when it is due again


def test_due_the_start_of_what_was_moved_past_its_slot() -> None:
    now = LAST + days(7)
    unmarked = appointment(now, "S")
    late = appointment(now - days(3), "S", starts=now + days(1))
    of = course([*held(8), late, unmarked], standings=(standing(hours=(hour("TU 10:00"), hour("SA 10:00"))),))
    assert say(of, now).due == now + days(1)
    assert say(course([*held(8), late]), now - hours(1)).due == now - hours(1) + days(1) + hours(1)


def test_due_when_a_booking_comes_into_view_though_another_is_just_in_view() -> None:
    of = course([*held(8), *booked(LAST + days(57), LAST + days(57) + hours(1))])
    assert say(of, LAST + days(1)).due == LAST + days(1) + hours(1)


def test_due_when_the_oldest_leaves_the_year() -> None:
    of = course([appointment(LAST)], status=CourseStatus.ENDED)
    assert say(of, LAST + days(365)).due == LAST + days(365) + INSTANT
    assert say(of, LAST + days(300)).due == LAST + days(365) + INSTANT
    assert say(of, LAST + days(365) + INSTANT).due is None


def test_due_when_an_open_gap_passes_its_second_step() -> None:
    assert say(course(held(8)), LAST + days(11)).due == LAST + days(17.5) + INSTANT


def test_due_at_the_slots_before_a_last_day_booked_or_not() -> None:
    of = course(held(8), standings=(standing(until=date(2026, 6, 3)),))
    now = LAST + days(35)
    assert say(of, now).due == now + days(7)
    assert say(of, now - hours(1)).due == now


def test_due_when_the_next_grace_ends_and_not_at_the_one_that_just_did() -> None:
    first, second = LAST + days(7), LAST + days(8)
    to_come = LAST + days(14)
    of = course([*held(8), appointment(first, "S"), *booked(second, to_come)])
    assert say(of, first + hours(48)).due == second + hours(48)


# --- S1 to S3 gaps


def test_a_gap_ahead_with_all_its_numbers() -> None:
    of = course([*held(2), *booked(at("2026-03-12 10:00"))])
    one = only(of, "gap.early", LAST + days(1))
    assert one.value == {
        "state": "ahead",
        "g": 9.0,
        "C": 7.0,
        "m_a": 0,
        "g_adj": 9.0,
        "rho": 1.2857,
        "held_with": 2,
        "from": "2026-03-03T10:00",
        "to": "2026-03-12T10:00",
    }
    assert one.threshold == {"watch": 1.25, "act": 1.75}
    assert one.episode == "gap:2026-03-03T10:00"
    assert one.appointments == (LAST, at("2026-03-12 10:00"))
    assert one.actions == wording.GAP_AHEAD_ACTIONS
    assert one.causes == ()


def test_an_open_gap_with_all_its_numbers() -> None:
    of = course([*held(8), appointment(LAST + days(7), "c"), *booked(LAST + days(14), LAST + days(28))])
    one = only(
        of,
        "gap.open",
        LAST
        + days(
            10,
        )
        + hours(13),
    )
    assert (one.value["g"], one.value["rho"], one.value["to"]) == (10.5417, 1.506, None)
    assert one.appointments == (LAST + days(7),)
    assert one.actions == wording.GAP_OPEN_ACTIONS
    assert str(one.text) == (
        "The last session was 10.5 days ago (usual: 7): Tue 10 Mar cancelled at the client's request. "
        "The next one is booked for Tue 17 Mar 10:00."
    )
    assert str(only(course(held(8)), "gap.open", LAST + days(11)).text).endswith("No next one is booked.")


def test_a_closed_gap_is_on_the_timeline_for_the_last_twelve_intervals() -> None:
    of = course([appointment(LAST + days(14) * k) for k in range(15)])
    found = [one for one in signals(of, "gap.open", "gap.early") if one.value["state"] == "closed"]
    assert len(found) == 12
    assert str(found[-1].text) == "14 days passed between the sessions on Tue 1 Sep and Tue 15 Sep (usual: 7)."
    short = course([appointment(LAST + days(14) * k) for k in range(13)])
    assert sum(one.value["state"] == "closed" for one in signals(short, *GAPS)) == 12


def test_a_closed_gap_of_exactly_a_step_is_none() -> None:
    assert signals(course([*held(8), appointment(None, starts=LAST + days(10.5))]), *GAPS) == []
    [one] = signals(course([*held(8), appointment(None, starts=LAST + days(10.5) + MINUTE)]), *GAPS)
    assert one.value["state"] == "closed"


def test_announced_slots_bring_a_gap_exactly_to_a_step() -> None:
    told = appointment(LAST + days(7), "a")
    assert level(course([*held(8), told]), *GAPS, now=LAST + days(17.5)) == "none"
    assert level(course([*held(8), told]), *GAPS, now=LAST + days(17.5) + MINUTE) == "watch"


def test_the_worst_pair_ahead_speaks_and_of_equal_levels_the_longer() -> None:
    of = course([*held(8), *booked(*(LAST + days(n) for n in (7, 21, 37)))])
    one = only(of, "gap.ahead", LAST + days(1))
    assert (one.value["from"], one.value["g"], one.episode) == ("2026-03-24T10:00", 16.0, "gap:2026-03-03T10:00")
    assert str(one.text) == "From Tue 24 Mar to Thu 9 Apr there would be 16 days between sessions (usual: 7)."


def test_a_shorter_gap_of_the_early_phase_may_be_the_worse_one() -> None:
    first = LAST + days(7 * 1.8)
    one = only(course([*held(4), *booked(first, first + days(14))]), "gap.early", LAST + days(1))
    assert (one.level, one.value["rho"]) == (Level.ACT, 1.8)


def test_the_first_pair_from_a_booking_is_said_as_from_a_booking() -> None:
    of = course(booked(LAST, LAST + days(14)))
    assert str(only(of, "gap.early", LAST - days(1)).text).startswith("From Tue 3 Mar to Tue 17 Mar")


def test_a_gap_is_ahead_within_eight_weeks_to_the_minute() -> None:
    of = course([*held(8), *booked(LAST + days(57))])
    assert level(of, "gap.ahead", now=LAST + days(1) - MINUTE) == "none"
    assert level(of, "gap.ahead", now=LAST + days(1)) == "act"


def test_leave_that_is_asked_for_is_told_where_it_makes_things_worse() -> None:
    to_come = [appointment(LAST + days(7) * k, "S") for k in range(1, 6)]
    asked = leave(LAST + days(13), LAST + days(15), tentative=True)
    one = only(course([*held(8), *to_come], absences=(asked,)), "gap.ahead", LAST + days(1))
    assert (one.level, one.value["tentative"], one.episode) == (Level.INFO, True, "gap:2026-03-03T10:00")
    assert str(one.text).startswith("If the leave that is asked for comes about: From Tue 10 Mar to Tue 24 Mar")
    nobody_yet = only(course(to_come, absences=(asked,)), "gap.early", LAST + days(1))
    assert (nobody_yet.level, nobody_yet.episode) == (Level.INFO, "gap:2026-03-10T10:00")


def test_leave_that_is_asked_for_is_not_told_where_things_are_as_bad_without_it() -> None:
    to_come = [appointment(LAST + days(21), "S"), appointment(LAST + days(28), "S"), appointment(LAST + days(35), "S")]
    asked = leave(LAST + days(27), LAST + days(29), tentative=True)
    assert ids(course([*held(8), *to_come], absences=(asked,)), LAST + days(1)) == ["gap.ahead"]


def test_what_was_marked_before_it_began_is_still_to_come() -> None:
    ahead = appointment(LAST + days(14))
    of = course([*held(8), ahead])
    assert level(of, *GAPS, now=LAST + days(11)) == "watch"
    assert only(of, "gap.open", LAST + days(11)).value["from"] == "2026-03-03T10:00"
    assert level(of, *GAPS, now=LAST + days(14)) == "none"


def test_a_booking_that_begins_now_is_taken_as_held() -> None:
    of = course([*held(8), *booked(LAST + days(7), LAST + days(20))])
    assert only(of, "gap.ahead", LAST + days(7)).value["from"] == "2026-03-10T10:00"
    assert level(of, "gap.ahead", now=LAST + days(7) - MINUTE) == "watch"


def new_therapist(since: LocalTime, first_slots: Sequence[LocalTime], letter: str = "H") -> Course:
    new = standing(id="s2", therapist="B", since=since.date())
    later = [appointment(one, letter, standing="s2", therapist="B") for one in first_slots]
    return course([*held(8), *later], standings=(standing(until=since.date()), new))


def test_with_a_new_therapist_the_early_phase_begins_with_none_held() -> None:
    of = new_therapist(LAST + days(1), [])
    one = only(of, "gap.early", LAST + days(9))
    assert one.value["held_with"] == 0
    before = new_therapist(LAST + days(21), [])
    assert only(before, "gap.open", LAST + days(11)).value["held_with"] == 8


def test_with_a_new_therapist_the_count_goes_on_from_the_first_session() -> None:
    first = LAST + days(7)
    of = new_therapist(LAST + days(1), [first, first + days(7), first + days(14)])
    assert only(of, "gap.early", first + days(14 + 9)).value["held_with"] == 3
    ahead = new_therapist(LAST + days(1), [first, first + days(14)], "S")
    assert only(ahead, "gap.early", LAST + hours(8)).value["held_with"] == 1
    closed = new_therapist(LAST + days(1), [first + days(3), first + days(20)])
    assert [one.value["held_with"] for one in signals(closed, "gap.early", "gap.open")] == [0, 1]


def test_bookings_ahead_count_from_one_where_nobody_came_yet() -> None:
    of = course(booked(LAST, LAST + days(14)))
    assert only(of, "gap.early", LAST - days(1)).value["held_with"] == 1


@pytest.mark.parametrize(("gap", "counted"), [(89, 9), (90, 1)])
def test_ninety_days_to_the_day_begin_a_new_episode(gap: int, counted: int) -> None:
    back = LAST + days(gap)
    past = course([*held(8), appointment(back)])
    [one] = [one for one in signals(past, *GAPS, now=back + days(11)) if one.value["state"] == "open"]
    assert one.value["held_with"] == counted
    ahead = course([*held(8), *booked(back, back + days(13))], overrides=agreed(horizon_days=200))
    assert [one.value["held_with"] for one in signals(ahead, *GAPS, now=back - days(1)) if one.value["g"] == 13.0] == [
        counted
    ] or only(ahead, "gap.ahead", back - days(1)).value["held_with"] == 8


def test_of_two_absences_only_the_one_inside_the_gap_counts() -> None:
    pattern = held(8)
    to_come = appointment(LAST + days(21), "S")
    inside = leave(LAST + days(6), LAST + days(15), told_at=LAST - days(20))
    before = leave(LAST - days(9), LAST, told_at=LAST - days(40))
    after = leave(LAST + days(21), LAST + days(23), told_at=LAST - days(40))
    of = course([*pattern, to_come], absences=(inside, before, after))
    assert only(replace(of, absences=(inside,)), "mark.missing", LAST + days(30)).value["n"] == 1
    assert level(replace(of, absences=(inside, before)), *GAPS, now=LAST + days(1)) == "none"
    assert level(replace(of, absences=(before,)), *GAPS, now=LAST + days(1)) == "act"


# --- causes


def causes(of: Course, now: LocalTime) -> list[tuple[str, str]]:
    [one] = [one for one in signals(of, *GAPS, now=now) if one.value["state"] != "closed"]
    return [(f"{cause.slot:%d %b}", cause.why) for cause in one.causes]


def test_why_a_slot_is_without_a_session() -> None:
    now, slot = LAST + days(20), LAST + days(7)
    of = course([*held(8), appointment(slot, "S"), appointment(slot + days(7), "N")])
    assert causes(of, now) == [("10 Mar", "unmarked"), ("17 Mar", "no_show")]
    to_come = course([*held(8), appointment(slot, "S", starts=LAST + days(13))])
    assert causes(to_come, LAST + days(1)) == [("10 Mar", "moved")]
    further = course([*held(8), appointment(slot, "S", starts=LAST + days(15)), *booked(LAST + days(14))])
    assert causes(further, LAST + days(1)) == [("10 Mar", "moved")]


def test_a_session_held_before_the_gap_that_fills_a_slot_inside_it_is_no_cause() -> None:
    early = appointment(LAST + days(2), starts=LAST - days(1))
    both = (standing(hours=(hour("TU 10:00"), hour("TH 10:00"))),)
    of = course([*held(8), early], standings=both)
    assert causes(of, LAST + days(12)) == []
    unmarked = replace(early, status=Status.SCHEDULED, starts=LAST)
    assert causes(course([*held(8), unmarked], standings=both), LAST + days(12)) == []


def test_the_clinics_cancellation_in_a_leave_is_the_leave_and_the_clients_own_is_not() -> None:
    away = leave(LAST + days(6), LAST + days(8), told_at=LAST - days(2))
    for letter, why in (("K", "leave"), ("u", "leave"), ("c", "client_cancelled")):
        of = course([*held(8), appointment(LAST + days(7), letter)], absences=(away,))
        assert causes(of, LAST + days(13)) == [("10 Mar", why)]
    outside = course([*held(8), appointment(LAST + days(7), "K")])
    assert causes(outside, LAST + days(13)) == [("10 Mar", "clinic_cancelled")]


# --- tapering


def test_tapering_takes_the_longest_of_the_planned_slots_in_the_gap_and_no_further() -> None:
    tapering = agreed(preset="tapering")
    planned = [appointment(LAST + days(n), "S") for n in (14, 42)]
    of = course([*held(8), *planned], overrides=tapering)
    assert signals(of, *GAPS, now=LAST + days(1)) == []
    late = replace(planned[0], starts=LAST + days(22))
    assert (
        only(course([*held(8), late, planned[1]], overrides=tapering), "gap.ahead", LAST + days(1)).value["C"] == 14.0
    )
    lost = replace(planned[0], status=Status.CLIENT_CANCELLED)
    assert (
        only(course([*held(8), lost, planned[1]], overrides=tapering), "gap.open", LAST + days(22)).value["C"] == 14.0
    )
    assert only(course([*held(1)], overrides=tapering), "gap.early", LAST + days(9)).value["C"] == 7.0


def test_of_two_marked_the_one_that_began_now_is_the_last() -> None:
    of = course([*held(8), appointment(LAST + days(14)), appointment(LAST + days(21))])
    assert level(of, *GAPS, now=LAST + days(14) + days(10.5)) == "none"
    assert level(of, "gap.open", now=LAST + days(14)) == "none"
    assert level(of, "gap.open", now=LAST + days(14) - MINUTE) == "watch"


def test_what_begins_now_counts_once_for_the_early_phase() -> None:
    of = course([*held(3), *booked(LAST + days(7), LAST + days(16))])
    assert only(of, "gap.early", LAST + days(7)).value["held_with"] == 4


def test_spacing_is_worked_out_once_for_one_look() -> None:
    of, limits = course(held(8)), Limits()
    kept = spacing.of(of, limits, LAST)
    assert spacing.of(of, limits, LAST) is kept
    assert spacing.of(of, limits, LAST + days(1)).now == LAST + days(1)
    other = Limits()
    assert spacing.of(of, other, LAST + days(1)).limits is other


def test_how_many_were_held_before_a_slot() -> None:
    of = course([*held(4), appointment(LAST + days(7), "S")])
    first, last, to_come = of.appointments[0], of.appointments[3], of.appointments[4]
    assert [spacing.held_with_at(of, Limits(), one) for one in (first, last, to_come)] == [0, 3, 4]
    new = new_therapist(LAST + days(1), [LAST + days(7), LAST + days(14)])
    assert [spacing.held_with_at(new, Limits(), one) for one in new.appointments[-2:]] == [0, 1]
    one = new_therapist(LAST - days(1), [LAST + days(7)])
    assert spacing.held_with_at(one, Limits(), one.appointments[-1]) == 0
