"""`samehour import BOOK.ics|BOOK.csv`: the old appointment book, brought in; what can't be is said line by line."""

import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from service import clock
from service.app import settings_of
from service.commands.opened import opened_app
from service.domain import rebuild as rebuilding
from service.domain.access import OPERATOR
from service.domain.appointment import Status
from service.domain.book import Book, Noted, Rejected
from service.domain.phrase import Part
from service.domain.refusals import Malformed, Refusal
from service.files import csv_book, ics_book
from service.usecases import health, imports, people

REFUSED = 2
NEW_SITE = "Clinic"
_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class _Place:
    """The site that the book is brought in at; without an id, one that is still to be made."""

    id: str | None
    name: str
    zone: str


class _Pair(click.ParamType[tuple[str, str]]):
    """`left=right`, as in `client="Patient name"`."""

    name = "name=value"

    def __init__(self, left: str, right: str) -> None:
        self.left, self.right = left, right

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002  click's signature
        return f"{self.left}={self.right}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        left, equals, right = str(value).partition("=")
        if not equals or not left.strip() or not right.strip():
            self.fail(f"write it as {self.left}={self.right}", param, ctx)
        return left.strip().strip('"'), right.strip().strip('"')


@click.command("import")
@click.argument("book", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--site", help="The site it belongs to; made if there is none of that name. May be left out with one site."
)
@click.option("--zone", help="The IANA time zone of a site that is made now. Default: SAMEHOUR_ZONE.")
@click.option("--therapist", help="Whose book it is: of a calendar all of it, of a table where it does not say.")
@click.option("--minutes", type=click.IntRange(5, 720), help="How long a session lasts where the book does not say.")
@click.option(
    "--header",
    "headers",
    multiple=True,
    type=_Pair("FIELD", "COLUMN"),
    help=f'What a column of the table is called, as in client="Patient name". Fields: {", ".join(csv_book.FIELDS)}.',
)
@click.option(
    "--dates",
    type=click.Choice(get_args(csv_book.DateForm)),
    default="iso",
    show_default=True,
    help="How the table writes dates: 2026-03-31, 31.03.2026 or 3/31/2026.",
)
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=_Pair("WORD", "STATUS"),
    help=f"What a word of the table means, as in abgesagt=client_cancelled. Statuses: {', '.join(Status)}.",
)
@click.option("--leave-out", multiple=True, metavar="NAME", help="Events called so are no appointments (Lunch).")
@click.option(
    "--file-zone",
    "file_zones",
    multiple=True,
    type=_Pair("NAME", "ZONE"),
    help="Which IANA zone the calendar means by a name of its own.",
)
@click.option(
    "--rebuild/--no-rebuild",
    default=None,
    help="Whether standing appointments are found among single dates. Default: in a table, not in a calendar.",
)
@click.option(
    "--open-from",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Standings found in a table end with their last date. With this, those whose last date is on this day or "
    "later go on without end.",
)
@click.option(
    "--past",
    type=click.Choice(get_args(imports.Past)),
    default="unmarked",
    show_default=True,
    help="What becomes of past dates without a status. unmarked: nobody claims that they took place, and the "
    "consistency index begins with what is marked from now on. held: what stands in the book took place.",
)
@click.option("--dry-run", is_flag=True, help="Say what would become of the book, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for programs.")
def import_(book: Path, as_json: bool, dry_run: bool, past: imports.Past, **how: Any) -> None:
    """Bring in an old appointment book: a calendar (.ics) or a table of dates (.csv).

    Weekly series become standing appointments with their exceptions, other dates single appointments; clients,
    therapists and rooms are made where there are none of that name. What clashes or is not clear stays out, with its
    line and reason. What was brought in before is known again and left as it is, so that it can be repeated. Try it
    with --dry-run first. Ends with 2 where the file can't be read at all.
    """
    app = opened_app()
    with app.app_context():
        if not health.look(now=clock.now()).is_schema_current:
            raise click.ClickException("The database is not up to date: run `samehour init` first.")
        try:
            data = book.read_bytes()
            place = _place(how["site"], how["zone"], default_zone=settings_of(app).zone)
            found = _read(data, book.name, place, how)
            outcome = _bring_in(found, place, data, book.name, dry_run, past, settings_of(app).horizon)
        except Malformed as refusal:
            _refuse(refusal, as_json)
        except Refusal as refusal:
            raise click.ClickException(str(refusal)) from None
    if as_json:
        click.echo(json.dumps(vars(outcome) | {"site": place.name}, indent=2, ensure_ascii=False, default=_plainly))
    else:
        _say(outcome, place)


