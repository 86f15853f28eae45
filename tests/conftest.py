"""Fixtures that every test may ask for, and the list of what could not run on this machine.

Ask for `database_url` and the test runs on SQLite and on PostgreSQL, each time on a database of its own with the newest
schema. `redis_url`, `redis_server`, `smtp_server` and `page` are real too. Nothing is skipped in silence: what could
not run is listed at the end, and under CI that fails the run.
"""

import base64
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import redis

from service.commands.embedded import CannotFindRedis, Server
from service.commands.up import web_command
from tests.servers import CHROMIUM_ARGUMENTS, CannotRunHere, Inbox, PostgreSQL, Program, find_chromium

if TYPE_CHECKING:  # these take a while to load, and most tests need neither a page nor the app
    from flask import Flask
    from flask.testing import FlaskClient
    from playwright.sync_api import Browser, ConsoleMessage, Page

    from service.config import Settings

ENGINES = ("sqlite", "postgresql")

# A developer's own settings must not reach a test; a test names all it needs.
for name in [it for it in os.environ if it.startswith("SAMEHOUR_")] + ["REDIS_URL", "DATABASE_URL"]:
    os.environ.pop(name, None)


# --- what could not run here

NOT_RUN = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[NOT_RUN] = []
    config.pluginmanager.register(_NotRun(config), "not-run-here")


