"""When somebody is told: quiet hours over midnight, the few messages a day, digests, and working days."""

from datetime import date, datetime, time, timedelta
from itertools import pairwise

import pytest

from service.domain.hours import Weekday
from service.domain.signals.signal import Level
from service.domain.telling import (
    INTERVAL,
    TOO_LATE,
    CannotPrefer,
    Preferences,
    is_digest_due,
    next_push,
    working_days_later,
)

WEDNESDAY = date(2026, 3, 18)


def at(clock: str, day: date = WEDNESDAY) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock))


def quiet(since: str, until: str, **given: object) -> Preferences:
    return Preferences(quiet_since=time.fromisoformat(since), quiet_until=time.fromisoformat(until), **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("since", "until", "clock", "is_quiet", "after"),
    [
        # Over midnight: half-open, from eight in the evening to seven in the morning.
        ("20:00", "07:00", "19:59", False, at("19:59")),
        ("20:00", "07:00", "20:00", True, at("07:00", date(2026, 3, 19))),
        ("20:00", "07:00", "23:59", True, at("07:00", date(2026, 3, 19))),
        ("20:00", "07:00", "00:00", True, at("07:00")),
        ("20:00", "07:00", "06:59", True, at("07:00")),
        ("20:00", "07:00", "07:00", False, at("07:00")),
        # Within a day.
        ("12:00", "14:00", "11:59", False, at("11:59")),
        ("12:00", "14:00", "12:00", True, at("14:00")),
        ("12:00", "14:00", "13:59", True, at("14:00")),
        ("12:00", "14:00", "14:00", False, at("14:00")),
        # Until midnight.
        ("20:00", "00:00", "19:59", False, at("19:59")),
        ("20:00", "00:00", "23:59", True, at("00:00", date(2026, 3, 19))),
        ("20:00", "00:00", "00:00", False, at("00:00")),
        # The same time twice: never.
        ("20:00", "20:00", "20:00", False, at("20:00")),
        ("00:00", "00:00", "00:00", False, at("00:00")),
    ],
)
def test_quiet_hours(since: str, until: str, clock: str, is_quiet: bool, after: datetime) -> None:
    of = quiet(since, until)
    assert of.is_quiet(at(clock)) is is_quiet
    assert of.after_quiet(at(clock)) == after


