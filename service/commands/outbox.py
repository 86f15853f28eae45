"""`samehour outbox`: what waits to be carried out, what was given up, and what to do about it."""

import click

from service import clock
from service.commands.opened import at_hand
from service.domain.access import OPERATOR
from service.usecases import outbox as use_cases

STATES = ("pending", "dead", "superseded", "dropped", "done")


@click.group("outbox")
def outbox() -> None:
    """Show messages that wait or failed, and try them again."""


@outbox.command("list")
@click.option("--state", "states", type=click.Choice(STATES), multiple=True, help="May be given more than once.")
@click.option("--limit", default=200, show_default=True)
def show(states: tuple[str, ...], limit: int) -> None:
    """Those that wait and those that were given up after ten attempts, the oldest first; ids, never words."""
    with at_hand():
        found = use_cases.listed(states=states or ("pending", "dead"), limit=limit, by=OPERATOR, now=clock.now())
    for one in found:
        state = "taken" if one.is_taken else one.state
        error = f"  {one.last_error}" if one.last_error else ""
        at = f"{one.not_before:%Y-%m-%d %H:%M:%S}Z"
        click.echo(f"{one.id}  {state:<10} {one.topic:<14} attempts {one.attempts:<2}  due {at}{error}")
    if not found:
        click.echo("Nothing waits, and nothing was given up.")


@outbox.command("retry")
@click.argument("messages", nargs=-1)
@click.option("--dead", is_flag=True, help="All that were given up.")
def retry(messages: tuple[str, ...], dead: bool) -> None:
    """Try these messages again, now, with ten attempts before them."""
    with at_hand():
        now = clock.now()
        given_up = use_cases.listed(states=("dead",), limit=100_000, by=OPERATOR, now=now) if dead else []
        chosen = [*messages, *(one.id for one in given_up)]
        if not chosen and not dead:
            raise click.UsageError("Name messages, or say --dead.")
        for message in chosen:
            use_cases.retry(message=message, by=OPERATOR, now=now)
    click.echo(f"{len(chosen)} to be tried again.")


@outbox.command("drop")
@click.argument("messages", nargs=-1, required=True)
def drop(messages: tuple[str, ...]) -> None:
    """Never carry these messages out."""
    with at_hand():
        for message in messages:
            use_cases.drop(message=message, by=OPERATOR, now=clock.now())
    click.echo(f"{len(messages)} dropped.")
