"""A program elsewhere, as webhooks meet it: a real web server on this machine that keeps what it was sent."""

import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Condition, Event
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks import Webhook

from tests.workers.house import House, serving


@dataclass(frozen=True, kw_only=True)
class Got:
    """One request."""

    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """What it says. :raises WebhookVerificationError: it was not signed with that secret."""
        return Webhook(secret).verify(self.body, dict(self.headers))


@dataclass(kw_only=True)
class Receiver:
    """`answers` are given in turn, the last one again and again: a status, headers, a body."""

    server: ThreadingHTTPServer
    is_tls: bool
    answers: list[tuple[int, Mapping[str, str], bytes]] = field(default_factory=lambda: [(204, {}, b"")])
    got: list[Got] = field(default_factory=list)
    changed: Condition = field(default_factory=Condition)
    answers_at_once: Event = field(default_factory=Event)
    """While it is not set, whoever asks has to wait."""

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    @property
    def url(self) -> str:
        return f"{'https' if self.is_tls else 'http'}://127.0.0.1:{self.port}/hook"

    def answer(self, *statuses: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> None:
        self.answers = [(status, headers or {}, body) for status in statuses]

    def take(self, request: Got) -> tuple[int, Mapping[str, str], bytes]:
        with self.changed:
            self.got.append(request)
            self.changed.notify_all()
        self.answers_at_once.wait(60)
        with self.changed:
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def wait_for(self, number: int, within_seconds: float = 60.0) -> list[Got]:
        """The requests, once there are so many."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.got) >= number, within_seconds), len(self.got)
            return list(self.got)


@contextmanager
def receiver(trust: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver that listens on this machine alone, by TLS where it is given a certificate."""
    server = House(("127.0.0.1", 0), _Door)
    if trust is not None:
        server.socket = trust.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    found = Receiver(server=server, is_tls=trust is not None)
    server.found = found  # type: ignore[attr-defined]
    found.answers_at_once.set()
    with serving(server):
        yield found
        found.answers_at_once.set()


class _Door(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, more, said = self.server.found.take(Got(path=self.path, headers=headers, body=body))  # type: ignore[attr-defined]
        self.send_response(status)
        for name, value in {"Content-Length": str(len(said)), **more}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST  # noqa: N815  the server looks for that name

    def log_message(self, *_: object) -> None:
        """Nothing: the test asks the receiver."""


@dataclass(frozen=True, kw_only=True)
class Papers:
    """A certificate for some hosts, and who trusts it."""

    server: ssl.SSLContext
    client: ssl.SSLContext


def papers(folder: Path, hosts: Iterable[str]) -> Papers:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([_as_name(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "papers.pem").write_bytes(pem + secret)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "papers.pem")
    client = ssl.create_default_context(cadata=pem.decode())
    return Papers(server=server, client=client)


def _as_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
