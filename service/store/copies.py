"""Whole copies of the database, made while people work: SQLite's backup interface, PostgreSQL's own programs."""

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.engine import URL

from service.domain.phrase import Phrase, say


class CannotCopy(Exception):
    """The copy could not be made or put back; nothing was left half done."""

    def __init__(self, message: Phrase) -> None:
        super().__init__(message)
        self.message = message


def take(engine: Engine, file: Path) -> None:
    """Write a copy of the database as of one moment to a new file.

    :raises CannotCopy: the file exists, or the database's program said no.
    """
    if file.exists():
        raise CannotCopy(say("{file} exists already, and a backup never overwrites another.", file=str(file)))
    unfinished = file.with_name(file.name + ".unfinished")
    try:
        (_take_sqlite if engine.dialect.name == "sqlite" else _take_postgresql)(engine, unfinished)
        unfinished.rename(file)
    finally:
        unfinished.unlink(missing_ok=True)


def put_back(engine: Engine, file: Path) -> None:
    """Replace everything in the database by what the copy holds. Nobody may use it meanwhile.

    :raises CannotCopy: no such file, or it is not a copy of such a database.
    """
    if not file.is_file():
        raise CannotCopy(say("There is no file {file}.", file=str(file)))
    (_put_back_sqlite if engine.dialect.name == "sqlite" else _put_back_postgresql)(engine, file)


def _take_sqlite(engine: Engine, file: Path) -> None:
    source = _file_of(engine)
    with closing(sqlite3.connect(source)) as reading, closing(sqlite3.connect(file)) as writing:
        # Page by page with room in between, so that bookings go on.
        reading.backup(writing, pages=1000, sleep=0.01)


def _put_back_sqlite(engine: Engine, file: Path) -> None:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as reading:
        try:
            if reading.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise CannotCopy(say("{file} is damaged. Nothing was changed.", file=str(file)))
            reading.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.DatabaseError:
            raise CannotCopy(
                say("{file} is not a copy of a samehour database. Nothing was changed.", file=str(file))
            ) from None
        engine.dispose()
        with closing(sqlite3.connect(_file_of(engine))) as writing:
            reading.backup(writing)


def _file_of(engine: Engine) -> str:
    name = engine.url.database
    if not name:
        raise CannotCopy(say("A database in memory has nothing to copy."))
    return name


def _take_postgresql(engine: Engine, file: Path) -> None:
    _run("pg_dump", engine.url, "--format=custom", "--no-owner", f"--file={file}")


def _put_back_postgresql(engine: Engine, file: Path) -> None:
    engine.dispose()
    _run(
        "pg_restore",
        engine.url,
        "--clean",
        "--if-exists",
        "--no-owner",
        "--single-transaction",
        "--exit-on-error",
        str(file),
    )


def _run(program: str, url: URL, *arguments: str) -> None:
    path = shutil.which(program)
    if path is None:
        raise CannotCopy(
            say(
                "{program} is not installed on this machine; it comes with PostgreSQL's client programs.",
                program=program,
            )
        )
    # The password goes by the environment: arguments can be read by everybody on the machine.
    connection = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    env = {"PATH": str(Path(path).parent) + ":/usr/bin:/bin", "PGPASSWORD": url.password or ""}
    done = subprocess.run(
        [path, f"--dbname={connection}", *arguments], env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise CannotCopy(say("{program} said: {last}. Nothing was changed.", program=program, last=last[0]))
