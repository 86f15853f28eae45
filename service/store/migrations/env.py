"""Alembic's entry: runs the migrations on the connection it is given, or on the app's engine."""

from alembic import context
from sqlalchemy import Connection

from service.store.base import db
from service.store.schema import metadata


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_type=True,
        # SQLite can alter a table only by copying it.
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with db.engine.connect() as connection:
        run(connection)
        connection.commit()
