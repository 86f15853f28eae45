"""S8 to S11: where each begins and ends, and every number that it shows."""

from dataclasses import replace
from datetime import date, timedelta

from service.domain.appointment import Initiator
from service.domain.course import Course
from service.domain.hours import LocalTime
from service.domain.signals import Level, wording
from service.domain.standing import Modality
from tests.domain.drawn import (
    TUESDAY,
    appointment,
    at,
    course,
    days,
    hour,
    level,
    signals,
    slots,
    standing,
    with_therapist,
)
from tests.domain.edges import MINUTE, agreed, in_turn, only

# --- S8, S9 setting


def test_s8_rooms_settle_after_two_as_agreed() -> None:
    def rooms(names: str) -> Course:
        return course([replace(one, room=f"R{n}") for one, n in zip(slots("HHHHHH"), names, strict=True)])

    assert [one.is_settled for one in signals(rooms("222211"), "setting.room")] == [True]
    assert [one.is_settled for one in signals(rooms("222121"), "setting.room")] == [False]
    one = only(rooms("122121"), "setting.room")
    assert (one.value, one.episode) == ({"other": 3, "n": 6}, "setting.room:s1")
    assert one.threshold == {"info": 3, "watch": None}
    assert one.appointments == tuple(TUESDAY + days(7) * k for k in (1, 2, 4))


def test_s8_a_room_that_is_not_named_is_no_other_room() -> None:
    unnamed = in_turn("HHHHHH", room=None)
    assert level(course(unnamed, same_room=True), "setting.room") == "none"
    assert level(course("HHHHHH", standings=(standing(room=None),), same_room=True), "setting.room") == "none"


def test_s8_s9_are_of_the_latest_version() -> None:
    turn = (TUESDAY + days(35)).date()
    by_video = standing(id="s2", since=turn, modality=Modality.VIDEO, room=None)
    old = in_turn("HHHHH", modality=Modality.VIDEO, room=None)
    new = appointment(TUESDAY + days(35), standing="s2")
    of = course([*old, new], standings=(standing(until=turn), by_video))
    one = only(of, "setting.modality")
    assert str(one.text).startswith("6 of the last 6 sessions took place in person")
    assert one.episode == "setting.modality:s2"
    rooms = [*in_turn("HHHHH", room="R2"), appointment(TUESDAY + days(35), standing="s2", room="R3")]
    in_rooms = course(rooms, standings=(standing(until=turn), standing(id="s2", since=turn)))
    assert only(in_rooms, "setting.room").episode == "setting.room:s2"


# --- S10 therapist


CHANGE = TUESDAY + days(56)


def transferred(told_at: LocalTime | None, n_before: int = 8, since: LocalTime = CHANGE) -> Course:
    new = standing(id="s2", therapist="B", since=since.date(), change_told_at=told_at)
    old = slots("H" * n_before)
    later = [appointment(since, standing="s2", therapist="B")]
    return course([*old, *later], standings=(standing(until=since.date()), new))


def test_s10_exactly_28_days_and_four_sessions_are_in_time() -> None:
    day = at("2025-12-30 00:00")
    assert level(transferred(day - days(28)), "therapist.change") == "info"
    assert level(transferred(day - days(28) + MINUTE), "therapist.change") == "watch"
    fewer = transferred(day - days(28), n_before=7)
    assert only(fewer, "therapist.change").value["sessions_before"] == 3
    assert only(fewer, "therapist.change").level is Level.WATCH


def test_s10_the_session_at_which_it_was_told_counts_as_before() -> None:
    told = TUESDAY + days(28)
    assert only(transferred(told), "therapist.change").value["sessions_before"] == 4
    assert only(transferred(told + MINUTE), "therapist.change").value["sessions_before"] == 3


def test_s10_a_session_at_midnight_of_the_change_is_with_the_new_one() -> None:
    midnight = standing(hours=(hour("TU 00:00"),))
    since = at("2025-12-30 00:00")
    new = replace(midnight, id="s2", therapist="B", since=since.date(), change_told_at=since - days(30))
    old = slots("HHHHHHHH", at("2025-11-04 00:00"))
    later = appointment(since, standing="s2", therapist="B")
    of = course([*old, later], standings=(replace(midnight, until=since.date()), new))
    assert only(of, "therapist.change").value["sessions_before"] == 4


def test_s10_the_latest_change_with_all_its_numbers() -> None:
    one = only(transferred(at("2025-12-16 12:20")), "therapist.change")
    assert one.value == {
        "reason": "change",
        "from": "2025-12-30",
        "told_days_before": 13.49,
        "sessions_before": 1,
        "held_since": 1,
    }
    assert one.actions == wording.THERAPIST_ACTIONS
    untold = only(transferred(None), "therapist.change")
    assert (untold.value["told_days_before"], untold.value["sessions_before"]) == (None, 0)
    versions = (
        standing(until=date(2025, 11, 18)),
        standing(id="s2", therapist="B", since=date(2025, 11, 18), until=date(2026, 1, 6)),
        standing(id="s3", therapist="C", since=date(2026, 1, 6)),
    )
    of = course([*slots("HH"), appointment(at("2026-01-06 10:00"), standing="s3", therapist="C")], standings=versions)
    assert only(of, "therapist.change").value["from"] == "2026-01-06"


