"""`samehour feeds`: which calendars are read from outside, a new one for somebody, and an end to one at once."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import Flask

from service import clock
from service.app import settings_of
from service.commands.opened import opened_app
from service.domain.access import OPERATOR
from service.domain.privacy import Privacy
from service.domain.refusals import Refusal
from service.usecases import feeds as use_cases
from service.usecases import people


@click.group("feeds")
def feeds() -> None:
    """List, make and revoke calendar feeds."""


@feeds.command("list")
def show() -> None:
    """Every feed that works: whose hours it shows, how much it says, and who fetched it last. Never its address."""
    with _opened():
        found = use_cases.listed(by=OPERATOR)
    for one in found:
        fetched = f"{one.fetched_at:%Y-%m-%d %H:%M}Z by {one.fetched_by}" if one.fetched_at else "not fetched yet"
        click.echo(f"{one.id}  {one.therapist_name:<24} {one.privacy.value:<10} {fetched}  “{one.name}”")
    if not found:
        click.echo("No calendar is read from outside.")


@feeds.command("add")
@click.argument("email")
@click.option("--name", default="made at the command line", show_default=True, help="So that its owner knows it again.")
@click.option("--therapist", help="Whose hours, by name; without it those of the user, who is a therapist then.")
@click.option(
    "--privacy",
    type=click.Choice([level.value for level in Privacy]),
    default=Privacy.INITIALS.value,
    show_default=True,
    help="What an hour is called.",
)
@click.option("--cancelled", is_flag=True, help="Show cancelled hours, marked as such.")
def add(email: str, name: str, therapist: str | None, privacy: str, cancelled: bool) -> None:
    """Make a feed that belongs to the user with that address, and print its own address, this once."""
    with _opened() as app:
        user = _user(email)
        new = use_cases.create(
            name=name,
            therapist=_therapist(therapist) if therapist else user.therapist,
            owner=user.id,
            privacy=Privacy(privacy),
            shows_cancelled=cancelled,
            by=OPERATOR,
            now=clock.now(),
        )
    click.echo(f"{settings_of(app).public_url}/feeds/{new.secret}.ics")


@feeds.command("revoke")
@click.argument("ids", nargs=-1, required=True)
def revoke(ids: tuple[str, ...]) -> None:
    """Tell nobody anything at the address of these feeds, from this moment; `list` shows their ids."""
    with _opened():
        for feed in ids:
            use_cases.revoke(feed=feed, by=OPERATOR, now=clock.now())
    click.echo(f"{len(ids)} revoked.")


def _user(email: str) -> people.User:
    for user in people.users(by=OPERATOR):
        if user.email == email.strip().lower() and not user.is_disabled:
            return user
    raise click.ClickException("There is no user with that address.")


def _therapist(name: str) -> str:
    for one in people.therapists(by=OPERATOR):
        if one.name == name:
            return one.id
    raise click.ClickException(f"There is no therapist named {name!r}.")


@contextmanager
def _opened() -> Iterator[Flask]:
    """The app at hand; a refusal ends the command with its sentence."""
    app = opened_app()
    with app.app_context():
        try:
            yield app
        except Refusal as reason:
            raise click.ClickException(str(reason)) from None
