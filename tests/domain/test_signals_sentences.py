"""Every sentence with its numbers, one and many."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from service.domain.course import Override
from service.domain.hours import LocalTime
from service.domain.phrase import HourOfWeek, Number, Span
from service.domain.signals import Cause, wording
from tests.domain.drawn import (
    TUESDAY,
    at,
    days,
)
from tests.domain.edges import leave

# --- words


@pytest.mark.parametrize(
    ("say_it", "expected"),
    [
        (lambda: Number(10.55), "10.6"),
        (lambda: Number(28.0), "28"),
        (lambda: Number(0.04), "0"),
        (lambda: Number(2.5, 0), "3"),
        (lambda: Number(10, 0), "10"),
        (lambda: Span(at("2026-08-17"), at("2026-08-29")), "17–28 Aug"),
        (lambda: Span(at("2026-08-17"), at("2026-08-17 00:00:00.000001")), "17 Aug"),
        (lambda: Span(at("2026-08-17"), at("2026-08-18 00:00:00.000001")), "17–18 Aug"),
        (lambda: Span(at("2026-08-30"), at("2026-09-03")), "30 Aug – 2 Sep"),
        (lambda: Span(at("2025-08-30"), at("2026-08-31")), "30 Aug – 30 Aug"),
        (lambda: wording.days(1.04), "1 day"),
        (lambda: wording.days(1.05), "1.1 days"),
        (lambda: HourOfWeek(0), "Mon 00:00"),
        (lambda: HourOfWeek(10079), "Sun 23:59"),
        (lambda: wording.gap_ahead(1, 1, ()), "The next session would be 1 day after the last one (usual: 1)."),
        (
            lambda: wording.gap_tentative(wording.gap_ahead(28, 7, ())),
            (
                "If the leave that is asked for comes about: "
                "The next session would be 28 days after the last one (usual: 7)."
            ),
        ),
        (
            lambda: wording.churn(1, 0, 3, 6),
            "One of the last 6 sessions moved 3 times. Would another standing time suit better?",
        ),
        (
            lambda: wording.churn(1, 1, 2, 6),
            "One of the last 6 sessions moved 2 times. Would another standing time suit better?",
        ),
        (lambda: wording.churn(1, 1, 1, 6), "The clinic moved 1 of the last 6 sessions."),
        (lambda: wording.churn(2, 2, 2, 6), "The clinic moved 2 of the last 6 sessions."),
        (lambda: wording.churn(3, 1, 2, 6), "3 of the last 6 sessions moved, 1 of them by the clinic."),
        (
            lambda: wording.slot_suggest(5, 6, 5220, 7.4),
            "5 of the last 6 sessions took place around Thu 15:00, about every 7 days. Would a standing hour suit?",
        ),
        (
            lambda: wording.setting_modality(2, 6, "in_person"),
            "2 of the last 6 sessions took place by video, other than agreed. Is that the pattern from now on?",
        ),
        (
            lambda: wording.therapist_change(TUESDAY.date(), 13.49, 1),
            "The usual therapist changes on 4 Nov: told 13 days and 1 session before.",
        ),
        (
            lambda: wording.therapist_pattern(0.2567, 6),
            "The therapist changed often from one session to the next (continuity 0.26 over 6 sessions).",
        ),
        (
            lambda: wording.notice_clinic(TUESDAY, None, False, False),
            "The clinic moved the session of Tue 4 Nov 10:00; no notice is on record.",
        ),
        (
            lambda: wording.notice_clinic(TUESDAY, 21.96, True, True),
            "The clinic cancelled the session of Tue 4 Nov 10:00 with 22 hours' notice (illness, unavoidable).",
        ),
        (
            lambda: wording.exception(Override(value=1.23456, reason="", until=date(2026, 9, 1))),
            "1.2346 until 31 Aug 2026",
        ),
        (
            lambda: wording.exception(
                Override(value="same_room", reason="agreed", until=date(2026, 9, 1), author="Ada")
            ),
            "same room until 31 Aug 2026 (Ada): agreed",
        ),
        (lambda: wording.time_frame(2, 4, 2), "2 of the last 4 sessions began later than planned."),
        (lambda: wording.time_frame(2, 4, 0), "2 of the last 4 sessions had clearly another length than planned."),
        (
            lambda: wording.time_frame(2, 4, 1),
            "2 of the last 4 sessions began later than planned or had clearly another length.",
        ),
        (
            lambda: wording.ending_unprepared(0),
            "The agreed number of sessions is reached, and the ending is not yet on record as told.",
        ),
        (lambda: wording.ending_unprepared(1), "1 session remains, and the ending is not yet on record as told."),
        (lambda: wording.ending_unprepared(2), "2 sessions remain, and the ending is not yet on record as told."),
        (lambda: wording.interval_cadence(14, 7), "The last 3 intervals were about 14 days: is this now fortnightly?"),
        (
            lambda: wording.interval_cadence(28.4, 14),
            "The last 3 intervals were about 28 days: is this now every 28 days?",
        ),
        (
            lambda: wording.interval_cadence(8, 3.75),
            "The last 3 intervals were about 8 days: is this now every 8 days?",
        ),
    ],
)
def test_words(say_it: Callable[[], object], expected: str) -> None:
    assert str(say_it()) == expected


@pytest.mark.parametrize(
    ("run", "silent", "expected"),
    [
        (1, 0, "The last session did not take place."),
        (1, 1, "The last session did not take place (without a message)."),
        (2, 0, "Two sessions in a row did not take place."),
        (6, 5, "Six sessions in a row did not take place (five without a message)."),
        (7, 6, "7 sessions in a row did not take place (six without a message)."),
        (8, 7, "8 sessions in a row did not take place (7 without a message)."),
    ],
)
def test_words_for_sessions_missed(run: int, silent: int, expected: str) -> None:
    assert str(wording.missed_client(run, silent)).startswith(f"{expected} You may want")


def test_words_for_marks() -> None:
    slots_ = [TUESDAY + days(7) * k for k in range(4)]
    first = "Tue 4 Nov 10:00"
    assert str(wording.mark_missing(slots_[:1])).startswith(f"1 past session is not marked yet ({first}).")
    three = f"({first}, Tue 11 Nov 10:00, Tue 18 Nov 10:00"
    assert str(wording.mark_missing(slots_[:3])).startswith(f"3 past sessions are not marked yet {three}).")
    assert str(wording.mark_missing(slots_)).startswith(f"4 past sessions are not marked yet {three}, …).")


def test_words_for_causes() -> None:
    away = leave(at("2026-08-17"), at("2026-08-29"))
    slot = at("2026-08-18 10:00")

    def said(why: str, **known: LocalTime) -> str:
        return str(wording.cause(replace(Cause(slot=slot, why=why), **known)))  # type: ignore[arg-type]

    span = {"since": away.since, "until": away.until}
    assert said("leave", **span) == "leave 17–28 Aug (not yet told)"
    assert said("leave", **span, told_at=at("2026-07-30 09:00")) == "leave 17–28 Aug (told 30 Jul)"
    assert said("pause", **span) == "agreed pause 17–28 Aug"
    assert said("leave", since=away.since) == "Tue 18 Aug leave"
    assert said("leave", until=away.until) == "Tue 18 Aug leave"
    assert said("break") == "break 18 Aug (not yet told)"
    assert said("no_show", **span) == "Tue 18 Aug did not take place, no message"
    assert said("moved") == "Tue 18 Aug moved"
    one_sided = Cause(slot=slot, why="leave", since=away.since)
    assert str(wording.break_untold(one_sided, slot, 3)).startswith("Not yet told: leave 18 Aug.")