def test_quiet_hours_cover_what_they_say_and_end_outside_of_themselves() -> None:
    """Every half hour with every half hour: the night is as long as it looks on the wall."""
    halves = [time(minute // 60, minute % 60) for minute in range(0, 24 * 60, 30)]
    for since in halves[::3]:
        for until in halves[::5]:
            of = Preferences(quiet_since=since, quiet_until=until)
            length = (datetime.combine(WEDNESDAY, until) - datetime.combine(WEDNESDAY, since)) % timedelta(days=1)
            assert (
                sum(of.is_quiet(datetime.combine(WEDNESDAY, one)) for one in halves) * timedelta(minutes=30) == length
            )
            for one in halves:
                ends = of.after_quiet(now := datetime.combine(WEDNESDAY, one))
                assert not of.is_quiet(ends)
                assert now <= ends < now + timedelta(days=1)


@pytest.mark.parametrize(
    ("sent", "earliest", "expected"),
    [
        ([], "10:00", at("10:00")),
        # A quarter of an hour lies between two.
        (["10:00"], "10:05", at("10:15")),
        (["10:00"], "10:15", at("10:15")),
        (["10:00"], "10:16", at("10:16")),
        # Three a day, however they were spread.
        (["08:00", "09:00"], "10:00", at("10:00")),
        (["07:00", "08:00", "09:00"], "10:00", None),
        # The last one before the quiet hours pushes the next one over them, into another day's three.
        (["17:00", "18:00", "19:50"], "19:55", at("07:00", date(2026, 3, 19))),
        ([], "22:00", at("07:00", date(2026, 3, 19))),
        ([], "03:00", at("07:00")),
    ],
)
def test_the_next_message(sent: list[str], earliest: str, expected: datetime | None) -> None:
    found = next_push(Preferences(), level=Level.ACT, earliest=at(earliest), sent=[at(one) for one in sent])
    assert found == expected


def test_yesterdays_messages_are_not_todays() -> None:
    sent = [at(clock, WEDNESDAY - timedelta(days=1)) for clock in ("09:00", "10:00", "11:00")]
    assert next_push(Preferences(), level=Level.ACT, earliest=at("08:00"), sent=sent) == at("08:00")


@pytest.mark.parametrize(
    ("days", "given", "expected"),
    [
        # The digest of the next morning has it.
        ((Weekday.TH,), {}, None),
        # None that day, or none at all: the next morning's first message has it, at the hour of a digest.
        ((Weekday.FR,), {}, at("07:30", date(2026, 3, 19))),
        ((), {}, at("07:30", date(2026, 3, 19))),
        ((), {"digest_at": time(9, 15)}, at("09:15", date(2026, 3, 19))),
        # Not within the quiet hours, all the same.
        ((), {"digest_at": time(6)}, at("07:00", date(2026, 3, 19))),
        # Whoever wants no messages at once gets none.
        ((), {"pushes_a_day": 0}, None),
        ((), {"is_pushed": False}, None),
    ],
)
def test_what_is_over_the_days_few_waits_no_longer_than_for_the_next_morning(
    days: tuple[Weekday, ...], given: dict[str, object], expected: datetime | None
) -> None:
    of = Preferences(digest_days=days, **given)  # type: ignore[arg-type]
    sent = [at(clock) for clock in ("08:00", "09:00", "10:00")]
    assert next_push(of, level=Level.ACT, earliest=at("11:00"), sent=sent) == expected


def test_a_morning_that_is_full_already_is_passed_over() -> None:
    of = Preferences(digest_days=(), pushes_a_day=1)
    sent = [at("08:00"), at("07:30", date(2026, 3, 19))]
    assert next_push(of, level=Level.ACT, earliest=at("11:00"), sent=sent) == at("07:30", date(2026, 3, 20))


@pytest.mark.parametrize(
    ("of", "level", "is_told"),
    [
        (Preferences(), Level.ACT, True),
        (Preferences(), Level.WATCH, False),
        (Preferences(push_from=Level.WATCH), Level.WATCH, True),
        (Preferences(push_from=Level.WATCH), Level.INFO, False),
        (Preferences(is_pushed=False), Level.ACT, False),
        (Preferences(pushes_a_day=0), Level.ACT, False),
    ],
)
def test_what_is_worth_a_message_of_its_own(of: Preferences, level: Level, is_told: bool) -> None:
    assert (next_push(of, level=level, earliest=at("10:00"), sent=()) is not None) is is_told


def test_a_day_of_alerts_a_minute_apart_costs_as_many_messages_as_were_chosen() -> None:
    for most in range(4):
        of, sent = Preferences(pushes_a_day=most), list[datetime]()
        for minute in range(10 * 60):
            found = next_push(of, level=Level.ACT, earliest=at("08:00") + timedelta(minutes=minute), sent=sent)
            if found is not None and found.date() == WEDNESDAY:
                sent.append(found)
        assert len(sent) == most
        assert all(later - earlier >= INTERVAL for earlier, later in pairwise(sent))


@pytest.mark.parametrize(
    ("now", "is_due"),
    [
        (at("07:29"), False),
        (at("07:30"), True),
        (at("07:30") + TOO_LATE - timedelta(minutes=1), True),
        (at("07:30") + TOO_LATE, False),
        (at("07:30", date(2026, 3, 21)), False),
        (at("07:30", date(2026, 3, 23)), True),
    ],
)
def test_the_digest_comes_on_working_days_from_half_past_seven_and_not_in_the_afternoon(
    now: datetime, is_due: bool
) -> None:
    assert is_digest_due(Preferences(), now) is is_due


def test_the_digests_days_and_hour_are_the_persons() -> None:
    of = Preferences(digest_at=time(18), digest_days=(Weekday.SA,))
    assert is_digest_due(of, at("18:00", date(2026, 3, 21)))
    assert not is_digest_due(of, at("17:59", date(2026, 3, 21)))
    assert not is_digest_due(of, at("18:00"))
    assert not is_digest_due(Preferences(digest_days=()), at("07:30"))


@pytest.mark.parametrize(
    ("since", "days", "free", "expected"),
    [
        (at("10:00"), 0, (), at("10:00")),
        (at("10:00"), 2, (), at("10:00", date(2026, 3, 20))),
        # Thursday → Monday, Friday → Tuesday: the weekend does not count.
        (at("10:00", date(2026, 3, 19)), 2, (), at("10:00", date(2026, 3, 23))),
        (at("10:00", date(2026, 3, 20)), 2, (), at("10:00", date(2026, 3, 24))),
        # Found on a Saturday or a Sunday: the two days begin on Monday.
        (at("10:00", date(2026, 3, 21)), 2, (), at("10:00", date(2026, 3, 24))),
        (at("10:00", date(2026, 3, 22)), 2, (), at("10:00", date(2026, 3, 24))),
        # Easter 2026: Good Friday on 3 April, Easter Monday on the 6th.
        (at("10:00", date(2026, 4, 2)), 2, (date(2026, 4, 3), date(2026, 4, 6)), at("10:00", date(2026, 4, 8))),
        (at("10:00", date(2026, 4, 2)), 2, (), at("10:00", date(2026, 4, 6))),
        # A holiday on a Sunday takes nothing away.
        (at("10:00", date(2026, 3, 20)), 2, (date(2026, 3, 22),), at("10:00", date(2026, 3, 24))),
    ],
)
def test_working_days(since: datetime, days: int, free: tuple[date, ...], expected: datetime) -> None:
    assert working_days_later(since, days, free) == expected


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"pushes_a_day": -1}, "pushes_a_day"),
        ({"pushes_a_day": 11}, "pushes_a_day"),
        ({"push_from": Level.INFO}, "push_from"),
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, object], where: str) -> None:
    with pytest.raises(CannotPrefer) as refused:
        Preferences(**given)  # type: ignore[arg-type]
    assert refused.value.where == where
