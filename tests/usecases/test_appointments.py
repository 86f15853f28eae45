"""Single hours: book, move, cancel, take up again, mark, tell; who may, and what the board shows."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from service.domain.absences import AbsenceKind
from service.domain.appointment import CannotCancel, CannotMark, CannotMove, CannotUncancel, Initiator, Mark, Status
from service.domain.course import Ending
from service.domain.refusals import CannotBook, Forbidden, Malformed, NotFound, Refusal, Stale
from service.domain.standing import Modality
from service.usecases import absences, appointments, courses, standings
from service.usecases.appointments import Booked, Destination, TooLate
from service.usecases.steps import CourseHasEnded, NeedsReason
from tests.usecases.conftest import NOW, Cast, tuesday

AFTER = NOW + timedelta(days=1, hours=10)
"""Past the first Tuesday's hour."""


def move(cast: Cast, hour: Booked, now: datetime = NOW, **to: Any) -> Booked:
    apart = {"override", "is_told", "if_version", "by"} & set(to)
    also = {name: to.pop(name) for name in sorted(apart)}
    given: dict[str, Any] = {"asked_by": Initiator.CLIENT, "reason": "work", "by": cast.desk, "now": now, **also}
    return appointments.move(appointment_id=hour.id, to=Destination(**to), **given)


def cancel(cast: Cast, hour: Booked, now: datetime = NOW, **also: Any) -> Booked:
    given = {"asked_by": Initiator.CLIENT, "reason": "illness", "by": cast.desk, "now": now, **also}
    return appointments.cancel(appointment_id=hour.id, **given)


def uncancel(cast: Cast, hour: Booked, now: datetime = NOW, **also: Any) -> Booked:
    return appointments.uncancel(appointment_id=hour.id, **{"by": cast.desk, "now": now, **also})


def mark(cast: Cast, hour: Booked, what: Mark, now: datetime = AFTER, **also: Any) -> Booked:
    return appointments.mark(appointment_id=hour.id, mark=what, **{"by": cast.desk, "now": now, **also})


def book(cast: Cast, course: str, starts: datetime, *, now: datetime = NOW, **given: Any) -> Booked:
    also = {name: given.pop(name) for name in ("reason", "overlap_reason", "by") if name in given}
    place = cast.place(starts, **given)
    by = also.pop("by", cast.desk)
    return appointments.book(course=course, place=place, by=by, now=now, **also)


# --- book


def test_a_single_hour_fills_no_slot(cast: Cast) -> None:
    hour = book(cast, cast.open(), tuesday(0, time(13)))
    assert (hour.slot, hour.standing, hour.status) == (None, None, Status.SCHEDULED)
    assert hour.names == ("Client One",)
    assert hour.initials == "CO"


@pytest.mark.parametrize("kind", ["therapist", "room", "client"])
def test_a_taken_hour_says_by_whom_and_what_is_free(cast: Cast, kind: str) -> None:
    first = book(cast, cast.open(), tuesday(0, time(13)))
    course = first.course if kind == "client" else cast.open(1)
    cases: dict[str, dict[str, Any]] = {
        "therapist": {"room": cast.rooms[1]},
        "room": {"therapist": cast.ben},
        "client": {"therapist": cast.ben, "room": cast.rooms[1]},
    }
    given = cases[kind]
    with pytest.raises(CannotBook) as refused:
        book(cast, course, tuesday(0, time(13, 30)), **given)
    [clash] = refused.value.clashes
    assert (clash.kind, clash.appointment, clash.starts) == (kind, first.id, "2026-03-03T13:00")
    assert "2026-03-03T13:50" in refused.value.more["free"] or "2026-03-03T14:00" in refused.value.more["free"]  # type: ignore[operator]
    assert "Client" not in clash.name, "whoever is told of a clash may not know the other client"
    free = datetime.fromisoformat(refused.value.more["free"][0])  # type: ignore[index]
    assert book(cast, course, free, **given)


def test_an_overlap_that_is_meant_carries_its_reason(cast: Cast) -> None:
    first = book(cast, cast.open(), tuesday(0, time(13)))
    second = book(cast, cast.open(1), first.starts, overlap_reason="supervised together")
    assert second.starts == first.starts


