"""What one absence does to several courses, said once: a leave of two weeks is one thing to see to, not twenty."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.domain import access
from service.domain.absences import AbsenceKind
from service.domain.access import Actor, Role
from service.domain.hours import LocalTime
from service.domain.phrase import Phrase, Span, say, says
from service.domain.signals import Level, wording
from service.domain.signals.signal import Cause
from service.store import absences
from service.store.absences import AbsenceRow
from service.store.courses import CourseRow
from service.store.people import Directory, directory
from service.store.transaction import reading
from service.usecases.alerts import Alert


@dataclass(frozen=True, kw_only=True)
class Together:
    """One absence of which the clients of several courses are to be told."""

    absence: str
    """Public id."""
    text: Phrase
    """`Leave 7–20 Dec: 14 clients to tell`. Names no client."""
    level: Level
    """The most urgent of its alerts."""
    first: LocalTime
    """Of the hours that it takes."""
    alerts: tuple[Alert, ...]
    """All that it explains by itself: the break to tell, and the gap that it leaves."""


Gathered = tuple[tuple[Together, ...], tuple[Alert, ...]]


@reading
def gathered(db: Session, *, some: Sequence[Alert], own: str | None = None, by: Actor) -> Gathered:
    """See `gather`; the alerts are those that the reader was given. :raises Forbidden: nobody who is told of any."""
    access.require(by, Role.THERAPIST, Role.MANAGER, to_change=False)
    return gather(db, some, own=own)


def gather(db: Session, some: Sequence[Alert], *, own: str | None) -> Gathered:
    """A step: what can be said once for several courses, in order of the absences; and the alerts that are left.

    `own` is the therapist (public id) to whom it is said: whose leave it is goes without saying to them alone.
    """
    rows = _absences(db, some)
    whose = _explained(db, some, rows)
    told: dict[int, list[Alert]] = {}
    for one in some:
        if (row := whose.get(one.id)) is not None:
            told.setdefault(row.id, []).append(one)
    people = directory(db)
    found = tuple(
        _together(row, told[row.id], people, own)
        for row in rows
        if len({one.course for one in told.get(row.id, ())}) > 1
    )
    said = {one.id for group in found for one in group.alerts}
    return found, tuple(one for one in some if one.id not in said)


# --- steps ----------------------------------------------------------------------------------------------------------


def _absences(db: Session, some: Sequence[Alert]) -> list[AbsenceRow]:
    """Those near the hours of which the alerts speak, in order."""
    slots = [LocalTime.fromisoformat(slot) for one in some for slot in one.slots]
    if len(some) < 2 or not slots:
        return []
    found = absences.touching(db, min(slots) - timedelta(days=1), max(slots) + timedelta(days=1))
    return [row for row in found if row.kind != AbsenceKind.PAUSE]


def _explained(db: Session, some: Sequence[Alert], rows: Sequence[AbsenceRow]) -> dict[str, AbsenceRow]:
    """By alert, the one absence that is its whole cause and that nobody was told of; others are left out."""
    by_id, by_cause = {row.public_id: row for row in rows}, _by_cause(rows)
    sites = _courses(db, some) if rows else {}
    found: dict[str, AbsenceRow] = {}
    for one in some:
        if one.absence in by_id:
            found[one.id] = by_id[one.absence]
    # A gap names no absence; where it says the very same cause as a break to tell of that course, it is that one's.
    told = {(one.course, cause): found[one.id] for one in some if one.id in found for cause in one.causes}
    for one in some:
        if one.id in found or len(one.causes) != 1:
            continue
        likely = [row for row in by_cause.get(one.causes[0], ()) if _concerns(row, sites[one.course])]
        row = told.get((one.course, one.causes[0])) or (likely[0] if len(likely) == 1 else None)
        if row is not None:
            found[one.id] = row
    return found


def _by_cause(rows: Iterable[AbsenceRow]) -> Mapping[Phrase, list[AbsenceRow]]:
    """As a signal names each where nobody was told."""
    found: dict[Phrase, list[AbsenceRow]] = {}
    for row in rows:
        said = wording.cause(Cause(slot=row.since, why=row.kind, since=row.since, until=row.until))
        found.setdefault(said, []).append(row)
    return found


def _courses(db: Session, some: Sequence[Alert]) -> dict[str, CourseRow]:
    wanted = sorted({one.course for one in some})
    return {row.public_id: row for row in db.scalars(select(CourseRow).where(CourseRow.public_id.in_(wanted)))}


def _concerns(row: AbsenceRow, course: CourseRow) -> bool:
    if row.kind == AbsenceKind.LEAVE:
        return row.therapist_id == course.therapist_id
    return row.site_id is None or row.site_id == course.site_id


def _together(row: AbsenceRow, some: Sequence[Alert], people: Directory, own: str | None) -> Together:
    return Together(
        absence=row.public_id,
        text=says(
            "{what}: {n} client to tell",
            "{what}: {n} clients to tell",
            n=len({one.course for one in some}),
            what=_what(row, people, own),
        ),
        level=max(one.level for one in some),
        first=min(LocalTime.fromisoformat(slot) for one in some for slot in one.slots),
        alerts=tuple(some),
    )


def _what(row: AbsenceRow, people: Directory, own: str | None) -> Phrase:
    """Not by the name it was given: what people type may say why somebody is away."""
    when = Span(row.since, row.until)
    if row.kind == AbsenceKind.HOLIDAY:
        return say("Public holiday {when}", when=when)
    if row.therapist_id is not None:
        whose = people.therapists[row.therapist_id]
        if whose.public_id == own:
            return say("Leave {when}", when=when)
        return say("Leave of {who} {when}", who=whose.name, when=when)
    if row.room_id is not None:
        return say("{place} closed {when}", place=people.rooms[row.room_id].name, when=when)
    if row.site_id is not None:
        return say("{place} closed {when}", place=people.sites[row.site_id].name, when=when)
    return say("Closed {when}", when=when)
