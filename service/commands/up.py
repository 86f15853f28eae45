"""`samehour up`: everything a clinic needs on one machine, from one command, ended by Ctrl-C."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import click
import httpx

from service.commands import embedded, own_keys
from service.commands.supervisor import Supervisor, tethered

SAMEHOUR = [sys.executable, "-m", "service.commands"]
READY_WITHIN_SECONDS = 120.0
LOCK_WITHIN_SECONDS = 5.0


class CannotStart(click.ClickException):
    """Something on this machine stands in the way; the message says what to do about it."""


@click.command("up")
@click.option("--demo", is_flag=True, help="Fill an empty database with an invented clinic and print sign-in links.")
@click.option("--port", default=8000, show_default=True, help="Where the pages answer, on this machine alone.")
def up(demo: bool, port: int) -> None:
    """Start Redis, web, worker and sweeper on this machine, and keep them running until Ctrl-C.

    Data and keys live in .data/ (or SAMEHOUR_DATA). SAMEHOUR_REDIS_URL and SAMEHOUR_DATABASE_URL replace the
    embedded Redis and SQLite.
    """
    data_dir = Path(os.environ.get("SAMEHOUR_DATA", ".data")).resolve()
    own_keys.make_missing(data_dir, os.environ)
    with _alone_in(data_dir) as lock:
        _refuse_taken(port)
        supervisor = Supervisor(_say, keep_open=(lock,))
        _end_on_signals(supervisor)
        try:
            _run(supervisor, _environment(os.environ, data_dir, port, demo), data_dir, port, demo)
        finally:
            supervisor.stop()


def _run(supervisor: Supervisor, env: dict[str, str], data_dir: Path, port: int, demo: bool) -> None:
    _start_redis(supervisor, env, data_dir)
    _ask("init", env)
    if demo:
        _ask("demo", env)
    supervisor.start("web", web_command(f"127.0.0.1:{port}"), env)
    supervisor.start("worker", [sys.executable, "-m", "workers", "work"], env)
    supervisor.start("sweeper", [sys.executable, "-m", "workers", "sweep"], env)
    if _becomes_ready(supervisor, port):
        click.echo(f"\nsamehour is ready at {env['SAMEHOUR_PUBLIC_URL']}   (Ctrl-C ends it)\n")
        if demo:
            _ask("links", env)
    supervisor.run()


def _start_redis(supervisor: Supervisor, env: dict[str, str], data_dir: Path) -> None:
    given = env.get("SAMEHOUR_REDIS_URL") or env.get("REDIS_URL")
    if given:
        env["SAMEHOUR_REDIS_URL"] = given
        return
    try:
        plan = embedded.plan(data_dir / "redis")
        supervisor.start("redis", plan.command, env)
        embedded.wait_until_ready(plan.url)
    except embedded.CannotFindRedis as reason:
        raise CannotStart(str(reason)) from None
    except embedded.CannotStartRedis as reason:
        raise CannotStart(f"{reason} See {data_dir / 'redis' / embedded.LOG}.") from None
    env["SAMEHOUR_REDIS_URL"] = plan.url


def _environment(given: Mapping[str, str], data_dir: Path, port: int, demo: bool) -> dict[str, str]:
    env = {**given, "SAMEHOUR_DATA": str(data_dir), "PYTHONUNBUFFERED": "1"}
    env.setdefault("SAMEHOUR_PUBLIC_URL", f"http://127.0.0.1:{port}")
    env.setdefault("SAMEHOUR_LOG_LEVEL", "warning")  # a line for each request would bury the sign-in links
    if demo:
        env["SAMEHOUR_DEMO"] = "yes"
    return env


def web_command(bind: str) -> list[str]:
    """gunicorn on `bind`, in one process: SQLite has one writer at a time, and one process hands turns out fairly."""
    size = ["--workers", "1", "--threads", "8", "--graceful-timeout", "10"]
    quiet = ["--no-control-socket", "--log-level", "warning"]
    return [sys.executable, "-m", "gunicorn", "--bind", bind, *size, *quiet, "service.app:from_env()"]


def _ask(command: str, env: Mapping[str, str]) -> None:
    """Run one samehour command to its end; what it prints is for the person who started us."""
    if subprocess.run(tethered([*SAMEHOUR, command]), env=dict(env), check=False).returncode:
        raise CannotStart(f"`samehour {command}` didn't finish; what it said stands above.")


def _becomes_ready(supervisor: Supervisor, port: int) -> bool:
    """Wait until the pages answer, looking after the children meanwhile; False when asked to end before that.

    :raises CannotStart: not within two minutes, which is many times what it takes.
    """
    until = monotonic() + READY_WITHIN_SECONDS
    while not supervisor.ending.is_set():
        if _answers(port):
            return True
        if monotonic() > until:
            raise CannotStart("The pages don't answer; the lines above say why.")
        supervisor.look()
        sleep(0.1)
    return False


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=2, trust_env=False).is_success
    except httpx.TransportError:
        return False


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as reason:
            raise CannotStart(f"Port {port} can't be used ({reason.strerror}); name another one with --port.") from None


@contextmanager
def _alone_in(data_dir: Path) -> Iterator[int]:
    """Hold a lock on the data. Two Redis servers on one append-only file would ruin it, so a second `up` is refused.

    The children hold the lock too: after a kill, the next start waits here until the old Redis has closed its files.
    """
    with (data_dir / "up.lock").open("w") as lock:
        until = monotonic() + LOCK_WITHIN_SECONDS
        while not _locks(lock.fileno()):
            if monotonic() > until:
                raise CannotStart(f"samehour is already running on {data_dir}.")
            sleep(0.1)
        yield lock.fileno()


def _locks(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _end_on_signals(supervisor: Supervisor) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: supervisor.end())


def _say(name: str, line: str) -> None:
    click.echo(f"{name:>8} | {line}")
