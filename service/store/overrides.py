"""Exceptions that are agreed from the thresholds: for one course, for one therapist's, or for the clinic."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from sqlalchemy import ColumnElement, Date, ForeignKey, String, Text, and_, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.domain.course import Override
from service.domain.phrase import say
from service.domain.refusals import NotFound
from service.store.base import BigId, Model, PublicId, UtcTime, new_public_id
from service.store.courses import CourseRow
from service.store.seal import seal

_REASON = "overrides:reason"


class OverrideRow(Model):
    """A parameter set otherwise for one course, for one therapist's courses, or (neither) for the clinic."""

    __tablename__ = "overrides"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(PublicId, unique=True, default=new_public_id)
    course_id: Mapped[int | None] = mapped_column(ForeignKey("courses.id"), index=True)
    therapist_id: Mapped[int | None] = mapped_column(ForeignKey("therapists.id"), index=True)
    name: Mapped[str] = mapped_column(String(40))
    value: Mapped[str] = mapped_column(String(40))
    reason_sealed: Mapped[str] = mapped_column(Text)
    until: Mapped[date] = mapped_column(Date)
    made_by: Mapped[str] = mapped_column(String(120))
    made_at: Mapped[datetime] = mapped_column(UtcTime)

    @property
    def reason(self) -> str:
        """A person's own words, which may name somebody: sealed like a name."""
        return seal().open(self.reason_sealed, row=self.public_id, column=_REASON)

    @reason.setter
    def reason(self, words: str) -> None:
        self.reason_sealed = seal().close(words, row=self.public_id, column=_REASON)

    @property
    def as_value(self) -> Override:
        return Override(value=number_or_word(self.value), reason=self.reason, until=self.until, author=self.made_by)


Layer = Mapping[str, Override]


def new_row(
    *,
    name: str,
    value: float | str,
    reason: str,
    until: date,
    course_id: int | None = None,
    therapist_id: int | None = None,
    made_by: str,
    now: datetime,
) -> OverrideRow:
    """A row not yet added to the session."""
    row = OverrideRow(
        public_id=new_public_id(),
        course_id=course_id,
        therapist_id=therapist_id,
        name=name,
        value=value if isinstance(value, str) else f"{value!r}",
        until=until,
        made_by=made_by,
        made_at=now,
    )
    row.reason = reason
    return row


def get(session: Session, public_id: str) -> OverrideRow:
    """:raises NotFound: no such exception."""
    row = session.scalar(select(OverrideRow).where(OverrideRow.public_id == public_id))
    if row is None:
        raise NotFound(say("There is no such exception."))
    return row


def of(*, course_id: int | None = None, therapist_id: int | None = None) -> ColumnElement[bool]:
    """The exceptions of exactly that course, or of that therapist, or (neither) of the clinic."""
    if course_id is not None:
        return OverrideRow.course_id == course_id
    if therapist_id is not None:
        return OverrideRow.therapist_id == therapist_id
    return and_(OverrideRow.course_id.is_(None), OverrideRow.therapist_id.is_(None))


def rows(session: Session, which: ColumnElement[bool]) -> list[OverrideRow]:
    """In the order in which they were made: of two with one name, the later holds."""
    return list(session.scalars(select(OverrideRow).where(which).order_by(OverrideRow.id)))


def layers(session: Session, course: CourseRow) -> tuple[Layer, Layer, Layer]:
    """The clinic's, the therapist's, and the course's own."""
    which = or_(of(), of(therapist_id=course.therapist_id), of(course_id=course.id))
    found = rows(session, which)
    return (
        as_layer(row for row in found if row.course_id is None and row.therapist_id is None),
        as_layer(row for row in found if row.therapist_id is not None),
        as_layer(row for row in found if row.course_id is not None),
    )


def as_layer(some: Iterable[OverrideRow]) -> Layer:
    return {row.name: row.as_value for row in some}


def number_or_word(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
