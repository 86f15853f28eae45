"""S14 and S15 breaks, S16 endings, S17 intervals."""

from dataclasses import replace
from datetime import date

import pytest

from service.domain.absences import Absence, AbsenceKind
from service.domain.appointment import Appointment
from service.domain.course import Course, CourseStatus, Ending, Override
from service.domain.metrics import interval_sd
from tests.domain.drawn import appointment, at, course, days, hour, level, signals, slots, standing

# S14: the first lost slot is Mon 17 Aug 2026 09:00

MONDAYS = (standing(hours=(hour("MO 09:00"),), since=date(2026, 1, 5)),)
FIRST_LOST = at("2026-08-17 09:00")


def with_leave(told_at: str | None, *more: Absence, held_until: str = "2026-08-10 09:00", **changes: object) -> Course:
    leave = Absence(
        kind=AbsenceKind.LEAVE,
        therapist="A",
        since=at("2026-08-17"),
        until=at("2026-08-29"),
        told_at=at(told_at) if told_at else None,
    )
    last = at(held_until)
    held = [appointment(last - days(7) * k) for k in range(8)]
    booked = [appointment(FIRST_LOST + days(7) * k, "S") for k in range(4)]
    return course([*held, *booked], standings=MONDAYS, absences=(leave, *more), **changes)


@pytest.mark.parametrize(
    ("now", "told_at", "expected"),
    [
        ("2026-07-20 09:00", None, "none"),
        ("2026-07-27 08:59", None, "none"),
        ("2026-07-27 09:00", None, "watch"),
        ("2026-08-03 08:59", None, "watch"),
        ("2026-08-03 09:00", None, "act"),
        ("2026-08-10 09:00", "2026-08-01 09:00", "none"),
        ("2026-08-12 09:00", "2026-08-10 09:00", "info"),
        ("2026-08-12 09:00", "2026-08-03 09:00", "none"),
        ("2026-08-12 09:00", "2026-08-03 09:01", "info"),
    ],
)
def test_s14(now: str, told_at: str | None, expected: str) -> None:
    of = with_leave(told_at)
    assert level(of, "break.unannounced", now=at(now)) == expected
    assert all(one.is_clinic_caused for one in signals(of, "break.unannounced", now=at(now)))


def test_s14_says_how_many_days_ahead() -> None:
    (one,) = signals(with_leave("2026-08-10 09:00"), "break.unannounced", now=at("2026-08-12 09:00"))
    assert str(one.text) == "Told 7 days ahead: leave 17–28 Aug."
    assert one.value["lead"] == 7.0


def test_s14_a_holiday_inside_a_told_leave_is_told() -> None:
    inside = Absence(kind=AbsenceKind.HOLIDAY, since=at("2026-08-24"), until=at("2026-08-25"))
    outside = Absence(kind=AbsenceKind.HOLIDAY, since=at("2026-08-31"), until=at("2026-09-01"))
    now = at("2026-08-12 09:00")
    assert level(with_leave("2026-07-01 09:00", inside), "break.unannounced", now=now) == "none"
    assert level(with_leave("2026-07-01 09:00", outside), "break.unannounced", now=now) == "watch"


def test_s14_leave_of_somebody_else_or_only_asked_for_is_silent() -> None:
    of = with_leave(None)
    other = replace(of, absences=tuple(replace(one, therapist="B") for one in of.absences))
    asked = replace(of, absences=tuple(replace(one, tentative=True) for one in of.absences))
    for silent in (other, asked):
        assert level(silent, "break.unannounced", now=at("2026-08-12 09:00")) == "none"


def test_s14_slots_already_cancelled_for_it_still_want_telling_and_moved_ones_do_not() -> None:
    of = with_leave(None)

    def change(one: Appointment) -> Appointment:
        return appointment(one.slot, "u") if one.slot and FIRST_LOST <= one.slot < at("2026-08-29 00:00") else one

    cancelled = replace(of, appointments=tuple(map(change, of.appointments)))
    assert level(cancelled, "break.unannounced", now=at("2026-08-12 09:00")) == "act"
    away = tuple(
        replace(one, starts=one.starts + days(14)) if one.status == "scheduled" else one for one in of.appointments
    )
    assert level(replace(of, appointments=away), "break.unannounced", now=at("2026-08-12 09:00")) == "none"


def test_s14_breaks_sensitive_asks_for_28_days() -> None:
    preset = {"preset": Override(value="breaks_sensitive", reason="agreed", until=date(2026, 12, 31))}
    of = with_leave(None, overrides=preset)
    assert level(of, "break.unannounced", now=at("2026-07-20 09:00")) == "act"
    assert level(of, "break.unannounced", now=at("2026-07-13 09:00")) == "watch"


# S15


@pytest.mark.parametrize(("weeks", "expected"), [(2, "none"), (3, "info")])
def test_s15_28_days_even_if_announced(weeks: int, expected: str) -> None:
    history = slots("HHHHHHHH" + "a" * weeks + "S")
    assert level(course(history), "break.long", now=history[7].expected + days(1)) == expected


