"""`samehour feeds`: which calendars are read from outside, a new one for somebody, a new address, an end at once."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import click
from flask import Flask

from service import clock
from service.app import settings_of
from service.commands.opened import at_hand
from service.domain.access import OPERATOR
from service.domain.privacy import Privacy
from service.domain.subscription import DAYS_BACK, LONGEST_AHEAD, LONGEST_ALARM
from service.language import LOCALES
from service.usecases import clients, people
from service.usecases import feeds as use_cases

View = Callable[..., None]

_CHOICES = (
    click.option("--privacy", type=click.Choice([level.value for level in Privacy]), help="What an hour is called."),
    click.option("--cancelled/--no-cancelled", default=None, help="Show cancelled hours, marked as such."),
    click.option(
        "--days-back",
        type=click.Choice([str(days) for days in DAYS_BACK]),
        help="Single hours and leave of so many past days; 90 where left out.",
    ),
    click.option(
        "--weeks-ahead", type=click.IntRange(0, LONGEST_AHEAD), help="Single hours and leave so far ahead; 0: all."
    ),
    click.option("--alarm", type=click.IntRange(0, LONGEST_ALARM), help="Minutes before an hour; 0: none."),
    click.option("--language", "locale", type=click.Choice(list(LOCALES)), help="Of the words it has of its own."),
)


def _with_choices(view: View) -> View:
    for choice in reversed(_CHOICES):
        view = choice(view)
    return view


@click.group("feeds")
def feeds() -> None:
    """List, make, change and revoke calendar feeds."""


@feeds.command("list")
def show() -> None:
    """Every feed that works: whose hours it shows, how much it says, and who fetched it last. Never its address."""
    with at_hand():
        found = use_cases.listed(by=OPERATOR, now=clock.now())
    for one in found:
        level, of = one.options.privacy.value, f"{one.shows.value} {one.whose_name}"
        click.echo(f"{one.id}  {of:<34} {level:<10} {_fetched(one)}  “{one.name}”")
    if not found:
        click.echo("No calendar is read from outside.")


@feeds.command("add")
@click.argument("email", required=False)
@click.option("--name", default="made at the command line", show_default=True, help="So that its owner knows it again.")
@click.option("--therapist", help="Whose hours, by name; without any those of the user, who is a therapist then.")
@click.option("--room", help="A room by name; with a site's name before it where two are called alike: “Quay/Room 1”.")
@click.option("--site", help="A site by name.")
@click.option("--client", help="A client's own calendar, by the clinic's reference; belongs to no user.")
@_with_choices
def add(
    email: str | None,
    name: str,
    therapist: str | None,
    room: str | None,
    site: str | None,
    client: str | None,
    **choices: Any,
) -> None:
    """Make a feed that belongs to the user with that address, and print its own address, this once."""
    with at_hand() as app:
        user = None if client else _user(email or "")
        whose: dict[str, Any] = {
            "therapist": _named(people.therapists(by=OPERATOR), therapist, "therapist") if therapist else None,
            "room": _room(room) if room else None,
            "site": _named(people.sites(by=OPERATOR), site, "site") if site else None,
            "client": _client(client) if client else None,
        }
        if user and not any(whose.values()):
            whose["therapist"] = user.therapist
        new = use_cases.create(
            name=name, **whose, owner=user.id if user else None, **_chosen(choices), by=OPERATOR, now=clock.now()
        )
    _print_address(app, new)


@feeds.command("change")
@click.argument("feed")
@click.option("--name", help="So that its owner knows it again.")
@_with_choices
def change(feed: str, name: str | None, **choices: Any) -> None:
    """Change what is given; the address stays as it is. `list` shows the ids."""
    with at_hand():
        use_cases.change(feed=feed, name=name, choose=_chosen(choices), by=OPERATOR, now=clock.now())
    click.echo("Changed.")


@feeds.command("rotate")
@click.argument("feed")
@click.option("--overlap", type=click.IntRange(0, 24), default=0, show_default=True, help="Hours the old one goes on.")
def rotate(feed: str, overlap: int) -> None:
    """Give the feed a new address, and print it, this once."""
    with at_hand() as app:
        new = use_cases.rotate(feed=feed, overlap=timedelta(hours=overlap), by=OPERATOR, now=clock.now())
    _print_address(app, new)


@feeds.command("revoke")
@click.argument("ids", nargs=-1, required=True)
def revoke(ids: tuple[str, ...]) -> None:
    """Tell nobody anything at the addresses of these feeds, from this moment; `list` shows their ids."""
    with at_hand():
        for feed in ids:
            use_cases.revoke(feed=feed, by=OPERATOR, now=clock.now())
    click.echo(f"{len(ids)} revoked.")


@feeds.command("clients")
@click.argument("wanted", type=click.Choice(["on", "off"]))
def offer(wanted: str) -> None:
    """Let clients have a calendar of their own hours (off as delivered); with `off`, those that there are end."""
    with at_hand():
        ended = use_cases.let_clients_have_one(is_on=wanted == "on", by=OPERATOR, now=clock.now())
    click.echo(f"{wanted}; {ended} ended.")


def _chosen(choices: dict[str, Any]) -> dict[str, Any]:
    """As the use-case takes them; 0 at the command line is its None."""
    given = {name: value for name, value in choices.items() if value is not None}
    as_they_are = {"locale": given["locale"]} if "locale" in given else {}
    if "privacy" in given:
        as_they_are["privacy"] = Privacy(given["privacy"])
    if "cancelled" in given:
        as_they_are["shows_cancelled"] = given["cancelled"]
    if "days_back" in given:
        as_they_are["days_back"] = int(given["days_back"])
    if "weeks_ahead" in given:
        as_they_are["weeks_ahead"] = given["weeks_ahead"] or None
    if "alarm" in given:
        as_they_are["alarm_minutes"] = given["alarm"] or None
    return as_they_are


def _fetched(one: use_cases.Subscription) -> str:
    last = one.fetched
    return f"{last.fetched_at:%Y-%m-%d %H:%M}Z by {last.fetched_by}" if last else "not fetched yet"


def _print_address(app: Flask, new: use_cases.New) -> None:
    click.echo(f"{settings_of(app).public_url}/feeds/{new.secret}.ics")


def _user(email: str) -> people.User:
    for user in people.users(by=OPERATOR):
        if user.email == email.strip().lower() and not user.is_disabled:
            return user
    raise click.ClickException("There is no user with that address.")


def _named(found: Iterable[Any], name: str, kind: str) -> str:
    ids = [one.id for one in found if one.name == name]
    if len(ids) != 1:
        raise click.ClickException(f"There is {'no' if not ids else 'more than one'} {kind} named {name!r}.")
    return str(ids[0])


def _room(name: str) -> str:
    site, _, room = name.rpartition("/")
    rooms = people.rooms(by=OPERATOR)
    if not site:
        return _named(rooms, name, "room")
    at = _named(people.sites(by=OPERATOR), site, "site")
    return _named((one for one in rooms if one.site == at), room, "room")


def _client(reference: str) -> str:
    for one in clients.find(query=reference, by=OPERATOR):
        if one.reference == reference.strip().upper():
            return one.id
    raise click.ClickException("There is no client with that reference.")
