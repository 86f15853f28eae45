"""S5 churn, S6 short notice, S7 time of the week."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from service.domain.appointment import Appointment, Attribute, Change, Initiator
from service.domain.course import Course, Override
from service.domain.hours import LocalTime
from service.domain.signals.slot import concentration, distance, medoid_of, minute_of_week
from tests.domain.drawn import appointment, at, course, days, hour, hours, level, moved, signals, slots, standing

NEW_YEAR = date(2026, 12, 31)

# S5


def churned(history: str) -> Course:
    """One word per slot: `-` not moved, `client`, `clinic`, or `client*3` for three moves."""
    made = []
    for k, word in enumerate(history.split()):
        one = appointment(at("2026-01-06 10:00") + days(7) * k)
        who, _, times = word.partition("*")
        for _ in range(0 if word == "-" else int(times or 1)):
            one = moved(one, hours(1), by=Initiator(who))
        made.append(one)
    return course(made)


@pytest.mark.parametrize(
    ("history", "m", "m_c", "expected"),
    [
        ("- - - - - -", 0, 0, "none"),
        ("- client - client - -", 2, 0, "none"),
        ("- client - client - client", 3, 0, "watch"),
        ("- clinic - clinic - -", 2, 2, "watch"),
        ("- clinic - clinic - clinic", 3, 3, "act"),
        ("- - - client*3 - -", 1, 0, "watch"),
        ("clinic - - - - - clinic", 1, 1, "none"),
        ("clinic clinic", 2, 2, "watch"),
        ("- mutual - client - unknown", 3, 0, "watch"),
    ],
)
def test_s5(history: str, m: int, m_c: int, expected: str) -> None:
    assert level(churned(history), "churn") == expected
    for one in signals(churned(history), "churn"):
        assert (one.value["M"], one.value["M_c"]) == (m, m_c)
        assert one.is_clinic_caused == (m_c >= 2)


def test_s5_a_restored_move_still_counts_and_an_untold_one_does_not() -> None:
    three = [moved(moved(one, hours(2)), -hours(2)) for one in slots("HHH")]
    assert level(course(three), "churn") == "act"
    untold = [replace(one, changes=tuple(replace(c, told_at=None) for c in one.changes)) for one in three]
    assert level(course(untold), "churn") == "none"


def test_s5_other_changes_than_of_time_do_not_count() -> None:
    room = Change(what=Attribute.ROOM, was="R1", now="R2", told_at=at("2025-11-01 10:00"), by=Initiator.CLINIC)
    assert level(course([replace(one, changes=(room,)) for one in slots("HHH")]), "churn") == "none"


def test_s5_a_new_standing_hour_clears_it() -> None:
    three = [moved(one, days(2), by=Initiator.CLIENT) for one in slots("HHH")]
    thursday = standing(id="s2", hours=(hour("TH 10:00"),), since=date(2025, 11, 24))
    of = course(three, standings=(standing(until=date(2025, 11, 24)), thursday))
    assert level(of, "churn", now=at("2025-11-22 10:00")) == "watch"
    assert level(of, "churn", now=at("2025-11-25 10:00")) == "none"


def test_s5_words() -> None:
    (one,) = signals(churned("- client - client - client"), "churn")
    assert str(one.text) == (
        "3 of the last 6 sessions moved at the client's request. Perhaps another standing time would suit better?"
    )


# S6: a session of Tue 10 Mar 2026 10:00

TUESDAY = at("2026-03-10 10:00")


def changed_to(new: LocalTime | None, told: str | None, by: str, reason: str | None = None) -> Course:
    told_at = at(told) if told else None
    if new is None:
        letter = "K" if by == "clinic" else "c"
        one = appointment(TUESDAY, letter, told_at=told_at)
    else:
        change = Change(
            what=Attribute.TIME,
            was=TUESDAY.isoformat(timespec="minutes"),
            now=new.isoformat(timespec="minutes"),
            told_at=told_at,
            by=Initiator(by),
            reason=reason,
        )
        one = appointment(TUESDAY, "S", starts=new, changes=(change,))
    held = [appointment(TUESDAY - days(7) * k) for k in range(1, 7)]
    return course([*held, one])


@pytest.mark.parametrize(
    ("new", "told", "by", "notice_h", "expected"),
    [
        ("2026-03-11 10:00", "2026-03-08 11:00", "clinic", 47, "watch"),
        ("2026-03-11 10:00", "2026-03-08 10:00", "clinic", 48, "none"),
        ("2026-03-09 10:00", "2026-03-08 09:00", "clinic", 25, "watch"),
        (None, "2026-03-10 08:00", "clinic", 2, "watch"),
        (None, "2026-03-09 12:00", "client", 22, "info"),
        (None, "2026-03-09 09:00", "client", 25, "none"),
        (None, None, "clinic", None, "watch"),
        (None, None, "client", None, "none"),
    ],
)
def test_s6(new: str | None, told: str | None, by: str, notice_h: float | None, expected: str) -> None:
    of = changed_to(at(new) if new else None, told, by)
    assert level(of, "notice.short", now=at("2026-03-10 09:00")) == expected
    for one in signals(of, "notice.short", now=at("2026-03-10 09:00")):
        assert (one.value["notice_h"], one.is_clinic_caused) == (notice_h, by == "clinic")


def test_s6_clears_with_the_next_session_held_after_the_telling() -> None:
    of = changed_to(None, "2026-03-10 08:00", "clinic")
    later = replace(of, appointments=(*of.appointments, appointment(TUESDAY + days(7))))
    assert level(of, "notice.short", now=TUESDAY + days(8)) == "watch"
    assert level(later, "notice.short", now=TUESDAY + days(8)) == "none"


def test_s6_twice_in_six_is_for_a_person_now() -> None:
    of = changed_to(None, "2026-03-10 08:00", "clinic")
    earlier = moved(appointment(TUESDAY - days(21)), hours(3), told=hours(5))
    both = [earlier if one.slot == earlier.slot else one for one in of.appointments]
    assert level(course(both), "notice.short", now=TUESDAY) == "act"


def test_s6_illness_keeps_the_level_and_says_unavoidable() -> None:
    of = changed_to(at("2026-03-11 10:00"), "2026-03-09 10:00", "clinic", reason="illness")
    (one,) = signals(of, "notice.short", now=at("2026-03-09 12:00"))
    assert one.level.value == "watch"
    assert "unavoidable" in str(one.text)


# S7: the agreed hour is Tue 10:00, minute 2040 of the week

C_TABLE = {
    "C1": ("TU 10:00 TU 10:00 TU 10:00 TU 10:00 TU 10:00 TU 10:00", 6, "TU 10:00", 6, 0, 1.0, "none"),
    "C2": ("TH 15:00 TH 15:00 TH 15:00 TH 15:00 TH 15:00 TH 15:00", 0, "TH 15:00", 6, 3180, 1.0, "slot.drift"),
    "C3": ("TH 15:00 TH 15:00 TH 16:00 TH 14:30 TH 15:00 TU 10:00", 1, "TH 15:00", 5, 3180, 0.7810, "slot.drift"),
    "C4": ("MO 09:00 TH 15:00 TU 10:00 FR 11:00 WE 17:00 TU 10:00", 2, "TU 10:00", 2, 0, 0.3672, "slot.irregular"),
    "C5": ("TU 09:30 TU 10:30 TU 10:00 TU 10:15 TU 09:45 TU 10:00", 6, None, 6, None, 0.9999, "none"),
    "C7": ("TU 10:00 TU 10:00 TU 10:00 TH 15:00 TH 15:00 TH 15:00", 3, "TH 15:00", 3, 3180, None, "slot.irregular"),
}


def at_hours(text: str) -> list[Appointment]:
    words = text.split()
    hours_of_week = [hour(f"{day} {clock}") for day, clock in zip(words[::2], words[1::2], strict=True)]
    first = at("2026-01-06 10:00")
    return [
        appointment(first + days(7) * k, starts=one.on((first + days(7) * k).date()))
        for k, one in enumerate(hours_of_week)
    ]


@pytest.mark.parametrize(("times", "hits", "medoid", "near", "apart", "r", "expected"), C_TABLE.values(), ids=C_TABLE)
def test_s7(
    times: str, hits: int, medoid: str | None, near: int, apart: int | None, r: float | None, expected: str
) -> None:
    sessions = at_hours(times)
    minutes = [minute_of_week(one.starts) for one in sessions]
    found, found_near = medoid_of(minutes, 60)
    assert found_near == near
    assert sum(distance(one, 2040) <= 45 for one in minutes) == hits
    if medoid:
        assert found == hour(medoid).minute_of_week
        assert distance(found, 2040) == apart
    if r is not None:
        assert concentration(minutes) == pytest.approx(r, abs=1e-4)
    assert [one.id for one in signals(course(sessions), "slot.drift", "slot.irregular")] == (
        [] if expected == "none" else [expected]
    )


def test_s7_the_week_is_a_circle() -> None:
    def minute(text: str) -> int:
        return hour(text).minute_of_week

    assert distance(minute("MO 09:00"), minute("SU 21:00")) == 720
    assert distance(minute("TU 10:00"), minute("FR 22:00")) == 5040


def test_s7_words_and_the_new_version_that_clears_it() -> None:
    sessions = at_hours(C_TABLE["C3"][0])
    (one,) = signals(course(sessions), "slot.drift")
    assert str(one.text) == "5 of 6 sessions took place around Thu 15:00; agree it as the standing time?"
    agreed = standing(id="s2", hours=(hour("TH 15:00"),), since=date(2026, 2, 12))
    of = course(sessions, standings=(standing(until=date(2026, 2, 12)), agreed))
    assert signals(of, "slot.drift", now=at("2026-02-13 10:00")) == []


def test_s7_alternating_shifts_are_several_agreed_hours() -> None:
    sessions = at_hours("TU 10:00 TH 15:00 TU 10:00 TH 15:00 TU 10:00 TH 15:00")
    both = standing(hours=(hour("TU 10:00"), hour("TH 15:00")))
    assert signals(course(sessions), "slot.irregular") != []
    assert signals(course(sessions, standings=(both,)), "slot.irregular") == []
    old = standing(id="s0", hours=(hour("TH 15:00"),), since=date(2025, 6, 1), until=date(2025, 11, 1))
    agreed = {"preset": Override(value="shift_worker", reason="shifts", until=NEW_YEAR)}
    assert signals(course(sessions, standings=(old, standing()), overrides=agreed), "slot.irregular") == []


@pytest.mark.parametrize("rule", ["churn", "slot.drift"])
def test_flexible_by_agreement(rule: str) -> None:
    agreed = {"preset": Override(value="flexible_by_agreement", reason="agreed", until=NEW_YEAR)}
    of = course([moved(one, days(2)) for one in slots("HHHHHH")])
    assert level(of, rule) != "none"
    assert level(replace(of, overrides=agreed), rule) == "none"


def test_without_a_standing_a_regular_hour_is_suggested_and_nothing_else_said() -> None:
    sessions = [appointment(None, starts=at("2026-01-06 10:00") + timedelta(days=7 * k)) for k in range(6)]
    next_one = appointment(None, "S", starts=at("2026-02-17 10:00"))
    found = signals(course([*sessions, next_one], standings=()), now=at("2026-02-11 10:00"))
    assert [(one.id, one.level.value) for one in found] == [("slot.suggest", "info")]
    scattered = [replace(one, starts=one.starts + hours(25 * k)) for k, one in enumerate(sessions)]
    assert signals(course(scattered, standings=()), "slot.suggest", now=at("2026-02-16 12:00")) == []
