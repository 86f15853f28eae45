"""`samehour people`: the first people of a clinic, and a way in for whoever lost theirs."""

import click

from service import clock
from service.commands.opened import opened_app
from service.domain.access import OPERATOR, Role
from service.domain.refusals import Refusal
from service.usecases import people as use_cases

_ROLES = click.Choice([role.value for role in Role])


@click.group("people")
def people() -> None:
    """Add people, see who may do what, let somebody in again, or let them in no more."""


@people.command("list")
def show() -> None:
    """Every user with address and roles."""
    with opened_app().app_context():
        for user in use_cases.users(by=OPERATOR):
            state = "  (disabled)" if user.is_disabled else ""
            click.echo(f"{user.email:<32} {', '.join(user.roles):<32} {user.name}{state}")


@people.command("add")
@click.option("--name", required=True)
@click.option("--email", required=True)
@click.option("--role", "roles", type=_ROLES, multiple=True, required=True, help="May be given more than once.")
@click.option("--therapist", help="The name of the therapist that this user is.")
def add(name: str, email: str, roles: tuple[str, ...], therapist: str | None) -> None:
    """Add a user and print the link that lets them in once, within 24 hours."""
    with _said_plainly(), opened_app().app_context():
        now = clock.now()
        known = {one.name: one.id for one in use_cases.therapists(by=OPERATOR)}
        if therapist is not None and therapist not in known:
            raise click.ClickException(f"There is no therapist named {therapist!r}.")
        use_cases.add_user(
            name=name,
            email=email,
            roles=[Role(role) for role in roles],
            therapist=known[therapist] if therapist else None,
            by=OPERATOR,
            now=now,
        )
    _print_link(email)


@people.command("link")
@click.argument("email")
def link(email: str) -> None:
    """Print a link that lets this user in once, within 24 hours."""
    _print_link(email)


@people.command("disable")
@click.argument("email")
def disable(email: str) -> None:
    """Let this user in no more, from this moment, by any door."""
    with _said_plainly(), opened_app().app_context():
        found = [user.id for user in use_cases.users(by=OPERATOR) if user.email == email.strip().lower()]
        if not found:
            raise click.ClickException("There is no user with that address.")
        use_cases.disable_user(user=found[0], by=OPERATOR, now=clock.now())
    click.echo("Disabled.")


def _print_link(email: str) -> None:
    app = opened_app()
    with _said_plainly(), app.app_context():
        secret = use_cases.sign_in_link(email=email, by=OPERATOR, now=clock.now())
    click.echo(f"{app.extensions['samehour'].public_url}/sign-in/{secret}")


class _said_plainly:  # noqa: N801  reads as what it does
    """A refusal ends the command with its sentence, not with a traceback."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, fault: BaseException | None, _trace: object) -> None:
        if isinstance(fault, Refusal):
            raise click.ClickException(str(fault)) from None
