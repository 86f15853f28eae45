"""`samehour feeds`, run as a person would."""

from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner

from service.commands import feeds as command
from service.domain.access import OPERATOR
from service.usecases import feeds
from tests.feeds.practice import NOW, practice

if TYPE_CHECKING:
    import pytest
    from flask import Flask


def run(app: "Flask", patch: "pytest.MonkeyPatch", *arguments: str) -> tuple[int, str]:
    patch.setattr("service.commands.opened.opened_app", lambda: app)
    done = CliRunner().invoke(command.feeds, arguments)
    return done.exit_code, done.output


def test_a_feed_is_made_listed_and_revoked(app: "Flask", monkeypatch: "pytest.MonkeyPatch", tmp_path: Path) -> None:
    monkeypatch.setattr("service.clock.now", lambda: NOW)
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


def test_a_feed_is_changed_and_gets_a_new_address(app: "Flask", monkeypatch: "pytest.MonkeyPatch") -> None:
    monkeypatch.setattr("service.clock.now", lambda: NOW)
    with app.app_context():
        practice()
    client = app.test_client()

    first = made(app, monkeypatch, "add", "a@clinic.example", "--days-back", "30", "--alarm", "10", "--cancelled")
    assert "TRIGGER:-PT10M" in client.get(first).text
    feed = run(app, monkeypatch, "list")[1].split()[0]
    chosen = ("--privacy", "busy", "--language", "de_DE", "--alarm", "0", "--weeks-ahead", "4", "--name", "Tablet")
    assert run(app, monkeypatch, "change", feed, *chosen) == (0, "Changed.\n")
    said = client.get(first).text
    assert "SUMMARY:Belegt" in said and "TRIGGER" not in said
    with app.app_context():
        options = feeds.show(feed=feed, by=OPERATOR, now=NOW).options
    assert (options.days_back, options.weeks_ahead, options.shows_cancelled) == (30, 4, True)

    second = made(app, monkeypatch, "rotate", feed, "--overlap", "24")
    assert [client.get(path).status_code for path in (first, second)] == [200, 200]
    third = made(app, monkeypatch, "rotate", feed)
    assert [client.get(path).status_code for path in (first, second, third)] == [410, 410, 200]
    assert run(app, monkeypatch, "rotate", feed, "--overlap", "25")[0] == 2
    assert run(app, monkeypatch, "change", feed, "--alarm", "10081")[0] == 2


def test_feeds_of_a_room_a_site_and_a_client(app: "Flask", monkeypatch: "pytest.MonkeyPatch") -> None:
    monkeypatch.setattr("service.clock.now", lambda: NOW)
    with app.app_context():
        practice()
    client = app.test_client()
    for whose, says in ((("--room", "Room 1"), "Therapist A: CO"), (("--room", "Quay/Room 1"), "Therapist A: CO")):
        assert says in client.get(made(app, monkeypatch, "add", "a@clinic.example", *whose)).text
    assert "Therapist A: CT" in client.get(made(app, monkeypatch, "add", "a@clinic.example", "--site", "Quay")).text
    assert run(app, monkeypatch, "add", "--client", "C00001") == (
        1,
        "Error: Clients have no calendars of their own here. A manager can allow it.\n",
    )
    assert run(app, monkeypatch, "clients", "on") == (0, "on; 0 ended.\n")
    theirs = made(app, monkeypatch, "add", "--client", "c00001")
    assert "Appointment with Therapist A" in client.get(theirs).text
    assert "client Client One" in run(app, monkeypatch, "list")[1]
    assert run(app, monkeypatch, "clients", "off") == (0, "off; 1 ended.\n")
    assert client.get(theirs).status_code == 410
    for wrong in (("--room", "Room 9"), ("--site", "Nowhere"), ("--client", "C99999"), ("--therapist", "Nobody")):
        assert run(app, monkeypatch, "add", "a@clinic.example", *wrong)[0] == 1


def made(app: "Flask", patch: "pytest.MonkeyPatch", *arguments: str) -> str:
    """The path that the command prints."""
    code, printed = run(app, patch, *arguments)
    assert code == 0, printed
    return printed.strip()[printed.index("/feeds/") :]
