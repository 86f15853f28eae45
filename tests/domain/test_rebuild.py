"""Standings out of flat lists: planted histories come back as they were, and what is not plain stays single."""

import random
from collections.abc import Iterable
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.appointment import Status
from service.domain.book import Book, BookEntry, BookSeries, key_of
from service.domain.hours import Hour, LocalTime, Weekday
from service.domain.rebuild import Rebuilt, rebuild, standings
from service.domain.standing import Modality

TUESDAY = datetime(2026, 1, 6, 10)
WEDNESDAY = datetime(2026, 1, 7, 16, 30)
WEEK = timedelta(days=7)


def row(
    starts: LocalTime,
    *,
    client: str = "Client One",
    therapist: str = "Therapist A",
    room: str | None = "Room 1",
    minutes: int = 50,
    status: Status = Status.HELD,
    n: int = 1,
) -> BookEntry:
    return BookEntry(
        key=key_of(starts, client, therapist, n),
        line=n,
        client=client,
        therapist=therapist,
        room=room,
        modality=Modality.IN_PERSON,
        starts=starts,
        minutes=minutes,
        zone="Europe/Berlin",
        status=status,
    )


def every(weeks: int, count: int, *, since: LocalTime = TUESDAY) -> list[LocalTime]:
    return [since + at * weeks * WEEK for at in range(count)]


def rows(starts: Iterable[LocalTime], *, room: str = "Room 1", minutes: int = 50) -> list[BookEntry]:
    return [row(at, room=room, minutes=minutes) for at in starts]


def pattern(series: BookSeries) -> tuple[Weekday, str, int]:
    (hour,) = series.standing.hours
    return hour.day, f"{hour.at:%H:%M}", series.standing.every_weeks


def accounted(rebuilt: Rebuilt) -> list[str]:
    inside = [entry.key for series in rebuilt.series for entry in series.entries]
    return sorted(inside + [entry.key for entry in rebuilt.singles])


def test_a_weekly_hour_is_found() -> None:
    (series,) = standings(rows(every(1, 10))).series
    assert pattern(series) == (Weekday.TU, "10:00", 1)
    assert (series.standing.since, series.standing.until) == (date(2026, 1, 6), date(2026, 3, 11))
    assert (series.standing.room, series.standing.minutes, series.lost) == ("Room 1", 50, ())
    assert [entry.slot for entry in series.entries] == every(1, 10)


@pytest.mark.parametrize("weeks", [1, 2, 3, 4])
def test_each_cadence_is_found(weeks: int) -> None:
    (series,) = standings(rows(every(weeks, 6))).series
    assert pattern(series) == (Weekday.TU, "10:00", weeks)


def test_three_sessions_are_too_few() -> None:
    assert standings(rows(every(1, 3))).series == ()
    assert len(standings(rows(every(1, 4))).series) == 1  # the control


def test_less_than_three_of_four_slots_are_not_plain() -> None:
    weeks = [0, 1, 4, 5, 8, 9, 12, 13]  # eight of fourteen
    assert standings(rows(TUESDAY + at * WEEK for at in weeks)).series == ()
    weeks = [0, 1, 2, 4, 5, 6, 8, 9, 10]  # nine of eleven
    (series,) = standings(rows(TUESDAY + at * WEEK for at in weeks)).series
    assert series.lost == (TUESDAY + 3 * WEEK, TUESDAY + 7 * WEEK)


def test_times_all_over_the_week_stay_single() -> None:
    chance = random.Random(3)
    wild = {datetime(2026, 1, 5, 8) + timedelta(hours=chance.randrange(24 * 300)) for _ in range(60)}
    rebuilt = standings(rows(wild))
    assert (rebuilt.series, len(rebuilt.singles)) == ((), len(wild))


def test_a_summer_break_does_not_end_a_standing_but_a_long_silence_does() -> None:
    (series,) = standings(rows(every(1, 12) + every(1, 12, since=TUESDAY + 17 * WEEK))).series
    assert len(series.lost) == 5
    before, after = standings(rows(every(1, 12) + every(1, 12, since=TUESDAY + 30 * WEEK))).series
    assert after.standing.replaces is None
    assert before.standing.until == date(2026, 3, 25)


def test_a_session_in_the_days_of_an_open_slot_is_that_slot_moved() -> None:
    moved = TUESDAY + 4 * WEEK + timedelta(days=1, hours=5)
    slots = [slot for slot in every(1, 10) if slot != TUESDAY + 4 * WEEK]
    (series,) = standings(rows([*slots, moved])).series
    (entry,) = [one for one in series.entries if one.is_moved]
    assert (entry.slot, entry.starts, series.lost) == (TUESDAY + 4 * WEEK, moved, ())


