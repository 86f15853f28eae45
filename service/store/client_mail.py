"""Mail to clients: the clinic's choice, its texts, and each hour as a client's own calendar has it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, CheckConstraint, ForeignKey, Index, Integer, String, Text, and_, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.domain.client_mail import ClientMail, Kind, Shown
from service.store.appointments import AppointmentRow
from service.store.base import Model, PublicId, UtcTime, WallTime
from service.store.clients import ClientRow
from service.store.courses import CourseClientRow

_ONLY = 1


class ClientMailRow(Model):
    """The clinic's choice: one row, or none while everything is as it was delivered."""

    __tablename__ = "client_mail"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    is_on: Mapped[bool] = mapped_column(Boolean)
    kinds: Mapped[list[str]] = mapped_column(JSON)
    hours_before: Mapped[int] = mapped_column(Integer)
    clinic: Mapped[str] = mapped_column(String(120))
    sign_off: Mapped[str] = mapped_column(Text)
    counts_as_told: Mapped[bool] = mapped_column(Boolean)
    version: Mapped[int] = mapped_column(Integer, default=1)


class ClientMailTextRow(Model):
    """A text that the clinic wrote itself."""

    __tablename__ = "client_mail_texts"
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    language: Mapped[str] = mapped_column(String(10), primary_key=True)
    text: Mapped[str] = mapped_column(Text)


class ClientHourRow(Model):
    """An hour as one client knows it by mail, or would: what differs is to be told. Kept while they may be mailed."""

    __tablename__ = "client_hours"
    __table_args__ = (Index("ix_client_hours_client_id", "client_id"),)
    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointments.id"), primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id"), primary_key=True)
    uid: Mapped[str] = mapped_column(PublicId)
    """Of the entry in the client's calendar. It goes on to the hour that replaces this one in a changed standing."""
    raised: Mapped[int] = mapped_column(Integer, default=0)
    """To be added to the appointment's version for the entry's SEQUENCE, which must not go down when it does."""
    starts: Mapped[datetime] = mapped_column(WallTime)
    minutes: Mapped[int] = mapped_column(Integer)
    room_id: Mapped[int | None] = mapped_column(ForeignKey("rooms.id"))
    therapist_id: Mapped[int] = mapped_column(ForeignKey("therapists.id"))
    modality: Mapped[str] = mapped_column(String(10))
    is_on: Mapped[bool] = mapped_column(Boolean)
    mailed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    """When a mail about it last went out; None while the client knows of it otherwise."""
    message: Mapped[str | None] = mapped_column(PublicId)
    reminded_of: Mapped[datetime | None] = mapped_column(UtcTime)
    """The start of which a reminder was written down last."""

    @property
    def shown(self) -> Shown:
        return Shown(
            starts=self.starts,
            minutes=self.minutes,
            room=self.room_id,
            therapist=self.therapist_id,
            modality=self.modality,
            is_on=self.is_on,
        )

    def take_over(self, shown: Shown) -> None:
        self.starts, self.minutes, self.is_on = shown.starts, shown.minutes, shown.is_on
        self.room_id, self.therapist_id, self.modality = shown.room, shown.therapist, shown.modality


def shown(row: AppointmentRow) -> Shown:
    """The hour as it stands."""
    return Shown(
        starts=row.starts,
        minutes=row.minutes,
        room=row.room_id,
        therapist=row.therapist_id,
        modality=row.modality,
        is_on=row.void_at is None and row.status == "scheduled",
    )


def choice(session: Session) -> tuple[ClientMail, int]:
    """What the clinic chose, and the version of it; 0 before anybody chose."""
    row = session.get(ClientMailRow, _ONLY)
    if row is None:
        return ClientMail(), 0
    found = ClientMail(
        is_on=row.is_on,
        kinds=frozenset(Kind(kind) for kind in row.kinds),
        hours_before=row.hours_before,
        clinic=row.clinic,
        sign_off=row.sign_off,
        counts_as_told=row.counts_as_told,
    )
    return found, row.version


