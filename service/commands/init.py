"""`samehour init`: what an installation needs before anything else can start; safe to repeat."""

import os
from pathlib import Path

import click

from service.app import migrate
from service.commands import own_keys, timezones
from service.commands.opened import opened_app


@click.command("init")
def init() -> None:
    """Make the keys if they are missing and bring the database to the newest schema.

    Keys that stand in SAMEHOUR_SECRET_KEY and SAMEHOUR_KEYS are used as they are; else they are made once, in .data/ or
    SAMEHOUR_DATA, for this machine alone. Keep a copy of field.keys apart from the backups: without it, no name can be
    read again.
    """
    for path in own_keys.make_missing(Path(os.environ.get("SAMEHOUR_DATA", ".data")).resolve(), os.environ):
        click.echo(f"Made {path}")
    app = opened_app()
    migrate(app)
    click.echo("The database is up to date.")
    with app.app_context():
        if behind := timezones.settle():
            click.echo(behind)
