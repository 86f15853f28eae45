"""Leave, closures and public holidays: whom they touch, who was told, and hours that go in sight and never silently."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from service.domain.absences import AbsenceKind, CannotBeAway
from service.domain.access import OPERATOR
from service.domain.appointment import Initiator, Status
from service.domain.hours import Hour, Weekday
from service.domain.refusals import Forbidden, Malformed, NotFound
from service.domain.standing import Modality
from service.usecases import absences, appointments, courses, people
from tests.usecases.conftest import NOW, Cast, tuesday

AFTERNOONS = Hour(day=Weekday.TU, at=time(14))


def add(cast: Cast, kind: AbsenceKind = AbsenceKind.LEAVE, *, weeks: int = 2, **given: Any) -> str:
    """Leave of Ada from the third Tuesday on, unless said otherwise."""
    whose: dict[str, Any] = {"therapist": cast.ada} if kind is AbsenceKind.LEAVE else {}
    usual: dict[str, Any] = {
        "since": tuesday(2, time(0)),
        "until": tuesday(2 + weeks, time(0)),
        "by": cast.desk,
        "now": NOW,
    }
    return absences.add(kind=kind, **{**whose, **usual, **given})


def test_leave_leaves_hours_booked_and_at_risk_until_somebody_decides(cast: Cast) -> None:
    cast.agree()
    leave = add(cast)
    lost = [cast.at(tuesday(2)), cast.at(tuesday(3))]
    assert [(one.status, one.is_at_risk) for one in lost] == [(Status.SCHEDULED, True)] * 2
    [touched] = absences.touched(absence=leave, by=cast.desk)
    assert touched.lost == (tuesday(2), tuesday(3))
    assert set(touched.still_booked) == {one.id for one in lost}
    assert (touched.names, touched.told_at) == (("Client One",), None)


def test_hours_let_go_are_breaks_in_sight_and_free(cast: Cast) -> None:
    agreed = cast.agree()
    leave = add(cast)
    absences.tell(absence=leave, course=agreed.course, by=cast.desk, now=NOW)
    assert absences.release(absence=leave, by=cast.desk, now=NOW) == 2
    assert absences.release(absence=leave, by=cast.desk, now=NOW) == 0
    hour = cast.at(tuesday(2))
    assert (hour.status, hour.by, hour.is_told) == (Status.BREAK, Initiator.CLINIC, True)
    [touched] = absences.touched(absence=leave, by=cast.desk)
    assert (touched.lost, touched.still_booked) == ((tuesday(2), tuesday(3)), ())
    assert cast.agree(1, therapist=cast.ben, since=tuesday(2).date(), until=tuesday(4).date()).booked == 2


def test_some_hours_can_be_let_go_and_the_client_told_later(cast: Cast) -> None:
    agreed = cast.agree()
    leave = add(cast)
    one = cast.at(tuesday(3))
    assert absences.release(absence=leave, appointment_ids=[one.id], by=cast.desk, now=NOW) == 1
    assert cast.at(tuesday(2)).status is Status.SCHEDULED
    assert not cast.at(tuesday(3)).is_told
    absences.tell(absence=leave, course=agreed.course, told_at=NOW - timedelta(days=1), by=cast.desk, now=NOW)
    assert cast.at(tuesday(3)).is_told
    value = courses.show(course=agreed.course, by=cast.desk, now=NOW).course
    assert [absence.told_at for absence in value.absences] == [datetime(2026, 3, 1, 8)]


@pytest.mark.parametrize(
    ("kind", "given", "touched"),
    [
        (AbsenceKind.LEAVE, {"therapist": "ben"}, {"Three"}),
        (AbsenceKind.CLOSURE, {}, {"One", "Three"}),
        (AbsenceKind.CLOSURE, {"room": 0}, {"One"}),
        (AbsenceKind.CLOSURE, {"site": True}, {"One", "Three"}),
        (AbsenceKind.HOLIDAY, {"site": True}, {"One", "Two", "Three"}),
    ],
    ids=["leave", "every site", "a room", "a site", "public holiday"],
)
def test_whom_an_absence_touches(cast: Cast, kind: AbsenceKind, given: dict[str, Any], touched: set[str]) -> None:
    cast.agree(0)
    cast.agree(1, hours=(AFTERNOONS,), room=None, modality=Modality.VIDEO)
    cast.agree(2, therapist=cast.ben, room=cast.rooms[1])
    given = dict(given)
    if "therapist" in given:
        given["therapist"] = cast.ben
    if "room" in given:
        given["room"] = cast.rooms[given["room"]]
    if "site" in given:
        given["site"] = cast.site
    found = absences.touched(absence=add(cast, kind, **given), by=cast.desk)
    assert {name.removeprefix("Client ") for one in found for name in one.names} == touched


def test_those_not_yet_told_come_first(cast: Cast) -> None:
    first = cast.agree()
    cast.agree(1, hours=(AFTERNOONS,))
    leave = add(cast)
    absences.tell(absence=leave, course=first.course, by=cast.desk, now=NOW)
    assert [one.names for one in absences.touched(absence=leave, by=cast.desk)] == [("Client Two",), ("Client One",)]


def test_a_withdrawn_absence_touches_nobody(cast: Cast) -> None:
    cast.agree()
    leave = add(cast)
    absences.release(absence=leave, by=cast.desk, now=NOW)
    absences.withdraw(absence=leave, by=cast.desk, now=NOW)
    assert cast.at(tuesday(2)).status is Status.BREAK, "what was let go is taken up again by a person"
    assert appointments.uncancel(appointment_id=cast.at(tuesday(2)).id, by=cast.desk, now=NOW)
    assert absences.between(since=tuesday(), until=tuesday(9), by=cast.desk) == []
    with pytest.raises(NotFound):
        absences.withdraw(absence=leave, by=cast.desk, now=NOW)


def test_a_tentative_leave_takes_nothing(cast: Cast) -> None:
    leave = add(cast, tentative=True)
    assert cast.agree(since=tuesday(5).date()).lost == ()
    assert absences.touched(absence=leave, by=cast.desk) == []


def test_what_makes_no_sense_is_refused(cast: Cast) -> None:
    with pytest.raises(CannotBeAway):
        add(cast, weeks=0)
    with pytest.raises(CannotBeAway):
        add(cast, therapist=None)
    with pytest.raises(Malformed):
        add(cast, AbsenceKind.PAUSE)
    with pytest.raises(Malformed):
        absences.tell(absence=add(cast), course=cast.open(), told_at=NOW + timedelta(days=1), by=cast.desk, now=NOW)


def test_therapists_enter_their_own_leave_alone(cast: Cast) -> None:
    mine = add(cast, by=cast.as_ada)
    acts: tuple[Callable[[], object], ...] = (
        lambda: add(cast, by=cast.as_ben),
        lambda: add(cast, AbsenceKind.CLOSURE, by=cast.as_ada),
        lambda: add(cast, by=cast.reader),
        lambda: add(cast, by=cast.admin),
        lambda: absences.withdraw(absence=mine, by=cast.as_ben, now=NOW),
        lambda: absences.release(absence=mine, by=cast.as_ben, now=NOW),
    )
    for act in acts:
        with pytest.raises(Forbidden):
            act()
    absences.withdraw(absence=mine, by=cast.as_ada, now=NOW)


def test_a_therapist_sees_who_of_their_own_is_touched(cast: Cast) -> None:
    agreed = cast.agree()
    cast.agree(2, therapist=cast.ben, room=cast.rooms[1])
    closed = add(cast, AbsenceKind.CLOSURE)
    assert [one.names for one in absences.touched(absence=closed, by=cast.as_ada)] == [("Client One",)]
    with pytest.raises(NotFound):
        absences.tell(absence=closed, course=agreed.course, by=cast.as_ben, now=NOW)


def test_public_holidays_are_entered_once_and_lose_hours_in_sight(cast: Cast) -> None:
    assert absences.add_public_holidays(site=cast.site, year=2026, by=cast.desk, now=NOW) == 10
    assert absences.add_public_holidays(site=cast.site, year=2026, by=cast.desk, now=NOW) == 0
    mondays = Hour(day=Weekday.MO, at=time(10))
    agreed = cast.agree(hours=(mondays,), since=date(2026, 3, 2))
    assert agreed.lost == (datetime(2026, 4, 6, 10), datetime(2026, 5, 25, 10)), "Easter and Whit Monday"
    day = absences.between(since=datetime(2026, 5, 1), until=datetime(2026, 5, 2), by=cast.as_ada)
    assert [(one.kind, one.site) for one in day] == [(AbsenceKind.HOLIDAY, cast.site)]


def test_a_site_without_a_country_has_no_holidays_to_enter(cast: Cast) -> None:
    for country, region in ((None, None), ("ZZ", None), ("DE", "XX")):
        site = people.add_site(
            name=f"{country} {region}", zone_name="Europe/Berlin", country=country, region=region, by=OPERATOR, now=NOW
        )
        with pytest.raises(Malformed):
            absences.add_public_holidays(site=site, year=2026, by=cast.desk, now=NOW)
