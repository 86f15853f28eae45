"""`samehour import` as somebody at the desk runs it: what it says, what it writes, and how it ends."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import time_machine
from click.testing import CliRunner, Result
from sqlalchemy import select

from service.commands import own_keys
from service.commands.import_ import import_
from service.domain.access import OPERATOR
from service.store.base import db
from service.store.schema import metadata
from service.usecases import people
from tests.usecases.books import APPLE, GOOGLE, HEADERS, TABLE, WORDS
from tests.usecases.conftest import NOW

if TYPE_CHECKING:
    from flask import Flask

OF_THE_TABLE = [
    *(part for field, column in HEADERS.items() for part in ("--header", f"{field}={column}")),
    *(part for word, status in WORDS.items() for part in ("--status", f"{word}={status}")),
    *("--dates", "dmy"),
]


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    """The books are about the weeks around this day."""
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return written(tmp_path, "book.ics", GOOGLE)


def written(tmp_path: Path, name: str, data: bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


def run(environment: dict[str, str], *arguments: str | Path) -> Result:
    found = CliRunner().invoke(import_, [str(one) for one in arguments], env=environment)
    assert found.exception is None or isinstance(found.exception, SystemExit), found.output
    return found


def rows(app: "Flask") -> dict[str, list[str]]:
    with app.app_context():
        found = {
            name: sorted(map(repr, db.session.execute(select(table)).all())) for name, table in metadata.tables.items()
        }
        db.session.rollback()
    return found


def test_a_calendar_comes_in_and_a_site_with_it(app: "Flask", environment: dict[str, str], book: Path) -> None:
    done = run(environment, book, "--json")
    outcome = json.loads(done.stdout)
    assert (done.exit_code, outcome["site"], outcome["is_dry"]) == (0, "Clinic", False)
    assert (outcome["standings"], outcome["singles"], outcome["absences"], outcome["rejected"]) == (1, 1, 1, [])
    with app.app_context():
        (site,) = people.sites(by=OPERATOR)
    assert (site.name, site.zone) == ("Clinic", "Europe/Berlin")


def test_it_says_in_words_what_came_of_each_line(app: "Flask", environment: dict[str, str], tmp_path: Path) -> None:
    done = run(environment, written(tmp_path, "book.csv", TABLE), *OF_THE_TABLE, "--site", "Quay")
    assert done.exit_code == 0
    assert (
        "line 10: stays out. Therapist A is already booked on 10 Feb 2026 from 11:00 to 11:50 (line 7).\n"
        'line 12: stays out. "nonsense" is no date written like 31.03.2026.\n'
    ) in done.stdout
    assert "Brought in at Quay (Europe/Berlin):" in done.stdout
    assert "      1  standing appointments\n" in done.stdout
    assert "New therapists: Therapist A\nNew rooms: Room 1, Room 2\n" in done.stdout
    assert "Client" not in done.output.replace("new clients", "")


def test_a_dry_run_writes_nothing_and_says_so(app: "Flask", environment: dict[str, str], book: Path) -> None:
    before = rows(app)
    done = run(environment, book, "--dry-run")
    assert "Dry run, nothing was written. It would bring in at Clinic" in done.stdout
    assert "standing appointments" in done.stdout
    assert rows(app) == before


def test_a_dry_run_leaves_the_file_of_the_database_as_it_is(tmp_path: Path, sqlite_url: str, book: Path) -> None:
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    own_keys.make_missing(tmp_path, {})
    before = file.read_bytes()
    done = run({"SAMEHOUR_DATA": str(tmp_path), "SAMEHOUR_DATABASE_URL": sqlite_url}, book, "--dry-run")
    assert done.exit_code == 0, done.output
    assert file.read_bytes() == before


def test_twice_changes_nothing(app: "Flask", environment: dict[str, str], book: Path) -> None:
    run(environment, book)
    before = rows(app)
    again = run(environment, book)
    assert rows(app) == before
    assert "      3  brought in before, left as they are\n" in again.stdout


def test_past_dates_are_said_to_be_unmarked_unless_they_are_asked_to_be_held(
    app: "Flask", environment: dict[str, str], book: Path
) -> None:
    unmarked = run(environment, book, "--dry-run")
    assert "past dates are unmarked; --past held would take them as having taken place." in unmarked.stdout
    assert "unmarked" not in run(environment, book, "--dry-run", "--past", "held").stdout


def test_single_dates_of_a_calendar_become_standings_where_that_is_asked_for(
    app: "Flask", environment: dict[str, str], tmp_path: Path
) -> None:
    events = [
        f"BEGIN:VEVENT\nUID:{n}\nDTSTART:202601{6 + 7 * n:02}T100000\nDURATION:PT50M\nSUMMARY:Client One\nEND:VEVENT\n"
        for n in range(4)
    ]
    head = "BEGIN:VCALENDAR\nVERSION:2.0\nX-WR-CALNAME:Therapist A\n"
    flat = written(tmp_path, "flat.ics", f"{head}{''.join(events)}END:VCALENDAR\n".encode())
    assert json.loads(run(environment, flat, "--dry-run", "--json").stdout)["standings"] == 0
    assert json.loads(run(environment, flat, "--dry-run", "--json", "--rebuild").stdout)["standings"] == 1


def test_a_table_can_stay_a_list_or_go_on_without_end(
    app: "Flask", environment: dict[str, str], tmp_path: Path
) -> None:
    table = written(tmp_path, "book.csv", TABLE)
    flat = json.loads(run(environment, table, *OF_THE_TABLE, "--dry-run", "--json", "--no-rebuild").stdout)
    assert (flat["standings"], flat["singles"]) == (0, 9)
    ending, going_on = (
        json.loads(run(environment, table, *OF_THE_TABLE, "--dry-run", "--json", *more).stdout)["of_standings"]
        for more in ([], ["--open-from", "2026-03-01"])
    )
    assert going_on > ending == 10


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("book.ics", b"no calendar at all", "The file was not brought in: "),
        ("book.csv", b"a,b\n1,2\n", 'The table has no column "client", "date", "start", "therapist", "minutes".'),
        ("book.csv", b"", "The file is empty."),
    ],
)
def test_a_file_that_is_no_book_is_refused(
    app: "Flask", environment: dict[str, str], tmp_path: Path, name: str, data: bytes, words: str
) -> None:
    done = run(environment, written(tmp_path, name, data), "--json")
    assert done.exit_code == 2
    assert words in done.stderr
    assert json.loads(done.stdout)["error"] in done.stderr
    with app.app_context():
        assert people.sites(by=OPERATOR) == []


def test_a_book_of_which_nothing_can_be_taken_could_still_be_read(
    app: "Flask", environment: dict[str, str], tmp_path: Path
) -> None:
    done = run(environment, written(tmp_path, "book.ics", GOOGLE.replace(b"Client", b"").replace(b" One", b"Busy")))
    assert done.exit_code == 0
    assert "stays out. It names no client." in done.stdout


def test_which_site_must_be_clear(app: "Flask", environment: dict[str, str], book: Path) -> None:
    with app.app_context():
        for name in ("Quay", "Harbour"):
            people.add_site(name=name, zone_name="Europe/Berlin", country=None, region=None, by=OPERATOR, now=NOW)
    unclear = run(environment, book)
    assert (unclear.exit_code, "There are several sites" in unclear.stderr) == (2, True)
    wrong = run(environment, book, "--site", "quay", "--zone", "America/New_York")
    assert "Quay is in Europe/Berlin, so that --zone America/New_York can't be." in wrong.stderr
    assert "Brought in at Quay" in run(environment, book, "--site", "quay").stdout


def test_a_new_site_may_be_anywhere(app: "Flask", environment: dict[str, str], tmp_path: Path) -> None:
    book = written(tmp_path, "book.ics", APPLE.replace(b"Europe/Berlin", b"America/New_York"))
    done = run(environment, book, "--site", "Hudson", "--zone", "America/New_York")
    assert "Brought in at Hudson (America/New_York):" in done.stdout
    unknown = run(environment, book, "--site", "Nowhere", "--zone", "Mars/Olympus")
    assert (unknown.exit_code, "Mars/Olympus" in unknown.stderr) == (2, True)


@pytest.mark.parametrize("pair", ["client", "=Patient", "client="])
def test_a_column_is_named_as_a_pair(environment: dict[str, str], book: Path, pair: str) -> None:
    refused = run(environment, book, "--header", pair)
    assert (refused.exit_code, "write it as FIELD=COLUMN" in refused.stderr) == (2, True)


def test_without_a_schema_it_says_what_to_do_first(tmp_path: Path, book: Path) -> None:
    own_keys.make_missing(tmp_path / "new", {})
    refused = run({"SAMEHOUR_DATA": str(tmp_path / "new")}, book)
    assert (refused.exit_code, "run `samehour init` first" in refused.stderr) == (1, True)
