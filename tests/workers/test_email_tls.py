"""Mail over TLS, by STARTTLS and from the first byte: whom we trust, and that no password goes out before."""

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.workers.certificates import ELSEWHERE, HERE, Authority
from tests.workers.test_email import FROM, MAIL
from workers.channels import CannotSend, email


class Guarded:
    """What a mail server with a password heard, and whether it heard it in the open."""

    def __init__(self) -> None:
        self.passwords: list[tuple[bytes, bool]] = []
        self.mails: list[tuple[bytes, bool]] = []

    def login(self, server: SMTP, session: Session, _envelope: Envelope, _how: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.passwords.append((data.password, _is_sealed(server, session)))
        return AuthResult(success=data.password == b"secret")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        self.mails.append((envelope.content, _is_sealed(server, session)))
        return "250 kept"


def _is_sealed(server: SMTP, session: Session) -> bool:
    transport = server.transport
    return session.ssl is not None or (transport is not None and transport.get_extra_info("sslcontext") is not None)


class _Server(Controller):
    def __init__(self, heard: Guarded, *, tls_from_the_first_byte: bool, **more: Any) -> None:
        super().__init__(heard, hostname="127.0.0.1", port=0, authenticator=heard.login, **more)
        self.tls_from_the_first_byte = tls_from_the_first_byte
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]

    def _create_server(self):  # type: ignore[no-untyped-def]
        context = self.ssl_context if self.tls_from_the_first_byte else None
        return self.loop.create_server(self._factory_invoker, sock=self.listening, ssl=context)

    def _trigger_server(self) -> None:
        """The base class would try it out, which needs somebody who trusts it."""
        socket.create_connection(("127.0.0.1", self.port)).close()


Serve = Callable[..., tuple[str, Guarded]]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """`serve(context)` offers STARTTLS, or speaks TLS at once; its address with a password, and what it hears.

    It is met as a server on another machine would be: on this very machine nobody listens in, and no TLS is asked for.
    """
    monkeypatch.setattr(email, "LOOPBACK", frozenset())
    running: list[_Server] = []

    def start(context: ssl.SSLContext | None, *, at_once: bool = False) -> tuple[str, Guarded]:
        heard = Guarded()
        # The server itself would take a password in the open: that none comes is our doing.
        more: dict[str, Any] = {"auth_require_tls": False}
        more |= {"ssl_context": context} if at_once else {"tls_context": context}
        server = _Server(heard, tls_from_the_first_byte=at_once, **more)
        server.start()
        running.append(server)
        return f"{'smtps' if at_once else 'smtp'}://me:secret@127.0.0.1:{server.port}", heard

    yield start
    for one in running:
        one.stop()


@pytest.mark.parametrize("at_once", [False, True], ids=["starttls", "tls-from-the-first-byte"])
def test_password_and_mail_go_sealed_to_whom_our_authority_vouches_for(
    serve: Serve, authority: Authority, at_once: bool
) -> None:
    url, heard = serve(authority.server(HERE), at_once=at_once)

    email.channel(url, FROM, ca_file=authority.file)(MAIL)

    assert heard.passwords == [(b"secret", True)]
    [(mail, is_sealed)] = heard.mails
    assert is_sealed
    assert b"Message-ID: <0f8fad5b@clinic.example>" in mail


@pytest.mark.parametrize("at_once", [False, True], ids=["starttls", "tls-from-the-first-byte"])
@pytest.mark.parametrize("fault", ["nobody vouches", "another name"])
def test_whoever_cannot_prove_who_they_are_hears_nothing(
    serve: Serve, authority: Authority, at_once: bool, fault: str
) -> None:
    url, heard = serve(authority.server(ELSEWHERE if fault == "another name" else HERE), at_once=at_once)
    ca_file = authority.file if fault == "another name" else None

    with pytest.raises(CannotSend, match="SSLCertVerificationError"):
        email.channel(url, FROM, ca_file=ca_file)(MAIL)

    assert (heard.passwords, heard.mails) == ([], [])


def test_a_server_that_offers_no_tls_hears_no_password(serve: Serve) -> None:
    url, heard = serve(None)

    with pytest.raises(CannotSend, match="no TLS"):
        email.channel(url, FROM)(MAIL)

    assert (heard.passwords, heard.mails) == ([], [])


def test_control_without_that_rule_it_hears_it_in_the_open(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    url, heard = serve(None)
    monkeypatch.setattr(email, "_secure", lambda connection, _server: connection.ehlo())

    email.channel(url, FROM)(MAIL)

    assert heard.passwords == [(b"secret", False)]


def test_two_attempts_are_one_message_to_the_reader(serve: Serve, authority: Authority) -> None:
    url, heard = serve(authority.server(HERE))
    send = email.channel(url, FROM, ca_file=authority.file)

    send(MAIL)
    send(MAIL)

    (first, _), (second, _) = heard.mails
    ids = [next(line for line in mail.split(b"\r\n") if line.startswith(b"Message-ID")) for mail in (first, second)]
    assert ids[0] == ids[1]