@pytest.mark.parametrize("starts", [tuesday(0, time(20)), datetime(2026, 3, 7, 10)])
def test_outside_working_hours_a_reason_is_needed(cast: Cast, starts: datetime) -> None:
    course = cast.open()
    with pytest.raises(NeedsReason):
        book(cast, course, starts)
    assert book(cast, course, starts, reason="the client's only free hour")


def test_nothing_is_booked_in_a_course_from_its_end_on(cast: Cast) -> None:
    agreed = cast.agree()
    courses.end(course=agreed.course, on=tuesday(2).date(), ending=Ending.PLANNED, by=cast.desk, now=NOW)
    with pytest.raises(CourseHasEnded):
        book(cast, agreed.course, tuesday(2, time(13)))
    with pytest.raises(CourseHasEnded):
        move(cast, cast.at(tuesday(1)), starts=tuesday(2, time(9)))
    assert book(cast, agreed.course, tuesday(1, time(13)))


# --- move


def test_a_moved_hour_keeps_its_slot_and_frees_its_place(cast: Cast) -> None:
    cast.agree()
    hour = move(cast, cast.at(tuesday()), starts=tuesday(0, time(14)), room=cast.rooms[1])
    assert (hour.slot, hour.starts, hour.room) == (tuesday(), tuesday(0, time(14)), cast.rooms[1])
    assert hour.is_moved
    assert book(cast, cast.open(1), tuesday())
    [seen] = [
        one
        for one in courses.show(course=hour.course, by=cast.desk, now=NOW).course.appointments
        if one.slot == tuesday()
    ]
    assert [(change.what, change.by) for change in seen.changes] == [("time", "client"), ("room", "client")]


@pytest.mark.parametrize(
    ("to", "what"),
    [
        ({"therapist": "ben"}, ("therapist_name", "Therapist Ben")),
        ({"room": 2}, ("room_name", "Room 3")),
        ({"modality": Modality.VIDEO}, ("room", None)),
        ({"minutes": 80}, ("ends", tuesday(0, time(11, 20)))),
    ],
)
def test_all_that_a_move_can_change(cast: Cast, to: dict[str, Any], what: tuple[str, Any]) -> None:
    cast.agree()
    to = {**to, **({"therapist": cast.ben} if "therapist" in to else {})}
    to = {**to, **({"room": cast.rooms[to["room"]]} if "room" in to else {})}
    hour = move(cast, cast.at(tuesday()), **to)
    assert getattr(hour, what[0]) == what[1]


def test_a_cover_makes_the_course_visible_to_who_covers(cast: Cast) -> None:
    cast.agree()
    hour = cast.at(tuesday())
    with pytest.raises(NotFound):
        appointments.show(appointment_id=hour.id, by=cast.as_ben)
    move(cast, hour, therapist=cast.ben)
    assert appointments.show(appointment_id=hour.id, by=cast.as_ben).therapist == cast.ben


def test_a_move_to_a_taken_place_changes_nothing(cast: Cast) -> None:
    cast.agree()
    taken = book(cast, cast.open(1), tuesday(0, time(14)))
    with pytest.raises(CannotBook) as refused:
        move(cast, cast.at(tuesday()), starts=tuesday(0, time(13, 30)))
    assert refused.value.clashes[0].appointment == taken.id
    assert cast.at(tuesday()).version == 1


def test_a_move_into_an_absence_needs_a_reason(cast: Cast) -> None:
    cast.agree()
    since, until = tuesday(0, time(12)), tuesday(0, time(19))
    absences.add(kind=AbsenceKind.LEAVE, therapist=cast.ada, since=since, until=until, by=cast.desk, now=NOW)
    with pytest.raises(NeedsReason) as refused:
        move(cast, cast.at(tuesday()), starts=tuesday(0, time(14)))
    assert refused.value.more["doubts"][0]["kind"] == "absence"  # type: ignore[index]
    hour = move(cast, cast.at(tuesday()), starts=tuesday(0, time(14)), override="comes in for it")
    assert hour.is_at_risk


