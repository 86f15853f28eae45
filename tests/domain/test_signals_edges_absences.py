"""S12 to S17, marks and levels: where each begins and ends to the minute, and every number that it shows."""

from dataclasses import replace

from service.domain.absences import Absence, AbsenceKind
from service.domain.course import Course, Override
from service.domain.hours import LocalTime
from service.domain.signals import Level
from tests.domain.drawn import (
    TUESDAY,
    appointment,
    at,
    course,
    days,
    hours,
    level,
    signals,
    slots,
    standing,
)
from tests.domain.edges import LAST, LATER, MINUTE, booked, held, leave, only

# --- S12, S13 missed


def test_s12_with_all_its_numbers() -> None:
    one = only(course("HHHHHH cNc"), "missed.client_run")
    assert one.value == {"run": 3, "no_message": 1, "held": 6}
    assert one.threshold == {"watch": 2, "act": 3, "act_with_no_message": 2, "first_sessions": 3}
    assert one.episode == "missed:2025-12-16T10:00"
    assert one.appointments == tuple(TUESDAY + days(7) * k for k in (6, 7, 8))
    assert only(course("HHHHHH cc"), "missed.client_run").value["no_message"] == 0


def test_s13_with_all_its_numbers() -> None:
    one = only(course("HHHHKK"), "missed.clinic")
    assert one.value == {"cancelled": 2, "n": 6, "run": 2}
    assert one.threshold == {"watch": 2, "act": 3, "act_run": 2, "window": 6}
    assert only(course("HHHKHK"), "missed.clinic").value["run"] == 1
    assert only(course("HHHKKH"), "missed.clinic").value["run"] == 0


def test_s13_the_only_occurrence_is_one_and_no_run() -> None:
    assert level(course("K"), "missed.clinic") == "info"


# --- S14, S15 breaks


def away_from(since: LocalTime, **changes: object) -> Absence:
    return leave(since - hours(1), since + days(1), **changes)


def test_s14_a_session_that_begins_now_is_no_longer_to_come() -> None:
    slot = LAST + days(7)
    of = course([*held(8), appointment(slot, "S")], absences=(away_from(slot),))
    assert level(of, "break.unannounced", now=slot - MINUTE) == "act"
    assert level(of, "break.unannounced", now=slot) == "none"


def test_s14_one_session_told_late_says_for_which() -> None:
    slot = LAST + days(7)
    away = away_from(slot, told_at=slot - days(3))
    of = course([*held(8), appointment(slot, "S")], absences=(away,))
    one = only(of, "break.unannounced", LAST + days(5))
    assert (one.value, str(one.text)) == (
        {"lead": 3.0, "lost": 1, "told_at": "2026-03-07T10:00"},
        "Told 3 days ahead: leave 10–11 Mar.",
    )
    assert one.episode == "break:leave:2026-03-10T09:00"
    named = replace(of, absences=(replace(away, id="abs-1"),))
    assert only(named, "break.unannounced", LAST + days(5)).episode == "break:abs-1:2026-03-10T09:00"


def test_s14_each_told_of_itself_the_first_says_how_early() -> None:
    first, second = LAST + days(7), LAST + days(14)
    lost = [appointment(first, "K", told_at=first - days(5)), appointment(second, "K", told_at=second - days(13))]
    of = course([*held(8), *lost], absences=(leave(first - hours(1), second + days(1)),))
    assert only(of, "break.unannounced", LAST + days(6)).value["lead"] == 5.0


def test_s14_a_pause_is_agreed_and_silent() -> None:
    slot = LAST + days(7)
    pause = away_from(slot, kind=AbsenceKind.PAUSE, therapist=None)
    of = course([*held(8), appointment(slot, "u", told_at=slot - days(3))], absences=(pause,))
    assert signals(of, "break.unannounced", now=LAST + days(5)) == []


def test_s15_more_than_a_cadence_and_a_half_and_says_whether_the_return_is_booked() -> None:
    monthly = (standing(every_weeks=4),)
    past = held(8, every=28)
    assert signals(course([*past, *booked(LAST + days(42))], standings=monthly), "break.long", now=LAST + days(1)) == []
    longer = course([*past, *booked(LAST + days(42) + MINUTE)], standings=monthly)
    assert only(longer, "break.long", LAST + days(1)).value["g"] == 42.0007
    told = [appointment(LAST + days(7) * k, "a") for k in range(1, 5)]
    of = course([*held(8), *told, *booked(LAST + days(35))])
    one = only(of, "break.long", LAST + days(1))
    assert str(one.text) == (
        "35 days between sessions from Tue 3 Mar: consider what contact, cover or written plan was agreed."
    )
    assert (one.value["to"], one.value["m_a"], one.episode) == ("2026-04-07T10:00", 4, "break.long:2026-03-03T10:00")
    unbooked = only(course([*held(8), *told]), "break.long", LAST + days(28))
    assert str(unbooked.text).endswith("Is the return date booked?")
    assert unbooked.value["to"] is None


