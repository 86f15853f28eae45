"""`samehour outside`: the calendars that therapists live by elsewhere, and how each was last read."""

import click

from service import clock
from service.commands.opened import at_hand
from service.domain.access import OPERATOR
from service.domain.outside import FAULTS
from service.usecases import outside as use_cases
from service.usecases.outside import Calendar


@click.group("outside")
def outside() -> None:
    """Show the calendars that therapists live by elsewhere, and have them read."""


@outside.command("list")
def show() -> None:
    """Each with its therapist, the machine that keeps it, when it was read and what went wrong; never its address."""
    with at_hand():
        found = use_cases.listed(by=OPERATOR, now=clock.now())
    for one in found:
        click.echo(_line(one))
    if not found:
        click.echo("No outside calendar is read.")


@outside.command("read")
@click.argument("calendars", nargs=-1, required=True)
def read(calendars: tuple[str, ...]) -> None:
    """Have these calendars read at once, by the worker."""
    with at_hand():
        for calendar in calendars:
            use_cases.read_now(calendar=calendar, by=OPERATOR, now=clock.now())
    click.echo(f"{len(calendars)} to be read now.")


def _line(one: Calendar) -> str:
    read = f"read {one.read_at:%Y-%m-%d %H:%M}Z" if one.read_at else "never read"
    fault = f"  {FAULTS[one.fault]} ({one.failures} in a row)" if one.fault else ""
    ended = "" if one.is_lived else "  not read any more: the account has ended"
    return f"{one.id}  {one.therapist_name}: {one.name}  {one.host}  {read}  busy {one.busy}{fault}{ended}"
