"""Bring a database to the schema this program expects, and tell whether it is there and its nets stand."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

FOLDER = Path(__file__).parent / "migrations"


class NetsMissing(RuntimeError):
    """A migration dropped a guard against double booking; nobody may book until it stands again."""


def config(connection: Connection | None = None) -> Config:
    settings = Config()
    settings.set_main_option("script_location", str(FOLDER))
    settings.attributes["connection"] = connection
    return settings


def upgrade(engine: Engine, revision: str = "head") -> None:
    """:raises NetsMissing: see there; the migration is rolled back."""
    with engine.connect().execution_options(samehour_write=True) as connection, connection.begin():
        _wait_for_our_turn(connection)
        command.upgrade(config(connection), revision)
        if revision == "head" and not nets_stand(connection):
            raise NetsMissing("the guards against double booking are not in place")


def _wait_for_our_turn(connection: Connection) -> None:
    """Two servers that start at once would both make the tables; SQLite's write lock, held already, does the same."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(7264373)"))


def downgrade(engine: Engine, revision: str) -> None:
    with engine.begin() as connection:
        command.downgrade(config(connection), revision)


def head() -> str | None:
    return ScriptDirectory.from_config(config()).get_current_head()


def current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def nets_stand(connection: Connection) -> bool:
    """True where the database itself refuses two overlapping occupancies."""
    if connection.dialect.name == "postgresql":
        query = "SELECT count(*) FROM pg_constraint WHERE conname = 'occupancies_no_overlap' AND contype = 'x'"
        return bool(connection.execute(text(query)).scalar_one() == 1)
    query = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'occupancies_no_overlap_%'"
    return bool(connection.execute(text(query)).scalar_one() == 2)
