"""Migrations on both engines: up, down and up again with a clinic inside, and never without the nets."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import inspect, text

from service.app import create_app, migrate
from service.config import Settings
from service.domain.access import OPERATOR
from service.store import migrate as migrations
from service.store.base import db
from service.store.schema import metadata
from service.usecases import doctor
from tests.clinic import small_clinic
from tests.usecases.conftest import NOW

DROP_A_NET = {
    "sqlite": "DROP TRIGGER occupancies_no_overlap_update",
    "postgresql": "ALTER TABLE occupancies DROP CONSTRAINT occupancies_no_overlap",
}


@pytest.fixture
def empty_app(empty_database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The app on a database without any table."""
    environment = {
        "SAMEHOUR_DATA": str(tmp_path),
        "SAMEHOUR_DATABASE_URL": empty_database_url,
        "SAMEHOUR_SECRET_KEY": "a secret for tests alone, of 32 and more",
        "SAMEHOUR_KEYS": "k1:" + base64.b64encode(bytes(range(32))).decode(),
    }
    app = create_app(Settings.from_env(environment))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def tables() -> set[str]:
    return set(inspect(db.engine).get_table_names())


def test_up_down_and_up_with_a_clinic_inside(empty_app: Flask) -> None:
    migrate(empty_app)
    small_clinic(empty_app, now=NOW)
    assert tables() == {*metadata.tables, "alembic_version"}
    migrations.downgrade(db.engine, "base")
    assert tables() == {"alembic_version"}
    migrate(empty_app)
    migrate(empty_app)
    small_clinic(empty_app, now=NOW)
    assert doctor.examine(by=OPERATOR, now=NOW).findings == ()


def test_the_models_and_the_migrations_say_the_same(empty_app: Flask) -> None:
    migrate(empty_app)
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        assert migrations.current(connection) == migrations.head()


def test_the_nets_stand_after_every_migration(empty_app: Flask) -> None:
    script = ScriptDirectory.from_config(migrations.config())
    revisions = [revision.revision for revision in script.walk_revisions()][::-1]
    assert len(script.get_heads()) == 1
    for revision in revisions:
        migrations.upgrade(db.engine, revision)
        with db.engine.connect() as connection:
            assert migrations.nets_stand(connection), revision


def test_a_missing_net_is_not_passed_over(empty_app: Flask) -> None:
    migrate(empty_app)
    with db.engine.begin() as connection:
        connection.execute(text(DROP_A_NET[connection.dialect.name]))
    with pytest.raises(migrations.NetsMissing):
        migrate(empty_app)


def test_every_constraint_has_a_name(empty_app: Flask) -> None:
    """What has none is dropped in silence where SQLite alters a table by copying it."""
    migrate(empty_app)
    found = inspect(db.engine)
    for table in metadata.tables:
        named = [*found.get_check_constraints(table), *found.get_foreign_keys(table)]
        assert all(one["name"] for one in named), table
