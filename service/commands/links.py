"""`samehour links`: a way in for one person of each role, for demos and for the first sign-in."""

import os

import click

from service import clock
from service.commands.opened import opened_app
from service.config import Settings
from service.domain.access import OPERATOR, Role
from service.usecases import people


@click.command("links")
def links() -> None:
    """Print one sign-in link per role. Each works once, within 24 hours; whoever has it is that person."""
    public_url = Settings.from_env(os.environ).public_url
    with opened_app().app_context():
        for role, user in _one_of_each().items():
            secret = people.sign_in_link(email=user.email, by=OPERATOR, now=clock.now())
            click.echo(f"  {role.replace('_', ' '):<11} {user.name:<24} {public_url}/sign-in/{secret}")


def _one_of_each() -> dict[Role, people.User]:
    """The first person of each role, one with few other roles before one with many."""
    able = sorted(
        (it for it in people.users(by=OPERATOR) if not it.is_disabled), key=lambda it: (len(it.roles), it.email)
    )
    return {role: next(it for it in able if role in it.roles) for role in Role if any(role in it.roles for it in able)}
