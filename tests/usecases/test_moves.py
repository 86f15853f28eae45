"""What a move would do is said before it is done, and saying it changes nothing."""

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from service.domain.absences import AbsenceKind
from service.domain.appointment import CannotMove, Initiator, Mark
from service.domain.hours import Hour, Weekday, instant
from service.domain.refusals import NotFound
from service.domain.standing import Modality
from service.usecases import absences, appointments, moves
from service.usecases.appointments import Destination
from service.usecases.moves import Effect, Gaps
from tests.usecases.conftest import NOW, Cast, tuesday

if TYPE_CHECKING:
    from service.domain.access import Actor

WEDNESDAYS = Hour(day=Weekday.WE, at=time(10))


def preview(cast: Cast, at: datetime, *, by: "Actor | None" = None, now: datetime = NOW, **to: Any) -> Effect:
    one = cast.at(at)
    return moves.preview(appointment_id=one.id, to=Destination(**to), by=by or cast.desk, now=now)


def test_gaps_and_points_of_another_day(cast: Cast) -> None:
    cast.agree()
    found = preview(cast, tuesday(2), starts=tuesday(2) + timedelta(days=2))
    assert (found.gaps_now, found.gaps_then) == (Gaps(before=7, after=7), Gaps(before=9, after=5))
    assert found.own and found.own.parts["slot"] == 25
    assert found.is_move and not found.clashes and not found.doubts
    assert cast.at(tuesday(2)).starts == tuesday(2), "looking changes nothing"


def test_what_is_free_nearby_is_ranked_and_free(cast: Cast) -> None:
    cast.agree()
    found = preview(cast, tuesday(2))
    assert not found.is_move
    scores = [offer.score for offer in found.offers]
    assert 3 <= len(scores) <= 5 and scores == sorted(scores)
    assert tuesday(2) not in [offer.starts for offer in found.offers]


def test_a_clash_is_named_with_what_is_free_around_it(cast: Cast) -> None:
    cast.agree()
    cast.agree(1, hours=(WEDNESDAYS,))
    taken = tuesday(2) + timedelta(days=1)
    found = preview(cast, tuesday(2), starts=taken)
    assert {clash.kind for clash in found.clashes} == {"therapist", "room"}
    assert found.offers and all(offer.starts != taken for offer in found.offers)
    assert min(abs(offer.starts - taken) for offer in found.offers) <= timedelta(hours=1)


def test_its_own_place_is_no_clash(cast: Cast) -> None:
    cast.agree()
    assert not preview(cast, tuesday(2), starts=tuesday(2) + timedelta(minutes=20)).clashes


def test_a_doubt_is_said(cast: Cast) -> None:
    cast.agree()
    evening = tuesday(2, time(20))
    assert [doubt.kind for doubt in preview(cast, tuesday(2), starts=evening).doubts] == ["hours"]


def test_the_gap_that_it_opens_is_said_and_the_one_that_it_closes(cast: Cast) -> None:
    cast.agree()
    for weeks in range(6):
        _hold(cast, weeks)
    now = instant(tuesday(5, time(18)), "Europe/Berlin")
    later = preview(cast, tuesday(6), now=now, starts=tuesday(6) + timedelta(days=5))
    assert [word.id for word in later.raised] == ["gap.ahead"]
    absences.add(
        kind=AbsenceKind.LEAVE,
        since=tuesday(6, time()),
        until=tuesday(6, time()) + timedelta(days=1),
        therapist=cast.ada,
        by=cast.desk,
        now=now,
    )
    sooner = preview(cast, tuesday(6), now=now, starts=tuesday(6) + timedelta(days=1))
    assert "gap.ahead" in [word.id for word in sooner.cleared]


def test_the_desk_hears_of_gaps_alone(cast: Cast) -> None:
    cast.agree()
    for weeks in range(6):
        _hold(cast, weeks, moved=weeks >= 4)
    now = instant(tuesday(6, time(10, 30)), "Europe/Berlin")
    third: dict[str, Any] = {"now": now, "starts": tuesday(6, time(15))}
    assert [word.id for word in preview(cast, tuesday(6), by=cast.as_ada, **third).raised] == ["churn"]
    assert [word.id for word in preview(cast, tuesday(6), by=cast.manager, **third).raised] == ["churn"]
    assert not preview(cast, tuesday(6), **third).raised


def test_an_hour_outside_any_standing_has_no_sum(cast: Cast) -> None:
    course = cast.open()
    one = appointments.book(course=course, place=cast.place(tuesday(1)), by=cast.desk, now=NOW)
    found = moves.preview(appointment_id=one.id, to=Destination(starts=tuesday(1, time(15))), by=cast.desk, now=NOW)
    assert found.own is None and found.index_then is None
    assert found.offers and all(not offer.parts for offer in found.offers)


def test_by_video_there_is_no_room(cast: Cast) -> None:
    cast.agree()
    found = preview(cast, tuesday(2), modality=Modality.VIDEO)
    assert found.place.room is None and found.is_move


def test_only_who_may_see_it_and_only_what_is_booked(cast: Cast) -> None:
    cast.agree()
    with pytest.raises(NotFound):
        preview(cast, tuesday(2), by=cast.as_ben)
    one = cast.at(tuesday(2))
    appointments.cancel(appointment_id=one.id, asked_by=Initiator.CLIENT, reason="illness", by=cast.desk, now=NOW)
    with pytest.raises(CannotMove):
        preview(cast, tuesday(2), starts=tuesday(3, time(15)))


def _hold(cast: Cast, weeks: int, *, moved: bool = False) -> None:
    one, after = cast.at(tuesday(weeks)), instant(tuesday(weeks, time(19)), "Europe/Berlin")
    if moved:
        appointments.move(
            appointment_id=one.id,
            to=Destination(starts=tuesday(weeks, time(14))),
            asked_by=Initiator.CLIENT,
            reason="work",
            by=cast.desk,
            now=instant(tuesday(weeks, time(8)), "Europe/Berlin"),
        )
    appointments.mark(appointment_id=one.id, mark=Mark.HELD, by=cast.desk, now=after)
