"""`samehour scan`: what the sweep does as time passes, at once and with its figures shown."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import click
from rich.console import Console
from rich.progress import Progress

from service import clock
from service.app import settings_of
from service.commands.opened import opened_app
from service.domain.access import OPERATOR
from service.domain.refusals import Refusal
from service.usecases import consistency


@click.command("scan")
@click.option("--all", "everything", is_flag=True, help="Every course that has not ended, due or not.")
def scan(everything: bool) -> None:
    """Look at each course whose outcome may have changed by itself, and open, raise and clear its alerts.

    It tells people exactly as the sweep would: what they were told before is not told again.
    """
    app = opened_app()
    with app.app_context():
        wanted = consistency.every_course(by=OPERATOR) if everything else _due()
        found = [_look(course, settings_of(app).grace) for course in _in_sight(wanted)]
    known = [one for one in found if one is not None]
    opened, cleared = sum(len(one.opened) for one in known), sum(len(one.cleared) for one in known)
    click.echo(f"{len(known)} courses looked at, {opened} alerts opened, {cleared} cleared, ", nl=False)
    click.echo(f"{sum(one.notices for one in known)} notices written.")
    if len(known) < len(found):
        raise click.ClickException(f"{len(found) - len(known)} courses could not be assessed; they are named above.")


def _due() -> list[str]:
    return consistency.due_courses(limit=1_000_000, now=clock.now())


def _in_sight(courses: Sequence[str]) -> Iterator[str]:
    """Each of them, with a bar on the screen of whoever waits."""
    with Progress(console=Console(stderr=True), transient=True) as progress:
        yield from progress.track(courses, description="Looking at courses")


def _look(course: str, grace: timedelta) -> consistency.Assessed | None:
    try:
        return consistency.assess(course=course, grace=grace, by=OPERATOR, now=clock.now())
    except Refusal as refusal:
        click.echo(f"{course}: {refusal.message}", err=True)
        return None
