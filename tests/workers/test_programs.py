"""`python -m workers work` and `sweep` as programs: they carry, they end when asked, and they end without Redis."""

import re
from collections.abc import Callable
from time import monotonic, sleep
from typing import TYPE_CHECKING

import pytest

from service.domain.access import OPERATOR
from service.usecases import outbox
from tests.alarms import ADA, AlarmClinic
from tests.servers import Inbox, Program
from tests.workers.conftest import now

if TYPE_CHECKING:
    from service.commands.embedded import Server

Start = Callable[..., Program]


def until(is_so: Callable[[], object], within_seconds: float = 60.0) -> None:
    deadline = monotonic() + within_seconds
    while not is_so():
        assert monotonic() < deadline, f"not so within {within_seconds:g} s"
        sleep(0.05)


class TestWithBell:
    """The worker alone, woken by the bell, both for the assessment and for the notice that comes of it."""

    @pytest.fixture
    def environment(self, environment: dict[str, str], redis_url: str) -> dict[str, str]:
        return {**environment, "SAMEHOUR_REDIS_URL": redis_url}

    def test_a_worker_carries_what_it_is_rung_for_and_ends_when_asked(
        self, clinic: AlarmClinic, environment: dict[str, str], smtp_server: Inbox, start_program: Start
    ) -> None:
        worker = start_program("workers", "work", env=environment)
        clinic.cancel(0, 1, now=now())

        smtp_server.wait_for(1)
        until(lambda: not outbox.listed(by=OPERATOR, now=now()))
        worker.stop()

        assert smtp_server.recipients == [[ADA]]
        assert worker.process.returncode == 0
        assert not re.search("Client One|ada@", worker.said)


def test_a_sweeper_alone_carries_everything_and_ends_when_asked(
    clinic: AlarmClinic, environment: dict[str, str], smtp_server: Inbox, start_program: Start
) -> None:
    clinic.cancel(0, 1, now=now())
    sweeper = start_program("workers", "sweep", "--every", "0.5", env=environment)

    smtp_server.wait_for(1)
    until(lambda: not outbox.listed(by=OPERATOR, now=now()))
    sweeper.stop()

    assert sweeper.process.returncode == 0
    assert len(smtp_server.mails) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_worker_without_redis_says_so_and_ends(
    environment: dict[str, str], redis_server: "Server", start_program: Start
) -> None:
    none = start_program("workers", "work", env=environment)
    until(lambda: not none.is_running)
    assert none.process.returncode == 1
    assert "the sweeper carries everything" in none.said

    redis_server.kill()
    away = start_program("workers", "work", env={**environment, "SAMEHOUR_REDIS_URL": redis_server.url})
    until(lambda: not away.is_running)
    assert away.process.returncode == 1
    assert "Redis can't be reached" in away.said
    redis_server.start_again()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_senseless_settings_are_named_and_end_it(environment: dict[str, str], start_program: Start) -> None:
    wrong = start_program("workers", "sweep", env={**environment, "SAMEHOUR_ZONE": "Mars/Olympus"})
    until(lambda: not wrong.is_running)

    assert wrong.process.returncode == 1
    assert "SAMEHOUR_ZONE" in wrong.said
