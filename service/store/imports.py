"""What was imported from an old book, so that importing it again changes nothing; and many appointments at once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import ForeignKey, Index, Integer, Select, String, func, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.domain.hours import LocalTime
from service.domain.phrase import say
from service.domain.refusals import CannotBook
from service.store import occupancies
from service.store.appointments import AppointmentRow
from service.store.base import BigId, Model, PublicId, UtcTime, new_public_id
from service.store.courses import CourseClientRow, CourseRow
from service.store.occupancies import Key, OccupancyRow

MANY = 500
"""So many values stand in one list of a statement."""

Value = TypeVar("Value")


class ImportRow(Model):
    __tablename__ = "imports"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(PublicId, unique=True, default=new_public_id)
    source: Mapped[str] = mapped_column(String(120))
    """The file's name, without folders."""
    digest: Mapped[str] = mapped_column(String(64))
    made_by: Mapped[str] = mapped_column(String(120))
    made_at: Mapped[datetime] = mapped_column(UtcTime)
    entries: Mapped[int] = mapped_column(Integer)
    rejected: Mapped[int] = mapped_column(Integer)


class ImportedRow(Model):
    """One entry of the old book, by its key there, and what it became here."""

    __tablename__ = "imported"
    __table_args__ = (Index("uq_imported_key", "key", unique=True),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("imports.id"), index=True)
    key: Mapped[str] = mapped_column(String(200))
    standing_id: Mapped[int | None] = mapped_column(ForeignKey("standings.id"))
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointments.id"))


@dataclass(frozen=True, kw_only=True)
class Booking:
    """An appointment to be written, with whom it holds, if it holds anybody."""

    values: Mapping[str, Any]
    """By column, all but the inner id."""
    keys: tuple[Key, ...]

    @property
    def starts(self) -> datetime:
        found: datetime = self.values["starts_at"]
        return found

    @property
    def ends(self) -> datetime:
        found: datetime = self.values["ends_at"]
        return found


def in_parts(values: Iterable[Value], size: int = MANY) -> Iterator[list[Value]]:
    """All values, so many at a time."""
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part


def known(session: Session, keys: Iterable[str]) -> dict[str, tuple[int | None, int | None]]:
    """Those of the keys that were brought in before: inner ids of the standing and the appointment they became."""
    query = select(ImportedRow.key, ImportedRow.standing_id, ImportedRow.appointment_id)
    return {
        key: (standing, appointment)
        for part in in_parts(keys)
        for key, standing, appointment in session.execute(query.where(ImportedRow.key.in_(part)))
    }


def hours_by_id(session: Session, ids: Iterable[int]) -> dict[int, tuple[LocalTime, int, str, datetime | None]]:
    """Start, minutes, status and void mark of these appointments."""
    columns = (AppointmentRow.starts, AppointmentRow.minutes, AppointmentRow.status, AppointmentRow.void_at)
    return {
        row[0]: (row[1], row[2], row[3], row[4])
        for part in in_parts(ids)
        for row in session.execute(select(AppointmentRow.id, *columns).where(AppointmentRow.id.in_(part)))
    }


def slots_by_standing(session: Session, ids: Iterable[int]) -> dict[int, set[LocalTime]]:
    """The slots of these standings that have a row."""
    found: dict[int, set[LocalTime]] = {}
    query = select(AppointmentRow.standing_id, AppointmentRow.slot)
    for part in in_parts(ids):
        for standing, slot in session.execute(query.where(AppointmentRow.standing_id.in_(part))):
            if standing is not None and slot is not None:
                found.setdefault(standing, set()).add(slot)
    return found


def held(
    session: Session, whom: Mapping[occupancies.Kind, Iterable[int]], *, since: datetime, newer_than: int = 0
) -> Iterator[tuple[Key, datetime, datetime]]:
    """Who of these is held from when until when, as far as that ends after `since`; meant overlaps left out."""
    columns = (OccupancyRow.who, OccupancyRow.starts, OccupancyRow.ends)
    for kind, ids in whom.items():
        for part in in_parts(sorted(ids)):
            query: Select[int, datetime, datetime] = select(*columns).where(
                OccupancyRow.kind == int(kind),
                OccupancyRow.who.in_(part),
                OccupancyRow.ends > since,
                OccupancyRow.exempt.is_(False),
                OccupancyRow.id > newer_than,
            )
            for who, starts, ends in session.execute(query):
                yield (kind, who), starts, ends


def newest_hold(session: Session) -> int:
    return session.scalar(select(func.max(OccupancyRow.id))) or 0


def running_courses(session: Session, clients: Iterable[int], *, site_id: int) -> dict[int, int]:
    """By inner client id, their newest course at the site that has no end; inner ids."""
    query = (
        select(CourseClientRow.client_id, CourseRow.id)
        .join(CourseRow, CourseRow.id == CourseClientRow.course_id)
        .where(CourseRow.site_id == site_id, CourseRow.status != "ended", CourseRow.ended_on.is_(None))
        .order_by(CourseRow.id)
    )
    return {
        client: course
        for part in in_parts(sorted(clients))
        for client, course in session.execute(query.where(CourseClientRow.client_id.in_(part)))
    }


def book(session: Session, bookings: Sequence[Booking], *, newer_than: int) -> dict[str, int]:
    """Write many appointments and whom they hold, all or none; inner ids by public id.

    They were compared with what was booked up to the occupancy `newer_than`; only later ones are looked at again.

    :raises CannotBook: somebody else took an hour meanwhile. Nothing was changed.
    """
    holding = sorted((one for one in bookings if one.keys), key=lambda one: one.starts)
    keys = {key for one in holding for key in one.keys}
    occupancies.lock(session, keys)
    _look_again(session, holding, keys, newer_than)
    ids = _write_rows(session, bookings)
    new = [
        {
            "kind": int(kind),
            "who": who,
            "starts": one.starts,
            "ends": one.ends,
            "appointment_id": ids[one.values["public_id"]],
            "exempt": False,
        }
        for one in holding
        for kind, who in one.keys
    ]
    if new:
        session.execute(insert(OccupancyRow), new)
    return ids


def _look_again(session: Session, holding: Sequence[Booking], keys: Iterable[Key], newer_than: int) -> None:
    whom: dict[occupancies.Kind, set[int]] = {}
    for kind, who in keys:
        whom.setdefault(occupancies.Kind(kind), set()).add(who)
    later: dict[Key, list[tuple[datetime, datetime]]] = {}
    since = min((one.starts for one in holding), default=None)
    for key, starts, ends in held(session, whom, since=since, newer_than=newer_than) if since else ():
        later.setdefault(key, []).append((starts, ends))
    if later and any(
        starts < one.ends and one.starts < ends
        for one in holding
        for key in one.keys
        for starts, ends in later.get(key, ())
    ):
        raise CannotBook(say("Somebody has just taken one of these hours. Nothing was changed."), clashes=())


def _write_rows(session: Session, bookings: Sequence[Booking]) -> dict[str, int]:
    if not bookings:
        return {}
    written = insert(AppointmentRow).returning(AppointmentRow.public_id, AppointmentRow.id)
    return dict(session.execute(written, [one.values for one in bookings]).all())
