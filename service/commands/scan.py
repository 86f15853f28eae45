"""`samehour scan`: what the sweep does as time passes, at once and with its figures shown."""

import gc
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from multiprocessing import get_context

import click
from rich.console import Console
from rich.progress import Progress

from service import clock
from service.app import settings_of
from service.commands.opened import opened_app
from service.domain.access import OPERATOR
from service.domain.refusals import Refusal
from service.usecases import consistency, scanning

ALONE = 1_000
"""So many courses are looked at in less time than another process takes to start."""


@click.command("scan")
@click.option("--all", "everything", is_flag=True, help="Every course that has not ended, due or not.")
@click.option(
    "--processes",
    default=min(4, os.cpu_count() or 1),
    show_default=True,
    type=click.IntRange(1, 64),
    help="How many look at the same time, with --all.",
)
def scan(everything: bool, processes: int) -> None:
    """Look at each course whose outcome may have changed by itself, and open, raise and clear its alerts.

    It tells people exactly as the sweep would: what they were told before is not told again.
    """
    app = opened_app()
    with app.app_context():
        wanted = consistency.every_course(by=OPERATOR) if everything else _due()
        chosen = _outdated(wanted, processes) if everything else wanted
        found = [_look(course, settings_of(app).grace) for course in _in_sight(chosen, "Assessing them")]
    known = [one for one in found if one is not None]
    opened, cleared = sum(len(one.opened) for one in known), sum(len(one.cleared) for one in known)
    looked = len(wanted) - (len(found) - len(known))
    click.echo(f"{looked} courses looked at, {opened} alerts opened, {cleared} cleared, ", nl=False)
    click.echo(f"{sum(one.notices for one in known)} notices written.")
    if len(known) < len(found):
        raise click.ClickException(f"{len(found) - len(known)} courses could not be assessed; they are named above.")


def _due() -> list[str]:
    return consistency.due_courses(limit=1_000_000, now=clock.now())


def _outdated(courses: Sequence[str], processes: int) -> list[str]:
    """Those of which something else stands on record, with a bar on the screen of whoever waits."""
    chosen: list[str] = []
    with (
        looking(processes if len(courses) > ALONE else 1) as look,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        bar = progress.add_task("Looking at courses", total=len(courses))
        for found in look(courses, clock.now()):
            chosen += found
            progress.advance(bar, scanning.AT_ONCE)
    return chosen


Look = Callable[[Sequence[str], datetime], Iterator[list[str]]]


@contextmanager
def looking(processes: int) -> Iterator[Look]:
    """What looks at courses, some at a time and in order, and gives those of which something else stands on record.

    Use it in the app's context. Each further process opens the service as the environment describes it.
    """
    if processes == 1:
        yield lambda courses, now: map(partial(_outdated_among, now=now), _some(courses))
        return
    # Not forked: a connection to the database can't be shared.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_open) as pool:
        yield lambda courses, now: pool.map(partial(_outdated_among, now=now), _some(courses))


def _some(courses: Sequence[str]) -> list[Sequence[str]]:
    return [courses[start : start + scanning.AT_ONCE] for start in range(0, len(courses), scanning.AT_ONCE)]


def _open() -> None:
    """Open the service in a process that does nothing else."""
    opened_app().app_context().push()
    gc.freeze()  # what is loaded stays: nobody need look through it each time values are let go


def _outdated_among(courses: Sequence[str], *, now: datetime) -> list[str]:
    return scanning.outdated(courses=courses, by=OPERATOR, now=now)


def _in_sight(courses: Iterable[str], what: str) -> Iterator[str]:
    """Each of them, with a bar on the screen of whoever waits."""
    with Progress(console=Console(stderr=True), transient=True) as progress:
        yield from progress.track(list(courses), description=what)


def _look(course: str, grace: timedelta) -> consistency.Assessed | None:
    try:
        return consistency.assess(course=course, grace=grace, by=OPERATOR, now=clock.now())
    except Refusal as refusal:
        click.echo(f"{course}: {refusal.message}", err=True)
        return None
