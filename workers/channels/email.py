"""E-mail by SMTP: one connection, one mail, one recipient.

The whole of it ends before the message's lease does, or a second worker would send it too.
"""

import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.header import Header
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from pathlib import Path
from time import monotonic
from urllib.parse import unquote, urlsplit

from service.config import LOOPBACK
from workers.channels import CalendarFile, CannotSend, Mail
from workers.channels.headers import address, header, plain

STEP_SECONDS = 8.0
"""For one answer of the server."""
WHOLE_SECONDS = 24.0
"""For all of them together: less than the lease, whatever the server does."""


LINK = "List-Unsubscribe"


class _Wire(EmailPolicy):
    """As Python writes heads, but for two of them.

    Python loses or doubles spaces where it breaks a line, and writes a long link as encoded words, which are no link.
    """

    def fold_binary(self, name: str, value: str) -> bytes:
        if name == "Subject" and not value.isascii():
            return f"{name}: {Header(str(value), 'utf-8', header_name=name).encode(linesep=self.linesep)}\r\n".encode()
        if name in {"Subject", LINK} and value.isascii():
            return f"{name}: {value}\r\n".encode()
        return super().fold_binary(name, value)


_WIRE: EmailPolicy = _Wire(linesep="\r\n")


@dataclass(frozen=True, kw_only=True)
class Server:
    """Out of `smtp://user:password@host:port`, or `smtps://…` for TLS from the first byte."""

    host: str
    port: int
    user: str | None
    password: str
    is_tls: bool
    ca_file: Path | None = None
    """Certificates (PEM) that may vouch for it, beside those that the machine trusts."""

    @staticmethod
    def of(url: str, ca_file: Path | None = None) -> "Server":
        parts = urlsplit(url)
        is_tls = parts.scheme == "smtps"
        usual = 465 if is_tls else 587 if parts.username else 25
        return Server(
            host=parts.hostname or "",
            port=parts.port or usual,
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password or ""),
            is_tls=is_tls,
            ca_file=ca_file,
        )

    def trust(self) -> ssl.SSLContext:
        """Its name must stand in its certificate, and somebody known must vouch for that."""
        context = ssl.create_default_context()
        if self.ca_file is not None:
            context.load_verify_locations(self.ca_file)
        return context


def channel(url: str, mail_from: str, *, ca_file: Path | None = None) -> Callable[[Mail], None]:
    """A function that sends by that server."""
    server = Server.of(url, ca_file)

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
    made = EmailMessage(policy=_WIRE)
    made["From"] = address(mail_from)
    made["To"] = address(mail.to)
    made["Subject"] = header(mail.notice.subject)
    made["Date"] = format_datetime(mail.sent_at)
    made["Message-ID"] = f"<{header(mail.id)}@{_domain(mail_from)}>"
    # So that nobody's absence notice answers it, and no list or filter takes it for a person's.
    made["Auto-Submitted"] = "auto-generated"
    made["X-Auto-Response-Suppress"] = "All"
    if mail.settings_link is not None:
        # No List-Unsubscribe-Post: what one is sent is chosen after signing in, never by whoever has the mail.
        made[LINK] = f"<{header(mail.settings_link)}>"
    made.set_content(plain(mail.notice.text), cte="quoted-printable")
    made.add_alternative(plain(mail.notice.html), subtype="html", cte="quoted-printable")
    if mail.calendar is not None:
        _attach(made, mail.calendar)
    return made


def _attach(made: EmailMessage, file: CalendarFile) -> None:
    # In base64: a mail server may change line ends and long lines, and then a calendar program reads none of it.
    made.add_attachment(
        file.body,
        maintype="text",
        subtype="calendar",
        filename=header(file.name),
        params={"method": "PUBLISH", "charset": "utf-8"},
    )


def _deliver(server: Server, made: EmailMessage, *, mail_from: str, to: str) -> None:
    until = monotonic() + WHOLE_SECONDS
    with _connect(server, _domain(mail_from)) as connection:
        _hurry(connection, until)
        _secure(connection, server)
        if server.user:
            _hurry(connection, until)
            connection.login(server.user, server.password)
        _hurry(connection, until)
        code, said = connection.mail(mail_from)
        if code != 250:
            raise smtplib.SMTPSenderRefused(code, said, mail_from)
        code, said = connection.rcpt(to)
        if code not in {250, 251}:
            raise smtplib.SMTPRecipientsRefused({to: (code, said)})
        _hurry(connection, until)
        code, said = connection.data(made.as_bytes())
        if code != 250:
            raise smtplib.SMTPDataError(code, said)


def _hurry(connection: smtplib.SMTP, until: float) -> None:
    """Let each of the next three answers take a third of what is left, at most."""
    left = until - monotonic()
    if left < 1 or connection.sock is None:
        raise CannotSend("the mail server is too slow")
    connection.sock.settimeout(min(STEP_SECONDS, left / 3))


def _connect(server: Server, name: str) -> smtplib.SMTP:
    # Our own name is given, or smtplib would ask the name service for it, which can take minutes.
    if server.is_tls:
        return smtplib.SMTP_SSL(
            server.host, server.port, local_hostname=name, timeout=STEP_SECONDS, context=server.trust()
        )
    return smtplib.SMTP(server.host, server.port, local_hostname=name, timeout=STEP_SECONDS)


def _secure(connection: smtplib.SMTP, server: Server) -> None:
    """Turn to TLS where the server can; a password never goes out without it, but to this very machine."""
    connection.ehlo_or_helo_if_needed()
    if server.is_tls:
        return
    if connection.has_extn("starttls") and server.host not in LOOPBACK:
        connection.starttls(context=server.trust())
        connection.ehlo()
    elif server.user and server.host not in LOOPBACK:
        raise CannotSend("no TLS, and a password to send")


def _domain(mail_from: str) -> str:
    return mail_from.rpartition("@")[2]