def test_two_that_might_be_meant_are_not_plain() -> None:
    slots = [slot for slot in every(1, 10) if slot != TUESDAY + 4 * WEEK]
    extra = [TUESDAY + 4 * WEEK + timedelta(days=1), TUESDAY + 4 * WEEK + timedelta(days=2)]
    rebuilt = standings(rows([*slots, *extra]))
    assert [one.starts for one in rebuilt.singles] == extra
    assert rebuilt.series[0].lost == (TUESDAY + 4 * WEEK,)


def test_an_extra_session_beside_a_kept_slot_stays_single() -> None:
    extra = TUESDAY + 2 * WEEK + timedelta(days=2)
    rebuilt = standings(rows([*every(1, 10), extra]))
    assert [one.starts for one in rebuilt.singles] == [extra]


def test_a_cancelled_row_is_evidence_of_its_slot_and_keeps_its_status() -> None:
    flat = rows(every(1, 10))
    flat[3] = row(flat[3].starts, status=Status.CLIENT_CANCELLED)
    (series,) = standings(flat).series
    assert series.entries[3].status is Status.CLIENT_CANCELLED
    assert series.lost == ()


def test_an_hour_cancelled_and_given_again_counts_once() -> None:
    again = row(TUESDAY, status=Status.CLIENT_CANCELLED, n=2)
    rebuilt = standings([again, *rows(every(1, 6))])
    assert rebuilt.singles == (again,)
    assert len(rebuilt.series[0].entries) == 6


def test_a_change_of_hour_is_a_new_version() -> None:
    before, after = standings(rows(every(1, 12) + every(1, 12, since=WEDNESDAY + 13 * WEEK))).series
    assert (pattern(before)[0], pattern(after)) == (Weekday.TU, (Weekday.WE, "16:30", 1))
    assert after.standing.replaces == before.key
    assert before.standing.until == date(2026, 3, 25)


def test_one_stray_session_at_the_old_hour_does_not_blur_a_change() -> None:
    stray = TUESDAY + 16 * WEEK
    after = [slot for slot in every(1, 12, since=WEDNESDAY + 13 * WEEK) if slot.date() != date(2026, 4, 29)]
    first, second = standings(rows([*every(1, 13), stray, *after])).series
    assert first.standing.until == date(2026, 4, 1)
    assert second.standing.replaces == first.key
    assert [(one.slot, one.starts) for one in second.entries if one.is_moved] == [
        (datetime(2026, 4, 29, 16, 30), stray)
    ]


def test_a_month_at_another_hour_is_moved_sessions_not_a_second_standing() -> None:
    away = range(8, 12)
    slots = [slot for at, slot in enumerate(every(1, 24)) if at not in away]
    elsewhere = [WEDNESDAY + at * WEEK for at in away]
    (series,) = standings(rows(slots + elsewhere)).series
    assert [one.starts for one in series.entries if one.is_moved] == elsewhere
    assert series.lost == ()


def test_tapering_is_a_new_version() -> None:
    weekly, rarer = standings(rows(every(1, 20) + every(2, 8, since=TUESDAY + 21 * WEEK))).series
    assert (pattern(weekly)[2], pattern(rarer)[2]) == (1, 2)
    assert rarer.standing.replaces == weekly.key
    assert len(weekly.entries) + len(rarer.entries) == 28


def test_two_hours_a_week_are_two_standings_at_once() -> None:
    friday = TUESDAY + timedelta(days=3, hours=2)
    tuesdays, fridays = standings(rows(every(1, 10) + every(1, 10, since=friday))).series
    assert (pattern(tuesdays)[0], pattern(fridays)[0]) == (Weekday.TU, Weekday.FR)
    assert fridays.standing.replaces is None


def test_a_lasting_change_of_room_or_length_is_a_new_version_and_a_passing_one_is_not() -> None:
    later = every(1, 10, since=TUESDAY + 10 * WEEK)
    before, after = standings(rows(every(1, 10)) + rows(later, room="Room 2", minutes=60)).series
    assert (before.standing.room, after.standing.room, after.standing.minutes) == ("Room 1", "Room 2", 60)
    assert before.standing.until == after.standing.since
    assert after.standing.replaces == before.key
    passing = rows(every(1, 10)) + rows(later[:3], room="Room 2") + rows(later[3:])
    (series,) = standings(passing).series
    assert [one.room for one in series.entries].count("Room 2") == 3


def test_a_cover_at_the_very_time_fills_the_slot() -> None:
    cover = row(TUESDAY + 5 * WEEK, therapist="Therapist B")
    slots = [slot for slot in every(1, 10) if slot != cover.starts]
    (series,) = standings([*rows(slots), cover]).series
    assert series.entries[5].therapist == "Therapist B"
    assert series.standing.therapist == "Therapist A"


