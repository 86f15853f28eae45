"""Who is told of what: each change makes its event, in its own transaction, for whoever chose it and nobody else."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from service.domain.absences import AbsenceKind
from service.domain.access import CLOCK, OPERATOR
from service.domain.appointment import Initiator, Mark
from service.domain.course import Ending
from service.domain.event import EVENTS, IDS, PING, ActionWithoutEvent, event_of
from service.domain.refusals import Conflict, Forbidden, Malformed, NotFound, Stale
from service.domain.web_address import CannotReach
from service.files import ics_book
from service.store import audit
from service.store.base import db
from service.store.outbox import OutboxRow
from service.store.transaction import writing
from service.store.webhooks import HELD
from service.usecases import (
    absences,
    alerts,
    appointments,
    clients,
    consistency,
    courses,
    imports,
    outbox,
    standings,
    webhooks,
)
from tests.usecases.books import GOOGLE
from tests.usecases.conftest import FIRST, NOW, Cast, tuesday

URL = "https://example.com/hook?key=a-secret"
LATER = NOW + timedelta(minutes=1)


def told(webhook: str | None = None, *, state: str = "pending") -> list[dict[str, Any]]:
    """What waits to be sent, in order."""
    with db.engine.connect() as connection:
        query = db.select(OutboxRow.payload).where(OutboxRow.topic == "webhook.send", OutboxRow.state == state)
        found = [payload for (payload,) in connection.execute(query.order_by(OutboxRow.id))]
    return [one for one in found if webhook in (None, one["webhook"])]


def types(webhook: str | None = None) -> list[str]:
    return [one["type"] for one in told(webhook)]


@pytest.fixture
def hook(cast: Cast) -> webhooks.New:
    """One that wants everything."""
    return webhooks.create(name="Billing", url=URL, by=cast.manager, now=NOW)


def taken_by(webhook: str) -> webhooks.Parcel:
    """The oldest message of it, leased and made ready."""
    for message in outbox.due(now=LATER):
        leased = outbox.take(message=message, now=LATER)
        if leased is not None and leased.topic == "webhook.send" and leased.payload["webhook"] == webhook:
            found = webhooks.parcel(message=message, attempt=leased.attempt, now=LATER)
            assert found is not None
            return found
    raise AssertionError("nothing is due")


# --- events ---------------------------------------------------------------------------------------------------------


def _move(cast: Cast) -> None:
    appointments.move(
        appointment_id=cast.at(tuesday(1)).id,
        to=appointments.Destination(starts=tuesday(1) + timedelta(hours=2)),
        asked_by=Initiator.CLIENT,
        reason="work",
        by=cast.desk,
        now=LATER,
    )


def _cancel(cast: Cast, week: int = 1) -> str:
    hour = cast.at(tuesday(week)).id
    appointments.cancel(appointment_id=hour, asked_by=Initiator.CLIENT, reason="travel", by=cast.desk, now=LATER)
    return hour


def _restore(cast: Cast) -> None:
    appointments.uncancel(appointment_id=_cancel(cast), by=cast.desk, now=LATER)


def _tell(cast: Cast) -> None:
    appointments.tell(appointment_id=_cancel(cast), by=cast.desk, now=LATER)


def _leave(cast: Cast) -> str:
    since = tuesday(1).replace(hour=0)
    return absences.add(
        kind=AbsenceKind.LEAVE,
        therapist=cast.ada,
        since=since,
        until=since + timedelta(days=15),
        by=cast.desk,
        now=LATER,
    )


def _release(cast: Cast) -> None:
    assert absences.release(absence=_leave(cast), by=cast.desk, now=LATER) == 3


def _pause(cast: Cast) -> None:
    since = FIRST + timedelta(weeks=2)
    courses.pause(
        course=cast.hours()[0].course,
        since=since,
        until=since + timedelta(weeks=3),
        keeps_hour=True,
        by=cast.desk,
        now=LATER,
    )


def _resume(cast: Cast) -> None:
    _pause(cast)
    courses.resume(course=cast.hours()[0].course, on=FIRST + timedelta(weeks=3), by=cast.desk, now=LATER)


def _settle(cast: Cast) -> None:
    _pause(cast)
    assert courses.settle(by=CLOCK, now=NOW + timedelta(weeks=2, days=2)) == 1


def _change(cast: Cast) -> None:
    since = FIRST + timedelta(weeks=4)
    standings.change(
        standing=cast.hours()[0].standing or "",
        since=since,
        proposal=cast.proposal(since=since, room=cast.rooms[1]),
        asked_by=Initiator.CLIENT,
        reason="work",
        by=cast.desk,
        now=LATER,
    )


def _end(cast: Cast) -> None:
    standings.end(
        standing=cast.hours()[0].standing or "", on=FIRST + timedelta(weeks=4), reason="work", by=cast.desk, now=LATER
    )


def _extend(cast: Cast) -> None:
    for standing in standings.to_extend(now=NOW + timedelta(weeks=3)):
        assert standings.extend(standing=standing, now=NOW + timedelta(weeks=3)) >= 2


CHANGES: dict[str, tuple[Callable[[Cast], object], list[str]]] = {
    "book": (
        lambda cast: appointments.book(
            course=cast.hours()[0].course, place=cast.place(tuesday(0) + timedelta(days=1)), by=cast.desk, now=LATER
        ),
        ["appointment.booked"],
    ),
    "move": (_move, ["appointment.moved"]),
    "cancel": (_cancel, ["appointment.cancelled"]),
    "uncancel": (_restore, ["appointment.cancelled", "appointment.restored"]),
    "mark": (
        lambda cast: appointments.mark(
            appointment_id=cast.at(tuesday()).id, mark=Mark.HELD, by=cast.desk, now=NOW + timedelta(days=2)
        ),
        ["appointment.marked"],
    ),
    "tell": (_tell, ["appointment.cancelled", "appointment.told"]),
    "agree": (lambda cast: cast.agree(1, hours=(cast.proposal().hours), therapist=cast.ben, room=cast.rooms[1]), []),
    "change": (_change, ["standing.changed", "standing.ended"]),
    "end": (_end, ["standing.ended"]),
    "extend": (_extend, ["standing.extended"]),
    "leave": (_leave, ["absence.added"]),
    "withdraw": (
        lambda cast: absences.withdraw(absence=_leave(cast), by=cast.desk, now=LATER),
        ["absence.added", "absence.withdrawn"],
    ),
    "announce": (
        lambda cast: absences.tell(absence=_leave(cast), course=cast.hours()[0].course, by=cast.desk, now=LATER),
        ["absence.added", "absence.told"],
    ),
    "release": (_release, ["absence.added", "absence.released"]),
    "pause": (_pause, ["course.paused"]),
    "resume": (_resume, ["course.paused", "course.resumed"]),
    "settle": (_settle, ["course.paused", "course.settled"]),
    "end a course": (
        lambda cast: courses.end(
            course=cast.hours()[0].course,
            on=FIRST + timedelta(weeks=4),
            ending=Ending.PLANNED,
            by=cast.desk,
            now=LATER,
        ),
        ["course.ended"],
    ),
    "open a course": (lambda cast: cast.open(1), ["course.opened"]),
}
CHANGES["agree"] = (CHANGES["agree"][0], ["course.opened", "standing.agreed"])


@pytest.mark.parametrize("what", CHANGES)
def test_each_change_makes_its_event_with_ids_alone(cast: Cast, what: str) -> None:
    cast.agree()
    hook = webhooks.create(name="Billing", url=URL, by=cast.manager, now=NOW)
    do, expected = CHANGES[what]

    do(cast)

    found = told(hook.id)
    assert [one["type"] for one in found] == expected
    for one in found:
        assert set(one["data"]) == set(IDS[one["type"].partition(".")[0]])
        assert all(len(value) == 36 for value in one["data"].values())
    assert "Client" not in str(found) and "Ada" not in str(found)


def test_every_event_that_there_is_comes_of_some_change() -> None:
    of_alerts = {event for event in EVENTS if event.startswith("alert.")}
    made = {event for _do, expected in CHANGES.values() for event in expected}
    elsewhere = {"course.imported", "course.retimed"}  # see the tests of the import and of the time zones
    assert made | of_alerts | elsewhere == set(EVENTS)


def test_alerts_open_clear_and_are_answered(cast: Cast) -> None:
    course = cast.agree().course
    hook = webhooks.create(name="Billing", url=URL, events=["alert.opened", "alert.agreed"], by=cast.manager, now=NOW)
    for week in (1, 2, 3):
        _cancel(cast, week)
    consistency.assess(course=course, now=LATER)
    [opened, *_others] = told(hook.id)
    alert = alerts.of_course(course=course, by=OPERATOR, now=LATER)
    assert opened["data"] == {"alert": opened["data"]["alert"], "course": course}
    assert opened["data"]["alert"] in {one.id for one in alert}
    alerts.agree(alert=opened["data"]["alert"], reason="so we said", by=OPERATOR, now=LATER)
    assert types(hook.id)[-1] == "alert.agreed"
    assert set(types(hook.id)) == {"alert.opened", "alert.agreed"}


def test_a_thousand_hours_booked_ahead_are_one_event_each_standing(cast: Cast, hook: webhooks.New) -> None:
    cast.agree()
    assert types(hook.id) == ["course.opened", "standing.agreed"]
    assert len(cast.hours()) > 20


def test_of_an_old_book_they_are_told_once_a_course(cast: Cast, hook: webhooks.New) -> None:
    book = ics_book.parse(GOOGLE, default_zone="Europe/Berlin")
    imports.take(book, site=cast.site, source="book", digest="0" * 64, by=OPERATOR, now=NOW)
    assert len(cast.hours()) > 20
    assert Counter(types(hook.id)) == {"course.opened": 2, "course.imported": 2, "absence.added": 1}


def test_what_was_not_done_is_told_to_nobody(cast: Cast) -> None:
    cast.agree()
    webhooks.create(name="Billing", url=URL, by=cast.manager, now=NOW)
    with pytest.raises(Conflict):
        appointments.book(course=cast.hours()[0].course, place=cast.place(tuesday(1)), by=cast.desk, now=LATER)
    assert told() == []


def test_what_is_no_change_of_theirs_is_told_to_nobody(cast: Cast, hook: webhooks.New) -> None:
    clients.add(name="Client Four", by=cast.desk, now=LATER)
    course = cast.open()
    before = types(hook.id)
    courses.show(course=course, by=cast.desk, now=LATER)
    assert types(hook.id) == before == ["course.opened"]


def test_an_action_that_nobody_thought_of_is_refused_at_once(cast: Cast) -> None:
    @writing
    def do(session: Any) -> None:
        audit.record(session, "teleport", by=OPERATOR, now=NOW, kind="appointment", subject="x")

    with pytest.raises(ActionWithoutEvent):
        do()
    assert event_of("client", "teleport") is None
    assert event_of("appointment", "mark no_show") == "appointment.marked"


def test_each_is_told_what_it_chose(cast: Cast) -> None:
    everything = webhooks.create(name="All", url=URL, by=cast.manager, now=NOW)
    some = webhooks.create(name="Some", url=URL, events=["course.opened"], by=cast.admin, now=NOW)
    none = webhooks.create(name="Other", url=URL, events=["alert.opened"], by=cast.manager, now=NOW)
    cast.agree()
    assert types(everything.id) == ["course.opened", "standing.agreed"]
    assert types(some.id) == ["course.opened"]
    assert types(none.id) == []


# --- entering and changing ------------------------------------------------------------------------------------------


def test_it_is_entered_listed_changed_and_deleted(cast: Cast, hook: webhooks.New) -> None:
    [one] = webhooks.listed(by=cast.admin, now=NOW)
    assert (one.id, one.name, one.url, one.events, one.state) == (hook.id, "Billing", URL, ("*",), "active")
    changed = webhooks.change(
        webhook=hook.id,
        name="Books",
        events=["standing.ended", "absence.added", "standing.ended"],
        if_version=one.version,
        by=cast.manager,
        now=LATER,
    )
    assert (changed.name, changed.url, changed.version) == ("Books", URL, 2)
    assert changed.events == ("standing.ended", "absence.added")
    with pytest.raises(Stale):
        webhooks.change(webhook=hook.id, name="X", if_version=1, by=cast.manager, now=LATER)
    _leave(cast)
    assert types(hook.id) == ["absence.added"]
    webhooks.remove(webhook=hook.id, by=cast.manager, now=LATER)
    assert webhooks.listed(by=cast.manager, now=LATER) == []
    assert types() == []
    with pytest.raises(NotFound):
        webhooks.show(webhook=hook.id, by=cast.manager, now=LATER)


def test_address_and_secrets_are_sealed_in_the_database(cast: Cast, hook: webhooks.New) -> None:
    webhooks.rotate(webhook=hook.id, overlap=timedelta(hours=1), by=cast.manager, now=LATER)
    with db.engine.connect() as connection:
        rows = str(connection.execute(db.text("SELECT url, secret, old_secret FROM webhooks")).all())
    assert "a-secret" not in rows and "example.com" not in rows
    assert hook.secret.removeprefix("whsec_") not in rows


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"name": " "}, Malformed),
        ({"name": "x" * 121}, Malformed),
        ({"url": "http://example.com/"}, CannotReach),
        ({"url": "https://127.0.0.1/"}, CannotReach),
        ({"url": "https://user@example.com/"}, CannotReach),
        ({"events": []}, Malformed),
        ({"events": ["appointment.teleported"]}, Malformed),
    ],
)
def test_what_makes_no_sense_is_refused(cast: Cast, given: dict[str, Any], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        webhooks.create(**{"name": "Billing", "url": URL, **given}, by=cast.manager, now=NOW)
    hook = webhooks.create(name="Billing", url=URL, by=cast.manager, now=NOW)
    with pytest.raises(kind):
        webhooks.change(webhook=hook.id, **given, by=cast.manager, now=NOW)


def test_the_own_network_is_sent_to_where_the_clinic_says_so(cast: Cast) -> None:
    url = "http://127.0.0.1:9999/hook"
    with pytest.raises(CannotReach):
        webhooks.create(name="Own", url=url, by=cast.manager, now=NOW)
    webhooks.create(name="Own", url=url, own_network=True, by=cast.manager, now=NOW)


def test_they_are_for_managers_and_admins(cast: Cast, hook: webhooks.New) -> None:
    for by in (cast.desk, cast.as_ada):
        with pytest.raises(Forbidden):
            webhooks.listed(by=by, now=NOW)
        with pytest.raises(Forbidden):
            webhooks.create(name="Billing", url=URL, by=by, now=NOW)
        with pytest.raises(Forbidden):
            webhooks.pause(webhook=hook.id, by=by, now=NOW)


def test_there_are_not_more_than_one_can_keep_an_eye_on(cast: Cast) -> None:
    for n in range(webhooks.MOST):
        webhooks.create(name=f"No. {n}", url=URL, by=cast.manager, now=NOW)
    with pytest.raises(webhooks.CannotListen):
        webhooks.create(name="One more", url=URL, by=cast.manager, now=NOW)


# --- secrets, pauses, tests -----------------------------------------------------------------------------------------


def test_both_secrets_sign_until_the_overlap_is_over(cast: Cast, hook: webhooks.New) -> None:
    second = webhooks.rotate(webhook=hook.id, overlap=timedelta(hours=24), by=cast.manager, now=NOW)
    webhooks.test(webhook=hook.id, by=cast.manager, now=NOW)
    parcel = taken_by(hook.id)
    assert parcel.secrets == (second.secret, hook.secret)
    assert webhooks.show(webhook=hook.id, by=cast.manager, now=LATER).old_secret_until == NOW + timedelta(hours=24)
    third = webhooks.rotate(webhook=hook.id, overlap=timedelta(hours=1), by=cast.manager, now=LATER)
    [message] = [one.id for one in outbox.listed(by=OPERATOR, now=LATER)]
    later = LATER + timedelta(minutes=59)
    outbox.retry(message=message, by=OPERATOR, now=later)
    assert taken_at(later).secrets == (third.secret, second.secret)
    over = LATER + timedelta(hours=1)
    outbox.retry(message=message, by=OPERATOR, now=over)
    assert taken_at(over).secrets == (third.secret,)


def taken_at(now: datetime) -> webhooks.Parcel:
    [message] = outbox.due(now=now)
    leased = outbox.take(message=message, now=now)
    assert leased is not None
    found = webhooks.parcel(message=message, attempt=leased.attempt, now=now)
    assert found is not None
    return found


@pytest.mark.parametrize("hours", [-1, 25])
def test_an_overlap_is_a_day_at_most(cast: Cast, hook: webhooks.New, hours: int) -> None:
    with pytest.raises(Malformed):
        webhooks.rotate(webhook=hook.id, overlap=timedelta(hours=hours), by=cast.manager, now=NOW)


def test_without_an_overlap_the_old_secret_ends_at_once(cast: Cast, hook: webhooks.New) -> None:
    second = webhooks.rotate(webhook=hook.id, overlap=timedelta(0), by=cast.manager, now=NOW)
    webhooks.test(webhook=hook.id, by=cast.manager, now=NOW)
    assert taken_by(hook.id).secrets == (second.secret,)


def test_what_happens_during_a_pause_waits_for_its_end(cast: Cast, hook: webhooks.New) -> None:
    cast.open()
    webhooks.pause(webhook=hook.id, by=cast.manager, now=LATER)
    cast.open(1, now=LATER)
    waiting = {message for message in outbox.due(now=LATER + HELD - timedelta(minutes=1)) if _is_hook(message)}
    assert waiting == set()
    assert webhooks.show(webhook=hook.id, by=cast.manager, now=LATER).waiting == 2
    with pytest.raises(webhooks.CannotSendTo):
        webhooks.test(webhook=hook.id, by=cast.manager, now=LATER)
    webhooks.resume(webhook=hook.id, by=cast.manager, now=LATER)
    assert len([message for message in outbox.due(now=LATER) if _is_hook(message)]) == 2


def _is_hook(message: int) -> bool:
    with db.engine.connect() as connection:
        return bool(connection.scalar(db.select(OutboxRow.topic).where(OutboxRow.id == message)) == "webhook.send")


def test_a_test_is_a_ping_by_the_usual_way(cast: Cast, hook: webhooks.New) -> None:
    message = webhooks.test(webhook=hook.id, by=cast.manager, now=NOW)
    [one] = told(hook.id)
    assert (one["type"], one["data"]) == (PING, {"webhook": hook.id})
    assert taken_by(hook.id).id == message


# --- how deliveries go ----------------------------------------------------------------------------------------------


def test_after_a_failure_it_waits_as_the_house_does_more_or_less() -> None:
    for attempt, wait in enumerate(outbox.WAITS, start=1):
        assert webhooks.wait_after(attempt, luck=0.5) == wait
        assert webhooks.wait_after(attempt, luck=0.0) == wait * 0.8
        assert abs(webhooks.wait_after(attempt, luck=1.0) - wait * 1.2) < timedelta(milliseconds=1)
    assert timedelta(hours=75) <= sum(outbox.WAITS, timedelta()) < timedelta(hours=76)


def test_one_that_is_gone_gets_nothing_until_it_is_turned_on_again(cast: Cast, hook: webhooks.New) -> None:
    cast.open()
    cast.open(1)
    gone = webhooks.Answer(status=410, fault="gone")
    assert webhooks.note(parcel=taken_by(hook.id), answer=gone, now=LATER) is None
    assert webhooks.show(webhook=hook.id, by=cast.manager, now=LATER).state == "disabled"
    assert (told(hook.id), len(told(hook.id, state="superseded"))) == ([], 2)
    cast.open(2, now=LATER)
    assert told(hook.id) == []
    webhooks.resume(webhook=hook.id, by=cast.manager, now=LATER)
    cast.open(2, now=LATER)
    assert types(hook.id) == ["course.opened"]


@pytest.mark.parametrize(
    ("answer", "rests"),
    [
        (webhooks.Answer(status=None, fault="no_answer"), timedelta(seconds=5)),
        (webhooks.Answer(status=None, fault="no_answer", ms=15_000), timedelta(seconds=30)),
        (webhooks.Answer(status=503, fault="refused"), timedelta(seconds=5)),
        (webhooks.Answer(status=503, fault="refused", retry_after=timedelta(minutes=9)), timedelta(minutes=9)),
        (webhooks.Answer(status=429, fault="refused", retry_after=timedelta(days=9)), timedelta(hours=24)),
        (webhooks.Answer(status=400, fault="refused"), None),
        (webhooks.Answer(status=500, fault="refused"), None),
    ],
)
def test_while_nobody_answers_the_others_wait_too_and_lose_no_attempt(
    cast: Cast, hook: webhooks.New, answer: webhooks.Answer, rests: timedelta | None
) -> None:
    cast.open()
    cast.open(1)
    wait = webhooks.note(parcel=taken_by(hook.id), answer=answer, now=LATER)
    assert wait is not None and wait >= (rests or timedelta(seconds=4))
    until = webhooks.show(webhook=hook.id, by=cast.manager, now=LATER).rests_until
    assert until == (LATER + rests if rests else None)

    second = next(message for message in outbox.due(now=LATER) if _is_hook(message))
    leased = outbox.take(message=second, now=LATER)
    assert leased is not None
    ready = webhooks.parcel(message=second, attempt=leased.attempt, now=LATER)
    if rests is None:
        assert ready is not None
        return
    assert ready is None
    assert outbox.done(message=second, attempt=leased.attempt, now=LATER) is False
    assert second not in outbox.due(now=LATER + rests - timedelta(seconds=1))
    again = outbox.take(message=second, now=LATER + rests)
    assert again is not None and again.attempt == 1
    assert webhooks.parcel(message=second, attempt=1, now=LATER + rests) is not None


@pytest.mark.parametrize(("ms", "rests"), [(1900, 0), (2001, 4.002), (9000, 18)])
def test_one_that_is_slow_takes_a_third_of_the_time_at_most(
    cast: Cast, hook: webhooks.New, ms: int, rests: float
) -> None:
    cast.open()
    cast.open(1)
    answer = webhooks.Answer(status=200, fault=None, ms=ms)
    assert webhooks.note(parcel=taken_by(hook.id), answer=answer, now=LATER) is None
    assert webhooks.show(webhook=hook.id, by=cast.manager, now=LATER).rests_until is None
    second = next(message for message in outbox.due(now=LATER) if _is_hook(message))
    leased = outbox.take(message=second, now=LATER)
    assert leased is not None
    ready = webhooks.parcel(message=second, attempt=leased.attempt, now=LATER)
    assert (ready is None) == bool(rests)
    if rests:
        assert second in outbox.due(now=LATER + timedelta(seconds=rests))


def test_what_a_person_asks_for_is_tried_at_once(cast: Cast, hook: webhooks.New) -> None:
    cast.open()
    first = taken_by(hook.id)
    webhooks.note(parcel=first, answer=webhooks.Answer(status=None, fault="no_answer"), now=LATER)
    message = webhooks.test(webhook=hook.id, by=cast.manager, now=LATER)
    assert taken_by(hook.id).id == message


def test_nobody_is_waited_for_longer_than_75_hours(cast: Cast, hook: webhooks.New) -> None:
    cast.open()
    late = LATER + timedelta(hours=76)
    webhooks.note(parcel=taken_by(hook.id), answer=webhooks.Answer(status=None, fault="no_answer"), now=late)
    [message] = [one for one in outbox.due(now=late) if _is_hook(one)]
    leased = outbox.take(message=message, now=late)
    assert leased is not None
    assert webhooks.parcel(message=message, attempt=leased.attempt, now=late) is None
    assert len(told(hook.id, state="dead")) == 1


def test_the_log_says_what_became_of_each_attempt_and_one_is_sent_again(cast: Cast, hook: webhooks.New) -> None:
    message = webhooks.test(webhook=hook.id, by=cast.manager, now=NOW)
    parcel = taken_by(hook.id)
    with pytest.raises(webhooks.CannotReplay):
        webhooks.replay(webhook=hook.id, message=message, by=cast.manager, now=LATER)
    webhooks.note(parcel=parcel, answer=webhooks.Answer(status=204, fault=None, ms=12), now=LATER)
    [inner] = outbox_ids()
    assert outbox.done(message=inner, attempt=1, now=LATER)
    [entry] = webhooks.deliveries(webhook=hook.id, by=cast.admin)
    assert (entry.message, entry.event, entry.attempt, entry.status, entry.fault) == (message, PING, 1, 204, None)
    assert (entry.state, entry.ms) == ("done", 12)
    webhooks.replay(webhook=hook.id, message=message, by=cast.manager, now=LATER)
    again = taken_by(hook.id)
    assert (again.id, again.body) == (parcel.id, parcel.body)
    other = webhooks.create(name="Other", url=URL, by=cast.manager, now=NOW)
    with pytest.raises(NotFound):
        webhooks.replay(webhook=other.id, message=message, by=cast.manager, now=LATER)


def outbox_ids() -> list[int]:
    with db.engine.connect() as connection:
        return [row[0] for row in connection.execute(db.select(OutboxRow.id).where(OutboxRow.topic == "webhook.send"))]


def test_the_log_is_kept_for_thirty_days(cast: Cast, hook: webhooks.New) -> None:
    webhooks.test(webhook=hook.id, by=cast.manager, now=NOW)
    parcel, fine = taken_by(hook.id), webhooks.Answer(status=204, fault=None)
    webhooks.note(parcel=parcel, answer=fine, now=LATER)
    webhooks.note(parcel=parcel, answer=fine, now=LATER + timedelta(days=29))
    assert len(webhooks.deliveries(webhook=hook.id, by=cast.admin)) == 2
    webhooks.note(parcel=parcel, answer=fine, now=LATER + timedelta(days=31))
    assert len(webhooks.deliveries(webhook=hook.id, by=cast.admin)) == 2


def test_one_deleted_while_it_is_being_told_is_told_no_more(cast: Cast, hook: webhooks.New) -> None:
    webhooks.test(webhook=hook.id, by=cast.manager, now=NOW)
    parcel = taken_by(hook.id)
    webhooks.remove(webhook=hook.id, by=cast.manager, now=LATER)
    assert webhooks.note(parcel=parcel, answer=webhooks.Answer(status=500, fault="refused"), now=LATER) is None
