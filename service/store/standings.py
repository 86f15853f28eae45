"""Standings: versions of the arrangement, rows ↔ values."""

from datetime import date, datetime, time

from sqlalchemy import Boolean, CheckConstraint, Date, ForeignKey, Integer, String, Time, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from service.domain.hours import Hour, Weekday, local_time
from service.domain.phrase import say
from service.domain.refusals import NotFound
from service.domain.standing import Modality, Standing
from service.store.base import BigId, Model, PublicId, UtcTime, new_public_id
from service.store.people import Directory


class StandingHourRow(Model):
    __tablename__ = "standing_hours"
    standing_id: Mapped[int] = mapped_column(ForeignKey("standings.id"), primary_key=True)
    weekday: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[time] = mapped_column(Time, primary_key=True)


class StandingRow(Model):
    __tablename__ = "standings"
    __table_args__ = (
        CheckConstraint("every_weeks between 1 and 52", name="cadence"),
        CheckConstraint("minutes between 5 and 720", name="length"),
        CheckConstraint("until is null or until >= since", name="in_order"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(PublicId, unique=True, default=new_public_id)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), index=True)
    therapist_id: Mapped[int] = mapped_column(ForeignKey("therapists.id"), index=True)
    room_id: Mapped[int | None] = mapped_column(ForeignKey("rooms.id"))
    modality: Mapped[str] = mapped_column(String(10))
    zone: Mapped[str] = mapped_column(String(64))
    every_weeks: Mapped[int] = mapped_column(Integer)
    minutes: Mapped[int] = mapped_column(Integer)
    since: Mapped[date] = mapped_column(Date)
    until: Mapped[date | None] = mapped_column(Date)
    change_told_at: Mapped[datetime | None] = mapped_column(UtcTime)
    sessions_planned: Mapped[int | None] = mapped_column(Integer)
    ending_told: Mapped[bool] = mapped_column(Boolean, default=False)
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("standings.id"))
    extended_to: Mapped[date] = mapped_column(Date, index=True)
    """Every slot before this day has its row."""
    version: Mapped[int] = mapped_column(Integer, default=1)
    changed_at: Mapped[datetime] = mapped_column(UtcTime)
    feed_uid: Mapped[str] = mapped_column(PublicId, default=new_public_id)
    hours: Mapped[list[StandingHourRow]] = relationship(
        StandingHourRow, lazy="selectin", order_by=(StandingHourRow.weekday, StandingHourRow.at)
    )


def get(session: Session, public_id: str) -> StandingRow:
    """:raises NotFound: no such standing."""
    row = session.scalar(select(StandingRow).where(StandingRow.public_id == public_id))
    if row is None:
        raise NotFound(say("There is no such standing appointment."))
    return row


def of_course(session: Session, course_id: int) -> list[StandingRow]:
    query = select(StandingRow).where(StandingRow.course_id == course_id)
    return list(session.scalars(query.order_by(StandingRow.since, StandingRow.id)))


def as_value(row: StandingRow, people: Directory, *, public_ids: dict[int, str] | None = None) -> Standing:
    """The row as the domain knows it; `public_ids` names the standings that it may replace."""
    told = row.change_told_at
    return Standing(
        id=row.public_id,
        therapist=people.therapist_public(row.therapist_id),
        room=people.room_public(row.room_id),
        modality=Modality(row.modality),
        hours=tuple(Hour(day=Weekday(hour.weekday), at=hour.at) for hour in row.hours),
        every_weeks=row.every_weeks,
        minutes=row.minutes,
        zone=row.zone,
        since=row.since,
        until=row.until,
        change_told_at=local_time(told, row.zone) if told else None,
        sessions_planned=row.sessions_planned,
        ending_told=row.ending_told,
        replaces=(public_ids or {}).get(row.replaces_id) if row.replaces_id else None,
    )


def add(
    session: Session,
    standing: Standing,
    *,
    course_id: int,
    people: Directory,
    replaces_id: int | None,
    told_at: datetime | None,
    now: datetime,
) -> StandingRow:
    """A new version; its appointments are written by the use-case."""
    row = StandingRow(
        public_id=standing.id,
        course_id=course_id,
        therapist_id=people.therapist(standing.therapist).id,
        room_id=people.room_id(standing.room),
        modality=standing.modality.value,
        zone=standing.zone,
        every_weeks=standing.every_weeks,
        minutes=standing.minutes,
        since=standing.since,
        until=standing.until,
        change_told_at=told_at,
        sessions_planned=standing.sessions_planned,
        ending_told=standing.ending_told,
        replaces_id=replaces_id,
        extended_to=standing.since,
        changed_at=now,
        hours=[StandingHourRow(weekday=int(hour.day), at=hour.at) for hour in standing.hours],
    )
    session.add(row)
    session.flush()
    return row
