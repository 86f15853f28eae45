"""`samehour restore`: put a backup in the place of the database."""

from pathlib import Path

import click

from service import clock
from service.commands.opened import at_hand
from service.domain.access import OPERATOR
from service.usecases import copies, doctor


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.confirmation_option(
    prompt="Everything in the database will be replaced. Have web, worker and sweeper been stopped?"
)
def restore(file: Path) -> None:
    """Replace the whole database by what FILE holds, bring it to the newest schema, and have the doctor look at it."""
    with at_hand():
        copies.put_back(file=file, by=OPERATOR)
        report = doctor.examine(by=OPERATOR, now=clock.now())
    if not report.is_sound:
        raise click.ClickException(f"Restored, and {len(report.findings)} rules are broken: run `samehour doctor`.")
    click.echo("Restored. The doctor found everything as it must be.")