def test_a_move_that_changes_nothing_is_refused(cast: Cast) -> None:
    cast.agree()
    with pytest.raises(CannotMove):
        move(cast, cast.at(tuesday()), starts=tuesday())


def move_back(cast: Cast, hour: Booked, after: timedelta = timedelta(minutes=2), **also: Any) -> Booked:
    return appointments.move_back(appointment_id=hour.id, **{"by": cast.desk, "now": NOW + after, **also})


def test_a_move_taken_back_was_never_made(cast: Cast) -> None:
    cast.agree()
    before = cast.at(tuesday())
    to: dict[str, Any] = {"starts": tuesday(0, time(14)), "room": cast.rooms[1], "therapist": cast.ben, "minutes": 80}
    moved = move(cast, before, **to)
    back = move_back(cast, moved)
    assert replace(back, version=before.version) == before
    assert back.version > moved.version, "feeds and boards must see that it came back"
    [seen] = [
        one
        for one in courses.show(course=back.course, by=cast.desk, now=NOW).course.appointments
        if one.slot == tuesday()
    ]
    assert seen.changes == ()
    assert book(cast, cast.open(1), tuesday(0, time(14)))
    with pytest.raises(CannotBook):
        book(cast, cast.open(2), tuesday())


def test_of_two_moves_the_last_alone_is_taken_back(cast: Cast) -> None:
    cast.agree()
    once = move(cast, cast.at(tuesday()), starts=tuesday(0, time(14)))
    twice = move(cast, once, now=NOW + timedelta(minutes=1), starts=tuesday(0, time(15)))
    assert move_back(cast, twice).starts == tuesday(0, time(14))
    with pytest.raises(TooLate):
        move_back(cast, twice)


def test_what_was_not_moved_just_now_stays(cast: Cast) -> None:
    cast.agree()
    with pytest.raises(TooLate):
        move_back(cast, cast.at(tuesday()))
    moved = move(cast, cast.at(tuesday()), starts=tuesday(0, time(14)))
    with pytest.raises(TooLate):
        move_back(cast, moved, after=timedelta(minutes=3))
    with pytest.raises(NotFound):
        move_back(cast, moved, by=cast.as_ben)
    appointments.tell(appointment_id=moved.id, by=cast.desk, now=NOW + timedelta(minutes=1))
    with pytest.raises(TooLate):
        move_back(cast, moved)
    assert cast.at(tuesday(0, time(14))).id == moved.id


def test_an_old_place_that_is_taken_stays_taken(cast: Cast) -> None:
    cast.agree()
    moved = move(cast, cast.at(tuesday()), starts=tuesday(0, time(14)))
    taken = book(cast, cast.open(1), tuesday())
    with pytest.raises(CannotBook) as refused:
        move_back(cast, moved)
    assert refused.value.clashes[0].appointment == taken.id
    assert cast.at(tuesday(0, time(14))).id == moved.id, "nothing was changed"


# --- cancel, take up again


@pytest.mark.parametrize(
    ("also", "status"),
    [
        ({"asked_by": Initiator.CLIENT}, Status.CLIENT_CANCELLED),
        ({"asked_by": Initiator.CLINIC}, Status.CLINIC_CANCELLED),
        ({"asked_by": Initiator.MUTUAL, "as_break": True}, Status.BREAK),
    ],
)
def test_a_cancelled_hour_stays_in_sight_and_frees_its_place(cast: Cast, also: dict[str, Any], status: Status) -> None:
    cast.agree()
    hour = cancel(cast, cast.at(tuesday()), **also)
    assert (hour.status, hour.by, hour.is_told) == (status, also["asked_by"], True)
    assert book(cast, cast.open(1), tuesday())
    with pytest.raises(CannotCancel):
        cancel(cast, hour)
    with pytest.raises(CannotMove):
        move(cast, hour, starts=tuesday(0, time(15)))


