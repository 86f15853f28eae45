"""When an assessment is due again: never later than the first change that time alone brings.

And: undisturbed courses say nothing, in any zone, across the changes of the clocks.
"""

import os
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.absences import Absence, AbsenceKind
from service.domain.appointment import Appointment, Status
from service.domain.course import Course, CourseStatus, Override
from service.domain.hours import Hour, LocalTime, Weekday
from service.domain.limits import Limits
from service.domain.recurrence import slots as expected_slots
from service.domain.signals import Assessment, assess
from tests.domain.drawn import TUESDAY, appointment, at, course, days, hour, hours, level, moved, say, slots, standing

MANY = settings(max_examples=int(os.environ.get("EXAMPLES", "60")), deadline=None)
LETTERS = "HHHHHHNLcKau"


def outcome(of: Assessment) -> object:
    """All that somebody could see change, but for the days that an open gap counts up."""
    said = {(one.id, one.level, one.episode, one.appointments, one.causes, one.is_settled) for one in of.signals}
    return said, of.index, of.metrics


@st.composite
def courses(draw: st.DrawFn) -> Course:
    past = draw(st.text(alphabet=LETTERS, max_size=16))
    ahead = draw(st.text(alphabet="SSSSSca.", max_size=10))
    every_weeks = draw(st.sampled_from((1, 1, 2)))
    made = slots(past + ahead, every=7 * every_weeks)
    made = [
        moved(one, timedelta(hours=draw(st.sampled_from((-30, 1, 50, 200))))) if draw(st.integers(0, 5)) == 0 else one
        for one in made
    ]
    until = draw(st.one_of(st.none(), st.integers(5, 30).map(lambda w: (TUESDAY + days(7 * w)).date())))
    absences = draw(st.lists(any_absence(), max_size=2))
    overrides = (
        {"gap_watch": Override(value=2.0, reason="agreed", until=date(2026, 2, 3))} if draw(st.booleans()) else {}
    )
    return course(
        made,
        standings=(standing(every_weeks=every_weeks, until=until),),
        absences=tuple(absences),
        overrides=overrides,
        status=draw(st.sampled_from(list(CourseStatus))) if draw(st.integers(0, 5)) == 0 else CourseStatus.ACTIVE,
    )


@st.composite
def any_absence(draw: st.DrawFn) -> Absence:
    since = TUESDAY - hours(10) + days(draw(st.integers(30, 200)))
    told = draw(st.one_of(st.none(), st.integers(0, 40).map(lambda d: since - days(d))))
    return Absence(
        kind=AbsenceKind.LEAVE,
        therapist="A",
        since=since,
        until=since + days(draw(st.integers(1, 30))),
        told_at=told,
        tentative=draw(st.integers(0, 4)) == 0,
    )


@MANY
@given(courses(), st.integers(0, 200 * 24 * 60), st.floats(0, 1, exclude_max=True))
def test_until_it_is_due_nothing_changes(of: Course, minutes: int, share: float) -> None:
    now = TUESDAY + timedelta(minutes=minutes)
    found = assess(of, limits=Limits(), now=now)
    assert found.due is None or found.due > now
    due = found.due or now + days(400)
    later = min(now + (due - now) * share, due - timedelta(microseconds=1))
    assert outcome(assess(of, limits=Limits(), now=later)) == outcome(found)


@pytest.mark.parametrize(
    ("history", "now", "due"),
    [
        ("HHHHHH", "2025-12-09 12:00", "2025-12-10 10:50"),  # 24 h after the last one's end: no next one is booked
        ("HHHHHHS", "2025-12-09 12:00", "2025-12-16 10:00"),  # the next one begins
        ("HHHHHHS", "2025-12-16 12:00", "2025-12-17 10:50"),
        ("HHHHHHcS", "2025-12-16 12:00", "2025-12-19 22:00:00.000001"),  # ten and a half days without a session
    ],
)
def test_due(history: str, now: str, due: str) -> None:
    assert say(course(history), at(now)).due == at(due)


def test_without_anything_to_come_it_is_never_due() -> None:
    assert say(course([], standings=(standing(),)), TUESDAY).due is None
    ended = course("HHHH", status=CourseStatus.ENDED)
    assert say(ended, TUESDAY + days(800)).due is None


# Undisturbed courses

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "America/Santiago",
)


@MANY
@given(
    st.sampled_from(ZONES),
    st.sampled_from((1, 2, 3, 4)),
    st.lists(st.sampled_from(list(Weekday)), min_size=1, max_size=2, unique=True),
    st.integers(0, 23),
    st.integers(0, 600),
    st.integers(6, 40),
    st.integers(0, 6 * 24),
)
def test_an_undisturbed_course_says_nothing(
    zone: str, every_weeks: int, weekdays: list[Weekday], clock: int, start: int, held: int, later: int
) -> None:
    since = date(2025, 1, 1) + timedelta(days=start)
    agreed = standing(
        hours=tuple(Hour(day=day, at=hour(f"MO {clock:02}:00").at) for day in weekdays),
        every_weeks=every_weeks,
        since=since,
        zone=zone,
    )
    all_slots = expected_slots(agreed)
    made = [replace(appointment(next(all_slots), "H" if k < held else "S"), zone=zone) for k in range(held + 30)]
    now = min(made[held - 1].expected + hours(1 + later), made[held].expected - hours(1))
    assert assess(course(made, zone=zone, standings=(agreed,)), limits=Limits(), now=now).signals == ()


@pytest.mark.parametrize("of_year", [date(2026, 3, 1), date(2026, 10, 1)])
def test_a_week_is_seven_days_on_either_side_of_both_changes(of_year: date) -> None:
    first = hour("SU 02:30").on(of_year)
    agreed = standing(hours=(hour("SU 02:30"),), since=of_year - timedelta(days=7))
    made = [appointment(first + days(7) * k, "H" if k < 5 else "S") for k in range(12)]
    for one in made[:5]:
        assert level(course(made, standings=(agreed,)), "gap.open", "gap.ahead", now=one.starts + days(7)) == "none"


def statuses(of: Course) -> list[Status]:
    return [one.status for one in of.appointments]


def test_drawing_is_what_it_says() -> None:
    """Else every table here would prove something else."""
    made: list[Appointment] = slots("H N L c K a u S . H")
    assert statuses(course(made))[:3] == [Status.HELD, Status.NO_SHOW, Status.LATE_NOT_SEEN]
    assert made[-1].expected - made[0].expected == days(63)
    told: list[LocalTime | None] = [one.told_at for one in made]
    assert told[3] == made[3].expected - days(3)
    assert told[6] is None
