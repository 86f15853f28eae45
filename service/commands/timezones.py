"""`samehour timezones`: what a new release of the time-zone data does to the hours to come, and doing it."""

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from time import sleep
from typing import TypeVar

import click
from rich.console import Console
from rich.progress import Progress

from service import clock
from service.commands.opened import at_hand
from service.domain.access import OPERATOR
from service.domain.refusals import Unavailable
from service.domain.shift import ZoneShift
from service.usecases import timezones as use_cases
from service.usecases.timezones import AT_ONCE, HERE, NOTED_AT_ONCE, Clash, Outlook, Side

SOMETHING_TO_DO = 1
CLASHES = 3
TRIES = 5
WAIT_SECONDS = 0.5

Result = TypeVar("Result")


@click.group("timezones")
def timezones() -> None:
    """Put the hours to come where a new release of the time-zone data says; their local times stay."""


@timezones.command("check")
def check() -> None:
    """Say how many hours in which zones shift by how much, and which would clash. Changes nothing.

    Ends with 0 where there is nothing to do, with 1 where `apply` would change something, and with 3 where hours would
    then lie over each other.
    """
    with at_hand():
        found = use_cases.look(by=OPERATOR, now=clock.now())
    _say_releases(found)
    for one in found.shifts:
        click.echo(_shift(one))
    if found.is_current:
        click.echo("Nothing is to be done.")
        return
    if not found.hours:
        click.echo("No hour to come shifts; `samehour timezones apply` notes that.")
    _say_clashes(found)
    sys.exit(CLASHES if found.clash_count else SOMETHING_TO_DO)


@timezones.command("apply")
def apply() -> None:
    """Put them there, some at a time, while people work. Stop it or run it again whenever you like.

    An hour whose new place somebody else is held for stays where it was, and is named: move one of the two by hand and
    run this again. Ends with 0 where everything is done, with 3 where hours are left.
    """
    with at_hand():
        moved, left = put_right()
        found = use_cases.look(by=OPERATOR, now=clock.now())
    click.echo(f"{_hours(moved)} put where {HERE} says.")
    if not left:
        click.echo("Every hour to come is where it belongs.")
        return
    click.echo(f"{_hours(left)} left where {found.derived_with} had put {'it' if left == 1 else 'them'}.")
    _say_clashes(found)
    sys.exit(CLASHES)


def settle() -> str | None:
    """After an update: note the new release where no hour to come shifts; else a line that says what to do."""
    found = use_cases.look(names_clashes=False, by=OPERATOR, now=clock.now())
    if found.hours:
        return f"{use_cases.behind(found.derived_with)} {_hours(found.hours)} to come shift."
    put_right()
    return None


def put_right() -> tuple[int, int]:
    """Go over the hours until none more can be put where it belongs: how many were, and how many are left."""
    found = use_cases.look(names_clashes=False, by=OPERATOR, now=clock.now())
    use_cases.begin(shifts=found.shifts, soon=found.soon, by=OPERATOR, now=clock.now())
    for some in _in_sight(found.unchanged, "Hours that stay", NOTED_AT_ONCE):
        _patiently(partial(use_cases.note_unchanged, hours=some, by=OPERATOR))
    moved = last = _move(found)
    while last and found.hours > last:  # what was in the way of one may have gone by now
        found = use_cases.look(names_clashes=False, by=OPERATOR, now=clock.now())
        last = _move(found)
        moved += last
    return moved, use_cases.finish(by=OPERATOR, now=clock.now())


def _move(found: Outlook) -> int:
    return sum(
        _patiently(partial(use_cases.move, hours=some, by=OPERATOR, now=clock.now())).hours
        for some in _in_sight(found.to_move, "Hours that shift", AT_ONCE)
    )


def _patiently(do: Callable[[], Result]) -> Result:
    """People come first: where somebody holds what this needs, it waits and tries again.

    :raises Unavailable: the store could not take it, however often.
    """
    for _ in range(TRIES - 1):
        try:
            return do()
        except Unavailable:
            sleep(WAIT_SECONDS)
    return do()


def _in_sight(hours: Sequence[int], what: str, at_once: int) -> Iterator[Sequence[int]]:
    """Some at a time, with a bar on the screen of whoever waits."""
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(what, total=len(hours))
        for start in range(0, len(hours), at_once):
            yield hours[start : start + at_once]
            progress.advance(bar, at_once)


# --- words


def _say_releases(found: Outlook) -> None:
    if found.derived_with == HERE:
        click.echo(f"Times are derived with {HERE}, and that is what this program has.")
    else:
        click.echo(f"Times are derived with {found.derived_with}, this program has {HERE}.")


def _shift(one: ZoneShift) -> str:
    way = "earlier" if one.by < timedelta(0) else "later"
    span = f"from {one.first:%Y-%m-%d %H:%M} to {one.last:%Y-%m-%d %H:%M}"
    return f"{one.zone}: {_hours(one.hours)} {_length(abs(one.by))} {way} in UTC, {span} on the wall."


def _say_clashes(found: Outlook) -> None:
    if not found.clash_count:
        return
    click.echo(f"{found.clash_count} {'clash' if found.clash_count == 1 else 'clashes'}; move one of each two by hand:")
    for one in found.clashes:
        click.echo(f"  {_clash(one)}")
    if found.clash_count > len(found.clashes):
        click.echo(f"  and {found.clash_count - len(found.clashes)} more")


def _clash(one: Clash) -> str:
    who = {"client": "A client", "room": f"The room {one.name}"}.get(one.kind, one.name)
    return f"{who} would be held twice: by {_side(one.one)} and by {_side(one.other)}."


def _side(one: Side) -> str:
    when = f"{one.starts:%Y-%m-%d %H:%M} {one.zone} for {one.minutes} minutes"
    if one.appointment is None:
        return f"a tentative hold at {when}"
    return f"{when} with {one.therapist} (appointment {one.appointment})"


def _hours(number: int) -> str:
    return f"{number} {'hour' if number == 1 else 'hours'}"


def _length(by: timedelta) -> str:
    minutes = by // timedelta(minutes=1)
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
