"""Who did what to which record, and who looked; written in the transaction that did it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.domain.access import Actor
from service.store import webhooks
from service.store.base import BigId, Model, PublicId, UtcTime


class AuditRow(Model):
    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_subject_kind_subject", "subject_kind", "subject"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    actor: Mapped[str | None] = mapped_column(PublicId)
    """Public id of the user; None for the clock and the command line, which `actor_name` tells."""
    actor_name: Mapped[str] = mapped_column(String(120))
    action: Mapped[str] = mapped_column(String(60))
    subject_kind: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(PublicId)
    fields: Mapped[list[str]] = mapped_column(JSON)
    """Names of what changed, never the values: the audit must be readable by whoever may not see the record."""
    detail: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """Opaque ids and reasons given."""


def record(
    session: Session,
    action: str,
    *,
    by: Actor,
    now: datetime,
    kind: str,
    subject: str,
    fields: Iterable[str] = (),
    detail: dict[str, Any] | None = None,
) -> None:
    """One line: `by` did `action` to the `kind` with that public id; and programs that want to know of it are told."""
    session.add(
        AuditRow(
            at=now,
            actor=by.user,
            actor_name=by.name,
            action=action,
            subject_kind=kind,
            subject=subject,
            fields=sorted(fields),
            detail=detail,
        )
    )
    webhooks.tell(session, kind, action, subject, now=now)


def newest(session: Session, kind: str, subject: str) -> AuditRow | None:
    """What was done to it last."""
    query = select(AuditRow).where(AuditRow.subject_kind == kind, AuditRow.subject == subject)
    return session.scalar(query.order_by(AuditRow.id.desc()).limit(1))


def of_subject(session: Session, kind: str, subject: str) -> list[AuditRow]:
    query = select(AuditRow).where(AuditRow.subject_kind == kind, AuditRow.subject == subject)
    return list(session.scalars(query.order_by(AuditRow.id)))
