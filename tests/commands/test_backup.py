"""`samehour backup` and `samehour restore`: what was there is there again, and a bad file changes nothing."""

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from service import clock
from service.domain.access import OPERATOR
from service.domain.refusals import Refusal
from service.store.base import db
from service.usecases import clients, copies, doctor

if TYPE_CHECKING:
    from flask import Flask


@pytest.fixture
def now() -> datetime:
    return clock.now()


@pytest.fixture(autouse=True)
def _programs_of_that_server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's programs must be at least as new as the server they copy."""
    if "postgres_url" in request.fixturenames or "postgresql" in request.node.name:
        server = request.getfixturevalue("postgresql")
        monkeypatch.setenv("PATH", str(server.programs), prepend=os.pathsep)


def _names() -> list[str]:
    return [one.name for one in clients.find(query="", by=OPERATOR)]


def test_what_was_there_is_there_again(app: "Flask", tmp_path: Path, now: datetime) -> None:
    file = tmp_path / "copy"
    with app.app_context():
        clients.add(name="Client One", by=OPERATOR, now=now)
        copies.take(file=file, by=OPERATOR)
        clients.add(name="Client Two", by=OPERATOR, now=now)
        copies.put_back(file=file, by=OPERATOR)
        assert _names() == ["Client One"]
        assert doctor.examine(by=OPERATOR, now=now).is_sound
        db.engine.dispose()


def test_a_backup_never_overwrites_another(app: "Flask", tmp_path: Path) -> None:
    file = tmp_path / "copy"
    file.write_text("an older backup")
    with app.app_context(), pytest.raises(copies.CannotCopy, match="never overwrites"):
        copies.take(file=file, by=OPERATOR)
    assert file.read_text() == "an older backup"


def test_what_is_no_backup_changes_nothing(app: "Flask", tmp_path: Path, now: datetime) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("This is not a database.")
    with app.app_context():
        clients.add(name="Client One", by=OPERATOR, now=now)
        for wrong in (file, tmp_path / "missing"):
            with pytest.raises(Refusal):
                copies.put_back(file=wrong, by=OPERATOR)
        assert _names() == ["Client One"]
