"""The pages about mail to clients: turn it on, write a text, see it in a mail; and what a client agreed to."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from service import language
from service.domain.access import OPERATOR, Role
from service.domain.client_mail import GRACE, ClientMail
from service.usecases import appointments, client_letters, client_mail, clients, outbox
from tests.clinic import Clinic
from tests.web.conftest import Reader
from tests.web.test_every_word_can_be_translated import Marking, unmarked

if TYPE_CHECKING:
    from flask import Flask

Readers = Callable[[Role], Reader]
ON = {"is_on": "yes", "kinds": ["reminder", "moved"], "hours_before": "24", "clinic": "Clinic on the Quay"}


def test_it_is_off_and_a_manager_turns_it_on(reader: Readers, app: "Flask") -> None:
    manager = reader(Role.MANAGER)
    assert 'href="/client-mail"' in manager.get("/clients").text
    assert 'href="/client-mail"' not in reader(Role.FRONT_DESK).get("/clients").text
    assert '<span class="chip">off</span>' in manager.get("/client-mail").text

    answer = manager.post("/client-mail", **ON, sign_off="The desk\r\nTelephone 000", version="0")
    assert answer.status_code == 303
    page = manager.get("/client-mail").text
    assert '<span class="chip">on</span>' in page
    assert "The desk\nTelephone 000" in page
    with app.app_context():
        choice = client_mail.show(by=OPERATOR).choice
    assert (choice.hours_before, sorted(choice.kinds), choice.counts_as_told) == (24, ["moved", "reminder"], False)


def test_what_can_not_be_is_said_above_what_was_typed(reader: Readers) -> None:
    manager = reader(Role.MANAGER)
    answer = manager.post("/client-mail", **{**ON, "clinic": "", "sign_off": "kept as typed"})

    assert answer.status_code == 422
    assert "each mail says who writes" in answer.text
    assert "kept as typed" in answer.text
    assert 'value="booked"> ' in answer.text
    assert manager.post("/client-mail", **ON, version="7").status_code == 409


def test_a_text_is_seen_in_a_mail_before_it_is_kept(reader: Readers, app: "Flask") -> None:
    manager = reader(Role.MANAGER)
    path = "/client-mail/reminder/de"
    text = "Bis {date}, {time} <b>bald</b>"
    seen = manager.post(path, text=text, preview="yes").text
    assert "Uhr" in seen or "15:00" in seen
    assert "&lt;b&gt;bald&lt;/b&gt;" in seen
    assert "standard text" in seen

    assert manager.post(path, text=text).status_code == 303
    assert "your own text" in manager.get("/client-mail").text
    wrong = manager.post(path, text="Bis bald, {name}")
    assert wrong.status_code == 422
    assert "“name” can&#39;t be filled in here" in wrong.text
    assert "Bis bald, {name}" in wrong.text

    assert manager.post(path, text="", reset="yes").status_code == 303
    assert "your own text" not in manager.get("/client-mail").text


@pytest.mark.parametrize("path", ["/client-mail/other/de", "/client-mail/reminder/xx"])
def test_a_text_that_is_none_of_ours_is_not_shown(reader: Readers, path: str) -> None:
    assert reader(Role.MANAGER).get(path).status_code in {404, 422}


def test_a_client_says_so_at_the_desk(reader: Readers, app: "Flask", clinic: Clinic) -> None:
    desk = reader(Role.FRONT_DESK)
    path = f"/clients/{clinic.clients[0]}"
    form = {"name": "Client One", "phone": "", "mailed": "yes", "locale": "de_AT"}
    refused = desk.post(path, **form, email="")
    assert refused.status_code == 422
    assert "To mail them, enter one e-mail address." in refused.text
    assert 'name="mailed" value="yes" checked' in refused.text

    assert desk.post(path, **form, email="one@clients.example").status_code == 303
    page = desk.get(path).text
    assert 'name="mailed" value="yes" checked' in page
    assert '<option value="de_AT" lang="de-AT" selected>' in page
    desk.post(path, name="Client One", email="", phone="", locale="")
    assert 'name="mailed" value="yes" checked' not in desk.get(path).text
    assert "they agreed" not in reader(Role.THERAPIST).get(path).text


def test_an_hours_page_says_when_it_was_mailed(reader: Readers, app: "Flask", clinic: Clinic, now: datetime) -> None:
    with app.app_context():
        client_mail.choose(wanted=ClientMail(is_on=True, clinic="Clinic"), by=OPERATOR, now=now)
        clients.change(client=clinic.clients[0], email="one@clients.example", may_be_mailed=True, by=OPERATOR, now=now)
        hour = clinic.hour(0, weeks=2)
        to = appointments.Destination(starts=hour.starts + timedelta(hours=5))
        appointments.move(
            appointment_id=hour.id, to=to, asked_by=appointments.Initiator.CLIENT, reason="work", by=OPERATOR, now=now
        )
    assert "Mailed to the client" not in reader(Role.FRONT_DESK).get(f"/appointments/{hour.id}").text
    with app.app_context():
        for message in outbox.due(now=now + GRACE):
            taken = outbox.take(message=message, now=now + GRACE)
            if taken is not None and taken.topic == "client.mail":
                letter = client_letters.letter(message=message, attempt=taken.attempt, now=now + GRACE)
                assert letter is not None
                client_letters.note_sent(letter=letter, now=now + GRACE)

    assert "Mailed to the client" in reader(Role.FRONT_DESK).get(f"/appointments/{hour.id}").text


def test_every_word_of_these_pages_can_be_translated(reader: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = reader(Role.MANAGER)
    monkeypatch.setitem(language._speakers(), "en_GB", Marking())  # type: ignore[index]
    for path in ("/client-mail", "/client-mail/moved/en"):
        assert unmarked(manager.get(path).text) == [], path
