"""The webhooks page: enter one, see its secret once, change it, and everything else that can be done with it."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from service import clock, language
from service.domain.access import OPERATOR, Role
from service.domain.event import EVENTS
from service.usecases import outbox, webhooks
from service.usecases.webhooks import Answer
from tests.web.conftest import Reader
from tests.web.test_every_word_can_be_translated import Marking, unmarked

if TYPE_CHECKING:
    from flask import Flask

URL = "https://example.com/hook"
Readers = Callable[[Role], Reader]


def enter(manager: Reader, **form: object) -> tuple[str, str]:
    """Its id, and the page with the secret."""
    answer = manager.post("/webhooks", **{"name": "Billing", "url": URL, "events": list(EVENTS), **form})
    assert answer.status_code == 200
    found = re.search(r'action="/webhooks/([0-9a-f-]{36})/test"', answer.text)
    assert found
    return found[1], answer.text


def test_one_is_entered_and_its_secret_is_shown_once(reader: Readers, app: "Flask", now: datetime) -> None:
    manager = reader(Role.MANAGER)
    assert "No program is told yet" in manager.get("/webhooks").text
    hook, page = enter(manager)
    assert "whsec_" in page
    assert "whsec_" not in manager.get(f"/webhooks/{hook}").text
    assert "Billing" in manager.get("/webhooks").text
    with app.app_context():
        [one] = webhooks.listed(by=OPERATOR, now=now)
    assert one.events == ("*",)
    assert 'href="/webhooks"' in manager.get("/people").text


def test_it_is_told_what_was_ticked(reader: Readers, app: "Flask", now: datetime) -> None:
    manager = reader(Role.ADMIN)
    hook, _page = enter(manager, events=["absence.added", "alert.opened"])
    page = manager.get(f"/webhooks/{hook}").text
    assert page.count("checked") == 2
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version
    form = {"name": "Books", "url": URL, "events": ["alert.opened"], "version": version[1]}
    assert manager.post(f"/webhooks/{hook}", **form).status_code == 303
    assert manager.post(f"/webhooks/{hook}", **form).status_code == 409
    with app.app_context():
        [one] = webhooks.listed(by=OPERATOR, now=now)
    assert (one.name, one.events) == ("Books", ("alert.opened",))


def test_it_is_paused_goes_on_gets_a_new_secret_and_is_deleted(reader: Readers) -> None:
    manager = reader(Role.MANAGER)
    hook, _page = enter(manager)
    assert manager.post(f"/webhooks/{hook}/pause").status_code == 303
    page = manager.get(f"/webhooks/{hook}").text
    assert "paused" in page and "kept for seven days" in page and ">Send a test<" not in page
    assert manager.post(f"/webhooks/{hook}/resume").status_code == 303
    assert "whsec_" in manager.post(f"/webhooks/{hook}/rotate", overlap_hours="24").text
    assert "The old secret signs too until" in manager.get(f"/webhooks/{hook}").text
    assert manager.post(f"/webhooks/{hook}/rotate", overlap_hours="25").status_code == 422
    assert manager.post(f"/webhooks/{hook}/delete").location == "/webhooks"
    assert manager.get(f"/webhooks/{hook}").status_code == 404


def test_the_log_says_how_it_went_and_sends_again(reader: Readers, app: "Flask") -> None:
    manager = reader(Role.MANAGER)
    hook, _page = enter(manager)
    assert manager.post(f"/webhooks/{hook}/test").status_code == 303
    with app.app_context():
        _deliver(Answer(status=500, fault="refused", ms=7), clock.now())
    page = manager.get(f"/webhooks/{hook}").text
    assert "It did not take it." in page and "500, 7 ms" in page and "Next try" in page
    assert "It did not take it." in manager.get("/webhooks").text
    [again] = re.findall(rf'action="(/webhooks/{hook}/messages/[^"]+/replay)"', page)
    assert manager.post(again).status_code == 303
    with app.app_context():
        _deliver(Answer(status=204, fault=None), clock.now())
    page = manager.get(f"/webhooks/{hook}").text
    assert "delivered" in page and page.count("/replay") == 1


def _deliver(answer: Answer, now: datetime) -> None:
    """What a worker would do, with that answer."""
    for message in outbox.due(now=now):
        taken = outbox.take(message=message, now=now)
        if taken is None or taken.topic != "webhook.send":
            continue
        parcel = webhooks.parcel(message=message, attempt=taken.attempt, now=now)
        assert parcel is not None
        wait = webhooks.note(parcel=parcel, answer=answer, now=now)
        if wait is None:
            outbox.done(message=message, attempt=taken.attempt, now=now)
        else:
            outbox.failed(message=message, attempt=taken.attempt, error="refused", wait=wait, now=now)


@pytest.mark.parametrize("url", ["http://example.com/", "https://localhost/", "https://me@example.com/", "example.com"])
def test_an_address_that_may_not_be_sent_to_is_said_so(reader: Readers, url: str) -> None:
    """In the page, with what was typed still there."""
    manager = reader(Role.MANAGER)
    answer = manager.post("/webhooks", name="Billing", url=url, events=["alert.opened"])
    assert answer.status_code == 422
    assert f'value="{url}"' in answer.text and 'value="Billing"' in answer.text
    assert answer.text.count("checked") == 1
    hook, _page = enter(manager)
    answer = manager.post(f"/webhooks/{hook}", name="Books", url=url, events=["alert.opened"])
    assert answer.status_code == 422
    assert f'value="{url}"' in answer.text and 'value="Books"' in answer.text


def test_nothing_ticked_is_said_so(reader: Readers) -> None:
    answer = reader(Role.MANAGER).post("/webhooks", name="Billing", url=URL)
    assert answer.status_code == 422
    assert "Choose at least one" in answer.text


def test_every_word_can_be_translated(reader: Readers, app: "Flask", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "speaker", lambda _locale: Marking())
    manager = reader(Role.MANAGER)
    pages = [manager.get("/webhooks").text]
    hook, page = enter(manager, name="Phone")
    pages.append(page)
    with app.app_context():
        for fault, status in (("refused", 500), ("no_answer", None)):
            webhooks.test(webhook=hook, by=OPERATOR, now=clock.now())
            _deliver(Answer(status=status, fault=fault, ms=7), clock.now())
    pages += [manager.get("/webhooks").text, manager.get(f"/webhooks/{hook}").text]
    manager.post(f"/webhooks/{hook}/rotate", overlap_hours="3")
    manager.post(f"/webhooks/{hook}/pause")
    pages += [manager.get(f"/webhooks/{hook}").text, manager.get("/webhooks").text]
    pages.append(manager.post("/webhooks", name="Phone", url="http://example.com/", events=list(EVENTS)).text)
    found = [[word for word in unmarked(page) if not word.startswith("whsec_") and "-" not in word] for page in pages]
    assert found == [[]] * len(pages)