def test_s10_covers_begin_their_episode_and_a_pattern_shows_its_numbers() -> None:
    made = slots("HHHHHH")
    made[-1], made[-3] = with_therapist(made[-1], "B"), with_therapist(made[-3], "B")
    of = course([*slots("HHHHHHHH", TUESDAY - days(56)), *made], overrides=agreed(secon_min=0.1))
    one = only(of, "therapist.change")
    assert one.episode == f"therapist:cover:{made[-3].expected:%Y-%m-%dT%H:%M}"
    assert (one.value, one.actions) == ({"reason": "cover", "covers": 2}, wording.COVER_ACTIONS)
    letters = [replace(one, therapist=who) for one, who in zip(slots("HHHHHHH"), "AABCABA", strict=True)]
    one = only(course(letters), "therapist.change")
    assert one.value == {"reason": "pattern", "secon": 0.0, "upc": 0.5, "coc": 0.267, "n": 6}
    five = [replace(one, therapist=who) for one, who in zip(slots("HHHHH"), "ABBAB", strict=True)]
    assert only(course(five), "therapist.change").value["secon"] == 0.25
    six = [replace(one, therapist=who) for one, who in zip(slots("HHHHHHH"), "AABBCCA", strict=True)]
    assert only(course(six, overrides=agreed(secon_min=0.9)), "therapist.change").value["secon"] == 0.4
    four = [replace(one, therapist=who) for one, who in zip(slots("HHHH"), "AABC", strict=True)]
    one = only(course(four), "therapist.change")
    assert (one.value["secon"], one.value["upc"], one.value["coc"]) == (0.333, 0.5, 0.167)


def test_s10_a_single_hour_with_somebody_else_is_judged_by_who_held_it() -> None:
    single = [
        appointment(None, starts=TUESDAY + days(1) + days(7) * k, therapist=who) for k, who in enumerate("ABABAB")
    ]
    of = course([appointment(TUESDAY - days(7)), *single])
    assert only(of, "therapist.change").value["secon"] == 0.0


def test_s10_one_standing_with_one_therapist_is_compared_by_name() -> None:
    turn = (TUESDAY + days(21)).date()
    versions = (standing(until=turn), standing(id="s2", therapist="B", since=turn, change_told_at=TUESDAY - days(30)))
    later = [appointment(TUESDAY + days(7) * k, standing="s2", therapist="B") for k in range(3, 9)]
    of = course([*slots("HHH"), *later], standings=versions)
    assert signals(of, "therapist.change") == []


# --- S11 punctuality and length


def timed(*late_and_length: tuple[float, float], by: Initiator | None = None) -> Course:
    made = []
    for one, (late, lasted) in zip(slots("H" * len(late_and_length)), late_and_length, strict=True):
        began = one.starts + timedelta(minutes=late)
        made.append(replace(one, began=began, finished=began + timedelta(minutes=lasted), late_by=by))
    return course(made)


def test_s11_with_all_its_numbers() -> None:
    one = only(timed((10, 50), (9, 50), (0, 39), (10, 50)), "time.frame")
    assert one.value == {"bad": 3, "n": 4, "late": 2, "by_clinic": 0}
    assert one.threshold == {"late_min": 10, "length_low": 0.8, "length_high": 1.2, "watch": 2, "act": 3}
    assert one.appointments == tuple(TUESDAY + days(7) * k for k in (0, 2, 3))
    assert str(one.text) == "3 of the last 4 sessions began later than planned or had clearly another length."
    assert (
        str(only(timed((10, 50), (10, 50)), "time.frame").text) == "2 of the last 2 sessions began later than planned."
    )


def test_s11_the_fifth_from_last_is_out_of_the_window() -> None:
    assert level(timed((12, 50), (12, 50), (0, 50), (0, 50), (0, 50)), "time.frame") == "none"


def test_s11_two_by_the_clinic_are_its_own_and_not_yet_pressing() -> None:
    one = only(timed((12, 50), (0, 50), (12, 50), by=Initiator.CLINIC), "time.frame")
    assert (one.level, one.is_clinic_caused, one.value["by_clinic"]) == (Level.WATCH, True, 2)


def test_s11_a_few_seconds_less_than_ten_minutes_are_in_time() -> None:
    made = [
        replace(
            one,
            began=one.starts + timedelta(minutes=10) - timedelta(seconds=5),
            finished=one.starts + timedelta(minutes=40),
        )
        for one in slots("HH")
    ]
    assert only(course(made), "time.frame").value["late"] == 0


def test_s10_after_a_change_who_covers_is_compared_by_name() -> None:
    turn = TUESDAY + days(42)
    new = standing(id="s2", therapist="B", since=turn.date(), change_told_at=turn - days(30))
    later = [appointment(turn + days(7) * k, standing="s2", therapist=who) for k, who in enumerate("BABAB")]
    of = course([*slots("HHHHHH"), *later], standings=(standing(until=turn.date()), new))
    assert only(of, "therapist.change").value["secon"] == 0.0
