"""R1: hours for one session that can't stay where it is."""

from dataclasses import replace
from datetime import date

import pytest

from service.domain.appointment import Appointment, Place
from service.domain.course import Course, Override
from service.domain.hours import LocalTime
from service.domain.limits import Limits
from service.domain.ranking import CannotRank, Ranked, rank
from service.domain.standing import Modality
from tests.domain.drawn import appointment, at, course, days, standing

SLOT = at("2026-03-10 10:00")
TOLD = at("2026-03-05 12:00")


def place(starts: str, therapist: str = "A", room: str | None = "R1") -> Place:
    modality = Modality.IN_PERSON if room else Modality.VIDEO
    return Place(starts=at(starts), minutes=50, therapist=therapist, room=room, modality=modality)


CANDIDATES = {
    "a": place("2026-03-09 15:00"),
    "b": place("2026-03-10 14:00", therapist="B"),
    "c": place("2026-03-11 10:00", room=None),
    "d": place("2026-03-13 10:00"),
    "e": place("2026-03-16 10:00"),
    "f": place("2026-03-11 10:00", room="R2"),
    "h": place("2026-03-06 09:00"),
}
TABLE_R1 = {
    # slot, therapist, notice, setting, gap, close, score, early score, projected index
    "a": (25, 0, 0, 0, 0, 0, 25, 25, "97.9"),
    "f": (25, 0, 0, 3, 0, 0, 28, 28, "97.7"),
    "b": (10, 20, 0, 0, 0, 0, 30, 30, "97.5"),
    "c": (25, 0, 0, 7, 0, 0, 32, 32, "97.3"),
    "d": (25, 0, 0, 0, 7.14, 0, 32.14, 35.71, "97.9"),
    "h": (35, 0, 10, 0, 13.10, 0, 58.10, 64.64, "96.3"),
    "e": (35, 0, 0, 0, 24.29, 10, 69.29, 81.43, "97.1"),
}
PARTS = ("slot", "therapist", "notice", "setting", "gap", "close")


def weekly(held: int = 17, **changes: object) -> Course:
    before: list[Appointment] = [appointment(SLOT - days(7) * k) for k in range(1, held + 1)]
    booked = [appointment(SLOT + days(7) * k, "S") for k in range(3)]
    return course([*before, *booked], standings=(standing(since=date(2025, 1, 7)),), **changes)


def ranked(of: Course, *candidates: Place, preferred: tuple[LocalTime, ...] = ()) -> list[Ranked]:
    return rank(of, slot=SLOT, candidates=candidates, told_at=TOLD, now=TOLD, preferred=preferred, limits=Limits())


@pytest.mark.parametrize("its_id", TABLE_R1)
def test_r1(its_id: str) -> None:
    *parts, score, early_score, projected = TABLE_R1[its_id]
    (found, _) = ranked(weekly(), CANDIDATES[its_id])
    assert [round(found.parts[name], 2) for name in PARTS] == parts
    assert round(found.score, 2) == score
    assert str(found.projected_index) == projected
    early = next(one for one in ranked(weekly(held=4), CANDIDATES[its_id]) if one.place)
    assert round(early.score, 2) == early_score


@pytest.mark.parametrize(
    ("held", "wish", "score"), [(17, None, 110), (4, None, 145), (17, "skip", 50), (4, "skip", 65)]
)
def test_r1_skip(held: int, wish: str | None, score: float) -> None:
    agreed = {"when_away": Override(value=wish, reason="asked", until=date(2026, 12, 31))} if wish else {}
    (skip,) = ranked(weekly(held, overrides=agreed))
    assert (skip.place, skip.score) == (None, score)
    if held == 17:
        assert str(skip.projected_index) == "93.3"


def test_r1_best_first() -> None:
    found = ranked(weekly(), *CANDIDATES.values())
    names = {one: name for name, one in CANDIDATES.items()}
    assert [names[one.place] if one.place else "g" for one in found] == list("afbcdheg")


def test_a_preferred_hour_is_five_points_better() -> None:
    found = ranked(weekly(), *CANDIDATES.values(), preferred=(CANDIDATES["d"].starts,))
    assert found[1].starts == CANDIDATES["d"].starts
    assert found[1].parts["preference"] == -5


def test_ties_go_to_the_nearer_then_the_earlier_then_as_given() -> None:
    before, after = place("2026-03-09 10:00"), place("2026-03-11 10:00")
    again = replace(after, room="R1", minutes=45)
    found = ranked(weekly(), after, again, before)
    assert [one.place for one in found[:3]] == [before, after, again]


def test_a_missing_neighbour_adds_nothing() -> None:
    alone = course([appointment(SLOT, "S")], standings=(standing(since=date(2025, 1, 7)),))
    (found, skip) = ranked(alone, CANDIDATES["d"])
    assert (found.parts["gap"], found.parts["close"], skip.parts["gap"]) == (0, 0, 0)


def test_after_a_miss_a_skip_costs_more() -> None:
    of = weekly()
    missed = [appointment(one.slot, "c") if one.slot == SLOT - days(7) else one for one in of.appointments]
    (skip,) = ranked(replace(of, appointments=tuple(missed)))
    assert skip.parts["missed"] == 100


def test_a_slot_that_nothing_fills_is_refused() -> None:
    with pytest.raises(CannotRank):
        rank(weekly(), slot=SLOT + days(1), candidates=[], told_at=TOLD, now=TOLD, limits=Limits())
