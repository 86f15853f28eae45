"""Absences, and which course was told of which."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.domain.absences import Absence, AbsenceKind
from service.domain.hours import LocalTime, local_time
from service.domain.phrase import say
from service.domain.refusals import NotFound
from service.store.base import BigId, Model, PublicId, UtcTime, WallTime, new_public_id
from service.store.people import Directory


class AbsenceRow(Model):
    __tablename__ = "absences"
    __table_args__ = (
        CheckConstraint("until > since", name="in_order"),
        CheckConstraint("kind <> 'leave' or therapist_id is not null", name="leave_of_somebody"),
        CheckConstraint("kind <> 'pause' or course_id is not null", name="pause_of_a_course"),
        Index("uq_absences_source", "source", unique=True),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(PublicId, unique=True, default=new_public_id)
    kind: Mapped[str] = mapped_column(String(10))
    therapist_id: Mapped[int | None] = mapped_column(ForeignKey("therapists.id"), index=True)
    room_id: Mapped[int | None] = mapped_column(ForeignKey("rooms.id"))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"), index=True)
    """None with a closure: every site."""
    course_id: Mapped[int | None] = mapped_column(ForeignKey("courses.id"), index=True)
    since: Mapped[datetime] = mapped_column(WallTime)
    until: Mapped[datetime] = mapped_column(WallTime)
    name: Mapped[str] = mapped_column(String(120), default="")
    tentative: Mapped[bool] = mapped_column(Boolean, default=False)
    keeps_hour: Mapped[bool] = mapped_column(Boolean, default=True)
    """For a pause: the hour stays this client's."""
    source: Mapped[str | None] = mapped_column(String(80))
    """For a public holiday: country, region and date, so that entering a year twice changes nothing."""
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcTime)
    changed_at: Mapped[datetime] = mapped_column(UtcTime)


class AnnouncementRow(Model):
    __tablename__ = "announcements"
    absence_id: Mapped[int] = mapped_column(ForeignKey("absences.id"), primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), primary_key=True, index=True)
    told_at: Mapped[datetime] = mapped_column(UtcTime)
    made_by: Mapped[str] = mapped_column(String(120))


def get(session: Session, public_id: str) -> AbsenceRow:
    """:raises NotFound: no such absence, or one that was withdrawn."""
    row = session.scalar(select(AbsenceRow).where(AbsenceRow.public_id == public_id, AbsenceRow.withdrawn_at.is_(None)))
    if row is None:
        raise NotFound(say("There is no such absence."))
    return row


def touching(session: Session, since: LocalTime, until: LocalTime | None = None) -> list[AbsenceRow]:
    """All that stand and reach into the span, in order."""
    query = select(AbsenceRow).where(AbsenceRow.until > since, AbsenceRow.withdrawn_at.is_(None))
    if until is not None:
        query = query.where(AbsenceRow.since < until)
    return list(session.scalars(query.order_by(AbsenceRow.since, AbsenceRow.id)))


def concerns(row: AbsenceRow, *, therapist_id: int, room_id: int | None, site_id: int, course_id: int | None) -> bool:
    """True where a session with that therapist, in that room (None: by video), at that site, of that course, needs
    whoever or whatever is away."""
    if row.kind == AbsenceKind.PAUSE:
        return row.course_id == course_id
    if row.kind == AbsenceKind.LEAVE:
        return row.therapist_id == therapist_id
    if row.room_id is not None:
        return row.room_id == room_id
    return row.site_id is None or row.site_id == site_id


def told(session: Session, course_id: int) -> dict[int, datetime]:
    """When the course was told, by inner absence id."""
    query = select(AnnouncementRow.absence_id, AnnouncementRow.told_at).where(AnnouncementRow.course_id == course_id)
    return dict(session.execute(query).all())


def told_courses(session: Session, absence_ids: Iterable[int]) -> dict[tuple[int, int], datetime]:
    """When each (absence, course) was told."""
    query = select(AnnouncementRow).where(AnnouncementRow.absence_id.in_(sorted(absence_ids)))
    return {(row.absence_id, row.course_id): row.told_at for row in session.scalars(query)}


def as_value(
    row: AbsenceRow, people: Directory, *, told_at: datetime | None = None, zone: str | None = None
) -> Absence:
    """The row as the domain knows it, told times in `zone`."""
    return Absence(
        id=row.public_id,
        kind=AbsenceKind(row.kind),
        since=row.since,
        until=row.until,
        therapist=people.therapist_public(row.therapist_id) if row.therapist_id else None,
        room=people.room_public(row.room_id),
        told_at=local_time(told_at, zone) if told_at and zone else None,
        tentative=row.tentative,
        name=row.name,
    )
