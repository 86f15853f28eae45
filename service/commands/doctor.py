"""`samehour doctor`: the oracle outside the app. Run it after a crash, after a restore, and whenever in doubt."""

import json
import sys
from dataclasses import asdict

import click

from service import clock
from service.commands.opened import opened_app
from service.domain.access import OPERATOR
from service.usecases import doctor as examiner


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for programs.")
def doctor(as_json: bool) -> None:
    """Check the whole database against the rules it must keep; ends with 1 where it breaks one.

    Nobody booked twice, every slot there once, every change on record, times as the time-zone data says, every name
    readable with the keys that are here. Prints opaque ids, never a name, and changes nothing.
    """
    with opened_app().app_context():
        report = examiner.examine(by=OPERATOR, now=clock.now())
    if as_json:
        click.echo(json.dumps(asdict(report), indent=2))
    else:
        _say(report)
    sys.exit(0 if report.is_sound else 1)


def _say(report: examiner.Report) -> None:
    for one in report.findings:
        click.echo(f"{one.rule}: {one.text} ({one.count})")
        for subject in one.ids:
            click.echo(f"  {subject}")
        if one.count > len(one.ids) > 0:
            click.echo(f"  and {one.count - len(one.ids)} more")
    looked_at = ", ".join(f"{count} {table}" for table, count in report.counted.items())
    if report.is_sound:
        click.echo(f"Everything is as it must be: {looked_at}.")
    else:
        click.echo(f"{len(report.findings)} rules are broken. Looked at {looked_at or 'the schema alone'}.")
