"""S4, the next appointment, and the marks that are missing."""

from dataclasses import replace
from datetime import date

import pytest

from service.domain.absences import Absence, AbsenceKind
from service.domain.course import CourseStatus
from service.domain.limits import Limits
from tests.domain.drawn import appointment, at, course, days, level, say, signals, standing

LAST = at("2026-03-03 10:00")
HELD = [appointment(LAST - days(7) * k) for k in range(8)]
FUTURE = appointment(at("2026-03-17 10:00"), "S")


@pytest.mark.parametrize(
    ("now", "is_booked", "status", "expected"),
    [
        ("2026-03-04 10:49", False, "active", "none"),
        ("2026-03-04 10:50", False, "active", "watch"),
        ("2026-03-10 09:59", False, "active", "watch"),
        ("2026-03-10 10:00", False, "active", "act"),
        ("2026-03-10 10:00", True, "active", "none"),
        ("2026-03-12 10:00", False, "ended", "none"),
        ("2026-03-12 10:00", False, "paused", "none"),
    ],
)
def test_s4(now: str, is_booked: bool, status: str, expected: str) -> None:
    of = course([*HELD, FUTURE] if is_booked else HELD, status=CourseStatus(status))
    assert level(of, "next.none", now=at(now)) == expected


def test_silent_before_the_first_session() -> None:
    assert level(course("NN"), "next.none", now=at("2026-03-12 10:00")) == "none"


def test_where_all_that_is_booked_falls_into_leave_the_return_is_not_booked() -> None:
    leave = Absence(kind=AbsenceKind.LEAVE, therapist="A", since=at("2026-03-09"), until=at("2026-03-21"))
    (one,) = signals(course([*HELD, FUTURE], absences=(leave,)), "next.none", now=at("2026-03-05 10:00"))
    assert str(one.text).startswith("Return date not booked")
    assert one.causes[0].why == "leave"


def test_an_unmarked_session_counts_as_held_until_its_grace_ends() -> None:
    of = course([*HELD, replace(FUTURE, slot=at("2026-03-10 10:00"), starts=at("2026-03-10 10:00"))])
    assert level(of, "next.none", now=at("2026-03-11 10:49")) == "none"
    assert level(of, "next.none", now=at("2026-03-11 10:50")) == "watch"
    assert level(of, "next.none", now=at("2026-03-12 10:00")) == "act"


def test_what_is_unmarked_for_48_hours_is_asked_about_once() -> None:
    unmarked = [appointment(at("2026-03-10 10:00"), "S"), appointment(at("2026-03-17 10:00"), "S")]
    of = course([*HELD, *unmarked])
    assert level(of, "mark.missing", now=at("2026-03-12 09:59")) == "none"
    (one,) = signals(of, "mark.missing", now=at("2026-03-20 10:00"))
    assert (one.level.value, one.appointments) == ("info", (at("2026-03-10 10:00"), at("2026-03-17 10:00")))


def test_the_grace_is_a_limit() -> None:
    of = course([*HELD, appointment(at("2026-03-10 10:00"), "S")])
    assert say(of, at("2026-03-11 10:00"), Limits(mark_grace_h=24)).signals[-1].id == "mark.missing"


def test_a_new_standing_sets_when_it_becomes_pressing() -> None:

    fortnightly = standing(id="s2", every_weeks=2, since=date(2026, 3, 4))
    of = course(HELD, standings=(standing(until=date(2026, 3, 4)), fortnightly))
    assert level(of, "next.none", now=at("2026-03-17 09:59")) == "watch"
    assert level(of, "next.none", now=at("2026-03-17 10:00")) == "act"
