"""E-mail by SMTP: one connection, one mail, one recipient.

The whole of it ends before the message's lease does, or a second worker would send it too.
"""

import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from time import monotonic
from urllib.parse import unquote, urlsplit

from service.config import LOOPBACK
from workers.channels import CannotSend, Mail
from workers.channels.headers import address, header, plain

STEP_SECONDS = 8.0
"""For one answer of the server."""
WHOLE_SECONDS = 25.0
"""From here on nothing more is begun; with one last answer it is still less than the lease."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """Out of `smtp://user:password@host:port`, or `smtps://…` for TLS from the first byte."""

    host: str
    port: int
    user: str | None
    password: str
    is_tls: bool

    @staticmethod
    def of(url: str) -> "Server":
        parts = urlsplit(url)
        is_tls = parts.scheme == "smtps"
        usual = 465 if is_tls else 587 if parts.username else 25
        return Server(
            host=parts.hostname or "",
            port=parts.port or usual,
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password or ""),
            is_tls=is_tls,
        )


def channel(url: str, mail_from: str) -> Callable[[Mail], None]:
    """A function that sends by that server."""
    server = Server.of(url)

    def send(mail: Mail) -> None:
        """:raises CannotSend: see there."""
        try:
            _deliver(server, message(mail, mail_from), mail_from=mail_from, to=address(mail.to))
        except smtplib.SMTPResponseException as fault:
            raise CannotSend(f"{type(fault).__name__} {fault.smtp_code}") from None
        except smtplib.SMTPRecipientsRefused as fault:
            codes = sorted({code for code, _said in fault.recipients.values()})
            raise CannotSend(f"SMTPRecipientsRefused {codes[0] if codes else ''}".strip()) from None
        except (smtplib.SMTPException, OSError) as fault:
            raise CannotSend(type(fault).__name__) from None

    return send


def message(mail: Mail, mail_from: str) -> EmailMessage:
    """The mail as it goes over the wire.

    :raises CannotSend: the address is none.
    """
    made = EmailMessage(policy=SMTP)
    made["From"] = address(mail_from)
    made["To"] = address(mail.to)
    made["Subject"] = header(mail.notice.subject)
    made["Date"] = format_datetime(mail.sent_at)
    made["Message-ID"] = f"<{header(mail.id)}@{_domain(mail_from)}>"
    # So that nobody's absence notice answers it, and no list or filter takes it for a person's.
    made["Auto-Submitted"] = "auto-generated"
    made["X-Auto-Response-Suppress"] = "All"
    made.set_content(plain(mail.notice.text), cte="quoted-printable")
    made.add_alternative(plain(mail.notice.html), subtype="html", cte="quoted-printable")
    return made


def _deliver(server: Server, made: EmailMessage, *, mail_from: str, to: str) -> None:
    until = monotonic() + WHOLE_SECONDS
    with _connect(server, _domain(mail_from)) as connection:
        _secure(connection, server)
        _in_time(until)
        if server.user:
            connection.login(server.user, server.password)
        _in_time(until)
        connection.send_message(made, from_addr=mail_from, to_addrs=[to])


def _connect(server: Server, name: str) -> smtplib.SMTP:
    # Our own name is given, or smtplib would ask the name service for it, which can take minutes.
    if server.is_tls:
        return smtplib.SMTP_SSL(
            server.host, server.port, local_hostname=name, timeout=STEP_SECONDS, context=ssl.create_default_context()
        )
    return smtplib.SMTP(server.host, server.port, local_hostname=name, timeout=STEP_SECONDS)


def _secure(connection: smtplib.SMTP, server: Server) -> None:
    """Turn to TLS where the server can; a password never goes out without it, but to this very machine."""
    connection.ehlo_or_helo_if_needed()
    if server.is_tls:
        return
    if connection.has_extn("starttls") and server.host not in LOOPBACK:
        connection.starttls(context=ssl.create_default_context())
        connection.ehlo()
    elif server.user and server.host not in LOOPBACK:
        raise CannotSend("no TLS, and a password to send")


def _in_time(until: float) -> None:
    if monotonic() > until:
        raise CannotSend("the mail server is too slow")


def _domain(mail_from: str) -> str:
    return mail_from.rpartition("@")[2]
