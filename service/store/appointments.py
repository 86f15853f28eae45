"""Appointments and their changes: rows ↔ values and queries. Who is held by them stands in `occupancies`."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, Integer, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.domain.appointment import Appointment, Attribute, Change, Initiator, Status
from service.domain.hours import TZDATA_VERSION, LocalTime, instant, local_time, span_of
from service.domain.phrase import say
from service.domain.refusals import NotFound
from service.domain.standing import Modality
from service.store.base import BigId, Model, PublicId, UtcTime, WallTime, new_public_id
from service.store.people import Directory


class AppointmentRow(Model):
    __tablename__ = "appointments"
    __table_args__ = (
        Index("uq_appointments_standing_id_slot", "standing_id", "slot", unique=True),
        Index("ix_appointments_course_id_starts_at", "course_id", "starts_at"),
        Index("ix_appointments_therapist_id_starts_at", "therapist_id", "starts_at"),
        Index("ix_appointments_room_id_starts_at", "room_id", "starts_at"),
        Index("ix_appointments_starts_at", "starts_at"),
        CheckConstraint("minutes between 5 and 720", name="length"),
        CheckConstraint("ends_at > starts_at", name="in_order"),
        CheckConstraint("(standing_id is null) = (slot is null)", name="slot_of_standing"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(PublicId, unique=True, default=new_public_id)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"))
    standing_id: Mapped[int | None] = mapped_column(ForeignKey("standings.id"))
    slot: Mapped[datetime | None] = mapped_column(WallTime)
    starts: Mapped[datetime] = mapped_column(WallTime)
    zone: Mapped[str] = mapped_column(String(64))
    minutes: Mapped[int] = mapped_column(Integer)
    starts_at: Mapped[datetime] = mapped_column(UtcTime)
    """Derived from `starts` and `zone` with `tzdata`; so is `ends_at`."""
    ends_at: Mapped[datetime] = mapped_column(UtcTime)
    tzdata: Mapped[str] = mapped_column(String(12))
    therapist_id: Mapped[int] = mapped_column(ForeignKey("therapists.id"))
    room_id: Mapped[int | None] = mapped_column(ForeignKey("rooms.id"))
    modality: Mapped[str] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(20))
    by: Mapped[str | None] = mapped_column(String(10))
    reason: Mapped[str | None] = mapped_column(String(40))
    told_at: Mapped[datetime | None] = mapped_column(UtcTime)
    began_at: Mapped[datetime | None] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)
    late_by: Mapped[str | None] = mapped_column(String(10))
    ending_session: Mapped[bool] = mapped_column(Boolean, default=False)
    keeps_hour: Mapped[bool] = mapped_column(Boolean, default=False)
    """True for a pause that keeps the hour: it does not take place, and nobody else gets it."""
    void_at: Mapped[datetime | None] = mapped_column(UtcTime)
    """Set once the standing ended or was replaced before this slot: it is expected no more, and counts nowhere."""
    overlap_reason: Mapped[str | None] = mapped_column(String(500))
    """Why it may lie over another one (supervision, a group of groups); audited."""
    feed_uid: Mapped[str] = mapped_column(PublicId, default=new_public_id)
    version: Mapped[int] = mapped_column(Integer, default=1)
    changed_at: Mapped[datetime] = mapped_column(UtcTime)


class ChangeRow(Model):
    __tablename__ = "changes"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointments.id"), index=True)
    what: Mapped[str] = mapped_column(String(10))
    was: Mapped[str | None] = mapped_column(String(40))
    now: Mapped[str | None] = mapped_column(String(40))
    asked_by: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str | None] = mapped_column(String(40))
    told_at: Mapped[datetime | None] = mapped_column(UtcTime)
    made_by: Mapped[str] = mapped_column(String(120))
    made_at: Mapped[datetime] = mapped_column(UtcTime)


def get(session: Session, public_id: str) -> AppointmentRow:
    """:raises NotFound: no such appointment, or one that is expected no more."""
    row = session.scalar(
        select(AppointmentRow).where(AppointmentRow.public_id == public_id, AppointmentRow.void_at.is_(None))
    )
    if row is None:
        raise NotFound(say("There is no such appointment."))
    return row


def of_course(session: Session, course_id: int) -> list[AppointmentRow]:
    """All that count, in order of time."""
    query = select(AppointmentRow).where(AppointmentRow.course_id == course_id, AppointmentRow.void_at.is_(None))
    return list(session.scalars(query.order_by(AppointmentRow.starts_at, AppointmentRow.id)))


def of_standing(session: Session, standing_id: int, *, since: LocalTime | None = None) -> list[AppointmentRow]:
    """Rows of one standing from a slot on, void ones included, in order of slot."""
    query = select(AppointmentRow).where(AppointmentRow.standing_id == standing_id)
    if since is not None:
        query = query.where(AppointmentRow.slot >= since)
    return list(session.scalars(query.order_by(AppointmentRow.slot)))


def between(
    session: Session, since: datetime, until: datetime, *, therapist_ids: Iterable[int] | None = None
) -> list[AppointmentRow]:
    """All that count and touch the span of instants, in order of time."""
    query = select(AppointmentRow).where(
        AppointmentRow.starts_at < until, AppointmentRow.ends_at > since, AppointmentRow.void_at.is_(None)
    )
    if therapist_ids is not None:
        query = query.where(AppointmentRow.therapist_id.in_(sorted(therapist_ids)))
    return list(session.scalars(query.order_by(AppointmentRow.starts_at, AppointmentRow.id)))


def changes_of(session: Session, appointment_ids: Sequence[int]) -> dict[int, list[ChangeRow]]:
    found: dict[int, list[ChangeRow]] = {}
    for start in range(0, len(appointment_ids), 500):
        some = appointment_ids[start : start + 500]
        query = select(ChangeRow).where(ChangeRow.appointment_id.in_(some)).order_by(ChangeRow.id)
        for row in session.scalars(query):
            found.setdefault(row.appointment_id, []).append(row)
    return found


def as_value(
    row: AppointmentRow,
    people: Directory,
    *,
    standing: str | None,
    changes: Iterable[ChangeRow] = (),
    zone: str | None = None,
) -> Appointment:
    """The row as the domain knows it; told and actual times in `zone`, else in its own."""
    zone = zone or row.zone
    return Appointment(
        id=row.public_id,
        standing=standing,
        slot=row.slot,
        starts=row.starts,
        minutes=row.minutes,
        zone=row.zone,
        therapist=people.therapist_public(row.therapist_id),
        room=people.room_public(row.room_id),
        modality=Modality(row.modality),
        status=Status(row.status),
        by=Initiator(row.by) if row.by else None,
        told_at=_local(row.told_at, zone),
        began=_local(row.began_at, zone),
        finished=_local(row.finished_at, zone),
        changes=tuple(change_value(change, zone) for change in changes),
        late_by=Initiator(row.late_by) if row.late_by else None,
        ending_session=row.ending_session,
    )


def change_value(row: ChangeRow, zone: str) -> Change:
    return Change(
        what=Attribute(row.what),
        was=row.was,
        now=row.now,
        told_at=_local(row.told_at, zone),
        by=Initiator(row.asked_by),
        reason=row.reason,
    )


def take_over(row: AppointmentRow, value: Appointment, people: Directory, *, now: datetime) -> None:
    """Write the value's place, status and marks into the row; its occupancies follow by `occupancies.rewrite`."""
    if (row.starts, row.minutes) != (value.starts, value.minutes):
        # Else its instants stay: what has been stays as it was, and what others hold is where these say.
        row.starts, row.minutes = value.starts, value.minutes
        derive(row)
    row.therapist_id = people.therapist(value.therapist).id
    row.room_id = people.room_id(value.room)
    row.modality, row.status = value.modality.value, value.status.value
    row.by = value.by.value if value.by else None
    row.told_at = _instant(value.told_at, value.zone)
    row.began_at = _instant(value.began, value.zone)
    row.finished_at = _instant(value.finished, value.zone)
    row.late_by = value.late_by.value if value.late_by else None
    row.version = (row.version or 0) + 1
    row.changed_at = now


