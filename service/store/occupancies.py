"""Who is held when: the guard against double booking, for therapists, rooms and clients alike.

Two guards stand behind each other. The first locks every key it is about to hold, in one order, and looks for
overlaps; it can say what is in the way. The second is a net in the database itself (an exclusion constraint, or a
pair of triggers), which holds even where the first was forgotten.
"""

import enum
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    Row,
    String,
    and_,
    delete,
    insert,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.store import calendars
from service.store.appointments import AppointmentRow
from service.store.base import BigId, Model, UtcTime, count
from service.store.standings import StandingRow


class Kind(enum.IntEnum):
    THERAPIST = 1
    ROOM = 2
    CLIENT = 3


class OccupancyRow(Model):
    __tablename__ = "occupancies"
    __table_args__ = (
        Index("ix_occupancies_kind_who_starts", "kind", "who", "starts", "ends"),
        CheckConstraint("kind in (1, 2, 3)", name="kind"),
        CheckConstraint("ends > starts", name="in_order"),
        CheckConstraint("(appointment_id is null) <> (hold is null)", name="one_reason"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[int] = mapped_column(Integer)
    who: Mapped[int] = mapped_column(BigId)
    starts: Mapped[datetime] = mapped_column(UtcTime)
    ends: Mapped[datetime] = mapped_column(UtcTime)
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointments.id"), index=True)
    hold: Mapped[str | None] = mapped_column(String(36), index=True)
    """A tentative hold, until `expires`."""
    expires: Mapped[datetime | None] = mapped_column(UtcTime, index=True)
    exempt: Mapped[bool] = mapped_column(Boolean, default=False)
    """A meant overlap; the reason stands with the appointment and in the audit."""


Key = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A span that somebody is to be held for. `appointment` is the row that will hold it."""

    appointment: AppointmentRow
    keys: tuple[Key, ...]

    @property
    def starts(self) -> datetime:
        return self.appointment.starts_at

    @property
    def ends(self) -> datetime:
        return self.appointment.ends_at


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """What is in the way of one wanted span."""

    wanted: Wanted
    kind: Kind
    who: int
    starts: datetime
    ends: datetime
    appointment_id: int | None


def keys_of(row: AppointmentRow, client_ids: Iterable[int]) -> tuple[Key, ...]:
    """Everyone the appointment holds."""
    keys: list[Key] = [(Kind.THERAPIST, row.therapist_id)]
    if row.room_id is not None:
        keys.append((Kind.ROOM, row.room_id))
    keys.extend((Kind.CLIENT, client) for client in client_ids)
    return tuple(sorted(keys))


def is_occupying(row: AppointmentRow) -> bool:
    if row.void_at is not None:
        return False
    return row.keeps_hour or row.status not in {"client_cancelled", "clinic_cancelled", "break"}


def lock(session: Session, keys: Iterable[Key]) -> None:
    """Make everybody else who wants one of these wait until this transaction ends.

    In one order, always: two series that lock in different orders wait for each other for ever. SQLite has one
    writer anyway.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    for kind, who in sorted(set(keys)):
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": (int(kind) << 56) | who})


def overlaps(session: Session, wanted: Sequence[Wanted]) -> list[Overlap]:
    """What is in the way, in order of the wanted spans. Lock first, or it may be out of date when you act on it."""
    plain = [one for one in wanted if one.appointment.overlap_reason is None]
    if not plain:
        return []
    keys = sorted({key for one in plain for key in one.keys})
    own = {one.appointment.id for one in plain if one.appointment.id is not None}
    # Plain columns, not rows: hundreds are read for a long series, and none is changed.
    query = select(
        OccupancyRow.kind, OccupancyRow.who, OccupancyRow.starts, OccupancyRow.ends, OccupancyRow.appointment_id
    ).where(
        among(keys),
        OccupancyRow.starts < max(one.ends for one in plain),
        OccupancyRow.ends > min(one.starts for one in plain),
        OccupancyRow.exempt.is_(False),
    )
    held: dict[Key, list[Held]] = {}
    with session.no_autoflush:
        for row in session.execute(query):
            if row.appointment_id not in own:
                held.setdefault((row.kind, row.who), []).append(row)
    in_order = {key: _InOrder(rows) for key, rows in held.items()}
    return [
        Overlap(
            wanted=one,
            kind=Kind(key[0]),
            who=key[1],
            starts=row.starts,
            ends=row.ends,
            appointment_id=row.appointment_id,
        )
        for one in plain
        for key in one.keys
        if key in in_order
        for row in in_order[key].touching(one.starts, one.ends)
    ]


Held = Row[int, int, datetime, datetime, int | None]


class _InOrder:
    """What one key is held for, in order of start: a series asks it once for each date, so it must not read it all."""

    def __init__(self, rows: list[Held]) -> None:
        self.rows = sorted(rows, key=lambda row: row.starts)
        self.starts = [row.starts for row in self.rows]
        self.longest = max(row.ends - row.starts for row in self.rows)

    def touching(self, starts: datetime, ends: datetime) -> list[Held]:
        first = bisect_right(self.starts, starts - self.longest)
        last = bisect_left(self.starts, ends)
        return [row for row in self.rows[first:last] if row.ends > starts]


def among(keys: Iterable[Key]) -> ColumnElement[bool]:
    """The rows of exactly these; written as one comparison a key, which both engines answer from the index."""
    return or_(*(and_(OccupancyRow.kind == int(kind), OccupancyRow.who == who) for kind, who in keys))


def rewrite(session: Session, wanted: Iterable[Wanted]) -> None:
    """Let each appointment hold exactly whom it must hold now: nobody, if it does not take place."""
    rows = sorted(wanted, key=lambda one: (one.starts, one.appointment.id))
    touched = _let_go(session, [one.appointment.id for one in rows]) | {key for one in rows for key in one.keys}
    calendars.note(session, rooms=(who for kind, who in touched if kind == Kind.ROOM))
    new = [
        {
            "kind": int(kind),
            "who": who,
            "starts": one.starts,
            "ends": one.ends,
            "appointment_id": one.appointment.id,
            "exempt": one.appointment.overlap_reason is not None,
        }
        for one in rows
        if is_occupying(one.appointment)
        for kind, who in one.keys
    ]
    if new:
        session.execute(insert(OccupancyRow), new)


def _let_go(session: Session, appointment_ids: Sequence[int]) -> set[Key]:
    """Whom the appointments held until now."""
    held: set[Key] = set()
    for start in range(0, len(appointment_ids), 500):
        some = OccupancyRow.appointment_id.in_(appointment_ids[start : start + 500])
        gone = session.execute(delete(OccupancyRow).where(some).returning(OccupancyRow.kind, OccupancyRow.who))
        held.update((kind, who) for kind, who in gone)
    return held


def release_expired(session: Session, *, now: datetime) -> int:
    """Remove tentative holds whose time is over; how many there were."""
    return count(session.execute(delete(OccupancyRow).where(OccupancyRow.expires <= now)))


def standing_of(session: Session, appointment_ids: Iterable[int]) -> dict[int, StandingRow]:
    """The standing behind each of the appointments that has one."""
    query = select(AppointmentRow.id, StandingRow).join(StandingRow, StandingRow.id == AppointmentRow.standing_id)
    return dict(session.execute(query.where(AppointmentRow.id.in_(sorted(appointment_ids)))).all())
