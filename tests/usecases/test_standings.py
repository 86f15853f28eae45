"""Agree, change, end and extend standing appointments: what is booked, what is lost in sight, what is refused."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from service.domain.absences import AbsenceKind
from service.domain.access import OPERATOR
from service.domain.appointment import Initiator, Mark, Status
from service.domain.course import Ending
from service.domain.hours import Hour, Weekday
from service.domain.recurrence import slots
from service.domain.refusals import CannotBook, Conflict, Forbidden, Malformed, NotFound, Refusal, Stale
from service.domain.standing import Modality
from service.usecases import absences, appointments, courses, standings
from service.usecases.drafts import CannotAgreeOn
from service.usecases.standings import Choice, Do
from service.usecases.steps import NeedsReason
from tests.usecases.conftest import FIRST, NOW, TUESDAYS, Cast, tuesday

FRIDAYS = Hour(day=Weekday.FR, at=time(9))
SUNDAY_NIGHT = Hour(day=Weekday.SU, at=time(2, 30))


def leave(cast: Cast, since: datetime, until: datetime, **given: Any) -> str:
    return absences.add(
        kind=AbsenceKind.LEAVE, therapist=cast.ada, since=since, until=until, by=cast.desk, now=NOW, **given
    )


# --- agree


@pytest.mark.parametrize(
    ("given", "booked"),
    [
        ({}, 26),
        ({"until": FIRST + timedelta(weeks=5)}, 5),
        ({"every_weeks": 2}, 13),
        ({"hours": (TUESDAYS, FRIDAYS)}, 52),
        ({"since": FIRST + timedelta(weeks=40)}, 4),
        ({"room": None, "modality": Modality.VIDEO}, 26),
    ],
    ids=["open-ended", "until", "fortnightly", "twice a week", "beyond the horizon", "video"],
)
def test_an_agreed_standing_has_one_hour_for_each_slot_within_the_horizon(
    cast: Cast, given: dict[str, Any], booked: int
) -> None:
    agreed = cast.agree(**given)
    hours = cast.hours(weeks=60)
    assert agreed.booked == len(hours) == booked
    assert all(one.slot == one.starts and one.status is Status.SCHEDULED for one in hours)
    assert len({one.slot for one in hours}) == booked


def test_a_second_agreement_joins_the_running_course(cast: Cast) -> None:
    first = cast.agree()
    second = cast.agree(hours=(FRIDAYS,))
    assert first.course == second.course
    assert len(standings.of_course(course=first.course, by=cast.desk)) == 2


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        ({"room": 1}, "therapist"),
        ({"therapist": "ben"}, "room"),
        ({"therapist": "ben", "room": 1, "client": 0}, "client"),
        ({"hours": (Hour(day=Weekday.TU, at=time(10, 49)),)}, "therapist"),
        ({"hours": (Hour(day=Weekday.TU, at=time(9, 11)),), "every_weeks": 3}, "therapist"),
    ],
)
def test_a_taken_hour_refuses_the_whole_series_and_says_what_is_free(
    cast: Cast, what: dict[str, Any], kind: str
) -> None:
    cast.agree()
    given = dict(what)
    client = given.pop("client", 1)
    if "therapist" in given:
        given["therapist"] = cast.ben
    if "room" in given:
        given["room"] = cast.rooms[1]
    with pytest.raises(CannotBook) as refused:
        cast.agree(client, **given)
    assert {clash.kind for clash in refused.value.clashes} >= {kind}
    assert refused.value.more["free"]
    assert len(cast.hours()) == 26, "nothing of a refused series is written"
    assert len(courses.listed(by=cast.desk, now=NOW)) == 1, "no course is left behind"


@pytest.mark.parametrize("at", [time(10, 50), time(9, 10)])
def test_hours_that_only_touch_do_not_clash(cast: Cast, at: time) -> None:
    cast.agree()
    assert cast.agree(1, hours=(Hour(day=Weekday.TU, at=at),)).booked == 26


def test_two_hours_of_one_series_that_overlap_are_refused(cast: Cast) -> None:
    with pytest.raises(CannotBook):
        cast.agree(hours=(TUESDAYS, Hour(day=Weekday.TU, at=time(10, 30))))
    assert cast.hours() == []


def test_dates_in_a_known_absence_become_breaks_in_sight(cast: Cast) -> None:
    leave(cast, tuesday(2, time(0)), tuesday(4, time(0)))
    agreed = cast.agree()
    assert agreed.lost == (tuesday(2), tuesday(3))
    lost = [cast.at(slot) for slot in agreed.lost]
    assert {(one.status, one.by, one.is_told) for one in lost} == {(Status.BREAK, Initiator.CLINIC, True)}
    meanwhile = cast.agree(1, therapist=cast.ben, since=tuesday(2).date(), until=tuesday(4).date())
    assert meanwhile.booked == 2, "the room is free for somebody else"


def test_each_date_is_booked_as_it_was_chosen(cast: Cast) -> None:
    cast.agree(1, until=FIRST + timedelta(weeks=3))
    leave(cast, tuesday(4, time(0)), tuesday(5, time(0)))
    chosen = {
        tuesday(0): Choice(do=Do.SKIP),
        tuesday(1): Choice(do=Do.MOVE, starts=tuesday(1, time(14))),
        tuesday(2): Choice(do=Do.MOVE, starts=tuesday(2, time(15))),
        tuesday(4): Choice(do=Do.OVERRIDE, reason="comes in for this one"),
        tuesday(5): Choice(do=Do.OTHER_ROOM, room=cast.rooms[2]),
    }
    agreed = standings.agree(client=cast.clients[0], proposal=cast.proposal(), choices=chosen, by=cast.desk, now=NOW)
    assert agreed.lost == (tuesday(0),)
    assert cast.at(tuesday(1, time(14))).slot == tuesday(1)
    assert cast.at(tuesday(4)).status is Status.SCHEDULED
    assert cast.at(tuesday(5)).room == cast.rooms[2]


def test_a_choice_for_no_slot_is_refused(cast: Cast) -> None:
    with pytest.raises(Malformed):
        standings.agree(
            client=cast.clients[0],
            proposal=cast.proposal(),
            choices={tuesday(0, time(11)): Choice(do=Do.SKIP)},
            by=cast.desk,
            now=NOW,
        )


@pytest.mark.parametrize(
    ("hour", "kinds"),
    [(Hour(day=Weekday.TU, at=time(20)), {"hours"}), (SUNDAY_NIGHT, {"hours", "clock_change"})],
    ids=["outside working hours", "the clocks skip it"],
)
def test_what_speaks_against_a_date_needs_a_reason(cast: Cast, hour: Hour, kinds: set[str]) -> None:
    since, until = date(2026, 3, 23), date(2026, 3, 30)
    with pytest.raises(NeedsReason) as refused:
        cast.agree(hours=(hour,), since=since, until=until)
    assert {doubt["kind"] for doubt in refused.value.more["doubts"]} == kinds  # type: ignore[attr-defined]
    chosen = {hour.on(since): Choice(do=Do.OVERRIDE, reason="the client works nights")}
    agreed = standings.agree(
        client=cast.clients[0],
        proposal=cast.proposal(hours=(hour,), since=since, until=until),
        choices=chosen,
        by=cast.desk,
        now=NOW,
    )
    assert agreed.booked == 1


def test_an_hour_that_the_clocks_skip_begins_as_much_later(cast: Cast) -> None:
    night = datetime(2026, 3, 29, 2, 30)
    standings.agree(
        client=cast.clients[0],
        proposal=cast.proposal(hours=(SUNDAY_NIGHT,), since=night.date(), until=date(2026, 3, 30)),
        choices={night: Choice(do=Do.OVERRIDE, reason="agreed")},
        by=cast.desk,
        now=NOW,
    )
    [hour] = cast.hours()
    assert hour.starts == night, "what was agreed stays on record"
    assert hour.starts_at == datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "3:30 on the wall"


def test_wall_time_is_kept_across_the_change_of_the_clocks(cast: Cast) -> None:
    cast.agree()
    assert cast.at(tuesday(3)).starts_at.hour == 9, "24 March, winter"
    assert cast.at(tuesday(4)).starts_at.hour == 8, "31 March, summer"


# --- preview


def test_a_preview_says_for_each_date_what_agreeing_would_do(cast: Cast) -> None:
    cast.agree(1, since=FIRST + timedelta(weeks=1), until=FIRST + timedelta(weeks=2))
    leave(cast, tuesday(2, time(0)), tuesday(3, time(0)))
    chosen = {tuesday(3): Choice(do=Do.SKIP)}
    seen = standings.preview(client=cast.clients[0], proposal=cast.proposal(), choices=chosen, by=cast.desk, now=NOW)
    assert [one.outcome for one in seen.dates[:5]] == ["book", "clash", "lost", "skip", "book"]
    assert not seen.is_clear
    assert seen.dates[1].clashes[0].kind == "therapist"
    assert len(cast.hours()) == 1, "nothing was written"


def looked(cast: Cast, **also: Any) -> str:
    return standings.preview(client=cast.clients[0], proposal=cast.proposal(), by=cast.desk, now=NOW, **also).seen


def agree_as_seen(cast: Cast, seen: str, **also: Any) -> standings.Agreed:
    wish = also.pop("proposal", cast.proposal())
    return standings.agree(client=cast.clients[0], proposal=wish, seen=seen, by=cast.desk, now=NOW, **also)


def test_what_was_seen_is_agreed_whatever_was_chosen_for_a_date(cast: Cast) -> None:
    seen = looked(cast)
    chosen = {tuesday(1): Choice(do=Do.SKIP)}
    assert looked(cast, choices=chosen) == seen
    assert agree_as_seen(cast, seen, choices=chosen).booked


@pytest.mark.parametrize("what", ["an absence", "an hour", "another wish"])
def test_where_something_came_between_nothing_is_agreed(cast: Cast, what: str) -> None:
    seen = looked(cast)
    also: dict[str, Any] = {}
    if what == "an absence":
        leave(cast, tuesday(2, time(0)), tuesday(3, time(0)))
    elif what == "an hour":
        appointments.book(course=cast.open(1), place=cast.place(tuesday(2)), by=cast.desk, now=NOW)
        also = {"choices": {tuesday(2): Choice(do=Do.SKIP)}}
    else:
        also = {"proposal": cast.proposal(minutes=80)}
    with pytest.raises(standings.LooksDifferent):
        agree_as_seen(cast, seen, **also)
    assert [one for one in courses.listed(by=cast.desk, now=NOW) if one.names == ("Client One",)] == []


def test_control_without_what_was_seen_a_date_is_lost_silently(cast: Cast) -> None:
    looked(cast)
    leave(cast, tuesday(2, time(0)), tuesday(3, time(0)))
    found = standings.agree(client=cast.clients[0], proposal=cast.proposal(), by=cast.desk, now=NOW)
    assert tuesday(2) in found.lost


def test_a_change_is_as_it_was_seen_or_not_at_all(cast: Cast) -> None:
    agreed = cast.agree()
    wish = cast.proposal(since=tuesday(2).date(), hours=(FRIDAYS,))

    def change(seen: str) -> standings.Agreed:
        return standings.change(
            standing=agreed.id,
            since=wish.since,
            proposal=wish,
            seen=seen,
            asked_by=Initiator.CLIENT,
            reason="work",
            by=cast.desk,
            now=NOW,
        )

    seen = standings.preview(course=agreed.course, proposal=wish, replacing=agreed.id, by=cast.desk, now=NOW).seen
    leave(cast, tuesday(3, time(0)), tuesday(4, time(0)))
    with pytest.raises(standings.LooksDifferent):
        change(seen)
    again = standings.preview(course=agreed.course, proposal=wish, replacing=agreed.id, by=cast.desk, now=NOW).seen
    assert change(again).booked


def test_a_preview_of_a_change_does_not_clash_with_what_it_replaces(cast: Cast) -> None:
    agreed = cast.agree()
    later = Hour(day=Weekday.TU, at=time(10, 30))
    asked = {"course": agreed.course, "proposal": cast.proposal(hours=(later,)), "by": cast.desk, "now": NOW}
    assert not standings.preview(**asked).is_clear  # type: ignore[arg-type]
    assert standings.preview(replacing=agreed.id, **asked).is_clear  # type: ignore[arg-type]


# --- change


def test_this_and_following_ends_the_old_version_and_leaves_the_past_alone(cast: Cast) -> None:
    agreed = cast.agree()
    later, now = Hour(day=Weekday.TU, at=time(10, 30)), NOW + timedelta(weeks=2)
    appointments.mark(appointment_id=cast.at(tuesday(0)).id, mark=Mark.HELD, by=cast.desk, now=now)
    new = standings.change(
        standing=agreed.id,
        since=tuesday(3).date(),
        proposal=cast.proposal(hours=(later,)),
        asked_by=Initiator.CLIENT,
        reason="work",
        by=cast.desk,
        now=now,
    )
    starts = [one.starts for one in cast.hours(course=agreed.course)]
    assert starts[:5] == [tuesday(0), tuesday(1), tuesday(2), tuesday(3, time(10, 30)), tuesday(4, time(10, 30))]
    old, newer = standings.of_course(course=agreed.course, by=cast.desk)
    assert (old.until, newer.since, newer.replaces) == (tuesday(3).date(), tuesday(3).date(), old.id)
    assert cast.at(tuesday(0)).status is Status.HELD
    assert new.course == agreed.course
    assert cast.agree(1, since=FIRST + timedelta(weeks=3), hours=(Hour(day=Weekday.TU, at=time(9, 30)),)).booked == 23


def test_a_transfer_changes_who_holds_the_course(cast: Cast) -> None:
    agreed = cast.agree()
    standings.change(
        standing=agreed.id,
        since=tuesday(6).date(),
        proposal=cast.proposal(therapist=cast.ben),
        asked_by=Initiator.CLINIC,
        reason="other",
        by=cast.manager,
        now=NOW,
    )
    shown = courses.show(course=agreed.course, by=cast.as_ben, now=NOW)
    assert shown.therapist == cast.ben
    assert [one.since for one in shown.course.transfers] == [tuesday(6).date()]
    assert shown.course.transfers[0].is_announced(28)
    assert courses.show(course=agreed.course, by=cast.as_ada, now=NOW), "who held it before may still look"


def test_hours_called_off_by_the_client_stay_called_off_in_the_new_version(cast: Cast) -> None:
    agreed = cast.agree()
    appointments.cancel(
        appointment_id=cast.at(tuesday(4)).id, asked_by=Initiator.CLIENT, reason="holiday", by=cast.desk, now=NOW
    )
    standings.change(
        standing=agreed.id,
        since=tuesday(2).date(),
        proposal=cast.proposal(hours=(FRIDAYS,)),
        asked_by=Initiator.CLIENT,
        reason="work",
        by=cast.desk,
        now=NOW,
    )
    friday = FRIDAYS.on(tuesday(4).date())
    assert cast.at(friday).status is Status.BREAK
    assert cast.at(friday + timedelta(weeks=1)).status is Status.SCHEDULED


@pytest.mark.parametrize(
    ("since", "hours_later"),
    [(FIRST - timedelta(days=7), 0), (FIRST, 24 * 8), (FIRST, 24 + 4), (FIRST + timedelta(weeks=9), 0)],
    ids=["before it began", "in the past", "today, after its hour", "after its end"],
)
def test_what_has_been_stays_as_it_is(cast: Cast, since: date, hours_later: int) -> None:
    agreed = cast.agree(until=FIRST + timedelta(weeks=8))
    now = NOW + timedelta(hours=hours_later)
    with pytest.raises(standings.CannotChange):
        standings.change(
            standing=agreed.id,
            since=since,
            proposal=cast.proposal(hours=(FRIDAYS,)),
            asked_by=Initiator.CLIENT,
            reason="work",
            by=cast.desk,
            now=now,
        )
    with pytest.raises(standings.CannotChange):
        standings.end(standing=agreed.id, on=since, reason="other", by=cast.desk, now=now)
    assert len(cast.hours()) == 8


def test_a_version_already_agreed_to_follow_stays(cast: Cast) -> None:
    agreed = cast.agree()
    for week, hour in ((27, FRIDAYS), (20, Hour(day=Weekday.TU, at=time(14)))):
        standings.change(
            standing=agreed.id,
            since=tuesday(week).date(),
            proposal=cast.proposal(hours=(hour,)),
            asked_by=Initiator.CLIENT,
            reason="work",
            by=cast.desk,
            now=NOW,
        )
    found = {one.since: one.until for one in standings.of_course(course=agreed.course, by=cast.desk)}
    weeks = [tuesday(week).date() for week in (0, 20, 27)]
    assert found == {weeks[0]: weeks[1], weeks[1]: weeks[2], weeks[2]: None}


def test_a_change_to_a_taken_hour_changes_nothing(cast: Cast) -> None:
    agreed = cast.agree()
    cast.agree(1, hours=(FRIDAYS,))
    with pytest.raises(CannotBook):
        standings.change(
            standing=agreed.id,
            since=FIRST,
            proposal=cast.proposal(hours=(FRIDAYS,)),
            asked_by=Initiator.CLIENT,
            reason="work",
            by=cast.desk,
            now=NOW,
        )
    [only] = standings.of_course(course=agreed.course, by=cast.desk)
    assert only.until is None
    assert len(cast.hours(course=agreed.course)) == 26


def test_whoever_read_an_older_version_is_told(cast: Cast) -> None:
    agreed = cast.agree()
    with pytest.raises(Stale) as refused:
        standings.end(standing=agreed.id, on=FIRST, reason="other", if_version=9, by=cast.desk, now=NOW)
    assert refused.value.more == {"version": agreed.version}


def test_an_ended_standing_frees_its_later_hours(cast: Cast) -> None:
    agreed = cast.agree()
    standings.end(standing=agreed.id, on=tuesday(3).date(), reason="other", by=cast.desk, now=NOW)
    assert len(cast.hours()) == 3
    assert cast.agree(1, since=tuesday(3).date()).booked > 20


# --- extend


def test_the_horizon_moves_forward_and_twice_adds_nothing(cast: Cast) -> None:
    agreed = cast.agree()
    later = NOW + timedelta(weeks=4)
    assert standings.to_extend(now=later) == [agreed.id]
    assert standings.extend(standing=agreed.id, now=later) == 4
    assert standings.extend(standing=agreed.id, now=later) == 0
    assert standings.to_extend(now=later) == []
    found = [one.slot for one in cast.hours(weeks=60)]
    [only] = standings.of_course(course=agreed.course, by=cast.desk)
    value = courses.show(course=agreed.course, by=cast.desk, now=NOW).course.standings[0]
    assert found == list(slots(value, until=datetime.combine((later + timedelta(weeks=26)).date(), time())))
    assert only.until is None


def test_the_extender_brings_no_cancelled_hour_back(cast: Cast) -> None:
    agreed = cast.agree()
    appointments.cancel(
        appointment_id=cast.at(tuesday(25)).id, asked_by=Initiator.CLIENT, reason="work", by=cast.desk, now=NOW
    )
    standings.extend(standing=agreed.id, now=NOW + timedelta(weeks=4))
    assert cast.at(tuesday(25)).status is Status.CLIENT_CANCELLED
    assert len(cast.hours(weeks=60)) == 30


def test_a_slot_taken_meanwhile_is_cancelled_by_the_clinic_in_sight(cast: Cast) -> None:
    agreed = cast.agree()
    cast.agree(1, since=tuesday(27).date(), until=tuesday(28).date())
    standings.extend(standing=agreed.id, now=NOW + timedelta(weeks=4))
    hour = cast.at(tuesday(27), standing=agreed.id)
    assert (hour.status, hour.by, hour.is_told) == (Status.CLINIC_CANCELLED, Initiator.CLINIC, False)
    assert len(cast.hours(weeks=60, course=agreed.course)) == 30, "no slot is left out"


def test_a_slot_in_a_known_absence_becomes_a_break_nobody_was_told_of(cast: Cast) -> None:
    agreed = cast.agree()
    leave(cast, tuesday(27, time(0)), tuesday(28, time(0)))
    standings.extend(standing=agreed.id, now=NOW + timedelta(weeks=4))
    hour = cast.at(tuesday(27))
    assert (hour.status, hour.is_told) == (Status.BREAK, False)


def test_hours_of_one_night_that_meet_in_the_skipped_hour_do_not_stop_the_extender(cast: Cast) -> None:
    nights = (Hour(day=Weekday.SU, at=time(2, 10)), Hour(day=Weekday.SU, at=time(3)))
    since = date(2026, 9, 27)
    ordinary = {hour.on(since): Choice(do=Do.OVERRIDE, reason="agreed") for hour in nights}
    agreed = standings.agree(
        client=cast.clients[0],
        proposal=cast.proposal(hours=nights, since=since, minutes=45),
        choices={**ordinary, **{slot + timedelta(weeks=n): one for slot, one in ordinary.items() for n in (1, 2, 3)}},
        by=cast.desk,
        now=NOW,
    )
    standings.extend(standing=agreed.id, now=datetime(2026, 10, 1, tzinfo=UTC))
    skipped = datetime(2027, 3, 28, 2, 10)
    assert cast.at(skipped).status is Status.CLINIC_CANCELLED, "it would begin at 3:10, within the other"
    assert cast.at(datetime(2027, 3, 28, 3)).status is Status.SCHEDULED


def test_an_ended_standing_is_not_extended(cast: Cast) -> None:
    agreed = cast.agree(until=FIRST + timedelta(weeks=10))
    assert standings.to_extend(now=NOW + timedelta(weeks=20)) == []
    assert standings.extend(standing=agreed.id, now=NOW + timedelta(weeks=20)) == 0


# --- who may


@pytest.mark.parametrize(
    ("who", "refusal"), [("as_ben", NotFound), ("admin", NotFound), ("reader", Forbidden), ("as_ada", None)]
)
def test_only_who_holds_a_course_may_change_it(cast: Cast, who: str, refusal: type[Refusal] | None) -> None:
    agreed, by = cast.agree(), getattr(cast, who)

    def attempt(**given: Any) -> None:
        if refusal is None:
            return
        with pytest.raises(refusal):
            given.pop("do")(by=by, now=NOW, **given)

    change = {"asked_by": Initiator.CLIENT, "reason": "work"}
    attempt(do=standings.end, standing=agreed.id, on=FIRST, reason="other")
    attempt(do=standings.change, standing=agreed.id, since=FIRST, proposal=cast.proposal(), **change)
    attempt(do=standings.agree, course=agreed.course, proposal=cast.proposal(hours=(FRIDAYS,)))
    attempt(do=standings.agree, client=cast.clients[0], proposal=cast.proposal(hours=(FRIDAYS,)))
    if refusal is not Forbidden:
        attempt(do=standings.preview, client=cast.clients[0], proposal=cast.proposal(hours=(FRIDAYS,)))
    if refusal is None:
        standings.end(standing=agreed.id, on=FIRST + timedelta(weeks=5), reason="other", by=by, now=NOW)
    assert len(cast.hours()) == (5 if refusal is None else 26)


def test_a_therapist_opens_no_course_for_a_client_that_is_not_theirs(cast: Cast) -> None:
    with pytest.raises(NotFound):
        standings.agree(client=cast.clients[2], proposal=cast.proposal(), by=cast.as_ada, now=NOW)


def test_nothing_is_agreed_in_a_course_beyond_its_end(cast: Cast) -> None:
    agreed = cast.agree()
    courses.end(course=agreed.course, on=FIRST + timedelta(weeks=2), ending=Ending.PLANNED, by=cast.desk, now=NOW)
    with pytest.raises(Conflict):
        standings.agree(course=agreed.course, proposal=cast.proposal(hours=(FRIDAYS,)), by=cast.desk, now=NOW)
    assert (
        standings.agree(
            course=agreed.course,
            proposal=cast.proposal(hours=(FRIDAYS,), until=FIRST + timedelta(weeks=2)),
            by=cast.desk,
            now=NOW,
        ).booked
        == 2
    )


def test_an_arrangement_without_a_date_is_refused(cast: Cast) -> None:
    with pytest.raises(CannotAgreeOn):
        cast.agree(until=FIRST)
    assert courses.listed(by=OPERATOR, now=NOW) == []
