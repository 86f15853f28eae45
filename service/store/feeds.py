"""Calendar subscriptions. The address is a secret; only its hash is kept."""

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Integer, LargeBinary, String, select
from sqlalchemy.orm import Mapped, Session, deferred, mapped_column

from service.domain.refusals import NotFound
from service.store.base import BigId, Model, PublicId, UtcTime, new_public_id


class FeedRow(Model):
    __tablename__ = "feeds"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(PublicId, unique=True, default=new_public_id)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    therapist_id: Mapped[int] = mapped_column(ForeignKey("therapists.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    privacy: Mapped[str] = mapped_column(String(10))
    """busy, initials, reference, name."""
    shows_cancelled: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    fetched_at: Mapped[datetime | None] = mapped_column(UtcTime)
    fetched_by: Mapped[str | None] = mapped_column(String(200))
    built_version: Mapped[int | None] = mapped_column(Integer)
    """The therapist's `calendar_version` that the stored body shows."""
    built_on: Mapped[str | None] = mapped_column(String(10))
    """The local date it was built on: its window of past days moves with the day."""
    built_at: Mapped[datetime | None] = mapped_column(UtcTime)
    """When the body last came out different: Last-Modified."""
    etag: Mapped[str | None] = mapped_column(String(64))
    body: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))


def get(session: Session, public_id: str) -> FeedRow:
    """:raises NotFound: no such feed."""
    row = session.scalar(select(FeedRow).where(FeedRow.public_id == public_id))
    if row is None:
        raise NotFound("There is no such calendar subscription.")
    return row


def of_user(session: Session, user_id: int) -> list[FeedRow]:
    """In order of creation, revoked ones included."""
    return list(session.scalars(select(FeedRow).where(FeedRow.user_id == user_id).order_by(FeedRow.id)))
