"""`samehour doctor` as an operator runs it: words or JSON, 0 or 1, and never a name."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner, Result
from sqlalchemy import text

from service.commands import own_keys
from service.commands.doctor import doctor
from service.store.base import db
from tests.clinic import NAMES, small_clinic
from tests.usecases.conftest import NOW

if TYPE_CHECKING:
    from flask import Flask


def ask(environment: dict[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(doctor, arguments, env=environment)


def test_the_doctor_answers_in_words_and_in_json(app: "Flask", environment: dict[str, str]) -> None:
    small_clinic(app, now=NOW)
    sound = ask(environment)
    assert sound.output.startswith("Everything is as it must be: 6 courses, 6 standings")
    assert sound.exit_code == 0
    with app.app_context():
        db.session.execute(text("UPDATE appointments SET modality = 'video' WHERE id <= 25"))
        db.session.commit()
    ill, told = ask(environment), ask(environment, "--json")
    assert (ill.exit_code, told.exit_code) == (1, 1)
    assert "video.room: A session by video holds a room. (25)" in ill.output
    assert "and 5 more" in ill.output
    report = json.loads(told.output)
    assert [(one["rule"], one["count"], len(one["ids"])) for one in report["findings"]] == [("video.room", 25, 20)]
    assert not any(name in ill.output + told.output for name in NAMES)


def test_an_empty_database_is_told_to_be_set_up(empty_database_url: str, tmp_path: Path) -> None:
    own_keys.make_missing(tmp_path, {})
    told = ask({"SAMEHOUR_DATABASE_URL": empty_database_url, "SAMEHOUR_DATA": str(tmp_path)})
    assert told.exit_code == 1
    assert "run samehour init" in told.output
