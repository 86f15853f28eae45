"""`samehour outbox` and `samehour scan`, run as an operator would."""

from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from service.commands import main
from service.domain.access import OPERATOR
from service.usecases import outbox
from tests.alarms import alarm_clinic

if TYPE_CHECKING:
    from flask import Flask

Ask = Callable[..., Result]


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    return {**environment, "SAMEHOUR_GRACE_SECONDS": "0"}


@pytest.fixture
def ask(app: "Flask", monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Two dates are cancelled and nobody has looked yet; the grace is over at once."""
    with app.app_context():
        clinic = alarm_clinic(now=now())
        clinic.cancel(0, 1, now=now())
    # The test's own app, whose connections it closes, in place of one more for each command.
    for command in ("opened", "scan"):
        monkeypatch.setattr(import_module(f"service.commands.{command}"), "opened_app", lambda: app)
    return lambda *arguments: CliRunner().invoke(main, arguments)


def now() -> datetime:
    return datetime.now(UTC)


def test_scan_looks_once_and_outbox_shows_tries_and_drops(app: "Flask", ask: Ask) -> None:
    first, second = ask("scan"), ask("scan")
    assert first.stdout == "2 courses looked at, 1 alerts opened, 0 cleared, 1 notices written.\n"
    assert second.stdout == "0 courses looked at, 0 alerts opened, 0 cleared, 0 notices written.\n"
    assert ask("scan", "--all").stdout.startswith("2 courses looked at, 0 alerts opened")

    with app.app_context():
        [notice] = outbox.listed(by=OPERATOR, now=now())
        [message] = outbox.due(now=now())
        for attempt in range(1, outbox.ATTEMPTS + 1):
            outbox.failed(message=message, attempt=attempt - 1, error="CannotSend", now=now())
            assert outbox.take(message=message, now=now().replace(year=now().year + attempt)) is not None
        outbox.failed(message=message, attempt=outbox.ATTEMPTS, error="TimeoutError", now=now())
    listed = ask("outbox", "list").stdout
    assert notice.id in listed
    assert "dead" in listed
    assert "TimeoutError" in listed

    assert ask("outbox", "retry", "--dead").stdout == "1 to be tried again.\n"
    assert "pending" in ask("outbox", "list").stdout
    assert ask("outbox", "drop", notice.id).stdout == "1 dropped.\n"
    assert ask("outbox", "list").stdout == "Nothing waits, and nothing was given up.\n"
    refused = ask("outbox", "retry", notice.id)
    assert refused.exit_code == 1
    assert "called back" in refused.stderr