def test_a_cancelled_hour_is_taken_up_again_while_its_place_is_free(cast: Cast) -> None:
    cast.agree()
    gone = cancel(cast, cast.at(tuesday()))
    back = uncancel(cast, gone)
    assert (back.status, back.by, back.is_told) == (Status.SCHEDULED, None, True)
    with pytest.raises(CannotUncancel):
        uncancel(cast, back)
    gone = cancel(cast, back)
    other = book(cast, cast.open(1), tuesday())
    with pytest.raises(CannotBook) as refused:
        uncancel(cast, gone)
    assert {clash.appointment for clash in refused.value.clashes} == {other.id}
    assert refused.value.more["free"]
    assert appointments.show(appointment_id=gone.id, by=cast.desk).status is Status.CLIENT_CANCELLED


def test_a_cancelled_hour_comes_back_where_it_had_been_moved_to(cast: Cast) -> None:
    cast.agree()
    moved = move(cast, cast.at(tuesday()), starts=tuesday(0, time(14)))
    assert uncancel(cast, cancel(cast, moved)).starts == tuesday(0, time(14))


# --- mark


@pytest.mark.parametrize(
    ("what", "status"),
    [
        (Mark.HELD, Status.HELD),
        (Mark.ARRIVED, Status.SCHEDULED),
        (Mark.LATE, Status.HELD),
        (Mark.NO_SHOW, Status.NO_SHOW),
        (Mark.LATE_NOT_SEEN, Status.LATE_NOT_SEEN),
    ],
)
def test_a_mark_says_what_happened_and_can_be_taken_back(cast: Cast, what: Mark, status: Status) -> None:
    cast.agree()
    assert mark(cast, cast.at(tuesday()), what).status is status
    assert mark(cast, cast.at(tuesday()), Mark.UNMARKED).status is Status.SCHEDULED
    assert cast.at(tuesday()).began is None


@pytest.mark.parametrize(
    ("slot", "also", "refusal"),
    [
        (tuesday(1), {}, CannotMark),
        (tuesday(1), {"at": tuesday(1)}, Malformed),
        (tuesday(0), {"now": NOW}, CannotMark),
    ],
    ids=["a week early", "said to be later than now", "before it begins"],
)
def test_what_has_not_happened_is_not_marked(
    cast: Cast, slot: datetime, also: dict[str, Any], refusal: type[Refusal]
) -> None:
    cast.agree()
    with pytest.raises(refusal):
        mark(cast, cast.at(slot), Mark.HELD, **also)


def test_a_late_start_is_kept_in_local_time(cast: Cast) -> None:
    cast.agree()
    hour = mark(cast, cast.at(tuesday()), Mark.LATE, at=tuesday(0, time(10, 12)), late_by=Initiator.CLIENT)
    assert hour.began == tuesday(0, time(10, 12))


def test_hours_without_a_mark_are_listed(cast: Cast) -> None:
    cast.agree()
    assert [one.slot for one in appointments.unmarked(by=cast.as_ada, now=AFTER)] == [tuesday()]
    assert appointments.unmarked(by=cast.as_ben, now=AFTER) == []
    mark(cast, cast.at(tuesday()), Mark.HELD)
    assert appointments.unmarked(by=cast.desk, now=AFTER) == []


# --- tell


def test_a_client_can_be_told_afterwards(cast: Cast) -> None:
    cast.agree()
    moved = move(cast, cast.at(tuesday()), starts=tuesday(0, time(14)), is_told=False)
    gone = cancel(cast, cast.at(tuesday(1)), is_told=False)
    assert (moved.is_told, gone.is_told) == (False, False)
    for hour in (moved, gone):
        before = appointments.board_version(by=cast.desk)
        assert appointments.tell(appointment_id=hour.id, by=cast.desk, now=NOW + timedelta(hours=1)).is_told
        assert appointments.board_version(by=cast.desk) != before
    with pytest.raises(Malformed):
        appointments.tell(appointment_id=moved.id, told_at=NOW + timedelta(days=1), by=cast.desk, now=NOW)


# --- versions, reasons, who may


