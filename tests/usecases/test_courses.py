"""Courses: open, pause, go on, end; who sees them, and what looking leaves behind."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from service.domain.absences import CannotBeAway
from service.domain.appointment import Initiator, Mark, Status
from service.domain.course import CourseStatus, Ending
from service.domain.refusals import CannotBook, Forbidden, Malformed, NotFound, Refusal, Stale
from service.store import audit
from service.store.base import db
from service.usecases import absences, appointments, courses, standings
from service.usecases.standings import Choice, Do
from service.usecases.steps import CourseHasEnded
from tests.usecases.conftest import FIRST, NOW, Cast, tuesday

THIRD = tuesday(2).date()
IN_MAY = datetime(2026, 5, 4, 7, tzinfo=UTC)


def pause(cast: Cast, course: str, *, since: date = THIRD, **given: Any) -> str:
    usual: dict[str, Any] = {"until": tuesday(5).date(), "keeps_hour": True, "by": cast.desk, "now": NOW}
    return courses.pause(course=course, since=since, **{**usual, **given})


def end(cast: Cast, course: str, on: date, **given: Any) -> None:
    courses.end(course=course, on=on, **{"ending": Ending.PLANNED, "by": cast.desk, "now": NOW, **given})


def status(cast: Cast, course: str, now: datetime = NOW) -> CourseStatus:
    return courses.show(course=course, by=cast.desk, now=now).status


def test_a_course_of_two_holds_both(cast: Cast) -> None:
    course = courses.open(clients_in=[cast.clients[0], cast.clients[1]], therapist=cast.ada, by=cast.desk, now=NOW)
    standings.agree(course=course, proposal=cast.proposal(), by=cast.desk, now=NOW)
    assert cast.at(tuesday()).names == ("Client One", "Client Two")
    with pytest.raises(CannotBook) as refused:
        cast.agree(1, therapist=cast.ben, room=cast.rooms[1])
    assert {clash.kind for clash in refused.value.clashes} == {"client"}
    with pytest.raises(Malformed):
        courses.open(clients_in=[], therapist=cast.ada, by=cast.desk, now=NOW)


# --- pause and go on


@pytest.mark.parametrize("keeps_hour", [True, False])
def test_a_rest_keeps_or_frees_the_hour(cast: Cast, keeps_hour: bool) -> None:
    agreed = cast.agree()
    pause(cast, agreed.course, keeps_hour=keeps_hour)
    hour = cast.at(tuesday(2))
    assert (hour.status, hour.by, hour.is_told) == (Status.BREAK, Initiator.MUTUAL, True)
    assert cast.at(tuesday(5)).status is Status.SCHEDULED
    if keeps_hour:
        with pytest.raises(CannotBook):
            cast.agree(1, since=THIRD, until=tuesday(3).date())
    else:
        assert cast.agree(1, since=THIRD, until=tuesday(3).date()).booked == 1


def test_going_on_takes_back_what_is_still_free(cast: Cast) -> None:
    agreed = standings.agree(
        client=cast.clients[0],
        proposal=cast.proposal(),
        choices={tuesday(4): Choice(do=Do.SKIP)},
        by=cast.desk,
        now=NOW,
    )
    pause(cast, agreed.course, keeps_hour=False, until=tuesday(8).date())
    other = cast.agree(1, since=tuesday(3).date(), until=tuesday(4).date())
    back = courses.resume(course=agreed.course, on=tuesday(3).date(), by=cast.desk, now=NOW)
    found = {one.slot: one.status for one in cast.hours(course=agreed.course)}
    assert back == 3
    assert found[tuesday(2)] is Status.BREAK, "before that day it did rest"
    assert found[tuesday(3)] is Status.BREAK, "taken meanwhile"
    assert found[tuesday(4)] is Status.BREAK, "skipped by agreement, not by the rest"
    assert {found[tuesday(n)] for n in (5, 6, 7)} == {Status.SCHEDULED}
    assert cast.at(tuesday(3), standing=other.id).status is Status.SCHEDULED


def test_a_rest_begins_and_ends_on_its_day(cast: Cast) -> None:
    agreed = cast.agree()
    pause(cast, agreed.course)
    seen = []
    for days in (0, 14, 14.9, 15, 35.9, 36):
        now = NOW.replace(hour=23) - timedelta(days=1) + timedelta(days=days)
        courses.settle(now=now)
        seen.append(status(cast, agreed.course))
    a, p = CourseStatus.ACTIVE, CourseStatus.PAUSED
    assert seen == [a, a, a, p, p, a]
    assert courses.settle(now=now) == 0


def test_going_on_earlier_leaves_a_later_rest_alone(cast: Cast) -> None:
    agreed = cast.agree()
    pause(cast, agreed.course, since=FIRST, until=tuesday(2).date(), now=NOW + timedelta(days=1))
    pause(cast, agreed.course, since=tuesday(10).date(), until=tuesday(12).date())
    assert courses.resume(course=agreed.course, on=tuesday(1).date(), by=cast.desk, now=NOW) == 1
    assert cast.at(tuesday(10)).status is Status.BREAK
    assert courses.resume(course=agreed.course, on=tuesday(10).date(), by=cast.desk, now=NOW) == 2
    assert cast.at(tuesday(11)).status is Status.SCHEDULED


def test_what_can_not_rest(cast: Cast) -> None:
    agreed = cast.agree()
    rest = pause(cast, agreed.course)
    with pytest.raises(courses.CannotPause):
        pause(cast, agreed.course, since=tuesday(4).date(), until=tuesday(6).date())
    with pytest.raises(CannotBeAway):
        pause(cast, agreed.course, since=tuesday(8).date(), until=tuesday(8).date())
    with pytest.raises(courses.CannotPause):
        courses.resume(course=agreed.course, on=tuesday(9).date(), by=cast.desk, now=NOW)
    with pytest.raises(Malformed):
        absences.withdraw(absence=rest, by=cast.desk, now=NOW)
    end(cast, agreed.course, tuesday(10).date())
    with pytest.raises(CourseHasEnded):
        pause(cast, agreed.course, since=tuesday(11).date(), until=tuesday(12).date())


def test_the_extender_lets_a_course_rest(cast: Cast) -> None:
    agreed = cast.agree()
    pause(cast, agreed.course, since=tuesday(27).date(), until=tuesday(28).date())
    standings.extend(standing=agreed.id, now=NOW + timedelta(weeks=4))
    assert cast.at(tuesday(27)).status is Status.BREAK
    with pytest.raises(CannotBook):
        cast.agree(1, since=tuesday(27).date(), until=tuesday(28).date())
    assert courses.resume(course=agreed.course, on=tuesday(27).date(), by=cast.desk, now=NOW) == 1


# --- end


def test_a_course_goes_on_until_its_last_day(cast: Cast) -> None:
    agreed = cast.agree()
    ahead = appointments.move(
        appointment_id=cast.at(tuesday(1)).id,
        to=appointments.Destination(starts=tuesday(4, time(15))),
        asked_by=Initiator.CLIENT,
        reason="work",
        by=cast.desk,
        now=NOW,
    )
    single = appointments.book(course=agreed.course, place=cast.place(tuesday(6, time(13))), by=cast.desk, now=NOW)
    end(cast, agreed.course, tuesday(3).date())
    assert status(cast, agreed.course) is CourseStatus.ACTIVE
    assert [one.starts for one in cast.hours()] == [tuesday(0), tuesday(2)], "also what was moved behind the end"
    for gone in (ahead, single):
        with pytest.raises(NotFound):
            appointments.show(appointment_id=gone.id, by=cast.desk)
    courses.settle(now=IN_MAY)
    assert status(cast, agreed.course) is CourseStatus.ENDED
    with pytest.raises(courses.CannotEnd):
        end(cast, agreed.course, tuesday(9).date(), now=IN_MAY)
    assert cast.agree(1, since=tuesday(3).date()).booked == 23


def test_a_course_does_not_end_before_what_has_taken_place(cast: Cast) -> None:
    agreed = cast.agree()
    after = NOW + timedelta(days=2)
    appointments.mark(appointment_id=cast.at(tuesday()).id, mark=Mark.HELD, by=cast.desk, now=after)
    with pytest.raises(courses.CannotEnd):
        end(cast, agreed.course, FIRST, now=after)
    end(cast, agreed.course, FIRST + timedelta(days=1), now=after)
    shown = courses.show(course=agreed.course, by=cast.desk, now=after)
    assert (shown.status, shown.ending) == (CourseStatus.ENDED, Ending.PLANNED)
    assert [one.status for one in shown.course.appointments] == [Status.HELD]
    again = cast.agree(now=after, since=tuesday(1).date())
    assert again.course != agreed.course, "a client who comes back begins a new course"


def test_whoever_read_an_older_version_is_told(cast: Cast) -> None:
    agreed = cast.agree()
    with pytest.raises(Stale):
        end(cast, agreed.course, tuesday(3).date(), if_version=7)


# --- who may, and what looking leaves behind


@pytest.mark.parametrize(
    ("who", "refusal"), [("as_ben", NotFound), ("admin", NotFound), ("reader", Forbidden), ("as_ada", None)]
)
def test_only_who_holds_a_course_may_change_it(cast: Cast, who: str, refusal: type[Refusal] | None) -> None:
    agreed, by = cast.agree(), getattr(cast, who)
    if refusal is None:
        pause(cast, agreed.course, by=by)
        courses.resume(course=agreed.course, on=tuesday(2).date(), by=by, now=NOW)
        end(cast, agreed.course, tuesday(3).date(), by=by)
        return
    with pytest.raises(refusal):
        pause(cast, agreed.course, by=by)
    with pytest.raises(refusal):
        courses.resume(course=agreed.course, on=tuesday(2).date(), by=by, now=NOW)
    with pytest.raises(refusal):
        end(cast, agreed.course, tuesday(3).date(), by=by)
    with pytest.raises(Forbidden):
        courses.open(clients_in=[cast.clients[0]], therapist=cast.ada, by=by, now=NOW)


def test_who_sees_which_courses(cast: Cast) -> None:
    agreed = cast.agree()
    cast.agree(2, therapist=cast.ben, room=cast.rooms[1])
    assert [line.names for line in courses.listed(by=cast.desk, now=NOW)] == [("Client One",), ("Client Three",)]
    [line] = courses.listed(status=CourseStatus.ACTIVE, by=cast.as_ada, now=NOW)
    assert (line.id, line.next_starts) == (agreed.course, tuesday())
    with pytest.raises(Forbidden):
        courses.listed(by=cast.admin, now=NOW)
    for foreign in (cast.as_ben, cast.admin):
        with pytest.raises(NotFound):
            courses.show(course=agreed.course, by=foreign, now=NOW)


def test_looking_at_a_course_is_on_record_and_being_refused_is_not(cast: Cast) -> None:
    agreed = cast.agree()
    courses.show(course=agreed.course, by=cast.as_ada, now=NOW)
    with pytest.raises(NotFound):
        courses.show(course=agreed.course, by=cast.as_ben, now=NOW)
    lines = audit.of_subject(db.session(), "course", agreed.course)
    assert [(line.action, line.actor_name) for line in lines] == [("open", "front_desk"), ("view", "therapist")]