# --- S16 endings


def last_day_in(weeks: int, letters: str = "SSSSSS") -> Course:
    until = (LAST + days(7 * weeks) + days(1)).date()
    to_come = slots(letters[:weeks], LAST + days(7))
    return course([*held(8), *to_come], standings=(standing(until=until),))


def test_s16_a_slot_that_begins_now_is_not_left() -> None:
    of = last_day_in(5)
    assert level(of, "ending.unprepared", now=LAST + days(7) - MINUTE) == "none"
    assert level(of, "ending.unprepared", now=LAST + days(7)) == "watch"


def test_s16_what_is_cancelled_or_lost_is_not_left() -> None:
    of = last_day_in(5, "SScSS")
    assert only(of, "ending.unprepared", LAST + days(1)).value == {"left": 4, "held": 8}
    lost = replace(last_day_in(5), absences=(away_from(LAST + days(14)),))
    assert only(lost, "ending.unprepared", LAST + days(1)).value["left"] == 4


def test_s16_on_the_last_day_there_is_none_to_come() -> None:
    of = last_day_in(5)
    midnight = at("2026-04-08 00:00")
    assert level(of, "ending.unprepared", now=midnight - MINUTE) == "act"
    assert level(of, "ending.unprepared", now=midnight) == "none"


# --- S17 intervals


def with_intervals(*intervals: float, asked: bool = False) -> Course:
    starts = [TUESDAY]
    for one in intervals:
        starts.append(starts[-1] + days(one))
    overrides = {"interval.sd": Override(value="on", reason="asked for", until=LATER)} if asked else {}
    return course([appointment(slot) for slot in starts], overrides=overrides)


def test_s17_three_intervals_of_twice_a_week_within_a_day() -> None:
    assert only(with_intervals(7, 13, 14, 15), "interval.sd").value == {"reason": "cadence", "mean": 14.0, "n": 3}
    assert signals(with_intervals(7, 14, 14, 15.5), "interval.sd") == []
    assert signals(with_intervals(14, 14), "interval.sd") == []
    assert only(with_intervals(14, 14, 14.5), "interval.sd").value["mean"] == 14.167


def test_s17_with_all_its_numbers() -> None:
    of = with_intervals(7, 7, 14, 7, 14, 7, asked=True)
    [one] = [one for one in signals(of, "interval.sd") if one.value["reason"] == "sd"]
    assert one.value == {"reason": "sd", "sd": 3.834, "n": 5, "C": 7.0}
    assert one.threshold == {"share": 0.5}
    assert one.appointments == tuple(each.expected for each in of.appointments[-6:])


def test_s17_exactly_half_the_cadence_and_an_open_gap_are_silent() -> None:
    assert signals(with_intervals(3.5, 10.5, 3.5, 10.5, 7, asked=True), "interval.sd") == []
    assert len(signals(with_intervals(3.4, 10.6, 3.4, 10.6, 7, asked=True), "interval.sd")) == 1
    of = with_intervals(3, 11, 3, 11, 7, asked=True)
    assert len(signals(of, "interval.sd")) == 1
    assert signals(of, "interval.sd", now=of.appointments[-1].starts + days(11)) == []
    ahead = replace(of, appointments=(*of.appointments, *booked(of.appointments[-1].starts + days(14))))
    assert signals(ahead, "interval.sd", now=of.appointments[-1].starts + days(1)) == []


# --- marks, levels


def test_marks_begin_their_episode_with_the_first() -> None:
    of = course([*held(8), appointment(LAST + days(7), "S"), appointment(LAST + days(14), "S")])
    assert only(of, "mark.missing", LAST + days(20)).episode == "mark:2026-03-10T10:00"
    assert level(of, "mark.missing", now=LAST + days(9)) == "info"


def test_levels_rise_from_info_through_watch_to_act() -> None:
    info, watch, act = Level.INFO, Level.WATCH, Level.ACT
    assert sorted([act, info, watch]) == [info, watch, act]
    assert [one.rank for one in (info, watch, act)] == [0, 1, 2]
    assert (watch < act, watch < watch, watch <= watch, act <= watch) == (True, False, True, False)
    assert (act > watch, act > act, act >= act, watch >= act) == (True, False, True, False)
    for compare in ("__lt__", "__le__", "__gt__", "__ge__"):
        assert getattr(watch, compare)("watch") is False


def test_days_tell_a_minute() -> None:
    of = course([*held(8), *booked(LAST + days(14) + MINUTE)])
    assert only(of, "gap.ahead", LAST + days(1)).value["g"] == 14.0007