def choose(session: Session, wanted: ClientMail) -> None:
    values: dict[str, Any] = {
        "is_on": wanted.is_on,
        "kinds": sorted(kind.value for kind in wanted.kinds),
        "hours_before": wanted.hours_before,
        "clinic": wanted.clinic,
        "sign_off": wanted.sign_off,
        "counts_as_told": wanted.counts_as_told,
    }
    row = session.get(ClientMailRow, _ONLY, with_for_update=True)
    if row is None:
        session.add(ClientMailRow(id=_ONLY, version=1, **values))
        return
    for name, value in values.items():
        setattr(row, name, value)
    row.version += 1


def texts(session: Session, language: str | None = None) -> dict[tuple[Kind, str], str]:
    """The clinic's own texts by kind and language."""
    query = select(ClientMailTextRow)
    if language is not None:
        query = query.where(ClientMailTextRow.language == language)
    return {(Kind(row.kind), row.language): row.text for row in session.scalars(query)}


def mailable() -> Any:
    """True of a client who is mailed: they agreed, there is an address, and nothing speaks against writing to them."""
    return and_(ClientRow.may_be_mailed, ClientRow.is_safe_to_contact, ClientRow.email_sealed.is_not(None))


def mailable_of(session: Session, course_id: int) -> list[ClientRow]:
    """The clients of the course who are mailed."""
    query = select(ClientRow).join(CourseClientRow, CourseClientRow.client_id == ClientRow.id)
    query = query.where(CourseClientRow.course_id == course_id, mailable())
    return list(session.scalars(query.order_by(ClientRow.id)))


def hours_ahead(
    session: Session, client_id: int, course_ids: Iterable[int], *, now: datetime
) -> list[tuple[AppointmentRow, ClientHourRow | None]]:
    """Each hour of the courses that is still ahead, void ones included, with what the client knows of it."""
    known = and_(ClientHourRow.appointment_id == AppointmentRow.id, ClientHourRow.client_id == client_id)
    query = (
        select(AppointmentRow, ClientHourRow)
        .outerjoin(ClientHourRow, known)
        .where(AppointmentRow.course_id.in_(sorted(course_ids)), AppointmentRow.starts_at > now)
        .order_by(AppointmentRow.starts_at, AppointmentRow.id)
    )
    return [(row, hour) for row, hour in session.execute(query)]


def to_remind(
    session: Session, *, until: datetime, now: datetime, limit: int
) -> list[tuple[AppointmentRow, ClientHourRow, str]]:
    """Hours that begin within the span and of which no reminder was written down, each with the client's public id."""
    query = (
        select(AppointmentRow, ClientHourRow, ClientRow.public_id)
        .join(ClientHourRow, ClientHourRow.appointment_id == AppointmentRow.id)
        .join(ClientRow, ClientRow.id == ClientHourRow.client_id)
        .where(
            AppointmentRow.starts_at > now,
            AppointmentRow.starts_at <= until,
            AppointmentRow.status == "scheduled",
            AppointmentRow.void_at.is_(None),
            mailable(),
            or_(ClientHourRow.reminded_of.is_(None), ClientHourRow.reminded_of != AppointmentRow.starts_at),
        )
        .order_by(AppointmentRow.starts_at, AppointmentRow.id)
        .limit(limit)
    )
    return [(row, hour, client) for row, hour, client in session.execute(query)]


def mailed_of(session: Session, appointment_id: int) -> list[tuple[datetime, str]]:
    """When a mail about the hour last went out, and to which client (public id), the newest first."""
    query = (
        select(ClientHourRow.mailed_at, ClientRow.public_id)
        .join(ClientRow, ClientRow.id == ClientHourRow.client_id)
        .where(ClientHourRow.appointment_id == appointment_id, ClientHourRow.mailed_at.is_not(None))
        .order_by(ClientHourRow.mailed_at.desc())
    )
    return [(at, client) for at, client in session.execute(query) if at is not None]


def of_appointment(session: Session, appointment_id: int) -> dict[int, ClientHourRow]:
    """By inner client id."""
    query = select(ClientHourRow).where(ClientHourRow.appointment_id == appointment_id)
    return {row.client_id: row for row in session.scalars(query)}
