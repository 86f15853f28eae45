"""Outside calendars: who may add which, what is kept of them, and what an hour that falls on one needs."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from service.domain import outside as domain
from service.domain.access import OPERATOR, Actor, Role
from service.domain.appointment import Initiator
from service.domain.hours import Span, instant
from service.domain.outside import CannotSubscribeToOwn, Reading
from service.domain.refusals import Forbidden, Malformed, NotFound
from service.domain.web_address import CannotReach
from service.store.base import db
from service.store.outbox import OutboxRow
from service.store.outside import OutsideCalendarRow, OutsideSpanRow
from service.usecases import appointments, moves, outbox, outside, people, standings
from service.usecases.drafts import Choice, Do
from service.usecases.outside import CannotFollow, Errand, ReadJustNow
from service.usecases.steps import NeedsReason
from tests.usecases.conftest import NOW, Cast, tuesday

BERLIN = "Europe/Berlin"
URL = "https://calendar.example.com/private-a1b2c3.ics"
PUBLIC_URL = "https://clinic.example"


def add(cast: Cast, by: Actor | None = None, **given: Any) -> str:
    wanted: dict[str, Any] = {"name": "Home", "url": URL, "public_url": PUBLIC_URL, **given}
    return outside.create(**wanted, by=by or cast.as_ada, now=NOW)


def take(now: datetime = NOW) -> Errand:
    """The one calendar that is due, as a worker takes it."""
    [message] = [one for one in outbox.due(now=now) if _topic(one) == "outside.read"]
    taken = outbox.take(message=message, now=now)
    assert taken is not None
    errand = outside.errand(message=message, attempt=taken.attempt, now=now)
    assert errand is not None
    return errand


def _topic(message: int) -> str:
    found = db.session.get_one(OutboxRow, message).topic
    db.session.remove()
    return found


def berlin(*spans: tuple[datetime, timedelta]) -> Reading:
    """Busy at these local times for so long."""
    found = [Span(since=instant(at, BERLIN), until=instant(at, BERLIN) + length) for at, length in spans]
    return Reading(spans=domain.merged(found), left_out={})


HOUR = timedelta(hours=1)


def busy(cast: Cast, *spans: tuple[datetime, timedelta], **given: Any) -> str:
    """Ada is busy elsewhere then."""
    calendar = add(cast, **given)
    outside.note_read(errand=take(), found=berlin(*spans), etag='"1"', modified=None, now=NOW)
    return calendar


def view(cast: Cast, now: datetime = NOW) -> outside.Calendar:
    [one] = outside.listed(by=cast.as_ada, now=now)
    return one


# --- adding and ending ----------------------------------------------------------------------------------------------


def test_the_address_is_sealed_and_of_it_the_machine_alone_is_shown(cast: Cast) -> None:
    add(cast)
    row = db.session.query(OutsideCalendarRow).one()
    assert "example" not in row.url and row.url.startswith("v1.")
    assert all("example" not in str(one.payload) + one.dedup_key for one in db.session.query(OutboxRow))
    db.session.remove()
    one = view(cast)
    assert (one.host, one.name, one.read_at, one.is_lived) == ("calendar.example.com", "Home", None, True)
    assert "a1b2c3" not in repr(one)
    assert take().url == URL


@pytest.mark.parametrize("scheme", ["webcal", "WEBCAL", "webcals", "https"])
def test_webcal_is_https(cast: Cast, scheme: str) -> None:
    add(cast, url=f"  {scheme}://calendar.example.com/private-a1b2c3.ics ")
    assert take().url == URL


@pytest.mark.parametrize(
    "url",
    ["http://calendar.example.com/a.ics", "https://localhost/a.ics", "https://a:b@example.com/", "file:///etc", ""],
)
def test_an_address_that_may_not_be_asked_is_refused(cast: Cast, url: str) -> None:
    with pytest.raises(CannotReach):
        add(cast, url=url)
    assert outside.listed(by=cast.as_ada, now=NOW) == []


@pytest.mark.parametrize(
    "path", ["/feeds/secret.ics", "//feeds/secret.ics", "/%66eeds/secret.ics", "/Feeds/secret.ics"]
)
def test_a_feed_of_this_very_clinic_is_refused(cast: Cast, path: str) -> None:
    with pytest.raises(CannotSubscribeToOwn):
        add(cast, url=f"https://Clinic.example{path}")
    add(cast, url=f"https://other.example{path}")


def test_a_therapist_adds_their_own_and_a_manager_anybodys(cast: Cast) -> None:
    for by in (cast.as_ben, cast.desk, cast.admin, replace(cast.as_ada, may_write=False)):
        with pytest.raises((NotFound, Forbidden)):
            add(cast, by, therapist=cast.ada)
    with pytest.raises(Malformed):
        add(cast, cast.manager)
    mine, theirs = add(cast), add(cast, cast.manager, therapist=cast.ben)
    assert [one.id for one in outside.listed(by=cast.as_ada, now=NOW)] == [mine]
    assert [one.id for one in outside.listed(by=cast.as_ben, now=NOW)] == [theirs]
    assert {one.id for one in outside.listed(by=cast.manager, now=NOW)} == {mine, theirs}
    for change in (outside.remove, outside.read_now):
        with pytest.raises(NotFound):
            change(calendar=mine, by=cast.as_ben, now=NOW)
    with pytest.raises(NotFound):
        outside.rename(calendar=mine, name="Mine", by=cast.as_ben, now=NOW)
    outside.rename(calendar=mine, name="  Family  home ", by=cast.manager, now=NOW)
    assert view(cast).name == "Family home"


def test_there_is_a_limit_and_none_is_read_twice(cast: Cast) -> None:
    for n in range(domain.MOST):
        add(cast, url=f"https://calendar.example.com/{n}.ics")
        with pytest.raises(CannotFollow):
            add(cast, url=f"webcal://calendar.example.com/{n}.ics")
    with pytest.raises(CannotFollow):
        add(cast, url="https://calendar.example.com/more.ics")
    add(cast, cast.as_ben, url="https://calendar.example.com/0.ics")


@pytest.mark.parametrize("name", ["", " ", "x" * 121, "a\x00b"])
def test_a_calendar_has_a_name(cast: Cast, name: str) -> None:
    with pytest.raises(Malformed):
        add(cast, name=name)


def test_what_is_removed_is_forgotten_with_all_that_it_said(cast: Cast) -> None:
    calendar = busy(cast, (tuesday(), HOUR))
    outside.remove(calendar=calendar, by=cast.as_ada, now=NOW)
    for row in (OutsideCalendarRow, OutsideSpanRow):
        assert db.session.query(row).count() == 0
    assert not [one for one in db.session.query(OutboxRow) if one.topic == "outside.read"]
    db.session.remove()


def test_what_a_worker_brings_for_a_removed_calendar_is_dropped(cast: Cast) -> None:
    calendar = add(cast)
    errand = take()
    outside.remove(calendar=calendar, by=cast.as_ada, now=NOW)
    assert not outside.note_read(errand=errand, found=berlin((tuesday(), HOUR)), etag=None, modified=None, now=NOW)
    assert not outside.note_fault(errand=errand, fault="gone", now=NOW)


# --- reading it -----------------------------------------------------------------------------------------------------


def test_it_is_read_again_in_half_an_hour_or_so_and_asked_whether_anything_changed(cast: Cast) -> None:
    add(cast)
    errand = take()
    assert (errand.etag, errand.modified, errand.zone) == (None, None, BERLIN)
    assert errand.since < NOW < NOW + timedelta(weeks=26) < errand.until
    assert outside.note_read(errand=errand, found=berlin((tuesday(), HOUR)), etag='"1"', modified="Mon", now=NOW)
    one = view(cast)
    assert (one.read_at, one.busy, one.fault, one.failures) == (NOW, 1, None, 0)
    assert one.next_at is not None and timedelta(minutes=24) <= one.next_at - NOW <= timedelta(minutes=36)
    assert outbox.due(now=NOW + timedelta(minutes=23)) == []
    later = NOW + timedelta(minutes=40)
    errand = take(later)
    assert (errand.etag, errand.modified, errand.attempt) == ('"1"', "Mon", 1)
    assert outside.note_same(errand=errand, now=later)
    assert (view(cast, later).read_at, view(cast, later).busy) == (later, 1)
    tomorrow = NOW + timedelta(hours=25)
    assert take(tomorrow).etag is None, "what is kept ends at a day that moves on"


def test_only_what_differs_is_written_and_the_board_hears_of_it(cast: Cast) -> None:
    def ids() -> set[tuple[int, datetime]]:
        found = {(row.id, row.since) for row in db.session.query(OutsideSpanRow)}
        db.session.remove()
        return found

    busy(cast, (tuesday(), HOUR), (tuesday(1), HOUR))
    first, seen = ids(), appointments.board_version(by=cast.desk)
    later = NOW + timedelta(hours=1)
    same = berlin((tuesday(), HOUR), (tuesday(1), HOUR))
    outside.note_read(errand=take(later), found=same, etag='"1"', modified=None, now=later)
    assert (ids(), appointments.board_version(by=cast.desk)) == (first, seen)
    later += timedelta(hours=1)
    other = berlin((tuesday(), HOUR), (tuesday(2), HOUR))
    outside.note_read(errand=take(later), found=other, etag='"2"', modified=None, now=later)
    assert len(ids() & first) == 1 and len(ids()) == 2
    assert appointments.board_version(by=cast.desk) != seen


def test_a_fault_keeps_what_was_said_before_and_waits_longer_each_time(cast: Cast) -> None:
    busy(cast, (tuesday(8), HOUR))
    at, waits = NOW + timedelta(hours=1), []
    for _ in range(8):
        assert outside.note_fault(errand=take(at), fault="not_calendar", now=at)
        one = view(cast, at)
        assert (one.fault, one.read_at, one.tried_at, one.busy) == ("not_calendar", NOW, at, 1)
        assert one.next_at is not None
        waits.append(one.next_at - at)
        at = one.next_at
    assert view(cast, at).failures == 8 and view(cast, at).is_troubled
    assert timedelta(minutes=48) <= waits[0] <= timedelta(minutes=72)
    assert waits[5] > 8 * waits[0]
    assert max(waits) <= 1.2 * domain.LONGEST_WAIT
    assert outside.note_read(errand=take(at), found=berlin(), etag=None, modified=None, now=at)
    assert (view(cast, at).fault, view(cast, at).failures, view(cast, at).busy) == (None, 0, 0)


def test_a_wish_to_be_left_alone_is_kept_up_to_a_day(cast: Cast) -> None:
    add(cast)
    outside.note_fault(errand=take(), fault="busy", wish=timedelta(hours=5), now=NOW)
    assert view(cast).next_at == NOW + timedelta(hours=5)
    later = NOW + timedelta(hours=5)
    outside.note_fault(errand=take(later), fault="busy", wish=timedelta(days=400), now=later)
    assert view(cast, later).next_at == later + domain.LONGEST_WAIT


def test_two_workers_do_not_read_one_calendar_and_the_late_one_writes_nothing(cast: Cast) -> None:
    add(cast)
    slow = take()
    assert outbox.take(message=slow.message, now=NOW + timedelta(seconds=20)) is None
    late = NOW + timedelta(seconds=31)  # it lost its lease
    quick = take(late)
    assert quick.attempt == 2
    assert outside.note_read(errand=quick, found=berlin((tuesday(), HOUR)), etag=None, modified=None, now=late)
    assert not outside.note_read(errand=slow, found=berlin(), etag=None, modified=None, now=late)
    assert not outside.note_fault(errand=slow, fault="gone", now=late)
    assert (view(cast, late).busy, view(cast, late).fault) == (1, None)


def test_a_crash_leaves_it_to_the_next_worker(cast: Cast) -> None:
    add(cast)
    take()
    assert outbox.due(now=NOW + timedelta(seconds=29)) == []
    assert take(NOW + timedelta(seconds=31)).attempt == 2


def test_a_person_has_it_read_at_once_but_not_twice_a_minute(cast: Cast) -> None:
    calendar = busy(cast)
    with pytest.raises(ReadJustNow):
        outside.read_now(calendar=calendar, by=cast.as_ada, now=NOW + timedelta(seconds=30))
    soon = NOW + timedelta(minutes=2)
    outside.read_now(calendar=calendar, by=cast.as_ada, now=soon)
    errand = take(soon)
    outside.read_now(calendar=calendar, by=cast.manager, now=soon)
    assert outbox.take(message=errand.message, now=soon) is None, "who is reading it is left alone"
    outbox.drop(message=_id_of(errand), by=OPERATOR, now=soon + timedelta(minutes=1))
    assert view(cast, soon).next_at is None
    outside.read_now(calendar=calendar, by=cast.as_ada, now=soon + timedelta(minutes=2))
    assert take(soon + timedelta(minutes=2)).attempt == 1


def _id_of(errand: Errand) -> str:
    found = db.session.get_one(OutboxRow, errand.message).public_id
    db.session.remove()
    return found


def test_calendars_of_somebody_whose_account_has_ended_are_not_read_and_do_not_count(cast: Cast) -> None:
    user = people.add_user(
        name="Ada",
        email="ada@clinic.example",
        roles=[Role.THERAPIST],
        therapist=cast.ada,
        by=OPERATOR,
        now=NOW,
    )
    busy(cast, (tuesday(), HOUR))
    assert len(elsewhere(cast.desk)) == 1
    people.disable_user(user=user, by=OPERATOR, now=NOW)
    later = NOW + timedelta(hours=1)
    [message] = outbox.due(now=later)
    taken = outbox.take(message=message, now=later)
    assert taken is not None
    assert outside.errand(message=message, attempt=taken.attempt, now=later) is None
    assert [one for one in outbox.due(now=later + timedelta(hours=2)) if one == message] == []
    assert (view(cast, later).is_lived, view(cast, later).next_at) == (False, None)
    assert elsewhere(cast.desk) == []
    people.add_user(
        name="Ada again",
        email="ada2@clinic.example",
        roles=[Role.THERAPIST],
        therapist=cast.ada,
        by=OPERATOR,
        now=NOW,
    )
    assert len(elsewhere(cast.desk)) == 1


# --- looking --------------------------------------------------------------------------------------------------------


def elsewhere(by: Actor, zone: str = BERLIN) -> list[outside.Elsewhere]:
    return outside.elsewhere(since=tuesday(-1), until=tuesday(30), zone=zone, by=by)


def test_the_desk_sees_everybody_and_a_therapist_themselves_on_the_wall_that_is_asked_for(cast: Cast) -> None:
    busy(cast, (tuesday(), HOUR))
    [one] = elsewhere(cast.desk)
    assert (one.therapist, one.therapist_name, one.since, one.until) == (
        cast.ada, "Therapist Ada", tuesday(), tuesday() + HOUR,
    )  # fmt: skip
    assert elsewhere(cast.as_ada) == [one] and elsewhere(cast.as_ben) == []
    assert elsewhere(cast.desk, "America/New_York")[0].since == tuesday(at=time(4))
    with pytest.raises(Forbidden):
        elsewhere(cast.admin)


# --- what it means for hours ----------------------------------------------------------------------------------------


@pytest.fixture
def open_course(cast: Cast) -> Iterator[str]:
    yield cast.open()


def test_dates_of_a_standing_on_busy_times_need_a_reason_and_are_no_clash(cast: Cast, open_course: str) -> None:
    busy(cast, (tuesday(1, at=time(10, 30)), HOUR), (tuesday(4), HOUR))
    preview = standings.preview(course=open_course, proposal=cast.proposal(), by=cast.desk, now=NOW)
    assert (preview.elsewhere, preview.is_clear) == (2, False)
    doubtful = [one for one in preview.dates if one.outcome == "doubt"]
    assert [one.slot for one in doubtful] == [tuesday(1), tuesday(4)]
    assert [str(doubt.text) for doubt in doubtful[0].doubts] == ["Therapist Ada is busy elsewhere then."]
    with pytest.raises(NeedsReason) as refused:
        standings.agree(course=open_course, proposal=cast.proposal(), by=cast.desk, now=NOW)
    assert "busy elsewhere" in str(refused.value.message)
    choices = {tuesday(1): Choice(do=Do.SKIP), tuesday(4): Choice(do=Do.OVERRIDE, reason="agreed with Ada")}
    standings.agree(course=open_course, proposal=cast.proposal(), choices=choices, by=cast.desk, now=NOW)
    assert cast.at(tuesday(4)).status.value == "scheduled"


def test_a_wall_time_is_met_on_both_sides_of_the_change_of_the_clocks(cast: Cast, open_course: str) -> None:
    summer = tuesday(5)  # 7 April; the clocks changed on 29 March
    busy(cast, (summer.replace(hour=11), HOUR))
    preview = standings.preview(course=open_course, proposal=cast.proposal(), by=cast.desk, now=NOW)
    assert preview.elsewhere == 0
    calendar = outside.listed(by=cast.as_ada, now=NOW)[0].id
    later = NOW + timedelta(hours=1)
    outside.read_now(calendar=calendar, by=cast.as_ada, now=later)
    found = Reading(
        spans=(Span(since=summer.replace(hour=8, tzinfo=UTC), until=summer.replace(hour=9, tzinfo=UTC)),), left_out={}
    )
    outside.note_read(errand=take(later), found=found, etag=None, modified=None, now=later)
    preview = standings.preview(course=open_course, proposal=cast.proposal(), by=cast.desk, now=later)
    assert [one.slot for one in preview.dates if one.outcome == "doubt"] == [summer]


def test_an_hour_is_moved_onto_a_busy_time_only_with_a_reason(cast: Cast) -> None:
    cast.agree()
    to = tuesday(1, at=time(14))
    busy(cast, (to, HOUR))
    hour = cast.at(tuesday(1))
    wish = appointments.Destination(starts=to)
    effect = moves.preview(appointment_id=hour.id, to=wish, by=cast.desk, now=NOW)
    assert [doubt.kind for doubt in effect.doubts] == ["elsewhere"] and effect.clashes == ()
    move = {"appointment_id": hour.id, "to": wish, "asked_by": Initiator.CLIENT, "reason": "work", "by": cast.desk}
    with pytest.raises(NeedsReason):
        appointments.move(**move, now=NOW)  # type: ignore[arg-type]
    appointments.move(**move, override="Ada said yes", now=NOW)  # type: ignore[arg-type]
    assert cast.at(to).id == hour.id


def test_hours_that_are_offered_instead_are_free_elsewhere_too(cast: Cast) -> None:
    cast.agree()
    hour = cast.at(tuesday(1))
    offered = moves.preview(appointment_id=hour.id, to=appointments.Destination(), by=cast.desk, now=NOW).offers
    assert offered
    day = timedelta(hours=24)
    busy(cast, *((offer.starts.replace(hour=0, minute=0), day) for offer in offered))
    left = moves.preview(appointment_id=hour.id, to=appointments.Destination(), by=cast.desk, now=NOW).offers
    assert left and not {offer.starts.date() for offer in left} & {offer.starts.date() for offer in offered}


def test_control_without_the_calendar_nothing_speaks_against_the_hour(cast: Cast, open_course: str) -> None:
    calendar = busy(cast, (tuesday(1), HOUR))
    outside.remove(calendar=calendar, by=cast.as_ada, now=NOW)
    assert standings.preview(course=open_course, proposal=cast.proposal(), by=cast.desk, now=NOW).is_clear
