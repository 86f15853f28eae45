"""The frame-kept index: the worked examples I1 to I21, and its seven properties on random histories."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.appointment import Appointment, Attribute, Change, Initiator, Status
from service.domain.course import Course
from service.domain.hours import LocalTime
from service.domain.index import Component, Index, index, rounded
from service.domain.limits import CannotSetLimits, Limits
from service.domain.standing import Modality, Standing
from tests.domain.drawn import appointment, at, course, days, hour, hours, moved, slots, standing, with_therapist

FIRST = at("2026-03-03 10:00")
MARCH = standing(since=date(2026, 3, 3))


def indexed(
    appointments: Sequence[Appointment], standings: tuple[Standing, ...] = (MARCH,), **changes: object
) -> Index:
    of = course(appointments, standings=standings, **changes)
    return index(of, now=max(one.expected for one in appointments) + hours(1), limits=Limits())


def kept(n: int = 17, every: float = 7) -> list[Appointment]:
    return slots("H" * n, FIRST, every)


def but(
    *changes: tuple[int, Callable[[Appointment], Appointment]], of: list[Appointment] | None = None
) -> list[Appointment]:
    """Seventeen kept weeks, but for the changes at places counted in the twelve-week window."""
    made = of or kept()
    for place, change in changes:
        made[place - 12] = change(made[place - 12])
    return made


def cancelled(told: timedelta, letter: str = "c") -> Callable[[Appointment], Appointment]:
    return lambda one: appointment(one.slot, letter, told_at=one.expected - told)


def move(
    by_time: timedelta, told: timedelta = timedelta(days=5), by: Initiator = Initiator.CLINIC
) -> Callable[[Appointment], Appointment]:
    return lambda one: moved(one, by_time, told=told, by=by)


def cover(told: timedelta) -> Callable[[Appointment], Appointment]:
    return lambda one: with_therapist(one, "B", told=told)


def by_video(one: Appointment) -> Appointment:
    return replace(one, modality=Modality.VIDEO, room=None)


def other_room(one: Appointment) -> Appointment:
    return replace(one, room="R2")


def timed(late: float, length: float) -> Callable[[Appointment], Appointment]:
    def change(one: Appointment) -> Appointment:
        began = one.starts + timedelta(minutes=late)
        return replace(one, began=began, finished=began + timedelta(minutes=length))

    return change


def break_of_four(told_before_first: timedelta | None) -> list[Appointment]:
    made = kept()
    first = made[7].expected
    told = first - told_before_first if told_before_first is not None else None
    return [appointment(one.slot, "u", told_at=told) if 7 <= k < 11 else one for k, one in enumerate(made)]


def transfer(told: LocalTime | None) -> tuple[list[Appointment], tuple[Standing, ...]]:
    """Five sessions since the change of the usual therapist."""
    since = kept()[12].expected.date()
    both = (
        standing(since=date(2026, 3, 3), until=since),
        standing(id="s2", therapist="B", since=since, change_told_at=told),
    )
    return [replace(one, standing="s2", therapist="B") if k >= 12 else one for k, one in enumerate(kept())], both


def everything(one: Appointment) -> Appointment:
    away = with_therapist(moved(one, days(4), told=hours(20)), "B", told=hours(20))
    return timed(12, 50)(by_video(away))


I4 = but(
    (1, cancelled(days(30), "a")),
    (3, cancelled(days(3))),
    (5, move(days(2), days(5), Initiator.CLIENT)),
    (7, move(days(1), hours(20))),
    (9, cover(days(6))),
)
I4[5 + 1] = replace(I4[5 + 1], by=Initiator.CLINIC)
I5 = [replace(one, starts=one.expected) if k == 5 + 7 else one for k, one in enumerate(I4)]
ALL_MOVED = [moved(one, days(1), told=days(6)) for one in kept()]
ALL_MOVED_LATE = [moved(one, days(1), told=hours(10)) for one in kept()]
HALF = [cancelled(days(3))(one) if k >= 5 and k % 2 else one for k, one in enumerate(kept())]
SIX = [cancelled(days(3))(one) if 8 <= k < 14 else one for k, one in enumerate(kept())]
FORTNIGHTLY = (standing(since=date(2026, 3, 3), every_weeks=2),)

TABLE_I = [
    # id, occurrences, standings, missed, slot, therapist, notice, setting, length, N, N*, index
    ("I1", kept(12), None, (0, 0, 0, 0, 0, 0), 12, 12, "100.0"),
    ("I2", kept(3), None, (0, 0, 0, 0, 0, 0), 3, 8, "100.0"),
    ("I3", slots("HcH", FIRST), None, (12.5, 0, 0, 0, 0, 0), 3, 8, "87.5"),
    ("I4", I4, None, (8.33, 4.17, 1.67, 0.83, 0, 0), 12, 12, "85.0"),
    ("I5", I5, None, (8.33, 2.08, 1.67, 0, 0, 0), 12, 12, "87.9"),
    ("I6", HALF, None, (40, 0, 0, 0, 0, 0), 12, 12, "60.0"),
    ("I7", SIX, None, (48.33, 0, 0, 0, 0, 0), 12, 12, "51.7"),
    ("I8", ALL_MOVED, None, (0, 25, 0, 0, 0, 0), 12, 12, "75.0"),
    ("I9", ALL_MOVED_LATE, None, (0, 25, 0, 10, 0, 0), 12, 12, "65.0"),
    ("I10", break_of_four(days(30)), None, (6.67, 0, 0, 0, 0, 0), 12, 12, "93.3"),
    ("I11", break_of_four(days(5)), None, (18.33, 0, 0, 0, 0, 0), 12, 12, "81.7"),
    ("I11b", break_of_four(None), None, (31.67, 0, 0, 0, 0, 0), 12, 12, "68.3"),
    ("I12", slots("NNNNNNNNNNNN", FIRST), None, (100, 0, 0, 0, 0, 0), 12, 12, "0.0"),
    ("I13", *transfer(at("2026-04-01 10:00")), (0, 0, 3.33, 0, 0, 0), 12, 12, "96.7"),
    ("I14", *transfer(None), (0, 0, 6.67, 0, 0, 0), 12, 12, "93.3"),
    ("I15", but((6, move(days(7))), of=kept(17, 14)), FORTNIGHTLY, (0, 2.08, 0, 0, 0, 0), 12, 12, "97.9"),
    ("I16", but((6, move(timedelta(minutes=45)))), None, (0, 0, 0, 0, 0, 0), 12, 12, "100.0"),
    ("I17", but((6, move(timedelta(minutes=46)))), None, (0, 0.83, 0, 0, 0, 0), 12, 12, "99.2"),
    ("I18", but((6, move(timedelta(hours=12, minutes=1)))), None, (0, 2.08, 0, 0, 0, 0), 12, 12, "97.9"),
    ("I19", but((6, move(timedelta(days=3, hours=12, minutes=1)))), None, (0, 2.92, 0, 0, 0, 0), 12, 12, "97.1"),
    (
        "I20",
        but((2, by_video), (4, other_room), (6, timed(12, 50)), (8, timed(0, 40)), (10, timed(0, 41))),
        None,
        (0, 0, 0, 0, 0.83, 0.5),
        12,
        12,
        "98.7",
    ),
    ("I21", but((6, everything)), None, (0, 2.92, 1.67, 0.83, 0.58, 0.25), 12, 12, "93.8"),
]


@pytest.mark.parametrize(
    ("its_id", "appointments", "standings", "components", "n", "n_star", "value"),
    TABLE_I,
    ids=[row[0] for row in TABLE_I],
)
def test_worked_examples(
    its_id: str,
    appointments: list[Appointment],
    standings: tuple[Standing, ...] | None,
    components: tuple[float, ...],
    n: int,
    n_star: int,
    value: str,
) -> None:
    found = indexed(appointments, standings or (MARCH,))
    assert tuple(float(rounded(found.components[c], 2)) for c in Component) == components
    assert (found.n, found.n_star, str(found.value)) == (n, n_star, value)


def test_i4_taken_apart_by_whose_doing_it_was() -> None:
    found = indexed(I4)
    assert {by: float(mean) for by, mean in found.by_initiator.items() if mean} == {
        Initiator.CLINIC: 6.25,
        Initiator.CLIENT: 8.75,
    }
    assert sum(one.points for one in found.deductions if one.by is Initiator.CLINIC) == 75


def test_the_points_of_one_occurrence_are_there_to_be_shown() -> None:
    found = indexed(but((6, everything)))
    assert {one.slot for one in found.deductions} == {kept()[11].expected}
    assert [(one.component.value, one.points) for one in found.of(kept()[11].expected)] == [
        ("slot", 35),
        ("therapist", 20),
        ("notice", 10),
        ("setting", 7),
        ("length", 3),
    ]


def test_below_three_it_is_building() -> None:
    assert (indexed(kept(2)).value, indexed(kept(2)).is_building, indexed(kept(3)).is_building) == (None, True, False)


def test_length_without_times_is_not_recorded() -> None:
    assert not indexed(kept()).has_times
    assert indexed(but((3, timed(0, 50)))).has_times


def test_what_is_older_than_182_days_before_the_latest_is_left_out() -> None:
    sparse = [appointment(FIRST + days(26 * k)) for k in range(12)]
    assert indexed(sparse, (standing(since=date(2026, 3, 3), every_weeks=4),)).n == 8  # 0, 26 … 182 days: both ends


def test_what_is_booked_or_not_marked_or_ad_hoc_is_not_resolved() -> None:
    some = [*kept(5), appointment(FIRST + days(35), "S"), appointment(None, starts=FIRST + days(1))]
    assert indexed(some).n == 5


def test_by_standing_pairs_of_weekdays_have_their_own_half_cadence() -> None:
    both = standing(since=date(2026, 3, 3), hours=(hour("TU 10:00"), hour("FR 10:00")))
    two_days = [moved(one, days(2), told=days(5)) for one in kept(8)]
    more = [moved(one, days(2) + hours(1), told=days(5)) for one in kept(8)]
    assert indexed(two_days, (both,)).components[Component.SLOT] == 25
    assert indexed(more, (both,)).components[Component.SLOT] == 35


def test_whose_doing_where_none_is_given() -> None:
    expected = {"c": "client", "N": "client", "L": "client", "K": "clinic", "u": "unknown"}
    for letter, by in expected.items():
        (one,) = indexed([*kept(8), appointment(FIRST + days(56), letter)]).deductions
        assert one.by.value == by


def test_the_clinic_may_set_its_points_but_not_so_that_they_contradict() -> None:
    with pytest.raises(CannotSetLimits):
        Limits(points_missed=60)
    with pytest.raises(CannotSetLimits):
        Limits(points_missed_hard=101)
    with pytest.raises(CannotSetLimits):
        Limits(points_slot_hours=30)


# Properties. More examples: EXAMPLES=20000

MANY = settings(max_examples=int(os.environ.get("EXAMPLES", "60")), deadline=None)
CADENCES = {
    4: standing(since=date(2026, 1, 6), hours=(hour("TU 10:00"), hour("FR 10:00"))),
    7: standing(since=date(2026, 1, 6)),
    14: standing(since=date(2026, 1, 6), every_weeks=2),
    28: standing(since=date(2026, 1, 6), every_weeks=4),
}
START = at("2026-01-06 10:00")
MISSES = (Status.CLIENT_CANCELLED, Status.NO_SHOW, Status.LATE_NOT_SEEN, Status.CLINIC_CANCELLED, Status.BREAK)
INITIATORS = st.sampled_from(list(Initiator))


@st.composite
def histories(draw: st.DrawFn) -> Course:
    """One to 24 occurrences of a course with any deviation, and perhaps a transfer in the middle."""
    cadence = draw(st.sampled_from(sorted(CADENCES)))
    first = CADENCES[cadence]
    n = draw(st.integers(1, 24))
    expected = [START + days(k * cadence) for k in range(n)]
    if cadence == 4:
        expected = [START + days(7 * (k // 2) + 3 * (k % 2)) for k in range(n)]
    standings = (first,)
    change_at = draw(st.one_of(st.none(), st.integers(1, n)))
    if change_at is not None and change_at < n:
        since = expected[change_at].date()
        told = draw(st.one_of(st.none(), st.integers(0, 60).map(lambda d: expected[change_at] - days(d))))
        standings = (
            replace(first, until=since),
            replace(first, id="s2", therapist="B", since=since, change_told_at=told),
        )
    made = [_any_occurrence(draw, slot, standings) for slot in expected]
    return course(made, standings=standings)


def _any_occurrence(draw: st.DrawFn, slot: LocalTime, standings: tuple[Standing, ...]) -> Appointment:
    its = standings[-1] if slot.date() >= standings[-1].since else standings[0]
    one = appointment(slot, "H", standing=its.id, therapist=its.therapist)
    if draw(st.integers(0, 3)) == 0:
        told = draw(st.one_of(st.none(), st.integers(0, 40).map(lambda d: slot - days(d))))
        return replace(
            one, status=draw(st.sampled_from(MISSES)), told_at=told, by=draw(st.one_of(st.none(), INITIATORS))
        )
    if draw(st.booleans()):
        return one
    modality = draw(st.sampled_from(list(Modality)))
    one = replace(
        one,
        starts=slot + timedelta(minutes=draw(st.sampled_from((0, 0, 45, 46, 720, 721, -1440, 2880, 5760, 20160)))),
        therapist=draw(st.sampled_from((its.therapist, its.therapist, "C"))),
        room=draw(st.sampled_from(("R1", "R2", None))) if modality is Modality.IN_PERSON else None,
        modality=modality,
        changes=tuple(_any_change(draw, slot) for _ in range(draw(st.integers(0, 3)))),
    )
    if draw(st.booleans()):
        return timed(draw(st.sampled_from((0, 9, 10, 20))), draw(st.sampled_from((30, 40, 41, 50, 60))))(one)
    return one


def _any_change(draw: st.DrawFn, slot: LocalTime) -> Change:
    told = draw(st.one_of(st.none(), st.integers(0, 120).map(lambda h: slot - hours(h))))
    return Change(what=draw(st.sampled_from(list(Attribute))), was=None, now=None, told_at=told, by=draw(INITIATORS))


def exact(of: Course) -> Decimal:
    return the_index(of).exact


def the_index(of: Course) -> Index:
    return index(of, now=of.appointments[-1].expected + days(100), limits=Limits())


def with_one(of: Course, place: int, change: Callable[[Appointment], Appointment]) -> Course:
    return replace(of, appointments=tuple(change(one) if k == place else one for k, one in enumerate(of.appointments)))


def any_place(of: Course, data: st.DataObject, fits: Callable[[Appointment], bool]) -> int | None:
    places = [k for k, one in enumerate(of.appointments) if fits(one)]
    return data.draw(st.sampled_from(places)) if places else None


@MANY
@given(histories())
def test_1_it_is_bounded(of: Course) -> None:
    assert 0 <= exact(of) <= 100


def restored(of: Course, what: str) -> Callable[[Appointment], Appointment]:
    def change(one: Appointment) -> Appointment:
        its = of.standing_of(one)
        assert its is not None
        back = {
            "time": {"starts": one.expected},
            "therapist": {"therapist": its.therapist},
            "room": {"room": its.room if one.modality is Modality.IN_PERSON else None},
            "modality": {"modality": its.modality},
        }
        return replace(one, **back[what])  # type: ignore[arg-type]

    return change


@MANY
@given(histories(), st.sampled_from(["time", "therapist", "room", "modality"]), st.data())
def test_2_restoring_never_lowers_it(of: Course, what: str, data: st.DataObject) -> None:
    place = any_place(of, data, lambda one: one.is_held)
    if place is not None and not (what == "time" and of.appointments[place].began):
        assert exact(with_one(of, place, restored(of, what))) >= exact(of)


@MANY
@given(histories(), st.data())
def test_3_holding_instead_of_an_unannounced_miss_never_lowers_it(of: Course, data: st.DataObject) -> None:
    place = any_place(of, data, lambda one: not one.is_held and not of.is_announced(one, 14))
    if place is not None:
        any_held = _any_occurrence(data.draw, of.appointments[place].expected, of.standings)
        held = replace(any_held, status=Status.HELD)
        assert exact(with_one(of, place, lambda _: held)) >= exact(of)


@MANY
@given(histories(), st.data())
def test_4_announcing_never_lowers_it(of: Course, data: st.DataObject) -> None:
    place = any_place(of, data, lambda one: not one.is_held and not of.is_announced(one, 14))
    if place is not None:
        told = with_one(of, place, lambda one: replace(one, told_at=one.expected - days(14)))
        assert exact(told) >= exact(of)
        slot = of.appointments[place].expected
        assert [one.points for one in the_index(told).of(slot)] in ([20], [])


@MANY
@given(histories())
def test_5_one_more_kept_never_lowers_it(of: Course) -> None:
    last = of.appointments[-1]
    its = of.standings[-1]
    following = appointment(last.expected + days(7), "H", standing=its.id, therapist=its.therapist)
    longer = replace(of, appointments=(*of.appointments, following))
    drops_by_age = the_index(longer).n < min(12, the_index(of).n + 1)
    has_deduction = bool(the_index(longer).of(following.expected))
    if not drops_by_age and not has_deduction:
        assert exact(longer) >= exact(of)


@MANY
@given(histories())
def test_6_both_ways_of_taking_it_apart_sum_to_what_is_missing(of: Course) -> None:
    found = the_index(of)
    missing = Decimal(sum(one.points for one in found.deductions)) / found.n_star
    near = Decimal("1e-20")  # thirds are not exact in decimals; points are whole and sum exactly
    assert abs(100 - found.exact - missing) < near
    assert abs(sum(found.components.values()) - missing) < near
    assert abs(sum(found.by_initiator.values()) - missing) < near
    assert abs(sum(mean for row in found.matrix.values() for mean in row.values()) - missing) < near


@MANY
@given(histories())
def test_7_in_a_short_history_one_occurrence_costs_at_most_an_eighth(of: Course) -> None:
    found = the_index(of)
    if found.n <= 8:
        for one in of.appointments:
            assert Decimal(sum(d.points for d in found.of(one.expected))) / found.n_star <= Decimal("12.5")
