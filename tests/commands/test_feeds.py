"""`samehour feeds`, run as a person would."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner

from service.commands import feeds as command
from tests.feeds.practice import practice

if TYPE_CHECKING:
    import pytest
    from flask import Flask


def run(app: "Flask", patch: "pytest.MonkeyPatch", *arguments: str) -> tuple[int, str]:
    patch.setattr(command, "opened_app", lambda: app)
    done = CliRunner().invoke(command.feeds, arguments)
    return done.exit_code, done.output


def test_a_feed_is_made_listed_and_revoked(app: "Flask", monkeypatch: "pytest.MonkeyPatch", tmp_path: Path) -> None:
    now = datetime(2026, 3, 2, 8, 0, 30, tzinfo=UTC)
    monkeypatch.setattr("service.clock.now", lambda: now)
    with app.app_context():
        practice()
    client = app.test_client()

    code, printed = run(app, monkeypatch, "add", "a@clinic.example", "--name", "Tablet", "--privacy", "busy")
    assert (code, printed.count("/feeds/")) == (0, 1)
    path = printed.strip()[printed.index("/feeds/") :]
    assert "SUMMARY:Busy" in client.get(path).text

    _, listing = run(app, monkeypatch, "list")
    assert "“Tablet”" in listing and "Therapist A" in listing
    assert path.removeprefix("/feeds/").removesuffix(".ics") not in listing

    assert run(app, monkeypatch, "revoke", listing.split()[0]) == (0, "1 revoked.\n")
    assert client.get(path).status_code == 410
    assert run(app, monkeypatch, "list") == (0, "No calendar is read from outside.\n")
    assert run(app, monkeypatch, "add", "nobody@clinic.example")[0] == 1
    assert run(app, monkeypatch, "revoke", "no-such-id") == (1, "Error: There is no such calendar subscription.\n")
