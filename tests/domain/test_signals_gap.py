"""S1, S2, S3: gaps open, ahead and early. The tables G and S2 of the definition."""

from dataclasses import replace
from datetime import date

import pytest

from service.domain.absences import Absence, AbsenceKind
from service.domain.appointment import Appointment
from service.domain.course import Course, CourseStatus, Override
from service.domain.hours import LocalTime
from service.domain.limits import Limits
from service.domain.signals import Level, wording
from tests.domain.drawn import appointment, at, course, days, hour, level, say, signals, slots, standing

GAPS = ("gap.open", "gap.ahead", "gap.early")
LAST = at("2026-03-03 10:00")


def held_until(last: LocalTime, n: int, every: float = 7) -> list[Appointment]:
    return [appointment(last - days(every) * k) for k in range(n)][::-1]


def weekly(n: int, *after: Appointment, **changes: object) -> Course:
    return course([*held_until(LAST, n), *after], **changes)


def fortnightly(n: int, *after: Appointment) -> Course:
    return course([*held_until(LAST, n, 14), *after], standings=(standing(every_weeks=2),))


def twice_a_week(n: int, *after: Appointment) -> Course:
    both = (hour("TU 10:00"), hour("FR 10:00"))
    held = [LAST - days(7) * k for k in range(n // 2)] + [LAST - days(4) - days(7) * k for k in range(n // 2)]
    return course([*map(appointment, sorted(held)), *after], standings=(standing(hours=both),))


def told(slot: str) -> Appointment:
    return appointment(at(slot), "a")


TABLE_G = [
    # id, course until 3 Mar, the next session or booking, g, m_a, ratio, level
    ("G1", weekly(8), "2026-03-10 10:00", 7, 0, 1.0, "none"),
    ("G2", weekly(8), "2026-03-13 10:00", 10, 0, 1.4286, "none"),
    ("G3", weekly(8), "2026-03-16 10:00", 13, 0, 1.8571, "watch"),
    ("G4", weekly(8), "2026-03-17 10:00", 14, 0, 2.0, "watch"),
    ("G5", weekly(8), "2026-03-24 10:00", 21, 0, 3.0, "act"),
    ("G6", weekly(8, told("2026-03-10 10:00"), told("2026-03-17 10:00")), "2026-03-24 10:00", 21, 2, 1.0, "none"),
    ("G7", weekly(2), "2026-03-12 10:00", 9, 0, 1.2857, "watch"),
    ("G8", weekly(2), "2026-03-11 10:00", 8, 0, 1.1429, "none"),
    ("G9", weekly(2), "2026-03-17 10:00", 14, 0, 2.0, "act"),
    ("G10", fortnightly(8), "2026-03-24 10:00", 21, 0, 1.5, "none"),
    ("G11", fortnightly(8), "2026-03-31 10:00", 28, 0, 2.0, "watch"),
    ("G12", fortnightly(8), "2026-04-14 10:00", 42, 0, 3.0, "act"),
    ("G13", twice_a_week(8), "2026-03-10 10:00", 7, 0, 1.75, "watch"),
    ("G18", weekly(4), "2026-03-12 10:00", 9, 0, 1.2857, "watch"),
    ("G19", weekly(5), "2026-03-12 10:00", 9, 0, 1.2857, "none"),
]


@pytest.mark.parametrize(("its_id", "of", "to", "g", "m_a", "ratio", "expected"), TABLE_G, ids=[r[0] for r in TABLE_G])
def test_a_gap_ahead(its_id: str, of: Course, to: str, g: float, m_a: int, ratio: float, expected: str) -> None:
    booked = replace(of, appointments=(*of.appointments, appointment(None, "S", starts=at(to))))
    assert level(booked, *GAPS, now=LAST + days(1)) == expected
    for one in signals(booked, *GAPS, now=LAST + days(1)):
        assert (one.value["g"], one.value["m_a"]) == (g, m_a)
        assert one.value["rho"] == pytest.approx(ratio, abs=1e-4)
        assert one.value["state"] == "ahead"


@pytest.mark.parametrize(("its_id", "of", "to", "g", "m_a", "ratio", "expected"), TABLE_G, ids=[r[0] for r in TABLE_G])
def test_a_gap_open(its_id: str, of: Course, to: str, g: float, m_a: int, ratio: float, expected: str) -> None:
    assert level(of, *GAPS, now=at(to)) == expected
    for one in signals(of, *GAPS, now=at(to)):
        assert (one.value["g"], one.value["m_a"], one.value["state"]) == (g, m_a, "open")
        assert one.value["rho"] == pytest.approx(ratio, abs=1e-4)


def test_g14_a_week_over_the_change_of_the_clocks_is_seven_days() -> None:
    last = at("2026-03-24 10:00")
    of = course([*held_until(last, 8), appointment(at("2026-03-31 10:00"), "S")])
    assert level(of, *GAPS, now=last + days(1)) == "none"
    assert level(course(held_until(last, 8)), *GAPS, now=at("2026-03-31 10:00")) == "none"
    of = course([*held_until(last, 8), appointment(at("2026-04-07 10:00"), "S")])
    assert signals(of, "gap.ahead", now=last + days(1))[0].value["g"] == 14.0


@pytest.mark.parametrize(
    ("of", "watch_after", "act_after"),
    [(weekly(8), 10.5, 17.5), (weekly(2), 8.75, 12.25), (fortnightly(8), 21, 35), (fortnightly(2), 17.5, 24.5)],
)
def test_levels_begin_strictly_after_their_day(of: Course, watch_after: float, act_after: float) -> None:
    minute = days(1 / 1440)
    assert level(of, *GAPS, now=LAST + days(watch_after)) == "none"
    assert level(of, *GAPS, now=LAST + days(watch_after) + minute) == "watch"
    assert level(of, *GAPS, now=LAST + days(act_after)) == "watch"
    assert level(of, *GAPS, now=LAST + days(act_after) + minute) == "act"


# S2: weekly Mon 09:00, last held 10 Aug 2026; leave 17-28 Aug, public holiday Mon 31 Aug

MONDAY = at("2026-08-10 09:00")
EARLY_JULY = at("2026-07-20 09:00")


def leave(
    told_at: LocalTime | None, since: str = "2026-08-17", until: str = "2026-08-29", **changes: object
) -> Absence:
    plain = {"kind": AbsenceKind.LEAVE, "therapist": "A", "since": at(since), "until": at(until), "told_at": told_at}
    return Absence(**{**plain, **changes})  # type: ignore[arg-type]


def holiday(told_at: LocalTime | None) -> Absence:
    return Absence(kind=AbsenceKind.HOLIDAY, since=at("2026-08-31"), until=at("2026-09-01"), told_at=told_at)


def mondays(*absences: Absence, held: int = 8, extra: str | None = None) -> Course:
    booked = [appointment(MONDAY + days(7) * k, "S") for k in range(1, 6)]
    extras = [appointment(None, "S", starts=at(extra))] if extra else []
    return course(
        [*held_until(MONDAY, held), *booked, *extras],
        standings=(standing(hours=(hour("MO 09:00"),), since=date(2026, 1, 5)),),
        absences=absences,
    )


@pytest.mark.parametrize(
    ("of", "g", "m_a", "ratio", "expected"),
    [
        (mondays(leave(None), holiday(None)), 28, 0, 4.0, "act"),
        (mondays(leave(EARLY_JULY), holiday(None)), 28, 2, 2.0, "watch"),
        (mondays(leave(EARLY_JULY), holiday(EARLY_JULY)), 28, 3, 1.0, "none"),
        (mondays(leave(EARLY_JULY), holiday(None), extra="2026-09-01 15:00"), 22.25, 2, 1.1786, "none"),
        (mondays(leave(None, until="2026-08-18"), held=2), 14, 0, 2.0, "act"),
    ],
    ids=["nothing announced", "holiday overlooked", "all announced", "an extra session", "one day, early"],
)
def test_s2(of: Course, g: float, m_a: int, ratio: float, expected: str) -> None:
    now = MONDAY + days(1)
    assert level(of, *GAPS, now=now) == expected
    for one in signals(of, *GAPS, now=now):
        assert (one.value["g"], one.value["m_a"], one.value["rho"]) == (g, m_a, pytest.approx(ratio, abs=1e-4))


def test_s2_all_announced_is_a_long_break_of_28_days() -> None:
    found = signals(mondays(leave(EARLY_JULY), holiday(EARLY_JULY)), "break.long", now=MONDAY + days(1))
    assert [(one.level, one.value["g"]) for one in found] == [(Level.INFO, 28.0)]


def test_s2_names_each_lost_slot_and_why() -> None:
    of = mondays(leave(EARLY_JULY), holiday(None))
    (one,) = signals(of, "gap.ahead", now=MONDAY + days(1))
    assert [(cause.slot, cause.why, cause.told_at) for cause in one.causes] == [
        (at("2026-08-17 09:00"), "leave", EARLY_JULY),
        (at("2026-08-24 09:00"), "leave", EARLY_JULY),
        (at("2026-08-31 09:00"), "holiday", None),
    ]
    assert str(one.text) == (
        "The next session would be 28 days after the last one (usual: 7): "
        "leave 17–28 Aug (told 20 Jul), public holiday 31 Aug (not yet told)."
    )


def test_leave_that_is_only_asked_for_is_information() -> None:
    of = mondays(leave(None, tentative=True))
    (one,) = signals(of, "gap.ahead", now=MONDAY + days(1))
    assert (one.level, one.value["tentative"]) == (Level.INFO, True)


def test_by_video_a_closed_room_loses_nothing_but_a_closed_clinic_does() -> None:
    def closed(room: str | None) -> Course:
        absence = Absence(kind=AbsenceKind.CLOSURE, room=room, since=at("2026-08-17"), until=at("2026-08-29"))
        of = mondays(absence)
        by_video = [replace(one, room=None, modality="video") for one in of.appointments]
        return replace(of, appointments=tuple(by_video))

    assert level(closed("R1"), *GAPS, now=MONDAY + days(1)) == "none"
    assert level(closed(None), *GAPS, now=MONDAY + days(1)) == "act"


def test_slots_of_the_pattern_without_appointment_count_where_an_absence_covers_them() -> None:
    of = mondays(leave(EARLY_JULY))
    rowless = replace(
        of,
        appointments=tuple(
            one for one in of.appointments if one.slot not in (at("2026-08-17 09:00"), at("2026-08-24 09:00"))
        ),
    )
    assert level(rowless, *GAPS, now=MONDAY + days(1)) == "none"
    assert level(replace(rowless, absences=()), *GAPS, now=MONDAY + days(1)) == "act"


# One episode


def test_one_gap_is_one_episode_from_ahead_through_open_to_closed() -> None:
    booked = appointment(at("2026-03-24 10:00"), "S")
    of = weekly(8, booked)
    (ahead,) = signals(of, *GAPS, now=LAST + days(1))
    (is_open,) = signals(of, *GAPS, now=LAST + days(18))
    closed_of = weekly(8, appointment(at("2026-03-24 10:00")))
    (closed,) = signals(closed_of, *GAPS, now=LAST + days(22))
    assert [one.value["state"] for one in (ahead, is_open, closed)] == ["ahead", "open", "closed"]
    assert [one.level for one in (ahead, is_open, closed)] == [Level.ACT, Level.ACT, Level.INFO]
    assert ahead.episode == is_open.episode == closed.episode


def test_an_open_gap_speaks_for_its_own_pair_and_a_later_one_joins_it() -> None:
    of = weekly(8, appointment(at("2026-03-17 10:00"), "S"), appointment(at("2026-04-07 10:00"), "S"))
    is_open, later = signals(of, *GAPS, now=LAST + days(11))
    assert (is_open.id, is_open.level, later.id, later.level) == ("gap.open", Level.WATCH, "gap.ahead", Level.ACT)
    assert is_open.episode == later.episode
    assert later.value["from"] == "2026-03-17T10:00"


def test_the_early_phase_advances_along_the_chain() -> None:
    """Four held: 9 days after the fifth booking is no longer early."""
    fifth, sixth = appointment(at("2026-03-10 10:00"), "S"), appointment(None, "S", starts=at("2026-03-19 10:00"))
    assert level(weekly(4, fifth, sixth), *GAPS, now=LAST + days(1)) == "none"
    assert level(weekly(3, fifth, sixth), *GAPS, now=LAST + days(1)) == "watch"


def test_a_gap_of_ninety_days_begins_a_new_episode_with_the_next_session() -> None:
    old = [appointment(at("2025-11-04 10:00") + days(7) * k) for k in range(6)]
    of = course([*old, appointment(LAST + days(14))])
    assert level(of, "gap.early", now=LAST + days(14 + 9)) == "watch"
    still_open = course(old)
    assert level(still_open, "gap.early", now=LAST + days(30)) == "none"
    assert level(still_open, "gap.open", now=LAST + days(30)) == "act"


def test_a_change_of_therapist_restarts_the_early_phase_and_a_cover_does_not_count() -> None:
    both = (standing(until=date(2026, 3, 4)), standing(id="s2", therapist="B", since=date(2026, 3, 4)))
    of = weekly(8, appointment(at("2026-03-12 10:00"), "S", standing="s2", therapist="B"), standings=both)
    assert level(of, "gap.early", now=LAST + days(1)) == "watch"
    covered = [replace(one, therapist="C") if k < 4 else one for k, one in enumerate(held_until(LAST, 8))]
    assert level(course(covered), "gap.early", now=LAST + days(9)) == "watch"


def test_a_session_not_yet_marked_counts_as_held_for_48_hours() -> None:
    of = weekly(8, appointment(at("2026-03-10 10:00"), "S"))
    assert level(of, *GAPS, now=at("2026-03-12 09:59")) == "none"
    assert level(of, "mark.missing", now=at("2026-03-12 09:59")) == "none"
    of = weekly(8, appointment(at("2026-03-13 10:00"), "S"), appointment(at("2026-03-14 10:00"), "S"))
    assert level(of, "mark.missing", now=at("2026-03-15 10:00")) == "info"
    assert level(weekly(8, appointment(at("2026-03-10 10:00"), "S")), *GAPS, now=at("2026-03-14 10:00")) == "watch"


@pytest.mark.parametrize("status", [CourseStatus.ENDED, CourseStatus.PAUSED])
def test_no_gap_speaks_once_the_course_has_ended_or_rests(status: CourseStatus) -> None:
    assert level(weekly(8, status=status), *GAPS, now=LAST + days(40)) == "none"


def test_a_new_frame_judges_the_gap_that_ends_in_it() -> None:
    fortnight = standing(id="s2", every_weeks=2, since=date(2026, 3, 4))
    of = weekly(
        8,
        appointment(at("2026-03-17 10:00"), "S", standing="s2"),
        standings=(standing(until=date(2026, 3, 4)), fortnight),
    )
    assert level(of, *GAPS, now=LAST + days(1)) == "none"


def test_a_made_up_session_past_the_next_one_makes_no_negative_gap() -> None:
    """Slot 3 Mar held on 12 Mar, slot 10 Mar held on its day: the last session was on 12 Mar."""
    held = held_until(LAST, 8)
    held[-1] = replace(held[-1], starts=at("2026-03-12 10:00"))
    of = course([*held, appointment(at("2026-03-10 10:00"))])
    assert level(of, *GAPS, now=at("2026-03-22 10:00")) == "none"


# Agreed exceptions


def agreed(**values: float | str) -> dict[str, Override]:
    return {
        key.replace("__", "."): Override(value=value, reason="agreed", until=date(2026, 9, 1))
        for key, value in values.items()
    }


def test_an_agreed_threshold_holds_until_its_day_and_is_shown() -> None:
    of = weekly(8, overrides=agreed(gap_watch=2.0))
    assert level(of, "gap.open", now=LAST + days(13)) == "none"
    (one,) = signals(of, "gap.open", now=LAST + days(15))
    assert one.threshold["watch"] == 2.0
    agreed_on = {key: str(wording.exception(it)) for key, it in one.agreed.items()}
    assert agreed_on == {"gap_watch": "2 until 31 Aug 2026: agreed"}
    expired = weekly(8, overrides={"gap_watch": Override(value=2.0, reason="agreed", until=date(2026, 3, 10))})
    assert level(expired, "gap.open", now=LAST + days(13)) == "watch"


def test_a_rule_switched_off_is_silent() -> None:
    assert level(weekly(8, overrides=agreed(gap__open="off")), *GAPS, now=LAST + days(20)) == "none"


def test_tapering_takes_the_cadence_from_the_planned_slots() -> None:
    planned = [appointment(at("2026-03-17 10:00"), "S"), appointment(at("2026-04-14 10:00"), "S")]
    assert level(weekly(8, *planned), *GAPS, now=LAST + days(1)) == "act"
    assert level(weekly(8, *planned, overrides=agreed(preset="tapering")), *GAPS, now=LAST + days(1)) == "none"
    lost = [appointment(at("2026-03-10 10:00"), "c"), appointment(at("2026-03-17 10:00"), "S")]
    assert level(weekly(8, *lost, overrides=agreed(preset="tapering")), *GAPS, now=LAST + days(1)) == "watch"


def test_as_needed_only_asks_for_the_next_appointment() -> None:
    of = weekly(8, overrides=agreed(preset="as_needed"), default_cadence_days=42)
    assert {one.id for one in say(of, LAST + days(41)).signals} == set()
    assert {(one.id, one.level) for one in say(of, LAST + days(42)).signals} == {("next.none", Level.WATCH)}


def test_without_a_standing_the_default_cadence_judges() -> None:
    held = [appointment(None, starts=LAST - days(14) * k) for k in range(6)]
    of = course(held, standings=(), default_cadence_days=14)
    assert level(of, *GAPS, now=LAST + days(21)) == "none"
    assert level(of, *GAPS, now=LAST + days(22)) == "watch"


def test_an_undisturbed_course_says_nothing() -> None:
    assert say(course(slots("HHHHHH HHHHHH HHHHHH SSSSSSSSSSSS")), at("2026-03-03 12:00")).signals == ()


def test_limits_may_be_the_clinics_own() -> None:
    assert level(weekly(8), *GAPS, now=LAST + days(13), limits=Limits(gap_watch=2.0)) == "none"


def test_leave_that_is_only_asked_for_adds_nothing_where_it_takes_no_session() -> None:
    """The open gap speaks for the pair up to the next booking, asked-for leave or not."""
    asked = leave(None, since="2026-04-01", until="2026-04-03", tentative=True)
    of = weekly(8, appointment(at("2026-03-24 10:00"), "S"), absences=(asked,))
    assert [one.id for one in signals(of, *GAPS, now=LAST + days(15))] == ["gap.open"]
