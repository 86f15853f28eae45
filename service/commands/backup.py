"""`samehour backup`: a copy of the database, made while people work."""

from pathlib import Path

import click

from service.commands.opened import at_hand
from service.domain.access import OPERATOR
from service.usecases import copies


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Copy the whole database, as of this moment, to FILE.

    The keys are not in it, and must not lie beside it: without them no name can be read, by you or by a thief. Keep
    field.keys somewhere else.
    """
    with at_hand():
        copies.take(file=file, by=OPERATOR)
    click.echo(f"Copied to {file} ({file.stat().st_size / 1e6:.1f} MB). Keep the keys apart from it.")
