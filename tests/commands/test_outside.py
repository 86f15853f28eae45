"""`samehour outside`: what is read, and have it read."""

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from service import clock
from service.commands import outside as command
from service.domain.access import OPERATOR
from service.usecases import outside
from tests.clinic import small_clinic

if TYPE_CHECKING:
    from flask import Flask


def run(app: "Flask", patch: pytest.MonkeyPatch, *words: str) -> tuple[int, str]:
    patch.setattr("service.commands.opened.opened_app", lambda: app)
    done = CliRunner().invoke(command.outside, words)
    return done.exit_code, done.output


def test_calendars_are_listed_without_their_address_and_read(app: "Flask", monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()
    assert "No outside calendar is read." in run(app, monkeypatch, "list")[1]
    clinic = small_clinic(app, now=now)
    with app.app_context():
        calendar = outside.create(
            name="Home",
            url="https://calendar.example.com/a1b2c3.ics",
            therapist=clinic.therapists[0],
            public_url="https://clinic.example",
            by=OPERATOR,
            now=now,
        )
    shown = run(app, monkeypatch, "list")[1]
    assert f"{calendar}  Therapist A: Home  calendar.example.com  never read  busy 0" in shown
    assert "a1b2c3" not in shown
    assert run(app, monkeypatch, "read", calendar) == (0, "1 to be read now.\n")
    assert run(app, monkeypatch, "read", "nobody") == (1, "Error: There is no such calendar.\n")
