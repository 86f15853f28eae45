"""Calendars elsewhere that a therapist lives by too, and when they say that they are busy.

When a calendar is read next is its message in the outbox: one row for as long as the calendar is read, armed anew after
each reading. So whoever reads it holds the message's lease, and what a crash leaves behind is taken up by the next.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    Select,
    String,
    Text,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.domain.hours import Span
from service.domain.phrase import say
from service.domain.refusals import NotFound
from service.store.base import BigId, Model, PublicId, UtcTime, new_public_id
from service.store.outbox import OutboxRow
from service.store.people import TherapistRow, UserRow

TOPIC = "outside.read"


class OutsideCalendarRow(Model):
    __tablename__ = "outside_calendars"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(PublicId, unique=True, default=new_public_id)
    therapist_id: Mapped[int] = mapped_column(ForeignKey("therapists.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    url: Mapped[str] = mapped_column(Text)
    """Sealed: whoever has the address can read the calendar."""
    made_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    changed_at: Mapped[datetime] = mapped_column(UtcTime)
    """When it last said something else: the board compares it."""
    tried_at: Mapped[datetime | None] = mapped_column(UtcTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcTime)
    """When it was last read, or said that nothing has changed."""
    filled_at: Mapped[datetime | None] = mapped_column(UtcTime)
    """When it was last read whole."""
    fault: Mapped[str | None] = mapped_column(String(20))
    """The kind of it; None where the last reading went well."""
    failures: Mapped[int] = mapped_column(Integer, default=0)
    """In a row."""
    etag: Mapped[str | None] = mapped_column(String(200))
    modified: Mapped[str | None] = mapped_column(String(60))
    """Last-Modified, as it was said."""
    left_out: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """How many entries could not be read, by kind of reason."""


class OutsideSpanRow(Model):
    """When somebody is busy. Of what they do nothing is kept."""

    __tablename__ = "outside_spans"
    __table_args__ = (
        CheckConstraint("until > since", name="in_order"),
        Index("ix_outside_spans_calendar_id_since", "calendar_id", "since"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    calendar_id: Mapped[int] = mapped_column(ForeignKey("outside_calendars.id"))
    since: Mapped[datetime] = mapped_column(UtcTime)
    until: Mapped[datetime] = mapped_column(UtcTime)


def get(session: Session, public_id: str) -> OutsideCalendarRow:
    """:raises NotFound: no such calendar."""
    row = find(session, public_id)
    if row is None:
        raise NotFound(say("There is no such calendar."))
    return row


def find(session: Session, public_id: str) -> OutsideCalendarRow | None:
    return session.scalar(select(OutsideCalendarRow).where(OutsideCalendarRow.public_id == public_id))


def of_therapists(session: Session, ids: Collection[int] | None = None) -> list[OutsideCalendarRow]:
    """Those of these therapists, or all, in order of creation."""
    query = select(OutsideCalendarRow).order_by(OutsideCalendarRow.id)
    return list(
        session.scalars(query if ids is None else query.where(OutsideCalendarRow.therapist_id.in_(sorted(ids))))
    )


def is_lived(session: Session, therapist_id: int) -> bool:
    """False for a therapist who works here no more, or whose account has ended: nobody asks their calendars then."""
    return session.scalar(_lived().where(TherapistRow.id == therapist_id)) is not None


def _lived() -> Select[int]:
    """Inner ids of therapists whose calendars are read, and count."""
    theirs = select(UserRow.id).where(UserRow.therapist_id == TherapistRow.id)
    may_sign_in = theirs.where(UserRow.disabled_at.is_(None))
    return select(TherapistRow.id).where(TherapistRow.is_active, or_(~theirs.exists(), may_sign_in.exists()))


def busy(
    session: Session, *, since: datetime, until: datetime, therapist_ids: Iterable[int]
) -> list[tuple[int, datetime, datetime]]:
    """Therapist, and since and until when they are busy elsewhere; whatever reaches into the span, in order."""
    query = (
        select(OutsideCalendarRow.therapist_id, OutsideSpanRow.since, OutsideSpanRow.until)
        .join(OutsideCalendarRow, OutsideCalendarRow.id == OutsideSpanRow.calendar_id)
        .where(
            OutsideSpanRow.since < until,
            OutsideSpanRow.until > since,
            OutsideCalendarRow.therapist_id.in_(sorted(set(therapist_ids))),
            OutsideCalendarRow.therapist_id.in_(_lived()),
        )
        .order_by(OutsideSpanRow.since, OutsideSpanRow.id)
    )
    return [(whose, begins, ends) for whose, begins, ends in session.execute(query)]


def state(session: Session) -> str:
    """Differs whenever any calendar says something else, comes or goes."""
    query = select(func.count(), func.max(OutsideCalendarRow.changed_at)).select_from(OutsideCalendarRow)
    number, newest = session.execute(query).one()
    return f"{number}-{newest.timestamp():.6f}" if newest else "0"


def spans(session: Session, calendar_id: int) -> dict[Span, int]:
    """Those kept of the calendar, with their inner ids."""
    query = select(OutsideSpanRow.id, OutsideSpanRow.since, OutsideSpanRow.until)
    found = session.execute(query.where(OutsideSpanRow.calendar_id == calendar_id))
    return {Span(since=since, until=until): number for number, since, until in found}


def replace_spans(session: Session, calendar_id: int, wanted: Sequence[Span]) -> bool:
    """Keep these and no others; True where anything changed."""
    known = spans(session, calendar_id)
    gone = [number for span, number in known.items() if span not in set(wanted)]
    new = [span for span in wanted if span not in known]
    for start in range(0, len(gone), 500):
        session.execute(delete(OutsideSpanRow).where(OutsideSpanRow.id.in_(gone[start : start + 500])))
    if new:
        rows = [{"calendar_id": calendar_id, "since": span.since, "until": span.until} for span in new]
        session.execute(insert(OutsideSpanRow), rows)
    return bool(gone or new)


def counts(session: Session, *, since: datetime) -> dict[int, int]:
    """How many busy times of each calendar end after that instant, by inner id."""
    query = select(OutsideSpanRow.calendar_id, func.count()).where(OutsideSpanRow.until > since)
    return {row[0]: row[1] for row in session.execute(query.group_by(OutsideSpanRow.calendar_id))}


def messages(session: Session, public_ids: Iterable[str]) -> dict[str, OutboxRow]:
    """The outbox row of each calendar, by its public id."""
    keys = sorted(key_of(one) for one in public_ids)
    found: dict[str, OutboxRow] = {}
    for start in range(0, len(keys), 500):
        rows = session.scalars(select(OutboxRow).where(OutboxRow.dedup_key.in_(keys[start : start + 500])))
        found |= {row.payload["calendar"]: row for row in rows}
    return found


def key_of(public_id: str) -> str:
    return f"{TOPIC}:{public_id}"


def arm(session: Session, message: OutboxRow, *, now: datetime) -> None:
    """Have it read now, whatever became of its message; whoever is reading it is left alone."""
    if message.is_free(now) or message.state != "pending":
        session.execute(
            update(OutboxRow)
            .where(OutboxRow.id == message.id)
            .values(state="pending", attempts=0, not_before=now, lease_until=None, done_at=None, last_error=None)
        )


def forget(session: Session, row: OutsideCalendarRow) -> None:
    """With all that it said."""
    session.execute(delete(OutsideSpanRow).where(OutsideSpanRow.calendar_id == row.id))
    session.execute(delete(OutboxRow).where(OutboxRow.dedup_key == key_of(row.public_id)))
    session.delete(row)