def test_s15_every_four_weeks_is_no_break() -> None:
    monthly = (standing(every_weeks=4),)
    history = slots("HHHHHHS", every=28)
    assert level(course(history, standings=monthly), "break.long", now=history[5].expected + days(1)) == "none"


# S16


@pytest.mark.parametrize(
    ("held", "is_told", "expected"),
    [(7, False, "none"), (8, False, "watch"), (10, False, "act"), (10, True, "none"), (12, False, "act")],
)
def test_s16_a_number_of_sessions(held: int, is_told: bool, expected: str) -> None:
    of = course("H" * held + "SSSS", standings=(standing(sessions_planned=12, ending_told=is_told),))
    now = of.held[-1].expected + days(1)
    assert level(of, "ending.unprepared", now=now) == expected


@pytest.mark.parametrize(("left", "expected"), [(5, "none"), (4, "watch"), (3, "watch"), (2, "act")])
def test_s16_a_last_day(left: int, expected: str) -> None:
    history = slots("HHHHHHHH" + "S" * left)
    last_day = (history[-1].expected + days(1)).date()
    of = course(history, standings=(standing(until=last_day),))
    assert level(of, "ending.unprepared", now=history[7].expected + days(1)) == expected
    followed = (standing(until=last_day), standing(id="s2", since=last_day))
    assert level(replace(of, standings=followed), "ending.unprepared", now=history[7].expected + days(1)) == "none"


def test_s16_unplanned_endings_are_for_statistics() -> None:
    ended = course("HHHHHHH", status=CourseStatus.ENDED)
    assert [one.id for one in signals(ended)] == ["ending.unplanned"]
    marked = slots("HHHHHHH")
    marked[-1] = replace(marked[-1], ending_session=True)
    assert signals(course(marked, status=CourseStatus.ENDED)) == []
    missed_last = [*marked, appointment(marked[-1].expected + days(7), "c")]
    assert level(course(missed_last, status=CourseStatus.ENDED), "ending.unplanned") == "info"
    assert signals(replace(ended, ending=Ending.PLANNED)) == []
    assert level(course(marked, status=CourseStatus.ENDED, ending=Ending.UNPLANNED), "ending.unplanned") == "info"


# S17


@pytest.mark.parametrize(
    ("intervals", "sd", "is_over"),
    [
        ([7, 7, 7, 7, 7], 0.0, False),
        ([7, 7, 14, 7, 7], 3.130, False),
        ([7, 14, 7, 14, 7], 3.834, True),
        ([3, 11, 3, 11, 7], 4.0, True),
        ([10, 4, 10, 4, 7], 3.0, False),
        ([14, 14, 14, 14, 14], 0.0, False),
    ],
)
def test_s17(intervals: list[float], sd: float, is_over: bool) -> None:
    assert interval_sd(intervals) == pytest.approx(sd, abs=6e-4)
    of = _with_intervals(intervals)
    on = {"interval.sd": Override(value="on", reason="asked for", until=date(2026, 12, 31))}
    found = [one for one in signals(of, "interval.sd") if one.value["reason"] == "sd"]
    asked = [one for one in signals(replace(of, overrides=on), "interval.sd") if one.value["reason"] == "sd"]
    assert (found, len(asked)) == ([], int(is_over))


def test_s17_three_intervals_of_twice_the_cadence_ask_whether_it_is_fortnightly_now() -> None:
    (one,) = signals(_with_intervals([7, 7, 14, 14, 15]), "interval.sd")
    assert (one.level.value, str(one.text)) == (
        "info",
        "The last 3 intervals were about 14 days: is this now fortnightly?",
    )
    assert signals(_with_intervals([7, 7, 14, 7, 14]), "interval.sd") == []


def test_s17_too_few_intervals_say_nothing() -> None:
    assert interval_sd([3, 11, 3, 11]) is None


def _with_intervals(intervals: list[float]) -> Course:
    starts = [at("2025-11-04 10:00")]
    for one in intervals:
        starts.append(starts[-1] + days(one))
    return course([appointment(slot) for slot in starts])


def test_s14_counts_the_days_to_the_first_session_by_start_and_is_due_at_its_steps() -> None:
    """Two lost sessions that were moved past each other: the one that comes first counts."""
    of = with_leave(None)
    first, second = (at("2026-08-17 09:00"), at("2026-08-24 09:00"))
    crossed = {first: at("2026-08-26 09:00"), second: at("2026-08-18 09:00")}
    moved_past = tuple(replace(one, starts=crossed.get(one.expected, one.starts)) for one in of.appointments)
    crossed_of = replace(of, appointments=moved_past)
    assert level(crossed_of, "break.unannounced", now=at("2026-07-28 09:00")) == "watch"
    assert level(crossed_of, "break.unannounced", now=at("2026-08-04 08:59")) == "watch"
    assert level(crossed_of, "break.unannounced", now=at("2026-08-04 09:00")) == "act"
