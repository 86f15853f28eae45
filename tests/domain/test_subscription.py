"""What can be chosen of a calendar, and by whom."""

from datetime import date, timedelta
from typing import Any

import pytest

from service.domain.access import Actor, Role
from service.domain.privacy import Privacy, summary_for_client, summary_of_absence, summary_with
from service.domain.refusals import Forbidden
from service.domain.subscription import (
    CannotChoose,
    Options,
    Shows,
    expect_kind,
    expect_level,
    expect_overlap,
    kinds_for,
)
from service.language import speaker

TODAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    "wrong",
    [
        {"days_back": 1},
        {"days_back": -30},
        {"weeks_ahead": 0},
        {"weeks_ahead": 105},
        {"alarm_minutes": 0},
        {"alarm_minutes": 7 * 1440 + 1},
    ],
)
def test_what_can_not_be_chosen_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(CannotChoose) as refusal:
        Options(**wrong)
    assert refusal.value.where == next(iter(wrong))


def test_the_days_that_are_told() -> None:
    assert (Options().since(TODAY), Options().until(TODAY)) == (date(2025, 12, 2), None)
    short = Options(days_back=0, weeks_ahead=4)
    assert (short.since(TODAY), short.until(TODAY)) == (TODAY, date(2026, 3, 30))


@pytest.mark.parametrize(
    ("roles", "therapist", "kinds"),
    [
        ([Role.THERAPIST], "a", [Shows.THERAPIST]),
        ([Role.THERAPIST], None, []),
        ([Role.FRONT_DESK], None, [Shows.ROOM, Shows.CLIENT]),
        ([Role.MANAGER], None, list(Shows)),
        ([Role.ADMIN], None, []),
        ([Role.FRONT_DESK, Role.THERAPIST], "a", [Shows.THERAPIST, Shows.ROOM, Shows.CLIENT]),
    ],
)
def test_who_may_make_which(roles: list[Role], therapist: str | None, kinds: list[Shows]) -> None:
    actor = Actor(name="X", roles=frozenset(roles), user="x", therapist=therapist)
    assert list(kinds_for(actor)) == kinds
    for shows in Shows:
        if shows not in kinds:
            with pytest.raises(Forbidden):
                expect_kind(actor, shows)


def test_a_clients_own_calendar_has_no_level_that_is_about_clients() -> None:
    for level in (Privacy.INITIALS, Privacy.REFERENCE):
        with pytest.raises(CannotChoose):
            expect_level(Shows.CLIENT, level)
        expect_level(Shows.ROOM, level)


def test_an_old_address_goes_on_for_a_day_at_most() -> None:
    expect_overlap(timedelta(hours=24))
    for wrong in (timedelta(hours=24, seconds=1), timedelta(seconds=-1)):
        with pytest.raises(CannotChoose):
            expect_overlap(wrong)


def test_what_hours_are_called() -> None:
    german = speaker("de_DE")
    assert summary_with(Privacy.BUSY, "Busy", therapist="Therapist A") == "Busy"
    assert summary_with(Privacy.INITIALS, "CO", therapist="Therapist A") == "Therapist A: CO"
    assert summary_for_client(Privacy.BUSY, therapist="Therapist A") == "Busy"
    assert summary_for_client(Privacy.NAME, therapist="Therapist A", speaker=german) == "Termin bei Therapist A"
    assert summary_of_absence(Privacy.BUSY, name="Surgery", speaker=german) == "Abwesend"
    assert summary_of_absence(Privacy.NAME, name="", is_closure=True) == "Closed"
