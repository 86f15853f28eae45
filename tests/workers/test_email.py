"""Mail by a real server: what it takes, what it refuses, and how long a slow one may hold us up."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from threading import Thread

import pytest

from service.notices import Notice
from tests.servers import Inbox
from workers.channels import CannotSend, Mail, email

MAIL = Mail(
    id="0f8fad5b",
    to="ada@clinic.example",
    notice=Notice(subject="samehour: 1 thing for today", text="Text.\n.\nNach dem Punkt: ü\n", html="<p>Text</p>"),
    sent_at=datetime(2026, 3, 18, 9, tzinfo=UTC),
)
FROM = "samehour@clinic.example"


def test_a_mail_arrives_whole_to_one_person_under_its_own_id(smtp_server: Inbox) -> None:
    email.channel(smtp_server.url, FROM)(MAIL)

    [mail] = smtp_server.mails
    assert smtp_server.recipients == [["ada@clinic.example"]]
    assert mail["Message-ID"] == "<0f8fad5b@clinic.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    text, html = mail.iter_parts()
    assert text.get_content().replace("\r\n", "\n") == MAIL.notice.text
    assert html.get_content_type() == "text/html"


def test_the_readers_settings_are_behind_their_mail_programs_own_button() -> None:
    link = "https://hours.clinic.example/me"
    offered = email.message(replace(MAIL, settings_link=link), FROM)
    assert f"List-Unsubscribe: <{link}>\r\n".encode() in offered.as_bytes()
    assert offered["List-Unsubscribe-Post"] is None, "it needs a sign-in"
    assert email.message(MAIL, FROM)["List-Unsubscribe"] is None


@pytest.mark.parametrize("length", range(60, 90))
def test_a_long_link_stays_a_link(length: int) -> None:
    link = "https://".ljust(length, "a")
    wire = email.message(replace(MAIL, settings_link=link), FROM).as_bytes()
    assert f"List-Unsubscribe: <{link}>\r\n".encode() in wire


@pytest.mark.parametrize(
    ("answer", "said"), [("451 4.7.1 ada@clinic.example: later", "SMTPDataError 451"), ("554 no", "SMTPDataError 554")]
)
def test_a_refusal_is_told_by_its_kind_and_names_nobody(smtp_server: Inbox, answer: str, said: str) -> None:
    smtp_server.answers.append(answer)

    with pytest.raises(CannotSend, match=f"^{said}$"):
        email.channel(smtp_server.url, FROM)(MAIL)


def test_a_server_that_is_away_is_told(smtp_server: Inbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(CannotSend, match="ConnectionRefusedError"):
        email.channel(f"smtp://127.0.0.1:{port}", FROM)(MAIL)


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        held: list[socket.socket] = []

        def hold() -> None:
            try:
                while True:
                    held.append(listening.accept()[0])
            except OSError:
                return

        Thread(target=hold, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        for one in held:
            one.close()


def test_a_server_that_says_nothing_is_left(silent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email, "STEP_SECONDS", 0.2)

    with pytest.raises(CannotSend, match=r"TimeoutError|SMTPServerDisconnected"):
        email.channel(f"smtp://127.0.0.1:{silent}", FROM)(MAIL)


def test_nothing_is_begun_once_the_time_is_over(smtp_server: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email, "WHOLE_SECONDS", 0.5)

    with pytest.raises(CannotSend, match="too slow"):
        email.channel(smtp_server.url, FROM)(MAIL)
    assert smtp_server.mails == []


def test_no_password_goes_out_in_the_open(smtp_server: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the server were on another machine: it offers no TLS, so it is not told the password."""
    monkeypatch.setattr(email, "LOOPBACK", frozenset())
    port = smtp_server.url.rpartition(":")[2]

    with pytest.raises(CannotSend, match="no TLS"):
        email.channel(f"smtp://me:secret@127.0.0.1:{port}", FROM)(MAIL)


def test_all_of_it_ends_before_the_lease() -> None:
    from service.usecases.outbox import LEASE

    assert LEASE.total_seconds() - 5 > email.WHOLE_SECONDS
