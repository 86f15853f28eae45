"""Alerts, and the last assessment of each course."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    Select,
    String,
    Text,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import NullType

from service.domain.phrase import say
from service.domain.refusals import NotFound
from service.store.base import BigId, Model, PublicId, UtcTime, new_public_id
from service.store.courses import CourseRow
from service.store.people import TherapistRow
from service.store.prepared import Prepared, Row


class AlertRow(Model):
    __tablename__ = "alerts"
    __table_args__ = (
        # One alert for each course, rule and episode, however often it is found again.
        Index("uq_alerts_course_id_rule_episode", "course_id", "rule", "episode", unique=True),
        Index("ix_alerts_state_level", "state", "level"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(PublicId, unique=True, default=new_public_id)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), index=True)
    rule: Mapped[str] = mapped_column(String(40))
    """The family one episode is deduplicated in: `gap` for gap.ahead, gap.open and gap.early, else the signal's id."""
    episode: Mapped[str] = mapped_column(String(80))
    signal: Mapped[str] = mapped_column(String(40))
    level: Mapped[str] = mapped_column(String(6))
    state: Mapped[str] = mapped_column(String(12))
    """open, acknowledged, snoozed, agreed, cleared."""
    is_clinic_caused: Mapped[bool] = mapped_column(Boolean, default=False)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The signal as told: value, threshold, evidence, slots, causes, text, actions, clears. Names no client."""
    opened_at: Mapped[datetime] = mapped_column(UtcTime)
    changed_at: Mapped[datetime] = mapped_column(UtcTime)
    acknowledged_at: Mapped[datetime | None] = mapped_column(UtcTime)
    acknowledged_by: Mapped[str | None] = mapped_column(String(120))
    snoozed_until: Mapped[datetime | None] = mapped_column(UtcTime)
    note: Mapped[str | None] = mapped_column(Text)
    """The reason given for a snooze or an agreement."""
    useful: Mapped[str | None] = mapped_column(String(10))
    told_level: Mapped[str | None] = mapped_column(String(6))
    """The highest level that people were told of: a notice goes out again only above it."""
    told_size: Mapped[float | None] = mapped_column()
    """For a gap: its days when last told."""
    act_since: Mapped[datetime | None] = mapped_column(UtcTime)
    """Since when it needs somebody; None while it does not."""
    passed_on_at: Mapped[datetime | None] = mapped_column(UtcTime)
    """When managers were told that nobody had answered."""
    cleared_at: Mapped[datetime | None] = mapped_column(UtcTime)
    version: Mapped[int] = mapped_column(Integer, default=1)


class AssessmentRow(Model):
    """What the signals said last, and when they could say otherwise without any new fact."""

    __tablename__ = "assessments"
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), primary_key=True)
    assessed_at: Mapped[datetime] = mapped_column(UtcTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcTime, index=True)
    index: Mapped[dict[str, Any]] = mapped_column(JSON)
    signals: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    metrics: Mapped[dict[str, Any]] = mapped_column(JSON)


def get(session: Session, public_id: str) -> AlertRow:
    """:raises NotFound: no such alert."""
    row = session.scalar(select(AlertRow).where(AlertRow.public_id == public_id))
    if row is None:
        raise NotFound(say("There is no such alert."))
    return row


def write_assessment(session: Session, course_id: int, **values: Any) -> None:
    """What the signals say now, in the place of what they said before."""
    connection = session.connection()
    if not connection.execute(_UPDATE, {"course": course_id, **values}).rowcount:
        connection.execute(_INSERT, {"course_id": course_id, **values})


_assessments = AssessmentRow.metadata.tables[AssessmentRow.__tablename__]
_UPDATE = update(_assessments).where(_assessments.c.course_id == bindparam("course"))
_INSERT = insert(_assessments)


def of_course(session: Session, course_id: int) -> list[AlertRow]:
    return list(session.scalars(_OF_COURSE, {"course": course_id}))


def standing_of_course(session: Session, course_id: int) -> list[Row]:
    """Those of the course's alerts that are not cleared, to be read only: what they say and what was told of it."""
    session.flush()
    return _STANDING.rows(session, course=course_id, cleared="cleared")


_OF_COURSE = select(AlertRow).where(AlertRow.course_id == bindparam("course")).order_by(AlertRow.id)
_STANDING = Prepared(
    select(
        AlertRow.rule,
        AlertRow.episode,
        AlertRow.signal,
        AlertRow.level,
        AlertRow.state,
        AlertRow.is_clinic_caused,
        AlertRow.detail,
        AlertRow.told_level,
        type_coerce(AlertRow.told_size, NullType).label("told_size"),  # a float as either driver hands it out
        AlertRow.snoozed_until,
        AlertRow.cleared_at,
        AlertRow.act_since,
    ).where(AlertRow.course_id == bindparam("course"), AlertRow.state != bindparam("cleared"))
)


def standing_alerts(session: Session) -> list[AlertRow]:
    """All that are not cleared, newest first."""
    query = select(AlertRow).where(AlertRow.state != "cleared").order_by(AlertRow.opened_at.desc(), AlertRow.id.desc())
    return list(session.scalars(query))


def count_open(session: Session, **whose: Any) -> int:
    """How many stand open for somebody; see `open_for`."""
    return session.scalar(select(func.count()).select_from(AlertRow).where(_is_open_for(**whose))) or 0


def open_for(session: Session, **whose: Any) -> list[AlertRow]:
    """What stands open of that `therapist` (public id or None), of the therapists `stood_in_for` (inner ids), and of
    what managers look after where `is_manager`; `now` is an instant.
    """
    return list(session.scalars(select(AlertRow).where(_is_open_for(**whose)).order_by(AlertRow.id)))


def _is_open_for(
    *, therapist: str | None, stood_in_for: Iterable[int], is_manager: bool, now: datetime
) -> ColumnElement[bool]:
    is_open = or_(AlertRow.state == "open", and_(AlertRow.state == "snoozed", AlertRow.snoozed_until <= now))
    whose: list[ColumnElement[bool]] = [
        AlertRow.course_id.in_(_courses_of(CourseRow.therapist_id.in_(sorted(stood_in_for))))
    ]
    if therapist is not None:
        own = select(TherapistRow.id).where(TherapistRow.public_id == therapist)
        whose.append(AlertRow.course_id.in_(_courses_of(CourseRow.therapist_id.in_(own))))
    if is_manager:
        whose += [AlertRow.is_clinic_caused.is_(True), and_(AlertRow.level == "act", AlertRow.state == "open")]
    return and_(is_open, or_(*whose))


def _courses_of(holders: ColumnElement[bool]) -> Select[int]:
    return select(CourseRow.id).where(holders)


def together_with(session: Session, row: AlertRow, rules: Iterable[str]) -> list[AlertRow]:
    """The course's other alerts of these families that stand."""
    query = select(AlertRow).where(
        AlertRow.course_id == row.course_id, AlertRow.rule.in_(sorted(rules)), AlertRow.state != "cleared"
    )
    return list(session.scalars(query.order_by(AlertRow.id)))


def verdicts(session: Session) -> dict[str, dict[str, int]]:
    """How often each signal's alerts were found useful, not useful, or handled already."""
    found: dict[str, dict[str, int]] = {}
    query = select(AlertRow.signal, AlertRow.useful, func.count()).where(AlertRow.useful.is_not(None))
    for signal, verdict, times in session.execute(query.group_by(AlertRow.signal, AlertRow.useful)).all():
        found.setdefault(signal, {})[str(verdict)] = times
    return found
