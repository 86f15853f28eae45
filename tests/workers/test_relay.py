"""From a changed fact to a mail that was received; and what happens when something is in the way."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import redis
from rq import Queue
from rq.serializers import JSONSerializer

from service.domain.access import OPERATOR
from service.usecases import alerts, outbox, standings
from tests.alarms import ADA, AlarmClinic
from tests.servers import Inbox
from tests.workers.conftest import now
from workers.relay import carry, ring
from workers.sweeper import Sweeper
from workers.topics import JOBS

if TYPE_CHECKING:
    from workers.house import House


def carry_all(house: "House") -> None:
    """As long as one message leads to the next."""
    while messages := outbox.due(now=now()):
        for message in messages:
            carry(house, message)


def test_a_cancelled_hour_becomes_a_mail_with_what_why_cause_and_options(
    clinic: AlarmClinic, house: "House", smtp_server: Inbox
) -> None:
    clinic.cancel(0, 1, now=now())

    carry_all(house)

    [mail] = smtp_server.mails
    assert smtp_server.recipients == [[ADA]]
    assert mail["Subject"] == "samehour: 1 thing for today"
    text, html = (part.get_content() for part in mail.iter_parts())
    [alert] = alerts.listed(by=OPERATOR, now=now())
    for body in (text, html):
        assert "21 days" in body
        assert "3 times the usual interval" in body
        assert str(alert.causes[0]).split(" cancelled")[0] in body
        assert "Offer other hours before the break" in body
        assert f"/alerts#alert-{alert.id}" in body
        assert f"/courses/{clinic.course}" in body
    assert "Client One" not in mail.as_string()
    assert "CO" in text


def test_once_carried_it_is_not_carried_again(clinic: AlarmClinic, house: "House", smtp_server: Inbox) -> None:
    clinic.cancel(0, 1, now=now())
    seen = outbox.due(now=now())
    carry_all(house)
    seen += [1, 2, 3]

    assert [carry(house, message) for message in seen] == [False] * len(seen)
    assert len(smtp_server.mails) == 1


def test_a_refused_mail_is_tried_again_with_the_same_id(
    clinic: AlarmClinic, house: "House", smtp_server: Inbox
) -> None:
    clinic.cancel(0, 1, now=now())
    smtp_server.answers.extend(["451 try later"])
    carry_all(house)
    assert smtp_server.mails == []
    [waiting] = outbox.listed(by=OPERATOR, now=now())
    assert (waiting.attempts, waiting.last_error) == (1, "SMTPDataError 451")

    outbox.retry(message=waiting.id, by=OPERATOR, now=now())
    carry_all(house)

    [mail] = smtp_server.mails
    assert mail["Message-ID"].startswith(f"<{waiting.id}@")


def test_killed_between_sending_and_marking_it_goes_out_twice_under_one_id(
    clinic: AlarmClinic, house: "House", smtp_server: Inbox
) -> None:
    clinic.cancel(0, 1, now=now())
    [assess] = {one.topic: one for one in outbox.listed(by=OPERATOR, now=now())}.values()
    assert assess.topic == "assess.course"
    carry(house, outbox.due(now=now())[0])
    [notice] = outbox.due(now=now())
    taken = outbox.take(message=notice, now=now())
    assert taken is not None
    JOBS[taken.topic](taken, house)

    later = now() + outbox.LEASE
    again = outbox.take(message=notice, now=later)
    assert again is not None
    JOBS[again.topic](again, house)
    outbox.done(message=notice, attempt=again.attempt, now=later)

    assert len({mail["Message-ID"] for mail in smtp_server.mails}) == 1
    assert len(smtp_server.mails) == 2


def test_a_job_that_breaks_is_noted_without_words_and_the_next_goes_on(
    clinic: AlarmClinic, house: "House", smtp_server: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_given: object) -> None:
        raise KeyError("Client One")

    monkeypatch.setattr("workers.relay.JOBS", {**JOBS, "assess.course": breaks})
    clinic.cancel(0, now=now())

    assert not carry(house, outbox.due(now=now())[0])

    [waiting] = outbox.listed(by=OPERATOR, now=now())
    assert (waiting.attempts, waiting.last_error) == (1, "KeyError")


def test_ringing_twice_puts_a_message_into_the_queue_once(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as connection:
        queue = Queue("samehour", connection=connection, serializer=JSONSerializer)

        assert ring(queue, [1, 2]) == 2
        assert ring(queue, [1, 2, 3]) == 1

        assert queue.job_ids == ["message-1", "message-2", "message-3"]
        assert queue.jobs[0].args == [1]


def test_without_redis_the_sweeper_carries_everything(clinic: AlarmClinic, house: "House", smtp_server: Inbox) -> None:
    clinic.cancel(0, 1, now=now())
    sweeper = Sweeper(house)

    assert sweeper.sweep()
    assert sweeper.sweep()

    assert len(smtp_server.mails) == 1


def test_two_sweepers_take_turns(clinic: AlarmClinic, house: "House", smtp_server: Inbox) -> None:
    clinic.cancel(0, 1, now=now())
    first, second = Sweeper(house, holder="first"), Sweeper(house, holder="second")

    assert [first.sweep(), second.sweep(), first.sweep(), second.sweep()] == [True, False, True, False]

    assert len(smtp_server.mails) == 1


def test_a_round_books_ahead_for_a_while_and_the_next_goes_on(clinic: AlarmClinic, house: "House") -> None:
    """Else a crash in a night in which all standings are extended is not over within a minute."""
    sweeper = Sweeper(house, every=timedelta(0))
    left = [len(standings.to_extend(now=now()))]

    for _round in range(2):
        sweeper.sweep()
        left.append(len(standings.to_extend(now=now())))

    assert left == [2, 1, 0]


def test_the_sweep_finds_a_course_that_nobody_called_for(
    clinic: AlarmClinic, house: "House", smtp_server: Inbox
) -> None:
    """As after an import into the tables: the facts are there, and no message stands for them."""
    from sqlalchemy import text

    from service.store.base import db

    clinic.cancel(0, 1, now=now())
    with db.engine.begin() as connection:
        connection.execute(text("DELETE FROM outbox"))
        connection.execute(text("DELETE FROM assessments"))
    sweeper = Sweeper(house, every=timedelta(seconds=15))

    sweeper.sweep()
    sweeper.sweep()

    assert len(smtp_server.mails) == 1
