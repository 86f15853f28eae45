"""S12 missed on the client's side, S13 cancelled by the clinic. One letter per slot, as `drawn` explains."""

import pytest

from service.domain.course import CourseStatus
from tests.domain.drawn import appointment, at, course, days, level, signals, slots


@pytest.mark.parametrize(
    ("history", "run", "expected"),
    [
        ("HHN", 1, "act"),
        ("HHHN", 1, "info"),
        ("HHHHHHN", 1, "info"),
        ("HHHHHHc", 1, "none"),
        ("HHHHHHcc", 2, "watch"),
        ("HHHHHHccc", 3, "act"),
        ("HHHHHHNN", 2, "act"),
        ("HHHHHHcN", 2, "act"),
        ("HHHHHHNKN", 2, "act"),
        ("HHHHHHcHc", 1, "none"),
        ("HHHHHHa", 0, "none"),
        ("HHHHHHaac", 1, "none"),
        ("HHHHHHNH", 0, "none"),
        ("N", 1, "act"),
        ("HHHHHHL", 1, "info"),
        ("HHHHHHcSc", 2, "watch"),
    ],
)
def test_s12(history: str, run: int, expected: str) -> None:
    assert level(course(history), "missed.client_run") == expected
    for one in signals(course(history), "missed.client_run"):
        assert one.value["run"] == run


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ("HHHHHK", "info"),
        ("HHHKHK", "watch"),
        ("HHHHKK", "act"),
        ("KHHKHK", "act"),
        ("KHHHHHH", "none"),
        ("HHHHHH", "none"),
        ("HHHKcK", "watch"),
    ],
)
def test_s13(history: str, expected: str) -> None:
    assert level(course(history), "missed.clinic") == expected
    assert all(one.is_clinic_caused for one in signals(course(history), "missed.clinic"))


def test_s13_announced_in_time_is_none() -> None:
    early = [
        appointment(one.expected, "K", told_at=at("2025-10-01 10:00")) if one.told_at else one
        for one in slots("HHHHKK")
    ]
    assert level(course(early), "missed.clinic") == "none"


def test_a_cancellation_told_fourteen_days_before_is_announced() -> None:
    def told(days_before: float) -> str:
        history = [
            appointment(one.expected, "c", told_at=one.expected - days(days_before)) if one.told_at else one
            for one in slots("HHHHHHcc")
        ]
        return level(course(history), "missed.client_run")

    assert (told(14), told(13.99)) == ("none", "watch")


@pytest.mark.parametrize("history", ["HHHHHHNN", "HHHHKK"])
def test_both_clear_when_the_course_ends(history: str) -> None:
    assert level(course(history, status=CourseStatus.ENDED), "missed.client_run", "missed.clinic") == "none"


def test_only_slots_that_have_come_count() -> None:
    of = course("HHHHHHNN")
    before_the_last = of.appointments[-1].expected.replace(hour=9)
    assert level(of, "missed.client_run", now=before_the_last) == "info"


def test_words_of_the_definition() -> None:
    (one,) = signals(course("HHHHHHcN"), "missed.client_run")
    assert str(one.text) == (
        "Two sessions in a row did not take place (one without a message). "
        "You may want to get in touch; offering a choice of times tends to help attendance."
    )
    (other,) = signals(course("HHHKHK"), "missed.clinic")
    assert str(other.text) == "The clinic cancelled 2 of the last 6 sessions."