def test_a_transfer_to_another_therapist_replaces() -> None:
    later = [row(at, therapist="Therapist B") for at in every(1, 10, since=TUESDAY + 11 * WEEK)]
    before, after = standings([*rows(every(1, 10)), *later]).series
    assert (after.standing.therapist, after.standing.replaces) == ("Therapist B", before.key)


def test_only_a_standing_that_still_runs_is_left_open() -> None:
    ended = [row(at, client="Client Two") for at in every(1, 5)]
    running, over = sorted(
        standings([*rows(every(1, 10)), *ended], open_from=date(2026, 3, 1)).series, key=lambda one: one.client
    )
    assert (running.standing.until, over.standing.until) == (None, date(2026, 2, 4))


def test_clients_do_not_mix() -> None:
    flat = [row(at, client=f"Client {n % 2}") for n, at in enumerate(every(1, 16))]
    assert {(one.client, pattern(one)[2]) for one in standings(flat).series} == {("Client 0", 2), ("Client 1", 2)}


def test_a_longer_list_keeps_the_keys() -> None:
    short, long = standings(rows(every(1, 10))), standings(rows(every(1, 20)))
    assert [one.key for one in short.series] == [one.key for one in long.series]


def test_a_book_keeps_what_it_had() -> None:
    had = standings(rows(every(1, 5))).series
    book = Book(series=had, singles=tuple(row(at, client="Client Two") for at in every(1, 5)))
    rebuilt = rebuild(book)
    assert rebuilt.series[:1] == had
    assert (len(rebuilt.series), rebuilt.singles) == (2, ())


planted = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 10**6),
        "weeks": st.sampled_from([1, 2]),
        "count": st.integers(24, 60),
        "day": st.integers(0, 6),
        "hour": st.integers(8, 18),
    }
)


@settings(max_examples=60, deadline=None)
@given(planted)
def test_a_planted_history_comes_back(plan: dict[str, int]) -> None:
    """Every tenth slot lost, every twelfth moved by up to two days, never two of them side by side."""
    chance = random.Random(plan["seed"])
    first = datetime(2026, 1, 5, plan["hour"]) + timedelta(days=plan["day"])
    slots = every(plan["weeks"], plan["count"], since=first)
    lost = slots[3:-2:10]
    moved = {
        slot: slot + timedelta(days=chance.choice([-2, -1, 1, 2]), minutes=30 * chance.randrange(-3, 4))
        for slot in slots[6:-2:12]
        if slot not in lost
    }
    flat = rows(moved.get(slot, slot) for slot in slots if slot not in lost)
    chance.shuffle(flat)
    rebuilt = standings(flat)
    (series,) = rebuilt.series
    assert rebuilt.singles == ()
    assert series.standing.hours == (Hour(day=Weekday.of(first), at=first.time()),)
    assert series.standing.every_weeks == plan["weeks"]
    assert (series.standing.since, series.lost) == (first.date(), tuple(lost))
    assert {one.slot: one.starts for one in series.entries if one.is_moved} == moved


messy = st.lists(
    st.builds(
        lambda minute, who, n, status: row(
            datetime(2026, 1, 5) + timedelta(minutes=30 * minute), client=f"Client {who}", n=n, status=status
        ),
        st.integers(0, 48 * 7 * 12) | st.integers(0, 40).map(lambda week: 20 + 48 * 7 * week),
        st.integers(1, 2),
        st.integers(1, 2),
        st.sampled_from([Status.HELD, Status.HELD, Status.CLIENT_CANCELLED]),
    ),
    max_size=80,
    unique_by=lambda one: one.key,
)


@settings(max_examples=60, deadline=None)
@given(messy, st.randoms(use_true_random=False))
def test_nothing_is_lost_or_doubled_and_order_does_not_matter(flat: list[BookEntry], chance: random.Random) -> None:
    rebuilt = standings(flat)
    assert accounted(rebuilt) == sorted(one.key for one in flat)
    for series in rebuilt.series:
        told = {entry.slot for entry in series.entries}
        expected = list(series.expected(until=datetime(2030, 1, 1)))
        assert told | set(series.lost) == set(expected)
        assert 4 * len(told) >= 3 * len(expected)
    shuffled = list(flat)
    chance.shuffle(shuffled)
    assert standings(shuffled) == rebuilt


def test_work_grows_with_the_list_not_with_its_square(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not timed: how often a row's week is looked at, for a list and for one four times as long."""
    from service.domain import rebuild as module

    looks = 0
    plain = module._week

    def counted(one: BookEntry) -> int:
        nonlocal looks
        looks += 1
        return plain(one)

    monkeypatch.setattr(module, "_week", counted)
    taken = []
    for length in (1000, 4000):
        looks = 0
        chance = random.Random(7)
        standings(rows(slot for slot in every(1, length, since=datetime(1970, 1, 6, 10)) if chance.random() < 0.7))
        taken.append(looks)
    assert taken[1] < 8 * taken[0]
