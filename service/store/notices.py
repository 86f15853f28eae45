"""What each person is to be told of each alert, with which message it went, and how they want to be told."""

from collections.abc import Iterable
from datetime import datetime, time
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, Text, Time, and_, delete, or_, select, update
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from service.domain.hours import Weekday
from service.domain.signals.signal import Level
from service.domain.telling import Preferences
from service.store.alerts import AlertRow
from service.store.base import BigId, Model, UtcTime, WallTime, count
from service.store.people import UserRow
from service.store.seal import seal


class NoticeRow(Model):
    __tablename__ = "notices"
    __table_args__ = (
        # Told once a round: an alert that gets worse begins another.
        Index("uq_notices_user_id_alert_id_round", "user_id", "alert_id", "round", unique=True),
        Index("ix_notices_message", "message"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id"), index=True)
    round: Mapped[str] = mapped_column(String(40))
    level: Mapped[str] = mapped_column(String(6))
    is_for_digest: Mapped[bool] = mapped_column(Boolean, default=False)
    """Not worth a message of its own: one's own doing, a level below, or a message that could not be delivered."""
    is_for_another: Mapped[bool] = mapped_column(Boolean, default=False)
    """Told as somebody's deputy, or because nobody answered."""
    message: Mapped[str | None] = mapped_column(String(36))
    """Public id of the message that it goes with; what is once in a message stays there over its attempts."""
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    told_at: Mapped[datetime | None] = mapped_column(UtcTime)


class PreferenceRow(Model):
    """How one person wants to be told; who has no row is told as `Preferences` has it."""

    __tablename__ = "preferences"
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    is_pushed: Mapped[bool] = mapped_column(Boolean)
    push_from: Mapped[str] = mapped_column(String(6))
    pushes_a_day: Mapped[int] = mapped_column(Integer)
    quiet_since: Mapped[time] = mapped_column(Time)
    quiet_until: Mapped[time] = mapped_column(Time)
    digest_at: Mapped[time] = mapped_column(Time)
    digest_days: Mapped[str] = mapped_column(String(20))
    """`MO,TU`"""
    away_until: Mapped[datetime | None] = mapped_column(WallTime)
    deputy_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    chat: Mapped[str | None] = mapped_column(Text)
    """The address of a chat service, sealed: it holds the keys."""


def preferences(session: Session, user_ids: Iterable[int]) -> dict[int, Preferences]:
    """How each of them wants to be told."""
    wanted = sorted(set(user_ids))
    rows = session.scalars(select(PreferenceRow).where(PreferenceRow.user_id.in_(wanted)))
    chosen = {row.user_id: _as_value(session, row) for row in rows}
    return {user: chosen.get(user, Preferences()) for user in wanted}


def write_preferences(session: Session, user_id: int, of: Preferences, deputy_id: int | None) -> None:
    row = session.get(PreferenceRow, user_id)
    if row is None:
        row = PreferenceRow(user_id=user_id)
        session.add(row)
    values: dict[str, Any] = {
        "is_pushed": of.is_pushed,
        "push_from": of.push_from.value,
        "pushes_a_day": of.pushes_a_day,
        "quiet_since": of.quiet_since,
        "quiet_until": of.quiet_until,
        "digest_at": of.digest_at,
        "digest_days": ",".join(day.name for day in of.digest_days),
        "away_until": of.away_until,
        "deputy_id": deputy_id,
    }
    for name, value in values.items():
        setattr(row, name, value)
    session.flush()


def has_chat(session: Session, user_id: int) -> bool:
    """Whether they entered the address of a chat service."""
    query = select(PreferenceRow.user_id).where(PreferenceRow.user_id == user_id, PreferenceRow.chat.is_not(None))
    return session.scalar(query) is not None


def chat_address(session: Session, user: UserRow) -> str | None:
    """Where they are told by chat as well; None where they entered nothing. :raises CannotOpen: see there."""
    sealed = session.scalar(select(PreferenceRow.chat).where(PreferenceRow.user_id == user.id))
    return seal().open(sealed, row=user.public_id, column=_CHAT) if sealed else None


def write_chat_address(session: Session, user: UserRow, address: str | None) -> None:
    row = session.get(PreferenceRow, user.id)
    if row is None:
        write_preferences(session, user.id, Preferences(), None)
        row = session.get_one(PreferenceRow, user.id)
    row.chat = seal().close(address, row=user.public_id, column=_CHAT) if address else None
    session.flush()


_CHAT = "preferences:chat"


def _as_value(session: Session, row: PreferenceRow) -> Preferences:
    deputy = session.scalar(select(UserRow.public_id).where(UserRow.id == row.deputy_id)) if row.deputy_id else None
    return Preferences(
        is_pushed=row.is_pushed,
        push_from=Level(row.push_from),
        pushes_a_day=row.pushes_a_day,
        quiet_since=row.quiet_since,
        quiet_until=row.quiet_until,
        digest_at=row.digest_at,
        digest_days=tuple(Weekday[name] for name in row.digest_days.split(",") if name),
        away_until=row.away_until,
        deputy=deputy,
    )


def who_named(session: Session, deputy: str) -> list[UserRow]:
    """The users who named that user (public id) as their deputy, whether or not they are away."""
    named = aliased(UserRow)
    query = (
        select(UserRow)
        .join(PreferenceRow, PreferenceRow.user_id == UserRow.id)
        .join(named, named.id == PreferenceRow.deputy_id)
        .where(named.public_id == deputy, UserRow.disabled_at.is_(None))
    )
    return list(session.scalars(query.order_by(UserRow.id)))


def is_known(session: Session, user_id: int, alert_id: int, round_: str) -> bool:
    """Whether this round of the alert was written down for that user already."""
    query = select(NoticeRow.id).where(
        NoticeRow.user_id == user_id, NoticeRow.alert_id == alert_id, NoticeRow.round == round_
    )
    return session.scalar(query) is not None


def untold(session: Session, user_id: int, *, is_for_digest: bool) -> list[tuple[NoticeRow, AlertRow]]:
    """What that user is still to be told: with a message of its own, or all that is left for the digest."""
    goes_with_none = NoticeRow.message.is_(None)
    is_left = or_(goes_with_none, NoticeRow.is_for_digest)
    query = select(NoticeRow, AlertRow).join(AlertRow, AlertRow.id == NoticeRow.alert_id)
    query = query.where(NoticeRow.user_id == user_id, NoticeRow.told_at.is_(None))
    query = query.where(is_left if is_for_digest else and_(goes_with_none, NoticeRow.is_for_digest.is_(False)))
    return [(row[0], row[1]) for row in session.execute(query.order_by(NoticeRow.id)).all()]


def going_with(session: Session, message: str) -> list[tuple[NoticeRow, AlertRow]]:
    """What goes with that message."""
    query = select(NoticeRow, AlertRow).join(AlertRow, AlertRow.id == NoticeRow.alert_id)
    query = query.where(NoticeRow.message == message)
    return [(row[0], row[1]) for row in session.execute(query.order_by(NoticeRow.id)).all()]


def mark_told(session: Session, message: str, *, now: datetime) -> None:
    """The message has left: what went with it has been told."""
    session.execute(update(NoticeRow).where(NoticeRow.message == message).values(told_at=now))


def leave_to_digest(session: Session, message: str) -> None:
    """The message may never leave: what goes with it is told with the next digest, unless it does."""
    session.execute(
        update(NoticeRow).where(NoticeRow.message == message, NoticeRow.told_at.is_(None)).values(is_for_digest=True)
    )


def withdraw(session: Session, alert_id: int) -> int:
    """Forget what nobody was told yet of that alert; how many they were."""
    gone = delete(NoticeRow).where(
        NoticeRow.alert_id == alert_id, NoticeRow.message.is_(None), NoticeRow.told_at.is_(None)
    )
    return count(session.execute(gone))


def is_told(session: Session, alert_id: int) -> bool:
    """Whether anybody was told of that alert, or is being told."""
    query = select(NoticeRow.id).where(NoticeRow.alert_id == alert_id, NoticeRow.message.is_not(None))
    return session.scalar(query.limit(1)) is not None