class _NotRun:
    """Collects every test that did not run, for whatever reason, so that none is lost among the dots."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.is_worker = hasattr(config, "workerinput")

    @property
    def tests(self) -> list[str]:
        return self.config.stash[NOT_RUN]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self._note(report.nodeid, report.longrepr)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._note(report.nodeid, report.longrepr)

    def _note(self, test: str, reason: object) -> None:
        self.tests.append(f"{test}: {reason[2] if isinstance(reason, tuple) else reason}")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.tests and os.environ.get("CI") and not self.is_worker and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.tests:
            return
        terminalreporter.section("not run here", red=bool(os.environ.get("CI")))
        for test in self.tests:
            terminalreporter.line(test)
        if os.environ.get("CI"):
            terminalreporter.line(f"{len(self.tests)} not run, which under CI is a failure.", red=True)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup() -> Iterator[None]:
    try:
        return (yield)
    except (CannotRunHere, CannotFindRedis) as reason:
        raise pytest.skip.Exception(f"not run here: {reason}") from None


# --- databases


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """The server itself, for tests that kill it or look inside; one per test process."""
    server = PostgreSQL()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the newest schema, made by `samehour init`, to copy from."""
    file = tmp_path_factory.mktemp("template") / "samehour.sqlite"
    samehour("init", data_dir=file.parent, SAMEHOUR_DATABASE_URL=f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database with the newest schema, made by `samehour init`, to copy from."""
    name = postgresql.create()
    samehour("init", data_dir=tmp_path_factory.mktemp("template"), SAMEHOUR_DATABASE_URL=postgresql.url(name))
    return name


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    file = tmp_path / "samehour.sqlite"
    shutil.copyfile(migrated_sqlite, file)
    return f"sqlite:///{file}"


@pytest.fixture
def postgres_url(postgresql: PostgreSQL, migrated_postgresql: str) -> Iterator[str]:
    name = postgresql.create(template=migrated_postgresql)
    yield postgresql.url(name)
    postgresql.drop(name)


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest) -> str:
    """A database of the test's own, with the newest schema: once on SQLite, once on PostgreSQL."""
    url: str = request.getfixturevalue({"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param])
    return url


@pytest.fixture(params=ENGINES)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table, for tests of the migrations themselves."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite'}"
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    name = server.create()
    yield server.url(name)
    server.drop(name)


def samehour(*arguments: str, data_dir: Path, **env: str) -> str:
    """Run the command as a person would, on its own data; returns what it printed, stops the test if it failed."""
    done = subprocess.run(
        [sys.executable, "-m", "service.commands", *arguments],
        env={**os.environ, "SAMEHOUR_DATA": str(data_dir), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, (
        f"samehour {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    )
    return done.stdout


# --- the app, in this process and as processes of its own


@pytest.fixture
def door() -> Iterator[socket.socket]:
    """A socket on this machine that already listens, for the web server to take over: no port is guessed."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        yield listening


@pytest.fixture
def environment(database_url: str, door: socket.socket, tmp_path: Path) -> dict[str, str]:
    """The variables of an installation on `database_url`; add SAMEHOUR_REDIS_URL and SAMEHOUR_SMTP_URL if needed."""
    return variables(database_url, tmp_path) | {"SAMEHOUR_PUBLIC_URL": f"http://127.0.0.1:{door.getsockname()[1]}"}


def variables(database_url: str, folder: Path) -> dict[str, str]:
    """An installation's own, with the keys that all tests share: a database filled in one test opens in another."""
    return {
        "SAMEHOUR_DATA": str(folder),
        "SAMEHOUR_DATABASE_URL": database_url,
        "SAMEHOUR_SECRET_KEY": "a secret for tests alone, of 32 and more",
        "SAMEHOUR_KEYS": "k1:" + base64.b64encode(b"0123456789abcdef" * 2).decode(),
    }


@pytest.fixture
def settings(environment: dict[str, str]) -> "Settings":
    from service.config import Settings

    return Settings.from_env(environment)


@pytest.fixture
def app(settings: "Settings") -> "Iterator[Flask]":
    """The app on an empty database with the newest schema, on SQLite and on PostgreSQL."""
    from service.app import create_app
    from service.store.base import db

    app = create_app(settings)
    app.testing = True
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def client(app: "Flask") -> "FlaskClient":
    return app.test_client()


@pytest.fixture
def start_program(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """`start_program("workers", "work", env=environment)` runs `python -m workers work` until the test is over."""
    programs: list[Program] = []

    def start(*module_and_arguments: str, env: dict[str, str]) -> Program:
        log = tmp_path / f"program-{len(programs)}.log"
        programs.append(Program([sys.executable, "-m", *module_and_arguments], env=env, log=log))
        return programs[-1]

    yield start
    for program in reversed(programs):
        program.kill()


@pytest.fixture
def start_web(door: socket.socket, tmp_path: Path) -> Iterator[Callable[[dict[str, str]], Program]]:
    """`start_web(environment)` serves at environment["SAMEHOUR_PUBLIC_URL"] by gunicorn, as `samehour up` does."""
    programs: list[Program] = []

    def start(env: dict[str, str]) -> Program:
        descriptor = door.fileno()
        programs.append(
            Program(web_command(f"fd://{descriptor}"), env=env, log=tmp_path / "web.log", keep_open=(descriptor,))
        )
        return programs[-1]

    yield start
    for program in programs:
        program.kill()


# --- Redis, mail, browser


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture
def redis_url(shared_redis: Server) -> str:
    """A real Redis, empty at the start of the test."""
    with redis.Redis.from_url(shared_redis.url) as client:
        client.flushall()
    return shared_redis.url


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Server]:
    """A Redis of the test's own, to kill and start again."""
    server = Server(tmp_path / "redis")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def shared_inbox() -> Iterator[Inbox]:
    inbox = Inbox()
    yield inbox
    inbox.stop()


@pytest.fixture
def smtp_server(shared_inbox: Inbox) -> Inbox:
    """A real mail server, empty at the start of the test; give `smtp_server.url` to what sends."""
    shared_inbox.clear()
    return shared_inbox


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Chromium. Of the module, since Playwright's loop would be in the way of other modules' asyncio."""
    from playwright.sync_api import sync_playwright

    program = find_chromium()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser: "Browser") -> "Iterator[Callable[..., Page]]":
    """`new_page(**context)` opens a page with cookies of its own, as another person's browser would.

    A script that fails, or that the content policy refuses, fails the test.
    """
    contexts = []
    faults: list[str] = []

    def note(message: "ConsoleMessage") -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            faults.append(message.text)

    def open_page(**context: Any) -> "Page":
        settings: dict[str, Any] = {
            "locale": "en-GB",
            "timezone_id": "Europe/Berlin",
            "viewport": {"width": 1280, "height": 800},
            **context,
        }
        contexts.append(browser.new_context(**settings))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.on("console", note)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not faults, "\n".join(faults)


@pytest.fixture
def page(new_page: "Callable[..., Page]") -> "Page":
    return new_page()