def derive(row: AppointmentRow) -> None:
    """Let its instants be what its local time and zone say by today's time-zone data."""
    span = span_of(row.starts, row.minutes, row.zone)
    row.starts_at, row.ends_at, row.tzdata = span.since, span.until, TZDATA_VERSION


def new_row(
    value: Appointment, people: Directory, *, course_id: int, standing_id: int | None, now: datetime
) -> AppointmentRow:
    """A row not yet added to the session."""
    row = AppointmentRow(
        public_id=value.id, course_id=course_id, standing_id=standing_id, slot=value.slot, zone=value.zone, version=0
    )
    take_over(row, value, people, now=now)
    return row


def forget_changes(session: Session, row: AppointmentRow, *, made_at: datetime) -> int:
    """Take off the record what a move wrote that is taken back, as nobody lived through it; how many there were."""
    gone = [one for one in changes_of(session, [row.id]).get(row.id, ()) if one.made_at == made_at]
    for one in gone:
        session.delete(one)
    return len(gone)


def record_changes(
    session: Session, row: AppointmentRow, changes: Iterable[Change], *, made_by: str, now: datetime
) -> None:
    """Put on record what the client lives through."""
    for change in changes:
        session.add(
            ChangeRow(
                appointment_id=row.id,
                what=change.what.value,
                was=change.was,
                now=change.now,
                asked_by=change.by.value,
                reason=change.reason,
                told_at=_instant(change.told_at, row.zone),
                made_by=made_by,
                made_at=now,
            )
        )


def _local(at: datetime | None, zone: str) -> LocalTime | None:
    return None if at is None else local_time(at, zone)


def _instant(local: LocalTime | None, zone: str) -> datetime | None:
    return None if local is None else instant(local, zone)