def _place(site: str | None, zone: str | None, *, default_zone: str) -> _Place:
    """:raises click.UsageError: it is not clear which site is meant, or it is in another zone."""
    sites = people.sites(by=OPERATOR)
    if site is None and len(sites) > 1:
        raise click.UsageError(f"There are several sites: say with --site which of {_listed(s.name for s in sites)}.")
    known = next((one for one in sites if site is None or one.name.casefold() == site.casefold()), None)
    if known is None:
        return _Place(id=None, name=site or NEW_SITE, zone=zone or default_zone)
    if zone is not None and zone != known.zone:
        raise click.UsageError(f"{known.name} is in {known.zone}, so that --zone {zone} can't be.")
    return _Place(id=known.id, name=known.name, zone=known.zone)


def _read(data: bytes, name: str, place: _Place, how: dict[str, Any]) -> Book:
    """:raises CannotRead: it is no book, or not of the kind it says. :raises UnknownZone: see there."""
    is_calendar = _is_calendar(data, name)
    if is_calendar:
        found = ics_book.parse(
            data,
            default_zone=place.zone,
            therapist=how["therapist"],
            minutes=how["minutes"],
            zones=dict(how["file_zones"]),
            leave_out=how["leave_out"],
        )
    else:
        found = csv_book.parse(
            data,
            zone=place.zone,
            headers=dict(how["headers"]),
            therapist=how["therapist"],
            minutes=how["minutes"],
            dates=how["dates"],
            statuses=dict(how["statuses"]),
        )
    if how["rebuild"] is False or (is_calendar and not how["rebuild"]):
        return found
    return rebuilding.rebuild(found, open_from=how["open_from"].date() if how["open_from"] else None)


def _is_calendar(data: bytes, name: str) -> bool:
    begins = data[:200].removeprefix(b"\xef\xbb\xbf").lstrip()[:15].upper()
    return begins == b"BEGIN:VCALENDAR" or name.lower().endswith((".ics", ".ical", ".icalendar", ".ifb"))


def _bring_in(
    found: Book, place: _Place, data: bytes, name: str, dry_run: bool, past: imports.Past, horizon: timedelta
) -> imports.Outcome:
    now = clock.now()
    if dry_run:
        return imports.preview(found, site=place.id, zone=place.zone, past=past, horizon=horizon, by=OPERATOR, now=now)
    if not (found.series or found.singles or found.absences):
        return imports.Outcome(is_dry=False, rejected=found.rejected, noted=found.noted)
    site = place.id or people.add_site(
        name=place.name, zone_name=place.zone, country=None, region=None, by=OPERATOR, now=now
    )
    with _progress() as progress:
        return imports.take(
            found,
            site=site,
            source=name,
            digest=hashlib.sha256(data).hexdigest(),
            past=past,
            horizon=horizon,
            progress=progress,
            by=OPERATOR,
            now=now,
        )


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on the error output, where that is a screen."""
    columns = (TextColumn("Bringing in"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda through, total: bar.update(task, completed=through, total=total)


def _refuse(refusal: Malformed, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"error": str(refusal.message), "where": refusal.where}, ensure_ascii=False))
    click.echo(f"The file was not brought in: {refusal.message}", err=True)
    sys.exit(REFUSED)


def _plainly(value: Rejected | Noted | Part) -> object:
    return str(value) if isinstance(value, Part) else vars(value)


def _say(outcome: imports.Outcome, place: _Place) -> None:
    for one in outcome.rejected:
        click.echo(f"line {one.line}: stays out. {one.reason}")
    for noted in outcome.noted:
        times = f" ({noted.times} times)" if noted.times > 1 else ""
        click.echo(f"line {noted.line}: {noted.what}{times}")
    if outcome.rejected or outcome.noted:
        click.echo()
    head = "Dry run, nothing was written. It would bring in" if outcome.is_dry else "Brought in"
    click.echo(f"{head} at {place.name} ({place.zone}):")
    for words, number in _counts(outcome):
        click.echo(f"  {number:>7}  {words}")
    if outcome.unmarked:
        click.echo(f"{outcome.unmarked} past dates are unmarked; --past held would take them as having taken place.")
    if outcome.therapists:
        click.echo(f"New therapists: {_listed(outcome.therapists)}")
    if outcome.rooms:
        click.echo(f"New rooms: {_listed(outcome.rooms)}")


def _counts(outcome: imports.Outcome) -> list[tuple[str, int]]:
    return [
        ("new clients", outcome.clients),
        (f"new courses, {outcome.ended} of them of former clients", outcome.courses),
        ("standing appointments", outcome.standings),
        ("dates of standing appointments", outcome.of_standings),
        ("single appointments", outcome.singles),
        ("times of leave", outcome.absences),
        ("brought in before, left as they are", outcome.unchanged),
        ("lines that stay out", len(outcome.rejected)),
    ]


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
