"""Messages: one taker, a second look before sending, ten attempts and then dead, and loops that take turns."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from service.domain.access import OPERATOR
from service.domain.refusals import Forbidden, NotFound
from service.store import outbox as rows
from service.store.base import db
from service.usecases import alerts, consistency, outbox, people, telling
from tests.alarms import ADA, AlarmClinic, alarm_clinic

if TYPE_CHECKING:
    from flask import Flask

NOW = datetime(2026, 3, 18, 9, tzinfo=UTC)


@pytest.fixture
def clinic(app: "Flask") -> Iterator[AlarmClinic]:
    """An alert is open and its notice is due; nothing else is."""
    with app.app_context():
        found = alarm_clinic(now=NOW)
        for course in (found.course, found.other_course):
            consistency.assess(course=course, now=NOW)
        found.cancel(0, 1, now=NOW)
        consistency.assess(course=found.course, grace=timedelta(0), now=NOW)
        yield found


def the_message(now: datetime = NOW) -> int:
    [message] = outbox.due(now=now)
    return message


def the_state() -> str:
    states = ("pending", "done", "superseded", "dead", "dropped")
    [message] = [one for one in outbox.listed(states=states, by=OPERATOR, now=NOW) if one.topic == "notice.mail"]
    return message.state


def test_a_message_is_taken_with_all_that_its_letter_needs(clinic: AlarmClinic) -> None:
    taken = outbox.take(message=the_message(), now=NOW)

    assert taken is not None
    assert taken.attempt == 1
    assert taken.letter is not None
    assert taken.letter.to == ADA
    assert isinstance(taken.letter, telling.Push)
    assert [one.course for one in taken.letter.alerts] == [clinic.course]
    assert outbox.due(now=NOW) == []


def test_many_takers_at_once_and_one_gets_it(app: "Flask", clinic: AlarmClinic) -> None:
    message = the_message()

    def take(_number: int) -> bool:
        with app.app_context():
            return outbox.take(message=message, now=NOW) is not None

    with ThreadPoolExecutor(max_workers=8) as crowd:
        assert sum(crowd.map(take, range(16))) == 1


def test_a_lease_that_ran_out_is_taken_over_and_the_late_one_marks_nothing(clinic: AlarmClinic) -> None:
    message = the_message()
    first = outbox.take(message=message, now=NOW)
    after = NOW + outbox.LEASE

    assert outbox.take(message=message, now=after - timedelta(seconds=1)) is None
    second = outbox.take(message=message, now=after)

    assert first is not None
    assert second is not None
    assert second.id == first.id
    assert not outbox.done(message=message, attempt=first.attempt, now=after)
    assert the_state() == "pending"
    assert outbox.done(message=message, attempt=second.attempt, now=after)
    assert the_state() == "done"
    assert outbox.take(message=message, now=after + timedelta(days=1)) is None


@pytest.mark.parametrize("answer", ["acknowledge", "snooze", "clear", "disable"])
def test_what_holds_no_more_is_not_sent(clinic: AlarmClinic, answer: str) -> None:
    message = the_message()
    [alert] = alerts.listed(by=OPERATOR, now=NOW)
    match answer:
        case "acknowledge":
            alerts.acknowledge(alert=alert.id, by=clinic.as_ada, now=NOW)
        case "snooze":
            alerts.snooze(alert=alert.id, until=NOW + timedelta(days=1), reason="later", by=clinic.as_ada, now=NOW)
        case "clear":
            clinic.take_up(0, 1, now=NOW)
            consistency.assess(course=clinic.course, now=NOW)
        case _:
            people.disable_user(user=str(clinic.as_ada.user), by=OPERATOR, now=NOW)

    assert outbox.take(message=message, now=NOW) is None
    assert the_state() == "superseded"


def test_ten_attempts_over_75_hours_and_then_dead(clinic: AlarmClinic) -> None:
    message, now, attempts = the_message(), NOW, 0
    while outbox.due(now=now):
        taken = outbox.take(message=message, now=now)
        assert taken is not None
        attempts += 1
        outbox.failed(message=message, attempt=taken.attempt, error="CannotSend", now=now)
        [row] = [one for one in outbox.listed(by=OPERATOR, now=now) if one.topic == "notice.mail"]
        assert outbox.take(message=message, now=now) is None
        now = max(now, row.not_before)

    assert attempts == 10
    assert timedelta(hours=75) < now - NOW < timedelta(hours=76)
    assert the_state() == "dead"


def test_attempts_that_nobody_ended_count_too(clinic: AlarmClinic) -> None:
    message, now = the_message(), NOW
    for _attempt in range(outbox.ATTEMPTS):
        assert outbox.take(message=message, now=now) is not None
        now += outbox.LEASE

    assert outbox.take(message=message, now=now) is None
    assert the_state() == "dead"


def test_a_dead_message_is_tried_again_on_request(clinic: AlarmClinic) -> None:
    message = the_message()
    for attempt in range(1, outbox.ATTEMPTS + 1):
        now = NOW + timedelta(days=attempt * 2)
        assert outbox.take(message=message, now=now) is not None
        outbox.failed(message=message, attempt=attempt, error="CannotSend", now=now)
    [dead] = outbox.listed(states=("dead",), by=OPERATOR, now=NOW)
    assert dead.last_error == "CannotSend"

    with pytest.raises(Forbidden):
        outbox.retry(message=dead.id, by=clinic.as_ada, now=NOW)
    later = NOW + timedelta(days=40)
    outbox.retry(message=dead.id, by=OPERATOR, now=later)

    taken = outbox.take(message=message, now=later)
    assert taken is not None
    assert (taken.attempt, taken.id) == (1, dead.id)
    with pytest.raises(outbox.CannotRetry):
        outbox.retry(message=dead.id, by=OPERATOR, now=later)


def test_a_dropped_message_is_never_carried_out(clinic: AlarmClinic) -> None:
    message = the_message()
    [waiting] = [one for one in outbox.listed(by=OPERATOR, now=NOW) if one.topic == "notice.mail"]

    outbox.drop(message=waiting.id, by=OPERATOR, now=NOW)

    assert outbox.take(message=message, now=NOW) is None
    assert the_state() == "dropped"
    with pytest.raises(outbox.CannotRetry):
        outbox.retry(message=waiting.id, by=OPERATOR, now=NOW)
    with pytest.raises(NotFound):
        outbox.drop(message="no such", by=OPERATOR, now=NOW)


def test_one_key_is_written_once(clinic: AlarmClinic) -> None:
    with db.session.begin():
        assert rows.add(db.session(), "notice.mail", {}, dedup_key="once", now=NOW)
        assert not rows.add(db.session(), "notice.mail", {}, dedup_key="once", now=NOW)


def test_only_what_waited_long_enough_is_late(clinic: AlarmClinic) -> None:
    minute = timedelta(minutes=1)

    assert outbox.due(waited=minute, now=NOW + minute / 2) == []
    assert outbox.due(waited=minute, now=NOW + minute) == outbox.due(now=NOW)


def test_two_loops_take_turns_and_one_takes_over(app: "Flask") -> None:
    lasts = timedelta(seconds=30)

    def leads(holder: str, seconds: int) -> bool:
        return outbox.lease_loop(name="sweeper", holder=holder, lasts=lasts, now=NOW + timedelta(seconds=seconds))

    with app.app_context():
        assert leads("one", 0)
        assert not leads("two", 1)
        assert leads("one", 20)
        assert not leads("two", 49)
        assert leads("two", 50)
        assert not leads("one", 51)
        outbox.leave_loop(name="sweeper", holder="two")
        assert leads("one", 52)


def test_what_ended_long_ago_is_forgotten_and_what_is_dead_or_waits_is_not(clinic: AlarmClinic) -> None:
    states = ("pending", "done", "superseded", "dead", "dropped")
    for number in range(len(states) + 1):
        rows.add(db.session(), "notice.mail", {}, dedup_key=f"kept {number}", now=NOW)
    db.session.commit()
    for number, (state, days) in enumerate([*((state, 31) for state in states), ("done", 29)]):
        ended = {"state": state, "done_at": NOW - timedelta(days=days)}
        db.session.execute(update(rows.OutboxRow).where(rows.OutboxRow.dedup_key == f"kept {number}").values(**ended))
    db.session.commit()

    assert outbox.forget(limit=2, now=NOW) == 2
    assert outbox.forget(now=NOW) == 1
    left = db.session.scalars(select(rows.OutboxRow.dedup_key).where(rows.OutboxRow.dedup_key.like("kept %")))
    assert sorted(left) == ["kept 0", "kept 3", "kept 5"]
