"""S8 room, S9 modality, S10 therapist, S11 punctuality and length."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from service.domain.appointment import Appointment, Initiator
from service.domain.course import Course, Override
from service.domain.metrics import coc, mmci, secon, upc
from service.domain.standing import Modality
from tests.domain.drawn import appointment, at, course, days, level, signals, slots, standing

# S8, S9: V by video, I in person; R1 is agreed


def in_form(letters: str) -> list[Appointment]:
    sessions = slots("H" * len(letters))
    return [
        replace(one, modality=Modality.VIDEO, room=None) if letter == "V" else one
        for one, letter in zip(sessions, letters, strict=True)
    ]


def in_rooms(rooms: str) -> list[Appointment]:
    names = rooms.split(",")
    return [replace(one, room=room) for one, room in zip(slots("H" * len(names)), names, strict=True)]


@pytest.mark.parametrize(("form", "expected"), [("VIIVII", "watch"), ("VIIIII", "none"), ("IIIIII", "none")])
def test_s9(form: str, expected: str) -> None:
    assert level(course(in_form(form)), "setting.modality") == expected


def test_s9_two_sessions_as_agreed_settle_it() -> None:
    assert [one.is_settled for one in signals(course(in_form("VIIVII")), "setting.modality")] == [True]
    assert [one.is_settled for one in signals(course(in_form("VIIVIV")), "setting.modality")] == [False]


def test_s9_an_agreed_pattern_is_what_is_agreed() -> None:
    of = course(in_form("VIIVII"))
    preset = {"preset": Override(value="hybrid_agreed", reason="agreed", until=date(2026, 12, 31))}
    assert level(replace(of, overrides=preset), "setting.modality") == "none"
    every_third = standing(hybrid=(Modality.VIDEO, Modality.IN_PERSON, Modality.IN_PERSON))
    assert level(replace(of, standings=(every_third,)), "setting.modality") == "none"
    assert level(replace(course(in_form("IIVIIV")), standings=(every_third,)), "setting.modality") == "watch"


@pytest.mark.parametrize(
    ("rooms", "same_room", "expected"),
    [
        ("R2,R1,R2,R1,R2,R1", False, "info"),
        ("R2,R1,R2,R1,R1,R1", False, "none"),
        ("R1,R1,R1,R1,R2,R1", True, "watch"),
        ("R1,R1,R1,R1,R1,R1", True, "none"),
    ],
)
def test_s8(rooms: str, same_room: bool, expected: str) -> None:
    assert level(course(in_rooms(rooms), same_room=same_room), "setting.room") == expected


def test_s8_a_session_by_video_has_no_other_room() -> None:
    assert level(course(in_form("VVVVVV"), same_room=True), "setting.room") == "none"


# S10: one letter per session's therapist; A is agreed


def by_therapists(letters: str) -> Course:
    sessions = slots("H" * len(letters))
    return course([replace(one, therapist=who) for one, who in zip(sessions, letters, strict=True)])


@pytest.mark.parametrize(
    ("sequence", "a", "b", "c", "d", "reason"),
    [
        ("AAAAAA", 1.0, 1.0, 1.0, 1.0, None),
        ("AAAAAB", 0.833, 0.667, 0.8, 0.804, "cover"),
        ("AABAAA", 0.833, 0.667, 0.6, 0.804, "cover"),
        ("AAABBB", 0.5, 0.4, 0.8, 0.804, "cover"),
        ("ABAABA", 0.667, 0.467, 0.2, 0.804, "pattern"),
        ("ABABAB", 0.5, 0.4, 0.0, 0.804, "pattern"),
        ("ABCDEF", 0.167, 0.0, 0.0, 0.020, "pattern"),
        ("ABC", None, None, None, None, "cover"),
    ],
)
def test_s10_continuity(
    sequence: str, a: float | None, b: float | None, c: float | None, d: float | None, reason: str | None
) -> None:
    for measure, expected in ((upc, a), (coc, b), (secon, c), (mmci, d)):
        assert measure(sequence) == (None if expected is None else pytest.approx(expected, abs=6e-4))
    found = signals(by_therapists(sequence), "therapist.change")
    assert [one.value["reason"] for one in found] == ([reason] if reason else [])
    assert [one.level.value for one in found if one.value["reason"] == "pattern"] == ["watch"] * (reason == "pattern")


def test_s10_a_cover_is_told_for_four_sessions() -> None:
    assert level(by_therapists("AABAAA"), "therapist.change") == "info"
    assert level(by_therapists("AABAAAA"), "therapist.change") == "none"


def test_s10_agreed_pairs_and_parallel_standings_are_no_change() -> None:
    pair = standing(usual_therapists=("A", "B"))
    assert level(replace(by_therapists("ABABAB"), standings=(pair,)), "therapist.change") == "none"


def transferred(told: str | None, *, since: str = "2026-01-06", after: str = "") -> Course:
    change = standing(
        id="s2", therapist="B", since=date.fromisoformat(since), change_told_at=at(told) if told else None
    )
    first = at(f"{since} 10:00")
    later = [appointment(first + days(7) * k, letter, standing="s2", therapist="B") for k, letter in enumerate(after)]
    return course([*slots("HHHHHHHHH"), *later], standings=(standing(until=date.fromisoformat(since)), change))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("2025-12-01 09:00", "info"),  # 35 days and 5 sessions before
        ("2025-12-16 12:00", "watch"),  # 20 days
        (None, "act"),
    ],
)
def test_s10_a_change_of_the_usual_therapist(told: str | None, expected: str) -> None:
    assert level(transferred(told, after="H"), "therapist.change") == expected


def test_s10_28_days_without_four_sessions_are_not_enough() -> None:
    of = transferred("2026-01-10 09:00", since="2026-03-03", after="H")
    assert level(of, "therapist.change") == "watch"


def test_s10_a_change_clears_with_four_sessions() -> None:
    assert level(transferred(None, after="HHH"), "therapist.change") == "act"
    assert level(transferred(None, after="HHHH"), "therapist.change") == "none"


# S11


def timed(late: list[float], length: list[float] | None = None, by: Initiator | None = None) -> Course:
    sessions = slots("H" * len(late))
    lengths = length or [50] * len(late)
    return course(
        [
            replace(
                one,
                began=(began := one.starts + timedelta(minutes=minutes)),
                finished=began + timedelta(minutes=lasted),
                late_by=by,
            )
            for one, minutes, lasted in zip(sessions, late, lengths, strict=True)
        ]
    )


@pytest.mark.parametrize(
    ("of", "bad", "expected"),
    [
        (timed([12, 0, 11, 0]), 2, "watch"),
        (timed([12, 0, 0, 9]), 1, "none"),
        (timed([0] * 4, [50, 40, 39, 50]), 2, "watch"),
        (timed([0] * 4, [41] * 4), 0, "none"),
        (timed([0] * 4, [60, 60, 50, 50]), 2, "watch"),
        (timed([0, 12, 0, 0], [50, 38, 50, 50]), 1, "none"),
        (timed([12, 12, 12, 0], by=Initiator.CLINIC), 3, "act"),
        (timed([12, 12, 12, 0], by=Initiator.CLIENT), 3, "watch"),
        (timed([12, 12, 0, 0, 0, 0]), 0, "none"),
        (course("HHHHHH"), 0, "none"),
    ],
)
def test_s11(of: Course, bad: int, expected: str) -> None:
    assert level(of, "time.frame") == expected
    for one in signals(of, "time.frame"):
        assert one.value["bad"] == bad


def test_s11_two_good_sessions_settle_it() -> None:
    assert [one.is_settled for one in signals(timed([12, 11, 0, 0]), "time.frame")] == [True]
    assert [one.is_settled for one in signals(timed([12, 0, 11, 0]), "time.frame")] == [False]


def test_s11_without_a_finish_lateness_is_judged_alone() -> None:
    of = timed([12, 11, 0, 0])
    open_ended = replace(of, appointments=tuple(replace(one, finished=None) for one in of.appointments))
    assert level(open_ended, "time.frame") == "watch"
