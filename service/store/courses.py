"""Courses of therapy, and who is in them."""

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.domain.phrase import say
from service.domain.refusals import NotFound
from service.store.base import BigId, Model, PublicId, UtcTime, new_public_id


class CourseRow(Model):
    __tablename__ = "courses"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(PublicId, unique=True, default=new_public_id)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), index=True)
    therapist_id: Mapped[int] = mapped_column(ForeignKey("therapists.id"), index=True)
    """Whose course it is now; who held its sessions before stands with the standings and appointments."""
    status: Mapped[str] = mapped_column(String(10), default="active")
    ending: Mapped[str | None] = mapped_column(String(12))
    ended_on: Mapped[date | None] = mapped_column(Date)
    same_room: Mapped[bool] = mapped_column(Boolean, default=False)
    default_cadence_days: Mapped[int] = mapped_column(Integer, default=7)
    opened_at: Mapped[datetime] = mapped_column(UtcTime)
    version: Mapped[int] = mapped_column(Integer, default=1)


class CourseClientRow(Model):
    __tablename__ = "course_clients"
    __table_args__ = (Index("ix_course_clients_client_id", "client_id"),)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id"), primary_key=True)


def get(session: Session, public_id: str) -> CourseRow:
    """:raises NotFound: no such course."""
    row = session.scalar(select(CourseRow).where(CourseRow.public_id == public_id))
    if row is None:
        raise NotFound(say("There is no such course."))
    return row


def client_ids(session: Session, course_id: int) -> list[int]:
    """Inner ids of the course's clients, in order."""
    query = select(CourseClientRow.client_id).where(CourseClientRow.course_id == course_id)
    return sorted(session.scalars(query))


def clients_by_course(session: Session, course_ids: Iterable[int]) -> dict[int, list[int]]:
    """Inner client ids for each of the courses."""
    found: dict[int, list[int]] = {}
    query = select(CourseClientRow).where(CourseClientRow.course_id.in_(sorted(set(course_ids))))
    for row in session.scalars(query):
        found.setdefault(row.course_id, []).append(row.client_id)
    return found


def of_client(session: Session, client_id: int) -> list[CourseRow]:
    joined = select(CourseRow).join(CourseClientRow, CourseClientRow.course_id == CourseRow.id)
    return list(session.scalars(joined.where(CourseClientRow.client_id == client_id).order_by(CourseRow.id)))
