"""`samehour demo`: a whole invented clinic, to look at, to try things on, and to measure with."""

import click

from service import clock
from service.app import settings_of
from service.commands.demo_clinic import invent
from service.commands.opened import opened_app
from service.domain.access import OPERATOR
from service.usecases import consistency
from service.usecases import demo as filling

SEED = 1


@click.command("demo")
@click.option("--therapists", default=12, show_default=True, type=click.IntRange(2, 500))
@click.option("--weeks", default=40, show_default=True, type=click.IntRange(12, 260), help="How long it has been open.")
@click.option("--seed", default=SEED, show_default=True, help="Another number, another clinic.")
@click.option("--assess/--no-assess", default=True, help="Look at every course at once, or leave that to the sweeper.")
def demo(therapists: int, weeks: int, seed: int, assess: bool) -> None:
    """Fill an empty database with an invented clinic, its dates around today. A database in use is left alone.

    Nobody in it exists. Everybody signs in by a link: samehour links.
    """
    app, now = opened_app(), clock.now()
    with app.app_context():
        if not filling.is_empty(by=OPERATOR):
            click.echo("There is a clinic in this database already; it was left as it is.")
            return
        clinic = invent(therapists=therapists, weeks=weeks, seed=seed, horizon=settings_of(app).horizon, now=now)
        courses = filling.fill(clinic=clinic, by=OPERATOR, now=now)
        for course in courses if assess else ():
            consistency.assess(course=course, by=OPERATOR, now=now)
    hours = sum(len(history.entries) for history in clinic.courses)
    click.echo(
        f"Made a clinic of {therapists} therapists, {len(courses)} courses and {hours} hours. Nobody in it exists."
    )
