"""A whole installation under fire: the web process, two workers, the sweeper, Redis and a mail server, and the ways in
which one of them is struck. Supervised as `samehour up` does it, so what falls comes back by itself.
"""

import json
import os
import random
import re
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from subprocess import Popen
from threading import Lock, Thread
from time import monotonic, sleep

import httpx
import redis
from aiosmtpd.smtp import SMTP, Envelope, Session

from service.commands.embedded import Server
from service.commands.supervisor import Child, Supervisor
from service.commands.up import web_command
from tests.servers import Inbox
from tests.storms.alarmed import Alarmed

ALERT = re.compile(r"/alerts#alert-([0-9a-f-]{36})")
CALLERS = 4
AGAIN_SECONDS = 0.2
ASKED = {"asked_by": "client", "reason": "work"}
DONE = {200, 409}
"""Cancelled, also by an earlier try whose answer was lost."""
REDIS_IS_GONE_SECONDS = 1.0


class Arrivals(Inbox):
    """Notes which alert each mail is about, when it came, and under which Message-ID; by alert."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}
        self.under: dict[str, list[str]] = {}
        super().__init__()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = await super().handle_DATA(server, session, envelope)
        mail = self.mails[-1]
        text = mail.get_body(("plain",))
        assert text is not None
        for alert in dict.fromkeys(ALERT.findall(text.get_content())):
            self.at.setdefault(alert, monotonic())
            self.under.setdefault(alert, []).append(mail["Message-ID"])
        return answer

    @property
    def messages(self) -> Counter[str]:
        """How often each Message-ID came."""
        return Counter(mail["Message-ID"] for mail in self.mails)


class Callers:
    """They cancel one hour after another, and hold back while too many alerts are still on their way."""

    def __init__(self, url: str, clinic: Alarmed, arrivals: Arrivals, *, backlog: int) -> None:
        self.url, self.clinic, self.arrivals, self.backlog = url, clinic, arrivals, backlog
        self.called: dict[str, float] = {}
        """By course, when it was first asked for."""
        self.settled: set[str] = set()
        self.oddities: list[str] = []
        self.waiting = list(clinic.hours)
        self.ends = False
        self.lock = Lock()
        self.threads: list[Thread] = []

    def call(self, number: int) -> None:
        """Start on the next so many."""
        todo, self.waiting = self.waiting[:number], self.waiting[number:]
        self.threads = [Thread(target=self._work, args=(todo,)) for _ in range(CALLERS)]
        for one in self.threads:
            one.start()

    @property
    def are_busy(self) -> bool:
        return any(one.is_alive() for one in self.threads)

    def end(self) -> None:
        self.ends = True
        for one in self.threads:
            one.join()

    def _work(self, todo: list[str]) -> None:
        headers = {"Authorization": f"Bearer {self.clinic.token}"}
        with httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=10, trust_env=False) as http:
            while not self.ends:
                if len(self.called) - len(self.arrivals.at) >= self.backlog:
                    sleep(0.01)
                    continue
                with self.lock:
                    if not todo:
                        return
                    course = todo.pop(0)
                    self.called[course] = monotonic()
                self._cancel(http, course)

    def _cancel(self, http: httpx.Client, course: str) -> None:
        while not self.ends:
            try:
                answer = http.post(f"/appointments/{self.clinic.hours[course]}/cancel", json=ASKED)
            except httpx.TransportError:
                sleep(AGAIN_SECONDS)
                continue
            if answer.status_code in DONE:
                self.settled.add(course)
                return
            if answer.status_code != 503:
                self.oddities.append(f"{answer.status_code} {answer.text[:300]}")
                return
            sleep(AGAIN_SECONDS)


class Weather:
    """The processes, and what befalls them. Use it from the main thread."""

    def __init__(self, environment: Mapping[str, str], redis_server: Server, folder: Path, door: socket) -> None:
        self.redis = redis_server
        self.strike = folder / "strike"
        self.said: list[str] = []
        self.workers: list[str] = []
        self.blows: list[tuple[float, str]] = []
        """When what befell them."""
        self.env = {**os.environ, **environment, "STORM_STRIKE": str(self.strike), "PYTHONUNBUFFERED": "1"}
        self.supervisor = Supervisor(lambda name, line: self.said.append(f"{name}: {line}"), (door.fileno(),))
        self.web = web_command(f"fd://{door.fileno()}")
        self.web[-1] = "tests.storms.struck:from_env()"

    def start(self, *, workers: int, sweeps_every: float | None) -> None:
        """`sweeps_every` in seconds; None: no sweeper."""
        busy = [sys.executable, "-m", "tests.storms.busy"]
        self.supervisor.start("web", self.web, self.env)
        self.workers = [f"worker {number}" for number in range(1, workers + 1)]
        for name in self.workers:
            self.supervisor.start(name, [*busy, "work"], self.env)
        if sweeps_every is not None:
            self.supervisor.start("sweeper", [*busy, "sweep", "--every", str(sweeps_every)], self.env)

    def look(self) -> None:
        """Start again what has ended."""
        self.supervisor.look()

    def befall(self, kind: str, rng: random.Random) -> None:
        """One of KINDS."""
        self.blows.append((monotonic(), kind))
        {
            "worker": lambda: self._kill(rng.choice(self.workers)),
            "sweeper": lambda: self._kill("sweeper"),
            "web": lambda: self._kill("web"),
            "between commit and bell": self.strike.touch,
            "all jobs lost": self._flush,
            "redis": self._lose_redis,
        }[kind]()

    @property
    def struck(self) -> Counter[str]:
        """How often each kind was."""
        return Counter(kind for _at, kind in self.blows)

    @property
    def told(self) -> dict[str, int]:
        """How often the processes said what, apart from when and whom it befell; the most frequent first."""
        return dict(Counter(filter(None, map(_what, self.said))).most_common(20))

    @property
    def kills(self) -> int:
        """Of processes."""
        return len(self.blows) - self.struck["all jobs lost"]

    @contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """It does nothing meanwhile, as if it had much to do; what befalls it then is not to be its own end."""
        process = self._running(name)
        os.killpg(process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGCONT)

    def _kill(self, name: str) -> None:
        os.killpg(self._running(name).pid, signal.SIGKILL)

    def _running(self, name: str) -> Popen[str]:
        child: Child = next(one for one in self.supervisor.children if one.name == name)
        while child.process is None or child.process.poll() is not None:
            self.look()
            sleep(0.05)
        return child.process

    def _flush(self) -> None:
        with redis.Redis.from_url(self.redis.url) as connection:
            connection.flushall()

    def _lose_redis(self) -> None:
        """Killed, everything it kept is gone, and it comes back empty a while later."""
        self.redis.kill()
        for kept in self.redis.folder.glob("appendonlydir"):
            shutil.rmtree(kept)
        sleep(REDIS_IS_GONE_SECONDS)
        self.redis.start_again()


def _what(line: str) -> str | None:
    """The event of a line of log, and the kind of fault."""
    name, _, rest = line.partition(": ")
    try:
        entry = json.loads(rest)
    except ValueError:
        return None
    return " ".join(str(entry[key]) for key in ("event", "topic", "task", "error") if entry.get(key)) + f" ({name})"


KINDS = ("worker", "between commit and bell", "sweeper", "all jobs lost", "redis", "web")


@contextmanager
def weather(
    environment: Mapping[str, str],
    redis_server: Server,
    folder: Path,
    door: socket,
    *,
    workers: int = 2,
    sweeps_every: float | None,
) -> Iterator[Weather]:
    found = Weather(environment, redis_server, folder, door)
    found.start(workers=workers, sweeps_every=sweeps_every)
    try:
        yield found
    finally:
        found.supervisor.stop()
