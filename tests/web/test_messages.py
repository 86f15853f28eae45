"""The page of messages that are stuck, and the counts beside the words of the rail."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from service import clock, language
from service.domain.absences import AbsenceKind
from service.domain.access import OPERATOR, Role
from service.domain.hours import midnight
from service.usecases import absences, alerts, consistency, outbox
from service.web import words
from tests.clinic import Clinic
from tests.web.conftest import Reader
from tests.web.test_every_word_can_be_translated import Marking, unmarked
from workers.topics import JOBS

if TYPE_CHECKING:
    from flask import Flask

Readers = Callable[[Role], Reader]


def give_up(count: int) -> list[str]:
    """Public ids of so many messages whose ten attempts were in vain. Call it in the app's context."""
    return [_try_in_vain(message) for message in outbox.due(now=clock.now())[:count]]


def _try_in_vain(message: int) -> str:
    for attempt in range(1, outbox.ATTEMPTS + 1):
        now = clock.now() + timedelta(days=attempt)
        taken = outbox.take(message=message, now=now)
        assert taken is not None
        if not outbox.failed(message=message, attempt=attempt, error="ConnectionRefusedError", now=now):
            return taken.id
    raise AssertionError(message)


def state_of(app: "Flask", name: str) -> str:
    with app.app_context():
        states = ("pending", "done", "superseded", "dead", "dropped")
        found = outbox.listed(states=states, limit=500, by=OPERATOR, now=clock.now())
        return next(one.state for one in found if one.id == name)


def test_what_was_given_up_is_shown_counted_tried_again_and_dropped(
    reader: Readers, app: "Flask", clinic: Clinic
) -> None:
    manager, admin = reader(Role.MANAGER), reader(Role.ADMIN)
    assert "Everything was delivered" in manager.get("/messages").text
    assert 'class="count"' not in manager.get("/today").text
    with app.app_context():
        names = give_up(3)
    for page in (manager.get("/messages").text, admin.get("/messages").text):
        assert "Tried 10 times over three days, and given up: 3 looks at courses." in page
        assert "The course is looked at again with its next change." in page
        assert "a look at a course" in page and "ConnectionRefusedError" in page
        assert all(name in page for name in names)
        assert " 3 could not be delivered</span>" in page
    assert "/drop" not in manager.get("/messages").text
    assert manager.post(f"/messages/{names[0]}/drop").status_code == 403
    assert manager.post(f"/messages/{names[0]}/retry").status_code == 303
    assert admin.post(f"/messages/{names[1]}/drop").status_code == 303
    assert [state_of(app, name) for name in names] == ["pending", "dropped", "dead"]
    assert manager.post("/messages/retry").status_code == 303
    assert "1 message is tried again." in manager.get("/messages").text
    assert state_of(app, names[2]) == "pending"
    assert admin.post(f"/messages/{names[1]}/retry").status_code == 409


def test_each_kind_of_message_is_named_and_what_it_means_that_it_was_given_up() -> None:
    assert words.TOPIC.keys() == words.COUNTED.keys() == words.IN_VAIN.keys() == JOBS.keys()
    topics = ["webhook.send", "notice.mail", "client.mail", "notice.mail", "notice.chat", "a.newer.one"]
    assert str(words.kinds_of(topics)).split(", ") == [
        "1 a.newer.one",
        "1 mail to a client",
        "1 chat message to somebody here",
        "2 mails about alerts",
        "1 message to a program",
    ]


def test_what_waits_too_long_is_shown_and_what_is_on_its_way_is_not(
    reader: Readers, app: "Flask", clinic: Clinic
) -> None:
    with app.app_context():
        now = clock.now()
        [tried, *_fresh] = outbox.due(now=now)
        taken = outbox.take(message=tried, now=now)
        assert taken is not None
        outbox.failed(message=tried, attempt=1, error="TimeoutError", now=now)
    page = reader(Role.MANAGER).get("/messages").text
    assert "Waiting too long" in page and page.count("/retry") == 1
    assert taken.id in page and "TimeoutError" in page


def test_the_desk_and_therapists_see_no_such_page(reader: Readers, clinic: Clinic) -> None:
    for role in (Role.FRONT_DESK, Role.THERAPIST):
        assert reader(role).get("/messages").status_code == 403
        assert 'href="/messages"' not in reader(role).get("/today").text


def test_the_rail_counts_the_alerts_that_wait_for_the_reader(
    reader: Readers, app: "Flask", clinic: Clinic, now: datetime
) -> None:
    therapist, desk = reader(Role.THERAPIST), reader(Role.FRONT_DESK)
    with app.app_context():
        begins = midnight(clinic.monday + timedelta(weeks=1))
        absences.add(
            kind=AbsenceKind.LEAVE, therapist=clinic.therapists[0], since=begins, until=begins + timedelta(days=7),
            by=OPERATOR, now=now,
        )  # fmt: skip
        for course in clinic.courses:
            consistency.assess(course=course, now=now)
        whose = [one for one in alerts.listed(by=OPERATOR, now=now) if one.therapist == clinic.therapists[0]]
    assert len(whose) > 1
    page = therapist.get("/alerts").text
    assert f" {len(whose)} wait for an answer</span>" in page
    assert "for an answer" not in desk.get("/today").text
    for one in whose:
        therapist.post(f"/alerts/{one.id}/acknowledge")
    assert "for an answer" not in therapist.get("/today").text


def test_every_word_can_be_translated(
    reader: Readers, app: "Flask", clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(language, "speaker", lambda _locale: Marking())
    admin = reader(Role.ADMIN)
    pages = [admin.get("/messages").text]
    with app.app_context():
        give_up(2)
        now = clock.now()
        tried = outbox.due(now=now)[0]
        outbox.take(message=tried, now=now)
        outbox.failed(message=tried, attempt=1, error="TimeoutError", now=now)
    pages.append(admin.get("/messages").text)
    assert [[word for word in unmarked(page) if "-" not in word] for page in pages] == [[], []]