def test_whoever_read_an_older_version_is_told(cast: Cast) -> None:
    cast.agree()
    hour = cast.at(tuesday())
    acts: tuple[Callable[[], object], ...] = (
        lambda: move(cast, hour, starts=tuesday(0, time(14)), if_version=9),
        lambda: cancel(cast, hour, if_version=9),
        lambda: mark(cast, hour, Mark.HELD, if_version=9),
    )
    for act in acts:
        with pytest.raises(Stale) as refused:
            act()
        assert refused.value.more == {"version": 1}


def test_a_reason_is_one_of_the_known(cast: Cast) -> None:
    cast.agree()
    with pytest.raises(Malformed):
        cancel(cast, cast.at(tuesday()), reason="because")


@pytest.mark.parametrize(
    ("who", "refusal"), [("as_ben", NotFound), ("admin", NotFound), ("reader", Forbidden), ("as_ada", None)]
)
def test_only_who_holds_a_course_may_change_its_hours(cast: Cast, who: str, refusal: type[Refusal] | None) -> None:
    agreed, by = cast.agree(), getattr(cast, who)
    hour, gone = cast.at(tuesday()), cancel(cast, cast.at(tuesday(1)))
    acts: tuple[Callable[[], object], ...] = (
        lambda: move(cast, hour, starts=tuesday(0, time(14)), by=by),
        lambda: mark(cast, hour, Mark.HELD, by=by),
        lambda: appointments.tell(appointment_id=hour.id, by=by, now=NOW),
        lambda: uncancel(cast, gone, by=by),
        lambda: book(cast, agreed.course, tuesday(0, time(16)), by=by),
        lambda: cancel(cast, cast.at(tuesday(2)), by=by),
    )
    for act in acts:
        if refusal is None:
            act()
        else:
            with pytest.raises(refusal):
                act()
    if refusal is NotFound:
        with pytest.raises(NotFound):
            appointments.show(appointment_id=hour.id, by=by)


def test_what_does_not_exist_and_what_is_void_are_not_found(cast: Cast) -> None:
    agreed = cast.agree()
    hour = cast.at(tuesday(5))
    standings.end(standing=agreed.id, on=tuesday(3).date(), reason="other", by=cast.desk, now=NOW)
    for wanted in (hour.id, "00000000-0000-4000-8000-000000000000"):
        with pytest.raises(NotFound):
            appointments.show(appointment_id=wanted, by=cast.desk)


# --- the board


def test_the_board_shows_a_therapist_their_own_alone(cast: Cast) -> None:
    cast.agree()
    cast.agree(1, therapist=cast.ben, room=cast.rooms[1])
    day: dict[str, Any] = {"since": date(2026, 3, 2), "until": date(2026, 3, 9)}
    assert len(appointments.board(by=cast.desk, **day)) == 2
    assert len(appointments.board(by=cast.as_ada, **day)) == 1
    assert appointments.board(therapists=[cast.ben], by=cast.as_ada, **day) == []
    assert len(appointments.board(therapists=[cast.ben], site=cast.site, by=cast.desk, **day)) == 1


def test_the_board_version_rises_with_every_change_and_with_nothing_else(cast: Cast) -> None:
    cast.agree()
    seen = [appointments.board_version(by=cast.desk)]
    hour = move(cast, cast.at(tuesday()), starts=tuesday(0, time(14)))
    seen.append(appointments.board_version(by=cast.desk))
    gone = cancel(cast, hour)
    seen.append(appointments.board_version(by=cast.desk))
    mark(cast, uncancel(cast, gone), Mark.HELD)
    seen.append(appointments.board_version(by=cast.desk))
    assert len(set(seen)) == len(seen)
    courses.show(course=hour.course, by=cast.desk, now=NOW)
    assert appointments.board_version(by=cast.desk) == seen[-1]


def test_a_fold_means_the_first_of_the_two(cast: Cast) -> None:
    night = datetime(2026, 10, 25, 2, 30)
    hour = book(cast, cast.open(), night, reason="nights")
    assert hour.starts_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert (hour.starts, hour.minutes, hour.ends) == (night, 50, datetime(2026, 10, 25, 2, 20)), "on the second round"
